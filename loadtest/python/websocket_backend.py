"""A WebSocket server: echoes every message with its name before it. Arguments: ADDRESS NAME."""

import asyncio
import json
import sys

from websockets.asyncio.server import serve


async def main(address: str, name: str) -> None:
    async def echo(connection):
        async for message in connection:
            await connection.send(message if isinstance(message, bytes) else f"{name}: {message}")

    async with serve(echo, address, 0, max_size=None) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
