"""A moment is written in UTC with milliseconds."""

from datetime import UTC, datetime

from tertulia.protocol.times import rfc3339


def test_a_moment_is_cut_to_milliseconds() -> None:
    assert rfc3339(datetime(2026, 11, 22, 15, 4, 5, 123_999, UTC)) == "2026-11-22T15:04:05.123Z"
