"""Redis has older data, and is the same process with the same cluster id: keys were restored."""

from lib.channel_client import ChannelClient, position, since
from lib.cluster import until
from lib.mesh import Mesh

NAMESPACES = {"room": {"history": {"size": 1000}}}


def test_keys_that_are_restored_in_place_let_no_broker_use_a_position_again(tmp_path):
    """No generation begins, and the broker that publishes then has delivered nothing itself."""
    told = "gatepost_edge_channel_positions_total "
    with Mesh(tmp_path, NAMESPACES) as mesh, mesh.store.client() as db:
        reader = ChannelClient(mesh.websocket())
        reader.ok("subscribe", "room:back")
        start = mesh.metric(mesh.edges[0], told)
        seen = {}
        for n in range(4):
            published(mesh, 0, "room:back", n)
            seen[position(reader.frame())] = n
            until(lambda n=n: mesh.metric(mesh.edges[0], told) > start + n, "brokers were told")
            if n == 1:
                keys = db.keys("*{room:back}*")
                kept = {key: db.dump(key) for key in keys}
        db.delete(*db.keys("*{room:back}*"))
        for key, value in kept.items():
            db.restore(key, 0, value)
        epoch = max(seen)[0]
        for n in range(4, 7):
            at = position(published(mesh, 1, "room:back", n))
            assert at not in seen and at[0] > epoch
            seen[at] = n
        reset, *frames = reader.frames(4)
        assert (reset["type"], reset["reason"]) == ("reset", "epoch")
        assert [f["data"] for f in frames] == [4, 5, 6]
        assert all(seen[position(f)] == f["data"] for f in frames)
        reader.idle()


def test_a_redis_whose_data_go_back_in_place_begins_a_new_generation(tmp_path):
    """Also for a channel that nobody is subscribed to: no edge could report its position."""
    with Mesh(tmp_path, NAMESPACES) as mesh, mesh.store.client() as db:
        reader = ChannelClient(mesh.websocket())
        reader.ok("subscribe", "room:back")
        published(mesh, 0, "room:back", 0)
        reader.frame()
        kept = {key: (db.dump(key), max(db.pttl(key), 0)) for key in db.keys("*")}
        last = published(mesh, 0, "room:back", 1)
        assert reader.frame()["data"] == 1
        reader.ok("unsubscribe", "room:back")
        beats = {key: db.hgetall(key) for key in kept if key.endswith(b":members")}
        until(lambda: all(moved(db, *of) for of in beats.items()), "each broker has beaten")
        with db.pipeline(transaction=True) as pipe:
            for key, (value, ttl) in kept.items():
                pipe.restore(key, ttl, value, replace=True)
            pipe.execute()
        for broker in mesh.brokers:
            until(lambda b=broker: "store.changed" in b.log(), "it has noticed")
        at = position(published(mesh, 1, "room:back", 2))
        assert at[0] > last["epoch"]
        published(mesh, 1, "room:back", 3)
        assert reader.ok("subscribe", "room:back", since=since(last))["recovered"] is False


def moved(db, key, before):
    return all(db.hget(key, name) != row for name, row in before.items())


def published(mesh, i, name, data):
    status, answer = mesh.publish(i, name, data)
    assert status == 200, answer
    return answer
