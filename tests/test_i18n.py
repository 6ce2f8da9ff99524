"""The language is the one asked for, or that of the environment, if that is Spanish."""

import pytest

from tertulia.i18n import _, language, language_option, ngettext, set_language

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "en"),
        ({"LANG": "es_GT.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "es-MX"}, "es"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "est"}, "en"),
        ({"LANG": "es_ES", "LC_MESSAGES": "en_US"}, "en"),
        ({"LANG": "en_US", "LC_ALL": "es_ES"}, "es"),
        ({"LANG": "en_US", "LC_ALL": "", "LANGUAGE": ""}, "en"),
        ({"LANGUAGE": "fr:es:en", "LANG": "en_US"}, "es"),
        ({"LANGUAGE": "en:es", "LANG": "es_ES"}, "en"),
    ],
)
def test_the_environment_chooses(
    environment: dict[str, str], lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert set_language(None) == lang == language()


def test_the_language_can_be_set_again_at_any_time() -> None:
    words = []
    for lang in ("es", "en", "es"):
        set_language(lang)
        words.append(_("show who is here"))
    assert words == ["muestra quién está", "show who is here", "muestra quién está"]


def test_plurals_follow_the_number() -> None:
    set_language("es")
    texts = [
        ngettext("There is {count} person here.", "There are {count} people here.", count)
        for count in (0, 1, 2)
    ]
    assert texts == ["Hay {count} personas.", "Hay {count} persona.", "Hay {count} personas."]


@pytest.mark.parametrize(
    ("arguments", "lang"),
    [
        ([], None),
        (["ana", "--lang", "es"], "es"),
        (["--lang=en", "ana"], "en"),
        (["--lang"], None),
        (["--lang", "es", "--lang", "en"], "en"),
        (["--", "--lang", "es"], None),
    ],
)
def test_the_option_is_found_before_there_is_a_parser(
    arguments: list[str], lang: str | None
) -> None:
    assert language_option(arguments) == lang
