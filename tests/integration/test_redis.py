"""Faults of Redis, with a cluster that has clients. What they have in common:

- no socket is closed, and messages that need no store flow;
- who comes meanwhile gets 503 and Retry-After, at once or when Redis was asked in vain;
- when Redis is back to normal, so is everything: the table has those who are connected.

test_table.py has the first ones: Redis ends, returns empty, freezes, comes and goes.
"""

import contextlib
import json
import random
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from lib.cluster import BIN, ROOT, Cluster, until
from lib.outage import is_let_in, readiness
from lib.process import Process, ended
from lib.proxy import Proxy
from lib.redis_server import RedisServer, Sentinels, free_port
from lib.wire import WebSocket

AWAY = ["redis.*", "store.*", "resync.failed", "edge.lease.lost", "link.*", "broker.stopped"]
MESSAGES = 'gatepost_broker_events_total{kind="message"}'
QUICK = {
    "GATEPOST_REDIS_TIMEOUT": "500ms",
    "GATEPOST_EDGE_LEASE": "2s",
    "GATEPOST_MEMBER_LEASE": "1s",
}
AT_ONCE = 4  # seconds, on a busy machine; an edge that asks again and again gives up after 5


def gatepost(url, *args, env=None):
    return Cluster(
        edges=2, brokers=2, args=["--redis", url, "--default-route", "builtin:echo", *args],
        expect=AWAY, env=env,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with RedisServer(tmp_path) as it:
        yield it.start()


def agents(store):
    with store.client() as db:
        rows = [row for key in db.keys("*:connections") for row in db.hvals(key)]
    return {json.loads(row)["userAgent"] for row in rows}


def is_table_of(store, clients):
    wanted = {client.agent for client in clients}
    until(lambda: agents(store) == wanted, "the table has those who are connected")


def flows(clients):
    for client in clients:
        assert client.ask("hello") == "hello"


def is_refused_at_once(cluster):
    began = time.monotonic()
    return not is_let_in(cluster) and time.monotonic() - began < AT_ONCE


def is_missed(cluster):
    """Until then a new client may be under way; it waits to be let in when Redis is back."""
    until(lambda: readiness(cluster) == [503, 503], "both brokers miss Redis")
    assert is_refused_at_once(cluster)


def all_heals(cluster, store, staying):
    """Everybody still has the same socket; a new one comes in; all that go leave the table."""
    until(lambda: readiness(cluster) == [200, 200], "both brokers have Redis")
    until(lambda: is_let_in(cluster), "new clients come in again")
    is_table_of(store, staying)
    flows(staying)
    with WebSocket(cluster.websocket) as new:
        is_table_of(store, [*staying, new])
        assert new.ask("hello") == "hello"
    for client in staying:
        client.socket.close()
    is_table_of(store, [])


def numbers(store):
    """{key of a lease: who has it}"""
    with store.client() as db:
        return {key: db.get(key) for key in db.keys("*:lease")}


# Full, wrong, silent, slow


def test_a_full_redis_refuses_new_clients_at_once_and_keeps_those_who_are_in(store):
    """Longer than the leases: Redis has no memory to write them anew, and they must not lapse."""
    with gatepost(store.url, env=QUICK) as cluster:
        staying = [WebSocket(cluster.websocket) for _ in range(20)]
        leaving = [WebSocket(cluster.websocket) for _ in range(5)]
        is_table_of(store, staying + leaving)
        held = numbers(store)
        with store.client() as db:
            db.config_set("maxmemory-policy", "noeviction")
            db.config_set("maxmemory", 1)
            for client in leaving:
                client.socket.close()
            end = time.monotonic() + 5
            until(lambda: is_refused_at_once(cluster), "new clients are refused")
            until(
                lambda: is_refused_at_once(cluster)
                and flows(staying) is None
                and numbers(store) == held
                and time.monotonic() > end,
                "for 5 s, more than twice a lease, new ones are refused and numbers are kept",
            )
            db.config_set("maxmemory", 0)
        assert "OOM command not allowed" in cluster.log()
        assert "raise maxmemory of Redis" in cluster.log()
        all_heals(cluster, store, staying)
        until(lambda: numbers(store) == held, "each edge holds its own number again")


def test_a_key_of_another_type_refuses_its_edges_clients_and_is_named(store):
    with gatepost(store.url) as cluster:
        staying = [WebSocket(cluster.websocket) for _ in range(10)]
        is_table_of(store, staying)
        with store.client() as db:
            key = db.keys("*:connections")[0]
            db.rename(key, "kept")
            db.set(key, "somebody else's")
            until(lambda: not is_let_in(cluster), "one of its edge is refused")
            until(lambda: is_let_in(cluster), "one of the other edge is let in")
            assert re.search(rf"redis.refused .* key=.*{re.escape(key.decode())}", cluster.log())
            assert "remove the foreign key, or set another redis-prefix" in cluster.log()
            flows(staying)
            db.rename("kept", key)
        all_heals(cluster, store, staying)


def test_a_redis_that_stalls_for_longer_than_all_leases_costs_no_number(store):
    with gatepost(store.url, env=QUICK) as cluster:
        staying = [WebSocket(cluster.websocket) for _ in range(20)]
        is_table_of(store, staying)
        held = numbers(store)
        store.freeze()
        try:
            end = time.monotonic() + 6
            until(
                lambda: flows(staying) is None and time.monotonic() > end,
                "6 s have gone by: three leases, and more than redis.c's patience",
            )
        finally:
            store.go_on()
        all_heals(cluster, store, staying)
        until(lambda: numbers(store) == held, "each edge holds its own number again")


@pytest.mark.parametrize("ms", [50, 300])
def test_a_slow_redis_makes_all_slower_and_loses_nothing(tmp_path, ms):
    dice = random.Random(ms)
    with (
        RedisServer(tmp_path, port=free_port()) as store,
        Proxy(store.start().port) as proxy,
        gatepost(f"redis://127.0.0.1:{proxy.port}") as cluster,
    ):
        here = [WebSocket(cluster.websocket)]
        proxy.delay = ms / 1000 / 2
        for _ in range(10):
            began = time.monotonic()
            here.append(WebSocket(cluster.websocket))
            assert time.monotonic() - began >= ms / 1000, "its row stands before it is let in"
            here.pop(dice.randrange(len(here))).socket.close()
            here.append(WebSocket(cluster.websocket))
        flows(here)
        is_table_of(store, here)
        assert "redis.down" not in cluster.log()
        all_heals(cluster, store, here)


def test_a_redis_behind_a_network_that_was_cut_is_given_up_and_found_again(tmp_path):
    with (
        RedisServer(tmp_path, port=free_port()) as store,
        Proxy(store.start().port) as proxy,
        gatepost(f"redis://127.0.0.1:{proxy.port}", env=QUICK) as cluster,
    ):
        staying = [WebSocket(cluster.websocket) for _ in range(20)]
        proxy.hold()
        is_missed(cluster)
        assert 'why="Redis does not answer"' in cluster.log()
        flows(staying)
        proxy.go_on()
        all_heals(cluster, store, staying)


@contextlib.contextmanager
def one_behind(proxy, store, folder):
    """An edge with two brokers, the second of which has Redis by way of the proxy: (edge, second)."""
    flags = ["--management", "127.0.0.1:0", "--default-route", "builtin:echo"]
    ends = [f"ipc://{folder}/{name}" for name in ("near", "far")]
    stores = [store.url, f"redis://127.0.0.1:{proxy.port}"]
    near, far = (
        Process("gatepost-broker", "--bind", end, "--redis", url, *flags, env=QUICK, expect=AWAY)
        for end, url in zip(ends, stores)
    )
    edge = Process(
        "gatepost-edge", "--listen", "127.0.0.1:0", "--brokers", ",".join(ends),
        env={"GATEPOST_RETRY": "100ms", "GATEPOST_DRAIN_DELAY": "0"}, expect=AWAY,
    )
    with near, far, edge:
        until(lambda: edge.log().count("link.up") == 2, "the edge has both")
        yield edge, far


def is_ready(process):
    try:
        with urllib.request.urlopen(process.told("METRICS") + "/readyz", timeout=10) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def handled(broker):
    """Messages that it had so far."""
    with urllib.request.urlopen(broker.told("METRICS") + "/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(MESSAGES))


def test_while_one_broker_misses_redis_new_clients_are_accepted_by_the_other(tmp_path):
    """It says so to its edges. They took turns with it before, and half of the new clients got 503."""
    with (
        RedisServer(tmp_path, port=free_port()) as store,
        Proxy(store.start().port) as proxy,
        one_behind(proxy, store, tmp_path) as (edge, far),
    ):
        url = f"ws://{edge.told('LISTEN')}/dev"
        staying = [WebSocket(url) for _ in range(20)]
        proxy.hold()
        until(lambda: not is_ready(far), "it misses Redis")
        until(lambda: "down=1" in edge.log(), "the edge was told")
        clients = [WebSocket(url) for _ in range(30)]
        is_table_of(store, [*staying, *clients])
        before = handled(far)
        flows([*staying, *clients])
        assert handled(far) > before, "what needs no store goes on at both"
        for client in clients:
            client.socket.close()
        is_table_of(store, staying)
        proxy.go_on()
        until(lambda: is_ready(far), "it has Redis again", 20)
        with WebSocket(url) as new:
            is_table_of(store, [*staying, new])
        flows(staying)
        for client in staying:
            client.socket.close()
        is_table_of(store, [])


# Replicas, sentinels


def test_a_master_that_is_demoted_is_left_until_it_is_one_again(store):
    with gatepost(store.url) as cluster, store.client() as db:
        staying = [WebSocket(cluster.websocket) for _ in range(20)]
        is_table_of(store, staying)
        db.replicaof("127.0.0.1", 1)
        is_missed(cluster)
        flows(staying)
        until(lambda: 'why="it is a replica of 127.0.0.1:1"' in cluster.log(), "they say so")
        db.replicaof("NO", "ONE")
        all_heals(cluster, store, staying)


def test_a_broker_never_comes_up_at_a_replica_and_names_its_master(tmp_path):
    with (
        RedisServer(tmp_path / "a", port=free_port()) as master,
        RedisServer(
            tmp_path / "b", free_port(), ["--replicaof", "127.0.0.1", master.port]
        ) as replica,
    ):
        master.start()
        replica.start()
        flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
                 "--redis", f"redis://127.0.0.1:{replica.port}"]  # fmt: skip
        with Process("gatepost-broker", *flags, expect=AWAY) as broker:
            said = f'why="it is a replica of 127.0.0.1:{master.port}"'
            until(lambda: said in broker.log(), "it says so")
            assert 'hint="set --redis to the master, or to its sentinels"' in broker.log()
            assert not broker.is_ready()
            with replica.client() as db:
                db.replicaof("NO", "ONE")
            until(broker.is_ready, "it is ready at a master")


def test_when_the_master_dies_the_cluster_goes_on_with_the_one_that_sentinels_chose(tmp_path):
    with (
        RedisServer(tmp_path / "a", port=free_port()) as master,
        RedisServer(
            tmp_path / "b", free_port(), ["--replicaof", "127.0.0.1", master.port]
        ) as replica,
        Sentinels(tmp_path, (master.start(), replica.start())[0], "sentry") as sentinels,
        gatepost(sentinels.url) as cluster,
    ):
        staying = [WebSocket(cluster.websocket) for _ in range(50)]
        is_table_of(replica, staying)
        sentinels.end_one()
        master.end()
        is_missed(cluster)
        flows(staying)
        for client in staying[40:]:
            client.socket.close()
        until(lambda: is_let_in(cluster), "the replica is the master now")
        is_table_of(replica, staying[:40])
        master.start()  # comes back as a replica, and nobody minds
        all_heals(cluster, replica, staying[:40])
        assert f'redis.up address="127.0.0.1:{replica.port} (the-master)"' in cluster.log()
        assert "redis.sentinel" in cluster.log(), "the dead one is named"


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """(a Redis, sentinels of it): three that need many seconds to find each other, once for all."""
    folder = tmp_path_factory.mktemp("watched")
    with (
        RedisServer(folder / "plain", port=free_port()) as store,
        RedisServer(folder / "slave", free_port(), ["--replicaof", "127.0.0.1", store.port]) as r,
        Sentinels(folder, (store.start(), r.start())[0], "sentry") as sentinels,
    ):
        yield store, sentinels


@pytest.mark.parametrize(
    "url, said",
    [
        ("redis+sentinel://127.0.0.1:1/m", "Connection refused"),
        ("redis+sentinel://127.0.0.1:{port}/other?sentinel_password=sentry", "not know other"),
        ("redis+sentinel://127.0.0.1:{port}/m", "NOAUTH"),
        ("redis+sentinel://127.0.0.1:{port}/m?sentinel_password=x", "WRONGPASS"),
        ("redis+sentinel://127.0.0.1:{plain}/m", "unknown command"),
        ("redis://:sentry@127.0.0.1:{port}", "it is a sentinel"),
    ],
)
def test_sentinels_that_are_no_help_are_named_and_say_why(watched, tmp_path, url, said):
    store, sentinels = watched
    where = url.format(port=sentinels.ports[0], plain=store.port)
    flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
             "--redis", where]  # fmt: skip
    with Process("gatepost-broker", *flags, expect=AWAY) as broker:
        until(lambda: re.search(rf'redis\.\w+ .*why="[^"]*{said}', broker.log()), said)
        assert not broker.is_ready()
        assert "sentry" not in broker.log()


# TLS


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """Makes certificates, in a folder: NAME.pem and NAME.key."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.pem = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", 2, "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.pem)  # fmt: skip

    def sign(self, name, san, days=2):
        pem, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        csr, ext = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        ext.write_text(f"subjectAltName={san}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", key, "-out", csr)  # fmt: skip
        openssl("x509", "-req", "-in", csr, "-CA", self.pem, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", ext, "-out", pem)  # fmt: skip
        return pem, key


def tls_server(folder, authority, pem, key, clients="no"):
    return RedisServer(
        folder, free_port(),
        ["--tls-cert-file", pem, "--tls-key-file", key,
         "--tls-ca-cert-file", authority.pem, "--tls-auth-clients", clients],
        tls=True,
    )  # fmt: skip


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_over_tls_with_certificates_of_both_sides_all_is_as_without(tmp_path, authority):
    server = tls_server(
        tmp_path / "r", authority, *authority.sign("redis", "DNS:localhost"), clients="yes"
    )
    pem, key = authority.sign("broker", "DNS:broker")
    flags = ["--redis-ca", authority.pem, "--redis-cert", pem, "--redis-key", key]
    with server.start() as store, gatepost(f"rediss://localhost:{store.port}", *flags) as cluster:
        staying = [WebSocket(cluster.websocket) for _ in range(50)]
        is_table_of(store, staying)
        store.end()
        is_missed(cluster)
        flows(staying)
        store.start()
        all_heals(cluster, store, staying)


@pytest.mark.parametrize(
    "san, days, known, host, clients, said, todo",
    [
        ("IP:127.0.0.1", 2, True, "localhost", "no", "hostname mismatch", "a name that the cert"),
        ("DNS:localhost", 2, True, "127.0.0.1", "no", "IP address mismatch", "a name that"),
        ("DNS:localhost", 2, False, "localhost", "no", "self-signed certificate", "--redis-ca"),
        ("DNS:localhost", -1, True, "localhost", "no", "certificate has expired", "renew"),
        ("DNS:localhost", 2, True, "localhost", "yes", "certificate required", "--redis-cert"),
    ],
)
def test_tls_that_fails_says_what_is_wrong(
    tmp_path, authority, san, days, known, host, clients, said, todo
):
    other = authority if known else Authority(tmp_path, "other")
    server = tls_server(
        tmp_path / "r", authority, *authority.sign("redis", san, days), clients=clients
    )
    with server.start() as store:
        flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
                 "--redis", f"rediss://{host}:{store.port}", "--redis-ca", other.pem]  # fmt: skip
        with Process("gatepost-broker", *flags, expect=AWAY) as broker:
            until(lambda: said in broker.log(), said)
            line = next(text for text in broker.log().splitlines() if said in text)
            assert " redis.down " in line and todo in line.partition(" hint=")[2]
            assert not broker.is_ready()


def test_tls_to_a_port_without_it_says_so(tmp_path):
    with RedisServer(tmp_path, port=free_port()) as store:
        store.start()
        for port in (store.port, free_port()):
            flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
                     "--redis-timeout", "500ms", "--redis", f"rediss://127.0.0.1:{port}"]  # fmt: skip
            with Process("gatepost-broker", *flags, expect=AWAY) as broker:
                until(lambda broker=broker: "redis.down" in broker.log(), "it says so")
                assert not broker.is_ready()


def test_files_of_tls_that_do_not_fit_stop_a_brokers_start(tmp_path, authority):
    pem, _ = authority.sign("broker", "DNS:broker")
    _, key = authority.sign("other", "DNS:other")
    flags = ["--redis", "rediss://localhost", "--redis-cert", pem]
    status, text = ended("gatepost-broker", *flags)
    assert status == 2 and "--redis-cert and --redis-key go together" in text
    status, text = ended("gatepost-broker", *flags, "--redis-key", key)
    assert status != 0 and f"redis-key {key}: key values mismatch" in text
    status, text = ended("gatepost-broker", *flags[:2], "--redis-ca", tmp_path / "none.pem")
    assert status != 0 and f"redis-ca {tmp_path}/none.pem" in text


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--redis", "rediss://db", "--redis-cert", "c"], "--redis-cert and --redis-key go"),
        (["--redis", "rediss://db", "--redis-key", "k"], "--redis-cert and --redis-key go"),
        (["--redis", "rediss://db", "--demo"], "a Redis over TLS or with sentinels"),
        (["--redis", "redis+sentinel://db/m", "--demo"], "a Redis over TLS or with sentinels"),
        (["--redis", "redis+sentinel://db"], "behind the sentinels stands /MASTER"),
    ],
)
def test_up_refuses_flags_that_do_not_go_together(flags, said):
    run = subprocess.run([BIN / "gatepost", "up", *flags], capture_output=True, text=True)
    assert run.returncode == 2 and said in run.stderr


# The user of the ACL


OPERATIONS = (ROOT / "docs/operations.md").read_text()


def acl_line():
    """As docs/operations.md has it."""
    return re.search(r"^user gatepost .*$", OPERATIONS, re.MULTILINE)[0]


def test_the_acl_line_of_the_page_has_each_command_that_is_sent_and_no_other():
    scripts = "".join(path.read_text() for path in (ROOT / "store").glob("*.lua"))
    sources = "".join(
        path.read_text()
        for folder in ("store", "lib/redis")
        for path in (ROOT / folder).glob("*.c")
        if path.name not in ("error.c", "url.c")
    )
    sent = set(re.findall(r"call\('([A-Z]+)'", scripts))
    sent |= set(re.findall(r'"([A-Z]{3,})"', sources)) - {"COUNT", "AUTH", "SENTINEL", "TLS"}
    assert {word.lower() for word in sent} == set(re.findall(r"\+([a-z]+)", acl_line()))


def test_the_user_of_the_page_is_all_that_a_cluster_needs(tmp_path):
    acl = tmp_path / "users.acl"
    line = acl_line().replace(">PASSWORD", ">a@b")
    acl.write_text(f"user default off\nuser admin on >admin allkeys allchannels +@all\n{line}\n")
    more = ["--aclfile", acl]
    with RedisServer(tmp_path, free_port(), more, login=("admin", "admin")) as store:
        url = f"redis://gatepost:a%40b@127.0.0.1:{store.start().port}"
        with gatepost(url) as cluster:
            staying = [WebSocket(cluster.websocket) for _ in range(20)]
            is_table_of(store, staying)
            row = f"{cluster.management}/@connections/{staying[0].agent}"
            assert cluster.get(row)[0] in (400, 410)
            store.end()
            is_missed(cluster)
            store.forget()
            store.start()
            all_heals(cluster, store, staying)
            assert "NOPERM" not in cluster.log() and "executing the script" not in cluster.log()


def test_a_user_who_may_not_write_is_refused_and_the_command_is_named(tmp_path):
    acl = tmp_path / "users.acl"
    line = acl_line().replace(">PASSWORD", ">pass") + " -hset"
    acl.write_text(f"user default off\nuser admin on >admin allkeys allchannels +@all\n{line}\n")
    more = ["--aclfile", acl]
    with RedisServer(tmp_path, free_port(), more, login=("admin", "admin")) as store:
        flags = ["--bind", f"ipc://{tmp_path}/broker", "--management", "127.0.0.1:0",
                 "--redis", f"redis://gatepost:pass@127.0.0.1:{store.start().port}"]  # fmt: skip
        with Process("gatepost-broker", *flags, expect=AWAY) as broker:
            until(lambda: "in the ACL of this user" in broker.log(), "it says what to do")
            assert "redis.refused" in broker.log()
