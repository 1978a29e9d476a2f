"""Does memory grow? Ten minutes of connect, talk, vanish: bench/run soak.

Each round 10,000 clients come, each has ten messages answered, and all leave: by a close
frame, by a FIN, or by a RST, in turn. $connect and $disconnect have a function over HTTP.
After each round, when all is quiet, each process's RSS is noted. What it grows by is the
median of the slopes between any two rounds of the last two thirds: a leak adds in each
round, a new high-water mark in a few.
"""

import itertools
import os
import signal
import statistics
import time

from system import (
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
LEAK_TARGET = 16  # bytes for each connection of a round
OURS = ("edge-0", "edge-1", "broker-0", "broker-1")
WAYS = (("close frames", None), ("FINs", ()), ("RSTs", ("--reset", "true")))


def soak(table):
    say(f"soak: {SECONDS} s of rounds with {CROWD} connections, 2 edges, 2 brokers")
    functions = {"all": ("$connect", "$disconnect")}
    with project(2, 2, functions, echo=True) as (ready, _):
        end, rounds = time.monotonic() + SECONDS, []
        for way, flags in itertools.cycle(WAYS):
            if time.monotonic() > end:
                break
            one_round(ready, flags)
            rounds.append({name: rss(ready, name) for name in OURS})
            say(f"round {len(rounds):3}, {way:12}: " +
                "  ".join(f"{name} {n / 2**20:.1f}" for name, n in rounds[-1].items()) + " MiB")
    table.add("soak, rounds", len(rounds), "")
    for name in OURS:
        sizes = [seen[name] for seen in rounds]
        table.add(f"soak, {name}: RSS after the first round", sizes[0] / 2**20, "MiB")
        table.add(f"soak, {name}: RSS after the last round", sizes[-1] / 2**20, "MiB")
        table.add(f"soak, {name}: grown for each connection", growth(sizes) / CROWD, "B",
                  LEAK_TARGET)


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


def rss(ready, name):
    with open(f"/proc/{process(ready, name)['pid']}/smaps_rollup") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def growth(sizes):
    """Bytes in a round: the median slope between any two of the last two thirds (Theil, Sen)."""
    late = list(enumerate(sizes))[len(sizes) // 3 :]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(late, 2)]
    return max(0, statistics.median(slopes)) if slopes else 0
