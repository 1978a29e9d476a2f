"""Workers of `gatepost up` find the tables, as the function that they run, whatever credentials this home has."""

import json
import os
import sys
from pathlib import Path

import pytest

from lib.cluster import ROOT, Cluster
from lib.wire import TEXT, WebSocket, frame

NEEDS = ["node", "functions"]  # tests/pick.py

FUNCTIONS = ROOT / "build/functions/node_modules"
CLIENTS = Path(os.environ["NODE_PATH"])

PROJECT = """
service: workers
provider:
  runtime: python3.11
  environment: { TABLE: !Ref Rows, ARN: !GetAtt Rows.Arn }
  iamRoleStatements:
    - { Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Rows.Arn }
functions:
  python:
    handler: handler.python
    events: [ { websocket: { route: python, routeResponseSelectionExpression: $default } } ]
  node:
    runtime: nodejs20.x
    handler: node.handler
    events: [ { websocket: { route: node, routeResponseSelectionExpression: $default } } ]
resources:
  Resources:
    Rows: { Type: AWS::Serverless::SimpleTable, Properties: { TableName: rows } }
"""

PYTHON = """
import json
import os

import boto3
from botocore.exceptions import ClientError


def python(event, context):
    credentials = boto3.Session().get_credentials()
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    table.put_item(Item={"id": "python"})
    boto3.client("dynamodb").put_item(TableName=os.environ["ARN"], Item={"id": {"S": "by arn"}})
    try:
        table.scan()
        denied = None
    except ClientError as e:
        denied = e.response["Error"]["Code"]
    body = {"key": credentials.access_key, "denied": denied}
    return {"statusCode": 200, "body": json.dumps(body)}
"""

# AWS SDK 2, which does not know the variables of endpoints.
NODE = """
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';
const AWS = require('aws-sdk');
const table = new AWS.DynamoDB.DocumentClient({ maxRetries: 0 });
const TableName = process.env.TABLE;

exports.handler = async () => {
  await table.put({ TableName, Item: { id: 'node' } }).promise();
  const denied = await table.scan({ TableName }).promise().catch((e) => e.code);
  return { statusCode: 200, body: JSON.stringify({ key: AWS.config.credentials.accessKeyId, denied }) };
};
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "serverless.yml").write_text(PROJECT)
    (folder / "handler.py").write_text(PYTHON)
    (folder / "node.js").write_text(NODE)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "node_modules/.bin").symlink_to(FUNCTIONS / ".bin")
    (folder / "node_modules/aws-sdk").symlink_to(CLIENTS / "aws-sdk")
    return folder


def answers(project, home):
    """What both functions say of themselves, in this home."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    try:
        env = {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        with Cluster(edges=1, brokers=1, cwd=project, env=env) as it:
            with WebSocket(it.websocket) as client:
                return {name: ask(client, name) for name in ("python", "node")}
    finally:
        os.environ.update(before)


def ask(client, name):
    client.send(frame(TEXT, json.dumps({"action": name}).encode()))
    return json.loads(client.next())


def test_each_function_has_a_key_of_its_own_and_its_statements_hold(project, tmp_path):
    said = answers(project, tmp_path)
    assert [one["denied"] for one in said.values()] == ["AccessDeniedException"] * 2
    keys = {one["key"] for one in said.values()}
    assert len(keys) == 2 and all(key.startswith("GP") for key in keys)


def test_credentials_of_this_home_are_not_hidden_and_statements_hold_all_the_same(project, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = MINE\naws_secret_access_key = secret\n"
    )
    said = answers(project, tmp_path)
    assert said == dict.fromkeys(("python", "node"), {"key": "MINE", "denied": "AccessDeniedException"})
