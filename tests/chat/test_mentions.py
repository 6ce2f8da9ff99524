"""Which texts mention a user."""

import unicodedata

import pytest

from tertulia.chat.mentions import Mention, begins_word


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ana", "ana"),
        ("ana", "ANA, hola"),
        ("ana", "hola @ana!"),
        ("ana", "gracias, ana."),
        ("ana", "espera... ana..."),
        ("ana", "sí...ana y luis"),
        ("ana", "one\nana\ntwo"),
        ("ana", "ana1 y luego ana"),
        ("ana", "anaana ana"),
        ("ana", "*ana* _ana_ ¿ana?"),
        ("ana", "「ana」"),
        ("ana", "ana's, ana’s"),
        ("ana", "❤️ana"),
        ("ana", "ana👋🏽"),
        ("a.b", "hola a.b."),
        ("José", "hola JOSE\u0301"),
        ("José", "hola jose"),
        ("jose", "hola José"),
        ("ana", "ＡＮＡ！"),
        ("ＡＮＡ", "ana"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ;"),
        ("Йосиф", "иосиф, да"),
        ("strasse", "Straße?"),
        ("İzmir", "izmir"),
        ("राम", "राम, नमस्ते"),
        ("हिन्दी", "नमस्ते हिन्दी।"),
        # No space around a name.
        ("太郎", "太郎さん、こんにちは"),
        ("太郎", "ねえ太郎さん"),
        ("太郎", "太郎君、太郎様"),
        ("さくら", "さくらちゃん"),
        ("アナ", "アナさん"),
        ("アナ", "こんにちはアナさん"),
        ("ｱﾅ", "アナさん"),
        ("ana", "anaさん、こんにちは"),
        ("ana", "こんにちはana"),
        ("李明", "李明你好"),
        ("李明", "请李明来一下"),
        ("李明", "李明呢？"),
        ("李", "李さん"),
        ("日本", "日本、hola"),
        ("민수", "민수야 안녕"),
        ("민수", "민수님"),
        ("ana", "ana야"),
        ("สมชาย", "คุณสมชายครับ"),
        ("สมชาย", "สวัสดีสมชาย"),
        ("มานี", "มานีมาแล้ว"),
    ],
)  # fmt: skip
def test_the_name_as_a_word_is_a_mention_in_every_spelling(name: str, text: str) -> None:
    for form in ("NFC", "NFD"):
        assert Mention(unicodedata.normalize("NFC", name)).is_in(unicodedata.normalize(form, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ana", "mañana"),
        ("ana", "anas"),
        ("ana", "ana_2"),
        ("ana", "ana2"),
        ("ana", "ana-maría"),
        ("ana", "la-ana"),
        ("ana", "maría.ana"),
        ("ana", "ana.maria, hola"),
        ("ana", "ана"),
        ("a.b", "axb"),
        ("राम", "रामा"),
        ("राम", "रोम"),
        ("ก", "กี"),
        ("มา", "มาะ"),
        ("日本", "日本語"),
        ("太郎", "桃太郎"),
        ("太郎", "太郎2"),
        ("アナ", "アナウンサー"),
        ("민수", "김민수"),
        ("ana", ""),
        ("", "ana"),
    ],
)
def test_a_part_of_a_longer_word_is_no_mention(name: str, text: str) -> None:
    for form in ("NFC", "NFD"):
        assert not Mention(name).is_in(unicodedata.normalize(form, text))


@pytest.mark.parametrize(
    "text",
    ["@profe", "oye @PROFE, ven", "(@profe)", "＠profe", "¡@profe!", "@profe...", "先生@profe"],
)
def test_a_common_word_can_be_a_mention_only_after_an_at_sign(text: str) -> None:
    assert Mention("profe", only_at=True).is_in(text)


@pytest.mark.parametrize("text", ["profe", "el profe vino", "a@profe", "@ profe", "@profesor"])
def test_then_the_bare_word_is_no_mention(text: str) -> None:
    assert not Mention("profe", only_at=True).is_in(text)


def test_after_an_at_sign_the_name_may_still_go_on_in_a_script_without_spaces() -> None:
    assert Mention("太郎", only_at=True).is_in("こんにちは@太郎さん")
    assert not Mention("太郎", only_at=True).is_in("太郎さん")


def test_a_text_of_the_greatest_length_is_searched_in_no_time() -> None:
    assert not Mention("ana").is_in("ana" * 5_000)
    assert not Mention("太郎").is_in("桃太郎。" * 1_500)


def test_words_begin_where_completion_may_begin() -> None:
    text = "¿lu@x(a-b 日本c"
    begins = [text[at] for at in range(len(text)) if text[at].isalnum() and begins_word(text, at)]
    assert begins == ["l", "x", "a", "日", "本", "c"]
