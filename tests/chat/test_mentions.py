"""Which texts mention a user."""

import json
import unicodedata
from pathlib import Path

import pytest

from tertulia.chat.mentions import Mention, begins_word

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "mentions.json").read_text(encoding="utf-8")
)
FORMS = ("NFC", "NFD")


@pytest.mark.parametrize(("name", "text"), VECTORS["mentions"])
def test_the_name_as_a_word_is_a_mention_in_every_spelling(name: str, text: str) -> None:
    for form in FORMS:
        assert Mention(unicodedata.normalize("NFC", name)).is_in(unicodedata.normalize(form, text))


@pytest.mark.parametrize(("name", "text"), VECTORS["not_mentions"])
def test_a_part_of_a_longer_word_is_no_mention(name: str, text: str) -> None:
    for form in FORMS:
        assert not Mention(name).is_in(unicodedata.normalize(form, text))


@pytest.mark.parametrize(("name", "text"), VECTORS["with_at"])
def test_a_common_word_can_be_a_mention_only_after_an_at_sign(name: str, text: str) -> None:
    assert Mention(name, only_at=True).is_in(text)


@pytest.mark.parametrize(("name", "text"), VECTORS["without_at"])
def test_then_the_bare_word_is_no_mention(name: str, text: str) -> None:
    assert not Mention(name, only_at=True).is_in(text)


def test_a_text_of_the_greatest_length_is_searched_in_no_time() -> None:
    assert not Mention("ana").is_in("ana" * 5_000)
    assert not Mention("太郎").is_in("桃太郎。" * 1_500)


def test_words_begin_where_completion_may_begin() -> None:
    text = "¿lu@x(a-b 日本c"
    begins = [text[at] for at in range(len(text)) if text[at].isalnum() and begins_word(text, at)]
    assert begins == ["l", "x", "a", "日", "本", "c"]
