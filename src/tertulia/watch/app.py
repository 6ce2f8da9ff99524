"""The live view: twice a second it requests the server's figures and shows them.

A separate thread waits for the server, so that a server that does not answer does not block the
keys. Everything else runs on the event loop's thread.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable

from textual import on
from textual.app import App
from textual.screen import Screen

from tertulia.i18n import _
from tertulia.tui.ending import Ending, finish
from tertulia.tui.painting.themes import THEMES, theme_name
from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.tui.terminal.driver import TerminalDriver
from tertulia.tui.terminal.parser import BackgroundReported
from tertulia.tui.terminal.signals import Signals
from tertulia.watch import numbers
from tertulia.watch.asking import NotSeen
from tertulia.watch.figures import Figures
from tertulia.watch.viewscreen import ViewScreen
from tertulia.watch.widgets import Explanation

LOOKS_EVERY_S = 0.5
# The most of a processor that the requests may cost the server; with many threads they are rarer.
_MAX_SHARE = 0.01
_LOOKS_AT_LEAST_EVERY_S = 5.0
DEFAULT_TERMINAL = Abilities()
_EXIT_FINE = 0


class WatchApp(App[Ending], inherit_bindings=False):
    """The live view.

    `look` returns the present figures, or raises NotSeen. It may block; `stop_looking` ends that.
    """

    TITLE = "tertulia"
    CSS_PATH = "screen.tcss"
    ENABLE_COMMAND_PALETTE = False  # its texts are English; "?" shows the keys

    def __init__(
        self,
        look: Callable[[], Figures],
        stop_looking: Callable[[], None],
        port: int,
        *,
        terminal: Abilities = DEFAULT_TERMINAL,
        dark: bool = True,
        looks_every_s: float = LOOKS_EVERY_S,
    ) -> None:
        has_few_colours = terminal.colours <= Colours.FEW
        # It must be set at the start, or Textual would replace the terminal's own colours with
        # greys.
        super().__init__(TerminalDriver, ansi_color=True if has_few_colours else None)
        self._look = look
        self._stop_looking = stop_looking
        self._port = port
        self._looks_every_s = looks_every_s
        self._terminal = terminal
        self._is_paused = False
        self._lost_at: float | None = None
        self._seen: Figures | None = None
        self._problem = ""
        self.view = ViewScreen()
        for theme in THEMES:
            self.register_theme(theme)
        self._use_theme(is_dark=dark)

    def get_default_screen(self) -> Screen[None]:
        """Return the view's screen."""
        return self.view

    def on_mount(self) -> None:
        """Handle signals, to restore the terminal at the end, and begin to request figures."""
        stdin = sys.__stdin__
        self._signals = Signals(
            self._end_by_signal,
            self.suspend,
            self._end_outside,
            None if self.is_headless or stdin is None else stdin.fileno(),
        )
        self._signals.listen()
        self.run_worker(self._look_again_and_again(), exit_on_error=True)

    # --- looking -------------------------------------------------------------------------------

    async def _look_again_and_again(self) -> None:
        loop = asyncio.get_running_loop()
        while self.is_running:
            began_at = loop.time()
            if not self._is_paused:
                await self.look_once()
            await asyncio.sleep(max(0.0, began_at + self.pause_s - loop.time()))

    @property
    def pause_s(self) -> float:
        """Return the seconds from one request to the next."""
        cost_s = 0.0 if self._seen is None else self._seen.look_cost_s
        return max(self._looks_every_s, min(cost_s / _MAX_SHARE, _LOOKS_AT_LEAST_EVERY_S))

    async def look_once(self) -> None:
        """Request the server's figures once, and show them."""
        try:
            seen = await asyncio.to_thread(self._look)
        except NotSeen as nothing:
            self._problem = nothing.short
            if self._lost_at is None:
                self._lost_at = time.monotonic()
            seen = None
        else:
            self._seen, self._lost_at = seen, None
        if not self.is_running or self._is_paused:
            return
        self.view.show(seen)
        self._show_state()

    def _show_state(self) -> None:
        seen = self._seen
        server = _("port {port}").format(port=self._port)
        detail = "" if seen is None else f"--threads {seen.model} · {seen.version}"
        is_lost = self._lost_at is not None
        self.view.show_state(
            server, detail, self._state(), is_lost=is_lost, serves=seen is None or seen.serves
        )

    def _state(self) -> str:
        if self._is_paused:
            return _("paused: p continues")
        if self._lost_at is not None:
            text = _("{problem}; trying again for {seconds} s")
            seconds = round(time.monotonic() - self._lost_at)
            return text.format(problem=self._problem, seconds=seconds)
        if self._seen is None:
            return ""
        if not self._seen.serves:
            return "○ " + _("this node does not serve")
        return _("● serving for {span}").format(span=numbers.span(self._seen.uptime_s))

    # --- keys ----------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Explain the contents of the screen."""
        self.push_screen(Explanation())

    def action_sort(self) -> None:
        """Sort the threads in the next order."""
        self.view.sort_otherwise()

    def action_graph(self) -> None:
        """Show the next figure in the graph of the last minute."""
        self.view.graph_otherwise()

    def action_pause(self) -> None:
        """Freeze the figures, or continue."""
        self._is_paused = not self._is_paused
        self._show_state()

    def action_other_theme(self) -> None:
        """Change between dark and light colours."""
        self._use_theme(is_dark=not self.current_theme.dark)

    def action_redraw(self) -> None:
        """Write the whole screen again."""
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    def action_stop(self) -> None:
        """Stop this program and return to the shell, until `fg` continues it."""
        if not self._signals.stop_job():
            self.bell()

    def action_leave(self) -> None:
        """Leave the view; the server continues."""
        self._end(Ending(_EXIT_FINE, []))

    def _end(self, ending: Ending) -> None:
        # The program would otherwise wait for the thread that waits for the server.
        self._stop_looking()
        self.exit(ending)

    def _use_theme(self, *, is_dark: bool) -> None:
        self.theme = theme_name(dark=is_dark, colours=self._terminal.colours)

    @on(BackgroundReported)
    def _use_background(self, event: BackgroundReported) -> None:
        self._use_theme(is_dark=event.is_dark)

    # --- the end by a signal -------------------------------------------------------------------

    def _end_by_signal(self, number: signal.Signals) -> None:
        self._end(Ending(_EXIT_FINE, [], number))

    def _end_outside(self, number: signal.Signals) -> None:
        """End at once: the program is stopped, and the terminal belongs to the shell."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        finish(Ending(_EXIT_FINE, [], number), [])
