"""What every bench starts and asks: `gatepost up`, bench-load, the table in Redis; its rows."""

import contextlib
import json
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("GATEPOST_BIN", ROOT / "build/release/bin"))


class Failure(Exception):
    """Something without which there is nothing to measure."""


class Table:
    """Rows as they are measured: name, figure, target, the same figure of the floor."""

    def __init__(self):
        self.rows = []

    def add(self, name, figure, unit, target=None, floor=None):
        verdict = "" if target is None else "PASS" if figure <= target else "MISS"
        ratio = number(figure / floor) if floor is not None and floor > 0 else ""
        cells = [name, number(figure), unit, number(target), number(floor), ratio, verdict]
        self.rows.append(cells)
        say("  ".join(cell for cell in cells if cell))

    def missed(self):
        return any(row[-1] == "MISS" for row in self.rows)

    def __str__(self):
        head = ["row", "figure", "unit", "target", "floor", "ratio", "verdict"]
        rows = [head] + self.rows
        wide = [max(len(row[i]) for row in rows) for i in range(len(head))]
        left = (0, 2, 6)
        lines = []
        for row in rows:
            cells = [c.ljust(w) if i in left else c.rjust(w)
                     for i, (c, w) in enumerate(zip(row, wide))]
            lines.append("  ".join(cells).rstrip())
        lines.insert(1, "  ".join("-" * w for w in wide))
        return "\n".join(lines)


def number(n):
    if n is None:
        return ""
    if n == int(n) or abs(n) >= 100:
        return f"{n:,.0f}"
    return f"{n:.1f}" if abs(n) >= 10 else f"{n:.2f}"


def say(text):
    print(text, file=sys.stderr, flush=True)


def until(what, seconds, look, every=0.02):
    """Ask every so many seconds until look() gives something; Failure when it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(every)
    raise Failure(f"{what}: not within {seconds} s")


@contextlib.contextmanager
def system(edges, brokers, *flags, programs=BIN, data="none", **environment):
    """`gatepost up` of that folder of programs, on free ports; gives its ready file. data: --data."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        ready = pathlib.Path(folder, "ready.json")
        log = pathlib.Path(folder, "log")
        command = [programs / "gatepost", "up", "--listen", "127.0.0.1:0", "--management",
                   "127.0.0.1:0", "--edges", str(edges), "--brokers", str(brokers),
                   "--ready-file", ready, "--log-level", "warn", "--data", data, *flags]
        with log.open("w") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     start_new_session=True, env=os.environ | environment)
        try:
            until("gatepost up is ready", 30, lambda: ready.exists() or is_over(child))
            if child.poll() is not None:
                raise Failure(f"gatepost up ended with status {child.returncode}")
            yield ready
            stop(child, signal.SIGINT)
        except BaseException:
            say(f"--- what gatepost up said\n{log.read_text()[-4000:]}---")
            raise
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def is_over(child):
    return child.poll() is not None


def stop(child, how):
    child.send_signal(how)
    try:
        status = child.wait(30)
    except subprocess.TimeoutExpired:
        raise Failure(f"{shlex.join(map(str, child.args))} does not stop") from None
    if status != 0:
        raise Failure(f"{shlex.join(map(str, child.args))} ended with status {status}")


@contextlib.contextmanager
def listening(program):
    """A program that prints its port; gives that and its pid."""
    child = subprocess.Popen([BIN / program], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True)
    try:
        yield child.stdout.readline().strip(), child.pid
        stop(child, signal.SIGTERM)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@contextlib.contextmanager
def project(edges, brokers, functions, echo=False, **environment):
    """A system with functions over HTTP, {name: its routes}; gives ready file, what has come.

    All of them are one bench-function. The second is a question to it, such as what()["ended"].
    """
    with listening("bench-function") as (port, _), tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{port}/"
        config = pathlib.Path(folder, "gatepost.yml")
        made = {name: {"handler": url, "events": [{"websocket": {"route": r}} for r in routes]}
                for name, routes in functions.items()}
        if echo:
            route = {"route": "$default", "routeResponseSelectionExpression": "$default"}
            made["echo"] = {"handler": "builtin:echo", "events": [{"websocket": route}]}
        config.write_text(json.dumps({"service": "bench", "functions": made}))
        with system(edges, brokers, "--config", config, **environment) as ready:
            yield ready, lambda: asked(url)


def asked(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def start_load(flags, **settings):
    """bench-load in the background; settings are its flags by name."""
    command = [BIN / "bench-load", "--json", *flags]
    for name, value in settings.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def finish_load(child):
    try:
        text, _ = child.communicate(timeout=400)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    if not text.strip():
        raise Failure(f"bench-load ended with status {child.returncode} and no report")
    seen = json.loads(text)
    if not seen["clean"]:
        echo = seen["echo"]["count"]
        raise Failure(f"errors under load: {seen['errors']}; {seen['connect']['count']} opened, "
                      f"{echo} answered, {seen['close']['count']} closed")
    return seen


def load(flags, **settings):
    return finish_load(start_load(flags, **settings))


def redis_cli(url):
    """Asks the Redis of that URL; gives the words of the answer."""
    cli = ["redis-cli", "-s", url[5:]] if url.startswith("unix:") else ["redis-cli", "-u", url]

    def ask(*words):
        return subprocess.run([*cli, *words], check=True, capture_output=True, text=True,
                              timeout=10).stdout.split()

    ask.command = cli
    return ask


def table_rows(ready, tables=("connections",)):
    """How many connections the table in Redis holds, or several tables together."""
    ask = redis_cli(json.loads(ready.read_text())["redis"])
    keys = [key for table in tables for key in ask("--scan", "--pattern", f"*:{table}")]
    return sum(int(ask("HLEN", key)[0]) for key in keys)


def process(ready, name):
    """What the ready file says of a process: its pid, where its metrics are."""
    return next(p for p in json.loads(ready.read_text())["processes"] if p["name"] == name)


def metric(ready, name, metric):
    """One figure of a process; None when it does not answer."""
    url = process(ready, name)["metrics"].removesuffix("/metrics") + "/metrics"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    return next((float(line.split()[-1]) for line in lines if line.startswith(metric + " ")), None)


def raise_descriptors():
    """As far as the hard limit lets us; children inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
