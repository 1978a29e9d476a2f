"""Functions for a WebSocket API and an HTTP API. Nothing here knows where it runs."""

import logging

import boto3

logger = logging.getLogger("handler")
logger.setLevel(logging.INFO)

dynamodb = boto3.resource("dynamodb")


def ping(event, context):
    """Somebody looks whether we are there: GET /ping."""
    logger.info("Ping requested.")
    return respond(200, "PONG!")


def connection_manager(event, context):
    """Clients come and go: $connect and $disconnect. The table has a row for each that is there."""
    connection_id = event["requestContext"].get("connectionId")
    kind = event["requestContext"]["eventType"]
    connections = dynamodb.Table("serverless-websocket-connections")
    if kind == "CONNECT":
        logger.info("Connect requested: %s", connection_id)
        connections.put_item(Item={"connection_id": connection_id})
        return respond(200, "Connect successful.")
    if kind == "DISCONNECT":
        logger.info("Disconnect requested: %s", connection_id)
        connections.delete_item(Key={"connection_id": connection_id})
        return respond(200, "Disconnect successful.")
    logger.error("Unrecognized event type: %s", kind)
    return respond(500, "Unrecognized event type.")


def default_message(event, context):
    """A message whose action is none of ours: $default."""
    logger.info("Unrecognized WebSocket action received.")
    return respond(400, "Unrecognized WebSocket action.")


def respond(status, body):
    return {"statusCode": status, "body": body}
