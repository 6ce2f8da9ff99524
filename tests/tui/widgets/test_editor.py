"""The cursor among characters that are made of several."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tertulia.tui.widgets.editor import Editor

FAMILY = "👩\u200d👩\u200d👧"
ACCENTED = "e\u0301"
CHARACTERS = ["a", "李", FAMILY, ACCENTED, "🇪🇸", "👍🏽", "❤\ufe0f", " "]


class Page(App[None]):
    CSS = "Editor { border: none; padding: 0; height: 4; }"

    def compose(self) -> ComposeResult:
        yield Editor(highlight_cursor_line=False)

    def on_mount(self) -> None:
        self.query_one(Editor).focus()


def edit(play: Callable[[Editor, Pilot[None]], Awaitable[None]], width: int = 40) -> None:
    async def perform() -> None:
        page = Page()
        async with page.run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            await play(page.query_one(Editor), pilot)

    asyncio.run(perform())


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_the_cursor_goes_over_a_whole_character(character: str) -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"x{character}y")
        end = 1 + len(character)
        editor.move_cursor((0, end))
        editor.action_cursor_left()
        assert editor.cursor_location == (0, 1)
        editor.action_cursor_right()
        assert editor.cursor_location == (0, end)
        editor.action_delete_left()
        assert editor.text == "xy"

    edit(play)


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_the_cursor_covers_a_whole_character(character: str) -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.cursor_blink = False
        editor.load_text(f"x{character}y")
        editor.move_cursor((0, 1))
        await pilot.pause()
        assert character in [segment.text for segment in editor.render_line(0)]

    edit(play)


def test_a_place_inside_a_character_is_none() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"{FAMILY}{ACCENTED}z")
        places = set()
        for column in range(len(editor.text) + 1):
            editor.move_cursor((0, column))
            places.add(editor.cursor_location[1])
        assert places == {0, 5, 7, 8}

    edit(play)


def test_the_cursor_stands_where_the_screen_has_it() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"{FAMILY}李{ACCENTED}z")
        editor.move_cursor((0, len(editor.text)))
        assert editor.cursor_screen_offset.x == 2 + 2 + 1 + 1

    edit(play)


def test_up_and_down_keep_the_column_of_the_screen() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"{FAMILY * 3}ab\n{FAMILY}\n12345678")
        editor.move_cursor((2, 7))
        editor.action_cursor_up()
        assert editor.cursor_location == (1, 5)
        editor.action_cursor_up()
        assert editor.cursor_location == (0, 16)
        editor.action_cursor_down()
        editor.action_cursor_down()
        assert editor.cursor_location == (2, 7)

    edit(play)


def test_up_and_down_go_through_the_rows_of_a_line() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text("uno dos tres cuatro")  # in 9 columns: "uno dos ", "tres ", "cuatro"
        editor.move_cursor((0, 19))
        editor.action_cursor_up()
        assert editor.cursor_location == (0, 12)
        editor.action_cursor_up()
        assert editor.cursor_location == (0, 6)
        editor.action_cursor_down()
        editor.action_cursor_down()
        assert editor.cursor_location == (0, 19)

    edit(play, width=10)


@pytest.mark.long
def test_the_mouse_finds_the_character_under_it() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"{FAMILY * 3}ab\n李b")
        await pilot.pause()
        places = []
        for offset in [(0, 0), (4, 0), (5, 0), (6, 0), (7, 0), (30, 0), (1, 1), (2, 1), (0, 3)]:
            await pilot.click(editor, offset=offset)
            places.append(editor.cursor_location)
        assert places == [
            (0, 0), (0, 10), (0, 10), (0, 15), (0, 16), (0, 17), (1, 0), (1, 1), (1, 0)
        ]  # fmt: skip

    edit(play)


def test_a_word_is_deleted_with_its_marks() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text(f"un caf{ACCENTED} ")
        editor.move_cursor(editor.document.end)
        editor.action_delete_word_left()
        assert editor.text == "un "

    edit(play)


def test_what_reorders_a_row_stays_in_the_text_and_off_the_screen() -> None:
    async def play(editor: Editor, pilot: Pilot[None]) -> None:
        editor.load_text("a\u202eb\u2066c")
        await pilot.pause()
        painted = editor.render_line(0).text
        assert editor.text == "a\u202eb\u2066c"
        assert not {"\u202e", "\u2066"} & set(painted)

    edit(play)
