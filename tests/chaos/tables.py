"""Writers of a table, each by another broker with each request, and who looks at it.

    RESOURCES       the table, as gatepost.yml has it
    Writers         all of them; stop(), then end() notes what the table and its index have

All writers share one item, the counter. What a writer needs to be sure of after an answer that did
not come is in the items themselves, so that asking again is right: the number of its increment under
a condition, the token of a transaction.
"""

import random
import threading
import time

from log import Log

TABLE, INDEX = "rows", "by-room"
WRITERS = 6
EVERY = 0.1  # seconds between two requests of a writer
LOOK_EVERY = 0.5
ROWS = 8  # of each writer
ROOMS = 5
ACCOUNTS = [f"account-{i}" for i in range(4)]
KEEP_EVERY = 4  # rows that are deleted otherwise
STALE = 0.2  # of all writes of a row
PATIENCE = 30  # seconds for the answers at the end

RESOURCES = {"Resources": {"Rows": {"Type": "AWS::DynamoDB::Table", "Properties": {
    "TableName": TABLE,
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "room")],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [{
        "IndexName": INDEX, "KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }],
}}}}  # fmt: skip


def number(n):
    return {"N": str(n)}


def key(id):
    return {"id": {"S": id}}


def plain(item):
    """{name: number or text}"""
    return {name: int(v["N"]) if "N" in v else v["S"] for name, v in item.items()}


class Asker:
    """Asks some broker, and notes how it was answered."""

    def __init__(self, world, name, log, rng):
        self._world, self.name, self._log, self.rng = world, name, log, rng

    def ask(self, operation, what, body, **more):
        """("done", "failed" (a condition) or "unknown", the answer)"""
        by, began = self.rng.choice(self._world.told_brokers), time.time()
        status, answer = self._world.ask_table(by, operation, body)
        error = answer.get("__type", "").rpartition("#")[2]
        result = "done" if status == 200 else "unknown"
        if error == "ConditionalCheckFailedException":
            result = "failed"
        reasons = [reason["Code"] for reason in answer.get("CancellationReasons", [])]
        self._log.write(who=self.name, what=what, began=began, by=by, status=status, error=error,
                        reasons=reasons, result=result, **more)  # fmt: skip
        return result, answer

    def note(self, what, **more):
        self._log.write(who=self.name, what=what, **more)


class Writer(threading.Thread):
    def __init__(self, asker, over):
        super().__init__(daemon=True)
        self._asker, self._over, self._rng = asker, over, asker.rng
        self._me = asker.name
        self._increments = self._transfers = self._version = self._temps = 0
        self._rows = {}  # id: the version that was acknowledged

    def run(self):
        deeds = [self._increment] * 4 + [self._add, self._row, self._row, self._transfer, self._temp]
        while not self._pause():
            self._rng.choice(deeds)()

    def _pause(self):
        """Until the next request; whether there is to be none."""
        return self._over.wait(EVERY * self._rng.uniform(0.5, 1.5))

    def _increment(self):
        """Again until it is known to be done."""
        n = self._increments + 1
        condition = "attribute_not_exists(#me)" if n == 1 else "#me = :before"
        values = {":zero": number(0), ":one": number(1), ":n": number(n)}
        if n > 1:
            values[":before"] = number(n - 1)
        body = {
            "TableName": TABLE, "Key": key("counter"), "ConditionExpression": condition,
            "UpdateExpression": "SET n = if_not_exists(n, :zero) + :one, #me = :n",
            "ExpressionAttributeNames": {"#me": self._me}, "ExpressionAttributeValues": values,
        }  # fmt: skip
        while True:
            result, _ = self._asker.ask("UpdateItem", "increment", body, n=n)
            if result == "done":
                self._increments = n
                return
            if result == "failed":
                self._look_back(n)
                return
            if self._pause():
                return

    def _look_back(self, n):
        """The increment may be done; or its forerunner is lost."""
        body = {"TableName": TABLE, "Key": key("counter"), "ConsistentRead": True}
        while not self._over.is_set():
            result, answer = self._asker.ask("GetItem", "look back", body)
            if result == "done":
                self._increments = plain(answer.get("Item", {})).get(self._me, 0)
                self._asker.note("found", n=n, found=self._increments)
                return
            self._pause()

    def _add(self):
        """Once: whether it is done without an answer is not known."""
        self._asker.ask("UpdateItem", "add", {
            "TableName": TABLE, "Key": key("counter"), "UpdateExpression": "ADD adds :one, #mine :one",
            "ExpressionAttributeNames": {"#mine": f"{self._me}-adds"},
            "ExpressionAttributeValues": {":one": number(1)},
        })  # fmt: skip

    def _row(self):
        """A row of its own gets a later version, and often another room; an earlier one must fail."""
        id = f"row-{self._me}-{self._rng.randrange(ROWS)}"
        if id in self._rows and self._rng.random() < STALE:
            self._write_row(id, self._rows[id], "stale row")
            return
        self._version += 1
        if self._write_row(id, self._version, "row") == "done":
            self._rows[id] = self._version

    def _write_row(self, id, version, what):
        room = f"room-{self._rng.randrange(ROOMS)}" if self._rng.random() < 0.8 else None
        values = {":v": number(version)} | ({":r": {"S": room}} if room else {})
        body = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(v) OR v < :v"}
        if self._rng.random() < 0.5:
            item = key(id) | {"v": values[":v"]} | ({"room": values[":r"]} if room else {})
            operation = "PutItem"
            body |= {"Item": item, "ExpressionAttributeValues": {":v": values[":v"]}}
        else:
            change = "SET v = :v, room = :r" if room else "SET v = :v REMOVE room"
            operation = "UpdateItem"
            body |= {"Key": key(id), "UpdateExpression": change, "ExpressionAttributeValues": values}
        return self._asker.ask(operation, what, body, id=id, v=version)[0]

    def _transfer(self):
        """From one account to another, and into its own ledger; again with its token until it is done."""
        n = self._transfers + 1
        some, other = self._rng.sample(ACCOUNTS, 2)
        amount = self._rng.randrange(1, 100)
        parts = [(some, "ADD amount :n", -amount), (other, "ADD amount :n", amount),
                 (f"ledger-{self._me}", "ADD transfers :n", 1)]  # fmt: skip
        body = {"ClientRequestToken": f"{self._me}-{n}", "TransactItems": [
            {"Update": {"TableName": TABLE, "Key": key(id), "UpdateExpression": change,
                        "ExpressionAttributeValues": {":n": number(by)}}}
            for id, change, by in parts]}  # fmt: skip
        while self._asker.ask("TransactWriteItems", "transfer", body, n=n)[0] != "done":
            if self._pause():
                return
        self._transfers = n

    def _temp(self):
        """A row that is put once and, mostly, deleted."""
        self._temps += 1
        id = f"temp-{self._me}-{self._temps}"
        item = key(id) | {"room": {"S": f"room-{self._rng.randrange(ROOMS)}"}}
        put, _ = self._asker.ask("PutItem", "put", {"TableName": TABLE, "Item": item}, id=id)
        if put == "done" and self._temps % KEEP_EVERY:
            self._asker.ask("DeleteItem", "delete", {"TableName": TABLE, "Key": key(id)}, id=id)


class Looker(threading.Thread):
    """Each of its looks sees one moment of an item, or of all accounts."""

    def __init__(self, asker, over):
        super().__init__(daemon=True)
        self._asker, self._over = asker, over

    def run(self):
        accounts = [{"Get": {"TableName": TABLE, "Key": key(id)}} for id in ACCOUNTS]
        while not self._over.wait(LOOK_EVERY):
            self._look("GetItem", {"TableName": TABLE, "Key": key("counter"), "ConsistentRead": True})
            self._look("TransactGetItems", {"TransactItems": accounts})

    def _look(self, operation, body):
        result, answer = self._asker.ask(operation, "look", body)
        if result == "done":
            found = answer["Responses"] if "Responses" in answer else [answer]
            items = [plain(one["Item"]) for one in found if "Item" in one]
            self._asker.note("seen", items=items)


class Writers:
    def __init__(self, world, seed):
        self._world, self._rng = world, random.Random(seed)
        self._log = Log(world.folder / "tables.jsonl", "tables")
        self._over = threading.Event()
        askers = [self._asker(f"w{i}") for i in range(WRITERS)]
        self._all = [Writer(asker, self._over) for asker in askers]
        self._all.append(Looker(self._asker("looker"), self._over))

    def _asker(self, name):
        return Asker(self._world, name, self._log, random.Random(self._rng.random()))

    def start(self):
        for one in self._all:
            one.start()

    def stop(self):
        self._over.set()
        for one in self._all:
            if one.is_alive():
                one.join()

    def end(self):
        """What the table has, and what its index has."""
        asker = self._asker("end")
        for what, more in (("table", {}), ("index", {"IndexName": INDEX})):
            items = self._scan(asker, more)
            if items is not None:
                asker.note(what, items=[plain(item) for item in items])

    def _scan(self, asker, more):
        """None: it was not answered in time."""
        items, end = [], time.monotonic() + PATIENCE
        body = {"TableName": TABLE} | more
        while time.monotonic() < end:
            result, answer = asker.ask("Scan", "scan", body)
            if result != "done":
                time.sleep(EVERY)
                continue
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return items
            body["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return None
