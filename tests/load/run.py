#!/usr/bin/env python3
"""Run one of the k6 scripts of this folder against two edges and two brokers:

    run.py K6 [NAME] [--results FOLDER] [OPTION of k6 run...]

NAME is echo (default), connect, fanout, recovery, drain, storm or soak. Their settings are environment
variables, see the head of each script. FOLDER gets the summary as NAME.html, NAME.txt and NAME.json, and a
picture of the run as NAME.svg.

Exit status 0 only if every threshold held, the cluster wrote no warning, and its connection table was
empty at the end.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib.cluster import Cluster, until  # noqa: E402

import picture  # noqa: E402

NAMES = sorted(picture.SHOWN)
DRAIN_AFTER = 12  # seconds


def arguments():
    parser = argparse.ArgumentParser(prog="./dev load", description=__doc__.partition("\n")[0])
    parser.add_argument("k6", help=argparse.SUPPRESS)
    parser.add_argument("name", nargs="?", default="echo", choices=NAMES)
    parser.add_argument("--results", type=Path, help="a folder for the summary and the picture")
    return parser.parse_known_args()


def k6(cluster, given, options):
    command = [given.k6, "run", "--quiet", "--no-usage-report"]
    env = {**os.environ, "WEBSOCKET": cluster.websocket}
    if given.results:
        given.results.mkdir(parents=True, exist_ok=True)
        env["RESULTS"] = str(given.results.resolve())
        command += ["--out", f"csv={points(given)}"]
    return subprocess.run([*command, *options, HERE / f"{given.name}.js"], env=env, stdin=subprocess.DEVNULL).returncode


def points(given):
    return given.results / f"{given.name}.csv"


def growth(cluster, before):
    """How much memory each process has more than `before`."""
    now = memory(cluster)
    for name in sorted(now):
        if name in before:
            print(f"  {name}: {before[name] / 2**20:.1f} MiB before, {now[name] / 2**20:.1f} MiB after")


def memory(cluster):
    names = [p["name"] for p in cluster.processes if "metrics" in p]
    return {name: cluster.metrics(name)["process_resident_memory_bytes"] for name in names}


def main():
    given, options = arguments()
    expect = ["process.exited"] if given.name == "drain" else []
    with Cluster(edges=2, brokers=2, expect=expect) as cluster:
        before = memory(cluster)
        timer = threading.Timer(DRAIN_AFTER, os.kill, [cluster.process("edge-0")["pid"], signal.SIGTERM])
        if given.name == "drain":
            timer.start()
        status = k6(cluster, given, options)
        timer.cancel()
        until(lambda: not cluster.table(), "the connection table is empty", 10)
        growth(cluster, before)
    if given.results:
        picture.draw(given.name, points(given), given.results / f"{given.name}.svg")
        points(given).unlink()
    print("load:", "passed" if status == 0 else "FAILED")
    sys.exit(status)


if __name__ == "__main__":
    main()
