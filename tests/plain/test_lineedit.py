"""Keys in; a line, actions and a row of the terminal out."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.plain.lineedit import (
    MAX_CHARS,
    Action,
    Control,
    Discard,
    LineEditor,
    Paste,
    Submit,
)
from tertulia.plain.pastes import Pasted

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
BACKSPACE, TAB, SHIFT_TAB = b"\x7f", b"\t", b"\x1b[Z"


def complete(before: str) -> tuple[int, list[str]]:
    word = before.split(" ")[-1]
    names = [name for name in ("luis ", "lucía ", "zoe ") if word and name.startswith(word)]
    return len(before) - len(word), names


def new_editor(columns: int = 80, prompt: str = "> ") -> LineEditor:
    editor = LineEditor(complete, columns=columns, prompt=prompt)
    editor.show()
    return editor


def type_in(editor: LineEditor, *data: bytes) -> list[Action]:
    return [action for chunk in data for action in editor.feed(chunk)]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"hola", "hola"),
        (b"hola" + LEFT + LEFT + b"X", "hoXla"),
        (b"hola" + LEFT * 9 + b"X" + RIGHT * 2 + b"Y", "XhoYla"),
        (b"hola" + HOME + b"X" + END + b"Y", "XholaY"),
        (b"hola\x01X\x05Y", "XholaY"),
        (b"hola" + BACKSPACE, "hol"),
        (b"hola\x08", "hol"),
        (b"hola" + HOME + BACKSPACE + DELETE, "ola"),
        (b"hola" + HOME + b"\x04", "ola"),
        (b"hola mundo\x17", "hola "),
        (b"hola mundo  \x17\x17", ""),
        (b"hola mundo" + LEFT * 5 + b"\x15", "mundo"),
        (b"hola mundo" + LEFT * 5 + b"\x0b", "hola "),
        (b"hola\x03", ""),
        ("né日本e\u0301x".encode() + LEFT + BACKSPACE, "né日本x"),
        ("👩‍💻👍🏽".encode() + BACKSPACE, "👩‍💻"),
        ("🇬🇹🇲🇽".encode() + BACKSPACE, "🇬🇹"),
        ("🇬🇹".encode() + HOME + "🇲🇽".encode() + BACKSPACE, "🇬🇹"),
        (b"a\x1b[1;5Cb", "ab"),
        (b"a\x1b[1~b\x1b[4~c\x1bOHd\x1bOFe", "dbace"),
        (b"a\x1b[200~b\x1b[?1;2c\x1b[[Ac\x1bOPd\x1bxe\x1b\x1b[Af", "abcdef"),
        (b"a\x1b[" + b"1" * 40 + b"b", "a" + "1" * 10 + "b"),
        (b"a\x00\x02b\x12\x14c", "bca"),
        ("a\u009bb\u0085c".encode(), "abc"),
        (b"caf\xe9 x", "caf\ufffd x"),
    ],
)
def test_keys_edit_the_line(keys: bytes, line: str) -> None:
    editor = new_editor()
    type_in(editor, keys)
    assert editor.line == line
    editor = new_editor()
    type_in(editor, *(bytes([byte]) for byte in keys))
    assert editor.line == line, "it matters how the bytes are split"


def test_enter_submits_and_begins_anew() -> None:
    editor = new_editor()
    assert type_in(editor, b"one\r", b"two\n", b"four\r\n", b"three") == [
        Submit("one"), Submit("two"), Submit("four"),
    ]  # fmt: skip
    assert editor.line == "three"


def test_enter_on_an_empty_line_does_nothing() -> None:
    assert type_in(new_editor(), b"\n", b"   \n\r", b"\n\r") == []


def test_ctrl_c_clears_a_line_and_is_an_action_on_an_empty_one() -> None:
    assert type_in(new_editor(), b"hola\x03\x03") == [Control.INTERRUPT]


def test_ctrl_d_ends_the_input_only_on_an_empty_line() -> None:
    editor = new_editor()
    assert type_in(editor, b"a\x04") == []
    assert type_in(editor, b"\x7f\x04") == [Control.END_OF_INPUT]


def test_history_goes_up_and_down_and_keeps_the_draft() -> None:
    editor = new_editor()
    type_in(editor, b"one\n", b"two\n", b"two\n", b"draft")
    seen = []
    for key in (UP, UP, UP, DOWN, DOWN, DOWN):
        type_in(editor, key)
        seen.append(editor.line)
    assert seen == ["two", "one", "one", "two", "draft", "draft"]


def test_ctrl_c_keeps_what_was_typed_in_the_history() -> None:
    editor = new_editor()
    seen = []
    type_in(editor, b"one\n", b"two\n", b"half", UP, UP, b"!", b"\x03")
    for _press in range(4):
        type_in(editor, UP)
        seen.append(editor.line)
    assert seen == ["one!", "half", "two", "one"]


# --- texts of several lines ----------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_paste_waits_for_enter_with_its_tabs_and_blank_lines(end: bytes) -> None:
    editor = new_editor()
    assert type_in(editor, end.join([b"one", b"\ttwo", b"", b"/quit", b""])) == [Paste(4)]
    assert (editor.line_number, editor.line) == (5, "one\n\ttwo\n\n/quit\n")
    assert type_in(editor, b"\r") == [Submit("one\n\ttwo\n\n/quit\n")]
    assert (editor.line_number, editor.line) == (1, "")


def test_a_paste_that_comes_in_pieces_waits_for_enter_too() -> None:
    editor = new_editor()
    type_in(editor, b"one\rtwo\r")
    assert list(editor.feed(b"three\r", paste_goes_on=True)) == [Paste(3)]
    assert list(editor.feed(b"\r", paste_goes_on=True)) == [Submit("one\ntwo\nthree\n")]


def test_only_a_paste_into_an_empty_line_is_no_command_whatever_it_says() -> None:
    editor = new_editor()
    [_paste, submitted] = type_in(editor, b"/quit\rnow", b"\r")
    assert isinstance(submitted, Submit)
    assert isinstance(submitted.line, Pasted)
    type_in(editor, UP)
    assert isinstance(editor.line, Pasted), "neither when it is recalled"
    type_in(editor, b"\x03", b"/quit", b"\x03", b"@luis ")
    [paste, submitted] = type_in(editor, b"one\rtwo", b"\r")
    assert paste == Paste(2)
    assert submitted == Submit("@luis one\ntwo")
    assert not isinstance(submitted.line, Pasted)


def test_what_is_typed_after_a_paste_belongs_to_it() -> None:
    editor = new_editor()
    type_in(editor, b"one\rtwo", b"!", LEFT + LEFT, b"three\rfour\r")
    assert editor.line == "one\ntwthree\nfour\no!"
    assert type_in(editor, b"\r") == [Submit("one\ntwthree\nfour\no!")]


@pytest.mark.parametrize("keys", [b"hola\r", b"hola\r\r", b"hola\n" + UP, b"hola\r\x04"])
def test_keys_after_a_line_end_make_no_paste_of_it(keys: bytes) -> None:
    assert Submit("hola") in type_in(new_editor(), keys)


def test_keys_in_a_paste_are_none_but_ctrl_c() -> None:
    editor = new_editor()
    assert type_in(editor, b"a\r\x01b\x1b[Dc\x04\x15d\re") == [Paste(3)]
    assert editor.line == "a\nbcd\ne"
    assert type_in(editor, b"\x03x\ry\x03") == [Discard(3), Discard(2)]
    assert editor.line == ""


@pytest.mark.parametrize("key", [b"\x1b\r", b"\x1b\n", b"\x0f"])
def test_several_lines_can_be_typed_and_joined_again(key: bytes) -> None:
    editor = new_editor()
    assert type_in(editor, b"one", key, b"two" + LEFT, key) == [Control.NEXT_LINE] * 2
    assert (editor.line_number, editor.line) == (3, "one\ntw\no")
    type_in(editor, BACKSPACE)
    assert editor.line == "one\ntwo"
    type_in(editor, HOME, BACKSPACE, b"+")
    assert (editor.line_number, editor.line) == (1, "one+two")
    assert type_in(editor, b"\r") == [Submit("one+two")]


def test_a_text_of_several_lines_is_recalled_and_taken_back_whole() -> None:
    editor = new_editor()
    type_in(editor, b"one", b"\x0f", b"two", b"\r", b"half", UP)
    assert (editor.line_number, editor.line) == (2, "one\ntwo")
    assert type_in(editor, DOWN) == []
    assert editor.line == "half"
    assert type_in(editor, UP, b"\x03", b"\x03") == [Discard(2), Control.INTERRUPT]


def test_ctrl_d_does_not_end_the_input_while_lines_stand_above() -> None:
    assert type_in(new_editor(), b"one\rtwo\r", b"\x04") == [Paste(2)]


def test_of_a_paste_that_is_too_long_the_beginning_is_kept() -> None:
    editor = new_editor()
    [paste] = type_in(editor, (b"x" * 99 + b"\r") * 1_000)
    assert paste == Paste(1_000)
    assert 0 <= len(editor.line) - MAX_CHARS < 1_000


def test_a_tab_between_letters_that_come_at_once_is_text_if_it_completes_nothing() -> None:
    editor = new_editor()
    type_in(editor, b"a\tb")
    assert editor.line == "a\tb"
    type_in(editor, b"\x03", b"lu\tb")
    assert editor.line == "luis b"


def test_tab_goes_round_the_candidates_and_any_other_key_ends_that() -> None:
    editor = new_editor()
    seen = []
    type_in(editor, b"say lu")
    for _press in range(3):
        type_in(editor, TAB)
        seen.append(editor.line)
    assert seen == ["say luis ", "say lucía ", "say luis "]
    type_in(editor, b"z", TAB)
    assert editor.line == "say luis zoe "


def test_shift_tab_goes_back_through_the_candidates() -> None:
    editor = new_editor()
    seen = []
    type_in(editor, b"say lu")
    for key in (TAB, TAB, SHIFT_TAB, SHIFT_TAB, SHIFT_TAB):
        type_in(editor, key)
        seen.append(editor.line)
    assert seen == ["say luis ", "say lucía ", "say luis ", "say lucía ", "say luis "]
    type_in(editor, b"\x15lu", SHIFT_TAB)
    assert editor.line == "lucía "


def test_tab_completes_before_the_cursor_and_keeps_what_is_behind_it() -> None:
    editor = new_editor()
    type_in(editor, b"zo!" + LEFT + TAB + b"x")
    assert editor.line == "zoe x!"


def test_a_lone_esc_takes_no_other_key_with_it() -> None:
    editor = new_editor()
    type_in(editor, b"a\x1b")
    assert editor.in_escape_sequence
    editor.give_up_escape_sequence()
    type_in(editor, b"[b")
    assert editor.line == "a[b"


def test_appending_writes_just_the_character() -> None:
    editor = new_editor()
    editor.pop_output()
    type_in(editor, b"a")
    assert editor.pop_output() == "a"
    type_in(editor, "日".encode())
    assert editor.pop_output() == "日"


def test_a_hidden_row_leaves_no_trace_and_comes_back_as_it_was(
    new_screen: Callable[..., Any],
) -> None:
    editor = new_editor()
    type_in(editor, "half 日本 typed".encode() + LEFT * 3)
    screen = new_screen()
    screen.write(editor.pop_output())
    cursor = screen.cursor
    editor.hide()
    screen.write(editor.pop_output() + "[12:00] luis: hola\n")
    type_in(editor, b"XY" + BACKSPACE)  # typed meanwhile
    assert editor.pop_output() == ""
    editor.show()
    screen.write(editor.pop_output())
    assert screen.above == ["[12:00] luis: hola"]
    assert screen.text == "> half 日本 tyXped"
    assert screen.cursor == cursor + 1


def test_a_row_that_is_left_stays_above() -> None:
    editor = new_editor()
    editor.pop_output()
    for action in editor.feed(b"/users\n"):
        assert action == Submit("/users")
        editor.leave()
    editor.show()
    assert editor.pop_output() == "/users\n> "


def test_the_prompt_can_change_under_a_half_typed_line(new_screen: Callable[..., Any]) -> None:
    editor = new_editor(prompt="ana> ")
    type_in(editor, b"half" + LEFT)
    editor.set_prompt("ana, asking for busy> ")
    editor.set_prompt("ana, busy> ")
    screen = new_screen()
    screen.write(editor.pop_output())
    assert screen.text == "ana, busy> half"
    assert screen.cursor == len("ana, busy> hal")


def test_a_long_line_is_seen_through_a_window_around_the_cursor(
    new_screen: Callable[..., Any],
) -> None:
    editor = new_editor(columns=30)
    screen = new_screen(30)
    text = "".join(f"{number:04}" for number in range(50))
    type_in(editor, text.encode())
    screen.write(editor.pop_output())
    assert screen.text.startswith("> ")
    assert screen.text.endswith("0049")
    type_in(editor, HOME)
    screen.write(editor.pop_output())
    assert screen.text == "> " + text[:27]
    assert screen.cursor == 2
    type_in(editor, b"\x05\x15")
    screen.write(editor.pop_output())
    assert screen.text == ">"


def test_another_width_draws_the_row_anew(new_screen: Callable[..., Any]) -> None:
    editor = new_editor(columns=80)
    type_in(editor, b"x" * 60)
    editor.pop_output()
    editor.set_columns(40)
    screen = new_screen(40)
    screen.write(editor.pop_output())
    assert screen.text == "> " + "x" * (len(screen.text) - 2)


@pytest.mark.parametrize("columns", [1, 2, 5, 12])
def test_no_width_is_too_small(columns: int) -> None:
    editor = new_editor(columns=columns, prompt="ana> ")
    type_in(editor, "hola 日本".encode() + LEFT * 3 + b"x" + HOME)
    assert editor.line == "holax 日本"


KEYS = st.sampled_from(
    [
        *(text.encode() for text in ("a", "b ", "ñ", "日", "e\u0301", "👩‍💻", "👍🏽", "\u202e")),
        UP, DOWN, LEFT, LEFT, RIGHT, HOME, END, DELETE, BACKSPACE, TAB, SHIFT_TAB,
        b"\n", b"\x1b\r", b"\x0f", b"pasted\rlines",
        b"\x15", b"\x17", b"\x0b", b"\x03", b"\x0c", b"long words that fill the row ",
    ]
)  # fmt: skip


@given(st.lists(KEYS, max_size=30), st.integers(24, 50), st.booleans())
def test_after_any_keys_the_screen_shows_the_window_of_the_line(
    new_screen: Callable[..., Any], keys: list[bytes], columns: int, joins: bool
) -> None:
    editor = new_editor(columns=columns, prompt="ana> ")
    screen = new_screen(columns, joins=joins)
    screen.write(editor.pop_output())
    for key in keys:
        type_in(editor, key)
        screen.write(editor.pop_output())
    editor.redraw()
    anew = new_screen(columns, joins=joins)
    anew.write(editor.pop_output())
    assert screen.text == anew.text
    assert screen.cursor == anew.cursor
    assert screen.above == []
