"""What the plain face writes for each thing that happens."""

from datetime import date

import pytest

from tertulia.chat.display import Glyphs
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


def new_transcript(encoding: str = "utf-8") -> Transcript:
    return Transcript("ana", Glyphs(encoding), lambda: date(2026, 11, 22))


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
        (direct("luis", "ana"), "luis → you: psst", "luis → ti: psst"),
        (direct("ana", "luis"), "you → luis: psst", "tú → luis: psst"),
        (
            Joined(seq=1, time=TIME, name="luis", status=Status.ACTIVO),
            "* luis joined",
            "* luis entró",
        ),
        (left("quit"), "* luis left", "* luis salió"),
        (left("lost"), "* luis left: connection lost", "* luis salió: se perdió la conexión"),
        (left("x\ny"), "* luis left: x␊y", "* luis salió: x␊y"),
        (presence("luis", Status.OCUPADO), "* luis is ◐ OCUPADO", "* luis está ◐ OCUPADO"),
        (presence("ana", Status.OCUPADO), "* you are ◐ OCUPADO", "* ahora estás ◐ OCUPADO"),
        (
            presence("luis", Status.INACTIVO, "server"),
            "* luis is ○ INACTIVO (idle)",
            "* luis está ○ INACTIVO (sin actividad)",
        ),
        (
            presence("ana", Status.INACTIVO, "server"),
            "* you are ○ INACTIVO (idle)",
            "* ahora estás ○ INACTIVO (sin actividad)",
        ),
        (
            presence("luis", Status.ACTIVO, "server"),
            "* luis is ● ACTIVO",
            "* luis está ● ACTIVO",
        ),
    ],
)
def test_each_event_is_one_line_in_the_users_language(
    message: ServerMessage, english: str, spanish: str
) -> None:
    assert new_transcript().event(message) == f"[--:--] {english}"
    set_language("es")
    assert new_transcript().event(message) == f"[--:--] {spanish}"


def test_the_own_joining_and_answers_are_no_events_to_show() -> None:
    own = Joined(seq=1, time=TIME, name="ana", status=Status.ACTIVO)
    assert new_transcript().event(own) is None
    assert new_transcript().event(Ok(id=1)) is None


def test_a_text_of_several_lines_cannot_look_like_another_users_message() -> None:
    message = ChatMessage(seq=1, time=TIME, sender="luis", text="one\n[12:00] ana: two")
    assert new_transcript().event(message) == "[--:--] luis: one\n      | [12:00] ana: two"


def test_many_blank_lines_push_nothing_off_the_screen() -> None:
    message = ChatMessage(seq=1, time=TIME, sender="luis", text="one" + "\n \n" * 500 + "two")
    written = new_transcript().event(message)
    assert written is not None
    assert written.count("\n") <= 3
    assert written.endswith("| two")


def test_the_list_of_users_stands_in_columns() -> None:
    users = [User(name="ana", status=Status.ACTIVO), User(name="luis", status=Status.INACTIVO)]
    assert new_transcript().users(users) == ["● ACTIVO    ana (you)", "○ INACTIVO  luis"]
    assert new_transcript("ascii").users(users) == ["(*) ACTIVO    ana (you)", "( ) INACTIVO  luis"]


def test_the_information_about_a_user_is_one_line() -> None:
    info = UserInfo(
        name="luis", address="127.0.0.3", status=Status.OCUPADO, since="2020-01-02T15:04:05Z",
        idle=75,
    )  # fmt: skip
    text = new_transcript().info(info)
    assert text.startswith("luis: ◐ OCUPADO, address 127.0.0.3, here since 2020-01-0")
    assert text.endswith("idle for 1 min 15 s")


def test_the_prompt_shows_the_servers_status_and_what_is_not_yet_confirmed() -> None:
    transcript = new_transcript()
    assert transcript.prompt(Status.ACTIVO, None) == "ana ● ACTIVO> "
    assert transcript.prompt(Status.ACTIVO, Status.OCUPADO) == "ana ● ACTIVO → OCUPADO…> "
    assert transcript.prompt(None, None) == "ana ?> "
    ascii_only = new_transcript("ascii")
    assert ascii_only.prompt(Status.ACTIVO, Status.OCUPADO) == "ana (*) ACTIVO -> OCUPADO...> "
