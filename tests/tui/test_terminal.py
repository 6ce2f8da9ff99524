"""The program itself on a terminal of its own: ways out, stops, and bytes that are no text."""

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TERTULIA = Path(sys.executable).parent / "tertulia"
WAIT_S = 20.0
CTRL_Q = b"\x11"
CYRILLIC_CTRL_Q = b"\x1b[1081::113;5u"  # as kitty reports it
F7 = b"\x1b[18~"
ENTERED = "\x1b[?1049h"  # the alternate screen, where the chat is drawn
LEFT = "\x1b[?1049l"


class LonelyServer:
    """A server for one client, to which it sends messages until that is gone."""

    def __init__(self) -> None:
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
        self._seq += 1
        said = {"seq": self._seq, "time": "2026-11-22T15:04:05.123Z", "from": "luis"}
        _send(peer, type="message", text=f"number {self._seq}", **said)

    def _answer(self, peer: socket.socket, request: dict[str, Any]) -> None:
        match request["type"]:
            case "register":
                _send(
                    peer, type="welcome", id=request["id"], name=request["name"], status="ACTIVO",
                    address="127.0.0.1", seq=0, token="t", epoch="e", server="s", protocol=1,
                    idle_after=120, max_text=16384,
                )  # fmt: skip
            case "users":
                _send(peer, type="users", id=request["id"], seq=0, users=[])
            case "history":
                _send(peer, type="history", id=request["id"], messages=[], more=False)
            case "quit":
                peer.shutdown(socket.SHUT_RDWR)


def _send(peer: socket.socket, **fields: Any) -> None:
    peer.sendall(json.dumps(fields).encode() + b"\n")


class Seat:
    """Somebody's terminal, with the full screen on it."""

    def __init__(self, port: int, **environment: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.settings = termios.tcgetattr(slave)
        self._slave = slave
        self.written = self.everything = ""
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [TERTULIA, "ana", "127.0.0.1", str(port)],
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
            now = os.read(self.master, 1 << 16).decode(errors="replace")
            self.written += now
            self.everything += now
        self.written = self.written.partition(wanted)[2]

    def type(self, typed: bytes) -> None:
        os.write(self.master, typed)

    def leave(self, key: bytes = CTRL_Q) -> int:
        """Leave with Ctrl+Q, and check that the terminal is as it was."""
        self.type(key)
        self.see(LEFT)
        self.see("You were here")
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


@pytest.fixture
def server() -> Iterator[LonelyServer]:
    with contextlib.closing(LonelyServer()) as server:
        yield server


@pytest.fixture
def sit_down(server: LonelyServer) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def start(**environment: str) -> Seat:
        seats.append(Seat(server.port, **environment))
        seats[-1].see(ENTERED)
        seats[-1].see("number")
        return seats[-1]

    yield start
    for seat in seats:
        seat.close()


def test_who_leaves_gets_the_terminal_back(sit_down: Callable[..., Seat]) -> None:
    assert sit_down().leave() == 0


def test_ctrl_q_leaves_under_a_cyrillic_layout_too(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down()
    assert "\x1b[>29u" in seat.everything  # for kitty: with the letters of a Latin keyboard
    assert seat.leave(CYRILLIC_CTRL_Q) == 0


def test_a_terminal_that_is_gone_keeps_nobody_in_the_chat(
    sit_down: Callable[..., Seat], server: LonelyServer
) -> None:
    seat = sit_down()
    seat.hang_up()
    assert server.gone.wait(WAIT_S)
    seat.process.wait(WAIT_S)


def test_going_on_without_having_been_stopped_starts_nothing_twice(
    sit_down: Callable[..., Seat],
) -> None:
    seat = sit_down()
    threads = len(os.listdir(f"/proc/{seat.process.pid}/task"))
    for _time in range(3):
        seat.process.send_signal(signal.SIGCONT)
        seat.see(ENTERED)
        seat.see("F1")
    assert len(os.listdir(f"/proc/{seat.process.pid}/task")) <= threads
    assert seat.leave() == 0


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_after_a_stop_the_screen_is_drawn_anew(
    sit_down: Callable[..., Seat], number: signal.Signals
) -> None:
    seat = sit_down()
    seat.process.send_signal(number)
    _pid, status = os.waitpid(seat.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    if number == signal.SIGTSTP:
        seat.see(LEFT)
    seat.process.send_signal(signal.SIGCONT)
    seat.see(ENTERED)
    seat.see("F1 Help")
    assert seat.leave() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_gives_the_terminal_back(
    sit_down: Callable[..., Seat], number: signal.Signals
) -> None:
    seat = sit_down()
    seat.type(b"half")
    seat.see("half")
    seat.process.send_signal(number)
    seat.see(LEFT)
    seat.see("Not sent: half")
    assert seat.process.wait(WAIT_S) == -number


@pytest.mark.parametrize("key", [b"\r", b"\x03", b"\x04"], ids=["enter", "ctrl-c", "ctrl-d"])
def test_a_key_brings_the_screen_back_from_the_bare_text(
    sit_down: Callable[..., Seat], key: bytes
) -> None:
    seat = sit_down()
    seat.type(F7)
    seat.see(LEFT)
    seat.see("luis: number")
    seat.see("Enter: back to the chat")
    seat.type(b"no key that ends it" + key)
    seat.see(ENTERED)
    seat.see("F1 Help")
    seat.see("number")
    assert seat.leave() == 0


def test_a_signal_ends_the_program_from_the_bare_text_too(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down()
    seat.type(F7)
    seat.see("Enter: back to the chat")
    seat.process.send_signal(signal.SIGTERM)
    seat.see("You were here")
    assert seat.process.wait(WAIT_S) == -signal.SIGTERM


def test_a_terminal_that_goes_during_the_bare_text_keeps_nobody_in_the_chat(
    sit_down: Callable[..., Seat], server: LonelyServer
) -> None:
    seat = sit_down()
    seat.type(F7)
    seat.see("Enter: back to the chat")
    seat.hang_up()
    assert server.gone.wait(WAIT_S)
    seat.process.wait(WAIT_S)


def test_a_byte_that_is_no_text_is_no_end(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down()
    seat.type(b"ma\xf1ana ")
    seat.see("ma")
    seat.type(b"luz")
    seat.see("luz")
    seat.type(b"\x03")
    assert seat.leave() == 0


def test_the_size_is_the_terminals_whatever_the_environment_says(
    sit_down: Callable[..., Seat],
) -> None:
    seat = sit_down(COLUMNS="200", LINES="50")
    assert "\x1b[24;1H" in seat.everything
    assert "\x1b[25;1H" not in seat.everything
    assert seat.leave() == 0


def test_what_the_terminal_reports_is_not_typed_and_ends_nothing(
    sit_down: Callable[..., Seat],
) -> None:
    seat = sit_down()
    seat.type(b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;22c\x1b[97:65;2u\x1b[9999999999u")
    seat.type(b"luz")
    seat.see("luz")
    assert "rgb:" not in seat.everything
    seat.type(b"\x03")
    assert seat.leave() == 0


def test_no_colour_is_asked_for_where_none_is_wanted(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down(NO_COLOR="1", COLORTERM="truecolor")
    assert seat.leave() == 0
    assert "F1 Help" in seat.everything
    assert "38;" not in seat.everything
    assert "48;" not in seat.everything


def test_no_colour_that_is_empty_is_not_set(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down(NO_COLOR="", COLORTERM="truecolor")
    seat.see("38;2;")
    assert seat.leave() == 0
