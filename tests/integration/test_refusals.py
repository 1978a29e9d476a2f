"""Whatever is refused, and every message that no route takes, has a line that says why."""

import pytest

from lib.cluster import Cluster, until
from lib.function_server import function, project, websocket
from lib.wire import TEXT, Close, WebSocket, frame, upgrade
from lib.wire import http as exchange

NOBODY = "AAAAAAAAAAAAAAA="


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    config = project(
        tmp_path_factory.mktemp("refusals"),
        {"mirror": function("builtin:echo", websocket("mirror", two_way=True))},
    )
    args = ["--config", config]
    with Cluster(edges=1, brokers=1, args=args, env={"GATEPOST_JSON_DEPTH": "32"}) as it:
        yield it


def refused(cluster, request, status):
    response, _ = exchange(cluster.websocket, request)
    assert response.status == status


def is_said(cluster, do, *parts):
    """Do it until the line is among those that a flood lets through: one a second."""

    def once():
        do()
        return any(all(part in line for part in parts) for line in cluster.log().splitlines())

    until(once, f"a line has {parts}")


REQUESTS = {
    "an upgrade to another version": (
        upgrade(Sec_WebSocket_Version="12"), 426,
        ("edge-0 request.refused", "status=426", "must be 13"),
    ),
    "an upgrade of another stage": (
        upgrade("/prod"), 403, ("broker-0 connect.refused", "status=403", "--stage"),
    ),
    "a path that no route has": (
        b"GET /dev/nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404,
        ("broker-0 request.refused", "status=404", "path=/dev/nothing"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REQUESTS)
def test_a_request_that_is_refused_has_a_line(cluster, what):
    request, status, parts = REQUESTS[what]
    is_said(cluster, lambda: refused(cluster, request, status), *parts)


MESSAGES = {
    "a route that is not there": (
        '{"action":"nobody"}', ('why="no route \\"nobody\\""', "answer=Forbidden"),
    ),
    "what is not JSON": (
        '{"action":nobody}', ("not JSON: at byte 10 a value was expected", "answer=Forbidden"),
    ),
    "JSON with too many levels": (
        '{"doc":' + "[" * 32 + "]" * 32 + ',"action":"mirror"}',
        ("JSON with more than 32 levels, at byte 38", "--json-depth"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_that_no_route_takes_has_a_line(cluster, what):
    message, parts = MESSAGES[what]
    with WebSocket(cluster.websocket) as client:

        def say():
            assert "Forbidden" in client.ask(message)

        is_said(cluster, say, "broker-0 message.unrouted", client.row_id(cluster), *parts)


def test_a_frame_that_breaks_the_protocol_has_a_line(cluster):
    def say():
        with WebSocket(cluster.websocket) as client:
            client.send(frame(TEXT, b"\xff"))
            assert isinstance(client.next(), Close)

    is_said(cluster, say, "edge-0 message.refused", "close=1007", "id=")


def test_a_push_to_who_is_gone_has_a_line(cluster):
    def push():
        url = f"{cluster.management}/@connections/{NOBODY}"
        assert cluster.get(url, method="POST", body=b"x")[0] == 410

    is_said(cluster, push, "broker-0 management.refused", "status=410", NOBODY)
