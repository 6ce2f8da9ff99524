"""When leaving asks first, and what each answer does."""

from collections.abc import Callable
from typing import Any

import pytest
from plain_table import Clock
from table import SMALL, ChatTable

from tertulia.protocol.messages import Say
from tertulia.tui.ending import Ending
from tertulia.tui.leaving import Leaving


class Screen:
    """A screen that notes what leaving does to it, and its chat if there is one."""

    def __init__(self, drafts: int = 0, unsent: int | None = None) -> None:
        self.done: list[object] = []
        self.drafts = ["half a line"] * drafts
        self.model = self if unsent is not None else None
        self.chat = self
        self.unsent = ["on its way"] * (unsent or 0)
        self.asked = ""
        this: Any = self
        self.leaving = Leaving(this, this, self._note("give up"), self._note("wake"))
        self.quit, self.advance = self._note("quit"), self._note("advance")

    def _note(self, what: str) -> Callable[[], None]:
        return lambda: self.done.append(what)

    def push_screen(self, dialog: Any, answer: Callable[[str | None], None]) -> None:
        self.asked, self.answer = dialog._text, answer

    def exit(self, ending: Ending) -> None:
        self.done.append(ending)


def test_without_a_connection_leaving_gives_up_the_attempt() -> None:
    screen = Screen()
    screen.leaving.begin()
    assert screen.done == ["give up", Ending(0, [])]


def test_with_a_connection_the_server_is_told_first_and_the_second_time_nobody_waits() -> None:
    screen = Screen(unsent=0)
    screen.leaving.begin()
    assert screen.done == ["quit", "advance", "wake"]
    screen.leaving.begin()
    assert screen.done[3:] == ["give up", Ending(0, [])]
    assert screen.asked == ""


@pytest.mark.parametrize(
    ("drafts", "unsent", "asked"),
    [
        (1, None, "1 text that you typed has not been sent."),
        (0, 1, "1 text that you typed has not been sent."),
        (1, 2, "3 texts that you typed have not been sent."),
    ],
)
def test_what_would_be_lost_is_counted(drafts: int, unsent: int | None, asked: str) -> None:
    screen = Screen(drafts, unsent)
    screen.leaving.begin()
    assert (screen.asked, screen.done) == (asked, [])


@pytest.mark.parametrize("answer", ["no", None])
def test_without_a_yes_one_stays_and_is_asked_again(answer: str | None) -> None:
    screen = Screen(drafts=1, unsent=0)
    screen.leaving.begin()
    screen.answer(answer)
    screen.asked = ""
    screen.leaving.begin()
    assert screen.asked.startswith("1 text")
    assert screen.done == []
    screen.answer("yes")
    assert screen.done == ["quit", "advance", "wake"]


def test_leaving_asks_only_if_something_would_be_lost(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.insert("half a")
        await table.press("ctrl+q")
        assert "1 text that you typed has not been sent." in table.shown
        await table.press("enter")
        assert table.app.return_value is None
        assert table.composer.text == "half a"
        await table.press("ctrl+q", "down", "enter")
        assert table.app.return_value == Ending(0, [])

    ChatTable(clock).run(scenario)


def test_asking_to_leave_a_second_time_leaves_at_once(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Say)
        await table.enter("never answered")
        await table.press("ctrl+q")
        assert table.app.return_value is None
        await table.press("ctrl+q")
        assert table.app.return_value == Ending(0, [])

    ChatTable(clock).run(scenario, SMALL)
