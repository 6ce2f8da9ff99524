"""How long the parent waits before it replaces a dead child, and when it gives up. No clock."""

from collections import deque

MAX_DEATHS = 10  # within the window; at the last one the parent gives up
WINDOW_S = 60.0
# Before the replacement after the first, second, ... death within the window. A lone death is
# replaced at once; the tenth of a child that dies at every start comes after some 20 s.
PAUSES_S = (0.0, 0.0, 0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0)


class Deaths:
    """The deaths of the last minute."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MAX_DEATHS)

    def add(self, now: float) -> float | None:
        """Note a death; return the seconds to wait before a replacement, or None to give up."""
        self._times.append(now)
        recent = sum(now - time < WINDOW_S for time in self._times)
        return None if recent >= MAX_DEATHS else PAUSES_S[recent - 1]
