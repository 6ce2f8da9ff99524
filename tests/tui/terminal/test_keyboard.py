"""Pastes come out of the parser as pastes, however they are cut by reading."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver

from tertulia.tui.terminal import keyboard
from tertulia.tui.terminal.keyboard import PasteKeepingParser

START, END = "\x1b[200~", "\x1b[201~"


def parse(*pieces: str) -> list[str]:
    parser = PasteKeepingParser()
    found = []
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, events.Paste):
                found.append(f"paste {event.text}")
            elif isinstance(event, events.Key):
                found.append(event.key)
    return found


def test_a_paste_with_escapes_is_one_paste() -> None:
    data = f"a{START}uno\r\x1b[31mdos\x1b\r\x1b\x1b{END}b"
    assert parse(data) == ["a", "paste uno\r[31mdos\r", "b"]


def test_keys_with_escapes_stay_as_they_are() -> None:
    assert parse("\x1b[A\x1b[1;5Cx\x1b[Z") == ["up", "ctrl+right", "x", "shift+tab"]


@given(st.lists(st.integers(0, 60)))
def test_however_the_input_is_cut_the_events_are_the_same(cuts: list[int]) -> None:
    data = f"\x1b[Aa{START}uno\x1b[201dos\x1b{END}\x1b[B{START}\x1b[200~tres{END}\x1b[C"
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert parse(*pieces) == [
        "up", "a", "paste uno[201dos", "down", "paste [200~tres", "right"
    ]  # fmt: skip


@pytest.fixture
def driver() -> Iterator[None]:
    yield
    linux_driver.XTermParser = XTermParser


@pytest.mark.usefixtures("driver")
def test_the_driver_uses_it_once_it_is_installed() -> None:
    keyboard.install()
    assert linux_driver.XTermParser is PasteKeepingParser
