"""The table is the truth again: what an audit does that broke off, and what two masters leave behind."""

import json

from lib.cluster import Cluster, until
from lib.wire import WebSocket

STRANGE = "AAEAAAAMQb8AAAA="  # of edge 1, and no connection of it


def row_is_there(cluster, connection):
    return connection in cluster.table()


def forget_that_it_is_synced(db):
    """What makes the edge tell all it has; an audit follows."""
    for key in db.scan_iter("*:synced"):
        db.set(key, "of another memory")


def test_an_audit_that_broke_off_is_taken_up_as_soon_as_the_store_lets_it():
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
            until(lambda: not row_is_there(cluster, STRANGE), "the audit was made", 10)
            assert len(cluster.table()) == 1
