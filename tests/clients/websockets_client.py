"""Python's `websockets`, driven by lines of JSON: see tests/lib/client.py."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


def report(**event):
    print(json.dumps(event), flush=True)


async def main(url):
    try:
        # Direct: a proxy of the machine's has no business on loopback.
        socket = await connect(url, proxy=None, max_size=None)
    except InvalidStatus as e:
        report(refused=e.response.status_code)
        return
    report(open=True)
    obeying = asyncio.create_task(obey(socket))
    try:
        while True:
            message = await socket.recv()
            if isinstance(message, str):
                report(text=message)
            else:
                report(binary=message.hex())
    except ConnectionClosed:
        report(closed=[socket.close_code, socket.close_reason])
    obeying.cancel()


async def obey(socket):
    orders = asyncio.StreamReader(limit=2**24)
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        if "text" in order:
            await socket.send(order["text"])
        if "binary" in order:
            await socket.send(bytes.fromhex(order["binary"]))
        if "ping" in order:
            await (await socket.ping(order["ping"]))
            report(pong=order["ping"])
        if "close" in order:
            await socket.close(*order["close"])
    await socket.close()


asyncio.run(main(sys.argv[1]))
