"""The rule about tables: from what their writers asked, what they were answered, and what is there at the end."""

from collections import Counter, defaultdict

from checks.history import Troubles
from checks.violation import SLACK, Violation

# Redis comes back without its last writes, or without all of them. After all other faults it has
# what it had acknowledged: each write is in its append-only file before the answer.
FORGETS = ("redis_empty", "redis_restore", "redis_rewind")

# What else than done and a failed condition there may be; all but the first are near a fault.
CONFLICTS = ("TransactionCanceledException", "TransactionConflictException",
             "TransactionInProgressException")  # fmt: skip
BUSY = ("ProvisionedThroughputExceededException", "InternalServerError")
UNKNOWN_TABLE = "ResourceNotFoundException"


def tables(h, judged):
    """TABLES acknowledged writes are kept, done once, under their conditions; indexes agree with tables"""
    all_ = Asked(h)
    yield from _answers(h, all_, judged)
    yield from _increments(all_, judged)
    yield from _looks(all_, judged)
    if all_.records:
        yield from _end(h, all_, judged)


class Asked:
    """All requests to tables, and what their answers mean."""

    def __init__(self, h):
        self._forgets = Troubles(
            (f.begin - SLACK, f.end + SLACK) for f in h.faults if f.kind in FORGETS
        )
        self.records = sorted(h.tables, key=lambda r: r["t"])
        self.of = defaultdict(list)  # what: records, in the order of their ends
        for r in self.records:
            self.of[r["what"]].append(r)

    def may_be_lost(self, since, until):
        """May Redis have forgotten a write that was acknowledged at the first moment?"""
        return self._forgets.meet(since, until)

    def done(self, what, **like):
        return [r for r in self._like(what, like) if r["result"] == "done"]

    def unknown(self, what, **like):
        return [r for r in self._like(what, like) if r["result"] == "unknown"]

    def _like(self, what, like):
        return (r for r in self.of[what] if all(r.get(k) == v for k, v in like.items()))


def _answers(h, asked, judged):
    """They are clear, and while all is well each request is done."""
    for r in asked.records:
        if "result" not in r:
            continue
        since = r["began"] - h.bound["table"]
        calm = not h.troubles.meet(since, r["t"])
        judged["requests while all is well"] += calm
        why = r["error"] or r["status"]
        if r["result"] == "unknown" and not _is_allowed(r, calm, asked.may_be_lost(since, r["t"])):
            text = f"{r['what']} of {r['who']} got {why}" + (" while all is well" if calm else "")
            yield Violation(text, None, r["t"])
        if r["result"] == "failed" and r["what"] not in ("increment", "stale row"):
            text = f"{r['what']} {r.get('id')} {r.get('v')} of {r['who']}: its condition is true, and failed"
            yield Violation(text, None, r["t"])
    yield from _stale(asked, judged)


def _is_allowed(r, calm, table_may_be_lost):
    if r["error"] in CONFLICTS:
        return set(r["reasons"]) <= {"None", "TransactionConflict"}
    if r["error"] == UNKNOWN_TABLE:
        return table_may_be_lost
    return not calm and (r["status"] == 0 or r["error"] in BUSY)


def _stale(asked, judged):
    """A write under a condition that is false is not done."""
    for r in asked.of["stale row"]:
        judged["stale writes"] += r["result"] == "failed"
        if r["result"] != "done":
            continue
        newer = [w["t"] for w in asked.done("row", id=r["id"]) if w["t"] < r["began"]]
        if not asked.may_be_lost(max(newer), r["t"]):
            text = f"{r['id']} {r['v']} was written again by {r['who']}, and its condition is false"
            yield Violation(text, None, r["t"])


def _increments(asked, judged):
    """One whose condition fails is done already, by a request that was not answered."""
    last, tried, failed = defaultdict(lambda: (0, 0)), {}, {}  # of writers
    for r in asked.records:
        who = r["who"]
        if r["what"] == "increment":
            judged["increments"] += r["result"] == "done"
            if r["result"] == "done":
                last[who] = (r["n"], r["t"])
            elif r["result"] == "unknown":
                tried[who] = r["n"]
            else:
                failed[who] = r
        elif r["what"] == "found":
            n, since = last[who]
            was_done = r["found"] == r["n"] and tried.get(who) == r["n"]
            if not was_done and not asked.may_be_lost(since, r["t"]):
                text = f"increment {r['n']} of {who} failed its condition, and {r['found']} was found: "
                text += f"{n} was acknowledged"
                yield Violation(text, None, failed[who]["t"])
            last[who] = (r["found"], r["t"])


def _looks(asked, judged):
    for r in asked.of["seen"]:
        judged["looks"] += 1
        yield from _sums(r, {item["id"]: item for item in r["items"]})


def _sums(r, items):
    """What is changed in one step is never seen in part."""
    counter = items.get("counter", {})
    parts = [(counter.get("n", 0), "increments", sum(v for k, v in counter.items() if k[1:].isdigit())),
             (counter.get("adds", 0), "adds", sum(v for k, v in counter.items() if k[-5:] == "-adds")),
             (0, "amounts", sum(i["amount"] for k, i in items.items() if k.startswith("account-")))]  # fmt: skip
    for all_, what, those in parts:
        if all_ != those:
            yield Violation(f"the {what} are {all_} in all, and {those} together", None, r["t"])


def _end(h, asked, judged):
    if not asked.of["table"] or not asked.of["index"]:
        yield Violation("the table could not be read at the end", None, h.end)
        return
    table, index = asked.of["table"][-1], asked.of["index"][-1]
    items = {item["id"]: item for item in table["items"]}
    if len(items) < len(table["items"]):
        yield Violation("a Scan has had an item twice", None, table["t"])
    yield from _sums(table, items)
    yield from _index(index, items, judged)
    yield from _counts(asked, items, table["t"], judged)
    yield from _versions(asked, items, table["t"], judged)
    yield from _temporary(asked, items, table["t"], judged)


def _index(index, items, judged):
    found = Counter(_text(item) for item in index["items"])
    expected = Counter(_text(item) for item in items.values() if "room" in item)
    judged["rows in the index"] += sum(found.values())
    for wrong in found - expected:
        yield Violation(f"the index has {wrong}, and its table has not", None, index["t"])
    for missing in expected - found:
        yield Violation(f"the table has {missing}, and its index has not", None, index["t"])


def _text(item):
    return " ".join(f"{name}={value}" for name, value in sorted(item.items()))


def _counts(asked, items, t, judged):
    """Of each writer: as many as were acknowledged since Redis last forgot some, and at most all that were asked."""
    counter = items.get("counter", {})
    for what, again, of in (
        ("increment", True, lambda who: counter.get(who, 0)),
        ("add", False, lambda who: counter.get(f"{who}-adds", 0)),
        ("transfer", True, lambda who: items.get(f"ledger-{who}", {}).get("transfers", 0)),
    ):
        for who in sorted({r["who"] for r in asked.of[what]}):
            done = asked.done(what, who=who)
            if what == "increment":
                done += [r for r in asked.of["found"] if r["who"] == who and r["found"] == r["n"]]
            judged[f"{what}s"] += len(done) if what != "increment" else 0
            least = sum(not asked.may_be_lost(r["t"], t) for r in done)
            most = len(done) + _may_be_done(asked.unknown(what, who=who), done, again)
            if not least <= of(who) <= most:
                text = f"{of(who)} {what}s of {who} are there: {least} to {most} were acknowledged or may be done"
                yield Violation(text, None, t)


def _may_be_done(unknown, done, again):
    """How many of these; those that are asked again are done once."""
    if not again:
        return len(unknown)
    known = defaultdict(float)  # number: when one of that number was last known to be done
    for r in done:
        known[r["n"]] = max(known[r["n"]], r["t"])
    return len({r["n"] for r in unknown if r["t"] > known[r["n"]]})


def _versions(asked, items, t, judged):
    """A row has the version that was acknowledged last, or a later one that was not answered."""
    for id in sorted({r["id"] for r in asked.of["row"]}):
        done = asked.done("row", id=id)
        last = max(done, key=lambda r: r["v"], default=None)
        judged["rows"] += bool(last)
        if not last or asked.may_be_lost(last["t"], t):
            continue
        version = items.get(id, {}).get("v")
        later = {r["v"] for r in asked.unknown("row", id=id) if r["v"] > last["v"]}
        if version != last["v"] and version not in later:
            text = f"{id} has version {version}, and {last['v']} was acknowledged"
            yield Violation(text, None, last["t"])


def _temporary(asked, items, t, judged):
    """What was put is there, unless it was deleted."""
    deletes = {r["id"]: r for r in asked.of["delete"]}
    for put in asked.done("put"):
        delete, is_there = deletes.get(put["id"]), put["id"] in items
        if delete is None:
            judged["rows that were kept"] += 1
            if not is_there and not asked.may_be_lost(put["t"], t):
                yield Violation(f"{put['id']} was put, and is not there", None, put["t"])
        elif delete["result"] == "done":
            judged["rows that were deleted"] += 1
            if is_there and not asked.may_be_lost(delete["t"], t):
                yield Violation(f"{put['id']} was deleted, and is there", None, delete["t"])

