"""How each fault of a schedule is done to a world, undone, and seen to be over.

    Sort(begin, undo, is_over, goes_on)     of a kind; each is called with the world and the target

begin does harm and returns at once; goes_on is called at each tick from then on. After the fault's
seconds undo ends it, and then is_over is asked until it is true. A kind without undo is over by
itself.
"""

import itertools
import os
import shutil
import signal
from collections import namedtuple
from contextlib import suppress
from math import inf

import redis

NOWHERE = "10.77.250.250"
TICK, SEEK_TICK = 0.05, 0.002

Sort = namedtuple(
    "Sort",
    "begin undo is_over goes_on",
    defaults=(None, lambda world, target: True, lambda world, target: None),
)


class Trouble(Exception):
    """Something that no fault explains."""


# Processes


def _processes(world, target):
    return [world.processes[name] for name in target]


def _signal(number):
    def send(world, target):
        for process in _processes(world, target):
            process.signal(number)

    return send


def _kill(world, target):
    for process in _processes(world, target):
        process.kill()


def _start(world, target):
    for process in _processes(world, target):
        process.start()


def _are_ready(world, target):
    return all(world.is_ready(name) for name in target)


def _ask_to_stop(world, target):
    for process in _processes(world, target):
        process.ask_to_stop()
    world.tell_functions()


def _have_ended(world, target):
    """After SIGTERM, and well."""
    for process in _processes(world, target):
        if process.is_running():
            return False
        if process.status() != 0:
            raise Trouble(f"{process.name} ended with status {process.status()} after SIGTERM")
    return True


def _are_back(world, target):
    """After SIGTERM, once they have ended well, they are started again."""
    if not any(process.wanted for process in _processes(world, target)):
        if not _have_ended(world, target):
            return False
        _start(world, target)
    return _are_ready(world, target)


# Redis


def _ask_redis(*words):
    def ask(world, target):
        with suppress(redis.RedisError), world.redis() as db:
            db.execute_command(*words)

    return ask


def _kill_and_empty(world, target):
    _kill(world, target)
    for path in (world.folder / "redis/appendonlydir").iterdir():
        path.unlink()


SNAPSHOT = "snapshot"


def _take_snapshot(world, target):
    """What it has written until now; the copy may lack the end of its last command."""
    copy = world.folder / SNAPSHOT
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.folder / "redis/appendonlydir", copy)


def _restore(world, target):
    """As after a restore, or when a replica takes over that had not received the last writes."""
    _kill(world, target)
    data = world.folder / "redis/appendonlydir"
    shutil.rmtree(data)
    shutil.copytree(world.folder / SNAPSHOT, data)
    _start(world, target)


ticks = itertools.count()


def _hesitate(world, target):
    """It runs in one tick of four: what it is asked takes up to three ticks more."""
    runs = next(ticks) % 4 == 0
    _signal(signal.SIGCONT if runs else signal.SIGSTOP)(world, target)


SAVED = "chaos:saved"


def _spoil(world, target):
    """Where one edge's rows are to be, there is a text."""
    with suppress(redis.RedisError), world.redis() as db:
        key = min(db.scan_iter("*:connections", 1000), default=None)
        if key:  # at once: a row that is put in between would be lost to us, not to Gatepost
            with db.pipeline(transaction=True) as both:
                both.rename(key, SAVED).set(key, "no rows").execute()
            world.spoilt = key


def _unspoil(world, target):
    with world.redis() as db:
        if db.exists(SAVED):
            db.rename(SAVED, world.spoilt)


# The network


def _addresses(world, target):
    return [world.address(name) for name in target]


def _cut(world, target):
    world.network.cut(*_addresses(world, target))


def _heal(world, target):
    world.network.heal(*_addresses(world, target))


def _group(target):
    return int(target[0].removeprefix("clients-"))


def _vanish(world, target):
    world.order({"vanish": _group(target)})
    world.network.cut(world.sources[_group(target)])


def _back(world, target):
    world.network.heal(world.sources[_group(target)])
    world.order({"back": _group(target)})


def _groups(target):
    return [_group([name]) for name in target]


def _order(what):
    def order(world, target):
        world.order({what: _group(target)})

    return order


def _storm(world, target):
    world.order({"storm": _groups(target)})


# Functions


def _mode(mode):
    def set_mode(world, target):
        world.set_mode(target[0], mode)

    return set_mode


def _function_down(world, target):
    world.set_mode(target[0], "down")
    if target == ["http"]:
        world.processes["http"].kill()
        return
    for process in world.gateposts():
        for worker in world.workers(process.name):
            worker.kill()


def _function_up(world, target):
    world.set_mode(target[0], "")
    if target == ["http"]:
        world.processes["http"].start()
    world.revive()


def _functions_are_ready(world, target):
    return target != ["http"] or world.is_ready("http")


KINDS = {
    "kill9": Sort(_kill, _start, _are_ready),
    "stop": Sort(_signal(signal.SIGSTOP), _signal(signal.SIGCONT)),
    "drain": Sort(_ask_to_stop, None, _are_back),
    "hurry": Sort(_ask_to_stop, _signal(signal.SIGTERM), _are_back),
    "add": Sort(_start, None, _are_ready),
    "remove": Sort(_ask_to_stop, None, _have_ended),
    "cut": Sort(_cut, _heal),
    "redis_kill9": Sort(_kill, _start, _are_ready),
    "redis_empty": Sort(_kill_and_empty, _start, _are_ready),
    "redis_restart": Sort(_ask_to_stop, None, _are_back),
    "redis_restore": Sort(_take_snapshot, _restore, _are_ready),
    "redis_rewind": Sort(_take_snapshot, _restore, _are_ready),
    "redis_stop": Sort(_signal(signal.SIGSTOP), _signal(signal.SIGCONT), _are_ready),
    "redis_stall": Sort(_signal(signal.SIGSTOP), _signal(signal.SIGCONT), _are_ready),
    "redis_slow": Sort(_hesitate, _signal(signal.SIGCONT), _are_ready, _hesitate),
    "redis_type": Sort(_spoil, _unspoil, _are_ready),
    "redis_oom": Sort(
        _ask_redis("CONFIG", "SET", "maxmemory", "1"),
        _ask_redis("CONFIG", "SET", "maxmemory", "0"),
        _are_ready,
    ),
    "redis_readonly": Sort(
        _ask_redis("REPLICAOF", NOWHERE, "6379"), _ask_redis("REPLICAOF", "NO", "ONE"), _are_ready
    ),
    "redis_drop": Sort(_ask_redis("CLIENT", "KILL", "TYPE", "normal"), None, _are_ready),
    "function_slow": Sort(_mode("slow"), _mode("")),
    "function_fail": Sort(_mode("fail"), _mode("")),
    "function_down": Sort(_function_down, _function_up, _functions_are_ready),
    "vanish": Sort(_vanish, _back),
    "flood": Sort(_order("flood"), _order("ebb")),
    "storm": Sort(_storm),
}
ONCE = ("add", "remove")  # logged when they are over


class Seeker:
    """Sees from the brokers' logs which of them gives up an edge, from now on."""

    def __init__(self, world):
        brokers = [p for p in world.gateposts() if p.name.startswith("broker")]
        self._logs = {p.name: p.log.open("rb") for p in brokers}
        for log in self._logs.values():
            log.seek(0, os.SEEK_END)
        self.found = None  # its name
        self.since = inf

    def look(self, now):
        names = (name for name, log in self._logs.items() if b" edge.expired " in log.read())
        if self.found is None and (name := next(names, None)):
            self.found, self.since = name, now

    def close(self):
        for log in self._logs.values():
            log.close()


class Injector:
    """Does the faults of a schedule when their time has come, and logs them."""

    def __init__(self, world, log, seconds):
        """seconds: for a process to be ready again"""
        self._world = world
        self._log = log
        self._seconds = seconds
        self._waiting = list(world.plan.faults)
        self._seeking = []  # (until when, its seeker, fault)
        self._harming = []  # (when to undo it, fault)
        self._ending = []  # (when it may be over, fault)
        self._late = 0  # behind the plan, since faults took longer to be over
        self._well_since = 0

    @property
    def pause(self):
        """Between two ticks: what is sought has to be met at work."""
        return SEEK_TICK if self._seeking else TICK

    def is_done(self, now):
        plan = self._world.plan
        return not self._waiting and self._is_time(plan.seconds, plan.calm, now)

    def tick(self, now):
        """now: seconds since the clients began"""
        if self._is_busy():
            self._well_since = now
        while self._waiting and self._is_time(self._waiting[0].at, self._waiting[0].calm, now):
            fault = self._waiting.pop(0)
            self._late = max(self._late, now - fault.at)
            self._begin(fault, now)
        for entry in list(self._seeking):
            self._seek(*entry, now)
        for entry in list(self._harming):
            until, fault = entry
            KINDS[fault.kind].goes_on(self._world, fault.target)
            if until <= now:
                self._harming.remove(entry)
                self._undo(fault, now)
        for entry in list(self._ending):
            self._look(*entry, now)

    def _is_busy(self):
        return bool(self._seeking or self._harming or self._ending)

    def _is_time(self, at, calm, now):
        is_calm = not self._is_busy() and now - self._well_since >= calm
        return at + self._late <= now and (calm == 0 or is_calm)

    def _begin(self, fault, now):
        if not fault.target:
            self._seeking.append((now + fault.seeks, Seeker(self._world), fault))
            return
        print(fault, flush=True)
        if fault.kind not in ONCE:
            self._write(fault, "begin")
        KINDS[fault.kind].begin(self._world, fault.target)
        self._harming.append((now + fault.seconds, fault))

    def _seek(self, until, seeker, fault, now):
        seeker.look(now)
        if now < min(until, seeker.since + fault.lag):
            return
        self._seeking.remove((until, seeker, fault))
        seeker.close()
        if seeker.found:
            target = self._world.claimer() if fault.claims else seeker.found
            fault.at, fault.target = now, [target]
            self._begin(fault, now)

    def _undo(self, fault, now):
        undo = KINDS[fault.kind].undo
        if undo:
            undo(self._world, fault.target)
        self._ending.append((now + fault.rest, fault))

    def _look(self, earliest, fault, now):
        if now < earliest:
            return
        if KINDS[fault.kind].is_over(self._world, fault.target):
            self._ending.remove((earliest, fault))
            self._world.tell_functions()
            self._write(fault, "once" if fault.kind in ONCE else "end")
        elif now > earliest + self._seconds:
            raise Trouble(f"{self._seconds} s after it was undone this is not over: {fault}")

    def _write(self, fault, phase):
        self._log.write(id=fault.id, fault=fault.kind, target=fault.target, phase=phase)
