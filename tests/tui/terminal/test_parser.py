"""Textual's parser with what is before it: no input is an error, no unknown sequence is text.

Where this works around a fault of Textual, a test shows the fault: if it fails, Textual was mended,
and the part can go.
"""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

from tertulia.tui.terminal import parser
from tertulia.tui.terminal.parser import TerminalParser
from tertulia.tui.terminal.pastes import PASTE_END, PASTE_START

COLOURED = f"{PASTE_START}uno\x1b\rdos{PASTE_END}"
UNKNOWN = [
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]10;rgb:ff/ff/ff\x07", "\x1b]52;c;aG9sYQ==\x07",
    "\x1b]4;1;rgb:8080/0000/0000\x07", "\x1b]lwindow title\x1b\\", "\x1bP>|XTerm(380)\x1b\\",
    "\x1bP1$r0m\x1b\\", "\x1bP1+r544e=787465726d\x1b\\", "\x1b_Gi=31;OK\x1b\\",
    "\x1b[?62;22c", "\x1b[>41;380;0c", "\x1b[0n", "\x1b[4;600;800t", "\x1b[8;24;80t", "\x1b[?1u",
    "\x1b[?997;1n", "\x1b[99~", "\x1b[1;2W", "\x1b[9999999999999999999999u", "\x1b[55296u",
    "\x1b[97;2;1114112u", "\x1b[97;99999u", "\x1b[48;0;0;0;0t", "\x1b[48;24;80;0;0t", "\x1bO5z",
    "\x1b[?1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1c", "\x1b[97;1:3u", "\x1b[1;1:3A",
]  # fmt: skip


def words(messages: Iterable[Message]) -> list[str]:
    """Write keys and pastes as words."""
    found = []
    for message in messages:
        if isinstance(message, events.Paste):
            found.append(f"paste {message.text}")
        elif isinstance(message, events.Key):
            found.append(message.key)
    return found


def parse(parser: XTermParser, *pieces: str) -> list[str]:
    return [word for piece in pieces for word in words(parser.feed(piece))]


# --- pastes --------------------------------------------------------------------------------------


def test_textuals_own_parser_still_breaks_a_paste_at_an_escape() -> None:
    assert parse(XTermParser(), COLOURED) != ["paste uno\rdos"]


def test_our_parser_keeps_a_paste_with_escapes_whole() -> None:
    assert parse(TerminalParser(), f"a{COLOURED}b") == ["a", "paste uno\rdos", "b"]


def test_our_parser_leaves_keys_with_escapes_as_they_are() -> None:
    keys = "\x1b[A\x1b[1;5Cx\x1b[Z"
    assert parse(TerminalParser(), keys) == ["up", "ctrl+right", "x", "shift+tab"]


def test_our_parser_does_not_take_a_piece_that_is_held_back_for_the_end_of_the_input() -> None:
    parser = TerminalParser()
    pieces = [f"{PASTE_START}uno", "\x1b", "[20", f"1~{PASTE_START}dos", PASTE_END]
    assert parse(parser, *pieces) == ["paste uno", "paste dos"]
    assert words(parser.feed("")) == []


def test_a_paste_is_between_the_marks_that_the_filter_knows() -> None:
    assert (PASTE_START, PASTE_END) == (BRACKETED_PASTE_START, BRACKETED_PASTE_END)


# --- sequences that Textual does not know --------------------------------------------------------


def test_textuals_own_parser_still_takes_an_answer_for_text() -> None:
    assert "r" in parse(XTermParser(), UNKNOWN[0], "x")


def test_textuals_own_parser_still_fails_at_a_key_with_sub_parameters() -> None:
    with pytest.raises(ValueError, match="97:65"):
        parse(XTermParser(), "\x1b[97:65;2u")


@pytest.mark.parametrize("sequence", UNKNOWN)
def test_what_is_no_key_is_dropped_and_the_next_key_is_read(sequence: str) -> None:
    assert parse(TerminalParser(), f"a{sequence}b") == ["a", "b"]
    assert parse(TerminalParser(), "a", *sequence, "b") == ["a", "b"]


@pytest.mark.parametrize(
    ("sequence", "key"),
    [
        ("\x1b[97:65;2;65u", "A"),
        ("\x1b[99::99;5u", "ctrl+c"),
        ("\x1b[99;5:1u", "ctrl+c"),
        ("\x1b[99;5:2u", "ctrl+c"),
        ("\x1b[1;5:1C", "ctrl+right"),
        ("\x1b[3;1:1~", "delete"),
        ("\x1b[57441;2:1u", "left_shift"),
        ("\x1b[0;;229u", "å"),
        ("\x1b[27;5;120~", "ctrl+x"),
        ("\x1b[13u", "enter"),
        # Cyrillic letters, with and without the letter of a Latin keyboard.
        ("\x1b[1089::99;5u", "ctrl+c"),
        ("\x1b[1089:1057:99;5u", "ctrl+c"),
        ("\x1b[1081;5u", "ctrl+q"),
        ("\x1b[1089;69u", "ctrl+c"),  # Caps Lock is on
        ("\x1b[1089;;1089u", "с"),
        ("\x1b[1089:1057:99;2;1057u", "С"),
    ],
)
def test_sub_parameters_of_a_key_are_no_error(sequence: str, key: str) -> None:
    assert parse(TerminalParser(), sequence) == [key]


def test_text_that_a_terminal_sends_with_a_key_is_read_whole() -> None:
    assert parse(TerminalParser(), "\x1b[0;;110:771u") == ["n", "combining_tilde"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*"[]OPX_^<?;:-$M~ucRt0123456789", "\x1b", "\x1b[", "\x07", "\x1b\\"]),
            st.characters(),
        ),
        max_size=40,
    )
)
def test_no_input_is_an_error(pieces: list[str]) -> None:
    parser = TerminalParser()
    for piece in pieces:
        parse(parser, piece)
        words(parser.tick())
    assert words(parser.feed("")) is not None


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pressed", "key"),
    [("\x1b", "escape"), ("\x1bx", "alt+x"), ("\x1bP", "alt+shift+p")],
)
def test_a_key_that_could_begin_a_sequence_is_read_in_time(
    pressed: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser.constants, "ESCAPE_DELAY", 0.0)
    reader = TerminalParser()
    assert [*parse(reader, pressed), *words(reader.tick())] == [key]
    assert parse(reader, "y") == ["y"]


def test_textual_reads_the_shift_enter_of_modify_other_keys_in_its_own_way() -> None:
    assert parse(TerminalParser(), "\x1b[27;2;13~") == ["shift+\r"]
