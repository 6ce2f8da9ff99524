"""Every key of the table and everything that can be clicked, on the screen."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest
from plain_table import Clock
from table import SMALL, USUAL, WIDE, ChatTable
from textual.selection import SELECT_ALL

from tertulia.protocol.messages import Direct, GetInfo, SetStatus, Status
from tertulia.tui.keys import KEYS, bindings
from tertulia.tui.terminal import bareview
from tertulia.tui.terminal.answers import TerminalNamed
from tertulia.tui.widgets.chatlog import ChatLog
from tertulia.tui.widgets.dialogs import ChoiceDialog, HelpDialog, SearchDialog
from tertulia.tui.widgets.palette import PaletteDialog

Scenario = Callable[[ChatTable], Awaitable[None]]
tested_keys: dict[str, Scenario] = {}


def key(name: str) -> Callable[[Scenario], Scenario]:
    """Note which key of the table a scenario is about."""

    def note(scenario: Scenario) -> Scenario:
        tested_keys[name] = scenario
        return scenario

    return note


@key("ctrl+z")
async def ctrl_z_stops_the_program(table: ChatTable) -> None:
    table.app._signals.stop_job = lambda: False  # type: ignore[method-assign]
    await table.press("x", "ctrl+z")
    assert table.hint == "There is no shell to go back to."
    assert table.composer.text == "x"


async def many_lines(table: ChatTable) -> None:
    await table.hear(*[table.said(f"number {number}") for number in range(60)])


async def three_talks(table: ChatTable) -> None:
    await table.hear(table.direct("one", "luis"), table.direct("two", "José"))


@key("enter")
async def enter_sends(table: ChatTable) -> None:
    await table.enter("hello")
    assert table.texts == ["hello"]
    assert table.composer.text == ""


@key("alt+enter")
async def alt_enter_begins_a_line(table: ChatTable) -> None:
    await table.press("a", "alt+enter", "b", "ctrl+j", "c")
    assert table.composer.text == "a\nb\nc"


@key("tab")
async def tab_completes(table: ChatTable) -> None:
    await table.press("@", "l", "tab")
    assert table.composer.text == "@luis "


@key("up")
async def up_brings_what_was_sent(table: ChatTable) -> None:
    await table.enter("first")
    await table.enter("second")
    await table.press("up", "up")
    assert table.composer.text == "first"
    await table.press("down")
    assert table.composer.text == "second"


@key("escape")
async def escape_goes_back_to_the_composer(table: ChatTable) -> None:
    await table.press("f3")
    assert table.app.main.focused is table.app.main.people_list
    await table.press("escape")
    assert table.app.main.focused is table.composer


@key("f1")
async def f1_shows_help(table: ChatTable) -> None:
    await table.press("f1")
    assert isinstance(table.app.screen, HelpDialog)
    await table.press("escape")
    assert table.app.screen is table.app.main


@key("f2")
async def f2_goes_to_the_conversations(table: ChatTable) -> None:
    await three_talks(table)
    await table.press("f2", "enter")  # it begins where Ctrl+G would go
    assert table.current.name == "José"
    await table.press("f2", "enter")
    assert table.current.name == "luis"
    await table.press("f2", "home", "enter")
    assert table.current.name == ""
    assert table.app.main.focused is table.composer


@key("f3")
async def f3_goes_to_the_people(table: ChatTable) -> None:
    await table.press("f3", "end", "enter")
    assert table.client.sent_of(GetInfo) == [GetInfo(name="luis")]
    assert isinstance(table.app.screen, ChoiceDialog)
    await table.press("up", "enter")
    assert table.current.name == "luis"


@key("f4")
async def f4_asks_for_a_status(table: ChatTable) -> None:
    await table.press("f4", "down", "enter")
    assert table.client.sent_of(SetStatus) == [SetStatus(status=Status.OCUPADO)]
    assert table.item("#own-status") == "ana ◐ OCUPADO"


@key("f9")
async def f9_offers_all_commands(table: ChatTable) -> None:
    await table.press("f9")
    assert isinstance(table.app.screen, PaletteDialog)


@key("f5")
async def f5_marks_a_message(table: ChatTable) -> None:
    await table.hear(table.said("to be marked"))
    await table.press("f5")
    assert table.app.main.log_view.marked is table.current.entries[-1]
    await table.press("enter")
    assert "luis: to be marked" in table.shown


@key("f7")
async def f7_shows_bare_text(table: ChatTable) -> None:
    table.app.suspend = contextlib.nullcontext  # type: ignore[method-assign]
    await table.hear(table.said("to be copied"))
    await table.press("f7")


@key("f8")
async def f8_changes_the_colours(table: ChatTable) -> None:
    assert table.app.theme == "tertulia-dark"
    await table.press("f8")
    assert table.app.theme == "tertulia-light"
    await table.press("f8")
    assert table.app.theme == "tertulia-dark"


@key("ctrl+n")
async def ctrl_n_turns_to_the_next(table: ChatTable) -> None:
    await three_talks(table)
    await table.press("ctrl+n")
    assert table.current.name == "José"
    await table.press("ctrl+n", "ctrl+n")
    assert table.current.name == ""


@key("ctrl+p")
async def ctrl_p_turns_to_the_one_before(table: ChatTable) -> None:
    await three_talks(table)
    await table.press("ctrl+p")
    assert table.current.name == "luis"


@key("ctrl+t")
async def ctrl_t_goes_where_the_last_message_went_and_back(table: ChatTable) -> None:
    await three_talks(table)
    await table.enter("@luis hello")  # José's conversation is the next one
    await table.press("ctrl+t")
    assert table.current.name == "luis"
    await table.press("ctrl+t")
    assert table.current.name == ""


@key("f6")
async def f6_goes_to_what_is_new(table: ChatTable) -> None:
    await table.enter("@luis")
    await many_lines(table)
    table.app.controller.navigation.open("")
    await table.press("f6")
    assert table.app.main.log_view.reading_place.entry is table.current.new_mark


@key("delete")
async def delete_closes_a_conversation_of_the_list(table: ChatTable) -> None:
    await table.hear(table.direct("psst", "luis"))
    await table.press("f2", "home", "down", "delete")
    assert "luis" not in [row.key for row in table.app.main.conversation_list.rows]


@key("ctrl+g")
async def ctrl_g_turns_to_what_is_unread(table: ChatTable) -> None:
    await three_talks(table)
    await table.press("ctrl+g")
    assert table.current.name == "José"
    await table.hear(table.said("nothing special"))
    await table.press("ctrl+g")
    assert table.current.name == "luis"
    await table.press("ctrl+g")
    assert table.current.name == ""


@key("pageup")
async def page_up_reads_further_up(table: ChatTable) -> None:
    await many_lines(table)
    end = table.log.scroll_y
    await table.press("pageup")
    assert 0 < table.log.scroll_y < end


@key("pagedown")
async def page_down_reads_further_down(table: ChatTable) -> None:
    await many_lines(table)
    await table.press("ctrl+home", "pagedown")
    assert 0 < table.log.scroll_y < table.log.max_scroll_y


@key("ctrl+home")
async def ctrl_home_goes_to_the_oldest(table: ChatTable) -> None:
    await many_lines(table)
    await table.press("ctrl+home")
    assert table.log.scroll_y == 0


@key("ctrl+end")
async def ctrl_end_goes_to_the_newest(table: ChatTable) -> None:
    await many_lines(table)
    await table.press("ctrl+home", "ctrl+end")
    assert table.log.at_end


@key("ctrl+l")
async def ctrl_l_draws_the_screen_anew(table: ChatTable) -> None:
    asked: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table.app, "refresh", lambda **options: asked.append(options))
        await table.press("ctrl+l")
    assert {"layout": True} in asked


@key("ctrl+r")
async def ctrl_r_sends_again(table: ChatTable) -> None:
    await table.enter("@luis")
    luis = table.people.pop("luis")
    await table.enter("hello")
    table.people["luis"] = luis
    await table.press("ctrl+r")
    *_, first, second = table.client.sent_of(Direct)
    assert first == second
    assert first.nonce


@key("ctrl+c")
async def ctrl_c_copies_then_clears_then_prepares_to_leave(table: ChatTable) -> None:
    await table.hear(table.said("to be copied"))
    table.composer.insert("half a line")
    table.app.main.selections = {table.log: SELECT_ALL}
    await table.press("ctrl+c")
    assert table.app.clipboard == "to be copied"
    assert table.hint == "Copied."
    assert table.composer.text == "half a line"
    await table.press("ctrl+c")
    assert table.composer.text == ""
    await table.press("ctrl+c")
    assert (table.composer.text, table.hint) == ("/quit", "Press Enter to leave.")
    await table.press("enter")
    assert table.app.return_value is not None


@key("ctrl+q")
async def ctrl_q_leaves(table: ChatTable) -> None:
    await table.press("ctrl+q")
    assert table.app.return_value == (0, [], None)


@key("ctrl+d")
async def ctrl_d_leaves_when_nothing_is_typed(table: ChatTable) -> None:
    table.composer.load("ab")
    await table.press("home", "ctrl+d")
    assert table.composer.text == "b"
    assert table.app.return_value is None
    await table.press("ctrl+d", "ctrl+d")
    assert table.app.return_value == (0, [], None)


LAST = ("ctrl+c", "ctrl+q", "ctrl+d")  # nothing can be pressed after these


@pytest.mark.long
def test_each_key_does_what_the_help_says(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bareview, "show_until_key", lambda _text: None)

    async def press_all(table: ChatTable) -> None:
        for name, scenario in tested_keys.items():
            if name not in LAST:
                await scenario(table)
                await table.clear()

    ChatTable(clock).run(press_all, USUAL)


@pytest.mark.parametrize("name", LAST)
def test_a_key_that_leaves_does_what_the_help_says(clock: Clock, name: str) -> None:
    ChatTable(clock).run(tested_keys[name], USUAL)


def test_every_key_of_the_table_is_tested() -> None:
    assert {row.keys for row in KEYS} == set(tested_keys)


def test_every_binding_can_be_identified_and_explained() -> None:
    made = bindings()
    assert [binding.key for binding in made] == [row.keys for row in KEYS if row.action]
    assert all(binding.id and binding.tooltip for binding in made)


def test_the_bare_text_is_printed_whole_while_the_screen_is_away(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []
    monkeypatch.setattr(bareview, "show_until_key", printed.append)

    async def scenario(table: ChatTable) -> None:
        await f7_shows_bare_text(table)

    ChatTable(clock).run(scenario)
    assert "[15:04] luis: to be copied" in printed[0].splitlines()


async def click_own_status(table: ChatTable) -> None:
    await table.click("#own-status")
    assert isinstance(table.app.screen, ChoiceDialog)
    await table.click_on("◐ OCUPADO")
    assert table.item("#own-status") == "ana ◐ OCUPADO"


async def click_unread(table: ChatTable) -> None:
    await three_talks(table)
    assert table.item("#unread") == "! 2 unread: F2"
    await table.click("#unread")
    assert table.current.name == "José"


async def click_conversation(table: ChatTable) -> None:
    await three_talks(table)
    await table.press("f2")
    await table.click("#conversations", (4, 2))
    assert table.current.name == "luis"


async def click_person(table: ChatTable) -> None:
    await table.press("f3")
    await table.click("#people", (4, 2))
    await table.click_on("Write a direct message")
    assert table.current.name == "luis"


async def click_below(table: ChatTable) -> None:
    await many_lines(table)
    await table.press("ctrl+home")
    await table.hear(table.said("one more"))
    assert table.item("#below") == "▼ 1 new below"
    await table.click("#below", (3, 0))
    assert table.log.at_end
    assert table.item("#below") == ""


async def click_failed_message(table: ChatTable) -> None:
    await table.enter("@luis")
    luis = table.people.pop("luis")
    await table.enter("hello")
    table.people["luis"] = luis
    await table.click_on("Not delivered")
    assert len(table.client.sent_of(Direct)) == 2


async def click_hint_of_a_dialog(table: ChatTable) -> None:
    await table.press("f1")
    await table.click("#dialog-hint")
    assert table.app.screen is table.app.main


async def click_beside_a_dialog(table: ChatTable) -> None:
    await table.press("f4")
    await table.click_at(0, 0)
    assert table.app.screen is table.app.main


async def click_what_was_found(table: ChatTable) -> None:
    await table.hear(table.said("a needle"))
    await table.enter("/search needle")
    await table.click("#found", (12, 0))
    assert isinstance(table.app.screen, SearchDialog)


CLICKS: list[Scenario] = [
    click_unread, click_own_status, click_conversation, click_person, click_below,
    click_failed_message, click_hint_of_a_dialog, click_beside_a_dialog, click_what_was_found,
]  # fmt: skip


@pytest.mark.long
def test_each_click_does_what_a_key_does(clock: Clock) -> None:
    async def click_all(table: ChatTable) -> None:
        for scenario in CLICKS:
            await scenario(table)
            await table.clear()

    ChatTable(clock).run(click_all, SMALL)


@pytest.mark.long
def test_each_word_of_the_key_bar_can_be_clicked(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bareview, "show_until_key", lambda _text: None)

    async def scenario(table: ChatTable) -> None:
        table.app.suspend = contextlib.nullcontext  # type: ignore[method-assign]
        await table.click_on("F1 Help")
        assert isinstance(table.app.screen, HelpDialog)
        await table.press("escape")
        await table.click_on("F2 Chats")
        assert table.app.main.focused is table.app.main.conversation_list
        await table.click_on("F3 People")
        assert table.app.main.focused is table.app.main.people_list
        await table.click_on("F4 Status")
        assert isinstance(table.app.screen, ChoiceDialog)
        await table.press("escape")
        await table.click_on("F9 Commands")
        assert isinstance(table.app.screen, PaletteDialog)
        await table.press("escape")
        await table.click_on("F7 Text")
        await table.click_on("^Q Quit")
        assert table.app.return_value == (0, [], None)

    ChatTable(clock).run(scenario, USUAL)


def test_a_double_click_on_a_message_selects_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("one"), table.said("two"))
        line = next(y for y, row in enumerate(table.rows) if "luis       one" in row)
        await table.click_at(14, line, times=2)
        await table.press("ctrl+c")
        assert table.app.clipboard == "one"

    ChatTable(clock).run(scenario, USUAL)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
def test_what_is_copied_is_what_was_said(clock: Clock, size: tuple[int, int]) -> None:
    long = "a text that is as long as it takes to be wrapped into several lines " * 3 + "end"
    code = "def f():\n\tif x:\n\t\treturn 1"

    async def scenario(table: ChatTable) -> None:
        await table.enter("//mine")
        await table.hear(table.said(long), table.said(code), table.said("👏🏽 one", "José"))
        table.app.main.selections = {table.log: SELECT_ALL}
        await table.press("ctrl+c")
        assert table.app.clipboard == "\n".join(
            ["ana: /mine", f"luis: {long}", f"luis: {code}", "José: 👏🏽 one"]
        )
        await table.until(lambda: table.hint == "Copied.")
        await table.settle()  # the hint has taken a row of the log
        start = next(y for y, row in enumerate(table.rows) if "def f()" in row)
        x = table.rows[start].index("def f()")
        await drag(table, (x + 4, start), (x + len("    if x"), start + 1))
        await table.press("ctrl+c")
        assert table.app.clipboard.startswith("f():\n\tif x")

    ChatTable(clock).run(scenario, size)


def test_a_drag_that_leaves_the_messages_copies_nothing_from_beside_them(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("one two"), table.said("three", "José"))
        y = next(y for y, row in enumerate(table.rows) if "one two" in row)
        x = table.rows[y].index("one two")
        for end, copied in (
            ((x + 3, len(table.rows) - 1), "luis: one two\nJosé: three"),
            ((2, y + 1), "luis: one two\nJosé: three"),
            ((x + 2, y), "one"),
        ):
            await drag(table, (x, y), end)
            assert table.app.screen.get_selected_text() == copied
        name = table.rows[y].index("luis")
        await drag(table, (name, y), (name + 3, y))
        assert table.app.screen.get_selected_text() == "luis"
        await drag(table, (x, y), (x, 0))
        assert "Tab completes names." in (table.app.screen.get_selected_text() or "")
        assert "luis" not in (table.app.screen.get_selected_text() or "")

    ChatTable(clock).run(scenario, WIDE)


async def drag(table: ChatTable, start: tuple[int, int], end: tuple[int, int]) -> None:
    await table.pilot.mouse_down(offset=start)
    await table.pilot.hover(offset=end)
    await table.pilot.mouse_up(offset=end)
    await table.settle()


def test_where_the_clipboard_may_get_nothing_the_hint_says_so(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.app.post_message(TerminalNamed("XTerm(379)"))
        await table.hear(table.said("one"))
        table.app.main.selections = {table.log: SELECT_ALL}
        await table.press("ctrl+c")
        assert "press F7, or drag with Shift" in table.hint
        assert table.app.clipboard == "one"

    ChatTable(clock, has_clipboard=lambda name: name != "XTerm(379)").run(scenario)


def test_a_text_is_copied_from_a_dialog(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("uno dos"), table.said("tres"))
        await table.enter("/search dos")
        dialog = table.app.screen
        table.app.screen.selections = {dialog.query_one(ChatLog): SELECT_ALL}
        await table.press("ctrl+c")
        assert table.app.clipboard == "uno dos"
        assert "Copied." in table.shown
        await table.press("ctrl+c")
        assert table.app.screen is table.app.main

    ChatTable(clock).run(scenario)
