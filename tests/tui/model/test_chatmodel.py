"""What happens in the chat, put into conversations, without a network or a screen."""

import threading
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import asdict, replace
from plain_table import LOST, Clock, StubClient, said

from tertulia.chat.destination import Destination
from tertulia.chat.jobs import ANSWER_WITHIN_S, SAID_WITHIN_S
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    MAX_PAGE,
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    Joined,
    Left,
    ListUsers,
    Ok,
    Presence,
    Request,
    Say,
    Search,
    SetStatus,
    Status,
    StoredMessage,
    User,
    UserInfo,
    UserList,
)
from tertulia.tui.model.chatmodel import (
    FIRST_PAGE,
    Answered,
    ChatModel,
    NewMessage,
    Undelivered,
)
from tertulia.tui.model.timeline import Delivery, Moved, Said, Told

TIME = "2026-11-22T15:04:05.123Z"
GONE = Error(code=ErrorCode.USER_NOT_CONNECTED, message="gone", name="luis")


class ModelTable:
    """The model of ana's screen, and the server in the hands of a test."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.client = StubClient()
        self._rung = threading.Semaphore(0)
        self.answers: list[tuple[Request, Answer]] = []
        self.calls: list[tuple[str, bool]] = []
        self.undelivered: list[tuple[str, str]] = []
        self.model = ChatModel(
            self.client,
            Reconnector(lambda _resumption: self.client, self._rung.release),
            Destination("ana", "h", 5000),
        )
        self.talks = self.model.conversations

    def turn(self, *messages: Any) -> None:
        for message in messages:
            self.client.arrive(message)
        self.model.chat.receive()
        self.model.chat.advance()
        for alert in self.model.pop_alerts():
            match alert:
                case Answered(request, answer):
                    self.answers.append((request, answer))
                case NewMessage(message, calls):
                    self.calls.append((message.text, calls))
                case Undelivered(conversation, words):
                    self.undelivered.append((conversation.name, words()))

    def enter(self, *history: ChatMessage, more: bool = False) -> None:
        """Answer the requests that are sent on entering."""
        self.turn()
        users = [User(name=name, status=Status.ACTIVO) for name in ("ana", "José", "luis")]
        self.turn(UserList(id=1, seq=10, users=users))
        self.turn(page(2, *history, more=more))
        assert self.client.sent == [ListUsers(), GetHistory(before=11, limit=FIRST_PAGE)]
        self.client.sent.clear()  # numbers of answers begin at 1 again

    def lose(self) -> None:
        self.client.end = LOST
        self.turn()

    def come_back(self, client: StubClient) -> None:
        """Lose the connection and get another one."""
        self.lose()
        self.client = client
        assert self.model.chat.wake_at is not None
        self.clock.now = self.model.chat.wake_at
        self.turn()
        assert self._rung.acquire(timeout=20)
        self.turn()

    @property
    def general(self) -> list[str]:
        """Return all texts in the general chat, of people and of this program."""
        shown = []
        for entry in self.talks.general.entries:
            match entry:
                case Said():
                    shown.append(entry.text)
                case Told():
                    shown.append(entry.words())
                case Moved():
                    shown.append(", ".join(entry.changes))
        return shown

    def direct(self, name: str = "luis") -> Said:
        """Return the last message of the conversation with a user."""
        messages = [e for e in self.talks.with_name(name).entries if isinstance(e, Said)]
        return messages[-1]


def page(request_id: int, *messages: ChatMessage, more: bool = False) -> HistoryPage:
    stored = [StoredMessage(**asdict(message)) for message in messages]
    return HistoryPage(id=request_id, messages=stored, more=more)


@pytest.fixture
def newcomer(clock: Clock) -> ModelTable:
    return ModelTable(clock)


@pytest.fixture
def table(newcomer: ModelTable) -> ModelTable:
    newcomer.enter(said(9, "before"))
    return newcomer


# --- entering ----------------------------------------------------------------------------------


def test_what_was_said_before_comes_first_then_the_greeting_and_the_hints(
    newcomer: ModelTable,
) -> None:
    newcomer.turn(said(11, "hola ana"))
    newcomer.enter(said(9, "before, ana"), said(10, "you?"))
    assert newcomer.general[:3] == [
        "before, ana", "you?", "hola ana"
    ]  # fmt: skip
    assert newcomer.general[3] == "Hello, ana. You are ACTIVO. There are 3 people here."
    assert len(newcomer.general) == 7
    assert newcomer.calls == []
    mentions = [e.mention for e in newcomer.talks.general.entries if isinstance(e, Said)]
    assert mentions == [True, False, True]
    set_language("es")
    assert newcomer.general[3].startswith("Hola, ana.")
    assert newcomer.general[6] != newcomer.general[5]


def test_what_was_said_before_is_not_unread(newcomer: ModelTable) -> None:
    newcomer.talks.open("luis")
    newcomer.enter(said(9, "ana!"))
    assert (newcomer.talks.general.unread, newcomer.talks.general.calls) == (0, False)
    newcomer.turn(said(11, "ana!"))
    assert (newcomer.talks.general.unread, newcomer.talks.general.calls) == (1, True)


def test_the_own_coming_is_not_shown_and_that_of_others_is(table: ModelTable) -> None:
    before = table.general
    table.turn(
        Joined(seq=11, time=TIME, name="ana", status=Status.ACTIVO),
        Joined(seq=12, time=TIME, name="eva", status=Status.ACTIVO),
        Presence(seq=13, time=TIME, name="ana", status=Status.OCUPADO, by="user"),
        Left(seq=14, time=TIME, name="eva", reason="quit"),
    )
    assert table.general == [*before, "eva"]


def test_a_change_of_status_is_a_line_only_if_it_was_asked_for(table: ModelTable) -> None:
    before = table.general
    presence = Presence(seq=11, time=TIME, name="luis", status=Status.OCUPADO, by="user")
    table.turn(presence)
    assert table.general == before
    table.model.shows_statuses = True
    table.turn(replace(presence, seq=12))
    assert table.general == [*before, "luis"]


@pytest.mark.parametrize(
    "message",
    [
        Joined(seq=11, time=TIME, name="ana", status=Status.ACTIVO),
        Left(seq=11, time=TIME, name="luis", reason="quit"),
        Presence(seq=11, time=TIME, name="luis", status=Status.OCUPADO, by="user"),
        UserList(seq=11, users=[]),
    ],
)
def test_it_is_noted_that_the_list_of_people_has_changed(table: ModelTable, message: Any) -> None:
    table.model.people_changed = False
    table.turn(message)
    assert table.model.people_changed


def test_a_message_changes_nothing_in_the_list_of_people(table: ModelTable) -> None:
    table.model.people_changed = False
    table.turn(said(11, "hola"))
    assert not table.model.people_changed


# --- what calls --------------------------------------------------------------------------------


def test_every_message_of_others_is_told_and_whether_it_calls(table: ModelTable) -> None:
    table.turn(
        said(11, "hola"),
        said(12, "hola ana"),
        said(13, "I am ana", "ana"),
        DirectMessage(time=TIME, sender="luis", to="ana", text="psst"),
        DirectMessage(time=TIME, sender="ana", to="ana", text="note"),
    )
    assert table.calls == [("hola", False), ("hola ana", True), ("psst", True)]


# --- saying ------------------------------------------------------------------------------------


def test_what_is_said_is_shown_when_it_comes_back_and_a_refusal_is_handed_on(
    table: ModelTable,
) -> None:
    before = table.general
    table.model.ask(Say(text="hola"))
    table.turn(Ok(id=1, seq=11))
    assert table.general == before
    table.turn(said(11, "hola", "ana"))
    assert table.general == [*before, "hola"]
    table.model.ask(Say(text="x" * 9))
    refusal = Error(id=2, code=ErrorCode.TEXT_TOO_LONG, message="")
    table.turn(refusal)
    [(request, answer)] = table.answers
    assert isinstance(request, Say)
    assert (request.text, answer) == ("x" * 9, refusal)


def test_a_direct_message_stands_there_at_once_and_is_marked_until_it_has_arrived(
    table: ModelTable,
) -> None:
    table.model.send_direct("JOSÉ", "hola")
    assert table.talks.listed[1].name == "José"  # as it is registered
    entry = table.direct("José")
    assert (entry.text, entry.own, entry.delivery) == ("hola", True, Delivery.SENDING)
    table.turn(Ok(id=1))
    assert entry.delivery is Delivery.DELIVERED
    assert table.answers == []


def test_why_a_direct_message_was_not_delivered_stands_at_it_in_the_language_of_now(
    table: ModelTable,
) -> None:
    table.model.send_direct("luis", "hola")
    table.turn(Error(id=1, code=GONE.code, message=GONE.message, name="luis"))
    entry = table.direct()
    assert entry.delivery is Delivery.FAILED
    assert entry.why is not None
    assert entry.why() == "Not delivered: nobody called “luis” is connected."
    assert table.undelivered == [("luis", entry.why())]
    set_language("es")
    assert "luis" in entry.why()
    assert "Not" not in entry.why()
    assert table.answers == []


def test_a_direct_message_can_be_sent_again_under_the_same_nonce(table: ModelTable) -> None:
    table.model.send_direct("luis", "hola")
    table.turn(Error(id=1, code=GONE.code, message=""))
    entry = table.direct()
    table.model.send_again(entry)
    assert (entry.delivery, entry.why) == (Delivery.SENDING, None)
    first, again = table.client.sent
    assert isinstance(first, Direct)
    assert first.nonce is not UNSET
    assert again == first
    table.turn(Ok(id=2))
    assert entry.delivery is Delivery.DELIVERED
    assert table.direct() is entry


def test_two_messages_that_are_alike_have_nonces_of_their_own(table: ModelTable) -> None:
    for _number in range(2):
        table.model.send_direct("luis", "hola")
    table.turn(Ok(id=1))
    first, second = table.client.sent
    assert isinstance(first, Direct)
    assert isinstance(second, Direct)
    assert first.nonce != second.nonce
    deliveries = [e.delivery for e in table.talks.with_name("luis").entries if isinstance(e, Said)]
    assert deliveries == [Delivery.DELIVERED, Delivery.SENDING]


def test_a_note_to_oneself_stands_there_once(table: ModelTable) -> None:
    table.model.send_direct("ana", "note")
    table.turn(DirectMessage(time=TIME, sender="ana", to="ana", text="note"), Ok(id=1))
    entries = [e for e in table.talks.with_name("ana").entries if isinstance(e, Said)]
    assert [(e.text, e.delivery) for e in entries] == [("note", Delivery.DELIVERED)]
    assert table.calls == []


def test_a_direct_message_under_way_when_the_connection_is_lost_is_sent_again(
    table: ModelTable,
) -> None:
    table.model.send_direct("luis", "one")
    one = table.direct()
    table.lose()
    assert one.delivery is Delivery.SENDING
    table.come_back(StubClient())
    table.turn(UserList(id=1, seq=10, users=[]))
    assert table.client.sent[-1] == one.request
    table.turn(Ok(id=len(table.client.sent), time=TIME))
    assert one.delivery is Delivery.DELIVERED


def test_a_direct_message_that_was_sent_to_somebody_who_is_gone_is_marked(
    table: ModelTable,
) -> None:
    table.model.send_direct("luis", "one")
    one = table.direct()
    table.lose()
    table.come_back(StubClient())
    table.turn(UserList(id=1, seq=10, users=[]))
    gone = Error(id=len(table.client.sent), code=ErrorCode.USER_NOT_CONNECTED, message="")
    table.turn(gone)
    assert one.delivery is Delivery.UNKNOWN
    assert one.can_be_sent_again
    assert one.why is not None
    assert one.why() == "This may not have been delivered: the connection was lost."
    assert table.undelivered == [("luis", "This may not have been delivered to luis: one")]


def test_a_direct_message_that_is_not_confirmed_stays_on_its_way(table: ModelTable) -> None:
    table.model.send_direct("luis", "hola")
    before = table.general
    table.clock.now += 2 * ANSWER_WITHIN_S
    table.turn()
    assert table.direct().delivery is Delivery.SENDING
    assert table.general == before
    undelivered = Error(id=1, code=ErrorCode.UNDELIVERED, message="", name="luis")
    table.turn(undelivered)
    assert table.direct().delivery is Delivery.FAILED
    assert "luis" in table.direct().why()


def test_a_message_to_everyone_that_takes_long_is_shown_while_it_is_on_its_way(
    table: ModelTable,
) -> None:
    table.model.ask(Say(text="hola"))
    table.clock.now += SAID_WITHIN_S
    table.turn()
    assert table.general[-1] == "On its way to everyone: hola"


def test_of_another_request_without_an_answer_it_is_told(table: ModelTable) -> None:
    table.model.ask(GetInfo(name="luis"))
    table.clock.now += ANSWER_WITHIN_S
    table.turn()
    assert table.general[-1].startswith("The server did not answer.")
    assert table.model.last_words == table.general[-1]


# --- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (
            GetInfo(name="luis"),
            UserInfo(
                id=1, name="luis", address="h", status=Status.ACTIVO, since=TIME, idle=3
            ),
        ),
        (Search(text="x"), HistoryPage(id=1, messages=[], more=False)),
        (GetInfo(name="x"), Error(id=1, code=ErrorCode.USER_NOT_CONNECTED, message="")),
        (SetStatus(status="ACTIVO"), Ok(id=1)),  # it is the status already
    ],
)  # fmt: skip
def test_answers_that_are_to_be_shown_apart_are_handed_on(
    table: ModelTable, request_: Request, answer: Answer
) -> None:
    table.model.ask(request_)
    table.turn(answer)
    assert table.answers == [(request_, answer)]


def test_what_was_found_is_made_into_messages(table: ModelTable) -> None:
    found = table.model.entries_of(page(1, said(3, "hola ana"), said(4, "hola", "ana")))
    assert [(e.text, e.own, e.mention, e.seq) for e in found] == [
        ("hola ana", False, True, 3), ("hola", True, False, 4)
    ]  # fmt: skip
    assert table.general[0] == "before"


# --- older messages ----------------------------------------------------------------------------


def test_older_messages_come_before_the_oldest_until_there_are_none(table: ModelTable) -> None:
    assert table.model.fetch_older()
    assert table.model.fetch_older()  # one is under way
    assert table.client.sent == [GetHistory(before=9, limit=MAX_PAGE)]
    table.turn(page(1, said(7, "seven"), said(8, "eight"), more=True))
    assert table.general[:3] == ["seven", "eight", "before"]
    assert not table.model.older_arrived
    table.model.fetch_older(5, by_command=True)
    assert table.client.sent[1:] == [GetHistory(before=7, limit=5)]
    table.turn(page(2, said(6, "six"), more=False))
    assert table.general[:2] == ["six", "seven"]
    assert table.model.older_arrived
    assert not table.model.fetch_older()
    assert len(table.client.sent) == 2
    assert table.answers == []


def test_a_page_that_was_scrolled_for_after_a_command_is_not_one_of_the_command(
    table: ModelTable,
) -> None:
    table.model.fetch_older(by_command=True)
    table.turn(page(1, said(8, "eight"), more=True))
    assert table.model.older_arrived
    table.model.fetch_older()
    assert not table.model.older_arrived
    table.turn(page(2, said(7, "seven"), more=True))
    assert not table.model.older_arrived


def test_a_page_of_a_command_stays_one_while_the_user_scrolls(table: ModelTable) -> None:
    table.model.fetch_older()
    table.model.fetch_older(by_command=True)
    table.model.fetch_older()
    assert len(table.client.sent) == 1
    table.turn(page(1, said(8, "eight"), more=True))
    assert table.model.older_arrived


def test_nothing_older_is_asked_for_before_the_first_page_is_there(newcomer: ModelTable) -> None:
    assert newcomer.model.fetch_older()
    newcomer.enter(said(9, "before"))  # that is all that was sent


def test_older_messages_call_nobody_and_are_not_unread(table: ModelTable) -> None:
    table.talks.open("luis")
    table.model.fetch_older()
    table.turn(page(1, said(8, "ana!"), more=True))
    assert (table.calls, table.talks.general.unread) == ([], 0)


def test_without_messages_it_is_asked_for_what_came_before_entering(newcomer: ModelTable) -> None:
    newcomer.enter()
    newcomer.model.fetch_older()
    assert newcomer.client.sent == [GetHistory(before=11, limit=MAX_PAGE)]


def test_what_was_forgotten_is_asked_for_again(
    table: ModelTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.model.fetch_older()
    table.turn(page(1, said(8, "eight")), said(11, "eleven"))
    assert not table.model.fetch_older()
    monkeypatch.setattr("tertulia.tui.model.conversations.MAX_GENERAL_ENTRIES", 1)
    monkeypatch.setattr("tertulia.tui.model.timeline._TRIMMED_AT_ONCE", 0)
    table.talks.general.trim(reading=False)
    assert table.general == ["eleven"]
    table.model.fetch_older()
    assert table.client.sent[1:] == [GetHistory(before=11, limit=MAX_PAGE)]


def test_where_there_is_no_history_it_is_asked_for_once(table: ModelTable) -> None:
    table.model.fetch_older(by_command=True)
    refusal = Error(id=1, code=ErrorCode.HISTORY_OFF, message="")
    table.turn(refusal)
    assert table.answers == [(GetHistory(), refusal)]
    assert not table.model.fetch_older()
    assert len(table.client.sent) == 1


def test_a_history_that_cannot_be_read_now_can_be_asked_for_again(table: ModelTable) -> None:
    table.model.fetch_older()
    table.turn(Error(id=1, code=ErrorCode.UNAVAILABLE, message=""))
    assert table.answers == []  # nobody has asked for it in so many words
    table.model.fetch_older(by_command=True)
    assert len(table.client.sent) == 2
    refusal = Error(id=2, code=ErrorCode.UNAVAILABLE, message="")
    table.turn(refusal)
    assert table.answers == [(GetHistory(), refusal)]
    assert not table.model.older_arrived


def test_a_page_that_never_comes_does_not_prevent_the_next(table: ModelTable) -> None:
    table.model.fetch_older()
    table.clock.now += ANSWER_WITHIN_S
    table.turn()
    table.model.fetch_older()
    assert len(table.client.sent) == 2


def test_a_full_conversation_asks_for_nothing_more(
    table: ModelTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.tui.model.conversations.MAX_WHILE_READING", 3)
    assert not table.model.fetch_older()
    assert table.client.sent == []


def test_the_history_of_another_numbering_does_not_go_on_from_here(table: ModelTable) -> None:
    assert table.talks.general.has_older
    table.come_back(StubClient(10))
    assert table.talks.general.has_older
    table.come_back(StubClient(9))
    assert not table.talks.general.has_older


# --- the end -----------------------------------------------------------------------------------


def test_a_lost_connection_is_told_and_the_list_of_people_is_to_be_shown_anew(
    table: ModelTable,
) -> None:
    table.model.people_changed = False
    table.lose()
    assert table.general[-2:] == [
        "The connection to the server was lost.", "Reconnecting automatically…"
    ]  # fmt: skip
    assert table.model.last_words == "Reconnecting automatically…"
    assert table.model.people_changed


def test_nothing_was_said_yet(newcomer: ModelTable) -> None:
    assert newcomer.model.last_words == ""
