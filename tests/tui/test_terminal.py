"""The program itself on a terminal of its own: ways out, stops, and bytes that are no text."""

import contextlib
import os
import signal
import termios
from collections.abc import Callable, Iterator

import pytest
from seat import ENTERED, LEFT, WAIT_S, LonelyServer, Seat
from terminal_user import BACKGROUND_SCRIPT

pytestmark = pytest.mark.long

CTRL_Z = b"\x1a"
CYRILLIC_CTRL_Q = b"\x1b[1081::113;5u"  # as kitty reports it
F7 = b"\x1b[18~"


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
    seat.see("F1")
    assert seat.leave() == 0


def test_in_the_background_it_waits_and_can_be_ended(server: LonelyServer) -> None:
    seat = Seat(server.port, script=BACKGROUND_SCRIPT)
    with contextlib.closing(seat):
        seat.type(b"in front\r")
        seat.see(ENTERED)
        seat.see("F1")
        seat.type(b"draft")
        seat.see("draft")
        seat.type(CTRL_Z)
        seat.see("stopped")
        seat.type(b"in front\r")
        seat.see(ENTERED)
        seat.see("F1")
        seat.type(CTRL_Z)
        seat.see("Not sent: draft")
        seat.see("ended 143")
        assert seat.process.wait(WAIT_S) == 0
        assert termios.tcgetattr(seat._slave) == seat.settings
        assert "Traceback" not in seat.everything


def test_without_a_shell_ctrl_z_stops_nothing(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down()
    seat.type(CTRL_Z)
    seat.see("There is no shell to go back to.")
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
    seat.see("F1")
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
    assert "Help" in seat.everything
    assert "38;" not in seat.everything
    assert "48;" not in seat.everything


def test_no_colour_that_is_empty_is_not_set(sit_down: Callable[..., Seat]) -> None:
    seat = sit_down(NO_COLOR="", COLORTERM="truecolor")
    seat.see("38;2;")
    assert seat.leave() == 0
