"""The management API under AWS's own clients, signed: boto3, the SDK for JavaScript, the CLI.

What counts is what their users see: an answer, or the client's own class of exception.
"""

import base64
import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from lib.cluster import Cluster
from lib.wire import Close, WebSocket, http, request

NEEDS = ["node"]  # tests/pick.py

KEY = {"id": "GPTESTKEY1", "secret": "abcdefghijklmnopqrstuvwxyz/+0123456789AB"}
OTHER_KEY = {"id": "GPTESTKEY2", "secret": "another/secret"}
WRONG_SECRET = {**KEY, "secret": KEY["secret"][:-1] + "C"}
UNKNOWN_KEY = {**KEY, "id": "GPTESTKEY3"}
UNSIGNED_CALL = {**KEY, "unsigned": True}

NEVER = "AAAAAAAAAAAAAAA="
REGION = "eu-central-1"
SECONDS = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """It takes signatures alone, and little for a client that does not read."""
    path = tmp_path_factory.mktemp("management") / "credentials"
    sections = [
        f"[{key['id']}]\naws_access_key_id = {key['id']}\naws_secret_access_key = {key['secret']}\n"
        for key in (KEY, OTHER_KEY)
    ]
    path.write_text("\n".join(sections))
    path.chmod(0o600)
    env = {
        "GATEPOST_MANAGEMENT_AUTH": "keys", "GATEPOST_CREDENTIALS": str(path),
        "GATEPOST_OUTBOX": "4KiB",
    }  # fmt: skip
    with Cluster(edges=2, brokers=2, env=env, expect=["management.denied"]) as it:
        yield it


@pytest.fixture
def client(cluster):
    with WebSocket(cluster.websocket) as it:
        it.id = it.row_id(cluster)
        yield it


# Each client in the same words: it returns {"ok": output}, or {"error": name, "class": of the exception}.


def boto(endpoint, key, command, **parameters):
    api = boto3.client(
        "apigatewaymanagementapi", endpoint_url=endpoint, region_name=REGION,
        aws_access_key_id=key["id"], aws_secret_access_key=key["secret"],
        aws_session_token=key.get("token"),
        config=Config(
            retries={"max_attempts": 0},
            signature_version=UNSIGNED if key.get("unsigned") else None,
        ),
    )  # fmt: skip
    method = re.sub("(?<!^)(?=[A-Z])", "_", command).lower()
    try:
        output = getattr(api, method)(**parameters)
    except ClientError as e:
        error = e.response["Error"]
        return {
            "error": error["Code"], "class": type(e).__name__, "message": error["Message"],
            "status": e.response["ResponseMetadata"]["HTTPStatusCode"],
        }  # fmt: skip
    output.pop("ResponseMetadata")
    return {"ok": output}


def javascript(endpoint, key, command, **parameters):
    if "Data" in parameters:
        parameters["Data64"] = base64.b64encode(parameters.pop("Data")).decode()
    script = Path(__file__).resolve().parents[1] / "clients/management.js"
    done = subprocess.run(
        ["node", script, endpoint, json.dumps(key), f"{command}Command"],
        input=json.dumps(parameters).encode(), stdout=subprocess.PIPE, check=True, timeout=SECONDS,
    )  # fmt: skip
    return json.loads(done.stdout)


def command_line(endpoint, key, command, **parameters):
    words = [sys.executable, "-m", "awscli", "--endpoint-url", endpoint, "--region", REGION]
    words += ["--output", "json", *(["--no-sign-request"] if key.get("unsigned") else [])]
    words += ["apigatewaymanagementapi", re.sub("(?<!^)(?=[A-Z])", "-", command).lower()]
    stdin = None
    for name, value in parameters.items():
        if isinstance(value, bytes):
            stdin, value = value, "fileb:///dev/stdin"
        # One word: an id may begin with "-", and would be taken for a flag of its own.
        words.append("--" + re.sub("(?<!^)(?=[A-Z])", "-", name).lower() + f"={value}")
    done = subprocess.run(
        words, input=stdin, capture_output=True, timeout=SECONDS,
        env={**os.environ, "AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"],
             "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true"},
    )  # fmt: skip
    said = done.stderr.decode().strip()
    if done.returncode == 0:
        return {"ok": json.loads(done.stdout or b"{}")}
    error = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation[^:]*: ?(.*)", said)
    assert error, said
    return {"error": error[1], "class": error[1], "message": error[2]}


CLIENTS = {"boto3": boto, "javascript": javascript, "command_line": command_line}


@pytest.fixture(params=CLIENTS)
def call(request, cluster):
    """call("PostToConnection", ConnectionId=…, key=…) with each of the clients."""

    def call(command, key=KEY, stage="/dev", **parameters):
        return CLIENTS[request.param](cluster.management + stage, key, command, **parameters)

    call.name = request.param
    return call


def is_modelled(answer, name, status):
    """An exception that the service model knows: the clients have a class for it."""
    assert answer.get("error") == name, answer
    assert answer["class"] == name
    assert answer.get("status", status) == status
    return answer["message"]


def is_generic(call, answer, name, status):
    """One that it does not know: the general class, with the name in it."""
    assert answer.get("error") == name, answer
    general = {"boto3": "ClientError", "command_line": name}
    general["javascript"] = "ApiGatewayManagementApiServiceException"
    assert answer["class"] == general[call.name]
    assert answer.get("status", status) == status
    return answer["message"]


# What goes well


def test_post_arrives(call, client):
    assert call("PostToConnection", ConnectionId=client.id, Data="Grüße 🙂".encode()) == {"ok": {}}
    assert client.next() == "Grüße 🙂"


def test_bytes_arrive_as_they_are(call, client):
    every_byte = bytes(range(256))
    assert "ok" in call("PostToConnection", ConnectionId=client.id, Data=every_byte)
    assert client.next() == every_byte


def test_the_largest_message_arrives(call, cluster, client):
    assert "ok" in call("PostToConnection", ConnectionId=client.id, Data=b"x" * 131072)
    assert client.next() == "x" * 131072


def test_get_tells_of_the_connection(call, client):
    got = call("GetConnection", ConnectionId=client.id)["ok"]
    names = {name.lower(): value for name, value in got.items()}
    assert set(names) == {"connectedat", "lastactiveat", "identity"}
    who = {name.lower(): value for name, value in names["identity"].items()}
    assert who == {"sourceip": "127.0.0.1", "useragent": client.agent}
    came = names["connectedat"]
    came = came if isinstance(came, datetime.datetime) else datetime.datetime.fromisoformat(came)
    assert abs((came - datetime.datetime.now(datetime.UTC)).total_seconds()) < 60


def test_delete_closes(call, client):
    assert call("DeleteConnection", ConnectionId=client.id) == {"ok": {}}
    assert client.next() == Close(1000, "Connection Closed Normally")


def test_each_key_of_the_file_is_accepted(call, client):
    assert "ok" in call("PostToConnection", ConnectionId=client.id, Data=b"x", key=OTHER_KEY)
    assert client.next() == "x"


def test_a_session_token_is_signed_and_else_ignored(cluster, client):
    key = {**KEY, "token": "of/no=use+here"}
    endpoint = cluster.management + "/dev"
    assert "ok" in boto(endpoint, key, "PostToConnection", ConnectionId=client.id, Data=b"x")
    assert client.next() == "x"


def test_without_the_stage_it_works_too(call, client):
    assert "ok" in call("PostToConnection", stage="", ConnectionId=client.id, Data=b"x")
    assert client.next() == "x"


# What does not

COMMANDS = ["PostToConnection", "GetConnection", "DeleteConnection"]


def parameters_of(command, connection_id):
    data = {"Data": b"x"} if command == "PostToConnection" else {}
    return {"ConnectionId": connection_id, **data}


@pytest.mark.parametrize("command", COMMANDS)
def test_one_that_is_gone_is_a_GoneException(call, command):
    answer = call(command, **parameters_of(command, NEVER))
    assert is_modelled(answer, "GoneException", 410)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_malformed_id_is_a_BadRequestException(call, command):
    answer = call(command, **parameters_of(command, "no id"))
    message = is_generic(call, answer, "BadRequestException", 400)
    assert message == "Invalid connectionId: no id"


def test_a_large_message_is_a_PayloadTooLargeException(call, client):
    answer = call("PostToConnection", ConnectionId=client.id, Data=b"x" * 131073)
    assert "131073" in is_modelled(answer, "PayloadTooLargeException", 413)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unsigned_call_is_a_ForbiddenException(call, client, command):
    answer = call(command, key=UNSIGNED_CALL, **parameters_of(command, client.id))
    assert is_modelled(answer, "ForbiddenException", 403) == "Forbidden"
    assert client.ask('{"action":"ping"}') == "PONG!", "nothing was done"


def test_another_stage_is_a_ForbiddenException(call, client):
    answer = call("GetConnection", stage="/prod", ConnectionId=client.id)
    assert is_modelled(answer, "ForbiddenException", 403) == "Forbidden"


def test_a_wrong_secret_is_an_InvalidSignatureException(call, client):
    answer = call("PostToConnection", key=WRONG_SECRET, ConnectionId=client.id, Data=b"x")
    message = is_generic(call, answer, "InvalidSignatureException", 403)
    assert message.startswith("The request signature we calculated does not match")
    assert client.ask('{"action":"ping"}') == "PONG!"


def test_a_key_that_nobody_has_is_an_UnrecognizedClientException(call, client):
    answer = call("DeleteConnection", key=UNKNOWN_KEY, ConnectionId=client.id)
    assert is_generic(call, answer, "UnrecognizedClientException", 403)
    assert client.ask('{"action":"ping"}') == "PONG!"


def test_a_client_that_does_not_read_is_a_LimitExceededException(call, cluster):
    with WebSocket(cluster.websocket, receive_buffer=4096) as deaf:
        at = deaf.row_id(cluster)
        for _ in range(200):
            answer = boto(cluster.management, KEY, "PostToConnection",
                          ConnectionId=at, Data=b"x" * 131072)  # fmt: skip
            if "error" in answer:
                break
        answer = call("PostToConnection", ConnectionId=at, Data=b"x")
        assert is_modelled(answer, "LimitExceededException", 429)


# The clock


@pytest.mark.parametrize("minutes, accepted", [(-14, True), (14, True), (-16, False), (16, False)])
def test_a_clock_may_be_15_minutes_off(cluster, client, minutes, accepted):
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        answer = boto(cluster.management, KEY, "GetConnection", ConnectionId=client.id)
    assert ("ok" in answer) == accepted, answer
    if not accepted:
        assert answer["error"] == "InvalidSignatureException" and answer["status"] == 403
        assert "Signature expired" in answer["message"] or "not yet current" in answer["message"]


# In the query


def presigned(cluster, method, path, seconds=60, service="execute-api", key=KEY):
    """What follows the host of a URL that botocore has signed."""
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    at = AWSRequest(method=method, url=cluster.management + path)
    credentials = Credentials(key["id"], key["secret"])
    SigV4QueryAuth(credentials, service, REGION, expires=seconds).add_auth(at)
    return at.url.removeprefix(cluster.management), cluster.management.removeprefix("http://")


def ask(cluster, method, target, host, **headers):
    return http(cluster.management, request(method, target, headers={"Host": host, **headers}))[0]


def test_a_presigned_url_is_accepted_and_no_byte_of_it_may_change(cluster, client):
    path = f"/dev/@connections/{client.id.replace('=', '%3D')}"
    target, host = presigned(cluster, "GET", path)
    assert ask(cluster, "GET", target, host).status == 200
    assert ask(cluster, "DELETE", target, host).status == 403
    assert ask(cluster, "GET", target, "elsewhere").status == 403
    for at in range(len(path), len(target)):
        changed = target[:at] + ("1" if target[at] == "0" else "0") + target[at + 1 :]
        assert ask(cluster, "GET", changed, host).status in (400, 403), changed


def test_a_presigned_url_for_another_service_is_refused(cluster, client):
    target, host = presigned(cluster, "GET", f"/@connections/{client.id}", service="s3")
    response = ask(cluster, "GET", target, host)
    assert response.status == 403
    assert response.headers["x-amzn-errortype"] == "InvalidSignatureException"


# Not a signature at all


@pytest.mark.parametrize(
    "authorization, exception",
    [
        ("Basic dTpw", "ForbiddenException"),
        ("Bearer abc", "ForbiddenException"),
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y",
         "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 " + "," * 5000, "IncompleteSignatureException"),
    ],
)  # fmt: skip
def test_nonsense_for_a_signature_is_403_and_says_why(cluster, authorization, exception):
    for target in ("/@connections/x", "/@connections", "/nowhere"):
        response = ask(cluster, "GET", target, "h", Authorization=authorization)
        assert response.status == 403
        assert response.headers["x-amzn-errortype"] == exception
        assert list(json.loads(response.body)) == ["message"]


def test_no_secret_is_ever_in_the_log(cluster):
    log = cluster.log()
    assert KEY["secret"] not in log and OTHER_KEY["secret"] not in log
