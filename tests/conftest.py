import pytest

from lib.cluster import Cluster


@pytest.fixture
def cluster():
    """Two edges, two brokers, for this test alone."""
    with Cluster(edges=2, brokers=2) as it:
        yield it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what its cluster wrote."""
    report = yield
    if report.failed:
        for it in Cluster.running:
            report.sections.append(("log of the cluster", it.log()))
    return report
