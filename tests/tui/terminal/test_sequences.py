"""What the terminal sends is cut into text and whole sequences, however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.tui.terminal.sequences import SEQUENCE_ENDS_WITHIN_S, SequenceSplitter

DELAY_S = 0.1
COLOUR = "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\"
READ = [
    ("hola", ["hola"]),
    ("\x1b[A", ["\x1b[A"]),
    ("a\x1b[1;5Cb", ["a", "\x1b[1;5C", "b"]),
    ("\x1b[200~uno\x1b[201~x", ["\x1b[200~", "uno", "\x1b[201~", "x"]),
    ("\x1b[97:65:99;2:1;65:66u", ["\x1b[97:65:99;2:1;65:66u"]),
    ("\x1b[<35;-1;20Mx", ["\x1b[<35;-1;20M", "x"]),
    ("\x1b[M !!x", ["\x1b[M !!", "x"]),
    ("\x1b[[Ax", ["\x1b[[A", "x"]),
    ("\x1b[23$x", ["\x1b[23$", "x"]),
    ("\x1b[?2026;2$yx", ["\x1b[?2026;2$y", "x"]),
    ("\x1b[>0;276;0cx", ["\x1b[>0;276;0c", "x"]),
    ("\x1bOPx", ["\x1bOP", "x"]),
    ("\x1bO5Ax", ["\x1bO5A", "x"]),
    (f"{COLOUR}x", [COLOUR, "x"]),
    ("\x1b]10;#fff\x07x", ["\x1b]10;#fff\x07", "x"]),
    ("\x1b]52;c;aG9sYQ==\x9cx", ["\x1b]52;c;aG9sYQ==\x9c", "x"]),
    ("\x1bP>|term(1)\x1b\\x", ["\x1bP>|term(1)\x1b\\", "x"]),
    ("\x1b_Gi=1;OK\x1b\\x", ["\x1b_Gi=1;OK\x1b\\", "x"]),
    ("\x1b^private\x1b\\x", ["\x1b^private\x1b\\", "x"]),
    ("\x1bXstring\x1b\\x", ["\x1bXstring\x1b\\", "x"]),
    ("\x1bfx", ["\x1bf", "x"]),
    ("\x1b\rx", ["\x1b\r", "x"]),
    ("\x1b\x1b[Ax", ["\x1b", "\x1b[A", "x"]),
]
BROKEN_OFF = [
    ("\x1b[12\rx", ["\rx"]),
    ("\x1b[12\x1b[A", ["\x1b[A"]),
    ("\x1b[1é", ["é"]),
    ("\x1b]11;rgb\rx", ["\rx"]),
    ("\x1b]11;rgb\x1b[A", ["\x1b[A"]),
    ("\x1bP1$r\x03", ["\x03"]),
    ("\x1bO5\n", ["\n"]),
]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def split(*pieces: str) -> list[str]:
    splitter = SequenceSplitter(Clock())
    return [unit for piece in pieces for unit in splitter.feed(piece)]


def joined(units: list[str]) -> list[str]:
    """Join texts that are beside each other, as the pieces have cut them."""
    whole: list[str] = []
    for unit in units:
        if whole and not unit.startswith("\x1b") and not whole[-1].startswith("\x1b"):
            whole[-1] += unit
        else:
            whole.append(unit)
    return whole


@pytest.mark.parametrize(("data", "units"), READ + BROKEN_OFF)
def test_each_sequence_is_whole_and_the_text_is_beside_it(data: str, units: list[str]) -> None:
    assert split(data) == units
    assert joined(split(*data)) == units, "it matters how the characters are split"


@given(st.lists(st.sampled_from([data for data, _ in READ]), max_size=5).map("".join), st.data())
def test_it_is_the_same_however_it_is_cut(data: str, draws: st.DataObject) -> None:
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    ends = zip([0, *cuts], [*cuts, len(data)], strict=True)
    assert joined(split(*(data[start:end] for start, end in ends))) == joined(split(data))


@given(st.text("\x1b[]OPM0;:?<$m~\\\x07\r aé", max_size=40))
def test_nothing_is_made_up(data: str) -> None:
    units = split(data)
    assert all(units)
    rest = iter(data)
    assert all(character in rest for unit in units for character in unit)


@pytest.mark.parametrize("key", ["\x1b", "\x1b[", "\x1b]", "\x1bO", "\x1bP"])
def test_what_could_begin_a_sequence_is_a_key_if_nothing_follows_in_time(key: str) -> None:
    clock = Clock()
    splitter = SequenceSplitter(clock)
    assert list(splitter.feed(key)) == []
    assert splitter.give_up(DELAY_S) == ""
    clock.now += 2 * DELAY_S
    assert splitter.give_up(DELAY_S) == key
    assert splitter.give_up(DELAY_S) == ""
    assert list(splitter.feed("x")) == ["x"]


@pytest.mark.parametrize("begun", ["\x1b[1;", "\x1b]11;rgb:1e", "\x1bP1", "\x1b[M ", "\x1bO5"])
def test_what_began_as_an_answer_is_waited_for_and_then_dropped(begun: str) -> None:
    clock = Clock()
    splitter = SequenceSplitter(clock)
    assert list(splitter.feed(begun)) == []
    clock.now += 2 * DELAY_S
    assert splitter.give_up(DELAY_S) == ""
    assert list(splitter.feed("1")) == []
    clock.now += SEQUENCE_ENDS_WITHIN_S
    assert splitter.give_up(DELAY_S) == ""
    assert list(splitter.feed("x")) == ["x"], "the time counts from its beginning"


def test_an_answer_of_any_length_is_taken_in_and_kept_short() -> None:
    splitter = SequenceSplitter(Clock())
    pieces = ["\x1b]52;c;", *["A" * 4000] * 100]
    assert [unit for piece in pieces for unit in splitter.feed(piece)] == []
    [unit, text] = splitter.feed("\x07x")
    assert (unit[:4], text) == ("\x1b]52", "x")
    assert len(unit) < 10_000
