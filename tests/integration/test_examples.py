"""The examples as their READMEs say: `gatepost up` in their folder, and real clients."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.client import Client
from lib.cluster import BIN, ROOT, Cluster, until
from lib.wire import WebSocket

NEEDS = ["node", "browser", "functions"]  # tests/pick.py

EXAMPLES = ROOT / "examples"
FUNCTIONS = ROOT / "build/functions/node_modules"  # ./dev test puts aws-lambda-ric there
CLIENTS = Path(os.environ["NODE_PATH"])  # and here AWS's SDK


OURS = shutil.ignore_patterns("node_modules", ".venv", ".gatepost", "dist")


def copied(example, folder):
    """A copy, so that nothing is left in the example's own folder, with what its README has installed."""
    shutil.copytree(EXAMPLES / example, folder, ignore=OURS)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "node_modules").mkdir()
    (folder / "node_modules/.bin").symlink_to(FUNCTIONS / ".bin")
    (folder / "node_modules/@aws-sdk").symlink_to(CLIENTS / "@aws-sdk")
    return folder


def started(example, folder, brokers=1, expect=()):
    return Cluster(edges=1, brokers=brokers, cwd=copied(example, folder), expect=expect)


def items(cluster, table):
    """The items of a table, as `gatepost table scan` prints them."""
    done = subprocess.run(
        [BIN / "gatepost", "table", "scan", table, "--management", cluster.management],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


# Three Python functions


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    with started("serverless-websocket", tmp_path_factory.mktemp("tutorial") / "it") as it:
        yield it


CONNECTIONS = "serverless-websocket-connections"


def has_logged(cluster, function, text):
    """Has a worker of that function written such a line?"""
    line = re.compile(rf"^fn-{function}-\d \| .*{text}", re.MULTILINE)
    return until(lambda: line.search(cluster.log()), f"{function} logs {text}")


def test_ping_is_answered_by_the_python_function(tutorial):
    assert tutorial.get(tutorial.http + "/dev/ping") == (200, b"PONG!")
    has_logged(tutorial, "ping", "Ping requested")


@pytest.mark.parametrize("name", ["ws", "websockets", "chromium"])
def test_a_client_is_accepted_answered_and_seen_off_by_the_python_functions(tutorial, name):
    with Client(name, tutorial.websocket) as client:
        assert client.first == {"open": True}
        (at,) = until(lambda: list(tutorial.table()), "the connection is in the table")
        has_logged(tutorial, "connectionManager", f"Connect requested: {at}")
        assert items(tutorial, CONNECTIONS) == [{"connection_id": {"S": at}}]
        for message in ('{"action":"dance"}', "not JSON"):
            assert client.ask(text=message) == {"text": "Unrecognized WebSocket action."}
        client.ask(close=[1000, ""])
    has_logged(tutorial, "connectionManager", f"Disconnect requested: {at}")
    until(lambda: not tutorial.table(), "the table is empty")
    assert items(tutorial, CONNECTIONS) == []


def test_the_row_is_right_in_the_end_when_a_broker_is_killed(tmp_path):
    with started("serverless-websocket", tmp_path / "it", brokers=2, expect=["*"]) as it:
        for broker in ("broker-0", "broker-1"):
            pid = it.process(broker)["pid"]
            with Client("websockets", it.websocket) as client:
                (at,) = until(lambda: list(it.table()), "the connection is in the table")
                assert items(it, CONNECTIONS) == [{"connection_id": {"S": at}}]
                os.kill(pid, signal.SIGKILL)
                client.ask(close=[1000, ""])
            until(lambda: items(it, CONNECTIONS) == [], "its row is gone")
            until(lambda: it.process(broker)["pid"] != pid, "the broker is back")


# A chat


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with started("chat", tmp_path_factory.mktemp("chat") / "it") as it:
        yield it


@pytest.fixture
def chat(room):
    """With nobody there: of all who were, it has been told that they left."""
    room.settle()
    return room


ROWS = "chat-dev-connections"


def test_only_those_of_a_room_hear_what_one_says_there(chat):
    with (
        Client("ws", chat.websocket + "?room=tea") as ada,
        Client("ws", chat.websocket + "?room=tea") as grace,
        Client("ws", chat.websocket) as other,
    ):
        rooms = sorted(item["room"]["S"] for item in items(chat, ROWS))
        assert rooms == ["lobby", "tea", "tea"]
        ada.order(text=say("Ada", "tea?"))
        assert heard(ada) == heard(grace) == ("Ada", "tea?")
        other.order(text=say("Other", "hello"))
        assert heard(other) == ("Other", "hello")
    until(lambda: items(chat, ROWS) == [], "all rows are gone")


def say(name, text):
    return json.dumps({"action": "say", "name": name, "text": text})


def heard(client):
    """(name, text) of what a client hears next."""
    message = json.loads(client.next()["text"])
    return message["name"], message["text"]


def test_what_is_printed_is_where_it_is(chat):
    whole = lambda: (out := chat.out()).count("Metrics") == 2 and out  # noqa: E731
    lines = until(whole, "all lines").splitlines()
    assert lines[0] == f"WebSocket    {chat.websocket}"
    assert [line for line in lines if line.startswith("HTTP")] == [
        f"HTTP         GET {chat.http}/dev/chat"
    ]
    assert chat.get(chat.http + "/dev/ping")[0] == 404


def test_two_clients_hear_each_other_and_themselves(chat):
    with Client("ws", chat.websocket) as ada, Client("websockets", chat.websocket) as grace:
        for one, name, text in ((ada, "Ada", "grüße 🙂"), (grace, "Grace", "<b>hello</b>")):
            one.order(text=say(name, text))
            assert heard(ada) == heard(grace) == (name, text)


def test_when_one_leaves_the_other_hears_of_it_and_talks_on(chat):
    with Client("ws", chat.websocket) as ada:
        with Client("websockets", chat.websocket) as grace:
            grace.order(text=say("Grace", "bye"))
            at = json.loads(ada.next()["text"])["from"]
        assert ada.next() == {"text": json.dumps({"left": at}, separators=(",", ":"))}
        ada.order(text=say("Ada", "alone"))
        assert heard(ada) == ("Ada", "alone")


def test_one_that_vanishes_without_a_close_is_no_harm_to_the_others(chat):
    with Client("ws", chat.websocket) as ada, WebSocket(chat.websocket) as grace:
        at = until(lambda: grace.row_id(chat), "her row is there")
        grace.reset()
        assert ada.next() == {"text": json.dumps({"left": at}, separators=(",", ":"))}
        ada.order(text=say("Ada", "still here"))
        assert heard(ada) == ("Ada", "still here")


@pytest.mark.parametrize(
    "message, why",
    [
        ('{"action":"dance"}', "Forbidden"),  # the gateway's word: no route takes it
        ('{"action":"say","name":"Ada"}', "no name, or no text"),
        ('{"action":"say","name":"Ada","text":{}}', "no name, or no text"),
    ],
)
def test_what_cannot_be_said_is_told_to_its_sender_alone(chat, message, why):
    with Client("ws", chat.websocket) as ada, Client("ws", chat.websocket) as grace:
        assert json.loads(ada.ask(text=message)["text"])["message"] == why
        grace.order(text=say("Grace", "well"))
        assert heard(ada) == heard(grace) == ("Grace", "well")


def test_what_is_typed_into_the_page_is_heard_by_others_and_the_other_way_round(chat):
    with (
        Client("ws", chat.websocket) as ada,
        Client("chat_page.js", chat.http + "/dev/chat") as page,
    ):
        assert page.first == {"open": True}
        page.order(name="Grace", say="Good evening, <i>Ada</i>")
        assert heard(ada) == ("Grace", "Good evening, <i>Ada</i>")
        assert page.ask(read="GraceGood evening, <i>Ada</i>") == {
            "read": "GraceGood evening, <i>Ada</i>"
        }
        ada.order(text=say("Ada", "Good evening"))
        assert page.ask(read="AdaGood evening") == {"read": "AdaGood evening"}
        ada.order(close=[1000, ""])
        assert page.ask(read="Ada has left") == {"read": "Ada has left"}


def test_the_chat_in_typescript_is_built_and_does_the_same(tmp_path):
    folder = copied("chat-typescript", tmp_path / "it")
    build = json.loads((folder / "package.json").read_text())["scripts"]["build"]
    path = f"{CLIENTS / '.bin'}:{os.environ['PATH']}"
    subprocess.run(build, shell=True, cwd=folder, env={**os.environ, "PATH": path}, check=True)
    with Cluster(edges=1, brokers=1, cwd=folder) as it:
        with Client("ws", it.websocket + "?room=tea") as ada:
            with Client("ws", it.websocket + "?room=tea") as grace:
                grace.order(text=say("Grace", "bye"))
                assert heard(ada) == heard(grace) == ("Grace", "bye")
                assert ada.ask(text='{"action":"say"}')["text"] == '{"message":"no name, or no text"}'
            assert "left" in json.loads(ada.next()["text"])


@pytest.mark.parametrize("example", ["chat", "chat-typescript"])
def test_the_chat_needs_the_packages_that_the_tests_have(example):
    """So that what is tested is what `npm install` puts there."""
    package = json.loads((EXAMPLES / example / "package.json").read_text())
    needed = {**package["dependencies"], **package.get("devDependencies", {})}
    for folder in ("functions", "clients"):
        package = json.loads((ROOT / "tests" / folder / "package.json").read_text())
        both = needed.keys() & package["dependencies"].keys()
        assert both and all(needed[name] == package["dependencies"][name] for name in both)
