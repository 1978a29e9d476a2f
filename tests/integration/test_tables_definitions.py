"""Tables themselves: CreateTable, DescribeTable, ListTables, DeleteTable, UpdateTable, TTL (section 5)."""

import time

import pytest

from lib import tables
from lib.cluster import Cluster, until
from lib.tables import create, every, index, item, keys, refused, types, values


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2) as it:
        yield it


@pytest.fixture(scope="module")
def db(cluster):
    return tables.client(cluster)


# CreateTable, DescribeTable


def test_a_table_is_described_as_it_was_made(db):
    name = create(
        db, "room", "pos:N",
        indexes=[index("by-user", "user", "pos:N", projection="INCLUDE", include=["color"])],
        local=[index("by-size", "room", "size:N", projection="KEYS_ONLY")],
    )  # fmt: skip
    for i in range(5):
        db.put_item(TableName=name, Item=item(room="a", pos=i, user="u"))
    table = db.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["KeySchema"] == keys("room", "pos")
    assert sorted(d["AttributeName"] for d in table["AttributeDefinitions"]) == ["pos", "room", "size", "user"]
    assert table["ItemCount"] == 5
    assert table["TableSizeBytes"] > 0
    assert table["TableArn"].endswith(f":table/{name}")
    assert table["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    (by_user,) = table["GlobalSecondaryIndexes"]
    assert by_user["IndexStatus"] == "ACTIVE"
    assert by_user["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["color"]}
    assert by_user["IndexArn"] == table["TableArn"] + "/index/by-user"
    assert by_user["ItemCount"] == 5
    (by_size,) = table["LocalSecondaryIndexes"]
    assert by_size["KeySchema"] == keys("room", "size")
    assert by_size["ItemCount"] == 0
    assert db.describe_table(TableName=name)["Table"]["TableId"] == table["TableId"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"TableName": "ab"}, "Member must have length greater than or equal to 3"),
        ({"TableName": "a b c"}, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ({"KeySchema": None}, "Value null at 'keySchema' failed to satisfy constraint: Member must not be null"),
        ({"AttributeDefinitions": types("id", "other")}, "does not exactly match number of attributes defined in AttributeDefinitions"),
        ({"AttributeDefinitions": types("other")}, "Some index key attributes are not defined in AttributeDefinitions. Keys: [id]"),
        ({"KeySchema": keys("id", "id")}, "have the same name"),
        ({"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "BOOL"}]}, "satisfy enum value set: [S, N, B]"),
        ({"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}, "StreamSpecification is not supported"),
        ({"GlobalSecondaryIndexes": []}, "List of GlobalSecondaryIndexes is empty"),
        ({"GlobalSecondaryIndexes": [{"IndexName": "one", "KeySchema": keys("id"), "Projection": {"ProjectionType": "INCLUDE"}}]}, "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
        ({"GlobalSecondaryIndexes": [{"IndexName": "one", "KeySchema": keys("id"), "Projection": {"ProjectionType": "ALL", "NonKeyAttributes": ["x"]}}]}, "ProjectionType is ALL, but NonKeyAttributes is specified"),
        ({"GlobalSecondaryIndexes": [{"IndexName": "one", "KeySchema": keys("id"), "Projection": {"ProjectionType": "ALL"}}] * 2}, "Duplicate index name: one"),
        ({"LocalSecondaryIndexes": [{"IndexName": "one", "KeySchema": keys("id"), "Projection": {"ProjectionType": "ALL"}}]}, "Table KeySchema does not have a range key"),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_refused(db, changes, text):
    right = {"TableName": "wrong-one", "KeySchema": keys("id"), "AttributeDefinitions": types("id"), "BillingMode": "PAY_PER_REQUEST"}
    with refused("ValidationException", text):
        db.create_table(**{k: v for k, v in {**right, **changes}.items() if v is not None})


def test_a_table_is_made_once(db):
    name = create(db, "id", Tags=[{"Key": "a", "Value": "b"}])
    with refused("ResourceInUseException", f"Table already exists: {name}"):
        create(db, "id", name=name)


def test_waiters_find_a_table_and_its_absence(db):
    name = create(db, "id")
    db.get_waiter("table_exists").wait(TableName=name)
    assert db.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    db.get_waiter("table_not_exists").wait(TableName=name)


def test_a_table_that_is_made_again_is_new_and_empty(db):
    name = create(db, "id")
    first = db.describe_table(TableName=name)["Table"]["TableId"]
    db.put_item(TableName=name, Item=item(id="a"))
    db.delete_table(TableName=name)
    create(db, "id", "pos:N", name=name)
    assert db.describe_table(TableName=name)["Table"]["TableId"] != first
    assert db.scan(TableName=name)["Items"] == []
    db.put_item(TableName=name, Item=item(id="a", pos=1))
    assert db.scan(TableName=name)["Count"] == 1


def test_other_brokers_know_at_once_that_a_table_was_deleted_and_made_again(cluster):
    """Each client is on a broker of its own: the connection's."""
    clients = [tables.client(cluster) for _ in range(6)]
    name = create(clients[0], "id")
    for n, db in enumerate(clients):
        db.put_item(TableName=name, Item=item(id=f"{n}"))
    clients[0].delete_table(TableName=name)
    for db in clients:
        with refused("ResourceNotFoundException"):
            db.put_item(TableName=name, Item=item(id="late"))
        with refused("ResourceNotFoundException"):
            db.scan(TableName=name)
    create(clients[1], "id", "pos:N", name=name)
    for n, db in enumerate(clients):
        db.put_item(TableName=name, Item=item(id="a", pos=n))
        assert db.scan(TableName=name)["Count"] == n + 1


def test_nothing_of_a_deleted_table_stays_in_redis(cluster, db):
    with cluster.redis() as redis:
        before = {key for key in redis.scan_iter("*") if b"{t}" not in key}
        name = create(db, "id", indexes=[index("by-room", "room")])
        for i in range(30):
            db.put_item(TableName=name, Item=item(id=f"{i}", room="a"))
        db.delete_table(TableName=name)
        until(
            lambda: {key for key in redis.scan_iter("*:items")} <= before
            and not [key for key in redis.scan_iter("*:index:*") if key not in before],
            "its keys are gone",
        )


def test_tables_are_listed_by_name_page_by_page(db):
    made = sorted(create(db, "id", name=f"listed-{i}") for i in range(5))
    first = db.list_tables(ExclusiveStartTableName="listed", Limit=2)
    assert first == {**first, "TableNames": made[:2], "LastEvaluatedTableName": made[1]}
    pages = db.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 3})
    names = [name for page in pages for name in page["TableNames"]]
    assert names == sorted(names)
    assert set(made) <= set(names)
    with refused("ValidationException", "Member must have value less than or equal to 100"):
        db.list_tables(Limit=101)


# UpdateTable


def add_index(db, table, made, *named):
    db.update_table(
        TableName=table, AttributeDefinitions=types(*named),
        GlobalSecondaryIndexUpdates=[{"Create": made}],
    )  # fmt: skip


def state(db, table, name):
    found = db.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
    return {x["IndexName"]: x["IndexStatus"] for x in found}.get(name)


def test_an_index_that_is_added_has_the_items_that_were_there(db):
    table = create(db, "id")
    for i in range(150):
        extra = {"room": "a"} if i % 3 else {}
        db.put_item(TableName=table, Item=item(id=f"{i}", **extra))
    db.put_item(TableName=table, Item=item(id="other", room=5))  # not of the index's type
    made, key = index("by-room", "room")
    add_index(db, table, made, "id", *key)
    until(lambda: state(db, table, "by-room") == "ACTIVE", "the index is filled")
    found = every(
        db.query, TableName=table, IndexName="by-room", KeyConditionExpression="room = :r",
        ExpressionAttributeValues=values(r="a"),
    )  # fmt: skip
    assert sorted(int(x["id"]["S"]) for x in found) == [i for i in range(150) if i % 3]
    db.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-room"}}])
    assert state(db, table, "by-room") is None
    with refused("ValidationException", "The table does not have the specified index: by-room"):
        db.query(TableName=table, IndexName="by-room", KeyConditionExpression="room = :r", ExpressionAttributeValues=values(r="a"))
    add_index(db, table, made, "id", *key)
    until(lambda: state(db, table, "by-room") == "ACTIVE", "the index is filled again")
    assert len(every(db.scan, TableName=table, IndexName="by-room")) == 100


def test_wrong_changes_of_a_table_are_refused(db):
    table = create(db, "id")
    made, key = index("by-room", "room")
    with refused("ResourceNotFoundException"):
        db.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "none"}}])
    with refused("LimitExceededException"):
        db.update_table(
            TableName=table, AttributeDefinitions=types("id", *key),
            GlobalSecondaryIndexUpdates=[{"Create": made}, {"Create": {**made, "IndexName": "two"}}],
        )  # fmt: skip
    with refused("ValidationException", "StreamSpecification is not supported"):
        db.update_table(TableName=table, StreamSpecification={"StreamEnabled": True})
    db.update_table(TableName=table, DeletionProtectionEnabled=True)
    with refused("ValidationException", "protected against deletion"):
        db.delete_table(TableName=table)


# TTL


def set_ttl(db, table, enabled=True, attribute="expires"):
    return db.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute}
    )


def ttl(db, table):
    return db.describe_time_to_live(TableName=table)["TimeToLiveDescription"]


def test_ttl_is_enabled_and_disabled_once(db):
    table = create(db, "id")
    assert ttl(db, table) == {"TimeToLiveStatus": "DISABLED"}
    with refused("ValidationException", "TimeToLive is already disabled"):
        set_ttl(db, table, enabled=False)
    answer = set_ttl(db, table)
    assert answer["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "expires"}
    until(lambda: ttl(db, table) == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}, "it is enabled")
    with refused("ValidationException", "TimeToLive is already enabled"):
        set_ttl(db, table)
    with refused("ValidationException", "TimeToLive is active on a different AttributeName: current AttributeName is expires"):
        set_ttl(db, table, enabled=False, attribute="other")
    set_ttl(db, table, enabled=False)
    assert ttl(db, table) == {"TimeToLiveStatus": "DISABLED"}


def test_an_expired_item_is_hidden_at_once_and_removed_soon(cluster, db):
    table = create(db, "id", indexes=[index("by-room", "room")])
    now = int(time.time())
    db.put_item(TableName=table, Item=item(id="old", room="a", expires=now - 60))  # before TTL
    db.put_item(TableName=table, Item=item(id="ancient", room="a", expires=now - 6 * 366 * 86400))
    db.put_item(TableName=table, Item=item(id="text", room="a", expires=f"{now - 60}"))
    set_ttl(db, table)
    until(lambda: ttl(db, table)["TimeToLiveStatus"] == "ENABLED", "it is enabled")
    db.put_item(TableName=table, Item=item(id="later", room="a", expires=now + 3600))
    db.put_item(TableName=table, Item=item(id="past", room="a", expires=now - 5))
    seen = {"ancient", "text", "later"}

    def found(items):
        return {x["id"]["S"] for x in items}

    assert "Item" not in db.get_item(TableName=table, Key=item(id="past"))
    assert found(db.scan(TableName=table)["Items"]) == seen
    by_room = {
        "TableName": table, "IndexName": "by-room", "KeyConditionExpression": "room = :r",
        "ExpressionAttributeValues": values(r="a"),
    }  # fmt: skip
    assert found(db.query(**by_room)["Items"]) == seen
    db.put_item(TableName=table, Item=item(id="past", n=1, expires=now - 5), ConditionExpression="attribute_not_exists(id)")
    with cluster.redis() as redis:
        until(lambda: db.describe_table(TableName=table)["Table"]["ItemCount"] == 3, "expired items are removed")
        sizes = [redis.zcard(key) for key in redis.scan_iter("*:index:0")]
        assert sum(sizes) >= 3
    shown = db.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"][0]["ItemCount"]
    assert shown == 3
    db.update_item(
        TableName=table, Key=item(id="later"), UpdateExpression="SET expires = :x",
        ExpressionAttributeValues=values(x=now - 1),
    )  # fmt: skip
    until(lambda: db.describe_table(TableName=table)["Table"]["ItemCount"] == 2, "it is removed as well")
    total = sum(
        v for b in ("broker-0", "broker-1")
        for name, v in cluster.metrics(b).items() if name == "gatepost_broker_tables_expired_total"
    )  # fmt: skip
    assert total >= 3
