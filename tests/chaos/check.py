#!/usr/bin/env python3
"""Hold the logs of a run against the promises: OK, or the shortest stories that speak against it.

    tests/chaos/check.py FOLDER [--all] [--story NAME]

It knows the promises (checks/rules.py) and what is in the logs (log.py), and nothing of how
Gatepost keeps the ones. Each rule says how much it could judge, and a run in which that was less
than its faults should have given is a violation too. The last line is `N violations`; the exit
status is 0 only when N is 0.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from checks.history import History
from checks.rules import RULES
from checks.story import story

SHOWN = 3


def main():
    parser = argparse.ArgumentParser(description="Hold the logs of a run against the promises.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="all stories, not the shortest few")
    parser.add_argument("--story", metavar="NAME", help="all of one connection, and no checks")
    args = parser.parse_args()
    h = History(args.folder)
    if args.story:
        print("\n".join(story(h, h.connections[args.story])))
        return 0
    judged = {name(rule): Counter() for rule in RULES}
    total = sum(tell(h, rule, judged[name(rule)], args.all) for rule in RULES)
    total += tell_unjudged(h.meta["judged"], judged)
    print(counts(h))
    print("1 violation" if total == 1 else f"{total} violations")
    return 1 if total else 0


def name(rule):
    return rule.__doc__.split()[0]


def tell(h, rule, judged, everything):
    """One rule's line, and the stories of what violates it; returns how many do."""
    told = [(story(h, v.connection, v), v) for v in rule(h, judged)]
    told.sort(key=lambda pair: len(pair[0]) or SHOWN)
    print(f"{rule.__doc__}: " + (f"violated {len(told)} times" if told else "OK"))
    print("    judged " + ", ".join(f"{n} {what}" for what, n in sorted(judged.items())))
    for lines, violation in told if everything else told[:SHOWN]:
        who = f"{violation.connection.name}: " if violation.connection else ""
        print("\n      ".join([f"  {who}{violation.text}", *lines]))
    if len(told) > SHOWN and not everything:
        print(f"  … and {len(told) - SHOWN} more (--all)")
    return len(told)


def tell_unjudged(least, judged):
    """What no rule could judge, though the run had it: returns how many such things there are."""
    missing = [
        f"  {rule} judged {judged[rule][what]} {what}, and {n} at least were to be had"
        for rule, whats in least.items()
        for what, n in whats.items()
        if judged[rule][what] < n
    ]
    result = f"violated {len(missing)} times" if missing else "OK"
    print("\n".join([f"JUDGED every rule had enough: {result}", *missing]))
    return len(missing)


def counts(h):
    opened = [c for c in h.connections.values() if c.at("open") <= h.end]
    kinds = sorted(Counter(f.kind for f in h.faults).items())
    return (
        f"{len(opened)} connections, {len(h.events)} events, {len(h.invocations)} invocations, "
        f"{sum(len(c.seen['sent']) for c in opened)} messages, {len(h.pushes)} pushes, "
        f"{sum(len(c.seen['act']) for c in opened)} actions on channels, "
        f"{sum(len(c.seen['message']) for c in opened)} messages of channels\n"
        f"{len(h.faults)} faults: " + (", ".join(f"{n} {kind}" for kind, n in kinds) or "none")
    )


if __name__ == "__main__":
    sys.exit(main())
