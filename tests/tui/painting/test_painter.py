"""The painter: as many lines as it says, none too wide, and nothing in them that steers."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tertulia.chat.display import Glyphs, clock_time
from tertulia.i18n import set_language
from tertulia.protocol.messages import Joined, Left, Presence, Status
from tertulia.tui.model.timeline import Change, Day, Delivery, Entry, Moved, New, Said, Told
from tertulia.tui.painting.painter import (
    MAX_LINES,
    NAME_STYLES,
    STYLES,
    ConversationPainter,
    FoundPainter,
    bare,
    name_style,
)

TIME = "2025-03-10T15:04:05.123Z"
CLOCK = clock_time(TIME)
PAINTER = ConversationPainter(Glyphs("utf-8"))
HOSTILE = "".join(
    map(
        chr,
        [
            *range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F),
            *range(0x2066, 0x2070), 0xD800, 0xDFFF,
        ],
    )
)  # fmt: skip
PIECES = [
    *HOSTILE,
    "日",
    "👨‍👩‍👧",
    "❤️",
    "e\u0301",
    "\u0301",
    "\u200b",
    " ",
    ": ",
    "{people}",
    "[b]",
]


def said(text: str, **fields: Any) -> Said:
    return Said(**{"time": TIME, "sender": "luis", "text": text} | fields)


def lines_of(entry: Entry, width: int = 60) -> list[str]:
    return ["".join(text for text, _ in line) for line in PAINTER.paint(entry, width)]


def styles_of(entry: Entry, width: int = 60) -> list[list[str]]:
    return [[style for text, style in line if text] for line in PAINTER.paint(entry, width)]


def stretch(*events: tuple[str, str] | tuple[str, str, str]) -> Moved:
    """Fold ("joined", name), ("left", name, reason), ("OCUPADO", name)."""
    moved = Moved(time=TIME, changes={})
    for kind, name, *reason in events:
        match kind:
            case "joined":
                moved.fold(Joined(seq=1, time=TIME, name=name, status=Status.ACTIVO))
            case "left":
                moved.fold(Left(seq=1, time=TIME, name=name, reason=(*reason, "quit")[0]))
            case _:
                moved.fold(Presence(seq=1, time=TIME, name=name, status=Status(kind), by="user"))
    return moved


# --- any entry, any width ----------------------------------------------------------------------

TEXTS = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=60).map("".join),
    st.text("ab ", max_size=500),
    st.integers(80, 130).map(lambda count: "\n".join("x" * count)),
)
NAMES = st.one_of(st.sampled_from(["luis", "José", "日本語"]), TEXTS.map(lambda text: text[:40]))
TIMES = st.sampled_from([TIME, "", "soon", "9999-12-31T23:59:59Z"])


def words(text: str | None) -> Callable[[], str] | None:
    return None if text is None else lambda: text


CHANGES = st.builds(
    Change,
    was_here=st.booleans(),
    is_here=st.booleans(),
    left=st.none()
    | st.builds(
        Left,
        seq=st.just(1),
        time=st.just(TIME),
        name=NAMES,
        by=TEXTS,
        text=TEXTS,
        reason=TEXTS | st.just("kicked"),
    ),
    status=st.sampled_from([None, *Status]),
)
ENTRIES = st.one_of(
    st.builds(
        Said,
        time=TIMES,
        sender=NAMES,
        text=TEXTS,
        own=st.booleans(),
        mention=st.booleans(),
        delivery=st.sampled_from(Delivery),
        why=st.one_of(st.none(), TEXTS.map(words)),
        continues=st.booleans(),
    ),
    st.builds(
        Moved,
        time=TIMES,
        changes=st.dictionaries(NAMES, CHANGES, min_size=1, max_size=8),
        others=st.sampled_from([0, 1, 7]),
    ),
    st.builds(Told, time=TIMES, words=TEXTS.map(words), continues=st.booleans()),
    st.builds(New),
    st.builds(Day, day=st.dates()),
)


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(ENTRIES, st.integers(10, 200), st.sampled_from(["en", "es"]))
@example(Said(TIME, "luis", "\n".join("x" * MAX_LINES)), 60, "en")
@example(Said(TIME, "luis", "\n".join("x" * (MAX_LINES + 1))), 60, "es")
@example(Said(TIME, "\x1b[31m\n", HOSTILE, why=lambda: HOSTILE), 10, "en")
def test_an_entry_has_the_lines_that_were_counted_none_too_wide_and_none_that_steers(
    entry: Entry, width: int, language: str
) -> None:
    set_language(language)
    painted = PAINTER.paint(entry, width)
    assert PAINTER.height(entry, width) == len(painted)
    for line in painted:
        text = "".join(text for text, _ in line)
        assert cell_len(text) <= width
        assert not set(HOSTILE) & set(text)
        assert {style for _, style in line} <= set(STYLES)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.lists(ENTRIES, max_size=4))
def test_bare_text_steers_no_terminal(entries: list[Entry]) -> None:
    assert not (set(HOSTILE) - set("\n\t")) & set(bare(entries, PAINTER))


# --- messages ----------------------------------------------------------------------------------


def test_a_message_is_time_sender_and_text_and_goes_on_below_its_beginning() -> None:
    entry = said("a text that is too long for one line", sender="José")
    assert lines_of(entry, 40) == [
        f"{CLOCK}   José     a text that is too long",
        "                 for one line",
    ]
    assert styles_of(entry, 40) == [
        ["time", name_style("José"), name_style("José"), "time", "text"],
        ["time", "text"],
    ]


def test_the_lines_of_a_text_are_aligned_alike() -> None:
    entry = said("def f():\n    return 1", sender="eva")
    assert lines_of(entry) == [
        f"{CLOCK}   eva      def f():",
        "                     return 1",
    ]


def test_a_message_that_continues_has_neither_time_nor_name() -> None:
    assert lines_of(said("hola", continues=True)) == ["                 hola"]
    mention = said("ana, hola", continues=True, mention=True)
    assert lines_of(mention) == ["      !          ana, hola"]


@pytest.mark.parametrize(
    ("width", "name", "lines"),
    [
        (60, "12345678", [f"{CLOCK}   12345678 hola"]),
        (60, "123456789", [f"{CLOCK}   123456789", "                 hola"]),
        (64, "1234567890", [f"{CLOCK}   1234567890 hola"]),
        (64, "日本語日本", [f"{CLOCK}   日本語日本 hola"]),
        (39, "eva", [f"{CLOCK}   eva", "        hola"]),
        (20, "x" * 30, [f"{CLOCK}   xxxxxxxxxxx…", "        hola"]),
    ],
)
def test_a_name_without_room_in_its_column_stands_above_the_text(
    width: int, name: str, lines: list[str]
) -> None:
    entry = said("hola", sender=name)
    assert lines_of(entry, width) == lines
    assert PAINTER.height(entry, width) == len(lines)
    entry.continues = True
    assert PAINTER.height(entry, width) == len(lines_of(entry, width)) == 1


@pytest.mark.parametrize(
    ("fields", "sign", "styles"),
    [
        ({"own": True}, "›", ["own", "own-text"]),
        ({"mention": True}, "!", ["mention", "mention-text"]),
        ({"own": True, "delivery": Delivery.SENDING}, "…", ["own", "sending"]),
        ({"own": True, "delivery": Delivery.FAILED}, "✗", ["failed", "own-text"]),
        ({"own": True, "delivery": Delivery.UNKNOWN}, "?", ["failed", "own-text"]),
    ],
)
def test_each_kind_of_message_has_a_sign_of_its_own(
    fields: dict[str, Any], sign: str, styles: list[str]
) -> None:
    entry = said("hola", **fields)
    assert lines_of(entry) == [f"{CLOCK} {sign} luis     hola"]
    assert styles_of(entry) == [["time", styles[0], styles[0], "time", styles[1]]]


def test_why_a_message_was_not_delivered_and_what_to_do_stands_below_it() -> None:
    entry = said("hola", own=True, delivery=Delivery.FAILED, why=lambda: "Not delivered.")
    first, second = lines_of(entry, 70)
    assert first == f"{CLOCK} ✗ luis       hola"
    assert second == " " * 19 + "Not delivered. Press Ctrl+R to send it again."
    assert styles_of(entry, 70)[1] == ["time", "failed"]
    assert PAINTER.height(entry, 70) == 2


def test_of_a_long_message_the_beginning_is_shown_and_the_rest_counted() -> None:
    whole = said("\n".join(map(str, range(MAX_LINES))))
    assert lines_of(whole)[-1].strip() == f"{MAX_LINES - 1}"
    longer = said("\n".join(map(str, range(MAX_LINES + 1))))
    assert len(lines_of(longer)) == PAINTER.height(longer, 60) == MAX_LINES
    last_two = [line.strip() for line in lines_of(longer)[-2:]]
    assert last_two == [f"{MAX_LINES - 2}", "… 2 more lines: F7"]
    assert bare([longer], PAINTER).endswith(f"\n{MAX_LINES}")


def test_many_blank_lines_are_one() -> None:
    lines = lines_of(said("one\n\n \n\n\ntwo\n\nthree"))
    assert [line.strip() for line in lines[1:]] == ["", "two", "", "three"]


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    entry = said("hola", sender="luis: x\n12:00   eva")
    assert lines_of(entry) == [f"{CLOCK}   luis: x␊12:00   eva", " " * 17 + "hola"]


def test_a_time_that_is_none_takes_as_much_room() -> None:
    assert lines_of(said("hola", time="soon")) == ["--:--   luis     hola"]


def test_words_of_this_program_are_in_the_language_of_now() -> None:
    language = iter(["hello", "hola\nqué tal"])
    entry = Told(time=TIME, words=lambda: next(language))
    assert lines_of(entry) == [f"{CLOCK} · hello"]
    assert lines_of(entry) == [f"{CLOCK} · hola", "        qué tal"]
    assert styles_of(Told(TIME, lambda: "x\ny")) == [["time", "system"], ["time", "system"]]
    assert lines_of(Told(TIME, lambda: "hola", continues=True)) == ["      · hola"]


def test_the_colour_of_a_name_is_always_the_same_and_all_are_used() -> None:
    assert {name_style(f"user{number}") for number in range(100)} == set(NAME_STYLES)
    assert name_style("josé") == name_style("josé")
    assert name_style("\ud800") in NAME_STYLES


def test_the_words_of_a_search_are_marked() -> None:
    painter = FoundPainter(Glyphs("utf-8"), "CAFÉ pan")
    entry = said("Cafe y pan http://pan.example/ panes " + "x " * 20 + "pan")
    assert painter.height(entry, 60) == len(painter.paint(entry, 60)) == 2
    marked = [text for line in painter.paint(entry, 60) for text, style in line if style == "found"]
    assert marked == ["Cafe", "pan", "pan", "pan"]
    texts = ["".join(text for text, _ in line) for line in painter.paint(entry, 60)]
    assert texts == lines_of(entry)


# --- comings and goings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "english", "spanish"),
    [
        (stretch(("joined", "eva")), "eva joined", "eva entró"),
        (
            stretch(("joined", "eva"), ("joined", "zoe")),
            "eva and zoe joined",
            "eva y zoe entraron",
        ),
        (stretch(("left", "eva")), "eva left", "eva salió"),
        (
            stretch(("left", "eva"), ("left", "zoe", "lost")),
            "eva and zoe (connection lost) left",
            "eva y zoe (se perdió la conexión) salieron",
        ),
        (
            stretch(("joined", "eva"), ("left", "eva")),
            "eva joined and left",
            "eva entró y salió",
        ),
        (stretch(("left", "eva"), ("joined", "eva")), "eva came back", "eva volvió"),
        (stretch(("OCUPADO", "eva")), "eva ◐ OCUPADO", "eva ◐ OCUPADO"),
        (
            stretch(("OCUPADO", "eva"), ("ACTIVO", "eva"), ("INACTIVO", "zoe")),
            "eva ● ACTIVO and zoe ○ INACTIVO",
            "eva ● ACTIVO y zoe ○ INACTIVO",
        ),
        (
            stretch(
                ("joined", "a"), ("left", "b"), ("joined", "c"), ("OCUPADO", "d"), ("OCUPADO", "a")
            ),
            "a and c joined; b left; d ◐ OCUPADO",
            "a y c entraron; b salió; d ◐ OCUPADO",
        ),
        (
            stretch(*(("joined", f"u{number}") for number in range(9))),
            "u0, u1, u2, u3 and 5 others joined",
            "u0, u1, u2, u3 y 5 más entraron",
        ),
        (
            Moved(TIME, {"eva": Change(was_here=False, is_here=True)}, others=1),
            "eva joined; 1 more change",
            "eva entró; 1 cambio más",
        ),
        (
            Moved(TIME, {"eva": Change(was_here=False, is_here=True)}, others=2),
            "eva joined; 2 more changes",
            "eva entró; 2 cambios más",
        ),
        (stretch(("left", "eva", "a new reason")), "eva (a new reason) left", None),
        (Moved(TIME, {"eva": Change(was_here=True, is_here=True)}), "eva ?", "eva ?"),
    ],
)
def test_a_stretch_of_comings_and_goings_is_one_sentence(
    entry: Moved, english: str, spanish: str | None
) -> None:
    assert lines_of(entry, 200) == [f"{CLOCK} · {english}"]
    assert styles_of(entry, 200) == [["time", "system"]]
    set_language("es")
    assert spanish is None or PAINTER.movements(entry) == spanish


def test_a_poor_terminal_gets_poor_signs() -> None:
    painter = ConversationPainter(Glyphs("ascii"))
    assert painter.movements(stretch(("OCUPADO", "eva"))) == "eva (/) OCUPADO"


# --- days, and bare text -----------------------------------------------------------------------


def test_the_line_of_a_day_is_as_wide_as_the_view() -> None:
    [line] = lines_of(Day(date(2026, 11, 22)), 40)
    assert line == "──── Sunday, November 22, 2026 " + "─" * 9
    assert styles_of(Day(date(2026, 11, 22))) == [["day"]]
    assert lines_of(New(), 40) == ["──── New since you were here " + "─" * 11]
    assert styles_of(New()) == [["new"]]


def test_bare_text_is_whole_and_not_wrapped() -> None:
    long = "word " * 100
    entries = [
        Day(date(2026, 11, 22)),
        said(long),
        said("one\n\n\n\ntwo\tthree", sender="a\nb"),
        New(),
        stretch(("joined", "eva")),
        Told(TIME, lambda: "hola"),
    ]
    assert bare(entries, PAINTER) == "\n".join(
        [
            "--- Sunday, November 22, 2026 ---",
            f"[{CLOCK}] luis: {long}",
            f"[{CLOCK}] a␊b:\none\n\n\n\ntwo\tthree",
            "--- New since you were here ---",
            f"[{CLOCK}] * eva joined",
            f"[{CLOCK}] * hola",
        ]
    )
    assert bare([], PAINTER) == ""


def test_bare_text_says_what_was_not_delivered() -> None:
    entry = said("hola", own=True, delivery=Delivery.FAILED, why=lambda: "Not delivered.")
    assert bare([entry], PAINTER) == f"[{CLOCK}] luis: hola\n        Not delivered."


def test_code_is_bare_as_it_was_typed() -> None:
    code = "def f():\n\tif x:\n\t\treturn  1\n\n--- a/file\n"
    assert bare([said(code)], PAINTER) == f"[{CLOCK}] luis:\n{code}"


def test_no_line_of_a_bare_text_looks_like_a_message_of_somebody_else() -> None:
    forged = said("hola\n[12:34] eva: yes, all of it")
    assert "\n[12:34]" not in bare([forged], PAINTER)


def test_what_a_program_says_has_a_sign_and_a_word_and_its_name_has_room() -> None:
    for width in (80, 50, 30):
        notice = said("it failed", sender="build", hook=True)
        assert lines_of(notice, width)[0].startswith(f"{CLOCK} # build (hook)")
        assert PAINTER.height(notice, width) == len(lines_of(notice, width))
    assert bare([notice], PAINTER) == f"[{CLOCK}] build (hook): it failed"
    set_language("es")
    assert lines_of(notice)[0].startswith(f"{CLOCK} # build (aviso web)")
