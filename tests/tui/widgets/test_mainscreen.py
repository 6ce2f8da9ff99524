"""The chat's screen: what it shows of the model, where typed text goes, and what its keys do."""

from typing import Any

import pytest
from plain_table import Clock
from table import SMALL, USUAL, ChatTable
from textual.events import Key
from textual.selection import SELECT_ALL

from tertulia.protocol.messages import GetInfo, Say, SetStatus
from tertulia.protocol.moderation import Role
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.tui.ending import Ending
from tertulia.tui.widgets.composer import Composer
from tertulia.tui.widgets.palette import OfferList, PaletteDialog

pytestmark = pytest.mark.long


def test_who_gets_the_line_follows_those_who_come_and_go(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.load("@eva hello")
        await table.settle()
        assert "Enter sends nothing" in table.title("#entry")
        await table.hear(table.joined("eva"))
        assert table.title("#entry") == "Only to eva"

    ChatTable(clock).run(scenario)


def test_what_is_typed_in_a_short_list_of_people_filters_it_and_is_said_to_nobody(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "l")
        assert table.app.main.focused is table.app.main.filter
        await table.press("u", "enter")
        assert table.app.main.filter.value == "lu"
        assert not table.client.sent_of(Say)
        assert [request.name for request in table.client.sent_of(GetInfo)] == ["luis"]

    ChatTable(clock).run(scenario)


def test_the_filter_is_shown_as_soon_as_something_is_typed_in_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        letters = table.app.main.filter
        await table.press("f3")
        assert not letters.display
        await table.press("l", "u")
        assert (letters.display, letters.value) == (True, "lu")

    ChatTable(clock, connected=False).run(scenario)


def test_ctrl_c_three_times_leaves(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("h", "i", "ctrl+c")
        assert table.composer.text == ""
        await table.press("ctrl+c")
        assert (table.composer.text, table.hint) == ("/quit", "Press Enter to leave.")
        await table.press("ctrl+c")
        await table.until(lambda: table.app.return_value is not None)
        assert table.app.return_value == Ending(0, [])

    ChatTable(clock).run(scenario)


def test_what_is_typed_takes_the_place_of_the_command_that_leaves(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("ctrl+c", "h", "i")
        assert table.composer.text == "hi"

    ChatTable(clock).run(scenario)


def test_a_hint_about_the_connection_goes_when_that_changes(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        await table.enter("hola")
        assert table.hint.startswith("There is no connection")
        await table.come_back()
        assert table.hint == "What you typed has not been sent yet. Press Enter to send it."
        assert table.composer.text == "hola"
        await table.press("enter")
        assert table.hint == ""
        await table.lose()
        await table.press("f4")
        assert table.hint.startswith("There is no connection")
        await table.come_back()
        assert table.hint == ""

    ChatTable(clock).run(scenario)


def test_letters_typed_in_a_list_go_to_the_composer(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f2", "h", "o")
        assert table.composer.text == "ho"
        assert table.app.main.focused is table.composer

    ChatTable(clock).run(scenario)


def test_each_conversation_has_its_own_draft(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("psst"))
        table.composer.insert("for all")
        await table.press("ctrl+n")
        assert (table.composer.text, table.hint) == ("", "")
        assert table.composer.placeholder == "Write only to luis"
        table.composer.insert("for luis")
        await table.press("ctrl+n")
        assert table.composer.text == "for all"
        await table.press("ctrl+p")
        assert table.composer.text == "for luis"
        assert table.title("#entry") == "Only to luis"

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize("size", [USUAL, SMALL])
def test_what_is_new_above_the_view_is_a_key_away(clock: Clock, size: tuple[int, int]) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("old"))
        await table.enter("@luis")
        await table.hear(*(table.said(f"number {number}") for number in range(40)))
        await table.press("ctrl+n")
        assert table.hint == "F6: go to what is new here."
        assert "New since you were here" not in table.shown
        await table.press("f6")
        assert "New since you were here" in table.rows[2]
        assert "number 0" in table.rows[3]
        await table.press("ctrl+end", "ctrl+n")
        assert table.current.name == "luis"
        await table.press("ctrl+n", "f6")
        assert table.hint == "Nothing is marked as new in this conversation."

    ChatTable(clock).run(scenario, size)


def test_before_there_is_a_connection_the_screen_says_where_it_connects_to(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.title("#middle") == "Connecting to 192.168.1.10, port 5000…"
        assert table.item("#own-status") == "ana ?"
        assert table.item("#connection") == "connecting…"
        assert table.app.main.query_one("TitleBar").has_class("-lost")
        table.composer.insert("typed early")
        await table.connect()
        assert table.composer.text == "typed early"
        assert not table.app.main.query_one("TitleBar").has_class("-lost")
        assert table.hint == "What you typed has not been sent yet. Press Enter to send it."

    ChatTable(clock, connected=False).run(scenario)


def test_the_own_status_is_shown_with_the_one_that_was_asked_for(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.item("#own-status") == "ana ● ACTIVO"
        table.client.held.add(SetStatus)
        await table.enter("/status busy")
        assert table.item("#own-status") == "ana ● ACTIVO → OCUPADO…"
        await table.lose()
        assert table.item("#own-status").startswith("ana ?")
        assert table.app.main.query_one("TitleBar").has_class("-lost")

    ChatTable(clock).run(scenario)


def test_a_hint_goes_with_the_next_change_of_the_text(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        main.hint("\x1bone")
        await table.settle()
        assert table.hint == "␛one"
        await table.press("x")
        assert not main.query_one("#hint").display
        main.hint("two")
        table.composer.load("")  # it was sent: the hint may be about that
        await table.settle()
        assert table.hint == "two"
        table.composer.load("y")
        main.hint("three")
        await table.settle()
        assert table.hint == "three"

    ChatTable(clock).run(scenario)


def test_keys_that_are_no_text_are_not_typed(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        main.set_focus(main.conversation_list)
        await table.press("f12")
        main.post_message(Key("ctrl+b", "\x02"))
        await table.settle()
        assert main.focused is main.conversation_list
        assert table.composer.text == ""

    ChatTable(clock).run(scenario)


def test_a_message_can_be_marked_only_where_there_is_one(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.press("f5")
        assert table.hint == "There is no message here."
        await table.hear(table.direct("psst"))
        await table.press("f5")
        assert table.hint == "↑ ↓: choose · Enter: what can be done · Esc: back"
        await table.press("escape")
        assert table.log.marked is None

    ChatTable(clock).run(scenario)


def test_a_key_shows_one_column_of_a_small_screen_and_the_most_urgent_conversation(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        await table.press("f2")
        assert main.conversation_list.highlighted == ""
        await table.hear(table.direct("psst", "luis"))
        await table.press("f2")
        assert main.conversation_list.highlighted == "luis"
        assert (main.conversations_pane.display, main.people_pane.has_class("shown")) == (
            True, False
        )  # fmt: skip
        await table.press("f3")
        assert main.people_pane.has_class("shown")
        assert not main.conversations_pane.has_class("shown")
        assert table.composer.placeholder == "Esc: back to writing"
        await table.press("escape")
        assert table.composer.placeholder == "Write to everyone"
        assert not main.people_pane.has_class("shown")

    ChatTable(clock).run(scenario, SMALL)


def test_a_name_in_the_filter_is_asked_about_and_other_text_goes_to_the_composer(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        await table.press("f3", "l", "u", "i", "x", "enter")
        assert (table.composer.text, main.filter.value) == ("luix", "")
        assert main.focused is table.composer
        await table.press("f3")
        main.people_list.rows = []
        main.filter.display = True
        main.set_focus(main.filter)
        await table.press("enter")  # with nothing in it
        assert table.composer.text == "luix"
        assert main.focused is main.filter
        assert table.client.sent_of(GetInfo) == []

    ChatTable(clock).run(scenario)


def test_the_palette_offers_an_operator_more_and_a_closed_one_does_nothing(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        def offered() -> set[str]:
            palette: Any = table.app.screen
            assert isinstance(palette, PaletteDialog)
            return {row.key for row in palette.query_one(OfferList).rows}

        await table.press("f9")
        usual = offered()
        await table.press("escape")
        time = "2026-11-22T15:04:05.000Z"
        await table.hear(Role(seq=table._next(), time=time, name="ana", operator=True))
        await table.press("f9")
        assert len(offered()) > len(usual)
        await table.press("escape")
        assert (table.composer.text, table.app.screen) == ("", table.app.main)

    ChatTable(clock).run(scenario)


def test_only_a_text_that_a_command_takes_away_is_said_to_be_kept(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f9", *"search", "enter")
        assert (table.composer.text, table.hint) == ("/search ", "")
        table.composer.load("half a line")
        await table.press("f9", *"search", "enter")
        assert table.composer.text == "/search "
        assert table.hint == "Your text is kept: ↑ brings it back."
        table.composer.load("")
        await table.press("f9", *"/users", "enter")  # has a key: its action
        await table.until(lambda: table.app.main.focused is table.app.main.people_list)
        await table.press("escape", "f9", *"/seen", "enter")
        await table.until(lambda: table.hint.startswith("You have not said anything"))

    ChatTable(clock).run(scenario)


def test_a_selection_is_copied_before_anything_is_cleared(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        await table.hear(table.said("to be copied"))
        table.composer.load("half a line")
        main.hint("a hint")
        main.selections = {main.query_one("#hint"): SELECT_ALL, table.log: SELECT_ALL}
        assert main.get_selected_text() == "to be copied"
        await table.press("ctrl+c")
        assert table.app.clipboard.endswith("to be copied")
        assert (table.composer.text, main.get_selected_text()) == ("half a line", None)
        table.composer.select_all()
        await table.press("ctrl+c")
        assert table.app.clipboard == "half a line"
        assert table.composer.text == "half a line"

    ChatTable(clock).run(scenario)


def test_the_candidates_are_shown_in_turn_from_the_chosen_one(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        for words, chosen, hint in (
            (["@ana ", "@eva ", "@luis "], 1, "[@eva] @luis @ana"), ([], -1, "")
        ):  # fmt: skip
            table.composer.post_message(Composer.Candidates(words, chosen))
            await table.settle()
            assert table.hint == hint

    ChatTable(clock).run(scenario)


def test_a_paste_is_explained_if_it_has_several_lines_or_is_too_long(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.post_message(Composer.Pasted(1, 5))
        await table.settle()
        assert table.hint == ""
        table.composer.post_message(Composer.Pasted(2, 11))
        await table.settle()
        assert table.hint.startswith("2 lines pasted (11 characters).")
        table.composer.post_message(Composer.PasteTooLong(MAX_TEXT_BYTES + 1))
        await table.settle()
        assert table.hint == (
            "Not pasted: the text has 16385 bytes, and a message can have at most 16384."
        )

    ChatTable(clock).run(scenario)


def test_drafts_are_the_typed_texts_of_all_conversations(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        await table.hear(table.direct("psst", "luis"), table.direct("psst", "José"))
        assert main.drafts(table.model.conversations) == []
        table.composer.load("for all")
        await table.press("ctrl+n")
        table.composer.load("  ")
        await table.press("ctrl+n")
        table.composer.load("/quit")
        assert main.drafts(table.model.conversations) == ["for all"]
        table.composer.load("for one")
        assert main.drafts(table.model.conversations) == ["for one", "for all"]
        assert main.drafts(None) == ["for one"]
        await table.press("ctrl+n")
        assert table.composer.text == "for all"
        table.composer.load("")
        assert main.drafts(table.model.conversations) == ["for one"]

    ChatTable(clock).run(scenario)


def test_a_message_that_arrives_leaves_the_cursor_where_it_is(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("a", "b", "home")
        await table.hear(table.said("hello"))
        await table.press("x")
        assert table.composer.text == "xab"

    ChatTable(clock).run(scenario)
