"""Who connects, and the page. The channels themselves need no function."""

from pathlib import Path

PUBLIC = Path(__file__).parent / "public"
FILES = {path.relative_to(PUBLIC).as_posix(): path for path in PUBLIC.rglob("*.*")}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def connect(event, context):
    """
    Everybody is who they say. A real project has an authorizer here; the user is its principalId.
    """
    name = (event.get("queryStringParameters") or {}).get("name", "").strip()
    if not 1 <= len(name) <= 24:
        return {"statusCode": 400, "body": "name: 1 to 24 characters"}
    return {"statusCode": 200, "user": name, "channels": [{"channel": "board:main"}]}


def page(event, context):
    name = (event["pathParameters"] or {}).get("file", "index.html")
    path = FILES.get(name)
    if path is None:
        return {"statusCode": 404, "body": "Not Found"}
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": f"{TYPES[path.suffix]}; charset=utf-8",
            "Content-Security-Policy": "default-src 'self'; img-src data:",
        },
        "body": path.read_text(),
    }
