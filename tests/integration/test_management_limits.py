"""The management API at its limits: too much is refused or closed, and others are served."""

import base64
import json
import os
import re
import signal
import time
import socket
import struct
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.cluster import Cluster, until
from lib.wire import WebSocket, Wire, request

NEVER = "AAEAAAAMQb8AAAA="
FLAT = 16 << 20  # bytes of RSS
SANITIZER = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}
SPARE = 64  # connections that were closed, and have not gone yet


@contextmanager
def limited(expect=(), **limits):
    env = {f"GATEPOST_MANAGEMENT_{name.upper()}": str(value) for name, value in limits.items()}
    env["GATEPOST_AUDIT_EVERY"] = "10m"  # rows that a test has put there stay
    with Cluster(edges=1, brokers=1, env={**SANITIZER, **env}, expect=expect) as cluster:
        yield cluster


def metric(cluster, name):
    return cluster.metrics("broker-0")[f"gatepost_broker_management_{name}"]


def refused(cluster, why):
    return metric(cluster, f'refused_total{{why="{why}"}}')


def rss(cluster):
    status = Path(f"/proc/{cluster.process('broker-0')['pid']}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def post(target, body=b"x", promised=None):
    """The bytes of a push, of which perhaps more is promised than comes."""
    headers = {"Content-Length": str(promised or len(body))}
    return request("POST", f"/@connections/{target}", headers=headers, body=body)


def push(cluster, target, body=b"x"):
    with Wire(cluster.management) as wire:
        wire.send(post(target, body))
        return wire.response()


def test_thousands_of_idle_and_slow_connections_make_room_for_who_asks():
    with limited(connections=100) as cluster, WebSocket(cluster.websocket) as client:
        target = client.row_id(cluster)
        most, held, grown = 0, [], []
        for _ in range(4):
            for _ in range(8):
                for n in range(100):
                    held.append(Wire(cluster.management))
                    if n % 2:
                        held[-1].send(post(target, b"x" * 1000, promised=2000))
                for _ in range(len(held) - 200):
                    held.pop(0).socket.close()
                assert push(cluster, target).status == 200
                assert client.next() == "x"
                most = max(most, metric(cluster, "connections"))
            grown.append(rss(cluster))
        assert 90 < most <= 100 + SPARE
        assert grown[-1] - grown[0] < FLAT, grown
        assert refused(cluster, "idle") > 2000
        for wire in held:
            wire.socket.close()
        until(lambda: metric(cluster, "connections") == 0, "all have gone")
        assert metric(cluster, "bytes") == 0


def test_a_request_that_does_not_arrive_is_408_and_an_idle_connection_is_closed():
    with limited(timeout="1s") as cluster:
        with Wire(cluster.management) as slow, Wire(cluster.management) as idle:
            slow.send(post("AAEAAAAMQb8AAAA=", b"x", promised=100))
            until(lambda: drip(slow) or refused(cluster, "late") == 1, "it is late")
            answer = slow.response()
            assert answer.status == 408
            assert answer.headers["x-amzn-errortype"] == "RequestTimeoutException"
            assert slow.is_closed()
            assert idle.is_closed()


def drip(wire):
    """One byte more, so that it is never silent."""
    try:
        wire.send(b"x")
    except OSError:
        pass


def test_one_that_has_gone_takes_no_other_with_it():
    """It was taken for idle when its time was over, and its descriptor was another's by then: that
    one was cut in the middle of its requests. (Who looks at the metrics has the list made clean.)
    """
    with limited(timeout="1s") as cluster:
        for _ in range(5):
            assert push(cluster, NEVER).status == 410
        with Wire(cluster.management) as wire:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                wire.send(post(NEVER))
                assert wire.response().status == 410


def test_large_bodies_that_hold_too_much_together_are_503_and_small_ones_are_served():
    with limited(memory="1MiB") as cluster, WebSocket(cluster.websocket) as client:
        target = client.row_id(cluster)
        with Wire(cluster.management) as first, Wire(cluster.management) as second:
            first.send(post(target, b"x" * 900_000, promised=2_000_000))
            until(lambda: metric(cluster, "bytes") > 900_000, "they are counted")
            second.send(post(target, b"x" * 400_000, promised=1_000_000))
            answer = second.response()
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert b"memory" in answer.body
            assert refused(cluster, "memory") == 1
            assert push(cluster, target).status == 200
        until(lambda: metric(cluster, "bytes") == 0, "they are given back")
        assert push(cluster, target, b"x" * 100_000).status == 200


@contextmanager
def stopped(cluster, name):
    pid = cluster.process(name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_requests_over_those_that_may_wait_are_503_and_counted():
    with limited(requests=2) as cluster, WebSocket(cluster.websocket) as client:
        target = client.row_id(cluster)
        with stopped(cluster, "edge-0"):
            waiting = [Wire(cluster.management) for _ in range(2)]
            for wire in waiting:
                wire.send(post(target))
            until(lambda: metric(cluster, "requests") == 2, "they wait")
            answer = push(cluster, target)
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert refused(cluster, "requests") == 1
        for wire in waiting:
            assert wire.response().status == 200
            wire.socket.close()
        assert push(cluster, target).status == 200
        assert metric(cluster, "requests") == 0


def test_who_comes_while_each_connection_has_a_request_is_503_and_closed():
    with limited(["management.full"], connections=2) as cluster:
        with WebSocket(cluster.websocket) as client:
            target = client.row_id(cluster)
            with stopped(cluster, "edge-0"):
                waiting = [Wire(cluster.management) for _ in range(2)]
                for wire in waiting:
                    wire.send(post(target))
                until(lambda: metric(cluster, "requests") == 2, "they wait")
                with Wire(cluster.management) as late:
                    answer = late.response()
                    assert answer.status == 503
                    assert answer.headers["retry-after"] == "1"
                    assert late.is_closed()
                assert refused(cluster, "connections") == 1
            for wire in waiting:
                assert wire.response().status == 200
                wire.socket.close()
            assert push(cluster, target).status == 200


def test_an_asker_that_does_not_wait_for_its_answer_is_not_read():
    with limited() as cluster, WebSocket(cluster.websocket) as client:
        target = client.row_id(cluster)
        with Wire(cluster.management) as wire:
            wire.socket.settimeout(0.5)
            with stopped(cluster, "edge-0"):
                wire.send(request("GET", f"/@connections/{target}"))
                until(lambda: metric(cluster, "requests") == 1, "it waits")
                with pytest.raises(TimeoutError):
                    wire.send(b"x" * 30_000_000)
                assert metric(cluster, "bytes") < 100_000


def fill(cluster, n):
    """Rows of the one edge; the list of 10,000 is about 7 MB."""
    row = json.dumps({"connectedAt": 1, "sourceIp": "10.0.0.7", "userAgent": "x" * 600})
    with cluster.redis() as db:
        (lease,) = db.scan_iter("*:lease")
        edge = int(re.search(rb"{e(\d+)}", lease)[1])
        ids = [base64.urlsafe_b64encode(struct.pack(">HI5x", edge, i)) for i in range(n)]
        db.hset(lease.replace(b":lease", b":connections"), mapping={i: row for i in ids})


def lister(cluster, receive_buffer=4096):
    wire = Wire(cluster.management, receive_buffer)
    wire.send(request("GET", "/@connections?limit=10000"))
    return wire


def test_lists_that_nobody_reads_hold_no_more_memory_than_they_may():
    """Each of them, 7 MB, was made and kept."""
    with limited(memory="16MiB") as cluster, WebSocket(cluster.websocket) as client:
        target = client.row_id(cluster)
        fill(cluster, 10000)
        first = lister(cluster)
        until(lambda: metric(cluster, "bytes") > 1 << 20, "it has its list, and does not read")
        before, most, wires = rss(cluster), 0, [first]
        for _ in range(30):
            wires.append(lister(cluster))
            most = max(most, metric(cluster, "bytes"))
            assert push(cluster, target).status == 200
            assert client.next() == "x"
        begins = [wire.socket.recv(12, socket.MSG_PEEK) for wire in wires]
        no = [wire.response() for wire, begin in zip(wires, begins) if begin == b"HTTP/1.1 503"]
        full = [answer for answer in no if b"No memory" in answer.body]
        # On a slow machine Redis does not give a table of 7 MB to all in time.
        assert len(no) > 15 and full and refused(cluster, "memory") == len(full)
        assert full[0].headers["retry-after"] == "1"
        assert max(most, metric(cluster, "bytes")) < 24 << 20
        assert rss(cluster) - before < 64 << 20
        for wire in wires:
            wire.socket.close()
        until(lambda: metric(cluster, "bytes") == 0, "they are gone with all they held")
        with lister(cluster, None) as late:
            assert late.response().status == 200


def test_who_does_not_read_a_list_in_time_is_cut_and_holds_nothing_any_more():
    with limited(timeout="1s") as cluster, WebSocket(cluster.websocket):
        fill(cluster, 10000)
        with lister(cluster):
            until(lambda: metric(cluster, "bytes") > 1 << 20, "it does not read")
            until(lambda: metric(cluster, "bytes") == 0, "it is cut")
            assert refused(cluster, "late") == 1


def test_a_list_that_is_larger_than_all_memory_is_made_when_it_is_alone():
    with limited(memory="1MiB") as cluster, WebSocket(cluster.websocket):
        fill(cluster, 10000)
        with lister(cluster, None) as wire:
            assert wire.response().status == 200
