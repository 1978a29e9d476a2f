"""A Redis of the test's own, which it may stop, freeze, and let come back with or without its data."""

import signal
import subprocess

import redis

from lib.cluster import until


class RedisServer:
    """
    folder   where its socket and its data are
    """

    def __init__(self, folder):
        self._folder = folder
        self._process = None
        self.path = folder / "redis.sock"
        self.url = f"unix:{self.path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        words = ["redis-server", "--port", "0", "--unixsocket", self.path, "--dir", self._folder,
                 "--save", "", "--appendonly", "yes", "--appendfsync", "always"]  # fmt: skip
        self._process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until(self._answers, "Redis answers")
        return self

    def _answers(self):
        try:
            with self.client() as db:
                return db.ping()
        except redis.RedisError:
            return False

    def client(self):
        return redis.Redis(unix_socket_path=str(self.path))

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def end(self):
        """At once; what it had acknowledged is on disk."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self):
        """Let the next start be an empty one."""
        for path in (self._folder / "appendonlydir").iterdir():
            path.unlink()
