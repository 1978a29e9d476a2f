"""Frames that come faster, smaller or later than a function can take them. A client that sends them
keeps itself waiting, and nobody else. Broken frames are in test_websocket.py and the Autobahn suite,
floods that end a connection in test_hostile.py.
"""

import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket
from lib.neighbour import Neighbour
from lib.wire import (
    CONTINUATION, PING, TEXT, Close, Pong, WebSocket, close_frame, frame,
)  # fmt: skip

FULL_READ = 10_900  # empty messages, as many as fit in the 64 KiB that an edge reads at a time
LANE_EVENTS = 32  # --lane-events; fewer of them may be under way
LANES = 300
QUICK = 0.25  # seconds, for 99 of 100 questions


class Gate:
    """An answer that waits until it is opened; counts those who wait."""

    def __init__(self):
        self._open = threading.Event()
        self._lock = threading.Lock()
        self.waiting = 0

    def __call__(self, _):
        with self._lock:
            self.waiting += 1
        assert self._open.wait(25), "nobody opened it"
        return proxy(200, "done")

    def open(self):
        self._open.set()


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(scope="module")
def cluster(functions, tmp_path_factory):
    config = project(tmp_path_factory.mktemp("frames"), {
        "slow": function(functions.url("slow"), websocket("slow", two_way=True), timeout=29),
        "wide": function(
            functions.url("wide"), websocket("wide", two_way=True, concurrency="parallel"),
            timeout=29,
        ),
        "take": function(functions.url("take"), websocket("take")),
        "echo": function("builtin:echo", websocket("$default", two_way=True)),
    })  # fmt: skip
    with Cluster(edges=1, brokers=1, args=["--config", config]) as it:
        yield it


@pytest.fixture(autouse=True)
def fresh(functions, cluster):
    cluster.settle()
    functions.forget()


@contextmanager
def gate(functions, name):
    it = Gate()
    functions.answer(name, it)
    try:
        yield it
    finally:
        it.open()


def say(route):
    return f'{{"action":"{route}"}}'


def others_are_served(cluster):
    """Whoever is here is answered quickly, and whoever comes is let in. On a machine that does other
    things too, one round of three shows it.
    """
    rounds = []
    for _ in range(3):
        with Neighbour(cluster.websocket, at_least=100) as neighbour:
            for _ in range(5):
                began = time.monotonic()
                WebSocket(cluster.websocket).socket.close()
                assert time.monotonic() - began < 5
        rounds.append(neighbour.percentile(99))
        if rounds[-1] < QUICK:
            return
    raise AssertionError(f"seconds in which 99 of 100 were answered: {rounds}")


def held(cluster):
    return cluster.metrics("edge-0")["gatepost_edge_held_bytes"]


def test_ten_thousand_messages_behind_a_slow_one_delay_nobody_else(cluster, functions):
    """They had all of the broker's credit: others waited until the slow one was answered."""
    with gate(functions, "slow") as slow, WebSocket(cluster.websocket) as client:
        client.say(say("slow"))
        functions.next("slow")
        client.send(frame(TEXT) * FULL_READ)
        others_are_served(cluster)
        slow.open()
        assert client.next() == "done"
        for _ in range(FULL_READ):
            assert client.next() == ""


def test_one_client_has_no_more_invocations_at_a_time_than_its_lane_has_events(cluster, functions):
    """There were 256 of them: as many as were read at a time."""
    with gate(functions, "wide") as wide, WebSocket(cluster.websocket) as client:
        client.send(frame(TEXT, say("wide")) * 1000)
        until(lambda: wide.waiting >= 2, "some are under way at a time")
        others_are_served(cluster)
        assert wide.waiting <= LANE_EVENTS
        wide.open()
        for _ in range(1000):
            assert client.next() == "done"


def test_a_full_read_of_each_of_many_clients_is_counted_as_held_memory_and_delays_nobody(
    cluster, functions
):
    """The edge grew by 1 MB for each of them, and its gauge said 17 bytes."""
    with gate(functions, "slow") as slow, ExitStack() as all_of_them:
        clients = [all_of_them.enter_context(WebSocket(cluster.websocket)) for _ in range(LANES)]
        for client in clients:
            client.send(frame(TEXT, say("slow")), frame(TEXT) * FULL_READ)
        until(lambda: slow.waiting >= 256, "as many are under way as a host of functions takes")
        others_are_served(cluster)
        assert held(cluster) > LANES * LANE_EVENTS * 100, "each message takes memory, an empty one too"
        assert held(cluster) < LANES * (128 << 10)
    until(lambda: held(cluster) == 0, "all is given back")


def test_a_message_of_many_fragments_arrives_whole_with_pings_in_between(cluster):
    n = 20_000
    with WebSocket(cluster.websocket) as client, Neighbour(cluster.websocket):
        client.send(frame(TEXT, "x", fin=False), frame(PING, "1"))
        client.send(frame(CONTINUATION, "x", fin=False) * (n - 2))
        client.send(frame(PING, "2"), frame(CONTINUATION, "x"))
        assert [client.next() for _ in range(3)] == [Pong(b"1"), Pong(b"2"), "x" * n]


def test_messages_behind_a_close_frame_reach_no_function(cluster, functions):
    with WebSocket(cluster.websocket) as client:
        client.send(close_frame(1000), frame(TEXT, say("take")) * 100)
        assert client.next() == Close(1000, "")
        assert client.is_closed()
    cluster.settle()
    assert functions.calls("take") == []


def test_messages_before_a_close_frame_are_answered_before_it(cluster):
    with WebSocket(cluster.websocket) as client:
        client.send(frame(TEXT, "a") * 1000, close_frame(1000))
        assert [client.next() for _ in range(1001)] == ["a"] * 1000 + [Close(1000, "")]


def test_a_client_that_sends_no_more_is_gone_and_its_messages_are_handled(cluster, functions):
    """It has closed its end of the socket, and might read for ever."""
    with WebSocket(cluster.websocket) as client:
        client.send(frame(TEXT, say("take")) * 10)
        client.socket.shutdown(socket.SHUT_WR)
        cluster.settle("its row has gone")
        assert len(functions.calls("take")) == 10
