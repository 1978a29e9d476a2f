"""Events that end their links: the edge gives up the one that does it, and no other."""

import re
import time
import urllib.request

import pytest
import zmq

from lib.cluster import until
from lib.envelope import (
    ANSWER, EVENT, HELLO, LEAVING, REFUSAL, RESPONSE, TEXT, actions, envelope, items, message,
    welcome,
)  # fmt: skip
from lib.process import Process
from lib.wire import WebSocket, Wire, request, upgrade

SECONDS = 30
TOLD = ["link.*", "edge.*", "event.poisonous"]
CONNECT, MESSAGE, DISCONNECT, HTTP = 1, 2, 3, 4
NUMBER = 7
SUDDEN = 1  # s: SUDDEN_MS of edge/link/poison.c


class Broker:
    """Whom the edge takes for its only broker. What it says to an event, a test decides."""

    def __init__(self):
        self.endpoint = "tcp://127.0.0.1:0"
        self._boot = 1000
        self._start()

    def _start(self):
        self._boot += 1
        self._forget_link()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.bind(self.endpoint)
        self.endpoint = self._socket.last_endpoint.decode()

    def _forget_link(self):
        """What still comes by it counts no more."""
        self._route = None
        self._waiting = []

    def stop(self):
        self._context.destroy(linger=0)

    def die(self):
        """As kill -9 does, and a supervisor that starts it again."""
        self.stop()
        self._start()

    def say(self, *parts):
        self._socket.send_multipart([self._route, envelope(*parts)])

    def garble(self):
        self._socket.send_multipart([self._route, b"\xff\xff\xff"])
        self._forget_link()

    def refuse(self):
        self.say((REFUSAL, {1: 1, 2: "that was no envelope"}))
        self._forget_link()

    def take(self, seconds=SECONDS):
        """The fields of the next event; None when none has come in time. Edges are welcomed meanwhile."""
        end = time.monotonic() + seconds
        while self._socket.poll(max(0, 1000 * (end - time.monotonic()))):
            route, said = self._socket.recv_multipart()
            for kind, fields in items(said):
                if kind == HELLO:
                    self._route = route
                    self.say(welcome(boot=self._boot, number=NUMBER))
                elif kind == EVENT and route == self._route:
                    self._waiting.append(fields)
            if self._waiting:
                return self._waiting.pop(0)
        return None

    def answer(self, event, **more):
        numbered = {int(k.strip("_")): v for k, v in more.items()}
        own = {n: event[n][0] for n in (1, 2, 3) if n in event}
        self.say((ANSWER, {**own, **numbered}))

    def let_in(self):
        event = self.take()
        assert event[4] == [CONNECT]
        self.answer(event, _11=actions((RESPONSE, message({1: 200}))))


def body_of(event):
    return event[8][0]


def is_accused(event):
    return event.get(12) == [2]


@pytest.fixture
def broker():
    it = Broker()
    yield it
    it.stop()


@pytest.fixture
def edge(broker):
    flags = ["--name", "edge-0", "--listen", "127.0.0.1:0", "--retry", "50ms",
             "--brokers", broker.endpoint]  # fmt: skip
    with Process("gatepost-edge", *flags, expect=TOLD) as it:
        until(lambda: broker.take(0.05) is None and "link.up" in it.log(), "it is linked")
        it.url = f"ws://{it.told('LISTEN')}/dev"
        yield it


def opened(edge, broker):
    """A client that is let in."""
    wire = Wire(edge.url)
    wire.send(upgrade())
    broker.let_in()
    assert wire.response().status == 101
    wire.__class__ = WebSocket
    return wire


def metric(edge, name):
    with urllib.request.urlopen(edge.told("METRICS").removesuffix("/metrics") + "/metrics") as page:
        return int(re.search(rf"^{name} (\d+)$", page.read().decode(), re.MULTILINE)[1])


def given_up(edge):
    return metric(edge, "gatepost_edge_poisonous_total")


ENDS = {"garbles its answers": Broker.garble, "dies of it": Broker.die, "cannot read it": Broker.refuse}


@pytest.mark.parametrize("why", ENDS)
def test_a_request_is_502_when_each_broker_that_gets_it(edge, broker, why):
    with Wire(edge.url) as client:
        client.send(request(target="/dev/poison?secret=1"))
        accused = []
        for _ in range(4):
            accused.append(is_accused(broker.take()))
            ENDS[why](broker)
        assert client.response().status == 502
    assert accused == [False, False, False, True]
    (line,) = [line for line in edge.log().splitlines() if "event.poisonous" in line]
    assert "kind=HTTP" in line and "path=/dev/poison" in line and "secret" not in line
    assert given_up(edge) == 1
    with opened(edge, broker) as client:  # the link is up, and stays so
        client.say("hello")
        event = broker.take()
        broker.answer(event, _11=actions((TEXT, b"world")))
        assert client.next() == "world"


def test_a_message_gets_the_error_frame_and_its_connection_goes_on(edge, broker):
    with opened(edge, broker) as client:
        client.say("poison")
        client.say("after it")
        while body_of(event := broker.take()) == b"poison":
            broker.garble()
        error = client.next()
        assert error.startswith('{"message": "Internal server error", "connectionId":"')
        broker.answer(event, _11=actions((TEXT, b"well")))
        assert client.next() == "well"
    assert "poison" not in edge.log().replace("event.poisonous", "")
    assert given_up(edge) == 1


def test_what_was_under_way_beside_it_is_not_given_up(edge, broker):
    """Their function is slow: each end of a link finds them unanswered."""
    with opened(edge, broker) as first, opened(edge, broker) as second:
        first.say("slow 1")
        second.say("slow 2")
        held = {body_of(broker.take()), body_of(broker.take())}
        assert held == {b"slow 1", b"slow 2"}
        with Wire(edge.url) as client:
            client.send(request(target="/dev/poison"))
            held = []
            while given_up(edge) == 0:
                held += iter(lambda: broker.take(0.2), None)
                if any(event[4] == [HTTP] for event in held):
                    broker.garble()
                    held.clear()
                for event in filter(is_accused, held):  # it is alone, and innocent
                    broker.answer(event, _11=actions((TEXT, body_of(event))))
            assert client.response().status in (502, 503)  # or it has lost patience
        for event in [*held, *iter(lambda: broker.take(0.2), None)]:
            broker.answer(event, _11=actions((TEXT, body_of(event))))
        assert (first.next(), second.next()) == ("slow 1", "slow 2")
    assert edge.log().count("event.poisonous") == 1


def test_a_connect_is_502_and_its_disconnect_follows(edge, broker):
    with Wire(edge.url) as client:
        client.send(upgrade())
        for _ in range(4):
            event = broker.take()
            assert event[4] == [CONNECT]
            broker.die()
        assert client.response().status == 502
    event = broker.take()
    assert (event[4], event[10]) == ([DISCONNECT], [1006])
    broker.answer(event)


def test_a_disconnect_is_dropped_and_said_so(edge, broker):
    with opened(edge, broker):
        pass
    for _ in range(4):
        assert broker.take()[4] == [DISCONNECT]
        broker.die()
    until(lambda: "event.poisonous kind=DISCONNECT" in edge.log(), "the log says so")
    assert given_up(edge) == 1
    with opened(edge, broker):
        pass
    broker.answer(broker.take())


def answered(client, broker, event):
    assert not is_accused(event)
    broker.answer(event, _11=actions((TEXT, b"done")))
    return client.next() == "done"


def test_a_message_that_outlives_five_brokers_which_were_killed_is_answered(edge, broker):
    """Its function is slow, and they are killed one after the other."""
    with opened(edge, broker) as client:
        client.say("slow")
        for _ in range(5):
            event = broker.take()
            assert broker.take(1.2 * SUDDEN) is None, "time goes by"
            broker.die()
        assert answered(client, broker, broker.take())
    assert given_up(edge) == 0


def test_a_message_that_outlives_five_brokers_which_were_drained_is_answered(edge, broker):
    with opened(edge, broker) as client:
        client.say("slow")
        for _ in range(5):
            broker.take()
            broker.say((LEAVING, {}))
            until(lambda: missing(edge), "the edge has heard it")
            broker.die()
        assert answered(client, broker, broker.take())
    assert given_up(edge) == 0


def missing(edge):
    return metric(edge, "gatepost_edge_brokers") == 0
