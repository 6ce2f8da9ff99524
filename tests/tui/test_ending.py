"""How the program ends: its last lines, its exit status, or the signal that ended its screen."""

import signal

import pytest

from tertulia.tui import ending as ending_module
from tertulia.tui.ending import Ending, finish


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Record the signals instead of dying of them, and what was to handle them."""
    done: list[tuple[str, object]] = []
    monkeypatch.setattr(
        ending_module.signal, "signal", lambda number, handler: done.append((handler, number))
    )
    monkeypatch.setattr(
        ending_module.signal, "raise_signal", lambda number: done.append(("raised", number))
    )
    return done


def test_the_lines_of_the_ending_come_before_the_farewell(
    capsys: pytest.CaptureFixture[str], raised: list[tuple[str, object]]
) -> None:
    assert finish(Ending(4, ["refused", "not sent: a\x1b"]), ["goodbye"]) == 4
    assert capsys.readouterr() == ("", "refused\nnot sent: a␛\ngoodbye\n")
    assert raised == []


def test_a_screen_that_has_failed_says_goodbye_and_ends_with_a_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert finish(None, ["goodbye"]) == 1
    assert capsys.readouterr().err == "goodbye\n"


def test_a_signal_that_ended_the_screen_ends_the_program_with_its_default_handler(
    capsys: pytest.CaptureFixture[str], raised: list[tuple[str, object]]
) -> None:
    finish(Ending(0, [], signal.SIGTERM), ["goodbye"])
    assert capsys.readouterr().err == "goodbye\n"
    assert raised == [(signal.SIG_DFL, signal.SIGTERM), ("raised", signal.SIGTERM)]


def test_the_deadline_of_a_signal_is_cancelled_at_the_end() -> None:
    signal.alarm(1_000)
    finish(Ending(0, []), [])
    assert signal.alarm(0) == 0
