"""Keeping order on the full screen: commands, the dialog of a person, and what everyone sees."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec import UNSET
from plain_table import Clock
from table import DAY, USUAL, WIDE, ChatTable
from textual import events

from tertulia.client.errors import End, EndReason
from tertulia.i18n import set_language
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import Closing, Error, ErrorCode, Say, Status
from tertulia.protocol.moderation import (
    Hushed,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    Locked,
    Muted,
    PinMessage,
    Pinned,
    Role,
)

Scenario = Callable[[ChatTable], Awaitable[None]]


def when(table: ChatTable) -> dict[str, object]:
    return {"seq": table._next(), "time": f"{DAY}T15:04:05.000Z"}


async def be_operator(table: ChatTable) -> None:
    await table.hear(Role(**when(table), name="ana", operator=True))  # type: ignore[arg-type]


async def choose(table: ChatTable, key: str) -> None:
    """Choose a row of the dialog by its key."""
    await table.until(lambda: len(table.app.screen_stack) > 1)
    table.app.screen.query_one("Choices").highlight(key)  # type: ignore[attr-defined]
    await table.press("enter")


async def open_luis(table: ChatTable) -> None:
    await table.enter("/info luis")
    await table.until(lambda: "192.168.1.21" in table.shown)


def run(clock: Clock, scenario: Scenario, size: tuple[int, int] = WIDE) -> None:
    ChatTable(clock).run(scenario, size)


@pytest.mark.long
def test_the_dialog_of_a_person_removes_silences_and_bans(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await open_luis(table)
        assert "Ban…" not in table.shown
        await table.press("escape")
        await be_operator(table)
        await open_luis(table)
        await choose(table, "kick")
        assert table.client.sent_of(Kick) == []
        await choose(table, "yes")
        assert table.client.sent_of(Kick) == [Kick(name="luis")]
        await open_luis(table)
        await choose(table, "ban")
        await choose(table, "30")
        assert table.client.sent_of(ImposeBan) == [ImposeBan(name="luis", minutes=30.0)]
        await open_luis(table)
        await choose(table, "ban")
        await choose(table, "0")
        assert table.client.sent_of(ImposeBan)[1:] == [ImposeBan(name="luis", minutes=UNSET)]
        await open_luis(table)
        await choose(table, "mute")
        await choose(table, "0")
        assert table.client.sent_of(ImposeMute) == [ImposeMute(name="luis", minutes=UNSET)]
        await table.hear(Muted(**when(table), name="luis", by="ana"))  # type: ignore[arg-type]
        assert "luis muted" in table.shown
        await open_luis(table)
        await choose(table, "unmute")
        assert table.client.sent_of(LiftMute) == [LiftMute(name="luis")]

    run(clock, scenario)


def test_the_list_of_people_shows_at_once_who_is_ignored(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        for line, is_marked in (("/ignore luis", True), ("/unignore luis", False)):
            await table.enter(line)
            assert ("luis ignored" in table.shown) is is_marked

    run(clock, scenario)


def test_who_is_no_operator_is_told_so_and_the_line_stays(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/kick luis")
        assert table.hint.startswith("Only an operator can do that. To be one, type /operator")
        assert table.composer.text == "/kick luis"
        assert table.client.sent_of(Kick) == []

    run(clock, scenario)


@pytest.mark.long
@pytest.mark.parametrize(("answer", "done"), [("no", 1), ("yes", 2)])
def test_several_are_named_before_a_network_is_banned(clock: Clock, answer: str, done: int) -> None:
    async def scenario(table: ChatTable) -> None:
        await be_operator(table)
        await table.enter("/ban 10.0.0.0/28")
        await table.until(lambda: "ana, luis, José" in table.shown)
        await choose(table, answer)
        assert len(table.client.sent_of(ImposeBan)) == done

    run(clock, scenario)


def test_one_person_in_a_network_is_banned_without_a_question(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await be_operator(table)
        table.people = {"luis": Status.ACTIVO}
        await table.enter("/ban 10.0.0.0/28")
        await table.until(lambda: len(table.client.sent_of(ImposeBan)) == 2)
        assert table.app.screen is table.app.main

    run(clock, scenario)


def test_a_ban_is_chosen_from_the_list_to_be_lifted(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await be_operator(table)
        await table.enter("/bans")
        await choose(table, "0")
        await choose(table, "yes")
        assert table.client.sent_of(LiftBan) == [LiftBan(name="eva")]

    run(clock, scenario)


@pytest.mark.long
def test_the_keys_choose_a_message_and_what_to_do_about_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        messages = [table.said(f"line {number}") for number in range(60)]
        await table.hear(*messages)
        await table.enter("mine")
        await table.press("f5")
        assert table.app.main.log_view.marked.text == "mine"  # type: ignore[union-attr]
        assert table.hint.startswith("↑ ↓: choose")
        await table.press("enter")
        await table.until(lambda: "Show who has seen it" in table.shown)
        assert "Pin it" not in table.shown
        await choose(table, "seen")
        await table.until(lambda: "Who has seen this?" in table.shown)
        await table.press("escape", "f5", *["up"] * 40)
        assert "line 20" in table.shown
        await table.press("enter")
        assert "Show who has seen it" not in table.shown
        assert "luis: line 20" in table.shown
        await table.press("escape", "escape")
        assert table.app.focused is table.composer
        assert table.app.main.log_view.marked is None
        await be_operator(table)
        await table.press("ctrl+end", "f5", "f5", "down", "up", "enter")
        assert "luis: line 59" in table.shown
        await choose(table, "pin")
        assert table.client.sent_of(PinMessage) == [PinMessage(seq=messages[59].seq)]
        await table.press("f5", "up", "up", "/", "p", "i", "n", "enter")
        assert "Pin this message?" in table.shown
        assert "luis: line 58" in table.shown
        await table.press("escape")

    run(clock, scenario)


def test_a_right_click_on_a_message_shows_what_can_be_done(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("hello you"))
        y = next(y for y, row in enumerate(table.rows) if "hello you" in row)
        x = table.rows[y].index("hello you")
        widget, region = table.app.get_widget_at(x, y)
        await table.pilot._post_mouse_events(
            [events.MouseDown, events.MouseUp, events.Click],
            widget=widget, offset=(x - region.x, y - region.y), button=3,
        )  # fmt: skip
        await table.settle()
        assert "luis: hello you" in table.shown
        await choose(table, "write")
        assert table.model.conversations.current.name == "luis"

    run(clock, scenario)


@pytest.mark.long
def test_the_newest_or_the_marked_message_is_pinned(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await be_operator(table)
        first, last = table.said("first one"), table.said("last one")
        await table.hear(first, last)
        await table.enter("/pin")
        assert table.client.sent_of(PinMessage) == [PinMessage(seq=last.seq)]
        y = next(y for y, row in enumerate(table.rows) if "first one" in row)
        x = table.rows[y].index("first one")
        await table.click_at(x, y, times=2)  # marks the message
        await table.press(*"/pin", "enter")
        await table.until(lambda: "luis: first one" in table.shown)
        await choose(table, "yes")
        assert table.client.sent_of(PinMessage)[1:] == [PinMessage(seq=first.seq)]

    run(clock, scenario)


@pytest.mark.long
def test_hush_and_lock_are_shown_where_one_writes_and_reads(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        set_language("es")
        await table.hear(Hushed(**when(table), on=True, by="eva"))  # type: ignore[arg-type]
        assert "Ahora solo hablan los operadores" in table.shown
        await table.hear(Locked(**when(table), on=True, by="eva"))  # type: ignore[arg-type]
        assert "General (cerrado): " in table.shown
        table.refusals[Say] = Error(code=ErrorCode.HUSHED, message="")
        await table.enter("hola")
        assert table.hint.startswith("No se envió: ahora solo pueden hablar los operadores.")
        assert table.composer.text == "hola"  # it is not lost
        await be_operator(table)
        assert "A todos; ahora solo hablan los operadores" in table.shown
        assert "★ ana" in table.shown

    run(clock, scenario)


def test_who_is_removed_leaves_with_the_reason_and_status_5(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        closing = Closing(reason="kicked", by="eva", text="spam")
        table.client.end = End(EndReason.KICKED, closing=closing)
        table.bell.ring()
        await table.until(lambda: table.app.return_value is not None)
        ending = table.app.return_value
        assert ending is not None
        assert ending.status == 5
        assert ending.lines[0].startswith("You were removed from the chat by eva: spam.")

    run(clock, scenario)


@pytest.mark.long
def test_a_notice_of_a_program_keeps_its_mark_in_a_pin_in_a_search_and_in_a_copy(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        notice = table.said("it failed", "build", hook=True)
        await table.hear(notice, table.said("oh"))
        assert "# build (hook)" in table.shown
        pinned = StoredMessage(
            seq=notice.seq, time=notice.time, sender="build", text="it failed", hook=True
        )
        await table.hear(Pinned(**when(table), by="ana", message=pinned))  # type: ignore[arg-type]
        assert "Pinned: build (hook): it failed" in table.shown
        await table.click_on("Pinned: build")
        await table.until(lambda: "Pinned by an operator" in table.shown)
        assert "│ build (hook): it failed" in table.shown
        await table.press("escape")
        await table.enter("/search failed")
        await table.until(lambda: "Messages with" in table.shown)
        assert "# build (hook)" in table.shown

    run(clock, scenario, USUAL)
