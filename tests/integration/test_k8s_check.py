"""deploy/k8s, deploy/helm and deploy/compose without a cluster: what they render, and what checks it."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from lib.cluster import BIN, ROOT, Cluster, until
from lib.process import free_ports
from lib.wire import WebSocket

NEEDS = ["k8s"]  # tests/pick.py

CHECK = ROOT / "deploy/k8s/check"
CHART = ROOT / "deploy/helm/gatepost"
COMPOSE = ROOT / "deploy/compose"
TOOLS = ROOT / "build/k8s"


def check(*args):
    return subprocess.run(
        [CHECK / "run", "--bin", BIN, *args], capture_output=True, text=True, timeout=600
    )  # fmt: skip


def helm(*args):
    return subprocess.run(
        [TOOLS / "bin/helm", "template", "gatepost", CHART, *args], capture_output=True, text=True
    )  # fmt: skip


# The checker


@pytest.mark.timeout(600)
def test_no_rule_finds_a_mistake_in_the_manifests():
    done = check()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "no mistakes" in done.stdout


@pytest.mark.timeout(600)
def test_each_planted_mistake_is_found_by_its_rule_and_by_no_other():
    done = check("--planted")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^found ", done.stdout, re.MULTILINE)) >= 12


def test_each_rule_has_a_planted_mistake():
    rules = {line.split()[0] for line in check("--rules").stdout.splitlines()}
    planted = {
        re.match(r"# expect: (\S+)", path.read_text())[1]
        for path in CHECK.glob("planted/*/kustomization.yaml")
    }
    assert rules == planted


# The chart


@pytest.mark.parametrize(
    "value",
    ["edge.replicaz=3", "image.tag=latest", "edge.replicas=0", "edge.settings.listen=0.0.0.0:80",
     "broker.settings.management-auth=none", "objects.egde.merge.spec.paused=true"],
)  # fmt: skip
def test_the_chart_refuses_a_value_that_is_unknown_or_not_allowed(value):
    done = helm("--set-string" if "settings" in value else "--set", value)
    assert done.returncode != 0
    assert "specification(s) of the schema" in done.stderr or "schema" in done.stderr


@pytest.mark.parametrize("path", ["/spec/replicaz", "/spec/template/spec/containers/1/env"])
def test_a_patch_of_a_field_that_is_not_there_fails(path, tmp_path):
    patch = {"objects": {"edge": {"patch": [{"op": "replace", "path": path, "value": 1}]}}}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(patch))
    done = helm("--values", tmp_path / "values.yaml")
    assert done.returncode != 0
    assert f"patch {path}" in done.stderr


def test_a_changed_setting_changes_the_pods_and_a_changed_configuration_does_not():
    def template(*args):
        objects = yaml.safe_load_all(helm(*args).stdout)
        broker = next(o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"].endswith("broker"))
        return broker["spec"]["template"]

    first = template("--set", "config=service: a")
    assert template("--set", "config=service: b") == first
    assert template("--set", "config=service: a,broker.settings.region=eu-central-1") != first


# The function of the component functions-http


def test_the_example_function_answers_its_route(tmp_path):
    component = ROOT / "deploy/k8s/components/functions-http"
    port = free_ports(1)
    text = (component / "gatepost.yml").read_text()
    config = tmp_path / "gatepost.yml"
    config.write_text(text.replace("http://gatepost-function:8000/", f"http://127.0.0.1:{port}/"))
    command = [sys.executable, "-B", component / "function.py", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as function:
        try:
            with Cluster(edges=1, brokers=1, args=["--config", config]) as cluster:
                ready = f"http://127.0.0.1:{port}/"
                until(lambda: is_up(cluster, ready), "the function answers its probe")
                with WebSocket(cluster.websocket) as client:
                    answer = client.ask(json.dumps({"action": "hello", "name": "Ann"}))
                    assert json.loads(answer) == {"hello": "Ann"}
                until(lambda: not cluster.table(), "the connection has ended")
        finally:
            function.terminate()
        assert [line.split()[0] for line in function.stdout] == ["CONNECT", "DISCONNECT"]
        assert function.wait() == 0


def is_up(cluster, url):
    try:
        return cluster.get(url)[0] == 200
    except OSError:
        return False


# deploy/compose


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def settings(program):
    text = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
    rows = re.split(r"^  --", text, flags=re.MULTILINE)[1:]
    return {re.match(r"[a-z-]+", row)[0]: (re.search(r"default: ([^;\n]*)", row) or ["", ""])[1] for row in rows}


def processes(compose):
    """(name, its service, the program) of each edge and broker."""
    return [
        (name, service, program)
        for name, service in compose["services"].items()
        for program in ["edge", "broker"]
        if service.get("command") == [f"/usr/bin/gatepost-{program}"]
    ]


def test_compose_has_two_edges_and_two_brokers_with_settings_that_exist(compose):
    assert [name for name, _, _ in processes(compose)] == ["edge-0", "edge-1", "broker-0", "broker-1"]
    for name, service, program in processes(compose):
        assert service["environment"]["GATEPOST_NAME"] == name
        flags = {variable[9:].lower().replace("_", "-") for variable in service["environment"]}
        assert flags - set(settings(f"gatepost-{program}")) == set(), name


def test_compose_gives_each_process_the_time_of_its_drain(compose):
    for name, service, program in processes(compose):
        known = settings(f"gatepost-{program}")
        parts = {"edge": ["drain-delay", "drain-timeout", "close-timeout"], "broker": ["drain-timeout"]}

        def seconds(flag, known=known, service=service):
            variable = f"GATEPOST_{flag.upper().replace('-', '_')}"
            return int(service["environment"].get(variable, known[flag]).removesuffix("s"))

        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace >= sum(map(seconds, parts[program])) + 10, name
        assert seconds("grace") == grace, name


def test_compose_names_services_and_ports_that_exist(compose):
    ports = {name: {"9101", "8080"} if program == "edge" else {"9102", "8081", "7400"}
             for name, _, program in processes(compose)}  # fmt: skip
    ports |= {"redis": {"6379"}, "prometheus": {"9090"}}
    texts = [(COMPOSE / "compose.yaml").read_text(), (COMPOSE / "haproxy.cfg").read_text(),
             (COMPOSE / "prometheus.yml").read_text(),
             (COMPOSE / "grafana/datasources/prometheus.yaml").read_text()]  # fmt: skip
    used = re.findall(r"\b((?:edge|broker)-\d|redis|prometheus):(\d+)\b", "\n".join(texts))
    used += re.findall(r"server ((?:edge|broker)-\d) .* port (\d+)", texts[1])
    assert len(used) >= 16
    assert {(name, port) for name, port in used if port not in ports.get(name, ())} == set()


def test_each_file_that_compose_mounts_exists(compose):
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert files
    assert [file for file in files if not (COMPOSE / file).exists()] == []
