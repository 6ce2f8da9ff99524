"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime

START_TIME = "2026-11-22T15:04:05.123Z"
_START = datetime(2026, 11, 22, 15, 4, 5, 123_456, UTC).timestamp()


class StandingClock:
    """Both clocks of a server: `s` are the seconds of the monotonic one."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def monotonic(self) -> float:
        return self.s

    def wall(self) -> float:
        return _START + self.s - 1_000.0
