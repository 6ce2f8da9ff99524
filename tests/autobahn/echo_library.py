"""Serve a WebSocket that sends every message back, with `websockets` alone: to compare with.

It prints its port, and serves until it is ended.
"""

import asyncio
import contextlib

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

BYTES = 64 * 1024 * 1024  # four times the suite's longest message


async def echo(connection: ServerConnection) -> None:
    """Send back each message."""
    with contextlib.suppress(ConnectionClosed):  # as often as the suite breaks the protocol
        async for message in connection:
            await connection.send(message)


async def main() -> None:
    async with serve(
        echo, "127.0.0.1", 0, max_size=BYTES, compression=None, ping_interval=None
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
