"""What runs in a run: edges, brokers, Redis, functions and clients, each on a host of its own.

They are started directly, not by `gatepost up`: who dies stays dead until the schedule starts it
again, or, of the workers, `revive`.
"""

import http.client
import json
import re
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lib.function_server import websocket

import channels
import tables
from process import Process
from schedule import GROUPS, MOST_BROKERS

HERE = Path(__file__).resolve().parent
WORKERS = 2  # of each Lambda function, at each broker
LISTEN, LINK, MANAGEMENT, METRICS, RUNTIME, HTTP = 8080, 7400, 8081, 9100, 7500, 9000
REDIS = 6379
IDLE_HTTP = 50  # connections to a function that a broker keeps until it asks it again
POST_SECONDS = 5  # for the answer to a publish
ASK_SECONDS = 0.5  # for an answer of a process; one that is stopped has none

RUNNING = re.compile(r"^gatepost_broker_disconnects_running (\d+)$", re.M)
SANITIZERS = "quarantine_size_mb=4:detect_leaks=1"  # so that memory can be seen to be flat


class World:
    """
    plan      of schedule.py
    network   of network.py
    folder    of the run: logs and all that the processes need
    programs  the folder of gatepost-edge and gatepost-broker
    """

    def __init__(self, plan, network, folder, programs):
        self.plan = plan
        self._programs = programs
        self.network = network
        self.folder = folder
        self._env = {"ASAN_OPTIONS": SANITIZERS, "CHAOS_FOLDER": str(folder)}
        self.processes = {}
        self.told_brokers = []  # those that the functions ask, and the run itself
        hosts = {name: network.host() for name in ("redis", "functions")}
        hosts["clients"] = network.host(extra=GROUPS)
        self.sources = network.sources(hosts["clients"], GROUPS)
        all_brokers = [f"broker-{i}" for i in range(MOST_BROKERS)]
        self.hosts = hosts | {name: network.host() for name in [*plan.edges, *all_brokers]}
        self._write_settings()
        self._add_redis()
        self._add("http", "functions", [sys.executable, HERE / "functions.py",
                                        hosts["functions"].address, HTTP])  # fmt: skip
        for name in plan.edges:
            self._add_edge(name)
        for name in all_brokers:
            self._add_broker(name)

    # Who is there

    def address(self, name):
        return self.hosts[name].address

    def gateposts(self):
        """The edges and brokers that are to run."""
        return [
            p
            for name, p in self.processes.items()
            if name.startswith(("edge", "broker")) and p.wanted and "/" not in name
        ]

    def workers(self, broker):
        return [p for name, p in self.processes.items() if name.startswith(f"{broker}/")]

    def tell_functions(self):
        """Which brokers there are."""
        brokers = [p.name for p in self.gateposts() if p.name.startswith("broker")]
        urls = [f"http://{self.address(name)}:{MANAGEMENT}" for name in brokers]
        if urls:
            self.told_brokers = brokers
            part = self.folder / "brokers.part"
            part.write_text("\n".join(urls))
            part.replace(self.folder / "brokers")

    # How they are made

    def _add(self, name, host, words, **more):
        log = self.folder / f"{name.replace('/', '-')}.log"
        self.processes[name] = Process(name, self.hosts[host], words, log, self._env, **more)

    def _write_settings(self):
        (self.folder / "token").write_text("chaos")
        credentials = self.folder / "credentials"
        credentials.write_text("[chaos]\ntoken = chaos\n")
        credentials.chmod(0o600)
        url = f"http://{self.address('functions')}:{HTTP}"
        manager = "handler.invoke" if self.plan.manager == "lambda" else f"{url}/manager"
        functions = {
            "manager": function(manager, ["$connect", "$disconnect"]),
            "http": function(f"{url}/http", ["ask", "push"], ["tell", "$default"]),
            "lambda": function("handler.invoke", ["lask", "lpush"], ["ltell"]),
            "channels": function("builtin:channels", [], channels.ACTIONS),
            "hook": channels.hook(f"{url}/hook"),
        }
        config = {
            "service": "chaos",
            "provider": {"runtime": "python3.11"},
            "functions": functions,
            "gatepost": {"channels": channels.config()},
            "resources": tables.RESOURCES,
        }
        (self.folder / "gatepost.yml").write_text(json.dumps(config, indent=1))

    def _add_redis(self):
        data = self.folder / "redis"
        data.mkdir()
        # Written before each reply, so that kill -9 loses nothing. A sync would wait for the disk
        # of a busy machine.
        self._add("redis", "redis", [
            "redis-server", "--port", REDIS, "--bind", "0.0.0.0", "--protected-mode", "no",
            "--dir", data, "--save", "", "--appendonly", "yes", "--appendfsync", "no",
        ])  # fmt: skip

    def _add_edge(self, name):
        at = self.address(name)
        seeds = ",".join(f"tcp://{self.address(b)}:{LINK}" for b in self.plan.brokers)
        flags = self._timings(
            "heartbeat", "silence", "retry", "ping-every", "pong-timeout", "close-timeout",
            "stall-timeout", "drain-delay", "drain-timeout",
        )  # fmt: skip
        self._add(name, name, [
            self._programs / "gatepost-edge", "--name", name, "--listen", f"{at}:{LISTEN}",
            "--metrics", f"{at}:{METRICS}", "--brokers", seeds, "--verdict-timeout", "10s", *flags,
        ])  # fmt: skip

    def _add_broker(self, name):
        at = self.address(name)
        # Without it a broker tells edges what it has bound, which they may know by another name.
        names = ["--advertise", f"tcp://{at}:{LINK}"] if self.plan.advertise else []
        flags = self._timings("heartbeat", "silence", "edge-lease", "member-lease",
                              "redis-timeout", "command-timeout", "drain-timeout")  # fmt: skip
        self._add(name, name, [
            self._programs / "gatepost-broker", "--name", name, "--bind", f"tcp://{at}:{LINK}",
            "--metrics", f"{at}:{METRICS}", "--management", f"{at}:{MANAGEMENT}",
            "--management-auth", "bearer", "--credentials", self.folder / "credentials",
            "--redis", f"redis://{self.address('redis')}:{REDIS}",
            "--config", self.folder / "gatepost.yml",
            "--http-connections", IDLE_HTTP, "--runtime-address", f"{at}:{RUNTIME}",
            *flags, *names,
        ])  # fmt: skip
        # The first port is the first function's whose handler is no URL.
        polled = ["manager", "lambda"] if self.plan.manager == "lambda" else ["lambda"]
        for i, function_name in enumerate(polled):
            for worker in range(WORKERS):
                api = f"{at}:{RUNTIME + i}"
                self._add_worker(name, f"{function_name}-{worker}", api)

    def _add_worker(self, broker, name, api):
        """As `gatepost up` starts them, beside their broker."""
        words = [sys.executable, "-m", "awslambdaric", "handler.invoke"]
        self._add(f"{broker}/{name}", broker, words)
        self.processes[f"{broker}/{name}"].surround(HERE, {
            "AWS_LAMBDA_RUNTIME_API": api, "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "chaos", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024", "LAMBDA_TASK_ROOT": str(HERE),
            "_HANDLER": "handler.invoke", "PYTHONPATH": str(HERE),
        })  # fmt: skip

    def _timings(self, *names):
        seconds = self.plan.timings
        return [word for n in names for word in (f"--{n}", f"{round(seconds[n] * 1000)}ms")]

    # Their lives

    def start(self, seconds):
        """All that the plan begins with; waits until they are ready."""
        for name in ("redis", "http", *self.plan.brokers, *self.plan.edges):
            self.processes[name].start()
        end = time.monotonic() + seconds
        for name in ("redis", "http", *self.plan.brokers, *self.plan.edges):
            while not self.is_ready(name):
                if time.monotonic() > end:
                    raise TimeoutError(f"{name} was not ready after {seconds} s: see its log")
                time.sleep(0.05)
        self.tell_functions()
        self.revive()

    def start_clients(self, n):
        self._add("clients", "clients", [sys.executable, HERE / "clients.py", self.folder, n,
                                         self.plan.seed], takes_orders=True)  # fmt: skip
        self.processes["clients"].start()
        edges = {name: [self.address(name), LISTEN] for name in self.plan.edges}
        self.order({"edges": edges, "sources": self.sources})

    def order(self, what):
        """Tell the clients."""
        pipe = self.processes["clients"].stdin
        pipe.write(json.dumps(what).encode() + b"\n")
        pipe.flush()

    def revive(self):
        """Start what has ended of the workers whose broker runs; those of others end alone."""
        down = self.mode("lambda") == "down"
        for process in self.gateposts():
            for worker in self.workers(process.name):
                if process.is_running() and not down and not worker.is_running():
                    worker.start()

    def mode(self, fn):
        with suppress(FileNotFoundError):
            return (self.folder / f"mode-{fn}").read_text()
        return ""

    def set_mode(self, fn, mode):
        (self.folder / f"mode-{fn}").write_text(mode)

    def kill_all(self):
        for process in self.processes.values():
            process.kill()
        self.network.close()

    # What they say

    def is_ready(self, name):
        process = self.processes[name]
        if not process.is_running():
            return False
        if name == "redis":
            return self._takes_writes()
        if name == "http":
            return self._is_open(name="functions", port=HTTP)
        return self.get(name, "/readyz") is not None

    def get(self, name, path):
        """What a process of Gatepost's has at that path of --metrics; None without a 200."""
        url = f"http://{self.address(name)}:{METRICS}{path}"
        try:
            with urllib.request.urlopen(url, timeout=ASK_SECONDS) as reply:
                return reply.read().decode()
        except (OSError, urllib.error.HTTPError):
            return None

    def members(self, broker, channel):
        """Who is in a channel, as that broker's management API has it; None without an answer."""
        path = f"/channels/{urllib.parse.quote(channel)}/presence?limit=1000"
        status, answer = self._manage(broker, path, None, 2 * ASK_SECONDS)
        return answer if status == 200 else None

    def publish(self, broker, channel, data):
        """(status, answer) of that broker's management API; status 0: none came."""
        path = f"/channels/{urllib.parse.quote(channel)}"
        return self._manage(broker, path, json.dumps({"data": data}).encode(), POST_SECONDS)

    def ask_table(self, broker, operation, body):
        """(status, answer) of that broker to a request about tables; status 0: none came."""
        return self._manage(broker, "/", json.dumps(body).encode(), POST_SECONDS, {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        })  # fmt: skip

    def _manage(self, broker, path, body, seconds, headers=None):
        request = urllib.request.Request(
            f"http://{self.address(broker)}:{MANAGEMENT}{path}", body,
            {"Authorization": "Bearer chaos", "Content-Type": "application/json", **(headers or {})},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=seconds) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as e:
            return e.code, _json_of(e)
        except (OSError, http.client.HTTPException):
            return 0, {}

    def claimer(self):
        """The broker that has the most disconnects under way: any of them may claim a dead edge's."""
        brokers = [p.name for p in self.gateposts() if p.name.startswith("broker")]
        return max(brokers, key=self._disconnects_running)

    def _disconnects_running(self, name):
        found = RUNNING.search(self.get(name, "/metrics") or "")
        return int(found[1]) if found else 0

    def redis(self):
        """It is asked once: one that is stopped shall not hold up the schedule."""
        return redis.Redis(self.address("redis"), REDIS, socket_timeout=ASK_SECONDS,
                           socket_connect_timeout=ASK_SECONDS, retry=Retry(NoBackoff(), 0),
                           decode_responses=True)  # fmt: skip

    def _takes_writes(self):
        with suppress(redis.RedisError), self.redis() as db:
            return db.set("chaos", 1)
        return False

    def _is_open(self, name, port):
        with suppress(OSError):
            socket.create_connection((self.address(name), port), ASK_SECONDS).close()
            return True
        return False

    def parked(self):
        """The connection ids of disconnects that were given up."""
        with suppress(redis.RedisError), self.redis() as db:
            return [i for key in db.scan_iter("*:parked", 1000) for i in db.hkeys(key)]
        return []

    def pending(self):
        """The connection ids of disconnects that are still to be done, or done again."""
        with suppress(redis.RedisError), self.redis() as db:
            return [i for key in db.scan_iter("*:disconnects", 1000) for i in db.hkeys(key)]
        return []

    def table(self):
        """The connection ids that stand in it; None when Redis does not say."""
        with suppress(redis.RedisError), self.redis() as db:
            return [i for key in db.scan_iter("*:connections", 1000) for i in db.hkeys(key)]
        return None


def _json_of(error):
    """The answer with another status; nothing when it breaks off, or is no JSON."""
    with suppress(OSError, ValueError, http.client.HTTPException):
        return json.load(error)
    return {}


def function(handler, two_way, one_way=()):
    """A function of gatepost.yml, and its routes."""
    events = [websocket(route, two_way=not route.startswith("$")) for route in two_way]
    events += [websocket(route) for route in one_way]
    return {"handler": handler, "timeout": 6, "events": events}
