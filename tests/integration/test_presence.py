"""Presence: who is in a channel, also when processes and Redis do not stay as they are."""

import json
import os
import signal
import time

import pytest

from lib.channel_client import ChannelClient, channel
from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, websocket

ACTIONS = ["subscribe", "unsubscribe", "publish", "presence", "ping"]
LEASE = 3
TIMES = {
    "GATEPOST_EDGE_LEASE": f"{LEASE}s",
    "GATEPOST_SILENCE": "1s",
    "GATEPOST_HEARTBEAT": "200ms",
}
# The promise is lease + 2 s; the machine may be busy with other tests.
BOUND = LEASE + 2 + 5
LOSSES = ["process.exited", "link.down", "edge.expired", "up.*", "store.changed", "resync.failed"]
INTERVAL = 0.2


def guard(call):
    """Lets everybody in: the user that the header names, with what is behind it as info."""
    user, _, info = call.event["headers"]["Auth"].partition(";")
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    return Reply(200, json.dumps({
        "principalId": user,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"info": info} if info else {},
    }))  # fmt: skip


def config(folder, functions):
    functions.answer("guard", guard)
    anyone = {"subscribe": "anyone", "publish": "anyone"}

    def presence(**more):
        return {**anyone, "presence": {"members": True, "events": "200ms", "grace": "0s"} | more}

    authorizer = {"name": "guard", "identitySource": "route.request.header.Auth"}
    return project(
        folder,
        {
            "channels": function("builtin:channels", *map(websocket, ACTIONS)),
            "hello": function(functions.url("hello"), websocket("$connect", authorizer=authorizer)),
            "guard": function(functions.url("guard")),
        },
        channels={
            "room": presence(),
            "slow": presence(grace="3s"),
            "quiet": presence(events="0s"),
            "plain": anyone,
        },
    )


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(scope="module")
def cluster(functions, tmp_path_factory):
    args = ["--config", config(tmp_path_factory.mktemp("presence"), functions)]
    with Cluster(edges=2, brokers=2, args=args) as it:
        yield it


def connect(cluster, user="", info=""):
    return ChannelClient(cluster.websocket, Auth=f"{user};{info}")


def counts(client, name):
    answer = client.ok("presence", name, limit=0)
    assert answer["members"] == []
    return answer["connections"], answer["users"]


def users_of(members):
    return sorted(member.get("user", "") for member in members)


def changes(client, done):
    """Frames of presence, until done is true of all users that have joined and all that have left."""
    joined, left, frames = [], [], []
    while not done(joined, left):
        frames.append(client.frame())
        assert frames[-1]["type"] == "presence"
        joined += users_of(frames[-1].get("joined", []))
        left += users_of(frames[-1].get("left", []))
    return frames


def watch(cluster, name):
    """Somebody who gets the frames of the channel, its own join among them."""
    watcher = connect(cluster, "watcher")
    watcher.ok("subscribe", name, presence=True)
    changes(watcher, lambda joined, _: "watcher" in joined)  # perhaps with one before it
    return watcher


# What is read


def test_counts_are_of_connections_and_of_users(cluster):
    name = channel("room")
    clients = [connect(cluster, user) for user in ("ann", "ann", "bob", "", "")]
    for client in clients:
        client.ok("subscribe", name)
    assert counts(clients[0], name) == (5, 2)
    clients[0].ok("unsubscribe", name)
    assert counts(clients[1], name) == (4, 2)
    clients[1].ok("unsubscribe", name)
    assert counts(clients[0], name) == (3, 1)
    clients[0].ok("unsubscribe", name)
    assert counts(clients[0], name) == (3, 1)


def test_members_come_in_pages_with_their_info_each_once(cluster):
    name = channel("room")
    clients = [connect(cluster, f"u{i}", f"seat {i}") for i in range(7)]
    for client in clients:
        client.ok("subscribe", name)
    members, cursor = [], {}
    while True:
        page = clients[0].ok("presence", name, limit=3, **cursor)
        assert len(page["members"]) <= 3 and page["connections"] == 7
        members += page["members"]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert users_of(members) == [f"u{i}" for i in range(7)]
    assert {m["user"]: m["info"] for m in members} == {f"u{i}": f"seat {i}" for i in range(7)}
    assert len({m["connection"] for m in members}) == 7


def test_the_management_api_reads_the_same(cluster):
    name = channel("room")
    clients = [connect(cluster, user) for user in ("ann", "")]
    for client in clients:
        client.ok("subscribe", name)
    status, body = cluster.get(f"{cluster.management}/channels/{name}/presence")
    answer = json.loads(body)
    assert status == 200 and (answer["connections"], answer["users"]) == (2, 1)
    assert users_of(answer["members"]) == ["", "ann"]
    assert any(m.keys() == {"connection"} for m in answer["members"]), "anonymous"
    _, body = cluster.get(f"{cluster.management}/channels?prefix={name}")
    (row,) = [c for c in json.loads(body)["channels"] if c["channel"] == name]
    assert (row["connections"], row["users"]) == (2, 1)


def test_a_namespace_without_presence_has_none_to_read(cluster):
    name = channel("plain")
    client = connect(cluster, "ann")
    client.ok("subscribe", name, presence=True)
    client.fails("not_available", "presence", name)
    client.idle()


# What is told


def test_joins_and_leaves_of_an_interval_are_one_frame(cluster):
    name = channel("room")
    watcher = watch(cluster, name)
    clients = [connect(cluster, f"u{i}") for i in range(5)]
    for client in clients:
        client.ok("subscribe", name)
    frames = changes(watcher, lambda joined, _: len(joined) == 5)
    assert (frames[-1]["connections"], frames[-1]["users"]) == (6, 6)
    clients[0].ok("unsubscribe", name)
    clients[1].socket.close()
    frames = changes(watcher, lambda _, left: sorted(left) == ["u0", "u1"])
    assert frames[-1]["connections"] == 4


def test_a_storm_of_joins_is_at_most_one_frame_an_interval(cluster):
    name = channel("room")
    clients = [connect(cluster, f"u{i}") for i in range(60)]
    began = time.monotonic()
    watchers = [watch(cluster, name) for _ in range(3)]
    for client in clients:
        client.say(json.dumps({"action": "subscribe", "channel": name}))
    for watcher in watchers:
        frames = changes(watcher, lambda joined, _: len(set(joined) - {"watcher"}) == 60)
        assert len(frames) <= (time.monotonic() - began) / INTERVAL + 1
        assert frames[-1]["connections"] == 63


def test_without_frames_in_the_namespace_reads_still_work(cluster):
    name = channel("quiet")
    client = connect(cluster, "ann")
    client.ok("subscribe", name, presence=True)
    assert counts(client, name) == (1, 1)
    client.idle()


# Grace


@pytest.mark.parametrize("ending", ["unsubscribe", "close"])
def test_a_user_who_is_back_within_the_grace_has_neither_left_nor_joined(cluster, ending):
    name = channel("slow")
    watcher = watch(cluster, name)
    ann = connect(cluster, "ann")
    ann.ok("subscribe", name)
    changes(watcher, lambda joined, _: joined == ["ann"])
    if ending == "unsubscribe":
        ann.ok("unsubscribe", name)
    else:
        ann.socket.close()
        ann = connect(cluster, "ann")
    ann.ok("subscribe", name)
    connect(cluster, "bob").ok("subscribe", name)
    (frame,) = changes(watcher, lambda joined, _: joined == ["bob"])
    assert "ann" not in users_of(frame.get("left", []))
    until(lambda: counts(watcher, name) == (3, 3), "she is there once")


def test_a_user_who_is_not_back_within_the_grace_has_left(cluster):
    name = channel("slow")
    watcher = watch(cluster, name)
    ann = connect(cluster, "ann")
    ann.ok("subscribe", name)
    changes(watcher, lambda joined, _: joined == ["ann"])
    ann.ok("unsubscribe", name)
    began = time.monotonic()
    changes(watcher, lambda _, left: left == ["ann"])
    assert time.monotonic() - began > 2
    assert counts(watcher, name) == (1, 1)


# Losses


def living(clients):
    """Those whose edge is there."""
    alive = []
    for client in clients:
        try:
            client.ok("ping")
            alive.append(client)
        except (EOFError, ConnectionResetError, BrokenPipeError):
            client.socket.close()
    return alive


def test_a_killed_edge_and_an_emptied_redis_leave_no_ghosts_and_lose_nobody(functions, tmp_path):
    name = channel("room")
    args = ["--config", config(tmp_path, functions)]
    with Cluster(edges=2, brokers=2, args=args, expect=LOSSES, env=TIMES) as cluster:
        clients = [connect(cluster, f"u{i}") for i in range(30)]
        for client in clients:
            client.ok("subscribe", name)
        assert counts(clients[0], name) == (30, 30)
        os.kill(cluster.process("edge-0")["pid"], signal.SIGKILL)
        began = time.monotonic()
        alive = living(clients)
        assert 0 < len(alive) < 30
        until(lambda: counts(alive[0], name) == (len(alive),) * 2, "the others have left", BOUND)
        assert time.monotonic() - began < BOUND
        with cluster.redis() as db:
            db.flushall()
        until(lambda: counts(alive[0], name) == (len(alive),) * 2, "all are there again")
        members = alive[0].ok("presence", name)["members"]
        assert len({m["connection"] for m in members}) == len(alive)
        for client in alive[1:]:
            client.ok("unsubscribe", name)
        assert counts(alive[0], name) == (1, 1)
