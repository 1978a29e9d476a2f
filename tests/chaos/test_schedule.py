"""The schedule: which faults a seed gives, and what stands between them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import faults  # noqa: E402
import schedule  # noqa: E402

SEEDS = range(1, 60)


def plans(minutes=5, **more):
    return [schedule.plan(seed, minutes, **more) for seed in SEEDS]


def test_a_seed_gives_the_same_faults_each_time():
    assert str(schedule.plan(7, 5)) == str(schedule.plan(7, 5)) != str(schedule.plan(8, 5))


@pytest.mark.parametrize("card", schedule.DECK)
def test_each_card_gives_a_fault_that_can_be_done(card):
    plan = schedule.plan(3, 1, [card])
    assert plan.faults and {f.kind for f in plan.faults} <= set(faults.KINDS)


def test_behind_each_bout_the_table_has_its_time_and_then_a_quiet_window():
    for plan in plans():
        over = 0
        for fault in plan.faults:
            if fault.calm > 1:
                assert fault.at >= over + plan.settle + schedule.QUIET[0] - 0.1
            over = max(over, fault.over)
        assert plan.calm >= plan.settle + schedule.QUIET[0]
        assert plan.quiet >= 5 * schedule.QUIET[0]


def test_without_namespaces_nothing_is_cut():
    kinds = {f.kind for plan in plans(namespaces=False) for f in plan.faults}
    assert kinds and not kinds & {"cut", "vanish"}


def test_there_are_never_more_brokers_than_hosts_nor_fewer_than_two():
    for plan in plans(minutes=10, cards=["add broker", "remove broker"]):
        brokers = len(plan.brokers)
        for fault in plan.faults:
            brokers += {"add": 1, "remove": -1}[fault.kind]
            assert schedule.FEWEST_BROKERS <= brokers <= schedule.MOST_BROKERS


def test_the_broker_that_reaps_a_dead_edge_is_sought_from_that_edges_death_on():
    for plan in plans(cards=["kill9 reaper", "stop reaper"]):
        for edge, reaper in zip(plan.faults[::2], plan.faults[1::2]):
            assert (edge.kind, edge.at) == ("kill9", reaper.at)
            assert edge.seconds > plan.timings["edge-lease"] and not reaper.target


def test_who_claims_a_dead_edges_disconnects_is_killed_while_their_function_is_slow():
    for plan in plans(cards=["kill9 claimer"]):
        scenes = [plan.faults[i : i + 3] for i in range(0, len(plan.faults), 3)]
        for edge, claimer, slow in scenes:
            assert (edge.kind, claimer.kind) == ("kill9", "kill9")
            assert claimer.claims and not claimer.target
            assert (slow.kind, slow.target) == ("function_slow", [plan.manager])
            least, most = schedule.CLAIM_LAG
            assert least <= claimer.lag <= most
            lapse = edge.at + plan.timings["edge-lease"]
            assert slow.at <= lapse - 0.9 and slow.at + slow.seconds >= lapse + schedule.SEEKING
