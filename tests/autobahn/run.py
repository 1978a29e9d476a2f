#!/usr/bin/env python3
"""The Autobahn test suite, its fuzzing client, against an edge with `builtin:echo`.

    ./dev autobahn [--quick] [--cases '1.* 2.*'] [--report FOLDER]

Without options: sections 1 to 7, 9 and 10 (the others are about compression). --quick leaves
out most of section 9, whose messages are large. Prints each case that is not OK, then a
summary such as `246 OK, 3 INFORMATIONAL, 0 failed`; the exit status is 1 if a case failed.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lib.cluster import Cluster  # noqa: E402

TREE = ROOT / "build/tools/autobahn.tar"
ALL = "1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.* 10.*"
QUICK = "1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.1.1 9.1.2 9.2.1 9.2.2 9.3.1 9.4.1 9.5.1 9.6.1 9.7.1 9.8.1 10.*"
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}
SECONDS = 1800


def main():
    options = arguments()
    make_tree()
    # The suite breaks the protocol on purpose, and the edge may say so.
    with Cluster(1, 1, ["--default-route", "builtin:echo"], expect=["*"]) as cluster:
        results = run_cases(cluster.websocket, options.cases.split(), options.report)
    sys.exit(summary(results))


def arguments():
    parser = argparse.ArgumentParser(prog="./dev autobahn", description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--cases", default=ALL, help=f"which cases to run; default: {ALL}")
    which.add_argument("--quick", dest="cases", action="store_const", const=QUICK,
                       help="at most three minutes' worth of them")  # fmt: skip
    parser.add_argument("--report", type=Path, help="where the suite's HTML report shall go")
    return parser.parse_args()


def as_root(*command):
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    return [*sudo, *map(str, command)]


def make_tree():
    TREE.with_suffix("").mkdir(parents=True, exist_ok=True)
    if TREE.exists():
        return
    print("Making a Debian 11 tree with the Autobahn test suite, which is Python 2", flush=True)
    pip = Path(sys.executable).parent / "pip"
    subprocess.run([HERE / "make-tree", TREE, pip], stdin=subprocess.DEVNULL, check=True)


def run_cases(url, cases, report):
    """{case: result} as the suite's own index has it."""
    with tempfile.TemporaryDirectory(prefix="gatepost-autobahn.") as folder:
        out = Path(folder, "out")
        spec = {
            "outdir": "/suite/out", "servers": [{"agent": "gatepost", "url": url}],
            "cases": cases, "exclude-cases": [], "exclude-agent-cases": {},
        }  # fmt: skip
        Path(folder, "spec.json").write_text(json.dumps(spec))
        done = subprocess.run(
            as_root(HERE / "enter", TREE, folder),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=SECONDS,
        )  # fmt: skip
        if done.returncode != 0 or not (out / "index.json").exists():
            sys.exit(f"wstest ended with status {done.returncode}:\n{done.stdout[-4000:]}")
        if report:
            subprocess.run(["cp", "-rT", out, report], check=True)
        return json.loads((out / "index.json").read_text())["gatepost"]


def summary(results):
    """Print what is not plainly OK; 0 when nothing failed and something ran."""
    counts = collections.Counter()
    for case in sorted(results, key=lambda name: [int(n) for n in name.split(".")]):
        behavior, close = results[case]["behavior"], results[case]["behaviorClose"]
        good = behavior in GOOD and close in GOOD
        counts[behavior if good else "failed"] += 1
        if behavior != "OK" or close not in ("OK", "INFORMATIONAL"):
            print(f"{case}: {behavior}, close {close} ({results[case].get('remoteCloseCode')})")
    failed = counts.pop("failed", 0)
    print(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())) + f", {failed} failed")
    return 0 if results and not failed else 1


if __name__ == "__main__":
    main()
