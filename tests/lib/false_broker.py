"""Somebody whom an edge takes for a broker, and who says what the test wants.

    with FalseBroker(context, folder) as broker, Process("gatepost-edge", "--brokers", broker.endpoint):
        route = broker.greeted()
        broker.tell(route, envelope(welcome()))
"""

import zmq

from lib.envelope import HELLO, items

SECONDS = 30  # for one answer


class FalseBroker:
    """
    context   of ZeroMQ
    folder    where its socket is
    """

    def __init__(self, context, folder):
        self.endpoint = f"ipc://{folder}/false"
        self.socket = context.socket(zmq.ROUTER)

    def __enter__(self):
        self.socket.linger = 0
        self.socket.rcvtimeo = SECONDS * 1000
        self.socket.bind(self.endpoint)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self):
        """(route, items) of the next envelope."""
        route, bytes_ = self.socket.recv_multipart()
        return route, items(bytes_)

    def greeted(self):
        """The route to an edge that has just said Hello."""
        while True:
            route, said = self.next()
            if any(kind == HELLO for kind, _ in said):
                return route

    def tell(self, route, *envelopes):
        for bytes_ in envelopes:
            self.socket.send_multipart([route, bytes_])
