"""What happens when order is kept, in words, in both languages."""

from datetime import date

import pytest

from tertulia.chat.order_words import (
    OrderEvent,
    left_words,
    order_words,
    silence_words,
    speech_refused,
    standing_words,
)
from tertulia.chat.state import State
from tertulia.i18n import set_language
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Left, Status, Welcome
from tertulia.protocol.moderation import Hushed, Locked, Muted, Pinned, Role, Unmuted

TODAY = date(2026, 11, 22)
NOON = "2026-11-22T12:00:00.000Z"


def words(event: OrderEvent, own_name: str = "ana") -> str:
    return order_words(event, own_name, TODAY)


def state(**fields: object) -> State:
    welcome = Welcome(
        name="ana", address="127.0.0.1", status=Status.ACTIVO, seq=1, token="t", epoch="e",
        server="s", protocol=1, idle_after=120, max_text=16384, **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    return State(welcome)


MESSAGE = StoredMessage(seq=3, time=NOON, sender="luis", text="a las 8\nen punto\x1b[2J")
WHEN = {"seq": 9, "time": NOON}


@pytest.mark.parametrize(
    ("event", "of_others", "of_oneself"),
    [
        (
            Role(**WHEN, name="luis", operator=True),
            "luis is an operator now", "you are an operator now",
        ),
        (
            Role(**WHEN, name="luis", operator=False),
            "luis is no longer an operator", "you are no longer an operator",
        ),
        (
            Muted(**WHEN, name="luis", by="eva"),
            "eva: luis may not speak any more",
            "eva: you may not speak any more, but you can write to one person",
        ),
        (
            Muted(**WHEN, name="luis", by="server", until="2026-11-22T12:30:00.000Z"),
            "the person who runs the server: luis may not speak until 12:30",
            "the person who runs the server: you may not speak until 12:30, but you can write to "
            "one person",
        ),
        (
            Unmuted(**WHEN, name="luis", by="eva"),
            "eva: luis may speak again", "eva: you may speak again",
        ),
    ],
)  # fmt: skip
def test_what_concerns_a_person_is_said_in_two_ways(
    event: OrderEvent, of_others: str, of_oneself: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert words(event) == of_others
    assert words(event, "luis") == of_oneself


def test_what_concerns_all_says_who_did_it() -> None:
    hushed = [words(Hushed(**WHEN, on=on, by="eva")) for on in (True, False)]
    assert hushed[0] == "eva: only operators may speak in the general chat now"
    assert hushed[1] == "eva: everyone may speak in the general chat again"
    locked = [words(Locked(**WHEN, on=on, by="eva")) for on in (True, False)]
    assert locked[0] == "eva: nobody new may come in now"
    assert locked[1] == "eva: everyone may come in again"
    assert words(Pinned(**WHEN, by="eva")) == "eva took the pinned message down"


def test_a_pinned_message_is_one_line_that_steers_nothing() -> None:
    pinned = words(Pinned(**WHEN, by="eva", message=MESSAGE))
    assert pinned == "eva pinned a message: luis: a las 8 en punto␛[2J"


def test_every_reason_for_leaving_has_words_and_an_unknown_one_is_shown() -> None:
    def reason(why: str, **fields: str) -> str:
        return left_words(Left(**WHEN, name="luis", reason=why, **fields))

    assert reason("quit") == ""
    for known in set(CloseReason) - {CloseReason.SHUTDOWN, CloseReason.REFUSED}:  # nobody left
        assert known is CloseReason.QUIT or reason(known) not in ("", known)
    assert reason("abducted\n") == "abducted␊"
    assert reason("kicked", by="eva", text="ten\nlines") == "removed by eva: ten␊lines"
    assert reason("kicked", by="eva") == "removed by eva"
    assert reason("kicked") == "removed by the person who runs the server"


def test_what_holds_is_told_to_whom_it_concerns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert silence_words(state(), TODAY) == ""
    assert standing_words(state(), TODAY) == []
    assert silence_words(state(hushed=True), TODAY) == "Only operators may speak now"
    operator = state(hushed=True, operator=True, locked=True, pinned=MESSAGE)
    assert silence_words(operator, TODAY) == ""
    assert standing_words(operator, TODAY) == [
        "Only operators may speak now",
        "Nobody new may come in now",
        "Pinned: luis: a las 8 en punto␛[2J",
    ]
    muted = state(hushed=True)
    muted.apply(Muted(**WHEN, name="ana", by="eva"))
    assert silence_words(muted, TODAY) == "You may not speak now"
    muted.apply(Muted(**WHEN, name="ana", by="eva", until="2026-11-22T12:30:00.000Z"))
    assert silence_words(muted, TODAY) == "You may not speak until 12:30"


def test_who_may_not_speak_learns_what_is_possible_in_spanish_too() -> None:
    set_language("es")
    muted = Error(code=ErrorCode.MUTED, message="", retry_after=591.0)
    assert speech_refused(muted) == (
        "No se envió: un operador te silenció, todavía por 9 min 51 s. Puedes seguir leyendo y "
        "escribirle a una persona: @NOMBRE TEXTO"
    )
    assert speech_refused(Error(code=ErrorCode.MUTED, message="")).startswith(
        "No se envió: un operador te silenció. "
    )
    assert speech_refused(Error(code=ErrorCode.HUSHED, message="")).startswith(
        "No se envió: ahora solo pueden hablar los operadores. "
    )


def test_a_pinned_notice_of_a_program_is_marked() -> None:
    notice = StoredMessage(seq=3, time=NOON, sender="build", text="failed", hook=True)
    assert words(Pinned(**WHEN, by="ana", message=notice)) == (
        "ana pinned a message: build (hook): failed"
    )
    assert standing_words(state(pinned=notice), TODAY) == ["Pinned: build (hook): failed"]
