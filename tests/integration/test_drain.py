"""An edge that is asked to end: it lets its clients go, one after the other, and forgets none."""

import os
import selectors
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import namedtuple

import pytest

from lib.cluster import PATIENCE, Cluster, until
from lib.function_server import proxy
from lib.place import Place
from lib.process import free_ports
from lib.wire import TEXT, Close, WebSocket, Wire, close_frame, frame, request, upgrade

RESTART = Close(1012, "Service Restart")
AT_ONCE = ["--drain-delay", "0"]

End = namedtuple("End", "client close seconds")


@pytest.fixture
def place(tmp_path):
    with Place.begin(tmp_path) as it:
        yield it


def url(edge):
    return f"ws://{edge.told('LISTEN')}/dev"


def connect(edge, n):
    return [WebSocket(url(edge)) for _ in range(n)]


def ready(edge):
    """(status, text) of /readyz."""
    try:
        with urllib.request.urlopen(edge.told("METRICS") + "/readyz", timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def gauge(edge, name):
    with urllib.request.urlopen(edge.told("METRICS") + "/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def drain(edge):
    """SIGTERM; the time of it. Whoever has more to do than a moment begins after this."""
    edge.is_ready()
    began = time.monotonic()
    os.kill(edge.pid, signal.SIGTERM)
    return began


def see_them_off(clients, began, answer=True):
    """The ends of all, in the order in which they come; each close frame is answered."""
    ends = []
    with selectors.DefaultSelector() as ready:
        for i, client in enumerate(clients):
            ready.register(client.socket, selectors.EVENT_READ, (i, client))
        while len(ends) < len(clients):
            events = ready.select(PATIENCE)
            assert events, f"{len(clients) - len(ends)} of {len(clients)} were not closed"
            for key, _ in events:
                i, client = key.data
                ready.unregister(client.socket)
                ends.append(End(i, client.next(), time.monotonic() - began))
                if answer:
                    client.send(close_frame(ends[-1].close.code))
                    client.socket.close()
    return ends


def has_ended(edge):
    until(lambda: not edge.is_running(), "the edge has ended")


# The delay


def test_for_the_delay_it_is_not_ready_but_serves_and_accepts(place):
    with place.edge("--drain-delay", "5s") as edge:
        (old,) = connect(edge, 1)
        assert ready(edge)[0] == 200
        assert gauge(edge, "gatepost_edge_draining") == 0
        began = drain(edge)
        until(lambda: ready(edge)[0] == 503, "it is not ready")
        assert b"draining" in ready(edge)[1]
        assert gauge(edge, "gatepost_edge_draining") == 1
        assert old.ask('{"action":"echo"}') == '{"action":"echo"}'
        (new,) = connect(edge, 1)
        assert new.ask('{"action":"echo","n":2}') == '{"action":"echo","n":2}'
        ends = see_them_off([old, new], began)
        assert [end.close for end in ends] == [RESTART, RESTART]
        assert all(5 <= end.seconds < 15 for end in ends)
        has_ended(edge)


def test_nobody_is_there_and_there_is_no_delay_so_it_ends_at_once(place):
    with place.edge(*AT_ONCE) as edge:
        until(edge.is_ready, "it is ready")
        began = drain(edge)
        has_ended(edge)
        assert time.monotonic() - began < 5, "as long as the delay would be"


def test_nobody_is_there_but_somebody_may_still_come_while_the_delay_lasts(place):
    with place.edge("--drain-delay", "1500ms") as edge:
        until(edge.is_ready, "it is ready")
        began = drain(edge)
        has_ended(edge)
        assert time.monotonic() - began > 1.4


# The pace


def test_100_clients_at_25_a_second_take_four_seconds_and_the_last_are_served_meanwhile(place):
    with place.edge(*AT_ONCE, "--drain-rate", "25") as edge:
        clients = connect(edge, 100)
        began = drain(edge)
        some = see_some_off(clients, began, 20)
        left = [i for i in range(100) if i not in {end.client for end in some}]
        answers = [serve(clients[i]) for i in left[:10]]
        assert '{"action":"echo"}' in answers, "there are three seconds to serve one of ten"
        rest = see_them_off([clients[i] for i in left if not is_over(clients[i])], began)
        assert 3.5 < max(end.seconds for end in [*some, *rest]) < 15
        has_ended(edge)
    until(lambda: len(place.disconnects()) == 100, "each disconnect is told")
    assert {tuple(codes) for codes in place.disconnects().values()} == {(1012,)}


def see_some_off(clients, began, n):
    ends = []
    with selectors.DefaultSelector() as ready:
        for i, client in enumerate(clients):
            ready.register(client.socket, selectors.EVENT_READ, i)
        while len(ends) < n:
            for key, _ in ready.select(20):
                ready.unregister(key.fileobj)
                client = clients[key.data]
                ends.append(End(key.data, client.next(), time.monotonic() - began))
                client.send(close_frame(1012))
                client.socket.close()
    return ends


def serve(client):
    """Its answer to one more message; a Close when its turn came first."""
    answer = client.ask('{"action":"echo"}')
    if isinstance(answer, Close):
        client.send(close_frame(answer.code))
        client.socket.close()
    return answer


def is_over(client):
    return client.socket.fileno() == -1


def test_the_order_is_not_the_one_in_which_they_came(place):
    with place.edge(*AT_ONCE, "--drain-rate", "200") as edge:
        clients = connect(edge, 100)
        ends = see_them_off(clients, drain(edge))
        order = [end.client for end in ends]
        assert sorted(order) == list(range(100))
        rises = sum(a < b for a, b in zip(order, order[1:], strict=False))
        assert 25 < rises < 75, order  # in random order half of them: 49.5, deviation 2.9
        has_ended(edge)


def test_the_window_makes_the_pace_faster_than_the_rate(place):
    """200 at 10 a second would take 20 s."""
    with place.edge(*AT_ONCE, "--drain-rate", "10", "--drain-timeout", "4s",
                    "--close-timeout", "1s") as edge:  # fmt: skip
        ends = see_them_off(connect(edge, 200), drain(edge))
        assert {end.close for end in ends} == {RESTART}
        assert max(end.seconds for end in ends) < 12
        assert sum(end.seconds < 1.5 for end in ends) < 150, "it is a pace, not a cut"
        has_ended(edge)


def test_a_drain_ends_as_soon_as_nobody_is_left(place):
    with place.edge(*AT_ONCE, "--drain-timeout", "60s") as edge:
        clients = connect(edge, 20)
        began = drain(edge)
        see_them_off(clients, began)
        has_ended(edge)
        assert time.monotonic() - began < 20, "the window is 60 s"
        assert "edge.stop connections=0" in edge.log()


def test_with_the_profile_of_aws_the_code_is_1001(place):
    with place.edge(*AT_ONCE, "--profile", "aws") as edge:
        ends = see_them_off(connect(edge, 3), drain(edge))
        assert {end.close for end in ends} == {Close(1001, "Going away")}
        has_ended(edge)
    until(lambda: len(place.disconnects()) == 3, "each disconnect is told")
    assert {tuple(codes) for codes in place.disconnects().values()} == {(1001,)}


def test_what_was_said_before_is_answered_before_the_close(place):
    place.functions.answer("say", lambda call: slowly(call))
    with place.edge(*AT_ONCE) as edge:
        (client,) = connect(edge, 1)
        client.say("think")
        call = place.functions.next("say")
        drain(edge)
        until(lambda: "edge.drain.closing" in edge.log(), "it has begun to close")
        until(lambda: gauge(edge, "gatepost_edge_closed_total") == 1, "the client is let go")
        call.event["go"].set()
        assert client.next() == "thought"
        assert client.next() == RESTART
        client.send(close_frame(1012))
        assert client.is_closed()
        has_ended(edge)


def slowly(call):
    call.event["go"] = threading.Event()
    call.event["go"].wait(20)
    return proxy(200, "thought")


# Those who do not go


def test_a_client_that_answers_no_close_is_cut_after_the_close_timeout(place):
    with place.edge(*AT_ONCE, "--close-timeout", "1s", "--drain-timeout", "30s") as edge:
        clients = connect(edge, 5)
        began = drain(edge)
        see_them_off(clients, began, answer=False)
        has_ended(edge)
        assert 0.9 < time.monotonic() - began < 15, "the window is 30 s"
        assert all(client.is_closed() for client in clients)
    until(lambda: len(place.disconnects()) == 5, "each disconnect is told")
    assert {tuple(codes) for codes in place.disconnects().values()} == {(1012,)}


def test_who_is_still_there_at_the_end_of_the_window_is_cut(place):
    with place.edge(*AT_ONCE, "--close-timeout", "1m", "--drain-timeout", "2s") as edge:
        clients = connect(edge, 5)
        began = drain(edge)
        see_them_off(clients, began, answer=False)
        has_ended(edge)
        assert 1.9 < time.monotonic() - began < 15, "a close may take a minute"
        assert "edge.drain.timeout connections=5" in edge.log()
    until(lambda: len(place.disconnects()) == 5, "each disconnect is told")


def test_a_second_signal_cuts_all_and_still_hands_over_each_disconnect(place):
    with place.edge("--drain-delay", "1m", "--drain-rate", "1") as edge:
        clients = connect(edge, 50)
        drain(edge)
        until(lambda: ready(edge)[0] == 503, "it drains")
        began = drain(edge)
        ends = see_them_off(clients, began, answer=False)
        assert {end.close for end in ends} == {RESTART}
        has_ended(edge)
        assert time.monotonic() - began < 15, "the delay is a minute"
        assert all(client.is_closed() for client in clients)
    until(lambda: len(place.disconnects()) == 50, "each disconnect is told")
    assert {tuple(codes) for codes in place.disconnects().values()} == {(1012,)}


def test_a_third_signal_ends_it_though_no_broker_answers(place):
    with place.edge("--drain-delay", "1m") as edge:
        (client,) = connect(edge, 1)
        os.kill(place.broker.pid, signal.SIGSTOP)
        try:
            drain(edge)
            until(lambda: "edge.drain " in edge.log(), "the first is seen")
            drain(edge)
            until(lambda: "edge.drain.fast" in edge.log(), "the second is seen")
            began = drain(edge)
            has_ended(edge)
            assert time.monotonic() - began < 15, "the delay is a minute"
        finally:
            os.kill(place.broker.pid, signal.SIGCONT)
        assert client.next() == RESTART


def test_a_broker_that_does_not_answer_holds_the_end_up_for_two_seconds(place):
    with place.edge(*AT_ONCE) as edge:
        (client,) = connect(edge, 1)
        os.kill(place.broker.pid, signal.SIGSTOP)
        try:
            began = drain(edge)
            see_them_off([client], began)
            has_ended(edge)
            assert 1.9 < time.monotonic() - began < 15, "the window is 60 s"
        finally:
            os.kill(place.broker.pid, signal.SIGCONT)


# Those who are not connected yet


def test_who_waits_for_its_101_is_told_to_come_again_and_its_disconnect_follows(place):
    place.functions.answer("connect", lambda call: slowly(call))
    with place.edge(*AT_ONCE) as edge, Wire(url(edge)) as client:
        client.send(upgrade())
        call = place.functions.next("connect")
        drain(edge)
        answer = client.response()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        call.event["go"].set()
        assert client.is_closed()
        client.socket.close()
        place.functions.next("disconnect", call.id)
        has_ended(edge)


def test_who_has_half_said_its_request_or_nothing_is_told_to_come_again(place):
    with place.edge(*AT_ONCE) as edge:
        with Wire(url(edge)) as half, Wire(url(edge)) as silent:
            half.send(upgrade()[:20])
            until(lambda: gauge(edge, "gatepost_edge_connections") == 2, "both are there")
            drain(edge)
            for client in (half, silent):
                answer = client.response()
                assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                assert client.is_closed()
        has_ended(edge)


def test_a_socket_that_waits_for_its_next_request_is_closed_without_a_word(place):
    with place.edge(*AT_ONCE) as edge, Wire(url(edge)) as client:
        client.send(request(target="/nowhere"))
        assert client.response().status in (403, 404)
        drain(edge)
        assert client.is_closed()
        has_ended(edge)


def test_who_waits_in_the_kernels_queue_is_told_to_come_again(place):
    """The edge is stopped while they connect, so that it finds the signal and them at once."""
    with place.edge(*AT_ONCE, "--drain-timeout", "5s") as edge:
        (client,) = connect(edge, 1)
        os.kill(edge.pid, signal.SIGSTOP)
        late = [Wire(url(edge)) for _ in range(200)]
        for wire in late:
            wire.send(upgrade())
        drain(edge)
        os.kill(edge.pid, signal.SIGCONT)
        for wire in late:
            answer = wire.response()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            wire.socket.close()
        assert client.next() == RESTART
        client.socket.close()
        has_ended(edge)


# A rollout


def test_clients_of_an_edge_that_ends_come_back_at_once_and_land_on_the_other(place):
    """As a rolling update does it: two edges share a port, one ends, then the other."""
    port = free_ports(1)
    flags = (*AT_ONCE, "--drain-rate", "100")
    first = place.edge(*flags, listen=f"127.0.0.1:{port}")
    with first:
        clients = connect(first, 60)
        second = place.edge(*flags, listen=f"127.0.0.1:{port}", name="edge-1")
        with second:
            until(second.is_ready, "the second is ready")
            os.kill(first.pid, signal.SIGTERM)
            clients = [come_back(client, port) for client in clients]
            has_ended(first)
            for i, client in enumerate(clients):
                message = f'{{"action":"echo","n":{i}}}'
                assert client.ask(message) == message
            assert gauge(second, "gatepost_edge_connections") == 60
            for client in clients:
                client.socket.close()
            until(lambda: len(place.disconnects()) >= 120, "each disconnect is told")
    assert all(len(codes) == 1 for codes in place.disconnects().values())


def come_back(client, port, tries=20):
    assert client.next() == RESTART
    client.send(close_frame(1012))
    client.socket.close()
    for _ in range(tries):
        try:
            return WebSocket(f"ws://127.0.0.1:{port}/dev")
        except (ConnectionError, EOFError, socket.timeout):
            continue  # the port's share of the one that ends
    raise AssertionError(f"not let in after {tries} tries")


# What it says


def test_it_tells_at_its_start_how_long_its_end_may_take(place):
    flags = ["--drain-delay", "1500ms", "--drain-timeout", "10s"]
    with place.edge(*flags, "--log-level", "info") as edge:
        until(edge.is_ready, "it is ready")
        (line,) = [line for line in edge.log().splitlines() if " edge.start " in line]
        assert "drain_at_most_s=15 " in line  # 1.5 + 10 + 2 + 1, and up
        assert "terminationGracePeriodSeconds" in line
        os.kill(edge.pid, signal.SIGTERM)
        has_ended(edge)
        for event in ("edge.drain ", "edge.drain.closing ", "edge.stop "):
            assert event in edge.log()


def test_gatepost_up_gives_its_edges_no_delay_and_waits_for_their_drain():
    """A client that answers no close makes it last longer than the 10 s that others have."""
    env = {"GATEPOST_CLOSE_TIMEOUT": "11500ms", "GATEPOST_DRAIN_TIMEOUT": "12s"}
    with Cluster(edges=1, brokers=1, env=env) as cluster:
        client = WebSocket(cluster.websocket)
        began = time.monotonic()
        os.kill(cluster.pid, signal.SIGINT)
        assert client.next() == RESTART
        assert time.monotonic() - began < 5, "the delay of an edge that nobody told otherwise"
        until(lambda: not is_there(cluster.pid), "it has ended")
        assert time.monotonic() - began > 10.5
        assert "process.stop_timeout" not in cluster.log()
        client.socket.close()


def is_there(pid):
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def test_a_message_of_a_client_that_is_being_closed_is_not_taken(place):
    with place.edge(*AT_ONCE, "--close-timeout", "1s") as edge:
        (client,) = connect(edge, 1)
        drain(edge)
        assert client.next() == RESTART
        client.send(frame(TEXT, "too late"))
        assert client.is_closed()
        has_ended(edge)
    assert place.functions.calls("say") == []
