"""Who has seen what, on the full screen: the questions, and the dialog of the answer."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from plain_table import Clock
from table import WIDE, ChatTable

from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import Error, ErrorCode, Say

Scenario = Callable[[ChatTable], Awaitable[None]]


def run(clock: Clock, scenario: Scenario, size: tuple[int, int] = WIDE, **options: Any) -> None:
    ChatTable(clock, **options).run(scenario, size)


def test_a_dialog_shows_who_has_seen_it_until_it_is_closed(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/seen")
        assert table.hint == "You have not said anything to everyone yet."
        await table.press("escape")
        table.composer.load("")
        await table.enter("the exam is at 8\nin room 3")
        own = table.seq
        await table.hear(table.said("ok"))
        await table.enter("/vistos")
        await table.until(lambda: "Who has seen this?" in table.shown)
        assert "ana: the exam is at 8 in room 3" in table.shown
        assert "Not seen yet (2): José, luis" in table.shown
        assert table.client.sent_of(AskSeenBy) == [AskSeenBy(seq=own)]
        table.seen = ["luis"]
        table.app.screen._ask_again()  # type: ignore[attr-defined]
        await table.settle()
        assert "Seen (1): luis" in table.shown
        table.app.controller.attention.note_focus(False)
        table.app.screen._ask_again()  # type: ignore[attr-defined]
        await table.settle()
        assert len(table.client.sent_of(AskSeenBy)) == 2  # nobody looks
        await table.lose()
        table.app.screen._ask_again()  # type: ignore[attr-defined]
        await table.settle()
        assert "no connection · Esc: back" in table.shown
        await table.press("escape")
        assert "Who has seen this?" not in table.shown
        await table.come_back()
        await table.hear(
            SeenBy(id=len(table.client.sent), seq=own, seen=[], not_seen=[], unknown=[])
        )
        assert "Who has seen this?" not in table.shown

    run(clock, scenario)


@pytest.mark.long
def test_a_refused_question_is_explained(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.refusals[AskSeenBy] = Error(code=ErrorCode.NOT_OPERATOR, message="")
        await table.enter("/seen 3")
        assert table.hint.startswith("You can ask this only about your own messages.")
        del table.refusals[AskSeenBy]
        await table.enter("mine")
        own = table.seq
        await table.hear(table.said("copied by mouse"))
        table.app.main.log_view._marked = table.current.entries[-1]
        await table.enter("/seen")
        await table.until(lambda: "ana: mine" in table.shown.partition("Who has seen")[2])
        assert table.client.sent_of(AskSeenBy)[-1] == AskSeenBy(seq=own)
        await table.press("escape")
        await table.enter("@luis")
        await table.enter("psst")
        table.app.main.log_view._marked = table.model.conversations.current.entries[-1]
        await table.enter("/seen")
        assert table.hint == "You can see who has seen a message only for messages to everyone."

    run(clock, scenario)


def test_nothing_is_asked_again_while_another_request_waits_for_its_answer(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("mine")
        await table.enter("/seen")
        await table.until(lambda: "Who has seen this?" in table.shown)
        table.client.held.add(Say)
        table.model.ask(Say(text="slow"))
        table.app.screen._ask_again()  # type: ignore[attr-defined]
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert len(table.client.sent_of(AskSeenBy)) == 1

    run(clock, scenario)


@pytest.mark.long
def test_an_answer_that_comes_after_its_dialog_was_closed_opens_no_other_one(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("mine")
        await table.enter("/seen")
        await table.until(lambda: "Who has seen this?" in table.shown)
        table.client.held.add(AskSeenBy)
        table.app.screen._ask_again()  # type: ignore[attr-defined]
        assert len(table.client.sent_of(AskSeenBy)) == 2
        await table.press("escape")
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert table.app.screen is table.app.main

    run(clock, scenario)
