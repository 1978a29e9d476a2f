"""What the client gets for what its function did: API Gateway's rows, one by one.

The numbers are sections of the specification that the project keeps: 1.3 is the outcome of a
message, 2.1 that of a handshake.
"""

import base64
import re
import socket
import threading
from contextlib import contextmanager

import pytest

from lib.cluster import Cluster, until
from lib.function_server import (
    FunctionServer, Reply, function, http, project, proxy, reset, websocket,
)  # fmt: skip
from lib.wire import BINARY, Close, WebSocket, Wire, frame, upgrade
from lib.wire import http as exchange

ID = r"[A-Za-z0-9_-]{15}="
ALLOWED = ["function.failed", "function.circuit_open", "result.part.dropped"]


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(scope="module", autouse=True)
def cluster(functions, tmp_path_factory):
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        config = project(
            tmp_path_factory.mktemp("outcomes"),
            {
                "hello": function(functions.url("hello"), websocket("$connect")),
                "bye": function(functions.url("bye"), websocket("$disconnect")),
                "ask": function(functions.url("ask"), websocket("ask", two_way=True)),
                "tell": function(functions.url("tell"), websocket("tell")),
                "away": function(gone, websocket("away", two_way=True), http("get", "away")),
                "item": function(
                    functions.url("item"), http("get", "items/{id}"), http("any", "all/{rest+}"),
                ),
                "late": function(
                    functions.url("late"), websocket("late", two_way=True), http("get", "late"),
                    timeout=1,
                ),
                "late-tell": function(functions.url("late"), websocket("late-tell"), timeout=1),
                "mirror": function("builtin:echo", websocket("mirror", two_way=True)),
            },
        )  # fmt: skip
        with Cluster(edges=1, brokers=1, args=["--config", config], expect=ALLOWED) as it:
            yield it


@pytest.fixture(autouse=True)
def fresh(functions, cluster):
    cluster.settle()
    functions.forget()


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        yield it


# 1.3, messages


ASK, TELL, AWAY = '{"action":"ask"}', '{"action":"tell"}', '{"action":"away"}'
MIRROR = '{"action":"mirror"}'


def says_nothing(client, message):
    """The next words are the answer to what came after it."""
    client.say(message)
    return client.ask(MIRROR) == MIRROR


ONE_WAY = {
    "200": proxy(200, "x"), "501": proxy(501, "x"), "no body": proxy(200), "empty": Reply(200),
    "no JSON": Reply(200, "garbage"), "404": Reply(404, "x"), "null": Reply(200, "null"),
    "a result that is none": Reply(200, '{"statusCode":"?"}'),
}  # fmt: skip


@pytest.mark.parametrize("what", ONE_WAY)
def test_1_3_a_one_way_route_that_succeeded_says_nothing(functions, client, what):
    functions.answer("tell", ONE_WAY[what])
    assert says_nothing(client, TELL)
    assert functions.next("tell").event["body"] == TELL


BODIES = ["PONG!", "", '{"a" : 1}', "Grüße 🙂\n\0", "x" * 100_000]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("status", [200, 404, 500])
def test_1_3_a_two_way_route_says_exactly_the_body_whatever_the_status(
    functions, client, status, body
):
    functions.answer("ask", proxy(status, body, headers={"x": "never sent"}))
    assert client.ask(ASK) == body


NO_BODY = {"no body": proxy(200), "null": proxy(200, body=None, x=1), "empty": Reply(200),
           "JSON null": Reply(200, '{"statusCode":200,"body":null}')}  # fmt: skip


@pytest.mark.parametrize("what", NO_BODY)
def test_1_3_a_two_way_route_without_a_body_says_nothing(functions, client, what):
    functions.answer("ask", NO_BODY[what])
    assert says_nothing(client, ASK)


def test_1_3_what_is_no_proxy_result_comes_as_it_is(functions, client):
    functions.answer("ask", Reply(201, "as it is"))
    assert client.ask(ASK) == "as it is"
    functions.answer("ask", Reply(404, b"\xff\xfe"))
    assert client.ask(ASK) == b"\xff\xfe", "no text: a text frame would end the connection"


TEXT, JSON = {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-8"}
REPAIRED = {
    "a text that is not UTF-8": (Reply(200, b"a\xff\xe2\x82z", TEXT), "a\ufffd\ufffdz"),
    "JSON that is not UTF-8": (Reply(200, b'{"a":"\xe9"}', JSON), '{"a":"\ufffd"}'),
    "a proxy result that is not UTF-8": (
        Reply(200, b'{"statusCode":200,"body":"caf\xe9"}', JSON), "caf\ufffd",
    ),
    "half of a surrogate pair": (
        Reply(200, '{"statusCode":200,"body":"a\\ud800z"}', JSON), "a\ufffdz",
    ),
    "a byte order mark": (Reply(200, '\ufeff {"statusCode":200,"body":"x"}\r\n', JSON), "x"),
    "NaN beside the body": (Reply(200, '{"statusCode":200,"n":NaN,"body":"x"}', JSON), "x"),
    "headers that are none": (Reply(200, '{"statusCode":200,"headers":7,"body":"x"}', JSON), "x"),
}  # fmt: skip


@pytest.mark.parametrize("what", REPAIRED)
def test_1_3_a_malformed_part_costs_a_two_way_route_no_more_than_its_characters(
    functions, client, what
):
    answer, want = REPAIRED[what]
    functions.answer("ask", answer)
    assert client.ask(ASK) == want


def test_1_3_what_cannot_be_repaired_is_an_error_frame_and_a_line_that_says_where(
    functions, cluster, client
):
    functions.answer("ask", Reply(200, '{"statusCode":200,"body":{}}', JSON))
    where = 'why="malformed result: its body is not a string, at byte 25"'

    def is_logged():
        assert error_frame("Internal server error").fullmatch(client.ask(ASK))
        return where in cluster.log()

    until(is_logged, "the line is among those that the flood lets through")


def test_1_3_json_of_hundreds_of_levels_has_its_route_and_its_body(functions, client):
    for levels in (62, 63, 64, 100, 510):
        nested = "[" * levels + "]" * levels
        message = f'{{"doc":{nested},"action":"mirror"}}'
        assert client.ask(message) == message
        functions.answer("ask", Reply(200, f'{{"statusCode":200,"doc":{nested},"body":"x"}}'))
        assert client.ask(ASK) == "x"


def error_frame(message):
    return re.compile(
        rf'\{{"message": "{message}", "connectionId":"({ID})", "requestId":"({ID})"\}}'
    )


@pytest.mark.parametrize(
    "message", ['{"action":"nobody"}', "no JSON", "", "{}", '{"action":"$connect"}'],
)  # fmt: skip
def test_1_3_without_route_and_default_the_frame_says_forbidden_byte_for_byte(
    cluster, client, message
):
    match = error_frame("Forbidden").fullmatch(client.ask(message))
    assert match and match[1] == client.row_id(cluster)
    assert match[2] != match[1]
    assert client.ask(MIRROR) == MIRROR, "the connection stays open"


FAILURES = {
    "500": Reply(500, "x"), "503": Reply(503), "garbage": b"garbage\r\n\r\n", "closed": b"",
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "reset": reset,
    "a function error": Reply(200, "{}", {"X-Amz-Function-Error": "Unhandled"}),
    "a body that is no text": Reply(200, '{"statusCode":200,"body":5}'),
    "no base64": proxy(200, "***", isBase64Encoded=True),
    "10 MB": Reply(200, b"x" * 10_000_000),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_1_3_a_function_that_failed_is_an_internal_server_error(functions, client, what):
    functions.answer("ask", FAILURES[what])
    assert error_frame("Internal server error").fullmatch(client.ask(ASK))
    assert len(functions.calls("ask")) == 1, "a message is not asked twice: it may have been done"
    functions.answer("ask", proxy(200, "well again"))
    assert client.ask(ASK) == "well again"


def test_1_3_a_function_that_failed_says_so_on_one_way_routes_too(functions, client):
    functions.answer("tell", Reply(500))
    assert error_frame("Internal server error").fullmatch(client.ask(TELL))
    assert client.ask(MIRROR) == MIRROR, "the connection stays open"


def test_1_3_an_integration_that_is_broken_is_an_internal_server_error(client):
    assert error_frame("Internal server error").fullmatch(client.ask(AWAY))


@pytest.mark.parametrize("action", ["late", "late-tell"])
def test_1_3_a_function_that_is_late_says_endpoint_request_timed_out(functions, client, action):
    with held(functions, "late"):
        answer = client.ask(f'{{"action":"{action}"}}')
        assert error_frame("Endpoint request timed out").fullmatch(answer)
    functions.answer("ask", proxy(200, "in time"))
    assert client.ask(ASK) == "in time", "what was late is not heard any more"


@contextmanager
def held(functions, name):
    """A function that does not answer before the block ends."""
    done = threading.Event()
    functions.answer(name, lambda _: done.wait(60) and Reply(200, "late"))
    try:
        yield
    finally:
        done.set()


def test_1_3_a_function_that_is_throttled_says_too_many_requests(functions, client):
    functions.answer("ask", Reply(429, "slow down"))
    assert error_frame("Too Many Requests").fullmatch(client.ask(ASK))


def test_1_3_a_binary_message_closes_with_1003(functions, cluster, tmp_path):
    config = project(
        tmp_path, {"ask": function(functions.url("ask"), websocket("$default", two_way=True))}
    )
    with Cluster(edges=1, brokers=1, args=["--config", config]) as other:
        with WebSocket(other.websocket) as client:
            client.send(frame(BINARY, b"\0\xff"))
            why = "Binary messages are not accepted: gatepost.binary is off"
            assert client.next() == Close(1003, why)
        assert " message.refused " in other.log()
    assert functions.calls("ask") == []


def test_1_3_with_gatepost_binary_it_reaches_the_function_and_so_do_its_bytes_the_client(
    functions, tmp_path
):
    config = project(
        tmp_path, {"ask": function(functions.url("ask"), websocket("$default", two_way=True))},
        binary=True,
    )  # fmt: skip
    functions.answer("ask", proxy(200, base64.b64encode(b"\xff\0\xfe").decode(), isBase64Encoded=True))
    with Cluster(edges=1, brokers=1, args=["--config", config]) as other:
        with WebSocket(other.websocket) as client:
            assert client.ask(b"\0\xff") == b"\xff\0\xfe"
            event = functions.next("ask").event
            assert event["isBase64Encoded"] is True
            assert base64.b64decode(event["body"]) == b"\0\xff"
            functions.answer("ask", proxy(200, base64.b64encode(b"text").decode(), isBase64Encoded=True))
            assert client.ask("x") == "text"
            assert functions.next("ask").event["isBase64Encoded"] is False


# 2.1, handshakes


def handshake(cluster, target="/dev", **headers):
    response, _ = exchange(cluster.websocket, upgrade(target, **headers))
    return response


def is_let_in(cluster, **headers):
    """The 101's headers."""
    with Wire(cluster.websocket) as wire:
        wire.send(upgrade(**headers))
        response = wire.response()
        assert response.status == 101
        return response.headers


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("form", [proxy, Reply])
def test_2_1_2xx_lets_it_in(functions, cluster, status, form):
    functions.answer("hello", form(status))
    is_let_in(cluster)
    assert functions.next("hello").kind == "CONNECT"


@pytest.mark.parametrize("status", [300, 301, 400, 401, 403, 404, 409, 500, 501, 599])
def test_2_1_any_other_status_is_the_answer_and_no_row_is_left(functions, cluster, status):
    functions.answer("hello", proxy(status, "because"))
    response = handshake(cluster)
    assert (response.status, response.body) == (status, b"because")
    until(lambda: cluster.table() == {}, "there is no row")
    assert functions.calls("bye") == [], "who was not let in does not go"
    assert " connect.refused " in cluster.log()


@pytest.mark.parametrize("status", [302, 400, 403, 404])
def test_2_1_and_so_is_that_of_a_plain_http_answer(functions, cluster, status):
    functions.answer("hello", Reply(status, "because", {"Location": functions.url("bye")}))
    assert handshake(cluster).status == status
    assert functions.calls("bye") == [], "redirects are not followed"


CONNECT_FAILURES = {
    **{what: 502 for what in ("500", "garbage", "closed", "cut short", "reset", "a function error",
                              "a body that is no text", "no base64", "10 MB")},
    "503": 502,
}  # fmt: skip


@pytest.mark.parametrize("what", CONNECT_FAILURES)
def test_2_1_a_function_that_failed_is_502(functions, cluster, what):
    functions.answer("hello", FAILURES[what])
    response = handshake(cluster)
    assert response.status == 502
    assert response.body == b'{"message":"Internal server error"}'
    until(lambda: cluster.table() == {}, "there is no row")
    functions.answer("hello", proxy(200))
    is_let_in(cluster)


@pytest.mark.parametrize("result", ["null", "[]", "5", '"x"', '{"statusCode":99}',
                                    '{"statusCode":true}', '{"statusCode":"2x0"}'])  # fmt: skip
def test_2_1_a_malformed_result_of_a_lambda_function_is_502_but_http_has_its_own_status(
    functions, cluster, result
):
    functions.answer("hello", Reply(200, result))
    if "statusCode" in result:
        assert handshake(cluster).status == 502
    else:
        is_let_in(cluster)


def test_2_1_a_function_that_is_late_is_504(functions, tmp_path):
    late = function(functions.url("late"), websocket("$connect"), timeout=1)
    args = ["--config", project(tmp_path, {"late": late})]
    with Cluster(edges=1, brokers=1, args=args, expect=ALLOWED) as other, held(functions, "late"):
        response = handshake(other)
    assert response.status == 504
    assert response.body == b'{"message":"Endpoint request timed out"}'


def test_2_1_a_function_that_is_throttled_is_429(functions, cluster):
    functions.answer("hello", Reply(429))
    response = handshake(cluster)
    assert (response.status, response.body) == (429, b'{"message":"Too Many Requests"}')


def test_2_1_a_function_that_cannot_be_reached_is_503(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        config = project(tmp_path, {"hello": function(url, websocket("$connect"))})
        with Cluster(edges=1, brokers=1, args=["--config", config], expect=ALLOWED) as other:
            response = handshake(other)
            assert response.status == 503
            assert other.table() == {}


@pytest.mark.parametrize("target", ["/prod", "/", "/dev2", "/de", "/dev/x", "/dev%2F"])
def test_2_1_a_wrong_stage_is_403_and_nobody_is_asked(functions, cluster, target):
    response = handshake(cluster, target)
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert functions.calls("hello") == []


def test_2_1_headers_reach_the_101_but_those_of_the_hop_do_not(functions, cluster):
    functions.answer("hello", proxy(200, headers={
        "X-Own": "1", "Set-Cookie": "a=b", "Connection": "close", "Upgrade": "h2c",
        "Sec-WebSocket-Accept": "x", "Transfer-Encoding": "chunked", "Content-Length": "5",
        "Keep-Alive": "x", "Sec-WebSocket-Extensions": "permessage-deflate",
    }))  # fmt: skip
    headers = is_let_in(cluster)
    assert headers["x-own"] == "1" and headers["set-cookie"] == "a=b"
    assert headers["upgrade"] == "websocket" and headers["connection"] == "Upgrade"
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    for name in ("transfer-encoding", "content-length", "keep-alive", "sec-websocket-extensions"):
        assert name not in headers


def test_2_1_headers_of_a_refusal_reach_the_client(functions, cluster):
    functions.answer("hello", proxy(401, "who?", headers={"WWW-Authenticate": "Bearer"}))
    response = handshake(cluster)
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.body == b"who?"


@pytest.mark.parametrize(
    ("offered", "chosen", "said"),
    [
        ("a, b", "b", "b"), ("a", "a", "a"), ("a, b", None, None), ("a", "c", None),
        (None, "a", None), ("ab", "a", None), ("a,b", "a,b", None), ("a", "", None),
    ],
)  # fmt: skip
def test_2_1_a_subprotocol_is_said_when_the_function_chose_it_and_the_client_offered_it(
    functions, cluster, offered, chosen, said
):
    headers = {} if chosen is None else {"Sec-WebSocket-Protocol": chosen}
    functions.answer("hello", proxy(200, headers=headers))
    changes = {"Sec_WebSocket_Protocol": offered} if offered else {}
    assert is_let_in(cluster, **changes).get("sec-websocket-protocol") == said


def test_2_1_without_a_connect_route_all_connections_are_accepted(tmp_path):
    echo = function("builtin:echo", websocket("$default", two_way=True))
    config = project(tmp_path, {"echo": echo})
    with Cluster(edges=1, brokers=1, args=["--config", config]) as other:
        with WebSocket(other.websocket) as client:
            assert client.ask("hello") == "hello"
            assert len(other.table()) == 1
        until(lambda: other.table() == {}, "its row goes without a $disconnect route, too")


def test_2_1_a_plain_get_of_the_stage_is_426(cluster):
    assert cluster.get(cluster.http + "/dev")[0] == 426


# HTTP events


def ask(cluster, target, method="GET", body=b"", **headers):
    with Wire(cluster.http) as wire:
        length = {"Content-Length": len(body)} if body else {}
        headers = {"Host": "gatepost.test", "Connection": "close", **length, **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        wire.send(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode(), body)
        return wire.response(head_only=method == "HEAD")


def test_an_http_route_has_its_parameters_and_gives_status_headers_and_body(functions, cluster):
    functions.answer("item", proxy(201, "made", headers={"X-Own": "1", "Content-Type": "text/x"}))
    response = ask(cluster, "/dev/items/7%2F8?q=1&q=2")
    assert (response.status, response.body) == (201, b"made")
    assert response.headers["x-own"] == "1" and response.headers["content-type"] == "text/x"
    event = functions.next("item").event
    assert event["httpMethod"] == "GET" and event["resource"] == "/items/{id}"
    assert event["pathParameters"] == {"id": "7/8"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["requestContext"]["stage"] == "dev"


def test_an_http_route_gets_the_body_of_a_request(functions, cluster):
    functions.answer("item", lambda call: proxy(200, call.event["body"]))
    assert ask(cluster, "/dev/all/a/b", "POST", "Grüße".encode()).body == "Grüße".encode()
    event = functions.next("item").event
    assert event["pathParameters"] == {"rest": "a/b"} and event["httpMethod"] == "POST"


HTTP_FAILURES = {
    "throws": (Reply(500), 502), "garbage": (b"x\r\n\r\n", 502), "throttled": (Reply(429), 429),
    "malformed": (Reply(200, '{"statusCode":1}'), 502),
}  # fmt: skip


@pytest.mark.parametrize("what", HTTP_FAILURES)
def test_an_http_route_whose_function_failed(functions, cluster, what):
    answer, status = HTTP_FAILURES[what]
    functions.answer("item", answer)
    assert ask(cluster, "/dev/items/7").status == status
    assert len(functions.calls("item")) == 1


def test_an_http_route_whose_function_is_late_is_504(functions, cluster):
    with held(functions, "late"):
        assert ask(cluster, "/dev/late").status == 504


def test_an_http_route_whose_function_cannot_be_reached_is_503(cluster):
    assert ask(cluster, "/dev/away").status == 503
