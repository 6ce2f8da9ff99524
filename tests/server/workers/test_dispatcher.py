"""Each kind of mail, also about connections that are gone, and a fault in each of them."""

import errno
from collections.abc import Iterator
from typing import Any

import pytest
from dispatcher_bench import DIRECT, MESSAGE, NOBODY, Bench
from worker_bench import FakeSocket, PartingDoor, socket_of

from tertulia.protocol.messages import (
    CloseReason,
    Closing,
    Error,
    ErrorCode,
    NodeList,
    Ok,
    Ping,
    Pong,
)
from tertulia.server.hub.directs import Handover
from tertulia.server.hub.ordered import NodesNamed
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.mail import (
    AcceptedSocket,
    Adopt,
    AdoptConsole,
    Beat,
    Challenge,
    ChallengeOver,
    Deliver,
    DeliveryOver,
    Drain,
    Evict,
    MeasuresReady,
)
from tertulia.server.workers.poller import READABLE


class Pieces:
    """A long answer that does not end by itself."""

    def next_piece(self) -> bytes:
        return b"piece"


class LastPieces:
    """A long answer that has these pieces, or breaks at one of them."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = iter(pieces)

    def next_piece(self) -> bytes:
        piece = next(self._pieces, b"")
        if isinstance(piece, Exception):
            raise piece
        return piece


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- Adopt and Drain -----------------------------------------------------------------------------


def test_accepted_sockets_are_adopted(bench):
    socks: Any = [FakeSocket(), FakeSocket()]
    bench.read(Adopt([AcceptedSocket(sock, "10.0.0.9") for sock in socks]))
    for sock in socks:
        connection = bench.connections.at(sock.fileno())
        assert connection is not None
        assert (connection.address, connection.state) == ("10.0.0.9", State.UNREGISTERED)
        assert bench.watched(connection) == READABLE


def test_a_fault_in_adopting_a_socket_costs_that_one(bench, monkeypatch):
    monkeypatch.setattr(bench.connections, "_new_door", lambda: 1 / 0)
    sock = FakeSocket()
    bench.admission.admit("10.0.0.9")
    bench.read(Adopt([AcceptedSocket(sock, "10.0.0.9")]))
    assert sock.is_closed
    assert "10.0.0.9" not in bench.admission._unregistered
    assert bench.observer.faults == 1


def test_a_socket_that_the_system_does_not_watch_is_closed_and_counted_no_more(bench, monkeypatch):
    def full(_connection: Connection) -> None:
        raise OSError(errno.ENOSPC, "no more")

    monkeypatch.setattr(bench.poller, "add", full)
    sock, before = FakeSocket(), len(bench.connections)
    bench.admission.admit("10.0.0.9")
    bench.read(Adopt([AcceptedSocket(sock, "10.0.0.9")]))
    assert sock.is_closed
    assert len(bench.connections) == before
    assert bench.admission._unregistered == {}
    assert bench.observer.faults == 1


def test_everyone_is_told_goodbye_with_a_time_to_come_back(bench):
    newcomer = bench.connect()
    bench.read(Drain())
    assert bench.dispatcher.is_draining
    for connection in (bench.ana, bench.luis, newcomer):
        [goodbye] = bench.heard(connection)
        assert isinstance(goodbye, Closing)
        assert goodbye.reason == CloseReason.SHUTDOWN
        assert 0.5 <= goodbye.retry_after <= 5.0
        assert connection.state is State.DRAINING
    assert bench.observer.left == {CloseReason.SHUTDOWN: 2}


def test_who_wants_to_know_is_told_which_nodes_are_up(bench):
    eva = bench.join("eva", nodes=True)
    bench.heard(eva)
    bench.read(NodesNamed(["10.0.0.1:5000", "10.0.0.2:5000"]))
    assert bench.heard(eva) == [NodeList(nodes=["10.0.0.1:5000", "10.0.0.2:5000"])]
    bench.read(NodesNamed(["10.0.0.1:5000", "10.0.0.2:5000"], [2]))
    assert bench.heard(eva) == [NodeList(nodes=["10.0.0.1:5000", "10.0.0.2:5000"], per_node=[2])]
    for connection in (bench.ana, bench.luis):
        assert not any(isinstance(message, NodeList) for message in bench.heard(connection))


def test_a_fault_in_telling_which_nodes_are_up_costs_that_connection(bench):
    bench.luis.hears_nodes = True
    bench.break_encoding(bench.luis)
    bench.read(NodesNamed([]))
    bench.assert_only_lost(bench.luis)


def test_for_an_upgrade_a_slow_client_has_only_a_moment_to_take_its_output(bench):
    bench.fill(bench.ana)
    bench.read(Drain(flush_within_s=1.0))
    assert bench.ana.state is State.FINISHING
    assert bench.ana.deadline == bench.input.now + 1.0


def test_for_an_upgrade_everyone_is_told_to_come_back_at_once(bench):
    bench.read(Drain(retry_after_s=(0.1, 0.2), flush_within_s=1.0, drain_within_s=0.3))
    [goodbye] = bench.heard(bench.ana)
    assert 0.1 <= goodbye.retry_after <= 0.2
    assert bench.ana.state is State.DRAINING
    assert bench.ana.deadline - bench.input.now == pytest.approx(0.3)


def test_a_sign_of_life_is_given_in_the_round_and_by_a_worker_that_has_ended(bench):
    asked, returned = Beat(), Beat()
    bench.read(asked)
    bench.dispatcher.return_mail(returned)
    assert (asked.is_answered, returned.is_answered) == (True, True)


def test_sockets_that_come_while_draining_are_told_goodbye(bench):
    bench.read(Drain())
    sock: Any = FakeSocket()
    bench.admission.admit("10.0.0.9")
    bench.read(Adopt([AcceptedSocket(sock, "10.0.0.9")]))
    bench.flush()
    assert b'"closing"' in sock.sent


def test_a_long_answer_is_cut_off_when_draining_begins(bench):
    reader = bench.connect()
    reader.source = Pieces()
    bench.connections.finish(reader, CloseReason.QUIT, None, bench.clock.s)
    for _ in range(3):
        bench.pass_time(5.0)
        bench.dispatcher.flush()
        assert reader.deadline == bench.clock.s + 20.0, "each piece has its time"
    assert bytes(socket_of(reader).sent) == b"piece" * 2, "others come between the pieces"
    assert reader.state is State.FINISHING
    bench.dispatcher.read_mail(Drain(drain_within_s=0.5))
    for _ in range(2):
        bench.dispatcher.flush()
    assert reader.state is State.DRAINING
    assert reader.deadline == bench.clock.s + 0.5, "as all others when the server ends"
    assert bytes(socket_of(reader).sent) == b"piece" * 3


def test_the_client_has_time_to_read_the_last_piece_of_a_long_answer(bench):
    reader = bench.connect()
    reader.source = LastPieces(b"one", b"two")
    bench.connections.finish(reader, CloseReason.QUIT, None, bench.clock.s)
    for _ in range(3):
        assert reader.state is State.FINISHING
        bench.pass_time(5.0)
        bench.dispatcher.flush()
    assert bytes(socket_of(reader).sent) == b"onetwo"
    assert (reader.state, reader.source) == (State.DRAINING, None)
    assert socket_of(reader).is_shut_down
    assert reader.deadline == bench.clock.s + bench.shared.config.drain_timeout_s


def test_a_long_answer_whose_file_cannot_be_read_is_cut_off_by_closing(bench):
    reader = bench.connect()
    reader.source = LastPieces(b"one", OSError(errno.EIO, "no more"))
    bench.connections.finish(reader, CloseReason.QUIT, None, bench.clock.s)
    bench.dispatcher.flush()
    bench.dispatcher.flush()
    assert reader.state is State.CLOSED
    assert not socket_of(reader).is_shut_down, "an orderly end would look like a whole answer"
    assert bytes(socket_of(reader).sent) == b"one"
    assert bench.observer.faults == 0


def test_nothing_more_is_read_for_a_long_answer_whose_client_has_gone(bench):
    reader = bench.connect()
    reader.source = LastPieces(ZeroDivisionError())
    bench.connections.finish(reader, CloseReason.QUIT, None, bench.clock.s)
    bench.dispatcher._handle_results(bench.output.flush_private())
    bench.connections.close(reader, CloseReason.LOST)
    bench.dispatcher.flush()
    assert bench.observer.faults == 0


def test_a_console_that_comes_while_draining_is_told_goodbye(bench):
    bench.read(Drain())
    sock: Any = FakeSocket()
    assert bench.admission.admit_console()
    route = bench.shared.switchboard.connect(bench.mailbox)
    bench.read(AdoptConsole(sock, route, "the console"))
    bench.flush()
    assert b'"closing"' in sock.sent


def test_a_fault_in_adopting_a_console_costs_that_one_and_frees_its_route(bench, monkeypatch):
    monkeypatch.setattr(bench.connections, "_new_console_door", lambda: 1 / 0)
    sock: Any = FakeSocket()
    assert bench.admission.admit_console()
    route = bench.shared.switchboard.connect(bench.mailbox)
    bench.read(AdoptConsole(sock, route, "the console"))
    assert sock.is_closed
    assert bench.shared.switchboard.mailbox_of(route) is None
    assert bench.admission._consoles == 0
    assert bench.observer.faults == 1


def test_a_live_view_gets_its_figures_and_is_read_on(bench):
    bench.ana.hold_for(Hold.MEASURES)
    bench.receive(bench.ana, Ping(id=1))
    assert bench.heard(bench.ana) == []
    assert bench.watched(bench.ana) == 0
    none = Error(id=7, code=ErrorCode.UNAVAILABLE, message="no figures")
    bench.read(MeasuresReady(bench.number(bench.ana), none))
    assert bench.heard(bench.ana) == [none]
    assert bench.ana.hold is NOT_HELD
    assert bench.watched(bench.ana) == READABLE


def test_figures_for_a_live_view_that_has_gone_are_dropped(bench):
    none = Error(id=7, code=ErrorCode.UNAVAILABLE, message="no figures")
    bench.read(MeasuresReady(NOBODY, none))
    assert bench.heard(bench.ana) == bench.heard(bench.luis) == []
    assert bench.observer.faults == 0


def test_a_fault_in_saying_goodbye_costs_that_connection(bench):
    bench.break_encoding(bench.ana)
    bench.read(Drain())
    assert bench.ana.state is State.CLOSED
    assert bench.observer.faults == 1
    assert bench.kinds(bench.luis)[-1] == "Closing"


def test_a_fault_in_saying_goodbye_to_a_new_socket_costs_that_one(bench, monkeypatch):
    bench.dispatcher.is_draining = True
    fault = [ZeroDivisionError()]

    def fail_once(*_: object) -> None:
        if fault:
            raise fault.pop()

    monkeypatch.setattr(bench.connections, "finish", fail_once)
    socks: Any = [FakeSocket(), FakeSocket()]
    for _ in socks:
        bench.admission.admit("10.0.0.9")
    bench.read(Adopt([AcceptedSocket(sock, "10.0.0.9") for sock in socks]))
    assert [sock.is_closed for sock in socks] == [True, False]


# --- Deliver and DeliveryOver ---------------------------------------------------------------------


def deliver(bench: Bench, session: int) -> Deliver:
    return Deliver(session, bench.delivery, DIRECT, bench.ana, bench.owner)


def test_a_direct_message_is_put_into_the_output_and_reported(bench):
    bench.read(deliver(bench, bench.number(bench.luis)))
    assert bench.owner.mail == [DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.DONE)]
    assert bench.heard(bench.luis) == [MESSAGE]


@pytest.mark.parametrize("how", ["never was", "closed", "finishing", "taken over"])
def test_a_direct_message_to_a_session_that_has_ended_is_reported_as_not_delivered(bench, how):
    number = bench.number(bench.luis)
    match how:
        case "never was":
            number = NOBODY
        case "closed":
            bench.connections.close(bench.luis, CloseReason.LOST)
        case "taken over":  # and not evicted yet
            bench.hub.release(bench.luis.session, CloseReason.REPLACED)
        case _:
            bench.connections.finish(bench.luis, CloseReason.QUIT, None, bench.clock.s)
    bench.read(deliver(bench, number))
    assert bench.owner.mail == [DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.GONE)]
    assert how != "finishing" or bench.heard(bench.luis) == []


def test_a_fault_in_a_delivery_costs_the_receiver_and_is_no_delivery(bench):
    bench.break_encoding(bench.luis)
    bench.read(deliver(bench, bench.number(bench.luis)))
    assert bench.owner.mail == [DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.GONE)]
    bench.assert_only_lost(bench.luis)


@pytest.mark.parametrize("handover", Handover)
def test_the_sender_is_answered_and_goes_on(bench, handover):
    bench.ana.hold_for(Hold.DELIVERY)
    bench.poller.update(bench.ana)
    bench.ana.door.decoded = [Ping(id=2)]
    bench.read(DeliveryOver(bench.ana, DIRECT, bench.delivery, handover))
    answer, pong = bench.heard(bench.ana)
    assert answer.id == 1
    assert isinstance(answer, Ok if handover is Handover.DONE else Error)
    assert pong == Pong(id=2)
    assert bench.ana.hold is NOT_HELD
    assert bench.watched(bench.ana) == READABLE


def test_the_answer_for_a_sender_that_is_gone_is_nobodys(bench):
    bench.connections.close(bench.ana, CloseReason.LOST)
    bench.read(DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.DONE))
    assert bench.observer.faults == 0


def test_a_fault_in_answering_the_sender_costs_the_sender(bench):
    bench.break_encoding(bench.ana)
    bench.read(DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.DONE))
    bench.assert_only_lost(bench.ana)


# --- Evict ---------------------------------------------------------------------------------------


def test_a_replaced_session_gets_what_was_put_into_it_and_is_closed(bench):
    bench.output.send(bench.luis, MESSAGE)
    bench.hub.release(bench.luis.session, CloseReason.REPLACED)
    bench.read(Evict(bench.number(bench.luis)))
    assert b'"direct"' in socket_of(bench.luis).sent
    assert bench.luis.state is State.CLOSED
    assert bench.observer.left == {}
    bench.read(Evict(bench.number(bench.luis)))


def test_a_replaced_session_is_told_why_in_the_doors_own_way(bench):
    bench.luis.door = PartingDoor()
    bench.output.send(bench.luis, MESSAGE)
    bench.hub.release(bench.luis.session, CloseReason.REPLACED)
    bench.read(Evict(bench.number(bench.luis)))
    assert socket_of(bench.luis).sent.endswith(b"}\nbye replaced\n")


def test_a_replaced_session_that_takes_nothing_has_a_time_to_read_why(bench):
    bench.fill(bench.luis)
    bench.hub.release(bench.luis.session, CloseReason.REPLACED)
    bench.read(Evict(bench.number(bench.luis)))
    assert bench.luis.state is State.FINISHING
    assert bench.luis.deadline == bench.clock.s + 3.0


def test_a_fault_in_an_eviction_costs_that_connection(bench, monkeypatch):
    monkeypatch.setattr(bench.output, "flush_last", lambda connection: 1 / 0)
    bench.read(Evict(bench.number(bench.luis)))
    bench.assert_only_lost(bench.luis)


# --- mail that is not read any more --------------------------------------------------------------


def test_mail_to_a_worker_that_has_ended_is_answered(bench):
    sock: Any = FakeSocket()
    newcomer = bench.connect()
    for mail in (
        Adopt([AcceptedSocket(sock, "10.0.0.9")]),
        deliver(bench, bench.number(bench.luis)),
        Challenge(bench.number(bench.luis), newcomer, bench.owner),
        Drain(),
        Evict(NOBODY),
    ):
        bench.dispatcher.return_mail(mail)
    assert sock.is_closed
    assert bench.owner.mail == [
        DeliveryOver(bench.ana, DIRECT, bench.delivery, Handover.GONE),
        ChallengeOver(newcomer),
    ]
    assert bench.heard(bench.luis) == []
