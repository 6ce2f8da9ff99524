"""One request after the other, and what becomes of them when answers or connections are lost."""

import pytest
from msgspec import UNSET

from tertulia.chat.jobs import ANSWER_WITHIN_S, Job, Jobs, Origin
from tertulia.client.errors import MAX_RETRY_AFTER_S, RETRY_AFTER_S
from tertulia.protocol.messages import (
    Direct,
    Error,
    GetHistory,
    ListUsers,
    Ok,
    Request,
    Say,
    SetStatus,
)

NOW = 1_000.0


def begin(jobs: Jobs, request_id: int, now: float = NOW) -> Request:
    """Send what is next."""
    job = jobs.pop_ready(now)
    assert job is not None
    jobs.start(job, request_id, now)
    return job.request


def rate_limited(request_id: int, retry_after: float | None) -> Error:
    wait = UNSET if retry_after is None else retry_after
    return Error(id=request_id, code="rate_limited", message="slow down", retry_after=wait)


def test_the_next_has_its_turn_once_the_one_before_is_answered() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    jobs.add(SetStatus(status="OCUPADO"), Origin.TYPED)
    assert begin(jobs, 1) == ListUsers()
    assert jobs.pop_ready(NOW) is None
    assert len(jobs) == 1
    assert jobs.finish(Ok(id=1), NOW) == Job(ListUsers(), Origin.TYPED)
    assert begin(jobs, 2) == SetStatus(status="OCUPADO")
    assert not jobs.idle
    jobs.finish(Ok(id=2), NOW)
    assert jobs.idle
    assert jobs.wake_at is None


def test_what_only_the_program_needs_can_go_first() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    jobs.add(GetHistory(), Origin.CATCH_UP, place=0)
    assert jobs.has(Origin.CATCH_UP)
    assert begin(jobs, 1) == GetHistory()
    assert jobs.has(Origin.CATCH_UP)  # under way, too
    assert not jobs.has(Origin.REFRESH)
    jobs.finish(Ok(id=1), NOW)
    assert not jobs.has(Origin.CATCH_UP)


def test_what_takes_long_goes_in_turns_with_what_was_typed() -> None:
    jobs = Jobs()
    for text in ("one", "two"):
        jobs.add(Say(text=text, nonce=text), Origin.TYPED)
    jobs.add(GetHistory(after=1), Origin.CATCH_UP, place=1)
    assert begin(jobs, 1) == Say(text="one", nonce="one")
    jobs.finish(Ok(id=1), NOW)
    assert begin(jobs, 2) == GetHistory(after=1)
    jobs.add(GetHistory(after=2), Origin.CATCH_UP, place=1)
    jobs.finish(Ok(id=2), NOW)
    assert begin(jobs, 3) == Say(text="two", nonce="two")


def test_what_is_said_gets_a_nonce_of_its_own_and_keeps_one_that_it_has() -> None:
    jobs = Jobs()
    for request in (Say(text="a"), Say(text="a"), Say(text="a", nonce="n")):
        jobs.add(request, Origin.TYPED)
    nonces = []
    for request_id in range(3):
        said = begin(jobs, request_id)
        assert isinstance(said, Say)
        nonces.append(said.nonce)
        jobs.finish(Ok(id=request_id), NOW)
    assert nonces[2] == "n"
    assert UNSET not in nonces
    assert len(set(nonces)) == 3


def test_an_answer_to_something_else_is_not_taken() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    assert jobs.finish(Ok(id=1), NOW) is None
    begin(jobs, 2)
    assert jobs.finish(Ok(id=1), NOW) is None
    assert jobs.finish(Ok(), NOW) is None
    assert not jobs.idle
    assert jobs.finish(Ok(id=2), NOW) is not None


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [(0.25, 0.25), (None, RETRY_AFTER_S), (1e300, MAX_RETRY_AFTER_S), (-5.0, 0.0)],
)
def test_what_came_too_fast_waits_and_is_the_next_with_the_same_nonce(
    retry_after: float | None, wait_s: float
) -> None:
    jobs = Jobs()
    jobs.add(Say(text="one"), Origin.TYPED)
    jobs.add(Say(text="two"), Origin.TYPED)
    said = begin(jobs, 1)
    assert jobs.finish(rate_limited(1, retry_after), NOW) is None
    assert jobs.wake_at == NOW + wait_s
    assert jobs.pop_ready(NOW + wait_s - 0.01) is None or not wait_s
    assert begin(jobs, 2, NOW + wait_s) == said


def test_a_request_without_an_answer_is_given_up_in_the_end() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    jobs.add(ListUsers(), Origin.REFRESH)
    begin(jobs, 1)
    assert jobs.wake_at == NOW + ANSWER_WITHIN_S
    assert jobs.give_up_late(NOW + ANSWER_WITHIN_S - 0.01) is None
    assert jobs.give_up_late(NOW + ANSWER_WITHIN_S) == Job(ListUsers(), Origin.TYPED)
    assert jobs.give_up_late(NOW + ANSWER_WITHIN_S) is None
    begin(jobs, 2, NOW + ANSWER_WITHIN_S)
    assert jobs.finish(Ok(id=1), NOW) is None  # too late


def test_what_was_said_when_the_connection_was_lost_is_the_next_with_the_same_nonce() -> None:
    jobs = Jobs()
    jobs.add(Say(text="one"), Origin.TYPED)
    jobs.add(Say(text="two"), Origin.TYPED)
    said = begin(jobs, 7)
    assert jobs.interrupt() is None
    assert jobs.finish(Ok(id=7), NOW) is None  # the next connection counts from 1
    assert begin(jobs, 1) == said


def test_a_direct_message_under_way_is_given_back_and_one_that_waits_is_kept() -> None:
    jobs = Jobs()
    first, second = Direct(to="luis", text="one"), Direct(to="luis", text="two")
    jobs.add(first, Origin.TYPED)
    jobs.add(second, Origin.TYPED)
    begin(jobs, 1)
    assert jobs.interrupt() == first
    assert begin(jobs, 1) == second


@pytest.mark.parametrize(
    ("origin", "again"),
    [(Origin.TYPED, True), (Origin.GREETING, True), (Origin.REFRESH, False),
     (Origin.CATCH_UP, False)],
)  # fmt: skip
def test_what_the_new_connection_makes_needless_is_not_asked_again(
    origin: Origin, again: bool
) -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), origin)
    begin(jobs, 1)
    assert jobs.interrupt() is None
    assert jobs.has(origin) is again


def test_a_new_connection_has_not_to_wait_for_what_the_old_one_was_told() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    begin(jobs, 1)
    jobs.finish(rate_limited(1, 1_000.0), NOW)
    jobs.interrupt()
    assert jobs.pop_ready(NOW) is not None


def test_a_lost_connection_with_nothing_under_way_changes_nothing() -> None:
    jobs = Jobs()
    assert jobs.interrupt() is None
    assert jobs.idle
