"""Functions over HTTP: what they are told, how often they are asked, and what becomes of those that fail."""

import json
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from lib.cluster import Cluster, until
from lib.function_server import FunctionServer, Reply, function, project, proxy, websocket
from lib.wire import CLOSE, Close, WebSocket, frame, request, upgrade
from lib.wire import http as exchange

FAILING = ["function.failed", "function.circuit_open"]


@pytest.fixture
def functions():
    with FunctionServer() as it:
        yield it


@contextmanager
def running(folder, brokers=1, expect=(), env=None, ours=None, **routes):
    """A cluster whose routes are functions of the same names; $connect's is hello, $disconnect's bye."""
    config = project(folder, routes, **(ours or {}))
    args = ["--config", config]
    with Cluster(edges=1, brokers=brokers, args=args, expect=expect, env=env) as it:
        yield it


def two_way(functions, name="ask", **more):
    event = {key: more.pop(key) for key in ("concurrency",) if key in more}
    return function(functions.url(name), websocket(name, two_way=True, **event), **more)


def hello(functions, **more):
    return function(functions.url("hello"), websocket("$connect"), **more)


def bye(functions, **more):
    return function(functions.url("bye"), websocket("$disconnect"), **more)


ASK = '{"action":"ask"}'


# What a function is told


def test_a_function_sees_the_whole_life_of_a_connection_in_events_and_headers(functions, tmp_path):
    routes = {"hello": hello(functions), "bye": bye(functions), "ask": two_way(functions)}
    functions.answer("ask", proxy(200, "x"))
    with running(tmp_path, **routes) as cluster:
        with WebSocket(cluster.websocket) as client:
            connection_id = client.row_id(cluster)
            client.ask(ASK)
            client.send(frame(CLOSE, b"\x03\xe8done"))
            assert client.next() == Close(1000, "")
        calls = [functions.next(name) for name in ("hello", "ask", "bye")]
    for call, kind, key in zip(calls, ("CONNECT", "MESSAGE", "DISCONNECT"),
                               ("$connect", "ask", "$disconnect"), strict=True):  # fmt: skip
        assert (call.kind, call.id) == (kind, connection_id)
        assert call.headers["connectionid"] == connection_id
        assert call.headers["eventtype"] == kind and call.headers["routekey"] == key
        assert call.headers["content-type"] == "application/json"
        assert call.event["requestContext"]["routeKey"] == key
    assert calls[2].event["requestContext"]["disconnectStatusCode"] == 1000
    assert calls[2].event["requestContext"]["disconnectReason"] == "done"
    requests = {call.event["requestContext"]["requestId"] for call in calls}
    assert len(requests) == 3, "each event has an id of its own"


def test_with_gatepost_context_every_event_has_what_the_client_came_with(functions, tmp_path):
    routes = {"hello": hello(functions), "bye": bye(functions), "ask": two_way(functions)}
    functions.answer("ask", proxy(200, "x"))
    with running(tmp_path, ours={"context": True}, **routes) as cluster:
        with WebSocket(cluster.websocket, Cookie="a=b") as client:
            client.ask(ASK)
        for name in ("hello", "ask", "bye"):
            assert functions.next(name).event["headers"]["Cookie"] == "a=b", name


def test_the_invoke_form_of_lambda_is_a_url_like_any_other(functions, tmp_path):
    path = "2015-03-31/functions/function/invocations"
    ask = function(functions.url(path), websocket("ask", two_way=True))
    with running(tmp_path, ask=ask, expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            functions.answer(path, proxy(200, "as on AWS"))
            assert client.ask(ASK) == "as on AWS"
            error = json.dumps({"errorMessage": "boom", "errorType": "Error"})
            functions.answer(path, Reply(200, error, {"X-Amz-Function-Error": "Unhandled"}))
            assert "Internal server error" in client.ask(ASK)


# Connections


def test_kept_connections_are_used_again(functions, tmp_path):
    functions.answer("ask", proxy(200, "x"))
    with running(tmp_path, ask=two_way(functions)) as cluster:
        with WebSocket(cluster.websocket) as client:
            for _ in range(100):
                assert client.ask(ASK) == "x"
    assert functions.connections == 1


def test_no_more_connections_are_made_than_the_setting_says_and_all_are_served(functions, tmp_path):
    functions.answer("ask", proxy(200, "x"))
    env = {"GATEPOST_HTTP_CONNECTIONS": "4"}
    with running(tmp_path, ask=two_way(functions), env=env) as cluster:
        clients = [WebSocket(cluster.websocket) for _ in range(40)]
        for _ in range(5):
            for client in clients:
                client.say(ASK)
            assert [client.next() for client in clients] == ["x"] * 40
        for client in clients:
            client.socket.close()
    assert functions.connections <= 4


# The story: libcurl asks again by itself when a kept connection ends without an answer, and the
# function had acted on the message already.
def test_a_function_that_dies_of_a_message_on_a_kept_connection_gets_it_once(functions, tmp_path):
    functions.answer("ask", proxy(200, "x"))
    with running(tmp_path, ask=two_way(functions), expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            assert client.ask(ASK) == "x"
            functions.next("ask")
            functions.answer("ask", b"")
            assert "Internal server error" in client.ask(ASK)
            assert len(functions.calls("ask")) == 1


# Retries


def test_a_connect_is_tried_three_times_in_all_and_is_the_same_event(functions, tmp_path):
    answers = iter([Reply(503), b"", proxy(200)])
    functions.answer("hello", lambda _: next(answers))
    with running(tmp_path, hello=hello(functions)) as cluster:
        with WebSocket(cluster.websocket):
            calls = [functions.next("hello") for _ in range(3)]
    assert calls[0].event == calls[1].event == calls[2].event


def test_a_connect_that_fails_three_times_is_502(functions, tmp_path):
    functions.answer("hello", Reply(500))
    with running(tmp_path, hello=hello(functions), expect=FAILING) as cluster:
        response, _ = exchange(cluster.websocket, upgrade())
        assert response.status == 502
        assert len(functions.calls("hello")) == 3


def test_a_connect_is_not_tried_again_when_its_client_would_be_gone(functions, tmp_path):
    """Three tries of a function that is slow to fail took longer than the edge waits for a verdict."""
    functions.answer("hello", Reply(500))
    with running(tmp_path, hello=hello(functions, timeout=31), ours={"maxTimeout": 31}, expect=FAILING) as cluster:
        response, _ = exchange(cluster.websocket, upgrade())
        assert response.status == 502
        assert len(functions.calls("hello")) == 1


def test_a_disconnect_that_failed_is_one_request_and_comes_again_later(functions, tmp_path):
    answers = iter([Reply(500), Reply(200, "", {"X-Amz-Function-Error": "x"})])
    functions.answer("bye", lambda _: next(answers, proxy(200)))
    with running(tmp_path, bye=bye(functions), expect=FAILING) as cluster:
        WebSocket(cluster.websocket).socket.close()
        calls = [functions.next("bye") for _ in range(3)]
        until(lambda: cluster.metrics("broker-0")["gatepost_broker_disconnects_running"] == 0, "done")
        log = cluster.log()
        assert cluster.metrics("broker-0")["gatepost_broker_disconnects_failed_total"] == 2
    assert "tries=1" in log, "the first request was the first try"
    assert functions.calls("bye") == [], "and not once more"
    assert all(call.event == calls[0].event for call in calls)


# The story: a server ends a kept connection at the moment when a request is sent on it.
def test_a_disconnect_whose_kept_connection_ended_is_asked_once_more_at_once(functions, tmp_path):
    event = (websocket("ask", two_way=True), websocket("$disconnect"))
    functions.answer("both", proxy(200, "x"))
    with running(tmp_path, both=function(functions.url("both"), *event)) as cluster:
        with WebSocket(cluster.websocket) as client:
            assert client.ask(ASK) == "x"
            functions.next("both")
            answers = iter([b""])
            functions.answer("both", lambda _: next(answers, proxy(200)))
        calls = [functions.next("both") for _ in range(2)]
        until(lambda: cluster.metrics("broker-0")["gatepost_broker_disconnects_running"] == 0, "done")
        assert cluster.metrics("broker-0")["gatepost_broker_disconnects_failed_total"] == 0
    assert [call.kind for call in calls] == ["DISCONNECT"] * 2
    assert calls[0].event == calls[1].event


def test_keys_without_quotes_choose_a_route_when_the_project_is_lenient(functions, tmp_path):
    functions.answer("ask", proxy(200, "asked"))
    other = two_way(functions, "$default")
    functions.answer("$default", proxy(200, "default"))
    with running(tmp_path, ask=two_way(functions), other=other, ours={"json": "lenient"}) as cluster:
        with WebSocket(cluster.websocket) as client:
            assert client.ask('{action: "ask", body:"hello"}') == "asked"
            assert client.ask("{action: ask}") == "default", "a value needs its quotes"
    (strict := tmp_path / "strict").mkdir()
    with running(strict, ask=two_way(functions), other=other) as cluster:
        with WebSocket(cluster.websocket) as client:
            assert client.ask('{action: "ask"}') == "default"


# A circuit


def fail_ten_times(client):
    for _ in range(10):
        assert "Internal server error" in client.ask(ASK)


def test_a_function_that_is_unreachable_is_left_alone_after_ten_failures_and_asked_again_later(
    functions, tmp_path
):
    functions.answer("ask", b"")
    with running(tmp_path, ask=two_way(functions), expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            fail_ten_times(client)
            functions.answer("ask", proxy(200, "back"))
            assert "function.circuit_open function=ask ms=1000" in cluster.log()
            until(lambda: client.ask(ASK) == "back", "it is asked again")
            tenth, eleventh = functions.calls("ask")[9:11]
            assert eleventh.at - tenth.at > 0.99, "until then nothing reached it"
            for _ in range(20):
                assert client.ask(ASK) == "back"


def test_a_function_that_throws_is_not_left_alone(functions, tmp_path):
    """One client's bad messages must not take it from the others."""
    functions.answer("ask", Reply(500))
    with running(tmp_path, ask=two_way(functions), expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            for _ in range(2):
                fail_ten_times(client)
            functions.answer("ask", proxy(200, "for others"))
            assert client.ask(ASK) == "for others"
            assert "function.circuit_open" not in cluster.log()


def test_one_function_s_circuit_is_not_another_s(functions, tmp_path):
    functions.answer("ask", b"")
    functions.answer("other", proxy(200, "fine"))
    routes = {"ask": two_way(functions), "other": two_way(functions, "other")}
    with running(tmp_path, **routes, expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            fail_ten_times(client)
            assert client.ask('{"action":"other"}') == "fine"


# The story: with the circuit open a $disconnect was given up at once.
def test_a_disconnect_waits_for_a_function_that_is_left_alone(functions, tmp_path):
    routes = {
        "both": function(functions.url("both"), websocket("ask", two_way=True), websocket("$disconnect")),
    }  # fmt: skip
    functions.answer("both", b"")
    with running(tmp_path, **routes, expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            fail_ten_times(client)
        functions.answer("both", proxy(200))
        cluster.settle("its disconnect is done")
    assert "DISCONNECT" in [call.kind for call in functions.calls("both")]


# Slow, many, large


def test_a_slow_function_does_not_hurt_others(functions, tmp_path):
    done = threading.Event()
    functions.answer("slow", lambda _: done.wait(20) and proxy(200, "at last"))
    functions.answer("ask", proxy(200, "at once"))
    routes = {"ask": two_way(functions), "slow": two_way(functions, "slow", timeout=20)}
    with running(tmp_path, **routes) as cluster:
        slow = [WebSocket(cluster.websocket) for _ in range(20)]
        for client in slow:
            client.say('{"action":"slow"}')
        for _ in slow:
            functions.next("slow")
        with WebSocket(cluster.websocket) as client:
            began = time.monotonic()
            for _ in range(20):
                assert client.ask(ASK) == "at once"
            assert time.monotonic() - began < 15, "the others take 20 s"
        done.set()
        assert [client.next() for client in slow] == ["at last"] * 20
        for client in slow:
            client.socket.close()


def test_more_at_a_time_than_the_setting_says_are_too_many(functions, tmp_path):
    done = threading.Event()
    functions.answer("ask", lambda _: done.wait(20) and proxy(200, "x"))
    env = {"GATEPOST_HTTP_IN_FLIGHT": "2"}
    routes = {"ask": two_way(functions), "bye": bye(functions)}
    with running(tmp_path, **routes, env=env, expect=FAILING) as cluster:
        clients = [WebSocket(cluster.websocket) for _ in range(3)]
        for client in clients[:2]:
            client.say(ASK)
            functions.next("ask")
        assert "Too Many Requests" in clients[2].ask(ASK)
        done.set()
        assert [client.next() for client in clients[:2]] == ["x", "x"]
        for client in clients:
            client.socket.close()
        assert len({functions.next("bye").id for _ in clients}) == 3, "none is lost"


def test_an_answer_of_5_mb_arrives_and_one_over_the_limit_does_not(functions, tmp_path):
    env = {"GATEPOST_OUTBOX": "16MiB"}
    with running(tmp_path, ask=two_way(functions), env=env, expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            functions.answer("ask", Reply(200, b"x" * 5_000_000))
            assert client.ask(ASK) == "x" * 5_000_000
            functions.answer("ask", Reply(200, b"x" * 10_000_000))
            assert "Internal server error" in client.ask(ASK)


def test_functions_that_say_garbage_hurt_nobody(functions, tmp_path):
    garbage = [b"\0" * 1000, b"HTTP/1.1 2", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n" * 2000,
               b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"\xff\xfe\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]  # fmt: skip
    with running(tmp_path, ask=two_way(functions), expect=FAILING) as cluster:
        with WebSocket(cluster.websocket) as client:
            for it in garbage:
                functions.answer("ask", it)
                assert "Internal server error" in client.ask(ASK), it[:30]
            functions.answer("ask", proxy(200, "well"))
            assert client.ask(ASK) == "well"


def test_an_answer_that_no_edge_would_read_is_502_and_ends_no_link(functions, tmp_path):
    """Each was asked for without end, and no other client of these brokers was answered meanwhile."""
    cookies = {"statusCode": 200, "cookies": [""] * 200_000}
    switching = b"HTTP/1.1 101 x\r\nContent-Length: 2\r\n\r\nhi"
    functions.answer("cookies", Reply(200, json.dumps(cookies)))
    functions.answer("switch", switching)
    functions.answer("status", proxy(101))
    functions.answer("hello", switching)
    names = ("cookies", "switch", "status")
    routes = {name: function(functions.url(name), {"httpApi": f"GET /{name}"}) for name in names}
    with running(tmp_path, 2, ["function.failed"], hello=hello(functions), **routes) as cluster:
        for name in names:
            response, _ = exchange(cluster.http, request(target=f"/dev/{name}"))
            assert response.status == 502, name
            functions.next(name)
            assert functions.calls(name) == [], f"{name} is asked once"
        response, _ = exchange(cluster.http, upgrade())
        assert response.status == 502
        log = cluster.log()
    assert "link.down" not in log.split("function.failed")[1]
    assert 'route="GET /cookies"' in log and "more than 200 headers and cookies" in log
    assert "a status below 200" in log


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) of localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.mark.parametrize(
    ("trusted", "host", "works"),
    [(True, "localhost", True), (False, "localhost", False), (True, "127.0.0.1", False)],
    ids=["trusted", "signed by a stranger", "another name"],
)
def test_a_function_behind_tls_is_asked_when_its_certificate_is_right(
    certificate, tmp_path, trusted, host, works
):
    env = {"GATEPOST_HTTP_CA": str(certificate[0])} if trusted else {}
    with FunctionServer(tls=certificate) as functions:
        functions.answer("ask", proxy(200, "secret"))
        ask = function(functions.url("ask", host), websocket("ask", two_way=True))
        with running(tmp_path, ask=ask, env=env, expect=FAILING) as cluster:
            with WebSocket(cluster.websocket) as client:
                got = client.ask(ASK)
                assert got == "secret" if works else "Internal server error" in got
                assert len(functions.calls("ask")) == works


# Order


def action(name, n):
    return json.dumps({"action": name, "n": n})


@contextmanager
def slow_first(functions):
    """ask's first call waits until the block lets it go on; each answers with its n."""
    go_on, first = threading.Event(), threading.Event()

    def answer(call):
        n = json.loads(call.event["body"])["n"]
        if n == 0:
            first.set()
            assert go_on.wait(20)
        return proxy(200, str(n))

    functions.answer("ask", answer)
    try:
        yield first, go_on
    finally:
        go_on.set()


def test_the_messages_of_one_connection_wait_for_each_other_and_not_for_another_s(functions, tmp_path):
    with slow_first(functions) as (first, go_on):
        with running(tmp_path, ask=two_way(functions, timeout=20)) as cluster:
            with WebSocket(cluster.websocket) as one, WebSocket(cluster.websocket) as other:
                for n in range(3):
                    one.say(action("ask", n))
                assert first.wait(20)
                assert other.ask(action("ask", 7)) == "7"
                assert [json.loads(c.event["body"])["n"] for c in functions.calls("ask")] == [0, 7]
                go_on.set()
                assert [one.next() for _ in range(3)] == ["0", "1", "2"]


def test_on_a_parallel_route_they_do_not(functions, tmp_path):
    ask = two_way(functions, timeout=20, concurrency="parallel")
    with slow_first(functions) as (_, go_on):
        with running(tmp_path, ask=ask) as cluster:
            with WebSocket(cluster.websocket) as client:
                for n in range(5):
                    client.say(action("ask", n))
                assert {client.next() for _ in range(4)} == {"1", "2", "3", "4"}
                go_on.set()
                assert client.next() == "0"


def test_a_serial_message_waits_for_the_parallel_ones_before_it(functions, tmp_path):
    routes = {
        "ask": two_way(functions, timeout=20, concurrency="parallel"),
        "then": two_way(functions, "then"),
    }
    functions.answer("then", proxy(200, "then"))
    with slow_first(functions) as (first, go_on), running(tmp_path, **routes) as cluster:
        with WebSocket(cluster.websocket) as client:
            client.say(action("ask", 0))
            client.say(action("ask", 1))
            client.say('{"action":"then"}')
            assert first.wait(20)
            assert client.next() == "1"
            assert functions.calls("then") == []
            go_on.set()
            assert [client.next(), client.next()] == ["0", "then"]


@pytest.mark.parametrize("more", [{}, {"concurrency": "parallel"}], ids=["serial", "parallel"])
def test_a_disconnect_waits_for_the_messages_before_it(functions, tmp_path, more):
    routes = {"ask": two_way(functions, timeout=20, **more), "bye": bye(functions)}
    with slow_first(functions) as (first, go_on), running(tmp_path, **routes) as cluster:
        client = WebSocket(cluster.websocket)
        client.say(action("ask", 0))
        client.say(action("ask", 1))
        assert first.wait(20)
        client.reset()
        until(lambda: has_gone(cluster), "its edge has seen it go")
        assert functions.calls("bye") == []
        go_on.set()
        assert functions.next("bye").kind == "DISCONNECT"
        assert len(functions.calls("ask")) == 2, "what it had said is done all the same"


def has_gone(cluster):
    return cluster.metrics("edge-0")["gatepost_edge_closed_total"] == 1
