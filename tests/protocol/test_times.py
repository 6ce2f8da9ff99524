"""A moment is written in UTC with milliseconds, whatever was written before."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.times import Stamps, rfc3339

SECONDS = st.floats(-5.0, 5.0) | st.floats(-1e9, 4e9)


def test_a_moment_is_cut_to_milliseconds() -> None:
    assert rfc3339(datetime(2026, 11, 22, 15, 4, 5, 123_999, UTC)) == "2026-11-22T15:04:05.123Z"


@given(st.lists(SECONDS, min_size=1, max_size=20))
def test_stamps_follow_the_clock_wherever_it_goes(clock: list[float]) -> None:
    moments = iter(clock)
    stamps = Stamps(lambda: next(moments))
    for seconds in clock:
        second, ms = divmod(int(seconds * 1_000), 1_000)
        expected = datetime.fromtimestamp(second, UTC).replace(microsecond=ms * 1_000)
        assert stamps.now() == rfc3339(expected)
