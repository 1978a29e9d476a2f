"""The design's promises, each as a function that yields what speaks against it.

What it could judge it counts in `judged`, by name: who has nothing to judge finds nothing.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from math import inf

from checks import channels, options, tables
from checks.violation import SLACK, Violation


RESTORES = ("redis_restore", "redis_rewind")


def one_connect_one_disconnect(h, judged):
    """P1 one connect, one disconnect"""
    for event in h.events.values():
        judged["events that came again"] += len(event.invocations) > 1
        yield from _same(h, event)
    for c in h.connections.values():
        connects, disconnects = c.of_kind("CONNECT"), c.of_kind("DISCONNECT")
        let_in = c.open < inf or any(e.done(200) < inf for e in connects)
        judged["connections"] += let_in
        if len(connects) != 1 and (connects or c.open < inf):
            yield Violation(f"{len(connects)} CONNECTs", c, c.open)
        if len(disconnects) > 1:
            yield Violation(f"{len(disconnects)} DISCONNECTs", c, disconnects[1].begin)
        if disconnects and not let_in and not _died(h, c, disconnects[0]):
            yield Violation("a DISCONNECT, but nobody let it in", c, disconnects[0].begin)
        done = disconnects and disconnects[0].done(200) < inf
        if (c.open < inf or disconnects) and not done and h.parked.isdisjoint(c.ids):
            if not _redis_forgot(h, c):
                why = "DISCONNECT never done, nor parked" if disconnects else "no DISCONNECT"
                yield Violation(why, c, c.over())
        if c.open < inf and disconnects:
            killed = h.deaths(c.edge).meet(c.open, disconnects[0].begin)
            judged["disconnects"] += 1
            judged["disconnects of dead edges"] += killed and disconnects[0].code == 1006
            yield from _disconnect_is_right(h, c, disconnects[0])
    for id in h.pending:  # whoever had claimed it has died, and nobody takes it over
        c = h.by_id.get(id)
        yield Violation(f"its DISCONNECT ({id}) is pending at the end", c, c and c.over())


def _died(h, c, disconnect):
    """Its edge did, before anybody could tell how far $connect had come, or even whose it was."""
    since = disconnect.begin - 60  # a Redis that is away may keep it waiting
    edges = [c.edge] if c.edge else {f.target[0] for f in h.faults if "edge" in f.target[0]}
    return any(h.losses(edge).meet(since, disconnect.begin) for edge in edges)


def _same(h, event):
    """The event is the same, whoever is given it."""
    first, c = event.invocations[0], h.by_id.get(event.invocations[0].get("connectionId"))
    for i in event.invocations[1:]:
        if event.kind == "DISCONNECT" and c and _was_restored(h, c, event, i["t"]):
            continue
        for key in ("kind", "connectionId", "n", "time", "code", "reason", "event"):
            if i.get(key) != first.get(key):
                text = f"{event.name} came again with another {key}"
                yield Violation(text, c, i["t"], {event.n})
                break


def _was_restored(h, c, event, t):
    """The row of a connection that had its disconnect came back with an older Redis, and its edge was dead."""
    return any(
        f.begin - SLACK <= event.done() and f.begin <= t and h.losses(c.edge).meet(f.begin - SLACK, t)
        for f in h.faults
        if f.kind in RESTORES
    )


def _redis_forgot(h, c):
    """Redis lost its memory while it alone knew: the edge had told it, or could tell no more."""
    until = h.troubles.calm(c.over(), _disconnect_bound(h, c.over()))
    dead = h.losses(c.edge).meet(c.open, until)
    since = c.over() - SLACK
    if dead:  # a client of an edge that is cut off hears of its end only when that is over
        since = min(c.over(), h.losses(c.edge).first(c.open, until)) - h.bound["table"]
    for f in h.faults:
        if f.kind == "redis_empty" and since <= (f.end if dead else f.begin) <= until:
            return True
        if f.kind in RESTORES and since <= f.end and f.begin <= until:  # what was written meanwhile is lost
            return True
    return False


def _disconnect_bound(h, over):
    """Seconds without trouble from the end of a connection to its DISCONNECT."""
    bound = h.bound["disconnect"]
    if h.functions.meet(over, h.troubles.calm(over, bound)):
        bound += h.bound["retry"]
    return bound


def _disconnect_is_right(h, c, event):
    lost = h.losses(c.edge)
    until = event.begin + SLACK
    if lost.meet(c.open, event.begin):  # the client may hear of it when its edge does
        until = h.troubles.calm(event.begin, h.bound["table"])
    if c.ended > until:
        yield Violation("DISCONNECT while the client was connected", c, event.begin)
    over = c.over(h.bound["vanish"])
    late = event.begin - h.troubles.calm(over, _disconnect_bound(h, over))
    if late > 0:
        yield Violation(f"DISCONNECT {late:.1f} s after the bound", c, event.begin)
    by_client = [r for r in c.seen["closed"] if r["by"] == "client"]
    for closing in c.seen["closing"] if by_client else []:
        code, told = closing["code"], event.invocations[0]["code"]
        if told != code and not lost.meet(c.ended, event.begin):
            yield Violation(f"closed with {code}, DISCONNECT says {told}", c, event.begin)


def order(h, judged):
    """P2 order"""
    for c in h.connections.values():
        for before, event in zip(c.events, c.events[1:]):
            judged["pairs of events"] += 1
            both = {before.n, event.n}
            if event.rank <= before.rank:
                yield Violation(f"{event.name} began after {before.name}", c, event.begin, both)
            elif event.begin < before.done() and not h.functions.meet(before.begin, event.begin):
                yield Violation(f"{event.name} began during {before.name}", c, event.begin, both)


def table(h, judged):
    """P3 the table is the truth"""
    lives = {id: _life(h, c) for id, c in h.by_id.items()}
    calm = [(s["t"], set(s["ids"])) for s in h.table]
    calm = [(t, ids) for t, ids in calm if not h.inside.meet(t - h.bound["table"], t)]
    judged["looks"], judged["looks not judged"] = len(calm), len(h.table) - len(calm)
    times = [t for t, _ in calm]
    wrong = {}
    for id, (_, opened, ended, _) in lives.items():
        for t, ids in calm[bisect_right(times, opened + SLACK) : bisect_left(times, ended - SLACK)]:
            judged["sockets looked up"] += 1
            if id not in ids:
                wrong.setdefault(id, ("connected, but not in the table", t))
    for t, ids in calm:
        judged["rows"] += len(ids)
        waits = h.functions.meet(t - h.bound["answer"], t + h.bound["answer"])  # $connect may
        for id in ids:
            begin, _, _, gone = lives.get(id, (inf, inf, inf, inf))
            if t < begin - SLACK and waits:
                continue
            if begin == inf:
                wrong.setdefault(id, (f"a row {id} that no $connect was told of", t))
            elif not begin - SLACK <= t <= gone + SLACK:
                wrong.setdefault(id, ("in the table after the bound", t))
    for id in h.table[-1]["ids"] if h.table else ["(the table was never read)"]:
        wrong.setdefault(id, (f"{id} in the table at the end", h.end))
    for id, (text, t) in wrong.items():
        yield Violation(text, h.by_id.get(id), t)


def _life(h, c):
    """When a row may be there first, must be there, need not be there, must not be there."""
    begin = min((e.begin for e in c.of_kind("CONNECT")), default=0)
    if c.open == inf:
        return begin, inf, inf, h.troubles.calm(begin, h.bound["answer"] + h.bound["table"])
    if c.ended == inf:
        return begin, c.open, inf, inf
    bound = h.troubles.calm(c.over(h.bound["vanish"]), h.bound["table"])
    return begin, c.open, c.ended, min([bound, *(e.done(200) for e in c.of_kind("DISCONNECT"))])


def replaceable(h, judged):
    """P4 brokers are replaceable: no socket closed, no event lost, none answered twice"""
    begins = sorted(f.begin for f in h.faults if f.hits_broker)
    for c in h.connections.values():
        if c.open == inf:
            continue
        judged["sockets at faults of brokers"] += _between(begins, c.open, min(c.ended, h.end))
        for closed in c.seen["closed"]:
            own = closed["by"] == "client" or c.ended < closed["t"]
            if not own and not h.losses(c.edge).meet(c.open, closed["t"]):
                text = f"closed by {closed['by']} with {closed.get('code')}"
                yield Violation(text, c, closed["t"])
        judged["answers"] += len(c.seen["answer"])
        yield from _answers(c)
        yield from _late(h, c, False, judged)
        yield from _never_told(h, c, judged)
        for r in c.seen["odd"] + c.seen["error"]:
            trouble = h.functions.meet(r["t"] - h.bound["answer"], r["t"])
            if r["what"] == "odd" or not trouble:
                yield Violation(f"the client got {r['text']!r}", c, r["t"])
    for event in h.events.values():
        judged["events while all is well"] += not h.troubles.meet(
            event.begin - h.bound["table"], event.begin
        )
        for a, b in zip(event.invocations, event.invocations[1:]):
            if not h.troubles.meet(a["t"] - h.bound["table"], b["t"]):
                c = h.by_id.get(a.get("connectionId"))
                yield Violation(f"{event.name} again, while all is well", c, b["t"], {event.n})


def _between(times, begin, end):
    return max(0, bisect_left(times, end) - bisect_left(times, begin))


def _answers(c):
    """Each once, in order, to what was asked."""
    asked, answered, highest = {s["n"] for s in c.seen["sent"] if s["two_way"]}, set(), -1
    for answer in c.seen["answer"]:
        n = answer["n"]
        if n not in asked:
            yield Violation(f"an answer {n}, which was not asked", c, answer["t"], {n})
        elif n in answered:
            yield Violation(f"message {n} answered twice", c, answer["t"], {n})
        elif n < highest:
            yield Violation(f"message {n} answered after {highest}", c, answer["t"], {n, highest})
        answered.add(n)
        highest = max(highest, n)


def _due(h, c):
    """(message, until): those whose client waited until they must have been answered."""
    for sent in c.seen["sent"]:
        until = h.not_redis.calm(sent["t"], h.bound["answer"])
        if until < min(c.ended, h.end):
            yield sent, until


def _late(h, c, without_redis, judged):
    """Without an answer in time, nor an error frame; those while Redis was away, or the others."""
    answered = {a["n"]: a["t"] for a in c.seen["answer"]}
    refusals = len(c.seen["error"])
    for sent, until in _due(h, c):
        n, away = sent["n"], h.redis.meet(sent["t"], until)
        judged["messages"] += sent["two_way"] and away == without_redis
        if not sent["two_way"] or answered.get(n, inf) <= until:
            continue
        if n not in answered and refusals > 0:
            refusals -= 1
        elif away == without_redis:
            yield Violation(f"message {n} had no answer within the bound", c, until, {n})


def _never_told(h, c, judged):
    """What was sent before a polite end, or long before any other, came to its function."""
    told = {event.n for event in c.of_kind("MESSAGE")}
    due = {sent["n"]: until for sent, until in _due(h, c)}
    lost = h.losses(c.edge).meet(c.open, c.over())
    if any(r["by"] == "client" for r in c.seen["closed"]) and not lost:
        until = h.troubles.calm(c.over(), h.bound["answer"])
        due |= {sent["n"]: until for sent in c.seen["sent"]}
    for sent in c.seen["sent"]:
        n = sent["n"]
        if n not in due or h.functions.meet(sent["t"] - SLACK, due[n]):
            continue
        judged["messages for functions"] += 1
        if n not in told:
            yield Violation(f"message {n} never came to its function", c, sent["t"], {n})


def bounded(h, judged):
    """P7 memory and descriptors come back"""
    processes = defaultdict(list)
    for sample in h.samples:
        processes[sample["who"], sample["pid"]].append(sample)
    for (who, pid), samples in processes.items():
        warm_at = samples[0]["t"] + h.meta["warm"] - h.meta["begin"]
        warm, last = [s for s in samples if s["t"] <= warm_at], samples[-1]
        if last["t"] <= max(warm_at, h.end - h.bound["answer"]):
            continue  # it was young, or had gone before all was quiet
        judged["processes"] += 1
        for what in ("rss", "fds"):
            grown = last[what] - max(s[what] for s in warm)
            if grown > h.bound[what]:
                yield Violation(f"{who} (pid {pid}): {what} {grown} more than when it was warm")


def redis_may_go(h, judged):
    """P8 Redis may go away: messages are answered, new clients get 101 or a clear 503"""
    for c in h.connections.values():
        yield from _late(h, c, True, judged)
        begin, answer = c.at("connecting"), c.at("open", "refused")
        end = min(answer, c.at("failed", "vanished"), h.end)
        until = h.not_redis.calm(begin, h.bound["answer"])
        hit = (f for f in h.faults if c.edge in f.target or f.kind == "vanish")
        if begin == inf:
            continue
        if end <= until and end == answer and not c.seen["refused"]:
            judged["new clients"] += h.redis.meet(begin, end)
            continue
        if any(f.begin - SLACK <= end and begin <= f.end + h.bound["answer"] for f in hit):
            continue
        judged["new clients"] += h.redis.meet(begin, end)
        if end > until or c.seen["failed"]:
            yield Violation("no answer to its upgrade within the bound", c, end)
        for refused in c.seen["refused"]:
            why = _wrongly_refused(h, c, refused)
            if why:
                yield Violation(f"refused with {refused['status']} {why}", c, end)


def _wrongly_refused(h, c, refused):
    status, begin, end = refused["status"], c.at("connecting") - h.bound["table"], refused["t"]
    if status == 503 and not refused["retry_after"] and not h.functions.meet(begin, end):
        return "without Retry-After"
    if status == 503:
        return None if h.troubles.meet(begin, end) else "while all is well"
    if status == 403 and any(e.done(403) < inf for e in c.of_kind("CONNECT")):
        return None
    right = status in (500, 502, 504) and h.functions.meet(begin, end)
    return None if right else "instead of 101 or 503"


def pushes(h, judged):
    """PUSH reaches exactly its connection, or says 410"""
    got = defaultdict(list)
    for c in h.connections.values():
        for r in c.seen["push"]:
            got[r["nonce"]].append((c, r["t"]))
    for push in h.pushes:
        c, t = h.by_id.get(push["to"]), push["t"]
        judged["pushes"] += 1
        nonce, status, came = push["nonce"], push["status"], got.pop(push["nonce"], [])
        for other, at in came:
            if other is not c:
                yield Violation(f"{nonce} was for {push['to']}", other, at)
        if len(came) > 1:
            yield Violation(f"{nonce} came {len(came)} times", c, came[1][1])
        calm = not h.troubles.meet(push["began"] - h.bound["table"], t)
        until = t + h.bound["answer"]
        lives = c and c.open < push["began"] and until < min(c.ended, h.end)
        judged["pushes while all was well"] += calm
        judged["pushes to the living"] += bool(status == 200 and lives)
        judged["pushes to the gone"] += status == 410
        if status == 200 and not came and lives and not h.losses(c.edge).meet(t - SLACK, until):
            yield Violation(f"{nonce} got 200, but never came", c, t)
        elif calm and (status in (0, 429, 503) or (status == 410 and lives)):
            yield Violation(f"{nonce} got {status} while all is well", c, t)
        elif status not in (0, 200, 410, 429, 503):
            yield Violation(f"{nonce} got {status}", c, t)
    for nonce, came in got.items():
        if came[0][1] < h.end - h.bound["answer"]:
            yield Violation(f"{nonce}, which nobody has sent", *came[0])


def logs(h, judged):
    """LOGS have no unexpected line, and nobody died by himself"""
    yield from (Violation(line) for line in h.unexpected_lines(judged))
    yield from (Violation(f"{f.target} died by itself") for f in h.faults if f.kind == "died")


RULES = [
    one_connect_one_disconnect, order, table, replaceable, *channels.RULES, options.options, tables.tables, bounded, redis_may_go, pushes, logs,
]  # fmt: skip
