"""The tables of `resources:`: made at the start, after a reload, and when Redis comes back empty."""

import os
import signal
import subprocess

import boto3

from lib.cluster import BIN, STOP_SECONDS, Cluster, until

PROJECT = """
functions: { f: { handler: 'builtin:echo', events: [ { websocket: $default } ] } }
resources:
  Resources:
    Rooms:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: rooms
        AttributeDefinitions:
          - { AttributeName: id, AttributeType: TYPE }
          - { AttributeName: owner, AttributeType: S }
        KeySchema: [ { AttributeName: id, KeyType: HASH } ]
"""
INDEX = """
        GlobalSecondaryIndexes:
          - IndexName: by-owner
            KeySchema: [ { AttributeName: owner, KeyType: HASH } ]
            Projection: { ProjectionType: ALL }
"""
WITHOUT_INDEX = PROJECT.replace("          - { AttributeName: owner, AttributeType: S }\n", "")
OTHER = """
    Others: { Type: AWS::Serverless::SimpleTable, Properties: { TableName: others } }
"""


def write(folder, text, key="S"):
    """As an editor does: in one step."""
    (folder / "new").write_text(text.replace("TYPE", key))
    (folder / "new").rename(folder / "gatepost.yml")


def client_of(cluster):
    return boto3.client(
        "dynamodb", endpoint_url=cluster.management, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip


def names(cluster):
    return client_of(cluster).list_tables()["TableNames"]


def test_a_reload_makes_tables_and_adds_indexes_to_those_that_are_there(tmp_path):
    write(tmp_path, WITHOUT_INDEX)
    with Cluster(edges=1, brokers=2, cwd=tmp_path) as it:
        client = client_of(it)
        assert names(it) == ["rooms"]
        client.put_item(TableName="rooms", Item={"id": {"S": "1"}, "owner": {"S": "ada"}})
        write(tmp_path, PROJECT + INDEX + OTHER)
        until(lambda: names(it) == ["others", "rooms"], "the other table is there")
        index = lambda: client.describe_table(TableName="rooms")["Table"].get(  # noqa: E731
            "GlobalSecondaryIndexes", [{}]
        )[0]
        until(lambda: index().get("IndexStatus") == "ACTIVE", "the index is there")
        found = client.query(
            TableName="rooms", IndexName="by-owner", KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":o": {"S": "ada"}},
        )  # fmt: skip
        assert found["Count"] == 1


def test_a_reload_with_other_keys_leaves_the_table_and_names_it(tmp_path):
    write(tmp_path, WITHOUT_INDEX)
    with Cluster(edges=1, brokers=1, cwd=tmp_path, expect=["table.refused"]) as it:
        write(tmp_path, WITHOUT_INDEX, "N")
        line = until(lambda: [x for x in it.log().splitlines() if "table.refused" in x], "a line")[0]
        assert "table=rooms" in line and "id (S)" in line and "id (N)" in line
        client_of(it).put_item(TableName="rooms", Item={"id": {"S": "1"}})


def test_a_broker_that_finds_other_keys_at_its_start_is_not_ready(tmp_path):
    write(tmp_path, WITHOUT_INDEX)
    with Cluster(edges=1, brokers=1, cwd=tmp_path, keep=True) as it:
        client_of(it).put_item(TableName="rooms", Item={"id": {"S": "kept"}})
    write(tmp_path, WITHOUT_INDEX, "N")
    log = tmp_path / "log"
    with open(log, "wb") as out:
        up = subprocess.Popen(
            [BIN / "gatepost", "up", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0"],
            cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: b"table.refused" in log.read_bytes(), "the table is refused")
        assert b"WebSocket" not in log.read_bytes()
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(STOP_SECONDS)
    write(tmp_path, WITHOUT_INDEX)
    with Cluster(edges=1, brokers=1, cwd=tmp_path, keep=True) as it:
        assert client_of(it).scan(TableName="rooms")["Items"] == [{"id": {"S": "kept"}}]


def test_an_empty_redis_gets_the_declared_tables_again(tmp_path):
    write(tmp_path, WITHOUT_INDEX + OTHER)
    with Cluster(edges=1, brokers=2, cwd=tmp_path, expect=["*"]) as it:
        pid = it.process("redis")["pid"]
        with it.redis() as db:
            db.flushall()
        os.kill(pid, signal.SIGKILL)
        until(lambda: it.process("redis")["pid"] != pid, "Redis is back")

        def are_back():
            try:
                return names(it) == ["others", "rooms"]
            except Exception:  # noqa: BLE001 - Redis or a broker may not be back yet
                return False

        until(are_back, "the tables are back")
