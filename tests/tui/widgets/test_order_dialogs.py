"""The dialogs for moderation: which actions, durations and bans they offer."""

from typing import Any

import pytest
from plain_table import Clock
from table import ChatTable
from textual.widgets import Input

from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.moderation import BanRow
from tertulia.tui.widgets.order_dialogs import (
    PinnedDialog,
    SecretDialog,
    bans_dialog,
    confirmation,
    minutes_dialog,
    person_rows,
)


def offered(rows: Any) -> list[tuple[str, str]]:
    return [(row.key, "".join(text for text, _style in row.runs)) for row in rows]


@pytest.mark.parametrize(
    ("is_operator", "is_muted", "is_ignored", "keys"),
    [
        (False, False, False, ["ignore"]),
        (False, True, True, ["unignore"]),
        (True, False, False, ["mute", "kick", "ban", "ignore"]),
        (True, True, True, ["unmute", "kick", "ban", "unignore"]),
    ],
)
def test_only_operators_are_offered_to_moderate_and_each_action_can_be_undone(
    is_operator: bool, is_muted: bool, is_ignored: bool, keys: list[str]
) -> None:
    rows = person_rows(is_operator=is_operator, is_muted=is_muted, is_ignored=is_ignored)
    assert [row.key for row in rows] == keys


def test_the_words_of_an_action_fit_its_key() -> None:
    first = person_rows(is_operator=True, is_muted=False, is_ignored=False)
    assert offered(first) == [
        ("mute", "Silence…"), ("kick", "Remove from the chat…"), ("ban", "Ban…"),
        ("ignore", "Ignore"),
    ]  # fmt: skip
    undone = person_rows(is_operator=True, is_muted=True, is_ignored=True)
    assert offered(undone)[::3] == [("unmute", "Let speak again"), ("unignore", "Stop ignoring")]


def test_a_duration_is_offered_in_its_largest_whole_unit() -> None:
    dialog = minutes_dialog("Silence {name}", "a\x1bb")
    assert dialog._title == "Silence a␛b"
    assert offered(dialog._rows) == [
        ("5", "5 minutes"), ("30", "30 minutes"), ("120", "2 hours"), ("1440", "1 day"),
        ("0", "Until it is lifted"),
    ]  # fmt: skip


def test_a_confirmation_begins_with_the_safe_answer() -> None:
    dialog = confirmation("Ban luis\x1b?")
    assert dialog._text == "Ban luis␛?"
    assert offered(dialog._rows) == [("no", "Do nothing"), ("yes", "Go on")]


def test_a_row_of_the_bans_stands_for_the_ban_in_its_place() -> None:
    dialog = bans_dialog([BanRow(name="eva", by="ana"), BanRow(name="max", by="ana")])
    assert offered(dialog._rows) == [("0", "eva  by ana"), ("1", "max  by ana")]
    assert dialog._text == "Enter lifts the ban that you choose."
    assert dialog.has_class("wide-rows")


def test_without_bans_there_is_only_a_row_that_closes() -> None:
    dialog = bans_dialog([])
    assert offered(dialog._rows) == [("close", "Close")]
    assert dialog._text == "Nobody is banned."


@pytest.mark.long
def test_the_secret_is_hidden_and_an_empty_one_is_no_answer(clock: Clock) -> None:
    answers: list[str | None] = []

    async def scenario(table: ChatTable) -> None:
        for typed in (" pass ", "  "):
            dialog = SecretDialog()
            table.app.push_screen(dialog, answers.append)
            await table.settle()
            dialog.query_one(Input).value = typed
            await table.settle()
            assert "pass" not in table.shown
            await table.press("enter")
        assert answers == ["pass", None]

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize(("hook", "said"), [(False, "build: it\n  ␛[2J"), (True, "build (hook): ")])
def test_the_complete_pinned_message_is_shown_with_its_sender(
    clock: Clock, hook: bool, said: str
) -> None:
    async def scenario(table: ChatTable) -> None:
        message = StoredMessage(seq=3, time="", sender="build", text="it\n  \x1b[2J", hook=hook)
        dialog = PinnedDialog(message)
        table.app.push_screen(dialog)
        await table.settle()
        text = str(dialog.query("#dialog-text Static").last().render())
        assert text.startswith(said)

    ChatTable(clock).run(scenario)
