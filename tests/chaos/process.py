"""One program of a run, on its host."""

import os
import signal
import subprocess
from contextlib import suppress


class Process:
    """A program on a host, which may be started again; its log goes on over all its lives.

    env    more of the environment
    stdin  a pipe, when it takes orders
    """

    def __init__(self, name, host, words, log, env=None, takes_orders=False):
        self.name = name
        self.host = host
        self.wanted = False  # is it to run?
        self.log = log
        self._words = [str(word) for word in words]
        self._env = env or {}
        self._stdin = subprocess.PIPE if takes_orders else subprocess.DEVNULL
        self._folder = None
        self._process = None
        self.lives = 0

    def surround(self, folder, env):
        """Start it in that folder, with more of the environment."""
        self._folder = folder
        self._env = {**self._env, **env}

    def start(self):
        """Unless it runs: two faults may have killed it."""
        self.wanted = True
        if self.is_running():
            return
        self.lives += 1
        # When this program is killed the kernel kills its children; none is left behind.
        leash = ["setpriv", "--pdeathsig", "KILL", "--"]
        env = {**os.environ, **self._env, "CHAOS_NAME": f"{self.name}.{self.lives}"}
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [*self.host.prefix, *leash, *self._words],
                stdin=self._stdin, stdout=log, stderr=log, env=env, cwd=self._folder,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self):
        return self._process.pid

    @property
    def stdin(self):
        return self._process.stdin

    def status(self):
        """None while it runs."""
        return self._process.poll()

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def signal(self, number):
        if self.is_running():
            self._process.send_signal(number)

    def kill(self):
        """At once; it shall not run from now on."""
        self.wanted = False
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait()

    def ask_to_stop(self):
        self.wanted = False
        self.signal(signal.SIGTERM)

    def wait(self, seconds):
        """Its exit status; None when it had to be killed."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        self.kill()
        return None
