"""Timestamps as they are written on the wire. Those in UTC sort as texts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def rfc3339(moment: datetime) -> str:
    """Return a moment in UTC with milliseconds: 2026-11-22T15:04:05.123Z."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> str | None:
    """Return a time with an offset as `rfc3339` writes it; None if the text is none."""
    try:
        moment = datetime.fromisoformat(text)
        return rfc3339(moment.astimezone(UTC)) if "T" in text and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


class Stamps:
    """A clock that writes timestamps, and formats only the part that has changed since the last.

    Not thread-safe. `wall` returns the time in seconds since the epoch.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._stamp = self._second = ""
        self._stamped_ms: int | None = None
        self._stamped_second: int | None = None

    def now(self) -> str:
        """Return the current time."""
        now_ms = int(self._wall() * 1_000)
        if now_ms != self._stamped_ms:
            self._stamped_ms = now_ms
            second, ms = divmod(now_ms, 1_000)
            if second != self._stamped_second:
                self._stamped_second = second
                self._second = rfc3339(datetime.fromtimestamp(second, UTC)).removesuffix("000Z")
            self._stamp = f"{self._second}{ms:03}Z"
        return self._stamp


def later(time: str, seconds: float) -> str:
    """Return the moment so many seconds after another one, or before it if they are negative."""
    return rfc3339(datetime.fromisoformat(time) + timedelta(seconds=seconds))


def seconds_until(time: str, now: str) -> float:
    """Return how many seconds there are from now to a moment; 0.0 if it is over."""
    return max(0.0, (datetime.fromisoformat(time) - datetime.fromisoformat(now)).total_seconds())
