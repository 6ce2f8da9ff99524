"""How a user of the soak speaks to the server: lines over TCP, or messages of a WebSocket."""

import base64
import os
import socket
from typing import Protocol


class Wire(Protocol):
    """A connection's form: lines of JSON out, and back."""

    def open(self, sock: socket.socket) -> None:
        """Do what has to come before the first line. Raises OSError."""

    def write(self, line: bytes) -> bytes:
        """Return a line, given without its newline, as it travels."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take in what was received; return the lines that are complete."""


class Lines:
    """The native protocol."""

    def __init__(self) -> None:
        self._rest = b""

    def open(self, sock: socket.socket) -> None:
        self._rest = b""

    def write(self, line: bytes) -> bytes:
        return line + b"\n"

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines


class WebSocket:
    """A browser's WebSocket. Its mask is zero, which masks nothing and is allowed."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._bytes = bytearray()

    def open(self, sock: socket.socket) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._bytes.clear()
        while b"\r\n\r\n" not in self._bytes:
            data = sock.recv(4096)
            if not data:
                raise ConnectionResetError
            self._bytes += data
        head, _, rest = self._bytes.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):  # the server is full or stopping
            raise ConnectionRefusedError(bytes(head))
        self._bytes = rest

    def write(self, line: bytes) -> bytes:
        return b"\x81\xfe" + len(line).to_bytes(2, "big") + bytes(4) + line

    def feed(self, data: bytes) -> list[bytes]:
        self._bytes += data
        lines: list[bytes] = []
        while (message := self._take_message()) is not None:
            opcode, content = message
            if opcode == 1:
                lines += content.split(b"\n")
            elif opcode != 8:
                raise AssertionError(f"a frame of kind {opcode}")
        return lines

    def _take_message(self) -> tuple[int, bytes] | None:
        held = self._bytes
        if len(held) < 2:
            return None
        size, start = held[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(held[2:start], "big")
        if len(held) < start + size:
            return None
        if held[0] & 0xF0 != 0x80:
            raise AssertionError(f"a frame begins with {held[0]:#x}")
        content = bytes(held[start : start + size])
        opcode = held[0] & 0x0F
        del held[: start + size]
        return opcode, content
