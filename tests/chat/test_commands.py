"""A typed line becomes a request, or words that say what to do.

What the page has in common with this is in tests/vectors/commands.json, with the words that go with
each wrong line. Here is the rest: Spanish words, and the face line by line.
"""

import pytest

from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.command_table import COMMANDS
from tertulia.chat.commands import help_rows, parse
from tertulia.chat.face_commands import (
    Open,
    SetTheme,
    ShowText,
    Theme,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    Direct,
    Say,
    SetStatus,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hola a todos", Say(text="hola a todos")),
        ("/estado OCUPADO", SetStatus(status="OCUPADO")),
        ("/status inactivo", SetStatus(status="INACTIVO")),
        ("/status away", SetStatus(status="INACTIVO")),
        ("@luis hola", Direct(to="luis", text="hola")),
        ("", None),
    ],
)
def test_a_line_is_understood_in_both_languages(line: str, command: Command | None) -> None:
    set_language("es")
    assert parse(line) == command


def test_a_wrong_command_gets_the_nearest_one_in_the_users_language() -> None:
    set_language("es")
    for wrong, words in (
        ("/hlep", "¿Quisiste decir /ayuda?"),
        ("/xyzzy", "/ayuda muestra todos los comandos."),
    ):
        with pytest.raises(CommandError) as error:
            parse(wrong)
        assert words in str(error.value)


def test_a_command_means_the_same_in_both_languages() -> None:
    def meanings(word: str) -> list[object]:
        found: list[object] = []
        for argument in ("", "luis", "luis hola", "ocupado", "5", "es", "all", "dark", "two words"):
            try:
                found.append(parse(f"{word} {argument}", on_screen=True))
            except CommandError as error:
                found.append(str(error))
        return found

    for spec in COMMANDS:
        assert meanings(spec.spanish) == meanings(spec.english), spec.english


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_help_names_every_command_in_both_languages(lang: str) -> None:
    set_language(lang)
    text = str(help_rows())
    rows = str(help_rows(on_screen=True))
    for spec in COMMANDS:
        assert spec.spanish in rows
        assert spec.english in rows
        assert (spec.english in text) is not spec.on_screen


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/msg luis", Open("luis")),
        ("@luis", Open("luis")),
        ("/copiar", ShowText()),
        ("/tema auto", SetTheme(Theme.AUTO)),
    ],
)
def test_some_commands_are_for_the_full_screen_alone(line: str, command: Command) -> None:
    assert parse(line, on_screen=True) == command
    with pytest.raises(CommandError, match=r"NAME TEXT|full screen"):
        parse(line)
