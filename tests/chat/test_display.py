"""Times, durations and statuses are readable."""

import time
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tertulia.chat.display import Glyphs, clock_time, date_and_time, duration, local_day
from tertulia.protocol.messages import Status


def test_a_status_is_shape_and_word_and_ascii_where_the_shapes_are_missing() -> None:
    assert [Glyphs("utf-8").status(status) for status in Status] == [
        "● ACTIVO",
        "◐ OCUPADO",
        "○ INACTIVO",
    ]
    for encoding in ("ascii", "latin-1"):
        glyphs = Glyphs(encoding)
        for text in [*(glyphs.status(status) for status in Status), glyphs["→"], glyphs["…"]]:
            text.encode("ascii")


@pytest.fixture
def move_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Go to another time zone."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_times_are_shown_in_local_time(move_to: Callable[[str], None]) -> None:
    move_to("America/Guatemala")
    assert clock_time("2026-11-22T15:04:05.123Z") == "09:04"


@pytest.mark.parametrize(
    ("today", "shown"),
    [(date(2026, 11, 21), "23:04"), (date(2026, 11, 22), "2026-11-21 23:04")],
)
def test_a_time_of_another_day_is_shown_with_its_date(
    move_to: Callable[[str], None], today: date, shown: str
) -> None:
    move_to("America/Guatemala")
    assert date_and_time("2026-11-22T05:04:05.123Z", today) == shown


# Each of these times stands here alone: the days of times that were asked for are remembered.
@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("UTC", "2021-03-01T23:59:59.999Z", date(2021, 3, 1)),
        ("UTC", "2021-03-02T00:00:00.000Z", date(2021, 3, 2)),
        ("UTC", "2021-03-03T00:00:00Z", date(2021, 3, 3)),
        ("UTC", "2021-03-04T23:30:00+00:00", date(2021, 3, 4)),
        ("UTC", "2021-03-05T23:30:00-01:00", date(2021, 3, 6)),
        ("America/Guatemala", "2021-04-02T05:59:59.999Z", date(2021, 4, 1)),
        ("America/Guatemala", "2021-04-03T06:00:00.000Z", date(2021, 4, 3)),
        ("Asia/Kolkata", "2021-05-01T18:29:59.000Z", date(2021, 5, 1)),
        ("Asia/Kolkata", "2021-05-02T18:30:00.000Z", date(2021, 5, 3)),
    ],
)
def test_a_day_is_that_of_this_place(
    move_to: Callable[[str], None], zone: str, moment: str, day: date
) -> None:
    move_to(zone)
    assert local_day(moment) == day
    assert local_day(moment) == day


def test_a_day_begins_at_midnight_where_that_is_at_a_quarter_past_too(
    move_to: Callable[[str], None],
) -> None:
    move_to("Asia/Kathmandu")
    assert local_day("2021-06-02T18:16:00.000Z") == date(2021, 6, 3)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2021-13-40T99:00:00Z", "2021-01-01T00:6", "\ud800Z"]
)
def test_what_is_no_time_is_on_no_day(text: str) -> None:
    assert local_day(text) is None


def test_a_time_out_of_range_does_no_harm(move_to: Callable[[str], None]) -> None:
    move_to("America/Guatemala")
    assert local_day("0001-01-01T00:00:00Z") is None
    move_to("Asia/Kolkata")
    assert local_day("9999-12-31T23:59:59Z") is None


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00Z"])
def test_a_time_that_is_none_does_no_harm(time: str) -> None:
    assert len(clock_time(time)) == 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min 59 s"),
        (7_500, "2 h 5 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_a_length_of_time_is_shown_with_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
