"""One gatepost-edge or gatepost-broker alone, for what `gatepost up` would not do.

    with Process("gatepost-broker", "--redis", "unix:/nowhere") as broker:
        until(lambda: "redis.down" in broker.log(), "it says so")
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from lib.cluster import BIN, START_SECONDS, STOP_SECONDS, faults, until


def words(program, flags):
    metrics = [] if "--metrics" in flags else ["--metrics", "127.0.0.1:0"]
    return [str(word) for word in (BIN / program, *metrics, *flags)]


class Process:
    """
    flags   of the program; --metrics is a free port of 127.0.0.1 unless they say otherwise
    env     more of the environment
    before  words in front of the program's, such as of unshare: they must exec it
    expect  names of warn and error lines that this test causes
    """

    def __init__(self, program, *flags, env=None, expect=(), before=()):
        self._words = [*before, *words(program, flags)]
        self._env = env or {}
        self._expected = list(expect)

    def __enter__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="gatepost-test."))
        self._told = {}
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(self._folder / "notify"))
        self._notify.setblocking(False)
        env = {**os.environ, **self._env, "NOTIFY_SOCKET": str(self._folder / "notify")}
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                self._words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def __exit__(self, kind, error, trace):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM if kind is None else signal.SIGKILL)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        log, found = self.log(), faults(self.log(), self._expected)
        self._notify.close()
        shutil.rmtree(self._folder)
        if kind is not None:
            print(f"---- log of {self._words[0]} ----\n{log}----")
        else:
            assert status == 0 and not found, f"status {status}, {found}\n{log}"

    @property
    def pid(self):
        return self._process.pid

    def is_running(self):
        return self._process.poll() is None

    def log(self):
        return (self._folder / "log").read_text(errors="replace")

    def is_ready(self):
        """Has it said READY=1?"""
        try:
            lines = self._notify.recv(1 << 16).decode().split("\n")
            self._told |= dict(line.partition("=")[::2] for line in lines)
        except BlockingIOError:
            pass
        return self._told.get("READY") == "1"

    def told(self, what):
        """What it told with its READY=1, such as "LISTEN"; waits for that."""
        until(self.is_ready, "it is ready", START_SECONDS)
        return self._told[f"X_GATEPOST_{what}"]


def ended(program, *flags, env=None):
    """(exit status, what it wrote) of a program that does not even start."""
    done = subprocess.run(
        words(program, flags),
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=START_SECONDS,
    )  # fmt: skip
    return done.returncode, done.stdout


def free_ports(n):
    """The first of n free ports in a row. Tests that run at a time look in different places: each
    process has 30 ports before it looks among those of others.
    """
    mine = 21000 + os.getpid() % 300 * 30
    for first in [*range(mine, 30000 - n, n), *range(21000, mine, n)]:
        held = []
        try:
            for port in range(first, first + n):
                held.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise AssertionError(f"no {n} free ports in a row")


def descriptors(pid):
    """How many a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
