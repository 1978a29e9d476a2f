"""What any WebSocket client sees: npm's ws, a page in Chromium, Python's websockets."""

import json

import pytest

from lib.client import COMMANDS, Client
from lib.cluster import Cluster, until

NEEDS = ["node", "browser"]  # tests/pick.py

UNRECOGNIZED = {"statusCode": 400, "body": "Unrecognized WebSocket action."}

every_client = pytest.mark.parametrize("name", COMMANDS)
clients_that_ping = pytest.mark.parametrize("name", ["ws", "websockets"])


@pytest.fixture(scope="module")
def gateway():
    """With the built-in behaviour."""
    with Cluster(edges=2, brokers=2) as it:
        yield it


@pytest.fixture(scope="module")
def mirror():
    """With an edge that sends everything back."""
    with Cluster(edges=2, brokers=2, args=["--default-route", "builtin:echo"]) as it:
        yield it


def no_connection(cluster):
    until(lambda: not cluster.table(), "the connection table is empty")


def only_connection(cluster):
    return until(lambda: list(cluster.table()), "the connection is in the table")[0]


@every_client
def test_an_echo_comes_back_with_the_same_bytes(gateway, name):
    message = '{"action": "echo",  "text": "grüße, \\u4f60, 你好, 🙂"}'
    with Client(name, gateway.websocket) as client:
        assert client.first == {"open": True}
        assert client.ask(text=message) == {"text": message}


@every_client
def test_ping_is_answered_with_pong(gateway, name):
    with Client(name, gateway.websocket) as client:
        assert client.ask(text='{"action":"ping"}') == {"text": "PONG!"}


@every_client
def test_what_no_route_takes_is_answered_with_status_400(gateway, name):
    with Client(name, gateway.websocket) as client:
        for message in ('{"action":"nonsense"}', "not JSON", "{}", "[]", ""):
            assert json.loads(client.ask(text=message)["text"]) == UNRECOGNIZED, message


@every_client
def test_a_hundred_messages_at_once_come_back_in_order(gateway, name):
    messages = [json.dumps({"action": "echo", "n": n}) for n in range(100)]
    with Client(name, gateway.websocket) as client:
        for message in messages:
            client.order(text=message)
        assert [client.next() for _ in messages] == [{"text": message} for message in messages]


@every_client
def test_text_of_any_length_comes_back(mirror, name):
    with Client(name, mirror.websocket) as client:
        for size in (0, 1, 125, 126, 65535, 65536, 1000000):
            message = "é" * size
            assert client.ask(text=message) == {"text": message}, size


@every_client
def test_binary_comes_back_as_binary(mirror, name):
    every_byte = bytes(range(256)).hex()
    with Client(name, mirror.websocket) as client:
        assert client.ask(binary=every_byte) == {"binary": every_byte}


@clients_that_ping
def test_a_ping_frame_is_answered_with_its_own_bytes(gateway, name):
    with Client(name, gateway.websocket) as client:
        assert client.ask(ping="are you there?") == {"pong": "are you there?"}


@every_client
@pytest.mark.parametrize("code", [1000, 3001, 4999])
def test_the_code_of_a_close_comes_back(gateway, name, code):
    with Client(name, gateway.websocket) as client:
        assert client.ask(close=[code, "goodbye"])["closed"][0] == code


@every_client
def test_the_table_has_the_connection_from_open_to_close(gateway, name):
    no_connection(gateway)
    with Client(name, gateway.websocket) as client:
        assert len(only_connection(gateway)) == 16
        client.ask(close=[1000, ""])
    no_connection(gateway)


@every_client
def test_a_push_by_id_reaches_the_client(gateway, name):
    no_connection(gateway)
    with Client(name, gateway.websocket) as client:
        url = f"{gateway.management}/@connections/{only_connection(gateway)}"
        assert gateway.get(url, "POST", b"news for you")[0] == 200
        assert client.next() == {"text": "news for you"}


@every_client
def test_a_connection_deleted_by_id_is_closed_with_1000(gateway, name):
    no_connection(gateway)
    with Client(name, gateway.websocket) as client:
        url = f"{gateway.management}/@connections/{only_connection(gateway)}"
        assert gateway.get(url, "DELETE")[0] == 204
        assert client.next()["closed"][0] == 1000
        assert gateway.get(url, "POST", b"too late")[0] == 410


@clients_that_ping
def test_a_stage_that_is_not_there_is_refused_with_403(gateway, name):
    with Client(name, gateway.http.replace("http", "ws", 1) + "/nonsense") as client:
        assert client.first == {"refused": 403}


def test_a_page_sees_1006_when_it_is_refused(gateway):
    with Client("chromium", gateway.http.replace("http", "ws", 1) + "/nonsense") as client:
        assert client.first["closed"][0] == 1006
