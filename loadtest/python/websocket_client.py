"""A WebSocket client: arguments URL ADDRESS PORT [CA].

Connects to ADDRESS:PORT, whatever the URL's host resolves to. Each line of standard input is sent as one
message, each answer printed as one line; "binary N" sends N bytes and prints how many came back, "ping"
prints "pong". At the end of the input it closes and prints the close code it got.
"""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def lines():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        yield line.rstrip("\n")


async def converse(connection) -> None:
    async for line in lines():
        word, _, rest = line.partition(" ")
        if word == "ping":
            await (await connection.ping())
            print("pong", flush=True)
        elif word == "binary":
            await connection.send(b"\x55" * int(rest))
            print("binary", len(await connection.recv()), flush=True)
        elif word == "wait-close":
            await connection.wait_closed()
        else:
            await connection.send(line)
            print(await connection.recv(), flush=True)


async def main(url: str, address: str, port: str, ca: str | None = None) -> None:
    tls = ssl.create_default_context(cafile=ca) if ca else None
    async with connect(url, host=address, port=int(port), ssl=tls, max_size=None, proxy=None) as connection:
        print("open", flush=True)
        try:
            await converse(connection)
        except ConnectionClosed:
            pass
    print("closed", connection.close_code, flush=True)


asyncio.run(main(*sys.argv[1:]))
