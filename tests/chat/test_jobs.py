"""One request after the other, and what becomes of them when answers or connections are lost."""

import pytest
from msgspec import UNSET

from tertulia.chat.jobs import (
    ANSWER_WITHIN_S,
    CONFIRMED_WITHIN_S,
    MAX_SET_ASIDE,
    SAID_WITHIN_S,
    Job,
    Jobs,
    Origin,
)
from tertulia.client.errors import MAX_RETRY_AFTER_S, RETRY_AFTER_S
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    Error,
    GetHistory,
    ListUsers,
    Ok,
    Quit,
    Request,
    Say,
    SetStatus,
)
from tertulia.protocol.moderation import BecomeOperator

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
    [(0.25, 0.275), (None, 1.1 * RETRY_AFTER_S), (1e300, 1.1 * MAX_RETRY_AFTER_S), (-5.0, 0.0)],
)
def test_what_came_too_fast_waits_and_is_the_next_with_the_same_nonce(
    retry_after: float | None, wait_s: float
) -> None:
    jobs = Jobs()
    jobs.add(Say(text="one"), Origin.TYPED)
    jobs.add(Say(text="two"), Origin.TYPED)
    said = begin(jobs, 1)
    assert jobs.finish(rate_limited(1, retry_after), NOW) is None
    assert jobs.wake_at == pytest.approx(NOW + wait_s)
    assert jobs.pop_ready(NOW + wait_s - 0.01) is None or not wait_s
    assert begin(jobs, 2, NOW + wait_s + 1e-6) == said


def test_a_refused_secret_is_not_sent_again_because_it_may_be_mistyped() -> None:
    jobs = Jobs()
    jobs.add(BecomeOperator(secret="open sesame"), Origin.TYPED)
    begin(jobs, 1)
    job = jobs.finish(rate_limited(1, 2.0), NOW)
    assert job == Job(BecomeOperator(secret="open sesame"), Origin.TYPED)
    assert jobs.idle


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
    jobs.interrupt()
    assert jobs.finish(Ok(id=7), NOW) is None  # the next connection counts from 1
    assert begin(jobs, 1) == said


def test_direct_messages_that_were_not_confirmed_are_the_next_in_their_order() -> None:
    jobs = Jobs()
    texts = ["one", "two", "three"]
    for text in texts:
        jobs.add(Direct(to="luis", text=text), Origin.TYPED)
    now = NOW
    for request_id in (1, 2):
        begin(jobs, request_id, now)
        now += CONFIRMED_WITHIN_S
        assert jobs.set_aside(now) is not None
    begin(jobs, 3, now)
    jobs.interrupt()
    assert jobs.unsent == []
    assert [request.text for request in jobs.unanswered] == texts
    for request_id, text in enumerate(texts):
        job = jobs.pop_ready(now)
        assert job is not None
        assert job.is_repeated
        assert isinstance(job.request, Direct)
        assert job.request.text == text
        jobs.start(job, request_id, now)
        assert jobs.finish(Ok(id=request_id), now) == job


def test_a_direct_message_whose_confirmation_takes_long_does_not_hold_up_the_others() -> None:
    jobs = Jobs()
    direct = Direct(to="luis", text="hola", nonce="n")
    jobs.add(direct, Origin.TYPED)
    jobs.add(ListUsers(), Origin.TYPED)
    begin(jobs, 1)
    assert jobs.wake_at == NOW + CONFIRMED_WITHIN_S
    assert jobs.set_aside(NOW + CONFIRMED_WITHIN_S - 0.01) is None
    later = NOW + CONFIRMED_WITHIN_S
    assert jobs.set_aside(later) == direct
    assert jobs.unanswered == [direct]
    assert begin(jobs, 2, later) == ListUsers()
    assert jobs.set_aside(later + 100) is None  # only direct messages are set aside
    assert jobs.finish(Ok(id=2), later) is not None
    assert jobs.idle
    assert jobs.give_up_late(later + 2 * ANSWER_WITHIN_S) is None  # however long it takes
    assert jobs.finish(Ok(id=1), later) == Job(direct, Origin.TYPED)
    assert jobs.unanswered == []


def test_a_message_to_everyone_that_takes_long_is_told_once_and_stays_the_one_under_way() -> None:
    jobs = Jobs()
    jobs.add(Say(text="hola"), Origin.TYPED)
    jobs.add(ListUsers(), Origin.TYPED)
    said = begin(jobs, 1)
    assert jobs.wake_at == NOW + SAID_WITHIN_S
    assert jobs.pop_slow(NOW + SAID_WITHIN_S - 0.01) is None
    assert jobs.pop_slow(NOW + SAID_WITHIN_S) == said
    assert jobs.pop_slow(NOW + 2 * SAID_WITHIN_S) is None
    assert jobs.wake_at == NOW + ANSWER_WITHIN_S
    assert jobs.pop_ready(NOW + SAID_WITHIN_S) is None
    assert jobs.finish(Ok(id=1), NOW + SAID_WITHIN_S) is not None
    assert begin(jobs, 2, NOW + SAID_WITHIN_S) == ListUsers()
    assert jobs.pop_slow(NOW + ANSWER_WITHIN_S) is None  # of no other request


def test_of_a_message_that_has_come_back_nobody_is_told_that_it_is_on_its_way() -> None:
    jobs = Jobs()
    jobs.add(Say(text="hola", nonce="n"), Origin.TYPED)
    begin(jobs, 1)
    jobs.note_shown(ChatMessage(seq=1, time="t", sender="luis", text="hola"))
    assert jobs.wake_at == NOW + SAID_WITHIN_S
    jobs.note_shown(ChatMessage(seq=2, time="t", sender="ana", text="hola", nonce="n"))
    assert jobs.wake_at == NOW + ANSWER_WITHIN_S
    assert jobs.pop_slow(NOW + SAID_WITHIN_S) is None


def test_only_so_many_direct_messages_are_set_aside() -> None:
    jobs = Jobs()
    now = NOW
    for number in range(MAX_SET_ASIDE + 1):
        jobs.add(Direct(to=f"u{number}", text="hola"), Origin.TYPED)
    for number in range(MAX_SET_ASIDE):
        begin(jobs, number, now)
        now += CONFIRMED_WITHIN_S
        assert jobs.set_aside(now) is not None
    begin(jobs, MAX_SET_ASIDE, now)
    assert jobs.set_aside(now + CONFIRMED_WITHIN_S) is None
    assert jobs.wake_at == now + ANSWER_WITHIN_S


def test_a_busy_receiver_holds_up_only_the_messages_to_it_and_leaving() -> None:
    jobs = Jobs()
    first, second = (Direct(to="luis", text=text, nonce=text) for text in ("one", "two"))
    for request in (first, second, ListUsers(), Quit()):
        jobs.add(request, Origin.TYPED)
    begin(jobs, 1)
    busy = Error(id=1, code="busy", message="", name="luis", retry_after=2.0)
    assert jobs.finish(busy, NOW) is None
    assert begin(jobs, 2) == ListUsers()
    jobs.finish(Ok(id=2), NOW)
    assert jobs.pop_ready(NOW + 1.9) is None
    assert jobs.wake_at == NOW + 2.0
    assert begin(jobs, 3, NOW + 2.0) == first
    jobs.finish(Ok(id=3), NOW + 2.0)
    assert begin(jobs, 4, NOW + 2.0) == second
    jobs.finish(Ok(id=4), NOW + 2.0)
    assert begin(jobs, 5, NOW + 2.0) == Quit()


def test_on_a_new_connection_nobody_is_busy_any_more() -> None:
    jobs = Jobs()
    jobs.add(Direct(to="luis", text="one", nonce="one"), Origin.TYPED)
    begin(jobs, 1)
    jobs.finish(Error(id=1, code="busy", message="", name="luis", retry_after=9.0), NOW)
    jobs.interrupt()
    assert jobs.wake_at is not None
    assert jobs.wake_at <= NOW
    assert jobs.pop_ready(NOW) is not None


def test_what_was_sent_on_a_lost_connection_is_not_taken_back() -> None:
    jobs = Jobs()
    sent, waiting = Say(text="sent", nonce="1"), Say(text="waiting", nonce="2")
    jobs.add(sent, Origin.TYPED)
    begin(jobs, 1)
    jobs.add(waiting, Origin.TYPED)
    jobs.interrupt()
    assert jobs.take_back() == [waiting]
    assert begin(jobs, 2) == sent


def test_with_too_many_unconfirmed_messages_it_is_not_idle() -> None:
    jobs = Jobs()
    for number in range(MAX_SET_ASIDE):
        assert jobs.idle
        jobs.add(Direct(to="luis", text="hola"), Origin.TYPED)
        begin(jobs, number)
        assert jobs.set_aside(NOW + CONFIRMED_WITHIN_S) is not None
    assert not jobs.idle
    jobs.finish(Ok(id=0), NOW)
    assert jobs.idle


def test_an_answer_that_makes_no_sense_is_handed_on() -> None:
    jobs = Jobs()
    jobs.add(ListUsers(), Origin.TYPED)
    begin(jobs, 1)
    assert jobs.finish(Error(id=1, code="busy", message=""), NOW) is not None


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
    jobs.interrupt()
    assert jobs.has(origin) is again


def test_the_pace_is_kept_over_connections_because_the_server_remembers() -> None:
    jobs = Jobs()
    for text in ("one", "two"):
        jobs.add(Say(text=text), Origin.TYPED)
    begin(jobs, 1)
    jobs.finish(rate_limited(1, 0.1), NOW)
    jobs.interrupt()
    assert jobs.pop_ready(NOW) is None
    now = NOW + 0.111
    begin(jobs, 1, now)
    jobs.finish(Ok(id=1, seq=1), now)
    assert jobs.pop_ready(now) is None
    assert begin(jobs, 2, now + 0.111)


def test_a_lost_connection_with_nothing_under_way_changes_nothing() -> None:
    jobs = Jobs()
    jobs.interrupt()
    assert jobs.idle


def test_a_receiver_who_takes_a_message_is_busy_no_longer() -> None:
    jobs = Jobs()
    for text in ("one", "two"):
        jobs.add(Direct(to="luis", text=text), Origin.TYPED)
    begin(jobs, 1)
    later = NOW + CONFIRMED_WITHIN_S
    jobs.set_aside(later)
    begin(jobs, 2, later)
    assert jobs.finish(Error(id=2, code="busy", message="", retry_after=60.0), later) is None
    assert jobs.pop_ready(later) is None
    assert jobs.finish(Ok(id=1), later) is not None
    job = jobs.pop_ready(later)
    assert job is not None
    assert isinstance(job.request, Direct)
    assert job.request.text == "two"
