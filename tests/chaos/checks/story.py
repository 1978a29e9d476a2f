"""What happened to one connection, from all logs, in the order of time."""

from math import inf

from checks.streams import KINDS

NEAR = 5.0  # seconds before and after, in which a fault may matter
TALK = ("sent", "answer", "error", "push", "MESSAGE", "POST", *KINDS)


def story(h, connection, violation=None):
    """Lines; of a violation, only what it needs: talk that has no part in it is counted."""
    if connection is None:
        return []
    records = sorted(connection.records(), key=lambda r: r["t"])
    told = [(r["t"], _words(r, h) if _matters(r, violation) else None) for r in records]
    told += [(f.begin, _fault(f)) for f in _faults(h, records, violation)]
    if violation and violation.at not in (None, inf):
        told.append((violation.at, f"VIOLATION {violation.text}"))
    lines, skipped = [], 0
    for t, words in [*sorted(told, key=lambda pair: pair[0]), (inf, "")]:
        if words is None:
            skipped += 1
            continue
        if skipped:
            lines.append(f"          … {skipped} records of other messages")
        skipped = 0
        lines.append(f"{t - h.meta['begin']:9.3f} {words}")
    return lines[:-1]


def _matters(record, violation):
    what = record.get("what") or record.get("kind") or "POST"
    if violation is None or what not in TALK:
        return True
    if what in KINDS:
        return record.get("channel") in violation.ns
    return record.get("n") in violation.ns or record.get("nonce") in violation.text.split()


def _faults(h, records, violation):
    begin, end = records[0]["t"] - NEAR, records[-1]["t"] + NEAR
    if violation and violation.at:
        begin = max(begin, violation.at - h.bound["table"] - NEAR)
        end = min(end, violation.at + NEAR)
    return [f for f in h.faults if f.begin <= end and f.end >= begin]


def _fault(f):
    lasts = f", {f.end - f.begin:.1f} s" if f.end > f.begin else ""
    return f"FAULT     {f.kind} {' – '.join(f.target)}{lasts}"


def _words(r, h):
    if "nonce" in r and "to" in r:
        return f"push      {r['nonce']} by {r.get('by')} → {r['status']}"
    if "what" in r:
        hidden = ("t", "who", "name", "what")
        return f"client    {r['what']}{_pairs(r, [key for key in r if key not in hidden])}"
    done = f"{r['status']} at {r['end'] - h.meta['begin']:.3f}" if r["end"] < inf else "no end"
    pairs = _pairs(r, ["n", "code", "requestId", "connectionId"])
    return f"function  {r['kind']} → {done}{pairs}"


def _pairs(record, keys):
    return "".join(f" {key}={record[key]}" for key in keys if record.get(key) is not None)
