"""Edges that are full, and connections that move to other edges after a scale-out."""

import os
import subprocess
import urllib.error
import urllib.request

import pytest

from lib.cluster import BIN, PATIENCE, until
from lib.place import Place
from lib.wire import WebSocket

CLIENTS = 12


@pytest.fixture
def place(tmp_path):
    with Place.begin(tmp_path) as it:
        yield it


def connect(edge):
    return WebSocket(f"ws://{edge.told('LISTEN')}/dev")


def ready(edge):
    try:
        with urllib.request.urlopen(edge.told("METRICS") + "/readyz", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode().strip()


def test_an_edge_that_is_full_is_not_ready_and_keeps_its_clients(place):
    with place.edge("--max-connections", "20", expect=["edge.full"]) as edge:
        clients = [connect(edge) for _ in range(20)]
        full = (503, "full: 20 connections, the maximum by --max-connections")
        until(lambda: ready(edge) == full, "it is not ready")
        metrics = edge.told("METRICS").removeprefix("http://")
        assert gatepost("health", GATEPOST_METRICS=metrics) == (1, full[1].split())
        assert gatepost("health", "--live", "--metrics", metrics) == (0, ["live"])
        assert gatepost("health", edge.told("METRICS") + "/livez") == (0, ["live"])
        assert clients[0].ask('{"action":"echo"}') == '{"action":"echo"}'
        clients.pop().reset()
        until(lambda: ready(edge)[0] == 200, "it is ready again at 95 %")
        assert "edge.full.over" in edge.log()


def test_a_drain_that_takes_longer_than_the_grace_is_a_warning_at_the_start(place):
    flags = ("--drain-delay", "5s", "--drain-timeout", "60s")
    with place.edge(*flags, "--grace", "30s", "--drain-rate", "1000", expect=["drain.too_long"]) as edge:
        until(lambda: "drain.too_long drain_at_most_ms=68000 grace_ms=30000" in edge.log(), "it warns")
        os.kill(edge.pid, 15)
        os.kill(edge.pid, 15)


def gatepost(*words, **env):
    words = [str(word) for word in (BIN / "gatepost", *words)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env={**os.environ, **env})
    assert done.stderr == "" or done.returncode != 0
    return done.returncode, done.stdout.split()


def shed(place, *words):
    return gatepost("shed", *words, GATEPOST_MANAGEMENT=place.broker.told("MANAGEMENT"))


def test_shed_to_average_moves_connections_to_a_new_edge(place):
    with place.edge(name="edge-0") as old, place.edge(name="edge-1") as new:
        until(new.is_ready, "both edges are linked")
        clients = [connect(old) for _ in range(CLIENTS)]
        assert shed(place) == (0, [str(CLIENTS), "edge-0", "0", "edge-1"])
        words = f"edge-0 closes {CLIENTS // 2} of {CLIENTS} connections".split()
        assert shed(place, "--to-average") == (0, words)
        until(lambda: len(place.disconnects()) == CLIENTS // 2, "half of them are told to go")
        assert set(map(tuple, place.disconnects().values())) == {(1012,)}
        clients += [connect(new) for _ in range(CLIENTS // 2)]
        assert shed(place) == (0, ["6", "edge-0", "6", "edge-1"])
        assert shed(place, "--to-average") == (0, [])
        assert shed(place, "edge-1", "50%") == (0, "edge-1 closes 3 of 6 connections".split())
        until(lambda: len(place.disconnects()) == CLIENTS // 2 + 3, "and half of those")
        assert shed(place, "edge-7", "3")[0] == 3
        assert shed(place, "edge-1")[0] == 2
