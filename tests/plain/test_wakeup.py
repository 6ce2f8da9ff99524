"""The file by which other threads wake up the main thread."""

import select
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tertulia.plain.wakeup import Wakeup

WAIT_S = 20.0


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    with closing(Wakeup()) as wakeup:
        yield wakeup


def is_readable(wakeup: Wakeup, timeout: float = 0) -> bool:
    return bool(select.select([wakeup], [], [], timeout)[0])


def test_it_is_readable_from_the_first_wake_until_it_is_cleared(wakeup: Wakeup) -> None:
    assert not is_readable(wakeup)
    for _time in range(3):
        wakeup.wake()
    assert is_readable(wakeup)
    wakeup.clear()
    assert not is_readable(wakeup)
    wakeup.wake()
    assert is_readable(wakeup)


def test_clearing_what_was_not_woken_does_not_block(wakeup: Wakeup) -> None:
    wakeup.clear()
    assert not is_readable(wakeup)


def test_another_thread_ends_the_wait_in_select(wakeup: Wakeup) -> None:
    thread = threading.Thread(target=wakeup.wake)
    thread.start()
    assert is_readable(wakeup, WAIT_S)
    thread.join(WAIT_S)


def test_waking_after_the_end_does_no_harm() -> None:
    wakeup = Wakeup()
    wakeup.close()
    wakeup.wake()
