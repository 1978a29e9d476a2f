"""Somebody who behaves, and asks all the time while others do not.

    with Neighbour(cluster.websocket) as neighbour:
        …
    assert neighbour.percentile(99) < 0.25
"""

import threading
import time

from lib.cluster import until
from lib.wire import WebSocket


class Neighbour:
    """
    url       of the WebSocket; its messages are sent back
    at_least  questions before the block can be left
    """

    def __init__(self, url, at_least=20, message="hello"):
        self._url, self._at_least, self._message = url, at_least, message

    def __enter__(self):
        self._client = WebSocket(self._url)
        self.seconds = []
        self._stop = threading.Event()
        self._fault = None
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def _ask(self):
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                self._client.say(self._message)
                assert self._client.hear() == self._message
                self.seconds.append(time.monotonic() - began)
                self._stop.wait(0.005)
        except Exception as e:  # it is raised again at the end of the block
            self._fault = e

    def __exit__(self, kind, error, trace):
        if kind is None:
            enough = len(self.seconds) + self._at_least
            until(lambda: len(self.seconds) > enough or self._fault, "it has been served")
        self._stop.set()
        self._thread.join()
        self._client.socket.close()
        if kind is None and self._fault:
            raise self._fault

    def percentile(self, n):
        """Seconds within which n of a hundred questions were answered."""
        times = sorted(self.seconds)
        return times[min(len(times) - 1, len(times) * n // 100)]
