#!/usr/bin/env python3
"""Chaos: a cluster, clients, and faults from a seed; then check.py says what was broken.

    ./dev chaos [--seed S] [--minutes M] [--clients N] [--only 'KIND VICTIM,…'] [--plan]
                [--bin FOLDER] [--keep FOLDER]

The same seed is the same faults at the same times; --plan prints them and starts nothing. All of
it runs in network namespaces of the run's own (as root, or in a user namespace); where neither is
allowed it runs on loopback addresses, without cuts, and says so. The logs of a run without a
violation are removed unless --keep says where they shall be. Exit status: 0 when all was well.
"""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

import channels  # noqa: E402
import network  # noqa: E402
import schedule  # noqa: E402
import tables  # noqa: E402
from faults import Injector, Trouble  # noqa: E402
from log import Log  # noqa: E402
from sampler import Poster, Roll, Sampler  # noqa: E402
from world import IDLE_HTTP, World  # noqa: E402

READY_SECONDS = 30  # for what was started, on a busy machine with sanitizers
LONGEST_RETRY = 30  # before a function that failed for as long as a fault lasts is asked again
CLIENTS_SECONDS = 60  # for all clients to say goodbye
GAP_SECONDS = 12  # an edge compares its positions after 10 s, and asks again after 1 s
ACTION_SECONDS = 5  # that actions on channels may wait for edges, brokers and Redis, besides
BUSY_SECONDS = 3  # that all may take longer on a machine with other work
STORE_SECONDS = 5  # that a client who needs the store waits for one that is silent
WARM_SECONDS = 20
IDLE_SECONDS = 6  # and then all that was under way has its end
REVIVE_SECONDS = 0.5
MIB = 1 << 20

REDIS_AWAY = ("redis_stop", "redis_stall", "redis_kill9", "redis_empty")

# Lines that the faults cause; whatever else is a warning or an error is a violation.
EXPECT = [
    "link.down", "link.refused", "redis.down", "redis.refused", "store.changed", "resync.failed",
    "function.failed", "function.circuit_open", "runtime.*", "broker.stopped", "edge.expired",
    "edge.lease.lost", "edge.number.lost", "connect.subscribe.failed",
]  # fmt: skip


def arguments():
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--seed", type=int, default=int(time.time()) % 100_000, help="default: another each time")
    add("--minutes", type=float, default=3, help="of faults; the end comes on top; default 3")
    add("--clients", type=int, default=200, help="connections at a time; default 200")
    add("--only", default="", help="draw from these faults alone, with commas (schedule.py, DECK)")
    add("--plan", action="store_true", help="print the faults of this seed, and start nothing")
    add("--bin", type=Path, default=ROOT / "build/dev/bin", help="default: build/dev/bin")
    add("--keep", type=Path, help="an empty folder for the logs")
    options = parser.parse_args()
    options.only = [card for card in options.only.split(",") if card]
    unknown = set(options.only) - set(schedule.DECK)
    if unknown:
        known = ", ".join(schedule.DECK)
        parser.error(f"no fault is called {', '.join(unknown)}; there are: {known}")
    if options.keep and options.keep.exists() and any(options.keep.iterdir()):
        parser.error(f"--keep: {options.keep} is not empty")
    return options


def main():
    options = arguments()
    cut = network.enter() if not options.plan else True
    plan = schedule.plan(options.seed, options.minutes, options.only, cut)
    if options.plan:
        print(plan)
        return 0
    if not cut:
        print("No network namespaces here (root or `unshare -rn`, and iproute2): without cuts.")
    folder = options.keep or Path(tempfile.mkdtemp(prefix="gatepost-chaos."))
    folder.mkdir(parents=True, exist_ok=True)
    hosts = network.Network() if cut else network.Loopback()
    world = World(plan, hosts, folder.resolve(), options.bin.resolve())
    good = Run(world, options.clients).go()
    if good and not options.keep:
        shutil.rmtree(folder)
    else:
        print(f"logs: {folder}")
    return 0 if good else 1


class Run:
    def __init__(self, world, clients):
        self._world = world
        self._plan = world.plan
        self._folder = world.folder
        self._clients = clients
        self._meta = {"seed": self._plan.seed, "begin": time.time()}
        self._faults = Log(self._folder / "faults.jsonl", "run")
        self._sampler = Sampler(world)
        self._roll = Roll(world, random.Random(self._plan.seed))
        self._poster = Poster(world, random.Random(self._plan.seed + 1))
        self._writers = tables.Writers(world, self._plan.seed + 2)
        self._trouble = []

    def go(self):
        """Whether all was as it should be."""
        try:
            self._world.start(READY_SECONDS)
            self._world.start_clients(self._clients)
            self._sampler.start()
            self._roll.start()
            self._poster.start()
            self._writers.start()
            self._play()
            self._end()
        except (Trouble, TimeoutError) as e:
            self._trouble.append(str(e))
        finally:
            self._poster.stop()
            self._writers.stop()
            self._sampler.stop()
            self._roll.stop()
            self._world.kill_all()
        self._write_meta()
        status = subprocess.run([sys.executable, HERE / "check.py", self._folder]).returncode
        for trouble in self._trouble:
            print(f"TROUBLE {trouble}")
        self._summary(status)
        return status == 0 and not self._trouble

    # The time of faults

    def _play(self):
        began = revived = time.monotonic()
        injector = Injector(self._world, self._faults, READY_SECONDS)
        while not injector.is_done((now := time.monotonic()) - began):
            injector.tick(now - began)
            self._note_deaths()
            if not self._world.processes["clients"].is_running():
                raise Trouble("the clients' process has ended: see clients.log")
            if now > revived + REVIVE_SECONDS:
                revived = now
                self._world.revive()
            time.sleep(injector.pause)

    def _note_deaths(self):
        """What ended though nobody had asked it to is logged, and started again."""
        for process in self._world.gateposts():
            if not process.is_running():
                status = process.status()
                self._died(process, status)
                process.start()

    def _died(self, process, status):
        self._faults.write(fault="died", target=[process.name], phase="once", status=status)

    # The end

    def _end(self):
        """All is healed: let the clients go, wait until they are accounted for, stop what runs."""
        self._poster.stop()
        self._writers.stop()
        self._world.order({"leave": True})
        clients = self._world.processes["clients"]
        self._wait(lambda: not clients.is_running(), CLIENTS_SECONDS)
        self._wait(self._is_settled, LONGEST_RETRY + self._plan.calm)
        time.sleep(IDLE_SECONDS)
        self._sampler.stop()
        self._roll.stop()
        self._meta["end"] = time.time()
        self._write_ids("parked", self._world.parked())
        self._write_ids("pending", self._world.pending())
        self._note_what_never_ended()
        self._writers.end()
        self._stop_gateposts()

    def _stop_gateposts(self):
        for group in ("edge", "broker"):
            ending = [p for p in self._world.gateposts() if p.name.startswith(group)]
            for process in ending:
                process.ask_to_stop()
            for process in ending:
                status = process.wait(self._plan.drain_seconds + READY_SECONDS)
                if status != 0:
                    self._died(process, status)

    def _wait(self, question, seconds):
        """Until it is true, or the time is over: the checker sees what is missing then."""
        end = time.monotonic() + seconds
        while not question() and time.monotonic() < end:
            self._note_deaths()
            self._world.revive()
            time.sleep(REVIVE_SECONDS)

    def _is_settled(self):
        """Has each connection that a function let in had its disconnect, and is none pending?"""
        if self._world.pending():
            return False
        begun = {"CONNECT": {}, "DISCONNECT": {}}  # invocation: connection
        done = {"CONNECT": set(), "DISCONNECT": set()}
        for record in self._read("functions.jsonl"):
            call = record["call"]
            if record["phase"] == "begin" and record["kind"] in begun:
                begun[record["kind"]][call] = record["connectionId"]
            elif record["phase"] == "end" and record["status"] == 200:
                for kind in done:
                    if call in begun[kind]:
                        done[kind].add(begun[kind][call])
        return done["CONNECT"] == done["DISCONNECT"]

    def _read(self, name):
        with suppress(FileNotFoundError), open(self._folder / name) as file:
            yield from map(json.loads, file)

    def _note_what_never_ended(self):
        """Pushes whose function was killed before it could say what became of them."""
        ended = {push["nonce"] for push in self._read("pushes.jsonl")}
        log = Log(self._folder / "pushes.jsonl", "run")
        for push in self._read("begun.jsonl"):
            if push["nonce"] not in ended:
                log.write(**push)

    def _write_ids(self, name, ids):
        log = Log(self._folder / f"{name}.jsonl", "run")
        for connection_id in ids:
            log.write(connectionId=connection_id)

    # What the checker is told

    def _write_meta(self):
        timings = self._plan.timings
        lease = timings["edge-lease"]
        answer = STORE_SECONDS + timings["redis-timeout"] + timings["retry"] + BUSY_SECONDS
        self._meta.setdefault("end", time.time())
        self._meta |= {
            "warm": self._meta["begin"] + WARM_SECONDS,
            "edges": self._plan.edges,
            "brokers": self._plan.brokers,
            "timings": {"lease": lease, **timings},
            "bounds": {
                "disconnect": lease + 2,
                "vanish": timings["ping-every"] + timings["pong-timeout"] + 2,
                "table": lease + 2,
                "answer": answer,
                "warm": WARM_SECONDS,
                "retry": LONGEST_RETRY,
                "gap": GAP_SECONDS + BUSY_SECONDS,
                "action": answer + ACTION_SECONDS,
                "presence": lease + 2 + channels.GRACE,
                "rss": 48 * MIB,
                "fds": IDLE_HTTP + 16,
            },
            "histories": channels.histories(),
            "caches": channels.CACHES,
            "judged": self._least(),
            "expect": EXPECT,
        }
        (self._folder / "meta.json").write_text(json.dumps(self._meta, indent=1))

    def _least(self):
        """What each rule must have had to judge, with such clients and such faults."""
        faults, n = self._plan.faults, self._clients
        killed = any(f.kind == "kill9" and "edge" in f.target[0] for f in faults if f.target)
        hit = any("broker" in name for f in faults for name in f.target)
        away = any(f.kind in REDIS_AWAY and f.seconds >= 2 for f in faults)
        touched = {name for f in faults for name in f.target if f.kind not in ("cut", "stop")}
        whole = {*self._plan.edges, *self._plan.brokers} - touched
        return {
            "P1": {"connections": n, "disconnects": n, "disconnects of dead edges": int(killed)},
            "P2": {"pairs of events": n},
            "P3": {"looks": max(3, int(self._plan.quiet / 2)), "rows": n, "sockets looked up": n},
            "P4": {"messages": n, "messages for functions": n, "answers": n,
                   "events while all is well": n, "sockets at faults of brokers": int(hit)},
            "P5": {"positions": n, "deliveries": n, "recoveries": int(n / 10),
                   "recoveries of nothing": int(n / 20)},
            "P6": {"later publishes": int(n / 10), "later publishes with history": n,
                   "unsubscribes": int(n / 10)},
            "OPTIONS": {"filtered messages": n // 10, "caches": n // 20, "suppressed": n // 20,
                        "versions": n // 20, "receipts": n // 20, "marked by a webhook": n // 20,
                        "refused by a webhook": n // 100, "posts": n // 20},
            "ACTIONS": {"answers": n, "answers while all is well": n},
            "TABLES": {"increments": n // 2, "adds": n // 8, "rows": tables.WRITERS * 2,
                       "stale writes": n // 20, "transfers": n // 10, "rows that were deleted": n // 20,
                       "rows that were kept": n // 40, "looks": n // 5, "rows in the index": n // 40},
            "PRESENCE": {"looks": len(channels.MEMBERS), "members": n, "subscribers looked up": n},
            "P7": {"processes": len(whole)},
            "P8": {"messages": int(away), "new clients": int(away)},
            "PUSH": {f"pushes {which}": 1
                     for which in ("while all was well", "to the living", "to the gone")},
            "LOGS": {"logs with lines": len(self._plan.edges) + len(self._plan.brokers)},
        }  # fmt: skip

    def _summary(self, status):
        kinds = collections.Counter(f.kind for f in self._plan.faults)
        said = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        print(f"seed {self._plan.seed}: {len(self._plan.faults)} faults ({said}), "
              f"{self._count('clients.jsonl', 'open')} connections, "
              f"{self._count('functions.jsonl', 'begin')} events, "
              f"{self._count('pushes.jsonl', 'nonce')} pushes: "
              f"{'good' if status == 0 and not self._trouble else 'NOT good'}")  # fmt: skip

    def _count(self, name, word):
        with suppress(FileNotFoundError):
            return (self._folder / name).read_text().count(f'"{word}"')
        return 0


if __name__ == "__main__":
    sys.exit(main())
