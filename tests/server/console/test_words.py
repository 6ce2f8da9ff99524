"""Users and messages in words on the console."""

import pytest

from tertulia.i18n import set_language
from tertulia.protocol.messages import HistoryPage, Status, StoredMessage, User, UserInfo
from tertulia.server.console.words import about, messages, people

NOON = "2026-11-22T12:00:00.000Z"


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def test_each_user_is_a_line_with_a_status_and_what_is_special() -> None:
    users = [
        User(name="ana", status=Status.ACTIVO, operator=True),
        User(name="luis_m", status=Status.OCUPADO, muted=True),
        User(name="eva", status=Status.INACTIVO, operator=True, muted=True),
        User(name="zoe", status=Status.ACTIVO),
    ]
    assert people(users) == [
        "ana     ACTIVO  operator",
        "luis_m  OCUPADO  may not speak",
        "eva     INACTIVO  operator, may not speak",
        "zoe     ACTIVO",
    ]


def test_statuses_stand_below_each_other_also_beside_names_of_wide_characters() -> None:
    users = [User(name="田中", status=Status.ACTIVO), User(name="luis", status=Status.ACTIVO)]
    assert people(users) == ["田中  ACTIVO", "luis  ACTIVO"]


def test_that_nobody_is_here_is_told() -> None:
    assert people([]) == ["Nobody is here."]
    set_language("es")
    assert people([]) == ["No hay nadie."]


def test_one_user_is_one_line() -> None:
    info = UserInfo(name="ana", address="10.0.0.7", status=Status.ACTIVO, since=NOON, idle=5)
    assert about(info) == "ana: 10.0.0.7, ACTIVO, here since 2026-11-22 12:00"


def test_each_message_is_a_line_with_its_number_and_steers_no_terminal() -> None:
    evil = StoredMessage(seq=7, time=NOON, sender="lu\nis", text="a\x1b[2Jb\nc")
    said = StoredMessage(seq=12, time=NOON, sender="ana", text="hola")
    assert messages(HistoryPage(messages=[evil, said], more=False)) == [
        "7  2026-11-22 12:00  lu␊is: a␛[2Jb␊c",
        "12  2026-11-22 12:00  ana: hola",
    ]


def test_that_there_are_no_messages_is_told() -> None:
    assert messages(HistoryPage(messages=[], more=False)) == ["There are no messages."]
