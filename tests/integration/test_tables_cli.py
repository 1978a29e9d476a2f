"""`gatepost tables` and `gatepost table`: what they print, write and read."""

import json
import os
import subprocess

import pytest

from lib.cluster import BIN, Cluster

SECONDS = 60
GONE, USAGE = 3, 2  # exit statuses


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=1) as it:
        yield it


@pytest.fixture
def run(cluster):
    def run(*words, status=0):
        done = subprocess.run(
            [BIN / "gatepost", *map(str, words)], capture_output=True, text=True, timeout=SECONDS,
            env={**os.environ, "GATEPOST_MANAGEMENT": cluster.management},
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return run


def items(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_table_is_made_listed_and_deleted(run):
    run("table", "create", "rooms", "--key", "room", "--sort", "at:N")
    assert run("tables").splitlines()[1].split() == ["rooms", "0", "0", "room,", "at"]
    (described,) = items(run("tables", "--json"))
    assert described["AttributeDefinitions"] == [
        {"AttributeName": "room", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ]
    assert "already exists" in run("table", "create", "rooms", "--key", "room", status=USAGE)
    run("table", "delete", "rooms")
    assert "not found" in run("table", "scan", "rooms", status=GONE)
    assert len(run("tables").splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [["scan"], ["create", "a"], ["create", "a", "--key", "k:X"], ["create", "a", "--key", ""], ["drop", "a"]],
)
def test_what_is_wrong_on_the_command_line_is_said(run, words):
    assert run("table", *words, status=USAGE).startswith("gatepost table: ")


def test_what_is_exported_is_the_same_after_an_import(run, tmp_path):
    (tmp_path / "people.jsonl").write_text(
        "".join(
            json.dumps({"Item": {"id": {"S": f"ada {i:02} 🙂\u0000"}, "n": {"N": f"{i}.5"}}}) + "\n"
            for i in range(60)
        )
        + '\n{"id":{"S":"alone"},"more":{"L":[{"NULL":true},{"B":"AP8="}]}}\n'
    )
    run("table", "create", "people", "--key", "id")
    run("tables", "import", tmp_path)
    assert len(items(run("table", "scan", "people", "--limit", "7"))) == 7
    before = items(run("table", "scan", "people"))
    assert len(before) == 61 and {"S": "alone"} in [item["id"] for item in before]

    run("tables", "export", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "people.table.json", "people.jsonl"
    }  # fmt: skip
    run("table", "delete", "people")
    run("tables", "import", tmp_path / "out", "people")
    key = lambda item: item["id"]["S"]  # noqa: E731
    assert sorted(items(run("table", "scan", "people")), key=key) == sorted(before, key=key)
    run("table", "delete", "people")


def test_a_line_that_is_no_item_is_named(run, tmp_path):
    run("table", "create", "wrong", "--key", "id")
    (tmp_path / "wrong.jsonl").write_text('{"id":{"S":"a"}}\nnonsense\n')
    assert "wrong.jsonl:2: not an item" in run("tables", "import", tmp_path, status=USAGE)
    run("table", "delete", "wrong")
