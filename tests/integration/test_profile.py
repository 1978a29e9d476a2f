"""--profile aws: API Gateway's quotas (section 5 of the specification), each of which a flag overrides."""

import pytest

from lib.cluster import Cluster
from lib.wire import BINARY, CONTINUATION, TEXT, Close, WebSocket, frame

KI = 1024
AWS = ["--profile", "aws"]


def echoing(**env):
    return Cluster(edges=1, brokers=1, args=["--default-route", "builtin:echo", *AWS], env=env)


@pytest.fixture(scope="module")
def cluster():
    with echoing() as it:
        yield it


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        yield it


def in_frames(*sizes):
    """A message of frames of these sizes."""
    last = len(sizes) - 1
    return b"".join(
        frame(TEXT if i == 0 else CONTINUATION, b"x" * n, fin=i == last) for i, n in enumerate(sizes)
    )


def test_5_a_frame_of_32_kib_is_taken(client):
    assert client.ask("x" * 32 * KI) == "x" * 32 * KI


def test_5_a_larger_frame_is_closed_with_1009(client):
    client.say("x" * (32 * KI + 1))
    assert client.next().code == 1009


def test_5_a_message_of_128_kib_in_four_frames_is_taken(client):
    client.send(in_frames(*[32 * KI] * 4))
    assert client.next() == "x" * 128 * KI


def test_5_a_larger_message_is_closed_with_1009(client):
    client.send(in_frames(*[32 * KI] * 4, 1))
    assert client.next().code == 1009


def test_5_a_binary_message_is_closed_with_1003(client):
    client.send(frame(BINARY, b"x" * 1000))
    closed = client.next()
    assert isinstance(closed, Close) and closed.code == 1003


def test_a_setting_beside_the_profile_beats_it():
    with echoing(GATEPOST_MAX_FRAME="1MiB", GATEPOST_MAX_MESSAGE="1MiB", GATEPOST_BINARY="accept") as it:
        with WebSocket(it.websocket) as client:
            assert client.ask("x" * 1024 * KI) == "x" * 1024 * KI
            assert client.ask(b"\0\xff") == b"\0\xff"
            client.say("x" * (1024 * KI + 1))
            assert client.next().code == 1009


def test_5_who_says_nothing_for_the_idle_time_is_closed_with_1001():
    with echoing(GATEPOST_IDLE_TIMEOUT="2s") as it, WebSocket(it.websocket) as client:
        assert client.ask("hello") == "hello"
        assert client.next().code == 1001


def test_5_a_connection_ends_with_1001_when_it_has_lived_long_enough():
    with echoing(GATEPOST_MAX_AGE="2s") as it, WebSocket(it.websocket) as client:
        for _ in range(1000):
            got = client.ask("hello")
            if got != "hello":
                break
        else:
            got = client.next()
        assert got.code == 1001


def test_without_the_profile_a_frame_may_be_larger_and_binary():
    with Cluster(edges=1, brokers=1, args=["--default-route", "builtin:echo"]) as it:
        with WebSocket(it.websocket) as client:
            assert client.ask("x" * 200 * KI) == "x" * 200 * KI
            assert client.ask(b"x" * 200 * KI) == b"x" * 200 * KI
