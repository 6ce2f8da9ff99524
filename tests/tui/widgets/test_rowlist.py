"""The row list: rows come and go under a highlight that stays on its row."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widgets import Input

from tertulia.tui.widgets.rowlist import Row, RowList

HEIGHT = 10
WIDTH = 12  # with the scrollbar's column


class Users(RowList):
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--name"}
    DEFAULT_CSS = "Users { height: 10; } Users .row-list--name { text-style: bold; }"


class ListApp(App[None]):
    AUTO_FOCUS = "Users"

    def __init__(self) -> None:
        super().__init__()
        self.users = Users()
        self.chosen: list[tuple[RowList, str]] = []

    def compose(self) -> ComposeResult:
        self.users.rows = numbered(100)
        yield self.users
        yield Input()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        assert message.control is message.row_list
        self.chosen.append((message.row_list, message.key))


Scenario = Callable[[ListApp, Users, Pilot[None]], Awaitable[None]]


def run(scenario: Scenario) -> None:
    async def main() -> None:
        app = ListApp()
        async with app.run_test(size=(WIDTH, HEIGHT + 3)) as pilot:
            await pilot.pause()
            await scenario(app, app.users, pilot)

    asyncio.run(main())


def row(key: str) -> Row:
    return Row(key, [("● ", ""), (key, "name")])


def numbered(count: int) -> list[Row]:
    return [row(f"u{number}") for number in range(count)]


def seen(users: Users) -> list[str]:
    strips = [users.render_line(y) for y in range(HEIGHT)]
    assert all(strip.cell_length == WIDTH for strip in strips)
    return [line for strip in strips if (line := strip.text.rstrip())]


def marked(users: Users) -> list[str]:
    """Find what is drawn in reverse."""
    strips = [users.render_line(y) for y in range(HEIGHT)]
    return [
        strip.text.strip()
        for strip in strips
        if all(segment.style and segment.style.reverse for segment in strip)
    ]


def test_rows_are_shown_in_their_styles() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        assert seen(users) == [f"● u{number}" for number in range(HEIGHT)]
        styles = {segment.text: segment.style for segment in users.render_line(1)}
        assert styles["u1"]
        assert styles["u1"].bold
        assert not styles["● "] or not styles["● "].bold
        users.rows = []
        assert seen(users) == []
        await pilot.press("down", "enter", "end", "pageup")
        assert app.chosen == []

    run(scenario)


def test_the_highlight_is_seen_without_colour_and_only_while_it_has_the_focus() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        assert marked(users) == ["● u0"]
        await pilot.press("down")
        assert marked(users) == ["● u1"]
        await pilot.press("tab")
        assert marked(users) == []
        assert users.highlighted == "u1"

    run(scenario)


@pytest.mark.parametrize(
    ("keys", "key", "top"),
    [
        (["up"], "u0", 0),
        (["down"] * 3, "u3", 0),
        (["pagedown"], "u9", 0),
        (["pagedown", "pagedown"], "u18", 9),
        (["end"], "u99", 90),
        (["end", "down", "pagedown"], "u99", 90),
        (["end", "pageup", "up"], "u89", 89),
        (["end", "home"], "u0", 0),
    ],
)
def test_keys_move_the_highlight_and_the_view_goes_with_it(
    keys: list[str], key: str, top: int
) -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        assert users.highlighted == key
        assert users.scroll_offset.y == top
        assert marked(users) == [f"● {key}"]
        assert app.chosen == []

    run(scenario)


def test_the_rows_that_the_highlight_leaves_and_reaches_are_painted_again() -> None:
    async def scenario(_app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        painted: list[int] = []
        users.refresh_line = painted.append  # type: ignore[method-assign]
        await pilot.press("down", "down")
        assert painted == [0, 1, 1, 2]

    run(scenario)


def test_the_view_follows_the_highlight_by_one_row() -> None:
    async def scenario(_app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        await pilot.press(*["down"] * HEIGHT)
        assert users.scroll_offset.y == 1

    run(scenario)


def test_enter_and_a_click_choose() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "enter")
        users.scroll_to(y=40)
        await pilot.click(users, offset=(3, 4))
        await pilot.pause()
        assert app.chosen == [(users, "u2"), (users, "u44")]
        assert users.highlighted == "u44"

    run(scenario)


def test_a_long_row_ends_before_the_scrollbar() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        users.rows = [row("somebody with a long name")]
        assert seen(users) == ["● somebody…"]

    run(scenario)


def test_a_click_below_the_rows_or_beside_them_chooses_nothing() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        users.styles.border = ("solid", "red")
        await pilot.pause()
        await pilot.click(users, offset=(3, 0))
        await pilot.click(users, offset=(0, 4))
        await pilot.click(users, offset=(WIDTH - 1, 4))
        users.rows = numbered(3)
        await pilot.pause()
        await pilot.click(users, offset=(3, 5))
        await pilot.pause()
        assert app.chosen == []

    run(scenario)


def test_new_rows_keep_the_highlighted_one_and_the_view() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        users.highlight("u50")
        users.scroll_to(y=45)
        users.rows = [row("new"), *numbered(100)]
        assert users.highlighted == "u50"
        assert users.scroll_offset.y == 45
        assert seen(users)[0] == "● u44"
        users.rows = numbered(50)
        assert users.highlighted == "u49"  # the nearest
        assert users.scroll_offset.y == 40
        users.rows = [row(f"other{number}") for number in range(100)]
        assert users.highlighted == "other49"
        await pilot.pause()
        assert users.virtual_size.height == 100

    run(scenario)


def test_a_row_that_changes_is_painted_anew() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        rows = numbered(100)
        rows[2] = Row("u2", [("○ ", ""), ("u2", "name")])
        users.rows = rows
        await pilot.pause()
        assert seen(users)[2] == "○ u2"
        rows[2] = row("u2")  # the list belongs to the caller: only setting it counts
        assert seen(users)[2] == "○ u2"

    run(scenario)


def test_the_wheel_scrolls_and_leaves_the_highlight() -> None:
    async def scenario(app: ListApp, users: Users, pilot: Pilot[None]) -> None:
        users.post_message(MouseScrollDown(users, 3, 3, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert users.scroll_offset.y > 0
        assert users.highlighted == "u0"

    run(scenario)
