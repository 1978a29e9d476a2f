"""Who may connect: functions that say so (section 2.2 of the specification), and tokens."""

import json
import threading
import time

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.tokens import EC, RSA, key_pair, text, token
from lib.wire import CLOSE, Close, WebSocket, frame, upgrade
from lib.wire import http as exchange

UNAUTHORIZED, FORBIDDEN = b'{"message":"Unauthorized"}', b'{"message":"Forbidden"}'
BROKEN = b'{"message":"Internal server error"}'
FAILING = ["function.failed", "function.circuit_open"]
ARN = "arn:aws:execute-api:us-east-1:123456789012:gatepost00/dev/$connect"


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(autouse=True)
def fresh(request, functions):
    cluster = next((request.getfixturevalue(name) for name in ("asked", "tokens")
                    if name in request.fixturenames), None)  # fmt: skip
    if cluster:
        cluster.settle()
    functions.forget()


def routes(functions, **authorizer):
    return {
        "hello": function(functions.url("hello"), websocket("$connect", **authorizer)),
        "bye": function(functions.url("bye"), websocket("$disconnect")),
        "ask": function(functions.url("ask"), websocket("$default", two_way=True)),
    }


def handshake(cluster, target="/dev", **headers):
    response, _ = exchange(cluster.websocket, upgrade(target, **headers))
    return response.status, response.body


# Functions


@pytest.fixture(scope="module")
def asked(functions, tmp_path_factory):
    """Its authorizer wants a header and something in the query."""
    sources = ["route.request.header.Auth", "route.request.querystring.room"]
    authorizer = {"name": "guard", "identitySource": sources}
    config = project(
        tmp_path_factory.mktemp("asked"),
        {
            **routes(functions, authorizer=authorizer),
            "guard": function(functions.url("guard")),
        },
    )
    with Cluster(edges=1, brokers=1, args=["--config", config], expect=FAILING) as it:
        yield it


def policy(effect="Allow", resource=ARN, action="execute-api:Invoke", **more):
    statement = {"Action": action, "Effect": effect, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return Reply(200, json.dumps({"principalId": "ann", "policyDocument": document, **more}))


def ask_in(asked):
    return handshake(asked, "/dev?room=7", Auth="secret")


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/dev", {}), ("/dev?room=7", {}), ("/dev", {"Auth": "x"}), ("/dev?room=", {"Auth": "x"}),
     ("/dev?rooms=7", {"Auth": "x"}), ("/dev?room=7", {"Auth": ""})],
)  # fmt: skip
def test_2_2_without_all_of_its_identity_nobody_is_asked_and_it_is_401(
    asked, functions, target, headers
):
    assert handshake(asked, target, **headers) == (401, UNAUTHORIZED)
    assert functions.calls("guard") == [] and functions.calls("hello") == []


def test_2_2_the_authorizer_s_event_is_the_whole_request(asked, functions):
    functions.answer("guard", policy())
    with WebSocket(asked.websocket + "?room=7&room=8", Auth="secret") as client:
        connection_id = client.row_id(asked)
    call = functions.next("guard")
    event = call.event
    assert event["type"] == "REQUEST" and event["methodArn"] == ARN
    assert event["headers"]["Auth"] == "secret" and event["headers"]["Upgrade"] == "websocket"
    assert event["requestContext"]["connectionId"] == connection_id
    assert event["requestContext"]["eventType"] == "CONNECT"
    assert event["stageVariables"] == {}


ALLOWING = {
    "the ARN": policy(), "a pattern": policy(resource="arn:aws:execute-api:*/dev/*"),
    "all": policy(resource="*"), "a list": policy(resource=["x", ARN]),
    "any action": policy(action="*"), "actions": policy(action=["s3:x", "execute-api:*"]),
}  # fmt: skip


@pytest.mark.parametrize("what", ALLOWING)
def test_2_2_a_policy_that_allows_lets_it_in(asked, functions, what):
    functions.answer("guard", ALLOWING[what])
    assert ask_in(asked)[0] == 101


DENYING = {
    "deny": policy("Deny"), "deny all": policy("Deny", "*"),
    "another stage": policy(resource=ARN.replace("/dev/", "/prod/")),
    "another action": policy(action="execute-api:ManageConnections"),
    "nothing": Reply(200, '{"principalId":"ann","policyDocument":{"Statement":[]}}'),
    "allow and deny": Reply(200, json.dumps({"principalId": "ann", "policyDocument": {"Statement": [
        {"Action": "*", "Effect": "Allow", "Resource": "*"},
        {"Action": "*", "Effect": "Deny", "Resource": ARN}]}})),
    "HTTP says so": Reply(403, "no"), "a proxy result": proxy(403),
}  # fmt: skip


@pytest.mark.parametrize("what", DENYING)
def test_2_2_a_policy_that_does_not_allow_is_403(asked, functions, what):
    functions.answer("guard", DENYING[what])
    assert ask_in(asked) == (403, FORBIDDEN)
    assert functions.calls("hello") == [], "$connect is not asked"
    assert asked.table() == {}


UNKNOWN = {
    "Lambda throws it": Reply(200, '{"errorMessage":"Unauthorized","errorType":"Error"}',
                              {"X-Amz-Function-Error": "Unhandled"}),
    "HTTP says so": Reply(401, "who?"), "a proxy result": proxy(401, "who?"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNKNOWN)
def test_2_2_one_that_fails_with_unauthorized_is_401(asked, functions, what):
    functions.answer("guard", UNKNOWN[what])
    assert ask_in(asked) == (401, UNAUTHORIZED)


GARBAGE = {
    "nothing": Reply(200), "no JSON": Reply(200, "yes"), "a list": Reply(200, "[]"),
    "null": Reply(200, "null"), "true": Reply(200, "true"), "no policy": Reply(200, '{"principalId":"a"}'),
    "no principal": Reply(200, '{"policyDocument":{"Statement":[]}}'),
    "an effect of its own": policy("allow"), "no such status": proxy(200, "x"),
    "a condition": Reply(200, json.dumps({"principalId": "a", "policyDocument": {"Statement": [
        {"Action": "*", "Effect": "Allow", "Resource": "*", "Condition": {"Bool": {"x": "true"}}}]}})),
    "a context with a list": policy(context={"a": [1]}),
    "more than 8 KB": policy(context={"a": "x" * 8192}), "it throws": Reply(500, "Unauthorized"),
    "another error": Reply(200, '{"errorMessage":"Unauthorized!"}', {"X-Amz-Function-Error": "x"}),
    "throttled": Reply(429), "it dies": b"",
}  # fmt: skip


@pytest.mark.parametrize("what", GARBAGE)
def test_2_2_any_other_error_is_500(asked, functions, what):
    functions.answer("guard", GARBAGE[what])
    assert ask_in(asked) == (500, BROKEN)
    functions.answer("guard", policy())
    assert ask_in(asked)[0] == 101


def test_2_2_an_authorizer_that_is_late_is_500(functions, tmp_path):
    done = threading.Event()
    functions.answer("guard", lambda _: done.wait(60) and policy())
    authorizer = {"name": "guard", "identitySource": ["route.request.header.Auth"]}
    guard = function(functions.url("guard"), timeout=1)
    config = project(tmp_path, {**routes(functions, authorizer=authorizer), "guard": guard})
    with Cluster(edges=1, brokers=1, args=["--config", config], expect=FAILING) as it:
        try:
            assert ask_in(it) == (500, BROKEN)
        finally:
            done.set()


def test_2_2_its_context_is_in_all_later_events_as_strings(asked, functions):
    functions.answer("guard", policy(context={"room": "7", "n": 4, "on": True, "who": "Grüße \"x\""}))
    functions.answer("ask", proxy(200, "x"))
    with WebSocket(asked.websocket + "?room=7", Auth="secret") as client:
        assert client.ask("hello") == "x"
    for name in ("hello", "ask", "bye"):
        authorizer = functions.next(name).event["requestContext"]["authorizer"]
        assert isinstance(authorizer.pop("integrationLatency"), int)
        assert authorizer == {
            "principalId": "ann", "room": "7", "n": "4", "on": "true", "who": "Grüße \"x\"",
        }, name  # fmt: skip
    assert "authorizer" not in functions.next("guard").event["requestContext"]


def test_2_2_it_is_asked_once_for_a_connection(asked, functions):
    functions.answer("guard", policy())
    functions.answer("ask", proxy(200, "x"))
    with WebSocket(asked.websocket + "?room=7", Auth="secret") as client:
        connection_id = client.row_id(asked)
        for _ in range(5):
            client.ask("hello")
    functions.next("bye", connection_id)
    assert len(functions.calls("guard")) == 1


# Tokens

SECRET = b"a secret of 32 bytes, or so it is"
ISSUER, AUDIENCE = "https://issuer.test/", "chat"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {
        "HS256": (SECRET, SECRET),
        "RS256": key_pair(folder, "rsa", RSA), "ES256": key_pair(folder, "ec", EC),
        "another RS256": key_pair(folder, "rsa2", RSA), "another ES256": key_pair(folder, "ec2", EC),
    }  # fmt: skip


def jwt(keys, algorithm, folder):
    """A gatepost.authorizers entry: HS256 with its secret in a file, the others' public keys in theirs."""
    public = keys[algorithm][1]
    if algorithm == "HS256":
        public = folder / "secret"
        public.write_bytes(SECRET + b"\n")
        public.chmod(0o600)
    return {
        "type": "jwt", "algorithm": algorithm, "keyFile": str(public),
        "issuer": ISSUER, "audience": AUDIENCE,
        "identitySource": ["route.request.header.Authorization", "route.request.querystring.token",
                           "route.request.cookie.token", "route.request.subprotocol"],
    }  # fmt: skip


@pytest.fixture(scope="module", params=["HS256", "RS256", "ES256"])
def algorithm(request):
    return request.param


@pytest.fixture(scope="module")
def tokens(functions, keys, algorithm, tmp_path_factory):
    folder = tmp_path_factory.mktemp(algorithm)
    config = project(
        folder, routes(functions, authorizer="who"), authorizers={"who": jwt(keys, algorithm, folder)}
    )
    with Cluster(edges=1, brokers=1, args=["--config", config]) as it:
        yield it


def claims(**changes):
    now = int(time.time())
    all_ = {"sub": "ann", "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, **changes}
    return {name: value for name, value in all_.items() if value is not None}


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


@pytest.fixture
def good(keys, algorithm):
    return lambda **changes: token(algorithm, keys[algorithm][0], claims(**changes))


@pytest.mark.parametrize("where", ["header", "bare header", "query", "cookie", "subprotocol"])
def test_a_good_token_lets_in_from_wherever_it_is(tokens, good, where):
    it = good()
    target, headers = {
        "header": ("/dev", bearer(it)), "bare header": ("/dev", {"Authorization": it}),
        "query": (f"/dev?a=b&token={it}", {}), "cookie": ("/dev", {"Cookie": f"a=b; token={it}"}),
        "subprotocol": ("/dev", {"Sec_WebSocket_Protocol": f"bearer, {it}"}),
    }[where]  # fmt: skip
    response, _ = exchange(tokens.websocket, upgrade(target, **headers))
    assert response.status == 101
    assert response.headers.get("sec-websocket-protocol") == ("bearer" if where == "subprotocol" else None)


def test_the_function_s_choice_of_a_subprotocol_comes_before_bearer(tokens, functions, good):
    functions.answer("hello", proxy(200, headers={"Sec-WebSocket-Protocol": "chat"}))
    offered = {"Sec_WebSocket_Protocol": f"chat, bearer, {good()}"}
    response, _ = exchange(tokens.websocket, upgrade(**offered))
    assert response.headers["sec-websocket-protocol"] == "chat"


def test_the_claims_are_in_all_events(tokens, functions, good):
    functions.answer("ask", proxy(200, "x"))
    with WebSocket(tokens.websocket, **bearer(good(roles=["a", "b"], n=1))) as client:
        client.ask("hello")
    for name in ("hello", "ask", "bye"):
        authorizer = functions.next(name).event["requestContext"]["authorizer"]
        assert authorizer["principalId"] == "ann"
        assert authorizer["claims"]["roles"] == ["a", "b"] and authorizer["claims"]["n"] == 1


GOOD = {
    "several audiences": {"aud": ["x", AUDIENCE]},
    "began": {"nbf": -10}, "a clock that is 30 s ahead": {"nbf": 30},
    "a clock that is 30 s behind": {"exp": -30}, "an end far away": {"exp": 2**62},
    "an end in fractions": {"exp": 4e9},
}  # fmt: skip


def at(changes):
    """exp and nbf are relative here."""
    now = int(time.time())
    return {k: v + now if k in ("exp", "nbf") and isinstance(v, int) else v for k, v in changes.items()}


@pytest.mark.parametrize("what", GOOD)
def test_a_token_that_is_good_enough_lets_in(tokens, good, what):
    assert handshake(tokens, **bearer(good(**at(GOOD[what]))))[0] == 101


BAD = {
    "expired": {"exp": -120}, "expired long ago": {"exp": -10**9}, "not valid yet": {"nbf": 600},
    "another issuer": {"iss": "x"}, "no issuer": {"iss": None}, "another audience": {"aud": "x"},
    "no audience": {"aud": None}, "audiences without it": {"aud": ["x", "chat2"]},
    "an audience that is a number": {"aud": 5}, "an end that is a text": {"exp": "tomorrow"},
    "an end that is a list": {"exp": [1]}, "an end at 0": {"exp": "zero"},
    "no end": {"exp": None}, "an end before all": {"exp": -10**17}, "a fraction of long ago": {"exp": 1.5},
    "a beginning that is a text": {"nbf": "tomorrow"},
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_token_with_a_wrong_claim_is_401(tokens, functions, good, what):
    changes = at(BAD[what])
    if changes.get("exp") == "zero":
        changes["exp"] = 0
    assert handshake(tokens, **bearer(good(**changes))) == (401, UNAUTHORIZED)
    assert functions.calls("hello") == []


def test_a_token_signed_by_another_is_401(tokens, keys, algorithm):
    other = b"x" * 32 if algorithm == "HS256" else keys[f"another {algorithm}"][0]
    assert handshake(tokens, **bearer(token(algorithm, other, claims())))[0] == 401


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS384", "x"])
def test_a_token_without_an_algorithm_of_ours_is_401(tokens, name):
    assert handshake(tokens, **bearer(token(name, None, claims())))[0] == 401


def test_a_token_of_another_algorithm_is_401(tokens, keys, algorithm):
    for other in {"HS256", "RS256", "ES256"} - {algorithm}:
        assert handshake(tokens, **bearer(token(other, keys[other][0], claims())))[0] == 401


def test_a_public_key_is_not_a_secret(tokens, keys, algorithm):
    """The oldest trick: HS256, signed with what everybody knows (RFC 8725 2.1)."""
    if algorithm == "HS256":
        keys = {"HS256": (None, keys["RS256"][1])}
    public = keys[algorithm][1].read_bytes()
    for secret in (public, public.strip(), public + b"\0"):
        assert handshake(tokens, **bearer(token("HS256", secret, claims())))[0] == 401


def changed(it, part):
    """The same with one bit of that part flipped."""
    parts = it.split(".")
    letter = parts[part][5]
    parts[part] = parts[part][:5] + ("A" if letter != "A" else "B") + parts[part][6:]
    return ".".join(parts)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_changed_is_401(tokens, good, part):
    assert handshake(tokens, **bearer(changed(good(), part)))[0] == 401


GARBAGE_TOKENS = [
    "x", ".", "..", "...", "a.b.c", "e30.e30.", f"{text(b'{}')}.{text(b'{}')}.{text(b'x')}",
    f"{text(b'[]')}.{text(b'[]')}.x", f"{text(b'null')}.{text(b'5')}.x", "%00.%00.%00", "=.=.=",
    "x" * 8000, f"{text(b'{' * 3000)}.{text(b'[' * 3000)}.x", "\xff\xfe.x.y", "Bearer", "Bearer x",
]  # fmt: skip


@pytest.mark.parametrize("it", GARBAGE_TOKENS, ids=range(len(GARBAGE_TOKENS)))
def test_a_token_that_is_none_is_401(tokens, it):
    it = it.encode().decode("latin-1")
    request = upgrade().replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer " + it.encode("latin-1") + b"\r\n\r\n")
    response, _ = exchange(tokens.websocket, request)
    assert response.status == 401, it[:40]


def test_a_token_whose_signature_is_cut_short_is_401(tokens, good):
    it = good()
    for n in (1, 2, 10, len(it.rpartition(".")[2])):
        assert handshake(tokens, **bearer(it[:-n]))[0] == 401


def test_a_token_of_17_kib_is_refused(keys, algorithm, functions, tmp_path):
    folder = tmp_path
    config = project(
        folder, routes(functions, authorizer="who"), authorizers={"who": jwt(keys, algorithm, folder)}
    )
    env = {"GATEPOST_MAX_HEAD": "64KiB"}
    with Cluster(edges=1, brokers=1, args=["--config", config], env=env) as it:
        long = token(algorithm, keys[algorithm][0], claims(x="y" * 13_000))
        assert len(long) > 17 * 1024
        assert handshake(it, **bearer(long))[0] == 401
        assert "the token is too long" in it.log()


def test_no_token_at_all_is_401(tokens, functions):
    assert handshake(tokens) == (401, UNAUTHORIZED)
    assert handshake(tokens, Authorization="Bearer")[0] == 401
    assert handshake(tokens, Authorization="Bearer ")[0] == 401
    assert functions.calls("hello") == []


def test_no_log_line_has_a_token_in_it(tokens, good):
    handshake(tokens, **bearer(changed(good(), 2)))
    it = good()
    with WebSocket(tokens.websocket, **bearer(it)):
        pass
    assert it.split(".")[1] not in tokens.log()


def test_a_connection_ends_with_4401_when_its_token_does(tokens, functions, good):
    """Clocks may differ by a minute: what expired 56 s ago has four seconds left."""
    with WebSocket(tokens.websocket, **bearer(good(exp=int(time.time()) - 56))) as client:
        connection_id = client.row_id(tokens)
        closed = client.next()
        assert isinstance(closed, Close) and closed.code == 4401
        client.send(frame(CLOSE, b"\x11\x31"))
    event = functions.next("bye", connection_id).event
    assert event["requestContext"]["disconnectStatusCode"] == 4401


def test_a_key_in_the_configuration_itself_is_as_good(functions, keys, tmp_path):
    for name, key in (("HS256", SECRET.decode()), ("RS256", keys["RS256"][1].read_text())):
        authorizer = {"type": "jwt", "algorithm": name, "key": key}
        config = project(
            tmp_path, routes(functions, authorizer="who"), authorizers={"who": authorizer}
        )
        with Cluster(edges=1, brokers=1, args=["--config", config]) as it:
            assert handshake(it, **bearer(token(name, keys[name][0], claims())))[0] == 101
            assert handshake(it, **bearer(token(name, None, claims())))[0] == 401
