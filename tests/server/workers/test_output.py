"""What a worker sends, and what becomes of the connections that it sends to."""

from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import WorkerBench, socket_of

from tertulia.protocol.messages import CloseReason, GetHistory, Ping, Pong, Register, Say
from tertulia.protocol.moderation import BanList, BanRow
from tertulia.server.workers.connection import Connection, Hold
from tertulia.server.workers.output import SendResult, Sent

PONG = b'{"type":"pong"}\n'


class Bench(WorkerBench):
    """Two users, whose output is looked at piece by piece."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ana, self.luis = self.join("ana"), self.join("luis")
        self.heard(self.ana)

    def limit(self, connection: Connection, room: int) -> None:
        socket_of(connection).room = room

    def say(self) -> None:
        self.hub.say(self.luis.session, Say(text="hola"), self.mailbox)

    def got(self, connection: Connection) -> bytes:
        return bytes(socket_of(connection).sent)

    def small_answers_that_may_wait(self) -> int:
        """Queue answers for ana until there is one too many; return the number of the others."""
        for count in range(100):
            self.output.send(self.ana, Pong())
            if self.output.flush_private() == [Sent(self.ana, SendResult.OVERFLOWING)]:
                return count
        raise AssertionError("there is no bound")


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- for one connection --------------------------------------------------------------------------


def test_a_message_is_queued_and_sent_at_the_rounds_end(bench):
    assert not bench.output.has_work
    bench.output.send(bench.ana, Pong())
    bench.output.send_all(bench.ana, [Pong(), Pong()])
    assert bench.got(bench.ana) == b""
    assert bench.output.has_work
    assert bench.output.flush_private() == []
    assert bench.got(bench.ana) == PONG * 3
    assert not bench.output.has_work
    assert bench.got(bench.luis) == b""


def test_a_socket_that_does_not_take_all_is_blocked(bench):
    bench.limit(bench.ana, 5)
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    assert bench.ana.blocked
    assert not bench.output.has_work
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == []
    bench.limit(bench.ana, 1_000)
    bench.output.unblock(bench.ana)
    assert not bench.ana.blocked
    assert bench.output.flush_private() == []
    assert bench.got(bench.ana) == PONG * 2


def test_a_socket_that_is_full_of_private_output_gets_no_events(bench):
    bench.limit(bench.ana, 5)
    bench.output.send(bench.ana, Pong())
    bench.output.flush_private()
    bench.say()
    assert bench.output.flush_events() == []
    bench.limit(bench.ana, 1_000)
    bench.output.unblock(bench.ana)
    assert bench.kinds(bench.ana) == ["Pong", "ChatMessage"]


def test_a_socket_with_an_error_is_broken(bench):
    error = socket_of(bench.ana).error = ConnectionResetError()
    bench.output.send(bench.ana, Pong())
    bench.output.send(bench.luis, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BROKEN, error)]
    assert bench.got(bench.luis) == PONG


@pytest.mark.parametrize("waits_for", ["backlog", "page", "end"])
def test_a_connection_that_waits_for_its_output_to_go_out_is_reported_then(bench, waits_for):
    match waits_for:
        case "backlog":
            bench.ana.hold_for(Hold.BACKLOG)
        case "page":
            bench.ana.queue_page(GetHistory())
        case _:
            bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.limit(bench.ana, 5)
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    bench.limit(bench.ana, 1_000)
    bench.output.unblock(bench.ana)
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.SENT)]


def test_a_connection_that_finishes_with_nothing_to_send_is_reported(bench):
    bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.SENT)]


@pytest.mark.parametrize("how", ["alone", "together", "as bytes"])
def test_a_client_that_does_not_take_its_answers_overflows_at_the_bound(how):
    bench = Bench(private_bytes=5 * len(PONG))
    bench.limit(bench.ana, 0)
    bench.output.send(bench.ana, Pong())
    bench.output.flush_private()
    for _ in range(4):
        bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == []
    match how:
        case "alone":
            bench.output.send(bench.ana, Pong())
        case "together":
            bench.output.send_all(bench.ana, [Pong()])
        case _:
            bench.output.send_bytes(bench.ana, PONG)
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.OVERFLOWING)]
    assert bench.output.flush_private() == []
    bench.close()


def test_a_client_that_takes_its_answers_may_get_more_than_the_bound_at_once():
    bench = Bench(private_bytes=2 * len(PONG))
    bench.output.send_all(bench.ana, [Pong()] * 10)
    assert bench.output.flush_private() == []
    assert bench.got(bench.ana) == PONG * 10
    bench.close()


def test_the_rest_goes_out_at_once_before_a_connection_is_closed(bench):
    bench.output.send(bench.ana, Pong())
    bench.output.flush_last(bench.ana)
    assert bench.got(bench.ana) == PONG
    bench.output.flush_last(bench.ana)
    bench.ana.blocked = True
    bench.output.send(bench.ana, Pong())
    bench.output.flush_last(bench.ana)
    assert bench.got(bench.ana) == PONG
    bench.ana.blocked = False
    socket_of(bench.ana).error = ConnectionResetError()
    bench.output.flush_last(bench.ana)


# --- events --------------------------------------------------------------------------------------


def test_events_go_to_all_and_are_work_until_then(bench):
    bench.say()
    assert bench.output.has_work
    assert bench.output.flush_private() == []
    assert bench.output.flush_events() == []
    assert bench.got(bench.ana) == bench.got(bench.luis) != b""
    assert not bench.output.has_work


def test_those_that_do_not_take_an_event_are_blocked_or_broken(bench):
    bench.limit(bench.ana, 5)
    error = socket_of(bench.luis).error = ConnectionResetError()
    bench.say()
    assert sorted(bench.output.flush_events(), key=lambda sent: sent.result.name) == [
        Sent(bench.ana, SendResult.BLOCKED),
        Sent(bench.luis, SendResult.BROKEN, error),
    ]
    assert bench.ana.blocked
    assert not bench.luis.blocked
    bench.limit(bench.ana, 1_000)
    bench.output.unblock(bench.ana)
    assert bench.output.has_work
    assert bench.kinds(bench.ana) == ["ChatMessage"]


@pytest.mark.parametrize("events", ["all", "messages"])
def test_a_session_whose_answer_was_cut_gets_events_only_after_the_rest_of_it(bench, events):
    newcomer = bench.connect()
    bench.limit(newcomer, 5)
    bench.receive(newcomer, Ping())
    bench.flush()
    assert newcomer.blocked
    bench.receive(newcomer, Register(name="eva", events=events))
    bench.limit(newcomer, 1_000_000)  # the poller has not reported it yet
    bench.say()
    bench.flush()
    assert bench.got(newcomer) == PONG[:5]
    bench.output.unblock(newcomer)
    kinds = bench.kinds(newcomer)
    assert kinds == ["Pong", "Welcome", *(["Joined"] if events == "all" else []), "ChatMessage"]


def test_the_rest_of_an_answer_counts_when_it_goes_out_among_the_events(bench):
    before = bench.observer.sent_bytes
    bench.limit(bench.ana, 5)
    bench.say()
    bench.flush()
    bench.limit(bench.ana, 1_000_000)
    bench.output.unblock(bench.ana)
    bench.output.flush_events()
    sent = len(bench.got(bench.ana)) + len(bench.got(bench.luis))
    assert bench.observer.sent_bytes - before == sent


def test_only_what_a_socket_has_taken_is_counted(bench):
    bytes_before, events_before = bench.observer.sent_bytes, bench.observer.deliveries

    def counted() -> tuple[int, int]:
        observer = bench.observer
        return observer.sent_bytes - bytes_before, observer.deliveries - events_before

    bench.output.send(bench.luis, Pong())
    bench.flush()
    assert counted() == (len(PONG), 0)
    bench.limit(bench.ana, 0)
    bench.say()
    bench.flush()
    size = len(bench.got(bench.luis))
    assert counted() == (size, 1)
    bench.empty(bench.ana)
    bench.flush()
    assert counted() == (size + len(bench.got(bench.ana)), 2)


@pytest.mark.parametrize("events", [1, 3])
def test_events_that_everyone_takes_are_counted_for_everyone(bench, events):
    bytes_before, events_before = bench.observer.sent_bytes, bench.observer.deliveries
    for _ in range(events):
        bench.say()
    bench.flush()
    size = len(bench.got(bench.ana)) + len(bench.got(bench.luis))
    assert bench.observer.sent_bytes - bytes_before == size
    assert bench.observer.deliveries - events_before == 2 * events


def test_the_rest_of_a_cut_event_is_counted_when_it_goes_out(bench):
    before = bench.observer.sent_bytes
    bench.limit(bench.ana, 5)
    bench.say()
    bench.flush()
    size = len(bench.got(bench.luis))
    assert bench.observer.sent_bytes - before == size + 5
    bench.empty(bench.ana)
    bench.flush()
    assert bench.got(bench.ana) == bench.got(bench.luis)
    assert bench.observer.sent_bytes - before == 2 * size


def test_a_forgotten_connection_is_sent_nothing_more(bench):
    bench.say()
    bench.output.send(bench.ana, Pong())
    bench.output.forget(bench.ana)
    bench.output.forget(bench.ana)
    bench.output.flush_private()
    bench.output.flush_events()
    assert bench.got(bench.ana) == b""


def test_what_is_queued_for_a_closed_connection_is_not_sent(bench):
    bench.connections.close(bench.ana, CloseReason.LOST)
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == []
    assert not bench.output._to_flush


def test_at_the_end_the_events_up_to_there_go_out_before_the_last_word_and_no_others(bench):
    bench.output.send(bench.ana, Pong())
    bench.say()
    bench.output.finish(bench.ana, Pong(id=9))
    bench.say()
    bench.flush()
    assert bench.kinds(bench.ana) == ["Pong", "ChatMessage", "Pong"]


def test_changes_of_a_session_that_follows_nothing_are_not_sent(bench):
    bench.output.forget(bench.ana)
    bench.output.send_own_presence(bench.ana, [])
    assert bench.output.flush_private() == []


def test_a_large_answer_may_wait_but_nothing_large_after_it():
    bench = Bench(private_bytes=5 * len(PONG))
    bench.limit(bench.ana, 0)
    bans = BanList(bans=[BanRow(name="luis", by="ana")] * 100)
    bench.output.send_large(bench.ana, bans)
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    assert bench.small_answers_that_may_wait() == 5


def test_of_two_large_answers_only_the_one_that_waits_counts():
    bench = Bench(private_bytes=5 * len(PONG))
    bans = BanList(bans=[BanRow(name="luis", by="ana")] * 100)
    bench.output.send_large(bench.ana, bans)
    assert bench.output.flush_private() == []
    bench.limit(bench.ana, 0)
    bench.output.send_large(bench.ana, bans)
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    assert bench.small_answers_that_may_wait() == 5
    bench.close()


def test_once_a_large_answer_is_taken_the_bound_is_what_it_was():
    bench = Bench(private_bytes=5 * len(PONG))
    bench.limit(bench.ana, 0)
    bench.output.send_large(bench.ana, BanList(bans=[BanRow(name="luis", by="ana")] * 100))
    bench.output.flush_private()
    bench.limit(bench.ana, 1_000_000)
    bench.output.unblock(bench.ana)
    assert bench.output.flush_private() == []
    bench.limit(bench.ana, 0)
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    for _ in range(4):
        bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == []
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.OVERFLOWING)]
    bench.close()


def test_a_large_answer_that_was_taken_leaves_no_byte_beyond_the_bound():
    bench = Bench(private_bytes=5 * len(PONG))
    bench.output.send_large(bench.ana, BanList(bans=[BanRow(name="luis", by="ana")] * 100))
    assert bench.output.flush_private() == []
    bench.limit(bench.ana, 0)
    bench.output.send(bench.ana, Pong())
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.BLOCKED)]
    bench.output.send_all(bench.ana, [Pong()] * 4)
    assert bench.output.flush_private() == []
    bench.output.send_bytes(bench.ana, b"\n")
    assert bench.output.flush_private() == [Sent(bench.ana, SendResult.OVERFLOWING)]
    bench.close()
