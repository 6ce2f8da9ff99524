"""Where newcomers stumble: typing in the wrong place, leaving, waiting, hints that stay."""

import pytest
from plain_table import Clock
from table import ChatTable

from tertulia.chat.jobs import SAID_WITHIN_S
from tertulia.client.errors import RegistrationRefused
from tertulia.i18n import set_language
from tertulia.protocol.messages import Direct, Error, ErrorCode, Say


def test_what_is_on_its_way_is_counted_until_the_server_has_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        table.client.held.add(Say)
        await table.enter("one")
        await table.enter("two")
        assert table.item("#connection") == "connected; sending 2…"

    ChatTable(clock).run(scenario)


def test_after_enter_the_screen_waits_no_longer_than_until_there_is_something_to_tell(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        hear, waits = table.bell.hear, list[float | None]()

        async def noting(timeout_s: float | None) -> None:
            waits.append(timeout_s)
            await hear(timeout_s)

        table.bell.hear = noting  # type: ignore[method-assign]
        table.client.held.add(Say)
        await table.enter("hola")
        await table.until(lambda: waits[-1:] == [SAID_WITHIN_S])

    ChatTable(clock).run(scenario)


def test_choosing_without_a_connection_says_why_nothing_happens(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.lose()
        await table.press("f4")
        assert table.hint.startswith("There is no connection")
        await table.press("x", "ctrl+c", "f3", "enter")
        assert table.hint.startswith("There is no connection")

    ChatTable(clock).run(scenario)


def test_who_may_not_come_back_reads_what_was_not_sent(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@luis")
        await table.enter("first")
        await table.press("d", "r", "a", "f", "t")
        await table.lose()
        error = Error(code=ErrorCode.NAME_TAKEN, message="taken")
        table.outcome = RegistrationRefused(error)
        clock.now = table.model.chat.wake_at
        table.bell.ring()
        await table.until(lambda: table.app.return_value is not None)
        status, lines, _signal = table.app.return_value
        assert status == 4
        assert "A user called" in lines[0]
        assert lines[1:] == ["Not sent: draft"]

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize(
    ("lang", "answer"), [("en", "off|mentions|at"), ("es", "nada|menciones|arroba")]
)
def test_a_wrong_word_after_a_command_is_answered_in_one_language(
    clock: Clock, lang: str, answer: str
) -> None:
    async def scenario(table: ChatTable) -> None:
        set_language(lang)
        await table.enter("/notify loud")
        assert answer in table.hint
        assert "\n" not in table.hint

    ChatTable(clock).run(scenario)


def test_the_next_unread_is_a_direct_message_then_a_mention_then_any(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("@José hi")
        assert table.client.sent_of(Direct)
        await table.hear(table.said("ana?"), table.direct("psst", "luis"))
        await table.press("ctrl+g")
        assert table.current.name == "luis"
        await table.hear(table.said("ana?"))
        await table.press("ctrl+g")
        assert table.current.name == ""

    ChatTable(clock).run(scenario)
