import pytest

from lib.cluster import Cluster


@pytest.fixture
def cluster():
    """Two edges, two brokers, for this test alone."""
    with Cluster(edges=2, brokers=2) as it:
        yield it
