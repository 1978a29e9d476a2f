"""Functions over HTTP, whose answers a test gives: each path is one, and each event is kept.

    with FunctionServer() as functions:
        functions.answer("say", proxy(200, "hello"))
        …
        assert functions.next("say").event["body"] == "…"

An answer is a Reply, raw bytes (said as they are, and then the socket is closed), or a
function that is called with the Call, in a thread of its own, and returns one of these.
"""

import json
import queue
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 30  # for one event to come


@dataclass
class Reply:
    status: int = 200
    body: bytes | str = b""
    headers: dict = field(default_factory=dict)


@dataclass
class Call:
    """One invocation, as it came."""

    name: str
    event: dict
    headers: dict
    connection: int  # of the server's sockets: 0, 1 …
    socket: socket.socket
    at: float = field(default_factory=time.monotonic)  # before it is answered

    @property
    def id(self):
        return self.event["requestContext"]["connectionId"]

    @property
    def kind(self):
        return self.event["requestContext"]["eventType"]


def proxy(status=200, body=None, **more):
    """What a Lambda function returns: {"statusCode": 200, "body": "…"}."""
    result = {"statusCode": status, **({} if body is None else {"body": body}), **more}
    return Reply(200, json.dumps(result), {"Content-Type": "application/json"})


def reset(call):
    """The end of a function that dies with its answer half said."""
    call.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    linger = struct.pack("ii", 1, 0)  # close with a RST
    call.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    return b""


class FunctionServer:
    """
    tls   (certificate, key): PEM files, and it speaks https
    """

    def __init__(self, tls=None):
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.functions = self
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self.port = self._server.server_address[1]
        self._lock = threading.Lock()
        self.connections = 0
        self.forget()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def url(self, name, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{name}"

    def forget(self):
        """Back to the beginning: no events, and all say 200."""
        self._answers = {}
        self._calls = defaultdict(queue.Queue)

    # What the test says

    def answer(self, name, answer):
        self._answers[name] = answer

    # What the test asks

    def next(self, name, connection_id=None):
        """The function's next call; it must be of that connection, if one is named."""
        try:
            call = self._calls[name].get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError(f"{name} was not called within {SECONDS} s") from None
        if connection_id is not None:
            assert call.id == connection_id, f"{name} was called for another: {call.id}"
        return call

    def calls(self, name):
        """The calls that nobody has taken yet."""
        return list(self._calls[name].queue)

    # What the server's threads do

    def connect(self):
        with self._lock:
            self.connections += 1
            return self.connections - 1

    def take(self, call):
        self._calls[call.name].put(call)
        answer = self._answers.get(call.name, Reply(200))
        return answer(call) if callable(answer) else answer


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """A client that goes away, or does not trust us, is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.number = self.server.functions.connect()

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.path[1:], event, headers, self.number, self.connection)
        answer = self.server.functions.take(call)
        if isinstance(answer, bytes):
            self.close_connection = True
            self.wfile.write(answer)
            return
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        length = f"Content-Length: {len(body)}\r\n"
        self.wfile.write(f"HTTP/1.1 {answer.status} x\r\n{head}{length}\r\n".encode() + body)

    def log_message(self, *_):
        pass


def function(handler, *events, **more):
    """A function of a project: function(url, websocket("$connect"), timeout=1)."""
    return {"handler": handler, "events": list(events), **more}


def websocket(route, two_way=False, **more):
    if two_way:
        more["routeResponseSelectionExpression"] = "$default"
    return {"websocket": {"route": route, **more}}


def http(method, path):
    return {"http": {"method": method, "path": path}}


def project(folder, functions, **ours):
    """Write a gatepost.yml, in the part of YAML that is JSON; its path."""
    text = json.dumps({"service": "test", "functions": functions, "gatepost": ours}, indent=1)
    return replace(folder / "gatepost.yml", text)


def replace(path, text):
    """Change a file that somebody watches, at once: who wrote into it would show it half written."""
    new = path.with_suffix(".new")
    new.write_text(text)
    return new.replace(path)
