"""The list of conversations: its width, its hint, and a key that closes one."""

import pytest
from plain_table import Clock
from table import ChatTable

from tertulia.tui.widgets.conversationspane import MAX_WIDTH, MIN_WIDTH, ConversationList


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


def test_the_width_of_a_name_is_that_of_what_is_shown(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.direct("psst", "日本語日本\x1b"))
        assert "日本語日本␛" in table.shown
        assert table.app.main.conversations_pane.outer_size.width == 5 * 2 + 1 + 12

    ChatTable(clock).run(scenario)


def test_a_hint_stands_below_the_general_chat_while_there_is_nothing_else(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        rows = table.app.main.conversation_list
        assert table.title("#left") == "Chats"
        assert table.item("#no-conversations").startswith("To write to one person only")
        assert rows.size.height == 2
        await table.hear(table.direct("psst", "luis"))
        assert table.item("#no-conversations") == ""
        assert rows.size.height > 2

    ChatTable(clock).run(scenario)


def test_the_pane_keeps_its_width_when_a_long_name_goes(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        pane = table.app.main.conversations_pane
        await table.hear(table.direct("psst", "bartolome"), table.direct("psst", "bartolome12"))
        wide = pane.outer_size.width
        table.app.controller.navigation.close("bartolome12")
        await table.settle()
        assert {row.key for row in table.app.main.conversation_list.rows} == {"", "bartolome"}
        assert pane.outer_size.width == wide == len("bartolome12") + 12

    ChatTable(clock).run(scenario)


def test_a_key_closes_the_highlighted_conversation(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        rows = table.app.main.conversation_list
        await table.hear(*(table.direct("psst", name) for name in ("luis", "José", "eva")))
        rows.highlight("José")
        rows.focus()
        await table.press("delete")
        assert {row.key for row in rows.rows} == {"", "luis", "eva"}

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_without_a_highlighted_conversation_there_is_nothing_to_close(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        posted: list[object] = []
        empty = ConversationList()
        empty.post_message = posted.append  # type: ignore[method-assign, assignment]
        empty.action_close()
        assert posted == []

    ChatTable(clock).run(scenario)
