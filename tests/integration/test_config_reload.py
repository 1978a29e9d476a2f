"""A configuration that changes while clients are there: no socket closes, no call is lost."""

import os
import signal
import threading

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, function, project, proxy, replace, websocket
from lib.process import Process
from lib.volume import Volume
from lib.wire import WebSocket, upgrade
from lib.wire import http as exchange

REFUSED = ["config.rejected", "config.invalid", "function.failed", "route.selection.malformed"]


@pytest.fixture
def functions():
    with FunctionServer() as it:
        for name in ("old", "new", "ask"):
            it.answer(name, proxy(200, name))
        yield it


def two_way(functions, name, route=None, **more):
    return function(functions.url(name), websocket(route or name, two_way=True), **more)


@pytest.fixture
def cluster(functions, tmp_path):
    config = project(tmp_path, {"old": two_way(functions, "old")})
    args = ["--config", config]
    with Cluster(edges=1, brokers=2, args=args, expect=REFUSED) as it:
        yield it


def loaded(cluster, what="config.loaded"):
    return sum(f" {what} " in line for line in cluster.log().splitlines())


def all_load(cluster, folder, functions, **ours):
    """Write a new configuration, and wait for both brokers."""
    before = loaded(cluster)
    project(folder, functions, **ours)
    until(lambda: loaded(cluster) == before + 2, "both brokers have the new configuration")


def is_forbidden(client, action):
    return '"message": "Forbidden"' in client.ask(f'{{"action":"{action}"}}')


def test_a_changed_file_serves_the_sockets_that_are_there(cluster, functions, tmp_path):
    clients = [WebSocket(cluster.websocket) for _ in range(20)]
    assert all(is_forbidden(client, "new") for client in clients)
    all_load(cluster, tmp_path, {"new": two_way(functions, "new")})
    for client in clients:
        assert client.ask('{"action":"new"}') == "new"
        assert is_forbidden(client, "old")
        client.socket.close()
    until(lambda: cluster.table() == {}, "all have gone in good order")


def test_sighup_reads_a_file_that_looks_the_same(cluster):
    broker = cluster.process("broker-0")["pid"]
    with WebSocket(cluster.websocket) as client:
        os.kill(broker, signal.SIGHUP)
        until(lambda: loaded(cluster) == 1, "it has been read again")
        assert client.ask('{"action":"old"}') == "old"


BAD = {
    "no YAML": ("functions: [\n", 2, ""),
    "no handler": ("functions:\n  f:\n    events: [ { websocket: $default } ]\n", 3, "handler is missing"),
    "a handler of nobody": (
        "functions:\n  f:\n    handler: builtin:dance\n    events: [ { websocket: $default } ]\n",
        3, "builtin:dance",
    ),
    "another sort of list": ("service: x\nfunctions: 7\n", 2, "functions"),
    "empty": ("", 0, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_file_line_and_key_and_the_old_one_stays(
    cluster, functions, tmp_path, what
):
    text, line, key = BAD[what]
    path = tmp_path / "gatepost.yml"
    with WebSocket(cluster.websocket) as client:
        replace(path, text)
        until(lambda: loaded(cluster, "config.rejected") == 2, "both have refused it")
        wrong = next(one for one in cluster.log().splitlines() if " config.invalid " in one)
        assert f"file={path} line={line}" in wrong and key in wrong
        assert client.ask('{"action":"old"}') == "old"
        all_load(cluster, tmp_path, {"new": two_way(functions, "new")})
        assert client.ask('{"action":"new"}') == "new"


def test_a_selection_that_is_malformed_is_refused_and_the_old_one_stays(cluster, tmp_path):
    with WebSocket(cluster.websocket) as client:
        replace(
            tmp_path / "gatepost.yml",
            "service: x\nprovider: { websocketsApiRouteSelectionExpression: $request.nope }\n"
            "functions: { f: { handler: 'builtin:echo', events: [ { websocket: $default } ] } }\n",
        )
        until(lambda: loaded(cluster, "config.rejected") == 2, "both have refused it")
        assert client.ask('{"action":"old"}') == "old"


def test_a_file_that_goes_away_changes_nothing_and_is_read_when_it_is_back(cluster, functions, tmp_path):
    path = tmp_path / "gatepost.yml"
    with WebSocket(cluster.websocket) as client:
        text = path.read_text()
        path.unlink()
        os.kill(cluster.process("broker-0")["pid"], signal.SIGHUP)
        until(lambda: loaded(cluster, "config.rejected") == 1, "there is none to be read")
        assert client.ask('{"action":"old"}') == "old"
        replace(path, text.replace("/old", "/new"))
        until(lambda: loaded(cluster) == 2, "it is read")
        assert client.ask('{"action":"old"}') == "new"


def test_calls_under_way_finish_on_the_old_one_and_later_ones_are_the_new_one_s(
    cluster, functions, tmp_path
):
    go_on = threading.Event()
    functions.answer("ask", lambda _: go_on.wait(20) and proxy(200, "of the old one"))
    all_load(cluster, tmp_path, {"ask": two_way(functions, "ask", timeout=20)})
    with WebSocket(cluster.websocket) as client, WebSocket(cluster.websocket) as other:
        client.say('{"action":"ask"}')
        functions.next("ask")
        all_load(cluster, tmp_path, {"new": two_way(functions, "new", "ask")})
        assert other.ask('{"action":"ask"}') == "new"
        go_on.set()
        assert client.next() == "of the old one"
        assert client.ask('{"action":"ask"}') == "new"


def test_who_comes_after_meets_the_new_door(cluster, functions, tmp_path):
    functions.answer("hello", proxy(403))
    with WebSocket(cluster.websocket) as client:
        hello = function(functions.url("hello"), websocket("$connect"))
        all_load(cluster, tmp_path, {"hello": hello, "old": two_way(functions, "old")})
        assert exchange(cluster.websocket, upgrade())[0].status == 403
        assert client.ask('{"action":"old"}') == "old", "who is in stays"


def test_a_hundred_changes_in_a_row_leave_the_last_one(cluster, functions, tmp_path):
    with WebSocket(cluster.websocket) as client:
        for _ in range(50):
            for name in ("old", "new"):
                project(tmp_path, {name: two_way(functions, name, "ask")})
                answer = client.ask('{"action":"ask"}')
                assert answer in ("old", "new") or "Forbidden" in answer
        until(lambda: client.ask('{"action":"ask"}') == "new", "the last one is there")


CONFIG = """
functions:
  hello: { handler: builtin:connect, events: [ websocket: { route: $connect, authorizer: users } ] }
gatepost:
  authorizers: { users: { type: jwt, algorithm: HS256, keyFile: key, requireExpiry: false } }
"""


def test_files_of_a_volume_are_read_again_when_its_symlink_is_replaced(tmp_path):
    volume = Volume(tmp_path / "volume")
    token = "[person]\ntoken = {}\n".format
    files = {"gatepost__yml": CONFIG, "key": "1" * 40, "tokens": token("first")}
    volume.write(**files)
    flags = ["--redis", f"unix:{tmp_path}/none", "--bind", f"ipc://{tmp_path}/broker.sock"]
    flags += ["--management", "127.0.0.1:0", "--config", volume.folder / "gatepost.yml"]
    flags += ["--management-auth", "bearer", "--credentials", volume.folder / "tokens"]
    with Process("gatepost-broker", *flags, expect=["redis.*", "config.*", "authorizer.*", "credentials.*"]) as broker:

        def count(line):
            return broker.log().count(f" {line} ")

        def replace_and_expect(config, credentials, **changed):
            before = count(config), count(credentials)
            volume.write(**{**files, **changed})
            until(lambda: count(config) > before[0], config)
            until(lambda: count(credentials) > before[1], credentials)

        until(lambda: count("broker.start") == 1, "it has started")
        replace_and_expect("config.loaded", "credentials.loaded", key="2" * 40, tokens=token("second"))
        replace_and_expect("config.rejected", "credentials.rejected", key="short", tokens="nonsense")
        replace_and_expect("config.loaded", "credentials.loaded")
