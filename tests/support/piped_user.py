"""A program that uses a client on pipes: it writes lines and reads the output as it comes."""

import re
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from suspended import suspend

WAIT_S = 20.0


class PipedUser:
    """A client process whose input stays open until `leave`; threads read what it writes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.data: list[str] = []
        self.words: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._changed = threading.Condition()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.data)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.words)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.removesuffix("\n"))
                self._changed.notify_all()

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the output so far fulfils a condition."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), (self.data, self.words)

    def see(self, end: str, times: int = 1) -> None:
        """Wait until so many lines of the chat end with `end`."""
        self.wait_until(lambda: sum(line.endswith(end) for line in self.data) >= times)

    def see_words(self, beginning: str, times: int = 1) -> None:
        """Wait until so many lines for the person begin with `beginning`."""
        self.wait_until(lambda: sum(line.startswith(beginning) for line in self.words) >= times)

    @property
    def chat(self) -> list[str]:
        """The messages of the chat, without their times."""
        lines = [re.sub(r"^(earlier: )?\[[^]]*\] ", "", line) for line in self.data]
        return [line for line in lines if not re.match(r"\S+ (joined|left|is now|are now)\b", line)]

    def stop(self) -> None:
        """Stop the client, until SIGCONT; return when it has stopped."""
        suspend(self.process.pid)

    def leave(self) -> int:
        """End the input, wait for the end of the client, and return its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        status = self.process.wait(WAIT_S)
        self._finish()
        return status

    def close(self) -> None:
        """Kill the client if it still runs; fail if it has written a traceback."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        self._finish()
        assert not any("Traceback" in line for line in self.words), self.words

    def _finish(self) -> None:
        for reader in self._readers:
            reader.join(WAIT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
