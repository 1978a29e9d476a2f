#!/usr/bin/env python3
"""The functions over HTTP: a small server, in a process of its own that may be killed.

    functions.py ADDRESS PORT
"""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import handler
from handler import Failure

THREADS = 64


async def serve(reader, writer):
    """One connection of a broker's, which asks again and again."""
    try:
        while request := await read_request(reader):
            status, body = await invoke(json.loads(request))
            head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
        pass  # the broker is gone, or has given up
    finally:
        writer.close()


async def read_request(reader):
    """The body; None at the end of the connection."""
    length = 0
    while (line := await reader.readline()).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return await reader.readexactly(length) if length else None


async def invoke(event):
    if event["requestContext"]["eventType"] == "CHANNEL":
        return await ask(event)
    call = handler.begin("http", event)
    await asyncio.sleep(handler.pause("http"))
    try:
        result = await asyncio.to_thread(handler.answer, "http", event)
    except Failure:
        handler.end(call, 500)
        return 500, b"{}"
    handler.end(call, 200)
    return 200, json.dumps(result).encode()


async def ask(event):
    """A webhook is asked, and is no event of its connection: clients see what came of it."""
    await asyncio.sleep(handler.pause("http"))
    try:
        return 200, json.dumps(handler.hook(event)).encode()
    except Failure:
        return 500, b"{}"


async def main():
    address, port = sys.argv[1:]
    # A push may wait for a broker that is stopped; others shall not wait for it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    server = await asyncio.start_server(serve, address, int(port), limit=1 << 20, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
