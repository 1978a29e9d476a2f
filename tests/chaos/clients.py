#!/usr/bin/env python3
"""The clients of a run: they come, talk, leave in every way there is, and come again.

All that they do and see is logged.

    clients.py FOLDER N SEED        where its orders come from stdin, a line of JSON each:

    {"edges": {"edge-0": ["10.77.1.2", 8080]}, "sources": ["10.77.9.10", …]}    first, once
    {"vanish": 3}       the clients of that source are silent from now on, and none of them comes
    {"back": 3}         they may come again
    {"flood": 3}        the clients of that source talk as fast as they are answered
    {"ebb": 3}          and as they did before
    {"storm": [0, 2]}   the clients of those sources break their sockets and come again, all at once
    {"leave": true}     all close politely; then the process ends
"""

import asyncio
import base64
import json
import os
import random
import socket
import struct
import sys
import urllib.parse
from collections import deque
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.wire import CLOSE, PING, PONG, TEXT, close_frame, frame, upgrade  # noqa: E402

from channels import Memory, Subscriber  # noqa: E402
from log import Log  # noqa: E402

CONNECT_SECONDS = 12  # a client's patience with an upgrade
CLOSE_SECONDS = 40  # and with the answer to its close frame: an edge may be stopped meanwhile
LIFE_SECONDS = 25  # on average
FOR_EVER = 0.2  # of all connections
TALK_SECONDS = 1.5  # between two messages, on average
LONGEST_SILENCE = 3  # who says nothing does not see that its socket is no more
FLOOD_SECONDS = 0.01
MOST_UNANSWERED = 16
CODES = [1000, 1000, 1000, 1001, 3000, 4000, 4999]
# How often each sort of message is said; l- goes to the functions under the Lambda runtime client.
TALK = {"ask": 8, "lask": 3, "tell": 3, "ltell": 1, "push": 3, "lpush": 0.4}
CHANNELS = {"publish": 5, "join": 1.2, "leave": 1, "again": 0.6}  # and each sort of action


class Crowd:
    """What the clients have in common."""

    def __init__(self, log, rng, edges, sources):
        self.log = log
        self.rng = rng
        self.edges = edges
        self.sources = sources
        self.there = [asyncio.Event() for _ in sources]  # not set: that source has vanished
        for there in self.there:
            there.set()
        self.flooding = set()  # sources
        self.is_leaving = False
        self.ids = deque(maxlen=400)  # connection ids, of the living and of the dead
        self.born = 0

    def name(self):
        self.born += 1
        return f"c{self.born}"


class Connection:
    """One life: from the upgrade to the end of the socket."""

    def __init__(self, crowd, source, memory):
        self._crowd = crowd
        self._name = crowd.name()
        self._memory = memory
        self._channels = Subscriber(memory, crowd.rng, self.log, self._send, self._name)
        self._source = source
        self._n = 0
        self._unanswered = 0
        self.is_closing = False
        self._vanished = False
        self._ended = asyncio.Event()
        self._over = asyncio.Event()  # there is nothing more to say
        self._writer = None
        self.is_open = False
        self.id = None

    def log(self, what, **more):
        self._crowd.log.write(name=self._name, what=what, **more)

    async def live(self):
        """Whether it was let in."""
        if not await self._connect():
            return False
        if not self._crowd.there[self._source].is_set():
            self.vanish("silent")
        self._channels.begin()
        reading = asyncio.create_task(self._read())
        try:
            await self._talk()
            if not self._ended.is_set():
                await self._leave()
        finally:
            reading.cancel()
            self._channels.end()
            self._abort()
        return True

    # The upgrade

    async def _connect(self):
        edge = self._crowd.rng.choice(list(self._crowd.edges))
        self.log("connecting", edge=edge, user=self._memory.user, chosen=self._memory.chosen)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                status, headers = await self._upgrade(*self._crowd.edges[edge])
        except (OSError, EOFError, TimeoutError) as e:
            self.log("failed", why=repr(e))
            self._abort()
            return False
        if status == 101:
            self.is_open = True
            self.log("open", edge=edge)
            return True
        self.log("refused", status=status, retry_after=headers.get("retry-after"))
        self._abort()
        return False

    async def _upgrade(self, host, port):
        local = (self._crowd.sources[self._source], 0)
        self._reader, self._writer = await asyncio.open_connection(host, port, local_addr=local)
        key = base64.b64encode(os.urandom(16)).decode()
        query = {"name": self._name, "user": self._memory.user, "chosen": self._memory.chosen}
        query = urllib.parse.urlencode({k: v for k, v in query.items() if v})
        self._writer.write(upgrade(f"/dev?{query}", Sec_WebSocket_Key=key))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        return int(head[0].split()[1]), {name.lower(): value for name, value in headers.items()}

    # What comes

    async def _read(self):
        try:
            while not self._ended.is_set():
                await self._take(*await self._frame())
        except asyncio.IncompleteReadError:
            self._end("eof")
        except OSError:
            self._end("reset")

    async def _frame(self):
        first, second = await self._reader.readexactly(2)
        n = second & 0x7F
        if n >= 126:
            n = int.from_bytes(await self._reader.readexactly(2 if n == 126 else 8))
        return first & 0x0F, await self._reader.readexactly(n)

    async def _take(self, op, payload):
        if self._vanished:
            return
        if op == PING:
            self._write(frame(PONG, payload))
        elif op == CLOSE:
            self._take_close(payload)
        else:
            self._take_message(payload.decode())

    def _take_close(self, payload):
        code = int.from_bytes(payload[:2]) if payload else None
        if not self.is_closing:
            self._write(close_frame(code if code else 1000))
        self._end("client" if self.is_closing else "server", code=code)

    def _take_message(self, text):
        try:
            said = json.loads(text)
        except ValueError:
            said = {}
        if isinstance(said, list) or "type" in said:
            if not self._channels.receive(said):
                self.log("odd", text=text)
        elif "nonce" in said:
            self.log("push", nonce=said["nonce"])
        elif "n" in said and said["id"] == (self.id or said["id"]):
            self._unanswered -= 1
            self.log("answer", n=said["n"])
            if not self.id:
                self.id = said["id"]
                self._crowd.ids.append(self.id)
        elif "message" in said:
            self._unanswered -= 1
            self.log("error", text=text)
        else:
            self.log("odd", text=text)

    def _end(self, by, code=None):
        if not self._vanished and not self._ended.is_set():
            self.log("closed", code=code, by=by)
        self._ended.set()
        self._over.set()

    # What goes

    def _write(self, data):
        if not self._writer.transport.is_closing():
            self._writer.write(data)

    async def _talk(self):
        rng = self._crowd.rng
        life = 1e9 if rng.random() < FOR_EVER else rng.expovariate(1 / LIFE_SECONDS)
        end = asyncio.get_running_loop().time() + life
        while (left := end - asyncio.get_running_loop().time()) > 0:
            floods = self._source in self._crowd.flooding
            pause = min(rng.expovariate(1 / TALK_SECONDS), LONGEST_SILENCE)
            pause = FLOOD_SECONDS if floods else pause
            if await self._is_over(min(pause, left)):
                return
            sorts = {**TALK, **CHANNELS}
            sort = "ask" if floods else rng.choices(list(sorts), sorts.values())[0]
            if sort in CHANNELS and not self._channels.act(sort):
                sort = "tell"
            if sort not in CHANNELS and self._unanswered < MOST_UNANSWERED:
                self._say(sort)
            self._channels.retry()

    async def _is_over(self, seconds):
        """Wait so long, or until something ends it."""
        if not self._crowd.is_leaving:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), seconds)
        return self._crowd.is_leaving or self._over.is_set()

    def _say(self, action):
        rng = self._crowd.rng
        message = {"action": action, "n": self._n, "pad": "x" * int(rng.paretovariate(0.5) % 20000)}
        if action.endswith("push"):
            message["to"] = rng.choice(self._crowd.ids) if self._crowd.ids else "AAAAAAAAAAAAAAA="
        two_way = not action.endswith("tell")
        self._unanswered += two_way
        self.log("sent", n=self._n, two_way=two_way)
        self._send(json.dumps(message))
        self._n += 1

    def _send(self, text):
        self._write(frame(TEXT, text))

    # How it leaves

    async def _leave(self):
        if self._vanished:  # the socket lives on unheard until the network is there again
            await self._crowd.there[self._source].wait()
        elif not self._crowd.is_leaving and self._crowd.rng.random() < 0.2:
            self.vanish("reset")
        else:
            await self._close()

    async def _close(self):
        code = self._crowd.rng.choice(CODES)
        self.is_closing = True
        self.log("closing", code=code)
        self._write(close_frame(code, "bye"))
        try:
            await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)
        except TimeoutError:
            self.vanish("reset")

    def finish(self):
        """It has nothing more to say."""
        self._over.set()

    def vanish(self, how):
        if self._vanished or self._ended.is_set():
            return
        self._vanished = True
        self._over.set()
        self.log("vanished", how=how)
        if how == "reset":
            wire = self._writer.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _abort(self):
        if self._writer:
            self._writer.transport.abort()


class Person:
    """Connects, lives, and connects again, always from the same address."""

    def __init__(self, crowd, number):
        self._crowd = crowd
        self.source = number % len(crowd.sources)
        self._memory = Memory(crowd.rng, number)
        self._connection = None
        self._hurries = False  # it lost its socket in a storm

    async def run(self):
        crowd = self._crowd
        await asyncio.sleep(crowd.rng.uniform(0, 4))
        while not crowd.is_leaving:
            await crowd.there[self.source].wait()
            self._hurries = False
            self._connection = Connection(crowd, self.source, self._memory)
            let_in = await self._connection.live()
            self._connection = None
            if not self._hurries:
                await asyncio.sleep(crowd.rng.uniform(*((0, 1) if let_in else (0.3, 1.5))))

    def vanish(self):
        if self._connection and self._connection.is_open:
            self._connection.vanish("silent")

    def break_off(self):
        if self._connection and self._connection.is_open and not self._connection.is_closing:
            self._hurries = True
            self._connection.vanish("reset")

    def leave(self):
        if self._connection:
            self._connection.finish()


async def orders():
    """The lines of stdin."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


async def obey(crowd, people, lines):
    async for order in lines:
        match order:
            case {"vanish": source}:
                crowd.there[source].clear()
                for person in those_of(people, [source]):
                    person.vanish()
            case {"back": source}:
                crowd.there[source].set()
            case {"flood": source}:
                crowd.flooding.add(source)
            case {"ebb": source}:
                crowd.flooding.discard(source)
            case {"storm": sources}:
                for person in those_of(people, sources):
                    person.break_off()
            case {"leave": True}:
                crowd.is_leaving = True
                for person in people:
                    person.leave()


def those_of(people, sources):
    return [person for person in people if person.source in sources]


async def main():
    folder, n, seed = sys.argv[1:]
    lines = orders()
    first = await anext(lines)
    log, rng = Log(Path(folder, "clients.jsonl"), "clients"), random.Random(int(seed))
    crowd = Crowd(log, rng, first["edges"], first["sources"])
    people = [Person(crowd, i) for i in range(int(n))]
    obeying = asyncio.create_task(obey(crowd, people, lines))
    await asyncio.gather(*(person.run() for person in people))
    obeying.cancel()


if __name__ == "__main__":
    asyncio.run(main())
