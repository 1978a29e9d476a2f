"""A name server on loopback, with the addresses that a test gives it, and a mount for a process that shall ask it."""

import socket
import struct
import subprocess
import threading

A, SERVFAIL = 1, 2


class NameServer:
    """
    with NameServer() as names:
        names.addresses["brokers.test"] = ["127.0.0.1", "127.0.0.2"]

    is_out  every question gets SERVFAIL
    asked   questions for A records so far
    """

    def __init__(self):
        self.addresses = {}
        self.is_out = False
        self.asked = 0

    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def resolv_conf(self):
        host, port = self._socket.getsockname()
        return f"nameserver {host}:{port}\n"

    def _serve(self):
        while (got := self._socket.recvfrom(512))[0]:
            question, peer = got
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, question):
        at, labels = 12, []
        while n := question[at]:
            labels.append(question[at + 1 : at + 1 + n].decode())
            at += n + 1
        (kind,) = struct.unpack("!H", question[at + 1 : at + 3])
        records = self.addresses.get(".".join(labels).lower(), []) if kind == A else []
        flags = 0x8180 | (SERVFAIL if self.is_out else 0)
        records = [] if self.is_out else records
        head = question[:2] + struct.pack("!5H", flags, 1, len(records), 0, 0)
        self.asked += kind == A
        return head + question[12 : at + 5] + b"".join(map(_record, records))


def _record(address):
    """Of the name that the question has, at offset 12."""
    return struct.pack("!HHHIH", 0xC00C, A, 1, 5, 4) + socket.inet_aton(address)


MOUNT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


def with_resolv_conf(file):
    """The words in front of a program's, so that it alone sees this file as /etc/resolv.conf."""
    return ["unshare", "--mount", "sh", "-c", MOUNT, str(file)]


def is_allowed(file):
    return subprocess.run([*with_resolv_conf(file), "true"], capture_output=True).returncode == 0
