"""Who has seen what, on the full screen: what is reported, and the dialog of the answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from plain_table import Clock
from table import USUAL, WIDE, ChatTable

from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import Error, ErrorCode

Scenario = Callable[[ChatTable], Awaitable[None]]


def run(clock: Clock, scenario: Scenario, size: tuple[int, int] = WIDE, **options: Any) -> None:
    ChatTable(clock, **options).run(scenario, size)


async def pass_2_s(table: ChatTable) -> None:
    """Let the time come at which the next report counts."""
    table.clock.now += 2.0
    table.bell.ring()
    await table.settle()


def test_the_newest_message_is_reported_where_and_when_it_is_on_an_active_screen(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        focus = table.app.controller.attention.note_focus
        focus(True)
        first = table.said("one")
        await table.hear(first)
        assert table.client.marks == [0, first.seq]
        await pass_2_s(table)
        focus(False)
        away = table.said("while away")
        await table.hear(away)
        assert table.client.marks[-1] == first.seq
        focus(True)
        await table.settle()
        assert table.client.marks[-1] == away.seq
        await pass_2_s(table)

        await table.enter("@luis")
        other = table.said("in General")
        await table.hear(other)
        await pass_2_s(table)
        assert table.client.marks[-1] == away.seq
        table.app.controller.navigation.open("")
        await table.settle()
        assert table.client.marks[-1] == other.seq
        await pass_2_s(table)

        await table.press("f1")
        below = table.said("below a dialog")
        await table.hear(below)
        assert table.client.marks[-1] == other.seq
        await table.press("escape")
        await table.until(lambda: table.client.marks[-1] == below.seq)
        await pass_2_s(table)

        await table.hear(*(table.said(f"line {number}") for number in range(60)))
        await pass_2_s(table)
        seen = table.client.marks[-1]
        await table.press("pageup")
        last = table.said("below the view")
        await table.hear(last)
        await pass_2_s(table)
        assert table.client.marks[-1] == seen < last.seq
        await table.press("ctrl+end")
        await table.until(lambda: table.client.marks[-1] == last.seq)

    run(clock, scenario, USUAL)


def test_without_reports_of_the_focus_only_a_key_shows_that_somebody_is_there(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        clock.now += 60.0
        message = table.said("to nobody")
        await table.hear(message)
        assert table.client.marks == [0]
        await table.press("x")
        await table.until(lambda: table.client.marks == [0, message.seq])

    run(clock, scenario)


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
