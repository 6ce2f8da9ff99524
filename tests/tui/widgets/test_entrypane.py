"""The border around the typed line, and what the empty line says."""

import pytest
from plain_table import Clock
from table import SMALL, USUAL, WIDE, ChatTable
from textual.color import Color

from tertulia.tui.model.conversations import GENERAL
from tertulia.tui.model.target import Reach, Target
from tertulia.tui.widgets.entrypane import EntryPane


def border(table: ChatTable, selector: str) -> tuple[str, Color]:
    return table.app.main.query_one(selector).styles.border_top


def test_the_border_of_the_line_says_who_gets_it_by_word_colour_and_kind(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        seen = {}
        for line in ("", "hello", "@luis hello", "/all hello", "/users", "@nadie hello"):
            table.composer.load(line)
            await table.settle()
            kind, colour = border(table, "#entry")
            seen[line] = (table.title("#entry"), kind, colour)
        assert seen[""] == seen["hello"] == seen["/all hello"]
        words, kinds, colours = zip(
            *(seen[line] for line in ("", "@luis hello", "/users")), strict=True
        )
        assert len(set(words)) == len(set(colours)) == 3
        assert kinds == ("round", "double", "round")
        assert seen["@nadie hello"][0] == "Nobody called “nadie” is here: Enter sends nothing"

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
def test_in_the_conversation_with_one_person_the_empty_line_says_so(
    clock: Clock, size: tuple[int, int]
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        assert border(table, "#entry")[0] == "double"
        assert "Only to luis" in table.shown
        assert "Write only to luis" in table.shown
        await table.press("ctrl+n")
        assert border(table, "#entry")[0] != "double"
        assert "To everyone" in table.shown

    ChatTable(clock).run(scenario, size)


def test_a_line_has_one_reach_at_a_time_and_the_placeholder_fits_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        pane = table.app.main.entry_pane
        for reach, name in (
            (Reach.ONE, "-one"), (Reach.NOBODY, "-nobody"), (Reach.EVERYONE, "-everyone")
        ):  # fmt: skip
            pane.show_target(Target(reach, "words"))
            assert pane.title == "words"
            assert {"-everyone", "-one", "-nobody"} & set(pane.classes) == {name}
        assert placeholder(pane, "lu\x1bis", is_typing=True) == "Write only to lu␛is"
        assert placeholder(pane, GENERAL, is_typing=True) == "Write to everyone"
        assert placeholder(pane, GENERAL, is_typing=False) == "Esc: back to writing"
        assert placeholder(pane, "luis", is_typing=False) == "Esc: back to writing"

    ChatTable(clock).run(scenario)


def placeholder(pane: EntryPane, name: str, *, is_typing: bool) -> str:
    pane.show_placeholder(name, is_typing=is_typing)
    return str(pane._composer.placeholder)
