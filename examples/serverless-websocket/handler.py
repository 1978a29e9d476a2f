"""Functions for a WebSocket API and an HTTP API. Nothing here knows where it runs."""

import logging

logger = logging.getLogger("handler")
logger.setLevel(logging.INFO)


def ping(event, context):
    """Somebody looks whether we are there: GET /ping."""
    logger.info("Ping requested.")
    return respond(200, "PONG!")


def connection_manager(event, context):
    """Clients come and go: $connect and $disconnect."""
    connection_id = event["requestContext"]["connectionId"]
    kind = event["requestContext"]["eventType"]
    if kind == "CONNECT":
        logger.info("Connect requested: %s", connection_id)
        return respond(200, "Connect successful.")
    if kind == "DISCONNECT":
        logger.info("Disconnect requested: %s", connection_id)
        return respond(200, "Disconnect successful.")
    logger.error("Unrecognized event type: %s", kind)
    return respond(500, "Unrecognized event type.")


def default_message(event, context):
    """A message whose action is none of ours: $default."""
    logger.info("Unrecognized WebSocket action received.")
    return respond(400, "Unrecognized WebSocket action.")


def respond(status, body):
    return {"statusCode": status, "body": body}
