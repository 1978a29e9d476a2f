from collections import Counter

import pytest

from lib.cluster import Cluster


@pytest.fixture
def cluster():
    """Two edges, two brokers, for this test alone."""
    with Cluster(edges=2, brokers=2) as it:
        yield it


def pytest_collection_modifyitems(items):
    """What takes longest begins first: the run of chaos, then the files with the most tests."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name != "test_chaos.py", -tests[item.path]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what its cluster wrote."""
    report = yield
    if report.failed:
        for it in Cluster.running:
            report.sections.append(("log of the cluster", it.log()))
    return report
