"""500 clients that are cut and come back at random points while publishing goes on.

Each ends with the complete sequence, or was told where it is not: recovered: false, or a reset.
"""

import asyncio
import json
import random

import pytest
from websockets.asyncio.client import connect

from lib.cluster import Cluster
from lib.mesh import config
from lib.redis_server import RedisServer

CLIENTS = 500
MESSAGES = 80
CUTS = 2  # of each client
NAME = "room:all"
SECONDS = 100
EXPECTED = ["redis.*", "store.*", "resync.failed", "edge.*", "link.*", "health.*"]


class Member:
    """What one client has seen, over all its connections."""

    def __init__(self, url, dice):
        self.url, self.dice = url, dice
        self.position = None  # (epoch, offset)
        self.got = {}  # (epoch, offset) -> data
        self.breaks = []  # (from, to): what it was told that it has missed
        self.errors = []

    def move(self, epoch, offset):
        self.position = epoch, offset

    def take(self, frame):
        epoch, offset = self.position
        match frame["type"]:
            case "message":
                if (frame["epoch"], frame["offset"]) != (epoch, offset + 1):
                    self.errors.append(f"at {self.position} came {frame}")
                self.move(frame["epoch"], frame["offset"])
                self.got[self.position] = frame["data"]
            case "reset":
                self.breaks.append((self.position, (frame["epoch"], frame["offset"])))
                self.move(frame["epoch"], frame["offset"])
            case _:
                self.errors.append(f"unexpected: {frame}")

    async def subscribe(self, socket):
        asked = {"action": "subscribe", "channel": NAME, "id": 1}
        if self.position:
            asked["since"] = dict(zip(("epoch", "offset"), self.position))
        while True:
            await socket.send(json.dumps(asked))
            answer = json.loads(await socket.recv())
            if answer["type"] == "ack":
                break
            assert answer["retryable"], answer
            await asyncio.sleep(0.2)
        at = answer["epoch"], answer["offset"]
        if not self.position:
            self.move(*at)
        elif not answer["recovered"]:
            self.breaks.append((self.position, at))
            self.move(*at)
        elif at[0] != self.position[0]:
            self.errors.append(f"recovered over epochs: {self.position} {answer}")
        return at

    async def read(self, frames, is_done):
        """One connection, which is cut after so many frames; None: it stays."""
        async with connect(self.url, proxy=None, max_size=None, ping_interval=None) as socket:
            await self.subscribe(socket)
            while frames != 0 and not is_done(self):
                try:
                    frame = await asyncio.wait_for(socket.recv(), 0.5)
                except TimeoutError:
                    continue  # is it done?
                self.take(json.loads(frame))
                frames = None if frames is None else frames - 1
            socket.transport.abort()

    async def live(self, is_done):
        for _ in range(CUTS):
            await self.read(self.dice.choice((0, self.dice.randrange(MESSAGES // CUTS))), is_done)
        await self.read(None, is_done)


class Publisher:
    def __init__(self, url):
        self.url = url
        self.acked = {}  # position -> data
        self.last = None

    async def publish(self, socket, data):
        while True:
            await socket.send(
                json.dumps({"action": "publish", "channel": NAME, "data": data, "id": data})
            )
            answer = json.loads(await socket.recv())
            if answer["type"] == "ack":
                self.last = answer["epoch"], answer["offset"]
                assert self.last not in self.acked, "a position is acknowledged once"
                self.acked[self.last] = data
                return
            assert answer["retryable"], answer
            await asyncio.sleep(0.1)

    async def run(self, middle):
        async with connect(self.url, proxy=None) as socket:
            for data in range(MESSAGES):
                await self.publish(socket, data)
                if data == MESSAGES // 2:
                    await asyncio.to_thread(middle)
                await asyncio.sleep(0.05)


async def crowd(url, middle):
    """(publisher, members) at the end of it all."""
    dice = random.Random(1)
    publisher = Publisher(url)
    members = [Member(url, random.Random(dice.random())) for _ in range(CLIENTS)]
    is_over = []

    def has_all(member):
        return bool(is_over) and member.position == publisher.last

    lives = []
    for member in members:  # all begin before the first message
        lives.append(asyncio.create_task(member.live(has_all)))
        await asyncio.sleep(0)
    for at in range(0, CLIENTS, 50):
        while not all(m.position for m in members[at : at + 50]):
            await asyncio.sleep(0.05)
    await publisher.run(middle)
    is_over.append(True)
    await asyncio.wait_for(asyncio.gather(*lives), SECONDS)
    return publisher, members


def check(publisher, members):
    """No position has two messages; whoever was told of no break has them all."""
    for member in members:
        assert not member.errors, member.errors[:3]
        assert member.position == publisher.last
        for at, data in member.got.items():
            assert publisher.acked.get(at, data) == data, (at, data)
    return [m for m in members if not m.breaks]


def test_each_of_500_clients_that_are_cut_at_random_has_the_complete_sequence(tmp_path):
    args = ["--config", config(tmp_path, {"room": {"history": {"size": 1000}}})]
    with Cluster(edges=2, brokers=2, args=args) as cluster:
        publisher, members = asyncio.run(crowd(cluster.websocket, lambda: None))
        assert len(check(publisher, members)) == CLIENTS, "nobody had to be told of a break"
        for member in members:
            assert list(member.got.values()) == list(range(MESSAGES))


class Emptied:
    def __init__(self, store):
        self.store = store

    def __call__(self):
        with self.store.client() as db:
            db.flushall()
        self.store.end()
        self.store.start()


@pytest.mark.parametrize("how", [Emptied])
def test_when_redis_forgets_meanwhile_each_is_told_and_goes_on_in_the_new_epoch(tmp_path, how):
    args = ["--config", config(tmp_path, {"room": {"history": {"size": 1000}}})]
    with RedisServer(tmp_path / "redis") as store:
        args += ["--redis", store.start().url]
        with Cluster(edges=2, brokers=2, args=args, expect=EXPECTED) as cluster:
            publisher, members = asyncio.run(crowd(cluster.websocket, how(store)))
            check(publisher, members)
            newest = {at: data for at, data in publisher.acked.items() if at[0] == publisher.last[0]}
            for member in members:
                assert member.breaks, "it was told"
                for (epoch, offset), to in member.breaks:
                    assert to[0] > epoch, "of a new epoch, and of nothing else"
                from_there = [at for at in newest if at[1] > member.breaks[-1][1][1]]
                assert [member.got[at] for at in from_there] == [newest[at] for at in from_there]
