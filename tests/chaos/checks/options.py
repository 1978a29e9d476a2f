"""The rule about what subscribes and publishes may ask for besides."""

from collections import defaultdict

from checks.channels import lives_of, talk_of
from checks.violation import SLACK, Violation


def options(h, judged):
    """OPTIONS do what they say: filter, cache, version, receipt, webhook, publish by the API"""
    for stream in talk_of(h).streams:
        yield from _filters(stream, judged)
        yield from _webhooks(stream, judged)
    yield from _caches(h, judged)
    yield from _versions(h, judged)
    yield from _receipts(h, judged)
    yield from _posts(h, judged)


def _filters(stream, judged):
    """What does not pass does not come."""
    for stay in stream.stays:
        for t, _, data, tags in stay.messages if stay.filter else ():
            judged["filtered messages"] += 1
            if not stay.passes(tags):
                text = f"{data} ({tags}) came to {stay.channel} with the filter {stay.filter}"
                yield Violation(text, stream.connection, t, {stay.channel})


def _webhooks(stream, judged):
    """What it refuses is not published, and what it has changed comes so."""
    for act, answer in stream.asked.values():
        judged["refused by a webhook"] += bool(act.get("refused") and answer)
        if act.get("refused") and answer and answer["what"] == "ack":
            text = f"{act['data']} was acknowledged, though a webhook refuses it"
            yield Violation(text, stream.connection, answer["t"], {act["channel"]})
    for r in stream.connection.seen["message"]:
        judged["marked by a webhook"] += bool(r.get("marked"))
        if not r.get("marked", True):
            text = f"{r['data']} came without what its webhook adds"
            yield Violation(text, stream.connection, r["t"], {r["channel"]})


def _caches(h, judged):
    """Who subscribes gets the latest message at once."""
    for stream in talk_of(h).streams:
        for stay in stream.stays:
            if not stay.is_cache or not stay.messages or not stay.top or stay.top[1] == 0:
                continue
            judged["caches"] += 1
            t, position, data, _ = stay.messages[0]
            if position != stay.top:
                text = f"{data} was the first of {stay.channel}, and is not its latest"
                yield Violation(text, stream.connection, t, {stay.channel})


def _versions(h, judged):
    """They grow with the offset, and what is suppressed does not come."""
    talk = talk_of(h)
    placed, came = defaultdict(dict), {}
    for stream in talk.streams:
        for r in stream.connection.seen["message"]:
            came.setdefault(r["data"], (r, stream.connection))
            for act in talk.tries[r["data"]][:1] if "epoch" in r else ():
                if "version" in act:
                    placed[r["channel"], r["epoch"]][r["offset"]] = (act, r, stream.connection)
    for of_channel in placed.values():
        before = None
        for _, (act, r, c) in sorted(of_channel.items()):
            judged["versions"] += 1
            if before and act["version"] <= before["version"]:
                text = f"{act['data']} (version {act['version']}) stands behind {before['data']}"
                yield Violation(f"{text} ({before['version']})", c, r["t"], {r["channel"]})
            before = act
    for stream in talk.streams:
        for act, answer in stream.asked.values():
            if not answer or not answer.get("suppressed"):
                continue
            judged["suppressed"] += 1
            if act["data"] in came and len(talk.tries[act["data"]]) == 1:
                r, c = came[act["data"]]
                yield Violation(f"{act['data']} was suppressed, and came", c, r["t"], {r["channel"]})


def _receipts(h, judged):
    """As many connections as are subscribed, while all is well."""
    lives = defaultdict(list)
    for stream in talk_of(h).streams:
        for channel, *life in lives_of(h, stream):
            lives[channel].append(life)
    for act, ack in talk_of(h).published:
        if "connections" not in ack or ack.get("duplicate"):
            continue
        if h.troubles.meet(act["t"] - h.bound["presence"], ack["t"]):
            continue
        judged["receipts"] += 1
        least = most = 0
        for may_from, must_from, must_until, may_until in lives[act["channel"]]:
            least += must_from + SLACK < act["t"] and ack["t"] < must_until - SLACK
            most += may_from - SLACK <= ack["t"] and act["t"] <= may_until + SLACK
        if "tags" in act:
            least = 0  # some do not pass
        if not least <= ack["connections"] <= most:
            text = f"{act['data']} reached {ack['connections']} connections of {act['channel']}"
            yield Violation(f"{text}, and {least} to {most} are subscribed", None, ack["t"])


def _posts(h, judged):
    """They get 200, or near a fault 503 or nothing."""
    for post in h.posts:
        calm = not h.troubles.meet(post["began"] - h.bound["table"], post["t"])
        judged["posts"] += post["status"] == 200
        judged["posts while all is well"] += calm
        if post["status"] not in (0, 200, 503) or (calm and post["status"] != 200):
            text = f"{post['data']} got {post['status']}" + (" while all is well" if calm else "")
            yield Violation(text, None, post["t"])
