"""Asking line by line who has seen a message."""

import pytest
from plain_table import Table, page, said

from tertulia.i18n import set_language
from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import Error, ErrorCode, GetHistory, Ok, Say


def test_who_has_seen_the_newest_own_message_or_the_one_with_a_number(table: Table) -> None:
    table.greet()
    table.face.submit("/seen")
    table.turn()
    assert table.words[-1] == "You have not said anything to everyone yet."
    table.turn(said(11, "first", "ana"), said(12, "other"))
    table.face.submit("hello\nall")
    table.turn()
    table.turn(Ok(id=2, seq=14))  # which may overtake the message
    table.face.submit("/vistos")
    table.turn()
    assert table.client.sent[-1] == AskSeenBy(seq=14)
    answer = {"seen": ["luis", "Eva"], "not_seen": ["José"], "unknown": ["ci"]}
    table.turn(SeenBy(id=3, seq=14, **answer))
    shown = table.stdout.getvalue().splitlines()[-4:]
    assert shown == [
        "Your last message: hello all",
        "Seen (2): Eva, luis",
        "Not seen yet (1): José",
        "Unknown, because their programs do not report it (1): ci",
    ]
    set_language("es")
    table.face.submit("/seen 11")
    table.turn()
    assert table.client.sent[-1] == AskSeenBy(seq=11)
    table.turn(SeenBy(id=4, seq=11, seen=[], not_seen=[], unknown=[]))
    assert table.stdout.getvalue().splitlines()[-2:] == ["Mensaje 11", "No hay nadie más aquí."]
    assert isinstance(table.client.sent[1], Say)
    assert table.client.marks == []  # who types may listen to it later, or never


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            ErrorCode.NOT_OPERATOR,
            "You can ask this only about your own messages. Operators can ask it about all "
            "messages.",
        ),
        (ErrorCode.NOT_FOUND, "There is no message with this number."),
    ],
)
def test_a_refusal_says_why(table: Table, code: str, words: str) -> None:
    table.greet()
    table.face.submit("/seen 3")
    table.turn()
    table.turn(Error(id=2, code=code, message=""))
    assert table.words[-1] == words
    assert table.face.outcomes.refused == 1
    table.face.submit("/seen luis")
    table.turn()
    assert table.words[-1].startswith("After /seen, give nothing or the number of a message")


def test_one_finds_the_numbers_of_own_messages_in_the_history(table: Table) -> None:
    table.greet()
    table.face.submit("/history")
    table.turn()
    assert isinstance(table.client.sent[-1], GetHistory)
    table.turn(page(2, said(3, "mine", "ana"), said(4, "hers", "eva")))
    lines = table.stdout.getvalue().splitlines()
    assert lines == ["earlier: 3 [--:--] ana: mine", "earlier: [--:--] eva: hers"]
