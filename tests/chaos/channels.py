"""What a client of a run does with channels.

    config()        the namespaces of gatepost.yml
    Memory          what one person knows of its channels, over all of its connections
    Subscriber      the channels of one connection: what it asks, and what it gets
"""

import json
import time
import zlib

OPEN = {"subscribe": "anyone", "publish": "anyone"}
GRACE = 1  # seconds, of presence
NAMESPACES = {
    "log": {**OPEN, "history": {"size": 1000}},
    "short": {**OPEN, "history": {"size": 5}},  # who was away has missed more than is kept
    "live": OPEN,
    "who": {
        **OPEN,
        "history": {"size": 1000},
        "presence": {"members": True, "events": "500ms", "grace": f"{GRACE}s"},
    },
    "last": {**OPEN, "history": {"size": 1}, "recover": "cache"},
    "side": {**OPEN, "history": {"size": 1000}},  # with tags; all subscriptions have a filter
    "newer": {**OPEN, "history": {"size": 1000}},  # with versions
    "hook": {**OPEN, "history": {"size": 1000}},  # its webhook refuses some, and marks the others
}
CACHES = ["last"]
MARK = "+"  # which the webhook puts behind what it has seen
ACTIONS = ["subscribe", "unsubscribe", "publish"]
MANY = "hall"  # the channel of each namespace that has many subscribers
# How many other channels each has
FEW = {"log": 12, "short": 4, "live": 12, "who": 6, "last": 3, "side": 3, "newer": 3, "hook": 3}
FULL = 0.3  # of all people are in a channel that has many
MOST_UNANSWERED = 4
KEYED = 0.4  # of all publishes
RECEIPTS = 0.2  # and
BATCHED = 0.2  # of all subscriptions get several messages in one frame
PATIENCE = 5  # how often a publish with a key is sent
POSTED = [f"{ns}:{n}" for ns in ("log", "live", "last", "who") for n in (MANY, 0, 1)]  # by the API
MEMBERS = [f"who:{name}" for name in [MANY, *range(FEW["who"])]]  # channels with presence


def config():
    return NAMESPACES


def histories():
    """How many messages each namespace keeps."""
    return {name: ns.get("history", {}).get("size", 0) for name, ns in NAMESPACES.items()}


def hook(url):
    """The function of gatepost.yml that is the webhook."""
    on = {"namespace": "hook", "on": ["subscribe", "publish"]}
    return {"handler": url, "events": [{"channel": on}]}


def is_refused(data):
    """By the webhook."""
    return zlib.crc32(data.encode()) % 8 == 0


def side(data):
    return "ab"[zlib.crc32(data.encode()) % 2]


def user(number):
    """Of the person with that number: some are anonymous, and some users are two people."""
    return None if number % 5 == 0 else f"u{number // 2}"


class Memory:
    def __init__(self, rng, number):
        self._rng = rng
        self.user = user(number)
        self.wanted = {self.any_channel() for _ in range(rng.choice((1, 2, 2, 3)))}
        self.wanted |= {f"{ns}:{MANY}" for ns in NAMESPACES if rng.random() < FULL}
        # Subscribed by $connect's result
        self.chosen = f"log:{MANY}" if number % 4 == 1 else None
        self.wanted.discard(self.chosen)
        self.side = "ab"[number % 2]  # of the channels with a filter
        self.at = {}  # channel: [epoch, offset] of the last message that it has
        self.unsent = []  # publishes with a key that were not acknowledged

    def any_channel(self):
        ns = self._rng.choice(list(FEW))
        return f"{ns}:{self._rng.randrange(FEW[ns])}"


class Subscriber:
    """
    log     writes a record of this connection
    send    sends a text
    name    of the connection
    """

    def __init__(self, memory, rng, log, send, name):
        self._memory, self._rng = memory, rng
        self._log, self._send, self._name = log, send, name
        self._asked = {}  # id: the action that has no answer yet
        self._n = 0
        self._live = set()

    # What it asks

    def begin(self):
        for channel in sorted(self._memory.wanted):
            self._subscribe(channel)

    def act(self, kind):
        """Whether it could."""
        if len(self._asked) >= MOST_UNANSWERED or (kind in ("leave", "again") and not self._live):
            return False
        getattr(self, f"_{kind}")()
        return True

    def _publish(self):
        if self._memory.unsent:
            self._ask(**self._memory.unsent.pop())
            return
        here = sorted(self._live)
        channel = self._rng.choice(here) if here and self._rng.random() < 0.7 else None
        if channel is None or (channel.endswith(MANY) and self._rng.random() < 0.7):
            channel = self._memory.any_channel()
        nonce = f"{self._name}-{self._n}"
        key = {"key": nonce} if self._rng.random() < KEYED else {}
        receipt = {"receipt": True} if self._rng.random() < RECEIPTS else {}
        more = {**key, **receipt, **self._special(channel.partition(":")[0], nonce)}
        self._ask(action="publish", channel=channel, data=nonce, **more)

    def _special(self, ns, nonce):
        """What a publish has in a namespace that is there for it."""
        if ns == "side":
            return {"tags": {"side": side(nonce)}}
        if ns == "newer":  # some are older than what was published before
            return {"version": int(time.time() * 4) + self._rng.randrange(-8, 8)}
        return {}

    def _join(self):
        channel = self._memory.any_channel()
        self._memory.wanted.add(channel)
        self._subscribe(channel)

    def _leave(self):
        channel = self._rng.choice(sorted(self._live))
        self._memory.wanted.discard(channel)
        self._ask(action="unsubscribe", channel=channel)

    def _again(self):
        """Unsubscribes and subscribes in one frame, or subscribes to what it has."""
        channel = self._rng.choice(sorted(self._live))
        both = [self._new(action="unsubscribe", channel=channel), self._since(channel)]
        if self._rng.random() < 0.5:
            self._send(json.dumps(both))
        else:
            del self._asked[both[0]["id"]]
            self._send(json.dumps(both[1]))
            both = both[1:]
        for action in both:
            self._note(action)

    def _subscribe(self, channel):
        action = self._since(channel)
        self._note(action)
        self._send(json.dumps(action))

    def _since(self, channel):
        """A subscribe; mostly from where this person was."""
        at = self._memory.at.get(channel)
        since = {"since": {"epoch": at[0], "offset": at[1]}} if at else {}
        if self._rng.random() < 0.2:
            since = {}
        batch = {"batch": True} if self._rng.random() < BATCHED else {}
        filtered = channel.startswith("side:")
        chosen = {"filter": {"tag": "side", "eq": self._memory.side}} if filtered else {}
        return self._new(action="subscribe", channel=channel, **since, **batch, **chosen)

    def _new(self, **action):
        action["id"] = self._n
        self._n += 1
        self._asked[action["id"]] = action
        return action

    def _ask(self, **action):
        action = self._new(**action)
        self._note(action)
        self._send(json.dumps(action))

    def _note(self, action):
        """Before it is sent."""
        said = {key: value for key, value in action.items() if key != "since"}
        if "since" in action:
            said["since"] = [action["since"]["epoch"], action["since"]["offset"]]
        is_hooked = action["action"] == "publish" and action["channel"].startswith("hook:")
        if is_hooked and is_refused(action["data"]):
            said["refused"] = True
        self._log("act", **said)

    # What it gets

    def receive(self, frame):
        """A frame of channels, or several in an array. False: it is none of those that there are."""
        if isinstance(frame, list):
            return all(self.receive(one) for one in frame)
        match frame["type"]:
            case "ack": self._acknowledged(frame)
            case "error": self._refused(frame)
            case "message": self._message(frame)
            case "reset": self._reset(frame)
            case "unsubscribed": self._unsubscribed(frame)
            case "presence": pass
            case _: return False
        return True  # fmt: skip

    def _acknowledged(self, frame):
        more = ("recovered", "duplicate", "suppressed", "edges", "connections")
        self._log("ack", **pick(frame, "id", "channel", "epoch", "offset", *more))
        asked = self._asked.pop(frame.get("id"), {"action": "subscribe"})
        channel = frame["channel"]
        if asked["action"] == "unsubscribe":
            self._live.discard(channel)
        elif asked["action"] == "subscribe" and channel not in self._live:
            self._live.add(channel)
            if "epoch" in frame and not frame.get("recovered"):
                self._memory.at[channel] = [frame["epoch"], frame["offset"]]

    def _refused(self, frame):
        self._log("nack", **pick(frame, "id", "channel", "code", "retryable"))
        asked = self._asked.pop(frame.get("id"), {"action": None})
        if asked["action"] == "publish" and frame["retryable"]:
            self._keep(asked)
        elif asked["action"] == "subscribe" and frame["retryable"]:
            self._memory.wanted.add(asked["channel"])

    def _keep(self, publish):
        """With a key it may be sent again, also by the next connection."""
        if "key" in publish and publish.get("tries", 1) < PATIENCE:
            again = {key: value for key, value in publish.items() if key != "id"}
            self._memory.unsent.append({**again, "tries": publish.get("tries", 1) + 1})

    def _message(self, frame):
        said = pick(frame, "channel", "epoch", "offset", "data", "user", "tags")
        if frame["channel"].startswith("hook:"):
            said["marked"] = said["data"].endswith(MARK)
            said["data"] = said["data"].removesuffix(MARK)
        self._log("message", **said)
        if "epoch" in frame:
            self._memory.at[frame["channel"]] = [frame["epoch"], frame["offset"]]

    def _reset(self, frame):
        self._log("reset", **pick(frame, "channel", "epoch", "offset", "reason"))
        if frame.get("epoch"):
            self._memory.at[frame["channel"]] = [frame["epoch"], frame["offset"]]

    def _unsubscribed(self, frame):
        self._log("unsubscribed", **pick(frame, "channel", "reason"))
        self._live.discard(frame["channel"])

    def end(self):
        for asked in self._asked.values():
            if asked["action"] == "publish":
                self._keep(asked)

    def retry(self):
        """A channel that it wants, and could not have."""
        asked = {action["channel"] for action in self._asked.values()}
        missing = sorted(self._memory.wanted - self._live - asked)
        if missing and len(self._asked) < MOST_UNANSWERED:
            self._subscribe(self._rng.choice(missing))


def pick(frame, *keys):
    return {key: frame[key] for key in keys if key in frame}
