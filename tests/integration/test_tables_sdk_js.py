"""Tables under AWS's SDKs for JavaScript: version 3 with its document client, and version 2."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from lib.cluster import BIN, Cluster

NEEDS = ["node"]  # tests/pick.py

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
PRELOAD = BIN.parent / "share/gatepost/aws-sdk-2.js"
SECONDS = 60


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=1) as it:
        yield it


def seen_by(script, cluster, **env):
    """What the script prints, with an environment as a worker's."""
    done = subprocess.run(
        ["node", CLIENTS / script, f"table-{uuid.uuid4().hex}"],
        capture_output=True, text=True, timeout=SECONDS,
        env={**os.environ, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "any",
             "AWS_SECRET_ACCESS_KEY": "any", "AWS_ENDPOINT_URL_DYNAMODB": cluster.management,
             "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": cluster.management, **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_version_3_has_its_waiters_values_exceptions_and_paginators(cluster):
    seen = seen_by("tables_v3.js", cluster)
    assert (seen["exists"], seen["gone"]) == ("SUCCESS", "SUCCESS")
    assert sorted(seen["updated"]["who"]) == ["ada", "grace"]
    assert seen["updated"]["more"] == {"list": [2.5]}
    assert seen["item"] == {"more": {"list": [2.5, None, True]}}
    condition = seen["condition"]
    assert (condition["name"], condition["known"]) == ("ConditionalCheckFailedException", True)
    assert condition["item"]["room"] == {"S": "tea"} and condition["status"] == 400
    assert seen["validation"]["name"] == "ValidationException"
    assert seen["unprocessed"] == {}
    assert sum(seen["scanned"]) == 10 and max(seen["scanned"]) == 4
    assert sum(seen["queried"]) == 5
    assert seen["deleted"] == 0


def test_version_2_finds_the_endpoints_by_the_preload(cluster):
    seen = seen_by("tables_v2.js", cluster, NODE_OPTIONS=f'--require "{PRELOAD}"')
    assert seen["status"] == "ACTIVE"
    assert seen["item"] == {"id": "a", "n": 1, "who": ["ada"]}
    assert seen["condition"] == {"code": "ConditionalCheckFailedException", "statusCode": 400}
    assert seen["missing"] == {"code": "ResourceNotFoundException", "statusCode": 400}
    assert seen["count"] == 1
    assert seen["push"].rstrip("/") == cluster.management
