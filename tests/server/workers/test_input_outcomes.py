"""What the input does with what the handler returns: pages, registrations, direct messages."""

from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeHistory, WorkerBench

from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    Ok,
    Ping,
    Register,
    Welcome,
)
from tertulia.protocol.watching import TakeMeasures
from tertulia.server.hub.directs import Delivery, Handover
from tertulia.server.workers.connection import Hold, State
from tertulia.server.workers.mail import Challenge, ChallengeOver, Deliver, DeliveryOver, Evict
from tertulia.server.workers.measure_requests import MeasureRequest


@pytest.fixture
def bench() -> Iterator[WorkerBench]:
    bench = WorkerBench(history=FakeHistory())
    yield bench
    bench.close()


@pytest.fixture
def beside(bench: WorkerBench) -> Iterator[WorkerBench]:
    """Another worker of the same server."""
    beside = WorkerBench(beside=bench)
    yield beside
    beside.close()


def codes(messages: list[Any]) -> list[str]:
    return [message.code for message in messages if isinstance(message, Error)]


# --- figures of the server ------------------------------------------------------------------------


def test_figures_are_asked_for_beside_the_workers_while_their_console_is_held(bench, monkeypatch):
    ana, asked = bench.join("ana"), []
    monkeypatch.setattr(bench.shared.measure_requests, "ask", asked.append)
    ready: list[Any] = ana.door.decoded
    ready.append(TakeMeasures(id=3))
    bench.receive(ana, b"\n")
    assert asked == [MeasureRequest(3, bench.mailbox, ana.session.route.number)]
    assert ana.hold is Hold.MEASURES


# --- pages ---------------------------------------------------------------------------------------


def test_a_page_is_asked_for_at_once_and_the_next_one_is_not(bench):
    ana = bench.join("ana")
    bench.receive(ana, GetHistory(id=1), GetHistory(id=2))
    [ticket] = bench.shared.history.tickets
    assert ana.ticket is ticket
    assert (ticket.request, ticket.owner) == (GetHistory(id=1), bench.mailbox)
    assert ticket.session_number == ana.session.route.number


def test_no_page_is_asked_for_while_the_client_takes_nothing(bench):
    ana = bench.join("ana")
    bench.fill(ana)
    bench.receive(ana, GetHistory(id=1))
    bench.flush()
    assert bench.shared.history.tickets == []
    bench.empty(ana)
    assert bench.shared.history.tickets == []
    bench.flush()
    assert [ticket.request.id for ticket in bench.shared.history.tickets] == [1]


# --- registering ---------------------------------------------------------------------------------


def test_a_newcomer_hears_of_itself_after_its_welcome(bench):
    newcomer = bench.connect()
    bench.receive(newcomer, Register(id=1, name="ana"))
    welcome, _joined = bench.heard(newcomer)
    assert isinstance(welcome, Welcome)
    assert bench.observer.joined == 1


def test_a_refused_newcomer_is_told_and_noted_with_its_name(bench, caplog):
    caplog.set_level("INFO", "tertulia.server")
    newcomer = bench.connect()
    bench.receive(newcomer, Register(id=1, name="no name"))
    assert codes(bench.heard(newcomer)) == [ErrorCode.NAME_INVALID]
    assert newcomer.state is State.DRAINING
    assert caplog.messages == ["refused address=10.0.0.1 code=name_invalid name='no name'"]


def test_a_session_that_is_taken_over_is_evicted_by_its_own_worker(bench, beside, caplog):
    old = beside.join("ana", "10.0.0.2")
    newcomer = bench.connect()
    caplog.set_level("INFO", "tertulia.server")
    bench.receive(newcomer, Register(name="ana", token=old.session.token))
    assert "left name=ana address=10.0.0.2 reason=replaced" in caplog.messages
    assert bench.kinds(newcomer) == ["Welcome", "Joined"]
    assert bench.observer.left == {CloseReason.REPLACED: 1}
    assert beside.read_mail() == [Evict(old.session.route.number)]
    assert old.state is State.CLOSED
    assert beside.observer.left == {}


def test_a_session_in_the_way_is_challenged_in_its_own_worker(bench, beside):
    ana = beside.join("ana")
    newcomer = bench.connect()
    bench.receive(newcomer, Register(name="ana"), Ping(id=1))
    assert newcomer.hold is Hold.CHALLENGE
    assert bench.heard(newcomer) == []
    mail = Challenge(ana.session.route.number, newcomer, bench.mailbox)
    assert beside.mailbox.collect() == [mail]


@pytest.mark.parametrize("is_mailbox_known", [True, False])
def test_a_challenge_of_a_worker_that_has_ended_is_over_at_once(bench, is_mailbox_known):
    beside = WorkerBench(beside=bench)
    ana = beside.join("ana")
    beside.close()
    if not is_mailbox_known:
        bench.shared.switchboard.disconnect(ana.session.route.number)
    newcomer = bench.connect()
    bench.receive(newcomer, Register(name="ana"))
    assert bench.mailbox.collect() == [ChallengeOver(newcomer)]


# --- direct messages -----------------------------------------------------------------------------


def test_a_direct_message_to_a_session_of_the_same_worker_is_delivered_at_once(bench):
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    [message] = bench.heard(luis)
    assert isinstance(message, DirectMessage)
    assert bench.heard(ana) == [Ok(id=1, time=message.time)]
    assert bench.mailbox.collect() == []


def test_a_direct_message_to_a_session_that_is_being_replaced_is_not_delivered(bench):
    ana, luis = bench.join("ana"), bench.join("luis")
    luis.state = State.FINISHING
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    assert codes(bench.heard(ana)) == [ErrorCode.USER_NOT_CONNECTED]
    luis.state = State.REGISTERED
    assert bench.heard(luis) == []


def test_a_direct_message_to_another_worker_holds_the_sender_until_it_is_delivered(bench, beside):
    ana, luis = bench.join("ana"), beside.join("luis")
    request = Direct(id=1, to="luis", text="hola")
    bench.receive(ana, request, Ping(id=2))
    assert ana.hold is Hold.DELIVERY
    assert bench.kinds(ana) == ["Joined"]
    [mail] = beside.mailbox.collect()
    assert isinstance(mail, Deliver)
    assert (mail.session_number, mail.sender) == (luis.session.route.number, ana)
    assert (mail.request, mail.reply_to) == (request, bench.mailbox)


@pytest.mark.parametrize("is_mailbox_known", [True, False])
def test_a_direct_message_to_a_worker_that_has_ended_is_not_delivered(bench, is_mailbox_known):
    beside = WorkerBench(beside=bench)
    ana, luis = bench.join("ana"), beside.join("luis")
    beside.close()
    if not is_mailbox_known:
        bench.shared.switchboard.disconnect(luis.session.route.number)
    request = Direct(id=1, to="luis", text="hola")
    bench.receive(ana, request)
    [mail] = bench.mailbox.collect()
    assert isinstance(mail, DeliveryOver)
    assert (mail.sender, mail.request, mail.handover) == (ana, request, Handover.GONE)


def test_the_answer_to_a_delivery_is_not_sent_to_a_session_that_has_ended(bench):
    ana = bench.join("ana")
    bench.connections.finish(ana, CloseReason.QUIT, None, bench.clock.s)
    message = DirectMessage(time="t", sender="ana", to="luis", text="x")
    delivery = Delivery(ana.session, message)
    bench.input.deliveries.answer_sender(
        ana, Direct(id=1, to="luis", text="x"), delivery, Handover.DONE
    )
    assert bench.heard(ana) == []
