"""Each kind of mail, also about connections that are gone, and a fault in each of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeHistory, FakeSocket, WorkerBench, socket_of

from tertulia.protocol.messages import (
    UNSET,
    CloseReason,
    Closing,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    HistoryPage,
    NodeList,
    Ok,
    Ping,
    Pong,
    Say,
)
from tertulia.server.history.mail import PageReady, RoomAgain, Stored
from tertulia.server.hub.directs import Delivery, Handover
from tertulia.server.hub.ordered import NodesNamed
from tertulia.server.hub.session import Receipt
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.mail import (
    AcceptedSocket,
    Adopt,
    Beat,
    Challenge,
    ChallengeOver,
    Deliver,
    Delivered,
    Drain,
    Evict,
    Mail,
)
from tertulia.server.workers.poller import READABLE

MESSAGE = DirectMessage(time="t", sender="ana", to="luis", text="hola")
DIRECT = Direct(id=1, to="luis", text="hola")
PAGE = HistoryPage(id=1, messages=[], more=False)
NOBODY = 10**9  # no session's number


class Owner:
    """The worker of somebody else, which keeps its mail."""

    def __init__(self) -> None:
        self.mail: list[Mail] = []

    def post(self, mail: Mail) -> bool:
        self.mail.append(mail)
        return True


class Bench(WorkerBench):
    """Two users of one worker, and another worker's owner."""

    def __init__(self, **options: Any) -> None:
        super().__init__(history=FakeHistory(), **options)
        self.history: Any = self.shared.history
        self.owner = Owner()
        self.ana, self.luis = self.join("ana"), self.join("luis")
        self.heard(self.ana)

    def read(self, mail: Mail) -> None:
        self.dispatcher.read_mail(mail)

    def number(self, connection: Connection) -> int:
        assert connection.session is not None
        return connection.session.route.session

    @property
    def delivery(self) -> Delivery:
        assert self.luis.session is not None
        return Delivery(self.luis.session, MESSAGE)

    def break_encoding(self, connection: Connection) -> None:
        """Make our own code fail whenever something is to be sent to a connection."""

        class BrokenDoor:
            def close(self) -> None: ...

            def __getattr__(self, name: str) -> Any:
                raise ZeroDivisionError("a fault of ours")

        connection.door = BrokenDoor()  # type: ignore[assignment]

    def assert_only_lost(self, connection: Connection) -> None:
        """Look whether a fault has cost this connection, and nobody else anything."""
        assert connection.state is State.CLOSED
        assert self.observer.faults == 1
        for other in (self.ana, self.luis):
            if other is not connection:
                assert other.state is State.REGISTERED
                self.heard(other)
                self.receive(other, Ping(id=99))
                assert Pong(id=99) in self.heard(other)


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


# --- Stored --------------------------------------------------------------------------------------


def stored(bench: Bench, connection: Connection, request_id: Any, *, ok: bool = True) -> Any:
    connection.answers_due += 1
    return Receipt(bench.mailbox, bench.number(connection), request_id, 7), ok


def test_messages_on_the_disk_are_acknowledged_together(bench):
    users = ((bench.ana, 1), (bench.luis, 2), (bench.ana, 3), (bench.ana, UNSET))
    bench.read(Stored([stored(bench, *one) for one in users]))
    assert bench.heard(bench.ana) == [Ok(id=1, seq=7), Ok(id=3, seq=7)]
    assert bench.heard(bench.luis) == [Ok(id=2, seq=7)]
    assert bench.ana.answers_due == bench.luis.answers_due == 0


def test_a_message_that_is_not_on_the_disk_is_told_of_in_any_case(bench):
    bench.read(Stored([stored(bench, bench.ana, one, ok=False) for one in (1, UNSET)]))
    errors = bench.heard(bench.ana)
    assert [(error.id, error.code, error.seq) for error in errors] == [
        (1, ErrorCode.UNAVAILABLE, 7),
        (UNSET, ErrorCode.UNAVAILABLE, 7),
    ]


def test_an_acknowledgement_for_a_session_that_is_gone_is_nobodys(bench):
    gone = (Receipt(bench.mailbox, NOBODY, 1, 7), True)
    bench.read(Stored([gone, stored(bench, bench.ana, 2)]))
    assert bench.heard(bench.ana) == [Ok(id=2, seq=7)]


def test_a_finished_session_still_gets_its_acknowledgement_and_then_ends(bench):
    row = stored(bench, bench.ana, 1)
    bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.flush()
    assert bench.ana.state is State.FINISHING
    bench.read(Stored([row]))
    assert bench.heard(bench.ana) == [Ok(id=1, seq=7)]
    assert bench.ana.state is State.DRAINING


def test_a_fault_in_an_acknowledgement_costs_that_connection(bench):
    rows = [stored(bench, bench.ana, 1), stored(bench, bench.luis, 2)]
    bench.break_encoding(bench.ana)
    bench.read(Stored(rows))
    assert Ok(id=2, seq=7) in bench.heard(bench.luis)
    bench.assert_only_lost(bench.ana)


# --- Deliver and Delivered -----------------------------------------------------------------------


def deliver(bench: Bench, session: int) -> Deliver:
    return Deliver(session, bench.delivery, DIRECT, bench.ana, bench.owner)


def test_a_direct_message_is_put_into_the_output_and_reported(bench):
    bench.read(deliver(bench, bench.number(bench.luis)))
    assert bench.owner.mail == [Delivered(bench.ana, DIRECT, bench.delivery, Handover.DONE)]
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
    assert bench.owner.mail == [Delivered(bench.ana, DIRECT, bench.delivery, Handover.GONE)]
    assert how != "finishing" or bench.heard(bench.luis) == []


def test_a_fault_in_a_delivery_costs_the_receiver_and_is_no_delivery(bench):
    bench.break_encoding(bench.luis)
    bench.read(deliver(bench, bench.number(bench.luis)))
    assert bench.owner.mail == [Delivered(bench.ana, DIRECT, bench.delivery, Handover.GONE)]
    bench.assert_only_lost(bench.luis)


@pytest.mark.parametrize("handover", Handover)
def test_the_sender_is_answered_and_goes_on(bench, handover):
    bench.ana.hold_for(Hold.DELIVERY)
    bench.poller.update(bench.ana)
    bench.ana.door.ready = [Ping(id=2)]
    bench.read(Delivered(bench.ana, DIRECT, bench.delivery, handover))
    answer, pong = bench.heard(bench.ana)
    assert answer.id == 1
    assert isinstance(answer, Ok if handover is Handover.DONE else Error)
    assert pong == Pong(id=2)
    assert bench.ana.hold is NOT_HELD
    assert bench.watched(bench.ana) == READABLE


def test_the_answer_for_a_sender_that_is_gone_is_nobodys(bench):
    bench.connections.close(bench.ana, CloseReason.LOST)
    bench.read(Delivered(bench.ana, DIRECT, bench.delivery, Handover.DONE))
    assert bench.observer.faults == 0


def test_a_fault_in_answering_the_sender_costs_the_sender(bench):
    bench.break_encoding(bench.ana)
    bench.read(Delivered(bench.ana, DIRECT, bench.delivery, Handover.DONE))
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


def test_a_fault_in_an_eviction_costs_that_connection(bench, monkeypatch):
    monkeypatch.setattr(bench.output, "push_rest", lambda connection: 1 / 0)
    bench.read(Evict(bench.number(bench.luis)))
    bench.assert_only_lost(bench.luis)


# --- PageReady and RoomAgain ---------------------------------------------------------------------


def test_a_page_is_sent_and_the_next_one_asked_for(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2))
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    assert len(bench.history.tickets) == 1
    assert bench.heard(bench.ana) == [PAGE]
    assert [ticket.request.id for ticket in bench.history.tickets] == [1, 2]
    assert bench.ana.answers_due == 1


def test_the_next_page_waits_until_the_client_has_taken_the_one_before(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2))
    socket_of(bench.ana).room = 5
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    bench.flush()
    assert len(bench.history.tickets) == 1
    bench.empty(bench.ana)
    bench.flush()
    assert len(bench.history.tickets) == 2


def test_a_finished_session_gets_all_its_pages_before_it_ends(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2), b'{"type":"quit"}\n')
    for _ in range(2):
        bench.flush()
        assert bench.ana.state is State.FINISHING
        bench.read(PageReady(bench.number(bench.ana), PAGE))
    assert bench.heard(bench.ana) == [PAGE, PAGE]
    assert bench.ana.state is State.DRAINING


def test_a_page_for_a_session_that_is_gone_is_nobodys(bench):
    bench.read(PageReady(NOBODY, PAGE))


def test_a_fault_in_a_page_costs_that_connection(bench):
    bench.break_encoding(bench.ana)
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    bench.assert_only_lost(bench.ana)


def test_what_had_to_wait_for_room_is_said_and_the_requests_behind_it_follow(bench):
    bench.history.has_room = False
    bench.receive(bench.ana, Say(id=1, text="hola"), Ping(id=2))
    bench.read(RoomAgain(bench.number(bench.ana)))  # somebody else was quicker
    assert bench.ana.hold is Hold.ROOM
    assert len(bench.history.waiters) == 2
    assert bench.heard(bench.ana) == []
    bench.history.has_room = True
    bench.read(RoomAgain(bench.number(bench.ana)))
    assert bench.ana.hold is NOT_HELD
    assert [message.text for message, _ in bench.history.written] == ["hola"]
    assert bench.kinds(bench.ana) == ["Pong", "ChatMessage"]


def test_an_idle_bot_that_says_it_later_is_told_of_its_own_return():
    bench = Bench()
    bot = bench.join("bot", events="messages")
    bench.hub.idle(bot.session)
    bench.input.send_own_presence(bot, bot.session)
    bench.history.has_room = False
    bench.receive(bot, Say(text="hola"))
    assert bench.kinds(bot) == ["Presence"]
    bench.history.has_room = True
    bench.read(RoomAgain(bench.number(bot)))
    assert bench.kinds(bot) == ["Presence", "ChatMessage"]
    bench.close()


def test_room_for_a_session_that_has_ended_is_nobodys(bench):
    bench.history.has_room = False
    bench.receive(bench.ana, Say(id=1, text="hola"))
    bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.history.has_room = True
    bench.read(RoomAgain(bench.number(bench.ana)))
    bench.read(RoomAgain(NOBODY))
    assert bench.history.written == []


def test_a_fault_in_saying_it_later_costs_that_connection(bench, monkeypatch):
    bench.history.has_room = False
    bench.receive(bench.ana, Say(id=1, text="hola"))
    monkeypatch.setattr(bench.handler, "say", lambda *_: 1 / 0)
    bench.read(RoomAgain(bench.number(bench.ana)))
    bench.assert_only_lost(bench.ana)


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
        Delivered(bench.ana, DIRECT, bench.delivery, Handover.GONE),
        ChallengeOver(newcomer),
    ]
    assert bench.heard(bench.luis) == []
