"""The functions of a run, over HTTP (functions.py) and under the Lambda runtime client.

Each invocation is logged when it begins and before it answers. Its faults are in the file mode-http
or mode-lambda of the run's folder: "slow", "fail", or nothing.

    {"action": "ask", "n": 5}                  {"n": 5, "id": CONNECTION}, on a two-way route
    {"action": "push", "n": 6, "to": ID}       the same, after a POST to @connections/ID
    {"action": "tell", "n": 7}                 nothing, on a one-way route
"""

import hashlib
import itertools
import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import channels
from log import Log

FOLDER = Path(os.environ["CHAOS_FOLDER"])
ME = os.environ["CHAOS_NAME"]  # of this life of this process alone
PUSH_SECONDS = 1.5  # well below the functions' timeout

calls = Log(FOLDER / "functions.jsonl", ME)
pushes = Log(FOLDER / "pushes.jsonl", ME)
pushes_begun = Log(FOLDER / "begun.jsonl", ME)  # some never end: who made them was killed (run.py)
numbers = itertools.count()


class Failure(Exception):
    pass


def begin(fn, event):
    """Log that it has come; the name of this invocation."""
    context = event["requestContext"]
    call = f"{ME}-{next(numbers)}"
    record = {
        "phase": "begin", "call": call, "fn": fn, "kind": context["eventType"],
        "requestId": context["requestId"], "connectionId": context["connectionId"],
        "event": digest(event), "time": context["requestTimeEpoch"],
    }  # fmt: skip
    match record["kind"]:
        case "CONNECT":
            record["name"] = (event.get("queryStringParameters") or {}).get("name")
        case "MESSAGE":
            record["n"] = json.loads(event["body"])["n"]
        case "DISCONNECT":
            record["code"] = context["disconnectStatusCode"]
            record["reason"] = context["disconnectReason"]
    calls.write(**record)
    return call


def end(call, status):
    calls.write(phase="end", call=call, status=status)


def digest(event):
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mode(fn):
    try:
        return (FOLDER / f"mode-{fn}").read_text()
    except FileNotFoundError:
        return ""


def pause(fn):
    """How long this invocation takes on top.

    Over HTTP always a little, so that faults meet events under way; a Lambda worker does one
    thing at a time, and would be what all wait for.
    """
    if mode(fn) == "slow":
        return random.uniform(0.3, 1.2)
    return random.uniform(0, 0.15) if fn == "http" else 0


def answer(fn, event):
    """What the function returns; raises Failure when it is to fail."""
    if mode(fn) == "fail":
        raise Failure("the schedule says so")
    context = event["requestContext"]
    if context["eventType"] == "CONNECT":
        return welcome(event.get("queryStringParameters") or {})
    if context["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    message = json.loads(event["body"])
    if message["action"].endswith("push"):
        push(message["to"])
    fruit = {"n": message["n"], "id": context["connectionId"]}
    return {"statusCode": 200, "body": json.dumps(fruit)}


def hook(event):
    """The webhook of a namespace: as it is asked about a subscribe, or a publish."""
    if mode("http") == "fail":
        raise Failure("the schedule says so")
    if event["requestContext"]["channel"]["action"] != "publish":
        return {"statusCode": 200}
    data = json.loads(event["body"])
    if channels.is_refused(data):
        return {"statusCode": 403, "body": "refused"}
    return {"statusCode": 200, "data": data + channels.MARK}


def welcome(query):
    """As whom it is let in, and the channel that is chosen for it."""
    result = {"statusCode": 200}
    if "user" in query:
        result["user"] = query["user"]
    if "chosen" in query:
        result["channels"] = [query["chosen"]]
    return result


def push(to):
    """One POST to one broker, whatever becomes of it."""
    nonce = f"{ME}-p{next(numbers)}"
    broker = random.choice((FOLDER / "brokers").read_text().split())
    request = urllib.request.Request(
        f"{broker}/@connections/{urllib.parse.quote(to)}",
        data=json.dumps({"nonce": nonce, "to": to}).encode(),
        headers={"Authorization": f"Bearer {(FOLDER / 'token').read_text()}"},
    )
    began = time.time()
    pushes_begun.write(t=began, began=began, to=to, nonce=nonce, status=0, by=broker)
    try:
        with urllib.request.urlopen(request, timeout=PUSH_SECONDS) as reply:
            status = reply.status
    except urllib.error.HTTPError as e:
        status = e.code
    except OSError:
        status = 0
    pushes.write(began=began, to=to, nonce=nonce, status=status, by=broker)


def invoke(event, _):
    """Under the runtime client."""
    call = begin("lambda", event)
    time.sleep(pause("lambda"))
    try:
        result = answer("lambda", event)
    except Failure:
        end(call, 500)
        raise
    end(call, 200)
    return result
