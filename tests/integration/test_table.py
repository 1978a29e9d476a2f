"""The connection table in Redis: it tells who is connected, whatever becomes of clients and of Redis."""

import random
import socket
import threading
import time

import pytest

from lib.cluster import Cluster, until
from lib.outage import is_let_in, readiness
from lib.process import Process
from lib.redis_server import RedisServer, free_port
from lib.wire import Close, WebSocket, Wire, close_frame, frame, http, request, upgrade

AWAY = ["redis.down", "redis.refused", "store.changed", "edge.lease.lost", "resync.failed", "link.*"]


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=2, brokers=2, args=["--redis-prefix", "test:of-the/table:"]) as it:
        yield it


@pytest.fixture
def store(tmp_path):
    with RedisServer(tmp_path) as it:
        yield it.start()


@pytest.fixture
def shaky(store):
    """A cluster whose Redis the test may take away: (cluster, store)."""
    args = ["--redis", store.url, "--default-route", "builtin:echo"]
    with Cluster(edges=2, brokers=2, args=args, expect=AWAY) as it:
        yield it, store


def is_table_of(cluster, clients):
    """The table has the rows of these clients, and no other."""
    wanted = {client.agent for client in clients}
    until(
        lambda: {row["userAgent"] for row in cluster.table().values()} == wanted,
        "the table has the rows of those who are connected",
    )


# Clients come and go


def delete(cluster, client):
    url = f"{cluster.management}/@connections/{client.row_id(cluster)}"
    assert cluster.get(url, "DELETE")[0] == 204
    assert client.next() == Close(1000, "Connection Closed Normally")
    client.send(close_frame(1000))


ENDS = {
    "a close frame": lambda cluster, client: client.send(close_frame(1000)),
    "the end of the stream": lambda cluster, client: client.socket.shutdown(socket.SHUT_WR),
    "a reset": lambda cluster, client: client.reset(),
    "a fault": lambda cluster, client: client.send(frame(0xF)),
    "half a frame and the end": lambda cluster, client: (
        client.send(frame(1, "hello")[:-2]), client.socket.close()
    ),
    "messages and a reset": lambda cluster, client: (
        client.send(frame(1, '{"action":"echo"}') * 50), client.reset()
    ),
    "a delete": delete,
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_a_row_is_there_from_the_handshake_to_the_end(cluster, end):
    with WebSocket(cluster.websocket) as client:
        assert client.row_id(cluster)
        ENDS[end](cluster, client)
        until(lambda: client.row_id(cluster) is None, "the row has gone")


def test_a_row_tells_who_it_is(cluster):
    before = time.time() * 1000
    with WebSocket(cluster.websocket) as client:
        row = cluster.table()[client.row_id(cluster)]
    assert before - 1000 < row.pop("connectedAt") < time.time() * 1000 + 1000
    assert row == {
        "sourceIp": "127.0.0.1", "userAgent": client.agent,
        "domainName": "localhost", "stage": "dev",
    }  # fmt: skip


def test_a_client_without_a_user_agent_has_a_row_without_one(cluster):
    cluster.settle()
    with Wire(cluster.http) as wire:
        wire.send(upgrade())
        assert wire.response().status == 101
        (row,) = cluster.table().values()
        assert "userAgent" not in row
    until(lambda: cluster.table() == {}, "the row has gone")


def test_each_edge_has_its_own_hash_and_all_keys_have_the_prefix(cluster):
    clients = [WebSocket(cluster.websocket) for _ in range(20)]
    with cluster.redis() as db:
        keys = [key.decode() for key in db.keys("*")]
        hashes = [key for key in keys if key.endswith(":connections")]
        ids = [{i.decode()[:3] for i in db.hkeys(key)} for key in hashes]
    assert all(key.startswith("test:of-the/table:{") for key in keys)
    assert len(hashes) == 2, "of twenty clients, each edge has some"
    assert all(len(edge) == 1 for edge in ids) and ids[0] != ids[1]
    is_table_of(cluster, clients)
    for client in clients:
        client.socket.close()


def test_the_table_is_right_after_200_came_and_went_at_random(cluster):
    dice = random.Random(5)
    here = []
    for _ in range(200):
        here.append(WebSocket(cluster.websocket))
        while here and dice.random() < 0.48:
            client = here.pop(dice.randrange(len(here)))
            dice.choice([client.reset, client.socket.close, lambda: client.send(close_frame())])()
    assert here, "some stay"
    is_table_of(cluster, here)
    for client in here:
        assert client.ask('{"action":"ping"}') == "PONG!"
        client.socket.close()
    is_table_of(cluster, [])


# Redis is not there


def test_without_redis_at_the_start_all_wait_say_so_and_begin_when_it_comes(tmp_path):
    port, listen = free_port(), free_port()
    ready = f"http://127.0.0.1:{port}"
    server = RedisServer(tmp_path)
    flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
             "--redis", server.url, "--metrics", f"127.0.0.1:{port}"]  # fmt: skip
    edge_flags = ["--brokers", f"ipc://{tmp_path}/broker", "--listen", f"127.0.0.1:{listen}"]
    edge_url = f"http://127.0.0.1:{listen}"
    with server, Process("gatepost-broker", *flags, expect=["redis.down"]) as broker:
        until(lambda: "redis.down" in broker.log(), "the broker says so")
        assert str(server.path) in broker.log()
        response, _ = http(ready, request(target="/readyz"))
        assert response.status == 503 and b"Redis is unreachable" in response.body
        assert http(ready, request(target="/livez"))[0].status == 200
        with Process("gatepost-edge", *edge_flags) as edge:
            until(lambda: "edge.start" in edge.log(), "the edge listens")
            response, _ = http(edge_url, upgrade())
            assert (response.status, response.headers["retry-after"]) == (503, "1")
            assert not broker.is_ready() and not edge.is_ready()
            server.start()
            until(lambda: broker.is_ready() and edge.is_ready(), "both are ready")
            assert http(ready, request(target="/readyz"))[0].status == 200
            with WebSocket(f"ws://127.0.0.1:{listen}/dev") as client:
                assert client.ask('{"action":"ping"}') == "PONG!"


# Redis goes away


def wait_until_missed(cluster):
    """Until then a new client may be under way; it waits to be let in when Redis is back."""
    until(lambda: readiness(cluster) == [503, 503], "both brokers miss Redis")


def wait_until_back(cluster):
    until(lambda: readiness(cluster) == [200, 200], "both brokers have Redis")


def test_without_redis_sockets_stay_messages_flow_and_new_clients_are_told_to_wait(shaky):
    cluster, store = shaky
    staying = [WebSocket(cluster.websocket) for _ in range(20)]
    leaving = [WebSocket(cluster.websocket) for _ in range(20)]
    store.end()
    for client in leaving:
        client.socket.close()
    wait_until_missed(cluster)
    began = time.monotonic()
    assert not is_let_in(cluster) and time.monotonic() - began < 4, "in vain it is asked for 5 s"
    for client in staying:
        assert client.ask("hello") == "hello"
    store.start()
    is_table_of(cluster, staying)
    wait_until_back(cluster)
    with WebSocket(cluster.websocket) as new:
        is_table_of(cluster, [*staying, new])
    for client in staying:
        assert client.ask("hello") == "hello"
        client.socket.close()
    is_table_of(cluster, [])


def test_a_redis_that_returns_empty_is_filled_by_the_edges(shaky):
    cluster, store = shaky
    staying = [WebSocket(cluster.websocket) for _ in range(300)]
    leaving = [WebSocket(cluster.websocket) for _ in range(20)]
    is_table_of(cluster, staying + leaving)
    store.end()
    for client in leaving:
        client.socket.close()
    wait_until_missed(cluster)
    store.forget()
    store.start()
    is_table_of(cluster, staying)
    ids = {client.row_id(cluster) for client in staying[:5]}
    assert None not in ids
    for client in staying:
        assert client.ask("hello") == "hello"
        client.socket.close()
    is_table_of(cluster, [])


def test_a_redis_that_is_emptied_is_filled_by_the_edges(shaky):
    cluster, store = shaky
    clients = [WebSocket(cluster.websocket) for _ in range(20)]
    with store.client() as db:
        db.flushall()
    is_table_of(cluster, clients)
    for client in clients:
        assert client.ask("hello") == "hello"
        client.socket.close()
    is_table_of(cluster, [])


def test_a_frozen_redis_holds_up_none_who_are_in(shaky):
    """Rows that it was given come to stand when it thaws; whoever waited for one is told to come
    again after 5 s, and its row goes. Once they had rows without a connection for ever.
    """
    cluster, store = shaky
    client = WebSocket(cluster.websocket)
    leaving = WebSocket(cluster.websocket)
    store.freeze()
    try:
        assert client.ask("hello") == "hello"
        leaving.socket.close()
        gone = Wire(cluster.http)
        gone.send(upgrade(User_Agent="gone before it was let in"))
        waiting = Wire(cluster.http)
        waiting.send(upgrade(User_Agent="waiting"))
        gone.reset()
        wait_until_missed(cluster)
        assert not is_let_in(cluster)
        assert client.ask("hello") == "hello"
        assert waiting.response().status == 503
    finally:
        store.go_on()
    waiting.socket.close()
    is_table_of(cluster, [client])
    with WebSocket(cluster.websocket) as new:
        is_table_of(cluster, [client, new])
    client.socket.close()
    is_table_of(cluster, [])


def test_a_redis_that_comes_and_goes_leaves_the_table_right(shaky):
    cluster, store = shaky
    dice = random.Random(6)
    here, stop = [], threading.Event()

    def come_and_go():
        while not stop.is_set():
            try:
                here.append(WebSocket(cluster.websocket))
            except ConnectionRefusedError:
                pass
            if len(here) > 5:
                here.pop(dice.randrange(len(here))).socket.close()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(3):
            store.end()
            wait_until_missed(cluster)
            store.start()
            wait_until_back(cluster)
    finally:
        stop.set()
        thread.join()
    is_table_of(cluster, here)
    for client in here:
        assert client.ask("hello") == "hello"
        client.socket.close()
    is_table_of(cluster, [])
