"""Each connection's one $disconnect: whatever dies, and however often its function fails."""

import json
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from lib.cluster import BIN, Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.wire import CLOSE, Close, WebSocket, frame

LEASE = 3
# Seconds from the death of an edge to its last disconnect. The promise is lease + 2 s, and bench/
# measures it; here functions of Python on a busy machine are asked, and have some seconds more.
BOUND = LEASE + 2 + 5
# For tests in which processes die. Others have the times of production: a busy machine, too, lets
# a process stand still for a second, and then it must not be taken for dead.
TIMES = {
    "GATEPOST_EDGE_LEASE": f"{LEASE}s",
    "GATEPOST_SILENCE": "1s",
    "GATEPOST_HEARTBEAT": "200ms",
}
DEATHS = ["process.exited", "link.down", "edge.expired", "broker.stopped", "up.*"]
FAILING = ["function.failed", "disconnect.dead_letter"]

# A failure over HTTP is tried again at once, several times, unless the answer was too large:
# so each of these is one try.
FAILS = Reply(200, "x" * 5000)


@pytest.fixture
def functions():
    with FunctionServer() as it:
        yield it


@contextmanager
def running(folder, functions, edges=1, brokers=2, expect=(), authorizer=None, **env):
    """A cluster whose $disconnect is the function bye."""
    more = {"authorizer": authorizer} if authorizer else {}
    routes = {
        "hello": function(functions.url("hello"), websocket("$connect", **more)),
        "bye": function(functions.url("bye"), websocket("$disconnect"), timeout=20),
        "echo": function("builtin:echo", websocket("$default", two_way=True)),
    }
    if authorizer:
        routes[authorizer["name"]] = function(functions.url(authorizer["name"]))
    args = ["--config", project(folder, routes)]
    env["GATEPOST_HTTP_MAX_RESPONSE"] = "4KiB"
    with Cluster(edges, brokers, args, expect, env=env) as it:
        yield it


def connect(cluster, n=1):
    return [WebSocket(cluster.websocket) for _ in range(n)]


def leave(client):
    client.send(frame(CLOSE, b"\x0f\xa1done"))
    assert client.next() == Close(4001, "")
    client.socket.close()


def kill(cluster, *names, how=signal.SIGKILL):
    """All at once; {name: its pid}."""
    pids = {name: cluster.process(name)["pid"] for name in names}
    for pid in pids.values():
        os.kill(pid, how)
    return pids


def are_restarted(cluster, pids):
    for name, pid in pids.items():
        until(lambda n=name, p=pid: cluster.process(n)["pid"] != p, f"{name} is started again")


def state(event):
    return event["requestContext"]


def all_of(functions, n):
    """The events of bye, as soon as n connections have theirs; {connection id: its events}."""

    def by_connection():
        events = {}
        for call in functions.calls("bye"):
            events.setdefault(call.id, []).append(call.event)
        return events if len(events) >= n else None

    return until(by_connection, f"{n} connections have had their disconnect")


def assert_each_is_one_event(events):
    for connection, same in events.items():
        assert all(event == same[0] for event in same), connection


def assert_works(cluster):
    """A new connection comes, is answered, and goes with all traces."""
    with WebSocket(cluster.websocket) as client:
        assert client.ask("hello") == "hello"
    until(lambda: cluster.table() == {}, "the table is empty")


def management(cluster, method, path):
    status, body = cluster.get(f"{cluster.management}{path}", method)
    return status, json.loads(body) if body else None


def parked(cluster):
    status, page = management(cluster, "GET", "/@disconnects")
    assert status == 200 and "next" not in page
    return page["disconnects"]


def gatepost(cluster, *words, **env):
    return subprocess.run(
        [BIN / "gatepost", "disconnects", *words], capture_output=True, text=True, timeout=60,
        env={**os.environ, "GATEPOST_MANAGEMENT": cluster.management, **env},
    )  # fmt: skip


# The function fails


def test_a_function_that_fails_gets_the_same_event_after_pauses_until_it_succeeds(
    functions, tmp_path
):
    answers = iter([FAILS, FAILS, FAILS])
    functions.answer("bye", lambda _: next(answers, proxy(200)))
    with running(tmp_path, functions, expect=FAILING) as cluster:
        (client,) = connect(cluster)
        leave(client)
        calls = [functions.next("bye") for _ in range(4)]
        until(lambda: cluster.owed() == 0, "nothing is owed any more")
        assert functions.calls("bye") == [], "and not once more"
    assert all(call.event == calls[0].event for call in calls)
    assert state(calls[0].event)["disconnectStatusCode"] == 4001
    assert state(calls[0].event)["disconnectReason"] == "done"
    pauses = [b.at - a.at for a, b in zip(calls, calls[1:])]
    assert pauses[0] > 0.7 and pauses[1] > 1.4 and pauses[2] > 2.8, "1, 2, 4 s less a quarter"


def test_while_it_is_pending_the_table_and_the_edge_have_nothing_of_the_connection(
    functions, tmp_path
):
    functions.answer("bye", FAILS)
    with running(tmp_path, functions, expect=FAILING) as cluster:
        (client,) = connect(cluster)
        connection_id = client.row_id(cluster)
        assert connection_id
        leave(client)
        functions.next("bye", connection_id)
        assert cluster.table() == {}, "its row leaves before the function is asked"
        until(
            lambda: cluster.metrics("edge-0")["gatepost_edge_connections"] == 0,
            "its edge has forgotten it",
        )
        assert cluster.owed() == 1
        functions.answer("bye", proxy(200))
        until(lambda: cluster.owed() == 0, "it is handled in the end")


# After the last try


@pytest.fixture
def failed(functions, tmp_path):
    """(cluster, connection id, event) of a disconnect that is parked after two tries."""
    functions.answer("bye", FAILS)
    env = {"GATEPOST_DISCONNECT_TRIES": "2"}
    with running(tmp_path, functions, expect=FAILING, **env) as cluster:
        (client,) = connect(cluster)
        leave(client)
        first, second = functions.next("bye"), functions.next("bye")
        assert first.event == second.event
        until(lambda: len(parked(cluster)) == 1, "it is parked")
        yield cluster, first.id, first.event


def count(cluster, broker):
    return cluster.metrics(broker)["gatepost_broker_disconnects_parked"]


def test_after_the_last_try_it_is_a_dead_letter_where_people_see_it(failed, functions):
    cluster, connection, event = failed
    (one,) = parked(cluster)
    assert (one["connectionId"], one["code"], one["reason"]) == (connection, 4001, "done")
    assert one["tries"] == 2 and "large" in one["error"]
    assert one["connectedAt"] < one["disconnectedAt"]
    listed = gatepost(cluster).stdout.splitlines()
    assert listed[0].split() == ["CONNECTION", "ENDED", "CODE", "TRIES", "ERROR"]
    assert listed[1].split()[:4] == [connection, one["disconnectedAt"], "4001", "2"]
    assert [json.loads(row) for row in gatepost(cluster, "--json").stdout.splitlines()] == [one]
    for broker in ("broker-0", "broker-1"):
        until(lambda b=broker: count(cluster, b) == 1, f"{broker} counts it")
    assert functions.calls("bye") == [] and cluster.owed() == 0


@pytest.mark.parametrize("which", ["ID", "all"])
def test_retry_makes_the_same_event_come_again_and_it_is_no_dead_letter_any_more(failed, functions, which):
    cluster, connection, event = failed
    functions.answer("bye", proxy(200))
    done = gatepost(cluster, "--retry", connection if which == "ID" else "all")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if which == "ID" else "retried 1\n")
    assert functions.next("bye").event == event
    until(lambda: cluster.owed() == 0, "the function has it")
    assert parked(cluster) == [] and functions.calls("bye") == []


def test_one_that_is_retried_and_fails_as_often_is_a_dead_letter_again(failed, functions):
    cluster, connection, event = failed
    assert management(cluster, "POST", f"/@disconnects/{connection}") == (202, None)
    assert [functions.next("bye").event for _ in range(2)] == [event, event]
    until(lambda: [one["tries"] for one in parked(cluster)] == [2], "it is parked again")


@pytest.mark.parametrize("which", ["ID", "all"])
def test_drop_forgets_it(failed, functions, which):
    cluster, connection, _ = failed
    done = gatepost(cluster, "--drop", connection if which == "ID" else "all")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if which == "ID" else "dropped 1\n")
    assert parked(cluster) == [] and cluster.owed() == 0
    assert functions.calls("bye") == []
    again = gatepost(cluster, "--drop", connection)
    assert again.returncode == 3 and "No such dead letter" in again.stderr


def test_variables_that_are_left_over_do_nothing_to_dead_letters(failed):
    cluster, connection, _ = failed
    done = gatepost(cluster, GATEPOST_RETRY="250ms", GATEPOST_DROP="all")
    assert done.returncode == 0 and connection in done.stdout
    assert len(parked(cluster)) == 1


# The management API


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2) as it:
        yield it


NEVER = "AAEAAAAAAAAAAAA="


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_one_that_is_no_dead_letter_is_410(cluster, method):
    for stage in ("", "/dev"):
        answer = management(cluster, method, f"{stage}/@disconnects/{NEVER}")
        assert answer == (410, {"message": "No such dead letter"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/x", 400), ("DELETE", "/x", 400), ("POST", "/", 400), ("POST", "", 400),
     ("DELETE", "", 400), ("DELETE", "?all=yes", 400), ("GET", "?cursor=x", 400),
     ("GET", "?cursor=-1", 400), ("GET", "?cursor=99999999999999999999", 400),
     ("POST", "?all=true&cursor=1x", 400), ("GET", f"/{NEVER}", 405), ("PUT", "", 405)],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(cluster, method, path, status):
    assert management(cluster, method, f"/@disconnects{path}")[0] == status


def test_another_stage_is_forbidden(cluster):
    assert management(cluster, "GET", "/prod/@disconnects")[0] == 403


@pytest.mark.parametrize("words", [("--retry", "x"), ("--retry", "all", "--drop", "all"), ("x",)])
def test_bad_usage_is_status_2(cluster, words):
    done = gatepost(cluster, *words)
    assert done.returncode == 2 and done.stderr


ENTRY = json.dumps(
    {"edge": 7, "time": 2, "code": 1001, "reason": "", "tries": 9, "error": "e\u001b[31m",
     "row": {"connectedAt": 1, "stage": "dev"}}
)  # fmt: skip


@pytest.fixture
def many(cluster):
    """A thousand that are parked, put there as a broker would."""
    ids = [f"AAf{i:011d}A=" for i in range(1000)]
    with cluster.redis() as db:
        db.hset("gatepost:{m}:parked", mapping={i: ENTRY for i in ids})
        yield ids
        db.delete("gatepost:{m}:parked")


def test_many_are_listed_page_by_page_to_their_end(cluster, many):
    _, page = management(cluster, "GET", "/@disconnects")
    assert 0 < len(page["disconnects"]) < 1000 and page["next"]
    listed = gatepost(cluster).stdout.splitlines()[1:]
    assert {line.split()[0] for line in listed} == set(many)
    assert all(line.endswith("  1001  9      e?[31m") for line in listed)


def test_many_are_dropped_by_one_command(cluster, many):
    assert gatepost(cluster, "--drop", "all").stdout == "dropped 1000\n"
    assert parked(cluster) == []


def test_what_nobody_can_read_is_listed_as_that_not_retried_and_can_be_dropped(cluster):
    cluster.expect("store.disconnect")
    with cluster.redis() as db:
        db.hset("gatepost:{m}:parked", mapping={NEVER: "{}", "AAf00000000000A=": ENTRY})
    listed = {one["connectionId"]: one for one in parked(cluster)}
    assert set(listed) == {NEVER, "AAf00000000000A="}
    assert "cannot be read" in listed[NEVER]["error"]
    assert management(cluster, "POST", f"/@disconnects/{NEVER}")[0] == 500
    assert gatepost(cluster, "--retry", "all").stdout == "retried 1\n"
    assert [one["connectionId"] for one in parked(cluster)] == [NEVER]
    assert management(cluster, "DELETE", f"/@disconnects/{NEVER}") == (204, None)
    with cluster.redis() as db:
        assert db.exists("gatepost:{m}:parked") == 0


def test_without_redis_it_is_503_and_status_5(tmp_path):
    expect = ["redis.*", "process.exited", "link.*", "resync.failed", "store.changed"]
    with Cluster(edges=1, brokers=1, expect=expect) as cluster:
        with cluster.redis() as db:
            pid = db.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            for method, path in (("GET", ""), ("POST", f"/{NEVER}"), ("DELETE", "?all=true")):
                assert management(cluster, method, f"/@disconnects{path}")[0] == 503
            assert gatepost(cluster).returncode == 5
        finally:
            os.kill(pid, signal.SIGCONT)


# Brokers die


def busy(cluster):
    """The broker that waits for a $disconnect function."""
    names = [p["name"] for p in cluster.processes if p["role"] == "broker"]
    key = "gatepost_broker_disconnects_running"
    return next((name for name in names if cluster.metrics(name)[key] > 0), None)


def test_a_broker_dies_in_the_middle_of_the_function_and_another_gives_the_same_event(
    functions, tmp_path
):
    hold = threading.Event()
    answers = iter([lambda: hold.wait(20)])
    functions.answer("bye", lambda _: (next(answers, bool)(), proxy(200))[1])
    with running(tmp_path, functions, expect=DEATHS, **TIMES) as cluster:
        (client,) = connect(cluster)
        leave(client)
        first = functions.next("bye")
        pids = kill(cluster, until(lambda: busy(cluster), "a broker waits for the function"))
        assert functions.next("bye").event == first.event
        until(lambda: cluster.owed() == 0, "nothing is owed any more")
        hold.set()
        are_restarted(cluster, pids)
        assert functions.calls("bye") == []
        assert_works(cluster)


# Edges die


def test_an_edge_dies_and_each_of_50_connections_has_its_one_disconnect_in_time(
    functions, tmp_path
):
    with running(tmp_path, functions, expect=DEATHS, **TIMES) as cluster:
        clients = connect(cluster, 50)
        ids = set(cluster.table())
        pids = kill(cluster, "edge-0")
        began = time.monotonic()
        events = all_of(functions, 50)
        took = time.monotonic() - began
        cluster.settle("all have gone")
        are_restarted(cluster, pids)
        assert_works(cluster)
        for client in clients:
            client.socket.close()
    assert set(events) == ids
    assert_each_is_one_event(events)
    assert all(len(same) == 1 for same in events.values()), "nothing but the edge has died"
    assert {state(same[0])["disconnectStatusCode"] for same in events.values()} == {1006}
    assert len({state(same[0])["requestId"] for same in events.values()}) == 50
    assert took < BOUND


def test_a_disconnect_of_a_dead_edge_tells_what_the_authorizer_said(functions, tmp_path):
    allow = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    said = {
        "principalId": "ann",
        "policyDocument": {"Version": "2012-10-17", "Statement": [allow]},
        "context": {"room": "7", "big": 12345678901234567},
    }
    functions.answer("guard", Reply(200, json.dumps(said)))
    guard = {"name": "guard", "identitySource": ["route.request.header.User-Agent"]}
    with running(tmp_path, functions, authorizer=guard, expect=DEATHS, **TIMES) as cluster:
        (client,) = connect(cluster)
        hello = functions.next("hello").event
        kill(cluster, "edge-0")
        bye = functions.next("bye").event
        client.socket.close()
        until(lambda: cluster.table() == {}, "the table is empty")
    assert state(bye)["authorizer"]["room"] == "7"
    assert state(bye)["authorizer"] == state(hello)["authorizer"]
    assert state(bye)["identity"] == state(hello)["identity"]


@pytest.mark.parametrize("brokers", [["broker-0"], ["broker-0", "broker-1"]], ids=["one", "all"])
def test_an_edge_and_brokers_die_at_once_and_each_connection_has_its_one_disconnect(
    functions, tmp_path, brokers
):
    with running(tmp_path, functions, expect=DEATHS, **TIMES) as cluster:
        clients = connect(cluster, 50)
        ids = set(cluster.table())
        pids = kill(cluster, "edge-0", *brokers)
        events = all_of(functions, 50)
        are_restarted(cluster, pids)
        cluster.settle("all have gone")
        assert_works(cluster)
        for client in clients:
            client.socket.close()
    assert set(events) == ids
    assert_each_is_one_event(events)
    assert {state(same[0])["disconnectStatusCode"] for same in events.values()} == {1006}


def test_redis_dies_after_an_edge_and_a_broker_and_each_connection_has_its_one_disconnect(
    functions, tmp_path
):
    expect = [*DEATHS, "redis.*", "resync.failed", "store.*", "members.*", "edge.*"]
    with running(tmp_path, functions, edges=2, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 50)
        ids = set(cluster.table())
        pids = kill(cluster, "edge-0", "edge-1", "broker-0")
        with cluster.redis() as db:
            assert len(set(cluster.table())) == 50, "the lease has not lapsed yet"
            run_id = db.info("server")["run_id"]
        pids |= kill(cluster, "redis")
        are_restarted(cluster, pids)
        with cluster.redis() as db:
            assert db.info("server")["run_id"] != run_id
        events = all_of(functions, 50)
        cluster.settle("all have gone")
        assert_works(cluster)
        for client in clients:
            client.socket.close()
    assert set(events) == ids
    assert_each_is_one_event(events)
    assert {state(same[0])["disconnectStatusCode"] for same in events.values()} == {1006}


def test_a_death_is_reported_once_however_often_a_step_of_its_reaping_fails(functions, tmp_path):
    expect = [*DEATHS, "redis.refused", "edge.*"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 20)
        with cluster.redis() as db:
            (owner,) = db.scan_iter("*:owner")
            kill(cluster, "edge-0")
            db.delete(owner)
            db.hset(owner, "of", "another type")
            until(lambda: cluster.log().count("redis.refused") > 2, "it fails again and again")
            db.delete(owner)
        all_of(functions, 20)
        cluster.settle("all have gone")
        assert cluster.log().count(" edge.expired ") == 1
        reaped = "gatepost_broker_edges_reaped_total"
        assert sum(cluster.metrics(f"broker-{i}")[reaped] for i in range(2)) == 1
        for client in clients:
            client.socket.close()


def test_all_die_in_the_middle_of_the_function_and_it_gets_the_same_event(functions, tmp_path):
    hold = threading.Event()
    answers = iter([lambda: hold.wait(20)])
    functions.answer("bye", lambda _: (next(answers, bool)(), proxy(200))[1])
    with running(tmp_path, functions, expect=DEATHS, **TIMES) as cluster:
        (client,) = connect(cluster)
        leave(client)
        first = functions.next("bye")
        pids = kill(cluster, "edge-0", "broker-0", "broker-1")
        assert functions.next("bye").event == first.event
        hold.set()
        are_restarted(cluster, pids)
        until(lambda: cluster.owed() == 0, "nothing is owed any more")
        assert_works(cluster)
    assert state(first.event)["disconnectStatusCode"] == 4001, "what was begun first stands"


def test_an_edge_that_was_stopped_beyond_its_lease_closes_those_who_were_reaped(
    functions, tmp_path
):
    expect = [*DEATHS, "edge.number.lost", "edge.lease.lost", "link.*"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 20)
        ids = set(cluster.table())
        pids = kill(cluster, "edge-0", how=signal.SIGSTOP)
        try:
            events = all_of(functions, 20)
            assert cluster.table() == {}
        finally:
            os.kill(pids["edge-0"], signal.SIGCONT)
        assert all(is_closed_for_a_restart(client) for client in clients)
        assert cluster.process("edge-0")["pid"] == pids["edge-0"], "it lives on"
        until(lambda: lets_in(cluster), "it takes new connections")
        cluster.settle("all have gone")
        later = all_of(functions, 20)
    assert set(events) == ids
    assert {i: same for i, same in later.items() if i in ids} == events, "and not once more"
    assert all(len(same) == 1 for same in events.values())


def test_an_edge_whose_lease_expired_is_not_accepted_by_a_redis_that_forgot_it(functions, tmp_path):
    """The word that it was given up stood in Redis alone: the edge kept its clients, who had had their
    disconnects, and got a second one each."""
    expect = [*DEATHS, "edge.*", "link.*", "store.changed"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 20)
        pids = kill(cluster, "edge-0", how=signal.SIGSTOP)
        try:
            events = all_of(functions, 20)
            cluster.settle("all are told")
            with cluster.redis() as db:
                db.flushall()
        finally:
            os.kill(pids["edge-0"], signal.SIGCONT)
        assert all(is_closed_for_a_restart(client) for client in clients)
        until(lambda: lets_in(cluster), "it takes new connections")
        cluster.settle("all have gone")
        later = all_of(functions, 20)
    assert {i: same for i, same in later.items() if i in events} == events, "and not once more"
    assert all(len(same) == 1 for same in events.values())


def is_closed_for_a_restart(client):
    try:
        said = client.next()
    except (ConnectionResetError, EOFError):
        return True
    return said.code == 1012


def lets_in(cluster):
    try:
        with WebSocket(cluster.websocket) as client:
            return client.ask("hello") == "hello"
    except (ConnectionRefusedError, ConnectionResetError, EOFError):
        return False


# Redis loses its memory


def test_a_redis_that_is_emptied_while_disconnects_are_pending_harms_nothing_else(functions, tmp_path):
    functions.answer("bye", FAILS)
    expect = [*FAILING, *DEATHS, "store.changed", "edge.lease.lost", "link.*", "resync.failed"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        stays, *leaving = connect(cluster, 11)
        for client in leaving:
            leave(client)
        until(lambda: cluster.owed() == 10, "ten are owed")
        with cluster.redis() as db:
            db.flushall()
        until(lambda: stays.row_id(cluster), "who stays has a row again")
        functions.answer("bye", proxy(200))
        assert stays.ask("hello") == "hello"
        assert len(cluster.table()) == 1
        stays.socket.close()
        assert_works(cluster)
        until(lambda: cluster.owed() == 0, "nothing is owed")


def test_an_edge_that_was_cut_off_when_redis_was_emptied_keeps_its_clients(tmp_path, functions):
    """It had no rows then, was taken for one that owes nothing, and lost its number when it was back:
    its connections were closed, and no function ever heard of that."""
    expect = [*DEATHS, "store.changed", "edge.*", "link.*"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 20)
        until(lambda: len(cluster.table()) == 20, "all are in the table")
        with cluster.redis() as db:
            edge = cluster.process("edge-0")["pid"]
            os.kill(edge, signal.SIGSTOP)
            db.flushall()
            began = time.monotonic()
            until(lambda: time.monotonic() > began + LEASE + 3, "its lease is over")
            os.kill(edge, signal.SIGCONT)
        until(lambda: len(cluster.table()) == 20, "it has told of its connections")
        for client in clients:
            assert client.ask("hello") == "hello"
            leave(client)
        assert len({functions.next("bye").id for _ in clients}) == 20


# What somebody else has written


def test_what_cannot_be_told_is_a_dead_letter_as_it_is_and_harms_nobody(functions, tmp_path):
    """A row with a context that is none was asked for again and again, for ever, and so was one
    whose id is none; one that was no JSON was looked at each hour."""
    expect = [*DEATHS, "disconnect.unreadable"]
    with running(tmp_path, functions, expect=expect, **TIMES) as cluster:
        clients = connect(cluster, 3)
        mine = list(cluster.table())
        strange = {
            mine[0]: b"no JSON",
            mine[1]: json.dumps({"connectedAt": 1, "context": "AAAA"}).encode(),
            "\x1b[31mnot an id": b'{"connectedAt":1}',
        }
        with cluster.redis() as db:
            (table,) = db.scan_iter("*:connections")
            db.hset(table, mapping=strange)
        kill(cluster, "edge-0")
        functions.next("bye", mine[2])
        until(lambda: cluster.owed() == 0, "nothing is owed any more")
        listed = {one["connectionId"]: one for one in parked(cluster)}
        assert set(listed) == set(strange)
        assert "cannot be read" in listed[mine[0]]["error"]
        assert "context" in listed[mine[1]]["error"]
        assert "\x1b" not in gatepost(cluster).stdout
        with cluster.redis() as db:
            (key,) = db.scan_iter("*:parked")
            assert b"no JSON" in db.hget(key, mine[0])
        assert management(cluster, "POST", f"/@disconnects/{mine[0]}")[0] == 500
        cluster.expect("store.disconnect")
        assert gatepost(cluster, "--drop", "all").stdout == "dropped 3\n"
        unreadable = "gatepost_broker_disconnects_unreadable_total"
        assert sum(cluster.metrics(f"broker-{i}")[unreadable] for i in range(2)) == 3
        assert functions.calls("bye") == []
        for client in clients:
            client.socket.close()
