"""npm's wscat, used as a person does: a command with options, or lines typed into it."""

import os
import subprocess
from pathlib import Path

import pytest

from lib.cluster import Cluster, until

NEEDS = ["node"]  # tests/pick.py

SECONDS = 60


@pytest.fixture(scope="module")
def gateway():
    with Cluster(edges=1, brokers=1) as it:
        yield it


def wscat(*options):
    program = Path(os.environ["NODE_PATH"], ".bin", "wscat")
    return [program, "--no-color", *options]


def run(*options):
    """Run it with nobody at the keyboard; it would leave at once if its input ended."""
    keyboard, typist = os.pipe()
    try:
        return subprocess.run(
            wscat(*options), stdin=keyboard, capture_output=True, text=True, timeout=SECONDS
        )
    finally:
        os.close(keyboard)
        os.close(typist)


def test_a_message_given_as_an_option_is_answered(gateway):
    done = run("--connect", gateway.websocket, "--execute", '{"action":"ping"}', "--wait", "5")
    assert (done.stdout, done.stderr, done.returncode) == ("PONG!\n", "", 0)


def test_lines_typed_into_it_are_answered_one_by_one(gateway):
    with subprocess.Popen(
        wscat("--connect", gateway.websocket),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as it:  # fmt: skip
        until(gateway.table, "wscat is connected")
        for message in ['{"action":"echo","n":1}', '{"action":"echo","n":2}']:
            it.stdin.write(message + "\n")
            assert it.stdout.readline().removeprefix("> ") == message + "\n"
        it.stdin.close()
    until(lambda: not gateway.table(), "wscat has left the table")


def test_a_stage_that_is_not_there_is_told_to_the_person(gateway):
    done = run("--connect", gateway.http.replace("http", "ws", 1) + "/nonsense")
    assert "403" in done.stderr
