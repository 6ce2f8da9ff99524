"""Each private part of Textual that we use: it is there, and does what we rely on.

Where this works around a fault of Textual, a test shows the fault: if it fails, Textual was mended,
and the part can go.
"""

import ast
import asyncio
import functools
import inspect
import os
import re
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import textual
from rich.console import Console
from textual import _compositor, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region, Size
from textual.keys import Keys
from textual.message import Message
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

import tertulia
from tertulia.tui.terminal import textual_private
from tertulia.tui.terminal.abilities import abilities
from tertulia.tui.terminal.driver import TerminalDriver, install
from tertulia.tui.terminal.pastes import PASTE_END, PASTE_START
from tertulia.tui.terminal.textual_private import (
    ALT_ENTER,
    CHECKED_WITH,
    MODIFIER_KEYS,
    HangupWriter,
    PlacedChops,
    PlacedLayout,
    SequenceParser,
    is_known_key,
    is_known_sequence,
    read_alt_enter_as_ctrl_j,
    set_content_height,
    write_to_terminal,
)

WAIT_S = 20.0
SOURCE = Path(tertulia.__file__).parent


def test_this_is_the_version_that_the_private_parts_were_checked_with() -> None:
    assert textual.__version__ == CHECKED_WITH


# --- nothing private is used anywhere else -------------------------------------------------------


@functools.cache
def private_names(kind: type) -> set[str]:
    """Return the private names that a class inherits from Textual."""
    names: set[str] = set()
    for base in kind.__bases__:
        names |= private_names(base)
    if kind.__module__.startswith("textual."):
        names |= {*vars(kind), *re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(kind))}
    return {name for name in names if re.match("_[a-z]", name)}


PRIVATE = private_names(App) | private_names(Screen) | private_names(Driver)


def private_uses(module: Any, tree: ast.Module) -> Iterator[str]:
    """Yield what a module uses of Textual's private parts."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(origin), names=names) if origin.startswith("textual"):
                places = [*origin.split("."), *(alias.name for alias in names)]
                yield from (place for place in places if place.startswith("_"))
            case ast.Attribute(value=ast.Name(id="self")):
                pass  # it is one of those of a class
            case ast.Attribute(attr=name) if name in PRIVATE:
                yield name
            case ast.ClassDef(name=name) if hasattr(module, name):
                private = private_names(getattr(module, name))
                for part in ast.walk(node):
                    used = getattr(part, "attr", getattr(part, "name", ""))
                    if used in private:
                        yield f"{name}.{used}"


def uses_of(path: Path) -> list[str]:
    module = ".".join(["tertulia", *path.relative_to(SOURCE).with_suffix("").parts])
    return list(private_uses(import_module(module), ast.parse(path.read_text())))


def test_only_one_module_uses_private_parts_of_textual() -> None:
    one = SOURCE / "tui/terminal/textual_private.py"
    others = {*SOURCE.glob("tui/**/*.py"), *SOURCE.glob("watch/*.py")} - {one}
    assert {path.name: uses for path in others if (uses := uses_of(path))} == {}
    assert {"_compositor", "SizedDriver._writer_thread", "_driver"} <= set(uses_of(one))


# --- input ---------------------------------------------------------------------------------------


def words(messages: Iterable[Message]) -> list[str]:
    """Write keys and pastes as words."""
    found = []
    for message in messages:
        if isinstance(message, events.Paste):
            found.append(f"paste {message.text}")
        elif isinstance(message, events.Key):
            found.append(message.key)
    return found


COLOURED = f"{PASTE_START}uno\x1b\rdos{PASTE_END}"


def test_a_whole_sequence_is_parsed_at_once() -> None:
    parser = SequenceParser()
    assert words(parser.parse_whole("\x1b")) == ["escape"]
    assert words(parser.parse_whole("\x1b[A")) == ["up"]


def test_textuals_own_parser_still_waits_after_an_escape() -> None:
    assert words(XTermParser().feed("\x1b")) == []


def test_the_sequences_and_keys_are_those_that_textual_knows() -> None:
    assert [is_known_sequence(f"\x1b[{end}") for end in ("A", "200~", "I", "1;2W")] == [
        *(True, True, True, False)
    ]
    assert [is_known_key(key) for key in ("57358u", "3~", "97u")] == [True, True, False]


def test_a_modifier_alone_has_a_name_that_we_know() -> None:
    assert words(SequenceParser().parse_whole("\x1b[57441;2u")) == ["left_shift"]
    assert {"left_shift", "right_control", "caps_lock"} <= MODIFIER_KEYS


@pytest.fixture
def key_table() -> Iterator[None]:
    """Restore Textual's table of keys after the test."""
    table: dict[str, Any] = ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
    before = dict(table)
    yield
    table.clear()
    table.update(before)


@pytest.mark.usefixtures("key_table")
def test_textual_still_reads_alt_enter_as_enter_without_us_and_as_ctrl_j_with_us() -> None:
    del ANSI_SEQUENCES_KEYS[ALT_ENTER]  # type: ignore[attr-defined]
    assert words(XTermParser().feed(ALT_ENTER))[-1:] != ["ctrl+j"]
    read_alt_enter_as_ctrl_j()
    assert ANSI_SEQUENCES_KEYS[ALT_ENTER] == (Keys.ControlJ,)
    assert words(XTermParser().feed(ALT_ENTER)) == ["ctrl+j"]


# --- what the driver makes -----------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install our classes, and Textual's own ones again after the test."""
    for name in ("XTermParser", "WriterThread", "getincrementaldecoder"):
        monkeypatch.setattr(linux_driver, name, getattr(linux_driver, name))
    for name in ("ChopsUpdate", "LayoutUpdate"):
        monkeypatch.setattr(_compositor, name, getattr(_compositor, name))
    install(abilities({}))


class OneRound(threading.Event):
    """A thread's order to end, which comes after its first round."""

    def is_set(self) -> bool:
        was_asked, self._asked = getattr(self, "_asked", False), True
        return was_asked


def read_by_the_driver(data: bytes) -> list[str]:
    """Let the driver's input thread read these bytes, and return what it makes of them."""
    source, sink = os.pipe()
    os.write(sink, data)
    os.close(sink)
    messages: list[Message] = []
    driver = LinuxDriver.__new__(LinuxDriver)
    driver.fileno, driver._debug = source, False
    driver.exit_event = OneRound()
    driver.process_message = messages.append  # type: ignore[method-assign]
    driver.run_input_thread()
    os.close(source)
    return words(messages)


@pytest.mark.usefixtures("installed")
def test_the_driver_reads_with_our_parser_once_it_is_installed() -> None:
    assert read_by_the_driver(COLOURED.encode()) == ["paste uno\rdos"]


def test_the_drivers_own_decoder_still_fails_at_a_byte_that_is_no_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        read_by_the_driver(b"ma\xf1ana")


@pytest.mark.usefixtures("installed")
def test_the_driver_reads_with_our_decoder_once_it_is_installed() -> None:
    assert read_by_the_driver(b"a\xf1b")[::2] == ["a", "b"]


@pytest.mark.usefixtures("installed")
def test_the_end_of_the_input_is_a_hangup(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(textual_private.os, "kill", lambda *signal_: sent.append(signal_))
    assert read_by_the_driver(b"") == []
    assert sent == [(os.getpid(), signal.SIGHUP)]


@pytest.mark.usefixtures("installed")
def test_the_driver_writes_with_our_writer_once_it_is_installed() -> None:
    assert linux_driver.WriterThread is HangupWriter  # type: ignore[comparison-overlap]
    assert "WriterThread" in LinuxDriver.start_application_mode.__code__.co_names


# --- the writer thread ---------------------------------------------------------------------------


class GoneTerminal:
    """A terminal that has hung up."""

    def write(self, _text: str) -> None:
        raise OSError("the terminal is gone")

    def flush(self) -> None:
        raise NotImplementedError


def test_the_writer_sends_a_hangup_and_lets_nobody_wait_when_the_terminal_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: Queue[tuple[int, int]] = Queue()
    monkeypatch.setattr(textual_private.os, "kill", lambda *signal_: sent.put(signal_))
    terminal: Any = GoneTerminal()
    writer = HangupWriter(terminal)
    writer.start()
    writer.write("x")
    assert sent.get(timeout=WAIT_S) == (os.getpid(), signal.SIGHUP)
    for _number in range(2 * writer._queue.maxsize):  # more than it keeps
        writer.write("x")
    writer.stop()
    assert not writer.is_alive()


def test_textuals_writer_still_ends_with_its_error_and_reads_its_queue_no_more() -> None:
    terminal: Any = GoneTerminal()
    writer = WriterThread(terminal)
    writer.write("x")
    writer.write("y")
    with pytest.raises(OSError, match="gone"):
        writer.run()
    assert writer._queue.qsize() == 1


# --- a terminal that does not know its size ------------------------------------------------------


def sizes_of_an_unknown(kind: type[LinuxDriver], monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Return what a driver and the console say of a terminal whose size is 0 by 0."""
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_fd: os.terminal_size((0, 0)))
    driver = kind.__new__(kind)
    with open(os.devnull, "w") as file:
        console = Console(file=file, force_terminal=True)
        return {tuple(console.size), tuple(driver._get_terminal_size())}


def test_the_driver_and_the_console_agree_on_a_size_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sizes_of_an_unknown(TerminalDriver, monkeypatch) == {(80, 25)}


def test_textuals_own_driver_and_the_console_still_do_not_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(sizes_of_an_unknown(LinuxDriver, monkeypatch)) == 2


# --- the driver of a running app -----------------------------------------------------------------


class Numbers(ScrollView):
    """A view as high as its room, whatever is in it."""

    DEFAULT_CSS = "Numbers { scrollbar-gutter: stable; overflow-x: hidden; overflow-y: auto; }"


class NumbersApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: Numbers = Numbers()

    def compose(self) -> ComposeResult:
        yield self.numbers


def run(scenario: Callable[[NumbersApp], Awaitable[None]]) -> None:
    async def main() -> None:
        app = NumbersApp()
        async with app.run_test(size=(20, 10)) as pilot:
            await pilot.pause()
            await scenario(app)

    asyncio.run(main())


def test_an_app_that_runs_has_a_driver_that_writes_to_its_terminal() -> None:
    async def scenario(app: NumbersApp) -> None:
        assert isinstance(app._driver, Driver)
        written: list[str] = []
        app._driver.write = written.append  # type: ignore[method-assign]
        write_to_terminal(app, "\x1b]9;hola\x07")
        assert written == ["\x1b]9;hola\x07"]

    run(scenario)


def test_without_a_driver_nothing_is_written() -> None:
    app = NumbersApp()
    assert app._driver is None
    write_to_terminal(app, "\x1b]9;hola\x07")


# --- the height of a view ------------------------------------------------------------------------


def test_a_view_gets_another_height_without_a_new_layout() -> None:
    async def scenario(app: NumbersApp) -> None:
        view = app.numbers
        set_content_height(view, 100, 20)  # the scrollbar appears: Textual lays out by itself
        await asyncio.sleep(0)
        app.screen._layout_required = view._layout_required = False
        set_content_height(view, 200, 50)
        assert not app.screen._layout_required
        assert not view._layout_required
        assert view.virtual_size == Size(0, 200)
        assert view.scroll_offset.y == 50
        assert view.max_scroll_y == 190
        bar = view.vertical_scrollbar
        assert (bar.window_virtual_size, bar.window_size, bar.position) == (200, 10, 50)

    run(scenario)


def test_setting_the_size_of_a_view_still_asks_for_a_layout() -> None:
    async def scenario(app: NumbersApp) -> None:
        view = app.numbers
        set_content_height(view, 100, 20)
        await asyncio.sleep(0)
        view._layout_required = False
        view.virtual_size = Size(0, 200)
        assert view._layout_required

    run(scenario)


def test_a_place_below_a_view_that_has_become_lower_is_its_end() -> None:
    async def scenario(app: NumbersApp) -> None:
        set_content_height(app.numbers, 100, 90)
        set_content_height(app.numbers, 50, 90)
        assert app.numbers.scroll_offset.y == 40
        assert app.numbers.vertical_scrollbar.position == 40

    run(scenario)


def test_the_private_update_of_scrollbars_takes_a_size() -> None:
    assert list(inspect.signature(Widget._scroll_update).parameters) == ["self", "virtual_size"]


class Watched(Numbers):
    """A view that notes in which order Textual tells it of a new size."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.seen.append("scrolled")

    def on_resize(self) -> None:
        self.seen.append("resized")


def test_textual_still_moves_a_view_before_it_tells_it_of_its_new_size() -> None:
    async def main() -> None:
        app = NumbersApp()
        app.numbers = view = Watched()
        async with app.run_test(size=(20, 10)) as pilot:
            await pilot.pause()
            set_content_height(view, 100, 90)
            await pilot.pause()
            view.seen.clear()
            await pilot.resize_terminal(20, 30)
            async with asyncio.timeout(WAIT_S):  # for its timer, and its layout
                while "resized" not in view.seen:
                    await asyncio.sleep(0.001)
            assert view.seen == ["scrolled", "resized"]

    asyncio.run(main())


# --- what is drawn -------------------------------------------------------------------------------


class NotedPen:
    """Notes what it is to draw."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, int, int, int]] = []

    def draw(self, strip: Strip, x: int, y: int, end: int, _console: Console) -> str:
        self.drawn.append((strip.text, x, y, end))
        return "."


@pytest.mark.usefixtures("installed")
def test_the_screen_is_drawn_with_our_pen_once_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pens = NotedPen(), NotedPen()
    monkeypatch.setattr(PlacedLayout, "pen", pens[0])
    monkeypatch.setattr(PlacedChops, "pen", pens[1])

    async def scenario(app: NumbersApp) -> None:
        compositor = app.screen._compositor
        pens[0].drawn.clear()
        whole: Any = compositor.render_full_update()
        assert whole.render_segments(app.console) == "." * 10
        compositor._dirty_regions = {Region(5, 2, 3, 1)}
        pens[1].drawn.clear()
        part: Any = compositor.render_partial_update()
        assert part.render_segments(app.console) == "."

    run(scenario)
    assert [cells for _text, *cells in pens[0].drawn] == [[0, y, 20] for y in range(10)]
    assert [cells for _text, *cells in pens[1].drawn] == [[0, 2, 8]]
