"""The rule about tables, on histories that are made up: kept in one, broken in another."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_up import Run  # noqa: E402


class Tables(Run):
    """w0 has done one of everything between 50 and 60; the end is looked at at 199."""

    def __init__(self, folder):
        super().__init__(folder)
        self.items = {
            "counter": {"n": 2, "w0": 2, "adds": 1, "w0-adds": 1},
            "account-0": {"amount": -7}, "account-1": {"amount": 7}, "ledger-w0": {"transfers": 1},
            "row-w0-1": {"v": 2, "room": "room-1"}, "temp-w0-4": {"room": "room-2"},
        }  # fmt: skip
        self.index = None  # as it should be
        for n in (1, 2):
            self.asked(49 + n, "increment", n=n)
            self.asked(52 + n, "row", id="row-w0-1", v=n)
        self.asked(55, "stale row", "failed", id="row-w0-1", v=2)
        self.asked(56, "add")
        self.asked(57, "transfer", n=1)
        for id in ("temp-w0-4", "temp-w0-5"):
            self.asked(58, "put", id=id)
        self.asked(59, "delete", id="temp-w0-5")

    def asked(self, t, what, result="done", error="", status=None, reasons=(), **more):
        if status is None:
            status = {"done": 200, "failed": 400}.get(result, 400 if error else 0)
        self.note(t, what, began=t - 0.1, by="broker-0", status=status, error=error,
                  reasons=list(reasons), result=result, **more)  # fmt: skip

    def note(self, t, what, **more):
        self.records["tables"].append({"t": t, "who": "w0", "what": what, **more})

    def checked(self):
        rows = [{"id": id, **item} for id, item in self.items.items()]
        index = [row for row in rows if "room" in row] if self.index is None else self.index
        kept = [r for r in self.records["tables"] if r["what"] not in ("table", "index")]
        self.records["tables"] = kept
        self.note(199, "table", items=rows)
        self.note(199.1, "index", items=index)
        return super().checked()


@pytest.fixture
def run(tmp_path):
    return Tables(tmp_path)


def test_a_run_in_which_all_is_kept_is_judged_and_good(run):
    run.note(100, "seen", items=[{"id": "counter", **run.items["counter"]}])
    status, out = run.checked()
    assert status == 0, out
    for what in ("2 increments", "1 adds", "1 transfers", "1 rows", "1 stale writes", "1 looks",
                 "1 rows that were kept", "1 rows that were deleted", "2 rows in the index"):  # fmt: skip
        assert what in out, out


def test_an_increment_that_another_has_overwritten_is_reported_unless_redis_forgets(run):
    run.asked(70, "increment", "failed", n=3)
    run.note(70.1, "found", n=3, found=1)
    run.items["counter"] |= {"n": 1, "w0": 1}
    found = run.violations()
    assert found == [
        "TABLES increment 3 of w0 failed its condition, and 1 was found: 2 was acknowledged",
        "TABLES 1 increments of w0 are there: 2 to 2 were acknowledged or may be done",
    ]
    run.fault(60, 61, "redis_restore", "redis")
    assert run.violations() == []


def test_an_increment_that_was_done_without_an_answer_fails_its_condition_when_asked_again(run):
    run.fault(69, 69.5, "kill9", "broker-0")
    run.asked(70, "increment", "unknown", n=3)
    run.asked(70.5, "increment", "failed", n=3)
    run.note(70.6, "found", n=3, found=3)
    run.items["counter"] |= {"n": 3, "w0": 3}
    assert run.violations() == []


@pytest.mark.parametrize("n", [1, 4])
def test_adds_are_as_many_as_were_acknowledged_or_may_be_done(run, n):
    run.fault(69, 69.5, "kill9", "broker-0")
    for t in (70, 71):
        run.asked(t, "add", "unknown")
    run.items["counter"] |= {"adds": n, "w0-adds": n}
    text = "TABLES 4 adds of w0 are there: 1 to 3 were acknowledged or may be done"
    assert run.violations() == ([text] if n == 4 else [])


def test_a_transfer_that_was_done_twice_or_in_part_is_reported(run):
    run.items["ledger-w0"]["transfers"] = 2
    run.items["account-1"]["amount"] = 14
    assert run.violations() == [
        "TABLES the amounts are 0 in all, and 7 together",
        "TABLES 2 transfers of w0 are there: 1 to 1 were acknowledged or may be done",
    ]


def test_a_look_at_one_moment_sees_no_change_in_part(run):
    run.note(100, "seen", items=[{"id": "counter", "n": 3, "w0": 1, "w1": 1}])
    assert run.violations() == ["TABLES the increments are 3 in all, and 2 together"]


def test_a_version_that_was_acknowledged_and_is_not_there_is_reported(run):
    run.items["row-w0-1"]["v"] = 1
    assert run.violations() == ["TABLES row-w0-1 has version 1, and 2 was acknowledged"]
    run.fault(100, 101, "redis_empty", "redis")
    assert run.violations() == []


def test_a_condition_that_is_false_and_holds_is_reported(run):
    run.asked(70, "stale row", id="row-w0-1", v=2)
    (violation,) = run.violations()
    assert violation == "TABLES row-w0-1 2 was written again by w0, and its condition is false"


def test_a_condition_that_is_true_and_fails_is_reported(run):
    run.asked(70, "row", "failed", id="row-w0-1", v=3)
    (violation,) = run.violations()
    assert violation == "TABLES row row-w0-1 3 of w0: its condition is true, and failed"


def test_an_index_that_differs_from_its_table_is_reported(run):
    run.index = [{"id": "row-w0-1", "v": 2, "room": "room-3"}]
    assert run.violations() == [
        "TABLES the index has id=row-w0-1 room=room-3 v=2, and its table has not",
        "TABLES the table has id=row-w0-1 room=room-1 v=2, and its index has not",
        "TABLES the table has id=temp-w0-4 room=room-2, and its index has not",
    ]


def test_a_row_that_was_put_must_be_there_and_one_that_was_deleted_must_not(run):
    run.items["temp-w0-5"] = run.items.pop("temp-w0-4")
    assert run.violations() == [
        "TABLES temp-w0-4 was put, and is not there",
        "TABLES temp-w0-5 was deleted, and is there",
    ]


def test_requests_fail_near_a_fault_only_and_clearly(run):
    run.asked(100, "add", "unknown", "ProvisionedThroughputExceededException")
    (violation,) = run.violations()
    assert violation.endswith("got ProvisionedThroughputExceededException while all is well")
    run.fault(98, 99, "redis_stop", "redis")
    assert run.violations() == []
    run.asked(100, "add", "unknown", "ResourceNotFoundException")
    assert run.violations() == ["TABLES add of w0 got ResourceNotFoundException"]


def test_a_transaction_may_meet_another_and_nothing_else(run):
    error = "TransactionCanceledException"
    run.asked(100, "transfer", "unknown", error, reasons=["None", "TransactionConflict"], n=2)
    assert run.violations() == []
    run.asked(101, "transfer", "unknown", error, reasons=["ConditionalCheckFailed"], n=2)
    assert run.violations() == [f"TABLES transfer of w0 got {error} while all is well"]
