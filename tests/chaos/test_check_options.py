"""The rule about options, on histories that are made up: kept in one, broken in another."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_up_channels import E1, E2, Channels  # noqa: E402

A = {"filter": {"tag": "side", "eq": "a"}}


@pytest.fixture
def run(tmp_path):
    """c2 is there from 50 to 100; all other clients come and go before."""
    return Channels(tmp_path)


def tagged(side):
    return {"tags": {"side": side}}


def judged(run, *whats):
    status, out = run.checked()
    assert status == 0, out
    for what in whats:
        assert what in out, out


# Filters


def test_a_message_that_a_filter_leaves_out_is_no_hole_and_need_not_come(run):
    run.subscribe(56, "c2", "side:1", 0, **A)
    for n, side in enumerate("aba", 1):
        run.publish(57 + n, f"s{n}", "side:1", n, asks=tagged(side))
        if side == "a":
            run.message(57.2 + n, "c2", "side:1", n, f"s{n}", **tagged(side))
    judged(run, "2 filtered messages", "5 deliveries")


def test_a_message_that_does_not_pass_the_filter_is_reported(run):
    run.subscribe(56, "c2", "side:1", 0, **A)
    run.publish(57, "s1", "side:1", 1, asks=tagged("b"))
    run.message(57.2, "c2", "side:1", 1, "s1", **tagged("b"))
    (violation,) = run.violations()
    assert violation.startswith("OPTIONS c2: s1 ({'side': 'b'}) came to side:1")


def test_a_message_that_passes_and_does_not_come_is_reported_also_when_a_later_one_comes(run):
    run.subscribe(56, "c2", "side:1", 0, **A)
    for n in (1, 2):
        run.publish(57 + n, f"s{n}", "side:1", n, asks=tagged("a"))
    run.message(59.2, "c2", "side:1", 2, "s2", **tagged("a"))
    assert run.violations() == ["P5 c2: s1 (side:1 1) never came"]
    run.fault(40, 41, "redis_empty", "redis")
    run.reset(60, "c2", "side:1", 0, E2, "epoch")
    assert run.violations() == []


# The latest message


def test_who_subscribes_to_a_cache_gets_the_latest_and_may_miss_others(run):
    run.subscribe(56, "c2", "last:1", 7)
    run.message(56.2, "c2", "last:1", 7, "l7")
    run.message(57, "c2", "last:1", 9, "l9")
    judged(run, "1 caches")


def test_a_cache_that_begins_with_another_message_than_the_latest_is_reported(run):
    run.subscribe(56, "c2", "last:1", 7)
    run.message(57, "c2", "last:1", 8, "l8")
    (violation,) = run.violations()
    assert violation == "OPTIONS c2: l8 was the first of last:1, and is not its latest"


def test_a_cache_without_its_latest_message_is_reported(run):
    run.publish(55, "l7", "last:1", 7)
    run.subscribe(56, "c2", "last:1", 7)
    assert run.violations() == ["P5 c2: l7 (last:1 7) never came"]


# Versions


def version(n):
    return {"version": n}


def test_versions_that_grow_and_those_that_are_suppressed_are_fine(run):
    run.subscribe(56, "c2", "newer:1", 0)
    run.publish(57, "v1", "newer:1", 1, asks=version(5))
    run.message(57.2, "c2", "newer:1", 1, "v1")
    run.publish(58, "v2", "newer:1", 1, asks=version(4), suppressed=True)
    run.publish(59, "v3", "newer:1", 2, asks=version(6))
    run.message(59.2, "c2", "newer:1", 2, "v3")
    judged(run, "2 versions", "1 suppressed")


def test_an_older_version_behind_a_newer_one_is_reported(run):
    run.subscribe(56, "c2", "newer:1", 0)
    for n, v in ((1, 5), (2, 5)):
        run.publish(56 + n, f"v{n}", "newer:1", n, asks=version(v))
        run.message(56.2 + n, "c2", "newer:1", n, f"v{n}")
    assert run.violations() == ["OPTIONS c2: v2 (version 5) stands behind v1 (5)"]


def test_a_message_that_was_suppressed_and_comes_is_reported(run):
    run.subscribe(56, "c2", "newer:1", 0)
    run.publish(57, "v1", "newer:1", 0, asks=version(5), suppressed=True)
    run.message(57.2, "c2", "newer:1", 1, "v1")
    assert run.violations() == ["OPTIONS c2: v1 was suppressed, and came"]


# Receipts


def test_a_receipt_counts_who_is_subscribed(run):
    run.publish(59, "m4", "log:1", 4, edges=1, connections=1)
    run.message(59.2, "c2", "log:1", 4, "m4")
    judged(run, "1 receipts")


@pytest.mark.parametrize("connections", [0, 2])
def test_a_receipt_of_more_or_fewer_is_reported_while_all_is_well(run, connections):
    run.publish(59, "m4", "log:1", 4, edges=1, connections=connections)
    run.message(59.2, "c2", "log:1", 4, "m4")
    text = f"OPTIONS m4 reached {connections} connections of log:1, and 1 to 1 are subscribed"
    assert run.violations() == [text]
    run.fault(50, 58, "stop", "broker-0")
    assert run.violations() == []


# Webhooks


def test_a_publish_that_a_webhook_refuses_is_an_error_and_one_that_it_marks_comes_so(run):
    run.subscribe(56, "c2", "hook:1", 0)
    id = run.act(57, "c1", "publish", "hook:1", data="h1", refused=True)
    run.saw(57.1, "c1", "nack", id=id, channel="hook:1", code="forbidden", retryable=False)
    run.publish(58, "h2", "hook:1", 1)
    run.message(58.2, "c2", "hook:1", 1, "h2", marked=True)
    judged(run, "1 refused by a webhook", "1 marked by a webhook")


def test_a_publish_that_was_acknowledged_past_its_webhook_is_reported(run):
    run.publish(58, "h2", "hook:1", 1, asks={"refused": True})
    assert run.violations() == [
        "OPTIONS c1: h2 was acknowledged, though a webhook refuses it"
    ]


def test_a_message_without_what_its_webhook_adds_is_reported(run):
    run.subscribe(56, "c2", "hook:1", 0)
    run.publish(58, "h2", "hook:1", 1)
    run.message(58.2, "c2", "hook:1", 1, "h2", marked=False)
    assert run.violations() == ["OPTIONS c2: h2 came without what its webhook adds"]


# By the management API


def test_what_the_api_publishes_comes_and_has_a_position_of_its_own(run):
    run.post(59, "p1", "log:1", 4)
    assert run.violations() == ["P5 c2: p1 (log:1 4) never came"]
    run.message(59.2, "c2", "log:1", 4, "p1")
    judged(run, "1 posts,")
    run.post(60, "p2", "log:1", 4)
    assert f"P5 p2 got ('{E1}', 4), after ('{E1}', 4)" in run.violations()


def test_a_post_that_fails_is_reported_while_all_is_well_and_never_with_another_status(run):
    run.post(59, "p1", "log:1", None, status=503)
    assert run.violations() == ["OPTIONS p1 got 503 while all is well"]
    run.fault(50, 58, "stop", "broker-0")
    assert run.violations() == []
    run.post(59, "p2", "log:1", None, status=500)
    assert run.violations() == ["OPTIONS p2 got 500"]
