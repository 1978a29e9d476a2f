"""The management API: @connections as AWS's SDKs use it, and as they do not."""

import datetime
import json
import re

import pytest

from lib.cluster import Cluster, until
from lib.process import Process, ended
from lib.wire import Close, WebSocket, Wire, close_frame, http, request


@pytest.fixture(scope="module")
def cluster():
    with Cluster(edges=2, brokers=2) as it:
        yield it


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        it.id = it.row_id(cluster)
        yield it


def own_addresses(cluster):
    """Each broker's own management address, which it does not share."""
    found = re.findall(r" broker\.start .*management=\S+,(\S+)", cluster.log())
    assert len(set(found)) == 2
    return [f"http://{address}" for address in sorted(set(found))]


def fails(response, status, exception):
    """The message of an error that SDKs recognise by its header."""
    assert response.status == status, response
    assert response.headers["x-amzn-errortype"] == exception
    assert response.headers["content-type"] == "application/json"
    body = json.loads(response.body)
    assert list(body) == ["message"]
    return body["message"]


def ask(url, method, target, body=b"", **headers):
    length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
    return http(url, request(method, target, headers={**length, **headers}, body=body))[0]


# The id, in each way to write it

FORMS = [
    f"{stage}{at}connections/{{}}{equals}"
    for stage in ("", "/dev")
    for at in ("/@", "/%40")
    for equals in ("=", "%3D", "%3d")
]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_the_path_reaches_the_client(cluster, client, form):
    target = form.format(client.id.rstrip("="))
    response = ask(cluster.management, "POST", target, b"hello")
    assert (response.status, response.body) == (200, b"")
    assert client.next() == "hello"
    assert ask(cluster.management, "GET", target).status == 200
    response = ask(cluster.management, "DELETE", target)
    assert (response.status, response.body) == (204, b"")
    assert client.next() == Close(1000, "Connection Closed Normally")


def test_percent_signs_may_stand_for_any_character(cluster, client):
    encoded = "".join(f"%{ord(c):02x}" for c in client.id)
    assert ask(cluster.management, "POST", f"/@connections/{encoded}", b"hello").status == 200
    assert client.next() == "hello"


@pytest.mark.parametrize("stage", ["prod", "de", "devil", "dev/dev", ""])
def test_another_stage_is_forbidden(cluster, client, stage):
    for method in ("POST", "GET", "DELETE"):
        response = ask(cluster.management, method, f"/{stage}/@connections/{client.id}")
        assert fails(response, 403, "ForbiddenException") == "Forbidden"


MALFORMED = {
    "": "", "x": "x", "AAAAAAAAAAAAAAA": "AAAAAAAAAAAAAAA", "A" * 16: "A" * 16,
    "A" * 15 + "%3D%3D": "A" * 15 + "==", "A" * 14 + "B=": "A" * 14 + "B=",
    "A" * 14 + "+A=": "A" * 14 + "+A=", "%41BC": "ABC", "no%20id": "no id", "%zz": "%zz",
    "%f": "%f", "a/b": "a/b", "x" * 300: "x" * 300, "%22%5c": '"\\',
}  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_id_is_400_and_named(cluster, raw):
    for method in ("POST", "GET", "DELETE"):
        response = ask(cluster.management, method, f"/@connections/{raw}")
        message = fails(response, 400, "BadRequestException")
        assert message == f"Invalid connectionId: {MALFORMED[raw]}"


def test_an_id_of_bytes_that_are_no_text_is_400_in_json(cluster):
    response = ask(cluster.management, "GET", "/@connections/%ff%00%0a")
    assert fails(response, 400, "BadRequestException").startswith("Invalid connectionId: ")


# Who is not there


def test_a_client_that_has_gone_is_410(cluster, client):
    client.send(close_frame(1000))
    client.next()
    for method in ("POST", "GET", "DELETE"):
        response = ask(cluster.management, method, f"/@connections/{client.id}")
        assert fails(response, 410, "GoneException")


def test_an_id_that_never_was_is_410_whatever_its_edge(cluster, client):
    never = [client.id[:8] + "AAAAAAA=", "AAAAAAAAAAAAAAA=", "_" * 14 + "8="]
    for connection_id in never:
        for method in ("POST", "GET", "DELETE"):
            response = ask(cluster.management, method, f"/@connections/{connection_id}")
            assert fails(response, 410, "GoneException")


# POST


def test_each_broker_reaches_each_edge(cluster):
    clients = [WebSocket(cluster.websocket) for _ in range(12)]
    edges = {client.row_id(cluster)[:3] for client in clients}
    assert len(edges) == 2, "twelve clients are on both edges"
    for client in clients:
        for address in own_addresses(cluster):
            target = f"/@connections/{client.row_id(cluster)}"
            assert ask(address, "POST", target, address.encode()).status == 200
            assert client.next() == address
        client.socket.close()


@pytest.mark.parametrize("body", ["", "hello", "Grüße 🙂", '{"a":1}', "x" * 131072])
def test_text_arrives_as_text(cluster, client, body):
    target = f"/@connections/{client.id}"
    assert ask(cluster.management, "POST", target, body.encode()).status == 200
    assert client.next() == body


@pytest.mark.parametrize("body", [b"\xff", b"text and \x80", b"\xed\xa0\x80", b"\xe2\x82"])
def test_what_is_no_text_arrives_as_binary(cluster, client, body):
    assert ask(cluster.management, "POST", f"/@connections/{client.id}", body).status == 200
    assert client.next() == body


def test_pushes_arrive_in_the_order_of_their_answers(cluster, client):
    with Wire(cluster.management) as wire:
        for i in range(100):
            body = str(i).encode()
            headers = {"Content-Length": str(len(body))}
            wire.send(request("POST", f"/@connections/{client.id}", headers=headers, body=body))
            assert wire.response().status == 200
    assert [client.next() for _ in range(100)] == [str(i) for i in range(100)]


@pytest.mark.parametrize("n", [131073, 1 << 20])
def test_a_message_over_128_kib_is_413(cluster, client, n):
    response = ask(cluster.management, "POST", f"/@connections/{client.id}", b"x" * n)
    assert str(n) in fails(response, 413, "PayloadTooLargeException")
    assert client.ask('{"action":"ping"}') == "PONG!"


def test_a_body_beyond_all_limits_is_refused_and_harms_nobody(cluster, client):
    head = request("POST", f"/@connections/{client.id}", headers={"Content-Length": str(1 << 40)})
    response, closed = http(cluster.management, head)
    assert response.status == 413 and closed
    assert client.ask('{"action":"ping"}') == "PONG!"


# GET


def test_a_look_tells_when_it_came_where_from_and_when_it_was_active(cluster, client):
    now = datetime.datetime.now(datetime.UTC)
    response = ask(cluster.management, "GET", f"/@connections/{client.id}")
    assert response.headers["content-type"] == "application/json"
    first = json.loads(response.body)
    assert set(first) == {"connectedAt", "identity", "lastActiveAt"}
    assert first["identity"] == {"sourceIp": "127.0.0.1", "userAgent": client.agent}
    came, active = (parse(first[key]) for key in ("connectedAt", "lastActiveAt"))
    assert abs((came - now).total_seconds()) < 20
    assert came <= active + datetime.timedelta(milliseconds=50)

    def is_later():
        client.ask('{"action":"ping"}')
        again = json.loads(ask(cluster.management, "GET", f"/@connections/{client.id}").body)
        assert again["connectedAt"] == first["connectedAt"]
        return parse(again["lastActiveAt"]) > active

    until(is_later, "a message makes it active")


def parse(text):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), text
    return datetime.datetime.fromisoformat(text)


def test_a_user_agent_of_any_bytes_is_json_all_the_same(cluster):
    with WebSocket(cluster.websocket, User_Agent='"\\\t é') as client:
        at = until(
            lambda: [i for i, row in cluster.table().items() if "\\" in row.get("userAgent", "")],
            "its row is there",
        )
        body = json.loads(ask(cluster.management, "GET", f"/@connections/{at[0]}").body)
        assert body["identity"]["userAgent"].startswith('"\\\t ')
        assert client.ask('{"action":"ping"}') == "PONG!"


# DELETE


def test_a_delete_closes_and_the_row_goes(cluster, client):
    assert ask(cluster.management, "DELETE", f"/@connections/{client.id}").status == 204
    assert client.next() == Close(1000, "Connection Closed Normally")
    response = ask(cluster.management, "DELETE", f"/@connections/{client.id}")
    assert fails(response, 410, "GoneException")
    client.send(close_frame(1000))
    assert client.is_closed()
    until(lambda: client.id not in cluster.table(), "the row has gone")


# What else people send


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS"])
def test_another_method_is_405(cluster, client, method):
    with Wire(cluster.management) as wire:
        wire.send(request(method, f"/@connections/{client.id}"))
        response = wire.response(head_only=method == "HEAD")
    assert response.status == 405
    assert response.headers["allow"] == "GET, POST, DELETE"
    assert response.headers["x-amzn-errortype"] == "MethodNotAllowedException"


@pytest.mark.parametrize("target", ["/x", "/dev", "/@connection", "/@connectionsx", "/connections/x", "/dev/ping"])
def test_another_path_is_404(cluster, target):
    response = ask(cluster.management, "GET", target)
    assert "@connections" in fails(response, 404, "NotFoundException")


@pytest.mark.parametrize(
    "garbage",
    [b"\0" * 100, b"GET\r\n\r\n", b"\x16\x03\x01", b"POST /@connections/x HTTP/9.9\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n"],
)  # fmt: skip
def test_garbage_harms_nobody(cluster, client, garbage):
    with Wire(cluster.management) as wire:
        try:
            wire.send(garbage)
            wire.socket.shutdown(1)
            while wire.socket.recv(65536):
                pass
        except TimeoutError:
            raise
        except OSError:
            pass  # it has been cut, before our own end or after it
    target = f"/@connections/{client.id}"
    for address in own_addresses(cluster):
        assert ask(address, "POST", target, b"hello").status == 200
        assert client.next() == "hello"


def test_an_asker_that_goes_away_before_its_answer_harms_nobody(cluster, client):
    for _ in range(50):
        wire = Wire(cluster.management)
        headers = {"Content-Length": "1"}
        wire.send(request("POST", f"/@connections/{client.id}", headers=headers, body=b"x"))
        wire.reset()
    ask(cluster.management, "POST", f"/@connections/{client.id}", b"last")
    while client.next() != "last":
        pass


# Framing: nothing is read behind a request whose end a proxy could see elsewhere

INNER = "POST /@connections/{id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nSMUGGLED"
UNSURE = {
    "two lengths": (400, "POST", "Content-Length: 1\r\nContent-Length: 90\r\n\r\nA"),
    "two lengths that are the same": (400, "POST", "Content-Length: 1\r\nContent-Length: 1\r\n\r\nA"),
    "a length with a sign": (400, "POST", "Content-Length: +1\r\n\r\nA"),
    "a list of lengths": (400, "POST", "Content-Length: 1, 1\r\n\r\nA"),
    "a blank before the colon": (400, "POST", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "two Hosts": (400, "POST", "Host: localhost\r\nContent-Length: 1\r\n\r\nA"),
    "a length and a coding": (
        400, "POST", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "a coding twice": (
        501, "POST", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "another coding": (501, "POST", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("why", UNSURE)
def test_nothing_is_read_behind_a_request_whose_end_is_not_sure(cluster, client, why):
    status, method, rest = UNSURE[why]
    head = f"{method} /@connections/{client.id} HTTP/1.1\r\nHost: localhost\r\n"
    with Wire(cluster.management) as wire:
        wire.send((head + rest + INNER.format(id=client.id)).encode())
        response = wire.response()
        assert response.status == status, response
        assert response.headers["connection"] == "close" and wire.is_closed()
    assert client.ask('{"action":"ping"}') == "PONG!"  # and nothing was pushed before


def test_the_body_of_a_get_is_no_request(cluster, client):
    inner = INNER.format(id=client.id)
    head = f"GET /@connections/{client.id} HTTP/1.1\r\nHost: localhost\r\n"
    with Wire(cluster.management) as wire:
        wire.send(f"{head}Content-Length: {len(inner)}\r\n\r\n{inner}".encode())
        assert wire.response().status == 200
        wire.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        wire.send(f"{len(inner):x}\r\n{inner}\r\n0\r\n\r\n".encode())
        assert wire.response().status == 200
    assert client.ask('{"action":"ping"}') == "PONG!"  # and nothing was pushed before


def test_a_request_without_a_host_is_400(cluster, client):
    bytes_ = request("GET", f"/@connections/{client.id}", headers={"Host": None})
    fails(http(cluster.management, bytes_)[0], 400, "BadRequestException")


def test_the_path_of_an_absolute_target_counts_and_so_does_its_host(cluster, client):
    target = f"/@connections/{client.id}"
    response = ask(cluster.management, "POST", f"http://127.0.0.1{target}", b"hello", Host="evil.example")
    assert response.status == 200 and client.next() == "hello"
    cluster.expect("management.denied")
    response = ask(cluster.management, "POST", f"http://evil.example{target}", b"hello")
    fails(response, 403, "ForbiddenException")
    assert client.ask('{"action":"ping"}') == "PONG!"


# Web pages: without authentication they are refused, and so is who takes us for another host


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}, {"Origin": "http://evil.example"},
     {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_what_a_web_page_could_send_is_403_and_the_message_names_the_setting(cluster, client, headers):
    cluster.expect("management.denied")
    response = ask(cluster.management, "POST", f"/@connections/{client.id}", b"x", **headers)
    message = fails(response, 403, "ForbiddenException")
    assert ("--management-hosts" if "Host" in headers else "Origin") in message
    assert client.ask('{"action":"ping"}') == "PONG!"


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8081", "127.0.0.1:1", "127.9.9.9", "[::1]:8081"])
def test_each_name_of_loopback_is_served(cluster, client, host):
    assert ask(cluster.management, "GET", f"/@connections/{client.id}", Host=host).status == 200


def test_a_host_that_the_setting_names_is_served():
    env = {"GATEPOST_MANAGEMENT_HOSTS": "host.docker.internal,other.example"}
    with Cluster(edges=1, brokers=1, env=env, expect=["management.denied"]) as named:
        for host, status in (("host.docker.internal:8081", 200), ("another.example", 403)):
            assert ask(named.management, "GET", "/@connections", Host=host).status == status


# Where it listens


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.1:0,0.0.0.0:0"])
def test_an_address_that_others_can_reach_is_refused(tmp_path, address):
    flags = ["--bind", f"ipc://{tmp_path}/a", "--redis", "unix:/nowhere"]
    status, told = ended("gatepost-broker", *flags, "--management", address)
    assert status == 2
    assert "management.failed" in told and "loopback" in told


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:99999", ""])
def test_what_is_no_address_is_refused(tmp_path, address):
    flags = ["--bind", f"ipc://{tmp_path}/a", "--redis", "unix:/nowhere"]
    status, told = ended("gatepost-broker", *flags, "--management", address)
    assert status == 2 and "management" in told


def test_all_of_loopback_may_be_listened_at(tmp_path):
    flags = ["--bind", f"ipc://{tmp_path}/a", "--redis", "unix:/nowhere",
             "--management", "127.1.2.3:0,[::1]:0"]  # fmt: skip
    with Process("gatepost-broker", *flags, expect=["redis.down"]) as broker:
        started = until(lambda: re.search(r"management=(\S+)", broker.log()), "it listens")
        addresses = started[1].strip('"').split(",")
        assert len(addresses) == 2
        for address in addresses:
            response = ask(f"http://{address}", "GET", "/@connections/x")
            fails(response, 400, "BadRequestException")
