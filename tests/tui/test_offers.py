"""The palette offers everything that can be typed or pressed, and finds it by what is typed."""

import pytest

from tertulia.chat.command_table import COMMANDS
from tertulia.i18n import set_language
from tertulia.operator_commands import OPERATOR_COMMANDS
from tertulia.tui.keys import KEYS
from tertulia.tui.offers import matching, offers


def found(typed: str) -> list[str]:
    """Return the commands, and for an offer without one its key."""
    return [offer.word or offer.shown_key for offer in matching(offers(), typed)]


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_command_and_every_action_of_a_key_is_offered_once(language: str) -> None:
    set_language(language)
    offered = offers()
    assert [offer.word for offer in offered if offer.word] == [spec.word for spec in COMMANDS]
    assert {offer.action for offer in offered} - {""} == {key.action for key in KEYS} - {""}
    assert len(offered) == len({(offer.word, offer.shown_key) for offer in offered})
    assert all(offer.title for offer in offered)


def test_a_command_is_offered_with_the_key_that_does_the_same() -> None:
    words = {spec.english for spec in COMMANDS}
    assert {key.command for key in KEYS} - {""} <= words
    keys = {offer.word: offer.shown_key for offer in offers()}
    assert (keys["/help"], keys["/copy"], keys["/close"], keys["/info"]) == ("F1", "F7", "Del", "")


def test_the_commands_of_operators_are_offered_to_them_alone() -> None:
    words = {offer.word for offer in offers()}
    assert not {order.word for order in OPERATOR_COMMANDS} & words
    assert {order.word for order in OPERATOR_COMMANDS} < {
        offer.word for offer in offers(operator=True)
    }


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("sea", "/search"), ("/sea", "/search"), ("buscar", "/search"), ("F7", "/copy"),
        ("unread", "Ctrl+G"), ("previous conv", "Ctrl+P"), ("STATUS", "/status"),
        ("ctrl+t", "Ctrl+T"),
    ],
)  # fmt: skip
def test_typing_finds_a_command_by_its_words_or_its_key(typed: str, first: str) -> None:
    assert found(typed)[0] == first


def test_typing_finds_what_the_user_reads() -> None:
    set_language("es")
    assert found("conversacion anterior") == ["Ctrl+P"]
    assert found("search")[0] == "/buscar"
    assert found("xyzzy") == []
    assert len(found("")) == len(offers())


def test_all_of_a_command_is_told() -> None:
    [search] = [offer for offer in offers() if offer.word == "/search"]
    assert search.about == "/search WORDS: search for messages that contain these words"
    assert search.needs_arguments
    [close] = [offer for offer in offers() if offer.word == "/close"]
    assert not close.needs_arguments
    [following] = [offer for offer in offers() if offer.shown_key == "Ctrl+N"]
    assert following.about == "go to the next conversation"
