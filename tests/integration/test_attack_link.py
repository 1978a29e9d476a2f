"""Attacks on the link: peers of a broker that say little or far too much, and a broker whose answers
no broker of ours would give. The edge lives, and serves its clients through the others.
What is malformed altogether is in test_link.py.
"""

import re

import pytest
import zmq

from lib import zmtp
from lib.cluster import Cluster, until
from lib.envelope import (
    ANSWER, COMMAND, EVENT, MEMBERS, REFUSAL, RESPONSE, RESYNC, STORE, TEXT, VERSION, WELCOME,
    actions, envelope, hello, items, message, welcome,
)  # fmt: skip
from lib.false_broker import FalseBroker
from lib.process import Process, descriptors
from lib.wire import WebSocket, Wire, request, upgrade

TOLD = ["link.*", "edge.*", "brokers.*", "descriptors.*"]
SECONDS = 30
SILENT = 300  # peers
PING = '{"action":"ping"}'


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=1, expect=TOLD) as it:
        it.endpoint = re.search(r"broker\.start endpoint=(\S+)", it.log())[1]
        yield it


@pytest.fixture(scope="module")
def context():
    with zmq.Context() as it:
        yield it


# Peers of a broker


def broker_pid(cluster):
    return cluster.process("broker-0")["pid"]


@pytest.fixture(scope="module", autouse=True)
def silent(cluster):
    """Peers that have shaken hands and say nothing; they are there in all other tests."""
    before = descriptors(broker_pid(cluster))
    peers = [zmtp.peer(cluster.endpoint, zmtp.SHAKEN) for _ in range(SILENT)]
    until(lambda: descriptors(broker_pid(cluster)) >= before + SILENT, "they are all connected")
    yield before
    for it in peers:
        it.close()


@pytest.fixture(autouse=True)
def unharmed(cluster):
    """The edge's link is the first one, and everybody is served by it."""
    with WebSocket(cluster.websocket) as client:
        yield
        client.say(PING)
        assert client.hear() == "PONG!"
    with WebSocket(cluster.websocket) as client:
        assert client.ask(PING) == "PONG!"
    assert len(re.findall(r" edge-0 link\.up ", cluster.log())) == 1


WRONG_PEERS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a mechanism that is unknown": zmtp.greeting(b"TRUST"),
    "a mechanism without its end": zmtp.greeting(b"x" * 20),
    "a socket of another type": zmtp.greeting() + zmtp.ready(b"PUB"),
    "a type of 2 GB": zmtp.greeting() + zmtp.frame(
        b"\x05READY\x0bSocket-Type\x7f\xff\xff\xffDEALER", zmtp.COMMAND
    ),
    "a message of 2^63 bytes": zmtp.SHAKEN + zmtp.frame(b"x", length=(1 << 63) - 1),
    "a message of 2^64 bytes": zmtp.SHAKEN + zmtp.frame(b"x", length=(1 << 64) - 1),
    "a message of 1 GB": zmtp.SHAKEN + zmtp.frame(b"x", length=1 << 30),
    "reserved flags": zmtp.SHAKEN + b"\xf8\x01x",
    "a command that is unknown": zmtp.SHAKEN + zmtp.frame(b"\x05WRECK", zmtp.COMMAND),
    "a ping without its time": zmtp.SHAKEN + zmtp.frame(b"\x04PING", zmtp.COMMAND),
    "a ping of 1 MB": zmtp.SHAKEN + zmtp.frame(b"\x04PING\0\x01" + bytes(1 << 20), zmtp.COMMAND),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_PEERS)
def test_a_peer_that_breaks_zeromqs_protocol_harms_nobody(cluster, what):
    for _ in range(10):
        zmtp.peer(cluster.endpoint, WRONG_PEERS[what]).close()


def test_messages_of_ten_thousand_parts_harm_nobody(cluster):
    parts = zmtp.frame(b"x", zmtp.MORE) * 10_000 + zmtp.frame(b"x")
    zmtp.peer(cluster.endpoint, zmtp.SHAKEN, parts, zmtp.frame(envelope(hello(boot=7)))).close()


@pytest.fixture
def stranger(cluster, context):
    """Somebody who has linked to the broker as an edge does."""
    with context.socket(zmq.DEALER) as it:
        it.linger = 0
        it.rcvtimeo = SECONDS * 1000
        it.connect(cluster.endpoint)
        it.send(envelope(hello(boot=1000)))
        while not any(kind == WELCOME for kind, _ in items(it.recv())):
            pass
        yield it


GIANTS = {
    "eight million empty items": b"\x08\x03" + b"\x22\x00" * 8_000_000,
    "a million events without an id": envelope() + message({4: message({EVENT: b""})}) * 1_000_000,
    "100 MB of zeros": bytes(100 << 20),
    "items in items": b"\x08\x03" + b"\x22\x02" * 1_000_000,
}


@pytest.mark.parametrize("what", GIANTS)
def test_a_giant_envelope_is_refused(stranger, what):
    stranger.send(GIANTS[what])
    while True:
        for kind, fields in items(stranger.recv()):
            if kind == REFUSAL:
                assert b"no envelope" in fields[2][0]
                return


# A broker that an edge believes


@pytest.fixture(scope="module")
def believed(cluster, context, tmp_path_factory):
    """(false broker, edge, its URL): an edge that has a true broker, too."""
    with FalseBroker(context, tmp_path_factory.mktemp("false")) as broker:
        flags = ["--name", "edge-f", "--listen", "127.0.0.1:0", "--retry", "50ms",
                 "--drain-delay", "0", "--brokers", f"{cluster.endpoint},{broker.endpoint}"]  # fmt: skip
        with Process("gatepost-edge", *flags, expect=TOLD) as edge:
            until(lambda: "link.up broker=broker-0" in edge.log(), "it has the true broker")
            yield broker, edge, f"http://{edge.told('LISTEN')}/dev"


@pytest.fixture
def false_broker(believed):
    """(false broker, route): one that has just been welcomed; the edge outlives what it does."""
    broker, edge, url = believed
    assert edge.is_running(), "another test has ended it"
    ups = edge.log().count("link.up broker=false-broker")
    route = broker.greeted()
    number = int(re.search(r"edge\.number number=(\d+)", edge.log())[1])
    broker.tell(route, envelope(welcome(number=number)))
    until(lambda: edge.log().count("link.up broker=false-broker") > ups, "it is welcomed")
    yield broker, route
    broker.tell(route, b"no envelope: the link ends")
    with WebSocket(url) as client:
        assert client.ask(PING) == "PONG!"
    assert edge.is_running()


def an_event(broker, url, bytes_):
    """(wire, event): a request that came to the false broker, where about half of them go."""
    poller = zmq.Poller()
    poller.register(broker.socket, zmq.POLLIN)
    for _ in range(100):
        wire = Wire(url)
        wire.send(bytes_)
        poller.register(wire.socket, zmq.POLLIN)
        while dict(poller.poll(SECONDS * 1000)).get(wire.socket.fileno()) is None:
            _, said = broker.next()
            for kind, fields in said:
                if kind == EVENT:
                    return wire, fields
        poller.unregister(wire.socket)
        wire.socket.close()
    raise AssertionError("no event came to it")


def to(event, **more):
    """An answer to that event."""
    numbered = {int(name.strip("_")): value for name, value in more.items()}
    return envelope((ANSWER, {1: event[1], 2: event.get(2, [0]), 3: event.get(3, [0]), **numbered}))


def respond(status, headers=(), body=b""):
    """The action."""
    listed = [message({1: name, 2: value}) for name, value in headers]
    return (RESPONSE, message({1: status, 2: listed, 3: body}))


@pytest.mark.parametrize("status", [
    0, 5, 99, 100, 101, 199, 600, 999, 1000, 65_736, 1 << 31, (1 << 32) - 1, 1 << 63,
])  # fmt: skip
def test_a_status_that_is_none_does_not_end_the_edge(believed, false_broker, status):
    """Some of them aborted it. The other broker answers instead."""
    broker, route = false_broker
    wire, event = an_event(broker, believed[2], request(target="/dev/ping"))
    with wire:
        broker.tell(route, to(event, _11=actions(respond(status))))
        answer = wire.response()
        assert (answer.status, answer.body) == (200, b"PONG!")


@pytest.mark.parametrize("expires", [-1, -(2**63), 2**63 - 1, 2**62])
def test_an_end_outside_all_time_does_not_end_the_edge(believed, false_broker, expires):
    """-2^63 was undefined behaviour."""
    broker, route = false_broker
    wire, event = an_event(broker, believed[2], upgrade())
    with wire:
        broker.tell(route, to(event, _11=actions(respond(200)), _10=expires))
        assert wire.response().status == 101


HOSTILE_ACTIONS = {
    "none": (),
    "a message": ((TEXT, b"false"),),
    "a message behind the response": (respond(200, body=b"false"), (TEXT, b"x")),
    "two responses": (respond(200, body=b"false"), respond(200)),
    "an unknown one behind the response": (respond(200, body=b"false"), (99, b"x")),
    "too many": (respond(200, body=b"false"), *[(TEXT, b"x")] * 128),
}


@pytest.mark.parametrize("what", HOSTILE_ACTIONS)
def test_of_actions_that_a_request_cannot_have_none_is_applied(believed, false_broker, what):
    """The other broker answers instead."""
    broker, route = false_broker
    wire, event = an_event(broker, believed[2], request(target="/dev/ping"))
    with wire:
        broker.tell(route, to(event, _11=actions(*HOSTILE_ACTIONS[what])))
        answer = wire.response()
        assert (answer.status, answer.body) == (200, b"PONG!")


HOSTILE_HEADERS = {
    "200,000": [("x", "")] * 200_000,
    "CRLF": [("x-a", "1\r\nx-injected: 1"), ("x-b\r\nx-injected", "1")],
    "NUL": [("x\0", "1"), ("x-a", "\0")],
    "framing": [("Content-Length", "100"), ("Transfer-Encoding", "chunked")],
    "no name": [("", "x")],
    "a value of 10 MB": [("x", "y" * 10_000_000)],
}


@pytest.mark.parametrize("what", HOSTILE_HEADERS)
def test_hostile_headers_of_a_broker_end_in_one_answer(believed, false_broker, what):
    broker, route = false_broker
    wire, event = an_event(broker, believed[2], request(target="/dev/ping"))
    with wire:
        broker.tell(route, to(event, _11=actions(respond(200, HOSTILE_HEADERS[what], b"false"))))
        answer = wire.response()
        assert answer.status in (200, 502) and "x-injected" not in answer.headers
        assert answer.body in (b"false", b"PONG!") or answer.status == 502
        wire.send(request(target="/nothing", headers={"Connection": "close"}))


def many_members(n):
    listed = [message({1: "m" * 300, 2: i + 1, 3: f"ipc:///nowhere/{i}"}) for i in range(n)]
    return envelope((MEMBERS, {1: listed}))


HOSTILE_ITEMS = {
    "an answer of another number": envelope((ANSWER, {1: b"\xff" * 11, 2: 1 << 63, 3: 1 << 63})),
    "answers for nobody": envelope(*[(ANSWER, {1: bytes([i] * 11)}) for i in range(200)]),
    "100,000 members": many_members(100_000),
    "members without a name": envelope((MEMBERS, {1: [message({}), message({2: 1})]})),
    "the same member a thousand times": envelope(
        (MEMBERS, {1: [message({1: "m", 2: 5, 3: "ipc:///nowhere"})] * 1000})
    ),
    "resync of ticket 2^64 - 1": envelope((RESYNC, {1: (1 << 64) - 1})),
    "a thousand resyncs": envelope(*[(RESYNC, {1: i}) for i in range(1000)]),
    "a store that comes and goes": envelope(*[(STORE, {1: i % 2}) for i in range(10_000)]),
    "a send to half an id": envelope((COMMAND, {1: 1, 2: 1, 7: bytes(16), 4: b""})),
    "a send to 100,000 ids": envelope((COMMAND, {1: 1, 2: 1, 7: bytes(1_100_000), 4: b""})),
    "a close with code 1": envelope((COMMAND, {1: 1, 2: 2, 3: bytes(11), 5: 1})),
    "a close with code 2^31": envelope((COMMAND, {1: 1, 2: 2, 3: bytes(11), 5: 1 << 31})),
    "a close with a reason of 1 MB": envelope(
        (COMMAND, {1: 1, 2: 2, 3: bytes(11), 5: 1000, 6: b"x" * (1 << 20)})
    ),
    "a command that is unknown": envelope((COMMAND, {1: 1, 2: 99, 3: bytes(11)})),
    "a second welcome": envelope(welcome(number=1)),
    "credit of 2^64 - 1": message({1: VERSION, 2: (1 << 64) - 1, 3: (1 << 64) - 1}),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE_ITEMS)
def test_hostile_items_of_a_broker_do_not_end_the_edge(false_broker, what):
    broker, route = false_broker
    broker.tell(route, HOSTILE_ITEMS[what])


def test_peers_that_shook_hands_and_say_nothing_are_let_go(cluster, silent):
    """They held their descriptors for ever. (The last test, since it has to wait for them.)"""
    until(lambda: descriptors(broker_pid(cluster)) < silent + SILENT // 10, "they have gone", 60)
