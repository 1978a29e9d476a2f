"""A run of chaos, put together from its logs; log.py says what is in them."""

import bisect
import fnmatch
import json
import re
from collections import defaultdict
from math import inf

from checks.streams import KINDS
from checks.violation import SLACK

LINE = re.compile(r"^\S+Z (?P<level>debug|info|warn|error) \S+ (?P<event>\S+)")
CRASH = re.compile(r"(ERROR|WARNING): \w*Sanitizer|runtime error:|Assertion .* failed")


class Fault:
    def __init__(self, record):
        self.kind, self.target = record["fault"], record["target"]
        self.begin = self.end = record["t"]
        self.is_redis = self.kind.startswith("redis_") or "redis" in self.target
        self.is_functions = self.kind.startswith("function_") or "functions" in self.target

        self.hits_broker = any("broker" in name for name in self.target)
        self.is_clients = all("clients" in name for name in self.target)

    def trouble(self):
        """When others may feel it. An edge that is dead troubles nobody; its death may."""
        dead_edge = self.kind in ("kill9", "oom") and all("edge" in name for name in self.target)
        return self.begin, self.begin if dead_edge else self.end

    def losses(self, edge, lease, vanish, table):
        """When clients of this edge may lose their sockets by it, or None."""
        lasts = self.end - self.begin
        if edge not in self.target:
            return None
        if self.kind in ("kill9", "oom", "died"):
            return self.begin - 1, self.begin + 2
        if self.kind in ("drain", "hurry", "remove"):
            return self.begin - 1, self.end + 2
        if self.kind == "stop" and lasts > lease / 2:
            return self.begin, self.end + table
        if self.kind == "cut" and len(self.target) == 1 and lasts > min(lease, vanish) / 2:
            return self.begin, self.end + table
        return None

    def hides(self, broker, edge):
        """May this broker keep the edge's lease no more? For how long."""
        if broker in self.target and self.kind == "add":
            return -inf, self.begin
        if broker in self.target and self.kind == "remove":
            return self.begin, inf
        other = set(self.target) - {broker}
        between = self.kind == "cut" and other and not other & {edge, "redis"}
        return None if broker not in self.target or between else (self.begin, self.end)


class Troubles:
    """Stretches of time, joined where they meet."""

    def __init__(self, stretches):
        self._begins, self._ends = [], []
        for begin, end in sorted(stretches):
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._begins.append(begin)
                self._ends.append(end)

    def meet(self, begin, end):
        i = bisect.bisect_left(self._ends, begin)
        return i < len(self._ends) and self._begins[i] <= end

    def first(self, begin, end):
        """When the first trouble began that meets this time; none: infinity."""
        i = bisect.bisect_left(self._ends, begin)
        return self._begins[i] if self.meet(begin, end) else inf

    def calm(self, t, seconds):
        """The first moment at which, since t, that many seconds in a row were without trouble."""
        until = t + seconds
        for i in range(bisect.bisect_left(self._ends, t), len(self._ends)):
            if self._begins[i] > until:
                break
            until = self._ends[i] + seconds
        return until


class Event:
    """All invocations with one requestId, in the order in which they began."""

    def __init__(self, first):
        self.invocations = [first]
        self.kind, self.n, self.begin = first["kind"], first.get("n"), first["t"]
        self.code = first.get("code")
        self.name = self.kind if self.n is None else f"message {self.n}"
        self.rank = {"CONNECT": -1, "DISCONNECT": inf}.get(self.kind, self.n)

    def done(self, status=None):
        """When an invocation first ended (with that status); never: infinity."""
        ended = (i for i in self.invocations if status in (None, i["status"]))
        return min((i["end"] for i in ended), default=inf)


class Connection:
    """What the client and the functions saw of one connection."""

    def __init__(self, name):
        self.name, self.edge, self.ids, self.pushes = name, None, [], []
        self.seen = defaultdict(list)  # what: records of clients.jsonl
        self.frames = []  # actions on channels, and what came of channels, in their order
        self.events = []

    @property
    def user(self):
        return self.seen["connecting"][0].get("user") if self.seen["connecting"] else None

    @property
    def chosen(self):
        return self.seen["connecting"][0].get("chosen") if self.seen["connecting"] else None

    def at(self, *whats):
        """When the first of these was seen; never: infinity."""
        return min((self.seen[what][0]["t"] for what in whats if self.seen[what]), default=inf)

    @property
    def open(self):
        return self.at("open")

    @property
    def ended(self):
        """When the client no longer counted on it."""
        return self.at("closing", "vanished", "closed")

    def over(self, vanish=0):
        """When the edge could know that it is over."""
        for gone in self.seen["vanished"]:
            return gone["t"] + (vanish if gone["how"] == "silent" else 0)
        return self.at("closed") if self.seen["closed"] else self.ended

    def of_kind(self, kind):
        return [event for event in self.events if event.kind == kind]

    def records(self):
        yield from (record for records in self.seen.values() for record in records)
        yield from (i for event in self.events for i in event.invocations)
        yield from self.pushes


class History:
    def __init__(self, folder):
        self.folder = folder
        self.meta = json.loads((folder / "meta.json").read_text())
        self.end, self.bound = self.meta["end"], self.meta["bounds"]
        self.connections, self.by_id, self._losses = {}, {}, {}
        self._read_faults()
        for record in self._read("clients"):
            c = self._named(record["name"])
            c.seen[record["what"]].append(record)
            if record["what"] in KINDS:
                c.frames.append(record)
            c.edge = record.get("edge", c.edge)
        self._read_functions()
        self.pushes = list(self._read("pushes"))
        for push in self.pushes:
            if push["to"] in self.by_id:
                self.by_id[push["to"]].pushes.append(push)
        looks = (r for r in self._read("table") if r.get("seconds", 0) < SLACK / 2)
        self.table = [r for r in looks if r["ids"] is not None]
        self.parked = {record["connectionId"] for record in self._read("parked")}
        self.pending = {record["connectionId"] for record in self._read("pending")}
        self.samples = list(self._read("samples"))
        self.presence = list(self._read("presence"))
        self.posts = list(self._read("posts"))
        self.tables = list(self._read("tables"))

    def _read(self, name):
        for path in sorted(self.folder.glob(f"{name}.jsonl")):
            for number, line in enumerate(path.open(), 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise SystemExit(f"{path}:{number}: not JSON: {line[:80]!r}") from None

    def _named(self, name):
        return self.connections.setdefault(name, Connection(name))

    def _read_faults(self):
        faults = {}
        for record in self._read("faults"):
            fault = faults.setdefault(record.get("id", record["t"]), Fault(record))
            fault.end = self.end if record["phase"] == "begin" else record["t"]
        self.faults = sorted(faults.values(), key=lambda fault: fault.begin)
        self.troubles = Troubles(f.trouble() for f in self.faults)
        self.redis = Troubles(f.trouble() for f in self.faults if f.is_redis)
        self.not_redis = Troubles(f.trouble() for f in self.faults if not f.is_redis)
        self.functions = Troubles(f.trouble() for f in self.faults if f.is_functions)
        inside = (f for f in self.faults if not f.is_functions and not f.is_clients)
        self.inside = Troubles(f.trouble() for f in inside)  # where the table is kept up

    def _read_functions(self):
        calls = {}
        for record in self._read("functions*"):
            if record["phase"] == "begin":
                calls[record["call"]] = {**record, "end": inf, "status": None}
            else:
                calls[record["call"]].update(end=record["t"], status=record["status"])
        self.invocations, self.events = sorted(calls.values(), key=lambda i: i["t"]), {}
        for i in self.invocations:
            if i["requestId"] in self.events:
                self.events[i["requestId"]].invocations.append(i)
                continue
            self.events[i["requestId"]] = event = Event(i)
            if i["kind"] == "CONNECT":
                self.by_id[i["connectionId"]] = c = self._named(i["name"])
                c.ids.append(i["connectionId"])
            if i["kind"] != "HTTP":
                id = i["connectionId"]
                if id not in self.by_id:  # no $connect was told of it: it is named for its id
                    self.by_id[id] = self._named(id)
                self.by_id[id].events.append(event)

    def deaths(self, edge):
        """When it was killed."""
        killed = (f for f in self.faults if f.kind == "kill9" and edge in f.target)
        return Troubles((f.begin, f.begin) for f in killed)

    def losses(self, edge):
        """When clients of this edge may have lost their sockets."""
        if edge not in self._losses:
            bounds = self.meta["timings"]["lease"], self.bound["vanish"], self.bound["table"]
            stretches = [fault.losses(edge, *bounds) for fault in self.faults]
            stretches += self._isolations(edge, bounds[0])
            self._losses[edge] = Troubles(stretch for stretch in stretches if stretch)
        return self._losses[edge]

    def _isolations(self, edge, lease):
        """When it was cut from all brokers that were well, so that its lease may have lapsed."""
        brokers = {name for f in self.faults for name in f.target if f.kind == "add"}
        hidden = [
            Troubles(filter(None, (f.hides(broker, edge) for f in self.faults)))
            for broker in brokers.union(self.meta["brokers"])
        ]
        cuts = [f for f in self.faults if f.kind == "cut" and edge in f.target]
        for t in {f.begin for f in self.faults for c in cuts if c.begin <= f.begin <= c.end}:
            until = min(of_one.calm(t, 0) for of_one in hidden)
            if until - t > lease / 2:
                yield t, until + self.bound["table"]

    def unexpected_lines(self, judged):
        for path in sorted(self.folder.glob("*.log")):
            before = judged["lines"]
            for line in path.open(errors="replace"):
                match = LINE.match(line)
                judged["lines"] += bool(match)
                grave = match and match["level"] in ("warn", "error")
                expected = grave and any(
                    fnmatch.fnmatchcase(match["event"], e) for e in self.meta["expect"]
                )
                if CRASH.search(line) or (grave and not expected):
                    yield f"{path.name}: {line.strip()}"
            judged["logs with lines"] += judged["lines"] > before
