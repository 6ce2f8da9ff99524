"""Names: what is one, what is none, and which two are the same.

The rows that the page keeps too are in tests/vectors/names.json; here are those beyond them.
"""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tertulia.protocol.names import is_reserved, look_of, parse_name


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def key(raw: str) -> str:
    name = parse_name(raw)
    assert name is not None, f"{raw!r} is a name"
    return name.key


@pytest.mark.parametrize(
    "raw",
    [
        "İbrahim",
        "Nguyễn",
        "Ωμέγα",
        "Ёлка",
        "김철수",
        "سارة",
        "١٢٣",
        "李ana",  # only Latin, Greek and Cyrillic are kept apart
        "𠀀𠀁",
    ],
)
def test_letters_digits_and_the_marks_of_all_scripts_make_names(raw: str) -> None:
    name = parse_name(raw)
    assert name is not None
    assert name.shown == raw


@pytest.mark.parametrize("raw", ["José", "Nguyễn", "김철수"])
def test_a_name_is_shown_in_nfc(raw: str) -> None:
    assert nfd(raw) != raw
    name = parse_name(nfd(raw))
    assert name is not None
    assert name.shown == raw


@pytest.mark.parametrize("character", ["a", "é", "李", "𠀀"])
def test_a_name_has_at_most_32_characters_after_nfc(character: str) -> None:
    assert parse_name(character * 32)
    assert parse_name(nfd(character * 32))
    assert parse_name(character * 33) is None
    assert parse_name(nfd(character * 33)) is None


def test_a_name_that_is_long_only_before_nfc_is_one() -> None:
    longest = "\u1f82" * 32  # a Greek letter that is four characters in NFD
    assert len(nfd(longest)) == 128
    assert key(nfd(longest)) == key(longest)


@pytest.mark.parametrize("raw", ["", "x" * 60_000, "a" + "\u0301" * 60_000])
def test_nothing_and_too_much_are_no_names(raw: str) -> None:
    assert parse_name(raw) is None


@pytest.mark.parametrize("raw", ["_", "\u093fह"])
def test_a_name_begins_with_a_letter_or_a_digit(raw: str) -> None:
    assert parse_name(raw) is None


@pytest.mark.parametrize("character", ["/", ":", "@", "[", "`", "{"])
def test_other_punctuation_stands_nowhere_in_a_name(character: str) -> None:
    assert parse_name(character) is None
    assert parse_name(f"{character}ana") is None
    assert parse_name(f"a{character}na") is None
    assert parse_name(f"ana{character}") is None


@pytest.mark.parametrize("character", [" ", "\xa0", "\u1680", "\u2028"])
def test_no_space_stands_anywhere_in_a_name(character: str) -> None:
    assert parse_name(character) is None
    assert parse_name(f"{character}ana") is None
    assert parse_name(f"a{character}na") is None
    assert parse_name(f"ana{character}") is None


@pytest.mark.parametrize(
    "character",
    [
        *("\x1b", "\x9b"),  # controls
        *("\u200b", "\u200d", "\u202e"),  # format characters
        *("\ufe0e", "\ufe0f", "\U000e0100", "\u180b", "\u180f"),  # variation selectors
        *("\u115f", "\u1160", "\u3164", "\uffa0"),  # Hangul fillers: letters, and nothing to see
        *("\u034f", "\u17b4", "\u17b5"),  # marks, and nothing to see
        "\ud800",
        *("\ue000", "\U0010ffff", "\u0378"),  # private, no character, not assigned
    ],
)
def test_nothing_invisible_stands_in_a_name(character: str) -> None:
    assert parse_name(character) is None
    assert parse_name(f"a{character}na") is None
    assert parse_name(f"ana{character}") is None
    assert parse_name(f"김{character}") is None


# The last one is a letter, but in its compatible form a space with a mark.
@pytest.mark.parametrize("character", ["😀", "€", "½", "·", "／", "\u037a"])
def test_a_symbol_is_neither_a_letter_nor_a_digit(character: str) -> None:
    assert parse_name(character) is None
    assert parse_name(f"ana{character}") is None


def test_at_most_two_marks_come_after_one_another() -> None:
    acute, below = "\u0317", "\u0323"  # they compose with nothing here
    assert parse_name(f"q{acute}")
    assert parse_name(f"q{acute}{below}")
    assert parse_name(f"q{acute}{below}{acute}") is None
    assert parse_name(f"q{acute}{below}q{acute}{below}")


def test_marks_that_nfc_takes_into_the_letter_are_not_counted() -> None:
    assert key("e\u0323\u0302") == key("ệ")
    assert parse_name("e\u0323\u0302\u0317\u0317")
    assert parse_name("e\u0323\u0302\u0317\u0317\u0317") is None


@pytest.mark.parametrize(
    "raw",
    [
        "a1-а",  # a Cyrillic а
        "Αna",  # a Greek alpha
        "Аα",  # Cyrillic and Greek
        "Ａе",  # a Latin letter in full width
        "ﬁо",
        "𝛂a",  # a Greek letter for mathematics
        "Ⅎе",  # Latin, though its name in Unicode does not say so
    ],
)
def test_latin_greek_and_cyrillic_letters_do_not_mix(raw: str) -> None:
    assert parse_name(raw) is None


@pytest.mark.parametrize("raw", ["еван", "α_7", "李еван"])
def test_a_name_all_in_one_of_these_scripts_is_one(raw: str) -> None:
    assert parse_name(raw)


@pytest.mark.parametrize(
    "spellings",
    [
        ["ana", "Ana", "ANA", "aNa", "ＡＮＡ", "ａｎａ", "Ａna", "𝐚𝐧𝐚"],
        ["José", "josé", nfd("JOSÉ"), nfd("josë"), "ｊｏｓé"],
        ["σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ", nfd("Σίσυφος")],
        ["ガ", "ｶﾞ", nfd("ガ")],
        ["\u1f82", nfd("\u1f82"), "\u1f8a"],
        ["ǆ", "ǅ", "Ǆ", "dž", "dz"],
        ["nguyen", "Nguyễn"],
        ["αλεξης", "Αλέξης", "άλέξης"],
        ["ᾳ", "α", "ᾼ", "ᾴ"],
        ["андрей", "андреи", "Андрёй"],
        ["x\u0303\u0323y", "xy"],
    ],
)
def test_spellings_that_differ_in_case_width_or_latin_greek_and_cyrillic_marks_are_one_name(
    spellings: list[str],
) -> None:
    assert len({key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a-b", "a_b"),
        ("1", "١"),
        ("a", "а"),  # Latin and Cyrillic
        ("さ", "サ"),
        ("राम", "रम"),  # the marks of other scripts count
        ("राम", "रामं"),
        ("שלום", "שָׁלוֹם"),
        ("o", "ø"),  # a letter of its own, and no o with a mark
    ],
)
def test_what_only_looks_alike_is_another_name(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Profesora", "PROFES0RA", True),
        ("Profesora", "Profesora.", True),
        ("Profesora", "Prof_eso-ra", True),
        ("Paula", "PauIa", True),
        ("Paula", "Pau1a", True),
        ("Pepe", "Рере", True),  # Cyrillic
        ("Ana", "Anna", False),
        ("Profesora", "Profesora2", False),
        ("Profesora", "Profesor", False),
    ],
)
def test_names_that_are_easily_taken_for_one_another_have_one_look(
    one: str, other: str, alike: bool
) -> None:
    assert (look_of(key(one)) == look_of(key(other))) is alike


@pytest.mark.parametrize("raw", ["todos2", "ana", "alla"])
def test_other_words_are_not_reserved(raw: str) -> None:
    assert not is_reserved(raw)


names = st.text(
    st.sampled_from("aAßſﬁéǆσς_-.1１Ａе李\u0301\u0323\u0345ガｶﾞ\u3164 \u200b") | st.characters(),
    max_size=34,
)


@given(names)
@example("a" * 129)
@example("\ud800")
def test_whatever_is_asked_for_a_name_is_one_in_all_its_forms_or_is_none(raw: str) -> None:
    name = parse_name(raw)
    assert parse_name(nfd(raw)) == name
    assert parse_name(unicodedata.normalize("NFC", raw)) == name
    if name is None:
        return
    assert 1 <= len(name.shown) <= 32
    assert name.shown == unicodedata.normalize("NFC", raw)
    assert parse_name(name.shown) == name
    assert not any(
        character.isspace() or unicodedata.category(character)[0] in "CZS"
        for character in name.shown
    )


@given(names)
def test_the_name_in_compatible_form_or_without_its_case_has_the_same_key(raw: str) -> None:
    name = parse_name(raw)
    if name is None:
        return
    for twin in (unicodedata.normalize("NFKC", raw), name.shown.casefold()):
        if other := parse_name(twin):
            assert other.key == name.key
