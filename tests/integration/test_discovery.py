"""Edges find brokers by a name with many addresses, as of a headless Service in Kubernetes."""

import contextlib
import re
import urllib.request

import pytest

from lib.cluster import PATIENCE, until
from lib.name_server import NameServer, is_allowed, with_resolv_conf
from lib.process import Process, free_ports
from lib.redis_server import RedisServer

NAME = "gatepost-brokers.test"


def linked(edge):
    with urllib.request.urlopen(edge.told("METRICS") + "/metrics", timeout=PATIENCE) as answer:
        return int(re.search(r"^gatepost_edge_brokers (\d+)$", answer.read().decode(), re.M)[1])


def ping(edge):
    with urllib.request.urlopen(f"http://{edge.told('LISTEN')}/dev/ping", timeout=PATIENCE) as answer:
        return answer.read()


@pytest.fixture
def names(tmp_path):
    file = tmp_path / "resolv.conf"
    with NameServer() as it:
        file.write_text(it.resolv_conf)
        it.file = file
        if not is_allowed(file):
            pytest.skip("a mount namespace is not allowed here")
        yield it


@pytest.fixture
def store(tmp_path):
    with RedisServer(tmp_path) as it:
        yield it.start()


def test_an_edge_links_to_each_address_of_a_name_and_dns_ends_no_link(names, store, tmp_path):
    port = free_ports(1)

    def broker(n):
        # What it advertises leads nowhere: so a link is one that DNS has led to.
        return Process("gatepost-broker", "--name", f"broker-{n}", "--redis", store.url,
                       "--management", "127.0.0.1:0", "--bind", f"tcp://127.0.0.{n}:{port}",
                       "--advertise", f"ipc://{tmp_path}/nobody-{n}.sock")  # fmt: skip

    def asked_again():
        before = names.asked
        until(lambda: names.asked >= before + 3, "it has resolved the name again")

    names.addresses[NAME] = ["127.0.0.1", "127.0.0.2"]
    edge = Process("gatepost-edge", "--listen", "127.0.0.1:0", "--resolve", "200ms",
                   "--brokers", f"tcp://{NAME}:{port}", before=with_resolv_conf(names.file),
                   expect=["link.down", "brokers.unresolved"])  # fmt: skip
    with contextlib.ExitStack() as brokers:
        for n in (1, 2):
            brokers.enter_context(broker(n)).told("ENDPOINT")
        with edge:
            until(lambda: linked(edge) == 2, "both addresses are linked")
            with broker(3) as third:
                third.told("ENDPOINT")
                names.addresses[NAME] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
                until(lambda: linked(edge) == 3, "an address that appears is linked")
                names.is_out = True
                until(lambda: "brokers.unresolved" in edge.log(), "the name server is out")
                asked_again()
                assert linked(edge) == 3 and ping(edge) == b"PONG!"
                names.addresses[NAME] = ["127.0.0.1", "127.0.0.2"]
                names.is_out = False
                asked_again()
                assert linked(edge) == 3, "a broker that has left DNS serves until it leaves"
                assert edge.log().count("link.down") == 0
            until(lambda: linked(edge) == 2, "the broker that has left is not linked any more")
            assert ping(edge) == b"PONG!"
