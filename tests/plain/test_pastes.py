"""What is a paste and what was typed, by the time between the bytes."""

import time

import pytest

from tertulia.plain.pastes import MAX_BYTES, PASTE_WITHIN_S, Arrivals, is_paste


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo",
        "one\ntwo\n",
        "\none",
        "one\n\n\ntwo",
        "\tone\n\t\n ",
        "a\n\x1b[Ab",
        "/quit\n@luis x",
    ],
)
def test_text_after_a_line_end_that_came_at_once_is_a_paste(text: str) -> None:
    assert is_paste(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one",
        "one\n",
        "\n\n\n",
        "one\n\x1b[A",
        "one\n\x1bOA\n",
        "one\n\x04",
        "a\tb",
        "one\x1b\ntwo\n",
    ],
)
def test_one_line_and_keys_are_typed(text: str) -> None:
    assert not is_paste(text)


def test_after_a_paste_a_whole_line_belongs_to_it_and_enter_alone_does_not() -> None:
    assert is_paste("last line\n", goes_on=True)
    assert not is_paste("\n", goes_on=True)
    assert not is_paste("typed", goes_on=True)


def test_a_huge_paste_of_blank_lines_is_recognised_at_once() -> None:
    before = time.process_time()
    assert not is_paste("\n" * MAX_BYTES)
    assert is_paste("\n" * MAX_BYTES + "x")
    assert time.process_time() - before < 5.0, "this takes milliseconds, unless it is quadratic"


def test_without_a_line_end_bytes_are_handled_at_once() -> None:
    arrivals = Arrivals()
    assert arrivals.ready_at is None
    arrivals.add(b"ho", 10.0)
    assert arrivals.ready_at == 10.0
    arrivals.add(b"la", 20.0)
    assert arrivals.take_all() == b"hola"
    assert arrivals.ready_at is None


def test_after_a_line_end_it_waits_for_what_belongs_to_it() -> None:
    arrivals = Arrivals()
    arrivals.add(b"one\r", 10.0)
    assert arrivals.ready_at == 10.0 + PASTE_WITHIN_S
    arrivals.add(b"two", 10.01)
    assert arrivals.ready_at == 10.01 + PASTE_WITHIN_S
    assert arrivals.take_all() == b"one\rtwo"


def test_what_is_not_handled_is_bounded() -> None:
    arrivals = Arrivals()
    for _time in range(100):
        arrivals.add(b"\r" * 4096, 10.0)
    assert len(arrivals.take_all()) == MAX_BYTES
