"""The log of the open conversation follows its entries, and remembers every reading place."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import laid_out
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tertulia.chat.display import Glyphs
from tertulia.protocol.messages import Direct, Joined, Status
from tertulia.tui.model import conversations, timeline
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations
from tertulia.tui.model.timeline import Day, Delivery, Said, Told
from tertulia.tui.painting.painter import ConversationPainter
from tertulia.tui.widgets.chatlog import ConversationLog

TIME = "2026-11-22T15:04:05.000Z"
YESTERDAY = "2026-11-21T15:04:05.000Z"


class LogApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.log_view = ConversationLog(ConversationPainter(Glyphs("utf-8")))
        self.talks = Conversations("ana")

    def compose(self) -> ComposeResult:
        yield self.log_view


Scenario = Callable[[ConversationLog, Conversations, Pilot[None]], Awaitable[None]]


def run(scenario: Scenario) -> None:
    async def main() -> None:
        app = LogApp()
        async with app.run_test(size=(40, 10)) as pilot:
            await laid_out(app.log_view, 40, 10)
            app.log_view.open(app.talks.general)
            await scenario(app.log_view, app.talks, pilot)

    asyncio.run(main())


def said(count: int, time: str = TIME) -> list[Said]:
    return [Said(time=time, sender="luis", text=f"text {number}") for number in range(count)]


def add(conversation: Conversation, count: int) -> None:
    for message in said(count):
        conversation.add(message)


def check_in_step(log: ConversationLog, conversation: Conversation) -> None:
    log.show_changes()
    assert list(map(id, log._entries)) == list(map(id, conversation.entries))


def test_without_a_conversation_there_is_nothing_to_catch_up_with() -> None:
    log = ConversationLog(ConversationPainter(Glyphs("utf-8")))
    log.show_changes()
    assert log.first_entry is None


def test_new_entries_are_added_and_only_messages_count_as_new_below() -> None:
    async def scenario(log: ConversationLog, talks: Conversations, pilot: Pilot[None]) -> None:
        add(talks.general, 30)
        check_in_step(log, talks.general)
        log.scroll_to(y=3)
        await pilot.pause()
        talks.general.add(Told(time=TIME, words=lambda: "told"))
        add(talks.general, 2)
        check_in_step(log, talks.general)
        assert log.new_below == 2

    run(scenario)


def test_older_entries_are_added_above_and_take_the_place_of_a_day() -> None:
    async def scenario(log: ConversationLog, talks: Conversations, _pilot: Pilot[None]) -> None:
        add(talks.general, 3)
        check_in_step(log, talks.general)
        talks.general.add_older([*said(2, YESTERDAY), *said(1)])
        check_in_step(log, talks.general)
        days = [isinstance(entry, Day) for entry in log._entries]
        assert days == [True, False, False, True, False, False, False, False]

    run(scenario)


def test_forgotten_entries_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_GENERAL_ENTRIES", 20)
    monkeypatch.setattr(timeline, "_TRIMMED_AT_ONCE", 0)

    async def scenario(log: ConversationLog, talks: Conversations, _pilot: Pilot[None]) -> None:
        add(talks.general, 15)
        check_in_step(log, talks.general)
        add(talks.general, 15)
        check_in_step(log, talks.general)
        assert len(log._entries) == 21  # with the day
        check_in_step(log, talks.general)

    run(scenario)


def test_nothing_is_forgotten_while_the_user_reads_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_GENERAL_ENTRIES", 20)
    monkeypatch.setattr(timeline, "_TRIMMED_AT_ONCE", 0)

    async def scenario(log: ConversationLog, talks: Conversations, pilot: Pilot[None]) -> None:
        add(talks.general, 15)
        check_in_step(log, talks.general)
        log.scroll_to(y=2)
        await pilot.pause()
        place = log.reading_place
        add(talks.general, 15)
        check_in_step(log, talks.general)
        assert len(log._entries) == 31
        assert log.reading_place == place

    run(scenario)


def test_a_changed_entry_is_painted_anew() -> None:
    async def scenario(log: ConversationLog, talks: Conversations, pilot: Pilot[None]) -> None:
        request = Direct(to="luis", text="psst")
        talks.add_outgoing(request, "luis", TIME)
        log.open(talks.open("luis"))
        await pilot.pause()
        assert "… ana" in log.render_line(1).text
        talks.mark_delivery(request, Delivery.DELIVERED)
        log.show_changes()
        assert "› ana" in log.render_line(1).text

    run(scenario)


def test_each_conversation_is_opened_where_it_was_being_read() -> None:
    async def scenario(log: ConversationLog, talks: Conversations, pilot: Pilot[None]) -> None:
        add(talks.general, 30)
        log.show_changes()
        log.scroll_to(y=4)
        await pilot.pause()
        place = log.reading_place
        assert place is not None
        add(talks.with_name("luis"), 30)
        log.open(talks.open("luis"))
        assert log.at_end
        add(talks.general, 3)
        log.open(talks.open(GENERAL))
        assert log.reading_place == place
        check_in_step(log, talks.general)

    run(scenario)


# --- however a conversation changes --------------------------------------------------------------


class DetachedLog(ConversationLog):
    """A log on no screen, whose reader is where the test says."""

    reading = False

    @property
    def at_end(self) -> bool:
        return not self.reading


def test_a_message_that_moves_is_shown_in_its_new_place_and_the_reading_place_stays() -> None:
    async def scenario(log: ConversationLog, talks: Conversations, pilot: Pilot[None]) -> None:
        request = Direct(to="luis", text="mine", nonce="n")
        talks.add_outgoing(request, "luis", YESTERDAY)
        talk = talks.open("luis")
        log.open(talk)
        add(talk, 30)
        log.show_changes()
        await pilot.pause()  # at the end
        log.scroll_to(y=5, animate=False, immediate=True)
        await pilot.pause()
        place = log.reading_place
        assert place is not None
        talks.mark_delivery(request, Delivery.DELIVERED, time="2026-11-22T15:04:06.000Z")
        check_in_step(log, talk)
        assert talk.entries[-1].text == "mine"
        assert log.reading_place is not None
        assert log.reading_place.entry is place.entry

    run(scenario)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12), st.integers(0, 2)),
        st.tuples(st.just("fold"), st.integers(1, 1), st.integers(0, 2)),
        st.tuples(st.just("older"), st.integers(0, 12), st.integers(0, 2)),
        st.tuples(st.just("follow"), st.integers(1, 1), st.integers(0, 1)),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def _small_bounds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversations, "MAX_GENERAL_ENTRIES", 8)
        patch.setattr(conversations, "MAX_WHILE_READING", 14)
        patch.setattr(timeline, "_TRIMMED_AT_ONCE", 3)
        patch.setattr(timeline, "MAX_CHARS", 40)
        yield


def on(day: int) -> str:
    return f"2025-01-{day:02}T12:00:00.000Z"


@pytest.mark.long
@pytest.mark.usefixtures("_small_bounds")
@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_however_a_conversation_changes_the_log_has_the_same_entries(
    steps: list[tuple[str, int, int]],
) -> None:
    newest = oldest = 15
    conversation = Conversation(GENERAL)
    conversation.add(Said(time=on(newest), sender="luis", text="hola"))
    log = DetachedLog(ConversationPainter(Glyphs("utf-8")))
    log.open(conversation)
    for step, count, number in [*steps, ("follow", 1, 1)]:
        end = conversation.end
        match step:
            case "add":
                newest = min(newest + number, 28)
                for message in said(count, on(newest)):
                    conversation.add(message)
            case "fold":
                newest = min(newest + number, 28)
                joined = Joined(seq=1, time=on(newest), name=f"u{number}", status=Status.ACTIVO)
                conversation.fold(joined)
            case "older":
                oldest = max(oldest - number, 1)
                conversation.add_older(said(count, on(oldest)))
                assert conversation.end == end
            case "follow":
                log.reading = bool(number)
                check_in_step(log, conversation)
                assert conversation.end == end
        days = [entry.day for entry in conversation.entries if isinstance(entry, Day)]
        assert len(days) == len(set(days))
        assert isinstance(conversation.entries[0], Day)
