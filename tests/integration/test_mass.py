"""Thousands of clients vanish, or come, at once: who comes then is let in as ever."""

import json
import subprocess
import threading
from contextlib import contextmanager

from lib.cluster import BIN, Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket

MANY = 2500
SOON = 6  # seconds for a 101, with sanitizers on a busy machine; the disconnects take ten


def load(cluster, *flags):
    words = [BIN / "bench-load", "--json", "--settle", "0", "--url", cluster.websocket, *flags]
    return subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, text=True)


def report(child):
    text, _ = child.communicate(timeout=100)
    return json.loads(text)


@contextmanager
def many(cluster, *flags):
    """Connections that are in the table; the process that holds them may be killed."""
    child = load(cluster, "--connections", MANY, "--messages", 0, "--hold", "100s", *flags)
    try:
        until(lambda: rows(cluster) == MANY, "all are in the table", 60)
        yield child
    finally:
        child.kill()
        child.communicate()


def rows(cluster):
    with cluster.redis() as db:
        return sum(db.hlen(key) for key in db.scan_iter("*:connections"))


def test_newcomers_do_not_wait_for_the_disconnects_of_those_who_vanish(tmp_path):
    ended, lock = [], threading.Lock()
    pause = threading.Event()

    def on_disconnect(call):
        """A slow function: with 64 connections to it, the last is through after ten seconds."""
        pause.wait(0.25)
        with lock:
            ended.append(call.id)
        return proxy(200)

    with FunctionServer() as functions:
        functions.answer("ended", on_disconnect)
        path = project(tmp_path, {
            "ended": function(functions.url("ended"), websocket("$disconnect")),
            "echo": function("builtin:echo", websocket("echo", two_way=True)),
        })  # fmt: skip
        env = {"GATEPOST_CREDIT_EVENTS": "1024", "GATEPOST_HTTP_CONNECTIONS": "64"}
        with Cluster(edges=1, brokers=1, args=["--config", path], env=env) as cluster:
            with many(cluster, "--reset", "true") as victim:
                victim.kill()
                until(lambda: len(ended) > 0, "the first disconnects are handled")
                seen = report(load(cluster, "--connections", 50, "--messages", 1, "--rate", 50))
                done = len(ended)
            assert seen["clean"], seen["errors"]
            assert seen["connect"]["most_us"] < SOON * 1e6
            assert seen["echo"]["most_us"] < SOON * 1e6
            assert done < MANY, "they came while disconnects were waiting"
            pause.set()
            until(lambda: len(set(ended)) == MANY + 50, "each has its disconnect", 60)
            until(lambda: rows(cluster) == 0, "the table is empty")
            assert len(ended) == MANY + 50, "and none has two"


def test_all_who_connect_at_once_are_accepted():
    with Cluster(edges=2, brokers=2) as cluster:
        flags = ["--rate", 1_000_000, "--connecting", MANY]
        seen = report(load(cluster, "--connections", MANY, "--messages", 1, *flags))
        assert seen["clean"], seen["errors"]
        assert seen["connect"]["count"] == seen["echo"]["count"] == MANY
        until(lambda: rows(cluster) == 0, "the table is empty")
