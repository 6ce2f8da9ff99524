"""The side columns and the words around the conversation."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_table import Clock, StubClient

from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.client.activity import Resumption
from tertulia.client.errors import End, EndReason
from tertulia.client.reconnect import FIRST_DELAY_S, Reconnector
from tertulia.i18n import set_language
from tertulia.protocol.messages import ChatMessage, Direct, DirectMessage, Status, User
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations
from tertulia.tui.painting.painter import name_style
from tertulia.tui.widgets.columns import (
    CONVERSATION_STYLES,
    PEOPLE_STYLES,
    connection_words,
    conversation_rows,
    conversation_title,
    people_count,
    people_rows,
    unread_elsewhere,
)
from tertulia.tui.widgets.rowlist import Row

TIME = "2025-02-10T15:04:05.123Z"
GLYPHS = Glyphs("utf-8")
HOSTILE = {
    *map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F]),
    *map(chr, [*range(0x2028, 0x202F), *range(0x2066, 0x2070), 0xD800]),
}


def text_of(row: Row) -> str:
    return "".join(text for text, _ in row.runs)


def direct(sender: str) -> DirectMessage:
    return DirectMessage(time=TIME, sender=sender, to="ana", text="hola")


def message(text: str) -> ChatMessage:
    return ChatMessage(seq=1, time=TIME, sender="luis", text=text)


def people(*names: str, status: Status = Status.ACTIVO) -> list[User]:
    return [User(name=name, status=status) for name in names]


def rows_of(users: list[User], wanted: str = "", *, known: bool = True) -> list[Row]:
    return people_rows(users, "ana", GLYPHS, wanted=wanted, known=known)


# --- conversations -----------------------------------------------------------------------------


def test_an_unsent_text_is_marked_unless_it_is_in_view_or_the_command_to_leave() -> None:
    talks = Conversations("ana")
    talks.general.draft = "in view"
    for name, draft in (("luis", "/quit "), ("eva", " "), ("José", "half a line")):
        talks.add_outgoing(Direct(to=name, text="hola"), name, TIME).draft = draft
    rows = [text_of(row) for row in conversation_rows(talks)]
    assert rows == ["▸ General", "  José ✎", "  eva", "  luis"]


def test_the_general_chat_comes_first_then_the_most_recent() -> None:
    talks = Conversations("ana")
    talks.add_outgoing(Direct(to="luis", text="hola"), "luis", TIME)
    talks.add_outgoing(Direct(to="eva", text="hola"), "eva", TIME)
    rows = conversation_rows(talks)
    assert [(row.key, text_of(row)) for row in rows] == [
        (GENERAL, "▸ General"), ("eva", "  eva"), ("luis", "  luis")
    ]  # fmt: skip
    talks.open("luis")
    assert [text_of(row) for row in conversation_rows(talks)] == ["  General", "  eva", "▸ luis"]


def test_what_is_unread_is_counted_and_what_calls_is_marked_without_colour_too() -> None:
    talks = Conversations("ana")
    talks.open("eva")
    talks.add_message(message("hola"), is_new=True)
    talks.add_direct(direct("luis"))
    rows = {row.key: row for row in conversation_rows(talks)}
    assert text_of(rows[GENERAL]) == "  General (1)"
    assert text_of(rows["luis"]) == "! luis (1)"
    assert text_of(rows["eva"]) == "▸ eva"
    assert {style for _, style in rows[GENERAL].runs} == {"unread"}
    assert {style for _, style in rows["luis"].runs} == {"calls"}
    assert {style for _, style in rows["eva"].runs} == {"current"}
    talks.add_message(message("hola ana"), is_new=True)
    assert text_of(conversation_rows(talks)[0]) == "! General (2)"


@pytest.mark.parametrize(("count", "shown"), [(99, "(99)"), (100, "(99+)"), (5_000, "(99+)")])
def test_the_counter_stays_short(count: int, shown: str) -> None:
    talks = Conversations("ana")
    talks.with_name("luis").unread = count
    assert text_of(conversation_rows(talks)[1]) == f"  luis {shown}"


def test_the_general_chat_is_called_so_in_the_language_of_now() -> None:
    assert conversation_title(Conversation(GENERAL)) == "General"
    assert conversation_title(Conversation("a\nb\x1b")) == "a␊b␛"


def test_what_waits_elsewhere_is_counted_and_marked_if_it_calls() -> None:
    talks = Conversations("ana")
    assert unread_elsewhere(talks) == ""
    talks.open("eva")
    talks.add_message(message("hola"), is_new=True)
    assert unread_elsewhere(talks) == "1 unread: F2"
    talks.add_direct(direct("luis"))
    assert unread_elsewhere(talks) == "! 2 unread: F2"
    talks.open("luis")
    talks.open(GENERAL)
    assert unread_elsewhere(talks) == ""


# --- people ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "shape"),
    [(Status.ACTIVO, "●"), (Status.OCUPADO, "◐"), (Status.INACTIVO, "○")],
)
def test_a_status_has_a_shape_a_word_and_a_colour(status: Status, shape: str) -> None:
    [row] = rows_of(people("luis", status=status))
    assert row.key == "luis"
    assert text_of(row) == f"{shape} luis {status}"
    assert row.runs[0][1] == status.lower()
    assert row.runs[1][1] == name_style("luis")


def test_without_a_connection_nothing_is_known_of_anybody() -> None:
    [row] = rows_of(people("luis", status=Status.OCUPADO), known=False)
    assert text_of(row) == "? luis"
    assert row.runs[0][1] == "faint"


def test_oneself_is_marked() -> None:
    [ana, other] = rows_of(people("ana", "Ana"))
    assert text_of(ana).startswith("● ana (you)")
    assert "(you)" not in text_of(other)
    set_language("es")
    assert "(tú)" in text_of(rows_of(people("ana"))[0])
    assert text_of(rows_of(people("ana"), known=False)[0]) == "? ana (tú)"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["José", "luis", "LUISA"]),
        ("jose", ["José"]),
        ("JOSÉ", ["José"]),
        ("uis", ["luis", "LUISA"]),
        ("x", []),
    ],
)
def test_names_are_found_by_any_part_without_accents_and_case(
    wanted: str, found: list[str]
) -> None:
    rows = rows_of(people("José", "luis", "LUISA"), wanted)
    assert [row.key for row in rows] == found


def test_a_poor_terminal_gets_poor_shapes() -> None:
    [row] = people_rows(people("luis"), "ana", Glyphs("ascii"), wanted="", known=True)
    assert text_of(row).startswith("(*) luis")


@given(
    st.one_of(st.sampled_from(sorted(HOSTILE)), st.text(alphabet=st.characters())),
    st.sampled_from(Status),
    st.booleans(),
)
def test_no_name_steers_the_terminal_and_every_style_is_known(
    name: str, status: Status, known: bool
) -> None:
    name = f"x{name}"
    talks = Conversations("ana")
    talks.add_direct(direct(name))
    for row in conversation_rows(talks):
        assert not HOSTILE & set(text_of(row))
        assert {style for _, style in row.runs} <= {*CONVERSATION_STYLES, ""}
    users = [User(name=name, status=status)]
    for own_name in ("ana", name):
        [row] = people_rows(users, own_name, GLYPHS, wanted="", known=known)
        assert row.key == name
        assert not HOSTILE & set(text_of(row))
        assert {style for _, style in row.runs} <= set(PEOPLE_STYLES)


@pytest.mark.parametrize(
    ("count", "english", "spanish"),
    [(0, "0 people", "0 personas"), (1, "1 person", "1 persona"), (1_000, "1000 people", None)],
)
def test_people_are_counted(count: int, english: str, spanish: str | None) -> None:
    assert people_count(count) == english
    set_language("es")
    assert spanish is None or people_count(count) == spanish


# --- the connection ----------------------------------------------------------------------------


class NoFace:
    """A face that shows nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments: None


def test_the_time_to_the_next_attempt_is_counted_down(clock: Clock) -> None:
    client = StubClient()

    def connect(_resumption: Resumption) -> Any:
        raise NotImplementedError

    reconnector = Reconnector(connect, lambda: None)
    to = Destination("ana", "h", 5000)
    chat = Chat(client, reconnector, NoFace(), to, first_page=0)
    assert connection_words(chat, clock.now) == "connected"
    client.end = End(EndReason.LOST)
    chat.advance()
    at = chat.next_attempt_at
    assert at is not None
    assert at - clock.now == pytest.approx(FIRST_DELAY_S)
    clock.now = at - 12.2
    assert connection_words(chat, clock.now) == "no connection; retrying in 12 s"
    clock.now = at + 3
    assert connection_words(chat, clock.now) == "no connection; retrying in 0 s"
    reconnector.close()  # nothing is planned any more
    assert connection_words(chat, clock.now) == "no connection; retrying…"
    set_language("es")
    assert connection_words(chat, clock.now) == "sin conexión; reintentando…"
