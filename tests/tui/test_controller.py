"""What each command does, and what a typed line does with and without a connection."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from plain_table import Clock, without_nonces
from table import DAY, USUAL, WIDE, ChatTable
from textual.events import Paste

from tertulia.chat import settings
from tertulia.chat.bursts import QUIET_S
from tertulia.chat.command_table import COMMANDS, CommandSpec
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    ListUsers,
    Say,
    Search,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import BecomeOperator
from tertulia.tui.ending import Ending
from tertulia.tui.model import conversations
from tertulia.tui.model.timeline import Day, Said
from tertulia.tui.terminal import bareview
from tertulia.tui.widgets.chatlog import ChatLog
from tertulia.tui.widgets.dialogs import ChoiceDialog, HelpDialog, SearchDialog

Scenario = Callable[[ChatTable, str], Awaitable[None]]


async def msg(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} luis hola")
    assert (table.current.name, table.texts) == ("", [])
    await table.enter(f"{word} luis")
    assert (table.current.name, table.texts) == ("luis", ["hola"])
    await table.enter(f"{word} José")
    assert table.current.name == "José"


async def users(table: ChatTable, word: str) -> None:
    await table.enter(word)
    assert table.app.main.focused is table.app.main.people_list


async def info(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} luis")
    assert isinstance(table.app.screen, ChoiceDialog)
    assert "192.168.1.21" in table.shown
    await table.press("escape")
    await table.enter(f"{word} nadie")
    assert table.hint == "Nobody called “nadie” is connected."


async def status(table: ChatTable, word: str) -> None:
    table.client.held.add(SetStatus)
    await table.enter(f"{word} busy")
    assert table.item("#own-status") == "ana ● ACTIVO → OCUPADO…"
    table.client.answer(len(table.client.sent))
    await table.settle()
    assert table.item("#own-status") == "ana ◐ OCUPADO"
    table.client.held.clear()
    await table.enter(f"{word} ocupado")
    assert table.hint == "You are already OCUPADO."


async def to_all(table: ChatTable, word: str) -> None:
    await table.enter(word)
    assert table.hint == "Give a text: /all TEXT"
    table.composer.load("")
    await table.enter("@luis")
    await table.enter(f"{word} hola")
    assert [said.text for said in table.client.sent_of(Say)] == ["hola"]
    assert (table.current.name, table.hint) == ("luis", "Sent to everyone. Ctrl+T: go there.")
    assert table.client.sent_of(Direct) == []


async def history(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} 5")
    assert table.client.sent_of(GetHistory)[-1].limit == 5


async def search(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} needle")
    assert table.hint.startswith("No message contains “needle”.")
    await table.hear(table.said("a needle"))
    await table.enter(f"{word} needle")
    assert isinstance(table.app.screen, SearchDialog)
    assert len(table.client.sent_of(Search)) == 2


async def again(table: ChatTable, word: str) -> None:
    await table.enter(word)
    assert table.hint == "All messages here were delivered."
    await table.enter("@luis")
    luis = table.people.pop("luis")
    await table.enter("hello")
    assert "Not delivered: nobody called “luis”" in table.shown
    table.people["luis"] = luis
    await table.enter(word)
    first, second = table.client.sent_of(Direct)
    assert first == second
    assert "Not delivered" not in table.shown
    assert table.texts == ["hello"]


async def text(table: ChatTable, word: str) -> None:
    table.app.suspend = contextlib.nullcontext  # type: ignore[method-assign]
    await table.enter(word)
    assert table.composer.text == ""


async def notify(table: ChatTable, word: str) -> None:
    for mode, rings in (("off", 0), ("mentions", 2), ("all", 3)):
        table.rings = 0
        await table.enter(f"{word} {mode}")
        assert table.hint.startswith("The bell")
        await table.enter("@José")
        for message in (table.said("just so"), table.said("ana?"), table.direct("psst")):
            table.clock.now += QUIET_S
            await table.hear(message)
        assert table.rings == rings
    await table.enter(f"{word} loud")
    assert "off|mentions|at|all" in table.hint


async def theme(table: ChatTable, word: str) -> None:
    for mode, name in (("light", "light"), ("dark", "dark"), ("claro", "light"), ("", "dark")):
        await table.enter(f"{word} {mode}")
        assert table.app.theme == f"tertulia-{name}"


async def language(table: ChatTable, word: str) -> None:
    await table.enter("@luis")
    del table.people["luis"]
    await table.enter("hello")
    await table.enter(f"{word} es")
    assert "No se entregó" in table.shown
    assert "solo lo leen ustedes dos" in table.shown
    assert "3 personas" in table.shown
    assert "F1 Ayuda" in table.shown
    assert "Escribe solo a luis" in table.shown
    await table.press("escape", "ctrl+p")
    assert "Hola, ana. Estás ACTIVO." in table.shown
    await table.enter(f"{word} en")
    assert "Hello, ana. You are ACTIVO." in table.shown
    assert "Gente" not in table.shown


async def seen(table: ChatTable, word: str) -> None:
    await table.enter("hello")
    await table.enter(word)
    await table.until(lambda: "Not seen yet (2): José, luis" in table.shown)


async def plain(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} on")
    assert "starts line by line" in table.shown
    assert settings.load().settings.plain
    await table.enter(f"{word} no")
    assert "starts with the full screen" in table.shown
    assert not settings.load().settings.plain


async def close(table: ChatTable, word: str) -> None:
    await table.enter("@luis")
    await table.enter("hello")
    await table.enter(word)
    assert table.current.name == ""
    assert table.hint == "The conversation with luis is closed. A new message opens it again."
    assert [row.key for row in table.app.main.conversation_list.rows] == [""]


async def show_help(table: ChatTable, word: str) -> None:
    await table.enter(word)
    assert isinstance(table.app.screen, HelpDialog)


async def leave(table: ChatTable, word: str) -> None:
    await table.enter(word)
    assert table.app.return_value == Ending(0, [])


async def ignore(table: ChatTable, word: str) -> None:
    await table.enter(f"{word} luis")
    await table.hear(table.said("hidden"), table.direct("hidden too"))
    assert table.texts == []
    assert "luis" in table.shown
    await table.enter(word)
    assert table.hint == "luis: 2 messages hidden"


async def unignore(table: ChatTable, word: str) -> None:
    await table.enter("/ignore luis")
    await table.enter(f"{word} Luis")
    await table.hear(table.said("shown"))
    assert table.texts == ["shown"]


async def operator(table: ChatTable, word: str) -> None:
    await table.enter(word)
    await table.press(*"open", "enter")
    assert table.client.sent_of(BecomeOperator) == [BecomeOperator(secret="open")]
    assert "open" not in table.shown


SCENARIOS: dict[str, Scenario] = {
    "/msg": msg, "/all": to_all, "/users": users, "/info": info, "/status": status,
    "/history": history, "/close": close, "/theme": theme,
    "/search": search, "/seen": seen, "/resend": again, "/copy": text, "/notify": notify,
    "/language": language, "/plain": plain, "/help": show_help, "/quit": leave,
    "/ignore": ignore, "/unignore": unignore, "/operator": operator,
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.spanish)
def test_a_command_does_what_the_help_says(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, spec: CommandSpec
) -> None:
    monkeypatch.setattr(bareview, "show_until_key", lambda _text: None)

    async def scenario(table: ChatTable) -> None:
        await SCENARIOS[spec.english](table, spec.spanish)

    ChatTable(clock).run(scenario, WIDE)


@pytest.mark.long
def test_every_way_to_say_something_says_it_to_whom_it_is_meant(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        lines = ["hola", "//quit", "@@luis", "@luis psst", "hola otra vez"]
        lines += ["@luis", "to luis alone", "//help", "/todos back", "@luis more"]
        for line in lines:
            await table.enter(line)
        sent = [request for request in table.client.sent if isinstance(request, Say | Direct)]
        assert all(request.nonce for request in sent)
        assert [
            (request.to if isinstance(request, Direct) else "", request.text) for request in sent
        ] == [
            ("", "hola"), ("", "/quit"), ("", "@luis"), ("luis", "psst"), ("", "hola otra vez"),
            ("luis", "to luis alone"), ("luis", "/help"), ("", "back"), ("luis", "more"),
        ]  # fmt: skip
        assert table.texts == ["psst", "to luis alone", "/help", "more"]

    ChatTable(clock).run(scenario)


def test_from_the_general_chat_one_writes_to_one_person_and_stays_there(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis psst")
        assert table.current.name == ""
        assert table.hint == "Sent only to luis. Ctrl+T: go there."
        await table.press("ctrl+t")
        assert table.current.name == "luis"
        assert table.texts == ["psst"]

    ChatTable(clock).run(scenario)


def test_a_message_to_another_conversation_that_is_not_delivered_is_told_here(
    clock: Clock,
) -> None:
    gone = Error(code=ErrorCode.USER_NOT_CONNECTED, message="gone", name="luis")

    async def scenario(table: ChatTable) -> None:
        table.refusals[Direct] = gone
        await table.enter("@luis psst")
        await table.until(lambda: "Not delivered" in table.hint)
        assert table.hint == "Not delivered: nobody called “luis” is connected."
        await table.enter("@luis")
        await table.enter("once more")
        await table.until(lambda: len(table.client.sent_of(Direct)) == 2)
        assert table.hint == ""  # the message itself shows it

    ChatTable(clock).run(scenario)


def test_what_was_sent_before_is_that_of_the_conversation(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.enter("to luis alone")
        await table.press("ctrl+n", "up")
        assert (table.current.name, table.composer.text) == ("", "@luis")
        await table.press("ctrl+n", "up")
        assert (table.current.name, table.composer.text) == ("luis", "to luis alone")

    ChatTable(clock).run(scenario)


@pytest.mark.long
@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("@luisa hola", "Nobody called “luisa” is here. Did you mean “luis”?"),
        ("@jse hola", "Nobody called “jse” is here. Did you mean “José”?"),
        ("@luisa", "Nobody called “luisa” is here. Did you mean “luis”?"),
        ("@xyz hola", "Nobody called “xyz” is here."),
    ],
)
def test_a_text_for_somebody_who_is_not_here_stays_and_makes_no_conversation(
    clock: Clock, line: str, hint: str
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter(line)
        assert (table.composer.text, table.hint) == (line, hint)
        assert len(table.model.conversations.listed) == 1
        assert table.client.sent_of(Direct) == []

    ChatTable(clock).run(scenario)


def test_however_a_name_is_spelt_it_is_one_conversation(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        for line in ("@LUIS", "@luis", "/msg Luis"):
            await table.enter(line)
            assert table.current.name == "luis"

    ChatTable(clock).run(scenario)


def test_a_wrong_command_stays_in_the_line_and_the_right_one_is_guessed(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/hlep")
        assert table.composer.text == "/hlep"
        assert table.hint == "There is no command /hlep. Did you mean /help?"
        await table.press("!")
        assert table.hint == ""

    ChatTable(clock).run(scenario)


def test_what_is_typed_without_a_connection_stays_and_is_sent_once_afterwards(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        for line in ("hello", "/status busy", "/info luis", "@luis psst"):
            await table.enter(line)
            assert table.composer.text == line
            assert table.hint == "There is no connection now. What you typed stays here."
            table.composer.load("")
        await table.enter("hello")
        before = table.client
        await table.come_back()
        assert table.composer.text == "hello"
        await table.press("enter")
        assert before.sent_of(Say) == []
        assert without_nonces(table.client.sent_of(Say)) == [Say(text="hello")]
        assert table.texts == ["hello"]
        assert table.composer.text == ""

    ChatTable(clock).run(scenario)


def test_what_was_under_way_when_the_connection_was_lost_is_said_once(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Say)
        await table.enter("hello")
        [lost] = table.client.sent_of(Say)
        await table.lose()
        message = table.said("hello", "ana", nonce=lost.nonce)
        await table.come_back()
        assert table.client.sent_of(Say) == [lost]
        assert table.texts.count("hello") == 1
        assert table.history is not None
        assert message in table.history

    ChatTable(clock).run(scenario)


def test_a_direct_message_of_which_nobody_knows_says_so_and_can_be_sent_again(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Direct)
        await table.enter("@luis")
        await table.enter("psst")
        assert "… ana        psst" in table.shown
        await table.lose()
        assert "… ana        psst" in table.shown
        del table.people["luis"]
        await table.come_back()  # and the message is sent again, to nobody
        assert "? ana        psst" in table.shown
        assert "This may not have been delivered" in table.shown
        await table.lose()
        await table.press("ctrl+r")
        assert table.hint == "There is no connection now. What you typed stays here."
        table.people["luis"] = Status.ACTIVO
        await table.come_back()
        await table.press("ctrl+r")
        assert len(table.client.sent_of(Direct)) == 1
        assert "› ana        psst" in table.shown

    ChatTable(clock).run(scenario)


def test_a_message_that_is_sent_again_is_shown_as_under_way(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        del table.people["luis"]
        await table.enter("psst")
        assert "… ana        psst" not in table.shown
        table.client.held.add(Direct)
        await table.press("ctrl+r")
        assert "… ana        psst" in table.shown

    ChatTable(clock).run(scenario)


def test_of_two_that_were_not_delivered_the_chosen_one_is_sent_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        del table.people["luis"]
        await table.enter("one")
        await table.enter("two")
        first, _ = [one for one in table.current.entries if isinstance(one, Said)]
        table.app.controller.send_again(first)
        await table.settle()
        assert [direct.text for direct in table.client.sent_of(Direct)] == ["one", "two", "one"]

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_nothing_is_known_of_anybody_while_there_is_no_connection(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        assert table.item("#own-status") == "ana ?"
        assert table.title("#right") == "People"
        assert table.item("#connection") == "no connection; retrying in 1 s"
        people = ["".join(text for text, _ in row.runs) for row in table.app.main.people_list.rows]
        assert people == ["? ana (you)", "? José", "? luis"]
        await table.come_back()
        assert table.item("#own-status") == "ana ● ACTIVO"
        assert "◐ luis OCUPADO" in table.shown
        assert len(table.client.sent_of(ListUsers)) == 1

    ChatTable(clock).run(scenario)


def test_a_paste_of_many_lines_is_one_message_after_a_question(clock: Clock) -> None:
    pasted = "\n".join(f"line {number}" for number in range(11))

    async def scenario(table: ChatTable) -> None:
        table.composer.post_message(Paste(pasted))
        await table.settle()
        assert table.hint.startswith("11 lines pasted (")
        await table.press("enter")
        assert "Send this as one message? 11 lines" in table.shown
        await table.press("enter")
        assert table.composer.text == pasted
        assert table.client.sent_of(Say) == []
        await table.press("enter", "down", "enter")
        assert without_nonces(table.client.sent_of(Say)) == [Say(text=pasted)]
        assert table.composer.text == ""

    ChatTable(clock).run(scenario, USUAL)


def test_a_message_of_ten_lines_is_sent_without_a_question(clock: Clock) -> None:
    text = "\n".join(f"line {number}" for number in range(10))

    async def scenario(table: ChatTable) -> None:
        await table.enter(text)
        assert without_nonces(table.client.sent_of(Say)) == [Say(text=text)]

    ChatTable(clock).run(scenario)


def test_a_long_message_stays_if_the_connection_is_lost_during_the_question(clock: Clock) -> None:
    text = "\n".join(f"line {number}" for number in range(11))

    async def scenario(table: ChatTable) -> None:
        await table.enter(text)
        await table.lose()
        await table.press("down", "enter")
        assert table.composer.text == text
        assert table.hint != ""
        await table.come_back()
        assert table.client.sent_of(Say) == []

    ChatTable(clock).run(scenario)


def test_a_refused_text_comes_back_into_the_line(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.refusals[Say] = Error(code=ErrorCode.TEXT_TOO_LONG, message="too long")
        await table.enter("too much")
        assert table.composer.text == "too much"
        assert table.hint.startswith("Not sent: a message can have at most")

    ChatTable(clock).run(scenario)


def test_a_line_that_is_sent_once_more_takes_the_hint_away(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.refusals[Say] = Error(code=ErrorCode.TEXT_TOO_LONG, message="too long")
        await table.enter("too much")
        assert table.hint != ""
        del table.refusals[Say]
        await table.press("enter")
        assert table.hint == ""
        assert table.texts == ["too much"]

    ChatTable(clock).run(scenario)


def test_a_refused_text_does_not_take_the_place_of_what_is_typed_by_then(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Say)
        await table.enter("too much")
        table.composer.insert("the next")
        table.refusals[Say] = Error(code=ErrorCode.TEXT_TOO_LONG, message="too long")
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert table.composer.text == "the next"

    ChatTable(clock).run(scenario)


def test_what_was_said_but_not_stored_does_not_come_back_into_the_line(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.refusals[Say] = Error(code=ErrorCode.UNAVAILABLE, message="not stored", seq=11)
        await table.enter("hola")
        assert table.composer.text == ""
        assert table.hint == "Your message was sent to everyone, but the server could not store it."

    ChatTable(clock).run(scenario)


def test_a_refused_text_does_not_come_back_into_another_conversation(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Say)
        await table.enter("too much")
        table.app.controller.navigation.open("luis")
        table.refusals[Say] = Error(code=ErrorCode.TEXT_TOO_LONG, message="too long")
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert table.current.name == "luis"
        assert table.composer.text == ""

    ChatTable(clock).run(scenario)


def test_what_comes_after_the_end_is_not_shown(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(GetInfo)
        await table.enter("/info luis")
        await table.press("ctrl+q", "ctrl+q")

    table = ChatTable(clock)
    table.run(scenario)
    table.client.answer(len(table.client.sent))
    table.client.arrive(table.said("ana, are you there?"))
    table.app.farewell()
    assert table.rings == 0


@pytest.mark.long
def test_what_is_no_name_of_the_list_comes_back_into_the_line(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/users")
        assert table.composer.placeholder == "Esc: back to writing"
        await table.press(*"hi all", "enter")
        assert table.composer.text == "hi all"
        assert table.client.sent_of(GetInfo) == []
        await table.press("enter")
        assert without_nonces(table.client.sent_of(Say)) == [Say(text="hi all")]
        await table.press("escape")
        assert table.composer.placeholder == "Write to everyone"

    ChatTable(clock).run(scenario)


def test_nobody_is_offered_to_write_to_herself(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "enter")
        assert table.client.sent_of(GetInfo) == [GetInfo(name="ana")]
        assert "Write a direct message" not in table.shown

    ChatTable(clock).run(scenario)


def found_by_number(table: ChatTable) -> list[int]:
    dialog = table.app.screen
    assert isinstance(dialog, SearchDialog)
    entries = dialog.query_one(ChatLog)._entries
    return [int(entry.text.split()[1]) for entry in entries if isinstance(entry, Said)]


def is_answered(dialog: SearchDialog, older: Search) -> bool:
    return dialog.older is not older


def needles(count: int) -> list[ChatMessage]:
    return [
        ChatMessage(seq=number, time=f"{DAY}T10:00:00Z", sender="luis", text=f"needle {number}")
        for number in range(1, count + 1)
    ]


@pytest.mark.long
def test_older_findings_come_into_the_same_dialog_until_there_are_none(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/search needle")
        dialog = table.app.screen
        assert isinstance(dialog, SearchDialog)
        page = len(found_by_number(table))
        assert found_by_number(table) == list(range(251 - page, 251))
        while dialog.older is not None:
            older = dialog.older
            await table.press("home")
            await table.until(partial(is_answered, dialog, older))
            await table.press("end")
        assert table.app.screen is dialog
        assert found_by_number(table) == list(range(1, 251))
        entries = dialog.query_one(ChatLog)._entries
        assert [entries.index(e) for e in entries if isinstance(e, Day)] == [0]
        requests = len(table.client.sent_of(Search))
        await table.press("home", "end")
        assert len(table.client.sent_of(Search)) == requests

    ChatTable(clock, history=needles(250)).run(scenario)


def test_findings_for_a_dialog_that_was_closed_are_not_shown(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/search needle")
        table.client.held.add(Search)
        await table.press("home")
        await table.press("escape")
        table.client.answer(len(table.client.sent))
        await table.settle()
        assert not isinstance(table.app.screen, SearchDialog)
        assert table.hint == ""

    ChatTable(clock, history=needles(250)).run(scenario)


def test_older_findings_that_were_asked_for_twice_are_shown_once(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/search needle")
        dialog, page = table.app.screen, len(found_by_number(table))
        table.client.held.add(Search)
        await table.press("home", "end", "home")
        for request_id in (len(table.client.sent), len(table.client.sent) + 1):
            assert len(table.client.sent) == request_id
            table.client.answer(request_id)
            await table.settle()
        assert table.app.screen is dialog
        assert found_by_number(table) == list(range(251 - 2 * page, 251))

    ChatTable(clock, history=needles(250)).run(scenario)


def test_sending_goes_to_the_newest_message(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(*[table.said(f"number {number}") for number in range(60)])
        await table.press("pageup")
        assert not table.log.at_end
        await table.enter("hello")
        assert table.log.at_end

    ChatTable(clock).run(scenario)


def test_older_messages_asked_for_by_command_are_brought_into_view(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.enter("/history 5")
        assert table.current.name == ""
        await table.until(lambda: "needle 146" in table.shown)

    ChatTable(clock, history=needles(250)).run(scenario)


def test_without_a_connection_nothing_older_is_asked_for(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        table.app.controller.fetch_older()
        await table.come_back()
        assert table.client.sent_of(GetHistory) == []

    ChatTable(clock, history=needles(250)).run(scenario)


def test_where_nothing_is_older_the_command_says_so(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/history")  # the server answers that there is nothing
        await table.enter("/history")
        assert table.hint == "There are no older messages."
        monkeypatch.setattr(conversations, "MAX_WHILE_READING", 1)
        await table.enter("/history")
        assert table.hint == "There are no older messages here. Use /search to find more."

    ChatTable(clock, history=needles(3)).run(scenario)


def test_where_there_is_no_history_the_command_says_so_each_time(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        for _time in range(2):
            await table.enter("/history")
            assert table.hint == "This server keeps no history."
            table.app.main.hint("")

    ChatTable(clock, history=None).run(scenario)


def test_without_a_list_of_people_a_message_is_sent_to_any_name(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert not table.model.chat.state.knows_users
        await table.enter("@eva hola")
        assert [request.to for request in table.client.sent_of(Direct)] == ["eva"]

    table = ChatTable(clock)
    table.refusals[ListUsers] = Error(code=ErrorCode.UNAVAILABLE, message="no list")
    table.run(scenario)


def test_a_marked_message_is_no_longer_marked_after_another_one_is_sent(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("one"))
        await table.press("f5")
        assert table.log.marked is not None
        await table.press(*"two", "enter")
        assert table.texts == ["one", "two"]
        assert table.log.marked is None

    ChatTable(clock).run(scenario)


def test_a_long_direct_message_is_shown_at_once_after_the_confirmation(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Direct)
        table.app.controller.navigation.open("luis")
        table.composer.load("\n".join(f"row {number}" for number in range(11)))
        await table.press("enter", "down", "enter")
        assert "row 10" in table.shown
        assert table.composer.text == ""

    ChatTable(clock).run(scenario)
