"""Events, people and days in words, in both languages."""

from datetime import date

import pytest

from tertulia.chat.event_words import (
    MAX_NAMES,
    Movement,
    day_words,
    movement_words,
    people_words,
    speech,
)
from tertulia.i18n import set_language


def test_a_message_is_its_sender_and_its_text() -> None:
    assert speech("luis", "hola\na todos") == "luis: hola\na todos"


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    assert speech("a\n[12:00] eva", "hola") == "a␊[12:00] eva: hola"


def test_many_blank_lines_become_one() -> None:
    assert speech("luis", "one" + "\n \n" * 500 + "two\n\nthree") == "luis: one\n\ntwo\n\nthree"


def test_people_who_did_the_same_are_named_together() -> None:
    people = {
        Movement.JOINED: ["eva", "zoe"],
        Movement.CAME_BACK: ["luis"],
        Movement.LEFT: ["ana (connection lost)"],
        Movement.CAME_AND_WENT: ["leo"],
        Movement.CHANGED_STATUS: ["max ◐ OCUPADO"],
    }
    assert movement_words(people) == (
        "eva and zoe joined; luis came back; ana (connection lost) left; leo joined and left; "
        "max ◐ OCUPADO"
    )
    assert movement_words({Movement.LEFT: ["eva"]}, 1) == "eva left; 1 more change"
    assert movement_words({Movement.LEFT: ["eva"]}, 2) == "eva left; 2 more changes"
    set_language("es")
    assert movement_words({Movement.JOINED: ["eva"]}, 2) == "eva entró; 2 cambios más"
    assert movement_words({Movement.JOINED: ["eva", "zoe"]}) == "eva y zoe entraron"


def test_a_few_people_are_named_and_the_others_counted() -> None:
    people = [f"u{number}" for number in range(MAX_NAMES + 2)]
    assert people_words(people[:1]) == "u0"
    assert people_words(people[:2]) == "u0 and u1"
    assert people_words(people[:-1]) == "u0, u1, u2, u3 and u4"  # "1 other" would be no shorter
    assert people_words(people) == "u0, u1, u2, u3 and 2 others"
    set_language("es")
    assert people_words(people) == "u0, u1, u2, u3 y 2 más"


@pytest.mark.parametrize(
    ("name", "word"),
    [("Inés", "e"), ("íñigo", "e"), ("Hilda", "e"), ("Ian", "y"), ("Hielo", "y"), ("Eva", "y")],
)
def test_spanish_joins_names_by_how_they_sound(name: str, word: str) -> None:
    assert people_words(["luis", name]) == f"luis and {name}"
    set_language("es")
    assert people_words(["luis", name]) == f"luis {word} {name}"


def test_a_day_is_written_in_the_language_of_now() -> None:
    day = date(2026, 11, 22)
    assert day_words(day) == "Sunday, November 22, 2026"
    set_language("es")
    assert day_words(day) == "domingo 22 de noviembre de 2026"


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_day_and_month_has_a_name_of_its_own(language: str) -> None:
    set_language(language)
    weekdays = {day_words(date(2026, 6, day)).replace(",", "").split()[0] for day in range(1, 8)}
    months = {day_words(date(2026, month, 1)).split("de ")[-2:][0] for month in range(1, 13)}
    assert (len(weekdays), len(months)) == (7, 12)
