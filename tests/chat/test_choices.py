"""What the user chooses: it holds at once, is saved, and is confirmed in words."""

import os
from pathlib import Path

import pytest

from tertulia.chat import settings
from tertulia.chat.choices import Choices
from tertulia.chat.commands import parse
from tertulia.chat.face_commands import SetLanguage, SetNotify, SetPlain
from tertulia.chat.settings import Settings
from tertulia.i18n import language, set_language


def notify(choices: Choices, line: str) -> str:
    command = parse(line)
    assert isinstance(command, SetNotify)
    return choices.set_notify(command)


@pytest.mark.parametrize(
    ("line", "direct", "other"),
    [
        ("/notify off", False, False),
        ("/avisos menciones", True, False),
        ("/notify at", True, False),
        ("/avisos todo", True, True),
    ],
)
def test_the_bell_rings_for_what_was_chosen_now_and_in_the_next_run(
    line: str, direct: bool, other: bool
) -> None:
    choices = Choices()
    notify(choices, line)
    for now_or_later in (choices, Choices(settings.load().settings)):
        assert now_or_later.rings_for(calls=True) is direct
        assert now_or_later.rings_for(calls=False) is other


@pytest.mark.parametrize(
    ("line", "plain"), [("/plain on", True), ("/simple no", False), ("/simple si", True)]
)
def test_the_face_is_chosen_for_the_next_run(line: str, plain: bool) -> None:
    choices = Choices(Settings(plain=not plain))
    command = parse(line)
    assert isinstance(command, SetPlain)
    assert choices.set_plain(command).startswith("From now on, tertulia starts ")
    assert settings.load().settings.plain is plain


def test_a_name_that_is_a_common_word_can_be_a_mention_only_with_an_at_sign() -> None:
    choices = Choices()
    assert choices.mention_of("profe").is_in("el profe vino")
    notify(choices, "/avisos arroba")
    for now_or_later in (choices, Choices(settings.load().settings)):
        assert not now_or_later.mention_of("profe").is_in("el profe vino")
        assert now_or_later.mention_of("profe").is_in("¿@profe?")
    notify(choices, "/avisos todo")  # what is marked stays as it was chosen
    assert not choices.mention_of("profe").is_in("el profe vino")
    notify(choices, "/avisos menciones")
    assert choices.mention_of("profe").is_in("el profe vino")


def test_the_choice_is_confirmed_in_words() -> None:
    choices = Choices()
    lines = ["off", "all", "mentions", "at", "terminal", "mentions", "off", "terminal"]
    assert [notify(choices, f"/notify {line}") for line in lines] == [
        "The bell does not ring.",
        "The bell rings for every message.",
        "The bell rings for mentions and direct messages.",
        "The bell rings for mentions and direct messages. Only your name after “@” is a mention.",
        "The bell rings for mentions and direct messages. The terminal shows them too. "
        "Only your name after “@” is a mention.",
        "The bell rings for mentions and direct messages.",
        "The bell does not ring.",
        "The bell rings for mentions and direct messages. The terminal shows them too.",
    ]


def test_the_language_is_remembered() -> None:
    choices = Choices()
    assert choices.set_language(SetLanguage("es")) == "Ahora el idioma es español."
    assert (language(), settings.load().settings.language) == ("es", "es")
    set_language("en")


def test_a_choice_that_cannot_be_saved_holds_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(blocked))
    choices = Choices(Settings())
    words = notify(choices, "/notify all")
    assert words.startswith("The bell rings for every message. The choice will not be remembered: ")
    assert choices.rings_for(calls=False)


def test_changes_of_status_are_switched_on_and_off_and_remembered() -> None:
    choices = Choices()
    assert choices.switch_statuses().startswith("Each change of status is a line in the chat now.")
    assert settings.load().settings.notify_statuses
    assert choices.switch_statuses() == "Changes of status show only in the list of people now."
    assert not settings.load().settings.notify_statuses
