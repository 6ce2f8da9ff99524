"""The ways through the conversations: to the last message, to what is new; closing one."""

import pytest
from plain_table import Clock
from table import USUAL, ChatTable
from textual import events

from tertulia.protocol.messages import Direct
from tertulia.tui.model.timeline import New, Said
from tertulia.tui.widgets.dialogs import ChoiceDialog


def listed(table: ChatTable) -> list[str]:
    return [row.key for row in table.app.main.conversation_list.rows]


def rows(table: ChatTable) -> list[str]:
    list_ = table.app.main.conversation_list
    return ["".join(text for text, _style in row.runs) for row in list_.rows]


def shape(table: ChatTable) -> list[str]:
    """Return the texts of the open conversation, and "new" for the mark."""
    return [
        entry.text if isinstance(entry, Said) else "new"
        for entry in table.current.entries
        if isinstance(entry, Said | New)
    ]


# --- to the last message -------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("line", ["@luis psst", "/msg luis psst", "/dm luis psst", "@LUIS: psst"])
def test_the_key_in_the_hint_goes_to_whom_the_message_went(clock: Clock, line: str) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("one", "eva"), table.direct("two", "José"))
        await table.enter(line)
        await table.hear(table.direct("three", "eva"))  # the next one in the list
        assert table.hint == "Sent only to luis. Ctrl+T: go there."
        await table.press("ctrl+t")
        assert (table.current.name, table.texts) == ("luis", ["psst"])

    ChatTable(clock).run(scenario, USUAL)


def test_after_a_text_for_all_the_key_goes_to_the_general_chat(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.enter("/all hello")
        await table.press("ctrl+t")
        assert table.current.name == ""
        await table.press("ctrl+t")
        assert table.current.name == "luis"

    ChatTable(clock).run(scenario, USUAL)


def test_without_a_message_there_is_nowhere_to_go(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("ctrl+t")
        assert table.hint == "You have not written a message yet."

    ChatTable(clock).run(scenario, USUAL)


# --- unsent texts --------------------------------------------------------------------------------


@pytest.mark.long
def test_an_unsent_text_elsewhere_is_marked_in_the_list(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        table.composer.insert("half a li")
        await table.settle()
        assert "✎" not in "".join(rows(table))  # it is in view
        await table.press("ctrl+n")
        assert rows(table) == ["▸ General", "  luis ✎"]
        await table.hear(table.direct("psst"))
        assert rows(table) == ["▸ General", "! luis ✎ (1)"]
        table.composer.insert("hello")
        await table.press("ctrl+n")
        assert rows(table) == ["  General ✎", "▸ luis"]

    ChatTable(clock).run(scenario)


# --- what is new ---------------------------------------------------------------------------------


def test_a_mark_that_is_in_view_needs_no_hint(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("old"))
        await table.enter("@luis")
        await table.hear(table.said("new"))
        await table.press("ctrl+n")
        assert table.hint == ""
        assert "New since you were here" in table.shown
        await table.hear(table.said("and more"))
        assert shape(table) == ["old", "new", "new", "and more"]

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_what_came_while_the_terminal_had_no_focus_is_marked(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("one"))
        table.app.post_message(events.AppBlur())
        await table.settle()
        await table.hear(table.said("two"), table.said("three"))
        assert shape(table) == ["one", "new", "two", "three"]
        table.app.post_message(events.AppFocus())
        await table.settle()
        await table.hear(table.said("four"))
        assert shape(table) == ["one", "new", "two", "three", "four"]
        table.app.post_message(events.AppBlur())
        await table.settle()
        await table.hear(table.said("five"))
        assert shape(table) == ["one", "two", "three", "four", "new", "five"]
        assert list(map(id, table.log._entries)) == list(map(id, table.current.entries))

    ChatTable(clock).run(scenario)


# --- closing -------------------------------------------------------------------------------------


def test_a_closed_conversation_comes_back_with_a_message_and_what_was_in_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("one"), table.direct("two", "José"))
        await table.enter("/close luis")
        assert listed(table) == ["", "José"]
        await table.enter("/close luis")
        assert table.hint == "There is no conversation with “luis”."
        assert table.item("#unread") == "! 1 unread: F2"
        await table.hear(table.direct("three"))
        assert listed(table) == ["", "luis", "José"]
        await table.enter("@luis")
        assert table.texts == ["one", "three"]
        await table.enter("/cerrar")
        assert (table.current.name, listed(table)) == ("", ["", "José"])
        await table.enter("@luis")
        assert (table.current.name, table.texts) == ("luis", ["one", "three"])

    ChatTable(clock).run(scenario)


def test_a_message_that_is_not_delivered_opens_its_conversation_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Direct)
        await table.enter("@luis psst")
        await table.enter("/close luis")
        assert listed(table) == [""]
        del table.people["luis"]
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert listed(table) == ["", "luis"]

    ChatTable(clock).run(scenario)


@pytest.mark.long
@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/close", "The general chat always stays open."),
        ("/close José", "There is no conversation with “José”."),
        ("/close one two", "Give one name, or none: /close NAME"),
    ],
)
def test_what_cannot_be_closed_stays(clock: Clock, line: str, hint: str) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("psst"))
        await table.enter(line)
        assert table.hint == hint
        assert listed(table) == ["", "luis"]
        table.app.controller.navigation.open("luis")
        await table.press("f2", "home", "delete")
        assert table.hint == "The general chat always stays open."
        assert listed(table) == ["", "luis"]

    ChatTable(clock).run(scenario)


@pytest.mark.long
@pytest.mark.parametrize("answer", ["yes", "no"])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_conversation_with_an_unsent_text_is_closed_after_a_question(
    clock: Clock, answer: str, is_open: bool
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        table.composer.insert("half a li")
        if not is_open:
            await table.press("ctrl+n")
        await table.press("f2", "home", "down", "delete")
        assert isinstance(table.app.screen, ChoiceDialog)
        assert "Your text for luis has not been sent" in table.shown
        await table.press(*(["down", "enter"] if answer == "yes" else ["enter"]))
        assert listed(table) == (["", "luis"] if answer == "no" else [""])
        assert table.app.controller.drafts == (["half a li"] if answer == "no" else [])

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_an_unsent_text_is_gone_when_its_closed_conversation_is_opened_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        table.composer.insert("half a li")
        await table.press("f2", "home", "down", "delete", "down", "enter")
        assert (table.current.name, table.composer.text) == ("", "")
        table.composer.insert("for all")
        table.app.controller.navigation.open("luis")
        assert (table.current.name, table.composer.text) == ("luis", "")

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_the_list_keeps_the_focus_when_a_conversation_is_closed_in_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("one"), table.direct("two", "José"))
        await table.press("f2", "delete", "down", "delete")
        assert listed(table) == [""]
        assert table.app.main.focused is table.app.main.conversation_list

    ChatTable(clock).run(scenario)
