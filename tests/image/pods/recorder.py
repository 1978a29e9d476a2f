#!/usr/bin/python3
"""A function over HTTP for $connect and $disconnect, which remembers what it got:  recorder.py PORT

GET / gives {"connects": N, "disconnects": N, "open": N, "repeated": [...], "unknown": [...]}: how many
connections have connected and disconnected, and the ids that disconnected twice with different requests,
or without a connect.
"""

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHOWN = 20

lock = threading.Lock()
connects = {}  # connection id -> request id of its connect
disconnects = {}
repeated = set()


def record(event):
    context = event["requestContext"]
    of = connects if context["eventType"] == "CONNECT" else disconnects
    with lock:
        # An event that is handled again has the same request id.
        first = of.setdefault(context["connectionId"], context["requestId"])
        if first != context["requestId"]:
            repeated.add(context["connectionId"])
    return {"statusCode": 200}


def report():
    with lock:
        return {
            "connects": len(connects),
            "disconnects": len(disconnects),
            "open": len(connects.keys() - disconnects.keys()),
            "repeated": sorted(repeated)[:SHOWN],
            "unknown": sorted(disconnects.keys() - connects.keys())[:SHOWN],
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.answer(record(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

    def do_GET(self):
        self.answer(report())

    def answer(self, result):
        body = json.dumps(result).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


if __name__ == "__main__":
    server = Server(("", int(sys.argv[1])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
