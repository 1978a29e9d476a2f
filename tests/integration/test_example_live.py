"""examples/live as its README says: `gatepost up` in its folder, and two pages in Chromium."""

import os
import shutil
import signal
import sys

import pytest

from lib.client import Client
from lib.cluster import ROOT, Cluster, until

NEEDS = ["node", "browser"]  # tests/pick.py

EXAMPLE = ROOT / "examples/live"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The cluster of a copy, so that nothing is left in the example's own folder."""
    folder = tmp_path_factory.mktemp("live") / "it"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".venv"))
    (folder / ".venv").symlink_to(sys.prefix)
    with Cluster(edges=2, brokers=2, cwd=folder, expect=["*"]) as it:
        yield it


class Pages:
    """Ada's page and Grace's."""

    def __init__(self, cluster):
        self._client = Client("live_page.js", "")
        self._url = cluster.http + "/dev/live"

    def __enter__(self):
        assert self._client.first == {"open": True}
        for who, name in enumerate(["Ada", "Grace"]):
            self.do(who, open=self._url, join=name)
            self.do(who, see=["#state", "connected"])
            self.do(who, see=["#people li", name])
        return self

    def __exit__(self, *error):
        self._client.__exit__(*error)

    def do(self, who, **order):
        answer = self._client.ask(who=who, **order)
        assert "done" in answer, answer


def test_each_sees_who_is_there_and_who_leaves(live):
    with Pages(live) as pages:
        pages.do(0, see=["#people li", "Grace"])
        pages.do(1, see=["#people li", "Ada"])
        pages.do(1, close=True)
        pages.do(0, miss=["#people li", "Grace"])


def test_what_one_says_both_read_under_the_name_that_connect_gave(live):
    with Pages(live) as pages:
        pages.do(0, say="Good evening, <i>Grace</i>")
        for who in (0, 1):
            pages.do(who, see=["#talk li", "AdaGood evening, <i>Grace</i>"])


def test_who_comes_later_reads_what_was_said_before(live):
    with Pages(live) as pages:
        pages.do(0, say="Said before")
        pages.do(0, see=["#talk li", "AdaSaid before"])
    with Pages(live) as pages:
        pages.do(1, see=["#talk li", "AdaSaid before"])


def test_the_pointer_of_one_moves_on_the_board_of_the_other(live):
    with Pages(live) as pages:
        pages.do(0, move=[0.25, 0.5])
        pages.do(1, see=["#board .pointer", "Ada"])
        pages.do(1, move=[0.75, 0.5])
        pages.do(0, see=["#board .pointer", "Grace"])


def test_a_name_that_is_too_long_is_refused(live):
    with Client("ws", f"{live.websocket}?name={'x' * 25}") as client:
        assert client.first == {"refused": 400}


def test_other_files_than_those_of_public_are_not_served(live):
    for name in ("app.js", "style.css", "client/index.js"):
        assert live.get(f"{live.http}/dev/live/{name}")[0] == 200
    for name in ("live.py", "..%2Flive.py", "client", "client/test/server.js"):
        assert live.get(f"{live.http}/dev/live/{name}")[0] == 404


def test_the_chat_goes_on_when_edges_and_brokers_are_killed(live):
    with Pages(live) as pages:
        for name in ("edge-0", "edge-1", "broker-0", "broker-1"):
            pid = live.process(name)["pid"]
            os.kill(pid, signal.SIGKILL)
            until(lambda p=pid, n=name: live.process(n)["pid"] != p, f"another {name} is ready")
            pages.do(0, say=f"without {name}")
            for who in (0, 1):
                pages.do(who, see=["#talk li", f"Adawithout {name}"])
