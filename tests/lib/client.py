"""Other people's WebSocket clients, each in a process of its own, all driven in the same words.

Orders are lines of JSON that go in: {"text": "…"}, {"binary": "00ff"}, {"ping": "…"},
{"close": [1000, "…"]}. Events are lines that come out: {"open": true}, {"text": "…"},
{"binary": "00ff"}, {"pong": "…"}, {"closed": [code, reason]}, {"refused": 403}. When no more
orders can come, a client closes its socket and ends.
"""

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
COMMANDS = {
    "ws": ["node", CLIENTS / "ws.js"],
    "chromium": ["node", CLIENTS / "chromium.js"],
    "websockets": [sys.executable, CLIENTS / "websockets_client.py"],
}
SECONDS = 60  # for one event; a browser on a busy machine takes its time


class Client:
    """One connection of the client of that name, or another script of tests/clients.

    with Client("ws", cluster.websocket) as client:
        assert client.ask(text="hello") == {"text": "hello"}
    """

    def __init__(self, name, url):
        self._process = subprocess.Popen(
            [*COMMANDS.get(name, ["node", CLIENTS / name]), url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._events = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.first = self.next()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            self._events.put(json.loads(line))
        self._events.put({"ended": self._process.wait()})

    def order(self, **order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def next(self):
        """The next event."""
        try:
            return self._events.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError(f"no event came within {SECONDS} s") from None

    def ask(self, **order):
        """Give an order, and return the event that follows."""
        self.order(**order)
        return self.next()
