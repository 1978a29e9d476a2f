"""A short run of chaos, whose seed has a bit of everything; ./dev chaos makes long ones."""

import os
import subprocess
import sys
from pathlib import Path

from lib.cluster import BIN

NEEDS = ["chaos"]  # tests/pick.py

HERE = Path(__file__).resolve().parent
SEED = 42276  # an edge and its reaper killed; brokers killed, cut off; Redis emptied, restored
MINUTES = 0.7


def test_the_promises_hold_while_processes_die_and_networks_break(tmp_path):
    words = [sys.executable, HERE / "run.py", "--bin", BIN, "--keep", tmp_path / "run",
             "--seed", SEED, "--minutes", MINUTES, "--clients", 100]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    print(done.stdout[-20000:], done.stderr[-5000:])
    assert done.returncode == 0
