"""What each client saw of each channel: a Stay for each subscription that was acknowledged."""

from bisect import bisect_left
from math import inf

KINDS = ("act", "ack", "nack", "message", "reset", "unsubscribed")
NOWHERE = ("", 0)  # before each position


class Stay:
    """
    A subscription, from its ack to its end. A position is (epoch, offset); epochs compare as text.

    asked, acked     when
    ending, ended    when its unsubscribe was sent, and acknowledged; else infinity
    start            behind this position it gets all; None: a channel without history
    is_sure          False: nobody knows whether an unsubscribe was handled
    filter           {"tag", "eq"}, or None
    is_cache         it gets the latest message when it begins, and may skip others
    """

    def __init__(self, connection, channel, asked, ack, since, filter=None, is_cache=False):
        self.filter, self.is_cache = filter, is_cache
        self.connection, self.channel = connection, channel
        self.asked, self.acked = asked, ack["t"]
        self.ending = self.ended = inf
        self.is_sure = True
        self.since, self.recovered = since, ack.get("recovered")
        self.top = (ack["epoch"], ack["offset"]) if "epoch" in ack else None
        self.start = since if self.recovered and since else self.top
        if is_cache and self.top and self.top[1] > 0:
            self.start = (self.top[0], self.top[1] - 1)
        self.nonces = {}  # data: when it came first
        self.messages = []  # (t, position or None, data, tags)
        self.resets = []  # (t, position, reason)
        self._marks, self._times = [], []  # positions that it has reached, and when
        if self.start:
            self._reach(self.acked, self.start)

    @property
    def at(self):
        """The position that it has reached."""
        return self._marks[-1] if self._marks else NOWHERE

    @property
    def until(self):
        """How long it surely got messages."""
        return min(self.ending, self.connection.ended)

    def _reach(self, t, position):
        if position > self.at:
            self._marks.append(position)
            self._times.append(t)

    def reached(self, position):
        """When it had this position, or a later one; never: infinity."""
        i = bisect_left(self._marks, position)
        return self._times[i] if i < len(self._times) else inf

    def passes(self, tags):
        return not self.filter or (tags or {}).get(self.filter["tag"]) == self.filter["eq"]

    def had(self, position, data):
        """When it had this message, or needed it no more; never: infinity."""
        if not self.filter:
            return self.reached(position)
        told = (t for t, at, _ in self.resets if at >= position)
        return min(self.nonces.get(data, inf), min(told, default=inf))

    def message(self, r):
        """Take it; what is wrong with it, or None."""
        again = r["data"] in self.nonces
        self.nonces.setdefault(r["data"], r["t"])
        position = (r["epoch"], r["offset"]) if "epoch" in r else None
        self.messages.append((r["t"], position, r["data"], r.get("tags")))
        if "epoch" not in r:
            return None
        at, wrong = self.at, None
        what = f"{self.channel} {_text(position)} after {_text(at)}"
        if r["epoch"] < at[0]:
            wrong = f"an older epoch: {what}"
        elif r["epoch"] > at[0] and not self.is_cache:
            wrong = f"another epoch without a reset: {what}"
        elif position <= at:
            wrong = f"{'again' if again else 'out of order'}: {what}"
        elif r["offset"] > at[1] + 1 and not (self.filter or self.is_cache):
            wrong = f"a hole: {what}"
        self._reach(r["t"], position)
        return wrong

    def reset(self, r):
        """The same."""
        if not r.get("epoch"):
            return None
        position, at = (r["epoch"], r["offset"]), self.at
        self.resets.append((r["t"], position, r["reason"]))
        self._reach(r["t"], position)
        if position < at:
            return f"a reset back: {self.channel} {_text(position)} after {_text(at)}"
        return None

    def again(self, ack):
        """An ack of a subscription that was there: messages behind it may have come before it."""
        may_skip = self.filter or self.is_cache
        if "epoch" in ack and (ack["epoch"], ack["offset"]) > self.at and not may_skip:
            at = (ack["epoch"], ack["offset"])
            return f"a hole: {self.channel} {_text(at)} acknowledged after {_text(self.at)}"
        return None


def _text(position):
    return f"{position[0][-6:]}:{position[1]}"


class Stream:
    """One connection's frames, read in their order."""

    def __init__(self, connection, caches=()):
        self.connection, self._caches = connection, caches
        self.stays = []
        self.asked = {}  # id: (act, its answer or None)
        self.wrong_order, self.wrong_state, self.wrong_answers = [], [], []  # (t, text, channel)
        self.unsubscribes = 0
        self._live = {}  # channel: stay
        for r in connection.frames:
            getattr(self, f"_{r['what']}")(r)

    def _act(self, r):
        self.asked[r["id"]] = (r, None)
        if r["action"] == "unsubscribe" and r["channel"] in self._live:
            stay = self._live[r["channel"]]
            stay.ending = min(stay.ending, r["t"])

    def _answered(self, r):
        """What it answers; None when nobody had asked."""
        act, before = self.asked.get(r.get("id"), (None, None))
        if act is None:
            self._note(self.wrong_answers, r, f"an answer {r.get('id')} that was not asked")
        elif before:
            self._note(self.wrong_answers, r, f"{act['action']} {r['id']} was answered twice")
        else:
            self.asked[r["id"]] = (act, r)
        return act

    def _ack(self, r):
        chosen = self.connection.chosen
        if "id" not in r and chosen and r["channel"] == chosen:
            self._subscribed(r, {"t": self.connection.at("connecting")})
            return
        act = self._answered(r)
        if act and act["action"] == "subscribe":
            self._subscribed(r, act)
        elif act and act["action"] == "unsubscribe":
            self.unsubscribes += 1
            self._end(r)

    def _subscribed(self, r, act):
        since = tuple(act["since"]) if act.get("since") else None
        is_cache = r["channel"].partition(":")[0] in self._caches
        stay = self._live.get(r["channel"])
        if stay:
            self._note(self.wrong_order, r, stay.again(r))
            if r.get("recovered") and not is_cache and since != (r["epoch"], r["offset"]):
                text = f"recovered {r['channel']} that it had, from {since}"
                self._note(self.wrong_order, r, text)
            return
        stay = Stay(
            self.connection, r["channel"], act["t"], r, since, act.get("filter"), is_cache
        )
        self._live[r["channel"]] = stay
        self.stays.append(stay)
        wrong = not since or since[0] != r["epoch"] or since[1] > r["offset"]
        if stay.recovered and wrong and not is_cache:
            self._note(self.wrong_order, r, f"recovered: true, of {since}: {_text(stay.top)}")

    def _nack(self, r):
        act = self._answered(r)
        stay = self._live.get(r.get("channel"))
        if act and act["action"] == "unsubscribe" and stay:
            stay.is_sure = False

    def _message(self, r):
        stay = self._live.get(r["channel"])
        if stay:
            self._note(self.wrong_order, r, stay.message(r))
        else:
            text = f"a message of {r['channel']}, where it is not subscribed"
            self._note(self.wrong_state, r, text)

    def _reset(self, r):
        stay = self._live.get(r["channel"])
        if stay:
            self._note(self.wrong_order, r, stay.reset(r))
        else:
            text = f"a reset of {r['channel']}, where it is not subscribed"
            self._note(self.wrong_state, r, text)

    def _unsubscribed(self, r):
        self._end(r)

    def _end(self, r):
        stay = self._live.pop(r["channel"], None)
        if stay:
            stay.ending, stay.ended = min(stay.ending, r["t"]), r["t"]

    def _note(self, where, r, text):
        if text:
            where.append((r["t"], text, r.get("channel")))
