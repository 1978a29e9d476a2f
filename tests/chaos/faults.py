"""How each fault of a schedule is done to a world, undone, and seen to be over.

    Sort(begin, undo, is_over)      of a kind; each is called with the world and the fault's target

begin does harm and returns at once. After the fault's seconds undo ends it, and from then on
is_over is asked until it is true. A kind without undo is over by itself.
"""

import signal
from collections import namedtuple
from contextlib import suppress

import redis

NOWHERE = "10.77.250.250"

Sort = namedtuple("Sort", "begin undo is_over", defaults=(None, lambda world, target: True))


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
    "add": Sort(_start, None, _are_ready),
    "remove": Sort(_ask_to_stop, None, _have_ended),
    "cut": Sort(_cut, _heal),
    "redis_kill9": Sort(_kill, _start, _are_ready),
    "redis_empty": Sort(_kill_and_empty, _start, _are_ready),
    "redis_restart": Sort(_ask_to_stop, None, _are_back),
    "redis_stop": Sort(_signal(signal.SIGSTOP), _signal(signal.SIGCONT), _are_ready),
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
}
ONCE = ("add", "remove")  # logged when they are over


class Injector:
    """Does the faults of a schedule when their time has come, and logs them."""

    def __init__(self, world, log, seconds):
        """seconds: for a process to be ready again"""
        self._world = world
        self._log = log
        self._seconds = seconds
        self._waiting = list(world.plan.faults)
        self._harming = []  # (when to undo it, fault)
        self._ending = []  # (when it may be over, fault)

    def is_done(self):
        return not (self._waiting or self._harming or self._ending)

    def tick(self, now):
        """now: seconds since the clients began"""
        while self._waiting and self._waiting[0].at <= now:
            self._begin(self._waiting.pop(0), now)
        for entry in [e for e in self._harming if e[0] <= now]:
            self._harming.remove(entry)
            self._undo(entry[1], now)
        for entry in list(self._ending):
            self._look(*entry, now)

    def _begin(self, fault, now):
        print(fault, flush=True)
        if fault.kind not in ONCE:
            self._write(fault, "begin")
        KINDS[fault.kind].begin(self._world, fault.target)
        self._harming.append((now + fault.seconds, fault))

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
