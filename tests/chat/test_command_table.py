"""The table of the commands: their words, and on which face each of them exists."""

import pytest

from tertulia.chat.command_arguments import Command
from tertulia.chat.command_table import COMMANDS, LANGUAGE, NOTIFY, STATUS, THEME, listed
from tertulia.chat.face_commands import Notify, SetLanguage, SetNotify
from tertulia.i18n import set_language


def test_a_command_has_its_word_in_the_language_of_the_person() -> None:
    assert STATUS.word == "/status"
    set_language("es")
    assert STATUS.word == "/estado"


def test_some_commands_are_not_listed_line_by_line() -> None:
    assert listed(on_screen=True) == list(COMMANDS)
    line_by_line = listed(on_screen=False)
    assert [spec.english for spec in COMMANDS if spec not in line_by_line] == [
        "/close",
        "/resend",
        "/copy",
        "/theme",
    ]


def test_what_can_be_left_out_is_not_offered_as_a_word() -> None:
    assert THEME.choices == ("auto", "dark", "light", "oscuro", "claro")


@pytest.mark.parametrize(
    ("choice", "command"),
    [
        ("off", SetNotify(Notify.OFF, terminal=False)),
        ("mentions", SetNotify(Notify.MENTIONS, terminal=False, only_at=False)),
        ("at", SetNotify(Notify.MENTIONS, terminal=False, only_at=True)),
        ("all", SetNotify(Notify.ALL, terminal=False)),
        ("terminal", SetNotify(terminal=True)),
    ],
)
def test_notifications_are_chosen_by_one_word(choice: str, command: Command) -> None:
    assert NOTIFY.parse("/notify", choice) == command


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_language_is_chosen_by_its_code(language: str) -> None:
    assert LANGUAGE.parse("/language", language) == SetLanguage(language)
