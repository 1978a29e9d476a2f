"""WebSockets at an edge: what is said rightly, wrongly, too much, too slowly, or no more.

All messages come back (builtin:echo), so that what arrives can be compared.
"""

import json
import random
import socket
import struct
import time
from pathlib import Path

import pytest

from lib.cluster import Cluster, until
from lib.wire import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Close, Ping, Pong, WebSocket, close_frame,
    frame,
)  # fmt: skip

ECHO = ["--default-route", "builtin:echo"]


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=2, args=ECHO) as it:
        yield it
        until(lambda: it.table() == {}, "the table is empty when all have gone")


@pytest.fixture(scope="module")
def tight():
    """Little room for messages and for slow readers. A small quarantine: memory is measured."""
    env = {
        "GATEPOST_MAX_MESSAGE": "64KiB", "GATEPOST_MAX_FRAME": "32KiB",
        "GATEPOST_HELD_MEMORY": "1MiB", "GATEPOST_LANE_BYTES": "64KiB",
        "GATEPOST_OUTBOX": "64KiB", "GATEPOST_STALL_TIMEOUT": "3s",
        "ASAN_OPTIONS": "quarantine_size_mb=1",
    }  # fmt: skip
    with Cluster(edges=1, brokers=1, args=ECHO, env=env) as it:
        yield it
        until(lambda: it.table() == {}, "the table is empty when all have gone")


@pytest.fixture(scope="module")
def restless():
    """Pings soon, and gives up soon."""
    env = {
        "GATEPOST_PING_EVERY": "300ms", "GATEPOST_PONG_TIMEOUT": "2s",
        "GATEPOST_IDLE_TIMEOUT": "4s", "GATEPOST_CLOSE_TIMEOUT": "300ms",
    }  # fmt: skip
    with Cluster(edges=1, brokers=1, args=ECHO, env=env) as it:
        yield it
        until(lambda: it.table() == {}, "the table is empty when all have gone")


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        yield it


def drop_row(cluster, client):
    """Its row has gone."""
    until(lambda: client.row_id(cluster) is None, "the row has gone")


# What is said comes back


@pytest.mark.parametrize(
    "message",
    ["", "hello", "\0", "Grüße, 世界 🙂", '{"action":"echo","a":1}', b"", b"\x00\xff\xfe", b"text",
     "x" * 125, "x" * 126, "x" * 65535, "x" * 65536],
    ids=lambda m: f"{type(m).__name__}-{len(m)}",
)  # fmt: skip
def test_a_message_comes_back_as_it_was(client, message):
    assert client.ask(message) == message


def test_a_large_message_comes_back_as_it_was(client):
    message = random.Random(1).randbytes(1 << 20)
    assert client.ask(message) == message


def test_a_message_of_the_largest_size_comes_back_as_it_was(client):
    message = random.Random(2).randbytes(16 << 20)
    assert client.ask(message) == message


def test_one_of_more_than_the_largest_size_is_1009(client):
    client.send(frame(BINARY, length=(127, "!Q", (16 << 20) + 1)))
    assert client.next().code == 1009
    assert client.is_closed()


def test_fragments_come_back_as_one_message(client):
    for n in (1, 2, 100):
        parts = [frame(CONTINUATION, "b", fin=False)] * n
        client.send(frame(TEXT, "a", fin=False), *parts, frame(CONTINUATION, "c"))
        assert client.next() == "a" + n * "b" + "c"


def test_empty_fragments_count_as_nothing(client):
    parts = [frame(BINARY, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)]
    client.send(*parts)
    assert client.next() == b""


def test_control_frames_between_fragments_are_answered_at_once(client):
    client.send(frame(TEXT, "a", fin=False), frame(PING, "now"))
    assert client.next() == Pong(b"now")
    client.send(frame(PONG, "unasked"), frame(CONTINUATION, "b"))
    assert client.next() == "ab"


def test_a_character_may_be_split_over_frames(client):
    message = "κόσμε🙂".encode()
    parts = [frame(CONTINUATION, message[i : i + 1], fin=False) for i in range(1, len(message))]
    client.send(frame(TEXT, message[:1], fin=False), *parts, frame(CONTINUATION))
    assert client.next() == "κόσμε🙂"


def test_a_message_may_come_byte_by_byte(client):
    for byte in frame(TEXT, "slowly"):
        client.send(bytes([byte]))
    assert client.next() == "slowly"


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"p" * 125])
def test_a_ping_gets_its_own_bytes_back(client, payload):
    client.send(frame(PING, payload))
    assert client.next() == Pong(payload)


# Order


@pytest.mark.parametrize("n", [10, 1000])
def test_messages_in_one_piece_come_back_in_order(client, n):
    client.send(*(frame(TEXT, str(i)) for i in range(n)))
    assert [client.next() for _ in range(n)] == [str(i) for i in range(n)]


def test_messages_of_all_sizes_come_back_in_order(client):
    dice = random.Random(3)
    messages = [dice.randbytes(dice.choice([0, 10, 1000, 70000])) for _ in range(100)]
    for message in messages:
        client.say(message)
    assert [client.next() for _ in messages] == messages


# What breaks the protocol

BROKEN = {
    "no mask": (1002, frame(TEXT, "hello", masked=False)),
    "reserved bit 1": (1002, frame(TEXT, "hello", reserved=4)),
    "reserved bit 2": (1002, frame(TEXT, "hello", reserved=2)),
    "reserved bit 3": (1002, frame(TEXT, "hello", reserved=1)),
    "data opcode 3": (1002, frame(0x3, "hello")),
    "data opcode 7": (1002, frame(0x7)),
    "control opcode 11": (1002, frame(0xB)),
    "control opcode 15": (1002, frame(0xF)),
    "a ping in fragments": (1002, frame(PING, "hello", fin=False)),
    "a close in fragments": (1002, frame(CLOSE, b"\x03\xe8", fin=False)),
    "a ping of 126 bytes": (1002, frame(PING, b"p" * 126)),
    "a close of 126 bytes": (1002, frame(CLOSE, b"\x03\xe8" + b"r" * 124)),
    "a continuation of nothing": (1002, frame(CONTINUATION, "hello")),
    "a text inside a message": (1002, frame(TEXT, "a", fin=False) + frame(TEXT, "b")),
    "a binary inside a message": (1002, frame(TEXT, "a", fin=False) + frame(BINARY, "b")),
    "125 bytes as 16 bits": (1002, frame(TEXT, "a" * 125, length=(126, "!H", 125))),
    "65535 bytes as 64 bits": (1002, frame(TEXT, "a", length=(127, "!Q", 65535))),
    "a length of 2^63": (1002, frame(TEXT, "a", length=(127, "!Q", 1 << 63))),
    "a close of one byte": (1002, frame(CLOSE, b"\x03")),
    "no UTF-8": (1007, frame(TEXT, b"\xff")),
    "an overlong form": (1007, frame(TEXT, b"\xc0\xaf")),
    "a surrogate": (1007, frame(TEXT, b"\xed\xa0\x80")),
    "over U+10FFFF": (1007, frame(TEXT, b"\xf4\x90\x80\x80")),
    "an end inside a character": (1007, frame(TEXT, b"\xe2\x82")),
    "an end inside a character, two frames": (
        1007,
        frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"\xf0\x9f"),
    ),
    "a close reason that is no UTF-8": (1007, frame(CLOSE, b"\x03\xe8\xff")),
}
for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
    BROKEN[f"close code {code}"] = (1002, close_frame(code))


@pytest.mark.parametrize("why", BROKEN)
def test_who_breaks_the_protocol_is_told_how_and_closed(cluster, client, why):
    code, bytes_ = BROKEN[why]
    client.send(bytes_)
    closed = client.next()
    assert closed.code == code and closed.reason
    assert client.is_closed()
    drop_row(cluster, client)


def test_what_cannot_become_utf8_fails_before_its_frame_is_whole(client):
    client.send(frame(TEXT, b"abc\xff" + b"d" * 1000)[:-900])
    assert client.next().code == 1007


# The end


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
def test_a_close_is_answered_with_its_code(cluster, client, code):
    client.send(close_frame(code, "Schluß"))
    assert client.next().code == code
    assert client.is_closed()
    drop_row(cluster, client)


def test_an_empty_close_is_answered_with_an_empty_one(client):
    client.send(close_frame())
    assert client.next() == Close(None, "")
    assert client.is_closed()


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_what_was_said_before_a_close_is_answered_before_it(cluster, client, n):
    client.send(*(frame(TEXT, str(i)) for i in range(n)), close_frame(1000))
    assert [client.next() for _ in range(n)] == [str(i) for i in range(n)]
    assert client.next() == Close(1000, "")
    assert client.is_closed()
    drop_row(cluster, client)


def test_what_was_said_before_a_fault_is_answered_before_the_close(client):
    client.send(*(frame(TEXT, str(i)) for i in range(10)), frame(0x3))
    assert [client.next() for _ in range(10)] == [str(i) for i in range(10)]
    assert client.next().code == 1002
    assert client.is_closed()


@pytest.mark.parametrize(
    "more",
    [close_frame(1001), frame(TEXT, "more"), frame(0x3), b"\xff" * 100, frame(PING, "?")],
    ids=["another close", "a message", "a fault", "garbage", "a ping"],
)
def test_what_comes_after_a_close_changes_nothing(client, more):
    client.send(frame(TEXT, "before"), close_frame(1000), more)
    assert client.next() == "before"
    assert client.next() == Close(1000, "")
    assert client.is_closed()


def test_a_large_answer_is_not_cut_by_the_close_behind_it(cluster):
    """16 MiB are more than the kernel holds, and 3 s are longer than an edge lingers."""
    message = random.Random(4).randbytes(16 << 20)
    with WebSocket(cluster.websocket, receive_buffer=8192) as client:
        client.send(frame(BINARY, message), close_frame(1000))
        assert client.read(1) == b"\x82"
        late = time.monotonic() + 3
        until(lambda: time.monotonic() > late, "time has passed")
        assert client.read(9) == b"\x7f" + len(message).to_bytes(8)
        assert client.read(len(message)) == message
        assert client.next() == Close(1000, "")


def test_a_client_that_vanishes_loses_its_row(cluster):
    clients = [WebSocket(cluster.websocket) for _ in range(5)]
    ids = {client.row_id(cluster) for client in clients}
    assert None not in ids
    for client in clients:
        client.reset()
    until(lambda: not ids & set(cluster.table()), "the rows have gone")


def test_a_client_that_ends_without_a_close_frame_loses_its_row(cluster, client):
    client.socket.shutdown(socket.SHUT_WR)
    assert client.is_closed()
    drop_row(cluster, client)


def test_a_client_that_vanishes_with_messages_under_way_harms_nobody(cluster, client):
    for _ in range(20):
        other = WebSocket(cluster.websocket)
        other.send(*(frame(TEXT, "x" * 100) for _ in range(100)))
        other.reset()
    assert client.ask("still there?") == "still there?"


# Silence


def test_a_silent_client_is_pinged_and_stays_if_it_answers(restless):
    with WebSocket(restless.websocket) as client:
        for _ in range(3):
            assert client.next() == Ping(b"")
            client.send(frame(PONG))
        client.say("hello")
        assert client.hear() == "hello"


def test_a_client_that_answers_no_ping_is_cut(restless):
    began = time.monotonic()
    with WebSocket(restless.websocket) as client:
        assert client.next() == Ping(b"")
        assert client.is_closed()
        assert 2.2 < time.monotonic() - began < 15
        drop_row(restless, client)


def test_a_client_that_says_nothing_but_pongs_is_told_that_it_is_idle(restless):
    began = time.monotonic()
    with WebSocket(restless.websocket) as client:
        assert client.hear() == Close(1001, "Going away")
        assert time.monotonic() - began > 3.5
        client.send(close_frame(1001))
        assert client.is_closed()
        drop_row(restless, client)


def test_a_client_that_does_not_answer_a_close_is_cut(restless):
    with WebSocket(restless.websocket) as client:
        row = client.row_id(restless)
        url = f"{restless.management}/@connections/{row}"
        assert restless.get(url, "DELETE")[0] == 204
        assert client.hear() == Close(1000, "Connection Closed Normally")
        assert client.is_closed()


# Too much


def test_a_message_over_the_limit_in_fragments_is_1009(tight):
    with WebSocket(tight.websocket) as client:
        part = b"x" * 32768
        client.send(frame(BINARY, part, fin=False), frame(CONTINUATION, part, fin=False))
        client.send(frame(CONTINUATION, b"x"))
        assert client.next().code == 1009
        assert client.is_closed()


def test_a_frame_over_the_limit_is_1009(tight):
    with WebSocket(tight.websocket) as client:
        client.send(frame(BINARY, b"x" * 32769))
        assert client.next().code == 1009


def test_a_message_at_the_limit_comes_back(tight):
    with WebSocket(tight.websocket) as client:
        part = b"x" * 32768
        client.send(frame(BINARY, part, fin=False), frame(CONTINUATION, part))
        assert client.next() == part + part


def answer_to_a_ping(client):
    """The second: the first may have been read in one turn with what was too much."""
    client.send(frame(PING))
    first = client.next()
    if first != Pong(b""):
        return first
    client.send(frame(PING))
    return client.next()


def test_over_the_memory_budget_a_large_message_is_1013_and_a_small_one_is_served(tight):
    clients = [WebSocket(tight.websocket) for _ in range(40)]
    for client in clients:
        client.send(frame(BINARY, b"x" * 30000, fin=False))
    refused = [end for end in map(answer_to_a_ping, clients) if end != Pong(b"")]
    assert {end.code for end in refused} == {1013}
    assert 0 < len(refused) < 40
    with WebSocket(tight.websocket) as small:
        assert small.ask("hello") == "hello"
    for client in clients:
        client.reset()
    held = "gatepost_edge_held_bytes"
    until(lambda: tight.metrics("edge-0")[held] == 0, "what was held is free again")


def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def fill(client):
    """Say large messages and read nothing, until the edge reads no more of them."""
    client.socket.settimeout(1)
    said = 0
    try:
        while True:
            client.send(frame(BINARY, b"x" * 32768))
            said += 32768
            assert said < 100 << 20, "the edge reads without an end"
    except TimeoutError:
        return


def test_readers_that_read_nothing_hurt_themselves_alone(tight):
    pid = tight.process("edge-0")["pid"]
    before = resident(pid)
    slow = [WebSocket(tight.websocket, receive_buffer=4096) for _ in range(5)]
    with WebSocket(tight.websocket) as other:
        for client in slow:
            fill(client)
            assert other.ask("hello") == "hello"
        assert resident(pid) - before < 32 << 20
        for client in slow:
            drop_row(tight, client)  # after the stall timeout
        assert other.ask("hello") == "hello"
    assert tight.metrics("edge-0")["gatepost_edge_stalled_total"] >= 5
    for client in slow:
        client.socket.close()


def test_a_push_to_a_full_client_is_429_and_what_was_taken_arrives(tight):
    with WebSocket(tight.websocket, receive_buffer=4096) as client:
        url = f"{tight.management}/@connections/{client.row_id(tight)}"
        taken = 0

        def is_full():
            nonlocal taken
            status, body = tight.get(url, "POST", b"x" * 60000)
            taken += status == 200
            assert status in (200, 429)
            return status == 429 and json.loads(body)["message"]

        until(is_full, "the outbox is full")
        for _ in range(taken):
            assert client.next() == "x" * 60000
        assert client.ask("and now?") == "and now?"
