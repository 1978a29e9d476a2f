"""A Redis, brokers and edges, with ways between them that a test may cut.

    with Mesh(tmp_path, namespaces, brokers=2, edges=1) as mesh:
        mesh.cut(1)          # broker 1 loses the links to its edges, and gets none
        mesh.mend(1)
        mesh.ways[1].hold()  # or: bytes stay on the way, and neither end knows
        mesh.to_store.turn_to(port)  # another Redis, as after a failover
"""

import contextlib
import json
import urllib.error
import urllib.parse
import urllib.request

from lib.cluster import PATIENCE, until
from lib.function_server import function, project, websocket
from lib.process import Process, free_ports
from lib.proxy import Proxy
from lib.redis_server import RedisServer, free_port

ACTIONS = ["subscribe", "unsubscribe", "publish", "history", "presence", "ping"]
OPEN = {"subscribe": "anyone", "publish": "anyone"}
FAULTS = ["link.*", "redis.*", "store.*", "edge.*", "resync.failed", "broker.stopped", "health.*"]


def config(folder, namespaces):
    """A project whose channels everybody may use: {namespace: its settings}."""
    channels = {name: {**OPEN, **settings} for name, settings in namespaces.items()}
    return project(
        folder,
        {"channels": function("builtin:channels", *map(websocket, ACTIONS))},
        channels=channels,
    )


class Mesh:
    """
    namespaces  {name: settings}
    redis       more flags of Redis
    env         of all processes
    later       brokers that the test starts itself: mesh.broker(i)
    """

    def __init__(self, folder, namespaces, brokers=2, edges=1, redis=(), env=None, later=0):
        self._folder, self._env = folder, env or {}
        self._config = config(folder, namespaces)
        self._sizes = brokers, later, edges
        self._redis = redis
        self._nobody = free_port()  # nobody listens there
        self.ways, self.brokers, self.edges = [], [], []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            store = RedisServer(self._folder / "redis", free_port(), self._redis)
            self.store = stack.enter_context(store).start()
            self.to_store = stack.enter_context(Proxy(store.port))
            n, later, n_edges = self._sizes
            self._ports = free_ports(n + later)
            for i in range(n + later):
                self.ways.append(stack.enter_context(Proxy(self._ports + i)))
            for i in range(n):
                self.brokers.append(stack.enter_context(self.broker(i)))
            for broker in self.brokers:
                broker.told("ENDPOINT")
            for i in range(n_edges):
                self.edges.append(stack.enter_context(self.edge(i)))
            for edge in self.edges:
                until(lambda edge=edge: edge.log().count("link.up") >= n, "all are linked")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    def broker(self, i):
        return Process(
            "gatepost-broker", "--name", f"broker-{i}",
            "--redis", f"redis://127.0.0.1:{self.to_store.port}",
            "--bind", f"tcp://127.0.0.1:{self._ports + i}",
            "--advertise", f"tcp://127.0.0.1:{self.ways[i].port}",
            "--management", "127.0.0.1:0", "--config", self._config,
            env=self._env, expect=[*FAULTS, "management.open"],
        )  # fmt: skip

    def edge(self, i):
        seeds = ",".join(f"tcp://127.0.0.1:{way.port}" for way in self.ways)
        return Process(
            "gatepost-edge", "--name", f"edge-{i}", "--listen", "127.0.0.1:0",
            "--brokers", seeds, "--drain-delay", "0", env=self._env, expect=FAULTS,
        )  # fmt: skip

    def websocket(self, i=0):
        return f"ws://{self.edges[i].told('LISTEN')}/dev"

    # Its ways

    def cut(self, i):
        self.ways[i].turn_to(self._nobody)

    def mend(self, i):
        self.ways[i].turn_to(self._ports + i)

    def is_alone(self, i):
        return self.metric(self.brokers[i], "gatepost_broker_edges ") == 0

    def is_linked(self, i):
        return self.metric(self.brokers[i], "gatepost_broker_edges ") == len(self.edges)

    # By way of one broker

    def publish(self, i, name, data, **more):
        """(status, answer) of the management API of broker i."""
        address = self.brokers[i].told("MANAGEMENT").split(",")[0]
        request = urllib.request.Request(
            f"http://{address}/channels/{urllib.parse.quote(name, safe='')}",
            data=json.dumps({"data": data, **more}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    def metric(self, process, name):
        url = process.told("METRICS").removesuffix("/metrics") + "/metrics"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))
