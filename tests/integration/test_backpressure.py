"""What is too much waits or is refused, and is counted; memory is flat, neighbours are served.

Each test floods for two rounds of the same size. The first is the warm-up; in the second no
process may grow by more than FLAT. A neighbour that behaves itself talks all the while.
"""

import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket
from lib.redis_server import RedisServer
from lib.wire import SECONDS, TEXT, WebSocket, Wire, frame, upgrade

FLAT = 24 << 20  # bytes of RSS
PATIENCE = 10  # seconds: the longest wait of a neighbour, with sanitizers on a busy machine
PING = '{"action":"ping"}'
# What was freed is kept by the address sanitizer, 256 MiB of it unless it is told otherwise.
SANITIZER = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}


class Watch:
    """The neighbour and the gauges of a cluster, looked at again and again in a flood."""

    def __init__(self, cluster, gauges):
        self.cluster = cluster
        self.most = {name: 0 for _, name in gauges}
        self.longest = self.asked = 0
        self._gauges = gauges
        self._client = WebSocket(cluster.websocket)
        self._over = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._client.socket.close()
        if self._error:
            raise self._error

    def _run(self):
        try:
            while not self._over.wait(0.05):
                began = time.monotonic()
                assert self._client.ask(PING) == "PONG!"
                self.longest = max(self.longest, time.monotonic() - began)
                self.asked += 1
                for process, name in self._gauges:
                    value = self.cluster.metrics(process).get(name, 0)
                    self.most[name] = max(self.most[name], value)
        except Exception as error:
            self._error = error

    def rss(self):
        return {name: rss(self.cluster.process(name)["pid"]) for name in ("edge-0", "broker-0")}


def rss(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def flood(watch, round_of_it):
    """Two rounds; the second may not need more memory than the first, nor starve the neighbour."""
    round_of_it()
    warm = watch.rss()
    round_of_it()
    grown = {name: after - warm[name] for name, after in watch.rss().items()}
    assert all(more < FLAT for more in grown.values()), f"grown by {grown}"
    assert watch.asked > 5 and watch.longest < PATIENCE, (watch.asked, watch.longest)


def counted(cluster, process, metric):
    return cluster.metrics(process).get(metric, 0)


class Forgetful(FunctionServer):
    """One that does not keep what came: here it is a flood."""

    def take(self, call):
        return self._answers[call.name](call)


@contextmanager
def slow_cluster(tmp_path, seconds, expect=(), **env):
    """A cluster with a function, `slow`, that takes so long."""
    pause = threading.Event()

    def answer(_):
        pause.wait(seconds)
        return proxy(200, "done")

    with Forgetful() as functions:
        functions.answer("slow", answer)
        of_it = function(functions.url("slow"), websocket("slow", two_way=True))
        pings = function("builtin:ping", websocket("ping", two_way=True))
        path = project(tmp_path, {"slow": of_it, "ping": pings})
        with Cluster(edges=1, brokers=1, args=["--config", path], expect=expect,
                     env={**SANITIZER, **env}) as cluster:  # fmt: skip
            yield cluster
            pause.set()


def slow_message(n):
    return '{"action":"slow","pad":"' + "x" * n + '"}'


# Messages


def pour(clients, message, seconds):
    """As much as TCP takes of each client in that time; how many bytes it took."""
    end, took = time.monotonic() + seconds, 0
    rest = {client: b"" for client in clients}
    for client in clients:
        client.socket.setblocking(False)
    while time.monotonic() < end:
        busy = False
        for client in clients:
            rest[client] = rest[client] or frame(TEXT, message)
            try:
                n = client.socket.send(rest[client])
            except BlockingIOError:
                continue
            rest[client] = rest[client][n:]
            took += n
            busy = True
        if not busy:
            threading.Event().wait(0.01)
    return took


def test_one_client_that_floods_a_slow_function_is_not_read_any_more(tmp_path):
    gauges = [("edge-0", "gatepost_edge_held_bytes"), ("broker-0", "gatepost_broker_lanes")]
    with slow_cluster(tmp_path, 0.1, GATEPOST_LANE_BYTES="256KiB") as cluster:
        message = slow_message(30_000)
        with Watch(cluster, gauges) as watch, WebSocket(cluster.websocket) as client:
            taken = []
            flood(watch, lambda: taken.append(pour([client], message, 2)))
        # kernel's buffers aside; at 10 messages a second next to nothing goes on
        assert taken[1] < 4 << 20, f"{taken} bytes were taken"
        most = watch.most["gatepost_edge_held_bytes"]
        assert 0 < most <= (256 << 10) + 2 * (64 << 10), "lane-bytes, and what one read brings"
        assert watch.most["gatepost_broker_lanes"] <= 2


def test_many_clients_that_flood_a_slow_function_hold_no_more_than_the_limit(tmp_path):
    gauges = [("edge-0", "gatepost_edge_held_bytes"), ("broker-0", "gatepost_broker_lanes")]
    limits = {"GATEPOST_HELD_MEMORY": "4MiB", "GATEPOST_HTTP_IN_FLIGHT": "16"}
    with slow_cluster(tmp_path, 0.5, ["function.failed"], **limits) as cluster:
        clients = [WebSocket(cluster.websocket) for _ in range(60)]
        with Watch(cluster, gauges) as watch:
            flood(watch, lambda: pour(clients, slow_message(8_000), 3))
        # beyond the limit each may end what one read of 64 KiB had brought
        assert 1 << 20 < watch.most["gatepost_edge_held_bytes"] < (4 << 20) + 60 * (64 << 10)
        assert watch.most["gatepost_broker_lanes"] <= 61
        said = first_answer_that(clients, lambda text: "Too Many Requests" in text)
        assert said, "who is over http-in-flight is told so"
        for client in clients:
            client.reset()


def first_answer_that(clients, is_it):
    for client in clients:
        client.socket.settimeout(SECONDS)
        for _ in range(50):
            answer = client.next()
            if is_it(answer):
                return answer
            if answer == "done":
                break
    return None


# Redis


def test_requests_to_a_redis_that_stalls_are_bounded_counted_and_refused(tmp_path):
    gauges = [("broker-0", "gatepost_redis_in_flight")]
    env = {**SANITIZER, "GATEPOST_REDIS_MAX_IN_FLIGHT": "20", "GATEPOST_REDIS_TIMEOUT": "500ms"}
    with RedisServer(tmp_path) as store:
        args = ["--redis", store.start().url]
        with Cluster(edges=1, brokers=1, args=args, env=env,
                     expect=["redis.*", "health.*", "store.*", "edge.lease.*", "broker.*"],
                     ) as cluster:  # fmt: skip
            statuses = []
            with Watch(cluster, gauges) as watch:
                flood(watch, lambda: statuses.extend(stall(cluster, store)))
            assert 503 in statuses, "who cannot be let in is told so"
            assert 0 < watch.most["gatepost_redis_in_flight"] <= 20
            assert counted(cluster, "broker-0", 'gatepost_redis_errors_total{kind="busy"}') > 0
            assert counted(cluster, "broker-0", "gatepost_redis_late_total") > 0
            until(lambda: cluster.table() == {}, "all heals")


def stall(cluster, store):
    """200 clients that come while Redis says nothing; what each is told, in the end."""
    store.freeze()
    try:
        wires = [Wire(cluster.http) for _ in range(200)]
        for wire in wires:
            wire.send(upgrade(Connection="Upgrade"))
        late = 'gatepost_redis_late_total'
        before = counted(cluster, "broker-0", late)
        until(lambda: counted(cluster, "broker-0", late) > before, "requests are late")
    finally:
        store.go_on()
    statuses = [wire.response().status for wire in wires]
    for wire in wires:
        wire.socket.close()
    until(lambda: len(cluster.table()) <= 1, "only the neighbour is left")
    return statuses


# Pushes


def test_a_client_that_does_not_read_gets_429_for_its_pushes_and_is_cut_in_the_end():
    env = {**SANITIZER, "GATEPOST_OUTBOX": "256KiB", "GATEPOST_STALL_TIMEOUT": "2s"}
    with Cluster(edges=1, brokers=1, env=env) as cluster, Watch(cluster, []) as watch:

        def push_to_the_deaf():
            with WebSocket(cluster.websocket, 4096) as deaf:
                target = f"{cluster.management}/@connections/{deaf.row_id(cluster)}"
                seen = []
                until(
                    lambda: seen.append(push(cluster, target, 100_000)) or seen[-1] == 410,
                    "it is cut",
                )
                assert set(seen) == {200, 429, 410}
                assert seen.count(200) < 100, "what the kernel takes, and the outbox"

        flood(watch, push_to_the_deaf)
        assert counted(cluster, "edge-0", "gatepost_edge_shed_total") > 0
        assert counted(cluster, "edge-0", "gatepost_edge_stalled_total") == 2


def test_clients_that_do_not_read_hold_no_more_than_the_limit_together():
    env = {**SANITIZER, "GATEPOST_OUTBOX": "16MiB", "GATEPOST_OUTBOX_MEMORY": "4MiB"}
    gauges = [("edge-0", "gatepost_edge_outbox_bytes")]
    with Cluster(edges=1, brokers=1, env=env) as cluster, Watch(cluster, gauges) as watch:
        with WebSocket(cluster.websocket) as reader:
            targets = [f"{cluster.management}/@connections/{reader.row_id(cluster)}"]
            deaf = [WebSocket(cluster.websocket, 4096) for _ in range(8)]
            targets += [f"{cluster.management}/@connections/{c.row_id(cluster)}" for c in deaf]
            got = []
            thread = threading.Thread(target=read_all, args=(reader, got))
            thread.start()

            def push_until_each_is_refused():
                for target in targets[1:]:
                    until(lambda t=target: push(cluster, t, 100_000) == 429, "it has too much")

            flood(watch, push_until_each_is_refused)
            most = watch.most["gatepost_edge_outbox_bytes"]
            assert 3 << 20 < most < (4 << 20) + 9 * (100_000 + (17 << 10))
            assert counted(cluster, "edge-0", "gatepost_edge_shed_total") >= 16
            assert all(push(cluster, targets[0], 100_000) == 200 for _ in range(20))
            until(lambda: len(got) == 20, "who reads gets all of it")
            for client in deaf:
                client.socket.close()
            until(
                lambda: counted(cluster, "edge-0", "gatepost_edge_outbox_bytes") == 0,
                "what they had is given back",
            )
            reader.socket.shutdown(2)
            thread.join()


def push(cluster, target, n):
    return cluster.get(target, "POST", b"x" * n)[0]


def test_a_flood_of_pushes_is_bounded_by_credit_and_the_rest_gets_429():
    env = {**SANITIZER, "GATEPOST_CREDIT_ITEMS": "16", "GATEPOST_CREDIT_BYTES": "64KiB"}
    with Cluster(edges=1, brokers=1, env=env) as cluster, Watch(cluster, []) as watch:
        with WebSocket(cluster.websocket) as client:
            target = f"{cluster.management}/@connections/{client.row_id(cluster)}"
            got, statuses = [], []
            reader = threading.Thread(target=read_all, args=(client, got))
            reader.start()
            with ThreadPoolExecutor(32) as crowd:
                flood(watch, lambda: statuses.extend(
                    crowd.map(lambda _: push(cluster, target, 60_000), range(600))))
            until(lambda: len(got) == statuses.count(200), "all that were acknowledged came")
            client.socket.shutdown(2)
            reader.join()
        assert set(statuses) <= {200, 429} and 200 in statuses
        full = counted(cluster, "broker-0", 'gatepost_broker_commands_failed_total{why="full"}')
        assert full == statuses.count(429), "each that was refused is counted"


def read_all(client, got):
    try:
        while True:
            got.append(client.next())
    except (EOFError, OSError):
        pass
