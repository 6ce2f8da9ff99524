"""Dialogs that are closed before they are complete."""

import pytest
from plain_table import Clock
from table import ChatTable

from tertulia.chat.display import Glyphs
from tertulia.tui.widgets.dialogs import CodeDialog, SearchDialog, question, table_of


def make_question() -> object:
    return question("title", "text", "yes", "no")


def make_search() -> object:
    return SearchDialog("words", [], None, Glyphs("utf-8"))


@pytest.mark.parametrize("make", [make_question, make_search, lambda: CodeDialog("text")])
def test_a_dialog_can_be_closed_before_it_is_complete(clock: Clock, make: object) -> None:
    async def scenario(_table: ChatTable) -> None:
        dialog = make()  # type: ignore[operator]
        dialog.on_mount()  # as Textual does it when a quick Escape has removed the content

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize("width", [96, 64, 48])
def test_one_long_command_does_not_narrow_what_all_others_say(width: int) -> None:
    short = [(f"/command-{number} NAME", "what it does " * 6) for number in range(3)]
    lines = table_of([("/notify " + "a|" * 25, "the bell"), *short], width).splitlines()
    assert max(map(len, lines)) <= max(width, 58)
    longest_right = max(line.count("what") for line in lines)
    assert longest_right >= (width - 21) // len("what it does ")
    assert lines[1].strip() == "the bell"
