"""Serve a WebSocket that sends every message back, for Autobahn's suite: a real server of ours.

Its acceptor, workers, door and output are those of every server. In two points alone it is another
one: what a message means, and, without `--usual-limits`, how much a client may send, of which kind.

It prints its port, and serves until it is ended.
"""

import argparse
import signal

from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tertulia.server.config import Config
from tertulia.server.doors import http, websocket
from tertulia.server.server import Server
from tertulia.server.workers.door import Control

BYTES = 64 * 1024 * 1024  # four times the suite's longest message
TEXT, BINARY = 0x81, 0x82


class TextEchoDoor(websocket.WebSocketDoor):
    """The door with its limits, but for the meaning of a message: it is to be sent back."""

    __slots__ = ()

    def next_request(self):
        """Return the next message, or what the door itself answers."""
        if self._inputs and isinstance(self._inputs[0], bytes):
            return Control(websocket.frame(TEXT, self._inputs.popleft()))
        return super().next_request()


class EchoDoor(TextEchoDoor):
    """The same, but empty messages are messages, too, and so are those that are no text."""

    __slots__ = ("_is_binary",)

    def __init__(self) -> None:
        super().__init__()
        self._is_binary = False

    def _add_frame(self, part: Frame) -> None:
        if part.opcode is Opcode.BINARY:
            self._part, self._is_binary = bytearray(), True
        if self._is_binary and part.opcode in (Opcode.BINARY, Opcode.CONT):
            self._part += part.data
            if part.fin:
                self._inputs.append(Control(websocket.frame(BINARY, bytes(self._part))))
                self._part, self._is_binary = None, False
        else:
            super()._add_frame(part)

    def _add_message(self, message: bytes) -> None:
        if message.strip(b"\r\n"):
            super()._add_message(message)
        else:
            self._inputs.append(message)


def main() -> None:
    parser = argparse.ArgumentParser(description="Send back all messages of WebSockets.")
    parser.add_argument("--threads", default="2", help="a number, or: session")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--usual-limits", action="store_true")
    args = parser.parse_args()
    config = Config(
        port=0,
        host="127.0.0.1",
        tls="auto" if args.tls else "off",
        announce=False,
        threads=None if args.threads == "session" else int(args.threads),
        shared_addresses=True,
        # Nobody registers here, so this has to do for a whole case.
        register_timeout_s=600.0,
        max_lines_before_welcome=1_000_000,
    )
    http.WebSocketDoor = TextEchoDoor
    if not args.usual_limits:
        http.WebSocketDoor = EchoDoor
        websocket.MAX_LINE_BYTES = BYTES
        config = replace(
            config, rate_limit_per_s=None, free_bytes_per_s=BYTES, free_burst_bytes=BYTES,
            slice_bytes=BYTES, private_bytes=BYTES,
        )  # fmt: skip
    server = Server(config)
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server.start()
    print(server.port, flush=True)
    signal.sigwait(signals)
    server.stop()


if __name__ == "__main__":
    main()
