"""A SIGHUP of a terminal that goes away, and one that is a wish."""

import subprocess
import sys

import pytest

from tertulia.server.supervision.hangup import Hangups

LOOK = """
import os
from tertulia.server.supervision.hangup import Terminal
terminal = Terminal()
print("has" if terminal.fileno() >= 0 else "none", terminal.has_gone(), flush=True)
"""


def test_a_signal_without_the_end_of_a_terminal_is_a_wish() -> None:
    hangups = Hangups()
    assert [hangups.on_signal(now) for now in (1.0, 1.1, 500.0)] == [False, False, False]


@pytest.mark.parametrize("between_s", [0.0, 1.5, 2.0])
def test_a_signal_close_to_the_end_of_the_terminal_is_a_hangup(between_s: float) -> None:
    after, before = Hangups(), Hangups()
    assert not after.on_terminal_gone(10.0)
    assert after.on_signal(10.0 + between_s)
    assert not before.on_signal(10.0)
    assert before.on_terminal_gone(10.0 + between_s)


def test_a_signal_long_after_the_end_of_the_terminal_is_a_wish_again() -> None:
    hangups = Hangups()
    assert not hangups.on_terminal_gone(10.0)
    assert not hangups.on_signal(12.25)


def test_a_process_without_a_controlling_terminal_has_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], start_new_session=True, capture_output=True, timeout=20
    )
    assert done.stdout == b"none False\n"
