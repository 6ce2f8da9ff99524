"""A bell that other threads ring for the event loop."""

import asyncio
import threading
from collections.abc import Callable

from tertulia.tui.loopbell import LoopBell

WAIT_S = 20.0


def in_thread(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(WAIT_S)
    assert not thread.is_alive()


async def is_silent(bell: LoopBell) -> bool:
    """Return whether hearing now has to wait."""
    hearing = asyncio.ensure_future(bell.hear(None))
    for _turn in range(5):
        await asyncio.sleep(0)
    silent = not hearing.done()
    hearing.cancel()
    return silent


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
        await asyncio.to_thread(bell.ring)
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
