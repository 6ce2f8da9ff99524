"""The event log: cursors, slices, their bytes, trimming and the gaps that it leaves."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    ChatMessage,
    Gap,
    Joined,
    NumberedEvent,
    Status,
    StoredMessage,
)
from tertulia.protocol.moderation import Hushed, Locked, Pinned
from tertulia.server.hub.eventlog import EventLog, Slice

TIME = "2026-11-22T15:04:05.123Z"
ENVELOPE = 96  # the weight of an event beside its text


def message(seq: int, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time=TIME, sender="ana", text=text)


def joined(seq: int) -> Joined:
    return Joined(seq=seq, time=TIME, name="ana", status=Status.ACTIVO)


def lines(*events: NumberedEvent) -> bytes:
    return b"".join(map(encode, events))


def empty(max_bytes: int = 1_000_000, last_seq: int = 0) -> EventLog:
    return EventLog(threading.Lock(), max_bytes, last_seq)


def filled(count: int, max_bytes: int = 1_000_000, text: str = "hola") -> EventLog:
    log = empty(max_bytes)
    for seq in range(1, count + 1):
        log.append(message(seq, text))
    return log


def mixed(count: int, max_bytes: int = 1_000_000) -> EventLog:
    """A log in which every third event is a message."""
    log = empty(max_bytes)
    for seq in range(1, count + 1):
        log.append(message(seq) if seq % 3 == 0 else joined(seq))
    return log


def read(log: EventLog, cursor: int, max_bytes: int = 1_000_000, **options) -> Slice | Gap | None:
    return log.read(cursor, max_bytes, encode, **options)


def seqs(events: Slice | Gap | None) -> tuple[list[int], int]:
    """The numbers of a slice and its new cursor, after a look at its bytes."""
    assert isinstance(events, Slice)
    assert b"".join(events.pieces) == events.data
    assert len(events.pieces) == len(events.seqs)
    return list(events.seqs), events.through


# --- the last message ----------------------------------------------------------------------------


def log_of(kinds: str, max_bytes: int = 1_000_000) -> EventLog:
    """A log of messages (m) and joins (j), numbered from 1."""
    log = empty(max_bytes)
    for seq, kind in enumerate(kinds, 1):
        log.append(message(seq) if kind == "m" else joined(seq))
    return log


@pytest.mark.parametrize(
    ("after", "before", "last"),
    [(0, 100, 5), (0, 6, 5), (0, 5, 3), (3, 5, 3), (1, 5, 3), (0, 3, 2), (0, 2, 0), (5, 100, 5)],
)
def test_the_last_message_between_two_numbers_is_found(after, before, last):
    assert log_of("jmmjmj").last_message_between(after, before) == last


def test_without_a_message_it_is_the_number_before():
    assert log_of("jjj").last_message_between(0, 4) == 0
    assert log_of("mjj").last_message_between(1, 4) == 1
    assert empty().last_message_between(0, 1) == 0


def test_a_message_that_was_trimmed_is_not_known():
    log = log_of("m" * 50 + "j" * 20 + "m", max_bytes=10 * ENVELOPE)
    assert log.last_message_between(0, 100) == 71
    assert log.last_message_between(65, 71) == 65
    assert log.last_message_between(40, 71) is None


def test_in_a_log_that_begins_later_the_event_before_it_may_have_been_a_message():
    log = empty()
    log.begin_at(10)
    assert (log.last_seq, log.first_seq) == (10, 10)
    assert read(log, 10) is None
    log.append(joined(11))
    assert log.last_message_between(5, 12) == 10
    assert log.last_message_between(10, 12) == 10
    assert read(log, 5) == Gap(after=5, through=11)


def test_only_so_many_events_are_searched_for_a_message():
    log = log_of("m" + "j" * 2_000 + "m")
    assert log.last_message_between(1_001, 2_002) == 1_001
    assert log.last_message_between(1_000, 2_002) is None


# --- reading -------------------------------------------------------------------------------------


def test_a_cursor_at_the_end_gets_nothing():
    assert read(empty(), 0) is None
    assert read(filled(3), 3) is None
    assert read(filled(3), 4) is None


def test_a_cursor_gets_all_that_came_after_it_in_one_piece():
    events = read(filled(5), 2)
    assert isinstance(events, Slice)
    assert events.data == lines(message(3), message(4), message(5))
    assert seqs(events) == ([3, 4, 5], 5)


def test_numbers_go_on_from_where_they_were():
    log = empty(last_seq=5_000)
    assert log.last_seq == 5_000
    assert read(log, 5_000) is None
    log.append(message(5_001))
    assert read(log, 4_999) == Gap(after=4_999, through=5_001)
    assert seqs(read(log, 5_000)) == ([5_001], 5_001)


def test_messages_alone_leave_out_the_rest_and_move_the_cursor_over_it():
    log = mixed(8)
    events = read(log, 0, messages_only=True)
    assert isinstance(events, Slice)
    assert events.data == lines(message(3), message(6))
    assert seqs(events) == ([3, 6], 8)
    assert seqs(read(log, 3, messages_only=True)) == ([6], 8)
    nothing = read(log, 6, messages_only=True)
    assert seqs(nothing) == ([], 8)
    assert nothing.events == 0
    assert read(log, 8, messages_only=True) is None


def test_messages_alone_include_what_operators_decide():
    log = mixed(4)
    hushed = Hushed(seq=5, time=TIME, on=True, by="ana")
    log.append(hushed)
    log.append(joined(6))
    assert not log.has_only_people(4)
    events = read(log, 3, messages_only=True)
    assert isinstance(events, Slice)
    assert events.data == lines(hushed)
    assert seqs(events) == ([5], 6)
    assert log.has_only_people(5)


def test_after_the_last_message_the_cursor_jumps_however_much_else_there_is():
    log = mixed(8)
    assert seqs(read(log, 6, 1, messages_only=True)) == ([], 8)
    log = empty(last_seq=5)
    log.append(joined(6))
    assert seqs(read(log, 5, messages_only=True)) == ([], 6)


def test_what_comes_before_a_number_can_be_read_by_itself():
    log = mixed(8)
    assert seqs(read(log, 1, before=4)) == ([2, 3], 3)
    assert read(log, 3, before=4) is None
    assert seqs(read(log, 2, before=4)) == ([3], 3)
    assert seqs(read(log, 0, before=100)) == (list(range(1, 9)), 8)
    assert seqs(read(log, 0, messages_only=True, before=6)) == ([3], 5)
    assert seqs(read(log, 6, messages_only=True, before=8)) == ([], 7)
    assert read(log, 7, messages_only=True, before=8) is None


def test_what_comes_before_a_number_is_found_in_a_trimmed_log_too():
    log = filled(100, max_bytes=10 * ENVELOPE)
    assert seqs(read(log, 96, before=99)) == ([97, 98], 98)
    assert read(log, 98, before=99) is None


def test_only_what_bots_do_not_want_may_follow_their_cursor():
    log = filled(4)
    assert not log.has_only_people(3)
    assert log.has_only_people(4)
    log.append(joined(5))
    assert log.has_only_people(4)


def test_has_news_tells_whether_there_is_something_after_a_cursor():
    log = filled(2)
    assert log.has_news(1)
    assert not log.has_news(2)


# --- bounds --------------------------------------------------------------------------------------


def test_a_slice_is_bounded_but_holds_at_least_one_event():
    log = filled(5, text="x" * 1_000)
    weight = ENVELOPE + 1_000
    assert seqs(read(log, 0, 5 * weight)) == ([1, 2, 3, 4, 5], 5)
    assert seqs(read(log, 0, 2 * weight)) == ([1, 2], 2)
    assert seqs(read(log, 0, 3 * weight - 1)) == ([1, 2], 2)
    assert seqs(read(log, 1, 2 * weight)) == ([2, 3], 3)
    assert seqs(read(log, 2, 2 * weight)) == ([3, 4], 4)
    assert seqs(read(log, 0, 1)) == ([1], 1)


def test_a_slice_is_bounded_in_bytes_also_when_lines_are_much_longer_than_their_weight():
    text = '"' * 1_000  # each of them is two bytes as JSON
    log = filled(10, text=text)
    size = len(encode(message(1, text)))
    assert size > 2_000
    assert seqs(read(log, 0, 3 * size)) == ([1, 2, 3], 3)
    assert seqs(read(log, 0, 3 * size - 1)) == ([1, 2], 2)
    assert seqs(read(log, 4, 2 * size)) == ([5, 6], 6)
    assert seqs(read(log, 0, size - 1)) == ([1], 1)


def test_messages_alone_are_not_read_beyond_a_slice_that_was_shortened():
    log, text = empty(), '"' * 1_000
    for seq in range(1, 11):
        log.append(message(seq, text) if seq % 2 else joined(seq))
    room = len(lines(message(1, text), joined(2), message(3, text)))
    assert seqs(read(log, 0, room, messages_only=True)) == ([1, 3], 3)
    assert seqs(read(log, 3, room, messages_only=True)) == ([5], 6)


def test_no_gap_hides_what_still_holds():
    """A slow client must not believe that it may speak, or see a pin that was taken down."""
    events: list[NumberedEvent] = [message(seq) for seq in range(1, 101)]
    for seq, on in ((3, False), (20, True), (90, False)):
        events[seq - 1] = Hushed(seq=seq, time=TIME, on=on, by="ana")
    events[20] = Locked(seq=21, time=TIME, on=True, by="ana")
    events[98] = Pinned(seq=99, time=TIME, by="ana")
    log = empty(max_bytes=10 * (ENVELOPE + 4))
    for event in events:
        log.append(event)
    for options in ({}, {"messages_only": True}):
        cursor, got = 4, []
        while (rest := read(log, cursor, **options)) is not None:
            got.append((cursor, rest.through, rest.data if isinstance(rest, Slice) else None))
            cursor = rest.through
        assert got == [
            (4, 20, None), (20, 21, lines(events[20])),
            (21, 89, None), (89, 100, lines(*events[89:])),
        ]  # fmt: skip
    assert read(log, 19) == Gap(after=19, through=20), "one event before one that still holds"
    standing = read(log, 20)
    assert isinstance(standing, Slice)
    assert standing.events == 1


def test_a_reader_that_falls_out_of_the_log_gets_a_gap_up_to_its_end():
    log = filled(100, max_bytes=10 * ENVELOPE)
    assert read(log, 3) == Gap(after=3, through=100)
    assert read(log, 3, messages_only=True) == Gap(after=3, through=100)
    assert read(log, 100) is None


@pytest.mark.parametrize("text", ["xxxx", "ññ"])
def test_the_log_keeps_as_many_events_as_their_weight_allows(text: str):
    weight = ENVELOPE + 4  # bytes, not characters
    log = filled(0, max_bytes=80 * weight)
    seq = 0
    while isinstance(read(log, 0), Slice) or seq == 0:
        seq += 1
        log.append(message(seq, text))
    # It is trimmed only once it is an eighth over its bound, but then down to the bound.
    assert seq == 91
    assert seqs(read(log, 11))[0] == list(range(12, 92))
    assert read(log, 10) == Gap(after=10, through=91)


def test_the_log_is_trimmed_a_second_time_only_once_it_is_an_eighth_over_its_bound_again():
    log, kept = empty(max_bytes=80 * ENVELOPE), []
    for seq in range(1, 122):
        log.append(joined(seq))
        kept.append(log.kept[0])
    assert kept[90] == kept[101] == kept[112] == 80, "eleven events are trimmed together"
    assert kept[89] == kept[100] == kept[111] == max(kept) == 90


def test_an_event_larger_than_the_log_is_kept_until_the_next_of_that_size():
    log = empty(max_bytes=10)
    log.append(message(1, "x" * 50))
    assert seqs(read(log, 0)) == ([1], 1)
    log.append(message(2, "y" * 50))
    assert read(log, 0) == Gap(after=0, through=2)
    assert seqs(read(log, 1)) == ([2], 2)


# --- bytes ---------------------------------------------------------------------------------------


class Encoder:
    """An encoding that notes for which events it was asked."""

    def __init__(self, mark: bytes = b"") -> None:
        self.mark = mark
        self.asked: list[int] = []

    def __call__(self, event: NumberedEvent | Gap) -> bytes:
        assert not isinstance(event, Gap)
        self.asked.append(event.seq)
        return self.mark + encode(event)


def test_nothing_is_encoded_before_somebody_reads():
    log, encoder = filled(3), Encoder()
    assert encoder.asked == []
    log.read(1, 1_000, encoder)
    log.append(message(4))
    assert encoder.asked == [1, 2, 3]


def test_an_event_is_encoded_once_for_all_readers_of_an_encoding():
    log, encoder = mixed(6), Encoder()
    whole = log.read(0, 1_000_000, encoder)
    messages = log.read(0, 1_000_000, encoder, messages_only=True)
    assert isinstance(whole, Slice)
    assert isinstance(messages, Slice)
    assert messages.pieces[0] is whole.pieces[2]
    log.append(message(7))
    log.read(0, 1_000_000, encoder)
    log.read(5, 1_000_000, encoder)
    assert encoder.asked == [1, 2, 3, 4, 5, 6, 7]


def test_no_more_is_encoded_than_a_reader_asks_for():
    log, encoder = filled(5), Encoder()
    log.read(0, 1, encoder)
    assert encoder.asked == [1]
    log.read(0, 1_000_000, encoder, before=3)
    assert encoder.asked == [1, 2]


def test_each_encoding_has_bytes_of_its_own():
    log, one, other = filled(2), Encoder(b"one "), Encoder(b"other ")
    for encoder in (one, other, one):
        events = log.read(0, 1_000_000, encoder)
        assert isinstance(events, Slice)
        assert events.data == encoder.mark + lines(message(1)) + encoder.mark + lines(message(2))
    assert one.asked == other.asked == [1, 2]


def test_a_single_event_is_shared_and_not_copied():
    log = filled(1)
    first, second = read(log, 0), read(log, 0, messages_only=True)
    assert isinstance(first, Slice)
    assert isinstance(second, Slice)
    assert first.data is first.pieces[0] is second.data


def test_after_trimming_the_bytes_still_belong_to_their_events():
    log = empty(max_bytes=8 * ENVELOPE)
    encoder, lazy = Encoder(), Encoder(b"lazy ")
    log.append(message(1))
    log.read(0, 1_000_000, lazy)
    for seq in range(2, 60):
        log.append(message(seq))
        events = log.read(seq - 1, 1_000_000, encoder)
        assert isinstance(events, Slice)
        assert events.data == lines(message(seq))
    events = log.read(57, 1_000_000, lazy)
    assert isinstance(events, Slice)
    assert events.data == b"lazy " + lines(message(58)) + b"lazy " + lines(message(59))
    assert encoder.asked == list(range(1, 60))


# --- a slice that was sent in part ---------------------------------------------------------------


@given(sizes=st.lists(st.integers(1, 8), min_size=1, max_size=8), step=st.integers(1, 3))
def test_wherever_a_send_is_cut_the_rest_of_that_piece_is_left_and_no_other(sizes, step):
    pieces = [bytes([65 + i]) * size for i, size in enumerate(sizes)]
    numbers = [10 + step * i for i in range(len(pieces))]
    data = b"".join(pieces)
    events = Slice(data, pieces, numbers, numbers[-1] + 1, len(pieces))
    ends = {sum(sizes[:i]) for i in range(len(sizes) + 1)}
    for sent in range(len(data) + 1):
        rest, cursor = events.after(sent, cursor=9)
        received = data[:sent] + rest
        assert len(received) == min(end for end in ends if end >= sent)
        complete = [n for i, n in enumerate(numbers) if sum(sizes[: i + 1]) <= len(received)]
        assert cursor == (complete[-1] if complete else 9)
        assert (rest == b"") == (sent in ends)
        assert data.startswith(received)


@given(
    texts=st.lists(st.text('xñ"', max_size=60), max_size=40),
    max_bytes=st.integers(1, 3_000),
    piece=st.integers(1, 600),
)
def test_reading_from_any_cursor_gives_every_event_once_or_an_honest_gap(texts, max_bytes, piece):
    log = empty(max_bytes)
    events = [message(seq, text) for seq, text in enumerate(texts, start=1)]
    for event in events:
        log.append(event)
    for start in range(len(events) + 1):
        cursor, got = start, b""
        while (rest := read(log, cursor, piece)) is not None:
            if isinstance(rest, Gap):
                assert rest == Gap(after=cursor, through=len(events))
                weight = sum(ENVELOPE + len(event.text.encode()) for event in events[cursor:])
                assert weight > max_bytes
                break
            assert len(rest.data) <= piece or len(rest.seqs) == 1
            got += rest.data
            cursor = rest.through
        else:
            assert got == lines(*events[start:])


def test_two_threads_appending_and_reading_lose_nothing():
    lock = threading.Lock()
    log = EventLog(lock, 10_000_000)
    count = 3_000

    def append() -> None:
        for seq in range(1, count + 1):
            with lock:
                log.append(message(seq))

    writer = threading.Thread(target=append)
    writer.start()
    cursor, got = 0, []
    while cursor < count:
        events = read(log, cursor, 10_000)
        if isinstance(events, Slice):
            got += events.seqs
            cursor = events.through
    writer.join(10)
    assert got == list(range(1, count + 1))


def test_one_event_about_people_alone_is_left_out_where_only_messages_are_wanted() -> None:
    log = empty()
    log.append(joined(1))
    log.append(message(2))
    assert read(log, 0, messages_only=True).data == lines(message(2))


def test_a_reader_whose_next_event_was_trimmed_needs_more_than_events_about_people() -> None:
    log = empty(max_bytes=10 * ENVELOPE)
    for seq in range(1, 31):
        log.append(joined(seq))
    assert not log.has_only_people(0)
    assert log.has_only_people(30)


@pytest.mark.parametrize("text", ["hola", "ñandú \U0001f600"])
def test_the_text_of_a_message_weighs_its_bytes_also_when_it_is_pinned(text):
    log = empty()
    log.append(message(1, text))
    assert log.kept == (1, ENVELOPE + len(text.encode()))
    pinned = StoredMessage(seq=1, time=TIME, sender="ana", text=text)
    log.append(Pinned(seq=2, time=TIME, by="ana", message=pinned))
    assert log.kept == (2, 2 * (ENVELOPE + len(text.encode())))
    log.append(Pinned(seq=3, time=TIME, by="ana"))
    assert log.kept == (3, 3 * ENVELOPE + 2 * len(text.encode()))


def test_a_message_is_found_by_its_number_while_the_log_has_it():
    log = mixed(6)  # 3 and 6 are messages
    assert [log.message(seq) for seq in range(8)] == [
        *(None, None, None, message(3), None, None, message(6), None)
    ]
    log = filled(3)
    assert log.message(1) == message(1)
    trimmed = filled(20, max_bytes=8 * (ENVELOPE + 4))
    kept, _ = trimmed.kept
    assert trimmed.message(20 - kept) is None
    assert trimmed.message(20 - kept + 1) == message(20 - kept + 1)


@pytest.mark.parametrize("others", [998, 999, 1_000])
def test_a_thousand_events_are_searched_for_a_message(others):
    log = empty()
    log.append(message(1))
    for seq in range(2, others + 2):
        log.append(joined(seq))
    log.append(message(others + 2))  # later than what is asked about
    found = log.last_message_between(0, others + 2)
    assert found == (1 if others < 1_000 else None)


def test_what_is_trimmed_weighs_nothing_any_more():
    log = empty(max_bytes=8 * ENVELOPE)
    for seq in range(1, 31):
        log.append(joined(seq))
        events, weight = log.kept
        assert weight == events * ENVELOPE
        assert weight <= 9 * ENVELOPE
    events, _ = log.kept
    assert seqs(read(log, 30 - events, 8 * ENVELOPE)) == ([*range(31 - events, 31)], 30)


def test_an_event_that_is_longer_than_a_slice_comes_alone():
    log = empty()
    log.append(message(1, '"' * 1_000))  # in JSON each of them has two bytes
    log.append(message(2))
    most = 2 * ENVELOPE + 1_004
    assert seqs(read(log, 0, most)) == ([1], 1)
    assert seqs(read(log, 1, most)) == ([2], 2)


def test_the_latest_event_is_kept_however_small_the_bound():
    log = filled(3, max_bytes=0)
    assert log.kept == (1, ENVELOPE + 4)
    assert seqs(read(log, 2)) == ([3], 3)
