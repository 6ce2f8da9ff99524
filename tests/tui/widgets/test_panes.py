"""The parts of the screen: whose line it is, where the focus is, and what stands in empty lists."""

import pytest
from plain_table import Clock
from table import DAY, SMALL, USUAL, WIDE, ChatTable
from textual.color import Color

from tertulia.i18n import set_language
from tertulia.protocol.messages import ChatMessage, Status
from tertulia.tls.fingerprint import Fingerprint
from tertulia.tui.widgets.conversationspane import MAX_WIDTH, MIN_WIDTH


def border(table: ChatTable, selector: str) -> tuple[str, Color]:
    return table.app.main.query_one(selector).styles.border_top


def test_the_border_of_the_line_says_who_gets_it_by_word_colour_and_kind(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        seen = {}
        for line in ("", "hello", "@luis hello", "/all hello", "/users", "@nadie hello"):
            table.composer.load(line)
            await table.settle()
            kind, colour = border(table, "#entry")
            seen[line] = (table.title("#entry"), kind, colour)
        assert seen[""] == seen["hello"] == seen["/all hello"]
        words, kinds, colours = zip(
            *(seen[line] for line in ("", "@luis hello", "/users")), strict=True
        )
        assert len(set(words)) == len(set(colours)) == 3
        assert kinds == ("round", "double", "round")
        assert seen["@nadie hello"][0] == "Nobody called “nadie” is here: Enter sends nothing"

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
def test_in_the_conversation_with_one_person_the_empty_line_says_so(
    clock: Clock, size: tuple[int, int]
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        assert border(table, "#entry")[0] == "double"
        assert "Only to luis" in table.shown
        assert "Write only to luis" in table.shown
        await table.press("ctrl+n")
        assert border(table, "#entry")[0] != "double"
        assert "To everyone" in table.shown

    ChatTable(clock).run(scenario, size)


def test_who_gets_the_line_follows_those_who_come_and_go(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.load("@eva hello")
        await table.settle()
        assert "Enter sends nothing" in table.title("#entry")
        await table.hear(table.joined("eva"))
        assert table.title("#entry") == "Only to eva"

    ChatTable(clock).run(scenario)


def test_the_pane_with_the_focus_has_another_border_than_the_others(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        panes = ("#entry", "#left", "#right")
        for number, key in enumerate(("escape", "f2", "f3")):
            await table.press(key)
            colours = [border(table, pane)[1] for pane in panes]
            assert colours.count(colours[number]) == 1
            styles = [table.app.main.query_one(p).styles.border_title_style for p in panes]
            assert [bool(style.reverse) for style in styles].index(True) == number

    ChatTable(clock).run(scenario)


def test_a_title_is_text_and_no_markup(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.composer.load("@[b]x[/b] hello")
        await table.settle()
        assert "Nobody called “[b]x[/b]” is here" in table.shown

    ChatTable(clock).run(scenario)


def test_the_column_of_conversations_is_as_wide_as_its_names_need(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        def width() -> int:
            return table.app.main.conversations_pane.size.width + 2

        assert width() == MIN_WIDTH
        await table.hear(table.direct("psst", "luis"))
        assert width() == MIN_WIDTH
        await table.hear(table.direct("psst", "bartolome12"))
        await table.until(lambda: width() == len("bartolome12") + 12)
        assert "! bartolome12 (1)" in table.shown
        await table.hear(table.direct("psst", "a" * 32))
        await table.until(lambda: width() == MAX_WIDTH)

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize(
    ("language", "alone", "no_talks"),
    [
        ("en", "Nobody else is here yet", "To write to one"),
        ("es", "Todavía no hay nadie más", "Para escribir"),
    ],
)
def test_empty_lists_say_what_can_be_done(
    clock: Clock, language: str, alone: str, no_talks: str
) -> None:
    set_language(language)

    async def scenario(table: ChatTable) -> None:
        assert alone in " ".join(table.item("#nobody-else").split())
        assert "192.168.1.10 5000" in table.item("#nobody-else")
        assert table.item("#no-conversations").startswith(no_talks)
        await table.hear(table.joined("eva"), table.direct("psst", "eva"))
        assert table.item("#nobody-else") == table.item("#no-conversations") == ""
        await table.hear(table.left("eva"))
        assert alone in table.item("#nobody-else")

    ChatTable(clock, people={"ana": Status.ACTIVO}).run(scenario)


def test_the_command_for_others_has_tls_where_this_user_has_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.item("#nobody-else").endswith("192.168.1.10 5000 --tls")

    table = ChatTable(clock, people={"ana": Status.ACTIVO})
    table.client.fingerprint = Fingerprint(bytes(32))
    table.run(scenario)


def test_a_filter_without_a_match_says_so(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "x", "y")
        assert table.item("#nobody-else") == "No name contains “xy”. Esc: show everyone."
        await table.press("escape")
        assert table.item("#nobody-else") == ""

    ChatTable(clock).run(scenario)


def test_the_keys_in_the_key_bar_have_a_colour_of_their_own(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        styles = {segment.text: segment.style for segment in table.strips[-1]}
        assert styles["F1"] is not None
        assert styles[" Help"] is not None
        assert styles["F1"].color != styles[" Help"].color

    ChatTable(clock).run(scenario)


def test_a_conversation_without_messages_says_who_will_read_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert "There are no messages yet." in table.shown
        await table.enter("@luis")
        assert table.item("#no-messages").startswith("No messages with luis yet.")
        await table.enter("hello")
        assert table.item("#no-messages") == ""
        await table.press("ctrl+n")
        assert table.item("#no-messages") == ""

    ChatTable(clock).run(scenario)


def test_the_words_for_no_messages_stand_only_where_there_are_none(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert "There are no messages yet." not in table.shown

    history = [ChatMessage(seq=3, time=f"{DAY}T10:00:00Z", sender="luis", text="hello")]
    ChatTable(clock, history=history).run(scenario)
