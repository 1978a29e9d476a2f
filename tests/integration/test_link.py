"""What strangers say on the link between edges and brokers: refused, told in the log, harmless."""

import random
import re

import pytest
import zmq

from lib.cluster import Cluster, until
from lib.envelope import (
    ANSWER, CLOSE, COMMAND, EVENT, LEAVING, MEMBERS, OUTCOME, REFUSAL, RESPONSE, RESYNC, ROSTER,
    TEXT, VERSION, WELCOME, actions, envelope, fields, hello, items, message, welcome,
)  # fmt: skip
from lib.false_broker import FalseBroker
from lib.process import Process
from lib.wire import WebSocket

TOLD = ["link.*", "request.unreadable", "edge.*", "zsock.parts", "brokers.*"]
SECONDS = 30  # for one answer


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=1, brokers=1, expect=TOLD) as it:
        it.endpoint = re.search(r"broker\.start endpoint=(\S+)", it.log())[1]
        yield it


@pytest.fixture(scope="module")
def client(cluster):
    """A client of the true edge: it must not notice any of this."""
    with WebSocket(cluster.websocket) as it:
        yield it


@pytest.fixture(scope="module")
def context():
    with zmq.Context() as it:
        yield it


@pytest.fixture
def stranger(cluster, client, context):
    """Somebody who links to the broker as an edge does."""
    links = cluster.log().count("link.up")
    with context.socket(zmq.DEALER) as it:
        it.linger = 0
        it.rcvtimeo = SECONDS * 1000
        it.connect(cluster.endpoint)
        yield it
    assert client.ask('{"action":"ping"}') == "PONG!"
    log = cluster.log()
    assert "process.exited" not in log
    assert log.count("link.up broker=") == 1, "the true edge kept its link"
    assert links


def say(peer, *envelopes):
    for bytes_ in envelopes:
        peer.send(bytes_)


def answer(peer, kind):
    """The fields of the next item of that kind."""
    while True:
        for got, fields in items(peer.recv()):
            if got == kind:
                return fields


def is_refused(peer, why):
    reason = answer(peer, REFUSAL)[2][0].decode()
    assert why in reason, reason


ID = bytes(11)


def event(connection_id=ID, kind=2, **more):
    numbered = {int(k.strip("_")): v for k, v in more.items()}
    return (EVENT, {1: connection_id, 2: 1, 3: 0, 4: kind, **numbered})


# To a broker


@pytest.mark.parametrize("version", [0, 1, VERSION + 1, 1 << 31])
def test_another_version_is_refused_and_both_are_in_the_log(cluster, stranger, version):
    say(stranger, envelope(hello(), version=version))
    refusal = answer(stranger, REFUSAL)
    assert refusal[1] == [VERSION] and b"version" in refusal[2][0]
    told = f"link.version theirs={version} ours={VERSION}"
    until(lambda: told in cluster.log(), f"the log has {told}")


GARBAGE = {
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "0xff": b"\xff" * 100,
    "a length without an end": b"\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "a length beyond the end": b"\x08\x03\x22\x7f\x0a",
    "boot 0": envelope(hello(boot=0)),
    "a number of 17 bits": envelope(hello(number=65536)),
    "an unknown item": message({1: VERSION, 4: message({99: b"x"})}),
    "an empty item": message({1: VERSION, 4: b""}),
    "a name that is no string": message({1: VERSION, 4: message({1: message({1: 5})})}),
}


@pytest.mark.parametrize("why", GARBAGE)
def test_what_is_no_envelope_is_refused(stranger, why):
    say(stranger, GARBAGE[why])
    is_refused(stranger, "no envelope")


def test_each_prefix_of_a_hello_harms_nobody(stranger):
    whole = envelope(hello(), (OUTCOME, {1: 1, 2: 1}))
    say(stranger, *(whole[:n] for n in range(len(whole))))
    say(stranger, whole)
    assert answer(stranger, WELCOME)


def test_an_event_before_hello_is_refused(stranger):
    say(stranger, envelope(event()))
    is_refused(stranger, "Hello must come first")


WRONG_EVENTS = {
    **{f"an id of {n} bytes": event(bytes(n)) for n in (0, 1, 10, 12, 300)},
    "no kind": event(kind=0),
    "an unknown kind": event(kind=99),
    "a roster with a short id": (ROSTER, {1: message({1: b"short", 2: b""})}),
    "a command of no kind": (COMMAND, {1: 1, 3: ID}),
    "an outcome of no result": (OUTCOME, {1: 1}),
}


@pytest.mark.parametrize("why", WRONG_EVENTS)
def test_a_wrong_item_after_hello_ends_the_link(cluster, stranger, why):
    say(stranger, envelope(hello(boot=77)))
    assert answer(stranger, WELCOME)
    say(stranger, envelope(WRONG_EVENTS[why]))
    is_refused(stranger, "no envelope")
    say(stranger, envelope(hello(boot=78)))
    assert answer(stranger, WELCOME), "a new start is possible"


def test_an_edge_that_says_leaving_has_its_lease_renewed_no_more(cluster, stranger):
    say(stranger, envelope(hello(boot=0xB00)))
    number = answer(stranger, WELCOME)[3][0]

    def left():
        """Milliseconds that the lease has left; a heartbeat keeps the link up meanwhile."""
        say(stranger, envelope())
        with cluster.redis() as db:
            return db.pttl(f"gatepost:{{e{number}}}:lease")

    until(lambda: left() < 8500, "time goes by")
    until(lambda: left() > 9000, "it is renewed")
    say(stranger, envelope((LEAVING, {})))
    until(lambda: left() < 6500, "it is not, where it would have been")


@pytest.mark.parametrize("item", [welcome(), (RESYNC, {1: 7}), (ANSWER, {1: ID})])
def test_what_only_a_broker_says_ends_the_link(stranger, item):
    say(stranger, envelope(hello(boot=79)))
    assert answer(stranger, WELCOME)
    say(stranger, envelope(item))
    is_refused(stranger, "only brokers")


def test_contexts_and_requests_that_are_nonsense_are_answered_as_errors(stranger):
    say(stranger, envelope(hello(boot=80)))
    (number,) = answer(stranger, WELCOME)[3]
    for i, kind in enumerate((1, 4)):
        own = number.to_bytes(2) + bytes([0, 0, 0, i]) + bytes(5)
        say(stranger, envelope(event(own, kind, _6=b"\xff\xff", _7=b"\xff\xff")))
        response = message({}) or fields(answer(stranger, ANSWER)[11][0])[RESPONSE][0]
        assert response[:3] in (b"\x08\xf4\x03", b"\x08\x93\x03"), "500 or 403"


def test_who_claims_the_number_of_another_gets_a_number_of_its_own(cluster, client, stranger):
    (number,) = re.findall(r" edge-0 edge\.number number=(\d+)", cluster.log())
    before = cluster.table()
    row = (ROSTER, {1: message({1: int(number).to_bytes(2) + bytes(9), 2: b""})})
    say(stranger, envelope(hello(boot=81, number=int(number)), row), envelope(row))
    (given,) = answer(stranger, WELCOME)[3]
    assert given != int(number)
    say(stranger, envelope(row), envelope(welcome()))
    is_refused(stranger, "only brokers")  # all before it has been taken
    assert cluster.table() == before


def test_who_speaks_for_the_connection_of_another_edge_is_refused(cluster, client, stranger):
    (number,) = re.findall(r" edge-0 edge\.number number=(\d+)", cluster.log())
    before = cluster.table()
    theirs = int(number).to_bytes(2) + bytes(9)
    say(stranger, envelope(hello(boot=83)))
    assert answer(stranger, WELCOME)
    say(stranger, envelope(event(theirs, 1, _7=message({1: "GET", 2: "/dev"}))))
    is_refused(stranger, "another edge")
    assert cluster.table() == before


def test_outcomes_that_nobody_waits_for_are_ignored(stranger):
    outcomes = [(OUTCOME, {1: ticket, 2: 1, 3: b"\xff"}) for ticket in range(100)]
    say(stranger, envelope(hello(boot=84), *outcomes))
    assert answer(stranger, WELCOME)


def test_credit_for_what_was_never_sent_ends_the_link(stranger):
    say(stranger, envelope(hello(boot=85)))
    assert answer(stranger, WELCOME)
    say(stranger, message({1: VERSION, 2: 1 << 63, 3: 1 << 63}))
    is_refused(stranger, "no envelope")


def test_a_huge_batch_is_taken(stranger):
    say(stranger, envelope(hello(boot=87)))
    (number,) = answer(stranger, WELCOME)[3]
    own = number.to_bytes(2) + bytes(9)
    n = 20000
    say(stranger, envelope(*(event(own, 2, _3=i, _8="x") for i in range(n))))
    got = 0
    while got < n:
        got += sum(kind == ANSWER for kind, _ in items(stranger.recv()))
    assert got == n


def test_random_bytes_harm_nobody(stranger):
    dice = random.Random(7)
    whole = envelope(hello(boot=88), event(), (OUTCOME, {1: 1, 2: 1}))
    for _ in range(500):
        changed = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        say(stranger, bytes(changed), dice.randbytes(dice.randrange(100)))
    say(stranger, envelope(hello(boot=89)))
    while not any(kind == WELCOME for kind, _ in items(stranger.recv())):
        pass


def test_messages_of_several_parts_harm_nobody(stranger):
    stranger.send_multipart([b"a", b"b", envelope(hello(boot=90)), b""])
    say(stranger, envelope(hello(boot=91)))
    assert answer(stranger, WELCOME)


def test_a_hello_that_is_too_long_for_its_places_is_taken_in_part(stranger):
    say(stranger, envelope(hello(boot=92, _1="n" * 10000, _6="c" * 10000)))
    assert answer(stranger, WELCOME)


# To an edge


@pytest.fixture
def false_broker(cluster, context, tmp_path):
    """(socket, edge): an edge that is linked to a true broker, and greets this one too."""
    with FalseBroker(context, tmp_path) as it:
        flags = ["--name", "edge-f", "--listen", "127.0.0.1:0", "--retry", "50ms",
                 "--drain-delay", "0", "--brokers", f"{cluster.endpoint},{it.endpoint}"]  # fmt: skip
        with Process("gatepost-edge", *flags, expect=TOLD) as edge:
            url = f"ws://{edge.told('LISTEN')}/dev"
            until(lambda: "link.up broker=broker-0" in edge.log(), "it has the true broker")
            with WebSocket(url) as client:
                yield it, edge
                assert edge.is_running()
                assert client.ask('{"action":"ping"}') == "PONG!"
            with WebSocket(url) as client:
                assert client.ask('{"action":"ping"}') == "PONG!"


FALSE = {
    **{f"garbage: {why}": bytes_ for why, bytes_ in GARBAGE.items() if "boot" not in why},
    "another version": envelope(welcome(), version=VERSION + 1),
    "a refusal": envelope((REFUSAL, {1: 1, 2: "go away"})),
    "hello": envelope(hello()),
    "number 0": envelope(welcome(number=0)),
    "a number of 17 bits": envelope(welcome(number=65536)),
    "boot 0": envelope(welcome(boot=0)),
    "no members": envelope((WELCOME, {1: "b", 2: 1, 3: 1})),
    "an answer with a short id": envelope((ANSWER, {1: b"short"})),
    "an action that is unknown": envelope((ANSWER, {1: ID, 11: message({99: b"x"})})),
    "an action behind a close": envelope(
        (ANSWER, {1: ID, 11: actions((CLOSE, message({1: 1000})), (TEXT, b"x"))})
    ),
    "too many actions": envelope((ANSWER, {1: ID, 11: actions(*[(TEXT, b"")] * 129)})),
    "a send without a frame": envelope((COMMAND, {1: 1, 2: 1, 3: ID})),
    "an event": envelope(event()),
}


@pytest.mark.parametrize("why", FALSE)
def test_a_false_broker_is_left_and_tried_again(false_broker, why):
    broker, edge = false_broker
    broker.tell(broker.greeted(), FALSE[why])
    assert broker.greeted(), "it comes again"
    if "version" in why:
        assert f"theirs={VERSION + 1} ours={VERSION}" in edge.log()
    if "refusal" in why:
        assert "link.refused" in edge.log() and "go away" in edge.log()


def test_commands_and_answers_before_welcome_are_ignored(false_broker):
    broker, _ = false_broker
    command = (COMMAND, {1: 1, 2: 3, 3: ID})
    route = broker.greeted()
    broker.tell(route, envelope(command, (ANSWER, {1: ID}), (RESYNC, {1: 7}), (LEAVING, {})))
    broker.tell(route, envelope(hello()))
    assert broker.greeted()


def edge_number(edge):
    return int(re.search(r"edge\.number number=(\d+)", edge.log())[1])


def test_answers_and_commands_for_nobody_are_ignored(false_broker):
    broker, edge = false_broker
    route = broker.greeted()
    broker.tell(route, envelope(welcome(number=edge_number(edge))))
    until(lambda: "link.up broker=false-broker" in edge.log(), "it is welcomed")
    body, said = message({1: "x"}), actions((TEXT, b"x"))
    asked = [
        (ANSWER, {1: ID, 2: 5, 3: 5, 11: said}), (ANSWER, {1: b"\xff" * 11, 11: said}),
        *((COMMAND, {1: 9, 2: k, 3: b"\xff" * 11, 4: body, 5: 1000}) for k in (1, 2, 3)),
    ]  # fmt: skip
    broker.tell(route, envelope(*asked, (LEAVING, {})))
    outcomes = []
    while len(outcomes) < 3:
        _, said = broker.next()
        outcomes += [fields[2] for kind, fields in said if kind == OUTCOME]
    assert outcomes == [[2], [2], [2]], "gone"


def test_a_member_by_another_transport_than_tcp_or_a_unix_socket_is_ignored(
    false_broker, context, tmp_path
):
    broker, edge = false_broker
    route = broker.greeted()
    folder = tmp_path / "other"
    folder.mkdir()
    with FalseBroker(context, folder) as other:
        members = ["inproc://x", other.endpoint]
        broker.tell(route, envelope(welcome(number=edge_number(edge), members=members)))
        assert other.greeted(), "the one that is on a Unix socket is linked to"
    assert "brokers.transport ignored=inproc://x" in edge.log()


def test_members_that_are_nowhere_or_nothing_or_too_many_harm_nobody(false_broker):
    broker, edge = false_broker
    route = broker.greeted()
    nowhere = ["", "x", "tcp://", "tcp://127.0.0.1:1", "ipc://", "inproc://x", "a" * 5000]
    many = [f"ipc:///nowhere/{i}" for i in range(2000)]
    first = welcome(number=edge_number(edge), members=nowhere)
    broker.tell(route, envelope(first), envelope((MEMBERS, {1: [
        message({1: "m", 2: i + 1, 3: endpoint}) for i, endpoint in enumerate(many)
    ]})))  # fmt: skip
    until(lambda: "link.up broker=false-broker" in edge.log(), "it is welcomed")
    until(lambda: "brokers.too_many" in edge.log(), "it takes as many as it can")
    broker.tell(route, envelope((LEAVING, {})), envelope(hello()))
    assert broker.greeted()
