"""What a face says about who has seen a message."""

import pytest

from tertulia.chat.seen_words import about_words, seen_lines, seen_refused
from tertulia.chat.state import OwnMessage
from tertulia.i18n import set_language
from tertulia.protocol.attendance import SeenBy
from tertulia.protocol.messages import Error, ErrorCode


def seen_by(
    seen: list[str] | None = None,
    not_seen: list[str] | None = None,
    unknown: list[str] | None = None,
) -> SeenBy:
    return SeenBy(seq=12, seen=seen or [], not_seen=not_seen or [], unknown=unknown or [])


def test_each_group_of_users_has_a_line_with_its_number_and_its_sorted_names() -> None:
    assert seen_lines(seen_by(["Luis", "eva"], ["José"], ["bot", "a\nb"])) == [
        "Seen (2): eva, Luis",
        "Not seen yet (1): José",
        "Unknown, because their programs do not report it (2): a␊b, bot",
    ]


def test_a_group_without_users_has_no_line() -> None:
    assert seen_lines(seen_by(not_seen=["luis"])) == ["Not seen yet (1): luis"]
    assert seen_lines(seen_by()) == ["Nobody else is here."]
    set_language("es")
    assert seen_lines(seen_by(["luis"])) == ["Visto por (1): luis"]


def test_the_own_last_message_is_quoted_in_one_line_and_any_other_has_its_number() -> None:
    answer = seen_by()
    assert about_words(answer, OwnMessage(12, "one\n  two\x1b")) == "Your last message: one two␛"
    assert about_words(answer, OwnMessage(13, "later")) == "Message 12"
    assert about_words(answer, None) == "Message 12"


@pytest.mark.parametrize(
    ("code", "beginning"),
    [
        (ErrorCode.NOT_OPERATOR, "You can ask this only about your own messages."),
        (ErrorCode.NOT_FOUND, "There is no message with this number."),
    ],
)
def test_a_refusal_is_explained(code: ErrorCode, beginning: str) -> None:
    words = seen_refused(Error(code=code, message="no"))
    assert words is not None
    assert words.startswith(beginning)


def test_errors_that_any_request_can_have_are_explained_elsewhere() -> None:
    assert seen_refused(Error(code=ErrorCode.BUSY, message="no")) is None
