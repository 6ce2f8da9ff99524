"""Sessions in step and behind, over sockets that take exactly so many bytes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worker_bench import FakeSocket, socket_of

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import ChatMessage, Gap, Joined, NumberedEvent, Presence, Status
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import Form
from tertulia.server.workers.output import Subscribers

TIME = "2026-11-22T15:04:05.123Z"


class Bench:
    """Subscribers and their log."""

    def __init__(
        self,
        max_bytes: int = 1_000_000,
        slice_bytes: int = 64_000,
        *,
        messages_only: bool = False,
        frame: Callable[[bytes], bytes] | None = None,
        max_piece_bytes: int | None = None,
    ) -> None:
        self.log = EventLog(threading.Lock(), max_bytes)
        self.observer = Observer()
        form = Form(encode, frame, max_piece_bytes)
        self.subscribers = Subscribers(
            self.log, form, slice_bytes, self.observer, messages_only=messages_only
        )
        self.lines: list[bytes] = []

    def connect(self, cursor: int = 0, room: int = 10_000_000) -> Connection:
        sock: Any = FakeSocket(room)
        connection = Connection(sock, "10.0.0.1", NativeDoor(), 0.0)
        self.subscribers.add(connection, cursor)
        return connection

    def connect_in_step(self, room: int = 10_000_000) -> Connection:
        connection = self.connect(self.log.last_seq)
        assert self.flush() == []
        assert connection.send in self.subscribers._in_step
        socket_of(connection).room = room
        return connection

    def publish(self, count: int = 1, text: str = "hola") -> None:
        for _ in range(count):
            seq = self.log.last_seq + 1
            self._append(ChatMessage(seq=seq, time=TIME, sender="ana", text=text))

    def publish_other(self) -> None:
        seq = self.log.last_seq + 1
        self._append(Joined(seq=seq, time=TIME, name="ana", status=Status.ACTIVO))

    def publish_own(self, connection: Connection) -> int:
        seq = self.log.last_seq + 1
        event = Presence(seq=seq, time=TIME, name="bot", status=Status.ACTIVO, by="user")
        self._append(event)
        return self.subscribers.insert(connection, [event])

    def _append(self, event: NumberedEvent) -> None:
        self.log.append(event)
        self.lines.append(encode(event))

    def flush(self) -> list[tuple[Connection, OSError | None]]:
        return self.subscribers.flush()

    def flush_all(self) -> None:
        for _ in range(1_000):
            if not self.subscribers.has_work:
                return
            assert self.flush() == []
        raise AssertionError("there is no end to the work")

    def got(self, connection: Connection) -> bytes:
        return bytes(socket_of(connection).sent)

    def go_on(self, connection: Connection, room: int = 10_000_000) -> None:
        socket_of(connection).room = room
        self.subscribers.unblock(connection)

    def said(self, *seqs: int) -> bytes:
        return b"".join(self.lines[seq - 1] for seq in seqs)

    @property
    def all(self) -> bytes:
        return b"".join(self.lines)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- in step -------------------------------------------------------------------------------------


def test_all_get_everything_and_are_in_step(bench):
    readers = [bench.connect() for _ in range(3)]
    bench.publish(10)
    bench.flush_all()
    assert [bench.got(reader) for reader in readers] == [bench.all] * 3
    assert "cursor=10 in_step=3 <Behind ready=0 blocked=0" in repr(bench.subscribers)
    bench.publish(1)
    assert bench.flush() == []
    assert [bench.got(reader) for reader in readers] == [bench.all] * 3


def test_there_is_work_only_while_somebody_has_not_got_everything(bench):
    assert not bench.subscribers.has_work
    bench.connect()
    assert bench.subscribers.has_work
    bench.flush()
    assert not bench.subscribers.has_work
    bench.publish()
    assert bench.subscribers.has_work
    bench.flush()
    assert not bench.subscribers.has_work


def test_with_nobody_in_step_the_events_are_passed_over(bench):
    bench.publish(3)
    bench.flush()
    assert not bench.subscribers.has_work
    reader = bench.connect(cursor=3)
    bench.publish()
    bench.flush_all()
    assert bench.got(reader) == bench.said(4)


def test_a_newcomer_gets_only_what_came_after_its_cursor(bench):
    early = bench.connect()
    bench.publish(5)
    late = bench.connect(cursor=3)
    bench.publish(1)
    bench.flush_all()
    assert bench.got(early) == bench.all
    assert bench.got(late) == bench.said(4, 5, 6)


def test_more_than_a_slice_goes_out_in_several_rounds():
    bench = Bench(slice_bytes=250)
    early = bench.connect_in_step()
    late = bench.connect()
    bench.publish(10)
    bench.flush()
    assert 0 < len(bench.got(early)) <= 250
    bench.flush_all()
    assert bench.got(early) == bench.got(late) == bench.all
    assert "in_step=2" in repr(bench.subscribers)


@pytest.mark.parametrize("in_step", [True, False])
@pytest.mark.parametrize(("slice_bytes", "max_piece_bytes"), [(1_000, 250), (250, 1_000)])
def test_neither_a_slice_nor_a_piece_of_the_form_is_exceeded(in_step, slice_bytes, max_piece_bytes):
    bench = Bench(
        slice_bytes=slice_bytes,
        frame=lambda data: b"<" + data + b">",
        max_piece_bytes=max_piece_bytes,
    )
    reader = bench.connect_in_step() if in_step else bench.connect()
    bench.publish(10)
    bench.flush_all()
    pieces = bench.got(reader)[1:-1].split(b"><")
    assert b"".join(pieces) == bench.all
    assert max(map(len, pieces)) <= 250


def test_a_bot_in_step_is_not_sent_an_empty_piece_for_events_that_it_does_not_get():
    bench = Bench(messages_only=True)
    bot = bench.connect_in_step(room=0)  # every send would find its socket full
    bench.publish_other()
    assert bench.flush() == []
    assert not bench.subscribers.has_work
    bench.go_on(bot)
    bench.publish()
    bench.flush_all()
    assert bench.got(bot) == bench.said(2)


def test_a_newcomer_is_not_in_step_before_the_others_have_caught_up():
    bench = Bench(slice_bytes=250)
    early = bench.connect_in_step()
    bench.publish(10)
    late = bench.connect(cursor=10)
    bench.flush_all()
    bench.publish(1)
    bench.flush_all()
    assert bench.got(early) == bench.all
    assert bench.got(late) == bench.said(11)


def test_a_worker_that_was_too_slow_itself_gives_everyone_a_gap():
    bench = Bench(max_bytes=1_000)
    readers = [bench.connect_in_step(), bench.connect_in_step()]
    bench.publish(50)
    bench.flush_all()
    bench.publish(1)
    bench.flush_all()
    gap = encode(Gap(after=0, through=50))
    assert [bench.got(reader) for reader in readers] == [gap + bench.said(51)] * 2
    assert bench.observer.gaps == 2


def test_after_a_gap_that_it_has_not_taken_a_reader_is_not_in_step_any_more():
    bench = Bench(max_bytes=1_000)
    reader = bench.connect_in_step(room=5)
    bench.publish(50)
    assert bench.flush() == [(reader, None)]
    socket_of(reader).room = 10_000_000
    bench.publish(1)
    assert bench.flush() == []
    gap = encode(Gap(after=0, through=50))
    assert bench.got(reader) == gap[:5]
    bench.go_on(reader)
    bench.flush_all()
    assert bench.got(reader) == gap + bench.said(51)


# --- slow consumers -----------------------------------------------------------------------------


@given(
    room=st.integers(0, 700),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=10),
    in_step=st.booleans(),
    messages_only=st.booleans(),
)
def test_wherever_a_send_is_cut_nothing_is_lost_and_a_private_line_comes_between_lines(
    room, sizes, in_step, messages_only
):
    bench = Bench(messages_only=messages_only)
    reader = bench.connect_in_step(room) if in_step else bench.connect(room=room)
    for size in sizes:
        bench.publish(text="x" * size)
    late = bench.flush()
    assert late == ([(reader, None)] if room < len(bench.all) else [])
    private = b'{"type":"pong"}\n'
    cut = bench.got(reader) + bytes(reader.out)
    reader.out += private
    bench.go_on(reader)
    assert reader.flush_out()
    bench.publish(1)
    bench.flush_all()
    whole = {sum(map(len, bench.lines[:i])) for i in range(len(bench.lines) + 1)}
    assert len(cut) in whole
    assert bench.got(reader) == cut + private + bench.all[len(cut) :]
    assert "in_step=1 <Behind ready=0 blocked=0" in repr(bench.subscribers)


@pytest.mark.parametrize("in_step", [True, False])
def test_a_reader_that_takes_nothing_is_reported_once_and_holds_up_nobody(bench, in_step):
    slow = bench.connect_in_step(room=0) if in_step else bench.connect(room=0)
    quick = bench.connect()
    bench.publish(20)
    assert bench.flush() == [(slow, None)]
    bench.publish(20)
    assert bench.flush() == []
    assert bench.got(quick) == bench.all
    assert "<Behind ready=0 blocked=1" in repr(bench.subscribers)
    assert not bench.subscribers.has_work
    bench.go_on(slow)
    bench.flush_all()
    assert bench.got(slow) == bench.all
    assert "in_step=2 <Behind ready=0 blocked=0" in repr(bench.subscribers)


def test_a_reader_is_tried_again_only_after_it_takes_something(bench):
    reader = bench.connect_in_step(room=5)
    bench.publish(1)
    bench.flush()
    socket_of(reader).room = 1_000
    bench.publish(1)
    bench.flush()
    assert len(bench.got(reader)) == 5
    bench.go_on(reader)
    bench.flush_all()
    assert bench.got(reader) == bench.all


def test_the_rest_of_a_cut_line_goes_out_before_more_events(bench):
    reader = bench.connect_in_step(room=100)
    bench.publish(4)
    assert bench.flush() == [(reader, None)]
    bench.go_on(reader, room=20)
    assert bench.flush() == [(reader, None)]
    assert bench.got(reader) == bench.all[:120]
    assert bench.observer.sent_bytes == 120
    bench.go_on(reader)
    bench.flush_all()
    assert bench.got(reader) == bench.all


@pytest.mark.parametrize("in_step", [True, False])
@pytest.mark.parametrize("events", [1, 2, 3])
@pytest.mark.parametrize("only_first_byte", [True, False])
def test_of_a_cut_slice_the_events_are_counted_that_have_begun(
    bench, in_step, events, only_first_byte
):
    reader = bench.connect_in_step() if in_step else bench.connect()
    for begun in range(events + 1):
        before, cursor = bench.observer.deliveries, bench.log.last_seq
        bench.publish(events)
        lines = bench.lines[cursor:]
        whole, cut = lines[: max(0, begun - 1)], lines[begun - 1] if begun else b""
        socket_of(reader).room = len(b"".join(whole)) + len(
            cut[:1] if only_first_byte else cut[:-1]
        )
        assert bench.flush() == [(reader, None)]
        assert bench.observer.deliveries - before == begun
        bench.go_on(reader)
        bench.flush_all()
        assert bench.observer.deliveries - before == events
        assert bench.observer.sent_bytes == len(bench.all) == len(bench.got(reader))
        if not in_step:
            bench.subscribers.remove(reader)
            bench.subscribers.add(reader, bench.log.last_seq)


@pytest.mark.parametrize("in_step", [True, False])
def test_of_a_cut_piece_of_the_form_all_events_are_counted_once_it_has_begun(in_step):
    bench = Bench(frame=lambda data: b"<" + data + b">")
    reader = bench.connect_in_step(room=0) if in_step else bench.connect(room=0)
    bench.publish(3)
    assert bench.flush() == [(reader, None)]
    assert bench.observer.deliveries == 0
    bench.go_on(reader, room=1)
    assert bench.flush() == [(reader, None)]
    assert (bench.got(reader), bench.observer.deliveries) == (b"<", 3)
    bench.go_on(reader)
    bench.flush_all()
    assert (bench.got(reader), bench.observer.deliveries) == (b"<" + bench.all + b">", 3)


@pytest.mark.parametrize("in_step", [True, False])
def test_a_bot_is_sent_no_empty_frame_for_events_that_it_does_not_get(in_step):
    bench = Bench(messages_only=True, frame=lambda data: b"<" + data + b">")
    bot = bench.connect_in_step() if in_step else bench.connect()
    bench.publish()
    bench.flush_all()
    if not in_step:
        bench.subscribers.set_blocked(bot)
    bench.publish_other()
    bench.go_on(bot)
    bench.flush_all()
    assert bench.got(bot) == b"<" + bench.said(1) + b">"


def test_a_reader_that_falls_out_of_the_log_gets_a_gap_between_whole_lines():
    bench = Bench(max_bytes=1_000)
    reader = bench.connect_in_step(room=100)
    bench.publish(2)
    assert bench.flush() == [(reader, None)]
    bench.publish(98)
    bench.go_on(reader)
    bench.flush_all()
    bench.publish(1)
    bench.flush_all()
    assert bench.got(reader) == bench.said(1, 2) + encode(Gap(after=2, through=100)) + bench.said(
        101
    )
    assert bench.observer.gaps == 1


def test_slices_gaps_and_own_changes_are_all_framed():
    bench = Bench(max_bytes=1_000, messages_only=True, frame=lambda data: b"<" + data + b">")
    bot, late = bench.connect_in_step(), bench.connect_in_step(room=0)
    bench.publish(2)
    bench.flush()
    bench.publish_own(bot)
    bench.flush_all()
    assert bench.got(bot) == b"<" + bench.said(1, 2) + b"><" + bench.said(3) + b">"
    bench.publish(97)
    bench.flush_all()
    bench.go_on(late)
    bench.flush_all()
    gap = b"<" + encode(Gap(after=0, through=100)) + b">"
    assert bench.got(late) == gap


def test_a_gap_that_is_not_taken_goes_out_later_and_once():
    bench = Bench(max_bytes=1_000)
    reader = bench.connect(room=10)
    bench.publish(50)
    assert bench.flush() == [(reader, None)]
    bench.go_on(reader)
    bench.publish(1)
    bench.flush_all()
    assert bench.got(reader) == encode(Gap(after=0, through=50)) + bench.said(51)


def test_a_blocked_connection_that_comes_to_follow_waits(bench):
    sock: Any = FakeSocket()
    connection = Connection(sock, "10.0.0.1", NativeDoor(), 0.0)
    connection.blocked = True
    bench.publish(1)
    bench.subscribers.add(connection, 0)
    assert bench.flush() == []
    assert bench.got(connection) == b""
    bench.subscribers.unblock(connection)
    bench.flush()
    assert bench.got(connection) == bench.all


@pytest.mark.parametrize("in_step", [True, False])
def test_a_reader_whose_private_output_is_stuck_is_left_alone(bench, in_step):
    reader = bench.connect_in_step() if in_step else bench.connect()
    bench.subscribers.set_blocked(reader)
    bench.publish(1)
    assert bench.flush() == []
    assert bench.got(reader) == b""
    bench.subscribers.unblock(reader)
    bench.flush()
    assert bench.got(reader) == bench.all


# --- broken readers ------------------------------------------------------------------------------


@pytest.mark.parametrize("in_step", [True, False])
def test_a_broken_socket_is_reported_and_the_others_go_on(bench, in_step):
    broken = bench.connect_in_step() if in_step else bench.connect()
    sound = bench.connect()
    error = socket_of(broken).error = ConnectionResetError()
    bench.publish(1)
    assert bench.flush() == [(broken, error)]
    bench.publish(1)
    assert bench.flush() == []
    bench.subscribers.remove(broken)
    bench.publish(1)
    assert bench.flush() == []
    assert bench.got(sound) == bench.all
    assert bench.observer.sent_bytes == len(bench.all)


# --- leaving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in step", "behind", "blocked"])
def test_a_reader_that_leaves_is_told_what_it_has_not_got_and_nothing_more(bench, where):
    reader = bench.connect()
    if where == "in step":
        bench.flush()
    bench.publish(3)
    if where == "blocked":
        socket_of(reader).room = 0
        bench.flush()
    assert bench.subscribers.unsent(reader) == bench.all
    bench.subscribers.remove(reader)
    bench.go_on(reader)
    bench.flush_all()
    assert bench.got(reader) == b""
    assert "in_step=0 <Behind ready=0 blocked=0" in repr(bench.subscribers)


def test_a_reader_that_has_got_everything_is_left_nothing(bench):
    reader = bench.connect()
    bench.publish(1)
    bench.flush()
    assert bench.subscribers.unsent(reader) == b""


def test_a_reader_that_leaves_with_more_than_a_slice_to_come_gets_a_gap_for_the_rest():
    bench = Bench(slice_bytes=500)
    reader = bench.connect(room=0)
    bench.publish(50)
    *lines, gap = bench.subscribers.unsent(reader).splitlines(keepends=True)
    assert lines == bench.lines[: len(lines)]
    assert 500 <= sum(map(len, lines)) < 1_000
    assert gap == encode(Gap(after=len(lines), through=50))


def test_a_reader_that_leaves_with_exactly_a_slice_to_come_gets_no_gap(bench):
    bench.publish(5)
    exact = Bench(slice_bytes=len(bench.all))
    reader = exact.connect(room=0)
    exact.publish(5)
    assert exact.subscribers.unsent(reader) == bench.all == exact.all
    assert exact.observer.gaps == 0


def test_events_that_a_leaving_bot_is_not_sent_are_no_gap():
    bench = Bench(slice_bytes=500, messages_only=True)
    bot = bench.connect(room=0)
    bench.publish(8)
    for _ in range(50):
        bench.publish_other()
    assert bench.subscribers.unsent(bot) == b"".join(bench.lines[:8])


def test_a_reader_that_leaves_behind_the_log_gets_its_gap():
    bench = Bench(max_bytes=1_000)
    reader = bench.connect(room=0)
    bench.publish(50)
    assert bench.subscribers.unsent(reader) == encode(Gap(after=0, through=50))
    assert bench.observer.gaps == 1


# --- own status changes --------------------------------------------------------------------------


def test_readers_at_one_cursor_with_and_without_own_changes_do_not_mix_up():
    bench = Bench(messages_only=True)
    bot = bench.connect_in_step()
    other = bench.connect()
    assert bench.publish_own(bot) == 1
    bench.publish(1)
    bench.flush_all()
    assert bench.got(bot) == bench.said(1, 2)
    assert bench.got(other) == bench.said(2)


def test_an_own_change_at_the_very_end_of_a_gap_is_in_the_gap():
    bench = Bench(max_bytes=1_000, messages_only=True)
    bot = bench.connect(room=0)
    bench.publish(49)
    bench.publish_own(bot)
    gap = encode(Gap(after=0, through=50))
    assert bench.subscribers.unsent(bot) == gap
    bench.go_on(bot)
    bench.flush_all()
    assert bench.got(bot) == gap


def test_readers_at_one_cursor_get_the_same_bytes_which_are_read_once(bench, monkeypatch):
    cursors: list[int] = []
    read = bench.log.read

    def note(cursor: int, *rest: Any, **more: Any) -> Any:
        cursors.append(cursor)
        return read(cursor, *rest, **more)

    monkeypatch.setattr(bench.log, "read", note)
    bench.publish(2)
    readers = [bench.connect(cursor) for cursor in (0, 1, 0, 1, 0)]
    bench.flush()
    assert cursors == [0, 1]
    assert [bench.got(reader) for reader in readers] == [
        bench.said(*range(first, 3)) for first in (1, 2, 1, 2, 1)
    ]


def test_nothing_is_kept_of_own_changes_that_are_sent_or_whose_reader_has_left():
    bench = Bench(messages_only=True)
    sound, stuck = bench.connect_in_step(), bench.connect_in_step(room=0)
    for bot in (sound, stuck):
        bench.publish_own(bot)
    bench.flush()
    bench.flush()
    assert list(bench.subscribers._behind._own_presence) == [stuck]
    bench.subscribers.remove(stuck)
    assert bench.subscribers._behind._own_presence == {}


def test_a_bot_that_comes_in_where_nothing_was_said_since_is_in_step_at_once():
    bench = Bench(messages_only=True)
    early = bench.connect(0)
    bench.publish_other()
    late = bench.connect(1)
    assert {early.send, late.send} == set(bench.subscribers._in_step)
    bench.publish()
    bench.flush_all()
    assert bench.got(early) == bench.got(late) == bench.said(2)


def test_a_bot_that_comes_in_after_a_message_does_not_get_it_and_one_before_it_does():
    bench = Bench(messages_only=True)
    bench.connect(0)
    bench.publish(text="one")
    behind, after = bench.connect(0), bench.connect(1)
    assert behind.send not in bench.subscribers._in_step
    assert after.send not in bench.subscribers._in_step, "the others have not got it yet"
    bench.publish(text="two")
    bench.flush_all()
    assert bench.got(behind) == bench.said(1, 2)
    assert bench.got(after) == bench.said(2)
