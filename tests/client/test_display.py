"""Nothing that the network sends may steer a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.display import (
    Glyphs,
    clock_time,
    duration,
    visible,
    visible_in_a_line,
    visible_json,
)
from tertulia.protocol.messages import Status

BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
UNSAFE = {
    *(chr(code) for code in range(0x20) if chr(code) not in "\n\t"),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *(chr(code) for code in BIDI),
    "\u2028",
    "\u2029",
    *(chr(code) for code in range(0xD800, 0xE000)),
}


def test_everything_that_steers_a_terminal_is_shown_as_a_mark() -> None:
    for character in UNSAFE:
        shown = visible(f"a{character}b")
        assert character not in shown
        assert len(shown) > 2
        shown.encode()  # not even a surrogate is left


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x7f", "␡"),
        ("\x9b31m", "<U+009B>31m"),
        ("abc\u202edef", "abc<U+202E>def"),
        ("\ud800", "<U+D800>"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("José 日本 👩‍💻 שלום", "José 日本 👩‍💻 שלום"),
        ("[red]not markup[/]", "[red]not markup[/]"),
    ],
)
def test_the_marks_are_readable_and_ordinary_text_is_left_alone(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(alphabet=st.characters()))
def test_whatever_the_text_nothing_unsafe_is_left_and_twice_is_once(text: str) -> None:
    shown = visible(text)
    assert not UNSAFE & set(shown)
    assert visible(shown) == shown


def test_a_name_stays_on_its_line() -> None:
    assert visible_in_a_line("ana\n[12:00] luis: hi\t") == "ana␊[12:00] luis: hi␉"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_that_is_made_visible_means_the_same(text: str) -> None:
    line = json.dumps({"text": text}, ensure_ascii=False).encode()
    shown = visible_json(line)
    assert json.loads(shown) == {"text": text}
    assert not UNSAFE & set(shown.decode())


def test_a_status_is_shape_and_word_and_ascii_where_the_shapes_are_missing() -> None:
    assert [Glyphs("utf-8").status(status) for status in Status] == [
        "● ACTIVO",
        "◐ OCUPADO",
        "○ INACTIVO",
    ]
    for encoding in ("ascii", "latin-1"):
        glyphs = Glyphs(encoding)
        for text in [*(glyphs.status(status) for status in Status), glyphs["→"], glyphs["…"]]:
            text.encode("ascii")


def test_times_are_shown_in_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Guatemala")
    import time

    time.tzset()
    try:
        assert clock_time("2026-11-22T15:04:05.123Z") == "09:04"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-40T99:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_is_none_does_no_harm(time: str) -> None:
    assert len(clock_time(time)) == 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min 59 s"),
        (7_500, "2 h 5 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_a_length_of_time_is_shown_with_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
