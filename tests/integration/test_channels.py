"""Channels, as clients use them: each action, each rule, on edges and brokers that differ."""

import json
import time

import pytest

from lib.channel_client import ChannelClient, act, channel
from lib.cluster import Cluster
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.tokens import token

SECRET = "0123456789abcdef0123456789abcdef"
ACTIONS = ["subscribe", "unsubscribe", "publish", "history", "presence", "ping"]
OPEN = {"subscribe": "anyone", "publish": "anyone"}

def guard(call):
    """Lets everybody in, as the user that the header names, with the rooms and channels that it names."""
    user, rooms, channels = (call.event["headers"]["Auth"].split(";") + ["", ""])[:3]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    return Reply(200, json.dumps({
        "principalId": user,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"rooms": rooms, **({"channels": channels} if channels else {})},
    }))  # fmt: skip


@pytest.fixture(scope="module")
def functions():
    with FunctionServer() as it:
        yield it


@pytest.fixture(scope="module")
def cluster(functions, tmp_path_factory):
    authorizer = {"name": "guard", "identitySource": "route.request.header.Auth"}
    config = project(
        tmp_path_factory.mktemp("channels"),
        {
            "channels": function("builtin:channels", *map(websocket, ACTIONS)),
            "hello": function(functions.url("hello"), websocket("$connect", authorizer=authorizer)),
            "bye": function(functions.url("bye"), websocket("$disconnect")),
            "guard": function(functions.url("guard")),
            "judge": function(functions.url("judge")),
            "hook": function(
                functions.url("hook"),
                {"channel": {"namespace": "hooked", "on": ["subscribe", "unsubscribe", "publish"]}},
            ),
            "join": function(functions.url("join"), websocket("join", two_way=True)),
        },
        channels={
            "room": {**OPEN, "history": {"size": 100}},
            "tiny": {**OPEN, "history": {"size": 2}},
            "news": {**OPEN, "history": {"size": 10}, "recover": "cache"},
            "plain": {**OPEN, "limits": {"message": "100B", "subscriptions": 2}},
            "slow": {**OPEN, "limits": {"rate": "1/s"}},
            "shared": {**OPEN, "limits": {"userRate": "1/s"}},
            "users": {"subscribe": "authenticated", "publish": "nobody"},
            "private": {"subscribe": "token", "publish": "token",
                        "token": {"algorithm": "HS256", "key": SECRET}},
            "member": {"subscribe": "context.rooms", "publish": "context.rooms"},
            "asked": {"subscribe": "judge", "publish": "judge"},
            "hooked": OPEN,
            "here": {**OPEN, "presence": {"members": True, "events": "100ms", "grace": "0s"}},
        },
    )  # fmt: skip
    functions.answer("guard", guard)
    with Cluster(edges=2, brokers=2, args=["--config", config]) as it:
        yield it


@pytest.fixture(autouse=True)
def fresh(functions, cluster):
    functions.forget()
    functions.answer("guard", guard)


class Client(ChannelClient):
    def __init__(self, cluster, user="", rooms="", channels=""):
        super().__init__(cluster.websocket, Auth=f"{user};{rooms};{channels}")


def data_of(frames):
    return [frame["data"] for frame in frames]


# Publish and subscribe


@pytest.mark.parametrize("namespace", ["room", "plain"])
def test_every_subscriber_on_every_edge_gets_every_message_once_in_order(cluster, namespace):
    name = channel(namespace)
    subscribers = [Client(cluster) for _ in range(8)]
    publishers = [Client(cluster) for _ in range(3)]
    for it in subscribers:
        it.ok("subscribe", name)
    for n in range(12):
        publishers[n % 3].ok("publish", name, data={"n": n})
    for it in subscribers:
        frames = [it.frame() for _ in range(12)]
        assert data_of(frames) == [{"n": n} for n in range(12)]
        assert all(f["type"] == "message" and f["channel"] == name for f in frames)
        if namespace == "room":
            assert [f["offset"] for f in frames] == list(range(1, 13))
    for it in subscribers + publishers:
        it.idle()
        it.socket.close()


def test_a_publication_has_its_tags_and_the_publisher_s_user(cluster):
    name = channel("room")
    reader, writer = Client(cluster), Client(cluster, "ann")
    reader.ok("subscribe", name)
    ack = writer.ok("publish", name, data="hi", tags={"a": "b"}, receipt=True)
    frame = reader.frame()
    assert frame["tags"] == {"a": "b"} and frame["user"] == "ann" and frame["data"] == "hi"
    assert (frame["epoch"], frame["offset"]) == (ack["epoch"], ack["offset"])
    assert (ack["edges"], ack["connections"]) == (1, 1)


def test_a_filter_passes_what_it_names(cluster):
    name = channel("room")
    reader, writer = Client(cluster), Client(cluster)
    reader.ok("subscribe", name, filter={"tag": "level", "gte": 3})
    for level in 1, 5, 2, 3:
        writer.ok("publish", name, data=level, tags={"level": str(level)})
    assert data_of([reader.frame(), reader.frame()]) == [5, 3]
    reader.fails("bad_request", "subscribe", name, filter={"tag": "level"})


def test_after_unsubscribe_nothing_comes(cluster):
    name = channel("room")
    reader, writer = Client(cluster), Client(cluster)
    reader.ok("unsubscribe", name)
    reader.ok("subscribe", name)
    reader.ok("unsubscribe", name)
    writer.ok("publish", name, data=1)
    reader.idle()


def test_subscribe_unsubscribe_subscribe_in_one_message_ends_subscribed(cluster):
    name = channel("room")
    reader, writer = Client(cluster), Client(cluster)
    frames = reader.batch(act("subscribe", name), act("unsubscribe", name), act("subscribe", name))
    assert [f["type"] for f in frames] == ["ack"] * 3
    writer.ok("publish", name, data=1)
    assert reader.frame()["data"] == 1
    reader.idle()


def test_a_second_subscribe_is_acknowledged_and_gives_no_second_copy(cluster):
    name = channel("room")
    reader = Client(cluster)
    reader.ok("subscribe", name)
    reader.ok("publish", name, data=1)
    assert reader.frame()["data"] == 1
    again = reader.ok("subscribe", name)
    assert again["offset"] == 1
    reader.ok("publish", name, data=2)
    assert reader.frame()["data"] == 2
    reader.idle()


def test_key_and_version_are_honoured(cluster):
    name = channel("room")
    client = Client(cluster)
    first = client.ok("publish", name, data=1, key="k")
    again = client.ok("publish", name, data=1, key="k")
    assert again["duplicate"] is True and again["offset"] == first["offset"]
    client.ok("publish", name, data=2, version="18446744073709551615")
    assert client.ok("publish", name, data=3, version=7)["suppressed"] is True
    assert client.ok("history", name, limit=0)["offset"] == 2


# Recovery


def test_what_was_missed_is_recovered(cluster):
    name = channel("room")
    reader, writer = Client(cluster), Client(cluster)
    at = reader.ok("subscribe", name)
    reader.ok("unsubscribe", name)
    for n in range(5):
        writer.ok("publish", name, data=n)
    since = {"epoch": at["epoch"], "offset": at["offset"]}
    ack = reader.ok("subscribe", name, since=since)
    assert ack["recovered"] is True and ack["offset"] == 5
    assert data_of([reader.frame() for _ in range(5)]) == [0, 1, 2, 3, 4]
    writer.ok("publish", name, data=5)
    assert reader.frame()["data"] == 5


def test_nothing_missed_is_recovered_also_before_the_first_message(cluster):
    name = channel("room")
    reader = Client(cluster)
    at = reader.ok("subscribe", name)
    assert at["offset"] == 0 and "recovered" not in at
    reader.ok("unsubscribe", name)
    since = {"epoch": at["epoch"], "offset": 0}
    assert reader.ok("subscribe", name, since=since)["recovered"] is True
    reader.idle()


def recoveries(cluster, reason):
    name = f'gatepost_broker_recoveries_total{{recovered="false",reason="{reason}"}}'
    return sum(cluster.metrics(b)[name] for b in ("broker-0", "broker-1"))


def test_what_was_trimmed_or_is_of_another_epoch_is_not_recovered(cluster):
    name = channel("tiny")
    reader, writer = Client(cluster), Client(cluster)
    at = writer.ok("publish", name, data=0)
    for n in range(1, 5):
        writer.ok("publish", name, data=n)
    for why, since in (
        ("trimmed", {"epoch": at["epoch"], "offset": 1}),
        ("epoch", {"epoch": "other", "offset": 4}),
        ("ahead", {"epoch": at["epoch"], "offset": 99}),
    ):
        before = recoveries(cluster, why)
        ack = reader.ok("subscribe", name, since=since)
        assert recoveries(cluster, why) == before + 1
        assert ack["recovered"] is False and ack["offset"] == 5
        reader.ok("unsubscribe", name)
    assert reader.ok("subscribe", name, since={**at, "offset": 3})["recovered"] is True
    assert data_of([reader.frame(), reader.frame()]) == [3, 4]
    reader.fails("bad_request", "subscribe", name, since={"offset": 3})


def test_cache_gives_the_newest_at_every_subscribe(cluster):
    name = channel("news")
    reader, writer = Client(cluster), Client(cluster)
    writer.ok("publish", name, data="old")
    writer.ok("publish", name, data="new")
    for _ in range(2):
        reader.ok("subscribe", name)
        assert reader.frame()["data"] == "new"
        reader.ok("unsubscribe", name)


# History


def test_history_is_read_in_pages_and_backwards(cluster):
    name = channel("room")
    client = Client(cluster)
    for n in range(1, 8):
        client.ok("publish", name, data=n)
    page = client.ok("history", name, limit=3)
    assert data_of(page["messages"]) == [1, 2, 3] and page["offset"] == 7
    page = client.ok("history", name, limit=4, since=page["next"])
    assert data_of(page["messages"]) == [4, 5, 6, 7] and "next" not in page
    page = client.ok("history", name, limit=4, reverse=True)
    assert data_of(page["messages"]) == [7, 6, 5, 4]
    page = client.ok("history", name, limit=4, reverse=True, until=page["next"])
    assert data_of(page["messages"]) == [3, 2, 1] and "next" not in page
    assert client.ok("history", name, limit=0)["messages"] == []
    client.fails("epoch", "history", name, since={"epoch": "x", "offset": 1})
    client.fails("not_available", "history", channel("plain"))


# Presence


def test_presence_tells_who_is_there(cluster):
    name = channel("here")
    ann, bob = Client(cluster, "ann"), Client(cluster, "bob")
    ann.ok("subscribe", name, presence=True)
    assert ann.frame()["joined"][0]["user"] == "ann"
    bob.ok("subscribe", name)
    frame = ann.frame()
    assert frame["type"] == "presence" and frame["joined"][0]["user"] == "bob"
    answer = bob.ok("presence", name)
    assert (answer["connections"], answer["users"]) == (2, 2)
    assert {member["user"] for member in answer["members"]} == {"ann", "bob"}
    bob.ok("unsubscribe", name)
    assert ann.frame()["left"][0]["user"] == "bob"
    bob.ok("subscribe", name)
    assert ann.frame()["joined"][0]["user"] == "bob"
    bob.socket.close()
    assert ann.frame()["left"][0]["user"] == "bob"
    ann.fails("not_available", "presence", channel("room"))


# Who may


def test_authenticated_and_nobody(cluster):
    name = channel("users")
    Client(cluster).fails("forbidden", "subscribe", name)
    ann = Client(cluster, "ann")
    ann.ok("subscribe", name)
    ann.fails("forbidden", "publish", name, data=1)


def test_a_channel_with_users_is_for_them(cluster):
    name = channel("users")
    for user, may in (("ann", True), ("bob", True), ("eve", False), ("ann,bob", False)):
        client = Client(cluster, user)
        client.ok("subscribe", name + "#ann,bob") if may else client.fails(
            "forbidden", "subscribe", name + "#ann,bob"
        )


def test_a_token_that_names_the_channel(cluster):
    name = channel("private")
    client = Client(cluster)
    good = token("HS256", SECRET.encode(), {"channel": name, "exp": int(time.time()) + 600})
    wrong = token("HS256", SECRET.encode(), {"channel": "private:x"})
    forged = token("HS256", b"x" * 32, {"channel": name})
    client.fails("forbidden", "subscribe", name)
    client.fails("forbidden", "subscribe", name, token=wrong)
    client.fails("forbidden", "subscribe", name, token=forged)
    client.fails("forbidden", "publish", name, data=1, token=wrong)
    client.ok("subscribe", name, token=good)
    client.ok("publish", name, data=1, token=good)
    assert client.frame()["data"] == 1


def test_the_authorizer_s_context_lists_channels(cluster):
    client = Client(cluster, "ann", "a,b")
    client.ok("subscribe", "member:a")
    client.fails("forbidden", "subscribe", "member:c")
    client.fails("forbidden", "publish", "member:c", data=1)
    Client(cluster, "ann", "*").ok("subscribe", "member:c")


def test_a_function_decides(cluster, functions):
    name = channel("asked")
    client = Client(cluster, "ann")
    functions.answer("judge", proxy(403, "not you"))
    assert client.fails("forbidden", "subscribe", name)["message"] == "not you"
    context = functions.next("judge").event["requestContext"]
    assert context["eventType"] == "CHANNEL" and context["authorizer"]["principalId"] == "ann"
    assert context["channel"] == {"name": name, "namespace": "asked", "action": "subscribe"}
    functions.answer("judge", proxy(200))
    client.ok("subscribe", name)
    functions.answer("judge", proxy(200, data={"b": 2}))
    client.ok("publish", name, data={"a": 1})
    assert client.frame()["data"] == {"b": 2}


# Webhooks


def test_a_webhook_is_asked_and_told_what_clients_do(cluster, functions):
    name = channel("hooked")
    client = Client(cluster, "ann")
    client.ok("subscribe", name)
    client.ok("publish", name, data={"a": 1})
    assert client.frame()["data"] == {"a": 1}
    client.ok("unsubscribe", name)
    events = [functions.next("hook").event for _ in range(3)]
    contexts = [event["requestContext"] for event in events]
    assert [c["channel"]["action"] for c in contexts] == ["subscribe", "publish", "unsubscribe"]
    for context in contexts:
        assert context["eventType"] == "CHANNEL" and context["authorizer"]["principalId"] == "ann"
        assert (context["channel"]["name"], context["channel"]["namespace"]) == (name, "hooked")
    assert json.loads(events[1]["body"]) == {"a": 1}


def test_a_webhook_refuses_and_rewrites(cluster, functions):
    name = channel("hooked")
    client = Client(cluster, "ann")
    functions.answer("hook", proxy(403, "the room is full"))
    assert client.fails("forbidden", "subscribe", name)["message"] == "the room is full"
    client.ok("unsubscribe", name)
    functions.answer("hook", proxy(200, data={"b": 2}))
    client.ok("subscribe", name)
    client.ok("publish", name, data={"a": 1})
    assert client.frame()["data"] == {"b": 2}
    url = f"{cluster.management}/channels/{name}"
    body = json.dumps({"data": "as it is"}).encode()
    assert cluster.get(url, "POST", body, {"content-type": "application/json"})[0] == 200
    assert client.frame()["data"] == "as it is"


def test_a_webhook_that_fails_is_a_retryable_error(cluster, functions):
    cluster.expect("function.failed")
    name = channel("hooked")
    client = Client(cluster, "ann")
    client.ok("subscribe", name)
    functions.answer("hook", Reply(200, "x" * (7 << 20)))
    assert client.fails("unavailable", "publish", name, data=1)["retryable"] is True
    client.ok("unsubscribe", name)


# Errors


def test_errors_close_nothing(cluster):
    client = Client(cluster)
    client.fails("unknown_namespace", "subscribe", "nope:1")
    client.fails("bad_request", "subscribe", "room:*")
    client.fails("bad_request", "subscribe")
    client.fails("bad_request", "publish", channel("room"))
    client.fails("too_large", "publish", channel("plain"), data="x" * 100)
    slow = channel("slow")
    client.ok("publish", slow, data=1)
    assert client.fails("rate", "publish", slow, data=2)["retryable"] is True


def test_an_array_of_other_actions_too_is_one_error(cluster):
    client = Client(cluster)
    client.say(json.dumps([{"action": "ping"}, {"action": "join"}]))
    assert client.frame()["code"] == "bad_request"
    client.ok("ping")


def test_a_connection_has_so_many_subscriptions_in_a_namespace(cluster):
    client, first = Client(cluster), channel("plain")
    client.ok("subscribe", first)
    client.ok("subscribe", channel("plain"))
    client.fails("limit", "subscribe", channel("plain"))
    client.ok("subscribe", channel("room"))
    client.ok("unsubscribe", first)
    client.ok("subscribe", channel("plain"))


def test_a_user_s_rate_holds_over_connections(cluster):
    name = channel("shared")
    clients = [Client(cluster, "rated") for _ in range(6)]
    for it in clients:
        it.say(json.dumps(act("publish", name, data=1)))
    codes = [it.frame().get("code") for it in clients]
    assert codes.count("rate") >= 3 and None in codes


# Functions


def test_connect_subscribes_before_anything_is_missed(cluster, functions):
    first, second = channel("users"), channel("room")
    functions.answer("hello", proxy(200, user="zoe", channels=[first, {"channel": second}]))
    client = Client(cluster, "ann", channels=json.dumps([channel("room")]))
    acks = [client.frame() for _ in range(3)]
    assert [a["type"] for a in acks] == ["ack"] * 3 and "id" not in acks[0]
    assert [a["channel"] for a in acks[1:]] == [first, second]
    client.ok("publish", second, data=1)
    frame = client.frame()
    assert frame["data"] == 1 and frame["user"] == "zoe"


def test_connect_with_an_unknown_namespace_is_500(cluster, functions):
    cluster.expect("connect.subscribe.failed")
    functions.answer("hello", proxy(200, channels=["nope:1"]))
    with pytest.raises(ConnectionRefusedError, match="500"):
        Client(cluster)


def test_a_function_subscribes_and_publishes_for_its_client(cluster, functions):
    name, users = channel("room"), channel("users")
    publish = [{"channel": name, "data": {"from": "function"}}]
    functions.answer("join", proxy(200, "welcome", subscribe=[name, users], publish=publish))
    client = Client(cluster)
    client.say(json.dumps({"action": "join", "id": 5}))
    assert client.next() == "welcome"
    acks = []
    while len(acks) < 3:
        frame = client.frame()
        if frame["type"] == "ack":
            acks.append(frame)
    assert [a["id"] for a in acks] == [5, 5, 5]
