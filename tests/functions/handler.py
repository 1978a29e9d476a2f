"""A message is JSON with "do": what the function is to do."""

import json
import os
import time
from pathlib import Path

print("module loaded")


def manager(event, context):
    kind = event["requestContext"]["eventType"]
    print(f"{kind} {event['requestContext']['requestId']}")
    die_once = Path(f"die-once-{kind}")
    if die_once.exists():
        die_once.unlink()
        os._exit(3)
    return {"statusCode": 200}


def gate(event, context):
    """An authorizer, of which a query says what it is to do."""
    wish = event["queryStringParameters"]["token"]
    if wish in ("Unauthorized", "Oops"):
        raise Exception(wish)
    statement = {"Action": "execute-api:Invoke", "Effect": wish, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "me", "policyDocument": policy, "context": {"colour": "blue"}}


def ping(event, context):
    return {"statusCode": 200, "body": "PONG!"}


def act(event, context):
    message = json.loads(event["body"])
    return globals()[message["do"]](event, context, message)


def answer(event, context, message):
    return {"statusCode": 200, "body": message["text"]}


def nan(event, context, message):
    return {"statusCode": 200, "ratio": [float("nan"), float("-inf")], "body": message["text"]}


def look(event, context, message):
    body = {
        "request": [context.aws_request_id, event["requestContext"]["requestId"]],
        "arn": context.invoked_function_arn,
        "authorizer": event["requestContext"].get("authorizer"),
        "left": context.get_remaining_time_in_millis(),
        "name": context.function_name,
        "folder": os.getcwd(),
        "env": dict(os.environ),
    }
    return {"statusCode": 200, "body": json.dumps(body)}


def throw(event, context, message):
    raise ValueError("not today")


def hang(event, context, message):
    time.sleep(1000)


def leave(event, context, message):
    os._exit(3)


def garbage(event, context, message):
    return object()


def big(event, context, message):
    return {"statusCode": 200, "body": "x" * 10_000_000}


def hold(event, context, message):
    """Until the test says so."""
    Path(f"held-{message['name']}").touch()
    while not Path("release").exists():
        time.sleep(0.01)
    return {"statusCode": 200, "body": message["name"]}
