#!/usr/bin/env python3
"""Run k6 with echo.js against two edges and two brokers:  run.py K6 [OPTION of k6 run...]

Exit status 0 only if every threshold of echo.js held, the cluster wrote no warning, and its
connection table was empty at the end.
"""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from lib.cluster import Cluster, until  # noqa: E402


def main():
    k6, *options = sys.argv[1:]
    with Cluster(edges=2, brokers=2) as cluster:
        done = subprocess.run(
            [k6, "run", "--quiet", "--no-usage-report", *options, TESTS / "load/echo.js"],
            env={**os.environ, "WEBSOCKET": cluster.websocket},
            stdin=subprocess.DEVNULL,
        )
        until(lambda: not cluster.table(), "the connection table is empty", 10)
    print("load:", "passed" if done.returncode == 0 else "FAILED")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
