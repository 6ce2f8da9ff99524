"""Reports to the server which messages the user has had on an active screen.

For a session that never reports, it is unknown what was seen. Pure: the time is
passed in seconds of the monotonic clock.
"""

from math import inf

EVERY_S = 2.0  # of more reports the server counts only the last one


class SeenReports:
    """The reports of one face; a face that cannot know what is seen makes none."""

    def __init__(self, *, reports: bool) -> None:
        self._reports = reports
        self._seen = 0
        self._reported = -1  # nothing, not even that there will be reports
        self._next_at = -inf

    def begin(self) -> None:
        """Begin again: a new session has reported nothing."""
        self._seen, self._reported, self._next_at = 0, -1, -inf

    def note(self, seq: int) -> bool:
        """Note that everything up to a message was on the screen; return whether that is new."""
        is_new = self._reports and seq > self._seen
        self._seen = max(self._seen, seq)
        return is_new

    @property
    def wake_at(self) -> float | None:
        """When the next report is due; None without one."""
        return self._next_at if self._reports and self._seen > self._reported else None

    def pop_due(self, now: float) -> int | None:
        """Return up to which message to report now, if there is anything to report."""
        wake_at = self.wake_at
        if wake_at is None or now < wake_at:
            return None
        self._reported = self._seen
        if self._seen:
            self._next_at = now + EVERY_S
        return self._seen
