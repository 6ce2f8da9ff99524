"""The pace that a client keeps once its server has refused a request for coming too soon."""

from tertulia.client.pace import Pace


def test_without_a_refusal_there_is_nothing_to_wait_for() -> None:
    pace = Pace()
    assert [pace.take_turn(5.0) for _ in range(3)] == [5.0] * 3
    assert pace.next_at <= 5.0


def test_after_a_refusal_the_turns_are_so_far_apart_and_a_little_more() -> None:
    pace = Pace()
    pace.take_turn(0.0)
    pace.slow_down(sent_at=0.0, now=0.0, retry_after_s=0.1)
    assert pace.next_at == 0.1 * 1.1
    turns = [pace.take_turn(0.0) for _ in range(3)]
    assert [round(turn, 6) for turn in turns] == [0.11, 0.22, 0.33]
    assert pace.take_turn(100.0) == 100.0  # after a pause at once


def test_a_turn_that_was_reserved_is_not_given_again_after_a_later_refusal() -> None:
    pace = Pace()
    pace.slow_down(sent_at=0.0, now=0.0, retry_after_s=10.0)
    turns = [pace.take_turn(0.0) for _ in range(3)]
    pace.slow_down(sent_at=-1.0, now=1.0, retry_after_s=10.0)
    assert pace.take_turn(1.0) >= turns[-1] + 10.0


def test_refusals_of_requests_from_before_change_nothing() -> None:
    pace = Pace()
    for _ in range(20):  # that were all under way
        pace.slow_down(sent_at=0.0, now=1.0, retry_after_s=0.1)
    assert round(pace.next_at, 6) == 1.11


def test_a_pace_that_is_still_too_fast_becomes_slower() -> None:
    pace = Pace()
    pace.slow_down(sent_at=0.0, now=0.0, retry_after_s=0.1)
    pace.slow_down(sent_at=1.0, now=1.0, retry_after_s=0.05)
    assert pace.take_turn(2.0) == 2.0
    assert round(pace.next_at - 2.0, 6) == 0.121
