"""Processes die, and freeze: no client notices, and each message is answered once and in order."""

import os
import signal
import threading
import time

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket
from lib.wire import SECONDS, TEXT, WebSocket, frame

ECHO = ["--default-route", "builtin:echo"]
DEATHS = ["process.exited", "link.down", "up.*", "redis.down", "health.*", "edge.expired"]
LEASE = 3
SILENCE = 1.5


@pytest.fixture
def cluster(request):
    """Brokers are missed soon. Edges are not, unless the test is about that: on a busy machine a
    lease of seconds may lapse while brokers are started again, and then clients are closed.
    """
    env = {"GATEPOST_SILENCE": f"{SILENCE * 1000:.0f}ms", "GATEPOST_HEARTBEAT": "300ms"}
    env |= getattr(request, "param", {})
    expect = [*DEATHS, "broker.stopped"]
    with Cluster(edges=2, brokers=2, args=ECHO, expect=expect, env=env) as it:
        yield it


def connect(cluster, n):
    return [WebSocket(cluster.websocket) for _ in range(n)]


def kill(cluster, name, how=signal.SIGKILL):
    pid = cluster.process(name)["pid"]
    os.kill(pid, how)
    return pid


def is_restarted(cluster, name, pid):
    until(lambda: cluster.process(name)["pid"] != pid, f"{name} is started again")


def homes(cluster):
    """How many edges each broker serves, and how many brokers each edge has."""
    return [
        *(cluster.metrics(f"broker-{i}")["gatepost_broker_edges"] for i in range(2)),
        *(cluster.metrics(f"edge-{i}")["gatepost_edge_brokers"] for i in range(2)),
    ]


def handled(cluster, name):
    return cluster.metrics(name)['gatepost_broker_events_total{kind="message"}']


def has_nothing_to_read(client):
    client.socket.setblocking(False)
    try:
        client.socket.recv(1)
    except BlockingIOError:
        return True
    finally:
        client.socket.settimeout(SECONDS)
    return False


def test_1000_clients_that_wait_do_not_notice_the_death_of_a_broker(cluster):
    clients = connect(cluster, 1000)
    pid = kill(cluster, "broker-0")
    for i, client in enumerate(clients):
        client.say(f"message {i}")
    for i, client in enumerate(clients):
        assert client.next() == f"message {i}"
    is_restarted(cluster, "broker-0", pid)
    until(lambda: homes(cluster) == [2, 2, 2, 2], "all are linked again")
    assert len(cluster.table()) == 1000
    for client in clients:
        client.say("and again")
    for client in clients:
        assert client.next() == "and again"
        assert has_nothing_to_read(client)
        client.socket.close()
    assert handled(cluster, "broker-0") > 0, "the new one has clients of its own"
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


@pytest.mark.parametrize("name", ["broker-0", "broker-1"])
def test_messages_under_way_at_the_death_of_a_broker_are_answered_once_and_in_order(cluster, name):
    clients = connect(cluster, 50)
    for client in clients:
        client.send(*(frame(TEXT, f"{i} {'x' * 100}") for i in range(100)))
    pid = kill(cluster, name)
    for client in clients:
        client.send(*(frame(TEXT, f"{i} {'x' * 100}") for i in range(100, 200)))
    for client in clients:
        assert [int(client.next().split()[0]) for _ in range(200)] == list(range(200))
    is_restarted(cluster, name, pid)
    for client in clients:
        assert client.ask("last") == "last"
        assert has_nothing_to_read(client)
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def test_deaths_in_turn_while_messages_flow_lose_and_repeat_nothing(cluster):
    clients = connect(cluster, 20)
    said = 0
    for name in ("broker-0", "broker-1", "broker-0"):
        until(lambda: homes(cluster) == [2, 2, 2, 2], "all are linked")
        pid = kill(cluster, name)
        while cluster.process(name)["pid"] == pid:
            for client in clients:
                client.say(str(said))
            for client in clients:
                assert client.next() == str(said)
            said += 1
    for client in clients:
        assert has_nothing_to_read(client)
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def test_a_frozen_broker_is_ignored_and_says_nothing_twice_when_it_thaws(cluster):
    clients = connect(cluster, 100)
    began = time.monotonic()
    pid = kill(cluster, "broker-0", signal.SIGSTOP)
    for client in clients:
        client.send(*(frame(TEXT, str(i)) for i in range(10)))
    for client in clients:
        assert [client.next() for _ in range(10)] == [str(i) for i in range(10)]
    took = time.monotonic() - began
    # 2 s more were the rule; a busy machine may need some to answer a thousand messages at all.
    assert 1 < took < SILENCE + 2 + 5
    os.kill(pid, signal.SIGCONT)
    until(lambda: homes(cluster) == [2, 2, 2, 2], "it is linked again")
    for client in clients:
        assert client.ask("next") == "next"
        assert has_nothing_to_read(client)
    assert cluster.process("broker-0")["pid"] == pid
    for client in clients:
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def test_clients_connect_and_leave_while_a_broker_is_dead(cluster):
    stay, leave = connect(cluster, 20), connect(cluster, 20)
    pid = kill(cluster, "broker-1")
    for client in leave:
        client.reset()
    new = connect(cluster, 20)
    for client in stay + new:
        assert client.ask("hello") == "hello"
    agents = {client.agent for client in stay + new}
    until(
        lambda: {row["userAgent"] for row in cluster.table().values()} == agents,
        "the table has those who are here",
    )
    is_restarted(cluster, "broker-1", pid)
    for client in stay + new:
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def test_with_no_broker_clients_wait_and_are_answered_when_one_is_back(cluster):
    clients = connect(cluster, 20)
    pids = [kill(cluster, name) for name in ("broker-0", "broker-1")]
    for client in clients:
        client.send(*(frame(TEXT, str(i)) for i in range(100)))
    for client in clients:
        assert [client.next() for _ in range(100)] == [str(i) for i in range(100)]
    for i, pid in enumerate(pids):
        is_restarted(cluster, f"broker-{i}", pid)
    for client in clients:
        assert client.ask("last") == "last"
        assert has_nothing_to_read(client)
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


@pytest.mark.parametrize("cluster", [{"GATEPOST_EDGE_LEASE": f"{LEASE}s"}], indirect=True, ids=[""])
def test_the_death_of_an_edge_is_noticed_by_its_own_clients_alone(cluster):
    clients = connect(cluster, 20)
    edges = {client: client.row_id(cluster)[:3] for client in clients}
    pid = kill(cluster, "edge-0")
    died = time.monotonic()
    gone = [client for client in clients if not is_alive(client)]
    stay = [client for client in clients if client not in gone]
    assert 0 < len(gone) < 20, "each edge has some of them"
    assert len({edges[client] for client in gone}) == 1
    assert len({edges[client] for client in stay}) == 1
    agents = {client.agent for client in stay}
    until(
        lambda: {row["userAgent"] for row in cluster.table().values()} == agents,
        "the table has those who stay",
    )
    # The promise is lease + 2 s, and bench/ measures it; without a reaper it would be for ever.
    assert time.monotonic() - died < LEASE + 2 + 5
    is_restarted(cluster, "edge-0", pid)
    until(lambda: homes(cluster) == [2, 2, 2, 2], "the new one is linked")
    for client in [*stay, *connect(cluster, 20)]:
        assert client.ask("hello") == "hello"
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def is_alive(client):
    """Is the next message answered?"""
    try:
        return client.ask("hello") == "hello"
    except (ConnectionResetError, BrokenPipeError, EOFError):
        return False


def test_a_broker_that_is_told_to_end_hands_over_and_no_client_notices(cluster):
    clients = connect(cluster, 100)
    pid = kill(cluster, "broker-0", signal.SIGTERM)
    for i in range(50):
        for client in clients:
            client.say(str(i))
        for client in clients:
            assert client.next() == str(i)
    is_restarted(cluster, "broker-0", pid)
    for client in clients:
        assert has_nothing_to_read(client)
        client.socket.close()
    until(lambda: cluster.table() == {}, "the table is empty when all have gone")


def test_a_broker_that_was_stopped_does_not_blame_functions_for_its_own_absence(tmp_path):
    """It took ten timeouts that its own stop had caused for a function that is away, and let it rest."""
    env = {"GATEPOST_SILENCE": "1s", "GATEPOST_HEARTBEAT": "200ms"}
    with FunctionServer() as functions:
        ready = threading.Event()

        def answer(call):
            ready.wait(20)
            return proxy(200, "done")

        functions.answer("say", answer)
        say = function(functions.url("say"), websocket("$default", two_way=True), timeout=2)
        args = ["--config", project(tmp_path, {"say": say})]
        expect = [*DEATHS, "broker.stopped", "function.failed"]
        with Cluster(edges=1, brokers=1, args=args, expect=expect, env=env) as cluster:
            clients = connect(cluster, 20)
            for client in clients:
                client.say("hello")
            until(lambda: len(functions.calls("say")) == 20, "all are under way")
            pid = kill(cluster, "broker-0", signal.SIGSTOP)
            began = time.monotonic()
            until(lambda: time.monotonic() > began + 4, "their time is over while it stands still")
            ready.set()
            os.kill(pid, signal.SIGCONT)
            assert [client.next() for client in clients] == ["done"] * 20
            assert "function.circuit_open" not in cluster.log()
            for client in clients:
                client.socket.close()
