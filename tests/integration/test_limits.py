"""What an edge does at its own limits: of sockets, of memory for plain requests, and of patience."""

import os
import signal
import threading
import time
from contextlib import suppress

import pytest

from lib.cluster import Cluster, until
from lib.place import Place
from lib.wire import WebSocket, Wire, upgrade


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
    until(lambda: gauge(narrow, "connections") == 0, "the slots are free")
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


def test_who_asks_on_and_on_without_reading_gets_a_last_answer():
    with Cluster(edges=1, brokers=1, env={"GATEPOST_OUTBOX": "4KiB"}) as cluster:
        asked = b"GET /dev/nothing HTTP/1.1\r\nHost: h\r\n\r\n" * 1000
        with Wire(cluster.websocket, 4096) as deaf:
            threading.Thread(target=say_for_ever, args=(deaf, asked), daemon=True).start()
            until(lambda: gauge(cluster, "outbox_bytes") > 4096, "the kernel takes no more", 60)
            most, end = 0, time.monotonic() + 2
            while time.monotonic() < end:
                most = max(most, gauge(cluster, "outbox_bytes"))
            assert most < 8 << 10
            deaf.socket.shutdown(2)


def say_for_ever(wire, what):
    with suppress(OSError):
        while True:
            wire.send(what)


def gauge(cluster, name):
    return cluster.metrics("edge-0")[f"gatepost_edge_{name}"]


# Of one address


@pytest.fixture(scope="module")
def counted():
    env = {"GATEPOST_ADDRESS_CONNECTIONS": "5"}
    with Cluster(edges=1, brokers=1, env=env, expect=["connection.limited"]) as it:
        yield it


@pytest.fixture(scope="module")
def paced():
    env = {"GATEPOST_ADDRESS_RATE": "5", "GATEPOST_ADDRESS_BURST": "10"}
    with Cluster(edges=1, brokers=1, env=env, expect=["connection.limited"]) as it:
        yield it


def limited(cluster, why):
    return cluster.metrics("edge-0")[f'gatepost_edge_limited_total{{why="{why}"}}']


def test_an_address_with_too_many_sockets_is_429_and_another_one_is_served(counted):
    clients = [WebSocket(counted.websocket, source="127.0.0.2") for _ in range(5)]
    before = limited(counted, "connections")
    with pytest.raises(ConnectionRefusedError, match="status=429.*'retry-after': '1'"):
        WebSocket(counted.websocket, source="127.0.0.2")
    assert limited(counted, "connections") == before + 1
    with WebSocket(counted.websocket, source="127.0.0.3") as other:
        assert other.ask('{"action":"ping"}') == "PONG!"
    clients.pop().socket.close()
    until(lambda: gauge(counted, "connections") == 4, "one has gone")
    with WebSocket(counted.websocket, source="127.0.0.2") as again:
        assert again.ask('{"action":"ping"}') == "PONG!"
    for client in clients:
        client.socket.close()


def test_a_plain_request_is_told_the_same(counted):
    wires = [Wire(counted.websocket) for _ in range(5)]
    with Wire(counted.websocket) as late:
        late.send(b"GET /dev/ping HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = late.response()
        assert answer.status == 429
        assert b"Too many connections from this address" in answer.body
        assert late.is_closed()
    for wire in wires:
        wire.socket.close()


def test_an_address_that_opens_sockets_too_fast_is_429_until_it_has_waited(paced):
    def come():
        try:
            with WebSocket(paced.websocket, source="127.0.0.2"):
                return True
        except ConnectionRefusedError as e:
            assert "status=429" in str(e)
            return False

    began = time.monotonic()
    came = sum(come() for _ in range(60))
    assert 10 <= came <= 11 + 5 * (time.monotonic() - began)
    assert limited(paced, "rate") == 60 - came
    with WebSocket(paced.websocket, source="127.0.0.3") as other:
        assert other.ask('{"action":"ping"}') == "PONG!"
    until(come, "there is room again")


# Of patience, for a request that no broker takes


@pytest.fixture
def place(tmp_path):
    with Place.begin(tmp_path) as it:
        yield it


def test_who_waits_for_a_store_that_is_unreachable_is_told_to_come_again_and_its_lane_goes_on(place):
    """The store may have taken its row: so it is not refused at once, but tried again."""
    with place.edge() as edge:
        url = f"ws://{edge.told('LISTEN')}/dev"
        place.store.freeze()
        began = time.monotonic()
        with Wire(url) as client:
            client.send(upgrade())
            answer = client.response()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert 4.5 < time.monotonic() - began < 25
        place.store.go_on()
        connected = place.functions.next("connect").id
        place.functions.next("disconnect", connected)


def test_a_request_that_no_broker_has_seen_is_503_after_a_while_and_then_forgotten(place):
    with place.edge() as edge:
        url = f"ws://{edge.told('LISTEN')}/dev"
        with WebSocket(url):
            place.functions.next("connect")
        place.functions.next("disconnect")
        os.kill(place.broker.pid, signal.SIGTERM)
        until(lambda: not place.broker.is_running(), "there is no broker")
        began = time.monotonic()
        with Wire(url) as stays, Wire(url) as leaves:
            stays.send(upgrade())
            leaves.send(upgrade())
            leaves.socket.close()
            answer = stays.response()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert 4.5 < time.monotonic() - began < 25
        with place.another_broker(), WebSocket(url) as client:
            assert client.ask('{"action":"echo"}') == '{"action":"echo"}'
            place.functions.next("connect")
            assert place.functions.calls("connect") == [], "only the last one is known"
