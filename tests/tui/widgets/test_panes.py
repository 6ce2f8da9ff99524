"""The parts of the screen: whose line it is, where the focus is, and what stands in empty lists."""

from plain_table import Clock
from table import ChatTable
from textual.color import Color


def border(table: ChatTable, selector: str) -> tuple[str, Color]:
    return table.app.main.query_one(selector).styles.border_top


def test_the_pane_with_the_focus_has_another_border_than_the_others(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        panes = ("#entry", "#left", "#right")
        for number, key in enumerate(("escape", "f2", "f3")):
            await table.press(key)
            colours = [border(table, pane)[1] for pane in panes]
            assert colours.count(colours[number]) == 1
            styles = [table.app.main.query_one(p).styles.border_title_style for p in panes]
            assert [bool(style.reverse) for style in styles].index(True) == number

    ChatTable(clock).run(scenario)


def test_a_title_is_text_and_no_markup(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.load("@[b]x[/b] hello")
        await table.settle()
        assert "Nobody called “[b]x[/b]” is here" in table.shown

    ChatTable(clock).run(scenario)
