"""Operations on items: section 5 of the specification, and the texts of section 3, with boto3's client."""

import pytest

from lib import tables
from lib.cluster import Cluster, until
from lib.tables import create, every, index, item, refused, value, values


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2) as it:
        yield it


@pytest.fixture(scope="module")
def db(cluster):
    return tables.client(cluster)


@pytest.fixture
def table(db):
    """Partition key id."""
    return create(db, "id")


@pytest.fixture
def sorted_table(db):
    """Partition key room, sort key pos, a number."""
    return create(db, "room", "pos:N")


# PutItem


def test_an_item_that_was_put_is_read_as_it_was(db, table):
    whole = item(id="a", n=5, flag=True, nothing=None, list=["x", 1], map={"a": {"b": 1}}, set={"x", "y"})
    whole["bytes"] = {"B": b"\x00\xff"}
    assert db.put_item(TableName=table, Item=whole)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == whole


def test_a_put_replaces_the_whole_item_and_returns_the_old_one(db, table):
    assert "Attributes" not in db.put_item(TableName=table, Item=item(id="a", n=1), ReturnValues="ALL_OLD")
    answer = db.put_item(TableName=table, Item=item(id="a", m=2), ReturnValues="ALL_OLD")
    assert answer["Attributes"] == item(id="a", n=1)
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", m=2)


def test_numbers_are_canonical(db, table):
    db.put_item(TableName=table, Item={"id": value("a"), "n": {"N": "001.500E2"}, "l": {"L": [{"N": "+5."}]}})
    found = db.get_item(TableName=table, Key=item(id="a"))["Item"]
    assert found["n"] == {"N": "150"}
    assert found["l"] == {"L": [{"N": "5"}]}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (item(x="a"), "One or more parameter values were invalid: Missing the key id in the item"),
        (item(id=5), "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N"),
        (
            item(id=""),
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: id",
        ),
        (item(id="a", big="x" * 409600), "Item size has exceeded the maximum allowed size"),
        ({"id": value("a"), "n": {"N": "x"}}, "The parameter cannot be converted to a numeric value: x"),
        ({"id": value("a"), "n": {"N": "1e200"}}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ({"id": value("a"), "n": {"N": "1" * 39}}, "Attempting to store more than 38 significant digits in a Number"),
        (item(id="x" * 2049), "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ],
    ids=lambda x: x[:40] if isinstance(x, str) else "",
)
def test_a_wrong_item_is_refused(db, table, wrong, text):
    with refused("ValidationException", text):
        db.put_item(TableName=table, Item=wrong)


def test_a_put_takes_only_some_return_values(db, table):
    with refused("ValidationException", "ReturnValues can only be ALL_OLD or NONE"):
        db.put_item(TableName=table, Item=item(id="a"), ReturnValues="ALL_NEW")


def test_a_false_condition_writes_nothing_and_may_return_the_item(db, table):
    db.put_item(TableName=table, Item=item(id="a", n=1))
    with refused("ConditionalCheckFailedException", "The conditional request failed"):
        db.put_item(TableName=table, Item=item(id="a"), ConditionExpression="attribute_not_exists(id)")
    with pytest.raises(db.exceptions.ConditionalCheckFailedException) as failed:
        db.put_item(
            TableName=table, Item=item(id="a"), ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )  # fmt: skip
    assert failed.value.response["Item"] == item(id="a", n=1)
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", n=1)


def test_a_condition_on_an_absent_item_sees_no_attribute(db, table):
    db.put_item(TableName=table, Item=item(id="a"), ConditionExpression="attribute_not_exists(id)")
    with refused("ConditionalCheckFailedException"):
        db.delete_item(TableName=table, Key=item(id="b"), ConditionExpression="attribute_exists(id)")


# GetItem


def test_nothing_is_found_where_nothing_is(db, table):
    assert "Item" not in db.get_item(TableName=table, Key=item(id="none"))


def test_a_projection_returns_its_paths_and_an_empty_item_when_there_are_none(db, table):
    db.put_item(TableName=table, Item=item(id="a", l=[1, 2, 3], m={"x": 1, "y": 2}))
    found = db.get_item(TableName=table, Key=item(id="a"), ProjectionExpression="l[2], m.x, l[0]")["Item"]
    assert found == item(l=[1, 3], m={"x": 1})
    assert db.get_item(TableName=table, Key=item(id="a"), ProjectionExpression="q")["Item"] == {}
    assert db.get_item(TableName=table, Key=item(id="a"), AttributesToGet=["id"])["Item"] == item(id="a")


@pytest.mark.parametrize("key", [item(x="a"), item(id="a", x="b"), item(id=5), {}], ids=str)
def test_a_wrong_key_is_refused_by_every_operation(db, table, key):
    text = "The provided key element does not match the schema"
    for call in (db.get_item, db.delete_item, db.update_item):
        with refused("ValidationException", text):
            call(TableName=table, Key=key)
    with refused("ValidationException", text):
        db.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}}]})
    with refused("ValidationException", text):
        db.batch_get_item(RequestItems={table: {"Keys": [key]}})


def test_an_unknown_table_is_not_found(db):
    for call in (db.get_item, db.delete_item, db.update_item):
        with refused("ResourceNotFoundException", "Requested resource not found"):
            call(TableName="nowhere", Key=item(id="a"))
    with refused("ResourceNotFoundException", "Requested resource not found: Table: nowhere not found"):
        db.describe_table(TableName="nowhere")
    with refused("ResourceNotFoundException", "Requested resource not found: Table: nowhere not found"):
        db.delete_table(TableName="nowhere")


def test_a_table_may_be_named_by_its_arn(db, table):
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    db.put_item(TableName=arn, Item=item(id="a"))
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a")


# UpdateItem


def update(db, table, expression, returns="ALL_NEW", id="a", **more):
    if more.get("ExpressionAttributeValues") == {}:
        del more["ExpressionAttributeValues"]
    return db.update_item(
        TableName=table, Key=item(id=id), UpdateExpression=expression, ReturnValues=returns, **more
    ).get("Attributes")


def test_an_update_creates_the_item(db, table):
    db.update_item(TableName=table, Key=item(id="bare"))
    assert db.get_item(TableName=table, Key=item(id="bare"))["Item"] == item(id="bare")
    new = update(db, table, "SET n = :n", "UPDATED_NEW", ExpressionAttributeValues=values(n=1))
    assert new == item(n=1)


def test_return_values_of_an_update(db, table):
    db.put_item(TableName=table, Item=item(id="a", n=1, m={"x": 1, "y": 2}))
    one = {"ExpressionAttributeValues": values(one=1)}
    assert update(db, table, "SET m.x = m.x + :one", "UPDATED_OLD", **one) == item(m={"x": 1})
    assert update(db, table, "SET m.x = m.x + :one", "UPDATED_NEW", **one) == item(m={"x": 3})
    assert update(db, table, "ADD n :one", "ALL_OLD", **one) == item(id="a", n=1, m={"x": 3, "y": 2})
    assert update(db, table, "ADD n :one", "ALL_NEW", **one) == item(id="a", n=3, m={"x": 3, "y": 2})
    assert update(db, table, "ADD n :one", "NONE", **one) is None
    assert update(db, table, "REMOVE n", "UPDATED_NEW") is None


@pytest.mark.parametrize(
    ("expression", "given", "text"),
    [
        ("SET id = :v", {"v": "b"}, "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"),
        ("SET a.b.c = :v", {"v": "b"}, "The document path provided in the update expression is invalid for update"),
        ("SET x = absent + :v", {"v": 1}, "The provided expression refers to an attribute that does not exist in the item"),
        ("SET x = s + :v", {"v": 1}, "An operand in the update expression has an incorrect data type"),
        ("SET status = :v", {"v": 1}, "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status"),
        ("SET x = :w", {"v": 1}, "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w"),
        ("SET #q = :v", {"v": 1}, "An expression attribute name used in the document path is not defined; attribute name: #q"),
        ("SET x = :v, x = :v", {"v": 1}, "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x]"),
        ("SET x = :v", {"v": 1, "w": 2}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"),
        ("SET x :v", {"v": 1}, 'Invalid UpdateExpression: Syntax error; token: ":v", near: "x :v"'),
        ("SET big = :v", {"v": "x" * 409600}, "Item size to update has exceeded the maximum allowed size"),
        ("", {"v": 1}, "Invalid UpdateExpression: The expression can not be empty;"),
    ],
)
def test_a_wrong_update_is_refused(db, table, expression, given, text):
    db.put_item(TableName=table, Item=item(id="a", s="text"))
    with refused("ValidationException", text):
        update(db, table, expression, ExpressionAttributeValues=values(**given))


def test_legacy_and_expressions_do_not_mix(db, table):
    with refused("ValidationException", "Can not use both expression and non-expression parameters in the same request"):
        db.update_item(
            TableName=table, Key=item(id="a"), UpdateExpression="REMOVE x",
            Expected={"x": {"Exists": False}},
        )  # fmt: skip


def test_parameters_from_before_expressions(db, table):
    db.update_item(TableName=table, Key=item(id="a"), AttributeUpdates={"n": {"Action": "PUT", "Value": value(1)}})
    db.update_item(
        TableName=table, Key=item(id="a"), AttributeUpdates={"n": {"Action": "ADD", "Value": value(2)}},
        Expected={"n": {"Value": value(1)}},
    )  # fmt: skip
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", n=3)
    with refused("ConditionalCheckFailedException"):
        db.delete_item(TableName=table, Key=item(id="a"), Expected={"n": {"Value": value(1)}})
    db.update_item(TableName=table, Key=item(id="none"), AttributeUpdates={"n": {"Action": "DELETE"}})
    assert "Item" not in db.get_item(TableName=table, Key=item(id="none"))
    found = db.scan(TableName=table, ScanFilter={"n": {"ComparisonOperator": "GT", "AttributeValueList": [value(2)]}})
    assert found["Items"] == [item(id="a", n=3)]


# DeleteItem


def test_delete_of_nothing_succeeds_and_of_something_returns_it(db, table):
    assert "Attributes" not in db.delete_item(TableName=table, Key=item(id="a"), ReturnValues="ALL_OLD")
    db.put_item(TableName=table, Item=item(id="a", n=1))
    assert db.delete_item(TableName=table, Key=item(id="a"), ReturnValues="ALL_OLD")["Attributes"] == item(id="a", n=1)
    assert "Item" not in db.get_item(TableName=table, Key=item(id="a"))
    db.put_item(TableName=table, Item=item(id="b"))
    db.delete_item(TableName=table, Key=item(id="b"))
    assert db.scan(TableName=table)["Count"] == 0


# Scan


def fill(db, table, n):
    for start in range(0, n, 25):
        db.batch_write_item(
            RequestItems={
                table: [
                    {"PutRequest": {"Item": item(id=f"k{i}", n=i)}}
                    for i in range(start, min(n, start + 25))
                ]
            }
        )


def test_a_scan_reads_each_item_once_page_by_page_and_always_in_the_same_order(db, table):
    fill(db, table, 60)
    whole = db.scan(TableName=table)
    assert whole["Count"] == whole["ScannedCount"] == 60
    assert "LastEvaluatedKey" not in whole
    paged = every(db.scan, TableName=table, Limit=7)
    assert paged == whole["Items"]
    assert sorted(int(x["n"]["N"]) for x in paged) == list(range(60))


def test_limit_counts_before_the_filter_and_a_page_may_be_empty(db, table):
    fill(db, table, 20)
    answer = db.scan(
        TableName=table, Limit=5, FilterExpression="n < :x", ExpressionAttributeValues=values(x=0)
    )
    assert (answer["Count"], answer["ScannedCount"], answer["Items"]) == (0, 5, [])
    assert set(answer["LastEvaluatedKey"]) == {"id"}
    found = every(db.scan, TableName=table, Limit=3, FilterExpression="n >= :x", ExpressionAttributeValues=values(x=15))
    assert len(found) == 5


def test_a_page_that_ends_exactly_at_the_end_names_a_next_one(db, table):
    fill(db, table, 4)
    answer = db.scan(TableName=table, Limit=4)
    assert "LastEvaluatedKey" in answer
    last = db.scan(TableName=table, Limit=4, ExclusiveStartKey=answer["LastEvaluatedKey"])
    assert last["Items"] == []
    assert "LastEvaluatedKey" not in last


def test_a_start_key_need_not_exist_any_more(db, table):
    fill(db, table, 10)
    first = db.scan(TableName=table, Limit=4)
    db.delete_item(TableName=table, Key=first["LastEvaluatedKey"])
    rest = db.scan(TableName=table, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert rest["Count"] == 6


def test_segments_are_disjoint_and_complete(db, table):
    fill(db, table, 60)
    parts = [every(db.scan, TableName=table, Segment=i, TotalSegments=7, Limit=4) for i in range(7)]
    assert sorted(int(x["n"]["N"]) for part in parts for x in part) == list(range(60))
    assert sum(1 for part in parts if part) > 3
    with refused("ValidationException", "The TotalSegments parameter is required"):
        db.scan(TableName=table, Segment=0)
    with refused("ValidationException", "The Segment parameter is required"):
        db.scan(TableName=table, TotalSegments=2)
    with refused("ValidationException", "must be less than parameter TotalSegments"):
        db.scan(TableName=table, Segment=2, TotalSegments=2)


def test_pages_end_at_1_mb(db, table):
    for i in range(5):
        db.put_item(TableName=table, Item=item(id=f"k{i}", big="x" * 300000))
    answer = db.scan(TableName=table)
    assert answer["Count"] == 4
    assert len(every(db.scan, TableName=table)) == 5


def test_select(db, table):
    fill(db, table, 3)
    counted = db.scan(TableName=table, Select="COUNT")
    assert counted["Count"] == 3
    assert "Items" not in counted
    for parameters, text in [
        ({"Select": "SPECIFIC_ATTRIBUTES"}, "Must specify the AttributesToGet or ProjectionExpression"),
        ({"Select": "ALL_PROJECTED_ATTRIBUTES"}, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"),
        ({"Select": "COUNT", "ProjectionExpression": "n"}, "Cannot specify the ProjectionExpression when choosing to get COUNT"),
        ({"Limit": 0}, "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        ({"ExclusiveStartKey": item(x="a")}, "The provided starting key is invalid: The provided key element does not match the schema"),
        ({"IndexName": "none"}, "The table does not have the specified index: none"),
    ]:
        with refused("ValidationException", text):
            db.scan(TableName=table, **parameters)


# Query


@pytest.fixture
def room(db, sorted_table):
    for pos in (-15, -15.3, 0, 1, 2, 10, 100):
        db.put_item(TableName=sorted_table, Item=item(room="a", pos=pos))
    db.put_item(TableName=sorted_table, Item=item(room="b", pos=1))
    return sorted_table


def ask(db, table, condition, **more):
    given = {k: more.pop(k) for k in list(more) if k[0].islower()}
    found = every(
        db.query, TableName=table, KeyConditionExpression=condition,
        ExpressionAttributeValues=values(a="a", **given), **more,
    )  # fmt: skip
    return [float(x["pos"]["N"]) for x in found]


@pytest.mark.parametrize(
    ("condition", "given", "want"),
    [
        ("room = :a", {}, [-15.3, -15, 0, 1, 2, 10, 100]),
        ("room = :a AND pos = :x", {"x": 2}, [2]),
        ("room = :a AND pos < :x", {"x": 1}, [-15.3, -15, 0]),
        ("room = :a AND pos <= :x", {"x": 1}, [-15.3, -15, 0, 1]),
        ("room = :a AND pos > :x", {"x": 1}, [2, 10, 100]),
        (":x <= pos AND room = :a", {"x": 2}, [2, 10, 100]),
        ("room = :a AND pos BETWEEN :x AND :y", {"x": -15, "y": 1}, [-15, 0, 1]),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_query_reads_a_range_of_the_sort_key_in_order(db, room, condition, given, want, limit):
    assert ask(db, room, condition, Limit=limit, **given) == want
    assert ask(db, room, condition, Limit=limit, ScanIndexForward=False, **given) == want[::-1]


def test_begins_with_on_a_sort_key(db):
    table = create(db, "room", "name")
    for name in ("ab", "abc", "abd", "ac", "b"):
        db.put_item(TableName=table, Item=item(room="a", name=name))
    found = db.query(
        TableName=table, KeyConditionExpression="room = :a AND begins_with(#n, :p)",
        ExpressionAttributeNames={"#n": "name"}, ExpressionAttributeValues=values(a="a", p="ab"),
    )  # fmt: skip
    assert [x["name"]["S"] for x in found["Items"]] == ["ab", "abc", "abd"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"KeyConditionExpression": "pos = :x"}, "Query condition missed key schema element: room"),
        ({"KeyConditionExpression": "room = :a OR pos = :x"}, "Invalid operator used in KeyConditionExpression: OR"),
        ({"KeyConditionExpression": "room < :a AND pos = :x"}, "Query key condition not supported"),
        ({"KeyConditionExpression": "room = :a", "FilterExpression": "pos = :x"}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: pos"),
        ({"KeyConditionExpression": "room = :a AND pos = :x", "ExclusiveStartKey": item(room="a")}, "The provided starting key is invalid"),
        ({"KeyConditionExpression": "room = :a AND pos < :x", "ExclusiveStartKey": item(room="b", pos=1)}, "The provided starting key is outside query boundaries based on provided condition"),
        ({"KeyConditionExpression": "room = :a AND pos < :x", "ExclusiveStartKey": item(room="a", pos=7)}, "The provided starting key does not match the range key predicate"),
        ({"KeyConditionExpression": "((room = :a)) AND pos = :x"}, "redundant parentheses"),
    ],
)
def test_a_wrong_query_is_refused(db, room, parameters, text):
    given = {name: v for name, v in values(a="a", x=1).items() if name in str(parameters)}
    with refused("ValidationException", text):
        db.query(TableName=room, ExpressionAttributeValues=given, **parameters)


def test_a_query_needs_a_condition_and_takes_the_one_from_before_expressions(db, room):
    with refused("ValidationException", "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."):
        db.query(TableName=room)
    found = db.query(
        TableName=room,
        KeyConditions={
            "room": {"ComparisonOperator": "EQ", "AttributeValueList": [value("a")]},
            "pos": {"ComparisonOperator": "GT", "AttributeValueList": [value(5)]},
        },
    )
    assert [x["pos"]["N"] for x in found["Items"]] == ["10", "100"]


# Indexes


@pytest.fixture
def people(db):
    """Key id; a global index by room and pos, one of keys alone, one with an attribute."""
    return create(
        db, "id",
        indexes=[
            index("by-room", "room", "pos:N"),
            index("keys", "room", projection="KEYS_ONLY"),
            index("some", "room", projection="INCLUDE", include=["color"]),
        ],
    )  # fmt: skip


def in_room(db, table, room="a", name="by-room", **more):
    return every(
        db.query, TableName=table, IndexName=name, KeyConditionExpression="room = :r",
        ExpressionAttributeValues=values(r=room), **more,
    )  # fmt: skip


def ids(found):
    return [x["id"]["S"] for x in found]


def test_an_index_follows_every_write(db, people):
    def put(**attributes):
        db.put_item(TableName=people, Item=item(**attributes))

    put(id="1", room="a", pos=2)
    put(id="2", room="a", pos=1)
    put(id="3", room="b", pos=1)
    put(id="4", room="a")  # no sort key: it is not in the index
    assert ids(in_room(db, people)) == ["2", "1"]
    put(id="1", room="b", pos=5)  # over an existing item
    assert ids(in_room(db, people)) == ["2"]
    assert ids(in_room(db, people, "b")) == ["3", "1"]
    for room in ("b", "a", "b"):  # to the same value, away and back
        db.update_item(
            TableName=people, Key=item(id="1"), UpdateExpression="SET room = :r",
            ExpressionAttributeValues=values(r=room),
        )  # fmt: skip
    assert ids(in_room(db, people)) == ["2"]
    assert ids(in_room(db, people, "b")) == ["3", "1"]
    db.update_item(TableName=people, Key=item(id="1"), UpdateExpression="REMOVE #a", ExpressionAttributeNames={"#a": "pos"})
    assert ids(in_room(db, people, "b")) == ["3"]
    db.delete_item(TableName=people, Key=item(id="2"))
    assert ids(in_room(db, people)) == []
    assert sorted(ids(in_room(db, people, "a", "keys"))) == ["4"]


def test_pages_of_an_index_with_equal_keys_lose_and_repeat_nothing(db, people):
    for i in range(40):
        db.put_item(TableName=people, Item=item(id=f"{i}", room="a", pos=i // 10))
    for forward in (True, False):
        found = in_room(db, people, Limit=3, ScanIndexForward=forward)
        assert sorted(map(int, ids(found))) == list(range(40))
        order = [int(x["pos"]["N"]) for x in found]
        assert order == sorted(order, reverse=not forward)
    answer = db.query(
        TableName=people, IndexName="by-room", KeyConditionExpression="room = :r", Limit=3,
        ExpressionAttributeValues=values(r="a"),
    )  # fmt: skip
    assert set(answer["LastEvaluatedKey"]) == {"id", "room", "pos"}
    assert sorted(map(int, ids(every(db.scan, TableName=people, IndexName="by-room", Limit=7)))) == list(range(40))


def test_projections_of_an_index(db, people):
    db.put_item(TableName=people, Item=item(id="1", room="a", pos=2, color="red", size=5))
    assert in_room(db, people, name="keys") == [item(id="1", room="a")]
    assert in_room(db, people, name="some") == [item(id="1", room="a", color="red")]
    assert in_room(db, people, name="some", ProjectionExpression="color") == [item(color="red")]
    with refused("ValidationException", "does not project [size]"):
        in_room(db, people, name="keys", ProjectionExpression="#s", ExpressionAttributeNames={"#s": "size"})
    with refused("ValidationException", "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is not ALL"):
        in_room(db, people, name="keys", Select="ALL_ATTRIBUTES")
    with refused("ValidationException", "Consistent reads are not supported on global secondary indexes"):
        in_room(db, people, ConsistentRead=True)


def test_a_wrongly_typed_index_key_refuses_every_write(db, people):
    text = "One or more parameter values were invalid: Type mismatch for Index Key pos Expected: N Actual: S IndexName: by-room"
    wrong = item(id="1", room="a", pos="x")
    with refused("ValidationException", text):
        db.put_item(TableName=people, Item=wrong)
    with refused("ValidationException", text):
        db.batch_write_item(RequestItems={people: [{"PutRequest": {"Item": wrong}}]})
    with refused("ValidationException", text):
        db.update_item(
            TableName=people, Key=item(id="1"), UpdateExpression="SET #a = :x",
            ExpressionAttributeNames={"#a": "pos"}, ExpressionAttributeValues=values(x="x"),
        )  # fmt: skip
    with refused("ValidationException", "cannot contain an empty string value. IndexName: by-room, IndexKey: room"):
        db.put_item(TableName=people, Item=item(id="1", room=""))


def test_a_local_index_has_the_partition_of_the_table(db):
    table = create(db, "room", "id", local=[index("by-pos", "room", "pos:N", projection="KEYS_ONLY")])
    for i, pos in enumerate((3, 1, 2)):
        db.put_item(TableName=table, Item=item(room="a", id=f"{i}", pos=pos, color="red"))
    found = db.query(
        TableName=table, IndexName="by-pos", KeyConditionExpression="room = :r", ConsistentRead=True,
        ExpressionAttributeValues=values(r="a"),
    )["Items"]  # fmt: skip
    assert found == [item(room="a", id=i, pos=pos) for i, pos in (("1", 1), ("2", 2), ("0", 3))]
    whole = db.query(
        TableName=table, IndexName="by-pos", KeyConditionExpression="room = :r", Select="ALL_ATTRIBUTES",
        ExpressionAttributeValues=values(r="a"), Limit=1,
    )  # fmt: skip
    assert whole["Items"] == [item(room="a", id="1", pos=1, color="red")]


# Batches


def test_a_batch_writes_and_reads_over_tables(db, table, sorted_table):
    answer = db.batch_write_item(
        RequestItems={
            table: [{"PutRequest": {"Item": item(id=f"{i}")}} for i in range(3)],
            sorted_table: [{"PutRequest": {"Item": item(room="a", pos=1)}}],
        }
    )
    assert answer["UnprocessedItems"] == {}
    db.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": item(id="0")}}]})
    answer = db.batch_get_item(
        RequestItems={
            table: {"Keys": [item(id=f"{i}") for i in range(3)]},
            sorted_table: {"Keys": [item(room="a", pos=1)], "ProjectionExpression": "room"},
        }
    )
    assert answer["UnprocessedKeys"] == {}
    assert sorted(ids(answer["Responses"][table])) == ["1", "2"]
    assert answer["Responses"][sorted_table] == [item(room="a")]


def test_wrong_batches_are_refused_before_anything_is_written(db, table, sorted_table):
    put = {"PutRequest": {"Item": item(id="a")}}
    with refused("ValidationException", "Provided list of item keys contains duplicates"):
        db.batch_write_item(RequestItems={table: [put, {"DeleteRequest": {"Key": item(id="a")}}]})
    with refused("ValidationException", "Provided list of item keys contains duplicates"):
        one, same = {"room": value("a"), "pos": {"N": "1"}}, {"room": value("a"), "pos": {"N": "1.0"}}
        db.batch_get_item(RequestItems={sorted_table: {"Keys": [one, same]}})
    with refused("ValidationException", "Too many items requested for the BatchWriteItem call"):
        db.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item(id=f"{i}")}} for i in range(26)]})
    with refused("ValidationException", "Too many items requested for the BatchGetItem call"):
        db.batch_get_item(RequestItems={table: {"Keys": [item(id=f"{i}") for i in range(101)]}})
    with refused("ValidationException", "The provided key element does not match the schema"):
        db.batch_write_item(RequestItems={table: [put, {"PutRequest": {"Item": item(x="b")}}]})
    with refused("ResourceNotFoundException"):
        db.batch_write_item(RequestItems={table: [put], "nowhere": [put]})
    assert db.scan(TableName=table)["Count"] == 0


# Transactions


def test_a_transaction_writes_all_or_nothing(db, table, sorted_table):
    db.put_item(TableName=table, Item=item(id="a", n=1))
    parts = [
        {"Put": {"TableName": sorted_table, "Item": item(room="a", pos=1)}},
        {
            "Update": {
                "TableName": table, "Key": item(id="a"), "UpdateExpression": "ADD n :x",
                "ExpressionAttributeValues": values(x=1),
            }
        },
        {"ConditionCheck": {"TableName": table, "Key": item(id="b"), "ConditionExpression": "attribute_not_exists(id)"}},
    ]  # fmt: skip
    db.transact_write_items(TransactItems=parts)
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", n=2)
    db.put_item(TableName=table, Item=item(id="b"))
    with pytest.raises(db.exceptions.TransactionCanceledException) as cancelled:
        db.transact_write_items(TransactItems=parts)
    error = cancelled.value.response
    assert error["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, ConditionalCheckFailed]"
    )
    assert error["CancellationReasons"] == [
        {"Code": "None"}, {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]  # fmt: skip
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", n=2)
    got = db.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": table, "Key": item(id="a"), "ProjectionExpression": "n"}},
            {"Get": {"TableName": sorted_table, "Key": item(room="a", pos=1)}},
            {"Get": {"TableName": table, "Key": item(id="none")}},
        ]
    )
    assert got["Responses"] == [{"Item": item(n=2)}, {"Item": item(room="a", pos=1)}, {}]


def test_a_token_makes_a_transaction_idempotent(db, table):
    def add(token, n=1):
        db.transact_write_items(
            ClientRequestToken=token,
            TransactItems=[
                {
                    "Update": {
                        "TableName": table, "Key": item(id="a"), "UpdateExpression": "ADD n :x",
                        "ExpressionAttributeValues": values(x=n),
                    }
                }
            ],
        )  # fmt: skip

    add("one")
    add("one")
    add("two")
    assert db.get_item(TableName=table, Key=item(id="a"))["Item"] == item(id="a", n=2)
    with refused("IdempotentParameterMismatchException"):
        add("one", 5)


def test_what_depends_on_the_item_cancels_and_the_rest_is_refused(db, table):
    def write(**part):
        db.transact_write_items(TransactItems=[part])

    put = {"TableName": table, "Item": item(id="a")}
    with refused("ValidationException", "Transaction request cannot include multiple operations on one item"):
        db.transact_write_items(TransactItems=[{"Put": put}, {"Delete": {"TableName": table, "Key": item(id="a")}}])
    with refused("ValidationException", "Syntax error"):
        write(Put={**put, "ConditionExpression": "a b c"})
    with refused("ValidationException", "cannot contain an empty string value"):
        write(Put={"TableName": table, "Item": item(id="")})
    with refused("ValidationException", "unused in expressions"):
        write(Put={**put, "ConditionExpression": "attribute_exists(id)", "ExpressionAttributeValues": values(x=1)})
    with refused("TransactionCanceledException", "[ValidationError]"):
        write(Put={"TableName": table, "Item": item(id=5)})
    with refused("TransactionCanceledException", "[ValidationError]"):
        write(Update={"TableName": table, "Key": item(id="a"), "UpdateExpression": "SET a.b = :x", "ExpressionAttributeValues": values(x=1)})
    with refused("ResourceNotFoundException"):
        write(Put={"TableName": "nowhere", "Item": item(id="a")})


# Capacity


def test_consumed_capacity(db, people):
    answer = db.put_item(TableName=people, Item=item(id="1", room="a", pos=1, big="x" * 1500), ReturnConsumedCapacity="INDEXES")
    used = answer["ConsumedCapacity"]
    assert used["TableName"] == people
    assert used["Table"]["CapacityUnits"] == 2
    assert set(used["GlobalSecondaryIndexes"]) == {"by-room", "keys", "some"}
    answer = db.get_item(TableName=people, Key=item(id="1"), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": people, "CapacityUnits": 0.5}
    answer = db.get_item(TableName=people, Key=item(id="1"), ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1
    assert "ConsumedCapacity" not in db.get_item(TableName=people, Key=item(id="1"))
    assert until(lambda: True, "it is over")
