"""The palette: a key opens it, typing filters it, Enter or a click does what is highlighted."""

import pytest
from plain_table import Clock
from table import SMALL, USUAL, WIDE, ChatTable

from tertulia.i18n import set_language
from tertulia.protocol.messages import ListUsers, Search
from tertulia.tui.widgets.dialogs import ChoiceDialog, HelpDialog
from tertulia.tui.widgets.palette import OfferList, PaletteDialog


async def open_palette(table: ChatTable, typed: str = "") -> None:
    await table.press("f9", *typed)
    assert isinstance(table.app.screen, PaletteDialog)


def about(table: ChatTable) -> str:
    return str(table.app.screen.query_one("#about-offer").render())


def test_a_command_without_arguments_is_carried_out(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("psst"))
        await table.enter("@luis")
        table.composer.insert("half")
        await open_palette(table, "language")
        await table.press("escape")
        assert table.app.screen is table.app.main
        await open_palette(table, "ignore")
        await table.press("enter")
        assert table.composer.text == "half"

    ChatTable(clock).run(scenario, USUAL)


@pytest.mark.long
def test_a_command_with_arguments_is_begun_in_the_composer(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.insert("half a line")
        await open_palette(table, "search")
        await table.press("enter")
        assert table.composer.text == "/search "
        assert table.hint == "Your text is kept: ↑ brings it back."
        assert "search for messages" in table.title("#entry")
        await table.press("n")
        await table.press("up")
        assert table.composer.text == "half a line"
        await table.press("down")
        await table.press("enter")
        assert [request.text for request in table.client.sent_of(Search)] == ["n"]

    ChatTable(clock).run(scenario, USUAL)


@pytest.mark.long
def test_what_has_a_key_does_what_the_key_does(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await open_palette(table, "f4")
        await table.press("enter")
        await table.until(lambda: isinstance(table.app.screen, ChoiceDialog))
        await table.press("escape")
        await open_palette(table, "who is here")
        await table.press("enter")
        await table.until(lambda: table.app.main.focused is table.app.main.people_list)
        assert len(table.client.sent_of(ListUsers)) == 1
        await open_palette(table, "show this help")
        await table.press("enter")
        await table.until(lambda: isinstance(table.app.screen, HelpDialog))

    ChatTable(clock).run(scenario, USUAL)


def test_the_arrows_choose_and_the_line_below_tells_all_of_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await open_palette(table)
        assert about(table).startswith("/msg NAME TEXT: ")
        await table.press("down", "down")
        assert about(table).startswith("/close [NAME]: ")
        await table.press("up")
        assert about(table).startswith("/all TEXT: ")
        await table.press("x", "y", "z")
        assert about(table) == "Nothing here matches “xyz”."
        await table.press("enter")
        assert isinstance(table.app.screen, PaletteDialog)
        await table.press("backspace", "backspace", "backspace")
        assert about(table).startswith("/msg NAME TEXT: ")

    ChatTable(clock).run(scenario, USUAL)


def test_a_click_chooses(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await open_palette(table, "words")
        await table.click_on("search for mes")
        assert table.composer.text == "/search "

    ChatTable(clock).run(scenario, USUAL)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_keys_are_shown_in_every_size(
    clock: Clock, size: tuple[int, int], language: str
) -> None:
    set_language(language)

    async def scenario(table: ChatTable) -> None:
        await open_palette(table, "f7")
        [row] = [row for row in table.rows if "F7" in row and "/cop" in row]
        assert "│" in row
        assert table.app.screen.query_one(OfferList).room.width > 30

    ChatTable(clock).run(scenario, size)
