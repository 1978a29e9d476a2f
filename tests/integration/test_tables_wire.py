"""The protocol of tables (section 3), and what a hostile client sends (section 9)."""

import json
import socket
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import tables
from lib.cluster import Cluster, until
from lib.tables import create, every, index, item, post, refused, values

SERVICE = "com.amazon.coral.service#"
VALIDATION = "com.amazon.coral.validate#ValidationException"
DYNAMODB = "com.amazonaws.dynamodb.v20120810#"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2) as it:
        yield it


@pytest.fixture(scope="module")
def db(cluster):
    return tables.client(cluster)


@pytest.fixture(scope="module")
def table(db):
    return create(db, "id", name="wire")


def error(answer):
    status, body, _ = answer
    found = json.loads(body)
    return status, found["__type"], found["message"]


# Answers


def test_an_answer_has_the_headers_that_clients_check(cluster, table):
    status, body, headers = post(cluster, "ListTables", {})
    assert status == 200
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)
    assert len(headers["x-amzn-RequestId"]) == 52
    assert headers["x-amzn-RequestId"].isalnum()
    status, body, headers = post(cluster, "GetItem", {"TableName": "nowhere", "Key": item(id="a")})
    assert status == 400
    assert int(headers["x-amz-crc32"]) == zlib.crc32(body)


def test_health_and_other_paths(cluster):
    status, body = cluster.get(cluster.management + "/")
    assert status == 200
    assert body.startswith(b"healthy: ")
    assert cluster.get(cluster.management + "/other", method="POST", body=b"{}")[0] == 404


def test_the_content_type_is_one_of_two(cluster, table):
    assert post(cluster, "ListTables", {}, {"Content-Type": "application/json"})[0] == 200
    assert post(cluster, "ListTables", {}, {"Content-Type": "application/json; charset=utf-8"})[0] == 200
    assert post(cluster, "ListTables", {}, {"Content-Type": "text/plain"})[0] == 404


@pytest.mark.parametrize("target", [None, "Unknown", "DynamoDB_20120810.", "DynamoDB_20120810.Nothing", "DynamoDB_20111205.GetItem"])
def test_an_unknown_target_is_refused(cluster, target):
    found = error(post(cluster, "", {}, {"X-Amz-Target": target}))
    assert found[:2] == (400, SERVICE + "UnknownOperationException")


def test_chunked_bodies_are_legal(cluster, table):
    host, _, port = cluster.management.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(
            b"POST / HTTP/1.1\r\nHost: " + f"{host}:{port}".encode() + b"\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )
        answer = b""
        while more := s.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 200 ")


# Bad input


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b"{}{}", b"\xff\xfe", b'{"TableName":5}', b'{"TableName":["a"]}',
     b'{"TableName":"wire","Item":[]}', b'{"TableName":"wire","Item":{"id":"a"}}',
     b'{"TableName":"wire","Item":{"id":{"S":5}}}', b'{"TableName":"wire","Item":{"id":{"S":"a"},"n":{"N":5}}}',
     b'{"TableName":"wire","Item":{"id":{"S":"a"},"b":{"B":"*"}}}',
     b'{"TableName":"wire","Item":{"id":{"S":"a"},"b":{"BOOL":"yes"}}}',
     b'{"TableName":"wire","Item":{"id":{"S":"a"},"id":{"S":"b"}}}'],
    ids=lambda b: b.decode("latin-1")[:60],
)  # fmt: skip
def test_what_is_no_json_or_of_another_type_is_a_serialization_error(cluster, table, body):
    status, kind, _ = error(post(cluster, "PutItem", body))
    assert (status, kind) == (400, SERVICE + "SerializationException")


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"a":' * 200_000, b'{"TableName":"wire","Item":{"id":{"S":"a"},"l":' + b'{"L":[' * 100_000],
)
def test_deep_json_is_refused(cluster, body):
    status, kind, _ = error(post(cluster, "PutItem", body))
    assert (status, kind) == (400, SERVICE + "SerializationException")


def deep(levels):
    return '{"L":[' * levels + '{"S":"x"}' + "]}" * levels


def test_values_are_at_most_32_levels_deep(cluster, table):
    body = '{"TableName":"wire","Item":{"id":{"S":"a"},"l":%s}}'
    assert post(cluster, "PutItem", (body % deep(31)).encode())[0] == 200
    status, kind, message = error(post(cluster, "PutItem", (body % deep(32)).encode()))
    assert (status, kind) == (400, VALIDATION)
    assert "Nesting Levels" in message or "nest" in message.lower()


def test_null_counts_as_absent_and_unknown_members_are_ignored(cluster, table):
    body = {"TableName": "wire", "Key": item(id="a"), "ProjectionExpression": None, "Wonder": {"x": 1}}
    assert post(cluster, "GetItem", body)[0] == 200
    status, kind, message = error(post(cluster, "GetItem", {"TableName": None, "Key": item(id="a")}))
    assert (status, kind) == (400, VALIDATION)
    assert message == "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"


def test_wrong_words_and_numbers_are_refused(cluster, table):
    for more, text in [
        ({"ReturnConsumedCapacity": "ALL"}, "Value 'ALL' at 'returnConsumedCapacity'"),
        ({"Limit": -1}, "Value '-1' at 'limit'"),
        ({"Select": "SOME"}, "Value 'SOME' at 'select'"),
    ]:
        status, kind, message = error(post(cluster, "Scan", {"TableName": "wire", **more}))
        assert (status, kind) == (400, VALIDATION)
        assert text in message
    for more in ({"Limit": "5"}, {"Limit": 1.5}, {"ConsistentRead": "true"}, {"ExclusiveStartKey": "x"}):
        assert error(post(cluster, "Scan", {"TableName": "wire", **more}))[1] == SERVICE + "SerializationException"


def test_large_bodies(cluster, table):
    most = 16 * 1024 * 1024
    text = json.dumps({"TableName": "wire", "Item": item(id="a", big="x" * (most - 200))}).encode()
    status, kind, message = error(post(cluster, "PutItem", text))
    assert (status, kind) == (400, VALIDATION)
    assert "Item size" in message
    host, _, port = cluster.management.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(
            f"POST / HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: {most + 1}\r\n\r\n".encode()
        )
        assert s.recv(100).startswith(b"HTTP/1.1 413 ")


def test_errors_have_their_prefix(cluster, table):
    put = {"TableName": "wire", "Item": item(id="cond"), "ConditionExpression": "attribute_exists(id)"}
    assert error(post(cluster, "PutItem", put)) == (
        400, DYNAMODB + "ConditionalCheckFailedException", "The conditional request failed",
    )  # fmt: skip
    get = {"TableName": "nowhere", "Key": item(id="a")}
    assert error(post(cluster, "GetItem", get)) == (
        400, DYNAMODB + "ResourceNotFoundException", "Requested resource not found",
    )  # fmt: skip


def test_expressions_are_checked_before_the_table(cluster):
    body = {"TableName": "nowhere", "Key": item(id="a"), "ProjectionExpression": "a b"}
    assert error(post(cluster, "GetItem", body))[1] == VALIDATION


# Many at once


def test_increments_of_one_counter_from_many_clients_are_all_counted(cluster, db):
    table = create(db, "id", name="counter", indexes=[index("by-n", "n:N")])
    writers, each = 16, 15

    def add(_):
        mine = tables.client(cluster, retries=10)
        done = 0
        for i in range(each):
            if i % 3:
                mine.update_item(
                    TableName=table, Key=item(id="a"), UpdateExpression="ADD n :x",
                    ExpressionAttributeValues=values(x=1),
                )  # fmt: skip
                done += 1
                continue
            old = mine.get_item(TableName=table, Key=item(id="a")).get("Item", item(n=0)).get("n", {"N": "0"})
            try:
                mine.update_item(
                    TableName=table, Key=item(id="a"), UpdateExpression="SET n = :new",
                    ConditionExpression="n = :old",
                    ExpressionAttributeValues={":new": {"N": str(int(old["N"]) + 1)}, ":old": old},
                )  # fmt: skip
                done += 1
            except mine.exceptions.ConditionalCheckFailedException:
                pass
        return done

    with ThreadPoolExecutor(writers) as pool:
        done = sum(pool.map(add, range(writers)))
    found = db.get_item(TableName=table, Key=item(id="a"))["Item"]
    assert int(found["n"]["N"]) == done
    assert every(db.scan, TableName=table, IndexName="by-n") == [found]


def test_writes_without_a_condition_to_one_item_all_succeed(cluster, db):
    table = create(db, "id", name="unconditional")

    def put(n):
        mine = tables.client(cluster)
        for i in range(10):
            mine.put_item(TableName=table, Item=item(id="a", n=n, i=i))
            mine.update_item(TableName=table, Key=item(id=f"new-{i}"), UpdateExpression="ADD n :x", ExpressionAttributeValues=values(x=1))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(put, range(12)))
    assert all(
        db.get_item(TableName=table, Key=item(id=f"new-{i}"))["Item"]["n"] == {"N": "12"} for i in range(10)
    )


def test_transactions_of_many_clients_keep_a_sum(cluster, db):
    table = create(db, "id", name="accounts")
    for i in range(4):
        db.put_item(TableName=table, Item=item(id=f"{i}", n=100))

    def move(k):
        mine = tables.client(cluster, retries=10)
        for i in range(8):
            a, b = f"{(k + i) % 4}", f"{(k + i + 1) % 4}"
            mine.transact_write_items(
                TransactItems=[
                    {
                        "Update": {
                            "TableName": table, "Key": item(id=key), "UpdateExpression": "SET n = n + :x",
                            "ExpressionAttributeValues": values(x=x),
                        }
                    }
                    for key, x in ((a, -1), (b, 1))
                ]
            )  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(move, range(8)))
    rows = db.scan(TableName=table)["Items"]
    assert sum(int(x["n"]["N"]) for x in rows) == 400


# Redis away


def test_without_redis_a_request_fails_with_an_exception_that_is_retried():
    with Cluster(edges=1, brokers=1, expect=["*"]) as cluster:
        db = tables.client(cluster)
        table = create(db, "id")
        db.put_item(TableName=table, Item=item(id="a"))
        import os
        import signal

        os.kill(cluster.process("redis")["pid"], signal.SIGKILL)
        with refused("ProvisionedThroughputExceededException"):
            for _ in range(100):
                db.put_item(TableName=table, Item=item(id="b"))
        patient = tables.client(cluster, retries=10)

        def is_back():
            try:
                return patient.list_tables()["TableNames"] is not None
            except patient.exceptions.ProvisionedThroughputExceededException:
                return False

        until(is_back, "the tables can be used again")
        if table not in db.list_tables()["TableNames"]:
            with refused("ResourceNotFoundException"):
                db.put_item(TableName=table, Item=item(id="c"))
            create(db, "id", name=table)
        db.put_item(TableName=table, Item=item(id="c"))
        assert db.get_item(TableName=table, Key=item(id="c"))["Item"] == item(id="c")
