"""What the plain face writes for each thing that happens."""

from datetime import date

import pytest

from tertulia.i18n import set_language
from tertulia.plain.transcript import Transcript
from tertulia.protocol.messages import (
    ChatMessage,
    Joined,
    Ok,
    Status,
    User,
    UserInfo,
)

TIME = "not a time"  # written as --:--, wherever and whenever the test runs


def new_transcript() -> Transcript:
    return Transcript("ana", lambda: date(2026, 11, 22))


def message(seq: int, time: str, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time=time, sender="luis", text=text)


def test_each_event_is_a_line_with_its_time() -> None:
    event = Joined(seq=1, time=TIME, name="luis", status=Status.ACTIVO)
    assert new_transcript().event(event) == ["[--:--] luis joined"]


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
                "2026-11-21T12:00:00Z", TIME, "2026-11-21T12:00:01Z", "2026-11-23T12:00:01Z",
            ]
        )
        for line in transcript.event(message(number, time))
    ]  # fmt: skip
    days = [(place, line) for place, line in enumerate(lines) if not line.startswith("[")]
    assert days == [
        (3, "Monday, November 23, 2026"),
        (5, "Saturday, November 21, 2026"),
        (9, "Monday, November 23, 2026"),
    ]
    set_language("es")
    [day, _line] = transcript.event(message(9, "2026-11-24T12:00:01Z"))
    assert day == "martes 24 de noviembre de 2026"


def test_each_user_of_the_list_is_one_sentence() -> None:
    users = [User(name="ana", status=Status.ACTIVO), User(name="lu\nis", status=Status.INACTIVO)]
    assert new_transcript().users(users) == ["ana (you): active (ACTIVO)", "lu␊is: away (INACTIVO)"]
    set_language("es")
    assert new_transcript().users(users) == ["ana (tú): activo", "lu␊is: inactivo"]


def test_a_time_of_today_has_no_date() -> None:
    info = UserInfo(
        name="luis", address="10.0.0.7", status=Status.ACTIVO, since="2026-11-22T12:00:00Z", idle=0
    )
    assert "2026" not in new_transcript().info(info)


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


def test_the_prompt_names_a_missing_right_only_while_there_is_a_connection() -> None:
    transcript = new_transcript()
    assert transcript.prompt(Status.ACTIVO, None, may_speak=False) == "ana, you may not speak> "
    assert transcript.prompt(None, None, may_speak=False) == "ana, no connection> "
    assert transcript.prompt(Status.ACTIVO, None, 2) == "ana, line 2> "
