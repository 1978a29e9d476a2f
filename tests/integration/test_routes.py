"""Which function a message reaches."""

import pytest

from lib.cluster import Cluster
from lib.process import ended
from lib.wire import WebSocket

REJECTED = '{"statusCode":400,"body":"Unrecognized WebSocket action."}'


def one(**more):
    return Cluster(edges=1, brokers=1, **more)


@pytest.fixture(scope="module")
def client():
    with one() as cluster, WebSocket(cluster.websocket) as it:
        yield it


@pytest.fixture(scope="module")
def other():
    """Another expression, and echo for what has no route."""
    env = {"GATEPOST_ROUTE_SELECTION_EXPRESSION": "${request.body.a.b}${request.body.list[1]}"}
    with one(args=["--default-route", "builtin:echo"], env=env) as cluster:
        with WebSocket(cluster.websocket) as it:
            yield it


PINGS = [
    '{"action":"ping"}',
    ' {\t"action" :\r\n"ping" } ',
    '{"action":"p\\u0069ng"}',
    '{"\\u0061ction":"ping"}',
    '{"a":[1,2,{"action":"echo"}],"action":"ping","z":null}',
    '{"action":"echo","action":"ping"}',
    '{"action":"ping","text":"🙂"}',
]


@pytest.mark.parametrize("message", PINGS)
def test_the_action_picks_the_route(client, message):
    assert client.ask(message) == "PONG!"


@pytest.mark.parametrize(
    "message",
    [
        '{"action":"echo"}',
        ' {"text":"Grüße", "action":"echo"}\n',
        '{"action":"ping","action":"echo"}',
    ],
)
def test_an_echo_has_the_same_bytes(client, message):
    assert client.ask(message) == message


REJECTS = {
    "no such route": '{"action":"dance"}',
    "another case": '{"action":"Ping"}',
    "no action": '{"text":"hello"}',
    "an action below": '{"a":{"action":"ping"}}',
    "an action that is a number": '{"action":1}',
    "an action that is null": '{"action":null}',
    "an action that is an object": '{"action":{"ping":1}}',
    "an action that is an array": '{"action":["ping"]}',
    "an empty action": '{"action":""}',
    "$connect": '{"action":"$connect"}',
    "$disconnect": '{"action":"$disconnect"}',
    "$default": '{"action":"$default"}',
    "an action that is long": '{"action":"' + "x" * 300 + '"}',
    "ping and NUL": '{"action":"ping\\u0000"}',
    "an array": '[{"action":"ping"}]',
    "a string": '"ping"',
    "no JSON": "hello",
    "nothing": "",
    "JSON and more": '{"action":"ping"} x',
    "JSON cut short": '{"action":"ping"',
    "single quotes": "{'action':'ping'}",
    "a key without quotes": '{action:"ping"}',
    "a comma too many": '{"action":"ping",}',
    "a comment": '{"action":"ping"/**/}',
    "a byte order mark": '\ufeff{"action":"ping"}',
    "a lone surrogate": '{"action":"\\ud800"}',
    "a control character": '{"action":"ping","a":"\t"}',
    "too deep": '{"action":"ping","a":' + "[" * 1000 + "]" * 1000 + "}",
}


@pytest.mark.parametrize("why", REJECTS)
def test_what_has_no_route_is_rejected_byte_for_byte(client, why):
    assert client.ask(REJECTS[why]) == REJECTED


def test_a_binary_message_is_not_looked_into(client):
    assert client.ask(b'{"action":"ping"}') == REJECTED


def test_another_expression_picks_by_what_it_says(other):
    assert other.ask('{"a":{"b":"pi"},"list":[0,"ng"]}') == "PONG!"
    assert other.ask('{"a":{"b":"ping"}}') == "PONG!"
    assert other.ask('{"list":["x","ping"]}') == "PONG!"


@pytest.mark.parametrize(
    "message", ['{"action":"ping"}', "no JSON", "", b"\x00\xff", '{"a":{"b":"$connect"}}']
)
def test_with_echo_as_default_all_else_comes_back(other, message):
    assert other.ask(message) == message


def test_an_escaped_dollar_sends_all_to_the_default():
    env = {"GATEPOST_ROUTE_SELECTION_EXPRESSION": "\\$default"}
    with one(env=env) as cluster, WebSocket(cluster.websocket) as client:
        assert client.ask('{"action":"ping"}') == REJECTED


def test_a_text_without_variables_sends_all_to_one_route():
    env = {"GATEPOST_ROUTE_SELECTION_EXPRESSION": "ping"}
    with one(env=env) as cluster, WebSocket(cluster.websocket) as client:
        assert client.ask("anything") == "PONG!"


MALFORMED = {
    "": "column 1", "$request": "column", "$request.header.x": "column",
    "${request.body.a": "column",
    "$request.body.a[": "column", "$request.body.a[x]": "column", "$action": "column 2",
}  # fmt: skip


@pytest.mark.parametrize("expression", MALFORMED)
def test_a_malformed_expression_stops_the_start_and_says_where(tmp_path, expression):
    status, told = ended(
        "gatepost-broker", "--bind", f"ipc://{tmp_path}/a", "--management", "127.0.0.1:0",
        "--redis", "unix:/nowhere", f"--route-selection-expression={expression}",
    )  # fmt: skip
    assert status == 2
    assert MALFORMED[expression] in told and "selection" in told
