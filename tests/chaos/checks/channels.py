"""The promises about channels: as rules.py, and from what clients saw alone."""

from bisect import bisect_right
from collections import defaultdict
from math import inf

from checks.history import Troubles
from checks.streams import Stream
from checks.violation import SLACK, Violation

FORGETS = ("redis_kill9", "redis_empty", "redis_restart", "redis_restore", "redis_rewind")
ROOMY = 1000  # messages that a channel keeps: no client is away for so long that it misses more


class Talk:
    """All streams of a run, and its publishes; made once."""

    def __init__(self, h):
        caches = h.meta["caches"]
        self.streams = [Stream(c, caches) for c in h.connections.values() if c.frames]
        self.stays = defaultdict(list)  # channel: its stays
        for stream in self.streams:
            for stay in stream.stays:
                self.stays[stay.channel].append(stay)
        self.published = []  # (act, ack) of those that were acknowledged
        self.tries = defaultdict(list)  # data: its acts
        for stream in self.streams:
            for act, answer in stream.asked.values():
                if act["action"] == "publish":
                    self.tries[act["data"]].append(act)
                    if answer and answer["what"] == "ack" and not answer.get("suppressed"):
                        self.published.append((act, answer))
        for post in h.posts:
            if post["status"] == 200:
                act = {"t": post["began"], "channel": post["channel"], "data": post["data"]}
                self.published.append((act, post))
        self.published.sort(key=lambda pair: pair[1]["t"])
        self.forgets = Troubles((f.begin, f.end) for f in h.faults if f.kind in FORGETS)


def talk_of(h):
    if not hasattr(h, "talk"):
        h.talk = Talk(h)
    return h.talk


def _position(r):
    return (r["epoch"], r["offset"])


def acknowledged_means_kept(h, judged):
    """P5 acknowledged means kept: each once, in order, to each who stays or recovers"""
    for stream in talk_of(h).streams:
        for t, text, channel in stream.wrong_order:
            yield Violation(text, stream.connection, t, {channel})
    yield from _names(h, judged)
    yield from _copies(h)
    yield from _forward(h, judged)
    yield from _delivered(h, judged)
    yield from _recovered(h, judged)
    yield from _resets(h, judged)


def _names(h, judged):
    """A position is of one message, and a message has one position in an epoch."""
    names, places, wrong = {}, {}, {}
    for r, data, c in sorted(_placed(h), key=lambda of: of[0]["t"]):
        position, once = (r["channel"], *_position(r)), (data, r["epoch"])
        judged["positions"] += position not in names
        if names.setdefault(position, data) != data:
            text = f"{position[0]} {position[2]} is {names[position]}, and {data}"
            wrong.setdefault(position, Violation(text, c, r["t"], {r["channel"]}))
        place = places.setdefault(once, r["offset"])
        if place != r["offset"]:
            text = f"{data} was appended twice: {r['channel']} {place} and {r['offset']}"
            wrong.setdefault(once, Violation(text, c, r["t"], {r["channel"]}))
    yield from wrong.values()


def _placed(h):
    """All that says which message has which position: (record, data, connection)."""
    for stream in talk_of(h).streams:
        for r in stream.connection.seen["message"]:
            if "epoch" in r:
                yield r, r["data"], stream.connection
        for act, answer in stream.asked.values():
            is_placed = answer and "epoch" in answer and not answer.get("suppressed")
            if act["action"] == "publish" and is_placed:
                yield answer, act["data"], stream.connection
    for post in h.posts:
        if "epoch" in post:
            yield post, post["data"], None


def _copies(h):
    """Without history, too, a publish comes once, unless its key was forgotten between two tries."""
    talk = talk_of(h)
    for stream in talk.streams:
        seen = {}
        for r in stream.connection.seen["message"]:
            if "epoch" in r or r["data"] not in seen:
                seen[r["data"]] = r["t"]
                continue
            tries = talk.tries[r["data"]]
            if len(tries) > 1 and talk.forgets.meet(tries[0]["t"], r["t"]):
                continue
            yield Violation(f"{r['data']} came twice", stream.connection, r["t"], {r["channel"]})


def _forward(h, judged):
    """What was sent after a position was seen has a later one."""
    seen = defaultdict(list)  # channel: (t, highest position seen until then)
    for r, _, _ in sorted(_placed(h), key=lambda of: of[0]["t"]):
        marks = seen[r["channel"]]
        if not marks or _position(r) > marks[-1][1]:
            marks.append((r["t"], _position(r)))
    for channel, marks in seen.items():
        times = [t for t, _ in marks]

        def known(t):
            i = bisect_right(times, t)
            return marks[i - 1][1] if i else ("", 0)

        for act, ack in talk_of(h).published:
            if act["channel"] != channel or ack.get("duplicate") or "epoch" not in ack:
                continue
            judged["publishes after another"] += known(act["t"]) > ("", 0)
            if _position(ack) <= known(act["t"]):
                text = f"{act['data']} got {_position(ack)}, after {known(act['t'])}"
                yield Violation(text, None, ack["t"])
        for stay in talk_of(h).stays[channel]:
            if stay.top and stay.top < known(stay.asked):
                text = f"subscribed to {channel} at {stay.top}, after {known(stay.asked)}"
                yield Violation(text, stay.connection, stay.acked, {channel})


def _delivered(h, judged):
    """Each acknowledged publish has come, or was covered by a reset."""
    for act, ack in talk_of(h).published:
        if "epoch" not in ack:
            continue
        position = _position(ack)
        for stay in talk_of(h).stays[ack["channel"]]:
            if stay.start is None or position <= stay.start or not stay.is_sure:
                continue
            if not stay.passes(act.get("tags")):
                continue
            if (since := max(ack["t"], stay.acked)) >= stay.until:
                continue
            until = h.troubles.calm(since, h.bound["gap"])
            at = stay.had(position, act["data"])
            if at == inf and until >= min(stay.until, h.end):
                continue
            judged["deliveries"] += act["data"] in stay.nonces
            judged["deliveries to who came back"] += bool(stay.recovered) and position <= stay.top
            if at > until:
                late = "never came" if at == inf else f"came {at - until:.1f} s after the bound"
                text = f"{act['data']} ({ack['channel']} {ack['offset']}) {late}"
                yield Violation(text, stay.connection, until, {ack["channel"]})


def _recovered(h, judged):
    """While Redis forgets nothing and the channel keeps enough, all can be recovered."""
    first = {}  # (channel, epoch): when it was seen first
    for stays in talk_of(h).stays.values():
        for stay in stays:
            if stay.top:
                key = (stay.channel, stay.top[0])
                first[key] = min(first.get(key, inf), stay.acked)
    for stays in talk_of(h).stays.values():
        for stay in stays:
            if not stay.since or stay.top is None:
                continue
            judged["recoveries"] += stay.recovered
            judged["recoveries of nothing"] += stay.recovered and stay.since == stay.top
            judged["refused recoveries"] += not stay.recovered
            born = first.get((stay.channel, stay.since[0]), 0)
            if stay.recovered or _keeps(h, stay.channel) < ROOMY:
                continue
            if not talk_of(h).forgets.meet(born - SLACK, stay.acked):
                text = f"recovered: false of {stay.channel}, though nothing was lost"
                yield Violation(text, stay.connection, stay.acked, {stay.channel})


def _resets(h, judged):
    """They have a cause; in a channel that keeps enough nothing is trimmed, whatever happens."""
    for stays in talk_of(h).stays.values():
        for stay in stays:
            for t, _, reason in stay.resets:
                judged[f"resets: {reason}"] += 1
                if _keeps(h, stay.channel) < ROOMY:
                    continue
                if reason == "epoch" and talk_of(h).forgets.meet(0, t):
                    continue
                text = f"a reset of {stay.channel} ({reason}), though nothing was lost"
                yield Violation(text, stay.connection, t, {stay.channel})


def _keeps(h, channel):
    return h.meta["histories"][channel.partition(":")[0]]


def subscribed_means_subscribed(h, judged):
    """P6 subscribed means subscribed: what is published later comes, and nothing after the end"""
    for stream in talk_of(h).streams:
        judged["unsubscribes"] += stream.unsubscribes
        for t, text, channel in stream.wrong_state:
            yield Violation(text, stream.connection, t, {channel})
    yield from _fifo(h, judged)
    of_links = (f for f in h.faults if any(n.startswith(("edge", "broker")) for n in f.target))
    links = Troubles(f.trouble() for f in of_links)
    silence = h.meta["timings"]["silence"] + SLACK
    for act, ack in talk_of(h).published:
        for stay in talk_of(h).stays[ack["channel"]]:
            if stay.acked >= act["t"] or ack["t"] >= stay.until or not stay.is_sure:
                continue
            if "epoch" in ack:
                judged["later publishes with history"] += 1
                if stay.top and _position(ack) <= stay.top and not ack.get("duplicate"):
                    text = f"{act['data']} was sent after the ack of {stay.channel}"
                    text += ", and stands before it"
                    yield Violation(text, stay.connection, ack["t"], {stay.channel})
                continue
            until = h.not_redis.calm(ack["t"], h.bound["answer"])
            if until >= min(stay.until, h.end) or ack.get("duplicate"):
                continue
            if links.meet(act["t"] - silence, ack["t"] + silence):
                continue  # what a link had taken may be lost with it
            if h.losses(stay.connection.edge).meet(ack["t"], until):
                continue
            judged["later publishes"] += 1
            if stay.nonces.get(act["data"], inf) > until:
                text = f"{act['data']} ({stay.channel}) never came"
                yield Violation(text, stay.connection, until, {stay.channel})


def _fifo(h, judged):
    """Without history what one client publishes comes in its order, while all is well."""
    talk = talk_of(h)
    for stream in talk.streams:
        last = {}  # (channel, publisher): its latest publish
        for r in stream.connection.seen["message"]:
            if "epoch" in r or len(talk.tries[r["data"]]) != 1:
                continue
            act = talk.tries[r["data"]][0]
            before = last.setdefault((r["channel"], act["name"]), act)
            judged["pairs of one publisher"] += before is not act
            if act["id"] >= before["id"]:
                last[r["channel"], act["name"]] = act
            elif not h.troubles.meet(r["t"] - h.bound["table"], r["t"]):
                text = f"{act['data']} after {before['data']}"
                yield Violation(text, stream.connection, r["t"], {r["channel"]})


def one_answer(h, judged):
    """ACTIONS get exactly one answer, in time"""
    for stream in talk_of(h).streams:
        c = stream.connection
        for t, text, channel in stream.wrong_answers:
            yield Violation(text, c, t, {channel})
        for act, answer in stream.asked.values():
            judged["answers"] += answer is not None
            judged["errors"] += answer is not None and answer["what"] == "nack"
            until = h.troubles.calm(act["t"], h.bound["action"])
            if until < min(c.ended, h.end) and (answer is None or answer["t"] > until):
                text = f"{act['action']} {act['id']} had no answer within the bound"
                yield Violation(text, c, until, {act["channel"]})
            calm = answer and not h.troubles.meet(act["t"] - h.bound["table"], answer["t"])
            judged["answers while all is well"] += bool(calm)
            refused = answer and answer["what"] == "nack" and answer["t"] < c.ended
            refused = refused and not (act.get("refused") and answer["code"] == "forbidden")
            if refused and (calm or not answer["retryable"]):
                text = f"{act['action']} {act['id']} got {answer['code']}"
                text += " while all is well" if calm else ""
                yield Violation(text, c, answer["t"], {act["channel"]})


def presence(h, judged):
    """PRESENCE is who is subscribed"""
    lives = defaultdict(list)  # channel: (connection, and when, as of lives_of)
    for stream in talk_of(h).streams:
        for channel, *life in lives_of(h, stream):
            lives[channel].append((stream.connection, *life))
    wrong = {}
    for look in h.presence:
        t, channel = look["t"], look["channel"]
        if h.troubles.meet(t - h.bound["presence"] - SLACK, t):
            continue
        members = dict(look["members"])
        judged["looks"] += 1
        judged["members"] += len(members)
        yield from _counts(look, members, t)
        may = set()
        for c, may_from, must_from, must_until, may_until in lives[channel]:
            if may_from - SLACK <= t <= may_until + SLACK:
                may.update(c.ids)
            if must_from + SLACK < t and t + look["seconds"] < must_until - SLACK:
                judged["subscribers looked up"] += 1
                id = c.ids[0] if c.ids else None
                if id not in members:
                    text = f"subscribed to {channel}, but no member"
                    wrong.setdefault((id, channel), (text, c, t))
                elif members[id] != c.user:
                    text = f"{c.user} is {members[id]} in {channel}"
                    wrong.setdefault((id, channel), (text, c, t))
        for id in members.keys() - may:
            text = f"a member of {channel}, where it is not subscribed"
            c = h.by_id.get(id)
            wrong.setdefault((id, channel), (text if c else f"{id} is {text}", c, t))
    for (_, channel), (text, c, t) in wrong.items():
        yield Violation(text, c, t, {channel})


def _counts(look, members, t):
    users = len({user for user in members.values() if user})
    if look["connections"] != len(look["members"]) or look["users"] != users:
        text = f"{look['channel']} has {look['connections']} connections"
        text += f" and {look['users']} users, but {len(members)} and {users} members"
        yield Violation(text, None, t)


def lives_of(h, stream):
    """(channel, may be there from, must be, must until, may until), also of one without an answer."""
    c = stream.connection
    bound = h.bound["presence"]
    over = h.troubles.calm(c.over(h.bound["vanish"]), bound) if c.ended < inf else inf
    for stay in stream.stays:
        ended = min(over, h.troubles.calm(stay.ended, bound) if stay.ended < inf else inf)
        must = stay.until if stay.is_sure else stay.acked
        yield stay.channel, stay.asked, stay.acked, must, ended
    for act, answer in stream.asked.values():
        if act["action"] == "subscribe" and (answer is None or answer["what"] == "nack"):
            until = h.troubles.calm(answer["t"], bound) if answer else inf
            yield act["channel"], act["t"], inf, inf, min(over, until)


RULES = [acknowledged_means_kept, subscribed_means_subscribed, one_answer, presence]
