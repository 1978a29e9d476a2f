"""One client, or a crowd of them, takes what it likes; others are served, and memory is counted."""

import os
import signal
import threading
import time

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket
from lib.wire import CONTINUATION, PING, TEXT, Close, Pong, WebSocket, Wire, close_frame, frame

READ = 64 << 10  # what one read of the edge brings
SLOW = frame(TEXT, '{"action":"slow"}')
PING_ME = '{"action":"ping"}'


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A cluster, and an event without which its function `slow` does not answer."""
    go_on = threading.Event()

    def answer(_):
        go_on.wait(60)
        return proxy(200, "done")

    with FunctionServer() as functions:
        functions.answer("slow", answer)
        path = project(tmp_path_factory.mktemp("fairness"), {
            "slow": function(
                functions.url("slow"), websocket("slow", two_way=True), timeout=29),
            "waits": function(functions.url("slow"), {"httpApi": "GET /slow"}, timeout=29),
            "ping": function("builtin:ping", websocket("ping", two_way=True)),
            "echo": function("builtin:echo", websocket("$default", two_way=True)),
        })  # fmt: skip
        env = {"GATEPOST_HELD_MEMORY": "64MiB", "GATEPOST_CREDIT_EVENTS": "64"}
        with Cluster(edges=1, brokers=1, args=["--config", path], env=env) as cluster:
            yield cluster, go_on
            go_on.set()


@pytest.fixture
def cluster(slow):
    it, go_on = slow
    go_on.clear()
    yield it
    go_on.set()
    until(lambda: gauge(it, "held_bytes") == 0, "all is given back")


@pytest.fixture
def go_on(slow):
    return slow[1]


def gauge(cluster, name):
    return cluster.metrics("edge-0")[f"gatepost_edge_{name}"]


def test_empty_messages_behind_a_slow_one_are_counted_and_all_are_answered(cluster, go_on):
    empty = frame(TEXT)
    n = (READ - len(SLOW)) // len(empty)
    edge = cluster.process("edge-0")["pid"]
    with WebSocket(cluster.websocket) as client:
        # The edge sleeps until all has come: awake it may read the first part of it alone, and then
        # rightly reads no further.
        os.kill(edge, signal.SIGSTOP)
        try:
            client.send(SLOW, empty * n)
        finally:
            os.kill(edge, signal.SIGCONT)
        until(lambda: gauge(cluster, "held_bytes") > 50_000, "what is not parsed is counted")
        assert gauge(cluster, "held_bytes") < 2 * READ
        assert cluster.metrics("edge-0")["gatepost_edge_messages_received_total"] < n / 10
        go_on.set()
        assert client.hear() == "done"
        for _ in range(n):
            assert client.hear() == ""
        assert client.ask(PING_ME) == "PONG!"


def test_control_frames_behind_what_is_not_parsed_are_answered_in_order(cluster, go_on):
    with WebSocket(cluster.websocket) as client:
        client.send(SLOW, frame(TEXT, "x") * 100, frame(PING, b"?"), frame(TEXT, "y"),
                    frame(TEXT, "z", fin=False), frame(CONTINUATION, "!"),
                    close_frame(4000, "bye"), frame(TEXT, "too late"))  # fmt: skip
        until(lambda: gauge(cluster, "held_back_total") > 0, "it is read no further")
        go_on.set()
        said = [client.next() for _ in range(105)]
        assert said[0] == "done"
        assert Pong(b"?") in said
        assert [x for x in said if x != Pong(b"?")] == ["done"] + ["x"] * 100 + ["y", "z!"] + [
            Close(4000, "")
        ]
        assert client.is_closed()


def test_what_is_not_parsed_is_given_back_when_the_socket_breaks(cluster):
    clients = [WebSocket(cluster.websocket) for _ in range(10)]
    for client in clients:
        client.send(SLOW, frame(TEXT) * 9000)
    until(lambda: gauge(cluster, "held_bytes") > 400_000, "they are counted")
    for client in clients:
        row = client.row_id(cluster)
        assert cluster.get(f"{cluster.management}/@connections/{row}", "DELETE")[0] == 204
        client.reset()
    until(lambda: gauge(cluster, "held_bytes") < 100_000, "the rest is forgotten")


def test_an_edge_that_drains_answers_what_it_has_read(tmp_path):
    """Also what goes beyond --lane-events; the close frame comes last."""
    args = ["--default-route", "builtin:echo"]
    env = {"GATEPOST_LANE_EVENTS": "1", "GATEPOST_DRAIN_DELAY": "0"}
    with Cluster(edges=1, brokers=1, args=args, env=env, expect=["process.*"]) as cluster:
        broker = cluster.process("broker-0")["pid"]
        with WebSocket(cluster.websocket) as client:
            assert client.ask("hello") == "hello"
            os.kill(broker, signal.SIGSTOP)
            try:
                client.send(frame(TEXT, "x") * 500)
                until(lambda: gauge(cluster, "held_bytes") > 500 * 7 / 2, "it has come")
                os.kill(cluster.process("edge-0")["pid"], signal.SIGTERM)
                until(lambda: gauge(cluster, "draining") == 1, "it drains")
            finally:
                os.kill(broker, signal.SIGCONT)
            assert [client.hear() for _ in range(500)] == ["x"] * 500
            assert client.hear() == Close(1012, "Service Restart")


def test_a_client_with_all_that_it_may_have_under_way_leaves_credit_to_newcomers(cluster):
    """Of 64 events 48 are for those who have more than one at a time."""
    crowd = [WebSocket(cluster.websocket) for _ in range(6)]
    for client in crowd:
        client.send(SLOW, frame(TEXT, PING_ME) * 500)
    waits = "gatepost_edge_credit_waits_total"
    until(lambda: cluster.metrics("edge-0")[waits] > 0, "some wait for credit")
    for _ in range(20):
        began = time.monotonic()
        with WebSocket(cluster.websocket) as client:
            assert client.ask(PING_ME) == "PONG!"
        assert time.monotonic() - began < 2
    for client in crowd:
        client.reset()


def test_a_plain_client_that_hangs_up_while_its_function_runs_is_let_go(cluster):
    with Wire(cluster.websocket) as client:
        client.send(b"GET /dev/slow HTTP/1.1\r\nHost: h\r\n\r\n")
        until(lambda: cluster.metrics("broker-0")["gatepost_broker_lanes"] == 1, "it is asked")
        address = client.socket.getsockname()
    until(lambda: not is_connected(cluster, address[1]), "its socket is closed", 10)


def is_connected(cluster, port):
    """Is there a socket of the edge whose peer has this port?"""
    pid = cluster.process("edge-0")["pid"]
    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return any(r[2].endswith(f":{port:04X}") and r[3] in ("01", "08") for r in rows)
