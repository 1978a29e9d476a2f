"""Redis of the test's own, which it may stop, freeze, and let come back with or without its data.

    with RedisServer(folder, port=free_port()) as server, Sentinels(folder, server) as sentinels:
        server.start()
"""

import signal
import socket
import subprocess

import redis

from lib.cluster import until

CLUSTER = ["--cluster-enabled", "yes"]


def free_port():
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class RedisServer:
    """
    folder   where its sockets and its data are
    port     of 127.0.0.1, besides the Unix socket
    tls      that port is for TLS; the certificates are in more
    more     more of its settings: ["--maxmemory", "1gb"]; with CLUSTER it is the only node of one
    login    (user, password) that the test itself comes in with
    """

    def __init__(self, folder, port=0, more=(), tls=False, login=(None, None)):
        self._folder = folder
        self._folder.mkdir(exist_ok=True)
        self._process = None
        self._more = more
        self._login = login
        self.port = port
        self._ports = ["--port", 0, "--tls-port", port] if tls else ["--port", port]
        self.path = folder / "redis.sock"
        self.url = f"unix:{self.path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        words = ["redis-server", *self._ports, "--bind", "127.0.0.1",
                 "--unixsocket", self.path, "--dir", self._folder,
                 "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                 *self._more]  # fmt: skip
        self._process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until(self._answers, "Redis answers")
        if self._more == CLUSTER:
            self._take_all_slots()
        return self

    def _take_all_slots(self):
        with self.client() as db:
            db.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: b"cluster_state:ok" in db.execute_command("CLUSTER", "INFO"), "it is ok")

    def _answers(self):
        try:
            with self.client() as db:
                return db.ping()
        except redis.RedisError:
            return False

    def client(self):
        user, password = self._login
        return redis.Redis(unix_socket_path=str(self.path), username=user, password=password)

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


class Sentinels:
    """Three of them, who watch one master and replace it when it is away for three seconds: time
    for a test to see that it is missed, and for a busy machine to let it answer after a pause.

    password   that they ask for, of each other too
    """

    NAME = "the-master"

    def __init__(self, folder, master, password):
        self._folder = folder
        self._master = master
        self._password = password
        self._processes = []
        self.ports = [free_port() for _ in range(3)]

    def __enter__(self):
        for port in self.ports:
            folder = self._folder / f"sentinel-{port}"
            folder.mkdir()
            (folder / "sentinel.conf").write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile sentinel.log\n"
                f"requirepass {self._password}\nsentinel sentinel-pass {self._password}\n"
                f"sentinel monitor {self.NAME} 127.0.0.1 {self._master.port} 2\n"
                f"sentinel down-after-milliseconds {self.NAME} 3000\n"
                f"sentinel failover-timeout {self.NAME} 3000\n"
            )
            words = ["redis-server", folder / "sentinel.conf", "--sentinel"]
            self._processes.append(
                subprocess.Popen(
                    [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
            )
        until(self._see_all, "each sentinel knows the replica and the other two")
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()

    def end_one(self):
        """So that two are left, who can still agree."""
        self._processes[0].kill()
        self._processes[0].wait()

    def _ask(self, port):
        with redis.Redis(port=port, password=self._password) as db:
            return db.sentinel_master(self.NAME)

    def _see_all(self):
        try:
            told = [self._ask(port) for port in self.ports]
        except redis.RedisError:
            return False
        return all(t["num-slaves"] == 1 and t["num-other-sentinels"] == 2 for t in told)

    @property
    def url(self):
        places = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://{places}/{self.NAME}?sentinel_password={self._password}"
