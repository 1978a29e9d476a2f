"""A client that can say anything, right or wrong: bytes over TCP, HTTP, WebSocket frames.

    with WebSocket(cluster.websocket) as client:
        assert client.ask("hello") == "hello"
"""

import base64
import os
import socket
import struct
import uuid
from collections import namedtuple
from urllib.parse import urlsplit

SECONDS = 30  # for one answer

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

Response = namedtuple("Response", "status reason headers body")
Close = namedtuple("Close", "code reason")  # code is None when the frame was empty
Ping = namedtuple("Ping", "payload")
Pong = namedtuple("Pong", "payload")


class Wire:
    """One TCP connection to the host and port of a URL, from the address `source` if it is given."""

    def __init__(self, url, receive_buffer=None, source=None):
        at = urlsplit(url)
        family = socket.AF_INET6 if ":" in at.hostname else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(SECONDS)
        self.socket.connect((at.hostname, at.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        """All parts in one piece."""
        self.socket.sendall(b"".join(parts))

    def reset(self):
        """Vanish as a host does that lost its power, once it is up again: with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self):
        got = self.socket.recv(1 << 18)
        if not got:
            raise EOFError(f"the peer closed the socket; unread: {bytes(self._in)!r}")
        self._in += got

    def read(self, n):
        while len(self._in) < n:
            self._more()
        taken = bytes(self._in[:n])
        del self._in[:n]
        return taken

    def is_closed(self):
        """Has the peer ended, with nothing left to read? Waits for one or the other."""
        try:
            self.read(1)
        except (EOFError, ConnectionResetError):
            return True
        return False

    def response(self, head_only=False, versions=("HTTP/1.1",)):
        while b"\r\n\r\n" not in self._in:
            self._more()
        head = self.read(self._in.index(b"\r\n\r\n") + 4).decode("latin-1")
        line, *rest = head[:-4].split("\r\n")
        version, status, reason = line.split(" ", 2)
        assert version in versions
        headers = {}
        for header in rest:
            name, _, value = header.partition(": ")
            assert name.lower() not in headers, f"{name} is there twice"
            headers[name.lower()] = value
        body = b"" if head_only else self.read(int(headers.get("content-length", 0)))
        return Response(int(status), reason, headers, body)

    def responses(self):
        """All that come until the peer ends, each of them whole."""
        got = []
        while not self._has_ended():
            got.append(self.response(versions=("HTTP/1.1", "HTTP/1.0")))
        return got

    def _has_ended(self):
        try:
            if not self._in:
                self._more()
        except (EOFError, ConnectionResetError):
            return True
        return False


def http(url, *parts):
    """(response, whether the server then closed) of one request given as bytes."""
    with Wire(url) as wire:
        wire.send(*parts)
        response = wire.response()
        closes = response.headers.get("connection", "").endswith("close")
        return response, closes and wire.is_closed()


def request(method="GET", target="/", version="HTTP/1.1", headers=None, body=b""):
    """The bytes of a request; a header that is None is left out."""
    lines = [f"{method} {target} {version}"]
    for name, value in {"Host": "localhost", **(headers or {})}.items():
        lines += [f"{name}: {value}"] if value is not None else []
    return "\r\n".join([*lines, "", ""]).encode() + body


KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3


def upgrade(target="/dev", method="GET", version="HTTP/1.1", **changes):
    """The bytes of an opening handshake, with changes: Sec_WebSocket_Key=None leaves that out."""
    headers = {
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13",
    }  # fmt: skip
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return request(method, target, version, headers)


def mask(payload, key):
    n = len(payload)
    stream = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(n) if n else b""


def frame(op, payload=b"", fin=True, masked=True, reserved=0, length=None):
    """The bytes of a client's frame. length: another form of it, as (7 bits, format, value)."""
    payload = payload.encode() if isinstance(payload, str) else payload
    n = len(payload)
    short, form, long = length or (
        (n, "", 0) if n < 126 else (126, "!H", n) if n < 65536 else (127, "!Q", n)
    )
    head = bytes([fin << 7 | reserved << 4 | op, masked << 7 | short])
    head += struct.pack(form, long) if form else b""
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask(payload, key)


def close_frame(code=None, reason=""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())


class WebSocket(Wire):
    """An open WebSocket. Its User-Agent is its own, so that its row can be found by it."""

    def __init__(self, url, receive_buffer=None, source=None, **headers):
        super().__init__(url, receive_buffer, source)
        self.agent = f"test-{uuid.uuid4()}"
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {"User_Agent": self.agent, "Sec_WebSocket_Key": key, **headers}
        at = urlsplit(url)
        self.send(upgrade(f"{at.path}?{at.query}" if at.query else at.path, **headers))
        self.opening = self.response()
        if self.opening.status != 101:
            self.socket.close()
            raise ConnectionRefusedError(f"not let in: {self.opening}")

    def next(self):
        """A str, bytes, Ping, Pong or Close; a server's frames are whole messages."""
        first, second = self.read(2)
        assert first & 0xF0 == 0x80, f"not a whole frame: {first:#x}"
        assert not second & 0x80, "a server does not mask"
        n = second
        if n == 126:
            (n,) = struct.unpack("!H", self.read(2))
        elif n == 127:
            (n,) = struct.unpack("!Q", self.read(8))
        payload = self.read(n)
        match first & 0x0F:
            case 0x1: return payload.decode()
            case 0x2: return payload
            case 0x8: return self._close(payload)
            case 0x9: return Ping(payload)
            case 0xA: return Pong(payload)
            case op: raise AssertionError(f"opcode {op}")  # fmt: skip

    @staticmethod
    def _close(payload):
        if not payload:
            return Close(None, "")
        return Close(*struct.unpack("!H", payload[:2]), payload[2:].decode())

    def say(self, message):
        self.send(frame(TEXT if isinstance(message, str) else BINARY, message))

    def ask(self, message):
        self.say(message)
        return self.next()

    def hear(self):
        """What comes next but pings, which are answered."""
        while isinstance(got := self.next(), Ping):
            self.send(frame(PONG, got.payload))
        return got

    def row_id(self, cluster):
        """Its connection id, found by its User-Agent; None when it has no row."""
        for connection_id, row in cluster.table().items():
            if row.get("userAgent") == self.agent:
                return connection_id
        return None
