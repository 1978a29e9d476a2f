"""The logs of runs that never were, for the tests of the checker."""

import json
import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).with_name("check.py")

META = {
    "seed": 1, "begin": 0, "warm": 20, "end": 200, "edges": ["edge-0", "edge-1"],
    "brokers": ["broker-0", "broker-1"], "expect": ["link.*"],
    "timings": {"lease": 10, "silence": 5},
    "judged": {},
    "bounds": {"disconnect": 12, "vanish": 45, "table": 12, "answer": 6, "retry": 8,
               "gap": 15, "action": 11, "presence": 13, "rss": 1000, "fds": 5},
    "histories": {"log": 1000, "short": 5, "live": 0, "who": 1000, "last": 1, "side": 1000,
                  "newer": 1000, "hook": 1000},
    "caches": ["last"],
}  # fmt: skip


class Run:
    """The logs of a run in which one client came at 50, said two things, and left at 60."""

    def __init__(self, folder):
        self.folder = folder
        self.meta = dict(META)
        self.records = {name: [] for name in ("clients", "functions", "faults", "pushes")}
        self.records["table"] = [{"t": t + 0.5, "ids": []} for t in range(200)]
        self.records["samples"], self.records["presence"], self.records["posts"] = [], [], []
        self.records["tables"] = []
        self.client("c1", 50, 60)

    def client(self, name, begin, end, edge="edge-0"):
        """One without fault; its id is ID-name."""
        self.saw(begin, name, "connecting", edge=edge)
        self.saw(begin + 0.2, name, "open")
        self.invoked(begin + 0.1, name, "CONNECT")
        for n in range(2):
            self.saw(begin + 1 + n, name, "sent", n=n, two_way=True)
            self.invoked(begin + 1.1 + n, name, "MESSAGE", n=n)
            self.saw(begin + 1.2 + n, name, "answer", n=n)
        self.saw(end, name, "closing", code=1000)
        self.saw(end + 0.1, name, "closed", code=1000, by="client")
        self.invoked(end + 0.1, name, "DISCONNECT", code=1000)
        for sample in self.records["table"]:
            if begin < sample["t"] < end:
                sample["ids"].append(f"ID-{name}")

    def saw(self, t, name, what, **more):
        self.records["clients"].append({"t": t, "name": name, "what": what, **more})

    def invoked(self, t, name, kind, seconds=0.05, status=200, call=None, **more):
        n = more.get("n", "")
        call = call or f"{kind}{n}-{name}-{t}"
        begin = {
            "call": call, "fn": "http", "kind": kind, "requestId": f"{kind}{n}-{name}",
            "connectionId": f"ID-{name}", "name": name, "event": "hash", "time": 1, **more,
        }  # fmt: skip
        self.records["functions"].append({"t": t, "phase": "begin", **begin})
        if status:
            end = {"t": t + seconds, "phase": "end", "call": call, "status": status}
            self.records["functions"].append(end)

    def fault(self, begin, end, kind, *target):
        number = len(self.records["faults"])
        for t, phase in ((begin, "begin"), (end, "end")):
            record = {"t": t, "id": number, "fault": kind, "target": target, "phase": phase}
            self.records["faults"].append(record)

    def pushed(self, t, to, nonce, status):
        record = {"t": t, "began": t - 0.1, "to": to, "nonce": nonce, "status": status}
        self.records["pushes"].append(record)

    def sampled(self, rss, fds, t):
        self.records["samples"].append({"t": t, "who": "edge-0", "pid": 9, "rss": rss, "fds": fds})

    def without(self, file, **what):
        """Take out the records that are so."""
        kept = [r for r in self.records[file] if not all(r.get(k) == v for k, v in what.items())]
        assert len(kept) < len(self.records[file]), f"{file} has no {what}"
        self.records[file] = kept

    def without_call(self, kind, **what):
        calls = [
            r["call"] for r in self.records["functions"]
            if r.get("kind") == kind and all(r.get(k) == v for k, v in what.items())
        ]  # fmt: skip
        for call in calls:
            self.without("functions", call=call)

    def checked(self):
        """(exit status, what it printed)"""
        (self.folder / "meta.json").write_text(json.dumps(self.meta))
        for name, records in self.records.items():
            lines = "".join(json.dumps(record) + "\n" for record in records)
            (self.folder / f"{name}.jsonl").write_text(lines)
        done = subprocess.run(
            [sys.executable, CHECK, self.folder, "--all"], stdout=subprocess.PIPE, text=True
        )
        return done.returncode, done.stdout

    def violations(self):
        """["P1 c1: what is wrong"]"""
        status, out = self.checked()
        found, rule = [], None
        for line in out.splitlines():
            if line.startswith("  ") and not line.startswith("   "):
                found.append(f"{rule} {line.strip()}")
            elif not line.startswith(" "):
                rule = line.split()[0]
        counted = int(out.splitlines()[-1].split()[0])
        assert counted == len(found) and status == (1 if found else 0), out
        return found
