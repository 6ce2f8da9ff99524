"""Every request of a node to others ends once: with its answer, its time-out, or the link's end."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from tertulia.server.cluster.inbox import Inbox


class Node:
    """An inbox, what it sends, and what the requests end with."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, str]] = []
        self.guarded: list[str] = []
        self.faults: list[Exception] = []
        self.ended: list[bytes | None] = []
        self.inbox = Inbox(lambda *message: self.sent.append(message), self._guard)

    def _guard(self, step: Callable[..., None], *arguments: Any) -> None:
        self.guarded.append(step.__name__)
        try:
            step(*arguments)
        except Exception as fault:  # ends the link
            self.faults.append(fault)
            raise

    def request(self, timeout_s: float = 1_000.0) -> None:
        self.inbox.request("b", b"?", timeout_s, self.ended.append)

    def answer(self, index: int = 0, data: bytes = b"!", status: str | None = None) -> Any:
        """Let a request that was sent be answered; a status stands in a header."""
        return self.arrive(self.sent[index][2], data, status)

    def arrive(self, subject: str, data: bytes = b"!", status: str | None = None) -> Any:
        headers = None if status is None else {"Status": status}
        message: Any = SimpleNamespace(subject=subject, data=data, headers=headers)
        return self.inbox.handle_answer(message)


def run(step: Callable[[Node], Awaitable[None]]) -> Node:
    """Run a step in a loop, which the time-outs need."""
    node = Node()
    asyncio.run(step(node))  # type: ignore[arg-type]
    return node


def test_a_request_ends_with_its_answer() -> None:
    async def step(node: Node) -> None:
        node.request()
        ((subject, data, reply),) = node.sent
        assert (subject, data) == ("b", b"?")
        assert reply.startswith(node.inbox.subject.removesuffix("*"))
        assert node.answer() is None
        node.answer(data=b"again")

    assert run(step).ended == [b"!"]


def test_each_request_gets_its_own_answer() -> None:
    async def step(node: Node) -> None:
        node.request()
        node.request()
        node.answer(1, b"second")
        node.answer(0, b"first")

    assert run(step).ended == [b"second", b"first"]


def test_an_answer_to_nothing_is_dropped() -> None:
    node = Node()
    assert node.arrive(f"{node.inbox.prefix}.7") is None


def test_a_request_that_nobody_serves_ends_without_an_answer() -> None:
    async def step(node: Node) -> None:
        node.request()
        node.request()
        node.answer(0, b"", "503")
        node.answer(1, b"!", "100")

    assert run(step).ended == [None, b"!"]


def test_a_request_ends_when_its_time_is_over() -> None:
    async def step(node: Node) -> None:
        node.request(timeout_s=0.0)
        node.request()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        node.answer(0, b"late")

    node = run(step)
    assert node.ended == [None]
    assert node.guarded == ["_give_up"], "a fault ends the link"


def test_the_time_out_of_an_answered_request_changes_nothing() -> None:
    async def step(node: Node) -> None:
        node.request(timeout_s=0.0)
        node.answer()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    node = run(step)
    assert node.ended == [b"!"]
    assert node.faults == []


def test_all_requests_end_with_the_link() -> None:
    async def step(node: Node) -> None:
        for _ in range(3):
            node.request()
        node.answer(1)
        node.inbox.give_up()

    node = run(step)
    assert node.ended == [b"!", None, None]
    assert node.guarded == ["_give_up"] * 2


def test_a_question_can_be_awaited() -> None:
    async def step(node: Node) -> None:
        asking = asyncio.create_task(node.inbox.ask("b", b"?", 1_000.0))
        await asyncio.sleep(0)
        node.answer()
        assert await asking == b"!"
        assert await node.inbox.ask("b", b"?", 0.0) is None

    run(step)


def test_the_answer_to_a_question_that_was_given_up_is_dropped() -> None:
    async def step(node: Node) -> None:
        asking = asyncio.create_task(node.inbox.ask("b", b"?", 1_000.0))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0)
        node.answer()
        assert asking.cancelled()

    run(step)


def test_an_acknowledgement_says_how_far_the_node_was() -> None:
    node = Node()
    assert node.arrive(node.inbox.stored_subject(7)) == (7, b"!")
    assert node.arrive(node.inbox.stored_subject(0), b"?", "503") == (0, b"")
