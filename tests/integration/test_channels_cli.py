"""gatepost publish, subscribe, history, channels and presence: channels for people and shell scripts."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from lib.cluster import BIN, Cluster, until
from lib.function_server import function, project, websocket
from lib.wire import WebSocket

DONE, FAILED, USAGE, GONE, DENIED, LATER = range(6)
NAMESPACES = {
    "room": {"history": {"size": 2500}, "presence": {}, "subscribe": "anyone"},
    "tick": {"subscribe": "anyone", "limits": {"subscriptions": 600}},
    "raw": {"subscribe": "anyone", "format": "raw"},
    "shut": {"subscribe": "nobody"},
    "paid": {"subscribe": "token", "token": {"algorithm": "HS256", "key": "k" * 32}},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    actions = function("builtin:channels", websocket("subscribe"))
    file = project(tmp_path_factory.mktemp("cli"), {"channels": actions}, channels=NAMESPACES)
    with Cluster(2, 2, ["--config", file]) as it:
        yield it


@pytest.fixture
def run(cluster):
    """run("publish", …): what it printed and how it ended."""
    env = {**os.environ, "GATEPOST_MANAGEMENT": cluster.management, "GATEPOST_URL": cluster.websocket}

    def run(*words, stdin=b""):
        return subprocess.run(
            [BIN / "gatepost", *map(str, words)], input=stdin, env=env, capture_output=True, timeout=60
        )

    return run


@pytest.fixture
def follow(cluster, run, tmp_path):
    """with follow("room:1") as lines: … lines() are those that `gatepost subscribe` has printed."""

    @contextmanager
    def follow(*words, ends=-signal.SIGTERM):
        out, errors = tmp_path / "out", tmp_path / "errors"
        command = [BIN / "gatepost", "subscribe", *words, "--url", cluster.websocket]
        with open(out, "wb") as o, open(errors, "wb") as e:
            process = subprocess.Popen(command, stdout=o, stderr=e)
        try:
            lines = lambda: out.read_text().splitlines()  # noqa: E731
            lines.errors = errors.read_text
            lines.process = process
            yield lines
        finally:
            process.terminate()
            assert process.wait(30) == ends

    return follow


def carried(run, channel):
    until(lambda: channel in run("channels").stdout.decode(), f"{channel} has a subscriber")


def test_what_is_published_is_printed_by_who_is_subscribed(run, follow):
    with follow("room:live", "tick:live") as lines:
        carried(run, "room:live")
        carried(run, "tick:live")
        done = run("publish", "room:live", '{"n": 1.50}')
        assert (done.returncode, done.stderr) == (DONE, b"")
        assert done.stdout.decode().rpartition(":")[2] == "1\n"
        until(lambda: len(lines()) == 1, "a message")
        done = run("publish", "tick:live", "Grüße\x1b")
        assert (done.returncode, done.stdout) == (DONE, b"")
        until(lambda: len(lines()) == 2, "another")
        assert lines() == ['room:live  1  {"n": 1.50}', "tick:live  -  Grüße?"]
        assert lines.errors() == ""


def test_with_json_frames_are_printed_as_they_come(run, follow):
    with follow("room:json", "--json") as lines:
        carried(run, "room:json")
        run("publish", "room:json", "-", "--tag", "city=Bonn", "--tag=level=3", stdin=b"[1]")
        until(lambda: len(lines()) == 2, "an ack and a message")
        ack, message = map(json.loads, lines())
        assert (ack["type"], ack["channel"]) == ("ack", "room:json")
        assert (message["data"], message["tags"]) == ([1], {"city": "Bonn", "level": "3"})


def test_a_raw_channel_has_its_data_alone(run, follow):
    with follow("raw:1") as lines:
        carried(run, "raw:1")
        run("publish", "raw:1", "just text")
        until(lambda: lines() == ["just text"], "its data")


def test_since_prints_first_what_was_missed(run, follow):
    first = run("publish", "room:since", 1).stdout.decode().strip()
    run("publish", "room:since", 2)
    with follow("room:since", "--since", first) as lines:
        until(lambda: lines() == ["room:since  2  2"], "what was missed")
    with follow("room:since", "--since", "0:1") as lines:
        until(lambda: "not complete any more" in lines.errors(), "it says so")
        assert lines() == []


def test_an_idempotency_key_publishes_once(run):
    first = run("publish", "room:key", 1, "--idempotency-key", "k").stdout.decode().strip()
    again = run("publish", "room:key", 2, "--idempotency-key", "k").stdout.decode()
    assert again == f"{first} duplicate\n"
    assert json.loads(run("publish", "room:key", 2, "--json").stdout)["offset"] == 2


@pytest.mark.parametrize(
    "words, status, why",
    [(("shut:1",), DENIED, ""), (("hall:1",), USAGE, ""), (("paid:1",), DENIED, ""),
     ((), USAGE, "CHANNEL is missing"), (("a", "b", "--since", "e:1"), USAGE, "one channel"),
     (("a", "--since", "e1"), USAGE, "EPOCH:OFFSET"),
     (("a", "--url", "ws://127.0.0.1:1/dev"), FAILED, "no response")],
)  # fmt: skip
def test_a_subscribe_that_is_refused_ends_with_its_status(run, words, status, why):
    done = run("subscribe", *words)
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.startswith(b"gatepost subscribe: ") and why.encode() in done.stderr


def test_subscribe_ends_when_the_server_ends_the_connection(cluster, run, follow):
    with follow("room:end", ends=FAILED) as lines:
        carried(run, "room:end")
        agent = "gatepost subscribe"
        ids = [i for i, row in cluster.table().items() if row.get("userAgent") == agent]
        assert run("close", ids[0], "--code", 4001, "--reason", "bye").returncode == DONE
        lines.process.wait(30)
        assert lines.errors() == "gatepost subscribe: the server closed the connection: 4001 bye\n"


def test_history_is_printed_to_its_end_or_to_its_limit(cluster, run):
    body = json.dumps({"messages": [{"channel": "room:many", "data": i} for i in range(1000)]}).encode()
    for _ in range(2):
        assert cluster.get(cluster.management + "/channels", "POST", body)[0] == 200
    lines = run("history", "room:many").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == [str(i) for i in range(1, 2001)]
    assert lines[0].split()[2] == "0"
    newest = run("history", "room:many", "--reverse", "--limit", 1500, "--json").stdout.splitlines()
    assert [json.loads(line)["offset"] for line in newest] == list(range(2000, 500, -1))
    epoch = json.loads(newest[0])["epoch"]
    part = run("history", "room:many", "--since", f"{epoch}:1", "--until", f"{epoch}:3").stdout.splitlines()
    assert [line.split()[0] for line in part] == [b"2", b"3"]
    assert run("history", "room:many", "--limit", 0).stdout == b""
    assert run("history", "room:many", "--since", "0:1").returncode == USAGE
    assert run("history", "tick:1").returncode == USAGE
    assert run("history").returncode == USAGE


def test_channels_are_listed_page_after_page(cluster, run):
    with WebSocket(cluster.websocket) as one, WebSocket(cluster.websocket) as other:
        for i in range(1200):
            client = one if i % 2 else other
            ack = client.ask(json.dumps({"action": "subscribe", "channel": f"tick:{i:04}"}))
            assert json.loads(ack)["type"] == "ack", ack
        listed = run("channels", "tick:").stdout.decode().splitlines()
        assert listed[0].split() == ["CONNECTIONS", "USERS", "OFFSET", "EPOCH", "CHANNEL"]
        assert [line.split() for line in listed[1:3]] == [["-", "-", "-", "-", f"tick:000{i}"] for i in "01"]
        assert len(listed) == 1201
        rows = [json.loads(line) for line in run("channels", "tick:1", "--json").stdout.splitlines()]
        assert rows == [{"channel": f"tick:1{i:03}"} for i in range(200)]


def test_presence_lists_who_is_subscribed(cluster, run):
    with WebSocket(cluster.websocket) as client:
        client.id = client.row_id(cluster)
        assert json.loads(client.ask('{"action":"subscribe","channel":"room:who"}'))["type"] == "ack"
        done = run("presence", "room:who")
        assert (done.returncode, done.stderr) == (DONE, b"")
        assert done.stdout.decode() == f"1 connection, 0 users\n{client.id}  -\n"
        assert json.loads(run("presence", "room:who", "--json").stdout) == {"connection": client.id}
    assert run("presence", "room:nobody").stdout == b"0 connections, 0 users\n"
    assert run("presence", "tick:1").returncode == USAGE
    assert run("presence").returncode == USAGE


def test_a_publish_that_is_refused_ends_with_its_status(run):
    assert run("publish", "hall:1", 1).returncode == USAGE
    assert run("publish", "room:1").returncode == USAGE
    assert run("publish", "room:1", 1, "--tag", "city").returncode == USAGE
    assert run("publish", "room:1", "-", stdin=b"\xff").returncode == USAGE
    assert run("publish", "room:*", 1).stderr.decode().startswith("gatepost publish: The channel's name")
