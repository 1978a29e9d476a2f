"""A broker and an edge without `gatepost up`: two names for one process, an end in a bad moment."""

import os
import re
import signal
import socket
import urllib.request

import pytest

from lib.cluster import PATIENCE, until
from lib.process import Process
from lib.redis_server import RedisServer


@pytest.fixture
def store(tmp_path):
    with RedisServer(tmp_path) as it:
        yield it.start()


def broker(store, *flags, **more):
    return Process("gatepost-broker", "--redis", store.url, "--management", "127.0.0.1:0",
                   *flags, **more)  # fmt: skip


def edge(*brokers, **more):
    return Process("gatepost-edge", "--listen", "127.0.0.1:0", "--brokers", ",".join(brokers),
                   **more)  # fmt: skip


def ping(edge):
    with urllib.request.urlopen(f"http://{edge.told('LISTEN')}/dev/ping", timeout=PATIENCE) as answer:
        return answer.read()


def gauge(process, name):
    with urllib.request.urlopen(process.told("METRICS") + "/metrics", timeout=PATIENCE) as answer:
        return int(re.search(rf"^{name} (\d+)$", answer.read().decode(), re.M)[1])


def test_a_broker_that_a_seed_names_otherwise_than_itself_has_one_link(store, tmp_path):
    """One socket with two names, as behind a service's address in Kubernetes."""
    own, seed = tmp_path / "own.sock", tmp_path / "seed.sock"
    seed.symlink_to(own)
    with (
        broker(store, "--bind", f"ipc://{own}", expect=["link.down"]) as b,
        edge(f"ipc://{seed}", expect=["link.down"]) as e,
    ):
        b.told("ENDPOINT")
        until(lambda: "same broker at another endpoint" in e.log(), "both names were tried")
        assert ping(e) == b"PONG!"  # over the link that the broker has kept: no link.refused
        assert gauge(e, "gatepost_edge_brokers") == 1
        assert e.log().count("link.up") == 2


def test_a_broker_ends_well_while_the_store_owes_it_the_answer_about_a_lease(store, tmp_path):
    endpoint = f"ipc://{tmp_path / 'broker.sock'}"
    slow = ("--redis-timeout", "30s", "--edge-lease", "4s")
    with (
        edge(endpoint, expect=["link.down"]) as e,
        broker(store, "--bind", endpoint, *slow) as b,
    ):
        assert ping(e) == b"PONG!"
        store.freeze()
        # One may be about the members; the other is about the edge's lease.
        until(lambda: gauge(b, "gatepost_redis_in_flight") >= 2, "both have been asked for")


def test_sighup_is_logged_and_ends_neither_an_edge_nor_a_broker_without_a_configuration(
    store, tmp_path
):
    endpoint = f"ipc://{tmp_path / 'broker.sock'}"
    with broker(store, "--bind", endpoint) as b, edge(endpoint) as e:
        assert ping(e) == b"PONG!"
        for process in (b, e):
            os.kill(process.pid, signal.SIGHUP)
            until(lambda: "signal.ignored" in process.log(), "it says that it ignored it")
        assert ping(e) == b"PONG!"
        assert e.log().count("link.up") == 1


def test_a_redis_with_an_ipv4_address_is_found_at_each_try(tmp_path):
    """A name is tried by IPv4 and IPv6 in turn; an address of one has none of the other."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        redis = f"127.0.0.1:{deaf.getsockname()[1]}"
        with Process(
            "gatepost-broker", "--redis", redis, "--bind", f"ipc://{tmp_path}/broker.sock",
            "--management", "127.0.0.1:0", "--log-level", "debug", expect=["redis.down"],
        ) as b:  # fmt: skip
            for _ in range(3):
                deaf.accept()[0].close()
            last, _ = deaf.accept()
            with last:
                assert b.log().count("from=down to=connecting") == 4
