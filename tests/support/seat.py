"""Somebody at a terminal: the program itself on a pty, and a server for this one client."""

import codecs
import contextlib
import fcntl
import itertools
import json
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

TERTULIA = Path(sys.executable).parent / "tertulia"
WAIT_S = 20.0
CTRL_Q = b"\x11"
ENTERED = "\x1b[?1049h"  # the alternate screen, where the chat is drawn
LEFT = "\x1b[?1049l"
# Variables that the terminal of the person who runs the tests may have set.
_OF_TERMINALS = (
    "COLORFGBG", "COLORTERM", "KONSOLE_VERSION", "NO_COLOR", "STY", "TMUX", "VTE_VERSION",
    "WT_SESSION",
)  # fmt: skip


class LonelyServer:
    """A server for one client, to which it sends these texts, or messages until that is gone."""

    def __init__(self, texts: Iterable[str] | None = None, names: Iterable[str] = ()) -> None:
        self._texts = (f"number {n}" for n in itertools.count(1)) if texts is None else iter(texts)
        self._users = [{"name": name, "status": "ACTIVO"} for name in names]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(WAIT_S)
        self.port = self._listener.getsockname()[1]
        self.gone = threading.Event()
        self._seq = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        peer, _address = self._listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.settimeout(0.02)
            buffered = b""
            while True:
                try:
                    received = peer.recv(4096)
                    if not received:
                        break
                    buffered += received
                except TimeoutError:
                    self._say(peer)
                *lines, buffered = buffered.split(b"\n")
                for line in lines:
                    self._answer(peer, json.loads(line))
        self.gone.set()

    def _say(self, peer: socket.socket) -> None:
        text = next(self._texts, None)
        if text is None:
            return
        self._seq += 1
        said = {"seq": self._seq, "time": "2026-11-22T15:04:05.123Z", "from": "luis"}
        _send(peer, type="message", text=text, **said)

    def _answer(self, peer: socket.socket, request: dict[str, Any]) -> None:
        match request["type"]:
            case "register":
                _send(
                    peer, type="welcome", id=request["id"], name=request["name"], status="ACTIVO",
                    address="127.0.0.1", seq=0, token="t", epoch="e", server="s", protocol=1,
                    idle_after=120, max_text=16384,
                )  # fmt: skip
            case "users":
                _send(peer, type="users", id=request["id"], seq=0, users=self._users)
            case "history":
                _send(peer, type="history", id=request["id"], messages=[], more=False)
            case "quit":
                peer.shutdown(socket.SHUT_RDWR)


def _send(peer: socket.socket, **fields: Any) -> None:
    peer.sendall(json.dumps(fields).encode() + b"\n")


class Seat:
    """Somebody's terminal, with the full screen on it."""

    def __init__(
        self,
        port: int,
        columns: int = 80,
        rows: int = 24,
        script: str = "{}",
        command: Sequence[str] = (),
        **environment: str,
    ) -> None:
        """`script` is what a shell with job control does with the command line of the program.

        `command` is another program than the chat of ana.
        """
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings = termios.tcgetattr(slave)
        self._slave = slave
        self.written = self.everything = ""
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        kept = {name: value for name, value in os.environ.items() if name not in _OF_TERMINALS}
        command = command or [str(TERTULIA), "ana", "127.0.0.1", str(port)]
        if script != "{}":
            command = ["/bin/sh", "-mc", script.format(" ".join(command))]
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=kept
            | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
            | environment,
            preexec_fn=self._take_the_terminal,
        )

    @staticmethod
    def _take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def see(self, wanted: str) -> None:
        """Wait until a text is written; the next call looks only at what follows it."""
        while wanted not in self.written:
            readable, _, _ = select.select([self.master], [], [], WAIT_S)
            assert readable, f"{wanted!r} did not appear in {self.written[-500:]!r}"
            now = self._decode(os.read(self.master, 1 << 16))
            self.written += now
            self.everything += now
        self.written = self.written.partition(wanted)[2]

    def type(self, typed: bytes) -> None:
        os.write(self.master, typed)

    def leave(self, key: bytes = CTRL_Q, farewell: str = "You were here") -> int:
        """Leave with Ctrl+Q, and check that the terminal is as it was."""
        self.type(key)
        self.see(LEFT)
        if farewell:
            self.see(farewell)
        status = self.process.wait(WAIT_S)
        assert termios.tcgetattr(self._slave) == self.settings
        return status

    def hang_up(self) -> None:
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.master >= 0:
            self.hang_up()
