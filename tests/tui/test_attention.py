"""Whether the user looks: when the bell rings, and which messages are reported as seen."""

import pytest
from plain_table import Clock
from table import USUAL, ChatTable
from textual.events import AppBlur, AppFocus

from tertulia.chat.bursts import QUIET_S
from tertulia.protocol.messages import ServerMessage
from tertulia.tui import title
from tertulia.tui.model.chatmodel import NewMessage
from tertulia.tui.presence import INPUT_COUNTS_S


async def focus(table: ChatTable, report: AppFocus | AppBlur) -> None:
    table.app.post_message(report)
    await table.settle()


@pytest.mark.long
def test_the_bell_rings_only_for_what_is_not_being_looked_at(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        async def rings_for(message: ServerMessage) -> bool:
            clock.now += QUIET_S
            table.rings = 0
            await table.hear(message)
            return table.rings == 1

        await focus(table, AppFocus())
        assert not await rings_for(table.said("ana: look"))
        assert await rings_for(table.direct("psst", ""))  # it is not in the general chat
        assert await rings_for(table.direct("psst"))
        await table.press("ctrl+g")
        assert not await rings_for(table.direct("psst"))
        assert await rings_for(table.said("ana: look"))
        await focus(table, AppBlur())
        assert await rings_for(table.direct("psst"))
        assert not await rings_for(table.said("about others"))
        await focus(table, AppFocus())
        assert not await rings_for(table.direct("psst"))

    ChatTable(clock).run(scenario)


def test_without_reports_of_the_focus_one_counts_as_away_until_a_key_is_pressed(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("ana: look"))
        assert table.rings == 0  # the program has just been started
        clock.now += INPUT_COUNTS_S
        await table.hear(table.said("ana: look"))
        assert table.rings == 1
        clock.now += INPUT_COUNTS_S
        await table.press("x")
        await table.hear(table.said("ana: look"))
        assert table.rings == 1

    ChatTable(clock).run(scenario)


async def pass_2_s(table: ChatTable) -> None:
    """Let the time come at which the next report counts."""
    table.clock.now += 2.0
    table.bell.ring()
    await table.settle()


@pytest.mark.long
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

    ChatTable(clock).run(scenario, USUAL)


def test_without_reports_of_the_focus_only_a_key_shows_that_somebody_is_there(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        clock.now += 60.0
        message = table.said("to nobody")
        await table.hear(message)
        assert table.client.marks == [0]
        await table.press("x")
        await table.until(lambda: table.client.marks == [0, message.seq])

    ChatTable(clock).run(scenario)


def test_a_message_that_is_looked_at_is_not_counted_as_missed_later(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(title, "set_terminal_title", lambda _app, text: titles.append(text))

    async def scenario(table: ChatTable) -> None:
        attention = table.app.controller.attention
        attention.note_focus(True)
        attention.notify(NewMessage(table.said("one"), calls=False))
        attention.note_focus(False)
        assert titles[-1] == "tertulia: General"

    ChatTable(clock).run(scenario)


def test_before_the_first_connection_there_is_nothing_to_notify_of(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.app.controller.attention.notify(NewMessage(table.direct("psst"), calls=True))
        assert table.rings == 0

    ChatTable(clock, connected=False).run(scenario)


def test_a_missed_message_of_the_open_conversation_is_counted_once_in_the_title(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr(title, "set_terminal_title", lambda _app, text: titles.append(text))

    async def scenario(table: ChatTable) -> None:
        await focus(table, AppBlur())
        await table.hear(table.said("one"), table.direct("psst"))
        assert titles[-1] == "tertulia: General (2)"
        await focus(table, AppFocus())
        assert titles[-1] == "tertulia: General (1)"

    ChatTable(clock).run(scenario)
