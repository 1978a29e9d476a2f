"""`gatepost up`: its options, its children's lives, its files, and how it ends."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from lib.cluster import BIN, START_SECONDS, STOP_SECONDS, Cluster, is_alive, until
from lib.process import free_ports
from lib.redis_server import RedisServer, free_port

FREE = ["--listen", "127.0.0.1:0", "--management", "127.0.0.1:0"]


def gatepost(*words, env=None, seconds=60):
    """Run the command to its end."""
    return subprocess.run(
        [str(word) for word in (BIN / "gatepost", *words)],
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


@pytest.fixture
def up(tmp_path):
    """A `gatepost up` that the test ends in its own way: 2 edges, 2 brokers, Redis."""
    path, log = tmp_path / "ready.json", tmp_path / "log"
    with open(log, "wb") as stderr:
        words = [BIN / "gatepost", "up", *FREE, "--edges", "2", "--ready-file", path]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr)
    process.path, process.log, process.folder = path, log, tmp_path
    try:
        until(path.exists, "the ready file is there", START_SECONDS)
        process.ready = json.loads(path.read_text())
        process.folder = Path(process.ready["redis"].removeprefix("unix:")).parent
        yield process
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(process.folder, ignore_errors=True)  # kill -9 leaves it to the next one


# The command


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_the_commands(words):
    run = gatepost(*words)
    assert run.returncode == 0
    for command in ("up", "help", "version"):
        assert f"\n  {command} " in run.stdout


def test_version_is_name_and_number():
    for word in ("version", "--version"):
        run = gatepost(word)
        assert run.returncode == 0
        name, number = run.stdout.split()
        assert name == "gatepost" and number[0].isdigit()


@pytest.mark.parametrize("words", [["serve"], ["help", "serve"]])
def test_an_unknown_command_is_refused_with_its_name(words):
    run = gatepost(*words)
    assert run.returncode == 2
    assert '"serve"' in run.stderr and "gatepost help" in run.stderr


@pytest.mark.parametrize("words", [["up", "--help"], ["help", "up"]])
def test_help_of_up_names_every_option(words):
    run = gatepost(*words)
    assert run.returncode == 0
    options = """listen management metrics edges brokers stage default-route redis data demo
                 once ready-file log-level log-format"""
    for option in options.split():
        assert f"--{option} " in run.stdout


# What is refused before anything is started


@pytest.mark.parametrize(
    "words, named",
    [
        (["--no-such-flag", "1"], "no-such-flag"),
        (["--edges", "0"], "edges"),
        (["--edges", "many"], "edges"),
        (["--brokers", "65"], "brokers"),
        (["--default-route", "builtin:nothing"], "default-route"),
        (["--log-level", "loud"], "log-level"),
        (["--listen", "127.0.0.1"], "--listen"),
        (["--listen", "127.0.0.1:70000"], "--listen"),
        (["--listen", "192.0.2.1:0"], "--listen"),
        (["--management", "nowhere"], "--management"),
        (["--metrics", "127.0.0.1:65535"], "--metrics"),
        (["--stage", "a/b"], 'stage = "a/b" (flag, --stage)'),
        (["--stage", ""], 'stage = "" (flag, --stage)'),
        (["--redis", "ftp://example"], 'redis = "…" (flag, --redis)'),
        (["--redis-prefix", "a{b}"], 'redis-prefix = "a{b}" (flag, --redis-prefix)'),
        (["--redis", "unix:/x", "--data", "/y"], 'data = "/y" (flag, --data)'),
        (["--data", "/no/such/folder"], "--data"),
        (["--data", "/dev/null"], "--data"),
        (["--once"], 'once = "true" (flag, --once)'),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_a_bad_setting_stops_the_start_and_is_named(words, named):
    run = gatepost("up", *FREE, *words)
    assert run.returncode == 2
    assert named in run.stderr
    assert "process.start" not in run.stderr


def test_the_password_of_a_bad_redis_url_is_not_printed():
    run = gatepost("up", *FREE, "--redis", "redis://:secret@host:99999")
    assert run.returncode == 2
    assert "secret" not in run.stderr + run.stdout


@pytest.mark.parametrize("flag", ["--listen", "--management", "--metrics"])
def test_a_taken_port_is_refused_before_anything_is_started(taken, flag):
    run = gatepost("up", *FREE, flag, f"127.0.0.1:{taken}")
    assert run.returncode == 2
    assert f"127.0.0.1:{taken} is in use by another program: set another {flag}" in run.stderr
    assert "process.start" not in run.stderr


def test_a_second_up_does_not_share_the_first_ones_port(cluster):
    port = cluster.http.rpartition(":")[2]
    run = gatepost("up", *FREE, "--listen", f"127.0.0.1:{port}")
    assert run.returncode == 2
    assert "is in use by another program" in run.stderr


def test_without_redis_server_it_says_what_to_install(tmp_path):
    run = gatepost("up", *FREE, env={"PATH": str(tmp_path)})
    assert run.returncode == 1
    assert "apt-get install redis-server" in run.stderr


def test_a_child_that_refuses_its_settings_stops_it_all_with_its_message():
    run = gatepost("up", *FREE, env={"GATEPOST_MAX_MESSAGE": "12 apples"})
    assert run.returncode == 2
    assert "GATEPOST_MAX_MESSAGE" in run.stderr and "12 apples" in run.stderr


# The ready file and the endpoints


def test_the_ready_file_says_where_everything_is(cluster):
    ready = cluster.ready
    where = ready["http"].removeprefix("http://")
    assert ready["websocket"] == f"ws://{where}/dev"
    assert not where.endswith(":0")
    assert ready["management"].startswith("http://127.0.0.1:")
    assert ready["redis"].startswith("unix:/")
    by_role = {}
    for process in ready["processes"]:
        assert is_alive(process["pid"])
        by_role.setdefault(process["role"], []).append(process["name"])
    assert by_role["edge"] == ["edge-0", "edge-1"]
    assert by_role["broker"] == ["broker-0", "broker-1"]
    for process in ready["processes"]:
        if process["role"] != "redis":
            assert cluster.get(process["metrics"] + "/metrics")[0] == 200


def test_each_broker_has_a_management_address_of_its_own(cluster):
    own = {p["management"] for p in cluster.processes if p["role"] == "broker"}
    assert len(own | {cluster.management}) == 3
    for address in own:
        status, _ = cluster.get(f"{address}/@connections/AAAAAAAAAAAAAAA=")
        assert status == 410


def test_the_ready_file_is_for_its_owner_alone(cluster):
    assert stat.S_IMODE((cluster._folder / "ready.json").stat().st_mode) == 0o600


def test_the_endpoints_are_printed_with_a_line_for_each_process(cluster):
    lines = until(lambda: (out := cluster.out()).count("\n") >= 8 and out, "all lines").splitlines()
    assert lines[:4] == [
        f"WebSocket    {cluster.websocket}",
        f"HTTP         GET {cluster.http}/dev/ping",
        f"Demo         {cluster.http}/",
        f"Management   {cluster.management}/@connections/{{connectionId}}",
    ]
    ours = [p for p in cluster.processes if p["role"] != "redis"]
    assert lines[4:] == [f"Metrics      {p['metrics']}/metrics   ({p['name']})" for p in ours]


def test_the_stage_is_in_the_urls():
    with Cluster(edges=1, brokers=1, args=["--stage", "beta-2"]) as cluster:
        assert cluster.websocket == cluster.http.replace("http", "ws") + "/beta-2"
        assert cluster.get(cluster.http + "/beta-2/ping") == (200, b"PONG!")


def test_a_given_metrics_port_is_the_first_of_as_many_as_there_are_processes():
    port = free_ports(3)
    with Cluster(edges=1, brokers=2, args=["--metrics", f"127.0.0.1:{port}"]) as cluster:
        for i, name in enumerate(["edge-0", "broker-0", "broker-1"]):
            assert cluster.process(name)["metrics"] == f"http://127.0.0.1:{port + i}"


def test_a_ready_file_that_a_full_disk_does_not_take_leaves_nothing_behind(tmp_path):
    path = tmp_path / "ready.json"
    (tmp_path / "ready.json.tmp").symlink_to("/dev/full")
    run = gatepost("up", *FREE, "--ready-file", path)
    assert run.returncode == 1
    assert f'up.ready_file path={path} why="No space left on device"' in run.stderr
    assert os.listdir(tmp_path) == []


def environments(cluster):
    """{role: what its processes were told at their start}"""
    told = {}
    for process in cluster.processes:
        pairs = Path(f"/proc/{process['pid']}/environ").read_text().split("\0")
        told.setdefault(process["role"], {}).update(p.split("=", 1) for p in pairs if p)
    return told


def test_no_process_is_told_a_secret_that_it_does_not_need(tmp_path):
    secrets = {"USERS_SECRET": "swordfish", "AWS_SECRET_ACCESS_KEY": "sesame"}
    env = {**secrets, "GATEPOST_MAX_MESSAGE": "64KiB"}
    password = ["--requirepass", "hunter2"]
    server = RedisServer(tmp_path / "r", free_port(), password, login=(None, "hunter2"))
    with server, Cluster(edges=1, brokers=1, env=env) as cluster:
        told = environments(cluster)
        server.start()
        env["GATEPOST_REDIS"] = f"redis://:hunter2@127.0.0.1:{server.port}"
        with Cluster(edges=1, brokers=1, env=env) as other:
            told |= {f"{role}, own Redis": of for role, of in environments(other).items()}
    for role in ("edge", "edge, own Redis"):
        assert not {*secrets, "GATEPOST_REDIS"} & set(told[role]), role
        assert told[role]["PATH"] and told[role]["NOTIFY_SOCKET"]
    assert told["edge"]["GATEPOST_MAX_MESSAGE"] == "64KiB"
    assert told["broker, own Redis"].items() >= env.items()


def test_after_the_end_neither_the_ready_file_nor_the_folder_is_there(up):
    assert stat.S_IMODE(up.folder.stat().st_mode) == 0o700
    up.send_signal(signal.SIGTERM)
    assert up.wait(STOP_SECONDS) == 0, up.log.read_text()
    assert not up.path.exists()
    assert not up.folder.exists()


def test_a_ready_file_that_cannot_be_written_stops_the_start():
    run = gatepost("up", *FREE, "--ready-file", "/no/such/folder/ready.json")
    assert run.returncode == 1
    assert "up.ready_file" in run.stderr and "/no/such/folder/ready.json" in run.stderr


# The children's lives


@pytest.mark.parametrize("name", ["redis", "broker-1", "edge-0"])
def test_a_killed_process_is_started_again_and_the_ready_file_says_so(name):
    with Cluster(edges=2, brokers=2, expect=["*"]) as cluster:
        before = {p["name"]: p["pid"] for p in cluster.processes}
        os.kill(before[name], signal.SIGKILL)
        until(lambda: cluster.process(name)["pid"] != before[name], "the file has the new pid")
        after = {p["name"]: p["pid"] for p in cluster.processes}
        assert {n for n in after if after[n] != before[n]} == {name}
        assert is_alive(after[name])
        line = next(x for x in cluster.log().splitlines() if "process.exited" in x)
        assert f"name={name} pid={before[name]} signal=9 restart_in_ms=100" in line
        until(
            lambda: cluster.get(cluster.http + "/dev/ping") == (200, b"PONG!"),
            "the whole works again",
        )


def test_a_process_that_dies_again_and_again_waits_longer_each_time():
    with Cluster(edges=2, brokers=1, expect=["*"]) as cluster:
        for _ in range(3):
            pid = cluster.process("edge-1")["pid"]
            os.kill(pid, signal.SIGKILL)
            until(lambda p=pid: cluster.process("edge-1")["pid"] != p, "the next one is ready")
        for wait in (100, 200, 400):
            assert f"restart_in_ms={wait}\n" in cluster.log()


def test_kill_9_of_the_supervisor_leaves_no_process(up):
    pids = [p["pid"] for p in up.ready["processes"]]
    assert len(pids) == 5
    up.kill()
    up.wait()
    until(lambda: not any(map(is_alive, pids)), "all have ended", STOP_SECONDS)


def test_the_next_one_removes_the_folder_that_kill_9_left_and_no_other(up):
    up.kill()
    up.wait()
    with Cluster(edges=1, brokers=1) as living:
        assert not up.folder.exists()
        with Cluster(edges=1, brokers=1):
            pass
        assert living.get(living.http + "/dev/ping") == (200, b"PONG!")
        assert living.table() == {}, "its Redis is there, too"


def test_a_second_ctrl_c_ends_what_does_not_end(up):
    pids = [p["pid"] for p in up.ready["processes"]]
    edge = next(p for p in up.ready["processes"] if p["name"] == "edge-0")
    os.kill(edge["pid"], signal.SIGSTOP)
    up.send_signal(signal.SIGINT)
    until(lambda: up.log.read_text().count("up.stop") == 1, "it has begun to stop")
    up.send_signal(signal.SIGINT)
    assert up.wait(STOP_SECONDS) == 1
    until(lambda: not any(map(is_alive, pids)), "all have ended")


# Redis


def test_data_is_there_again_after_a_restart(tmp_path):
    data = tmp_path / "data"
    for value in (None, b"kept"):
        with Cluster(edges=1, brokers=1, args=["--data", data]) as cluster:
            with cluster.redis() as db:
                assert db.get("a key of the test") == value
                db.set("a key of the test", "kept")


def value_of_a_start(project, *args):
    """What a start in the project's folder finds, before it writes its own."""
    with Cluster(edges=1, brokers=1, args=args, cwd=project, keep=True) as cluster:
        with cluster.redis() as db:
            before = db.get("a key of the test")
            db.set("a key of the test", "kept")
    return before


def test_a_project_keeps_its_data_in_its_folder_until_a_fresh_start(tmp_path):
    (tmp_path / "gatepost.yml").write_text(
        "functions: { f: { handler: 'builtin:echo', events: [ { websocket: $default } ] } }\n"
    )
    assert value_of_a_start(tmp_path) is None
    assert (tmp_path / ".gatepost" / ".gitignore").read_text() == "*\n"
    assert value_of_a_start(tmp_path, "--fsync", "always") == b"kept"
    assert value_of_a_start(tmp_path, "--fresh") is None
    assert value_of_a_start(tmp_path, "--data", "none") is None


@pytest.mark.parametrize("where", ["--data", "a temporary folder"])
def test_data_outlives_redis_itself(tmp_path, where):
    args = ["--data", tmp_path] if where == "--data" else []
    with Cluster(edges=1, brokers=1, args=args, expect=["*"]) as cluster:
        with cluster.redis() as db:
            db.set("a key of the test", "kept")
        pid = cluster.process("redis")["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: cluster.process("redis")["pid"] != pid, "Redis is back")
        with cluster.redis() as db:
            assert db.get("a key of the test") == b"kept"


def test_one_folder_is_not_given_to_two(tmp_path):
    with Cluster(edges=1, brokers=1, args=["--data", tmp_path]):
        run = gatepost("up", *FREE, "--data", tmp_path)
    assert run.returncode == 2
    assert f"uses {tmp_path}" in run.stderr


def test_data_that_redis_cannot_read_stops_the_start_and_shows_why(tmp_path):
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    run = gatepost("up", *FREE, "--data", tmp_path)
    assert run.returncode == 1
    assert "name=redis" in run.stderr and "\nredis: " in run.stderr


@contextlib.contextmanager
def own_redis(folder):
    """A Redis that is not Gatepost's, on redis.sock in the folder."""
    path = folder / "redis.sock"
    words = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(unix_socket_path=str(path)) as db:
            until(lambda: path.exists() and db.ping(), "Redis answers")
            yield db
    finally:
        process.terminate()
        process.wait()


def test_your_own_redis_is_used_and_left_alone(tmp_path):
    where = f"unix:{tmp_path}/redis.sock"
    with own_redis(tmp_path) as db:
        args = ["--redis", where, "--redis-prefix", "mine:"]
        with Cluster(edges=1, brokers=1, args=args) as cluster:
            assert cluster.ready["redis"] == where
            assert not [p for p in cluster.processes if p["role"] == "redis"]
            assert db.exists("mine:{m}:cluster")
        assert db.ping()


def test_a_redis_that_is_not_there_is_named_and_waited_for(tmp_path):
    path, log = tmp_path / "ready.json", tmp_path / "log"
    where = f"unix:{tmp_path}/redis.sock"
    with open(log, "wb") as stderr:
        words = [BIN / "gatepost", "up", *FREE, "--redis", where, "--ready-file", path]
        up = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        until(lambda: f"redis.down address={where}" in log.read_text(), "the log says so")
        assert not path.exists()
        with own_redis(tmp_path):
            until(path.exists, "all is ready", START_SECONDS)
            up.send_signal(signal.SIGINT)
            assert up.wait(STOP_SECONDS) == 0
    finally:
        up.kill()
        up.wait()


# The demo


def demo(*words, env=None):
    return gatepost("up", *FREE, "--demo", "--once", "--log-level", "warn", *words, env=env)


def test_the_demo_shows_the_main_job_and_then_stops():
    run = demo()
    assert run.returncode == 0, run.stdout + run.stderr
    story = [
        "← 200 PONG!",
        "= 0 rows",
        "← 101 Switching Protocols",
        "= row ",
        '→ {"action":"echo","text":"hello"}',
        '← {"action":"echo","text":"hello"}',
        "← PONG!",
        '← {"statusCode":400,"body":"Unrecognized WebSocket action."}',
        "which is not the lane owner",
        "← 200",
        "← pushed by id",
        "connectedAt",
        "← 204",
        "← close 1000",
        "← 410",
        "= 0 rows",
        "steps succeeded",
    ]
    at = 0
    for line in story:
        at = run.stdout.find(line, at)
        assert at >= 0, f"{line!r} is missing, or too early, in:\n{run.stdout}"


@pytest.mark.parametrize(
    "words", [["--brokers", "1"], ["--default-route", "builtin:echo"], ["--edges", "2"]]
)
def test_the_demo_is_right_in_other_shapes(words):
    run = demo(*words)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_demo_that_goes_wrong_names_its_step_and_fails():
    run = demo(env={"GATEPOST_ROUTE_SELECTION_EXPRESSION": "$request.body.other"})
    assert run.returncode == 1
    assert "✗ expected:" in run.stdout
    assert "The demo failed in step 4: Messages by route" in run.stdout
