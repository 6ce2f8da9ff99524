"""Reports to the server which messages the user has seen on an active screen.

If a session never reports, it is unknown which messages were seen. Pure: the time is a parameter,
in seconds of the monotonic clock.
"""

from math import inf

EVERY_S = 2.0  # of several reports within this time the server counts only the last one


class SeenReports:
    """The reports of one face; a face that does not know which messages are visible makes none."""

    def __init__(self, *, reports: bool) -> None:
        self._reports = reports
        self._seen = 0
        self._reported = -1  # nothing was reported, not even that there will be reports
        self._next_at = -inf

    def begin(self) -> None:
        """Begin again: nothing was reported in a new session."""
        self._seen, self._reported, self._next_at = 0, -1, -inf

    def note(self, seq: int) -> bool:
        """Note that everything up to a message was on the screen; return whether that is new."""
        is_new = self._reports and seq > self._seen
        self._seen = max(self._seen, seq)
        return is_new

    @property
    def wake_at(self) -> float | None:
        """Return when the next report is due; None if there is none."""
        return self._next_at if self._reports and self._seen > self._reported else None

    def pop_due(self, now: float) -> int | None:
        """Return the number of the message to report now, or None if no report is due."""
        wake_at = self.wake_at
        if wake_at is None or now < wake_at:
            return None
        self._reported = self._seen
        if self._seen:
            self._next_at = now + EVERY_S
        return self._seen
