"""What channels cost, and that they deliver: bench/run channels.

    fanout    one channel of 1,000 and of 10,000 subscribers, CPU for each delivery
    many      1,000 channels of 5 subscribers, random publishes, without and with history
    memory    what a subscription adds to an idle connection
    connect   connect, subscribe, close beside connect, close
    presence  Redis's time for the count of a channel with 100,000 members
    million   2 edges, 2 brokers: a million deliveries of each kind without loss, duplicate or
              reordering; then with brokers killed meanwhile

bench-fanout checks every delivery. The floor is bench-floor-fanout: bare epoll, one send for
each delivery, measured in the same run; targets are multiples of it.
"""

import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile

from recovery import private_redis
from system import (
    BIN,
    ROOT,
    Failure,
    is_over,
    listening,
    metric,
    process,
    redis_cli,
    say,
    system,
    until,
)

MOMENTS = ["before", "open", "subscribed", "published", "closed"]  # bench-fanout looks
ACTIONS = ("subscribe", "unsubscribe", "publish", "history", "presence", "ping")
RUNS = 5
IDLE = 10_000  # connections
EDGE_MEMORY_TARGET, MEMORY_TARGET = 100, 300  # bytes
CONNECT = 5_000  # connections
CONNECT_TARGET = 1.5
MEMBERS = 100_000
PRESENCE_TARGET = 50  # Redis's µs


@contextlib.contextmanager
def channels(edges, brokers):
    """A system with the namespaces plain and kept (with history); gives its ready file."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        config = pathlib.Path(folder, "gatepost.yml")
        anyone = {"subscribe": "anyone", "publish": "anyone"}
        handler = {"handler": "builtin:channels",
                   "events": [{"websocket": action} for action in ACTIONS]}
        config.write_text(json.dumps({
            "service": "bench",
            "functions": {"channels": handler},
            "gatepost": {"channels": {
                "plain": anyone,
                "kept": anyone | {"history": {"size": 1000, "ttl": "10m"}},
            }},
        }))
        with system(edges, brokers, "--config", config) as ready:
            for number in range(brokers):
                until("publications without history are accepted", 30, lambda n=number: metric(
                    ready, f"broker-{n}", "gatepost_broker_interest_complete") == 1)
            yield ready


@contextlib.contextmanager
def floor():
    """The bare epoll fan-out; gives bench-fanout's flags for it."""
    with listening("bench-floor-fanout") as (port, pid):
        yield ["--protocol", "floor", "--url", f"ws://127.0.0.1:{port}/dev", "--pids", str(pid)]


def start(flags, **settings):
    """bench-fanout in the background; settings are its flags by name."""
    command = [BIN / "bench-fanout", "--json", *flags]
    for name, value in settings.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def finish(child):
    try:
        text, _ = child.communicate(timeout=400)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    if not text.strip():
        raise Failure(f"bench-fanout ended with status {child.returncode} and no report")
    seen = json.loads(text)
    if not seen["clean"]:
        raise Failure(f"deliveries are wrong: {seen['errors']}; {seen['published']} published, "
                      f"{seen['delivered']} delivered, complete: {seen['complete']}")
    return seen


def load(flags, **settings):
    return finish(start(flags, **settings))


def median(runs, of):
    return statistics.median(of(run) for run in runs)


def total(seen, what, moment, *roles):
    """Of a run's processes: rss or cpu_us at a moment, of these roles or of all."""
    return sum(p[what][MOMENTS.index(moment)] for p in seen["processes"]
               if not roles or p["role"] in roles)


def cpu_of(role):
    """What the processes of a role needed for each delivery."""
    return lambda seen: (total(seen, "cpu_us", "published", role)
                         - total(seen, "cpu_us", "subscribed", role)) / seen["measured"]


def warm(ready, space):
    """So that what a process allots once is not counted."""
    load(["--pids-from", ready, "--namespace", space], subscribers=100, publications=100)


# ---- fanout, many


def fanout(table):
    with channels(1, 1) as ready:
        for subscribers, in_flight, publications, target in (
                (1_000, 1, 400, 1.3), (1_000, 16, 800, 0.15), (10_000, 2, 60, 0.8)):
            compare(table, ready, "plain", target, channels=1, subscribers=subscribers,
                    in_flight=in_flight, publications=publications, warm_up=20)


def many(table):
    with channels(1, 1) as ready:
        for space, target in (("plain", 1.6), ("kept", 2.8)):
            compare(table, ready, space, target, channels=1_000, subscribers=5, in_flight=16,
                    publishers=16, publications=40_000, warm_up=2_000)


def compare(table, ready, space, target, **shape):
    """Ours beside the floor, in turn; the target is a multiple of the floor."""
    name = (f"{shape['channels']:,} x {shape['subscribers']:,}, {shape['in_flight']} in flight, "
            f"{'with' if space == 'kept' else 'no'} history")
    say(f"channels: {name}, {RUNS} runs")
    ours, floors = [], []
    with floor() as bare:
        warm(ready, space)
        for _ in range(RUNS):
            floors.append(load(bare, **shape))
            ours.append(load(["--pids-from", ready, "--namespace", space], **shape))

    def cpu(seen):
        return seen["cpu_us_per_delivery"]

    least = median(floors, cpu)
    table.add(f"{name}: a delivery, all", median(ours, cpu), "CPU-us", target * least, least)
    for role in ("edge", "broker", "redis"):
        table.add(f"{name}: a delivery, {role}", median(ours, cpu_of(role)), "CPU-us")
    for what in ("p50", "p99"):
        table.add(f"{name}: latency {what}", median(ours, lambda s, w=what: s[f"{w}_us"]), "us",
                  None, median(floors, lambda s, w=what: s[f"{w}_us"]))


# ---- memory


def memory(table):
    for shape in ({"channels": 1, "subscribers": IDLE}, {"channels": IDLE, "subscribers": 1}):
        of = "one channel" if shape["channels"] == 1 else f"{IDLE:,} channels"
        say(f"channels: memory of {IDLE} subscriptions of {of}")
        with channels(1, 1) as ready:
            warm(ready, "plain")
            seen = load(["--pids-from", ready, "--namespace", "plain", "--ping"],
                        publications=0, hold="3s", **shape)
        targets = {"edge": EDGE_MEMORY_TARGET} if shape["channels"] == 1 else {}
        for role in ("edge", "broker", "redis"):
            table.add(f"a subscription of {of}: {role}", added(seen, role), "B",
                      targets.get(role))
        table.add(f"a subscription of {of}: all", added(seen), "B",
                  MEMORY_TARGET if targets else None)


def added(seen, *roles):
    return (total(seen, "rss", "subscribed", *roles)
            - total(seen, "rss", "open", *roles)) / seen["subscriptions"]


# ---- connect


def connect(table):
    say(f"channels: {CONNECT} connect, subscribe and close, {RUNS} runs")
    shapes = {"no subscribe": {"subscribe": "false"}, "one channel": {"channels": 1},
              "1,000 channels": {"channels": CONNECT // 5}}
    runs = {name: [] for name in shapes}
    with channels(1, 1) as ready:
        warm(ready, "plain")
        for _ in range(RUNS):
            for name, shape in shapes.items():
                subscribers = CONNECT // shape.get("channels", 1)
                runs[name].append(load(
                    ["--pids-from", ready, "--namespace", "plain"], publications=0,
                    settle="2s", subscribers=subscribers, **shape))
    cost = {name: median(seen, of_a_connection) for name, seen in runs.items()}
    bare = cost["no subscribe"]
    table.add("connect + close, all", bare, "CPU-us")
    for name in ("one channel", "1,000 channels"):
        table.add(f"connect + subscribe + close, {name}, all", cost[name], "CPU-us",
                  CONNECT_TARGET * bare, bare)


def of_a_connection(seen):
    return (total(seen, "cpu_us", "closed") - total(seen, "cpu_us", "before")) / CONNECT


# ---- presence


def presence(table):
    say(f"channels: presence of {MEMBERS} members in Redis")
    with private_redis() as server:
        ask = redis_cli(server.url)
        few = count_us(ask, "few", 100, 0)
        figure = count_us(ask, "many", MEMBERS, 0)
        page = count_us(ask, "many", 0, 100)
    table.add("presence count of 100 members, Redis", few, "us")
    table.add(f"presence count of {MEMBERS:,} members, Redis", figure, "us", PRESENCE_TARGET)
    table.add(f"presence page of 100 of {MEMBERS:,} members, Redis", page, "us")


def count_us(ask, channel, members, limit):
    """Redis's time for one read of so many members and the counts, once that many more are in."""
    script = {name: ask("SCRIPT", "LOAD", (ROOT / f"store/presence_{name}.lua").read_text())[0]
              for name in ("join", "read")}
    keys = [f"bench:{{{channel}}}:{what}" for what in
            ("members", "order", "users", "leaving", "left")]
    pipe(ask, [["EVALSHA", script["join"], "5", *keys, f"{i:016x}", f"u{i // 2}",
                f'{{"connection":"{i:016x}","user":"u{i // 2}"}}'] for i in range(members)])
    ask("CONFIG", "RESETSTAT")
    pipe(ask, [["EVALSHA", script["read"], "3", *keys[:3], "", str(limit)]] * 1_000)
    stats = next(line for line in ask("INFO", "commandstats")
                 if line.startswith("cmdstat_evalsha:"))
    return float(stats.partition("usec_per_call=")[2].partition(",")[0])


def pipe(ask, commands):
    """Send commands to Redis in one go; each must succeed."""
    out = b"".join(b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
        for words in commands)
    subprocess.run([*ask.command, "--pipe"], input=out, check=True, capture_output=True,
                   timeout=120)


# ---- million


MILLION = ({"channels": 1, "subscribers": 1_000, "publications": 1_000},
           {"channels": 1_000, "subscribers": 5, "publications": 200_000})


def million(table):
    for space in ("plain", "kept"):
        for shape in MILLION:
            with channels(2, 2) as ready:
                both_linked(ready)
                seen = load(["--pids-from", ready, "--namespace", space], in_flight=16, **shape)
            add_deliveries(table, named(space, shape), seen)
    for shape in MILLION:
        shape |= {"publications": max(shape["publications"], 4_000)}  # so that it lasts
        with channels(2, 2) as ready:
            seen = with_deaths(ready, shape)
        name = named("kept", shape) + ", both brokers killed in turn"
        add_deliveries(table, name, seen)
        table.add(f"{name}: refused, retryable", seen["refused"], "")


def named(space, shape):
    return (f"2+2, {shape['channels']:,} x {shape['subscribers']:,}, "
            f"{'with' if space == 'kept' else 'no'} history")


def add_deliveries(table, name, seen):
    """Failure when there was anything wrong, so the count of errors is 0."""
    table.add(f"{name}: deliveries", seen["delivered"], "")
    table.add(f"{name}: lost, doubled, out of order, cut", sum(seen["errors"].values()), "", 0)
    table.add(f"{name}: longest delivery", seen["most_us"] / 1000, "ms")


def both_linked(ready):
    for edge in ("edge-0", "edge-1"):
        until("each edge has both brokers", 30,
              lambda e=edge: metric(ready, e, "gatepost_edge_brokers") == 2)


def published(ready, broker):
    return metric(ready, broker, 'gatepost_broker_publications_total{result="published"}') or 0


def with_deaths(ready, shape):
    """While a load runs, kill the broker that publishes, once it has; then the other."""
    both_linked(ready)
    url = json.loads(ready.read_text())["websocket"]  # and no pids: one of them dies
    child = start(["--url", url, "--namespace", "kept", "--refusals"], in_flight=16, **shape)
    share = shape["publications"] // 4
    for broker in ("broker-0", "broker-1"):
        until("a quarter more is published, or an end", 120, lambda: is_over(child) or sum(
            published(ready, b) for b in ("broker-0", "broker-1")) >= share, 0.005)
        if is_over(child):
            finish(child)  # which may say what is wrong
            raise Failure("the load was over before both brokers had been killed")
        say(f"killing {broker}, which has published {published(ready, broker):.0f}")
        os.kill(process(ready, broker)["pid"], signal.SIGKILL)
        until("the supervisor has another one", 30,
              lambda b=broker: metric(ready, b, "gatepost_broker_interest_complete") == 1)
        both_linked(ready)
    return finish(child)


PARTS = {"fanout": fanout, "many": many, "memory": memory, "connect": connect,
         "presence": presence}


def all_parts(table):
    for part in PARTS.values():
        part(table)


PARTS["million"] = million
