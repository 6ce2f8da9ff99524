"""The text on the normal screen: what ends it, and the terminal as it was afterwards."""

import contextlib
import io
import os
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.tui.terminal import bareview
from tertulia.tui.terminal.bareview import show_until_key

MANY = 9
ENDS_IN_ANY_CASE = b"\r\n\x03"


class Terminal(io.StringIO):
    """A terminal whose user types one piece after the other, each when the last one was read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._user, self.fd = os.openpty()
        settings = self.settings()
        settings[0] &= ~(termios.ICRNL | termios.IXON)  # each key is read as it was typed
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)
        self.is_gone = False
        self.pieces: list[bytes] = []
        self.read: list[bytes] = []
        self.on_flush = self.type_next
        monkeypatch.setattr(sys, "__stdin__", self)
        monkeypatch.setattr(bareview, "_CHECK_SIGNALS_EVERY_S", 0.01)
        monkeypatch.setattr(bareview, "os", SimpleNamespace(read=self._note_read))

    def show(self) -> None:
        with contextlib.redirect_stdout(self):
            show_until_key("hello")

    def fileno(self) -> int:
        return self.fd

    def flush(self) -> None:
        """Begin when the text has been printed."""
        self.modes = self.settings()[3]
        self.on_flush()

    def type_next(self) -> None:
        os.write(self._user, self.pieces.pop(0) if self.pieces else ENDS_IN_ANY_CASE)

    def _note_read(self, fd: int, size: int) -> bytes:
        assert len(self.read) < MANY, "it goes on after its end"
        self.read.append(os.read(fd, size))
        if not self.is_gone:
            self.type_next()
        return self.read[-1]

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self.fd)

    def hang_up(self) -> None:
        os.close(self._user)
        self.is_gone = True

    def end(self) -> None:
        if not self.is_gone:
            self.hang_up()
        os.close(self.fd)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal(monkeypatch)
    yield terminal
    terminal.end()


@pytest.mark.parametrize("key", [b"\r", b"\n", b"\x03", b"\x04", b"\x11", b"\x1b", b"x\ry"])
def test_a_key_that_ends_ends_it(terminal: Terminal, key: bytes) -> None:
    terminal.pieces = [key, b"\r"]
    terminal.show()
    assert terminal.read == [key]
    assert terminal.getvalue() == "hello\n\nEnter: back to the chat\n"


def test_other_keys_and_sequences_that_begin_with_escape_do_not_end_it(
    terminal: Terminal,
) -> None:
    terminal.pieces = [b"x", b"\x1b[A", b"\x1a", b"\x1bq", b"\r"]
    terminal.show()
    assert terminal.read == [b"x", b"\x1b[A", b"\x1a", b"\x1bq", b"\r"]


def test_keys_are_read_at_once_without_echo_and_without_signals_and_then_as_before(
    terminal: Terminal,
) -> None:
    before = terminal.settings()
    terminal.pieces = [b"\x03"]
    terminal.show()
    assert not terminal.modes & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert terminal.settings() == before


def test_a_signal_ends_it_without_a_key(terminal: Terminal) -> None:
    def get_ended() -> None:
        terminal.type_next()
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    terminal.pieces = [b"\r"]
    terminal.on_flush = get_ended
    terminal.show()
    assert terminal.read == []


def test_a_terminal_that_is_gone_ends_it(terminal: Terminal) -> None:
    terminal.on_flush = terminal.hang_up
    terminal.show()
    assert not any(terminal.read)


@pytest.mark.parametrize("end", [b"", OSError()], ids=["end", "error"])
def test_an_input_that_ends_or_fails_ends_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, end: bytes | OSError
) -> None:
    def read(_fd: int, _size: int) -> bytes:
        assert ends
        if isinstance(found := ends.pop(), OSError):
            raise found
        return found

    ends = [end]
    monkeypatch.setattr(bareview, "os", SimpleNamespace(read=read))
    terminal.show()
    assert ends == []


def test_without_a_stream_for_the_input_it_is_the_first_file_that_is_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "__stdin__", None)
    kept = os.dup(0)
    os.dup2(terminal.fd, 0)
    try:
        terminal.pieces = [b"\r"]
        terminal.show()
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert terminal.read == [b"\r"]
