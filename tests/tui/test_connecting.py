"""A bell that other threads ring for the loop, and the first attempt to connect."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from plain_table import StubClient

from tertulia.client.client import Client
from tertulia.client.errors import ConnectFailure, NoConnection, RegistrationRefused
from tertulia.client.reconnect import Attempt
from tertulia.protocol.messages import Error
from tertulia.tui.connecting import LoopBell

WAIT_S = 20.0


def in_thread(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(WAIT_S)
    assert not thread.is_alive()


async def is_silent(bell: LoopBell) -> bool:
    """Tell whether who hears now has to wait."""
    hearing = asyncio.ensure_future(bell.hear(None))
    for _turn in range(5):
        await asyncio.sleep(0)
    silent = not hearing.done()
    hearing.cancel()
    return silent


# --- the bell ----------------------------------------------------------------------------------


def test_what_rang_before_the_loop_is_heard_once() -> None:
    bell = LoopBell()
    for _number in range(3):
        in_thread(bell.ring)

    async def listen() -> None:
        async with asyncio.timeout(WAIT_S):
            await bell.hear(None)
        assert await is_silent(bell)

    asyncio.run(listen())


def test_another_thread_wakes_up_who_waits() -> None:
    bell = LoopBell()

    async def listen() -> None:
        hearing = asyncio.ensure_future(bell.hear(None))
        await asyncio.sleep(0)
        assert not hearing.done()
        await asyncio.to_thread(lambda: [bell.ring() for _number in range(3)])
        async with asyncio.timeout(WAIT_S):
            await hearing
        assert await is_silent(bell)

    asyncio.run(listen(), debug=True)  # which tells of what is not for other threads


def test_what_rings_while_nobody_listens_is_heard_by_the_next_to_listen() -> None:
    bell = LoopBell()

    async def listen() -> None:
        await bell.hear(0)
        in_thread(bell.ring)
        bell.ring()
        async with asyncio.timeout(WAIT_S):
            await bell.hear(None)
        assert await is_silent(bell)

    asyncio.run(listen())


def test_after_so_many_seconds_nobody_waits_any_more_and_a_ring_is_still_heard() -> None:
    bell = LoopBell()

    async def listen() -> None:
        async with asyncio.timeout(WAIT_S):
            await bell.hear(0.001)
            await bell.hear(0)
        bell.ring()
        async with asyncio.timeout(WAIT_S):
            await bell.hear(None)

    asyncio.run(listen())


def test_nothing_is_lost_when_many_threads_ring_at_any_time() -> None:
    bell = LoopBell()
    count, threads = 300, 4
    rung = [0] * threads
    start = threading.Barrier(threads)

    def ring(place: int) -> None:
        start.wait(WAIT_S)
        for _number in range(count):
            rung[place] += 1
            bell.ring()

    async def listen() -> None:
        ringing = [asyncio.to_thread(ring, place) for place in range(threads)]
        all_of_them = asyncio.gather(*ringing)
        seen = 0
        async with asyncio.timeout(WAIT_S):
            while seen < count * threads:
                await bell.hear(None)
                seen = sum(rung)
            await all_of_them

    asyncio.run(listen())


def test_ringing_after_the_end_of_the_loop_does_no_harm() -> None:
    bell = LoopBell()
    asyncio.run(bell.hear(0))
    bell.ring()
    in_thread(bell.ring)


# --- the first attempt -------------------------------------------------------------------------


class Trial:
    """A first attempt that comes to something when the test says so."""

    def __init__(self, outcome: Client | Exception) -> None:
        self._outcome = outcome
        self._go_on = threading.Event()
        self.connecting = threading.Event()
        self.rung = threading.Event()
        self.attempt = Attempt(self._connect, self.rung.set)
        self.attempt.start()
        assert self.connecting.wait(WAIT_S)

    def _connect(self) -> Client:
        self.connecting.set()
        assert self._go_on.wait(WAIT_S)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def finish(self) -> None:
        self._go_on.set()
        assert self.rung.wait(WAIT_S)


@pytest.fixture
def client() -> StubClient:
    return StubClient()


def test_the_client_is_there_once_the_bell_has_rung_and_is_taken_once(client: StubClient) -> None:
    attempt = Trial(client)
    assert attempt.attempt.take_outcome() is None
    assert not attempt.rung.is_set()
    attempt.finish()
    assert attempt.attempt.take_outcome() is client
    assert attempt.attempt.take_outcome() is None
    assert client.ended is None


@pytest.mark.parametrize(
    "failure",
    [
        NoConnection(ConnectFailure.REFUSED),
        RegistrationRefused(Error(code="name_taken", message="")),
        OSError("no more files"),
    ],
)
def test_a_failure_is_an_outcome_too(failure: Exception) -> None:
    attempt = Trial(failure)
    attempt.finish()
    assert attempt.attempt.take_outcome() is failure


def test_who_gives_up_closes_a_client_that_comes_late(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.attempt.give_up()
    attempt.attempt.give_up()
    assert client.ended is None
    attempt.finish()
    assert client.ended is not None


def test_who_gives_up_closes_a_client_that_nobody_took(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.finish()
    attempt.attempt.give_up()
    assert client.ended is not None


def test_who_gives_up_leaves_a_client_that_was_taken(client: StubClient) -> None:
    attempt = Trial(client)
    attempt.finish()
    attempt.attempt.take_outcome()
    attempt.attempt.give_up()
    assert client.ended is None


def test_a_failure_after_giving_up_does_no_harm() -> None:
    attempt = Trial(NoConnection(ConnectFailure.REFUSED))
    attempt.attempt.give_up()
    attempt.finish()
    attempt.attempt.give_up()
