"""The event log: cursors, stretches, trimming and the gaps that it leaves."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.messages import Gap
from tertulia.server.hub.eventlog import EventLog, Stretch


def line(seq: int) -> bytes:
    return b"event %d\n" % seq


def empty(max_bytes: int) -> EventLog:
    return EventLog(threading.Lock(), max_bytes)


def filled(count: int, max_bytes: int = 1_000_000) -> EventLog:
    log = empty(max_bytes)
    for seq in range(1, count + 1):
        log.append(line(seq), is_message=True)
    return log


def stretch(*seqs: int, through: int | None = None) -> tuple[bytes, list[int], int]:
    return b"".join(map(line, seqs)), list(seqs), through or seqs[-1]


def plain(taken: Stretch | Gap | None) -> tuple[bytes, list[int], int]:
    assert isinstance(taken, Stretch)
    return taken.data, list(taken.seqs), taken.through


def test_a_cursor_at_the_end_gets_nothing():
    assert empty(100).take(0, 1_000) is None
    assert filled(3).take(3, 1_000) is None


def test_a_cursor_gets_all_that_came_after_it_in_one_piece():
    assert plain(filled(5).take(2, 1_000)) == stretch(3, 4, 5)


def test_a_single_event_is_shared_and_not_copied():
    log = empty(100)
    only = line(1)
    log.append(only, is_message=True)
    for messages_only in (False, True):
        taken = log.take(0, 1_000, messages_only=messages_only)
        assert isinstance(taken, Stretch)
        assert taken.data is only


def test_numbers_go_on_from_where_they_were():
    log = EventLog(threading.Lock(), 1_000, last_seq=5_000)
    log.append(line(5_001), is_message=True)
    assert log.take(4_999, 1_000) == Gap(after=4_999, through=5_001)
    assert plain(log.take(5_000, 1_000)) == stretch(5_001)


def mixed(count: int) -> EventLog:
    """A log in which every third event is a message."""
    log = empty(1_000)
    for seq in range(1, count + 1):
        log.append(line(seq), is_message=seq % 3 == 0)
    return log


def test_messages_alone_leave_out_the_rest_and_move_the_cursor_over_it():
    log = mixed(8)
    assert plain(log.take(0, 1_000, messages_only=True)) == stretch(3, 6, through=8)
    assert plain(log.take(6, 1_000, messages_only=True)) == (b"", [], 8)
    assert log.take(8, 1_000, messages_only=True) is None


def test_what_comes_before_a_number_can_be_read_by_itself():
    log = mixed(8)
    assert plain(log.take(1, 1_000, before=4)) == stretch(2, 3)
    assert plain(log.take(0, 1_000, messages_only=True, before=6)) == stretch(3, through=5)
    assert log.take(3, 1_000, before=4) is None


def test_a_stretch_is_bounded_but_holds_at_least_one_line():
    log = filled(5)
    size = len(line(1))
    assert plain(log.take(0, 2 * size)) == stretch(1, 2)
    assert plain(log.take(0, 2 * size + 1)) == stretch(1, 2)
    assert plain(log.take(0, 1)) == stretch(1)


def test_who_falls_out_of_the_log_gets_a_gap_up_to_its_end():
    log = filled(100, max_bytes=80)
    assert log.take(3, 1_000) == Gap(after=3, through=100)
    assert log.take(100, 1_000) is None


def test_an_event_larger_than_the_log_is_kept_until_the_next_of_that_size():
    log = empty(10)
    large = b"x" * 50 + b"\n"
    log.append(large, is_message=True)
    assert plain(log.take(0, 1_000)) == (large, [1], 1)
    log.append(large, is_message=True)
    assert log.take(0, 1_000) == Gap(after=0, through=2)
    assert plain(log.take(1, 1_000)) == (large, [2], 2)


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
    log = empty(max_bytes)
    lines = [b"x" * size + b"\n" for size in sizes]
    for content in lines:
        log.append(content, is_message=True)
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
            cursor = rest.through
        else:
            assert got == b"".join(lines[start:])


def test_two_threads_appending_and_reading_lose_nothing():
    lock = threading.Lock()
    log = EventLog(lock, 1_000_000)
    count = 5_000

    def append() -> None:
        for seq in range(1, count + 1):
            with lock:
                log.append(line(seq), is_message=True)

    writer = threading.Thread(target=append)
    writer.start()
    cursor, got = 0, []
    while cursor < count:
        taken = log.take(cursor, 10_000)
        if isinstance(taken, Stretch):
            got += taken.seqs
            cursor = taken.through
    writer.join(10)
    assert got == list(range(1, count + 1))
