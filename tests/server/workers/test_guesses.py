"""Secrets that outsiders could try to guess."""

import threading

import pytest

from tertulia.protocol.messages import Register
from tertulia.server.config import Config
from tertulia.server.workers import guesses as guesses_module
from tertulia.server.workers.guesses import EntryCode, Guesses

HOME, AWAY = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def code():
    return EntryCode("Able-Baker-Cat", Guesses(Config(port=0)))


def answer(code, given, now=0.0, address=HOME):
    request = Register(id=1, name="ana") if given is None else Register(name="ana", code=given)
    refusal = code.check(request, address, now)
    return None if refusal is None else refusal.code


def test_whoever_gives_the_code_comes_in_however_it_is_typed(code):
    assert answer(code, "able baker cat") is None
    assert answer(code, "ABLE-BAKER-CAT") is None


def test_a_missing_code_is_another_matter_than_a_wrong_one(code):
    assert answer(code, None) == "code_required"
    assert answer(code, "") == "code_wrong"
    assert answer(code, "able baker cut") == "code_wrong"


def test_a_code_that_begins_with_the_right_one_is_wrong_however_long_it_is(code):
    assert answer(code, "able baker cat" + "x" * 60_000) == "code_wrong"


def test_a_half_of_a_pair_is_wrong_like_anything_else(code):
    assert answer(code, "\ud800") == "code_wrong"


def test_after_five_wrong_codes_not_even_the_right_one_is_looked_at(code):
    assert [answer(code, "no", now) for now in range(5)] == ["code_wrong"] * 5
    assert answer(code, "able baker cat", 5) == "rate_limited"
    assert answer(code, None, 5) == "rate_limited"
    assert answer(code, "able baker cat", 5, AWAY) is None


def test_the_refusal_says_when_the_address_may_try_again_and_is_right(code):
    for now in range(5):
        answer(code, "no", now)
    refusal = code.check(Register(id=7, name="ana", code="able baker cat"), HOME, 10.0)
    assert (refusal.id, refusal.retry_after) == (7, 290.0)
    assert answer(code, "able baker cat", 299.9) == "rate_limited"
    assert answer(code, "able baker cat", 300.0) is None


def test_of_five_wrong_codes_in_a_while_each_counts_for_five_minutes(code):
    for now in (0, 100, 200, 290, 295):
        answer(code, "no", now)
    assert answer(code, "no", 300) == "code_wrong"  # the first one is forgotten
    assert answer(code, "able baker cat", 301) == "rate_limited"
    assert answer(code, "able baker cat", 400) is None


def test_missing_and_right_codes_count_as_no_guess(code):
    for _ in range(20):
        assert answer(code, None) == "code_required"
        assert answer(code, "able baker cat") is None


def test_of_many_guesses_at_one_instant_five_are_looked_at(code):
    start = threading.Barrier(20)
    answers = []

    def guess():
        start.wait(30)
        answers.append(answer(code, "no"))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["code_wrong"] * 5 + ["rate_limited"] * 15


def test_addresses_whose_time_is_over_take_no_memory(monkeypatch):
    guesses = Guesses(Config(port=0))
    for number in range(100):
        guesses.judge(f"10.0.1.{number}", lambda: False, 0.0)
    guesses.judge(HOME, lambda: False, 301.0)
    assert len(guesses._wrong_at) == 1


def test_the_number_of_addresses_that_are_counted_is_bounded(monkeypatch):
    monkeypatch.setattr("tertulia.server.workers.guesses._MAX_ADDRESSES", 3)
    guesses = Guesses(Config(port=0))
    for number in range(10):
        guesses.judge(f"10.0.1.{number}", lambda: False, 0.0)
    assert list(guesses._wrong_at) == ["10.0.1.7", "10.0.1.8", "10.0.1.9"]


def test_a_right_guess_does_not_take_back_the_wrong_ones(code):
    for now in range(4):
        answer(code, "no", now)
    assert answer(code, "able baker cat", 4) is None
    assert answer(code, "no", 5) == "code_wrong"
    assert answer(code, "able baker cat", 6) == "rate_limited"


def test_with_too_many_addresses_the_one_whose_last_guess_is_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(guesses_module, "_MAX_ADDRESSES", 2)
    guesses = Guesses(Config(port=0, max_wrong_guesses=2))
    for now, address in enumerate(("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3")):
        assert guesses.judge(address, lambda: False, float(now)) is False
    assert guesses.judge("10.0.0.1", lambda: True, 4.0) is not True
    assert guesses.judge("10.0.0.2", lambda: True, 4.0) is True
