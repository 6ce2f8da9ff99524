"""The event log: cursors, stretches, trimming and the gaps that it leaves."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.messages import Gap
from tertulia.server.eventlog import EventLog, Stretch


def line(seq: int) -> bytes:
    return b"event %d\n" % seq


def filled(count: int, max_bytes: int = 1_000_000) -> EventLog:
    log = EventLog(max_bytes)
    for seq in range(1, count + 1):
        log.append(seq, line(seq))
    return log


def test_a_cursor_at_the_end_gets_nothing():
    assert EventLog(100).take(0, 1_000) is None
    assert filled(3).take(3, 1_000) is None


def test_a_cursor_gets_all_that_came_after_it_in_one_piece():
    assert filled(5).take(2, 1_000) == Stretch(line(3) + line(4) + line(5), [3, 4, 5])


def test_a_single_event_is_shared_and_not_copied():
    log = EventLog(100)
    only = line(1)
    log.append(1, only)
    stretch = log.take(0, 1_000)
    assert isinstance(stretch, Stretch)
    assert stretch.data is only


def test_numbers_may_have_holes():
    log = EventLog(1_000)
    for seq in (5, 9, 1_000):
        log.append(seq, line(seq))
    assert log.take(0, 1_000) == Stretch(line(5) + line(9) + line(1_000), [5, 9, 1_000])
    assert log.take(7, 1_000) == Stretch(line(9) + line(1_000), [9, 1_000])


def test_a_stretch_is_bounded_but_holds_at_least_one_line():
    log = filled(5)
    size = len(line(1))
    assert log.take(0, 2 * size) == Stretch(line(1) + line(2), [1, 2])
    assert log.take(0, 2 * size + 1) == Stretch(line(1) + line(2), [1, 2])
    assert log.take(0, 1) == Stretch(line(1), [1])


def test_who_falls_out_of_the_log_gets_a_gap_up_to_its_end():
    log = filled(100, max_bytes=80)
    assert log.take(3, 1_000) == Gap(after=3, through=100)
    assert log.take(100, 1_000) is None


def test_an_event_larger_than_the_log_is_kept_until_the_next_of_that_size():
    log = EventLog(10)
    large = b"x" * 50 + b"\n"
    log.append(1, large)
    assert log.take(0, 1_000) == Stretch(large, [1])
    log.append(2, large)
    assert log.take(0, 1_000) == Gap(after=0, through=2)
    assert log.take(1, 1_000) == Stretch(large, [2])


def test_has_news_tells_whether_there_is_something_after_a_cursor():
    log = filled(2)
    assert log.has_news(1)
    assert not log.has_news(2)


@given(
    sizes=st.lists(st.integers(1, 40), max_size=60),
    max_bytes=st.integers(1, 400),
    piece=st.integers(1, 100),
)
def test_reading_from_any_cursor_gives_every_event_once_or_an_honest_gap(sizes, max_bytes, piece):
    log = EventLog(max_bytes)
    lines = [b"x" * size + b"\n" for size in sizes]
    for seq, content in enumerate(lines, 1):
        log.append(seq, content)
    for start in range(len(lines) + 1):
        cursor, got = start, b""
        while (rest := log.take(cursor, piece)) is not None:
            if isinstance(rest, Gap):
                assert rest == Gap(after=cursor, through=len(lines))
                kept = sum(len(content) for content in lines[cursor:])
                assert kept > max_bytes
                break
            assert len(rest.data) <= piece or len(rest.seqs) == 1
            got += rest.data
            cursor = rest.seqs[-1]
        else:
            assert got == b"".join(lines[start:])


def test_two_threads_appending_and_reading_lose_nothing():
    log = EventLog(1_000_000)
    count = 5_000

    def append() -> None:
        for seq in range(1, count + 1):
            log.append(seq, line(seq))

    writer = threading.Thread(target=append)
    writer.start()
    cursor, got = 0, []
    while cursor < count:
        stretch = log.take(cursor, 10_000)
        if isinstance(stretch, Stretch):
            got += stretch.seqs
            cursor = stretch.seqs[-1]
    writer.join(10)
    assert got == list(range(1, count + 1))
