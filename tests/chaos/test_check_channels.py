"""The rules about channels, on histories that are made up: each is kept in one, broken in another."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_up_channels import E1, E2, Channels  # noqa: E402

@pytest.fixture
def run(tmp_path):
    return Channels(tmp_path)


def test_channels_in_which_all_is_well_have_no_violation_and_are_counted(run):
    status, out = run.checked()
    assert status == 0, out
    for judged in ("3 deliveries", "3 positions", "2 publishes after another",
                   "3 later publishes with history", "4 answers"):  # fmt: skip
        assert judged in out, out


def test_the_story_of_a_violation_has_the_frames_of_its_channel_alone(run):
    run.subscribe(51.5, "c2", "log:2", 0)
    run.without("clients", what="message", data="m2")
    _, out = run.checked()
    story = out[out.index("c2: a hole") :]
    assert "channel=log:1 epoch" in story and "log:2" not in story


# P5: order


def test_a_hole_is_reported(run):
    run.without("clients", what="message", data="m2")
    assert run.violations() == ["P5 c2: a hole: log:1 01aaaa:3 after 01aaaa:1"]


def test_a_message_that_comes_again_is_reported(run):
    run.message(56, "c2", "log:1", 2, "m2")
    assert run.violations() == ["P5 c2: again: log:1 01aaaa:2 after 01aaaa:3"]


def test_messages_out_of_order_are_reported(run):
    run.without("clients", what="message", data="m1")
    run.message(54.5, "c2", "log:1", 1, "m1")
    assert "P5 c2: out of order: log:1 01aaaa:1 after 01aaaa:2" in run.violations()


def test_a_message_of_an_older_epoch_is_reported(run):
    run.reset(56, "c2", "log:1", 0, E2, "epoch")
    run.fault(40, 41, "redis_empty", "redis")
    assert run.violations() == []
    run.message(57, "c2", "log:1", 4, "m4")
    assert "P5 c2: an older epoch: log:1 01aaaa:4 after 02aaaa:0" in run.violations()


def test_a_new_epoch_without_a_reset_is_reported(run):
    run.message(57, "c2", "log:1", 1, "m4", epoch=E2)
    assert run.violations() == [
        "P5 c2: another epoch without a reset: log:1 02aaaa:1 after 01aaaa:3"
    ]


def test_after_a_reset_the_sequence_goes_on_from_its_position(run):
    run.subscribe(51.5, "c2", "short:1", 1)
    run.reset(56, "c2", "short:1", 5, E1, "trimmed")
    run.message(57, "c2", "short:1", 6, "s-6")
    assert run.violations() == []
    run.reset(58, "c2", "short:1", 4, E1, "trimmed")
    assert run.violations() == ["P5 c2: a reset back: short:1 01aaaa:4 after 01aaaa:6"]


def test_a_reset_though_redis_forgot_nothing_is_reported_unless_the_channel_keeps_little(run):
    run.reset(56, "c2", "log:1", 5, E1, "trimmed")
    run.subscribe(57, "c2", "short:1", 0)
    run.reset(58, "c2", "short:1", 5, E1, "trimmed")
    assert run.violations() == ["P5 c2: a reset of log:1 (trimmed), though nothing was lost"]


def test_a_new_epoch_has_a_cause_and_a_channel_that_keeps_enough_is_never_trimmed(run):
    run.reset(56, "c2", "log:1", 0, E2, "epoch")
    assert run.violations() == ["P5 c2: a reset of log:1 (epoch), though nothing was lost"]
    run.fault(40, 41, "redis_rewind", "redis")
    assert run.violations() == []
    run.reset(57, "c2", "log:1", 2, E2, "trimmed")
    assert run.violations() == ["P5 c2: a reset of log:1 (trimmed), though nothing was lost"]


def test_a_second_subscribe_that_skips_messages_is_reported(run):
    run.subscribe(57, "c2", "log:1", 3)
    assert run.violations() == []
    run.subscribe(58, "c2", "log:1", 4)
    assert run.violations() == ["P5 c2: a hole: log:1 01aaaa:4 acknowledged after 01aaaa:3"]


# P5: positions


def test_a_position_of_two_messages_is_reported(run):
    run.subscribe(51, "c1", "log:1", 0)
    for n in (1, 2, 3):
        run.message(52.3 + n, "c1", "log:1", n, "other" if n == 2 else f"m{n}")
    assert "P5 c1: log:1 2 is m2, and other" in run.violations()


def test_an_acknowledged_position_of_another_message_is_reported(run):
    run.without("clients", what="message", data="m3")
    run.message(55.2, "c2", "log:1", 3, "other")
    assert "P5 c2: log:1 3 is m3, and other" in run.violations()


def test_a_publish_that_is_appended_twice_is_reported(run):
    run.message(56, "c2", "log:1", 4, "m3")
    assert run.violations() == ["P5 c2: m3 was appended twice: log:1 3 and 4"]


def test_a_publish_in_two_epochs_is_fine(run):
    run.fault(40, 41, "redis_empty", "redis")
    run.reset(56, "c2", "log:1", 0, E2, "epoch")
    run.message(57, "c2", "log:1", 1, "m3", epoch=E2)
    assert run.violations() == []


def test_a_publish_with_a_position_before_what_was_known_when_it_was_sent_is_reported(run):
    run.publish(58, "m4", "log:1", 3)
    assert f"P5 m4 got ('{E1}', 3), after ('{E1}', 3)" in run.violations()


def test_a_duplicate_has_the_position_of_the_first(run):
    run.publish(57, "m3", "log:1", 3, asks={"key": "k"}, duplicate=True)
    assert run.violations() == []


def test_a_subscribe_before_what_was_known_when_it_was_sent_is_reported(run):
    run.client("c3", 60, 90)
    run.subscribe(61, "c3", "log:1", 2)
    assert f"P5 c3: subscribed to log:1 at ('{E1}', 2), after ('{E1}', 3)" in run.violations()


def test_an_epoch_that_goes_back_is_reported_also_when_other_clients_see_it(run):
    run.fault(40, 41, "redis_empty", "redis")
    run.client("c3", 60, 90)
    run.reset(56, "c2", "log:1", 0, E2, "epoch")
    run.publish(57, "m4", "log:1", 1, epoch=E2)
    run.message(57.2, "c2", "log:1", 1, "m4", epoch=E2)
    assert run.violations() == []
    run.subscribe(61, "c3", "log:1", 3)
    assert f"P5 c3: subscribed to log:1 at ('{E1}', 3), after ('{E2}', 1)" in run.violations()


# P5: delivery


def test_a_publish_that_does_not_come_is_reported_when_the_subscriber_waited(run):
    run.publish(60, "m4", "log:1", 4)
    assert run.violations() == ["P5 c2: m4 (log:1 4) never came"]
    run.message(74, "c2", "log:1", 4, "m4")
    assert run.violations() == []
    run.fault(62, 90, "kill9", "broker-0")
    run.without("clients", what="message", data="m4")
    assert run.violations() == [], "the bound began anew, and it left"


def test_a_publish_after_the_bound_is_reported(run):
    run.publish(60, "m4", "log:1", 4)
    run.message(79.1, "c2", "log:1", 4, "m4")
    assert run.violations() == ["P5 c2: m4 (log:1 4) came 4.0 s after the bound"]


def test_who_has_left_the_channel_gets_nothing_more(run):
    run.unsubscribe(59, "c2", "log:1")
    run.publish(60, "m4", "log:1", 4)
    assert run.violations() == []


# P5: recovery


def test_who_recovers_gets_what_was_missed(run):
    run.client("c3", 60, 90)
    run.subscribe(61, "c3", "log:1", 3, since=(E1, 1), recovered=True)
    for n in (2, 3):
        run.message(61.2, "c3", "log:1", n, f"m{n}")
    status, out = run.checked()
    assert status == 0 and "2 deliveries to who came back" in out and "1 recoveries," in out
    run.without("clients", name="c3", what="message", data="m3")
    assert run.violations() == ["P5 c3: m3 (log:1 3) never came"]
    run.without("clients", name="c3", what="message", data="m2")
    run.message(61.2, "c3", "log:1", 3, "m3")
    assert run.violations() == ["P5 c3: a hole: log:1 01aaaa:3 after 01aaaa:1"]


def test_a_recovery_of_another_epoch_is_reported(run):
    run.client("c3", 60, 90)
    run.subscribe(61, "c3", "log:1", 3, since=(E2, 3), recovered=True)
    assert f"P5 c3: recovered: true, of ('{E2}', 3): 01aaaa:3" in run.violations()


def test_a_refused_recovery_is_reported_unless_redis_forgot_or_the_channel_keeps_little(run):
    run.client("c3", 60, 90)
    run.subscribe(61, "c3", "short:1", 9, since=(E1, 1), recovered=False)
    assert run.violations() == []
    run.subscribe(62, "c3", "log:1", 3, since=(E1, 1), recovered=False)
    assert run.violations() == ["P5 c3: recovered: false of log:1, though nothing was lost"]
    run.fault(58, 59, "redis_restore", "redis")
    assert run.violations() == []


# P6


def test_a_publish_without_history_reaches_who_was_subscribed_before(run):
    run.subscribe(51, "c2", "live:1", None)
    run.publish(55.5, "l1", "live:1", None)
    assert run.violations() == ["P6 c2: l1 (live:1) never came"]
    run.message(55.9, "c2", "live:1", None, "l1")
    assert run.violations() == []
    run.publish(50.5, "l0", "live:1", None)
    assert run.violations() == [], "that was sent before the ack"
    run.message(56, "c2", "live:1", None, "l1")
    assert run.violations() == ["P5 c2: l1 came twice"]


@pytest.mark.parametrize(
    ("fault", "excused"),
    [((55, 56, "kill9", "broker-0"), True), ((50, 51, "cut", "edge-0", "broker-1"), True),
     ((20, 30, "kill9", "broker-0"), False), ((55, 56, "redis_stop", "redis"), False)],
)  # fmt: skip
def test_without_history_a_publish_may_be_lost_with_the_link_that_had_it_and_by_nothing_else(
    run, fault, excused
):
    run.subscribe(51.5, "c2", "live:1", None)
    run.publish(55.5, "l1", "live:1", None)
    run.fault(*fault)
    assert run.violations() == ([] if excused else ["P6 c2: l1 (live:1) never came"])


def test_a_publish_that_was_sent_after_a_subscribe_and_stands_before_its_position_is_reported(run):
    run.client("c3", 52, 90)
    run.subscribe(53.5, "c3", "log:1", 2)
    run.message(55.3, "c3", "log:1", 3, "m3")
    assert run.violations() == [
        "P6 c3: m2 was sent after the ack of log:1, and stands before it"
    ]


def test_messages_of_one_publisher_without_history_come_in_their_order_while_all_is_well(run):
    run.subscribe(51.5, "c2", "live:1", None)
    for n in (7, 8):
        run.publish(50 + n, f"c1-{n}", "live:1", None)
    run.message(59, "c2", "live:1", None, "c1-8")
    run.message(59.1, "c2", "live:1", None, "c1-7")
    assert run.violations() == ["P6 c2: c1-7 after c1-8"]
    run.fault(54, 55, "kill9", "broker-0")
    assert run.violations() == []


def test_a_message_after_an_unsubscribe_is_reported(run):
    run.unsubscribe(57, "c2", "log:1")
    assert run.violations() == []
    run.message(57.2, "c2", "log:1", 4, "m4")
    assert run.violations() == ["P6 c2: a message of log:1, where it is not subscribed"]


def test_a_message_of_a_channel_that_was_never_subscribed_is_reported(run):
    run.message(54.2, "c1", "log:1", 2, "m2")
    assert run.violations() == ["P6 c1: a message of log:1, where it is not subscribed"]


def test_who_was_unsubscribed_by_the_server_gets_nothing_more(run):
    run.saw(57, "c2", "unsubscribed", channel="log:1", reason="server")
    run.publish(60, "m4", "log:1", 4)
    assert run.violations() == []
    run.message(61, "c2", "log:1", 4, "m4")
    assert run.violations() == ["P6 c2: a message of log:1, where it is not subscribed"]


def test_a_channel_that_connect_has_chosen_is_subscribed(run):
    run.client("c3", 60, 100)
    for r in run.records["clients"]:
        if r["name"] == "c3" and r["what"] == "connecting":
            r["chosen"] = "log:1"
    run.saw(60.3, "c3", "ack", channel="log:1", epoch=E1, offset=3)
    assert run.violations() == []
    run.publish(60.5, "m4", "log:1", 4)
    run.message(60.7, "c2", "log:1", 4, "m4")
    assert run.violations() == ["P5 c3: m4 (log:1 4) never came"]


# ACTIONS


def test_an_action_without_an_answer_is_reported(run):
    run.act(58, "c2", "subscribe", "log:2")
    assert run.violations() == ["ACTIONS c2: subscribe 1 had no answer within the bound"]
    run.fault(60, 95, "stop", "broker-0")
    assert run.violations() == []


def test_an_action_with_two_answers_is_reported(run):
    run.saw(57, "c2", "ack", id=0, channel="log:1", epoch=E1, offset=3)
    assert "ACTIONS c2: subscribe 0 was answered twice" in run.violations()


def test_an_answer_to_nothing_is_reported(run):
    run.saw(57, "c2", "ack", id=7, channel="log:1", epoch=E1, offset=3)
    assert "ACTIONS c2: an answer 7 that was not asked" in run.violations()


@pytest.mark.parametrize(("code", "retryable"), [("unavailable", True), ("forbidden", False)])
def test_an_error_is_reported_unless_it_may_be_retried_after_a_fault(run, code, retryable):
    id = run.act(58, "c2", "subscribe", "log:2")
    run.saw(58.1, "c2", "nack", id=id, channel="log:2", code=code, retryable=retryable)
    assert run.violations() == [f"ACTIONS c2: subscribe 1 got {code} while all is well"]
    run.fault(55, 56, "kill9", "broker-0")
    assert run.violations() == ([] if retryable else [f"ACTIONS c2: subscribe 1 got {code}"])


# PRESENCE


def seated(run):
    """c2 is in who:1 from 60 to 80, as u2."""
    for r in run.records["clients"]:
        if r["name"] == "c2" and r["what"] == "connecting":
            r["user"] = "u2"
    run.subscribe(60, "c2", "who:1", 0)
    run.unsubscribe(80, "c2", "who:1")


def test_the_members_are_who_is_subscribed(run):
    seated(run)
    run.look(70, "who:1", [["ID-c2", "u2"]])
    run.look(120, "who:1", [])
    status, out = run.checked()
    assert status == 0 and "2 looks, 1 members, 1 subscribers looked up" in out, out


def test_a_subscriber_who_is_no_member_is_reported(run):
    seated(run)
    run.look(70, "who:1", [])
    assert run.violations() == ["PRESENCE c2: subscribed to who:1, but no member"]
    run.fault(50, 60, "redis_empty", "redis")
    assert run.violations() == []


@pytest.mark.parametrize("t", [55, 95])
def test_a_member_who_is_not_subscribed_is_reported(run, t):
    seated(run)
    run.look(t, "who:1", [["ID-c2", "u2"]])
    assert run.violations() == ["PRESENCE c2: a member of who:1, where it is not subscribed"]


def test_a_member_may_stay_for_the_grace(run):
    seated(run)
    run.look(82, "who:1", [["ID-c2", "u2"]])
    assert run.violations() == []


def test_a_member_that_nobody_knows_is_reported(run):
    run.look(70, "who:1", [["ID-ghost", None]])
    assert run.violations() == [
        "PRESENCE ID-ghost is a member of who:1, where it is not subscribed"
    ]


def test_a_member_under_another_user_is_reported(run):
    seated(run)
    run.look(70, "who:1", [["ID-c2", "u9"]])
    assert run.violations() == ["PRESENCE c2: u2 is u9 in who:1"]


def test_wrong_counts_are_reported(run):
    seated(run)
    run.look(70, "who:1", [["ID-c2", "u2"]], users=2)
    assert run.violations() == [
        "PRESENCE who:1 has 1 connections and 2 users, but 1 and 1 members"
    ]
