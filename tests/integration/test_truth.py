"""The table is the truth again: what an audit does that broke off, and what two masters leave behind."""

import contextlib
import json

from lib.cluster import Cluster, until
from lib.process import Process
from lib.proxy import Proxy
from lib.redis_server import RedisServer, free_port
from lib.wire import WebSocket

STRANGE = "AAEAAAAMQb8AAAA="  # an id that no edge here has given


def row_is_there(cluster, connection):
    return connection in cluster.table()


def forget_that_it_is_synced(db):
    """What makes the edge tell all it has; an audit follows."""
    for key in db.scan_iter("*:synced"):
        db.set(key, "of another memory")


def test_a_reconcile_that_broke_off_is_taken_up_as_soon_as_the_store_lets_it():
    """It waited for the next one by the clock, a minute later with the defaults."""
    env = {"GATEPOST_AUDIT_EVERY": "10m"}
    with Cluster(edges=1, brokers=2, expect=["redis.refused"], env=env) as cluster:
        with WebSocket(cluster.websocket), cluster.redis() as db:
            until(lambda: len(cluster.table()) == 1, "the client is in the table")
            (table,) = db.scan_iter("*:connections")
            db.execute_command("ACL", "SETUSER", "default", "-hscan")
            forget_that_it_is_synced(db)
            until(lambda: "redis.refused" in cluster.log(), "the audit broke off")
            db.hset(table, STRANGE, json.dumps({"connectedAt": 1}))
            db.execute_command("ACL", "SETUSER", "default", "+hscan")
            until(lambda: not row_is_there(cluster, STRANGE), "the audit was made")
            assert len(cluster.table()) == 1


# Two masters

LEASE = 2
BOUND = LEASE + 2  # seconds from the end of a cut to a table that is right: promise 3
FAILOVER = ["redis.*", "store.changed", "edge.*", "link.*", "resync.failed"]


def rows(server):
    """{connection id: user agent} of the table of one Redis."""
    with server.client() as db:
        tables = [db.hgetall(key) for key in db.scan_iter("*:connections")]
    return {i.decode(): json.loads(row)["userAgent"] for t in tables for i, row in t.items()}


def is_table_of(server, clients, seconds):
    wanted = {client.agent for client in clients}
    until(lambda: set(rows(server).values()) == wanted, "the table is the truth", seconds)


@contextlib.contextmanager
def two_brokers(folder, ways):
    """An edge and two brokers, each with a way of its own to Redis."""
    env = {"GATEPOST_EDGE_LEASE": f"{LEASE}s", "GATEPOST_MEMBER_LEASE": "1s",
           "GATEPOST_REDIS_TIMEOUT": "500ms"}  # fmt: skip
    with contextlib.ExitStack() as stack:
        brokers = [
            stack.enter_context(
                Process(
                    "gatepost-broker", "--bind", f"ipc://{folder}/broker-{i}", "--name",
                    f"broker-{i}", "--management", "127.0.0.1:0", "--default-route",
                    "builtin:echo", "--redis", f"redis://127.0.0.1:{way.port}",
                    env=env, expect=FAILOVER,
                )
            )
            for i, way in enumerate(ways)
        ]  # fmt: skip
        seeds = ",".join(broker.told("ENDPOINT") for broker in brokers)
        edge = stack.enter_context(
            Process(
                "gatepost-edge", "--listen", "127.0.0.1:0", "--brokers", seeds,
                "--drain-delay", "0", env=env, expect=FAILOVER,
            )
        )  # fmt: skip
        until(lambda: edge.log().count("link.up") == 2, "both brokers are linked")
        yield brokers, edge


def test_rows_of_a_broker_that_was_left_with_the_old_master_are_there_once_it_is_back(tmp_path):
    """A Redis was promoted, and one broker did not hear of it: it wrote into the old one, after
    the edge had told the new one all it held. Those rows were missing until their connections
    ended, and rows that it had taken out stayed for a minute."""
    with (
        RedisServer(tmp_path / "a", port=free_port()) as old,
        RedisServer(tmp_path / "b", free_port(), ["--replicaof", "127.0.0.1", old.port]) as new,
        Proxy(old.start().port) as cut_off,
        Proxy(old.port) as moved,
        two_brokers(tmp_path, [cut_off, moved]) as (brokers, edge),
    ):
        new.start()
        url = f"ws://{edge.told('LISTEN')}/dev"
        before = [WebSocket(url) for _ in range(40)]
        is_table_of(new, before, 10)
        with new.client() as db:
            db.replicaof("NO", "ONE")
        moved.turn_to(new.port)
        until(lambda: "resync.done" in brokers[1].log(), "the edge told the new one all")
        after = [WebSocket(url) for _ in range(40)]
        while before[20:]:
            before.pop().socket.close()
        until(lambda: len(rows(old)) + len(rows(new)) < 120, "some have gone")
        missing = {client.agent for client in after} - set(rows(new).values())
        assert missing, "some came to the broker with the old one"
        with old.client() as db:
            db.replicaof("127.0.0.1", new.port)
        cut_off.turn_to(new.port)
        is_table_of(new, [*before, *after], BOUND)
        for client in [*before, *after]:
            assert client.ask("hello") == "hello"
            client.socket.close()
        is_table_of(new, [], 10)
