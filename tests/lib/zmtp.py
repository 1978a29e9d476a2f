"""ZeroMQ's protocol by hand, for peers that libzmq would not be: ZMTP 3.0, rfc.zeromq.org/spec/23."""

import socket
import struct
from urllib.parse import urlsplit

SECONDS = 30  # for what a peer says

COMMAND, MORE = 4, 1  # flags of a frame
LONG = 2


def greeting(mechanism=b"NULL"):
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32)


def frame(body, flags=0, length=None):
    """length: another one than the body's."""
    n = len(body) if length is None else length
    return bytes([flags | LONG]) + struct.pack("!Q", n) + body


def ready(kind=b"DEALER"):
    return frame(b"\x05READY\x0bSocket-Type" + struct.pack("!I", len(kind)) + kind, COMMAND)


SHAKEN = greeting() + ready()  # hands


def peer(endpoint, *parts):
    """A socket at ipc:///path or tcp://address:port that has said that."""
    at = urlsplit(endpoint)
    if at.scheme == "tcp":
        it = socket.create_connection((at.hostname, at.port))
    else:
        it = socket.socket(socket.AF_UNIX)
        it.connect(at.path)
    it.settimeout(SECONDS)
    it.sendall(b"".join(parts))
    return it
