"""The terminal's title: the open conversation, and what is unread."""

import contextlib

import pytest
from plain_table import Clock
from seat import ENTERED, LonelyServer, Seat
from table import ChatTable

from tertulia.tui import title as title_module
from tertulia.tui.presence import INPUT_COUNTS_S

SAVED, RESTORED = "\x1b[22;2t", "\x1b]2;\x07\x1b[23;2t"


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr(title_module, "set_terminal_title", lambda _app, title: shown.append(title))
    return shown


def test_it_has_the_open_conversation_and_the_number_of_unread_messages(
    clock: Clock, titles: list[str]
) -> None:
    async def scenario(table: ChatTable) -> None:
        assert titles[-1] == "tertulia: General"
        await table.hear(table.direct("psst"), table.direct("psst!"))
        assert titles[-1] == "tertulia: General (2)"
        await table.enter("@luis")
        assert titles[-1] == "tertulia: luis"
        await table.hear(table.said("hello"))
        assert titles[-1] == "tertulia: luis (1)"

    ChatTable(clock).run(scenario)


def test_messages_that_came_while_the_user_was_away_are_counted_until_the_user_is_back(
    clock: Clock, titles: list[str]
) -> None:
    async def scenario(table: ChatTable) -> None:
        table.app.controller.attention.note_focus(False)
        await table.hear(table.said("one"), table.said("two"))
        assert titles[-1] == "tertulia: General (2)"
        await table.press("a")
        assert titles[-1] == "tertulia: General"
        clock.now += INPUT_COUNTS_S  # and no report of the focus
        await table.hear(table.said("three"))
        assert titles[-1] == "tertulia: General (1)"

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_the_terminal_gets_its_title_back_also_for_a_while() -> None:
    with (
        contextlib.closing(LonelyServer()) as server,
        contextlib.closing(Seat(server.port)) as seat,
    ):
        seat.see(ENTERED)
        seat.see(f"{SAVED}\x1b]2;tertulia\x07")
        seat.see("\x1b]2;tertulia: General\x07")
        seat.type(b"\x1b[18~")  # F7
        seat.see(RESTORED)
        seat.see("Enter: back to the chat")
        seat.type(b"\r")
        seat.see(ENTERED)
        seat.see(f"{SAVED}\x1b]2;tertulia: General")
        assert seat.leave() == 0
    assert seat.everything.count(RESTORED) == 2


@pytest.mark.long
def test_the_console_is_sent_no_title_and_no_other_command_that_it_would_show() -> None:
    with (
        contextlib.closing(LonelyServer()) as server,
        contextlib.closing(Seat(server.port, TERM="linux")) as seat,
    ):
        seat.see(ENTERED)
        seat.see("number")
        assert seat.leave() == 0
    assert "\x1b]" not in seat.everything
    assert "\x1b[22;2t" not in seat.everything
