"""The request for the attendance: which texts are times."""

import pytest

from tertulia.protocol.attendance import ListAttendance


def test_both_times_may_be_left_out_and_any_offset_will_do() -> None:
    assert ListAttendance() == ListAttendance()
    asked = ListAttendance(since="2026-11-22T15:04:05Z", until="2026-11-22T16:04:05.123+01:00")
    assert (asked.since, asked.until) == ("2026-11-22T15:04:05Z", "2026-11-22T16:04:05.123+01:00")


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-11-22", "2026-11-22T15:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_without_an_offset_is_no_time(name: str, time: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' must be a time such as 2026-11-22T15:04:05Z"):
        ListAttendance(**{name: time})
