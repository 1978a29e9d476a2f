"""Does memory grow? Ten minutes of connect, talk, vanish: bench/run soak.

Each round 10,000 clients come, each has ten messages answered, and all leave: by a close
frame, by a FIN, or by a RST, in turn. $connect and $disconnect have a function over HTTP.
After each round, when all is quiet, it is noted what malloc has given out in each process
and not got back (heap.c), and the RSS. What they grow by is the median of the slopes between
any two rounds of the last two thirds: a leak adds in each round, a new high-water mark in a
few. The RSS has no target: it also grows by what is free, in between what is not. Malloc's
caches of each thread are off, since what is in them counts as in use, and they fill for long.
"""

import itertools
import os
import pathlib
import signal
import statistics
import tempfile
import time

from system import (
    BIN,
    Failure,
    finish_load,
    is_over,
    metric,
    process,
    project,
    say,
    start_load,
    table_rows,
    until,
)

SECONDS = int(os.environ.get("SOAK_SECONDS", 600))
CROWD = 10_000
MESSAGES = 10
LEAK_TARGET = 2  # bytes for each connection of a round: the smallest leak is one of 24
OURS = ("edge-0", "edge-1", "broker-0", "broker-1")
WAYS = (("close frames", None), ("FINs", ()), ("RSTs", ("--reset", "true")))


def soak(table):
    say(f"soak: {SECONDS} s of rounds with {CROWD} connections, 2 edges, 2 brokers")
    functions = {"all": ("$connect", "$disconnect")}
    with tempfile.TemporaryDirectory(prefix="gatepost-heap-") as folder:
        counting = {"LD_PRELOAD": str(BIN / "bench-heap.so"), "GATEPOST_HEAP_FOLDER": folder,
                    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
        with project(2, 2, functions, echo=True, **counting) as (ready, _):
            end, rounds = time.monotonic() + SECONDS, []
            for way, flags in itertools.cycle(WAYS):
                if time.monotonic() > end:
                    break
                one_round(ready, flags)
                rounds.append({name: look(ready, name, folder) for name in OURS})
                say(f"round {len(rounds):3}, {way:12}: in use, and RSS, MiB: " + "  ".join(
                    f"{name} {used / 2**20:.2f} {rss / 2**20:.1f}"
                    for name, (used, rss) in rounds[-1].items()))
    table.add("soak, rounds", len(rounds), "")
    for name in OURS:
        add_process(table, name, *zip(*[seen[name] for seen in rounds]))


def add_process(table, name, used, rss):
    for what, sizes, target in (("heap in use", used, LEAK_TARGET), ("RSS", rss, None)):
        table.add(f"soak, {name}: {what} after the first round", sizes[0] / 2**20, "MiB")
        table.add(f"soak, {name}: {what} after the last round", sizes[-1] / 2**20, "MiB")
        table.add(f"soak, {name}: {what}, grown for each connection", growth(sizes) / CROWD, "B",
                  target)


def one_round(ready, flags):
    before = answered(ready)
    child = start_load(["--pids-from", ready, *(flags or ())], connections=CROWD,
                       messages=MESSAGES, hold="0" if flags is None else "300s", settle=0)
    if flags is None:
        finish_load(child)
    else:
        until("all messages are answered, or an end", 60,
              lambda: is_over(child) or answered(ready) - before >= CROWD * MESSAGES, 0.2)
        if is_over(child):
            raise Failure("bench-load ended before its time")
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    until("an empty table", 60, lambda: table_rows(ready) == 0, 0.2)
    until("no connection is left", 30, lambda: not any(
        metric(ready, name, "gatepost_edge_connections") for name in OURS[:2]), 0.2)
    time.sleep(1)


def answered(ready):
    return sum(metric(ready, name, "gatepost_edge_messages_sent_total") for name in OURS[:2])


def look(ready, name, folder):
    """Bytes of heap in use, and of RSS."""
    pid = process(ready, name)["pid"]
    told = pathlib.Path(folder, str(pid))
    told.unlink(missing_ok=True)
    os.kill(pid, signal.SIGURG)
    until(f"the heap of {name} is told", 5, told.exists)
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        rss = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))
    return int(told.read_text()), rss


def growth(sizes):
    """Bytes in a round: the median slope between any two of the last two thirds (Theil, Sen)."""
    late = list(enumerate(sizes))[len(sizes) // 3 :]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(late, 2)]
    return max(0, statistics.median(slopes)) if slopes else 0
