"""What the management API has beyond AWS's: one message to many, the table by pages, closing with a
code, pushes before the 101, and bearer tokens."""

import base64
import contextlib
from http import server as http_server
import json
import os
import re
import signal
import threading
import urllib.parse

import pytest

from lib.cluster import Cluster, until
from lib.process import ended
from lib.wire import Close, WebSocket, Wire, http, request, upgrade

NEVER = "AAAAAAAAAAAAAAA="


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=2, brokers=2, env={"GATEPOST_OUTBOX": "4KiB"}) as it:
        yield it


@contextlib.contextmanager
def clients_of(cluster, n):
    with contextlib.ExitStack() as stack:
        all_ = [stack.enter_context(WebSocket(cluster.websocket)) for _ in range(n)]
        table = until(lambda: ids_of(cluster, all_), "all have their rows")
        for client in all_:
            client.id = table[client.agent]
        yield all_


def ids_of(cluster, clients):
    table = {row.get("userAgent"): i for i, row in cluster.table().items()}
    return table if all(client.agent in table for client in clients) else None


def ask(cluster, method, target, body=b"", **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return http(cluster.management, request(method, target, headers={**length, **names}, body=body))[0]


def results(response):
    assert response.status == 200, response
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.body)["results"]


# One message to many


@pytest.mark.parametrize("target", ["/@connections", "/%40connections", "/dev/@connections"])
def test_one_message_reaches_all_that_are_named_on_both_edges(cluster, target):
    with clients_of(cluster, 12) as clients:
        assert len({client.id[:3] for client in clients}) == 2, "they are on both edges"
        order = {"connectionIds": [client.id for client in clients], "data": "Grüße \"🙂\"\n"}
        answer = results(ask(cluster, "POST", target, order))
        assert answer == {"sent": 12, "gone": [], "full": [], "failed": []}
        assert [client.next() for client in clients] == ['Grüße "🙂"\n'] * 12
        for client in clients:
            assert client.ask('{"action":"ping"}') == "PONG!", "once, and no more"


def test_the_answer_names_who_is_gone_and_who_does_not_read(cluster):
    with clients_of(cluster, 2) as (well, left), WebSocket(cluster.websocket, 4096) as deaf:
        deaf.id = deaf.row_id(cluster)
        left.socket.close()
        until(lambda: left.id not in cluster.table(), "its row has gone")
        until(
            lambda: ask(cluster, "POST", f"/@connections/{deaf.id}", b"x" * 131072).status == 429,
            "its outbox is full",
        )
        order = {"connectionIds": [deaf.id, NEVER, left.id, well.id], "data": "x"}
        answer = results(ask(cluster, "POST", "/@connections", order))
        assert answer["sent"] == 1 and answer["full"] == [deaf.id] and answer["failed"] == []
        assert sorted(answer["gone"]) == sorted([NEVER, left.id])
        assert well.next() == "x"


def test_ten_thousand_ids_are_one_call(cluster):
    with clients_of(cluster, 2) as (a, b):
        never = [
            base64.urlsafe_b64encode(base64.urlsafe_b64decode(a.id)[:6] + i.to_bytes(5)).decode()
            for i in range(9998)
        ]
        order = {"connectionIds": [a.id, *never, b.id], "data": "x"}
        answer = results(ask(cluster, "POST", "/@connections", order))
        assert answer["sent"] == 2 and sorted(answer["gone"]) == sorted(never)
        assert a.next() == b.next() == "x"
        order["connectionIds"].append(NEVER)
        response = ask(cluster, "POST", "/@connections", order)
        assert response.status == 413
        assert response.headers["x-amzn-errortype"] == "PayloadTooLargeException"


EVERY_BYTE = bytes(range(256))
DATA = {
    "text in base64": ({"data64": base64.b64encode(b"text").decode()}, {}, "text"),
    "bytes": ({"data64": base64.b64encode(EVERY_BYTE).decode()}, {}, EVERY_BYTE),
    "binary": ({"data": "x", "binary": True}, {}, b"x"),
    "not binary": ({"data": "x", "binary": False}, {}, "x"),
    "the header": ({"data": "x"}, {"X_Gatepost_Binary": "true"}, b"x"),
    "nothing": ({"data": ""}, {}, ""),
    "no bytes": ({"data64": ""}, {}, ""),
    "NUL": ({"data": "\0"}, {}, "\0"),
}


@pytest.mark.parametrize("what", DATA)
def test_data_may_be_text_or_bytes(cluster, what):
    order, headers, want = DATA[what]
    with clients_of(cluster, 1) as (client,):
        order = {"connectionIds": [client.id], **order}
        assert results(ask(cluster, "POST", "/@connections", order, **headers))["sent"] == 1
        assert client.next() == want


WRONG = {
    "no body": b"", "no JSON": b"{", "no object": b"[]", "no ids": {"data": "x"},
    "no data": {"connectionIds": []}, "data twice": {"connectionIds": [], "data": "", "data64": ""},
    "ids that are no list": {"connectionIds": NEVER, "data": "x"},
    "an id that is none": {"connectionIds": [NEVER, "x"], "data": "x"},
    "an id that is a number": {"connectionIds": [1], "data": "x"},
    "data that is no text": {"connectionIds": [], "data": 1},
    "data64 that is none": {"connectionIds": [], "data64": "?"},
    "half of a surrogate pair": b'{"connectionIds":[],"data":"\\ud800"}',
    "binary in words": {"connectionIds": [], "data": "x", "binary": "true"},
    "another member": {"connectionIds": [], "data": "x", "dat": "x"},
}  # fmt: skip


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_order_is_400_and_nothing_is_sent(cluster, why):
    response = ask(cluster, "POST", "/@connections", WRONG[why])
    assert response.status == 400
    assert response.headers["x-amzn-errortype"] == "BadRequestException"
    assert list(json.loads(response.body)) == ["message"]


def test_the_limit_of_a_message_holds_for_its_bytes_not_for_their_form(cluster):
    with clients_of(cluster, 1) as (client,):
        for n, status in ((131072, 200), (131073, 413)):
            data64 = base64.b64encode(b"x" * n).decode()
            order = {"connectionIds": [client.id], "data64": data64}
            assert ask(cluster, "POST", "/@connections", order).status == status
        assert client.next() == "x" * 131072


def test_an_asker_that_hangs_up_harms_nobody(cluster):
    with clients_of(cluster, 1) as (client,):
        order = json.dumps({"connectionIds": [client.id, NEVER], "data": "x"}).encode()
        for method, body in (("POST", order), ("GET", b"")) * 20:
            wire = Wire(cluster.management)
            length = {"Content-Length": str(len(body))}
            wire.send(request(method, "/@connections", headers=length, body=body))
            wire.reset()
        ask(cluster, "POST", f"/@connections/{client.id}", b"last")
        while client.next() != "last":
            pass


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_for_all_connections_is_405(cluster, method):
    response = ask(cluster, method, "/@connections")
    assert response.status == 405 and response.headers["allow"] == "GET, POST"


# The table, page by page


def pages(cluster, limit):
    cursor = ""
    while cursor is not None:
        target = f"/@connections?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = json.loads(ask(cluster, "GET", target).body)
        cursor = urllib.parse.quote(page["cursor"]) if "cursor" in page else None
        yield page


@pytest.mark.parametrize("limit", [1, 7, 20, 1000])
def test_the_pages_are_the_table_each_connection_once(cluster, limit):
    with clients_of(cluster, 20) as clients:
        until(lambda: len(cluster.table()) == 20, "all others have gone")
        got = [page["connections"] for page in pages(cluster, limit)]
        assert all(len(page) <= limit for page in got)
        ids = [row["connectionId"] for page in got for row in page]
        assert sorted(ids) == sorted(client.id for client in clients)
        assert [page["count"] for page in pages(cluster, limit)] == [20] * len(got)


def test_a_row_tells_who_it_is(cluster):
    with clients_of(cluster, 1) as (client,):
        body = json.loads(ask(cluster, "GET", "/dev/@connections").body)
        row = next(r for r in body["connections"] if r["connectionId"] == client.id)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row.pop("connectedAt"))
        assert row == {
            "connectionId": client.id,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": client.agent},
            "domainName": "localhost",
            "stage": "dev",
        }


def test_a_limit_of_0_counts(cluster):
    with clients_of(cluster, 3):
        until(lambda: len(cluster.table()) == 3, "all others have gone")
        body = json.loads(ask(cluster, "GET", "/@connections?limit=0").body)
        assert body == {"count": 3, "connections": []}


def test_more_rows_than_one_scan_of_redis_gives_are_all_listed(cluster):
    """Rows of an edge that is not there, in Redis alone."""
    rows = {
        base64.urlsafe_b64encode((7).to_bytes(2) + i.to_bytes(9)).decode(): '{"connectedAt":1}'
        for i in range(3000)
    }
    key = "gatepost:{e7}:connections"
    with cluster.redis() as db:
        db.hset(key, mapping=rows)
        db.sadd("gatepost:{m}:edges", 7)
        try:
            ids = [row["connectionId"] for page in pages(cluster, 700) for row in page["connections"]]
            seven = [i for i in ids if i in rows]
            assert sorted(seven) == sorted(rows) and len(ids) == len(set(ids))
        finally:
            db.delete(key)
            db.srem("gatepost:{m}:edges", 7)


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=10001", "limit=", "cursor=x"])
def test_a_page_that_cannot_be_is_400(cluster, query):
    assert ask(cluster, "GET", f"/@connections?{query}").status == 400


# Close with a code and a reason


CLOSES = {
    "code=4001": Close(4001, ""),
    "code=4001&reason=token%20expired": Close(4001, "token expired"),
    "reason=bye": Close(1000, "bye"),
    "code=1012&reason=%C3%BC": Close(1012, "ü"),
    f"code=4999&reason={'x' * 123}": Close(4999, "x" * 123),
}


@pytest.mark.parametrize("query", CLOSES)
def test_a_delete_may_say_with_what_to_close(cluster, query):
    with clients_of(cluster, 1) as (client,):
        assert ask(cluster, "DELETE", f"/@connections/{client.id}?{query}").status == 204
        assert client.next() == CLOSES[query]


@pytest.mark.parametrize(
    "query",
    ["code=999", "code=1004", "code=1005", "code=1006", "code=1015", "code=2000", "code=5000",
     "code=", "code=x", "code=4001x", "code=-1", "code=70536", f"reason={'x' * 124}",
     "code=4001&reason=%FF", "code"],
)  # fmt: skip
def test_a_code_or_reason_that_no_close_frame_can_carry_is_400(cluster, query):
    with clients_of(cluster, 1) as (client,):
        assert ask(cluster, "DELETE", f"/@connections/{client.id}?{query}").status == 400
        assert client.ask('{"action":"ping"}') == "PONG!"


# Binary on demand


@pytest.mark.parametrize("said, want", [("true", b"x"), ("TRUE", b"x"), ("false", "x"), ("", "x")])
def test_a_header_asks_for_a_binary_frame(cluster, said, want):
    with clients_of(cluster, 1) as (client,):
        target = f"/@connections/{client.id}"
        assert ask(cluster, "POST", target, b"x", X_Gatepost_Binary=said).status == 200
        assert client.next() == want


# Pushes that come while $connect runs


class Function(http_server.BaseHTTPRequestHandler):
    """A $connect function that pushes before it has let the client in."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"statusCode": 200}
        if event["requestContext"]["eventType"] == "CONNECT":
            answer = self.server.on_connect(event["requestContext"]["connectionId"])
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def function():
    with http_server.ThreadingHTTPServer(("127.0.0.1", 0), Function) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def config_of(function, folder):
    path = folder / "gatepost.yml"
    path.write_text(
        f"""
service: early
provider: {{ stage: dev }}
functions:
  door:
    handler: http://127.0.0.1:{function.server_address[1]}/
    events:
      - websocket: $connect
"""
    )
    return {"GATEPOST_CONFIG": str(path)}


@pytest.fixture(scope="module")
def early(function, tmp_path_factory):
    with Cluster(edges=1, brokers=2, env=config_of(function, tmp_path_factory.mktemp("a"))) as it:
        yield it


def push(cluster, statuses, bodies):
    """What a function does that pushes these; their statuses are noted."""

    def on_connect(connection_id):
        for body in bodies:
            statuses.append(ask(cluster, "POST", f"/@connections/{connection_id}", body).status)
        return {"statusCode": 200}

    return on_connect


def test_pushes_made_during_connect_arrive_after_the_101_in_their_order(early, function):
    statuses = []
    function.on_connect = push(early, statuses, [b"one", b"two", b"\xff"])
    with WebSocket(early.websocket) as client:
        assert statuses == [200, 200, 200]
        assert [client.next() for _ in range(3)] == ["one", "two", b"\xff"]


def test_more_than_64_pushes_or_256_kib_before_the_101_are_429(early, function):
    for bodies, fit in (([b"x"] * 70, 64), ([b"x" * 131072] * 4, 2)):
        statuses = []
        function.on_connect = push(early, statuses, bodies)
        with WebSocket(early.websocket) as client:
            assert statuses == [200] * fit + [429] * (len(bodies) - fit)
            assert [client.next() for _ in range(fit)] == [b.decode() for b in bodies[:fit]]


def test_pushes_for_one_that_is_refused_are_forgotten(early, function):
    statuses = []

    def on_connect(connection_id):
        push(early, statuses, [b"secret"])(connection_id)
        return {"statusCode": 401}

    function.on_connect = on_connect
    with Wire(early.http) as wire:
        wire.send(upgrade())
        assert wire.response().status == 401
        assert wire.is_closed()
    assert statuses == [200]


def test_a_bulk_call_reaches_one_that_is_connecting(early, function):
    answers = []

    def on_connect(connection_id):
        order = {"connectionIds": [connection_id], "data": "x"}
        answers.append(results(ask(early, "POST", "/@connections", order)))
        return {"statusCode": 200}

    function.on_connect = on_connect
    with WebSocket(early.websocket) as client:
        assert answers[0]["sent"] == 1
        assert client.next() == "x"


def test_with_the_profile_of_aws_a_push_during_connect_is_410(function, tmp_path):
    env = {**config_of(function, tmp_path), "GATEPOST_PROFILE": "aws"}
    with Cluster(edges=1, brokers=1, env=env) as aws:
        statuses = []
        function.on_connect = push(aws, statuses, [b"x"])
        with WebSocket(aws.websocket):
            assert statuses == [410]


# Tokens, and a file that changes


def write_tokens(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o600)
    os.replace(new, path)


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "credentials"
    write_tokens(path, "[people]\ntoken = one-token\n")
    env = {"GATEPOST_MANAGEMENT_AUTH": "bearer", "GATEPOST_CREDENTIALS": str(path)}
    with Cluster(edges=1, brokers=1, env=env, expect=["management.denied"]) as it:
        it.path = path
        yield it


def with_token(cluster, token):
    return ask(cluster, "GET", "/@connections", Authorization=f"Bearer {token}")


@pytest.mark.parametrize("said", [None, "", "one-token", "Bearer", "Bearer x", "Basic one-token"])
def test_without_the_right_token_it_is_401(tokens, said):
    headers = {} if said is None else {"Authorization": said}
    response = ask(tokens, "GET", "/@connections", **headers)
    assert response.status == 401
    assert response.headers["x-amzn-errortype"] == "UnauthorizedException"
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_tokens_change_with_the_file_and_a_bad_file_changes_nothing(tokens):
    assert with_token(tokens, "one-token").status == 200
    write_tokens(tokens.path, "[people]\ntoken = two-token\n")
    until(lambda: with_token(tokens, "two-token").status == 200, "the new token is known")
    assert with_token(tokens, "one-token").status == 401
    tokens.expect("credentials.rejected")
    write_tokens(tokens.path, "[people]\npassword = three-token\n")
    os.kill(tokens.process("broker-0")["pid"], signal.SIGHUP)
    until(lambda: "credentials.rejected" in tokens.log(), "the bad file is refused")
    assert with_token(tokens, "two-token").status == 200
    assert "-token" not in tokens.log()


ALL_FLAGS = ["--redis", "unix:/nowhere", "--management", "127.0.0.1:0"]


@pytest.mark.parametrize(
    "text, mode, told",
    [("[a]\ntoken = x\n", 0o644, "chmod 600"), ("[a]\n", 0o600, "line 1"), (None, 0, "No such file")],
)  # fmt: skip
def test_a_credentials_file_that_cannot_be_trusted_stops_the_start(tmp_path, text, mode, told):
    path = tmp_path / "credentials"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    flags = ["--bind", f"ipc://{tmp_path}/a", *ALL_FLAGS, "--management-auth", "both"]
    status, said = ended("gatepost-broker", *flags, "--credentials", path)
    assert status == 2 and told in said and "credentials.failed" in said


def test_authentication_without_a_credentials_file_stops_the_start(tmp_path):
    flags = ["--bind", f"ipc://{tmp_path}/a", *ALL_FLAGS, "--management-auth", "keys"]
    status, said = ended("gatepost-broker", *flags)
    assert status == 2 and "--credentials" in said


def test_with_authentication_any_address_may_be_listened_at(tmp_path):
    path = tmp_path / "credentials"
    write_tokens(path, "[a]\ntoken = x\n")
    env = {"GATEPOST_MANAGEMENT_AUTH": "both", "GATEPOST_CREDENTIALS": str(path)}
    args = ["--management", "0.0.0.0:0"]
    with Cluster(edges=1, brokers=1, env=env, args=args, expect=["management.denied"]) as it:
        assert ask(it, "GET", "/@connections").status == 403
        assert with_token(it, "x").status == 200
