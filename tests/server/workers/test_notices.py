"""What programs post to hooks, in a worker: who may post, and when they are answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from worker_bench import FakeHistory, WorkerBench

from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.messages import UNSET, CloseReason, Error, ErrorCode, Ok
from tertulia.server.history.mail import Stored
from tertulia.server.hub.session import Route
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.door import HookPost
from tertulia.server.workers.mail import NoticeStored

BAD_BODY = Error(code=ErrorCode.MALFORMED, message="not UTF-8")


class Bench(WorkerBench):
    """A worker, and a hook whose secret is known."""

    def __init__(self, history: FakeHistory | None = None, **options: Any) -> None:
        super().__init__(history=history, **options)
        self.history = history
        console = self.hub.moderator.open_console(Route("", 0))
        done: Any = self.hub.moderator.carry_out(console, CreateHook(name="build"), self.mailbox)
        created: Any = done.answer if history is None else history.kept[-1][1].answer  # type: ignore[union-attr]
        self.secret: str = created.secret

    def post(self, text: str = "build ok", secret: str | None = None, **fields: Any) -> Connection:
        """Let a program post something, and the worker carry it out."""
        connection = self.connect("10.0.0.9")
        ready: list[Any] = connection.door.decoded
        ready.append(HookPost(self.secret if secret is None else secret, text, **fields))
        self.receive(connection, b"\n")
        return connection

    def store(self, *, ok: bool = True) -> list[Any]:
        """Let the history say what has become of the last notice; return the mail about it."""
        assert self.history is not None
        receipt = self.history.written[-1][1]
        receipt.owner.post(Stored([(receipt, ok)]))
        return self.read_mail()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def kept() -> Iterator[Bench]:
    """A server with a history."""
    bench = Bench(FakeHistory())
    yield bench
    bench.close()


def test_a_notice_is_said_and_its_program_told_so_and_finished(bench):
    reader = bench.join("ana")
    program = bench.post()
    [message] = bench.heard(reader)
    assert (message.sender, message.text) == ("build", "build ok")
    assert bench.heard(program) == [Ok(seq=message.seq)]
    assert program.state is State.DRAINING
    assert bench.observer.refused == {}


def test_a_notice_is_answered_once_it_is_stored(kept):
    program = kept.post()
    assert program.hold is Hold.NOTICE
    assert kept.heard(program) == []
    [(message, _receipt)] = kept.history.written
    assert kept.store() == [NoticeStored(program, message.seq, True)]
    assert kept.heard(program) == [Ok(seq=message.seq)]
    assert program.hold is NOT_HELD
    assert program.state is State.DRAINING


def test_a_notice_that_could_not_be_stored_is_told_of(kept):
    program = kept.post()
    seq = kept.history.written[0][0].seq
    kept.store(ok=False)
    [error] = kept.heard(program)
    assert (error.code, error.seq, error.id) == (ErrorCode.UNAVAILABLE, seq, UNSET)
    assert program.state is State.DRAINING


def test_a_program_that_is_gone_by_then_is_told_nothing(kept):
    program = kept.post()
    kept.connections.close(program, CloseReason.LOST)
    kept.store()
    kept.flush()
    assert kept.observer.faults == 0


def test_without_space_in_the_history_a_notice_is_refused_and_not_held(kept):
    kept.history.has_space = False
    program = kept.post()
    [error] = kept.heard(program)
    assert error.code == ErrorCode.BUSY
    assert program.state is State.DRAINING


@pytest.mark.parametrize("problem", [None, BAD_BODY])
def test_a_wrong_secret_is_told_before_anything_about_the_text(bench, problem):
    program = bench.post(secret="wrong", problem=problem)
    [error] = bench.heard(program)
    assert error.code == ErrorCode.NOT_FOUND
    assert bench.observer.refused == {}, "strangers could fill the log with that"
    assert bench.observer.refused_requests == {ErrorCode.NOT_FOUND: 1}


def test_a_wrong_hook_is_logged_and_a_known_one_is_not(bench, caplog):
    bench.post(problem=BAD_BODY)
    assert caplog.messages == []
    bench.post(secret="wrong")
    assert caplog.messages == ["wrong hook address=10.0.0.9 not_logged=0"]


def test_a_body_that_is_no_text_is_refused_to_who_knows_the_secret(bench):
    program = bench.post(problem=BAD_BODY)
    assert bench.heard(program) == [BAD_BODY]
    assert program.state is State.DRAINING


def test_through_one_hook_come_only_so_many_notices_at_once():
    bench = Bench(rate_limit_per_s=10.0)
    for _ in range(20):
        [answer] = bench.heard(bench.post())
        assert isinstance(answer, Ok)
    [refusal] = bench.heard(bench.post())
    assert refusal.code == ErrorCode.RATE_LIMITED
    assert bench.observer.rate_limited == {"hooks": 1}
    bench.pass_time(1.0)
    [answer] = bench.heard(bench.post())
    assert isinstance(answer, Ok)
    bench.close()


def test_of_wrong_secrets_only_so_many_are_looked_at_and_then_not_even_the_right_one(bench):
    for _ in range(5):
        bench.post(secret="wrong")
    [refusal] = bench.heard(bench.post())
    assert refusal.code == ErrorCode.RATE_LIMITED
    assert bench.hub.events.last_seq == 0
