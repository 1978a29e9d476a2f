"""A whole Gatepost for one test: `gatepost up` with free ports, watched from start to end.

    with Cluster(edges=2, brokers=2) as cluster:
        connect(cluster.websocket)

Leaving the block stops it as Ctrl-C does, and fails the test unless it stopped with
status 0, left no process behind, printed no sanitizer report, and wrote no `warn` or
`error` line that the test did not announce with expect=["event.name"].
"""

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("GATEPOST_BIN", ROOT / "build/dev/bin"))

# Sanitizers make all slow, and the machine may have few cores and be busy with other tests. These
# are how long a test waits before it fails: who passes does not wait for them.
START_SECONDS = 60
STOP_SECONDS = 60
PATIENCE = 30

LINE = re.compile(r"^\S+Z (?P<level>debug|info|warn|error) (?P<process>\S+) (?P<event>\S+)")
SANITIZER = re.compile(r"(ERROR|WARNING): \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")


def until(question, what, seconds=PATIENCE):
    """Ask until the answer is true, and return it; fail with `what` when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def faults(log, expected):
    """Lines of a log that no test should see: sanitizers' reports, warnings that nobody announced."""
    return [line for line in log.splitlines() if _is_fault(line, expected)]


def _is_fault(line, expected):
    if SANITIZER.search(line):
        return True
    match = LINE.match(line)
    if not match or match["level"] not in ("warn", "error"):
        return False
    return not any(fnmatch.fnmatchcase(match["event"], e) for e in expected)


class Cluster:
    """`gatepost up` and what is known of it.

    args    more flags for `gatepost up`
    env     more of the environment, such as {"GATEPOST_MAX_MESSAGE": "64KiB"}
    cwd     the folder that it is started in
    keep    data is kept where `gatepost up` keeps it by default; else nowhere
    expect  names of warn and error lines that this test causes; `*` matches as in a shell
    """

    running = []  # whose logs a failing test shows (conftest.py)

    def __init__(self, edges=2, brokers=2, args=(), expect=(), env=None, cwd=None, keep=False):
        self._args = [
            BIN / "gatepost", "up", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0",
            "--edges", str(edges), "--brokers", str(brokers), *args,
        ]  # fmt: skip
        if not keep and "--data" not in self._args:
            self._args += ["--data", "none"]
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._expected = list(expect)
        self._folder = None
        self._up = None

    # Life

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
            return
        self.kill()
        print(f"---- log of the cluster ----\n{self.log()}----")
        self._remove()

    def start(self):
        self._folder = Path(tempfile.mkdtemp(prefix="gatepost-test."))
        self._pids = set()
        Cluster.running.append(self)
        command = [*self._args, "--ready-file", self._folder / "ready.json"]
        with open(self._folder / "out", "wb") as out, open(self._folder / "log", "wb") as log:
            self._up = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True,
                env=self._env, cwd=self._cwd,
            )  # fmt: skip
        try:
            until(self._is_ready, "the ready file is there", START_SECONDS)
        except AssertionError as e:
            self.kill()
            log = self.log()
            self._remove()
            raise AssertionError(f"gatepost up did not start: {e}\n{log}") from None

    def stop(self):
        """Stop as Ctrl-C does, and check how it went."""
        pids = self._seen_pids()
        if self._up.poll() is None:
            self._up.send_signal(signal.SIGINT)
        try:
            status = self._up.wait(STOP_SECONDS)
            until(lambda: not any(map(is_alive, pids)), "all its processes have ended")
        except (subprocess.TimeoutExpired, AssertionError) as e:
            self._fail(f"it did not stop: {e}")
        faults = self.faults()
        if status != 0 or faults:
            self._fail(f"exit status {status}; unexpected lines:\n" + "\n".join(faults))
        self._remove()

    def kill(self):
        """End all of it at once; what a failed test calls."""
        pids = self._seen_pids()
        if self._up.poll() is None:
            os.killpg(self._up.pid, signal.SIGKILL)
            self._up.wait()
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)

    def _fail(self, why):
        self.kill()
        log = self.log()
        self._remove()
        raise AssertionError(f"{why}\n---- log of the cluster ----\n{log}")

    def _remove(self):
        Cluster.running.remove(self)
        shutil.rmtree(self._folder, ignore_errors=True)

    # What the ready file says; read anew each time, since a restart replaces it

    def _is_ready(self):
        if self._up.poll() is not None:
            raise AssertionError(f"it ended with status {self._up.returncode}")
        return (self._folder / "ready.json").exists()

    @property
    def ready(self):
        ready = json.loads((self._folder / "ready.json").read_text())
        self._pids |= {process["pid"] for process in ready["processes"]}
        return ready

    def _seen_pids(self):
        try:
            self.ready
        except (FileNotFoundError, json.JSONDecodeError):
            pass  # never ready, or already stopped: what was seen before counts
        return self._pids

    @property
    def websocket(self):
        return self.ready["websocket"]

    @property
    def http(self):
        return self.ready["http"]

    @property
    def management(self):
        return self.ready["management"]

    @property
    def processes(self):
        return self.ready["processes"]

    @property
    def pid(self):
        """Of `gatepost up` itself."""
        return self._up.pid

    def process(self, name):
        return next(p for p in self.processes if p["name"] == name)

    # What it wrote

    def out(self):
        return (self._folder / "out").read_text(errors="replace")

    def log(self):
        return (self._folder / "log").read_text(errors="replace")

    def expect(self, *events):
        """Announce warn and error lines that the test is about to cause."""
        self._expected += events

    def faults(self):
        return faults(self.log(), self._expected)

    # Its doors

    def get(self, url, method="GET", body=None, headers=None):
        """(status, body) of one HTTP request; an error status is an answer like any other."""
        request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def metrics(self, name):
        """{metric with labels: value} of the process of that name."""
        url = self.process(name)["metrics"].removesuffix("/metrics") + "/metrics"
        _, text = self.get(url)
        rows = (line.rpartition(" ") for line in text.decode().splitlines() if line[:1] != "#")
        return {metric: float(value) for metric, _, value in rows if metric}

    def redis(self):
        """A client of its Redis."""
        where = self.ready["redis"]
        if where.startswith("unix:"):
            return redis.Redis(unix_socket_path=where.removeprefix("unix:").replace("//", "/"))
        return redis.Redis.from_url(where)

    def table(self):
        """The connection table: {connection id: row}."""
        with self.redis() as db:
            hashes = [db.hgetall(key) for key in db.scan_iter("*:connections")]
        return {i.decode(): json.loads(row) for rows in hashes for i, row in rows.items()}

    def owed(self):
        """How many disconnects have left the table, and their functions have not answered yet."""
        with self.redis() as db:
            return sum(db.hlen(key) for key in db.scan_iter("*:disconnects"))

    def settle(self, why="those of the test before have gone"):
        """
        Wait until nobody is connected and every $disconnect is done. An empty table alone does
        not say so: a row leaves it before the function is asked.
        """
        until(lambda: self.table() == {} and self.owed() == 0, why)
