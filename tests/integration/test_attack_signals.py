"""Signals and shortages from outside the protocols: what other programs send by mistake, and attacks
that take all descriptors. A process serves who is there, names the cause, and recovers by itself.
"""

import os
import resource
import signal
from contextlib import ExitStack, contextmanager

import pytest

from lib import zmtp
from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, http, project, proxy, websocket
from lib.process import Process, descriptors
from lib.redis_server import RedisServer
from lib.wire import WebSocket, Wire, request
from lib.wire import http as exchange

FEW = 20  # descriptors that a process may still open
ATTACK = 60  # connections


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with FunctionServer() as functions:
        functions.answer("work", proxy(200, "done"))
        config = project(tmp_path_factory.mktemp("signals"), {
            "work": function(functions.url("work"), http("get", "work")),
            "echo": function("builtin:echo", websocket("$default", two_way=True)),
        })  # fmt: skip
        with Cluster(edges=1, brokers=1, args=["--config", config]) as it:
            yield it


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        yield it


def pid(cluster, name):
    return cluster.process(name)["pid"]


@pytest.mark.parametrize("name", ["edge-0", "broker-0"])
@pytest.mark.parametrize("what", ["SIGHUP", "SIGPIPE", "SIGWINCH", "SIGCHLD", "SIGCONT", "SIGURG"])
def test_a_signal_that_is_not_for_it_ends_no_connection(cluster, client, name, what):
    """SIGHUP, which brokers want for a reload, ended an edge without a close frame."""
    before = pid(cluster, name)
    for _ in range(100):
        os.kill(before, getattr(signal, what))
    assert client.ask("hello") == "hello"
    assert exchange(cluster.http, request(target="/dev/work"))[0].body == b"done"
    assert pid(cluster, name) == before


@pytest.mark.parametrize("name", ["edge-0", "broker-0"])
def test_a_process_that_was_stopped_for_a_moment_answers_what_came_meanwhile(cluster, client, name):
    os.kill(pid(cluster, name), signal.SIGSTOP)
    for i in range(100):
        client.say(str(i))
    os.kill(pid(cluster, name), signal.SIGCONT)
    assert [client.next() for _ in range(100)] == [str(i) for i in range(100)]


@contextmanager
def few_descriptors(it):
    """The process of that id may open no more than FEW."""
    soft, hard = resource.prlimit(it, resource.RLIMIT_NOFILE)
    resource.prlimit(it, resource.RLIMIT_NOFILE, (descriptors(it) + FEW, hard))
    try:
        yield
    finally:
        resource.prlimit(it, resource.RLIMIT_NOFILE, (soft, hard))


def test_an_edge_without_descriptors_serves_who_is_there_and_accepts_when_others_leave(
    cluster, client
):
    cluster.expect("listen.paused", "descriptors.short")
    edge = pid(cluster, "edge-0")
    before = descriptors(edge)
    with few_descriptors(edge):
        with ExitStack() as attack:
            for _ in range(ATTACK):
                attack.enter_context(Wire(cluster.http))
            until(lambda: "listen.paused" in cluster.log(), "the log names the cause")
            assert client.ask("hello") == "hello"
        with WebSocket(cluster.websocket) as late:
            assert late.ask("hello") == "hello"
        until(lambda: descriptors(edge) <= before, "all is given back")


def test_a_broker_without_descriptors_serves_who_is_there_and_recovers_when_peers_leave(tmp_path):
    """libzmq's accept took a whole core, and no line of the log named the cause. Over ipc, which only
    the same user reaches, libzmq aborts instead (ipc_listener.cpp takes EMFILE for impossible).
    """
    expect = ["descriptors.short", "function.*", "listen.*"]
    with RedisServer(tmp_path) as store, FunctionServer() as functions:
        store.start()
        functions.answer("work", proxy(200, "done"))
        config = project(tmp_path, {
            "work": function(functions.url("work"), http("get", "work")),
            "echo": function("builtin:echo", websocket("$default", two_way=True)),
        })  # fmt: skip
        flags = ["--config", config, "--redis", store.url, "--bind", "tcp://127.0.0.1:0",
                 "--management", "127.0.0.1:0"]  # fmt: skip
        with Process("gatepost-broker", *flags, expect=expect) as broker:
            endpoint = broker.told("ENDPOINT")
            flags = ["--listen", "127.0.0.1:0", "--brokers", endpoint, "--drain-delay", "0"]
            with Process("gatepost-edge", *flags) as edge:
                url = f"http://{edge.told('LISTEN')}/dev"
                with WebSocket(url) as client:
                    is_short_of_descriptors(broker, endpoint, client)
                    assert exchange(url, request(target="/dev/work"))[0].body == b"done"
                    assert "link.down" not in edge.log()


def is_short_of_descriptors(broker, endpoint, client):
    before = descriptors(broker.pid)
    with few_descriptors(broker.pid), ExitStack() as attack:
        for _ in range(ATTACK):
            attack.enter_context(zmtp.peer(endpoint, zmtp.SHAKEN))
        until(lambda: descriptors(broker.pid) >= before + FEW, "it has none left")
        assert client.ask("hello") == "hello"
        until(lambda: "descriptors.short" in broker.log(), "the log names the cause")
        assert client.ask("hello") == "hello"
        attack.close()
        until(lambda: descriptors(broker.pid) <= before, "all is given back")
