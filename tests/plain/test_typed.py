"""What typed and pasted texts are: commands, messages, and to whom."""

import pytest

from tertulia.chat.command_arguments import CommandError
from tertulia.chat.face_commands import SayToAll
from tertulia.i18n import set_language
from tertulia.plain.pastes import Pasted
from tertulia.plain.typed import command_of, help_lines, paste_words
from tertulia.protocol.messages import Direct, ListUsers, Say
from tertulia.protocol.texts import MAX_TEXT_BYTES


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/users", ListUsers()),
        ("one\n\ttwo\n", Say(text="one\n\ttwo")),
        ("@luis one\n\ttwo", Direct(to="luis", text="one\n\ttwo")),
        ("@luis \tone\n\ttwo", Direct(to="luis", text="\tone\n\ttwo")),
        ("@luis\n\tone\ntwo\n\n", Direct(to="luis", text="\tone\ntwo")),
        ("/msg luis   one\ntwo", Direct(to="luis", text="  one\ntwo")),
        ("/all  one\ntwo", SayToAll(" one\ntwo")),
        ("//one\ntwo", Say(text="/one\ntwo")),
        (Pasted("/quit"), Say(text="/quit")),
        (Pasted("  @luis psst\n/quit\n\n"), Say(text="  @luis psst\n/quit")),
    ],
)
def test_a_text_is_a_command_or_a_message_with_all_its_lines(text: str, command: object) -> None:
    assert command_of(text) == command


@pytest.mark.parametrize("text", ["/users\nnow", "/search one\ntwo", "/nick\nana"])
def test_other_commands_have_one_line(text: str) -> None:
    with pytest.raises(CommandError):
        command_of(text)


def test_a_paste_is_told_with_what_becomes_of_it() -> None:
    assert paste_words(42, Pasted("/quit\n@luis x")) == (
        "42 lines pasted: Enter sends them as one message to everyone, Ctrl+C takes them back."
    )
    assert paste_words(2, "@luis one\ntwo") == (
        "2 lines pasted: Enter sends them as one message only to luis, Ctrl+C takes them back."
    )
    assert "only one line" in paste_words(2, "/search one\ntwo")
    assert "too long for one message" in paste_words(9, Pasted("ñ\n" * (MAX_TEXT_BYTES // 3 + 1)))
    set_language("es")
    assert paste_words(42, Pasted("x\ny")).startswith("42 líneas pegadas: Enter las envía")


def test_the_help_on_a_terminal_has_the_keys_too() -> None:
    assert "/users, /usuarios: show who is here" in help_lines(on_terminal=False)
    added = [
        line for line in help_lines(on_terminal=True) if line not in help_lines(on_terminal=False)
    ]
    assert [line.partition(":")[0] for line in added] == [
        "Enter", "Alt+Enter, Ctrl+O", "arrow up, arrow down", "Tab", "Ctrl+C", "Ctrl+D",
    ]  # fmt: skip
