"""When to ring a bell for messages that come one after the other: once for all of them.

It reads no clock. For one thread.
"""

QUIET_S = 3.0  # without a call: then the next one begins another burst
REMIND_EVERY_S = 60.0  # during a burst that does not end


class Bursts:
    """The calls so far, each a message to ring for."""

    def __init__(self) -> None:
        self._called_at = self._rang_at = float("-inf")

    def begins(self, now: float) -> bool:
        """Note a call; return whether to ring: at the beginning of a burst, and in long ones."""
        is_new = now - self._called_at >= QUIET_S or now - self._rang_at >= REMIND_EVERY_S
        self._called_at = now
        if is_new:
            self._rang_at = now
        return is_new
