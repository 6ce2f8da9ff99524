"""When a bell rings for messages that come one after the other."""

from tertulia.chat.bursts import QUIET_S, REMIND_EVERY_S, Bursts


def test_a_burst_rings_once_and_the_next_one_again() -> None:
    bursts = Bursts()
    assert [bursts.begins(100.0 + n / 100) for n in range(300)] == [True] + [False] * 299
    assert not bursts.begins(102.99 + QUIET_S / 2)
    assert bursts.begins(102.99 + QUIET_S * 1.5)


def test_a_burst_that_does_not_end_rings_now_and_then() -> None:
    bursts = Bursts()
    rang = [now for now in range(180) if bursts.begins(float(now))]
    assert rang == [0, REMIND_EVERY_S, 2 * REMIND_EVERY_S]
