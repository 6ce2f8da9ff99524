"""Decides when to ring the bell: once for a burst of messages that follow each other quickly.

It reads no clock. Only one thread uses it.
"""

QUIET_S = 3.0  # after so long without a call, the next one begins another burst
REMIND_EVERY_S = 60.0  # the interval of further bells during a burst that does not end


class Bursts:
    """The calls so far; each is for a message that should ring the bell."""

    def __init__(self) -> None:
        self._called_at = self._rang_at = float("-inf")

    def begins(self, now: float) -> bool:
        """Note a call; return whether to ring: at the start of a burst, or again in a long one."""
        is_new = now - self._called_at >= QUIET_S or now - self._rang_at >= REMIND_EVERY_S
        self._called_at = now
        if is_new:
            self._rang_at = now
        return is_new
