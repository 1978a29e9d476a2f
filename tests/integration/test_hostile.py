"""Clients that mean no good. Each is held or cut by a stated rule, and counted; whoever else is
there is served meanwhile, and the edge needs no memory for it. What one broken frame comes to is
in test_websocket.py, what a request is refused for in test_http.py.
"""

import ctypes
import socket
import statistics
import struct
import threading
import time
from pathlib import Path

import pytest

from lib import neighbour
from lib.cluster import Cluster, until
from lib.wire import (
    BINARY, CONTINUATION, PING, SECONDS, TEXT, Close, Pong, WebSocket, Wire, close_frame, frame,
    upgrade,
)  # fmt: skip

MiB = 1 << 20


@pytest.fixture(scope="module")
def cluster():
    """Little patience. A small quarantine: memory is measured."""
    env = {
        "GATEPOST_HANDSHAKE_TIMEOUT": "2s", "GATEPOST_STALL_TIMEOUT": "2s",
        "GATEPOST_PING_EVERY": "2s", "GATEPOST_PONG_TIMEOUT": "2s",
        "GATEPOST_CLOSE_TIMEOUT": "1s", "GATEPOST_OUTBOX": "64KiB",
        "GATEPOST_MAX_HEAD": "64KiB", "GATEPOST_MAX_MESSAGE": "64KiB",
        "ASAN_OPTIONS": "quarantine_size_mb=1",
    }  # fmt: skip
    with Cluster(edges=1, brokers=1, args=["--default-route", "builtin:echo"], env=env) as it:
        yield it
        until(lambda: it.table() == {}, "the table is empty when all have gone")


class Neighbour(neighbour.Neighbour):
    """One that also looks at the memory of the edge; leaving the block says how it was served."""

    def __init__(self, cluster):
        super().__init__(cluster.websocket)
        self._cluster = cluster

    def __enter__(self):
        super().__enter__()
        self._resident = resident(self._cluster)
        return self

    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        if kind is None:
            assert statistics.median(self.seconds) < 0.1
            assert max(self.seconds) < 5  # a machine that does other things, too
            grown = resident(self._cluster) - self._resident
            assert grown < 24 * MiB, f"the edge has grown by {grown / MiB:.1f} MiB"


def resident(cluster):
    status = Path(f"/proc/{cluster.process('edge-0')['pid']}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def cpu_seconds(cluster):
    return cluster.metrics("edge-0")["process_cpu_seconds_total"]


class Counted:
    """A metric of the edge rises by n at the least within the block, or soon after it."""

    def __init__(self, cluster, name, n):
        self._cluster, self._name, self._n = cluster, name, n

    def _value(self):
        return self._cluster.metrics("edge-0")[self._name]

    def __enter__(self):
        self._before = self._value()

    def __exit__(self, kind, *_):
        if kind is None:
            until(lambda: self._value() - self._before >= self._n, f"{self._name} has risen")


def trickle(wires, parts, seconds):
    """Say the parts, one after the other, on all sockets, until they are said or time is over."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    for part in parts:
        if time.monotonic() > end:
            return
        for wire in wires:
            try:
                wire.send(part)
            except OSError:
                pass  # it has been cut
        pause.wait(0.1)


def push(client, parts, seconds=4):
    """Say the parts for as long as somebody takes them; whether the edge still did at the end."""
    client.socket.settimeout(1.5)
    end = time.monotonic() + seconds
    try:
        for part in parts:
            client.send(part)
            if time.monotonic() > end:
                return True
    except (TimeoutError, ConnectionError):
        return False
    finally:
        client.socket.settimeout(SECONDS)
    return True


def forever(part):
    while True:
        yield part


# Before the 101


def test_a_request_that_comes_byte_by_byte_is_408_when_its_time_is_over(cluster):
    slow = [Wire(cluster.websocket) for _ in range(50)]
    began = time.monotonic()
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_refused_total", 50):
        trickle(slow, (bytes([b]) for b in upgrade()), 2)
        for wire in slow:
            assert wire.response().status == 408
            wire.socket.close()
    assert 1.9 < time.monotonic() - began < 15


def test_a_byte_more_of_a_long_head_costs_no_more_than_one_of_a_short_head(cluster):
    """A head that is parsed from its first byte each time costs its length for each byte. The
    pongs tell that the edge has seen each byte by itself.
    """
    spent = []
    for n in (100, 60_000):
        with Wire(cluster.websocket) as slow, WebSocket(cluster.websocket) as other:
            slow.send(upgrade(X_Long="x" * n)[:-4])
            before = cpu_seconds(cluster)
            for _ in range(1000):
                slow.send(b"y")
                other.send(frame(PING))
                assert other.next() == Pong(b"")
            spent.append(cpu_seconds(cluster) - before)
            slow.send(b"\r\n\r\n")
            assert slow.response().status == 101
    assert spent[1] < 1.5 * spent[0] + 0.05, spent


def test_a_head_without_an_end_is_431_as_soon_as_it_is_too_long(cluster):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_refused_total", 20):
        for _ in range(20):
            with Wire(cluster.websocket) as client:
                client.send(upgrade()[:-2], b"X-Long: ", b"x" * 66000)
                assert client.response().status == 431


def test_sockets_that_say_nothing_are_closed_when_the_time_for_a_request_is_over(cluster):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_silent_total", 1000):
        silent = [Wire(cluster.websocket) for _ in range(1000)]
        for wire in silent:
            assert wire.is_closed()
            wire.socket.close()


def test_a_flood_of_sockets_that_come_and_go_harms_nobody(cluster):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_accepted_total", 3000):
        for i in range(3000):
            wire = Wire(cluster.websocket)
            if i % 3 == 0:
                wire.send(upgrade())
            wire.reset()


def test_who_goes_on_talking_after_a_refusal_is_not_listened_to_for_long(cluster):
    with Neighbour(cluster), Wire(cluster.websocket) as client:
        began = time.monotonic()
        client.send(b"NOT HTTP\r\n\r\n")
        assert not push(client, forever(b"x" * 65536), seconds=20)
        assert time.monotonic() - began < 15


# After it


def test_pings_whose_pongs_are_not_read_fill_no_memory_and_then_the_client_is_cut(cluster):
    floods, pings = [], frame(PING, b"p" * 125) * 1000
    with (
        Neighbour(cluster),
        Counted(cluster, "gatepost_edge_stalled_total", 5),
    ):
        for _ in range(5):
            floods.append(WebSocket(cluster.websocket, receive_buffer=4096))
            assert not push(floods[-1], forever(pings), seconds=20), "it reads without an end"
    for client in floods:
        client.socket.close()


def test_pings_whose_pongs_are_read_are_answered_and_the_others_are_served(cluster):
    with Neighbour(cluster), WebSocket(cluster.websocket) as client:
        pings, pongs = frame(PING, b"?") * 500, b"\x8a\x01?" * 500
        for _ in range(200):
            client.send(pings)
            assert client.read(len(pongs)) == pongs


def test_fragments_without_an_end_are_1009_also_when_they_are_empty(cluster):
    for payload in (b"", b"x"):
        with (
            Neighbour(cluster),
            Counted(cluster, "gatepost_edge_broken_total", 1),
            WebSocket(cluster.websocket) as client,
        ):
            client.send(frame(BINARY, payload, fin=False))
            push(client, [frame(CONTINUATION, payload, fin=False) * 1000] * 100, seconds=20)
            assert client.next().code == 1009


def test_lengths_that_are_promised_and_not_sent_cost_nothing_and_silence_cuts(cluster):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_silent_total", 300):
        clients = []
        for _ in range(300):
            clients.append(WebSocket(cluster.websocket))
            clients[-1].send(frame(BINARY, b"x" * 65536)[:15])
        for client in clients:
            assert client.next().payload == b""  # a ping, which it does not answer
            assert client.is_closed()
            client.socket.close()


@pytest.mark.parametrize("length", [65537, 1 << 32, 1 << 62, (1 << 63) - 1])
def test_a_length_of_64_bits_is_1009_before_any_of_it_comes(cluster, length):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_broken_total", 20):
        for _ in range(20):
            with WebSocket(cluster.websocket) as client:
                client.send(frame(BINARY, length=(127, "!Q", length)))
                assert client.next().code == 1009
                assert client.is_closed()


def test_frames_without_a_mask_or_of_unknown_kinds_end_only_their_own_connections(cluster):
    broken = [frame(TEXT, "x", masked=False), frame(0x3), frame(0xF), frame(TEXT, "x", reserved=4)]
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_broken_total", 100):
        for i in range(100):
            with WebSocket(cluster.websocket) as client:
                client.send(broken[i % 4] * 1000)
                assert client.next().code == 1002


def test_who_goes_on_talking_after_its_close_frame_is_not_listened_to_for_long(cluster):
    with Neighbour(cluster), WebSocket(cluster.websocket) as client:
        client.send(close_frame(1000), b"\xff" * 1000)
        assert client.next() == Close(1000, "")
        began = time.monotonic()
        assert not push(client, forever(b"\xff" * 65536), seconds=20)
        assert time.monotonic() - began < 15


def test_who_answers_no_close_frame_is_cut(cluster):
    with (
        Neighbour(cluster),
        Counted(cluster, "gatepost_edge_unanswered_total", 1),
        WebSocket(cluster.websocket) as client,
    ):
        row = client.row_id(cluster)
        assert cluster.get(f"{cluster.management}/@connections/{row}", "DELETE")[0] == 204
        assert client.next().code == 1000
        assert client.is_closed()


def vanish(client):
    """Its host takes no packet any more, and answers none: no ACK, no FIN, no RST."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: ret 0
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(nothing))
    client.socket.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER


def test_clients_whose_host_has_vanished_are_cut_when_no_pong_comes(cluster):
    with Neighbour(cluster), Counted(cluster, "gatepost_edge_silent_total", 100):
        began = time.monotonic()
        clients = [WebSocket(cluster.websocket) for _ in range(100)]
        rows = {client.row_id(cluster) for client in clients[:3]}
        assert None not in rows
        for client in clients:
            vanish(client)
        until(lambda: not rows & set(cluster.table()), "their rows have gone")
        assert 3.9 < time.monotonic() - began < 20
    for client in clients:
        client.socket.close()
