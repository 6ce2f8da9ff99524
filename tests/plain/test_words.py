"""Events and people in words for listening, in both languages."""

import re
from datetime import date

import pytest

from tertulia.chat.event_words import Event
from tertulia.i18n import set_language
from tertulia.plain.words import event_words, short_status, status_words, user_words
from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Joined,
    Left,
    Presence,
    Status,
    UserInfo,
)
from tertulia.protocol.moderation import Hushed

TIME = "2020-01-02T15:04:05Z"
TODAY = date(2020, 1, 2)


def message(text: str = "hola", *, hook: bool = False) -> ChatMessage:
    return ChatMessage(seq=1, time=TIME, sender="luis", text=text, hook=hook)


def direct(sender: str, to: str) -> DirectMessage:
    return DirectMessage(time=TIME, sender=sender, to=to, text="psst")


def left(reason: str) -> Left:
    return Left(seq=1, time=TIME, name="lu\nis", reason=reason)


def presence(name: str, status: Status, *, by_server: bool = False) -> Presence:
    return Presence(
        seq=1, time=TIME, name=name, status=status, by="server" if by_server else "user"
    )


@pytest.mark.parametrize(
    ("event", "english", "spanish"),
    [
        (message(), "luis: hola", "luis: hola"),
        (message(hook=True), "luis (hook): hola", "luis (aviso web): hola"),
        (direct("luis", "ana"), "luis to you: psst", "luis para ti: psst"),
        (direct("ana", "luis"), "you to luis: psst", "tú para luis: psst"),
        (direct("x\ny", "ana"), "x␊y to you: psst", "x␊y para ti: psst"),
        (
            Joined(seq=1, time=TIME, name="lu\nis", status=Status.ACTIVO),
            "lu␊is joined",
            "lu␊is entró",
        ),
        (left("quit"), "lu␊is left", "lu␊is salió"),
        (left("lost"), "lu␊is left: connection lost", "lu␊is salió: se perdió la conexión"),
        (left("x\ny"), "lu␊is left: x␊y", "lu␊is salió: x␊y"),
        (
            presence("luis", Status.OCUPADO),
            "luis is now busy (OCUPADO)",
            "luis ahora está ocupado",
        ),
        (presence("ana", Status.OCUPADO), "you are now busy (OCUPADO)", "ahora estás ocupado"),
        (
            presence("luis", Status.INACTIVO, by_server=True),
            "luis is now away (INACTIVO), idle",
            "luis ahora está inactivo, sin actividad",
        ),
        (
            presence("ana", Status.INACTIVO, by_server=True),
            "you are now away (INACTIVO), idle",
            "ahora estás inactivo, sin actividad",
        ),
        (
            presence("luis", Status.INACTIVO),
            "luis is now away (INACTIVO)",
            "luis ahora está inactivo",
        ),
        (
            presence("lu\nis", Status.ACTIVO, by_server=True),
            "lu␊is is now active (ACTIVO)",
            "lu␊is ahora está activo",
        ),
        (
            Hushed(seq=1, time=TIME, on=True, by="ana"),
            "ana: only operators may speak in the general chat now",
            "ana: ahora solo los operadores pueden hablar en el chat general",
        ),
    ],
)
def test_each_event_has_words_in_the_users_language(
    event: Event, english: str, spanish: str
) -> None:
    assert event_words(event, "ana", TODAY) == english
    set_language("es")
    assert event_words(event, "ana", TODAY) == spanish


def test_a_status_has_a_word_and_the_servers_word_where_that_is_another_one() -> None:
    assert [short_status(status) for status in Status] == ["active", "busy", "away"]
    assert [status_words(status) for status in Status] == [
        "active (ACTIVO)", "busy (OCUPADO)", "away (INACTIVO)",
    ]  # fmt: skip
    set_language("es")
    assert [status_words(status) for status in Status] == ["activo", "ocupado", "inactivo"]


def test_the_information_about_a_user_is_one_line() -> None:
    info = UserInfo(
        name="lu\nis", address="\x1b[2J", status=Status.OCUPADO, since="2020-01-02T15:04:05Z",
        idle=75,
    )  # fmt: skip
    assert re.fullmatch(
        r"lu␊is: busy \(OCUPADO\), address ␛\[2J, here since 2020-01-0\d \d\d:\d\d, "
        r"idle for 1 min 15 s",
        user_words(info, date(2026, 11, 22)),
    )
