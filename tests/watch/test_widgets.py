"""The parts of the view's screen, each on a screen in memory of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static
from view import WAIT_S

from tertulia.tui.painting.styled_text import Run
from tertulia.tui.widgets.bars import Item
from tertulia.tui.widgets.rowlist import Row
from tertulia.watch.widgets import (
    Explanation,
    FiguresPane,
    KeyLine,
    LinesView,
    ThreadList,
    ThreadsPane,
    TitleLine,
)

WIDTH, HEIGHT = 60, 6


class Lines(LinesView):
    """Lines that count how often they are painted again."""

    refreshes = 0

    def refresh(self, *regions, **options):
        self.refreshes += 1
        return super().refresh(*regions, **options)


class Bench(App[None], inherit_bindings=False):
    """A program with one widget, which notes the messages of the widget."""

    CSS = "Screen { overflow: hidden; } LinesView { height: 1fr; }"

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.moved = self.stopped = 0
        self.is_resized = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_thread_list_moved(self) -> None:
        self.moved += 1

    def on_lines_view_resized(self) -> None:
        self.is_resized.set()

    def action_stop(self) -> None:
        self.stopped += 1


def show(widget: Widget, scenario: Callable[[Bench, Pilot[None]], Awaitable[None]]) -> None:
    """Carry out a scenario with a widget that is on the screen."""

    async def main() -> None:
        bench = Bench(widget)
        async with bench.run_test(size=(WIDTH, HEIGHT)) as pilot:
            await pilot.pause()
            await scenario(bench, pilot)

    asyncio.run(main())


def numbered(count: int, text: str = "line") -> list[list[Run]]:
    return [[(f"{text} {number}", "figure")] for number in range(count)]


def painted(view: LinesView) -> list[str]:
    strips = [view.render_line(y) for y in range(view.size.height)]
    assert {strip.cell_length for strip in strips} == {view.size.width}
    return [strip.text.rstrip() for strip in strips]


def test_lines_are_shown_from_the_top_and_the_rest_is_blank() -> None:
    lines = Lines()

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        assert painted(lines) == [""] * HEIGHT
        lines.show(numbered(2))
        assert painted(lines) == ["line 0", "line 1", "", "", "", ""]

    show(lines, scenario)


def test_a_line_that_is_too_long_is_shortened() -> None:
    lines = Lines()

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        lines.show([[("x" * 2 * WIDTH, "figure")]])
        assert painted(lines)[0] == "x" * (lines.room.width - 1) + "…"

    show(lines, scenario)


def test_lines_that_stay_equal_are_not_painted_again() -> None:
    lines = Lines()

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        lines.show(numbered(2))
        before = lines.refreshes
        lines.show(numbered(2))
        assert lines.refreshes == before
        lines.show(numbered(3))
        assert lines.refreshes > before
        assert painted(lines)[2] == "line 2"

    show(lines, scenario)


def test_new_lines_keep_the_place_to_which_the_user_has_scrolled_while_there_are_enough() -> None:
    lines = Lines()

    async def scenario(_bench: Bench, pilot: Pilot[None]) -> None:
        lines.show(numbered(20))
        lines.focus()
        await pilot.press(*["down"] * 4, "up")
        assert painted(lines)[0] == "line 3"
        lines.show(numbered(20, "other"))
        assert painted(lines)[0] == "other 3"
        lines.show(numbered(HEIGHT + 2))
        assert painted(lines)[0] == "line 2"
        lines.show(numbered(1))
        assert painted(lines)[0] == "line 0"

    show(lines, scenario)


def test_another_size_is_reported() -> None:
    async def scenario(bench: Bench, pilot: Pilot[None]) -> None:
        await asyncio.wait_for(bench.is_resized.wait(), WAIT_S)
        bench.is_resized.clear()
        await pilot.resize_terminal(WIDTH - 1, HEIGHT)
        await asyncio.wait_for(bench.is_resized.wait(), WAIT_S)

    show(Lines(), scenario)


def test_the_list_of_threads_reports_another_highlighted_row() -> None:
    threads = ThreadList()

    async def scenario(bench: Bench, pilot: Pilot[None]) -> None:
        threads.rows = [Row(str(number), [("thread", "name")]) for number in range(3)]
        threads.focus()
        await pilot.press("down")
        assert threads.highlighted == "1"
        assert bench.moved == 1

    show(threads, scenario)


def test_a_pane_of_figures_shows_lines_in_the_room_for_them() -> None:
    pane = FiguresPane(id="figures")

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        view = pane.query_one(LinesView)
        pane.show(numbered(1))
        assert painted(view)[0] == "line 0"
        assert pane.room == view.room

    show(pane, scenario)


def test_the_table_of_threads_has_a_heading_above_and_a_sentence_below() -> None:
    pane = ThreadsPane(id="threads")

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        assert list(pane.children) == [pane.heading, pane.list, pane.about]

    show(pane, scenario)


def test_the_title_line_marks_a_server_that_does_not_work() -> None:
    line = TitleLine()

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        for is_ill in (True, False):
            line.show(server="port 5000", detail="1.2.3", state="fine", is_ill=is_ill)
            assert line.has_class("-ill") is is_ill
        texts = [str(item.content) for item in line.query(Item)]
        assert texts == ["tertulia", "port 5000", "1.2.3", "fine"]

    show(line, scenario)


def test_the_last_line_shows_the_keys_that_have_a_title() -> None:
    line = KeyLine()

    async def scenario(_bench: Bench, _pilot: Pilot[None]) -> None:
        texts = [str(item.content) for item in line.query(Item)]
        assert texts == ["? Help", "s Sort", "g Graph", "p Pause", "t Colours", "q Quit"]

    show(line, scenario)


def test_the_explanation_has_the_focus_and_the_keys_stand_below_each_other() -> None:
    async def scenario(bench: Bench, _pilot: Pilot[None]) -> None:
        await bench.push_screen(Explanation())
        assert bench.focused is bench.screen.query_one("#dialog-text")
        rows = str(bench.screen.query(Static)[2].content).splitlines()[1:]
        assert rows[0].startswith("?       explain what is on the screen")
        assert {row[8] != " " and row[:8].endswith(" ") for row in rows} == {True}

    show(Static(), scenario)


def test_the_explanation_is_closed_by_the_keys_that_open_it_or_leave() -> None:
    async def scenario(bench: Bench, pilot: Pilot[None]) -> None:
        for key in ("escape", "q", "question_mark", "f1", "h", "ctrl+c", "ctrl+q"):
            await bench.push_screen(Explanation())
            await pilot.press(key)
            assert not isinstance(bench.screen, Explanation), key

    show(Static(), scenario)


def test_the_program_can_be_stopped_while_the_explanation_is_open() -> None:
    async def scenario(bench: Bench, pilot: Pilot[None]) -> None:
        await bench.push_screen(Explanation())
        await pilot.press("ctrl+z")
        assert isinstance(bench.screen, Explanation)
        assert bench.stopped == 1

    show(Static(), scenario)
