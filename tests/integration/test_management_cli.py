"""gatepost connections, send and close: the management API for people and shell scripts."""

import os
import re
import subprocess

import pytest

from lib.cluster import BIN, Cluster, until
from lib.wire import Close, WebSocket

NEVER = "AAAAAAAAAAAAAAA="
DONE, FAILED, USAGE, GONE, DENIED, LATER = range(6)


def gatepost(*words, stdin=b"", env=None):
    return subprocess.run(
        [str(word) for word in (BIN / "gatepost", *words)],
        input=stdin, env={**os.environ, **(env or {})}, capture_output=True, timeout=60,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    path = tmp_path_factory.mktemp("management") / "credentials"
    path.write_text(
        "[script]\naws_access_key_id = GP1\naws_secret_access_key = a:b/c\n[person]\ntoken = let-me\n"
    )
    path.chmod(0o600)
    env = {"GATEPOST_MANAGEMENT_AUTH": "both", "GATEPOST_CREDENTIALS": str(path)}
    env["GATEPOST_OUTBOX"] = "4KiB"
    with Cluster(edges=2, brokers=2, env=env, expect=["management.denied"]) as it:
        yield it


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        it.id = it.row_id(cluster)
        yield it


@pytest.fixture(params=["GATEPOST_KEY=GP1:a:b/c", "GATEPOST_TOKEN=let-me"])
def run(request, cluster):
    """run("send", …) as somebody who may."""
    name, _, value = request.param.partition("=")
    env = {"GATEPOST_MANAGEMENT": cluster.management + "/dev", name: value}
    return lambda *words, **more: gatepost(*words, env=env, **more)


def test_send_reaches_the_client(run, client):
    done = run("send", client.id, "Grüße 🙂")
    assert (done.returncode, done.stdout, done.stderr) == (DONE, b"", b"")
    assert client.next() == "Grüße 🙂"


@pytest.mark.parametrize("text", [b"", b"from stdin\n", bytes(range(256)), b"x" * 131072])
def test_a_hyphen_sends_what_stdin_has(run, client, text):
    assert run("send", client.id, "-", stdin=text).returncode == DONE
    got = client.next()
    assert (got.encode() if isinstance(got, str) else got) == text


def test_send_binary_is_binary(run, client):
    assert run("send", client.id, "x", "--binary").returncode == DONE
    assert client.next() == b"x"


def test_connections_lists_all_and_shows_one(run, cluster, client):
    listed = run("connections").stdout.decode().splitlines()
    assert listed[0].split() == ["CONNECTION", "SINCE", "FROM", "USER", "AGENT"]
    row = next(line for line in listed if line.startswith(client.id))
    assert row.split()[2:] == ["127.0.0.1", client.agent]
    one = run("connections", client.id).stdout.decode()
    assert f"connection   {client.id}\n" in one and f"user agent   {client.agent}\n" in one
    assert re.search(r"last active  \d{4}-\d\d-\d\dT", one)


def test_a_user_agent_does_not_reach_the_terminal_as_commands(run, cluster):
    with WebSocket(cluster.websocket, User_Agent="evil\t\u0085\u009b31m é") as it:
        until(lambda: any("evil" in r.get("userAgent", "") for r in cluster.table().values()), "row")
        out = run("connections").stdout.decode()
        assert "evil???31m é" in out
        it.socket.close()


def test_a_table_of_several_pages_is_listed_to_its_end(run, cluster):
    rows = {f"AAf{i:011d}A=": '{"connectedAt":1,"userAgent":"many"}' for i in range(600)}
    with cluster.redis() as db:
        db.hset("gatepost:{e7}:connections", mapping=rows)
        db.sadd("gatepost:{m}:edges", 7)
        try:
            out = run("connections").stdout.decode()
        finally:
            db.delete("gatepost:{e7}:connections")
            db.srem("gatepost:{m}:edges", 7)
    listed = [line.split()[0] for line in out.splitlines() if line.endswith("many")]
    assert sorted(listed) == sorted(rows)


@pytest.mark.parametrize(
    "flags, want",
    [((), Close(1000, "Connection Closed Normally")), (("--code", "4001"), Close(4001, "")),
     (("--code=4001", "--reason", "ä & b?"), Close(4001, "ä & b?")),
     (("--reason", "bye"), Close(1000, "bye"))],
)  # fmt: skip
def test_close_closes_with_code_and_reason(run, client, flags, want):
    assert run("close", client.id, *flags).returncode == DONE
    assert client.next() == want


@pytest.mark.parametrize("words", [("send", NEVER, "x"), ("close", NEVER), ("connections", NEVER)])
def test_one_that_is_gone_is_status_3(run, words):
    done = run(*words)
    assert done.returncode == GONE
    assert done.stderr.decode() == f"gatepost {words[0]}: The connection is gone (HTTP status 410)\n"


def test_a_client_that_does_not_read_is_status_5(run, cluster):
    with WebSocket(cluster.websocket, receive_buffer=4096) as deaf:
        at = deaf.row_id(cluster)
        until(
            lambda: run("send", at, "-", stdin=b"x" * 131072).returncode == LATER,
            "its outbox is full",
        )


@pytest.mark.parametrize(
    "env", [{}, {"GATEPOST_TOKEN": "wrong"}, {"GATEPOST_KEY": "GP1:wrong"}, {"GATEPOST_KEY": "GP2:x"}]
)
def test_who_may_not_is_status_4(cluster, client, env):
    env = {"GATEPOST_MANAGEMENT": cluster.management, **env}
    for words in (("send", client.id, "x"), ("close", client.id), ("connections",)):
        assert gatepost(*words, env=env).returncode == DENIED
    assert client.ask('{"action":"ping"}') == "PONG!"


@pytest.mark.parametrize(
    "words",
    [("send",), ("send", NEVER), ("close",), ("send", "x", "y"), ("close", NEVER, "--code", "9"),
     ("close", NEVER, "--code", "1005"), ("send", NEVER, "x", "--nonsense"),
     ("connections", NEVER, "more"), ("connections", "--key", "no-colon")],
)  # fmt: skip
def test_bad_usage_is_status_2_and_says_what_is_right(cluster, words):
    env = {"GATEPOST_MANAGEMENT": cluster.management, "GATEPOST_TOKEN": "let-me"}
    if "--key" in words:
        del env["GATEPOST_TOKEN"]
    done = gatepost(*words, env=env)
    assert done.returncode == USAGE and done.stderr


def test_nobody_there_is_status_1_and_says_where_it_looked():
    done = gatepost("connections", "--management", "127.0.0.1:1")
    assert done.returncode == FAILED
    assert b"http://127.0.0.1:1" in done.stderr and b"--management" in done.stderr


def test_an_id_may_begin_with_hyphens(cluster):
    env = {"GATEPOST_MANAGEMENT": cluster.management, "GATEPOST_TOKEN": "let-me"}
    assert gatepost("send", "--AAAAAAAAAAAAA=", "x", env=env).returncode == GONE


@pytest.mark.parametrize("command", ["connections", "send", "close"])
def test_help_says_how(command):
    for words in ((command, "--help"), ("help", command)):
        done = gatepost(*words)
        assert done.returncode == 0
        assert f"gatepost {command} ID".encode() in done.stdout and b"Exit status" in done.stdout
