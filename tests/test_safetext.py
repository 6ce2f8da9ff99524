"""Text from elsewhere cannot control a terminal, and ordinary text stays as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.safetext import visible, visible_in_a_line, visible_json, without_gaps

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
        ("a\u200bb\u2060\ufeff\u206f", "a<U+200B>b<U+2060><U+FEFF><U+206F>"),
        ("José 日本 👩‍💻 שלום", "José 日本 👩‍💻 שלום"),
        ("می\u200cخواهم a\u00a0b\u3000c", "می\u200cخواهم a\u00a0b\u3000c"),
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


def test_many_blank_lines_are_one() -> None:
    assert without_gaps("a\n\n\n \n\t\nb\n\nc\nd") == "a\n\nb\n\nc\nd"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_json_that_is_made_visible_means_the_same(text: str) -> None:
    line = json.dumps({"text": text}, ensure_ascii=False).encode()
    shown = visible_json(line)
    assert json.loads(shown) == {"text": text}
    assert not UNSAFE & set(shown.decode())
