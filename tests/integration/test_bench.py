"""The generator of load must fail when a server is wrong: a measure that always passes proves nothing."""

import base64
import contextlib
import hashlib
import http.client
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from lib.cluster import BIN

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def welcome(request):
    key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)[1].decode()
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def talk(peer, answer, then):
    """One connection with a server that says `answer` to the upgrade, `then` to the first frame."""
    with peer, contextlib.suppress(OSError):
        request = peer.recv(4096)
        peer.sendall(welcome(request) if answer is None else answer)
        if then is None or answer is not None:
            return
        peer.recv(4096)
        peer.sendall(then)
        while peer.recv(4096):
            pass


@contextlib.contextmanager
def server(answer=None, then=None):
    """A server that is wrong in one way; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=talk, args=(peer, answer, then), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}/dev"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def load(*flags):
    return subprocess.run([BIN / "bench-load", "--json", "--settle", "0", *flags],
                          capture_output=True, text=True, timeout=60)


@contextlib.contextmanager
def program(name):
    """A server of the benches; gives its port and its pid."""
    child = subprocess.Popen([BIN / name], stdout=subprocess.PIPE, text=True)
    with child:
        try:
            yield child.stdout.readline().strip(), str(child.pid)
        finally:
            child.send_signal(signal.SIGTERM)
    assert child.returncode == 0


@contextlib.contextmanager
def floor():
    with program("bench-floor") as (port, pid):
        yield f"ws://127.0.0.1:{port}/dev", pid


@pytest.mark.parametrize("size", ["64", "128", "4000"])
def test_every_message_to_the_floor_comes_back_and_is_counted(size):
    with floor() as (url, pid):
        run = load("--url", url, "--pids", pid, "--connections", "300", "--messages", "7",
                   "--processes", "3", "--in-flight", "50", "--size", size)
    seen = json.loads(run.stdout)
    assert run.returncode == 0 and seen["clean"], seen["errors"]
    assert [seen[step]["count"] for step in ("connect", "echo", "close")] == [300, 2100, 300]
    assert [p["role"] for p in seen["processes"]] == ["server", "load", "load", "load"]


@pytest.mark.parametrize("channels, subscribers, in_flight", [("1", "300", "3"), ("60", "5", "16")])
def test_every_publication_to_the_floor_reaches_each_subscriber(channels, subscribers, in_flight):
    with program("bench-floor-fanout") as (port, pid):
        run = subprocess.run(
            [BIN / "bench-fanout", "--json", "--protocol", "floor", "--pids", pid, "--url",
             f"ws://127.0.0.1:{port}/dev", "--channels", channels, "--subscribers", subscribers,
             "--publications", "200", "--in-flight", in_flight],
            capture_output=True, text=True, timeout=60)
    seen = json.loads(run.stdout)
    assert run.returncode == 0 and seen["clean"], seen["errors"]
    assert seen["published"] == 250, "50 of them are the warm-up"
    assert seen["delivered"] == 250 * int(subscribers)


def test_a_server_that_does_not_answer_a_subscribe_is_an_error():
    with server(None, b"") as url:
        run = subprocess.run(
            [BIN / "bench-fanout", "--json", "--url", url, "--subscribers", "3", "--timeout", "1s"],
            capture_output=True, text=True, timeout=60)
    seen = json.loads(run.stdout)
    assert run.returncode == 1 and not seen["complete"]
    assert seen["errors"]["no answer"] == 1


def test_messages_that_come_back_in_pieces_are_put_together(cluster):
    run = load("--url", cluster.websocket, "--connections", "20", "--messages", "10",
               "--size", "100000")
    seen = json.loads(run.stdout)
    assert run.returncode == 0 and seen["echo"]["count"] == 200, seen["errors"]


@pytest.mark.parametrize("error, answer, then", [
    ("http 503", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", None),
    ("bad handshake", b"HTTP/1.1 101 S\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", None),
    ("bad handshake", b"SSH-2.0-OpenSSH\r\n\r\n", None),
    ("cut off", b"HTTP/1.1 101", None),
    ("code 1011", None, b"\x88\x02\x03\xf3"),
    ("wrong bytes", None, b"\x81\x03abc"),
    ("bad frame", None, b"\x01\x03abc"),
    ("timeout", None, b""),
])
def test_a_server_that_is_wrong_is_an_error_of_its_kind(error, answer, then):
    timeout = "1s" if error == "timeout" else "30s"
    with server(answer, then) as url:
        run = load("--url", url, "--connections", "5", "--messages", "2", "--timeout", timeout)
    assert run.returncode == 1
    assert json.loads(run.stdout)["errors"].get(error) == 5


def test_messages_come_no_faster_than_their_rate():
    with floor() as (url, _):
        run = load("--url", url, "--connections", "50", "--messages", "4", "--message-rate", "200")
    seen = json.loads(run.stdout)
    assert run.returncode == 0 and seen["echo"]["count"] == 200, seen["errors"]
    assert 0.9 < seen["echo"]["seconds"] < 10


@pytest.mark.parametrize("flags, end", [((), b""), (("--reset", "true"), None)])
def test_a_generator_that_is_killed_leaves_as_it_was_told(flags, end):
    """b"": with a FIN; None: with a RST."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/dev"
        words = [BIN / "bench-load", "--url", url, "--connections", "1", "--hold", "100s", *flags]
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(welcome(peer.recv(4096)))
            assert peer.recv(4096), "its first message: it has read the welcome"
            child.kill()
            child.wait()
            try:
                while got := peer.recv(4096):  # what it said before
                    pass
            except ConnectionResetError:
                got = None
            assert got == end


def ask_function(port, method, body=b""):
    to = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    with contextlib.closing(to):
        to.request(method, "/", body or None)
        return json.loads(to.getresponse().read())


def event(kind, connection):
    context = {"eventType": kind, "connectionId": connection}
    return json.dumps({"requestContext": context, "body": "x"}, separators=(",", ":")).encode()


def test_the_function_counts_each_connection_that_ended_once():
    with program("bench-function") as (port, _):
        for kind, connection in [("CONNECT", "a="), ("MESSAGE", "a="), ("DISCONNECT", "a="),
                                 ("DISCONNECT", "b="), ("DISCONNECT", "a=")]:
            answer = ask_function(port, "POST", event(kind, connection))
            assert answer == {"statusCode": 200, "body": "x"}
        counts = ask_function(port, "GET")
        last = counts.pop("last_end_us") / 1e6
    assert counts == {"connects": 1, "messages": 1, "disconnects": 3, "ended": 2}
    assert 0 <= time.monotonic() - last < 20


def test_nobody_listening_is_refused():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        run = load("--url", f"ws://127.0.0.1:{unused.getsockname()[1]}/", "--connections", "5")
    assert run.returncode == 1
    assert json.loads(run.stdout)["errors"] == {"refused": 5}


def test_the_deadline_ends_everything():
    with server(then=b"") as url:
        run = load("--url", url, "--connections", "5", "--timeout", "50s", "--deadline", "1s")
    assert run.returncode == 1
    assert json.loads(run.stdout)["errors"]["timeout"] == 5


@pytest.mark.parametrize("flags, word", [
    ((), "--url"),
    (("--url", "http://127.0.0.1:1/"), "ws://HOST:PORT/PATH"),
    (("--pids-from", "/nonexistent"), "/nonexistent"),
    (("--url", "ws://127.0.0.1:1/", "--pids", "1;2"), "PID[,PID…]"),
])
def test_a_setting_that_makes_no_sense_is_told_and_ends_with_status_2(flags, word):
    run = load(*flags)
    assert run.returncode == 2 and word in run.stderr


# bench-requests


def ask(answers, requests=3):
    """(status, stdout, stderr) of one connection, to a server that gives these answers in turn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            peer, _ = listener.accept()
            with peer:
                for answer in answers:
                    peer.recv(4096)
                    for part in answer if isinstance(answer, list) else [answer]:
                        peer.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = subprocess.run(
            [BIN / "bench-requests", "127.0.0.1", str(listener.getsockname()[1]), "1"],
            input=b"3\nGET" * requests, capture_output=True, timeout=60,
        )  # fmt: skip
        thread.join()
        return done.returncode, done.stdout, done.stderr


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def test_requests_are_answered_in_turn_and_the_last_answer_is_printed():
    assert ask([GOOD + b"first", [GOOD, b"ne", b"xt "], GOOD + b"third"]) == (0, b"third", b"")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""]
)
def test_an_answer_that_is_not_good_is_an_error(answer):
    status, out, error = ask([GOOD + b"first", answer])
    assert (status, out) == (1, b"") and error.startswith(b"bench-requests: ")
