"""What must hold of channels when Redis forgets, goes back, evicts, stops, or is a node of a cluster."""

import json
import re
import shutil
import time

import pytest

from lib.channel_client import ChannelClient, act, channel, position, since
from lib.cluster import ROOT, until
from lib.mesh import Mesh
from lib.redis_server import CLUSTER, RedisServer, free_port
from lib.wire import Close, close_frame

NAMESPACES = {
    "room": {"history": {"size": 1000}},
    "plain": {},
    "rated": {"limits": {"userRate": "100/s"}},
    "here": {"presence": {"members": True, "events": "100ms", "grace": "100ms"}},
}
BUSY = 1.5  # seconds that a busy machine may need besides


@pytest.fixture
def mesh(tmp_path):
    with Mesh(tmp_path, NAMESPACES, env={"GATEPOST_REDIS_TIMEOUT": "500ms"}) as it:
        yield it


def offset_of(stored):
    """Of a position, as channel_position.lua packs it."""
    return int.from_bytes(stored[:8], "big")


def position_key(db, name):
    (key,) = db.keys("*{" + name + "}:position")
    return key


# Redis forgets, or goes back


def come_back(mesh):
    """A new client, unless it is told to come again."""
    try:
        return ChannelClient(mesh.websocket())
    except ConnectionRefusedError as e:
        assert "status=503" in str(e) and "'retry-after': '1'" in str(e)

class Flushed:
    """Emptied, and started again."""

    def __init__(self, mesh, folder):
        self.mesh = mesh

    def keep(self):
        pass

    def go_back(self):
        with self.mesh.store.client() as db:
            db.flushall()
        self.mesh.store.end()
        self.mesh.store.start()


class FlushedAlive:
    """Emptied by a command; it is the same process."""

    def __init__(self, mesh, folder):
        self.mesh = mesh

    def keep(self):
        pass

    def go_back(self):
        with self.mesh.store.client() as db:
            db.flushall()


class Restored:
    """Started with what its files were a while ago."""

    def __init__(self, mesh, folder):
        self.mesh = mesh
        self.files, self.copy = folder / "redis" / "appendonlydir", folder / "copy"

    def keep(self):
        shutil.copytree(self.files, self.copy)

    def go_back(self):
        self.mesh.store.end()
        shutil.rmtree(self.files)
        shutil.copytree(self.copy, self.files)
        self.mesh.store.start()


class FailedOver:
    """A replica is the master, and it has not had the last writes."""

    def __init__(self, mesh, folder):
        self.mesh = mesh
        more = ["--replicaof", "127.0.0.1", mesh.store.port]
        self.other = RedisServer(folder / "replica", free_port(), more)
        self.other.start()

    def keep(self):
        with self.mesh.store.client() as db, self.other.client() as replica:
            until(lambda: replica.info("replication")["master_link_status"] == "up", "it is linked")
            until(lambda: db.wait(1, 1000) == 1, "it has all")
            replica.replicaof("NO", "ONE")

    def go_back(self):
        self.mesh.to_store.turn_to(self.other.port)

    def close(self):
        self.other.end()


@pytest.fixture(params=[Flushed, FlushedAlive, Restored, FailedOver], ids=lambda how: how.__name__)
def fault(request, mesh, tmp_path):
    it = request.param(mesh, tmp_path)
    yield it
    if hasattr(it, "close"):
        it.close()


def test_a_redis_that_forgets_or_goes_back_begins_a_new_epoch_and_all_are_told(mesh, fault):
    name, left = channel("room"), channel("room")
    reader, writer = ChannelClient(mesh.websocket()), ChannelClient(mesh.websocket())
    begin = reader.ok("subscribe", name)
    early = [writer.ok("publish", to, data=n) for to in (name, left) for n in range(5)]
    fault.keep()
    late = [writer.ok("publish", name, data=n) for n in range(5, 10)]
    had = {position(f): f["data"] for f in reader.frames(10)}
    assert {position(a) for a in (*early[:5], *late)} == set(had)

    fault.go_back()
    acks = [writer.insists("publish", name, data=n) for n in range(10, 13)]
    assert not had.keys() & {position(a) for a in acks}, "a position is of one message"
    assert begin["epoch"] not in {a["epoch"] for a in acks}
    frames = []
    while not frames or frames[-1].get("data") != 12:
        frames.append(reader.frame())
    resets = [f for f in frames if f["type"] == "reset"]
    assert resets and all((r["reason"], r["recovered"]) == ("epoch", False) for r in resets)
    assert frames[0] is resets[0], "the reset comes before the messages of the new epoch"
    messages = [f for f in frames if f["type"] == "message"]
    assert [(position(f), f["data"]) for f in messages][-1] == (position(acks[-1]), 12)
    told = {position(a): n for a, n in zip(acks, range(10, 13))}
    assert all(told[position(f)] == f["data"] for f in messages)
    for old in (begin, late[0], late[-1]):
        again = until(lambda: come_back(mesh), "a new client is let in")
        assert again.insists("subscribe", name, since=since(old))["recovered"] is False
    for old in (early[5], early[-1]):
        again = until(lambda: come_back(mesh), "a new client is let in")
        assert again.insists("subscribe", left, since=since(old))["recovered"] is False


def test_a_position_that_went_back_is_never_acknowledged_under_what_was_delivered(mesh):
    """The memory says it is the same: what edges have had proves that it is not."""
    name = channel("room")
    reader, writer = ChannelClient(mesh.websocket()), ChannelClient(mesh.websocket())
    reader.ok("subscribe", name)
    acks = [writer.ok("publish", name, data=n) for n in range(10)]
    had = {position(f) for f in reader.frames(10)}
    with mesh.store.client() as db:
        key = position_key(db, name)
        db.setrange(key, 0, (4).to_bytes(8, "big"))
        assert offset_of(db.get(key)) == 4
        db.ltrim(key.replace(b":position", b":history"), 0, 3)
    ack = writer.ok("publish", name, data="new")
    assert position(ack) not in had and ack["epoch"] > acks[0]["epoch"]
    reset, message = reader.frames(2)
    assert (reset["type"], reset["reason"]) == ("reset", "epoch")
    assert (position(message), message["data"]) == (position(ack), "new")
    again = ChannelClient(mesh.websocket())
    assert again.ok("subscribe", name, since=since(acks[2]))["recovered"] is False


def test_a_redis_that_is_the_master_for_the_second_time_does_not_believe_its_first(mesh, tmp_path):
    """It was a replica in between, and lost what it had written last; no process was restarted."""
    name = channel("room")
    writer = ChannelClient(mesh.websocket())
    other = RedisServer(tmp_path / "other", free_port())
    with other, mesh.store.client() as first:
        other.start()
        with other.client() as second:
            writer.ok("publish", name, data="of the first")
            becomes_replica(second, mesh.store.port)
            second.replicaof("NO", "ONE")
            mesh.to_store.turn_to(other.port)
            at = writer.insists("publish", name, data="kept")
            becomes_replica(first, other.port)
            first.replicaof("NO", "ONE")
            lost = writer.insists("publish", name, data="lost")
            assert position(lost) == (at["epoch"], at["offset"] + 1)
            mesh.to_store.turn_to(mesh.store.port)
            until(lambda: cluster_id(first) != cluster_id(second), "it has an id of its own")
            becomes_replica(second, mesh.store.port)
            second.replicaof("NO", "ONE")
            mesh.to_store.turn_to(other.port)
            client = until(lambda: come_back(mesh), "a new client is let in")
            assert client.insists("subscribe", name, since=since(at))["recovered"] is False
            again = writer.insists("publish", name, data="new")
            assert again["epoch"] > at["epoch"]


def becomes_replica(db, port):
    db.replicaof("127.0.0.1", port)
    until(lambda: db.info("replication")["master_link_status"] == "up", "it has all")


def cluster_id(db):
    (key,) = db.keys("*:cluster")
    return db.get(key)


def test_an_evicted_key_never_makes_publishing_fail(mesh):
    name = channel("room")
    reader, writer = ChannelClient(mesh.websocket()), ChannelClient(mesh.websocket())
    at = reader.ok("subscribe", name)
    for what in ("position", "history"):
        writer.ok("publish", name, data="before")
        assert reader.frame()["data"] == "before"
        with mesh.store.client() as db:
            db.delete(position_key(db, name).replace(b":position", b":" + what.encode()))
        ack = writer.ok("publish", name, data="after")
        frame = reader.frame()
        if what == "position":
            assert (frame["type"], frame["reason"]) == ("reset", "epoch")
            frame = reader.frame()
        assert (position(frame), frame["data"]) == (position(ack), "after")
        again = ChannelClient(mesh.websocket())
        assert again.ok("subscribe", name, since=since(at))["recovered"] is False
        at = ack
    reader.idle()


def test_another_policy_than_noeviction_is_warned_of_at_start_and_when_it_changes(tmp_path):
    redis = ["--maxmemory-policy", "allkeys-lru"]
    with Mesh(tmp_path, NAMESPACES, brokers=1, redis=redis) as mesh:
        (broker,) = mesh.brokers

        def said(policy, level="warn"):
            return re.search(rf"{level} \S+ redis\.policy policy={policy}\b", broker.log())

        until(lambda: said("allkeys-lru"), "it is warned of at start")
        assert 'hint="set maxmemory-policy noeviction' in broker.log()
        with mesh.store.client() as db:
            db.config_set("maxmemory-policy", "noeviction")
            until(lambda: said("noeviction", "info"), "it is seen that it is right")
            db.config_set("maxmemory-policy", "volatile-lru")
            until(lambda: said("volatile-lru"), "it is warned of when it changes")
        assert broker.log().count("redis.policy") == 3


def test_a_publish_whose_answer_was_lost_is_delivered_and_its_key_is_known(mesh):
    """Redis has appended it after the broker had given it up: nothing was sent to the edge."""
    name = channel("room")
    reader, writer = ChannelClient(mesh.websocket()), ChannelClient(mesh.websocket())
    reader.ok("subscribe", name)
    for i in range(2):
        assert mesh.publish(i, name, "before")[0] == 200  # Redis has the script now
        assert reader.frame()["data"] == "before"
    mesh.to_store.delay = 1
    with mesh.store.client() as db:
        failed = writer.fails("unavailable", "publish", name, data="once", key="k")
        assert failed["retryable"] is True
        until(lambda: offset_of(db.get(position_key(db, name))) == 3, "it is appended")
        mesh.to_store.delay = 0
    assert reader.frame()["data"] == "once"
    assert writer.insists("publish", name, data="once", key="k")["duplicate"] is True
    writer.insists("publish", name, data="next")
    assert reader.frame()["data"] == "next"


# Redis stops


def test_while_redis_stands_still_closing_goes_on_and_reads_fail_soon(mesh):
    """Closing waits for nothing, and what needs no store works."""
    stay, *leave = [ChannelClient(mesh.websocket()) for _ in range(20)]
    for client in (stay, *leave):
        for namespace in ("room", "here", "plain"):
            client.ok("subscribe", f"{namespace}:stop")
    mesh.store.freeze()
    try:
        for action, name in [("history", "room:stop"), ("presence", "here:stop")] * 5:
            began = time.monotonic()
            answer = stay.fails("unavailable", action, name)
            assert answer["retryable"] is True
            assert time.monotonic() - began < 1 + BUSY
        for client in leave:
            client.ok("unsubscribe", "room:stop")
            client.send(close_frame(1000))
            assert client.hear() == Close(1000, "") and client.is_closed()
        stay.insists("subscribe", "plain:new")
        for n in range(5):
            stay.insists("publish", "plain:new", data=n)
        assert [f["data"] for f in messages_of(stay, "plain:new", 5)] == list(range(5))
        assert stay.fails("unavailable", "publish", "room:stop", data=1)["retryable"] is True
    finally:
        mesh.store.go_on()
    stay.insists("publish", "room:stop", data="again")
    assert messages_of(stay, "room:stop", 1)[0]["data"] == "again"


def messages_of(client, name, n):
    found = []
    while len(found) < n:
        frame = client.frame()
        if frame["type"] == "message" and frame["channel"] == name:
            found.append(frame)
    return found


# Keys


def test_each_key_of_a_channel_has_its_hash_tag_and_a_node_of_redis_cluster_takes_all(tmp_path):
    """A node refuses a script that touches keys of different slots, or has them in its KEYS."""
    with Mesh(tmp_path, NAMESPACES, redis=CLUSTER) as mesh:
        client, other = ChannelClient(mesh.websocket()), ChannelClient(mesh.websocket())
        for namespace in NAMESPACES:
            client.ok("subscribe", f"{namespace}:tag")
            other.ok("subscribe", f"{namespace}:tag")
            client.ok("publish", f"{namespace}:tag", data=1, key="k", version=3, tags={"a": "b"})
            assert client.ok("publish", f"{namespace}:tag", data=1, key="k")["duplicate"] is True
        crowd = [ChannelClient(mesh.websocket()) for _ in range(20)]
        for offset in range(1, 6):
            asked = [act("publish", f"room:{n}:tag", data=n) for n in range(len(crowd))]
            for writer, publish in zip(crowd, asked):
                writer.say(json.dumps(publish))
            acks = [w.answer(publish["id"]) for w, publish in zip(crowd, asked)]
            assert [(a["type"], a.get("offset")) for a in acks] == [("ack", offset)] * len(crowd)
        client.ok("history", "room:tag")
        assert client.ok("presence", "here:tag")["connections"] == 2
        other.ok("unsubscribe", "here:tag")
        until(lambda: client.ok("presence", "here:tag")["connections"] == 1, "the grace is over")
        with mesh.store.client() as db:
            keys = [key.decode() for key in db.keys("*") if b":tag" in key]
        assert {key.partition("}:")[2].partition(":")[0] for key in keys} >= {
            "position", "history", "key", "events", "members", "order",
        }  # fmt: skip
        for key in keys:
            assert re.search(r"\{([^}]*)\}", key)[1].endswith(":tag"), key


def test_every_key_that_a_script_touches_is_one_of_its_keys():
    """The first argument of each command is KEYS[n], and the head of the script names as many.

    A script that takes several has the keys of each from KEYS[k] on.
    """
    for path in (ROOT / "store").glob("*.lua"):
        text = path.read_text()
        code = re.sub(r"--.*", "", text)
        keyless = {"TIME", "INFO"}
        one = r"(?:redis\.p?|(?<![.\w]))call\("
        calls = re.findall(one + r"'(\w+)'(?:,\s*([^,)]+))?", code)
        assert len(calls) == len(re.findall(one, code)), path.name
        key = r"KEYS\[(?:[\di]|k(?: \+ (?:\d|keys - 1))?)\]"
        for command, first in calls:
            assert command in keyless or re.fullmatch(key, first), (path.name, command)
        used = {int(n) for n in re.findall(r"KEYS\[(\d)\]", code)}
        used |= {int(n) + 1 for n in re.findall(r"KEYS\[k \+ (\d)\]", code)}
        if "KEYS[k + keys - 1]" in code:
            used.add(max(used) + 1)
        if used:
            head = re.search(r"^-- KEYS (.*?)(?:\s{2,}.*)?$", text, re.MULTILINE)[1]
            assert max(used) == len(head.split(",")), path.name
        else:
            assert "KEYS" not in code, path.name
