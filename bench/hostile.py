"""Hostile clients, and what a neighbour feels of them.

    bench/run hostile [hostile:credit | hostile:runtime | hostile:memory]

Each attack is a crowd of clients in a process of its own. A neighbour asks every 20 ms meanwhile, and
its p50 and p99 stand beside those of a quiet run. memory compares what the edge says that it
holds with what its RSS has grown by, and the broker's RSS with its credit.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import pathlib
import re
import socket
import statistics
import struct
import tempfile
import time
import urllib.request

from system import ROOT, Failure, metric, process, say, system, until

P99_TARGET = 250  # ms
AGREE_TARGET = 20  # percent between what the edge says and what it takes
CREDIT = 64 << 20  # --credit-bytes of the broker

SLOW_S = 10
FAST_S = 0.005
WORKERS = 4
CROWD = 100
HOLDERS = 600
READ = 64 << 10  # what one read of the edge brings
ROUNDS = 150  # questions of the neighbour
EVERY_S = 0.02

MASK = b"\0\0\0\0"  # masks nothing


def frame(text=b"", op=0x81):
    n = len(text)
    length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack("!H", n)
    return bytes([op]) + length + MASK + text


def upgrade(extra=b""):
    return (b"GET /dev HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            + extra + b"\r\n")


def dial(address, extra=b""):
    """An open WebSocket."""
    s = socket.create_connection(address, 30)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(upgrade(extra))
    head = b""
    while b"\r\n\r\n" not in head:
        got = s.recv(65536)
        if not got:
            break
        head += got
    if b" 101 " not in head:
        raise Failure(f"not accepted: {head[:200]!r}")
    return s


def ask(s, text):
    """One message and its answer, a frame of less than 64 KiB."""
    s.sendall(frame(text))
    got = b""
    while True:
        got += s.recv(65536)
        if len(got) < 2:
            continue
        head, n = (2, got[1]) if got[1] < 126 else (4, int.from_bytes(got[2:4], "big"))
        if got[1] != 126 or len(got) >= 4:
            if len(got) >= head + n:
                return got[head:head + n]


def fill(pattern, n=READ):
    return pattern * (n // len(pattern))


SLOW = frame(b'{"action":"slow"}')


# ---- the function


async def serve(out):
    """/slow answers after SLOW_S, all else at once."""

    async def on_client(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                n = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
                await reader.readexactly(n)
                await asyncio.sleep(SLOW_S if b"/slow" in head.split(b"\r\n")[0] else 0)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(on_client, "127.0.0.1", 0, backlog=4096)
    out.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def function(out):
    asyncio.run(serve(out))


HANDLER = f"""import time
def handler(event, context):
    time.sleep({SLOW_S} if '"slow"' in (event.get("body") or "") else {FAST_S})
    return {{"statusCode": 200, "body": "ok"}}
"""


@contextlib.contextmanager
def child(target, *args):
    it = multiprocessing.Process(target=target, args=args, daemon=True)
    it.start()
    try:
        yield it
    finally:
        it.kill()
        it.join()


def two_way(handler, *routes, **more):
    return {"handler": handler, "events": [
        {"websocket": {"route": r, "routeResponseSelectionExpression": "$default", **more}}
        for r in routes]}


@contextlib.contextmanager
def scene(connects=False, workers=False):
    """One edge, one broker; routes slow, parallel, fast over HTTP, and others are echoed."""
    port = multiprocessing.Queue()
    with child(function, port), tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{port.get()}"
        functions = {
            "slow": two_way(f"{url}/slow", "slow"),
            "parallel": two_way(f"{url}/slow", "parallel", concurrency="parallel"),
            "fast": two_way(f"{url}/fast", "fast"),
            "echo": two_way("builtin:echo", "$default"),
        }
        if connects:
            functions["connect"] = {"handler": f"{url}/slow",
                                    "events": [{"websocket": {"route": "$connect"}}]}
        if workers:
            pathlib.Path(folder, "work.py").write_text(HANDLER)
            functions["work"] = two_way("work.handler", "work") | {"runtime": "python3.11"}
            functions["work"]["events"] += two_way(
                "", "slow-work", concurrency="parallel")["events"]
            del functions["slow"], functions["parallel"]
        config = pathlib.Path(folder, "gatepost.yml")
        config.write_text(json.dumps({
            "service": "bench", "functions": functions,
            "gatepost": {"context": True, "workers": WORKERS}}))
        python = ROOT / "build/venv/bin/python"
        with system(1, 1, "--config", config, "--python", python,
                    GATEPOST_LOG_LEVEL="error") as ready:
            yield ready


def address(ready):
    at = json.loads(ready.read_text())["websocket"]
    host, port = re.match(r"ws://([\d.]+):(\d+)", at).groups()
    return host, int(port)


# ---- a neighbour, and how it is served


def neighbour(at, text, rounds=ROUNDS):
    """Milliseconds of each question."""
    took = []
    with dial(at) as s:
        for _ in range(rounds):
            began = time.monotonic()
            answer = ask(s, text)
            if answer not in (text, b"ok"):
                raise Failure(f"the neighbour was told {answer!r}")
            took.append(1000 * (time.monotonic() - began))
            time.sleep(EVERY_S)
    return took


def percentile(took, p):
    return sorted(took)[min(len(took) - 1, int(len(took) * p / 100))]


def compare(table, name, quiet, took):
    p50 = percentile(took, 50)
    table.add(f"{name}: neighbour p50", p50, "ms", None, percentile(quiet, 50))
    table.add(f"{name}: neighbour p99", percentile(took, 99), "ms", P99_TARGET,
              percentile(quiet, 99))


# ---- crowds


def flood(at, n, first, then, started):
    """n clients, each says first and as much of then as one read brings, and goes on as it is answered."""
    crowd = [dial(at) for _ in range(n)]
    for s in crowd:
        s.sendall(first + fill(then))
        s.setblocking(False)
    started.set()
    while True:
        for s in crowd:
            with contextlib.suppress(BlockingIOError):
                if s.recv(65536):
                    s.send(fill(then, 8192))
        time.sleep(0.02)


@contextlib.contextmanager
def flooded(at, n, first, then=b""):
    started = multiprocessing.Event()
    with child(flood, at, n, first, then or frame(), started):
        if not started.wait(60):
            raise Failure("the crowd has not come")
        time.sleep(0.5)  # it is at work
        yield


def credit(table):
    for name, first, then in (
            ("empty messages behind a slow one", SLOW, frame()),
            ("a parallel route to a slow function", b"", frame(b'{"action":"parallel"}')),
            ("16 KiB messages behind a slow one", SLOW, frame(b"x" * 16000))):
        for n in (1, CROWD):
            label = f"{n} client{'s' if n > 1 else ''}, {name}"
            say(f"hostile: {label}")
            with scene() as ready:
                at = address(ready)
                for text in (b"hello", b'{"action":"fast"}'):
                    quiet = neighbour(at, text)
                    with flooded(at, n, first, then):
                        took = neighbour(at, text)
                    what = "echo" if text == b"hello" else "HTTP function"
                    compare(table, f"{label}; {what}", quiet, took)


def runtime(table):
    for n, route in ((1, b"slow-work"), (CROWD, b"work")):
        label = f"{n} client{'s' if n > 1 else ''} on the workers' route {route.decode()}"
        say(f"hostile: {label}")
        with scene(workers=True) as ready:
            at = address(ready)
            text = frame(b'{"action":"%s","do":"slow"}' % route if n == 1
                         else b'{"action":"%s"}' % route)
            mine = b'{"action":"work"}'
            until("the workers are there", 30, lambda: b"ok" in retry(at, mine))
            quiet = neighbour(at, mine)
            with flooded(at, n, text, text):
                took = neighbour(at, mine)
            compare(table, label, quiet, took)


def retry(at, text):
    with dial(at) as s:
        return ask(s, text)


# ---- memory


def rss(ready, name):
    status = pathlib.Path(f"/proc/{process(ready, name)['pid']}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def sockets(at, n, *parts, opened=True, extra=b""):
    crowd = []
    for _ in range(n):
        s = dial(at, extra) if opened else socket.create_connection(at, 30)
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            s.send(b"".join(parts))
        crowd.append(s)
    return crowd


def memory(table):
    request = b"GET /dev/x HTTP/1.1\r\nHost: h\r\n\r\n"
    head = b"X-Pad: " + b"x" * 15000 + b"\r\n"
    agent = b"User-Agent: " + b"x" * 15000 + b"\r\n"
    cases = {
        "empty messages behind a slow one": (True, (SLOW, fill(frame(), READ - 64))),
        "messages of 20 bytes behind a slow one": (
            True, (SLOW, fill(frame(b"x" * 20), READ - 64))),
        "messages of 4 KiB behind a slow one": (
            True, (SLOW, fill(frame(b"x" * 4000), READ - 64))),
        "pings behind a slow message": (True, (SLOW, fill(frame(op=0x89), READ - 64))),
        "a message that does not end": (
            True, (frame(b"x" * 60000, op=0x01),)),
        "empty fragments": (
            True, (frame(op=0x01), fill(frame(op=0x00), READ - 64))),
        "requests behind a connect": (False, (upgrade(), fill(request, READ - 512))),
        "connects with long heads": (False, (upgrade(head),)),
        "connects with long contexts": (False, (upgrade(agent),)),
    }
    for name, (opened, parts) in cases.items():
        say(f"hostile: memory of the edge, {name}")
        with scene(connects=not opened) as ready:
            at = address(ready)
            bare = sockets(at, HOLDERS, opened=opened, extra=b"")
            time.sleep(0.5)
            before, held = rss(ready, "edge-0"), metric(ready, "edge-0", "gatepost_edge_held_bytes")
            for s in bare:
                with contextlib.suppress(BlockingIOError):
                    s.send(b"".join(parts))
            time.sleep(1)
            grown = rss(ready, "edge-0") - before
            told = metric(ready, "edge-0", "gatepost_edge_held_bytes") - held
            for s in bare:
                s.close()
        table.add(f"{HOLDERS} clients, {name}: grown by", grown / 2**20, "MiB")
        table.add(f"{HOLDERS} clients, {name}: held_bytes", told / 2**20, "MiB")
        if max(grown, told) > 4 << 20:
            off = 100 * abs(grown - told) / max(grown, told)
            table.add(f"{HOLDERS} clients, {name}: they differ by", off, "%", AGREE_TARGET)
    contexts(table)


def contexts(table):
    """Each event carries the head of its connection."""
    head = b"X-Pad: " + b"x" * 15000 + b"\r\n"
    say("hostile: memory of the broker, contexts of 15 KB")
    with scene() as ready:
        at = address(ready)
        crowd = [dial(at, head) for _ in range(HOLDERS)]
        before = rss(ready, "broker-0")
        for s in crowd:
            s.setblocking(False)
            s.send(SLOW + fill(frame(b'{"action":"slow"}'), READ - 64))
        time.sleep(2)
        grown = rss(ready, "broker-0") - before
        for s in crowd:
            s.close()
    table.add(f"{HOLDERS} clients, contexts of 15 KB: the broker has grown by", grown / 2**20,
              "MiB", CREDIT / 2**20)


PARTS = {"credit": credit, "runtime": runtime, "memory": memory}


def all_parts(table):
    for part in PARTS.values():
        part(table)
