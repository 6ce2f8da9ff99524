"""Challenges: a session in a newcomer's way shows that it is alive, or makes room."""

from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeHistory, WorkerBench

from tertulia.protocol.messages import CloseReason, ErrorCode, Ping, Pong, Quit, Register, Say
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.mail import Challenge, ChallengeOver
from tertulia.server.workers.poller import READABLE


class Bench(WorkerBench):
    """A session, and a newcomer from its address who wants its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ana = self.join("ana")
        self.newcomer = self.connect()

    def challenge(self, number: int | None = None, newcomer: Connection | None = None) -> None:
        assert self.ana.session is not None
        number = number or self.ana.session.route.number
        mail = Challenge(number, newcomer or self.newcomer, self.mailbox)
        self.dispatcher.read_mail(mail)

    def is_over(self) -> bool:
        return self.mailbox.collect() == [ChallengeOver(self.newcomer)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- the session in the way ----------------------------------------------------------------------


def test_it_is_pinged_and_has_three_seconds(bench):
    bench.challenge()
    assert bench.heard(bench.ana) == [Ping()]
    assert bench.ana.challenge_until == bench.clock.s + 3.0
    assert not bench.is_over()


def test_any_byte_shows_that_it_is_alive(bench):
    bench.challenge()
    bench.pass_time(2.9)
    bench.receive(bench.ana, Pong())
    assert bench.is_over()
    bench.pass_time(20.0)
    bench.dispatcher.check_deadlines()
    assert bench.ana.state is State.REGISTERED


def test_silence_ends_it(bench):
    bench.challenge()
    bench.pass_time(3.0)
    bench.dispatcher.check_deadlines()
    assert bench.ana.state is State.CLOSED
    assert bench.observer.left == {CloseReason.TIMEOUT: 1}
    assert bench.is_over()


def test_several_newcomers_challenge_it_once_and_all_are_told(bench):
    other = bench.connect()
    bench.challenge()
    bench.pass_time(1.0)
    bench.challenge(newcomer=other)
    assert bench.kinds(bench.ana) == ["Ping"]
    assert bench.ana.challenge_until == bench.clock.s + 2.0
    bench.receive(bench.ana, Pong())
    assert bench.mailbox.collect() == [ChallengeOver(bench.newcomer), ChallengeOver(other)]


def test_a_session_that_is_taken_over_meanwhile_is_no_longer_waited_for(bench):
    token = bench.ana.session.token
    bench.challenge()
    bench.receive(bench.connect("10.0.0.2"), Register(name="ana", token=token))
    bench.read_mail()
    assert bench.ana.state is State.CLOSED
    assert bench.is_over()


def test_it_can_be_challenged_again(bench):
    for _ in range(2):
        bench.challenge()
        assert bench.heard(bench.ana) == [Ping()]
        bench.receive(bench.ana, Pong())
        assert bench.is_over()


@pytest.mark.parametrize("hold", [Hold.DELIVERY, Hold.SPACE, Hold.CHALLENGE])
def test_a_held_session_counts_as_alive_at_once_since_nobody_reads_it(bench, hold):
    bench.ana.hold_for(hold)
    bench.challenge()
    assert bench.is_over()
    assert bench.heard(bench.ana) == []
    assert bench.ana.challenge_until == float("inf")


def test_a_session_that_does_not_take_its_answers_is_challenged_all_the_same(bench):
    bench.ana.hold_for(Hold.BACKLOG)
    bench.challenge()
    assert not bench.is_over()
    bench.pass_time(3.0)
    bench.dispatcher.check_deadlines()
    assert bench.ana.state is State.CLOSED
    assert bench.is_over()


def test_a_challenged_session_that_comes_to_be_held_for_others_is_not_silent():
    bench = Bench(history=FakeHistory())
    bench.shared.history.has_space = False
    bench.input._backlog_bytes = 0
    bench.fill(bench.ana)
    bench.receive(bench.ana, Say(text="hola"))
    assert bench.ana.hold is Hold.BACKLOG
    bench.challenge()
    bench.empty(bench.ana)
    bench.flush()
    assert bench.ana.hold is Hold.SPACE, "its client answers, and nobody reads that"
    bench.pass_time(3.0)
    bench.dispatcher.check_deadlines()
    assert bench.ana.state is State.REGISTERED
    assert bench.is_over(), "as for one that was held before"
    assert bench.ana.challenge_until == float("inf")
    bench.close()


@pytest.mark.parametrize("how", ["never was", "closed", "finishing"])
def test_a_session_that_has_ended_is_not_waited_for(bench, how):
    number = bench.ana.session.route.number
    match how:
        case "never was":
            number = 10**9
        case "closed":
            bench.connections.close(bench.ana, CloseReason.LOST)
        case _:
            bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.challenge(number)
    assert bench.is_over()


# --- the newcomer --------------------------------------------------------------------------------


def test_the_newcomer_is_refused_if_the_session_is_alive(bench):
    bench.receive(bench.newcomer, Register(id=1, name="ana"))
    bench.read_mail()
    bench.receive(bench.ana, Pong())
    bench.read_mail()
    [error] = bench.heard(bench.newcomer)
    assert (error.id, error.code) == (1, ErrorCode.NAME_TAKEN)
    assert bench.newcomer.state is State.DRAINING


def test_the_newcomer_enters_if_the_session_is_not_and_its_requests_follow(bench):
    bench.receive(bench.newcomer, Register(id=1, name="ana"), Ping(id=2))
    assert bench.newcomer.hold is Hold.CHALLENGE
    bench.poller.update(bench.newcomer)
    bench.read_mail()
    bench.pass_time(3.0)
    bench.dispatcher.check_deadlines()
    bench.read_mail()
    assert bench.kinds(bench.newcomer) == ["Welcome", "Pong", "Joined"]
    assert bench.newcomer.hold is NOT_HELD
    assert bench.watched(bench.newcomer) == READABLE


def test_a_newcomer_that_is_gone_does_not_register(bench):
    bench.receive(bench.newcomer, Register(id=1, name="ana"))
    bench.connections.close(bench.newcomer, CloseReason.LOST)
    bench.receive(bench.ana, Quit())
    bench.read_mail()
    bench.read_mail()
    assert bench.observer.joined == 1
    assert bench.observer.faults == 0


def test_a_newcomer_that_was_told_goodbye_does_not_register(bench):
    bench.receive(bench.newcomer, Register(id=1, name="ana"))
    bench.connections.finish(bench.newcomer, CloseReason.SHUTDOWN, None, bench.clock.s)
    bench.connections.close(bench.ana, CloseReason.LOST)
    bench.read_mail()
    assert bench.newcomer.state is State.FINISHING


def test_a_fault_in_challenging_costs_the_challenged_and_lets_the_newcomer_in(bench, monkeypatch):
    monkeypatch.setattr(bench.output, "send", lambda *_: 1 / 0)
    bench.challenge()
    assert bench.ana.state is State.CLOSED
    assert bench.is_over()
    assert bench.observer.faults == 1


def test_a_fault_in_registering_after_a_challenge_costs_the_newcomer(bench, monkeypatch):
    bench.receive(bench.newcomer, Register(id=1, name="ana"))
    bench.mailbox.collect()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.handler, "register", fail)
    bench.dispatcher.read_mail(ChallengeOver(bench.newcomer))
    assert bench.newcomer.state is State.CLOSED
    assert bench.ana.state is State.REGISTERED
    assert bench.observer.faults == 1
