"""DynamoDB's clients against a cluster, and what tests of tables have in common.

    db = tables.client(cluster)
    with tables.table(db, "rooms", "id:S") as name:
        db.put_item(TableName=name, Item=item(id="a"))
"""

import contextlib
import itertools
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_numbers = itertools.count()


def client(cluster, retries=0, **more):
    return boto3.client(
        "dynamodb", endpoint_url=cluster.management, region_name="eu-central-1",
        aws_access_key_id="GPTESTKEY1", aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": retries}, parameter_validation=False), **more,
    )  # fmt: skip


def value(v):
    """A plain value as an attribute value: "a", 5, True, None, b"x", [..], {..}; sets of strings or numbers."""
    if isinstance(v, bool):
        return {"BOOL": v}
    if v is None:
        return {"NULL": True}
    if isinstance(v, str):
        return {"S": v}
    if isinstance(v, (int, float)):
        return {"N": str(v)}
    if isinstance(v, bytes):
        return {"B": v}
    if isinstance(v, list):
        return {"L": [value(x) for x in v]}
    if isinstance(v, set):
        return {"SS": sorted(v)} if all(isinstance(x, str) for x in v) else {"NS": sorted(map(str, v))}
    return {"M": item(**v)}


def item(**attributes):
    return {name: value(v) for name, v in attributes.items()}


def values(**attributes):
    """ExpressionAttributeValues: values(x=1) is {":x": {"N": "1"}}."""
    return {f":{name}": value(v) for name, v in attributes.items()}


def keys(*names):
    """KeySchema of "id", or of "room", "at"; a type may stand behind each: "at:N"."""
    roles = ("HASH", "RANGE")
    return [
        {"AttributeName": n.partition(":")[0], "KeyType": role}
        for n, role in zip(names, roles, strict=False)
    ]


def types(*names):
    found = {n.partition(":")[0]: n.partition(":")[2] or "S" for n in names}
    return [{"AttributeName": n, "AttributeType": t} for n, t in found.items()]


def index(name, *key, projection="ALL", include=None):
    made = {
        "IndexName": name, "KeySchema": keys(*key), "Projection": {"ProjectionType": projection},
    }  # fmt: skip
    if include:
        made["Projection"]["NonKeyAttributes"] = include
    return made, key


def create(db, *key, indexes=(), local=(), name=None, **more):
    """Create a table of its own name for this test, and return the name."""
    name = name or f"table-{next(_numbers)}"
    named = list(key)
    for _, of in (*indexes, *local):
        named += of
    if indexes:
        more["GlobalSecondaryIndexes"] = [made for made, _ in indexes]
    if local:
        more["LocalSecondaryIndexes"] = [made for made, _ in local]
    db.create_table(
        TableName=name, KeySchema=keys(*key), AttributeDefinitions=types(*named),
        BillingMode="PAY_PER_REQUEST", **more,
    )  # fmt: skip
    return name


@contextlib.contextmanager
def refused(error, *texts):
    """The block fails with this exception of DynamoDB, whose message has these texts."""
    try:
        yield
    except ClientError as e:
        found = e.response["Error"]
        assert found["Code"] == error, found
        for text in texts:
            assert text in found["Message"], found
        return
    raise AssertionError(f"no {error}")


def every(page, **parameters):
    """All items of a Query or Scan, page by page."""
    found = []
    while True:
        answer = page(**parameters)
        found += answer.get("Items", [])
        if "LastEvaluatedKey" not in answer:
            return found
        parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def post(cluster, operation, body, headers=None):
    """(status, body, headers) of a request in bytes: what an SDK would not send."""
    import urllib.error
    import urllib.request

    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        **(headers or {}),
    }
    request = urllib.request.Request(
        cluster.management + "/", data=data, method="POST",
        headers={name: v for name, v in head.items() if v is not None},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers
