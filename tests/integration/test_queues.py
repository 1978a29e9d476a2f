"""Each full queue of the table in docs/operations.md ("Queues") is counted where it says so.

Those that have tests of their own are in test_backpressure.py, test_limits.py, test_hostile.py
and test_management_limits.py.
"""

import os
import resource
import signal
import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.wire import TEXT, WebSocket, frame

BACKLOG = 4096  # of the edge's listening socket, if net.core.somaxconn is no less


class Gate:
    """Functions whose answers wait until it is opened."""

    def __init__(self, functions, *names):
        self._open = threading.Event()
        for name in names:
            functions.answer(name, self._wait)

    def _wait(self, _):
        self._open.wait(30)
        return proxy(200, "done")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.set()


@pytest.fixture
def functions():
    with FunctionServer() as it:
        yield it


@contextmanager
def running(folder, functions, expect=(), brokers=1, **env):
    routes = {
        "slow": function(functions.url("slow"), websocket("$default", two_way=True), timeout=25),
        "bye": function(functions.url("bye"), websocket("$disconnect")),
    }
    args = ["--config", project(folder, routes)]
    env = {f"GATEPOST_{name}": str(value) for name, value in env.items()}
    with Cluster(1, brokers, args, expect, env=env) as it:
        yield it


def metric(cluster, process, name):
    return cluster.metrics(process).get(f"gatepost_{name}", 0)


def say(client, n=1):
    client.send(*[frame(TEXT, b"hello")] * n)


def hears(client, n=1):
    assert [client.next() for _ in range(n)] == ["done"] * n


def come(address, n):
    """So many sockets that begin to connect, and wait for nothing."""
    sockets = []
    for _ in range(n):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(address)
        sockets.append(s)
    return sockets


def test_connections_that_the_kernel_dropped_for_a_full_queue_are_counted():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Cluster(edges=1, brokers=1) as cluster:
        at = urlsplit(cluster.websocket)
        assert metric(cluster, "edge-0", "edge_listen_dropped_total") == 0
        pid = cluster.process("edge-0")["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            sockets = come((at.hostname, at.port), BACKLOG + 100)
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: metric(cluster, "edge-0", "edge_accepted_total") > 1000, "they come in")
        assert metric(cluster, "edge-0", "edge_listen_dropped_total") >= 90
        for s in sockets:
            s.close()


def test_a_client_that_is_read_no_further_is_counted_once(functions, tmp_path):
    with running(tmp_path, functions, LANE_EVENTS=4) as cluster:
        with WebSocket(cluster.websocket) as client, Gate(functions, "slow"):
            say(client, 3)
            functions.next("slow")
            assert metric(cluster, "edge-0", "edge_held_back_total") == 0
            say(client, 20)
            until(lambda: metric(cluster, "edge-0", "edge_held_back_total") == 1, "it is held back")
        with WebSocket(cluster.websocket) as other:
            say(other)
            hears(other)


def test_events_that_wait_for_credit_are_counted(functions, tmp_path):
    with running(tmp_path, functions, CREDIT_EVENTS=16) as cluster:
        clients = [WebSocket(cluster.websocket) for _ in range(20)]
        before = metric(cluster, "edge-0", "edge_credit_waits_total")
        with Gate(functions, "slow"):
            for client in clients:
                say(client)
            waits = lambda: metric(cluster, "edge-0", "edge_credit_waits_total") - before
            until(lambda: waits() == 4, "four wait for the sixteen")
        for client in clients:
            hears(client)
            client.socket.close()


def test_an_invocation_over_http_too_many_is_counted(functions, tmp_path):
    expect = ["function.failed"]
    with running(tmp_path, functions, expect, HTTP_IN_FLIGHT=1) as cluster:
        first, second = WebSocket(cluster.websocket), WebSocket(cluster.websocket)
        with Gate(functions, "slow"):
            say(first)
            functions.next("slow")
            say(second)
            assert "Too Many Requests" in second.next()
        hears(first)
        throttled = 'broker_http_throttled_total{function="slow"}'
        assert metric(cluster, "broker-0", throttled) == 1
        first.socket.close()
        second.socket.close()


def test_disconnects_that_are_pending_are_seen_at_each_broker(functions, tmp_path):
    functions.answer("bye", Reply(500, "no"))
    with running(tmp_path, functions, ["function.*"], brokers=2) as cluster:
        owed = lambda i: metric(cluster, f"broker-{i}", "broker_disconnects_owed")
        for client in [WebSocket(cluster.websocket) for _ in range(5)]:
            client.socket.close()
        for i in range(2):
            until(lambda i=i: owed(i) == 5, f"broker-{i} shows five")
        functions.answer("bye", proxy(200))
        for i in range(2):
            until(lambda i=i: owed(i) == 0, f"broker-{i} shows none", 30)
