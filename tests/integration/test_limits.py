"""What an edge does at its own limits: of sockets, and of memory for plain requests."""

import pytest

from lib.cluster import Cluster, until
from lib.wire import WebSocket, Wire


@pytest.fixture(scope="module")
def narrow():
    env = {
        "GATEPOST_MAX_CONNECTIONS": "3", "GATEPOST_HELD_MEMORY": "1MiB",
        "GATEPOST_HANDSHAKE_TIMEOUT": "2s",
    }  # fmt: skip
    with Cluster(edges=1, brokers=1, env=env, expect=["connection.refused"]) as it:
        yield it


def test_who_finds_no_slot_is_told_so_and_a_slot_that_was_left_is_taken_again(narrow):
    clients = [WebSocket(narrow.websocket) for _ in range(3)]
    with Wire(narrow.websocket) as late:
        answer = late.response()
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert b"full" in answer.body
        assert late.is_closed()
    for client in clients:
        client.socket.close()
    until(lambda: narrow.table() == {}, "the slots are free")
    with WebSocket(narrow.websocket) as client:
        assert client.ask('{"action":"ping"}') == "PONG!"


def held(cluster):
    return cluster.metrics("edge-0")["gatepost_edge_held_bytes"]


def post(wire, promised, sent):
    head = f"POST /dev/ping HTTP/1.1\r\nHost: h\r\nContent-Length: {promised}\r\n\r\n"
    wire.send(head.encode(), b"x" * sent)


def test_bodies_that_are_not_whole_count_as_held_memory(narrow):
    with Wire(narrow.websocket) as first, Wire(narrow.websocket) as second:
        post(first, 2_000_000, 900_000)
        until(lambda: held(narrow) > 800_000, "they are counted")
        post(second, 1_000_000, 400_000)
        assert second.response().status == 503
    until(lambda: held(narrow) == 0, "they are given back")
