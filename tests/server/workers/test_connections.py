"""The life of a connection: each way to its end, and what is told and counted on the way."""

import functools
from typing import Any

import pytest
from worker_bench import FakeHistory, FakeSocket, PartingDoor, WorkerBench, socket_of

from tertulia.protocol.messages import (
    CloseReason,
    Closing,
    Direct,
    GetHistory,
    HistoryPage,
    Left,
    Received,
    Say,
    SetStatus,
)
from tertulia.server.doors.entrance import Offer, OpenEntrance
from tertulia.server.doors.native import NativeDoor
from tertulia.server.history.mail import PageReady
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.connections import CONSOLE_ADDRESS
from tertulia.server.workers.mail import AcceptedSocket, AdoptConsole, ChallengeOver
from tertulia.server.workers.poller import READABLE

LAST_WORD = Closing(reason="shutdown", retry_after=1.0)


class CountingDoor(NativeDoor):
    """A door that has something to free, as a WebSocket's has."""

    closed: int = 0

    def close(self) -> None:
        self.closed += 1


class Bench(WorkerBench):
    """Connections, and what is left of them at the end."""

    def finish(self, connection: Connection, reason=CloseReason.QUIT, word=None) -> None:
        self.connections.finish(connection, reason, word, self.clock.s)

    def left(self) -> list[tuple[str, str]]:
        """Return who left and why, as everyone has heard it."""
        seen: list[Any] = []
        self.hub.events.read(0, 1_000_000, lambda event: seen.append(event) or b"")
        return [(event.name, event.reason) for event in seen if isinstance(event, Left)]

    def assert_gone(self, connection: Connection) -> None:
        assert connection.state is State.CLOSED
        assert socket_of(connection).is_closed
        assert connection not in list(self.connections)
        assert self.connections.at(connection.fd) is None
        assert self.watched(connection) == 0
        if connection.session is not None:
            route = connection.session.route
            assert self.connections.of_session(route.number) is None
            assert self.shared.switchboard.mailbox_of(route) is None
        self.flush()  # a send to a closed socket fails

    def assert_empty(self) -> None:
        assert len(self.connections) == 0
        assert self.admission._open == 0
        assert self.admission._unregistered == {}
        assert self.shared.rate_limits._in_use == {}


@pytest.fixture
def bench():
    bench = Bench(history=FakeHistory())
    yield bench
    bench.close()


# --- coming --------------------------------------------------------------------------------------


def test_the_entrance_of_a_connection_knows_its_address_unless_a_proxy_is_to_tell_it(bench):
    bench.connections._new_door = functools.partial(OpenEntrance, Offer())
    for header, known in [(HeaderRule.NONE, "10.0.0.1"), (HeaderRule.REQUIRED, None)]:
        sock: Any = FakeSocket()
        connection = bench.connections.adopt(
            AcceptedSocket(sock, "10.0.0.1", header), bench.clock.s
        )
        assert connection.door.client_address == known


def test_a_client_that_resets_its_connection_before_it_is_shut_down_is_no_fault(bench, monkeypatch):
    def reset(_how: int) -> None:
        raise ConnectionResetError

    ana = bench.join("ana")
    monkeypatch.setattr(socket_of(ana), "shutdown", reset)
    bench.finish(ana)
    bench.flush()
    bench.assert_gone(ana)
    assert bench.observer.faults == 0


def test_an_adopted_connection_is_read_and_has_its_time_to_register(bench):
    connection = bench.connect()
    assert bench.connections.at(connection.fd) is connection
    assert list(bench.connections) == [connection]
    assert bench.watched(connection) == READABLE
    assert connection.deadline == bench.clock.s + 20.0
    assert bench.observer.accepted == 1


def test_each_connection_has_a_door_of_its_own(bench):
    first, second = bench.connect(), bench.connect()
    assert first.door is not second.door


def test_a_registered_connection_is_found_by_its_session_and_follows_the_chat(bench):
    ana = bench.join("ana")
    luis = bench.join("luis")
    assert bench.connections.of_session(luis.session.route.number) is luis
    assert luis.state is State.REGISTERED
    assert bench.observer.joined == 2
    assert bench.admission._unregistered == {}
    assert luis.deadline == bench.clock.s + bench.shared.config.ping_after_s
    bench.receive(ana, Say(text="hola"))
    assert bench.kinds(ana) == bench.kinds(luis) == ["ChatMessage"]


def test_a_session_for_messages_alone_hears_nothing_else(bench):
    bot = bench.join("bot", events="messages")
    ana = bench.join("ana")
    bench.receive(ana, Say(text="hola"))
    assert bench.kinds(bot) == ["ChatMessage"]


# --- finishing -----------------------------------------------------------------------------------


def test_a_finished_session_has_left_and_its_output_goes_out_first(bench):
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.receive(luis, Say(text="hola"))
    bench.finish(ana, CloseReason.SHUTDOWN, LAST_WORD)
    assert ana.state is State.FINISHING
    assert not ana.session.is_here
    assert bench.kinds(ana) == ["ChatMessage", "Closing"]
    assert ana.state is State.DRAINING


def test_a_finished_session_is_told_nothing_of_its_own_leaving(bench):
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.finish(ana)
    assert bench.kinds(luis) == ["Left"]
    assert bench.kinds(ana) == []
    assert bench.left() == [("ana", "quit")]
    assert bench.observer.left == {CloseReason.QUIT: 1}


def test_a_finished_session_counts_among_the_unregistered_until_the_end(bench):
    ana = bench.join("ana")
    bench.finish(ana)
    assert bench.admission._unregistered == {"10.0.0.1": 1}
    bench.connections.close(ana, CloseReason.REFUSED)
    bench.assert_gone(ana)
    bench.assert_empty()


def test_a_finished_newcomer_still_counts_once(bench):
    newcomer = bench.connect()
    bench.finish(newcomer, CloseReason.REFUSED, LAST_WORD)
    assert bench.admission._unregistered == {"10.0.0.1": 1}
    assert bench.kinds(newcomer) == ["Closing"]
    bench.connections.close(newcomer, CloseReason.REFUSED)
    bench.assert_empty()


def test_finishing_twice_is_finishing_once(bench):
    ana = bench.join("ana")
    bench.finish(ana, CloseReason.QUIT)
    until = ana.deadline
    bench.pass_time(1.0)
    bench.finish(ana, CloseReason.FLOOD, LAST_WORD)
    assert ana.deadline == until
    assert bench.left() == [("ana", "quit")]
    assert bench.kinds(ana) == []
    bench.finish(ana, CloseReason.FLOOD, LAST_WORD)  # draining
    bench.connections.close(ana, CloseReason.REFUSED)
    bench.finish(ana, CloseReason.FLOOD, LAST_WORD)  # closed
    assert ana.state is State.CLOSED
    bench.assert_empty()


def test_a_finished_connection_is_held_no_more_and_read_again(bench):
    ana = bench.join("ana")
    ana.hold_for(Hold.DELIVERY)
    bench.poller.update(ana)
    bench.finish(ana)
    assert ana.hold is NOT_HELD
    assert bench.watched(ana) == READABLE


def test_a_finished_connection_has_its_time_to_take_what_is_queued(bench):
    ana = bench.join("ana")
    bench.finish(ana)
    assert ana.deadline == bench.clock.s + 3.0
    bench.flush()
    assert ana.state is State.DRAINING
    assert ana.deadline == bench.clock.s + 1.0
    assert socket_of(ana).is_shut_down
    assert not socket_of(ana).is_closed


def test_a_finished_client_has_time_to_read_also_if_it_took_the_last_of_it_late(bench):
    ana = bench.join("ana")
    bench.finish(ana)
    bench.pass_time(2.9)
    bench.connections.shut_down(ana, bench.clock.s)
    assert ana.deadline == bench.clock.s + 1.0


def test_a_finished_connection_waits_for_its_answers_of_the_history(bench):
    ana = bench.join("ana")
    bench.receive(ana, GetHistory())
    bench.finish(ana)
    bench.flush()
    assert ana.state is State.FINISHING
    ana.answers_due = 0
    bench.connections.shut_down(ana, bench.clock.s)
    assert ana.state is State.DRAINING


def test_a_finished_connection_waits_for_the_receivers_of_its_direct_messages(bench):
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    bench.finish(ana)
    bench.flush()
    assert ana.state is State.FINISHING
    bench.receive(luis, Received(receipt=1))
    bench.read_mail()
    assert [message.id for message in bench.heard(ana)] == [1]
    assert ana.state is State.DRAINING


def test_the_last_bytes_of_the_door_go_out_once_and_after_everything_else(bench):
    ana = bench.join("ana")
    ana.door = PartingDoor()
    bench.receive(ana, GetHistory(id=1))
    bench.finish(ana, CloseReason.REFUSED, LAST_WORD)
    bench.flush()
    assert b"bye" not in socket_of(ana).sent, "the page is still to come"
    number = ana.session.route.number
    bench.dispatcher.read_mail(PageReady(number, HistoryPage(id=1, messages=[], more=False)))
    bench.flush()
    assert bytes(socket_of(ana).sent).endswith(b'"more":false}\nbye refused\n')
    assert socket_of(ana).sent.count(b"bye") == 1
    assert ana.state is State.DRAINING


def test_a_console_that_is_finished_counts_among_no_users(bench):
    sock: Any = FakeSocket()
    assert bench.admission.admit_console()
    route = bench.shared.switchboard.connect(bench.mailbox)
    bench.dispatcher.read_mail(AdoptConsole(sock, route, CONSOLE_ADDRESS))
    console = bench.connections.at(sock.fileno())
    limit = console.rate_limit
    bench.finish(console)
    assert bench.admission._registered == 0
    assert bench.admission._unregistered == {}
    assert console.rate_limit is limit
    bench.connections.close(console, CloseReason.REFUSED)
    bench.assert_empty()
    assert bench.admission._consoles == 0


def test_at_the_end_of_the_server_a_long_answer_has_as_little_time_as_the_others(bench):
    reader = bench.connect()
    bench.connections.finish(reader, CloseReason.REFUSED, None, bench.clock.s, within_s=1_000.0)
    assert reader.deadline == bench.clock.s + 1_000.0
    bench.connections.finish(reader, CloseReason.SHUTDOWN, None, bench.clock.s)
    assert reader.deadline == bench.clock.s + bench.shared.config.flush_timeout_s


def test_at_the_end_of_the_server_nobody_waits_for_receivers_who_end_too(bench):
    ana, _luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    assert ana.confirmations_due == 1
    bench.finish(ana, CloseReason.SHUTDOWN, LAST_WORD)
    assert bench.heard(ana)[-1] == LAST_WORD
    assert ana.state is State.DRAINING


def test_at_the_end_of_the_server_no_answer_comes_after_the_last_message(bench):
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    bench.finish(ana, CloseReason.SHUTDOWN, LAST_WORD)
    bench.receive(luis, Received(receipt=1))
    assert len(bench.read_mail()) == 1, "the receiver has confirmed the message"
    assert bench.heard(ana)[-1] == LAST_WORD
    assert ana.state is State.DRAINING


def test_a_client_that_sends_no_more_is_closed_as_soon_as_it_has_everything(bench):
    ana = bench.join("ana")
    bench.finish(ana)
    ana.door.feed_eof()
    bench.flush()
    bench.assert_gone(ana)


def test_a_client_that_is_gone_by_then_is_closed(bench):
    ana = bench.join("ana")
    bench.finish(ana)
    socket_of(ana).error = ConnectionResetError()
    bench.connections.shut_down(ana, bench.clock.s)
    bench.assert_gone(ana)


# --- closing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [CloseReason.SLOW, CloseReason.TIMEOUT, CloseReason.LOST])
def test_a_closed_session_is_gone_and_everyone_hears_why(bench, reason):
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.connections.close(ana, reason)
    bench.flush()
    bench.assert_gone(ana)
    assert bench.left() == [("ana", reason)]
    assert bench.kinds(luis) == ["Left"]
    assert bench.observer.left == {reason: 1}
    assert bench.observer.closed == 1
    bench.connections.close(luis, reason)
    bench.assert_empty()


def test_closing_twice_is_closing_once(bench):
    ana = bench.join("ana")
    ana.door = door = CountingDoor()
    bench.connections.close(ana, CloseReason.LOST)
    bench.connections.close(ana, CloseReason.SLOW)
    assert door.closed == 1
    assert bench.left() == [("ana", "lost")]
    assert bench.observer.closed == 1
    bench.assert_empty()


@pytest.mark.parametrize("end", ["close", "finish and close"])
def test_the_rate_limit_of_a_session_that_has_ended_is_given_back_once(bench, end):
    ana = bench.join("ana")
    bench.receive(ana, SetStatus(status="OCUPADO"))
    assert list(bench.shared.rate_limits._in_use) == ["ana"], "it has spent something"
    if end != "close":
        bench.finish(ana)
    bench.connections.close(ana, CloseReason.LOST)
    bench.assert_empty()


def test_a_connection_that_never_registered_is_noted_but_nobody_has_left(bench, caplog):
    caplog.set_level("INFO", "tertulia.server")
    bench.connections.close(bench.connect(), CloseReason.LOST)
    bench.assert_empty()
    assert bench.left() == []
    assert caplog.messages == ["closed address=10.0.0.1 reason=lost registered=no"]


@pytest.mark.parametrize("how", ["shutdown", "finished"])
def test_an_end_that_is_known_already_is_not_noted(bench, caplog, how):
    caplog.set_level("INFO", "tertulia.server")
    newcomer = bench.connect()
    if how == "finished":
        bench.finish(newcomer, CloseReason.REFUSED)
    reason = CloseReason.SHUTDOWN if how == "shutdown" else CloseReason.REFUSED
    bench.connections.close(newcomer, reason)
    assert caplog.messages == []


def test_a_replaced_session_has_left_before_and_is_not_noted_again(bench):
    ana = bench.join("ana")
    bench.hub.release(ana.session, CloseReason.REPLACED)
    bench.connections.close(ana, CloseReason.REPLACED)
    assert bench.observer.left == {}
    bench.flush()
    bench.assert_gone(ana)
    bench.assert_empty()


def test_nobody_reads_a_page_for_a_closed_connection(bench):
    ana = bench.join("ana")
    bench.receive(ana, GetHistory())
    [ticket] = bench.shared.history.tickets
    assert not ticket.is_cancelled
    bench.connections.close(ana, CloseReason.LOST)
    assert ticket.is_cancelled


@pytest.mark.parametrize("end", ["close", "finish", "sign of life"])
def test_a_challenge_is_over_once_the_session_has_ended_or_shown_life(bench, end):
    ana, newcomer = bench.join("ana"), bench.connect()
    ana.challenge_until = 1_003.0
    ana.add_challenger(newcomer, bench.mailbox)
    match end:
        case "close":
            bench.connections.close(ana, CloseReason.TIMEOUT)
        case "finish":
            bench.finish(ana)
        case _:
            bench.connections.answer_challengers(ana)
    assert bench.mailbox.collect() == [ChallengeOver(newcomer)]
    assert ana.challenge_until == float("inf")
    bench.connections.close(ana, CloseReason.LOST)
    assert bench.mailbox.collect() == []


# --- faults --------------------------------------------------------------------------------------


def test_a_step_with_a_connection_that_is_gone_is_not_taken(bench):
    bench.connections.guarded(None, lambda connection: 1 / 0)


def test_a_guarded_step_gets_its_arguments(bench):
    ana, taken = bench.join("ana"), []
    bench.connections.guarded(ana, lambda *arguments: taken.append(arguments), 1, 2)
    assert taken == [(ana, 1, 2)]


def test_a_fault_costs_the_connection_that_it_came_up_in(bench, caplog):
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.connections.guarded(ana, lambda connection: 1 / 0)
    bench.flush()
    bench.assert_gone(ana)
    assert bench.left() == [("ana", "lost")]
    assert luis.state is State.REGISTERED
    assert bench.observer.faults == 1
    assert "ZeroDivisionError" in caplog.text
