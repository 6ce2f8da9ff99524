"""Three typical chat servers in Python, without rules or limits, to compare with.

    python plain_servers.py asyncio|threads|websockets PORT
    python plain_servers.py --version                          # of websockets

They speak the `plain` protocol of the load generator: every line goes to all clients, except `=N`,
which goes back to its sender. With `websockets`, each line is a text message, without its newline.
"""

import asyncio
import contextlib
import socket
import sys
import threading

import websockets
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def serve_asyncio(port: int) -> None:
    """Serve with the streams of asyncio."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(OSError):
            async for line in reader:
                for to in (writer,) if line.startswith(b"=") else writers:
                    to.write(line)
                await writer.drain()
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(serve_client, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def serve_threads(port: int) -> None:
    """Serve with a thread for each client, and a loop of `sendall` for each line."""
    clients: list[socket.socket] = []
    lock = threading.Lock()

    def serve_client(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
            for line in lines:
                with lock:
                    for to in (client,) if line.startswith(b"=") else clients:
                        to.sendall(line)
        with lock:
            clients.remove(client)

    threading.stack_size(256 * 1024)
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with lock:
            clients.append(client)
        threading.Thread(target=serve_client, args=(client,), daemon=True).start()


async def serve_websockets(port: int) -> None:
    """Serve with the library's `broadcast`; everything but compression is as it comes."""
    clients: set[ServerConnection] = set()

    async def serve_client(client: ServerConnection) -> None:
        clients.add(client)
        try:
            async for message in client:
                if message.startswith("="):
                    await client.send(message)
                else:
                    broadcast(clients, message)
        finally:
            clients.discard(client)

    async with serve(serve_client, "127.0.0.1", port, compression=None, backlog=1024) as server:
        await server.serve_forever()


if __name__ == "__main__":
    match sys.argv[1]:
        case "asyncio":
            asyncio.run(serve_asyncio(int(sys.argv[2])))
        case "threads":
            serve_threads(int(sys.argv[2]))
        case "websockets":
            asyncio.run(serve_websockets(int(sys.argv[2])))
        case "--version":
            print(f"websockets {websockets.__version__}")
