"""Pauses that grow from death to death, and the end after ten within a minute."""

from tertulia.server.supervision.deaths import MAX_DEATHS, WINDOW_S, Deaths


def test_a_lone_death_is_followed_by_a_start_at_once() -> None:
    deaths = Deaths()
    assert [deaths.add(hour * 3600.0) for hour in range(100)] == [0.0] * 100


def test_the_pauses_grow_and_the_tenth_death_within_a_minute_is_the_end() -> None:
    deaths, now = Deaths(), 100.0
    pauses = []
    while (pause := deaths.add(now)) is not None:
        pauses.append(pause)
        now += pause + 0.3  # the time that a start takes
    assert len(pauses) == MAX_DEATHS - 1
    assert pauses == sorted(pauses)
    assert pauses[0] == 0 < pauses[-1]
    assert now - 100.0 < WINDOW_S, "a server that dies at every start is given up"


def test_deaths_that_are_a_minute_ago_are_forgotten() -> None:
    deaths = Deaths()
    for number in range(MAX_DEATHS - 1):
        assert deaths.add(number * 0.1) is not None
    assert deaths.add(WINDOW_S + 0.75) is not None, "the first eight are forgotten"
    assert deaths.add(WINDOW_S + 0.80) is not None


def test_a_death_is_forgotten_after_exactly_a_minute() -> None:
    for later_s, gives_up in [(WINDOW_S - 0.5, True), (WINDOW_S, False)]:
        deaths = Deaths()
        for _ in range(MAX_DEATHS - 1):
            assert deaths.add(100.0) is not None
        assert (deaths.add(100.0 + later_s) is None) is gives_up
