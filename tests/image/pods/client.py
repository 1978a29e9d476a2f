#!/usr/bin/python3
"""Many WebSocket clients, which check what they get:

    client.py URL [--clients 200] [--channels 10]     until SIGTERM; answers questions on 127.0.0.1:8001
    client.py ask QUESTION                            asks it: stats, reset, clients=N, publish=on, publish=off
    client.py fetch URL                               GET, and print the body; exit status 1 if there is no answer

Each client sends an echo every 2 s, and is subscribed to a channel, to which somebody publishes twice a
second. A client that is closed connects again after a random part of a second, and subscribes with the
position of its last message. The stats are what went wrong or might: see `Stats`.
"""

import argparse
import asyncio
import collections
import json
import random
import signal
import socket as socket_type
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from websockets.client import connect as ws_connect
from websockets.exceptions import WebSocketException

QUESTIONS = 8001
ECHO_EVERY = 2.0
PUBLISH_EVERY = 0.5
CONNECT_SECONDS = 10


class Stats:
    def __init__(self):
        self.connects = 0
        self.failed_connects = 0  # also 503s and resets
        self.closes = collections.Counter()  # by code; 1006: without a close frame
        self.seconds = collections.Counter()  # closes by second
        self.back = []  # seconds from a close until it was connected again
        self.echoes = 0
        self.echoes_wrong = 0  # a reply that is not that of the oldest unanswered echo
        self.echoes_unanswered = 0  # when a connection ended
        self.deliveries = 0
        self.offsets_wrong = 0  # a message that was left out, or came twice
        self.pushes = 0
        self.recovered = 0
        self.not_recovered = 0  # and resets
        self.published = 0
        self.publishes_repeated = 0
        self.errors = collections.Counter()  # by code


class World:
    """All clients, and what they share."""

    def __init__(self, url, channels):
        self.url = url
        self.channels = [f"load-{n}" for n in range(channels)]
        self.stats = Stats()
        self.clients = []
        self.publishing = True
        self.last = {}  # channel -> (epoch, offset) of the last publish that was acknowledged

    def set_clients(self, number):
        while len(self.clients) < number:
            client = Client(self, self.channels[len(self.clients) % len(self.channels)])
            client.task = asyncio.create_task(client.run())
            self.clients.append(client)
        while len(self.clients) > number:
            self.clients.pop().stop()

    def report(self):
        s = self.stats
        now = time.monotonic()
        waits = [now - c.unanswered[0][1] for c in self.clients if c.unanswered]
        behind = [c for c in self.clients if self.last.get(c.channel) not in (None, c.position)]
        return {
            **{k: v for k, v in vars(s).items() if k not in ("back", "seconds")},
            "closes_a_second": max(s.seconds.values(), default=0),
            "back": len(s.back),
            "back_max": round(max(s.back, default=0), 2),
            "clients": len(self.clients),
            "open": sum(c.subscribed for c in self.clients),
            "waits_max": round(max(waits, default=0), 2),
            "behind": len(behind),
        }


async def dial(url):
    """Connect to any address of the name, as a load balancer would."""
    at = urlsplit(url)
    found = await asyncio.get_running_loop().getaddrinfo(at.hostname, at.port or 80, type=socket_type.SOCK_STREAM)
    host, port = random.choice(found)[4][:2]
    return await ws_connect(
        url, host=host, port=port, open_timeout=CONNECT_SECONDS, close_timeout=2, ping_interval=None, compression=None
    )


class Client:
    def __init__(self, world, channel):
        self.world = world
        self.channel = channel
        self.position = None  # (epoch, offset) of the last message
        self.unanswered = collections.deque()  # (number, when it was sent)
        self.subscribed = False
        self.closed_at = None
        self.leaves = False
        self.socket = None
        self.echoes = 0

    def stop(self):
        self.leaves = True
        if self.socket:
            asyncio.create_task(self.socket.close())

    async def run(self):
        while not self.leaves:
            await self.connect_once()
            await asyncio.sleep(random.random())

    async def connect_once(self):
        stats = self.world.stats
        try:
            self.socket = await dial(self.world.url)
        except (OSError, WebSocketException, asyncio.TimeoutError):
            stats.failed_connects += 1
            return
        stats.connects += 1
        echoes = asyncio.create_task(self.send_echoes())
        try:
            subscribe = {"action": "subscribe", "id": "s", "channel": self.channel}
            if self.position:
                subscribe["since"] = {"epoch": self.position[0], "offset": self.position[1]}
            await self.socket.send(json.dumps(subscribe))
            async for text in self.socket:
                frames = json.loads(text)
                for frame in frames if isinstance(frames, list) else [frames]:
                    self.receive(frame)
        except (OSError, WebSocketException):
            pass  # the code below says which end it was
        finally:
            echoes.cancel()
            await self.ended()

    async def ended(self):
        stats = self.world.stats
        self.subscribed = False
        await self.socket.close()
        if not self.leaves:
            stats.closes[self.socket.close_code or 1006] += 1
            stats.seconds[int(time.monotonic())] += 1
            stats.echoes_unanswered += len(self.unanswered)
            self.closed_at = time.monotonic()
        self.unanswered.clear()
        self.socket = None

    async def send_echoes(self):
        await asyncio.sleep(random.random() * ECHO_EVERY)
        while True:
            self.echoes += 1
            self.unanswered.append((self.echoes, time.monotonic()))
            await self.socket.send(json.dumps({"action": "echo", "n": self.echoes}))
            await asyncio.sleep(ECHO_EVERY)

    def receive(self, frame):
        stats = self.world.stats
        kind = frame.get("type")
        if frame.get("action") == "echo":
            stats.echoes += 1
            if not self.unanswered or self.unanswered.popleft()[0] != frame["n"]:
                stats.echoes_wrong += 1
        elif kind == "ack" and frame["id"] == "s":
            self.on_subscribed(frame)
        elif kind == "message":
            epoch, offset = frame["epoch"], frame["offset"]
            if self.position != (epoch, offset - 1):
                stats.offsets_wrong += 1
            self.position = (epoch, offset)
            stats.deliveries += 1
        elif kind == "push":
            stats.pushes += 1
        elif kind == "reset":
            stats.not_recovered += 1
            self.position = (frame.get("epoch"), frame.get("offset"))
        elif kind == "error":
            stats.errors[frame["code"]] += 1
            if frame.get("id") == "s" and self.socket:
                asyncio.create_task(self.socket.close(4000))

    def on_subscribed(self, frame):
        stats = self.world.stats
        if self.closed_at:
            stats.back.append(time.monotonic() - self.closed_at)
            self.closed_at = None
        if self.position and frame.get("recovered"):
            stats.recovered += 1
        else:
            stats.not_recovered += self.position is not None
            self.position = (frame["epoch"], frame["offset"])
        self.subscribed = True


class Publisher:
    """Publishes to all channels in turn, each message with a key until it is acknowledged."""

    def __init__(self, world):
        self.world = world
        self.number = 0

    async def run(self):
        while True:
            try:
                socket = await dial(self.world.url)
                try:
                    while True:
                        await self.publish_to_all(socket)
                finally:
                    await socket.close()
            except (OSError, WebSocketException, asyncio.TimeoutError):
                self.world.stats.publishes_repeated += 1
                await asyncio.sleep(random.random())

    async def publish_to_all(self, socket):
        """One message to each channel; a channel's number grows only when its message was acknowledged."""
        if not self.world.publishing:
            await asyncio.wait_for(socket.ping(), CONNECT_SECONDS)
            await asyncio.sleep(PUBLISH_EVERY)
            return
        for channel in self.world.channels:
            key = f"{channel}-{self.number}"
            await socket.send(json.dumps({"action": "publish", "id": key, "channel": channel, "key": key, "data": self.number}))
            while True:
                frame = json.loads(await asyncio.wait_for(socket.recv(), CONNECT_SECONDS))
                if frame.get("id") == key:
                    break
            if frame["type"] == "ack":
                self.world.stats.published += 1
                self.world.last[channel] = (frame["epoch"], frame["offset"])
            else:
                self.world.stats.errors[frame["code"]] += 1
        self.number += 1
        await asyncio.sleep(PUBLISH_EVERY)


async def answer(world, reader, writer):
    """One HTTP request: GET /QUESTION."""
    question = (await reader.readline()).decode().split()[1].lstrip("/")
    name, _, value = question.partition("=")
    if name == "reset":
        world.stats = Stats()
    elif name == "clients":
        world.set_clients(int(value))
    elif name == "publish":
        world.publishing = value == "on"
    body = json.dumps(world.report()).encode()
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    await writer.drain()
    writer.close()


async def serve(given):
    world = World(given.url, given.channels)
    await asyncio.start_server(lambda r, w: answer(world, r, w), "127.0.0.1", QUESTIONS)
    publisher = asyncio.create_task(Publisher(world).run())
    world.set_clients(given.clients)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    done, _ = await asyncio.wait(
        [publisher, asyncio.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    for task in done:
        task.result()  # a mistake of this program ends it
    tasks = [client.task for client in world.clients]
    world.set_clients(0)
    publisher.cancel()
    await asyncio.wait(tasks or [asyncio.sleep(0)], timeout=5)


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            print(reply.read().decode())
    except urllib.error.HTTPError as e:
        print(e.code, e.read().decode())
    except OSError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


def main():
    if sys.argv[1:2] == ["ask"]:
        with urllib.request.urlopen(f"http://127.0.0.1:{QUESTIONS}/{sys.argv[2]}", timeout=30) as reply:
            print(reply.read().decode())
        return
    if sys.argv[1:2] == ["fetch"]:
        sys.exit(fetch(sys.argv[2]))
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--channels", type=int, default=10)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
