"""Finds out whether the user looks at the screen, as far as the terminal reports it.

Many terminals report when they gain and lose the focus. Others report nothing, for example tmux
with its default settings. It reads no clock. Runs on the event loop's thread.
"""

INPUT_COUNTS_S = 5.0  # seconds after a key, if nothing is known about the focus


class Presence:
    """The last report of the focus, and the last input."""

    def __init__(self, now: float) -> None:
        self._has_focus: bool | None = None  # None means that there was no report
        self._input_at = now  # the user has just started the program

    def expect_reports(self) -> None:
        """Note that the terminal reports changes of the focus; at the start it has the focus."""
        if self._has_focus is None:
            self._has_focus = True

    def note_focus(self, has_focus: bool) -> None:
        """Note a report of the terminal."""
        self._has_focus = has_focus

    def note_input(self, now: float) -> None:
        """Note a key, a paste or a click."""
        self._input_at = now
        if self._has_focus is False:
            self._has_focus = None  # the terminal has the focus again, or another program has typed

    def has_left(self) -> bool:
        """Return whether the terminal has reported that the user looks at something else."""
        return self._has_focus is False

    def is_here(self, now: float) -> bool:
        """Return whether the user looks at the screen; without reports, only after a key."""
        if self._has_focus is None:
            return now - self._input_at < INPUT_COUNTS_S
        return self._has_focus
