"""A person at a terminal: a real pty, keys to type, and a screen to read."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from typing import Any

COLUMNS = 100
# What a shell with job control does: start a program in the background, continue it there once it
# is stopped, and end it in the background. `wait` returns 148 or 150 for a job that is
# still stopped.
BACKGROUND_SCRIPT = (
    "{} & read line; fg; echo stopped; bg; read line; fg; kill %1; kill -CONT %1; "
    "while wait %1; status=$?; [ $status -ge 148 ]; do sleep 0.05; done; echo ended $status"
)
WAIT_S = 20.0


class TerminalUser:
    """A person at a terminal in which the client runs."""

    def __init__(
        self, command: list[str], environment: dict[str, str], screen: Any, columns: int = COLUMNS
    ) -> None:
        self.screen = screen
        self.written = b""
        self._master, self._slave = pty.openpty()
        self.resize(columns)
        self.settings = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            command,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=environment,
            # A session and a terminal of its own: Ctrl-Z and the like reach only the client.
            preexec_fn=self._take_the_terminal,
        )

    @staticmethod
    def _take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns: int) -> None:
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def hang_up(self) -> None:
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def current_settings(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def look(self, timeout: float) -> bool:
        """Read what the client writes; return False if it wrote nothing."""
        if not select.select([self._master], [], [], timeout)[0]:
            return False
        data = os.read(self._master, 65_536)
        self.written += data
        self.screen.write_bytes(data)
        return True

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Read until the screen fulfils a condition."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, "\n".join([*self.screen.above, self.screen.text])
            self.look(0.1)

    def see(self, text: str) -> None:
        """Wait until a line above the prompt ends with this text."""
        self.wait_until(lambda: any(line.endswith(text) for line in self.screen.above))

    def see_row(self, text: str) -> None:
        """Wait until the row of the prompt is this text."""
        self.wait_until(lambda: bool(self.screen.text == text))

    def wait_for_exit(self) -> int:
        deadline = time.monotonic() + WAIT_S
        while (status := self.process.poll()) is None:
            assert time.monotonic() < deadline, "the client did not end"
            self.look(0.05)
        while self.look(0):
            pass
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._master >= 0:
            self.hang_up()
        assert b"\x1b" not in self.written
        assert b"Traceback" not in self.written
