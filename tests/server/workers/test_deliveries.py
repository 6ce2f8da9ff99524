"""Direct messages whose sender's worker ends before it has learned what became of them."""

from collections.abc import Iterator

import pytest
from worker_bench import WorkerBench

from tertulia.protocol.messages import (
    CloseReason,
    Direct,
    DirectMessage,
    Ok,
    Ping,
    Quit,
    Received,
    Register,
    ServerMessage,
    Welcome,
)
from tertulia.server.workers.connection import Hold, State

DIRECT = Direct(id=1, to="luis", text="hola", nonce="n")


class Bench:
    """Three workers: that of ana, who has sent a direct message; that of luis; and a third one."""

    def __init__(self) -> None:
        self.hers = WorkerBench()
        self.his, self.third = WorkerBench(beside=self.hers), WorkerBench(beside=self.hers)
        self.running = [self.hers, self.his, self.third]
        self.ana, self.luis = self.hers.join("ana"), self.his.join("luis")
        self.hers.receive(self.ana, DIRECT)
        assert self.ana.hold is Hold.DELIVERY

    def lose_ana(self) -> None:
        self.hers.connections.close(self.ana, CloseReason.LOST)

    def lose_luis(self) -> None:
        self.his.connections.close(self.luis, CloseReason.LOST)

    def end(self, worker: WorkerBench) -> None:
        """Let a worker end, which has no connection left."""
        assert not worker.connections
        self.running.remove(worker)
        for mail in worker.mailbox.close():
            worker.dispatcher.return_mail(mail)

    def send_again(self) -> list[ServerMessage]:
        """Let ana come back and send the message once more; return the answer."""
        ana = self.third.join("ana")
        self.third.receive(ana, DIRECT)
        return self.third.heard(ana)

    def close(self) -> None:
        for worker in self.running:
            worker.close()


def assert_delivered(answers: list[ServerMessage]) -> None:
    [answer] = answers
    assert isinstance(answer, Ok)
    assert answer.id == 1


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_delivered_message_is_not_delivered_twice_though_the_report_came_too_late(bench):
    bench.lose_ana()
    bench.end(bench.hers)
    bench.his.read_mail()
    assert bench.his.kinds(bench.luis) == ["DirectMessage", "Left"]
    assert_delivered(bench.send_again())
    assert bench.his.read_mail() == []


def test_a_delivered_message_is_not_delivered_twice_though_nobody_read_the_report(bench):
    bench.his.read_mail()
    bench.lose_ana()
    bench.end(bench.hers)
    assert_delivered(bench.send_again())


@pytest.mark.parametrize("who_ends_first", ["ana", "luis"])
def test_a_message_that_was_not_delivered_can_be_sent_again(bench, who_ends_first):
    bench.lose_ana()
    bench.lose_luis()
    workers = [bench.hers, bench.his]
    for worker in workers if who_ends_first == "ana" else reversed(workers):
        bench.end(worker)
    luis = bench.third.join("luis")
    assert_delivered(bench.send_again())
    assert bench.third.kinds(luis) == ["DirectMessage"]


@pytest.mark.parametrize("receipts", [False, True])
def test_a_receiver_that_is_taken_over_meanwhile_gets_the_message_in_its_new_session(
    bench, receipts
):
    token = bench.luis.session.token
    luis = bench.third.join("luis", token=token, receipts=receipts)
    bench.his.read_mail()  # the message, and that the session has been replaced
    bench.hers.read_mail()  # that it was not delivered
    bench.third.read_mail()
    [message] = [m for m in bench.third.heard(luis) if isinstance(m, DirectMessage)]
    if receipts:
        assert message.receipt == 1
        assert bench.ana.hold is not Hold.DELIVERY
        bench.third.receive(luis, Received(receipt=1))
    bench.hers.read_mail()
    answers = [m for m in bench.hers.heard(bench.ana) if isinstance(m, Ok)]
    assert answers == [Ok(id=1, time=message.time)]
    assert bench.ana.hold is not Hold.DELIVERY
    bench.lose_ana()
    assert bench.send_again()[-1] == answers[0]


def test_a_message_that_is_passed_on_keeps_holding_its_sender(bench):
    token = bench.luis.session.token
    bench.hers.receive(bench.ana, Ping(id=2))
    bench.third.join("luis", token=token)
    bench.his.read_mail()  # the message, and that the session has been replaced
    bench.hers.heard(bench.ana)
    bench.hers.read_mail()  # that it was not delivered
    assert bench.ana.hold is Hold.DELIVERY
    assert bench.hers.heard(bench.ana) == []
    bench.third.read_mail()
    bench.hers.read_mail()
    assert [type(m) for m in bench.hers.heard(bench.ana)] == [Ok]
    assert bench.ana.hold is not Hold.DELIVERY


def test_a_receiver_with_too_much_before_it_is_busy_though_its_socket_takes_more():
    bench = WorkerBench(private_bytes=1_000)
    ana, luis = bench.join("ana"), bench.join("luis")
    luis.out += b"\n" * 500
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    bench.receive(ana, Direct(id=2, to="luis", text="hola"))
    assert [getattr(m, "code", "ok") for m in bench.heard(ana)] == ["ok", "busy"]
    bench.receive(ana, Direct(id=3, to="luis", text="hola"))
    assert bench.kinds(ana) == ["Ok"]
    bench.close()


def test_the_sender_of_a_message_without_an_id_is_told_that_its_receiver_is_busy():
    bench = WorkerBench(private_bytes=1_000)
    ana, luis = bench.join("ana"), bench.join("luis")
    luis.out += b"\n" * 501
    bench.receive(ana, Direct(to="luis", text="hola"))
    assert [getattr(answer, "code", "ok") for answer in bench.heard(ana)] == ["busy"]
    bench.close()


def test_only_a_message_with_an_id_makes_its_sender_wait_for_the_receiver():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(to="luis", text="one"))
    assert ana.confirmations_due == 0
    bench.receive(ana, Direct(id=1, to="luis", text="two"))
    assert ana.confirmations_due == 1
    bench.flush()
    bench.receive(luis, Received(receipt=2))
    bench.read_mail()
    assert [type(m) for m in bench.heard(ana)] == [Ok]
    assert ana.confirmations_due == 0
    bench.close()


def test_what_waits_for_a_receiver_that_takes_nothing_is_sent_when_it_takes_more():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.fill(luis)
    waiting = len(luis.out)
    bench.receive(ana, Direct(id=1, to="luis", text="hola"))
    bench.flush()
    assert len(luis.out) == waiting, "the queue has a bound of its own"
    bench.empty(luis)
    assert bench.kinds(luis) == ["DirectMessage"]
    bench.close()


@pytest.mark.parametrize("receipts", [True, False])
def test_who_takes_a_session_over_gets_what_that_has_not_confirmed(receipts):
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, DIRECT)
    [message] = bench.heard(luis)
    assert isinstance(message, DirectMessage)
    assert luis.session is not None
    successor = bench.connect()
    bench.receive(successor, Register(name="luis", token=luis.session.token, receipts=receipts))
    welcome, again, *_ = bench.heard(successor)
    assert (type(welcome), again) == (Welcome, message), "nothing comes before the welcome"
    bench.read_mail()
    answered = [m for m in bench.heard(ana) if isinstance(m, Ok)]
    assert len(answered) == (0 if receipts else 1)
    bench.close()


def test_a_sender_waits_until_all_its_messages_are_confirmed():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=1, to="luis", text="one"), Direct(id=2, to="luis", text="two"))
    bench.flush()
    for receipt, left in ((1, 1), (2, 0)):
        bench.receive(luis, Received(receipt=receipt))
        bench.read_mail()
        assert [type(m) for m in bench.heard(ana)] == [Ok]
        assert ana.confirmations_due == left
    bench.close()


def test_messages_that_do_not_arrive_count_as_refused_requests():
    bench = WorkerBench()
    far = WorkerBench(beside=bench)
    ana, luis = bench.join("ana"), far.join("luis")
    bench.receive(ana, DIRECT)
    far.connections.close(luis, CloseReason.LOST)
    far.read_mail()
    bench.read_mail()
    assert bench.observer.refused_requests == {"user_not_connected": 1}
    luis = bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=2, to="luis", text="hola"))
    bench.connections.close(luis, CloseReason.LOST)
    bench.read_mail()
    assert bench.observer.refused_requests == {"user_not_connected": 1, "undelivered": 1}
    bench.close()
    far.close()


def test_without_an_id_a_message_with_a_nonce_is_delivered_once():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis")
    bench.heard(luis)
    bench.receive(ana, *[Direct(to="luis", text="hola", nonce="n")] * 2)
    assert bench.kinds(luis) == ["DirectMessage"]
    bench.receive(ana, Direct(id=3, to="luis", text="hola", nonce="n"))
    assert [type(answer) for answer in bench.heard(ana)] == [Ok]
    assert bench.heard(luis) == []
    bench.close()


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_message_sent_again_before_it_is_confirmed_is_answered_with_the_first(comes_back):
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, DIRECT)
    [message] = [m for m in bench.heard(luis) if isinstance(m, DirectMessage)]
    if comes_back:
        bench.connections.close(ana, CloseReason.LOST)
        ana = bench.join("ana")
    bench.receive(ana, Direct(id=2, to="luis", text="hola", nonce="n"))
    assert ana.confirmations_due == (1 if comes_back else 2)
    assert "DirectMessage" not in bench.kinds(luis), "it has been sent once"
    bench.receive(luis, Received(receipt=1))
    bench.read_mail()
    answers = [m for m in bench.heard(ana) if isinstance(m, Ok)]
    assert answers == [Ok(id=n, time=message.time) for n in ([2] if comes_back else [1, 2])]
    assert ana.confirmations_due == 0
    bench.close()


def test_a_sender_that_leaves_waits_for_the_answer_to_the_message_it_has_sent_again():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, DIRECT)
    bench.receive(ana, Direct(id=2, to="luis", text="hola", nonce="n"), Quit())
    bench.flush()
    assert ana.state is State.FINISHING
    bench.receive(luis, Received(receipt=1))
    bench.read_mail()
    assert [m.id for m in bench.heard(ana) if isinstance(m, Ok)] == [1, 2]
    assert ana.state is State.DRAINING
    bench.close()


def test_a_message_sent_again_without_an_id_makes_its_sender_wait_for_nothing():
    bench = WorkerBench()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    for _ in range(2):
        bench.receive(ana, Direct(to="luis", text="hola", nonce="n"))
    assert ana.confirmations_due == 0
    assert bench.kinds(luis) == ["DirectMessage"]
    bench.receive(luis, Received(receipt=1))
    bench.read_mail()
    assert bench.kinds(ana) == []
    bench.close()
