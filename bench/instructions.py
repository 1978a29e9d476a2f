"""Instructions that edge and broker need for an echoed message: bench/run instructions.

Both run under callgrind with FEW and with MANY messages of one client, one at a time; what the
second run has more, divided by its messages, is a message's. It does not depend on how busy the
machine is. GATEPOST_BIN names another folder of programs: what it was before a change.
"""

import contextlib
import pathlib
import re
import shutil
import tempfile

import system
from system import BIN, Failure, load, say

FEW, MANY = 2_000, 6_000
PROGRAMS = ("edge", "broker")


@contextlib.contextmanager
def watched():
    """A folder of programs in which edge and broker are started by callgrind."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
        folder = pathlib.Path(name)
        shutil.copy(BIN / "gatepost", folder)
        for program in PROGRAMS:
            wrapper = folder / f"gatepost-{program}"
            wrapper.write_text(
                "#!/bin/sh\nexec valgrind -q --tool=callgrind "
                f"--callgrind-out-file={folder}/{program}.out {BIN}/gatepost-{program} \"$@\"\n")
            wrapper.chmod(0o755)
        yield folder


def counted(messages):
    """Instructions of each program in a run with so many messages."""
    with watched() as folder:
        with system.system(1, 1, programs=folder) as ready:
            load(["--pids-from", ready], connections=1, messages=messages, in_flight=1)
        seen = {}
        for program in PROGRAMS:
            text = (folder / f"{program}.out").read_text()
            total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
            if total is None:
                raise Failure(f"callgrind has not counted the {program}")
            seen[program] = int(total[1])
        return seen


def instructions(table):
    if shutil.which("valgrind") is None:
        raise Failure("this needs valgrind: apt-get install valgrind")
    say(f"instructions: {FEW} and {MANY} messages under callgrind")
    few, many = counted(FEW), counted(MANY)
    for program in PROGRAMS:
        table.add(f"instructions for a message in the {program}",
                  (many[program] - few[program]) / (MANY - FEW), "")
