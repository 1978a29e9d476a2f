"""Hostile results of functions, over HTTP and of Lambda workers: the client gets one well-formed
answer, and nobody else notices. What API Gateway makes of results that are merely wrong is in
test_outcomes.py.
"""

import http.client
import json
import threading

import pytest

from lib.function_server import FunctionServer, Reply, function, http as route, project, websocket
from lib.process import Process, free_ports
from lib.redis_server import RedisServer
from lib.wire import WebSocket, Wire, request

ASK = '{"action":"%s"}'


class Worker:
    """A client of the Runtime API, which answers each invocation with `result`."""

    ROOT = "/2018-06-01/runtime/invocation/"

    def __init__(self, port):
        self.result = b"{}"
        self._api = http.client.HTTPConnection("127.0.0.1", port)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                _, headers = self._ask("GET", "next")
                target = f"{headers['Lambda-Runtime-Aws-Request-Id']}/response"
                self._ask("POST", target, self.result)
            except (OSError, http.client.HTTPException):
                if not self._api.sock:
                    return

    def _ask(self, method, target, body=None):
        self._api.request(method, self.ROOT + target, body)
        response = self._api.getresponse()
        return response.read(), response.headers

    def stop(self):
        if self._api.sock:
            self._api.sock.shutdown(2)
        self._api.close()


class Place:
    """A broker whose functions answer what a test says, an edge, and somebody else's client."""

    def __init__(self, edge, functions, worker):
        self.edge, self.functions, self.worker = edge, functions, worker
        self.url = f"http://{edge.told('LISTEN')}/dev"
        self.stranger = WebSocket(self.url)

    def answer(self, payload):
        """What the functions return from now on."""
        self.worker.result = payload
        self.functions.answer("http", Reply(200, payload))

    def lost_links(self):
        return self.edge.log().count("link.down")

    def get(self, target):
        """The one answer to a GET; behind it the socket is still at the beginning of an answer."""
        with Wire(self.url) as wire:
            wire.send(request(target=target))
            answer = wire.response()
            assert answer.headers["connection"] == "keep-alive"
            wire.send(request(target="/dev/well"))
            assert wire.response().body == b"PONG!"
        return answer


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    port = free_ports(1)
    with RedisServer(folder) as store, FunctionServer() as functions:
        store.start()
        config = project(folder, {
            "http": function(functions.url("http"), *events("http")),
            "work": function("work.main", *events("work"), runtime="python3"),
            "connect": function(functions.url("connect"), websocket("$connect")),
            "echo": function("builtin:echo", websocket("echo", two_way=True)),
            "well": function("builtin:ping", route("get", "well")),
        })  # fmt: skip
        endpoint = f"ipc://{folder}/broker"
        broker = Process(
            "gatepost-broker", "--config", config, "--redis", store.url, "--bind", endpoint,
            "--management", "127.0.0.1:0", "--runtime-address", f"127.0.0.1:{port}",
            expect=["function.*"],
        )  # fmt: skip
        edge = Process("gatepost-edge", "--listen", "127.0.0.1:0", "--brokers", endpoint,
                       "--drain-delay", "0")  # fmt: skip
        with broker:
            broker.told("ENDPOINT")
            worker = Worker(port)
            with edge:
                it = Place(edge, functions, worker)
                yield it
                it.stranger.socket.close()
            worker.stop()


def events(name):
    return [
        route("get", f"1/{name}"), {"httpApi": f"GET /2/{name}"}, websocket(name, two_way=True),
    ]  # fmt: skip


@pytest.fixture(params=["http", "work"])
def by(request):
    """The function that answers: over HTTP, or a worker's."""
    return request.param


@pytest.fixture(autouse=True)
def unharmed(place):
    """Afterwards the link is the same, and all are served: by the same functions, and others."""
    lost = place.lost_links()
    yield
    place.answer(result(body="well"))
    for name in ("http", "work"):
        assert place.get(f"/dev/1/{name}").body == b"well"
    assert place.stranger.ask(ASK % "echo") == ASK % "echo"
    assert place.lost_links() == lost


def result(status=200, body="x", **more):
    return json.dumps({"statusCode": status, "body": body, **more}).encode()


# Headers


MANY = 20_000


FORMS = {
    "headers": {"headers": {f"x-{i}": "" for i in range(MANY)}},
    "values of one header": {"multiValueHeaders": {"x": [""] * MANY}},
    "lists of values": {"multiValueHeaders": {f"x-{i}": [""] for i in range(MANY)}},
    "150 headers of each kind": {
        "headers": {f"x-{i}": "" for i in range(150)}, "multiValueHeaders": {"y": [""] * 150},
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_too_many_headers_are_502_and_do_not_end_the_link(place, by, form):
    place.answer(result(**FORMS[form]))
    assert place.get(f"/dev/1/{by}").status == 502


HEADERS = {
    "CRLF in a value": {"x-a": "1\r\nx-injected: 1"},
    "LF in a value": {"x-a": "1\nx-injected: 1"},
    "CR in a value": {"x-a": "1\rx-injected: 1"},
    "a second answer in a value": {"x-a": "1\r\n\r\nHTTP/1.1 200 OK\r\nx-injected: 1\r\n\r\n"},
    "CRLF in a name": {"x-a\r\nx-injected": "1"},
    "a header in a name": {"x-a: 1\r\nx-injected": "1"},
    "NUL in a value": {"x-a": "\0"},
    "NUL in a name": {"x\0a": "1"},
    "an empty name": {"": "1"},
    "a blank in a name": {"x a": "1"},
    "control characters": {"x-a": "\x7f\x01"},
    "half a surrogate pair": {"x-a": "\ud800"},
    "half a surrogate pair in a name": {"x-\ud800": "a"},
    "letters that are not ASCII": {"x-é": "é"},
    "a value of 5 MB": {"x-a": "y" * 5_000_000},
    "a name of 100 KB": {"x" * 100_000: "y"},
    "an object": {"x-a": {"x-injected": "1"}},
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_header_cannot_end_itself_or_the_head(place, by, what):
    place.answer(result(headers=HEADERS[what]))
    for version in (1, 2):
        answer = place.get(f"/dev/{version}/{by}")
        assert "x-injected" not in answer.headers
        assert answer.status == 502 or (answer.status, answer.body) == (200, b"x")


@pytest.mark.parametrize("header", [
    {"Content-Length": "0"}, {"content-length": "1000"}, {"Transfer-Encoding": "chunked"},
    {"Connection": "close"}, {"Connection": "upgrade", "Upgrade": "websocket"}, {"Trailer": "x"},
    {"Keep-Alive": "timeout=1000"}, {"Content-Length": ["1", "2"]},
], ids=repr)  # fmt: skip
def test_headers_about_the_length_and_the_hop_have_no_say(place, by, header):
    place.answer(result(headers=header))
    answer = place.get(f"/dev/1/{by}")
    assert (answer.status, answer.body) in [(200, b"x"), (502, answer.body)]
    assert "transfer-encoding" not in answer.headers and "upgrade" not in answer.headers


# The status


@pytest.mark.parametrize("status", [
    -200, 0, 1, 20, 99, 100, 101, 199, 600, 999, 1000, 2**31, 2**32 + 200, 2**64, 10**400, 200.5,
    "", "0", "101", "1000", " 200", "200 ", "0200", "2e2", "200\0", "200\r\n", True, [200], {},
], ids=repr)  # fmt: skip
def test_a_status_that_is_none_is_502(place, by, status):
    place.answer(result(status))
    for version in (1, 2):
        assert place.get(f"/dev/{version}/{by}").status == 502


def test_a_status_in_quotes_is_a_status(place, by):
    place.answer(result("201"))
    assert place.get(f"/dev/1/{by}").status == 201


# JSON that is none, or hardly


JSON = {
    "nothing": b"",
    "NUL": b"\0",
    "NaN": b'{"statusCode":NaN,"body":"x"}',
    "Infinity": b'{"statusCode":-Infinity,"body":"x"}',
    "a number without an end": b'{"statusCode":' + b"2" * 1_000_000 + b',"body":"x"}',
    "an exponent without an end": b'{"statusCode":2e' + b"9" * 100_000 + b',"body":"x"}',
    "a million arrays": b'{"statusCode":200,"body":"x","a":' + b"[" * 1_000_000,
    "a million arrays that end": b'{"statusCode":200,"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}",
    "a million objects": b'{"statusCode":200,"headers":' + b'{"a":' * 500_000,
    "a hundred thousand keys": (
        b'{"statusCode":200,"body":"x"' + b',"a":1' * 100_000 + b"}"
    ),
    "a string without an end": b'{"statusCode":200,"body":"' + b"x" * 1_000_000,
    "half a surrogate pair in the body": b'{"statusCode":200,"body":"\\ud800"}',
    "the other half in the body": b'{"statusCode":200,"body":"\\udc00x"}',
    "half a pair in a name": b'{"statusCode":200,"body":"x","\\ud800":1}',
    "half a pair in a cookie": b'{"statusCode":200,"body":"x","cookies":["\\ud800"]}',
    "bytes that are no UTF-8": b'{"statusCode":200,"body":"\xff\xfe"}',
    "a surrogate in UTF-8": b'{"statusCode":200,"body":"\xed\xa0\x80"}',
    "an overlong zero": b'{"statusCode":200,"body":"\xc0\x80"}',
    "a character that is cut off": b'{"statusCode":200,"body":"\xe2\x82"}',
    "a raw control character": b'{"statusCode":200,"body":"\x01\n"}',
    "an escape that is none": b'{"statusCode":200,"body":"\\x"}',
    "UTF-16": '{"statusCode":200,"body":"x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + b'{"statusCode":200,"body":"x"}',
    "more behind it": b'{"statusCode":200,"body":"x"}{"statusCode":200}',
    "two statuses": b'{"statusCode":200,"statusCode":101,"body":"x"}',
    "base64 that is none": b'{"statusCode":200,"isBase64Encoded":true,"body":"====\\u0000"}',
}  # fmt: skip


@pytest.mark.parametrize("what", JSON)
def test_json_that_is_none_is_one_answer_of_the_function_or_502(place, by, what):
    place.answer(JSON[what])
    for version in (1, 2):
        answer = place.get(f"/dev/{version}/{by}")
        assert answer.status in (200, 502)


@pytest.mark.parametrize("what", JSON)
def test_json_that_is_none_is_at_most_one_frame_of_valid_text(place, by, what):
    place.answer(JSON[what])
    with WebSocket(place.url) as client:
        client.say(ASK % by)
        client.say(ASK % "echo")
        frames = [client.next()]
        if frames != [ASK % "echo"]:
            frames.append(client.next())
        assert frames[-1] == ASK % "echo", frames


def test_a_result_of_7_mib_is_502_and_no_frame_of_it_comes(place, by):
    place.answer(result(body="x" * (7 << 20)))
    assert place.get(f"/dev/1/{by}").status == 502
    with WebSocket(place.url) as client:
        assert "Internal server error" in client.ask(ASK % by)


# What a function says in HTTP itself


def raw(status="200 OK", *headers, body=b"x"):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


HTTP = {
    **{f"status {status}": raw(status) for status in (
        "0 x", "99 x", "100 x", "101 Switching Protocols", "102 x", "199 x", "600 x", "999 x",
        "1000 x", "-200 x", "2147483648 x", "x",
    )},
    "101 with an upgrade": raw("101 x", "Connection: upgrade", "Upgrade: websocket"),
    "a thousand times 102, and no more": b"HTTP/1.1 102 x\r\n\r\n" * 1000,
    "100,000 headers": raw("200 OK", *(f"x{i}: y" for i in range(100_000))),
    "a header of 1 MB": raw("200 OK", "x: " + "y" * 1_000_000),
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000,
    "a chunk of 2^64": raw("200 OK", "Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\nx"),
    "a body of 7 MiB": raw(body=b"x" * (7 << 20)),
    "HTTP/0.9": b"well",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NUL": b"\0" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("what", HTTP)
def test_http_that_is_wrong_is_502(place, what):
    place.functions.answer("http", HTTP[what])
    for version in (1, 2):
        assert place.get(f"/dev/{version}/http").status == 502


@pytest.mark.parametrize("what", [
    "status 101 Switching Protocols", "101 with an upgrade", "status 1000 x", "100,000 headers",
])  # fmt: skip
def test_http_that_is_wrong_opens_no_websocket(place, what):
    place.functions.answer("connect", HTTP[what])
    with pytest.raises(ConnectionRefusedError, match="status=502"):
        WebSocket(place.url)
    place.functions.answer("connect", Reply(200))
    WebSocket(place.url).socket.close()


@pytest.mark.parametrize("header", [
    "x-a: 1\0x-injected: 1", "x-a: 1\rx-injected: 1", "x-a: 1\r\n x-injected: 1", "x-a : 1",
    ": 1", "x-a", "Content-Encoding: gzip", "Content-Length: 100",
], ids=repr)  # fmt: skip
def test_http_headers_that_are_wrong_inject_nothing(place, header):
    place.functions.answer("http", raw("200 OK", header, body=b"well"))
    for version in (1, 2):
        answer = place.get(f"/dev/{version}/http")
        assert answer.status == 502 or (answer.status, answer.body) == (200, b"well")
        assert "x-injected" not in answer.headers


# What an edge may refuse to read: last, since a broker that gives it again harms all that follow


@pytest.mark.parametrize("n", [201, 200_000])
def test_too_many_cookies_are_502_and_do_not_end_the_link(place, by, n):
    """Of 100,000 the edge could not read the answer, and the broker gave it for ever."""
    place.answer(result(cookies=[""] * n))
    assert place.get(f"/dev/2/{by}").status == 502
