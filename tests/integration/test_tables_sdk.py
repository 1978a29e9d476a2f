"""Tables under AWS's own clients in Python: boto3's client and resource, and the AWS CLI.

What counts is what their users see: results, exceptions, waiters, paginators.
"""

import json
import os
import subprocess
import sys
import uuid
from decimal import Decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from lib.cluster import Cluster, until

OWNER = {"id": "GPTABLESOWNER", "secret": "abcdefghijklmnopqrstuvwxyz/+0123456789AB"}
FUNCTION = {"id": "GPTABLESFUNCTION", "secret": "another/secret/of/a/function"}
REGION = "eu-central-1"
SECONDS = 60

PROJECT = """
service: sdk
provider:
  iam:
    role:
      statements:
        - { Effect: Allow, Action: 'dynamodb:*Item', Resource: !GetAtt Declared.Arn }
        - { Effect: Allow, Action: dynamodb:Query, Resource: !Sub '${Declared.Arn}/index/*' }
        - { Effect: Deny, Action: dynamodb:DeleteItem, Resource: '*' }
functions:
  f: { handler: 'builtin:echo', events: [ { websocket: $default } ] }
resources:
  Resources:
    Declared:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: ${self:service}-${sls:stage}-declared
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions:
          - { AttributeName: id, AttributeType: S }
          - { AttributeName: room, AttributeType: S }
        KeySchema: [ { AttributeName: id, KeyType: HASH } ]
        GlobalSecondaryIndexes:
          - IndexName: by-room
            KeySchema: [ { AttributeName: room, KeyType: HASH } ]
            Projection: { ProjectionType: ALL }
        TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
"""
DECLARED = "sdk-dev-declared"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """It takes signatures alone; one of the keys is a function's."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "gatepost.yml").write_text(PROJECT)
    keys = folder / "credentials"
    keys.write_text(
        f"[owner]\naws_access_key_id = {OWNER['id']}\naws_secret_access_key = {OWNER['secret']}\n"
        f"[f]\naws_access_key_id = {FUNCTION['id']}\naws_secret_access_key = {FUNCTION['secret']}\n"
        "function = f\n"
    )
    keys.chmod(0o600)
    env = {"GATEPOST_MANAGEMENT_AUTH": "keys", "GATEPOST_CREDENTIALS": str(keys)}
    with Cluster(edges=1, brokers=1, env=env, cwd=folder, expect=["management.denied"]) as it:
        yield it


def settings(cluster, key=OWNER, **config):
    return {
        "endpoint_url": cluster.management, "region_name": REGION,
        "aws_access_key_id": key["id"], "aws_secret_access_key": key["secret"],
        "config": Config(retries={"max_attempts": 0}, **config),
    }  # fmt: skip


@pytest.fixture(scope="module")
def client(cluster):
    return boto3.client("dynamodb", **settings(cluster))


@pytest.fixture(scope="module")
def resource(cluster):
    return boto3.resource("dynamodb", **settings(cluster))


@pytest.fixture
def table(resource):
    """With a partition and a sort key, and an index."""
    it = resource.create_table(
        TableName=f"rooms-{uuid.uuid4().hex}", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "room", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "author", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "room", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-author",
            "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    )  # fmt: skip
    it.wait_until_exists()
    yield it
    it.delete()
    it.wait_until_not_exists()


def refused(name):
    return pytest.raises(ClientError, match=rf"\({name}\)")


# boto3's resource, as handlers use it


def test_what_is_put_is_read_changed_and_deleted(table):
    item = {
        "room": "tea", "at": 1, "author": "Ada", "tags": {"a", "b"}, "n": Decimal("0.1"),
        "bytes": b"\x00\xff", "more": {"list": [1, "two", None, True]},
    }  # fmt: skip
    key = {"room": "tea", "at": 1}
    table.put_item(Item=item)
    got = table.get_item(Key=key)["Item"]
    assert got.pop("bytes").value == item.pop("bytes")
    assert got == item
    changed = table.update_item(
        Key=key, UpdateExpression="SET #n = #n + :one, more.#l[1] = :x REMOVE author ADD tags :c",
        ExpressionAttributeNames={"#n": "n", "#l": "list"},
        ExpressionAttributeValues={":one": 1, ":x": "2", ":c": {"c"}}, ReturnValues="ALL_NEW",
    )["Attributes"]  # fmt: skip
    assert (changed["n"], changed["more"]["list"][1]) == (Decimal("1.1"), "2")
    assert changed["tags"] == {"a", "b", "c"} and "author" not in changed
    assert table.delete_item(Key=key, ReturnValues="ALL_OLD")["Attributes"]["n"] == Decimal("1.1")
    assert "Item" not in table.get_item(Key=key)


def test_a_batch_writer_writes_and_deletes_more_than_one_batch(table):
    with table.batch_writer(overwrite_by_pkeys=["room", "at"]) as batch:
        for at in range(60):
            batch.put_item(Item={"room": "tea", "at": at, "author": "Ada"})
        batch.delete_item(Key={"room": "tea", "at": 59})
    found = table.query(KeyConditionExpression=Key("room").eq("tea"))["Items"]
    assert [item["at"] for item in found] == list(range(59))


def test_a_query_has_ranges_order_filters_and_indexes(table):
    with table.batch_writer() as batch:
        for at in range(10):
            author = "Ada" if at % 2 else "Grace"
            batch.put_item(Item={"room": "tea", "at": at, "author": author})
    condition = Key("room").eq("tea") & Key("at").between(3, 8)
    found = table.query(KeyConditionExpression=condition, ScanIndexForward=False)["Items"]
    assert [item["at"] for item in found] == [8, 7, 6, 5, 4, 3]
    found = table.query(KeyConditionExpression=condition, FilterExpression=Attr("author").eq("Ada"))
    assert (found["Count"], found["ScannedCount"]) == (3, 6)
    found = table.query(IndexName="by-author", KeyConditionExpression=Key("author").eq("Grace"))
    assert sorted(item["at"] for item in found["Items"]) == [0, 2, 4, 6, 8]
    found = table.scan(FilterExpression=Attr("at").gte(5) & Attr("author").begins_with("A"))
    assert sorted(item["at"] for item in found["Items"]) == [5, 7, 9]


def test_a_condition_that_fails_is_its_own_exception_with_the_item(table):
    errors = table.meta.client.exceptions
    table.put_item(Item={"room": "tea", "at": 1, "v": 1})
    with pytest.raises(errors.ConditionalCheckFailedException) as e:
        table.put_item(
            Item={"room": "tea", "at": 1}, ConditionExpression=Attr("room").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
    assert e.value.response["Error"]["Message"] == "The conditional request failed"
    assert e.value.response["Item"]["v"] == {"N": "1"}


def test_resources_describe_themselves(resource, table):
    table.put_item(Item={"room": "tea", "at": 1})
    table.load()
    assert table.table_status == "ACTIVE"
    assert table.table_arn.endswith(f":table/{table.name}")
    assert [part["AttributeName"] for part in table.key_schema] == ["room", "at"]
    assert table.name in {it.name for it in resource.tables.all()}


# boto3's client


def test_paginators_give_every_item_once(client, table):
    with table.batch_writer() as batch:
        for at in range(25):
            batch.put_item(Item={"room": "tea", "at": at})
    scans = client.get_paginator("scan").paginate(
        TableName=table.name, PaginationConfig={"PageSize": 7}
    )
    assert sorted(int(it["at"]["N"]) for page in scans for it in page["Items"]) == list(range(25))
    queries = client.get_paginator("query").paginate(
        TableName=table.name, KeyConditionExpression="room = :r", Limit=4,
        ExpressionAttributeValues={":r": {"S": "tea"}},
    )  # fmt: skip
    assert [int(it["at"]["N"]) for page in queries for it in page["Items"]] == list(range(25))
    names = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    assert {table.name, DECLARED} <= {name for page in names for name in page["TableNames"]}


def test_exceptions_have_their_classes(client, table):
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="nowhere", Key={"room": {"S": "a"}})
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=table.name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        )  # fmt: skip
    with refused("ValidationException") as e:
        client.get_item(TableName=table.name, Key={"room": {"S": "a"}})
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "does not match the schema" in str(e.value)


def test_ttl_is_described_as_it_was_set(client, table):
    client.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}
    )
    describe = lambda: client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]  # noqa: E731
    enabled = {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    until(lambda: describe() == enabled, "it is enabled, after ENABLING")


def test_the_declared_table_is_there_with_index_and_ttl(client):
    found = client.describe_table(TableName=DECLARED)["Table"]
    assert [index["IndexName"] for index in found["GlobalSecondaryIndexes"]] == ["by-room"]
    ttl = client.describe_time_to_live(TableName=DECLARED)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires"


# Who may


@pytest.fixture(scope="module")
def of_function(cluster):
    return boto3.client("dynamodb", **settings(cluster, FUNCTION))


def test_a_function_may_what_its_statements_allow(of_function, table):
    key = {"id": {"S": "1"}}
    of_function.put_item(TableName=DECLARED, Item={**key, "room": {"S": "tea"}})
    assert "Item" in of_function.get_item(TableName=DECLARED, Key=key)
    found = of_function.query(
        TableName=DECLARED, IndexName="by-room", KeyConditionExpression="room = :r",
        ExpressionAttributeValues={":r": {"S": "tea"}},
    )  # fmt: skip
    assert found["Count"] == 1
    with refused("AccessDeniedException"):
        of_function.delete_item(TableName=DECLARED, Key=key)
    with refused("AccessDeniedException"):
        of_function.scan(TableName=DECLARED)
    with refused("AccessDeniedException"):
        of_function.get_item(TableName=table.name, Key={"room": {"S": "a"}, "at": {"N": "1"}})


@pytest.mark.parametrize(
    "key, config, error",
    [
        ({**OWNER, "secret": "wrong"}, {}, "InvalidSignatureException"),
        ({**OWNER, "id": "NOBODY"}, {}, "UnrecognizedClientException"),
        (OWNER, {"signature_version": UNSIGNED}, "MissingAuthenticationTokenException"),
    ],
)
def test_who_is_not_known_is_refused(cluster, key, config, error):
    with refused(error):
        boto3.client("dynamodb", **settings(cluster, key, **config)).list_tables()


# The AWS CLI, and ours


def run(cluster, *words, env):
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=SECONDS,
        env={**os.environ, "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", **env},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def aws(cluster, *words):
    env = {"AWS_ACCESS_KEY_ID": OWNER["id"], "AWS_SECRET_ACCESS_KEY": OWNER["secret"]}
    status, out, error = run(
        cluster, sys.executable, "-m", "awscli", "--endpoint-url", cluster.management, "--region",
        REGION, "--output", "json", "dynamodb", *words, env=env,
    )  # fmt: skip
    return json.loads(out) if status == 0 and out else error


def test_the_aws_cli_makes_fills_pages_and_deletes_a_table(cluster):
    name = f"cli-{uuid.uuid4().hex}"
    aws(cluster, "create-table", "--table-name", name, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S",
        "--key-schema", "AttributeName=id,KeyType=HASH")  # fmt: skip
    assert aws(cluster, "wait", "table-exists", "--table-name", name) == ""
    requests = [{"PutRequest": {"Item": {"id": {"S": str(i)}}}} for i in range(5)]
    written = aws(cluster, "batch-write-item", "--request-items", json.dumps({name: requests}))
    assert written == {"UnprocessedItems": {}}
    found = aws(cluster, "scan", "--table-name", name, "--page-size", "2")
    assert sorted(item["id"]["S"] for item in found["Items"]) == list("01234")
    assert "(ResourceNotFoundException)" in aws(cluster, "describe-table", "--table-name", "nowhere")
    aws(cluster, "delete-table", "--table-name", name)
    assert aws(cluster, "wait", "table-not-exists", "--table-name", name) == ""
