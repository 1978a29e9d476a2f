"""A way to a TCP port that the test makes slow, or silent.

    with Proxy(server.port) as proxy:
        proxy.delay = 0.1   # seconds, on the way there and on the way back
        proxy.hold()        # takes bytes and passes none on, as a network that was cut
        proxy.go_on()
        proxy.turn_to(other.port)  # who is connected is cut off, and comes to the other
"""

import queue
import socket
import threading
import time


class Proxy:
    """
    port   of 127.0.0.1, where the bytes go on to
    """

    def __init__(self, port):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()  # bytes are passed on
        self._open.set()
        self._sockets = []
        self.delay = 0
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for s in self._sockets:
            _shut(s)
        self._open.set()

    def hold(self):
        self._open.clear()

    def go_on(self):
        """What was held goes on too, as after a cut that TCP outlived."""
        self._open.set()

    def turn_to(self, port):
        self._target = port
        for s in self._sockets:
            _shut(s)

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # nobody is there
                near.close()
                continue
            self._sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source, sink):
        """Each piece is late by the delay, and pieces that follow each other stay so."""
        under_way = queue.SimpleQueue()
        threading.Thread(target=self._deliver, args=(under_way, sink), daemon=True).start()
        try:
            while piece := source.recv(1 << 16):
                under_way.put((time.monotonic() + self.delay, piece))
        except OSError:
            pass
        under_way.put((0, b""))

    def _deliver(self, under_way, sink):
        never = threading.Event()
        while True:
            due, piece = under_way.get()
            never.wait(max(0, due - time.monotonic()))
            self._open.wait()
            try:
                if not piece:
                    break
                sink.sendall(piece)
            except OSError:
                break
        _shut(sink)


def _shut(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
