"""A client that is a plain socket and speaks WebSocket, with everything that a Peer can do."""

import base64
import os
import struct
import time
from typing import Any

from peers import WEB_OVER_TLS, Peer

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def frame(
    opcode: int, data: bytes, *, fin: bool = True, mask: bytes | None = b"\x0f\xf0\x55\xaa"
) -> bytes:
    """Write a frame as a client does; without a mask it is not a valid one."""
    first = (0x80 if fin else 0) | opcode
    masked = 0x80 if mask is not None else 0
    if len(data) < 126:
        head = bytes((first, masked | len(data)))
    elif len(data) < 65_536:
        head = struct.pack("!BBH", first, masked | 126, len(data))
    else:
        head = struct.pack("!BBQ", first, masked | 127, len(data))
    if mask is None:
        return head + data
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def upgrade(host: str, **headers: str) -> bytes:
    """Write the request that opens a WebSocket."""
    fields = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    return ("GET /ws HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()


class WebPeer(Peer):
    """A Peer behind a WebSocket."""

    def __init__(self, host: str, port: int, source: str | None = None, **options: Any) -> None:
        super().__init__(host, port, source, **({"tls": WEB_OVER_TLS} | options))
        self.close_code: int | None = None
        self.close_reason = ""
        self.pongs: list[bytes] = []
        self._bytes = b""
        self.socket.sendall(upgrade(f"{host}:{port}"))
        while b"\r\n\r\n" not in self._bytes:
            chunk = self.socket.recv(65_536)
            assert chunk, self._bytes
            self._bytes += chunk
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send_raw(self, data: bytes) -> None:
        """Send each line as a text message."""
        frames = [frame(TEXT, line) for line in data.split(b"\n") if line]
        self.socket.sendall(b"".join(frames))

    def send_frame(self, opcode: int, data: bytes, **options: Any) -> None:
        self.socket.sendall(frame(opcode, data, **options))

    def half_close(self) -> None:
        """End as a browser does that leaves the page."""
        self.send_frame(CLOSE, (1001).to_bytes(2, "big"))

    def _receive(self, deadline: float) -> bytes:
        """Return the lines of the next text message."""
        while True:
            message = self._next_message()
            if message is not None:
                opcode, data = message
                if opcode == TEXT:
                    data.decode()
                    assert not data.endswith(b"\n")
                    return data + b"\n"
                if opcode == CLOSE:
                    self.close_code = int.from_bytes(data[:2], "big")
                    self.close_reason = data[2:].decode()
                elif opcode == PONG:
                    self.pongs.append(data)
                continue
            assert time.monotonic() < deadline, f"{self} waited in vain"
            chunk = super()._receive(deadline)
            if not chunk:
                assert not self._bytes, f"{self} was closed within a frame"
                return b""
            self._bytes += chunk

    def _next_message(self) -> tuple[int, bytes] | None:
        data = self._bytes
        if len(data) < 2:
            return None
        size, start = data[1], 2
        assert data[0] & 0xF0 == 0x80, "the server sends complete messages"
        assert size < 128, "the server masks nothing"
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + size:
            return None
        self._bytes = data[start + size :]
        return data[0] & 0x0F, data[start : start + size]
