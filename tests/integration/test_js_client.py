"""The JavaScript client against a Gatepost: in Node and in Chromium, while processes are killed."""

import json
import os
import signal
import time

import pytest

from lib.client import Client
from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, websocket
from lib.tokens import token

NEEDS = ["node", "browser"]  # tests/pick.py

ACTIONS = ["subscribe", "unsubscribe", "publish", "history", "presence", "ping"]
OPEN = {"subscribe": "anyone", "publish": "anyone"}
FLOOD = 100_000  # stopped before

every_platform = pytest.mark.parametrize("platform", ["channels.mjs", "channels_page.js"])


class JsClient(Client):
    """
    A client of clients/js. It reports many kinds of things, in any order: each is waited for by
    its kind (see tests/clients/channels_orders.mjs).
    """

    def __init__(self, platform, url, **more):
        self._later = []
        self._tags = 0
        super().__init__(platform, json.dumps({"url": url, **more}))
        assert self.first == {"ready": True}
        if more.get("tokens") != []:
            self.event("open")

    def _first(self, is_it, what):
        for i, event in enumerate(self._later):
            if is_it(event):
                return self._later.pop(i)
        while True:
            event = self.next()
            assert "ended" not in event, f"it ended before {what}"
            if is_it(event):
                return event
            self._later.append(event)

    def event(self, kind):
        """The next event of that kind."""
        return self._first(lambda e: isinstance(e, list) and e[0] == kind, kind)[1]

    def data(self, n):
        """The data of the next n messages."""
        return [self.event("message")["data"] for _ in range(n)]

    def had(self, kind):
        """The events of that kind that nobody has waited for."""
        return [e[1] for e in self._later if isinstance(e, list) and e[0] == kind]

    def subscribe(self, channel, **options):
        self.order(subscribe=[channel, options])
        is_it = lambda e: isinstance(e, dict) and e.get("subscribed") == channel  # noqa: E731
        ack = self._first(is_it, "subscribed")["ack"]
        assert "error" not in ack, ack
        return ack

    def call(self, name, *args):
        """The ack of an operation, or its error."""
        self._tags += 1
        self.order(**{name: args, "tag": self._tags})
        is_it = lambda e: isinstance(e, dict) and e.get("tag") == self._tags  # noqa: E731
        answer = self._first(is_it, name)
        return answer if "error" in answer else answer["ok"]

    def flooded(self):
        is_it = lambda e: isinstance(e, dict) and "flooded" in e  # noqa: E731
        return self._first(is_it, "the end of the flood")["flooded"]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    routes = [websocket(action) for action in ACTIONS]
    presence = {"members": True, "events": "100ms", "grace": "0s"}
    return project(
        tmp_path_factory.mktemp("channels"),
        {"channels": function("builtin:channels", *routes)},
        channels={
            "room": {"history": {"size": 1000, "ttl": "10m"}, "presence": presence, **OPEN},
            "news": {"history": {"size": 10, "ttl": "10m"}, "recover": "cache", **OPEN},
            "plain": OPEN,
            "closed": {},
        },
    )


@pytest.fixture(scope="module")
def gateway(config):
    with Cluster(edges=2, brokers=2, args=["--config", config]) as it:
        yield it


# While all is well


@every_platform
def test_what_one_publishes_the_other_receives_once_and_in_order(gateway, platform):
    channel = f"room:order-{platform}"
    with JsClient(platform, gateway.websocket) as ada, JsClient("channels.mjs", gateway.websocket) as bob:
        assert ada.subscribe(channel)["offset"] == 0
        bob.order(flood=[channel, 50])
        assert ada.data(50) == list(range(50))
        bob.flooded()
        assert bob.subscribe(channel)["offset"] == 50
        ack = ada.call("publish", channel, "hello", {"tags": {"a": "1"}, "receipt": True})
        assert (ack["offset"], ack["connections"]) == (51, 2)
        message = bob.event("message")
        assert (message["data"], message["tags"], message["offset"]) == ("hello", {"a": "1"}, 51)


@every_platform
def test_a_key_is_published_once(gateway, platform):
    channel = f"room:key-{platform}"
    with JsClient(platform, gateway.websocket) as ada:
        ada.subscribe(channel)
        first = ada.call("publish", channel, 1, {"key": "k"})
        assert ada.call("publish", channel, 1, {"key": "k"})["duplicate"] is True
        assert ada.call("publish", channel, 2)["offset"] == first["offset"] + 1
        assert ada.data(2) == [1, 2]


@every_platform
def test_history_and_presence_are_read(gateway, platform):
    channel = f"room:reads-{platform}"
    with JsClient(platform, gateway.websocket) as ada:
        ada.subscribe(channel, presence=True)
        for i in range(5):
            ada.call("publish", channel, i)
        back = ada.call("history", channel, {"limit": 2, "reverse": True})
        assert [m["data"] for m in back["messages"]] == [4, 3]
        more = ada.call("history", channel, {"limit": 2, "reverse": True, "until": back["next"]})
        assert [m["data"] for m in more["messages"]] == [2, 1]
        there = ada.call("presence", channel)
        assert (there["connections"], len(there["members"])) == (1, 1)
        assert ada.call("ping")["time"] > 1e12


@every_platform
def test_joins_and_leaves_are_events(gateway, platform):
    channel = f"room:presence-{platform}"
    with JsClient(platform, gateway.websocket) as ada:
        ada.subscribe(channel, presence=True)
        assert ada.event("presence")["connections"] == 1
        with JsClient("channels.mjs", gateway.websocket) as bob:
            bob.subscribe(channel)
            event = ada.event("presence")
            assert (event["connections"], len(event["joined"])) == (2, 1)
        left = ada.event("presence")
        assert left["connections"] == 1
        assert [m["connection"] for m in left["left"]] == [m["connection"] for m in event["joined"]]


@every_platform
def test_a_filter_lets_through_what_it_names(gateway, platform):
    channel = f"room:filter-{platform}"
    with JsClient(platform, gateway.websocket) as ada:
        ada.subscribe(channel, filter={"tag": "kind", "in": ["a", "b"]})
        for kind in "xaybz":
            ada.call("publish", channel, kind, {"tags": {"kind": kind}})
        assert ada.data(2) == ["a", "b"]
        assert ada.had("reset") == []


@every_platform
def test_recover_cache_begins_with_the_latest_message(gateway, platform):
    channel = f"news:{platform}"
    with JsClient("channels.mjs", gateway.websocket) as bob:
        for i in range(3):
            bob.call("publish", channel, i)
        with JsClient(platform, gateway.websocket) as ada:
            ada.subscribe(channel, recover="cache")
            assert ada.data(1) == [2]
            bob.call("publish", channel, 3)
            assert ada.data(1) == [3]


@every_platform
def test_a_position_that_was_kept_is_where_a_new_client_goes_on(gateway, platform):
    channel = f"room:since-{platform}"
    with JsClient("channels.mjs", gateway.websocket) as bob:
        acks = [bob.call("publish", channel, i) for i in range(10)]
        since = {"epoch": acks[3]["epoch"], "offset": acks[3]["offset"]}
        with JsClient(platform, gateway.websocket) as ada:
            assert ada.subscribe(channel, since=since)["recovered"] is True
            assert ada.data(6) == [4, 5, 6, 7, 8, 9]


@every_platform
def test_after_unsubscribe_nothing_comes(gateway, platform):
    channel = f"room:unsubscribe-{platform}"
    with JsClient(platform, gateway.websocket) as ada:
        ada.subscribe(channel)
        ada.call("unsubscribe", channel)
        ada.call("publish", channel, 1)
        ada.call("ping")
        assert ada.had("message") == []


@every_platform
@pytest.mark.parametrize(
    "channel, code",
    [("closed:1", "forbidden"), ("nowhere:1", "unknown_namespace"), ("room:{1}", "bad_request")],
)
def test_what_is_refused_is_an_error_with_its_code(gateway, platform, channel, code):
    with JsClient(platform, gateway.websocket) as ada:
        error = ada.call("publish", channel, 1)
        assert (error["error"], error["retryable"]) == (code, False)
        ada.order(subscribe=[channel, {}])
        assert ada.event("unsubscribed")["reason"] == code


@every_platform
def test_150_channels_are_subscribed_at_once(gateway, platform):
    with JsClient(platform, gateway.websocket) as ada:
        names = [f"plain:{platform}-{i}" for i in range(90)] + [f"room:{platform}-{i}" for i in range(60)]
        for name in names:
            ada.order(subscribe=[name, {}])
        subscribed = {ada._first(lambda e: "subscribed" in e, "subscribed")["subscribed"] for _ in names}
        assert subscribed == set(names)
        for name in (names[0], names[-1]):
            ada.call("publish", name, name)
        assert set(ada.data(2)) == {names[0], names[-1]}


# Who connects


SECRET = b"a secret of thirty-two bytes or more"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Its users have a JWT, and the function of $connect subscribes them."""
    with FunctionServer() as functions:
        functions.answer("connect", proxy(200, channels=["room:welcome"]))
        users = {"type": "jwt", "algorithm": "HS256", "key": SECRET.decode()}
        sources = ["route.request.subprotocol", "route.request.querystring.token"]
        config = project(
            tmp_path_factory.mktemp("guarded"),
            {
                "connect": function(functions.url("connect"), websocket("$connect", authorizer="users")),
                "channels": function("builtin:channels", *map(websocket, ACTIONS)),
            },
            authorizers={"users": {**users, "identitySource": sources}},
            channels={"room": {"history": {"size": 10, "ttl": "10m"}, "publish": "authenticated"}},
        )
        with Cluster(edges=1, brokers=1, args=["--config", config], expect=["*"]) as it:
            yield it


def pass_of(user, seconds):
    """A token that is good for so long: there is a minute of tolerance."""
    return token("HS256", SECRET, {"sub": user, "exp": int(time.time()) + seconds - 60})


@every_platform
@pytest.mark.parametrize("options", [{}, {"tokenQuery": "token"}], ids=["subprotocol", "query"])
def test_a_token_makes_it_a_user_and_a_refused_one_is_replaced(guarded, platform, options):
    tokens = [pass_of("ada", -600), pass_of("ada", 600)]
    with JsClient(platform, guarded.websocket, tokens=tokens, options=options) as ada:
        ada.subscribe("room:1")
        ada.call("publish", "room:1", "hi")
        assert ada.event("message")["user"] == "ada"
        assert ada.had("close"), "the first token"


@every_platform
def test_when_its_token_expires_it_goes_on_with_another(guarded, platform):
    channel = f"room:expires-{platform}"
    with JsClient(platform, guarded.websocket, tokens=[]) as ada:
        ada.order(tokens=[pass_of("ada", 4), pass_of("ada", 600)])
        ada.event("open")
        ada.subscribe(channel)
        assert ada.event("close")["code"] == 4401
        ada.call("publish", channel, "after")
        assert ada.data(1) == ["after"]


@every_platform
def test_the_channels_of_connect_are_subscribed_without_an_order(guarded, platform):
    with JsClient(platform, guarded.websocket, tokens=[pass_of("ada", 600)]) as ada:
        ada.call("publish", "room:welcome", platform)
        message = ada.event("message")
        assert (message["channel"], message["data"]) == ("room:welcome", platform)


# While processes end


def end(cluster, name, by):
    """Send a signal, and wait until the next one is ready."""
    pid = cluster.process(name)["pid"]
    os.kill(pid, by)
    until(lambda: cluster.process(name)["pid"] != pid, f"another {name} is ready")


@every_platform
def test_a_flood_arrives_whole_while_edges_and_brokers_are_killed(config, platform):
    """Each message has a key, so that a publish which is tried again is one."""
    channel = f"room:killed-{platform}"
    args = ["--config", config]
    with Cluster(edges=2, brokers=2, args=args, expect=["*"]) as cluster:
        with JsClient(platform, cluster.websocket) as ada, JsClient("channels.mjs", cluster.websocket) as bob:
            ada.subscribe(channel)
            bob.order(flood=[channel, FLOOD])
            got = ada.data(10)
            for name in ("edge-0", "broker-0", "edge-1", "broker-1"):
                end(cluster, name, signal.SIGKILL)
                got += ada.data(10)
            bob.order(stop=[])
            n = bob.flooded()
            got += ada.data(n - len(got))
            assert got == list(range(n))
            ada.call("ping")
            assert ada.had("reset") == [] and ada.had("message") == []
            assert ada.had("close") and bob.had("close")


@every_platform
def test_an_edge_that_drains_costs_no_message(config, platform):
    channel = f"room:drain-{platform}"
    with Cluster(edges=2, brokers=1, args=["--config", config], expect=["process.exited"]) as cluster:
        with JsClient(platform, cluster.websocket) as ada, JsClient("channels.mjs", cluster.websocket) as bob:
            ada.subscribe(channel)
            bob.order(flood=[channel, FLOOD])
            got = ada.data(10)
            for name in ("edge-0", "edge-1"):
                end(cluster, name, signal.SIGTERM)
                got += ada.data(10)
            bob.order(stop=[])
            n = bob.flooded()
            got += ada.data(n - len(got))
            assert got == list(range(n))
            assert {e["code"] for e in ada.had("close")} == {1012}
            assert ada.had("reset") == []


@every_platform
def test_messages_that_came_while_it_was_away_follow_its_position(config, platform):
    channel = f"room:away-{platform}"
    args = ["--config", config]
    with Cluster(edges=1, brokers=2, args=args, expect=["*"]) as cluster:
        with JsClient(platform, cluster.websocket) as ada:
            ada.subscribe(channel)
            ada.call("publish", channel, 0)
            assert ada.data(1) == [0]
            os.kill(cluster.process("edge-0")["pid"], signal.SIGKILL)
            ada.event("close")
            for i in range(1, 4):
                body = b'{"data": %d}' % i
                publish = f"{cluster.management}/channels/{channel.replace(':', '%3A')}"
                assert cluster.get(publish, "POST", body)[0] == 200
            assert ada.data(3) == [1, 2, 3]
            assert ada.had("reset") == []


def test_a_redis_that_was_emptied_is_a_reset(config):
    channel = "room:emptied"
    args = ["--config", config]
    with Cluster(edges=1, brokers=1, args=args, expect=["*"]) as cluster:
        with JsClient("channels.mjs", cluster.websocket) as ada:
            ada.subscribe(channel)
            ada.order(flood=[channel, 3])
            assert ada.data(3) == [0, 1, 2]
            ada.flooded()
            with cluster.redis() as db:
                db.flushall()
            ack = until(lambda: (a := ada.call("publish", channel, "new")).get("offset") and a, "it is published")
            assert ada.event("reset")["reason"] == "epoch"
            message = ada.event("message")
            assert (message["data"], message["epoch"]) == ("new", ack["epoch"])


# The page without a configuration


def test_the_demo_page_is_a_chat_with_history_and_presence():
    with Cluster(edges=1, brokers=1) as cluster, Client("live_page.js", "") as persons:
        assert persons.first == {"open": True}

        def do(who, **order):
            assert persons.ask(who=who, **order).get("done"), order

        do(0, open=cluster.http + "/")
        do(0, see=["#state", "connected"])
        do(0, see=["#count", "1 here"])
        do(0, name="Ada", say="Good evening")
        do(0, see=["#talk span", "Good evening"])
        do(1, open=cluster.http + "/")
        do(1, see=["#talk span", "Good evening"])
        do(0, see=["#count", "2 here"])
        do(1, name="Grace", say="<b>Hello</b>")
        do(0, see=["#talk span", "<b>Hello</b>"])
        do(1, close=True)
        do(0, see=["#count", "1 here"])
