"""Functions under AWS's own runtime clients: unmodified Python and Node handlers, and all that goes wrong."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from lib.cluster import BIN, ROOT, Cluster, is_alive, until
from lib.function_server import replace
from lib.process import Process, ended, free_ports
from lib.wire import WebSocket, Wire, upgrade

NEEDS = ["node", "functions"]  # tests/pick.py

FUNCTIONS = ROOT / "tests/functions"
MODULES = ROOT / "build/functions/node_modules"  # ./dev test puts aws-lambda-ric there
LANGUAGES = ["python", "node"]

# What the handlers' faults are logged as; each test looks at the clients' side.
FAULTS = ["function.failed", "function.timeout", "process.exited"]


def make_project(folder):
    folder.mkdir()
    for name in ("gatepost.yml", "handler.py", "node.js"):
        shutil.copy(FUNCTIONS / name, folder)
    (folder / "node_modules").symlink_to(MODULES)
    return folder


class Project(Cluster):
    def __init__(self, folder, brokers=1, expect=(), args=(), **more):
        self.folder = folder
        args = ["--config", folder / "gatepost.yml", "--python", sys.executable, *args]
        super().__init__(edges=1, brokers=brokers, args=args, expect=[*FAULTS, *expect], **more)

    def workers(self, function):
        """{name: pid} of a function's workers."""
        return {
            p["name"]: p["pid"]
            for p in self.processes
            if re.fullmatch(rf"fn-{function}-\d+", p["name"])
        }

    def settled(self):
        """Wait until all that another test has killed is back."""
        until(
            lambda: all(is_alive(p["pid"]) for p in self.processes), "all its processes live"
        )

    def metric(self, name, function):
        rows = self.metrics("broker-0")
        return rows[f'gatepost_broker_function_{name}{{function="{function}"}}']

    def edit(self, old, new):
        path = self.folder / "gatepost.yml"
        text = path.read_text()
        assert old in text
        replace(path, text.replace(old, new))


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One for all tests that leave it as it was."""
    with Project(make_project(tmp_path_factory.mktemp("lambda") / "project")) as it:
        yield it


def message(language, do, **more):
    return json.dumps({"action": language, "do": do, **more})


def is_error(frame, text):
    return re.fullmatch(
        rf'{{"message": "{text}", "connectionId":"[\w-]+=", "requestId":"[\w-]+="}}', frame
    )


# What handlers get and give


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unmodified_handler_answers(shared, language):
    with WebSocket(shared.websocket) as client:
        assert client.ask(message(language, "answer", text="grüße")) == "grüße"


@pytest.mark.parametrize("language", LANGUAGES)
def test_half_of_a_surrogate_pair_costs_a_handler_s_body_that_character_alone(shared, language):
    with WebSocket(shared.websocket) as client:
        asked = message(language, "answer", text="before \ud83d after \ude00")
        assert client.ask(asked) == "before \ufffd after \ufffd"
    assert "result.repaired" in shared.log()


def test_numbers_that_json_does_not_have_do_not_cost_a_handler_its_body(shared):
    with WebSocket(shared.websocket) as client:
        assert client.ask(message("python", "nan", text="still here")) == "still here"


def test_an_http_event_is_answered_by_a_handler(shared):
    assert shared.get(shared.http + "/dev/ping") == (200, b"PONG!")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_handler_finds_what_it_would_find_on_lambda(shared, language):
    with WebSocket(shared.websocket) as client:
        seen = json.loads(client.ask(message(language, "look")))
    assert seen["request"][0] == seen["request"][1]
    name = f"tests-dev-{language}"
    assert seen["name"] == name
    assert seen["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert 0 < seen["left"] <= 5000
    assert seen["folder"] == str(shared.folder)
    env = seen["env"]
    assert env["GREETING"] == "hello"
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["LAMBDA_TASK_ROOT"] == str(shared.folder)
    assert env["GATEPOST_MANAGEMENT"] == shared.management
    for needed in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "_X_AMZN_TRACE_ID"):
        assert env[needed]
    assert "GATEPOST_REDIS" not in env and "NOTIFY_SOCKET" not in env


def test_each_function_and_worker_has_its_name_before_its_lines(shared):
    log = shared.log()
    for name in ("fn-python-0", "fn-python-1", "fn-node-0", "fn-manager-1"):
        assert re.search(rf"\n{name} \| .*module loaded\n", log)


def test_connect_and_disconnect_reach_their_function_once_each(shared):
    lines = lambda kind: re.findall(rf"\| {kind} (\S+)", shared.log())  # noqa: E731
    before = len(lines("CONNECT"))
    with WebSocket(shared.websocket):
        pass
    until(
        lambda: len(lines("DISCONNECT")) == len(lines("CONNECT")) > before,
        "whoever has come has gone",
    )
    for kind in ("CONNECT", "DISCONNECT"):
        assert len(set(lines(kind))) == len(lines(kind)), "each is an event of its own"


def test_an_authorizer_lets_in_refuses_or_fails(project):
    with Project(project) as cluster:
        gate = "{ name: gate, identitySource: [route.request.querystring.token] }"
        cluster.edit("$connect\n", f"{{ route: $connect, authorizer: {gate} }}\n")
        cluster.edit("functions:\n", "functions:\n  gate:\n    handler: handler.gate\n")

        def status(query):
            with Wire(cluster.http) as wire:
                wire.send(upgrade(f"/dev{query}"))
                return wire.response(head_only=True).status

        until(lambda: len(cluster.workers("gate")) == 2, "the new configuration is in force")
        assert status("") == 401
        assert status("?token=Allow") == 101
        assert status("?token=Deny") == 403
        assert status("?token=Unauthorized") == 401
        assert status("?token=Oops") == 500


# What goes wrong


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", ["throw", "leave", "garbage", "big"])
def test_a_handler_that_fails_gives_the_documented_frame_and_harms_nobody(shared, language, fault):
    other = "node" if language == "python" else "python"
    with WebSocket(shared.websocket) as client, WebSocket(shared.websocket) as witness:
        for _ in range(3):  # more than there are workers
            assert is_error(client.ask(message(language, fault)), "Internal server error")
        assert witness.ask(message(other, "answer", text="well")) == "well"
        assert client.ask(message(language, "answer", text="again")) == "again"


def test_an_error_is_logged_with_its_type_and_message_and_without_its_trace(shared):
    with WebSocket(shared.websocket) as client:

        def logged():  # of many such lines in a second, one is written
            client.ask(message("python", "throw"))
            return re.search(r".* function.failed .*ValueError.*", shared.log())

        line = until(logged, "the line is there")[0]
    assert 'function=python why="ValueError: not today"' in line
    assert "handler.py" not in line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_handler_that_hangs_is_cut_at_its_timeout_and_its_worker_replaced(shared, language):
    shared.settled()
    before = shared.workers(language)
    with WebSocket(shared.websocket) as client, WebSocket(shared.websocket) as other:
        client.say(message(language, "hang"))
        assert other.ask(message(language, "answer", text="beside it")) == "beside it"
        assert is_error(client.next(), "Endpoint request timed out")
    after = until(
        lambda: (now := shared.workers(language)) != before and now, "another worker is ready"
    )
    (name,) = [name for name in after if after[name] != before[name]]
    assert not is_alive(before[name])
    assert re.search(rf"function.timeout name={name} pid={before[name]} ", shared.log())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_worker_that_returned_too_much_lives_on(shared, language):
    shared.settled()
    before = shared.workers(language)
    with WebSocket(shared.websocket) as client:
        for _ in range(3):
            assert is_error(client.ask(message(language, "big")), "Internal server error")
            assert client.ask(message(language, "answer", text="again")) == "again"
    assert shared.workers(language) == before
    assert all(is_alive(pid) for pid in before.values())


def test_workers_that_die_of_their_work_are_replaced_at_once_each_time(project):
    with Project(project) as cluster:
        with WebSocket(cluster.websocket) as client:
            for _ in range(10):
                assert is_error(client.ask(message("python", "leave")), "Internal server error")
            assert client.ask(message("python", "answer", text="well")) == "well"

        def waits():  # the other worker may answer before the last exit is logged
            return re.findall(
                r"process.exited name=fn-python-\d .*restart_in_ms=(\d+)", cluster.log()
            )

        until(lambda: len(waits()) >= 10, "all ten exits are logged")
        assert len(waits()) == 10
        assert max(map(int, waits())) <= 200


def test_a_killed_worker_is_started_again(shared):
    shared.settled()
    before = shared.workers("python")
    name, pid = next(iter(before.items()))
    os.kill(pid, signal.SIGKILL)
    until(lambda: shared.workers("python")[name] != pid, "the ready file has its successor")
    with WebSocket(shared.websocket) as client:
        assert client.ask(message("python", "answer", text="well")) == "well"


@pytest.mark.parametrize("kind", ["CONNECT", "DISCONNECT"])
def test_a_worker_that_dies_of_a_connect_or_disconnect_is_followed_by_another_with_the_same_event(
    shared, kind
):
    shared.settled()
    mark = shared.folder / f"die-once-{kind}"

    def twice():
        seen = re.findall(rf"\| {kind} (\S+)", shared.log())
        return len(seen) - len(set(seen))

    before = twice()
    mark.touch()
    with WebSocket(shared.websocket):
        pass
    until(lambda: not mark.exists(), "a worker has died of it")
    until(lambda: twice() > before, "the event came twice, as the same")


def test_as_many_run_at_a_time_as_there_are_workers(project):
    path = project / "gatepost.yml"
    path.write_text(path.read_text().replace("timeout: 5", "timeout: 29"))
    with Project(project) as cluster:
        clients = [WebSocket(cluster.websocket) for _ in range(3)]
        for name, client in zip("abc", clients, strict=True):
            client.say(message("python", "hold", name=name))
        until(lambda: cluster.metric("queue", "python") == 1, "one waits")
        assert cluster.metric("workers_polling", "python") == 0
        until(lambda: len(list(project.glob("held-*"))) == 2, "the others are at work")
        (project / "release").touch()
        assert [client.next() for client in clients] == ["a", "b", "c"]
        for client in clients:
            client.socket.close()


# Lives


def test_a_function_that_cannot_be_loaded_fails_with_a_line_that_says_why_until_it_can(project):
    (project / "broken.py").write_text("1 / 0\n")
    with Project(project, expect=["function.cannot_start"]) as cluster:
        cluster.edit("handler.act", "broken.act")
        until(lambda: "function.cannot_start" in cluster.log(), "the log says so")
        assert 'function=python why="ZeroDivisionError: division by zero"' in cluster.log()
        with WebSocket(cluster.websocket) as client:
            frame = client.ask(message("python", "answer", text="x"))
            assert is_error(frame, "Internal server error")
            assert client.ask(message("node", "answer", text="well")) == "well"
            until(lambda: "restart_in_ms=400" in cluster.log(), "it waits longer each time")
            cluster.edit("broken.act", "handler.act")
            until(
                lambda: client.ask(message("python", "answer", text="fixed")) == "fixed",
                "it answers again",
            )


def test_a_new_configuration_leaves_the_workers_of_functions_that_it_does_not_change(project):
    # A worker whose function has gone sees its poll end, perhaps before it is told to end itself.
    with Project(project, expect=["process.failed"]) as cluster:
        before = {p["name"]: p["pid"] for p in cluster.processes}
        more = "  more:\n    handler: handler.act\n    events: [ { websocket: { route: more } } ]\n"
        cluster.edit("functions:\n", f"functions:\n{more}")
        until(lambda: len(cluster.workers("more")) == 2, "the new function has its workers")
        assert {p["name"]: p["pid"] for p in cluster.processes if p["name"] in before} == before
        cluster.edit(more, "")
        until(lambda: not cluster.workers("more"), "they are gone again")
        assert {p["name"]: p["pid"] for p in cluster.processes} == before


def test_new_surroundings_give_a_function_new_workers(project):
    with Project(project) as cluster:
        before = cluster.workers("node")
        cluster.edit("GREETING: hello", "GREETING: good evening")
        until(
            lambda: not set(cluster.workers("node").values()) & set(before.values()),
            "all of them are new",
        )
        with WebSocket(cluster.websocket) as client:
            seen = json.loads(client.ask(message("node", "look")))
        assert seen["env"]["GREETING"] == "good evening"


def test_the_workers_of_a_killed_broker_work_for_the_next_one(project):
    with Project(project, brokers=2, expect=["*"]) as cluster:
        before = {p["name"]: p["pid"] for p in cluster.processes}
        assert len(cluster.workers("python")) == 4
        os.kill(before["broker-0"], signal.SIGKILL)
        until(lambda: cluster.process("broker-0")["pid"] != before["broker-0"], "it is back")
        after = {p["name"]: p["pid"] for p in cluster.processes}
        assert after["fn-python-0"] != before["fn-python-0"]
        assert after["fn-python-1"] == before["fn-python-1"]
        os.kill(before["broker-1"], signal.SIGKILL)
        with WebSocket(cluster.websocket) as client:
            assert client.ask(message("python", "answer", text="well")) == "well"


def test_sighup_has_the_configuration_read_again(project):
    with Project(project) as cluster:
        os.kill(cluster.pid, signal.SIGHUP)
        until(lambda: "broker-0 config.loaded" in cluster.log(), "the broker has read it")
        assert is_alive(cluster.pid)


def test_with_a_port_functions_have_that_and_the_next_ones_in_their_order(project):
    port = free_ports(4)
    flags = ["--redis", f"unix:{project}/none", "--bind", f"ipc://{project}/broker.sock"]
    flags += ["--management", "127.0.0.1:0", "--config", project / "gatepost.yml"]
    flags += ["--runtime-address", f"127.0.0.1:{port}"]
    with Process("gatepost-broker", *flags, expect=["redis.*"]) as broker:
        for i, function in enumerate(["manager", "python", "node", "ping"]):
            line = f"runtime.listen function={function} address=127.0.0.1:{port + i}\n"
            until(lambda line=line: line in broker.log(), line)
        until(lambda: "broker.start" in broker.log(), "it can be stopped well")


# What is refused


def refused(*words, env=None):
    run = subprocess.run(
        [str(word) for word in (BIN / "gatepost", "up", "--listen", "127.0.0.1:0",
                                "--management", "127.0.0.1:0", *words)],
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "process.start" not in run.stderr
    return run.returncode, run.stderr


def test_without_awslambdaric_it_says_what_to_install(project):
    python = project / "no-client"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    status, said = refused("--config", project / "gatepost.yml", "--python", python)
    assert status == 1
    assert "function=python" in said and f"{python} -m pip install awslambdaric" in said


def test_without_python_it_says_so(project):
    status, said = refused("--config", project / "gatepost.yml", "--python", project / "none")
    assert status == 1
    assert "python3 is missing" in said


def test_without_aws_lambda_ric_it_says_what_to_install(project):
    (project / "node_modules").unlink()
    words = ["--config", project / "gatepost.yml", "--python", sys.executable]
    status, said = refused(*words, env={"PATH": "/usr/bin:/bin"})
    assert status == 1
    assert "function=node" in said and "npm install aws-lambda-ric" in said


@pytest.mark.parametrize("address", ["127.0.0.1:http", "no host", "127.0.0.1:70000", "::1"])
def test_an_address_for_workers_that_is_none_stops_a_broker(project, address):
    config = project / "gatepost.yml"
    status, said = ended("gatepost-broker", "--config", config, "--runtime-address", address)
    assert status == 2
    assert "runtime.failed function=manager" in said and "--runtime-address" in said


def test_a_mistake_in_the_configuration_stops_the_start_with_its_line(project):
    path = project / "gatepost.yml"
    path.write_text(path.read_text().replace("handler.ping", "[1]"))
    status, said = refused("--config", path)
    assert status == 2
    line = path.read_text().splitlines().index("    handler: [1]") + 1
    assert f"{path}:{line}:" in said


def test_a_demo_is_of_what_is_built_in(project):
    status, said = refused("--config", project / "gatepost.yml", "--demo")
    assert status == 2
    assert "demo" in said and "cannot be used with --config" in said


def test_the_configuration_of_the_folder_is_taken_without_being_asked_for(project):
    env = {**os.environ, "PATH": "/usr/bin:/bin"}
    (project / "node_modules").unlink()
    run = subprocess.run(
        [str(BIN / "gatepost"), "up", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0"],
        cwd=project, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1
    assert "function=node" in run.stderr
