"""HTTP requests about whose end two servers could disagree, at both listeners: those of the edge
and of the management API (RFC 9112). Behind each of them comes a second request in the same
write, which whoever disagrees would take for a part of the first, or the other way round.

A refusal is the last thing that a socket says. test_http.py has what else an edge refuses.
"""

import re
import socket

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, http, project, websocket
from lib.process import Process, free_ports
from lib.wire import WebSocket, Wire, request
from lib.wire import http as exchange

TIMEOUTS = {
    "GATEPOST_HANDSHAKE_TIMEOUT": "3s", "GATEPOST_KEEP_ALIVE": "3s",
    "GATEPOST_MANAGEMENT_TIMEOUT": "3s",
}  # fmt: skip


class Edge:
    """POST /dev/take, answered by a function that keeps the bodies."""

    def __init__(self, cluster, functions):
        self.url, self.target = cluster.http, "/dev/take"
        self._functions = functions

    def bodies(self):
        """Of the requests that were taken since it was asked last."""
        bodies = [call.event.get("body") or "" for call in self._functions.calls("take")]
        self._functions.forget()
        return bodies


class Management:
    """POST /@connections/ID, whose bodies a client of that id gets."""

    def __init__(self, cluster, client):
        self.url, self.target = cluster.management, f"/@connections/{client.row_id(cluster)}"
        self._client = client

    def bodies(self):
        with Wire(self.url) as wire:
            wire.send(post(self, length(11), body="no more now"))
            assert wire.response().status == 200, "the next caller is served"
        return list(iter(self._client.next, "no more now"))


@pytest.fixture(scope="module")
def listeners(tmp_path_factory):
    with FunctionServer() as functions:
        routes = {
            "take": function(functions.url("take"), http("post", "take")),
            "hear": function("builtin:ping", websocket("hear")),
        }
        config = project(tmp_path_factory.mktemp("http"), routes)
        with Cluster(edges=1, brokers=1, args=["--config", config], env=TIMEOUTS,
                     expect=["management.denied"]) as cluster:
            with WebSocket(cluster.websocket) as client:
                yield {"edge": Edge(cluster, functions), "management": Management(cluster, client)}


@pytest.fixture(params=["edge", "management"])
def listener(request, listeners):
    it = listeners[request.param]
    it.bodies()
    return it


def head(*lines):
    return "\r\n".join([*lines, "", ""])


def post(listener, *headers, host="Host: 127.0.0.1", start="POST {} HTTP/1.1", body=""):
    """The bytes of a request in Latin-1, with exactly these headers."""
    lines = [start.format(listener.target), *([host] if host else []), *headers]
    return (head(*lines) + body).encode("latin-1")


def length(n):
    return f"Content-Length: {n}"


CHUNKED = "Transfer-Encoding: chunked"
AB = "2\r\nab\r\n0\r\n\r\n"  # in one chunk


def second(listener):
    return post(listener, length(8), "Connection: close", body="SMUGGLED")


def said(listener, *parts):
    """(statuses, bodies taken) of all that was answered until the listener closed the socket."""
    with Wire(listener.url) as wire:
        wire.send(*parts)
        statuses = [response.status for response in wire.responses()]
    return statuses, listener.bodies()


# Refused: what a request says of its own length is wrong, doubtful, or more than there can be.

REFUSED = {
    "two Content-Lengths that differ": ([length(2), length(200)], "ab"),
    "two Content-Lengths that differ, the long one first": ([length(200), length(2)], "ab"),
    "a list of Content-Lengths that differ": (["Content-Length: 2, 200"], "ab"),
    "a Content-Length with a sign": (["Content-Length: +2"], "ab"),
    "a negative Content-Length": (["Content-Length: -2"], "ab"),
    "an empty Content-Length": (["Content-Length:"], "ab"),
    "a Content-Length in hexadecimal": (["Content-Length: 0x2"], "ab"),
    "a Content-Length with an exponent": (["Content-Length: 2e0"], "ab"),
    "a Content-Length with a blank in it": (["Content-Length: 2 0"], "ab"),
    "a Content-Length with a NUL in it": (["Content-Length: 2\x000"], "ab"),
    "a Content-Length over 2^63": ([length(10**19)], "ab"),
    "a Content-Length over 2^64 that comes to 2": ([length(2**64 + 2)], "ab"),
    "Content-Length and Transfer-Encoding": ([length(4), CHUNKED], AB),
    "Transfer-Encoding and Content-Length": ([CHUNKED, length(4)], AB),
    "Transfer-Encoding twice": ([CHUNKED, CHUNKED], AB),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], AB),
    "gzip and chunked": (["Transfer-Encoding: gzip, chunked"], AB),
    "chunked and gzip": (["Transfer-Encoding: chunked, gzip"], AB),
    "chunked and identity in two headers": ([CHUNKED, "Transfer-Encoding: identity"], AB),
    "a transfer coding that is unknown": (["Transfer-Encoding: xchunked"], AB),
    "a transfer coding with a control character": (["Transfer-Encoding: \x0bchunked"], AB),
    "an empty Transfer-Encoding": (["Transfer-Encoding:"], AB),
    "a blank before the colon of Content-Length": (["Content-Length : 2"], "ab"),
    "a blank before the colon of Transfer-Encoding": (["Transfer-Encoding : chunked"], AB),
    "a tab before the colon": ([length(2), "X\t: a"], "ab"),
    "a first header that begins with a blank": ([" X: a", length(2)], "ab"),
    "a header without a colon": ([length(2), "nonsense"], "ab"),
    "a header without a name": ([length(2), ": a"], "ab"),
    "a bare CR in a header": ([length(2), "X: a\rContent-Length: 200"], "ab"),
    "a bare CR before a header": (["\r" + length(2)], "ab"),
    "NUL in a header's name": ([length(2), "X\0: a"], "ab"),
    "a chunk of more than 2^64 bytes": ([CHUNKED], "10000000000000002\r\nab\r\n0\r\n\r\n"),
    "a chunk of a negative size": ([CHUNKED], "-2\r\nab\r\n0\r\n\r\n"),
    "a chunk with a sign": ([CHUNKED], "+2\r\nab\r\n0\r\n\r\n"),
    "a chunk of a size with 0x": ([CHUNKED], "0x2\r\nab\r\n0\r\n\r\n"),
    "a chunk with a blank before its size": ([CHUNKED], " 2\r\nab\r\n0\r\n\r\n"),
    "a chunk without a size": ([CHUNKED], "\r\nab\r\n0\r\n\r\n"),
    "a chunk of a size in words": ([CHUNKED], "two\r\nab\r\n0\r\n\r\n"),
    "a chunk that is longer than its size": ([CHUNKED], "2\r\nabc\r\n0\r\n\r\n"),
    "chunks whose lines end with LF": ([CHUNKED], "2\nab\n0\n\n"),
    "a chunk whose extension holds a LF": ([CHUNKED], "2;\nxx\r\nab\r\n0\r\n\r\n"),
    "a chunk extension without an end": ([CHUNKED], "2;" + "x" * 70_000),
    "trailers without an end": ([CHUNKED], "2\r\nab\r\n0\r\n" + "X: y\r\n" * 20_000),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_of_ambiguous_length_is_refused_and_nothing_behind_it_is_read(listener, what):
    headers, body = REFUSED[what]
    is_refused(listener, post(listener, *headers, body=body))


def is_refused(listener, bytes_):
    statuses, bodies = said(listener, bytes_, second(listener))
    assert len(statuses) == 1 and 400 <= statuses[0] < 600, statuses
    assert statuses[0] != 408, "it is refused for what it says, not when its time is over"
    assert bodies == []


HEADS = {
    "no Host": {"host": None},
    "two Hosts": {"host": "Host: a\r\nHost: a"},
    "two Hosts that differ": {"host": "Host: a\r\nHost: b"},
    "a Host with a blank": {"host": "Host: a b"},
    "a Host with a path": {"host": "Host: a/b"},
    "HTTP/0.9": {"start": "GET {}", "host": None},
    "HTTP/2.0": {"start": "POST {} HTTP/2.0"},
    "another protocol": {"start": "POST {} HTTQ/1.1"},
    "a version with a blank": {"start": "POST {} HTTP/1. 1"},
    "a method that is no token": {"start": "P(ST {} HTTP/1.1"},
    "a target with a blank": {"start": "POST {} x HTTP/1.1"},
    "NUL in the target": {"start": "POST {}\0 HTTP/1.1"},
    "a head of 1 MB": {"host": "Host: a\r\nX: " + "x" * 1_000_000},
}


@pytest.mark.parametrize("what", HEADS)
def test_a_head_that_is_wrong_is_refused_and_nothing_behind_it_is_read(listener, what):
    is_refused(listener, post(listener, length(2), body="ab", **HEADS[what]))


def test_a_refusal_behind_a_request_that_was_served_ends_the_socket(listener):
    first = post(listener, length(5), body="first")
    statuses, bodies = said(listener, first, post(listener, length("x")), second(listener))
    assert statuses[0] == 200 and bodies == ["first"]
    assert len(statuses) == 2 and 400 <= statuses[1] < 600


# In order, or refused: a server may take them, but then with one body only.

IN_ORDER = {
    "one Content-Length": ([length(2)], {}, "ab"),
    "blanks around a Content-Length": (["Content-Length: \t2 \t"], {}, "ab"),
    "a Content-Length with zeros": (["Content-Length: 0000000000000000000002"], {}, "ab"),
    "two equal Content-Lengths": ([length(2), length(2)], {}, "ab"),
    "a list of equal Content-Lengths": (["Content-Length: 2, 2"], {}, "ab"),
    "a folded header": ([length(2), "X: a\r\n " + length(200)], {}, "ab"),
    "NUL in a header": ([length(2), "X: a\0b"], {}, "ab"),
    "a request in absolute form": ([length(2)], {"start": "POST http://127.0.0.1{} HTTP/1.1"}, "ab"),
    "a hundred thousand bytes of headers": (
        [length(2), *(f"X{i}: y" for i in range(11_000))], {}, "ab",
    ),
    "one chunk": ([CHUNKED], {}, AB),
    "a folded Transfer-Encoding": (["Transfer-Encoding:\r\n chunked"], {}, AB),
    "Transfer-Encoding in other cases": (["tRANSFER-eNCODING: CHUNKED"], {}, AB),
    "a chunk for each byte": ([CHUNKED], {}, "1\r\na\r\n01\r\nb\r\n000\r\n\r\n"),
    "a chunk with an extension": ([CHUNKED], {}, '2;a="b;c"\r\nab\r\n0;x\r\n\r\n'),
    "trailers that would be a framing": ([CHUNKED], {}, f"2\r\nab\r\n0\r\n{length(200)}\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_ORDER)
def test_what_may_be_served_is_served_with_its_own_body_or_refused(listener, what):
    headers, start, body = IN_ORDER[what]
    statuses, bodies = said(listener, post(listener, *headers, **start, body=body), second(listener))
    if statuses[0] == 200:
        assert (statuses, bodies) in [([200, 200], ["ab", "SMUGGLED"]), ([200], ["ab"])]
    else:
        assert len(statuses) == 1 and 400 <= statuses[0] < 600 and statuses[0] != 408, statuses
        assert bodies == []
    if what == "one Content-Length":
        assert statuses == [200, 200]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_that_end_with_lf_are_refused_or_are_lines(listener, ending):
    """RFC 9112 2.2 lets a server take them. The head is of both kinds, and ends with the one."""
    one = post(listener, "X: a\nContent-Length: 2").replace(b"\r\n\r\n", f"{ending}{ending}".encode())
    statuses, bodies = said(listener, one, b"ab", second(listener))
    if statuses == [200, 200]:
        assert bodies == ["ab", "SMUGGLED"]
    else:
        assert len(statuses) == 1 and 400 <= statuses[0] < 500 and bodies == []


def test_empty_lines_before_a_request_are_ignored_or_refused(listener):
    statuses, bodies = said(listener, b"\r\n\r\n", second(listener))
    assert (statuses, bodies) in [([200], ["SMUGGLED"]), ([400], [])]


def test_chunks_in_http_1_0_end_the_socket_whatever_becomes_of_them(listener):
    """RFC 9112 6.1: somebody on the way may not have understood them."""
    first = post(listener, CHUNKED, "Connection: keep-alive", start="POST {} HTTP/1.0", body=AB)
    with Wire(listener.url) as wire:
        wire.send(first, second(listener))
        answers = b"".join(iter(lambda: wire.socket.recv(65536), b""))
    assert len(re.findall(rb"HTTP/1\.\d \d{3} ", answers)) == 1
    assert listener.bodies() in ([], ["ab"])


def test_a_body_that_ends_with_its_socket_is_not_taken(listener):
    for framing, body in ((length(10), "ab"), (CHUNKED, "5\r\nab"), (CHUNKED, "2\r\nab\r\n")):
        with Wire(listener.url) as wire:
            wire.send(post(listener, framing, body=body))
            wire.socket.shutdown(socket.SHUT_WR)
            assert all(response.status >= 400 for response in wire.responses())
        assert listener.bodies() == []




# Requests that a page in the browser of somebody on this machine can send: under a name of its own
# that has come to stand for 127.0.0.1 (DNS rebinding), or to our address with its own Origin.


@pytest.fixture(scope="module")
def apis(tmp_path_factory):
    """{name: (URL, target)} of a broker without authentication; none of these needs its Redis."""
    folder = tmp_path_factory.mktemp("apis")
    port = free_ports(1)
    config = project(folder, {"work": function("work.main", http("get", "x"), runtime="python3")})
    flags = ["--config", config, "--redis", f"unix:{folder}/none", "--bind", f"ipc://{folder}/b",
             "--management", "127.0.0.1:0", "--runtime-address", f"127.0.0.1:{port}"]  # fmt: skip
    with Process("gatepost-broker", *flags, expect=["redis.*", "*.denied"]) as broker:
        until(lambda: "broker.start" in broker.log(), "it has started")
        yield {
            "management": (f"http://{management(broker)}", "/@connections/AAEAAAAMQb8AAAA="),
            "runtime": (f"http://127.0.0.1:{port}", "/ping"),
        }


def management(broker):
    _, _, rest = broker.log().partition("management=")
    return rest.split()[0].split(",")[0]


@pytest.fixture(params=["management", "runtime"])
def api(request, apis):
    return apis[request.param]


def status(api, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return exchange(api[0], request(target=api[1], headers=headers))[0].status


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example",
    "localhost@evil.example", "128.0.0.1", "192.168.0.1:8081", "[::2]:8081",
])  # fmt: skip
def test_an_api_without_authentication_refuses_a_host_that_is_not_loopback(api, host):
    assert status(api, Host=host) in (400, 403)


@pytest.mark.parametrize("host", [
    "localhost", "localhost:8081", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:9001", "127.0.0.2",
    "[::1]", "[::1]:8081",
])  # fmt: skip
def test_an_api_without_authentication_serves_a_host_that_is_loopback(api, host):
    assert status(api, Host=host) not in (400, 403)


@pytest.mark.parametrize("header", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:3000"},
    {"Sec_Fetch_Site": "cross-site"},
])  # fmt: skip
def test_an_api_without_authentication_refuses_the_request_of_a_page(api, header):
    assert status(api, Host="localhost", **header) == 403
