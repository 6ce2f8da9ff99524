"""The full screen over time: connections, reading places, many messages, the bell, signals."""

import os
import signal
import time

import pytest
from plain_table import Clock
from table import DAY, SIZES, USUAL, WIDE, ChatTable
from textual.events import AppBlur, AppFocus, Paste

from tertulia.chat.bursts import QUIET_S
from tertulia.client.addresses import Address
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.nodes import Nodes
from tertulia.protocol.messages import (
    ChatMessage,
    Error,
    ErrorCode,
    GetHistory,
)
from tertulia.tls.fingerprint import Fingerprint
from tertulia.tui import app as app_module
from tertulia.tui import ending as ending_module
from tertulia.tui.ending import Ending
from tertulia.tui.model import conversations, timeline
from tertulia.tui.model.timeline import Day
from tertulia.tui.terminal.abilities import Abilities, Colours


def told(count: int, first: int = 1, day: str = DAY) -> list[ChatMessage]:
    """Make messages of the past, a second apart."""
    return [
        ChatMessage(
            seq=first + n,
            time=f"{day}T10:{n // 60:02}:{n % 60:02}Z",
            sender="luis",
            text=f"old {first + n}",
        )
        for n in range(count)
    ]


def check_painted(table: ChatTable) -> None:
    """Check that the log holds the entries of the conversation, and shows just those."""
    assert list(map(id, table.log._entries)) == list(map(id, table.current.entries))
    shown = table.rows
    table.log.repaint()
    assert shown == table.rows


# --- the first connection ------------------------------------------------------------------------


KNOWN, SHOWN = Fingerprint(bytes(32)), Fingerprint(b"\xff" * 32)


def code_refusal(code: str) -> RegistrationRefused:
    return RegistrationRefused(Error(code=code, message="no"))


def test_a_dialog_asks_for_the_code_until_it_is_right(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        for refused, words, typed in (
            (ErrorCode.CODE_REQUIRED, "asks for a code", "able baker cut"),
            (ErrorCode.CODE_WRONG, "not the code", "Able Baker Cat"),
        ):
            table.attempt.come_to(code_refusal(refused))
            await table.until(lambda words=words: words in table.shown)
            await table.press("enter")  # an empty field is no answer
            await table.press(*("space" if c == " " else c for c in typed), "enter")
            await table.until(lambda typed=typed: table.code == typed)
        await table.connect()
        assert "ana" in table.shown

    ChatTable(clock, connected=False).run(scenario)


def test_who_gives_no_code_leaves_with_what_to_type(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.attempt.come_to(code_refusal(ErrorCode.CODE_REQUIRED))
        await table.until(lambda: "asks for a code" in table.shown)
        await table.click_at(0, 0)
        assert "asks for a code" in table.shown
        await table.press("escape")
        await table.until(lambda: table.app.return_value is not None)
        ending = table.app.return_value
        assert ending is not None
        assert ending.status == 4
        assert "--code CODE" in ending.lines[0]

    ChatTable(clock, connected=False).run(scenario)


@pytest.mark.long
@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (
            NoConnection(ConnectFailure.REFUSED), 3,
            "No server is listening at 192.168.1.10, port 5000.",
        ),
        (
            RegistrationRefused(Error(code=ErrorCode.NAME_TAKEN, message="taken")), 4,
            "A user called “ana” is already connected. Try another name: "
            "tertulia ana2 192.168.1.10 5000",
        ),
        (
            CertificateRefused(KNOWN.hex, SHOWN, "another"), 4,
            "192.168.1.10, port 5000, shows another certificate than expected.\n"
            f"    expected: {KNOWN.words}\n"
            f"    shown: {SHOWN.words}\n",
        ),
    ],
)  # fmt: skip
def test_a_failed_first_attempt_ends_with_its_reason(
    clock: Clock, outcome: Exception, status: int, words: str
) -> None:
    async def scenario(table: ChatTable) -> None:
        table.attempt.come_to(outcome)
        await table.until(lambda: table.app.return_value is not None)
        ending = table.app.return_value
        assert ending is not None
        assert ending.status == status
        assert ending.lines[0].startswith(words)

    ChatTable(clock, connected=False).run(scenario)


def test_the_first_contact_with_a_certificate_is_said_in_the_chat(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.introduction = f"Its certificate:\n    {KNOWN.words}"
        await table.connect()
        await table.until(lambda: "Its certificate:" in table.shown)
        assert "abandon abandon" in table.shown

    ChatTable(clock, connected=False).run(scenario)


def test_the_screen_shows_at_which_server_of_a_chat_the_user_is(clock: Clock) -> None:
    here, there = Address("192.168.1.10", 5000), Address("192.168.1.11", 5000)
    nodes = Nodes([here])
    nodes.enter(here, [str(here), str(there)])

    async def scenario(table: ChatTable) -> None:
        assert "This chat has several servers. You are at 192.168.1.10:5000." in table.shown
        assert str(here) in table.rows[0]
        await table.lose()
        nodes.enter(there, [str(there), str(here)])
        await table.come_back()
        assert "Reconnected. You are now at 192.168.1.11:5000." in table.shown
        assert str(there) in table.rows[0]

    ChatTable(clock, nodes=nodes).run(scenario)


@pytest.mark.long
def test_one_can_type_and_look_around_and_leave_before_there_is_a_connection(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("hello")
        assert table.composer.text == "hello"
        assert table.hint == "There is no connection now. What you typed stays here."
        for key in ("f1", "f2", "f3", "f4", "f8", "ctrl+n", "ctrl+g", "ctrl+r", "pageup"):
            await table.press(key, "escape")
        await table.connect()
        assert table.composer.text == "hello"
        await table.press("enter")
        assert table.texts == ["hello"]

    ChatTable(clock, connected=False).run(scenario)


def test_leaving_before_there_is_a_connection_gives_it_up(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("ctrl+q")
        assert table.app.return_value == Ending(0, [])
        assert table.attempt.given_up

    ChatTable(clock, connected=False).run(scenario)


@pytest.mark.long
def test_a_server_that_will_not_have_one_again_ends_with_its_reason(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        taken = Error(code=ErrorCode.NAME_TAKEN, message="taken")
        table.outcome = RegistrationRefused(taken)
        assert table.reconnector.wake_at is not None
        table.clock.now = table.reconnector.wake_at
        table.bell.ring()
        await table.until(lambda: table.app.return_value is not None)
        ending = table.app.return_value
        assert ending is not None
        assert ending.status == 4
        assert "user called “ana”" in ending.lines[0]

    ChatTable(clock).run(scenario)


# --- what was said before ------------------------------------------------------------------------


def test_what_was_said_before_is_shown_once(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.texts == ["old 1", "old 2", "old 3"]
        assert len(table.client.sent_of(GetHistory)) == 1
        check_painted(table)

    ChatTable(clock, history=told(3)).run(scenario)


def test_older_messages_come_when_the_top_is_reached_and_do_not_move_what_is_read(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        assert len(table.texts) == 100
        await table.press("ctrl+home")
        await table.until(lambda: len(table.texts) == 300)
        await table.settle()
        check_painted(table)
        assert [int(text.split()[1]) for text in table.texts] == list(range(201, 501))
        while table.current.has_older:
            await table.press("ctrl+home")
        check_painted(table)
        assert len(table.texts) == 500
        await table.press("ctrl+home")
        assert table.shown.count(", 2026 ──") == 1
        assert "luis       old 1 " in table.shown
        requests = len(table.client.sent)
        await table.press("pagedown", "ctrl+home", "pagedown", "ctrl+home")
        assert len(table.client.sent) == requests

    ChatTable(clock, history=told(250) + told(250, 251)).run(scenario, USUAL)


def test_the_day_stands_above_the_oldest_message_when_older_ones_have_come(clock: Clock) -> None:
    history = told(150, day="2026-11-20") + told(150, 151, "2026-11-21")

    async def scenario(table: ChatTable) -> None:
        await table.press("ctrl+home")
        await table.until(lambda: not table.current.has_older)
        await table.settle()
        check_painted(table)
        days = [
            index for index, entry in enumerate(table.current.entries) if isinstance(entry, Day)
        ]
        assert days == [0, 151, 302]

    ChatTable(clock, history=history).run(scenario, USUAL)


# --- the reading place ---------------------------------------------------------------------------


@pytest.mark.long
def test_what_is_read_stays_where_it_is(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(*[table.said(f"{n} {'word ' * 30}") for n in range(60)], table.direct("-"))
        await table.press("pageup", "pageup")
        place = table.log.reading_place
        await table.hear(*[table.said("later") for _ in range(3)])
        assert table.item("#below") == "▼ 3 new below"
        for width, height in reversed(SIZES):
            await table.pilot.resize_terminal(width, height)
            await table.settle()
            assert table.log.reading_place.entry is place.entry
        await table.press("ctrl+n", "ctrl+n")
        assert table.log.reading_place.entry is place.entry
        await table.press("ctrl+end")
        assert table.item("#below") == ""
        check_painted(table)

    ChatTable(clock).run(scenario, WIDE)


# --- many messages -------------------------------------------------------------------------------


def test_a_burst_is_painted_at_most_twenty_times_a_second(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "time", time)
    monkeypatch.setattr(app_module, "PAINTED_EVERY_S", 0.05)

    async def scenario(table: ChatTable) -> None:
        appended = table.log.append
        paintings: list[int] = []

        def append(entries: list[object], new: int) -> None:
            paintings.append(len(entries))
            appended(entries, new)

        table.log.append = append
        began = time.monotonic()
        for n in range(5_000):
            table.client.arrive(table.said(f"{n}"))
            if n % 50 == 0:
                await table.pilot.pause(0)  # the app has its turn between them
        await table.until(lambda: len(table.texts) == 5_000)
        took = time.monotonic() - began
        assert sum(paintings) >= 5_000
        assert len(paintings) <= took / 0.05 + 2

    ChatTable(clock, history=None).run(scenario)


@pytest.mark.long
def test_old_messages_are_forgotten_later_while_somebody_reads(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_GENERAL_ENTRIES", 100)
    monkeypatch.setattr(conversations, "MAX_WHILE_READING", 200)
    monkeypatch.setattr(timeline, "_TRIMMED_AT_ONCE", 10)

    async def scenario(table: ChatTable) -> None:
        for _ in range(15):
            await table.hear(*[table.said(f"number {table.seq}") for _ in range(11)])
            assert len(table.current.entries) <= 112
            check_painted(table)
        await table.press("pageup")
        place = table.log.reading_place
        for _ in range(4):
            await table.hear(*[table.said("later") for _ in range(15)])
        assert len(table.current.entries) > 112
        assert table.log.reading_place == place
        check_painted(table)
        for _ in range(10):
            await table.hear(*[table.said("later") for _ in range(15)])
        assert len(table.current.entries) <= 212
        check_painted(table)
        await table.press("ctrl+home")
        await table.settle()
        check_painted(table)
        await table.press("ctrl+end")
        await table.hear(table.said("last"))
        assert len(table.current.entries) <= 112
        check_painted(table)

    ChatTable(clock).run(scenario, USUAL)


# --- pastes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["f2", "f3", "f1", "f4", "escape"])
def test_a_paste_goes_to_the_composer_wherever_the_focus_is(clock: Clock, key: str) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("a", key)
        await paste(table, "uno\ndos")
        await table.press("escape")
        assert table.composer.text == "auno\ndos"
        assert table.composer.has_focus

    ChatTable(clock).run(scenario)


@pytest.mark.long
def test_a_paste_goes_to_the_composer_from_the_log_and_while_the_terminal_has_no_focus(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        table.log.focus()
        await table.settle()
        await paste(table, "uno ")
        await table.press("x")
        await focus(table, AppBlur())
        await paste(table, " dos")
        assert table.composer.text == "uno x dos"

    ChatTable(clock).run(scenario)


async def paste(table: ChatTable, text: str) -> None:
    """Paste as the terminal does it, which knows no focus."""
    table.app.post_message(Paste(text))
    await table.settle()


# --- the bell ------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_bell_rings_once_for_many_messages_and_for_those_that_came_while_one_was_away(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        await focus(table, AppBlur())
        for _burst in range(3):
            await table.hear(*(table.said("ana!") for _ in range(100)))
        assert table.rings == 1
        clock.now += QUIET_S
        await table.lose()
        for _ in range(150):
            table.said("ana!")
        await table.come_back()
        assert table.texts.count("ana!") == 450
        assert table.rings == 2

    ChatTable(clock).run(scenario)


async def focus(table: ChatTable, report: AppFocus | AppBlur) -> None:
    table.app.post_message(report)
    await table.settle()


def test_the_bell_does_not_ring_for_what_was_said_before_or_by_oneself(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/notify all")
        table.app.post_message(AppBlur())
        await table.enter("ana says this")
        assert table.rings == 0

    history = [ChatMessage(seq=3, time=f"{DAY}T10:00:00Z", sender="luis", text="ana?")]
    ChatTable(clock, history=history).run(scenario)


def test_the_terminal_shows_a_call_only_if_it_was_asked_to(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        written: list[str] = []
        assert table.app._driver is not None
        table.app._driver.write = written.append  # type: ignore[method-assign]
        await table.hear(table.direct("psst"))
        assert not [data for data in written if "\x1b]9;" in data]
        await table.enter("/notify terminal")
        clock.now += QUIET_S
        await table.hear(table.direct("psst\x07\x1b]52;c;aGk=\x07", "José"))
        [shown] = [data for data in written if "\x1b]9;" in data]
        assert shown == "\x1b]9;José: psst␇␛]52;c;aGk=␇\x07"

    ChatTable(clock).run(scenario)


# --- colours -------------------------------------------------------------------------------------

FEW_COLOURS = Abilities(colours=Colours.FEW)


def colours(table: ChatTable) -> set[str]:
    styles = [segment.style for strip in table.strips for segment in strip if segment.style]
    found = {style.color.name for style in styles if style.color}
    return found | {style.bgcolor.name for style in styles if style.bgcolor}


def test_a_terminal_with_few_colours_gets_only_its_own(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("hello"), table.said("ana?"), table.direct("psst"))
        assert table.app.theme == "tertulia-dark-16"
        assert not [name for name in colours(table) if name.startswith("#")]
        await table.enter("/theme light")
        assert table.app.theme == "tertulia-light-16"
        await table.press("f1")
        assert not [name for name in colours(table) if name.startswith("#")]

    ChatTable(clock, terminal=FEW_COLOURS).run(scenario)


def test_no_color_leaves_the_terminals_own(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scenario(table: ChatTable) -> None:
        await table.hear(table.said("hello"), table.said("ana?"), table.direct("psst"))
        assert colours(table) == {"default"}

    ChatTable(clock, terminal=FEW_COLOURS).run(scenario)


# --- the end -------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_the_screen_and_then_the_program(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async def scenario(table: ChatTable) -> None:
        os.kill(os.getpid(), number)
        await table.until(lambda: table.app.return_value is not None)

    table = ChatTable(clock)
    table.run(scenario)
    ending = table.app.return_value
    assert ending == Ending(0, [], number)

    raised: list[int] = []
    monkeypatch.setattr(ending_module.signal, "raise_signal", raised.append)
    monkeypatch.setattr(ending_module.signal, "signal", lambda *_: None)
    ending_module.finish(ending, table.app.farewell())
    assert raised == [number]
    assert table.client.ended == End(EndReason.CLOSED)
