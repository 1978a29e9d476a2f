"""The webhooks occupied and vacated: once for the whole cluster, in turn, also when processes die."""

import json
import os
import signal
import threading
import time

import pytest

from lib.channel_client import ChannelClient, channel
from lib.cluster import Cluster, until
from lib.function_server import SECONDS, FunctionServer, Reply, function, project, websocket

ACTIONS = ["subscribe", "unsubscribe", "publish", "ping"]
LEASE = 3
TIMES = {
    "GATEPOST_EDGE_LEASE": f"{LEASE}s",
    "GATEPOST_SILENCE": "1s",
    "GATEPOST_HEARTBEAT": "200ms",
    "GATEPOST_DISCONNECT_TRIES": "2",
}
LOSSES = ["process.exited", "link.down", "edge.expired", "up.*", "store.changed", "resync.failed"]


class Hook:
    """The function of the webhook: its events of each channel, in their order."""

    def __init__(self, functions):
        self._functions = functions
        self._lock = threading.Lock()
        self._calls, self._running = [], {}
        self._answers = {}
        self.overlaps = []  # channels with two events at the same time
        functions.answer("hook", self._call)

    def answer(self, name, answer):
        """What the function says to the events of this channel."""
        self._answers[name] = answer

    def _call(self, call):
        context = call.event["requestContext"]
        name = context["channel"]["name"]
        with self._lock:
            self._calls.append(call)
            self._running[name] = self._running.get(name, 0) + 1
            if self._running[name] > 1:
                self.overlaps.append(name)
        try:
            answer = self._answers.get(name, Reply(200))
            return answer(context) if callable(answer) else answer
        finally:
            with self._lock:
                self._running[name] -= 1

    def events(self, name):
        with self._lock:
            contexts = [call.event["requestContext"] for call in self._calls]
        return [c for c in contexts if c["channel"]["name"] == name]

    def actions(self, name):
        return [context["channel"]["action"] for context in self.events(name)]

    def awaits(self, name, actions, seconds=SECONDS):
        until(lambda: self.actions(name) == actions, f"{name} is {actions}", seconds)

    def last(self):
        with self._lock:
            return self._calls[-1]


def config(folder, functions):
    hook = {"channel": {"namespace": "room", "on": ["occupied", "vacated"]}}
    half = {"channel": {"namespace": "half", "on": ["vacated"]}}
    anyone = {"subscribe": "anyone", "publish": "anyone"}
    return project(
        folder,
        {
            "channels": function("builtin:channels", *map(websocket, ACTIONS)),
            "hook": function(functions.url("hook"), hook, half, timeout=60),
        },
        channels={
            "room": {**anyone, "history": {"size": 10}},
            "half": anyone,
            "plain": anyone,
        },
    )


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(scope="module")
def hook(functions):
    it = Hook(functions)
    yield it
    assert it.overlaps == []


@pytest.fixture(scope="module")
def cluster(functions, hook, tmp_path_factory):
    args = ["--config", config(tmp_path_factory.mktemp("occupancy"), functions)]
    with Cluster(edges=2, brokers=2, args=args, env=TIMES) as it:
        yield it


def connect(cluster):
    return ChannelClient(cluster.websocket)


def on_both_edges(cluster, most=20):
    """Clients, some on each edge."""
    clients = []
    with cluster.redis() as db:
        while len(list(db.scan_iter("*:connections"))) < 2:
            assert len(clients) < most
            clients.append(connect(cluster))
            clients[-1].ok("ping")
    return clients + [connect(cluster)]


def state(cluster, name):
    """What Redis has of the channel; empty: vacated, and handled."""
    with cluster.redis() as db:
        texts = [db.hget(key, name) for key in db.scan_iter("*:occupancy")]
    return next((text.decode() for text in texts if text), "")


def keeper(cluster, name):
    """The process of the broker that handles the events of this channel."""
    with cluster.redis() as db:
        key = next(k for k in db.scan_iter("*:occupancy") if db.hget(k, name))
        boot = db.get(key.replace(b":occupancy", b":keeper"))
        members = next(db.scan_iter("*{m}:members"))
        row = json.loads(db.hget(members, boot))
    return cluster.process(row["name"])


# One cluster


def test_a_channel_is_occupied_once_and_vacated_once_over_all_edges(cluster, hook):
    name = channel("room")
    clients = on_both_edges(cluster)
    for client in clients:
        client.ok("subscribe", name)
    hook.awaits(name, ["occupied"])
    for client in clients[:-1]:
        client.ok("unsubscribe", name)
    until(lambda: state(cluster, name) == "occupied", "it is handled")
    clients[-1].socket.close()
    hook.awaits(name, ["occupied", "vacated"])
    clients[0].ok("subscribe", name)
    hook.awaits(name, ["occupied", "vacated", "occupied"])
    clients[0].ok("unsubscribe", name)
    hook.awaits(name, ["occupied", "vacated"] * 2)
    until(lambda: state(cluster, name) == "", "it is handled")
    assert len({context["requestId"] for context in hook.events(name)}) == 4


def test_the_event_names_the_channel_and_its_position_and_no_connection(cluster, hook):
    name = channel("room")
    client = connect(cluster)
    client.ok("publish", name, data=1)
    ack = client.ok("subscribe", name)
    hook.awaits(name, ["occupied"])
    (context,) = hook.events(name)
    assert context["eventType"] == "CHANNEL" and context["routeKey"] == "occupied"
    assert "connectionId" not in context and "identity" not in context
    assert context["channel"] == {
        "name": name, "namespace": "room", "action": "occupied",
        "epoch": ack["epoch"], "offset": 1,
    }  # fmt: skip
    event, headers = hook.last().event, hook.last().headers
    assert "body" not in event and event["isBase64Encoded"] is False
    assert headers["eventtype"] == "CHANNEL" and headers["routekey"] == "occupied"
    assert "connectionid" not in headers


def test_a_webhook_gets_only_what_it_asked_for(cluster, hook):
    name, plain = channel("half"), channel("plain")
    client = connect(cluster)
    client.ok("subscribe", plain)
    client.ok("subscribe", name)
    until(lambda: state(cluster, name) == "occupied", "it is known")
    client.ok("unsubscribe", name)
    hook.awaits(name, ["vacated"])
    assert "epoch" not in hook.events(name)[0]["channel"], "there is no history"
    assert hook.events(plain) == [] and state(cluster, plain) == ""


def test_a_channel_that_is_left_and_taken_while_the_function_runs_is_told_nothing(cluster, hook):
    name, go_on = channel("room"), threading.Event()

    def answer(_):
        assert go_on.wait(SECONDS)
        return Reply(200)

    hook.answer(name, answer)
    client = connect(cluster)
    client.ok("subscribe", name)
    hook.awaits(name, ["occupied"])
    client.ok("unsubscribe", name)
    client.ok("subscribe", name)
    go_on.set()
    until(lambda: state(cluster, name) == "occupied", "it is handled")
    client.ok("unsubscribe", name)
    hook.awaits(name, ["occupied", "vacated"])


def test_a_function_that_fails_is_tried_again_and_then_the_event_is_dropped(cluster, hook):
    cluster.expect("function.failed", "webhook.dropped")
    name = channel("room")
    hook.answer(name, Reply(500))
    client = connect(cluster)
    client.ok("subscribe", name)
    hook.awaits(name, ["occupied"] * 2)
    until(lambda: state(cluster, name) == "occupied", "it is dropped")
    first, second = hook.events(name)
    assert first["requestId"] == second["requestId"]
    assert any("webhook.dropped" in line and name in line for line in cluster.log().splitlines())
    client.ok("unsubscribe", name)
    hook.answer(name, Reply(200))
    hook.awaits(name, ["occupied", "occupied", "vacated"])


# Losses


def is_alive(client):
    try:
        client.ok("ping")
        return True
    except (EOFError, ConnectionResetError, BrokenPipeError):
        client.socket.close()
        return False


@pytest.fixture
def lossy(functions, hook, tmp_path):
    args = ["--config", config(tmp_path, functions)]
    with Cluster(edges=2, brokers=2, args=args, expect=LOSSES, env=TIMES) as it:
        yield it


def test_the_channels_of_a_killed_edge_are_vacated_after_its_lease_and_no_others(lossy, hook):
    clients = on_both_edges(lossy)
    names = [channel("room") for _ in clients]
    both = channel("room")
    for client, name in zip(clients, names, strict=True):
        client.ok("subscribe", name)
        client.ok("subscribe", both)
    for name in [*names, both]:
        hook.awaits(name, ["occupied"])
    os.kill(lossy.process("edge-0")["pid"], signal.SIGKILL)
    killed = time.monotonic()
    alive = {name for client, name in zip(clients, names, strict=True) if is_alive(client)}
    assert 0 < len(alive) < len(names)
    for name in set(names) - alive:
        hook.awaits(name, ["occupied", "vacated"])
    assert time.monotonic() - killed > LEASE - 1, "an edge that is cut off for a moment is none"
    for name in alive | {both}:
        assert hook.actions(name) == ["occupied"]


def test_an_event_whose_broker_is_killed_comes_again_with_its_id_before_the_next(lossy, hook):
    name, killed = channel("room"), threading.Event()

    def answer(_):
        assert killed.wait(SECONDS)
        return Reply(200)

    hook.answer(name, answer)
    client = connect(lossy)
    client.ok("subscribe", name)
    hook.awaits(name, ["occupied"])
    client.ok("unsubscribe", name)
    os.kill(keeper(lossy, name)["pid"], signal.SIGKILL)
    killed.set()
    hook.awaits(name, ["occupied", "occupied", "vacated"], 2 * SECONDS)
    first, again, _ = hook.events(name)
    assert first["requestId"] == again["requestId"]
    assert first["requestTimeEpoch"] == again["requestTimeEpoch"]
    assert first["channel"] == again["channel"]
    until(lambda: state(lossy, name) == "", "it is handled")


def test_an_emptied_redis_gives_one_more_occupied_and_the_vacated_still_comes(lossy, hook):
    name = channel("room")
    client = connect(lossy)
    client.ok("subscribe", name)
    hook.awaits(name, ["occupied"])
    until(lambda: state(lossy, name) == "occupied", "it is handled")
    with lossy.redis() as db:
        db.flushall()
    hook.awaits(name, ["occupied"] * 2)
    client.ok("unsubscribe", name)
    hook.awaits(name, ["occupied", "occupied", "vacated"])
