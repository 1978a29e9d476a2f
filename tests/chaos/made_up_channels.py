"""The same with channels."""

from made_up import Run

E1, E2 = "00000000001aaaa", "00000000002aaaa"


class Channels(Run):
    """c1 publishes; c2 is there from 50 to 100, subscribed to log:1 at 51, and gets what c1 says."""

    def __init__(self, folder):
        super().__init__(folder)
        self._asked = {}
        self.client("c2", 50, 100)
        self.subscribe(51, "c2", "log:1", 0)
        for n in range(1, 4):
            self.publish(52 + n, f"m{n}", "log:1", n)
            self.message(52.2 + n, "c2", "log:1", n, f"m{n}")

    def act(self, t, name, action, channel, **more):
        self._asked[name] = id = self._asked.get(name, -1) + 1
        self.saw(t, name, "act", id=id, action=action, channel=channel, **more)
        return id

    def subscribe(self, t, name, channel, offset, epoch=E1, since=None, **more):
        """An ack without a position: offset None."""
        at = {} if offset is None else {"epoch": epoch, "offset": offset}
        asked = {"since": list(since)} if since else {}
        asked |= {"filter": more.pop("filter")} if "filter" in more else {}
        id = self.act(t, name, "subscribe", channel, **asked)
        self.saw(t + 0.1, name, "ack", id=id, channel=channel, **at, **more)

    def unsubscribe(self, t, name, channel):
        id = self.act(t, name, "unsubscribe", channel)
        self.saw(t + 0.1, name, "ack", id=id, channel=channel)

    def publish(self, t, data, channel, offset, epoch=E1, name="c1", asks=None, **more):
        """asks: what the publish has besides."""
        at = {} if offset is None else {"epoch": epoch, "offset": offset}
        id = self.act(t, name, "publish", channel, data=data, **(asks or {}))
        self.saw(t + 0.1, name, "ack", id=id, channel=channel, **at, **more)

    def message(self, t, name, channel, offset, data, epoch=E1, **more):
        at = {} if offset is None else {"epoch": epoch, "offset": offset}
        self.saw(t, name, "message", channel=channel, data=data, **at, **more)

    def post(self, t, data, channel, offset, status=200):
        """By the management API."""
        at = {} if offset is None else {"epoch": E1, "offset": offset}
        self.records["posts"].append(
            {"t": t + 0.1, "began": t, "channel": channel, "data": data, "by": "broker-0",
             "status": status, **at}
        )  # fmt: skip

    def reset(self, t, name, channel, offset, epoch, reason):
        self.saw(t, name, "reset", channel=channel, epoch=epoch, offset=offset, reason=reason)

    def leave(self, name, t):
        """It is gone from then on: what came later is taken out."""
        gone = ("message", "act", "ack")
        self.records["clients"] = [
            r for r in self.records["clients"]
            if r["name"] != name or r["t"] <= t or r["what"] not in gone
        ]  # fmt: skip

    def look(self, t, channel, members, connections=None, users=None):
        counted = len(members) if connections is None else connections
        named = len({user for _, user in members if user}) if users is None else users
        self.records["presence"].append(
            {"t": t, "channel": channel, "by": "broker-0", "members": members,
             "connections": counted, "users": named, "seconds": 0.01}
        )  # fmt: skip

    def checked(self):
        self.records["clients"].sort(key=lambda r: r["t"])
        return super().checked()
