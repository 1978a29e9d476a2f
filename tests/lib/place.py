"""A Redis, a broker and functions over HTTP, for tests that start and end edges by themselves.

    with Place.begin(tmp_path) as place, place.edge("--drain-delay", "0") as edge:
        …
        assert place.disconnects() == {…: [1012]}
"""

import contextlib

from lib.function_server import FunctionServer, function, project, websocket
from lib.process import Process
from lib.redis_server import RedisServer


class Place:
    """Redis and a broker; functions over HTTP are told of each connect and each disconnect."""

    def __init__(self, store, functions, folder):
        self.store, self.functions = store, functions
        self.endpoint = f"ipc://{folder / 'broker.sock'}"
        config = project(
            folder,
            {
                "connect": function(functions.url("connect"), websocket("$connect")),
                "disconnect": function(functions.url("disconnect"), websocket("$disconnect")),
                "say": function(functions.url("say"), websocket("$default", two_way=True)),
                "echo": function("builtin:echo", websocket("echo", two_way=True)),
            },
        )
        self._broker = [
            "gatepost-broker", "--redis", store.url, "--management", "127.0.0.1:0",
            "--bind", self.endpoint, "--config", config,
        ]  # fmt: skip
        self.broker = self.another_broker()

    def another_broker(self):
        return Process(*self._broker, expect=["redis.*"])

    @classmethod
    @contextlib.contextmanager
    def begin(cls, folder):
        with RedisServer(folder) as store, FunctionServer() as functions:
            it = cls(store.start(), functions, folder)
            with it.broker:
                it.broker.told("ENDPOINT")
                yield it

    def edge(self, *flags, listen="127.0.0.1:0", name="edge-0", expect=()):
        return Process("gatepost-edge", "--listen", listen, "--brokers", self.endpoint,
                       "--name", name, *flags, expect=["link.down", *expect])  # fmt: skip

    def disconnects(self):
        """{connection id: codes} of all that the function was told."""
        codes = {}
        for call in self.functions.calls("disconnect"):
            code = call.event["requestContext"]["disconnectStatusCode"]
            codes.setdefault(call.id, []).append(code)
        return codes
