"""docs/operations.md names what the processes really serve."""

import re

from lib.cluster import ROOT, Cluster

DOCUMENT = (ROOT / "docs/operations.md").read_text()


def served(cluster, name):
    _, text = cluster.get(cluster.process(name)["metrics"].removesuffix("/metrics") + "/metrics")
    return set(re.findall(r"^# TYPE (gatepost_\w+) ", text.decode(), re.MULTILINE))


def test_the_metrics_in_the_document_are_those_that_are_served():
    with Cluster(edges=1, brokers=1) as cluster:
        metrics = served(cluster, "edge-0") | served(cluster, "broker-0")
    assert set(re.findall(r"`(gatepost_[a-z_]+)`", DOCUMENT)) == metrics


def test_the_flags_in_the_document_are_settings_of_a_program():
    table = {}
    for program in ("edge", "broker"):
        text = (ROOT / program / "conf.c").read_text() + (ROOT / "store/store.h").read_text()
        table[program] = set(re.findall(r'"([a-z-]+)"', text))
    flags = set(re.findall(r"`--([a-z-]+)`", DOCUMENT))
    assert flags - table["edge"] - table["broker"] - {"help", "settings"} == set()
