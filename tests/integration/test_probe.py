"""Readiness says when publications do not arrive, although links are up."""

import os
import signal
from contextlib import contextmanager

from lib.channel_client import ChannelClient, channel
from lib.cluster import Cluster, until
from lib.function_server import function, project, websocket

# A process that stands still, as on a host that swaps, is not taken for dead within this time.
PATIENT = {"GATEPOST_SILENCE": "2m", "GATEPOST_EDGE_LEASE": "5m"}
SECONDS = 60  # a probe is sent every 5 s, and two must be missed
ANYONE = {"subscribe": "anyone", "publish": "anyone"}


def readiness(cluster, name):
    """(status, body) of /readyz of this process."""
    url = cluster.process(name)["metrics"].removesuffix("/metrics")
    status, body = cluster.get(url + "/readyz")
    return status, body.decode().strip()


def is_ready(cluster, name):
    return readiness(cluster, name)[0] == 200


def probes(cluster, result):
    return cluster.metrics("broker-0")[f'gatepost_broker_delivery_probes_total{{result="{result}"}}']


@contextmanager
def stopped(cluster, name):
    pid = cluster.process(name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_path_that_does_not_deliver_turns_readiness_off_until_it_does(tmp_path):
    channels = function("builtin:channels", *map(websocket, ("subscribe", "publish", "ping")))
    config = project(tmp_path, {"channels": channels}, channels={"room": ANYONE})
    # Who was stopped has missed answers of Redis, too.
    expect = ["delivery.failed", "link.down", "edge.*", "redis.down", "broker.stopped"]
    with Cluster(1, 1, ["--config", config], expect, env=PATIENT) as cluster:
        until(lambda: probes(cluster, "delivered") > 0, "a probe is delivered", SECONDS)
        with stopped(cluster, "edge-0"):
            until(lambda: not is_ready(cluster, "broker-0"), "the broker is not ready", SECONDS)
            _, why = readiness(cluster, "broker-0")
            assert why == "delivery to edge-0 does not work"
            assert probes(cluster, "missed") >= 2
        until(lambda: is_ready(cluster, "broker-0"), "the broker is ready again", SECONDS)
        with stopped(cluster, "broker-0"):
            until(lambda: not is_ready(cluster, "edge-0"), "the edge is not ready", SECONDS)
            assert readiness(cluster, "edge-0")[1] == "publications of brokers do not arrive"
        for name in ("edge-0", "broker-0"):
            until(lambda n=name: is_ready(cluster, n), f"{name} is ready again", SECONDS)
        with ChannelClient(cluster.websocket) as client:
            name = channel("room")
            client.ok("subscribe", name)
            client.ok("publish", name, data=1)
            assert client.frame()["data"] == 1
            listed = cluster.get(f"{cluster.management}/channels")[1]
            assert name.encode() in listed and b"probe" not in listed
