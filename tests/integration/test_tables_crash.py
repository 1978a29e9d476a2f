"""Tables while brokers are killed: what was answered is done, once, and indexes agree with their tables."""

import contextlib
import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.parse
from collections import Counter

import pytest

from lib.cluster import Cluster, until
from lib.wire import WebSocket

NEEDS = ["functions"]  # tests/pick.py

CLIENTS = 50
DEATHS = ["broker-0", "broker-1", "broker-0", "broker-1"]
ANSWERS = 300  # of all clients, between two deaths
ROOMS = 5
EXPECT = ["process.exited", "link.down", "up.*", "health.*", "edge.expired", "broker.stopped"]
PATIENCE = 30


class Asker:
    """One client of the tables; it connects again when its broker has died."""

    def __init__(self, url):
        at = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(at.hostname, at.port, timeout=PATIENCE)

    def ask(self, operation, **body):
        """(status, answer); status 0: none came, and nobody knows what was done."""
        headers = {"Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Target": f"DynamoDB_20120810.{operation}"}  # fmt: skip
        try:
            self._connection.request("POST", "/", json.dumps(body), headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, {}

    def done(self, operation, **body):
        """The answer, for what may be asked again."""
        end = time.monotonic() + PATIENCE
        while (found := self.ask(operation, **body))[0] != 200:
            assert time.monotonic() < end, found
        return found[1]

    def all(self, operation, **body):
        """The items of all pages."""
        items = []
        while True:
            page = self.done(operation, **body)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            body["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def error(answer):
    return answer.get("__type", "").rpartition("#")[2]


def number(n):
    return {"N": str(n)}


COUNTER = {"TableName": "rows", "Key": {"id": {"S": "counter"}}}


class Incrementer(threading.Thread):
    """A client that adds to one of the counter's attributes, one increment at a time."""

    def __init__(self, url, me):
        super().__init__(daemon=True)
        self.asker, self.me = Asker(url), f"c{me}"
        self.over = threading.Event()
        self.answers = self.answered = self.unknown = self.moves = 0
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set():
                self.increment(self.answered + 1)
                self.answered += 1
                self._move()
        except Exception as e:  # noqa: BLE001 the test tells it
            self.failure = e

    def ask(self, operation, **body):
        status, answer = self.asker.ask(operation, **body)
        self.answers += status == 200
        return status, error(answer)

    def _move(self):
        """Its row goes into another room of the index."""
        self.moves += 1
        item = {"id": {"S": self.me}, "room": {"S": f"room-{self.moves % ROOMS}"}}
        if self.moves % ROOMS == 0:
            del item["room"]
        if self.moves % 2:
            self.asker.done("PutItem", TableName="rows", Item=item | {"at": number(self.moves)})
        elif "room" in item:
            self.asker.done("UpdateItem", TableName="rows", Key={"id": item["id"]},
                            UpdateExpression="SET room = :r", ExpressionAttributeValues={":r": item["room"]})
        else:
            self.asker.done("UpdateItem", TableName="rows", Key={"id": item["id"]},
                            UpdateExpression="REMOVE room")


class ByCondition(Incrementer):
    """
    Each increment leaves its number, under a condition that it is not there: an increment that is
    done already when it is asked again fails its condition. It must not the first time.
    """

    attribute = "conditions"

    def increment(self, n):
        asked = 0
        while True:
            status, why = self.ask(
                "UpdateItem", **COUNTER, UpdateExpression="SET conditions = conditions + :one, #me = :n",
                ConditionExpression="attribute_not_exists(#me) OR #me < :n",
                ExpressionAttributeNames={"#me": self.me},
                ExpressionAttributeValues={":one": number(1), ":n": number(n)},
            )  # fmt: skip
            if status == 200 or (asked and why == "ConditionalCheckFailedException"):
                return
            assert why != "ConditionalCheckFailedException", "a condition that is true has failed"
            asked += 1


class ByToken(Incrementer):
    """Each is a transaction with a token of its own, which is asked until it is answered."""

    attribute = "tokens"

    def increment(self, n):
        update = {**COUNTER, "UpdateExpression": "ADD tokens :one",
                  "ExpressionAttributeValues": {":one": number(1)}}  # fmt: skip
        while self.ask("TransactWriteItems", TransactItems=[{"Update": update}],
                       ClientRequestToken=f"{self.me}-{n}")[0] != 200:  # fmt: skip
            pass


class Plain(Incrementer):
    """Whether one that was not answered is done is not known; it is not asked again."""

    attribute = "plain"

    def increment(self, n):
        while self.ask("UpdateItem", **COUNTER, UpdateExpression="ADD plain :one",
                       ExpressionAttributeValues={":one": number(1)})[0] != 200:  # fmt: skip
            self.unknown += 1


KINDS = [ByCondition, ByToken, Plain]


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2, expect=EXPECT) as it:
        yield it


def make_table(asker):
    asker.done(
        "CreateTable", TableName="rows", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "room")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-room", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}],
        }],
    )  # fmt: skip
    zeros = {kind.attribute: number(0) for kind in KINDS}
    asker.done("PutItem", TableName="rows", Item={"id": {"S": "counter"}, **zeros})


def kill(cluster, name, meanwhile=lambda: None):
    """Until it is started again."""
    pid = cluster.process(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    meanwhile()
    until(lambda: cluster.process(name)["pid"] != pid, f"{name} is started again")


def play(cluster, clients):
    """Kill brokers in turn, each after some answers."""
    for name in DEATHS:
        before = answers(clients)
        until(lambda b=before: answers(clients) >= b + ANSWERS or failures(clients), "more answers")
        kill(cluster, name)
    before = answers(clients)
    until(lambda: answers(clients) >= before + ANSWERS or failures(clients), "answers after all")
    for client in clients:
        client.over.set()
    for client in clients:
        client.join(PATIENCE)
        assert not client.is_alive()


def answers(clients):
    return sum(client.answers for client in clients)


def failures(clients):
    return [client.failure for client in clients if client.failure]


def test_no_increment_is_lost_or_done_twice_and_indexes_agree(cluster):
    asker = Asker(cluster.management)
    make_table(asker)
    clients = [KINDS[i % len(KINDS)](cluster.management, i) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    play(cluster, clients)
    assert failures(clients) == []

    counter = asker.done("GetItem", **COUNTER)["Item"]
    for kind in KINDS:
        of_kind = [client for client in clients if isinstance(client, kind)]
        answered = sum(client.answered for client in of_kind)
        unknown = sum(client.unknown for client in of_kind)
        assert unknown <= len(DEATHS) * len(of_kind)
        assert answered <= int(counter[kind.attribute]["N"]) <= answered + unknown, kind
    for client in clients:
        assert isinstance(client, ByCondition) == (client.me in counter)
    rows = asker.all("Scan", TableName="rows")
    assert len(rows) == 1 + sum(client.moves > 0 for client in clients)
    check_index(asker, rows)


def check_index(asker, rows):
    """Scans and Queries of the index have the rows of the table that have its key, as they are."""
    expected = as_texts(row for row in rows if "room" in row)
    assert as_texts(asker.all("Scan", TableName="rows", IndexName="by-room")) == expected
    found = Counter()
    for room in range(ROOMS):
        found += as_texts(asker.all(
            "Query", TableName="rows", IndexName="by-room", KeyConditionExpression="room = :r",
            ExpressionAttributeValues={":r": {"S": f"room-{room}"}},
        ))  # fmt: skip
    assert found == expected


def as_texts(items):
    return Counter(json.dumps(item, sort_keys=True) for item in items)


# The rows of a handler

PROJECT = """
service: rows
provider: { runtime: python3.11 }
functions:
  manager:
    handler: handler.manager
    events: [ { websocket: $connect }, { websocket: $disconnect } ]
resources:
  Resources:
    Rows: { Type: AWS::Serverless::SimpleTable, Properties: { TableName: connections } }
"""

HANDLER = """
import boto3

table = boto3.resource("dynamodb").Table("connections")


def manager(event, context):
    key = {"id": event["requestContext"]["connectionId"]}
    if event["requestContext"]["eventType"] == "CONNECT":
        table.put_item(Item=key)
    else:
        table.delete_item(Key=key)
    return {"statusCode": 200}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "serverless.yml").write_text(PROJECT)
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def close(clients):
    for client in clients:
        client.socket.close()


def test_rows_of_a_handler_are_right_after_a_broker_died_between_connect_and_disconnect(project):
    with Cluster(edges=1, brokers=2, cwd=project, expect=[*EXPECT, "runtime.*", "function.*"]) as it:
        asker = Asker(it.management)

        def rows():
            return {row["id"]["S"] for row in asker.all("Scan", TableName="connections")}

        with contextlib.ExitStack() as stay:
            for _ in range(3):
                stay.enter_context(WebSocket(it.websocket))
            staying = rows()
            leaving = [WebSocket(it.websocket) for _ in range(10)]
            assert rows() == set(it.table()) and len(rows()) == 13
            kill(it, "broker-0", meanwhile=lambda: close(leaving[:5]))
            close(leaving[5:])
            until(lambda: rows() == staying, "only those who stay have rows")
        until(lambda: rows() == set(), "nobody has a row")
