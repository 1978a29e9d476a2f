"""What must hold of channels whatever breaks between edges and brokers: interest, gaps, once."""

import concurrent.futures
import itertools
import os
import signal
import threading
import time

import pytest

from lib.channel_client import ChannelClient, channel, position, since
from lib.cluster import Cluster, until
from lib.mesh import Mesh, config
from lib.proxy import Proxy
from lib.redis_server import RedisServer, free_port

NAMESPACES = {"room": {"history": {"size": 1000}}, "plain": {}}
DEATHS = ["process.exited", "link.*", "up.*", "redis.*", "health.*", "edge.*", "broker.stopped"]
BEAT = 1
BUSY = 1  # seconds that a busy machine may need besides


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """An edge and two brokers; each test leaves them linked."""
    with Mesh(tmp_path_factory.mktemp("mesh"), NAMESPACES) as it:
        yield it


@pytest.fixture
def whole(mesh):
    """The mesh; both brokers know all, and do so again after the test."""
    yield mesh
    for i in range(2):
        mesh.ways[i].go_on()
        mesh.mend(i)
    for i in range(2):
        until(lambda i=i: mesh.is_linked(i) and is_complete(mesh, i), "it is linked again")


def is_complete(mesh, i):
    return mesh.metric(mesh.brokers[i], "gatepost_broker_interest_complete ") == 1


def published(mesh, i, name, data, **more):
    status, answer = mesh.publish(i, name, data, **more)
    assert status == 200, answer
    return answer


def lose(mesh, i):
    mesh.cut(i)
    until(lambda: mesh.is_alone(i), "it has lost its edge")


# Interest


def test_after_the_ack_of_a_subscribe_a_publish_by_any_broker_reaches_the_subscriber(whole):
    reader = ChannelClient(whole.websocket())
    for _ in range(20):
        for namespace in NAMESPACES:
            name = channel(namespace)
            reader.ok("subscribe", name)
            for i in range(2):
                published(whole, i, name, i)
            assert {f["data"] for f in reader.frames(2)} == {0, 1}
    reader.idle()


def test_a_subscribe_is_not_acknowledged_while_a_linked_broker_has_not_confirmed_it(whole):
    """Neither end knows that the network is cut; the ack comes once the edge has given it up."""
    reader = ChannelClient(whole.websocket())
    reader.ok("subscribe", channel("plain"))
    downs = whole.edges[0].log().count("link.down")
    whole.ways[1].hold()
    reader.insists("subscribe", channel("plain"))
    assert whole.edges[0].log().count("link.down") > downs
    whole.ways[1].go_on()


def test_a_broker_that_lost_its_link_refuses_a_publish_without_history_as_retryable(whole):
    name = channel("plain")
    reader = ChannelClient(whole.websocket())
    reader.ok("subscribe", name)
    lose(whole, 1)
    status, answer = whole.publish(1, name, "lost")
    assert (status, answer["code"], answer["retryable"]) == (503, "unavailable", True)
    published(whole, 0, name, "by the other")
    assert reader.frame()["data"] == "by the other"
    whole.mend(1)
    until(lambda: whole.publish(1, name, "again")[0] == 200, "it publishes again")
    assert reader.frame()["data"] == "again"
    reader.idle()


def test_a_subscribe_without_a_link_to_each_broker_is_acknowledged_and_misses_nothing(whole):
    name = channel("plain")
    reader = ChannelClient(whole.websocket())
    lose(whole, 1)
    reader.ok("subscribe", name)
    for n in range(10):
        whole.mend(1) if n == 5 else None
        status, answer = whole.publish(1, name, n)
        assert status == 200 or answer["retryable"] is True, answer
        if status == 200:
            assert reader.frame()["data"] == n
    published(whole, 0, name, "last")
    assert reader.frame()["data"] == "last"


def test_a_publish_without_history_waits_for_a_link_that_comes_back_soon(whole):
    name = channel("plain")
    reader = ChannelClient(whole.websocket())
    reader.ok("subscribe", name)
    lose(whole, 1)
    whole.mend(1)
    until(lambda: whole.is_linked(1), "it is linked")
    published(whole, 1, name, "in time")
    assert reader.frame()["data"] == "in time"


def test_a_killed_edge_delays_no_publish_by_more_than_a_beat(tmp_path):
    args = ["--config", config(tmp_path, NAMESPACES)]
    with Cluster(edges=2, brokers=2, args=args, expect=DEATHS) as cluster:
        readers = [ChannelClient(cluster.websocket) for _ in range(8)]
        edges = [reader.row_id(cluster)[:3] for reader in readers]
        for reader in readers:
            reader.ok("subscribe", "room:k")
            reader.ok("subscribe", "plain:k")
        victims = {p["pid"]: p["name"] for p in cluster.processes if p["role"] == "edge"}
        pid = next(iter(victims))
        os.kill(pid, signal.SIGKILL)
        took, sent = [], 0
        brokers = [p["management"] for p in cluster.processes if p["role"] == "broker"]
        end = time.monotonic() + 4 * BEAT
        while time.monotonic() < end:
            for namespace in NAMESPACES:
                began = time.monotonic()
                url = f"{brokers[sent % 2]}/channels/{namespace}:k"
                status, _ = cluster.get(url, "POST", b'{"data":%d}' % sent)
                took.append(time.monotonic() - began)
                assert status == 200
            sent += 1
        assert max(took) < BEAT + BUSY
        living = [r for r in readers if is_open(r)]
        assert 0 < len(living) < len(readers)
        assert len({edges[readers.index(r)] for r in living}) == 1
        for reader in living:
            came = {"room": [], "plain": []}
            for frame in reader.frames(2 * sent):
                came[frame["channel"].split(":")[0]].append(frame["data"])
            assert came["room"] == list(range(sent))
            assert sorted(came["plain"]) == list(range(sent)), "of two brokers, in any order"


def is_open(client):
    try:
        client.ok("ping")
    except (EOFError, ConnectionResetError, BrokenPipeError):
        return False
    return True


def test_a_broker_that_has_just_joined_loses_nothing(tmp_path):
    """From its first second on: who is subscribed before, and who subscribes meanwhile."""
    with Mesh(tmp_path, NAMESPACES, brokers=1, later=1) as mesh:
        reader = ChannelClient(mesh.websocket())
        old = channel("plain")
        reader.ok("subscribe", old)
        with mesh.broker(1) as new:
            mesh.brokers.append(new)
            new.told("MANAGEMENT")
            sent, refused = [], 0
            while len(sent) < 60:
                name = channel("plain")
                reader.insists("subscribe", name)
                for to in (old, name):
                    status, answer = mesh.publish(1, to, len(sent))
                    assert status == 200 or answer["retryable"], answer
                    sent += [(to, len(sent))] if status == 200 else []
                    refused += status != 200
            came = [reader.frame() for _ in sent]
            assert [(f["channel"], f["data"]) for f in came] == sent
            reader.idle()


# Gaps


def test_a_broker_without_its_link_publishes_with_history_and_the_edge_fills_the_gap(whole):
    """No later message shows the hole: the regular comparison does."""
    name = channel("room")
    reader = ChannelClient(whole.websocket())
    reader.ok("subscribe", name)
    published(whole, 1, name, 0)
    assert reader.frame()["data"] == 0
    lose(whole, 1)
    acks = [published(whole, 1, name, n) for n in (1, 2, 3)]
    frames = reader.frames(3)
    assert [f["data"] for f in frames] == [1, 2, 3]
    assert [position(f) for f in frames] == [position(a) for a in acks]
    reader.idle()


def test_a_gap_is_filled_when_the_link_is_back_without_a_later_message(whole):
    name, quiet = channel("room"), channel("room")
    reader = ChannelClient(whole.websocket())
    reader.ok("subscribe", name)
    reader.ok("subscribe", quiet)
    for i in range(2):
        lose(whole, i)
    for n in range(5):
        published(whole, n % 2, name, n)
    whole.mend(0)
    assert [f["data"] for f in reader.frames(5)] == list(range(5))
    reader.idle()


def test_a_gap_that_cannot_be_filled_is_a_reset(whole):
    name = channel("room")
    reader = ChannelClient(whole.websocket())
    at = reader.ok("subscribe", name)
    for i in range(2):
        lose(whole, i)
    for n in range(3):
        last = published(whole, 0, name, n)
    with whole.store.client() as db:
        (history,) = [key for key in db.keys("*:history") if name.encode() in key]
        db.delete(history)
    whole.mend(0)
    frame = reader.frame()
    assert (frame["type"], frame["reason"], frame["recovered"]) == ("reset", "trimmed", False)
    assert position(frame) == position(last)
    reader.ok("unsubscribe", name)
    assert reader.ok("subscribe", name, since=since(at))["recovered"] is False


# Once


def test_a_publish_whose_broker_dies_after_the_append_keeps_its_offset(tmp_path):
    """Redis has it, and its answer is on the way for longer than the broker lives."""
    with RedisServer(tmp_path / "redis", free_port()) as store, Proxy(store.start().port) as way:
        args = ["--redis", f"redis://127.0.0.1:{way.port}", "--config", config(tmp_path, NAMESPACES)]
        env = {"GATEPOST_REDIS_TIMEOUT": "30s"}
        with (
            Cluster(edges=1, brokers=1, args=args, expect=DEATHS, env=env) as cluster,
            store.client() as db,
        ):
            reader, writer = (ChannelClient(cluster.websocket) for _ in range(2))
            for client in (reader, writer):
                client.ok("subscribe", "room:once")
            pid = cluster.process("broker-0")["pid"]
            way.delay = 3
            with concurrent.futures.ThreadPoolExecutor() as pool:
                ack = pool.submit(writer.ok, "publish", "room:once", data="one")
                (key,) = until(lambda: db.keys("*{room:once}:history"), "it is appended")
                os.kill(pid, signal.SIGKILL)
                way.delay = 0
                assert ack.result()["offset"] == 1
            assert db.llen(key) == 1
            assert writer.ok("publish", "room:once", data="two")["offset"] == 2
            for client in (reader, writer):
                assert [f["data"] for f in client.frames(2)] == ["one", "two"]
                client.idle()


def test_publishes_under_way_at_the_deaths_of_brokers_are_appended_once_each(tmp_path):
    args = ["--config", config(tmp_path, {"room": {"history": {"size": 100000}}})]
    with Cluster(edges=2, brokers=2, args=args, expect=DEATHS) as cluster:
        reader = ChannelClient(cluster.websocket)
        reader.ok("subscribe", "room:all")
        writers = [ChannelClient(cluster.websocket) for _ in range(10)]
        acks, frames, is_over = {}, [], threading.Event()

        def write(number):
            for n in itertools.takewhile(lambda _: not is_over.is_set(), itertools.count()):
                ack = writers[number].insists("publish", "room:all", data=[number, n])
                acks[number, n] = ack["offset"]

        def read():
            while not frames or frames[-1]["data"] != "end":
                frames.append(reader.frame())

        with concurrent.futures.ThreadPoolExecutor() as pool:
            try:
                reading = pool.submit(read)
                writing = [pool.submit(write, i) for i in range(len(writers))]
                for name in ("broker-0", "broker-1", "broker-0"):
                    wait_for_more(acks)
                    pid = cluster.process(name)["pid"]
                    os.kill(pid, signal.SIGKILL)
                    until(lambda name=name, pid=pid: cluster.process(name)["pid"] != pid, "is back")
                wait_for_more(acks)
            finally:
                is_over.set()
            for it in writing:
                it.result()
            writers[0].insists("publish", "room:all", data="end")
            reading.result()
        assert frames.pop()["offset"] == len(acks) + 1
        assert [f["offset"] for f in frames] == list(range(1, len(acks) + 1))
        assert {tuple(f["data"]): f["offset"] for f in frames} == acks
        reader.idle()


def wait_for_more(acks):
    before = len(acks)
    until(lambda: len(acks) >= before + 50, "publishing goes on")


# Processes that stand still


QUICK = {"GATEPOST_SILENCE": "1500ms", "GATEPOST_HEARTBEAT": "300ms"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """As mesh; a process that says nothing is missed soon."""
    with Mesh(tmp_path_factory.mktemp("quick"), NAMESPACES, env=QUICK) as it:
        yield it


@pytest.mark.parametrize("turn", range(3))
def test_a_broker_that_stood_still_publishes_to_who_subscribed_meanwhile_or_refuses(quick, turn):
    """The request waits in its socket, and is the first thing that it reads."""
    name = channel("plain")
    reader = ChannelClient(quick.websocket())
    downs = quick.edges[0].log().count("link.down")
    os.kill(quick.brokers[1].pid, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            asked = [pool.submit(quick.publish, 1, name, n) for n in range(5)]
            until(lambda: quick.edges[0].log().count("link.down") > downs, "it is missed")
            reader.insists("subscribe", name)
        finally:
            os.kill(quick.brokers[1].pid, signal.SIGCONT)
        answers = [it.result() for it in asked]
    assert all(status == 200 or answer["retryable"] for status, answer in answers), answers
    kept = {n for n, (status, _) in enumerate(answers) if status == 200}
    assert kept == {reader.frame()["data"] for _ in kept}
    until(lambda: quick.is_linked(1) and is_complete(quick, 1), "it is linked again")
    published(quick, 1, name, "after")
    assert reader.frame()["data"] == "after"


def test_an_edge_that_stood_still_delivers_all_that_has_history_in_order(quick):
    """More than the links have credit for, and then the links are given up."""
    name, n = channel("room"), 300
    reader = ChannelClient(quick.websocket())
    reader.ok("subscribe", name)
    os.kill(quick.edges[0].pid, signal.SIGSTOP)
    try:
        for i in range(n):
            published(quick, i % 2, name, [i, "x" * 10000])
        until(lambda: quick.is_alone(0) and quick.is_alone(1), "it is missed")
        published(quick, 0, name, [n, ""])
    finally:
        os.kill(quick.edges[0].pid, signal.SIGCONT)
    assert [f["data"][0] for f in reader.frames(n + 1)] == list(range(n + 1))
    reader.idle()
