"""The first and the last line of the screen: which items are shown, and that a click acts."""

from typing import Any

from plain_table import Clock
from table import SMALL, ChatTable

from tertulia.i18n import set_language
from tertulia.tui.widgets.bars import Item, KeyBar, KeyItem, TitleBar


def test_the_keys_in_the_key_bar_have_a_colour_of_their_own(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        styles = {segment.text: segment.style for segment in table.strips[-1]}
        assert styles["F1"] is not None
        assert styles[" Help"] is not None
        assert styles["F1"].color != styles[" Help"].color

    ChatTable(clock).run(scenario)


def test_an_item_without_a_text_takes_no_room(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        bar = table.app.main.query_one(TitleBar)
        bar.set_texts(server="h:5000", unread="", connection="connected", own_status="ana")
        await table.settle()
        shown = {item.id: str(item.render()) for item in bar.query(Item) if item.display}
        assert shown == {
            "product": "tertulia", "server": "h:5000", "connection": "connected",
            "own-status": "ana",
        }  # fmt: skip
        bar.set_texts(server="", unread="2 unread", connection="connected", own_status="ana")
        await table.settle()
        assert [item.id for item in bar.query(Item) if item.display] == [
            "product", "unread", "connection", "own-status"
        ]  # fmt: skip
        assert "2 unread" in table.rows[0]

    ChatTable(clock).run(scenario)


def test_the_same_text_again_is_not_drawn_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        item: Any = table.app.main.query_one("#connection", Item)
        drawn: list[str] = []
        item.update = drawn.append
        for text in ("one", "one", "two"):
            item.set_text(text)
        assert drawn == ["one", "two"]

    ChatTable(clock).run(scenario)


def test_the_text_of_an_item_is_no_markup() -> None:
    item = Item()
    item.update("[b]x[/b]")
    assert str(item.render()) == "[b]x[/b]"


def test_only_an_item_with_an_action_acts_on_a_click(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.click("#product")
        assert table.app.screen is table.app.main
        await table.click("#own-status")
        assert table.app.screen is not table.app.main
        await table.press("escape")
        await table.hear(table.direct("psst"))
        await table.click("#unread")
        assert table.current.name == "luis"
        await table.click_on("F3 People")
        assert table.app.main.focused is table.app.main.people_list

    ChatTable(clock).run(scenario)


def test_the_mouse_selects_no_text_in_the_bars(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        await table.hear(table.said("hello"))
        for start, end in (("#product", "#connection"), ("KeyItem", "KeyItem")):
            await table.pilot.mouse_down(start, offset=(1, 0))
            await table.pilot.hover(end, offset=(6, 0))
            assert not main.selections
            await table.pilot.mouse_up(end, offset=(6, 0))

    ChatTable(clock).run(scenario)


def test_the_last_line_has_the_keys_with_a_title_and_fewer_where_it_is_narrow(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        bar = table.app.main.query_one(KeyBar)
        assert [str(item.render()) for item in bar.query(KeyItem)] == [
            "F1 Help", "F2 Chats", "F3 People", "F4 Status", "F7 Text", "F9 Commands", "^Q Quit"
        ]  # fmt: skip
        assert "F7" not in table.rows[-1]
        assert "F9 Commands" in table.rows[-1]
        set_language("es")
        bar.translate()
        assert str(bar.query(KeyItem).last().render()) == "^Q Salir"

    ChatTable(clock).run(scenario, SMALL)
