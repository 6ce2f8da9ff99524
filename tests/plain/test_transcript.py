"""What the plain face writes for each thing that happens."""

from datetime import date

import pytest

from tertulia.i18n import set_language
from tertulia.plain.transcript import Transcript
from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Joined,
    Left,
    Ok,
    Presence,
    ServerMessage,
    Status,
    User,
    UserInfo,
)

TIME = "not a time"  # written as --:--, wherever and whenever the test runs


def new_transcript() -> Transcript:
    return Transcript("ana", lambda: date(2026, 11, 22))


def message(seq: int, time: str, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time=time, sender="luis", text=text)


def presence(name: str, status: Status, by: str = "user") -> Presence:
    return Presence(
        seq=1, time=TIME, name=name, status=status, by="server" if by == "server" else "user"
    )


def left(reason: str) -> Left:
    return Left(seq=1, time=TIME, name="luis", reason=reason)


def direct(sender: str, to: str) -> DirectMessage:
    return DirectMessage(time=TIME, sender=sender, to=to, text="psst")


@pytest.mark.parametrize(
    ("message", "english", "spanish"),
    [
        (ChatMessage(seq=1, time=TIME, sender="luis", text="hola"), "luis: hola", "luis: hola"),
        (ChatMessage(seq=1, time=TIME, sender="ana", text="hola"), "ana: hola", "ana: hola"),
        (direct("luis", "ana"), "luis to you: psst", "luis para ti: psst"),
        (direct("ana", "luis"), "you to luis: psst", "tú para luis: psst"),
        (
            Joined(seq=1, time=TIME, name="luis", status=Status.ACTIVO),
            "luis joined",
            "luis entró",
        ),
        (left("quit"), "luis left", "luis salió"),
        (left("lost"), "luis left: connection lost", "luis salió: se perdió la conexión"),
        (left("x\ny"), "luis left: x␊y", "luis salió: x␊y"),
        (
            presence("luis", Status.OCUPADO),
            "luis is now busy (OCUPADO)",
            "luis ahora está ocupado",
        ),
        (presence("ana", Status.OCUPADO), "you are now busy (OCUPADO)", "ahora estás ocupado"),
        (
            presence("luis", Status.INACTIVO, "server"),
            "luis is now away (INACTIVO), idle",
            "luis ahora está inactivo, sin actividad",
        ),
        (
            presence("ana", Status.INACTIVO, "server"),
            "you are now away (INACTIVO), idle",
            "ahora estás inactivo, sin actividad",
        ),
        (
            presence("luis", Status.ACTIVO, "server"),
            "luis is now active (ACTIVO)",
            "luis ahora está activo",
        ),
    ],
)
def test_each_event_is_one_line_in_the_users_language(
    message: ServerMessage, english: str, spanish: str
) -> None:
    assert new_transcript().event(message) == [f"[--:--] {english}"]
    set_language("es")
    assert new_transcript().event(message) == [f"[--:--] {spanish}"]


def test_the_own_joining_and_answers_are_no_events_to_show() -> None:
    own = Joined(seq=1, time=TIME, name="ana", status=Status.ACTIVO)
    assert new_transcript().event(own) == []
    assert new_transcript().event(Ok(id=1)) == []


def test_a_text_of_several_lines_cannot_look_like_another_users_message() -> None:
    message = ChatMessage(seq=1, time=TIME, sender="luis", text="one\n[12:00] ana: two")
    assert new_transcript().event(message) == ["[--:--] luis: one\n      | [12:00] ana: two"]


def test_many_blank_lines_push_nothing_off_the_screen() -> None:
    message = ChatMessage(seq=1, time=TIME, sender="luis", text="one" + "\n \n" * 500 + "two")
    [written] = new_transcript().event(message)
    assert written.count("\n") <= 3
    assert written.endswith("| two")


def test_what_was_said_before_is_marked() -> None:
    transcript = new_transcript()
    assert transcript.event(message(1, TIME), is_old=True) == ["earlier: [--:--] luis: hola"]
    set_language("es")
    assert transcript.event(message(1, TIME), is_old=True) == ["antes: [--:--] luis: hola"]


def test_a_day_is_named_when_it_changes() -> None:
    transcript = new_transcript()
    lines = [
        line
        for number, time in enumerate(
            [
                "2026-11-22T12:00:00Z", "2026-11-22T12:00:01Z", TIME, "2026-11-23T12:00:00Z",
                "2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z", "2026-11-23T12:00:01Z",
            ]
        )
        for line in transcript.event(message(number, time))
    ]  # fmt: skip
    days = [(place, line) for place, line in enumerate(lines) if not line.startswith("[")]
    assert days == [
        (3, "Monday, November 23, 2026"),
        (5, "Saturday, November 21, 2026"),
        (8, "Monday, November 23, 2026"),
    ]
    set_language("es")
    [day, _line] = transcript.event(message(9, "2026-11-24T12:00:01Z"))
    assert day == "martes 24 de noviembre de 2026"


def test_each_user_of_the_list_is_one_sentence() -> None:
    users = [User(name="ana", status=Status.ACTIVO), User(name="lu\nis", status=Status.INACTIVO)]
    assert new_transcript().users(users) == ["ana (you): active (ACTIVO)", "lu␊is: away (INACTIVO)"]
    set_language("es")
    assert new_transcript().users(users) == ["ana (tú): activo", "lu␊is: inactivo"]


def test_the_information_about_a_user_is_one_line() -> None:
    info = UserInfo(
        name="lu\nis", address="\x1b[2J", status=Status.OCUPADO, since="2020-01-02T15:04:05Z",
        idle=75,
    )  # fmt: skip
    text = new_transcript().info(info)
    assert text.startswith("lu␊is: busy (OCUPADO), address ␛[2J, here since 2020-01-0")
    assert text.endswith("idle for 1 min 15 s")


@pytest.mark.parametrize(
    ("status", "asked", "line", "english", "spanish"),
    [
        (Status.ACTIVO, None, 1, "ana> ", "ana> "),
        (Status.OCUPADO, None, 1, "ana, busy> ", "ana, ocupado> "),
        (
            Status.ACTIVO, Status.OCUPADO, 1,
            "ana, asking for busy> ", "ana, pidiendo ocupado> ",
        ),
        (None, None, 1, "ana, no connection> ", "ana, sin conexión> "),
        (Status.ACTIVO, None, 3, "ana, line 3> ", "ana, línea 3> "),
        (Status.INACTIVO, None, 2, "ana, away, line 2> ", "ana, inactivo, línea 2> "),
    ],
)  # fmt: skip
def test_the_prompt_names_only_what_is_not_as_usual(
    status: Status | None, asked: Status | None, line: int, english: str, spanish: str
) -> None:
    assert new_transcript().prompt(status, asked, line) == english
    set_language("es")
    assert new_transcript().prompt(status, asked, line) == spanish


def test_what_a_program_says_is_marked_by_a_word() -> None:
    notice = ChatMessage(seq=1, time=TIME, sender="build", text="hola", hook=True)
    assert new_transcript().event(notice) == ["[--:--] build (hook): hola"]
    set_language("es")
    spanish = new_transcript().event(notice, is_old=True)
    assert spanish == ["antes: [--:--] build (aviso web): hola"]
