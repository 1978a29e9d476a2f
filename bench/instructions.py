"""Instructions that edge and broker need for an echoed message, and for a push: bench/run instructions.

Both run under callgrind with FEW and with MANY messages of one client, one at a time; what the
second run has more, divided by its messages, is a message's. It does not depend on how busy the
machine is. GATEPOST_BIN names another folder of programs: what it was before a change.
"""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import tempfile
import urllib.parse

import system
from system import BIN, Failure, load, say

FEW, MANY = 2_000, 6_000
UPGRADE = (
    "GET /dev HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PUSH = b"hello"
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


def echo(ready, messages):
    load(["--pids-from", ready], connections=1, messages=messages, in_flight=1)


def push(ready, messages):
    """POST /@connections/ID, over one connection, to one client that waits for each."""
    at = json.loads(pathlib.Path(ready).read_text())
    edge, api = (urllib.parse.urlsplit(at[name]) for name in ("websocket", "management"))
    asker = http.client.HTTPConnection(api.hostname, api.port)
    with socket.create_connection((edge.hostname, edge.port)) as client:
        client.sendall(UPGRADE.encode())
        with client.makefile("rb") as said, contextlib.closing(asker):
            while said.readline() != b"\r\n":
                pass
            asker.request("GET", "/@connections")
            target = json.load(asker.getresponse())["connections"][0]["connectionId"]
            for _ in range(messages):
                asker.request("POST", f"/@connections/{target}", PUSH)
                asker.getresponse().read()
                if said.read(2 + len(PUSH))[2:] != PUSH:
                    raise Failure("a push has not come as it was sent")


def counted(work, messages):
    """Instructions of each program in a run of this work with so many messages."""
    with watched() as folder:
        with system.system(1, 1, programs=folder) as ready:
            work(ready, messages)
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
    for name, work in (("message", echo), ("push", push)):
        say(f"instructions: {FEW} and {MANY} times a {name} under callgrind")
        few, many = counted(work, FEW), counted(work, MANY)
        for program in PROGRAMS:
            table.add(f"instructions for a {name} in the {program}",
                      (many[program] - few[program]) / (MANY - FEW), "")
