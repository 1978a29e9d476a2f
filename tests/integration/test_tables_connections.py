"""The connection table as a table: gatepost.connections."""

import boto3
import pytest
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from lib.cluster import Cluster, until
from lib.wire import WebSocket

NAME = "gatepost.connections"

@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=2, brokers=1) as it:
        yield it


@pytest.fixture(scope="module")
def table(cluster):
    resource = boto3.resource(
        "dynamodb", endpoint_url=cluster.management, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip
    return resource.Table(NAME)


@pytest.fixture
def clients(cluster):
    """Five of them, on two edges."""
    all_of_them = [WebSocket(cluster.websocket) for _ in range(5)]
    until(lambda: len(cluster.table()) == 5, "their rows are there")
    yield sorted(cluster.table())
    for client in all_of_them:
        client.socket.close()
    until(lambda: not cluster.table(), "their rows are gone")


def test_each_connection_is_an_item(table, cluster, clients):
    items = table.scan()["Items"]
    assert sorted(item["connectionId"] for item in items) == clients
    for item in items:
        assert set(item) >= {"connectionId", "edge", "connectedAt", "connectedTime", "stage"}
        assert item["sourceIp"] == "127.0.0.1"
    (one,) = table.scan(FilterExpression=Attr("connectionId").eq(clients[0]))["Items"]
    assert table.get_item(Key={"connectionId": clients[0]})["Item"] == one
    short = table.get_item(Key={"connectionId": clients[0]}, ProjectionExpression="stage")["Item"]
    assert short == {"stage": "dev"}
    assert table.scan(Select="COUNT")["Count"] == 5


def test_pages_have_each_connection_once(table, clients):
    pages = table.meta.client.get_paginator("scan").paginate(TableName=NAME, Limit=2)
    found = [item["connectionId"] for page in pages for item in page["Items"]]
    assert sorted(found) == clients


def test_one_that_is_not_there_is_not_found(table, clients):
    for key in ("AAEAAAAMQb8AAAA=", "nobody"):
        assert "Item" not in table.get_item(Key={"connectionId": key})
    assert table.scan(FilterExpression=Attr("stage").eq("prod"))["Items"] == []


def test_it_is_described_and_not_written(table):
    table.load()
    assert table.key_schema == [{"AttributeName": "connectionId", "KeyType": "HASH"}]
    for write in (
        lambda: table.put_item(Item={"connectionId": "a"}),
        lambda: table.delete_item(Key={"connectionId": "a"}),
        table.delete,
    ):
        with pytest.raises(ClientError, match="can be read alone"):
            write()
    with pytest.raises(ClientError, match="does not match the schema"):
        table.get_item(Key={"id": "a"})
