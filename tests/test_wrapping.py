"""Sentences for a terminal end their lines between words, and commands stay whole."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from tertulia import wrapping
from tertulia.wrapping import wrapped, wrapped_for

SENTENCE = "No server is listening at 127.0.0.1, port 5000. Check the address."


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    master, slave = pty.openpty()
    with open(slave, "w") as stream:
        yield stream
    os.close(master)


@pytest.mark.parametrize("columns", [20, 33, 40, 80])
def test_lines_end_between_words_and_leave_the_last_column_empty(columns: int) -> None:
    lines = wrapped(SENTENCE, columns).split("\n")
    assert " ".join(lines) == SENTENCE
    assert max(map(len, lines)) < columns


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert wrapped("one  two\n\n  three", 80) == "one  two\n\n  three"
    assert wrapped("", 80) == ""


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert wrapped("a " + "x" * 30 + " b", 10) == "a\n" + "x" * 30 + "\nb"


@pytest.mark.parametrize("program", ["tertulia", ".venv/bin/tertulia", "'/my venv/bin/tertulia'"])
def test_a_command_at_the_end_stays_in_one_piece_to_be_copied(program: str) -> None:
    command = f"{program} luis2 192.168.1.10 5000 --source 127.0.0.2"
    assert (
        wrapped(f"The name is taken. Try: {command}", 30) == f"The name is taken. Try:\n{command}"
    )
    assert wrapped(f"Try: {command}", 200) == f"Try: {command}"


def test_a_row_that_begins_with_a_space_is_not_broken() -> None:
    assert wrapped("  /quit, /salir  leave the chat", 10) == "  /quit, /salir  leave the chat"


def test_wide_letters_count_twice_and_marks_not_at_all() -> None:
    assert wrapped("日本語 日本語", 13) == "日本語\n日本語"
    assert wrapped("e\u0301e\u0301 e\u0301", 5) == "e\u0301e\u0301 e\u0301"


def test_joined_emoji_count_as_in_the_terminal_that_draws_them_side_by_side() -> None:
    assert wrapped("👩\u200d💻 ab", 7) == "👩\u200d💻\nab"
    assert wrapped("👩\u200d💻 ab", 8) == "👩\u200d💻 ab"


def test_without_wcwidth_each_character_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wcwidth", None)
    monkeypatch.delitem(sys.modules, "tertulia.graphemes", raising=False)
    wrapping._measure.cache_clear()
    try:
        assert wrapped("señal ñandú", 12) == "señal ñandú"
        assert wrapped("señal ñandú", 11) == "señal\nñandú"
    finally:
        wrapping._measure.cache_clear()


def test_what_is_slow_to_import_is_left_until_a_text_needs_it() -> None:
    code = (
        "import sys; from tertulia.wrapping import wrapped; "
        "wrapped('plain words', 6); before = 'wcwidth' in sys.modules; "
        "wrapped('señal ñandú', 6); print(before, 'wcwidth' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


def test_only_what_goes_to_a_terminal_is_wrapped(
    terminal: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    assert wrapped_for(io.StringIO(), SENTENCE) == SENTENCE
    assert wrapped_for(terminal, SENTENCE) == SENTENCE, "the terminal does not know its width"
    monkeypatch.setattr(os, "get_terminal_size", lambda _fd: os.terminal_size((30, 24)))
    assert wrapped_for(terminal, SENTENCE) == wrapped(SENTENCE, 30)
