"""docs/openapi.yaml against the running server: each operation is called, and its answers are as described."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from lib.cluster import ROOT, Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.schema import Schemas
from lib.wire import CLOSE, Close, WebSocket, frame

SPEC = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
SCHEMAS = Schemas(SPEC)
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS = {
    (path, method): operation
    for path, item in SPEC["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
NEVER = "AAAAAAAAAAAAAAA="
NAMESPACES = {
    "room": {"history": {"size": 10}, "presence": {}, "subscribe": "anyone"},
    "tick": {"limits": {"message": "64B"}},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with FunctionServer() as functions:
        functions.answer("bye", Reply(200, "x" * 5000))
        functions.answer("hello", lambda call: proxy(200, **user_of(call)))
        routes = {
            "hello": function(functions.url("hello"), websocket("$connect")),
            "bye": function(functions.url("bye"), websocket("$disconnect")),
            "channels": function("builtin:channels", *map(websocket, ("subscribe", "publish"))),
        }
        file = project(tmp_path_factory.mktemp("openapi"), routes, channels=NAMESPACES)
        env = {"GATEPOST_HTTP_MAX_RESPONSE": "4KiB", "GATEPOST_DISCONNECT_TRIES": "1"}
        expect = ["function.failed", "disconnect.dead_letter"]
        with Cluster(1, 1, ["--config", file], expect, env=env) as it:
            yield it


def user_of(call):
    """What $connect adds to its result for ?user=…"""
    user = (call.event.get("queryStringParameters") or {}).get("user")
    return {"user": user} if user else {}


class Answer:
    def __init__(self, operation, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self._check(operation)

    def json(self):
        return json.loads(self.body)

    def _check(self, operation):
        """It is one that the operation describes."""
        known = operation["responses"]
        assert str(self.status) in known or self.status >= 400, f"{self.status}: {self.body}"
        response = SCHEMAS.resolve(known.get(str(self.status), known["default"]))
        if "content" not in response:
            assert self.body == b""
            return
        assert self.headers["Content-Type"] == "application/json"
        schema = response["content"]["application/json"]["schema"]
        assert SCHEMAS.faults(self.json(), schema) == []


@pytest.fixture
def call(cluster):
    """call("/channels/{channel}", "post", {"channel": "room:1"}, body={…}, query={…})"""

    def run(path, method, parts=(), body=None, query=()):
        operation = OPERATIONS[path, method]
        names = {SCHEMAS.resolve(p)["name"] for p in operation.get("parameters", ())}
        assert set(query) <= names, "parameters that the operation has"
        for name, value in dict(parts).items():
            path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
        url = cluster.management + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, method=method.upper())
        try:
            with urllib.request.urlopen(request, timeout=30) as it:
                return Answer(operation, it.status, it.headers, it.read())
        except urllib.error.HTTPError as e:
            return Answer(operation, e.code, e.headers, e.read())

    return run


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        it.id = it.row_id(cluster)
        yield it


def test_no_other_method_is_allowed_for_a_path(cluster):
    for path, item in SPEC["paths"].items():
        url = cluster.management + path.replace("{connectionId}", NEVER).replace("{channel}", "room:1").replace("{user}", "u1").replace("{edge}", "edge-0")
        request = urllib.request.Request(url, method="PATCH")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        allowed = {m.lower() for m in refused.value.headers["Allow"].split(", ")}
        assert (refused.value.code, allowed) == (405, set(item) & set(METHODS)), path


def test_a_path_that_is_not_described_is_404(cluster):
    for path in ("/x", "/connections", "/channels/room:1/members", "/users", "/users/u1/rooms"):
        assert cluster.get(cluster.management + path)[0] == 404


def test_the_table_and_its_connections(call, client):
    page = call("/@connections", "get", query={"limit": 1}).json()
    assert page["connections"][0]["connectionId"] == client.id
    assert call("/@connections", "get", query={"limit": "x"}).status == 400
    one = ("/@connections/{connectionId}", {"connectionId": client.id})
    assert call(one[0], "get", one[1]).status == 200
    assert call(one[0], "post", one[1], b"hello").status == 200
    assert client.next() == "hello"
    sent = call("/@connections", "post", body={"connectionIds": [client.id, NEVER], "data": "x"})
    assert sent.json()["results"]["gone"] == [NEVER]
    assert call("/@connections", "post", body={}).status == 400
    assert call(one[0], "delete", one[1], query={"code": 7}).status == 400
    assert call(one[0], "delete", one[1], query={"code": 4001, "reason": "bye"}).status == 204
    for method in ("get", "post", "delete"):
        assert call(one[0], method, {"connectionId": NEVER}).status == 410
        assert call(one[0], method, {"connectionId": "x"}).status == 400


def test_publishing_and_reading(call):
    room, tick = {"channel": "room:a/b %"}, {"channel": "tick:1"}
    one, history = "/channels/{channel}", "/channels/{channel}/history"
    message = {"data": {"a": 1}, "tags": {"t": "v"}, "user": "u1", "key": "k"}
    first = call(one, "post", room, message)
    assert first.json()["offset"] == 1
    assert call(one, "post", room, message).json() == {**first.json(), "duplicate": True}
    assert call(one, "post", tick, {"data": None}).json() == {}
    assert call(one, "post", tick, {"data": 1, "receipt": True}).json() == {"edges": 0, "connections": 0}
    assert call(one, "post", tick, {"data": "x" * 100}).status == 413
    for body in (b"x", {}, {"data": 1, "key": 7}):
        assert call(one, "post", room, body).status == 400
    assert call(one, "post", {"channel": "hall:1"}, {"data": 1}).json()["code"] == "unknown_namespace"

    many = call("/channels", "post", body={"channels": ["room:a/b %", "hall:1"], "data64": "/w=="}).json()
    assert [r.get("offset") for r in many["results"]] == [2, None]
    messages = [{"channel": "room:a/b %", "data": 3}, {"channel": "tick:1", "data": 3}]
    assert call("/channels", "post", body={"messages": messages}).json()["results"][0]["offset"] == 3
    assert call("/channels", "post", body={"messages": 1}).status == 400

    page = call(history, "get", room, query={"limit": 2}).json()
    assert [m.get("data", m.get("data64")) for m in page["messages"]] == [{"a": 1}, "/w=="]
    assert page["messages"][0]["user"] == "u1"
    since = "{epoch}:{offset}".format(**page["next"])
    rest = call(history, "get", room, query={"since": since}).json()
    assert [m["offset"] for m in rest["messages"]] == [3] and "next" not in rest
    newest = call(history, "get", room, query={"reverse": "true", "limit": 1}).json()
    assert [m["offset"] for m in newest["messages"]] == [3]
    until_ = "{epoch}:{offset}".format(**newest["next"])
    older = call(history, "get", room, query={"reverse": "true", "until": until_}).json()
    assert [m["offset"] for m in older["messages"]] == [2, 1]
    assert call(history, "get", room, query={"limit": 0}).json()["messages"] == []
    assert call(history, "get", room, query={"since": "0:1"}).json()["code"] == "epoch"
    assert call(history, "get", tick).json()["code"] == "not_available"
    assert call(history, "delete", room).status == 204
    cleared = call(history, "get", room).json()
    assert (cleared["offset"], cleared["messages"]) == (3, [])
    assert call(history, "delete", {"channel": "hall:1"}).status == 400


def test_subscriptions_of_a_connection(call, client):
    path, parts = "/@connections/{connectionId}/channels/{channel}", {"connectionId": client.id, "channel": "room:s"}
    assert call(path, "put", parts).status == 204
    assert json.loads(client.next())["type"] == "ack"
    done = call("/channels/{channel}", "post", {"channel": "room:s"}, {"data": "hi", "receipt": True}).json()
    assert (done["edges"], done["connections"]) == (1, 1)
    assert json.loads(client.next())["data"] == "hi"

    page = call("/channels", "get", query={"prefix": "room:s"}).json()
    assert [(c["channel"], c["offset"]) for c in page["channels"]] == [("room:s", 1)]
    assert call("/channels", "get", query={"limit": 0}).status == 400

    assert call(path, "delete", parts).status == 204
    assert json.loads(client.next()) == {"type": "unsubscribed", "channel": "room:s", "reason": "server"}
    until(
        lambda: call("/channels", "get", query={"prefix": "room:s"}).json() == {"channels": []},
        "nobody is subscribed any more",
    )
    assert call(path, "delete", parts).status == 204
    for method in ("put", "delete"):
        assert call(path, method, {**parts, "connectionId": NEVER}).status == 410
        assert call(path, method, {**parts, "channel": "hall:1"}).json()["code"] == "unknown_namespace"


def test_who_is_in_a_channel(call, client):
    presence, parts = "/channels/{channel}/presence", {"channel": "room:p"}
    subscription = {"connectionId": client.id, "channel": "room:p"}
    call("/@connections/{connectionId}/channels/{channel}", "put", subscription)
    page = call(presence, "get", parts).json()
    assert [m["connection"] for m in page["members"]] == [client.id]
    assert call(presence, "get", parts, query={"limit": 0}).json()["connections"] == 1
    assert call(presence, "get", parts, query={"limit": 2000}).status == 400
    assert call(presence, "get", {"channel": "tick:1"}).json()["code"] == "not_available"


def test_the_connections_of_a_user(cluster, call):
    users, one = "/users/{user}", {"user": "Ada / Ada"}
    channel = "/users/{user}/channels/{channel}"
    nobody = {"user": "Ada / Ada", "connections": [], "failed": []}
    assert call(users, "get", one).json() == nobody
    with WebSocket(cluster.websocket + "?user=Ada%20%2F%20Ada") as a, WebSocket(cluster.websocket) as b:
        a.id, b.id = a.row_id(cluster), b.row_id(cluster)
        mine = {**nobody, "connections": [a.id]}
        assert call(users, "get", one).json() == mine
        assert call(users, "get", one, query={"cursor": "x"}).status == 400
        assert call(channel, "put", {**one, "channel": "room:u"}).json() == mine
        assert json.loads(a.next())["type"] == "ack"
        call("/channels/{channel}", "post", {"channel": "room:u"}, {"data": "hi"})
        assert json.loads(a.next())["data"] == "hi"
        assert call(channel, "delete", {**one, "channel": "room:u"}).json() == mine
        assert json.loads(a.next())["reason"] == "server"
        assert call(channel, "put", {**one, "channel": "hall:1"}).json()["code"] == "unknown_namespace"
        assert call(channel, "delete", {**one, "channel": "room:*"}).json()["code"] == "bad_request"
        assert call(users, "delete", one).json() == mine
        assert a.next() == Close(1000, "Connection Closed Normally")
        until(lambda: call(users, "get", one).json() == nobody, "it has gone")
        assert call("/@connections/{connectionId}", "get", {"connectionId": b.id}).status == 200
    with cluster.redis() as db:
        assert list(db.scan_iter("*Ada*:ids")) == []


def test_the_edges(call, client):
    assert call("/edges", "get").json() == {"edges": [{"name": "edge-0", "connections": 1}]}
    shed = ("/edges/{edge}/shed", "post")
    assert call(*shed, {"edge": "edge-0"}, query={"connections": 0}).status == 400
    assert call(*shed, {"edge": "nobody"}, query={"connections": 1}).status == 404
    answer = call(*shed, {"edge": "edge-0"}, query={"connections": 5}).json()
    assert answer == {"connections": 1, "closing": 1}
    assert client.hear() == Close(1012, "Service Restart")


def test_dead_letters(cluster, call):
    def end():
        with WebSocket(cluster.websocket) as one:
            one.id = one.row_id(cluster)
            one.send(frame(CLOSE, b"\x0f\xa1"))
            assert one.next() == Close(4001, "")
            return one.id

    def listed():
        return {d["connectionId"] for d in call("/@disconnects", "get").json()["disconnects"]}

    ids = [end() for _ in range(2)]
    until(lambda: listed() >= set(ids), "dead letters")
    one = "/@disconnects/{connectionId}"
    assert call(one, "post", {"connectionId": ids[0]}).status == 202
    until(lambda: listed() >= set(ids), "it has failed again")
    assert call(one, "delete", {"connectionId": ids[0]}).status == 204
    for method in ("post", "delete"):
        assert call(one, method, {"connectionId": ids[0]}).status == 410
        assert call(one, method, {"connectionId": "x"}).status == 400
        assert call("/@disconnects", method).status == 400
    assert call("/@disconnects", "post", query={"all": "true"}).json()["retried"] >= 1
    until(lambda: ids[1] in listed(), "it has failed again")
    assert call("/@disconnects", "delete", query={"all": "true"}).json()["dropped"] >= 1


def test_each_operation_is_called_here():
    source = (ROOT / "tests/integration/test_openapi.py").read_text()
    assert [path for path, _ in OPERATIONS if f'"{path}"' not in source] == []
