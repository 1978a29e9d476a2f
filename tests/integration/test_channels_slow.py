"""A subscriber that does not read: what its channel's policy leaves it, and that nobody else waits."""

import json
import threading

import pytest

from lib.channel_client import ChannelClient, act, channel, position
from lib.cluster import Cluster
from lib.mesh import config
from lib.wire import Close

SIZE = 60_000
MANY = 400  # 24 MB: more than an outbox and the sockets on the way hold
NAMESPACES = {
    policy: {"slow": policy, "history": {"size": 10, "bytes": "16MiB"}}
    for policy in ("disconnect", "drop-oldest", "latest")
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    args = ["--config", config(tmp_path_factory.mktemp("slow"), NAMESPACES)]
    with Cluster(edges=1, brokers=2, args=args) as it:
        yield it


def slow_and_healthy(cluster, policy):
    """What a slow client gets at last; a healthy one has had each message before the next."""
    name = channel(policy)
    slow = ChannelClient(cluster.websocket, receive_buffer=4096)
    healthy, writer = ChannelClient(cluster.websocket), ChannelClient(cluster.websocket)
    for client in (slow, healthy):
        client.ok("subscribe", name)
    acks = []
    for n in range(MANY):
        acks.append(writer.ok("publish", name, data=[n, "x" * SIZE]))
        frame = healthy.frame()
        assert (position(frame), frame["data"][0]) == (position(acks[-1]), n)
    healthy.idle()
    return slow, acks


def counted(cluster, policy):
    return cluster.metrics("edge-0")[f'gatepost_edge_channel_slow_total{{policy="{policy}"}}']


def until_last(slow):
    """(offsets of messages, resets with the number of messages before each)"""
    offsets, resets = [], []
    while not offsets or offsets[-1] < MANY:
        frame = slow.frame()
        if frame["type"] == "reset":
            resets.append((len(offsets), frame))
        else:
            offsets.append(frame["offset"])
    return offsets, resets


@pytest.mark.parametrize("policy", ["drop-oldest", "latest"])
def test_a_slow_subscriber_is_told_where_its_channel_dropped_and_gets_the_newest(cluster, policy):
    before = counted(cluster, policy)
    slow, acks = slow_and_healthy(cluster, policy)
    offsets, resets = until_last(slow)
    slow.idle()
    dropped = MANY - len(offsets)
    assert dropped > 0 and counted(cluster, policy) - before == dropped
    holes = [i for i in range(1, len(offsets)) if offsets[i] != offsets[i - 1] + 1]
    assert [i for i, _ in resets] == holes, "each hole is told, and nothing else"
    for i, reset in resets:
        assert (reset["reason"], reset["recovered"]) == ("slow", False)
        assert position(reset) == (acks[0]["epoch"], offsets[i] - 1)
    kept = len(offsets) - holes[-1]
    assert kept == 1 if policy == "latest" else 1 < kept <= 64


def test_a_slow_subscriber_is_closed_with_4408_when_its_channel_says_disconnect(cluster):
    before = counted(cluster, "disconnect")
    slow, _ = slow_and_healthy(cluster, "disconnect")
    offsets = []
    while not isinstance(got := slow.hear(), Close):
        offsets.append(json.loads(got)["offset"])
    assert (got.code, got.reason) == (4408, "slow consumer")
    assert offsets == list(range(1, len(offsets) + 1)) and len(offsets) < MANY
    assert counted(cluster, "disconnect") - before == 1


def test_a_healthy_subscriber_is_not_cut_by_a_burst_of_ten_megabytes(cluster):
    """The publisher waits for no ack, so the edge has more at once than an outbox holds."""
    name, n, before = channel("disconnect"), 200, counted(cluster, "disconnect")
    readers = [ChannelClient(cluster.websocket) for _ in range(4)]
    for reader in readers:
        reader.ok("subscribe", name)
    came = [[] for _ in readers]

    def read(i):
        came[i] = [frame["data"][0] for frame in readers[i].frames(n)]

    threads = [threading.Thread(target=read, args=(i,)) for i in range(len(readers))]
    for thread in threads:
        thread.start()
    writer = ChannelClient(cluster.websocket)
    asked = [act("publish", name, data=[i, "x" * SIZE]) for i in range(n)]
    for action in asked:
        writer.say(json.dumps(action))
    for action in asked:
        assert writer.answer(action["id"])["type"] == "ack"
    for thread in threads:
        thread.join()
    assert came == [list(range(n))] * len(readers)
    assert counted(cluster, "disconnect") == before
