"""Nothing that a server sends can control the terminal, reorder a row or become markup."""

import re
from collections.abc import Awaitable, Callable

import pytest
from plain_table import Clock
from table import SIZES, ChatTable
from textual.events import Paste

from tertulia.client.errors import End, EndReason
from tertulia.protocol.messages import Closing, Error, GetInfo, Say, Status

pytestmark = pytest.mark.long

EVIL = (
    "\x1b[31m\x1b]52;c;aGk=\x07\x9b2J\x90\x85\u202eabc\u2066\u200f\u2028\x00\x7f\r\b[red][bold]"
    "[@click=app.leave]x[/][link=http://h]y[/]\ud800"
)
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
NAME = EVIL[:40]


def check_harmless(table: ChatTable) -> None:
    for y, strip in enumerate(table.strips):
        assert not UNSAFE.search(strip.text), f"row {y}: {strip.text!r}"
        for segment in strip:
            assert segment.control is None
            if segment.style is not None:
                assert segment.style.link is None
                assert "@click" not in segment.style.meta
                assert segment.style.color is None or segment.style.color.name != "red"


async def look(table: ChatTable) -> None:
    """Check the screen in each size."""
    for width, height in SIZES:
        await table.pilot.resize_terminal(width, height)
        await table.settle()
        check_harmless(table)


async def general(table: ChatTable) -> None:
    await table.hear(
        table.said(EVIL, EVIL), table.joined(EVIL), table.left("José", EVIL),
        table.presence("luis", Status.OCUPADO), table.left(NAME, EVIL),
    )  # fmt: skip
    assert "[red][bold]" in table.shown.replace("\n", "")


async def columns(table: ChatTable) -> None:
    await table.hear(table.direct(EVIL, EVIL), table.joined(EVIL))
    await table.press("f2")
    await look(table)
    await table.press("f3")


async def direct(table: ChatTable) -> None:
    await table.hear(table.direct(EVIL, EVIL))
    await table.press("ctrl+g")
    await look(table)
    table.composer.post_message(Paste(EVIL))


async def person(table: ChatTable) -> None:
    await table.hear(table.joined(EVIL))
    table.app.controller.carry_out(GetInfo(name=EVIL))
    await table.settle()
    assert table.app.screen is not table.app.main


async def found(table: ChatTable) -> None:
    await table.hear(table.said(EVIL, EVIL))
    await table.enter("/search [red]")
    assert table.app.screen is not table.app.main


async def refusal(table: ChatTable) -> None:
    table.refusals[Say] = Error(code=EVIL, message=EVIL, name=EVIL)
    await table.enter("hello")


async def lost(table: ChatTable) -> None:
    error = Error(code=EVIL, message=EVIL)
    closing = Closing(reason=EVIL, retry_after=5.0)
    await table.lose(End(EndReason.LOST, detail=EVIL, closing=closing, error=error))


async def completion(table: ChatTable) -> None:
    await table.hear(table.joined(f"l[red]{EVIL}"), table.joined("l[@click=app.leave]x[/]"))
    table.composer.insert("@l")
    await table.press("tab", "tab")


SCENES: list[Callable[[ChatTable], Awaitable[None]]] = [
    general, columns, direct, person, found, refusal, lost, completion
]  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_that_a_server_sends_steers_the_terminal(
    clock: Clock, scene: Callable[[ChatTable], Awaitable[None]]
) -> None:
    async def scenario(table: ChatTable) -> None:
        await scene(table)
        await look(table)

    table = ChatTable(clock)
    table.run(scenario)
    assert table.app.return_value is None


def test_a_hostile_own_name_is_harmless_too(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await look(table)
        await table.connect()
        await look(table)

    ChatTable(clock, name=EVIL, connected=False).run(scenario)
