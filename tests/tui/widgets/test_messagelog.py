"""The message log: it paints what its painter says and never moves what is being read."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
from layouts import laid_out, resize
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.pilot import Pilot
from textual.selection import Selection

from tertulia.tui.painting.styled_text import Run
from tertulia.tui.painting.wrap import line_count, wrap
from tertulia.tui.widgets.messagelog import MessageLog, Place

HEIGHT = 10
WIDTH = 21  # with the scrollbar's column


class Item:
    def __init__(self, text: str) -> None:
        self.text = text


class Plain:
    def height(self, entry: Item, width: int) -> int:
        return line_count(entry.text, width)

    def paint(self, entry: Item, width: int) -> list[list[Run]]:
        return [[(line, "body")] for line in wrap(entry.text, width)]


class Log(MessageLog[Item]):
    COMPONENT_CLASSES: ClassVar[set[str]] = {"message-log--body"}
    DEFAULT_CSS = "Log .message-log--body { color: $foreground; }"


class LogApp(App[None]):
    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        self.log_view = Log(Plain())
        self.items = items
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        self.log_view.load(self.items)
        yield self.log_view

    def on_message_log_reached_top(self, message: MessageLog.ReachedTop) -> None:
        self.told.append(message)

    def on_message_log_new_below(self, message: MessageLog.NewBelow) -> None:
        self.told.append(message)

    def on_message_log_clicked(self, message: MessageLog.Clicked) -> None:
        self.told.append(message)

    def clicked(self) -> list[object]:
        return [message.entry for message in self.told if isinstance(message, Log.Clicked)]

    def counts(self) -> list[int]:
        return [message.count for message in self.told if isinstance(message, Log.NewBelow)]

    def tops(self) -> int:
        return sum(isinstance(message, Log.ReachedTop) for message in self.told)


Scenario = Callable[[LogApp, Log, Pilot[None]], Awaitable[None]]


def run(items: list[Item], scenario: Scenario) -> None:
    async def main() -> None:
        app = LogApp(items)
        async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
            await laid_out(app.log_view, WIDTH, HEIGHT)
            await pilot.pause()
            await scenario(app, app.log_view, pilot)

    asyncio.run(main())


def numbered(count: int, first: int = 0) -> list[Item]:
    return [Item(f"message {number}") for number in range(first, first + count)]


def seen(log: Log) -> list[str]:
    strips = [log.render_line(y) for y in range(log.size.height)]
    assert all(strip.cell_length == log.size.width for strip in strips)
    return [line for strip in strips if (line := strip.text.rstrip())]


def texts(first: int, count: int = HEIGHT) -> list[str]:
    return [item.text for item in numbered(count, first)]


def test_an_empty_log_shows_nothing_and_wants_older_entries() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert seen(log) == []
        assert log.at_end
        assert log.reading_place is None
        assert app.tops() == 1

    run([], scenario)


def test_the_start_is_shown_also_between_a_layout_and_the_event_that_tells_of_it() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log._laid_out = Size(log.room.width, HEIGHT - 1)
        log.go_to_start()
        log.on_resize()
        assert seen(log) == texts(0)

    run(numbered(100), scenario)


def test_a_conversation_is_shown_at_its_end_and_follows_what_comes() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert seen(log) == texts(90)
        log.append(numbered(3, 100))
        await pilot.pause()
        assert seen(log) == texts(93)
        assert app.told == []

    run(numbered(100), scenario)


@pytest.mark.long
def test_a_log_that_fills_up_begins_to_scroll_and_follows() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        for number in range(30):
            log.append(numbered(1, number))
            assert seen(log) == texts(max(0, number - HEIGHT + 1), min(number + 1, HEIGHT))
            await pilot.pause()
            assert seen(log) == texts(max(0, number - HEIGHT + 1), min(number + 1, HEIGHT))
        assert log.room.width == WIDTH - 1

    run([], scenario)


def test_what_comes_while_reading_above_moves_nothing_and_is_counted() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await pilot.press("pageup")
        assert seen(log) == texts(81)
        log.append(numbered(5, 100))
        log.append(numbered(5, 105), new=1)
        await pilot.pause()
        assert seen(log) == texts(81)
        assert log.virtual_size.height == log.vertical_scrollbar.window_virtual_size == 110
        assert (log.new_below, log.at_end) == (6, False)
        log.jump_to_end()
        await pilot.pause()
        assert seen(log) == texts(100)
        assert (log.new_below, log.at_end) == (0, True)
        assert app.counts() == [5, 6, 0]

    run(numbered(100), scenario)


def test_scrolling_to_the_end_follows_again() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_to(y=50)
        log.append(numbered(1, 100))
        for _ in range(5):
            log.scroll_page_down()
        assert log.at_end
        await pilot.pause()
        assert app.counts() == [1, 0]

    run(numbered(100), scenario)


def test_older_entries_come_in_above_the_text_that_is_read() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_home()
        assert seen(log) == texts(100)
        log.prepend(numbered(100))
        await pilot.pause()
        assert seen(log) == texts(100)
        log.scroll_home()
        assert seen(log) == texts(0)

    run(numbered(100, 100), scenario)


def test_forgetting_the_oldest_moves_nothing_else() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_to(y=50)
        log.drop_first(50)
        assert seen(log) == texts(50)
        log.drop_first(7)
        await pilot.pause()
        assert seen(log) == texts(57)
        log.jump_to_end()
        log.drop_first(10)
        assert seen(log) == texts(90)
        log.drop_first(1_000)
        await pilot.pause()
        assert seen(log) == []

    run(numbered(100), scenario)


def test_the_text_below_a_forgotten_one_stays_at_the_top_also_before_the_view_is_laid_out() -> None:
    async def scenario(_app: LogApp, log: Log, _pilot: Pilot[None]) -> None:
        log.go_to_start()
        log._laid_out = Size(log.room.width, HEIGHT - 1)  # as if the view had just been resized
        log.drop_first(2)
        log.prepend(numbered(20, 1_000))
        log.on_resize()
        assert seen(log) == texts(2)

    run(numbered(100), scenario)


def test_an_entry_that_grows_moves_nothing_that_is_read() -> None:
    items = numbered(100)

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_to(y=50)
        items[20].text = "one\ntwo\nthree"
        log.repaint_entry(items[20])
        items[52].text = "first\nsecond"
        log.repaint_entry(items[52])
        log.repaint_entry(Item("never shown here"))
        await pilot.pause()
        assert seen(log)[:5] == [*texts(50, 2), "first", "second", "message 53"]
        log.jump_to_end()
        items[99].text = "delivered\nat last"
        log.repaint_entry(items[99])
        assert seen(log)[-2:] == ["delivered", "at last"]

    run(items, scenario)


def test_an_entry_that_changes_in_place_is_painted_anew() -> None:
    items = numbered(100)

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert seen(log) == texts(90)
        items[99].text = "delivered"
        log.repaint_entry(items[99])
        assert seen(log)[-1] == "delivered"

    run(items, scenario)


LONG = "a text that needs a line of its own here, and some more of them"


def test_resizing_wraps_anew_and_keeps_the_reading_place() -> None:
    items = [item for number in range(50) for item in (Item(f"head {number}"), Item(LONG))]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        place = Place(items[40], 0)
        log.load(items, place)
        assert log.reading_place == place
        for width, height in ((80, 24), (12, 7), (40, 24), (12, 40), (80, 5)):
            await resize(pilot, log, width, height)
            assert log.reading_place == place
            assert seen(log)[0] == "head 20"
            assert log.room.width == width - 1

    run(items, scenario)


def test_the_line_within_an_entry_stays_at_the_top_where_it_can() -> None:
    items = [Item(LONG) for _ in range(100)]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.load(items, Place(items[40], 2))
        await resize(pilot, log, 18, 24)
        assert log.reading_place == Place(items[40], 2)
        await resize(pilot, log, 120, 24)
        assert log.reading_place == Place(items[40], 0)

    run(items, scenario)


def test_a_place_near_the_end_survives_a_view_that_is_higher_and_narrower() -> None:
    items = [Item(LONG) for _ in range(30)]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await resize(pilot, log, 80, HEIGHT)
        log.scroll_to(y=18)
        await resize(pilot, log, 18, 24)
        assert log.reading_place == Place(items[18], 0)

    run(items, scenario)


def test_resizing_at_the_end_stays_at_the_end() -> None:
    items = [Item(f"{number} {LONG}") for number in range(50)]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        for width, height in ((80, 24), (80, 12), (12, 7), (80, 7), (12, 40), (12, 3)):
            await resize(pilot, log, width, height)
            assert log.at_end
            assert seen(log)[-1] == wrap(items[-1].text, width - 1)[-1]

    run(items, scenario)


def test_painting_all_anew_keeps_the_reading_place() -> None:
    items = numbered(100)

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_to(y=50)
        for item in items:
            item.text = f"mensaje\n{item.text}"
        log.repaint()
        await pilot.pause()
        assert seen(log)[:4] == ["mensaje", "message 50", "mensaje", "message 51"]

    run(items, scenario)


def test_coming_back_to_a_conversation_shows_what_was_being_read() -> None:
    one, other = numbered(100), numbered(100, 500)

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        log.scroll_to(y=33)
        log.append(numbered(1, 100))
        place = log.reading_place
        log.load(other)
        await pilot.pause()
        assert seen(log) == texts(590)
        assert (log.at_end, log.new_below) == (True, 0)
        log.load(one, place)
        await pilot.pause()
        assert seen(log) == texts(33)
        assert log.reading_place == place
        log.load(other, place)  # forgotten meanwhile: so were all that came before
        assert seen(log) == texts(500)

    run(one, scenario)


def test_the_top_is_told_of_once_until_there_is_more_or_one_went_away() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert app.tops() == 0
        await pilot.press("home", "up", "up")
        log.append(numbered(5, 100))
        await pilot.pause()
        assert app.tops() == 1
        await pilot.press("down", "up")
        assert app.tops() == 2
        log.prepend(numbered(1, -1))
        await pilot.pause()
        assert app.tops() == 2
        await pilot.press("home")
        assert app.tops() == 3
        log.load(numbered(3))
        log.prepend(numbered(1, -1))
        await pilot.pause()
        assert app.tops() == 5

    run(numbered(100), scenario)


def test_keys_scroll_at_once() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        for key, first in (
            ("pageup", 81),
            ("up", 80),
            ("down", 81),
            ("home", 0),
            ("pagedown", 9),
            ("end", 90),
        ):
            await pilot.press(key)
            assert seen(log) == texts(first)
        log.scroll_home()
        log.action_scroll_end()
        assert seen(log) == texts(90)

    run(numbered(100), scenario)


def test_an_entry_taller_than_the_view_is_shown_line_by_line() -> None:
    lines = [f"line {number}" for number in range(1_000)]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert seen(log) == lines[-HEIGHT:]
        for y in (0, 1, 500, 400, 990):
            log.scroll_to(y=y)
            assert seen(log) == lines[y : y + HEIGHT]

    run([Item("\n".join(lines))], scenario)


def test_markup_is_text() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        assert seen(log) == ["[red]hi[/] @click"]

    run([Item("[red]hi[/] @click")], scenario)


def test_a_theme_changes_the_look_of_the_lines() -> None:
    def look(log: Log) -> Style | None:
        return next(iter(log.render_line(0))).style

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        dark = look(log)
        app.theme = "textual-light"
        await pilot.pause()
        light = look(log)
        assert dark
        assert light
        assert dark.color != light.color
        assert dark.bgcolor != light.bgcolor

    run(numbered(1), scenario)


def test_a_background_from_outside_is_taken_at_once() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        before = next(iter(log.render_line(0))).style
        app.screen.styles.background = "red"
        await pilot.pause()
        after = next(iter(log.render_line(0))).style
        assert before
        assert after
        assert before.bgcolor != after.bgcolor

    run(numbered(1), scenario)


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


def test_the_mouse_selects_text_and_it_is_copied_without_padding() -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await drag(pilot, (2, 0), (1, 2))
        assert app.screen.get_selected_text() == "la a todos\nbuenas\nqu"
        log.post_message(Click(log, 1, 2, 0, 0, 1, False, False, False, 1, 2))
        await pilot.pause()
        assert app.clicked() == []  # the end of a drag is none
        log.prepend(numbered(100))
        log.append(numbered(1))
        log.drop_first(50)
        await pilot.pause()
        assert app.screen.get_selected_text() == "la a todos\nbuenas\nqu"
        log.scroll_home()
        await drag(pilot, (0, 0), (9, 1))
        assert app.screen.get_selected_text() == "message 50\nmessage 51"

    run([Item("hola a todos"), Item("buenas  "), Item("qué tal")], scenario)


def test_selected_text_is_painted_and_no_grapheme_is_cut() -> None:
    family = "👨‍👩‍👧"

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        plain = log.render_line(0)
        await drag(pilot, (1, 0), (1, 0))
        await drag(pilot, (2, 0), (1, 0))
        strip = log.render_line(0)
        assert strip.text == plain.text
        assert strip.cell_length == plain.cell_length
        selected = [
            segment.text
            for segment in strip
            if segment.style and segment.style.bgcolor != next(iter(plain)).style.bgcolor  # type: ignore[union-attr]
        ]
        assert "".join(selected) == family
        assert app.screen.get_selected_text() == family

    run([Item(f"a{family}b")], scenario)


@pytest.mark.parametrize("change", [Log.repaint, lambda log: log.load(numbered(3))])
def test_a_selection_ends_when_its_lines_become_others(change: Callable[[Log], None]) -> None:
    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await drag(pilot, (0, 0), (3, 2))
        assert isinstance(log.text_selection, Selection)
        change(log)
        assert log.text_selection is None

    run(numbered(100), scenario)


def test_a_selection_stays_when_only_an_entry_below_it_grows() -> None:
    items = numbered(5)

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await drag(pilot, (0, 1), (6, 2))
        items[4].text = "one\ntwo"
        log.repaint_entry(items[4])
        assert app.screen.get_selected_text() == "message 1\nmessage"
        items[0].text = "one\ntwo"
        log.repaint_entry(items[0])
        assert app.screen.get_selected_text() is None

    run(items, scenario)


def test_a_click_tells_the_entry() -> None:
    items = [Item("one\ntwo"), Item("three")]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await pilot.click(log, offset=(15, 1))
        await pilot.click(log, offset=(0, 2))
        await pilot.click(log, offset=(0, 5))
        await pilot.pause()
        assert app.clicked() == items

    run(items, scenario)


def test_a_double_click_selects_the_entry_and_not_the_conversation() -> None:
    items = [Item("one\ntwo"), Item("three\nfour"), Item("five")]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        await pilot.double_click(log, offset=(1, 3))
        await pilot.pause()
        assert app.screen.get_selected_text() == "three\nfour"
        assert app.clicked() == [items[1]]

    run(items, scenario)


@pytest.mark.long
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))]
)
def test_whatever_happens_the_right_lines_are_shown_and_the_place_is_kept(seed: int) -> None:
    chance = random.Random(seed)

    def some(count: int = 9) -> list[Item]:
        words = ["hola", "日本語", "👨‍👩‍👧", "a\nb", "considerably", "x", "buenos días"]
        return [
            Item(" ".join(chance.choices(words, k=chance.randint(1, 12))))
            for _ in range(chance.randint(0, count))
        ]

    async def scenario(app: LogApp, log: Log, pilot: Pilot[None]) -> None:
        shown: list[Item] = []
        for _ in range(60):
            place = log.reading_place
            action = chance.randrange(8)
            if action in (0, 1):
                log.append(new := some())
                shown += new
            elif action == 2:
                log.prepend(new := some())
                shown = new + shown
            elif action == 3:
                log.drop_first(count := chance.randint(0, 5))
                shown = shown[count:]
            elif action == 4 and shown:
                item = chance.choice(shown)
                item.text = "".join(each.text for each in some(3))
                log.repaint_entry(item)
            elif action == 5:
                await resize(pilot, log, chance.randint(10, 60), chance.randint(3, 20))
            if chance.random() < 0.5:
                await pilot.pause()
            lines = [line for item in shown for line in wrap(item.text, log.room.width)]
            top, height = log.scroll_offset.y, log.size.height
            painted = [log.render_line(y) for y in range(height)]
            expected = [line.rstrip() for line in lines[top : top + height]]
            assert [strip.text.rstrip() for strip in painted[: len(expected)]] == expected
            assert all(cell_len(strip.text) == log.size.width for strip in painted)
            if place is None:
                assert log.at_end
            elif place.entry in shown and not log.at_end and log.reading_place is not None:
                assert log.reading_place.entry is place.entry
            assert log.at_end == (top >= max(0, len(lines) - height))
            log.scroll_to(y=log.scroll_y + chance.choice([0, 0, -4, 5]), force=True)

    run([], scenario)
