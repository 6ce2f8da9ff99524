"""The pane of the open conversation: its title, the pinned message, and words around it."""

import pytest
from plain_table import Clock
from table import DAY, USUAL, WIDE, ChatTable

from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import ChatMessage
from tertulia.protocol.moderation import Locked, Pinned
from tertulia.tui.model.conversations import GENERAL, Conversation

TIME = f"{DAY}T15:04:05.000Z"


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


def test_the_heading_does_not_tell_a_status_while_there_is_no_connection(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        assert table.title("#middle") == "luis ◐ OCUPADO: only you two can read this"
        await table.lose()
        assert "OCUPADO" not in table.title("#middle")
        assert "not here" not in table.title("#middle")

    ChatTable(clock).run(scenario)


def test_a_pinned_message_stays_on_top_in_two_lines_at_most(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        text = "\x1b[2J\u202e[b]" + "words " * 100
        message = StoredMessage(seq=3, time="", sender="luis", text=text)
        await table.hear(Pinned(seq=table._next(), time=TIME, by="eva", message=message))
        rows = [row for row in table.rows[:4] if "words" in row]
        assert len(rows) == 2
        assert rows[1].rstrip("│ ").endswith("…")
        assert "Pinned: luis: ␛[2J<U+202E>[b]words" in rows[0]
        await table.enter("@luis")
        assert "Pinned: " not in table.shown
        await table.press("ctrl+n")
        await table.hear(Pinned(seq=table._next(), time=TIME, by="eva"))
        assert "Pinned: " not in table.shown
        assert "eva took the pinned message down" in table.shown

    ChatTable(clock).run(scenario, USUAL)


def test_the_title_of_the_general_chat_says_how_many_can_read_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.title("#middle") == "General: everyone can read this (3 people)"
        await table.hear(Locked(seq=table._next(), time=TIME, on=True, by="eva"))
        assert table.title("#middle") == "General (closed): everyone can read this (3 people)"
        await table.lose()
        assert table.title("#middle") == "General: everyone can read this"

    ChatTable(clock).run(scenario)


def test_the_title_of_a_conversation_with_one_who_has_left_says_so(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.hear(table.left("luis"))
        assert table.title("#middle") == "luis not here: only you two can read this"
        await table.lose()
        assert table.title("#middle") == "luis ?: only you two can read this"

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_a_pinned_message_is_shortened_to_the_width_of_the_pane(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        width = table.app.main.chat_pane.size.width - 2

        async def lines_of(text: str) -> list[str]:
            message = StoredMessage(seq=3, time="", sender="luis", text=text)
            await table.hear(Pinned(seq=table._next(), time=TIME, by="eva", message=message))
            return table.item("#pinned").splitlines()

        two_lines = f"{'x' * (width - len('Pinned: luis: '))} {'y' * width}"
        assert await lines_of("short") == ["Pinned: luis: short"]
        assert len(await lines_of(two_lines)) == 2
        assert not table.item("#pinned").endswith("…")
        assert len(await lines_of(two_lines + "y")) == 2
        assert table.item("#pinned").endswith("…")
        await table.pilot.resize_terminal(*WIDE)
        await table.settle()
        assert len(table.item("#pinned").splitlines()) == 2

    ChatTable(clock).run(scenario, USUAL)


def test_the_number_of_new_messages_stands_below_the_view_until_it_is_at_the_end(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(*[table.said(f"number {number}") for number in range(60)])
        assert table.item("#below") == ""
        await table.press("pageup")
        await table.hear(table.said("new"), table.said("newer"))
        assert table.item("#below") == "▼ 2 new below"
        await table.press("ctrl+end")
        assert table.item("#below") == ""

    ChatTable(clock).run(scenario, USUAL)


def test_an_empty_general_chat_is_not_said_to_be_for_one_person(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        state = table.model.chat.state
        table.app.main.chat_pane.show_title(Conversation(GENERAL), state, known=True)
        assert table.item("#no-messages") == ""

    ChatTable(clock).run(scenario)
