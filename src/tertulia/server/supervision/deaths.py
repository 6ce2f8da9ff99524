"""How long the parent waits before it replaces a dead child, and when it gives up. No clock."""

from collections import deque

MAX_DEATHS = 10  # within the window; at the last one the parent gives up
WINDOW_S = 60.0
# The pause after the first, second, ... death within the window. After a single death the child is
# replaced at once; if it dies at every start, the tenth death comes after about 20 s.
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
