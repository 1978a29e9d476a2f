"""The checker, on small histories that are made up: each rule is kept in one, broken in another."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import planted  # noqa: E402
from checks import rules  # noqa: E402
from made_up import CHECK, Run  # noqa: E402

@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_run_in_which_all_is_well_has_no_violation_and_is_counted(run):
    run.pushed(55, "ID-c1", "p1", 200)
    run.saw(55, "c1", "push", nonce="p1")
    run.fault(20, 30, "kill9", "broker-0")
    status, out = run.checked()
    assert status == 0 and out.splitlines()[-1] == "0 violations"
    assert "1 connections, 4 events, 4 invocations, 2 messages, 1 pushes" in out
    assert "1 faults: 1 kill9" in out


def test_a_violation_comes_with_the_story_of_that_connection_and_faults_near_it(run):
    run.fault(30, 31, "kill9", "broker-0")
    run.fault(52.5, 53, "stop", "broker-1")
    run.without("clients", what="answer", n=1)
    _, out = run.checked()
    story = out[out.index("c1: message 1 had no answer") :].split("\nP")[0]
    assert "client    sent n=1" in story and "sent n=0" not in story
    assert "59.000 VIOLATION message 1 had no answer within the bound" in story
    assert "… 3 records of other messages" in story
    assert "FAULT     stop broker-1, 0.5 s" in story and "kill9" not in story


def test_each_rule_says_how_much_it_judged(run):
    run.pushed(53, "ID-c1", "p1", 200)
    run.saw(53, "c1", "push", nonce="p1")
    (run.folder / "edge-0.log").write_text("2026-11-22T10:00:00.000Z info edge-0 edge.number n=1\n")
    run.sampled(5000, 40, t=25)
    run.sampled(5000, 40, t=199)
    _, out = run.checked()
    for judged in ("1 connections, 1 disconnects, 0 disconnects of dead edges", "3 pairs of events",
                   "200 looks, 0 looks not judged", "2 messages, 2 messages for functions",
                   "1 processes", "1 pushes to the living", "1 lines, 1 logs"):  # fmt: skip
        assert judged in out, out


def test_a_rule_with_less_to_judge_than_the_run_should_have_given_is_reported(run):
    run.meta["judged"] = {"P3": {"looks": 150, "sockets looked up": 0}, "P8": {"messages": 1}}
    run.fault(70, 100, "kill9", "broker-0")
    assert run.violations() == ["JUDGED P8 judged 0 messages, and 1 at least were to be had"]
    run.fault(51, 55, "redis_stop", "redis")
    assert run.violations() == ["JUDGED P3 judged 142 looks, and 150 at least were to be had"]


# P1


def test_a_connection_without_a_disconnect_is_reported(run):
    run.without_call("DISCONNECT")
    assert run.violations() == ["P1 c1: no DISCONNECT"]


def test_a_disconnect_that_became_a_dead_letter_is_not_missed(run):
    run.without_call("DISCONNECT")
    run.records["parked"] = [{"t": 199, "connectionId": "ID-c1"}]
    assert run.violations() == []


def test_a_disconnect_that_is_pending_at_the_end_is_reported(run):
    run.records["pending"] = [{"t": 199, "connectionId": "ID-c1"}]
    assert run.violations() == ["P1 c1: its DISCONNECT (ID-c1) is pending at the end"]
    run.records["pending"] = [{"t": 199, "connectionId": "ID-of-nobody"}]
    assert run.violations() == ["P1 its DISCONNECT (ID-of-nobody) is pending at the end"]


def test_a_disconnect_that_no_function_accepted_is_reported(run):
    run.without_call("DISCONNECT")
    run.fault(60, 80, "function_fail", "http")
    run.invoked(61, "c1", "DISCONNECT", status=500, code=1000)
    assert run.violations() == ["P1 c1: DISCONNECT never done, nor parked"]
    run.invoked(85, "c1", "DISCONNECT", status=200, code=1000)
    assert run.violations() == []


def test_a_connection_without_a_connect_is_reported(run):
    run.without_call("CONNECT")
    assert "P1 c1: 0 CONNECTs" in run.violations()


def test_two_disconnects_are_reported(run):
    run.invoked(60.5, "c1", "DISCONNECT", code=1006, requestId="another")
    assert "P1 c1: 2 DISCONNECTs" in run.violations()


def test_the_same_event_again_after_a_crash_is_fine(run):
    run.fault(51, 53, "kill9", "broker-0")
    run.invoked(53, "c1", "CONNECT")
    assert run.violations() == []


@pytest.mark.parametrize("what", [{"event": "other"}, {"time": 2}, {"code": 1006}])
def test_an_event_that_changes_when_it_comes_again_is_reported(run, what):
    run.fault(60, 61, "kill9", "broker-0")
    run.invoked(60.5, "c1", "DISCONNECT", **{"code": 1000, **what})
    assert run.violations() == [f"P1 c1: DISCONNECT came again with another {list(what)[0]}"]


def test_a_disconnect_may_change_when_redis_and_its_edge_are_not_what_they_were(run):
    run.invoked(68, "c1", "DISCONNECT", code=1006)
    run.fault(59, 62, "redis_restore", "redis")
    assert run.violations() == ["P1 c1: DISCONNECT came again with another code"]
    run.fault(63, 70, "kill9", "edge-0")
    assert run.violations() == []


def test_a_disconnect_that_a_restored_redis_does_not_have_is_not_missed(run):
    run.without_call("DISCONNECT")
    run.fault(58, 62, "redis_restore", "redis")
    assert run.violations() == []


def test_a_disconnect_that_went_back_with_redis_while_its_edge_was_cut_off_is_not_missed(run):
    """Seed 9528: its client heard of the end when the edge was back, long after Redis was."""
    run.client("c2", 80, 110, edge="edge-1")
    run.without("clients", name="c2", what="closing")
    run.without("clients", name="c2", what="closed")
    run.without_call("DISCONNECT", name="c2")
    run.saw(110, "c2", "closed", code=None, by="reset")
    run.fault(90, 95, "redis_restore", "redis")
    assert "P1 c2: no DISCONNECT" in run.violations()
    run.fault(91, 109, "cut", "edge-1")
    assert run.violations() == []


def test_a_disconnect_of_somebody_who_was_refused_is_reported(run):
    run.saw(70, "c2", "connecting", edge="edge-0")
    run.invoked(70.1, "c2", "CONNECT", status=403)
    run.saw(70.2, "c2", "refused", status=403, retry_after=None)
    assert run.violations() == []
    run.invoked(70.3, "c2", "DISCONNECT", code=1006)
    assert run.violations() == ["P1 c2: a DISCONNECT, but nobody let it in"]


def test_a_disconnect_of_somebody_whose_edge_died_before_its_connect_is_no_violation(run):
    run.fault(70.2, 71, "kill9", "edge-0")
    run.saw(70, "c2", "connecting", edge="edge-0")
    run.saw(70.2, "c2", "refused", status=0, retry_after=None)
    run.invoked(72, "c2", "DISCONNECT", code=1006)
    assert not [v for v in run.violations() if "nobody let it in" in v]


def test_a_disconnect_with_another_code_than_the_client_gave_is_reported(run):
    run.without_call("DISCONNECT")
    run.invoked(60.1, "c1", "DISCONNECT", code=1006)
    assert run.violations() == ["P1 c1: closed with 1000, DISCONNECT says 1006"]
    run.fault(60.05, 70, "kill9", "edge-0")
    assert run.violations() == [], "the edge died before it could pass on the code"


def test_a_disconnect_of_a_connected_client_is_reported(run):
    run.without_call("DISCONNECT")
    run.invoked(57, "c1", "DISCONNECT", code=1000)
    assert "P1 c1: DISCONNECT while the client was connected" in run.violations()


def test_a_client_that_stays_after_its_edge_expired_is_reported(run):
    run.without_call("DISCONNECT")
    run.invoked(53, "c1", "DISCONNECT", code=1000)
    run.fault(40, 50, "stop", "edge-0")
    assert run.violations() == [], "it may take until the bound"
    run.records["faults"] = []
    run.fault(25, 35, "stop", "edge-0")
    assert "P1 c1: DISCONNECT while the client was connected" in run.violations()


def test_a_disconnect_that_redis_forgot_is_missed_when_its_edge_could_tell_it(run):
    run.without_call("DISCONNECT")
    run.fault(58, 62, "redis_empty", "redis")
    assert run.violations() == ["P1 c1: no DISCONNECT"]
    run.fault(60.05, 70, "kill9", "edge-0")
    assert run.violations() == []


def killed_edge(run, disconnect_at):
    """c2 is on an edge that is killed at 100."""
    run.client("c2", 80, 100, edge="edge-1")
    run.without("clients", name="c2", what="closing")
    run.without("clients", name="c2", what="closed")
    run.without_call("DISCONNECT", name="c2")
    run.saw(100.1, "c2", "closed", code=None, by="reset")
    run.invoked(disconnect_at, "c2", "DISCONNECT", code=1006)


@pytest.mark.parametrize(
    ("kind", "at", "excused"),
    [("redis_empty", 105, True), ("redis_kill9", 105, False), ("redis_restart", 105, False),
     ("redis_empty", 85, False), ("redis_empty", 117, False)],
)  # fmt: skip
def test_the_disconnects_of_a_killed_edge_may_be_lost_with_a_redis_that_forgets_and_no_other(
    run, kind, at, excused
):
    killed_edge(run, 111)
    run.without_call("DISCONNECT", name="c2")
    run.fault(100, 101, "kill9", "edge-1", "broker-0")
    run.fault(at, at + 1, kind, "redis")
    assert run.violations() == ([] if excused else ["P1 c2: no DISCONNECT"])


def test_of_an_edge_that_lives_no_disconnect_may_be_lost_with_redis(run):
    killed_edge(run, 111)
    run.without_call("DISCONNECT", name="c1")
    run.fault(60, 61, "kill9", "edge-1", "broker-0")
    run.fault(58, 59, "redis_empty", "redis")
    assert "P1 c1: no DISCONNECT" in run.violations()


def test_the_disconnects_of_a_killed_edge_have_until_the_bound(run):
    killed_edge(run, 111)
    run.fault(100, 130, "kill9", "edge-1")
    assert run.violations() == []


def test_a_disconnect_after_the_bound_is_reported(run):
    killed_edge(run, 114)
    run.fault(100, 130, "kill9", "edge-1")
    assert run.violations() == ["P1 c2: DISCONNECT 1.9 s after the bound"]


def test_the_bound_begins_when_the_last_trouble_is_over(run):
    killed_edge(run, 121)
    run.fault(100, 130, "kill9", "edge-1")
    run.fault(105, 110, "redis_stop", "redis")
    assert run.violations() == []


# P2


def test_messages_that_begin_out_of_order_are_reported(run):
    run.without_call("MESSAGE", n=0)
    run.invoked(53, "c1", "MESSAGE", n=0)
    assert "P2 c1: message 0 began after message 1" in run.violations()


def test_a_message_again_after_later_ones_is_fine(run):
    run.fault(52, 55, "stop", "broker-0")
    run.invoked(55, "c1", "MESSAGE", n=0)
    assert run.violations() == []


def test_a_message_after_the_disconnect_is_reported(run):
    run.without_call("MESSAGE", n=1)
    run.invoked(60.3, "c1", "MESSAGE", n=1)
    assert run.violations() == ["P2 c1: message 1 began after DISCONNECT"]


def test_a_message_before_the_connect_has_ended_is_reported(run):
    run.without_call("CONNECT")
    run.invoked(50.1, "c1", "CONNECT", seconds=1.5)
    assert run.violations() == ["P2 c1: message 0 began during CONNECT"]


# P3


def row(run, t, ids):
    for sample in run.records["table"]:
        if sample["t"] == t:
            sample["ids"] = ids


def test_a_client_that_is_not_in_the_table_is_reported(run):
    row(run, 55.5, [])
    assert run.violations() == ["P3 c1: connected, but not in the table"]


def test_the_table_may_be_wrong_until_the_bound_after_a_fault(run):
    row(run, 55.5, [])
    run.fault(40, 44, "redis_empty", "redis")
    assert run.violations() == []


def test_a_row_that_stays_is_reported(run):
    row(run, 62.5, ["ID-c1"])
    assert run.violations() == ["P3 c1: in the table after the bound"]


def test_a_row_of_nobody_is_reported(run):
    row(run, 100.5, ["ID-ghost"])
    assert run.violations() == ["P3 a row ID-ghost that no $connect was told of"]


def test_the_table_must_be_right_while_functions_fail_and_clients_vanish(run):
    row(run, 55.5, [])
    run.fault(50, 58, "function_fail", "http")
    run.fault(50, 58, "vanish", "clients-3")
    assert run.violations() == ["P3 c1: connected, but not in the table"]


def test_a_row_whose_connect_waits_for_a_function_is_no_violation(run):
    run.saw(100, "c2", "connecting", edge="edge-0")
    for t in (100.5, 101.5, 102.5, 103.5):
        row(run, t, ["ID-c2"])
    run.invoked(103, "c2", "CONNECT", status=403)
    run.saw(103.2, "c2", "refused", status=403, retry_after=None)
    assert run.violations() == ["P3 c2: in the table after the bound"]
    run.fault(99, 102, "function_slow", "http")
    assert run.violations() == []


def test_a_row_at_the_end_is_reported_whatever_has_happened(run):
    row(run, 199.5, ["ID-c1"])
    run.fault(190, 198, "redis_stop", "redis")
    assert run.violations() == ["P3 c1: ID-c1 in the table at the end"]


# P4


def closed_by_server(run, at=60):
    run.without("clients", what="closing")
    run.without("clients", what="closed")
    run.saw(at, "c1", "closed", code=1012, by="server")


def test_a_client_that_the_server_closed_is_reported(run):
    closed_by_server(run)
    run.fault(58, 61, "kill9", "broker-0")
    assert run.violations() == ["P4 c1: closed by server with 1012"]


@pytest.mark.parametrize(
    "fault",
    [(59.9, 70, "kill9", "edge-0"), (50, 61, "drain", "edge-0"),
     (50, 61, "hurry", "edge-0"), (49, 59, "stop", "edge-0"),
     (49, 59, "cut", "edge-0")],
)  # fmt: skip
def test_a_client_may_lose_its_socket_with_its_edge(run, fault):
    closed_by_server(run)
    run.fault(*fault)
    assert run.violations() == []


@pytest.mark.parametrize(
    "fault",
    [(59.9, 70, "kill9", "edge-1"), (49, 59, "cut", "edge-0", "broker-1"),
     (57, 59, "stop", "edge-0"), (49, 59, "redis_stop", "redis"), (49, 59, "stop", "broker-0")],
)  # fmt: skip
def test_a_client_may_not_lose_its_socket_by_anything_else(run, fault):
    closed_by_server(run)
    run.fault(*fault)
    assert run.violations() == ["P4 c1: closed by server with 1012"]


def test_an_edge_without_any_broker_may_close_its_clients(run):
    closed_by_server(run)
    run.fault(49, 58, "cut", "edge-0", "broker-0")
    run.fault(50, 59, "cut", "edge-0", "broker-1")
    assert run.violations() == []
    run.fault(20, 20, "add", "broker-2")
    assert run.violations() == ["P4 c1: closed by server with 1012"], "it has broker-2"
    run.fault(45, 65, "kill9", "broker-2")
    assert run.violations() == []


def test_a_message_that_is_answered_twice_is_reported(run):
    run.saw(53, "c1", "answer", n=1)
    assert run.violations() == ["P4 c1: message 1 answered twice"]


def test_answers_out_of_order_are_reported(run):
    run.without("clients", what="answer", n=0)
    run.saw(52.3, "c1", "answer", n=0)
    assert run.violations() == ["P4 c1: message 0 answered after 1"]


def test_an_answer_that_nobody_asked_for_is_reported(run):
    run.saw(53, "c1", "answer", n=7)
    assert run.violations() == ["P4 c1: an answer 7, which was not asked"]


def test_a_message_without_an_answer_is_reported_when_its_client_waited(run):
    run.without("clients", what="answer", n=1)
    assert run.violations() == ["P4 c1: message 1 had no answer within the bound"]
    run.fault(55, 56, "kill9", "broker-0")
    assert run.violations() == [], "the bound began anew, and the client left"


def test_an_error_frame_stands_for_an_answer_while_functions_fail(run):
    run.without("clients", what="answer", n=1)
    run.saw(53, "c1", "error", text="Internal server error")
    assert run.violations() == ["P4 c1: the client got 'Internal server error'"]
    run.fault(51, 53, "function_fail", "http")
    assert run.violations() == []


def test_a_message_that_came_to_no_function_is_reported(run):
    run.saw(59, "c1", "sent", n=2, two_way=False)
    assert run.violations() == ["P4 c1: message 2 never came to its function"]
    run.invoked(59.1, "c1", "MESSAGE", n=2)
    assert run.violations() == []


def test_a_function_that_is_asked_again_while_all_is_well_is_reported(run):
    run.invoked(51.5, "c1", "MESSAGE", n=0)
    assert run.violations() == ["P4 c1: message 0 again, while all is well"]


# P7


def test_a_process_that_grew_after_it_was_warm_is_reported(run):
    run.sampled(5000, 40, t=25)
    run.sampled(5900, 44, t=199)
    assert run.violations() == []
    run.sampled(6100, 46, t=199.5)
    assert run.violations() == [
        "P7 edge-0 (pid 9): rss 1100 more than when it was warm",
        "P7 edge-0 (pid 9): fds 6 more than when it was warm",
    ]


# P8


def test_a_message_must_be_answered_while_redis_is_unreachable(run):
    run.fault(51, 70, "redis_stop", "redis")
    assert run.violations() == []
    run.without("clients", what="answer", n=1)
    assert run.violations() == ["P8 c1: message 1 had no answer within the bound"]


@pytest.mark.parametrize(
    "status, retry_after, wrong",
    [(503, "1", None), (503, None, "without Retry-After"), (500, None, "instead of 101 or 503")],
)
def test_new_clients_get_101_or_a_503_that_says_when_to_come_again(run, status, retry_after, wrong):
    run.fault(70, 80, "redis_stop", "redis")
    run.saw(75, "c2", "connecting", edge="edge-1")
    run.saw(75.5, "c2", "refused", status=status, retry_after=retry_after)
    assert run.violations() == ([f"P8 c2: refused with {status} {wrong}"] if wrong else [])


def test_a_503_while_all_is_well_is_reported(run):
    run.saw(75, "c2", "connecting", edge="edge-1")
    run.saw(75.5, "c2", "refused", status=503, retry_after="1")
    assert run.violations() == ["P8 c2: refused with 503 while all is well"]


def test_a_new_client_without_an_answer_is_reported_unless_its_edge_was_unreachable(run):
    run.saw(75, "c2", "connecting", edge="edge-1")
    run.saw(85, "c2", "failed", why="no answer")
    assert run.violations() == ["P8 c2: no answer to its upgrade within the bound"]
    run.fault(74, 90, "kill9", "edge-1")
    assert run.violations() == []


# PUSH


def test_a_push_that_came_to_another_client_is_reported(run):
    run.client("c2", 50, 60)
    run.pushed(53, "ID-c1", "p1", 200)
    run.saw(53, "c2", "push", nonce="p1")
    assert run.violations() == ["PUSH c2: p1 was for ID-c1"]


def test_a_push_that_came_twice_is_reported(run):
    run.pushed(53, "ID-c1", "p1", 200)
    run.saw(53, "c1", "push", nonce="p1")
    assert run.violations() == []
    run.saw(54, "c1", "push", nonce="p1")
    assert run.violations() == ["PUSH c1: p1 came 2 times"]


def test_a_push_that_was_taken_and_never_came_is_reported_unless_its_client_left(run):
    run.pushed(59, "ID-c1", "p2", 200)
    assert run.violations() == []
    run.pushed(53, "ID-c1", "p1", 200)
    assert run.violations() == ["PUSH c1: p1 got 200, but never came"]


@pytest.mark.parametrize("status, t", [(410, 53), (503, 53), (429, 53), (0, 100)])
def test_a_push_that_is_refused_while_all_is_well_is_reported(run, status, t):
    run.pushed(t, "ID-c1", "p1", status)
    assert run.violations() == [f"PUSH c1: p1 got {status} while all is well"]
    run.fault(t - 2, t - 1, "kill9", "broker-0")
    assert run.violations() == []


def test_410_for_one_who_has_gone_is_fine(run):
    run.pushed(100, "ID-c1", "p1", 410)
    assert run.violations() == []


def test_a_status_that_no_client_of_the_api_expects_is_reported_at_any_time(run):
    run.fault(50, 100, "redis_stop", "redis")
    run.pushed(53, "ID-c1", "p1", 500)
    assert run.violations() == ["PUSH c1: p1 got 500"]


# LOGS


@pytest.mark.parametrize(
    "line, wrong",
    [
        ("2026-11-22T10:00:00.000Z warn edge-0 link.down broker=broker-0", False),
        ("2026-11-22T10:00:00.000Z info edge-0 edge.number number=1", False),
        ("2026-11-22T10:00:00.000Z error broker-0 store.wrong what=that", True),
        ("==7==ERROR: AddressSanitizer: heap-use-after-free", True),
        ("gatepost-edge: edge/link/lane.c:16: lane_begin: Assertion `x' failed.", True),
    ],
)
def test_a_line_that_no_fault_explains_is_reported(run, line, wrong):
    (run.folder / "edge-0.log").write_text(line + "\n")
    assert run.violations() == ([f"LOGS edge-0.log: {line}"] if wrong else [])


def test_a_process_that_died_by_itself_is_reported(run):
    record = {"t": 70, "id": 9, "fault": "died", "target": ["edge-1"], "phase": "once"}
    run.records["faults"].append(record)
    assert run.violations() == ["LOGS ['edge-1'] died by itself"]


# The planted bugs, which ./dev chaos --planted runs


@pytest.mark.parametrize("path", sorted(CHECK.parent.glob("planted/*.patch")), ids=lambda p: p.stem)
def test_a_planted_bug_fits_the_tree_and_names_its_rule(path):
    bug = planted.Bug(path)
    assert bug.rule in [rule.__doc__.split()[0] for rule in rules.RULES]
    words = ["patch", "-p1", "-N", "--dry-run", "-i", path]
    done = subprocess.run(words, cwd=planted.ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
