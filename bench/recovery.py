"""How long Gatepost needs to recover, and what others notice of it: bench/run recovery.

    edge    kill -9 of an edge with 10,000 connections, to its last disconnect
    broker  kill -9, and SIGSTOP, of one of two brokers, to the last first answer of its lanes
    redis   a Redis that has lost its memory, to a complete table of 10,000 connections
    drop    101s of new connections while 15,000 others vanish at once
    storm   15,000 connect at once
"""

import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

from system import (
    Failure,
    finish_load,
    is_over,
    load,
    metric,
    process,
    project,
    redis_cli,
    say,
    start_load,
    system,
    table_rows,
    until,
)

CROWD = 10_000  # connections of an edge that dies, and of a table that is written anew
LEASE = 10  # seconds: --edge-lease
EDGE_TARGET = LEASE + 2  # seconds from the death of an edge to its last disconnect
BROKER_ROUNDS = 5
KILLED_TARGET = 1_000  # ms until a lane of a broker that was killed is served again
FROZEN_TARGET = 6_000  # ms for one that only stopped
SPEAKERS = 200  # connections, each of which has something to say ten times a second
REDIS_ROUNDS = 3
REDIS_TARGET = 3  # seconds from an empty Redis to a complete table
MASS = 15_000  # connections that vanish, or come, at once
NEW_EVERY = 200  # new connections in a second, meanwhile
NEW = 600  # so that it is looked at for three seconds
NEW_TARGET = 1_000  # ms: the worst 101 while all the others vanish
STORM_TARGET = 10  # seconds


# ---- edge


def edge(table):
    for function in (False, True):
        what = "an HTTP function" if function else "no function"
        say(f"recovery: kill -9 of an edge with {CROWD} connections, $disconnect has {what}")
        with scene(1, 1, function) as (ready, counts), crowd(ready, CROWD):
            died = time.monotonic()
            os.kill(process(ready, "edge-0")["pid"], signal.SIGKILL)
            if function:
                until("all have ended", 60, lambda: counts()["ended"] == CROWD)
                last = counts()["last_end_us"] / 1e6
                table.add("edge killed, invoked more than once for a disconnect",
                          counts()["disconnects"] - CROWD, "")
            else:
                until("no row is left", 60, lambda: nothing_left(ready))
                last = time.monotonic()
        table.add(f"edge killed, to the last disconnect, {what}", last - died, "s", EDGE_TARGET)


def nothing_left(ready):
    return table_rows(ready, ("connections", "disconnects")) == 0


@contextlib.contextmanager
def scene(edges, brokers, function=False):
    """A system whose $disconnect has a function over HTTP, or none; gives ready file, counts."""
    if function:
        with project(edges, brokers, {"ended": ("$disconnect",)}) as (ready, counts):
            yield ready, counts
    else:
        with system(edges, brokers) as ready:
            yield ready, None


@contextlib.contextmanager
def crowd(ready, n, *flags):
    """So many connections in the table; gives the process that holds them, which may be killed."""
    child = start_load(["--pids-from", ready, *flags], connections=n, messages=0, hold="300s")
    try:
        full = until(f"{n} rows in the table, or an end", 60,
                     lambda: "full" if table_rows(ready) == n else is_over(child), 0.1)
        if full != "full":
            raise Failure(f"the table never held {n} rows")
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


# ---- broker


def broker(table):
    for how, name, target in ((signal.SIGKILL, "killed", KILLED_TARGET),
                              (signal.SIGSTOP, "stopped", FROZEN_TARGET)):
        say(f"recovery: one of two brokers is {name}, {BROKER_ROUNDS} rounds")
        with system(1, 2) as ready:
            worst = [broken_off(ready, how, target) for _ in range(BROKER_ROUNDS)]
        table.add(f"broker {name}, longest wait of a message, median round",
                  statistics.median(worst), "ms", target)
        table.add(f"broker {name}, longest wait of a message, worst round", max(worst), "ms",
                  target)


def broken_off(ready, how, target):
    """The longest wait of any message while a broker is lost, in ms; no client may notice more.

    Each of its lanes has something to say every 100 ms, so the longest wait is the time in
    which the last of the lanes was not served.
    """
    until("the edge has both brokers", 30,
          lambda: metric(ready, "edge-0", "gatepost_edge_brokers") == 2)
    seconds = target / 1000 + 3
    rate = SPEAKERS * 10
    url = json.loads(ready.read_text())["websocket"]  # and no pids: one of them dies
    child = start_load(["--url", url], connections=SPEAKERS,
                       messages=int(seconds * rate / SPEAKERS), message_rate=rate, settle=0)
    time.sleep(1)
    pid = process(ready, "broker-0")["pid"]
    os.kill(pid, how)
    try:
        seen = finish_load(child)
    finally:
        if how == signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
    return seen["echo"]["most_us"] / 1000


# ---- redis


def redis(table):
    say(f"recovery: Redis loses its memory under {CROWD} connections, {REDIS_ROUNDS} rounds")
    with private_redis() as server, system(2, 2, "--redis", server.url) as ready:
        with crowd(ready, CROWD):
            flushed = [rebuilt(ready, server.flush) for _ in range(REDIS_ROUNDS)]
            restarted = [rebuilt(ready, server.restart) for _ in range(REDIS_ROUNDS)]
    for name, took in (("FLUSHALL", flushed), ("killed, back and empty", restarted)):
        table.add(f"Redis {name}, to a complete table, median round", statistics.median(took),
                  "s", REDIS_TARGET)
        table.add(f"Redis {name}, to a complete table, worst round", max(took), "s", REDIS_TARGET)


def rebuilt(ready, empty):
    """Seconds from an empty Redis to a complete table."""
    began = empty()
    until("a complete table", 60, lambda: table_rows(ready) == CROWD)
    return time.monotonic() - began


class private_redis:
    """A Redis that keeps nothing."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gatepost-bench-")
        self.path = pathlib.Path(self.folder.name, "redis.sock")
        self.url = f"unix:{self.path}"
        self.child = None
        self.start()
        return self

    def __exit__(self, *_):
        self.end()
        self.folder.cleanup()

    def start(self):
        words = ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
                 "--dir", self.folder.name]
        self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until("Redis is there", 10, self.is_there, 0.005)
        return time.monotonic()

    def is_there(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            return redis_cli(self.url)("PING") == ["PONG"]

    def end(self):
        self.child.kill()
        self.child.wait()

    def flush(self):
        redis_cli(self.url)("FLUSHALL")
        return time.monotonic()

    def restart(self):
        self.end()
        return self.start()


# ---- drop


def drop(table):
    for edges, brokers in ((1, 1), (2, 2)):
        for function in (False, True):
            shape = f"{edges}+{brokers}, {'HTTP function' if function else 'no function'}"
            say(f"recovery: {MASS} connections vanish at once, {shape}")
            with scene(edges, brokers, function) as (ready, counts):
                with crowd(ready, MASS):
                    add_new(table, f"nobody vanishes, {shape}", finish_load(newcomers(ready)))
                for how, flags in (("FIN", ()), ("RST", ("--reset", "true"))):
                    vanish(table, f"{MASS:,} {how}s, {shape}", ready, counts, flags)


def vanish(table, name, ready, counts, flags):
    until("an empty table", 60, lambda: nothing_left(ready))
    before = counts()["ended"] if counts else 0
    with crowd(ready, MASS, *flags) as victim:
        child = newcomers(ready)
        time.sleep(0.5)
        victim.kill()
        died = time.monotonic()
    if counts:
        until("all have ended", 60, lambda: counts()["ended"] - before >= MASS)
        last = counts()["last_end_us"] / 1e6
    else:
        until("only newcomers are left", 60, lambda: table_rows(ready) <= NEW)
        last = time.monotonic()
    add_new(table, name, finish_load(child), NEW_TARGET)
    table.add(f"{name}: to the last disconnect", last - died, "s")


def newcomers(ready):
    """A new connection every 5 ms for 3 s; they stay until those who vanish have ended."""
    return start_load(["--pids-from", ready], connections=NEW, rate=NEW_EVERY, messages=0,
                      connecting=NEW, hold="12s", settle=0)


def add_new(table, name, seen, target=None):
    for what, figure in (("p50", "p50_us"), ("p99", "p99_us"), ("worst", "most_us")):
        table.add(f"101, {name}: {what}", seen["connect"][figure] / 1000, "ms",
                  target if what == "worst" else None)


# ---- storm


def storm(table):
    for edges, brokers in ((1, 1), (2, 2)):
        shape = f"{edges}+{brokers}"
        say(f"recovery: {MASS} connect at once, {shape}")
        with system(edges, brokers) as ready:
            seen = load(["--pids-from", ready], connections=MASS, messages=0, rate=1_000_000,
                        connecting=MASS)
        table.add(f"{MASS:,} at once, {shape}: all are in", seen["connect"]["seconds"], "s",
                  STORM_TARGET)
        table.add(f"{MASS:,} at once, {shape}: p50", seen["connect"]["p50_us"] / 1000, "ms")
        table.add(f"{MASS:,} at once, {shape}: worst", seen["connect"]["most_us"] / 1000, "ms")


PARTS = {"edge": edge, "broker": broker, "redis": redis, "drop": drop, "storm": storm}


def all_parts(table):
    for part in PARTS.values():
        part(table)
