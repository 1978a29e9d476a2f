"""HTTP at an edge: what is asked for rightly, wrongly, slowly, and not to the end."""

import json
from urllib.parse import urlsplit

import pytest

from lib.cluster import Cluster, until
from lib.wire import KEY, TEXT, WebSocket, Wire, frame, http, request, upgrade


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=1) as it:
        yield it


@pytest.fixture(scope="module")
def strict():
    """Little patience, and little room for bodies."""
    env = {"GATEPOST_HANDSHAKE_TIMEOUT": "1s", "GATEPOST_MAX_MESSAGE": "1KiB"}
    with Cluster(edges=1, brokers=1, env=env) as it:
        yield it


def head(*lines):
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def is_refused(cluster, status, *parts):
    """The response, which says why in JSON, and after which the socket is closed."""
    response, closed = http(cluster.http, *parts)
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    assert list(json.loads(response.body)) == ["message"]
    assert response.headers["connection"].endswith("close") and closed
    return response


MALFORMED = {
    "no version": (400, head("GET /dev/ping", "Host: a")),
    "another protocol": (400, head("GET /dev/ping HTTQ/1.1", "Host: a")),
    "a version without a dot": (400, head("GET /dev/ping HTTP/11", "Host: a")),
    "HTTP/2": (505, head("GET /dev/ping HTTP/2.0", "Host: a")),
    "a binary protocol": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "no method": (400, head(" /dev/ping HTTP/1.1", "Host: a")),
    "a method that is no token": (400, head("G(T /dev/ping HTTP/1.1", "Host: a")),
    "two blanks": (400, head("GET  /dev/ping HTTP/1.1", "Host: a")),
    "a target without a slash": (400, head("GET dev/ping HTTP/1.1", "Host: a")),
    "a target with a raw byte": (400, head("GET /dev/p\xefng HTTP/1.1", "Host: a")),
    "a target with a tab": (400, head("GET /dev/\tping HTTP/1.1", "Host: a")),
    "no Host": (400, head("GET /dev/ping HTTP/1.1")),
    "two Hosts": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "Host: a")),
    "a header without a colon": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "nonsense")),
    "a blank before the colon": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "X : b")),
    "a header without a name": (400, head("GET /dev/ping HTTP/1.1", "Host: a", ": b")),
    "a folded header": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "X: b", " c")),
    "NUL in a header": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "X: b\0c")),
    "CR in a header": (400, head("GET /dev/ping HTTP/1.1", "Host: a", "X: b\rc")),
    "lines that end with LF": (400, b"GET /dev/ping HTTP/1.1\nHost: a\n\n"),
    "Content-Length in words": (
        400,
        head("POST /dev HTTP/1.1", "Host: a", "Content-Length: five"),
    ),
    "a negative Content-Length": (
        400,
        head("POST /dev HTTP/1.1", "Host: a", "Content-Length: -1"),
    ),
    "two Content-Lengths": (
        400,
        head("POST /dev HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2"),
    ),
    "Transfer-Encoding and Content-Length": (
        400,
        head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 1"),
    ),
    "Transfer-Encoding": (501, head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")),
    "a target over the limit": (414, head(f"GET /{'a' * 5000} HTTP/1.1", "Host: a")),
    "a target over the limit that does not end": (414, b"GET /" + b"a" * 5000),
    "a head over the limit": (431, head("GET / HTTP/1.1", "Host: a", f"X: {'b' * 17000}")),
    "a head over the limit that does not end": (
        431,
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"b" * 17000,
    ),
    "too many headers": (
        431,
        head("GET / HTTP/1.1", "Host: a", *(f"X{i}: b" for i in range(101))),
    ),
}


@pytest.mark.parametrize("why", MALFORMED)
def test_a_malformed_request_is_told_so_and_its_socket_is_closed(cluster, why):
    status, bytes_ = MALFORMED[why]
    is_refused(cluster, status, bytes_)


NO_UPGRADE = {
    "no version": (426, upgrade(Sec_WebSocket_Version=None)),
    "an old version": (426, upgrade(Sec_WebSocket_Version="8")),
    "a version that is none": (426, upgrade(Sec_WebSocket_Version="thirteen")),
    "two versions": (400, upgrade(Sec_WebSocket_Version="13\r\nSec-WebSocket-Version: 13")),
    "no key": (400, upgrade(Sec_WebSocket_Key=None)),
    "an empty key": (400, upgrade(Sec_WebSocket_Key="")),
    "a key of 15 bytes": (400, upgrade(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAA")),
    "a key that is no base64": (400, upgrade(Sec_WebSocket_Key="?" * 22 + "==")),
    "two keys": (400, upgrade(Sec_WebSocket_Key=f"{KEY}\r\nSec-WebSocket-Key: {KEY}")),
    "POST": (405, upgrade(method="POST")),
    "HTTP/1.0": (400, upgrade(version="HTTP/1.0")),
    "Connection does not say so": (400, upgrade(Connection="keep-alive")),
    "no Connection": (400, upgrade(Connection=None)),
    "a body": (400, upgrade(Content_Length="2") + b"{}"),
    "a subprotocol that is no token": (400, upgrade(Sec_WebSocket_Protocol="a b")),
    "a subprotocol twice": (400, upgrade(Sec_WebSocket_Protocol="a, b, a")),
}


@pytest.mark.parametrize("why", NO_UPGRADE)
def test_a_wrong_opening_handshake_is_told_so_and_opens_nothing(cluster, why):
    status, bytes_ = NO_UPGRADE[why]
    response = is_refused(cluster, status, bytes_)
    if status == 426:
        assert response.headers["sec-websocket-version"] == "13"
        assert_names_the_upgrade(response)
    if status == 405:
        assert response.headers["allow"] == "GET"
    assert cluster.table() == {}


def assert_names_the_upgrade(response):
    """RFC 9110 15.5.22, and 7.8: who sends Upgrade names it in Connection."""
    assert response.headers["upgrade"] == "websocket"
    assert "upgrade" in response.headers["connection"].lower().replace(",", " ").split()


def test_a_plain_request_for_the_websocket_is_told_to_upgrade(cluster):
    for target in ("/dev", "/dev/", "/dev?a=b"):
        response, _ = http(cluster.http, request(target=target))
        assert response.status == 426, target
        assert_names_the_upgrade(response)
        json.loads(response.body)


@pytest.mark.parametrize("target", ["/", "/prod", "/de", "/devil", "/dev/ping", "/dev/x"])
def test_an_upgrade_at_another_stage_is_forbidden(cluster, target):
    response, closed = http(cluster.http, upgrade(target))
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert closed and cluster.table() == {}


@pytest.mark.parametrize("target", ["/dev/", "/dev?token=a%20b", "/dev/?a"])
def test_a_slash_or_a_query_after_the_stage_is_the_stage(cluster, target):
    with Wire(cluster.http) as wire:
        wire.send(upgrade(target))
        assert wire.response().status == 101


def test_the_key_of_the_rfc_gets_the_answer_of_the_rfc(cluster):
    with Wire(cluster.http) as wire:
        wire.send(upgrade())
        headers = wire.response().headers
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert (headers["upgrade"], headers["connection"]) == ("websocket", "Upgrade")
    assert "sec-websocket-protocol" not in headers and "sec-websocket-extensions" not in headers


def test_header_names_and_their_words_may_be_in_any_case_and_among_others(cluster):
    with Wire(cluster.http) as wire:
        wire.send(
            head(
                "GET /dev HTTP/1.1", "hOST: a", "UPGRADE: h2c, WebSocket",
                "connection: keep-alive, UPGRADE", f"sec-websocket-key: {KEY}",
                "SEC-WEBSOCKET-VERSION:13",
            )  # fmt: skip
        )
        assert wire.response().status == 101


def test_frames_that_come_with_the_handshake_are_answered(cluster):
    with Wire(cluster.http) as wire:
        wire.send(upgrade(), frame(TEXT, '{"action":"ping"}'))
        assert wire.response().status == 101
        assert wire.read(7) == b"\x81\x05PONG!"


# Plain HTTP


@pytest.mark.parametrize("target", ["/dev/ping", "/dev/ping?a=b", "http://other/dev/ping"])
def test_ping_gets_pong(cluster, target):
    response, _ = http(cluster.http, request(target=target))
    assert (response.status, response.body) == (200, b"PONG!")
    assert response.headers["connection"] == "keep-alive"


def test_head_gets_the_head_alone(cluster):
    with Wire(cluster.http) as wire:
        wire.send(request("HEAD", "/dev/ping"), request("GET", "/dev/ping"))
        response = wire.response(head_only=True)
        assert (response.status, response.headers["content-length"]) == (200, "5")
        assert wire.response().body == b"PONG!"


@pytest.mark.parametrize("target", ["/x", "/ping", "/dev/pin", "/dev/ping/", "/prod/ping", "/%64ev"])
def test_what_is_not_there_is_404_and_the_socket_serves_on(cluster, target):
    with Wire(cluster.http) as wire:
        wire.send(request(target=target))
        response = wire.response()
        assert (response.status, response.body) == (404, b'{"message":"Not Found"}')
        wire.send(request(target="/dev/ping"))
        assert wire.response().body == b"PONG!"


def test_without_a_configuration_the_root_is_a_page_for_get_and_head_alone(cluster):
    with Wire(cluster.http) as wire:
        wire.send(request(target="/"))
        page = wire.response()
        assert page.status == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert b'<html lang="en" data-stage="dev">' in page.body
        wire.send(request("POST", "/"))
        assert wire.response().status == 404


def test_a_body_is_read_to_its_end_before_the_next_request(cluster):
    body = request(target="/dev/ping") * 1000
    with Wire(cluster.http) as wire:
        headers = {"Content-Length": str(len(body))}
        wire.send(request("POST", "/dev/ping", headers=headers, body=body))
        assert wire.response().status == 404
        wire.send(request(target="/dev/ping"))
        assert wire.response().status == 200


def test_pipelined_requests_are_answered_in_order(cluster):
    targets = ["/dev/ping", "/a", "/dev", "/dev/ping"]
    with Wire(cluster.http) as wire:
        wire.send(*(request(target=target) for target in targets * 25))
        got = [wire.response().status for _ in range(100)]
    assert got == [200, 404, 426, 200] * 25


def test_a_request_may_come_byte_by_byte(cluster):
    with Wire(cluster.http) as wire:
        for byte in request(target="/dev/ping"):
            wire.send(bytes([byte]))
        assert wire.response().body == b"PONG!"


def test_connection_close_is_done(cluster):
    response, closed = http(
        cluster.http, request(target="/dev/ping", headers={"Connection": "close"})
    )
    assert response.body == b"PONG!" and closed


def test_http_1_0_is_answered_and_closed_unless_it_asks_otherwise(cluster):
    response, closed = http(cluster.http, request(target="/dev/ping", version="HTTP/1.0"))
    assert response.body == b"PONG!" and closed
    keep = {"Connection": "keep-alive"}
    with Wire(cluster.http) as wire:
        for _ in range(2):
            wire.send(request(target="/dev/ping", version="HTTP/1.0", headers=keep))
            assert wire.response().headers["connection"] == "keep-alive"


def test_expect_100_continue_gets_a_continue_and_then_its_answer(cluster):
    headers = {"Expect": "100-continue", "Content-Length": "5"}
    with Wire(cluster.http) as wire:
        wire.send(request("POST", "/dev/x", headers=headers))
        assert wire.response().status == 100
        wire.send(b"hello")
        assert wire.response().status == 404


def test_a_body_over_the_limit_is_refused_before_it_is_sent(strict):
    is_refused(strict, 413, request("POST", "/dev", headers={"Content-Length": "1025"}))


# Time


def test_a_head_that_does_not_end_is_408(strict):
    is_refused(strict, 408, b"GET /dev/ping HTTP/1.1\r\nHost: a\r\n")


def test_a_body_that_does_not_end_is_408(strict):
    is_refused(strict, 408, request("POST", "/", headers={"Content-Length": "5"}), b"hell")


def test_who_says_nothing_is_told_nothing(strict):
    with Wire(strict.http) as wire:
        assert wire.is_closed()


def test_clients_that_go_away_in_the_middle_leave_nothing_behind(cluster):
    at = urlsplit(cluster.http)
    parts = [b"", b"GET /dev", upgrade()[:-2], upgrade(), request(target="/dev/ping"),
             request("POST", "/", headers={"Content-Length": "5"}) + b"he"]  # fmt: skip
    for bytes_ in parts:
        for _ in range(5):
            wire = Wire(f"http://{at.hostname}:{at.port}")
            wire.send(bytes_)
            wire.reset()
    until(lambda: cluster.metrics("edge-0")["gatepost_edge_connections"] == 0, "all are gone")
    until(lambda: cluster.table() == {}, "the table is empty")
    with WebSocket(cluster.websocket) as client:
        assert client.ask('{"action":"ping"}') == "PONG!"
