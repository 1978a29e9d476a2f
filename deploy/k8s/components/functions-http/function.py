"""A function over HTTP: gets API Gateway's events as POSTs, and returns a proxy result."""

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def handle(event):
    context = event["requestContext"]
    if context["eventType"] != "MESSAGE":
        print(context["eventType"], context["connectionId"], flush=True)
        return {"statusCode": 200}
    name = json.loads(event["body"]).get("name", "stranger")
    return {"statusCode": 200, "body": json.dumps({"hello": name})}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # brokers reuse their connections

    def do_POST(self):
        try:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200, handle(event))
        except (KeyError, TypeError, ValueError) as e:
            self.answer(500, {"message": str(e)})

    def do_GET(self):
        self.answer(200, {"ready": True})

    def answer(self, status, result):
        body = json.dumps(result).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
    server.daemon_threads = False  # requests in progress are answered before the end
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
