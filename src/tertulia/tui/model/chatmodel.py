"""The model of the screen: the chat, and its events sorted into conversations.

It contains no widget and calls none. The `Chat` calls this as its `Face`. Anything to be shown
outside the conversations waits as an alert until `pop_alerts`. Runs on the event loop's thread.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from tertulia.chat import explain, greetings
from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.chat.ignored import Ignored
from tertulia.chat.mentions import Mention
from tertulia.chat.order_words import OrderEvent, order_words
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.catchup import chat_message
from tertulia.client.client import Client
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import (
    MAX_PAGE,
    Answer,
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    HistoryPage,
    Joined,
    Left,
    Ok,
    Presence,
    Request,
    Say,
    ServerMessage,
    SetStatus,
    UserList,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    Hushed,
    Locked,
    Muted,
    OperatorRequest,
    Pinned,
    Role,
    Unmuted,
)
from tertulia.tui.model.conversations import Conversation, Conversations
from tertulia.tui.model.timeline import Delivery, Said, Told

FIRST_PAGE = 100  # messages shown after entering: as many as fit on a tall screen


class Answered(NamedTuple):
    """An answer to show outside the conversations: about a user, a search, a refusal."""

    request: Request
    answer: Answer


class NewMessage(NamedTuple):
    """A message that another user has just sent; `calls` if it is direct or a mention."""

    message: ChatMessage | DirectMessage
    calls: bool


class Undelivered(NamedTuple):
    """A direct message in this conversation was not delivered, or perhaps not; `words` say it."""

    conversation: Conversation
    words: Callable[[], str]


Alert = Answered | NewMessage | Undelivered


class ChatModel:
    """The content of one user's screen, and the user's requests to the server."""

    def __init__(
        self,
        client: Client,
        reconnector: Reconnector,
        to: Destination,
        mention: Mention | None = None,
        problem: str = "",
        *,
        operator_secret: str | None = None,
        ignored: Ignored | None = None,
        whereabouts: Whereabouts | None = None,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin the chat; a non-empty `problem` is shown to the user after the greeting.

        `is_away` returns whether the user is known to look at something else.
        """
        self.conversations = Conversations(client.welcome.name, mention, is_away)
        self.shows_statuses = False  # whether each change of status is a line in the chat
        self.people_changed = True  # whether the list of people has changed since it was shown
        self.history_off = False  # the server has answered that it keeps no history
        self.older_arrived = False  # a page that the user requested by a command
        # The controller pops them each time something was received. Their number is limited by what
        # is received at a time, which is at most the client's inbox.
        self._alerts: list[Alert] = []
        self._last_words: Callable[[], str] = str
        self._is_caught_up = False
        self._problem = problem
        self._older: GetHistory | None = None  # the request for a page that is under way
        self._by_command = False  # it was requested by a command, and not by scrolling
        self.chat = Chat(
            client, reconnector, self, to,
            first_page=FIRST_PAGE, operator_secret=operator_secret, ignored=ignored,
            whereabouts=whereabouts, reports_seen=True,
        )  # fmt: skip

    @property
    def last_words(self) -> str:
        """Return the last explanation of this program, in the user's language."""
        return self._last_words()

    def pop_alerts(self) -> list[Alert]:
        """Return the alerts since the last call."""
        alerts, self._alerts = self._alerts, []
        return alerts

    # --- what the user does --------------------------------------------------------------------

    def send_direct(self, to: str, text: str) -> Conversation:
        """Send a direct message; it is in its conversation at once, marked as on its way.

        Returns that conversation.
        """
        # The nonce prevents that the message arrives twice when it is sent again.
        request = Direct(to=to, text=text, nonce=secrets.token_urlsafe(9))
        conversation = self.conversations.add_outgoing(
            request, self.chat.state.registered_name(to), self.chat.clock.now()
        )
        self.ask(request)
        return conversation

    def send_again(self, entry: Said) -> None:
        """Send an undelivered direct message again."""
        assert entry.request is not None
        self.conversations.mark_delivery(entry.request, Delivery.SENDING)
        self.ask(entry.request)

    def fetch_older(self, limit: int = MAX_PAGE, *, by_command: bool = False) -> bool:
        """Request the messages before the oldest one here; return False if there are no more."""
        general = self.conversations.general
        if not general.has_older or general.is_full:
            return False
        if self._older is None and self._is_caught_up:
            before = general.oldest_seq
            self._older = GetHistory(
                before=self.chat.oldest_seq if before is None else before, limit=limit
            )
            self.older_arrived = self._by_command = False
            self.ask(self._older)
        self._by_command = self._by_command or by_command
        return True

    def entries_of(self, page: HistoryPage) -> list[Said]:
        """Make entries from the messages of a page."""
        return [self.conversations.entry_of(chat_message(message)) for message in page.messages]

    def ask(self, request: Request) -> None:
        """Have the chat send a request after those that wait already; at once if none do."""
        self.chat.enqueue(request)
        self.chat.advance()

    def watch(self, request: Request) -> None:
        """Send a request that the user did not make, to update something on the screen."""
        self.chat.enqueue_watched(request)
        self.chat.advance()

    # --- the `Face` of the chat ----------------------------------------------------------------

    def show_raw(self, incoming: Incoming) -> None:
        """Ignore the raw message: the screen shows none."""

    def show_message(self, message: ServerMessage) -> None:
        """Put an event into its conversations."""
        match message:
            case ChatMessage():
                calls = self.conversations.add_message(message, is_new=self._is_caught_up)
                if self._is_caught_up and message.sender != self.chat.state.name:
                    self._alerts.append(NewMessage(message, calls))
            case DirectMessage():
                self.conversations.add_direct(message)
                if message.sender != self.chat.state.name:
                    self._alerts.append(NewMessage(message, calls=True))
            case Joined() | Left() | Presence():
                self.people_changed = True
                if isinstance(message, Presence) and not self.shows_statuses:
                    return
                if not (isinstance(message, Joined) and message.name == self.chat.state.name):
                    self.conversations.fold_presence(message)
            case UserList():
                self.people_changed = True
            case Role() | Muted() | Unmuted() | Hushed() | Locked() | Pinned():
                self.people_changed = True  # also because the rule who may write has changed
                self._tell(message)

    def _tell(self, event: OrderEvent) -> None:
        """Add a text about the action of an operator."""
        name, today = self.chat.state.name, self.chat.clock.today
        words = lambda: order_words(event, name, today())  # noqa: E731 (kept with the entry)
        self.conversations.general.add(Told(time=event.time, words=words))

    def show_changed_people(self) -> None:
        """Note that the list of people must be shown again."""
        self.people_changed = True

    def forget_numbers(self) -> None:
        """Fetch no older messages, because their numbers do not match the messages shown here."""
        self.conversations.general.has_older = False

    def show_notice(self, words: Callable[[], str]) -> None:
        """Add a text of this program to the general chat."""
        self._last_words = words
        self.conversations.general.add(Told(time=self.chat.clock.now(), words=words))
        self.people_changed = True  # the text may be about the connection

    def show_failure(self, words: Callable[[], str]) -> None:
        """Add a text about a failure."""
        self.show_notice(words)

    def greet(self, people: int) -> None:
        """Do nothing yet: the greeting is added below the messages of the first page."""

    def finish_entering(self) -> None:
        """Add the greeting and the hints for newcomers."""
        self._is_caught_up = True
        state = self.chat.state
        status, people = state.status, state.people
        self.show_notice(lambda: greetings.greeting(state.name, status, people))
        if self.chat.whereabouts.greeting():
            self.show_notice(self.chat.whereabouts.greeting)
        for number in range(len(greetings.hints())):
            self.show_notice(lambda number=number: greetings.hints()[number])  # type: ignore[misc]
        if not any(isinstance(entry, Said) for entry in self.conversations.general.entries):
            self.show_notice(greetings.nothing_said)
        if self._problem:
            self.show_notice(lambda: self._problem)

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Put the answer into its conversation, or make an alert of it."""
        if isinstance(request, OperatorRequest | BecomeOperator | ListAttendance):
            self._alerts.append(Answered(request, answer))
            return
        match request, answer:
            case GetHistory(), _ if request is self._older:
                self._older = None
                self._add_older(answer)
            case Direct(), Error():
                words = lambda: explain.request_refused(answer, request)  # noqa: E731 (kept)
                self._mark_undelivered(request, Delivery.FAILED, words, words)
            case SetStatus(), Ok():
                self._alerts.append(Answered(request, answer))
            case _, Ok():
                pass  # the message itself comes back as an event
            case _:
                self._alerts.append(Answered(request, answer))

    def show_no_answer(self, request: Request) -> None:
        """Mark a direct message as possibly delivered; for other requests, add a text."""
        if request is self._older:
            self._older = None
        if isinstance(request, Direct):
            self._mark_unknown(request, explain.unanswered)
        else:
            self.show_notice(explain.unanswered)

    def show_on_its_way(self, request: Say | Direct) -> None:
        """Show a message to everyone that is not in any conversation yet.

        A direct message needs nothing: it is marked as on its way until its delivery is known.
        """
        if isinstance(request, Say):
            self.show_notice(lambda: explain.on_its_way(request))

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        """Mark a direct message as delivered, with the server's time."""
        self.conversations.mark_delivery(request, Delivery.DELIVERED, time=message.time)

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Mark a direct message whose delivery is unknown, because the connection was lost."""
        self._mark_unknown(request, explain.perhaps_delivered)

    def _mark_unknown(self, request: Direct, why: Callable[[], str]) -> None:
        words = lambda: explain.perhaps_arrived(request)  # noqa: E731 (kept with the alert)
        self._mark_undelivered(request, Delivery.UNKNOWN, why, words)

    def _mark_undelivered(
        self, request: Direct, delivery: Delivery, why: Callable[[], str], words: Callable[[], str]
    ) -> None:
        """Mark a message with the reason, and make an alert for other conversations."""
        conversation = self.conversations.mark_delivery(request, delivery, why)
        if conversation is not None:
            self._alerts.append(Undelivered(conversation, words))

    def _add_older(self, answer: Answer) -> None:
        general = self.conversations.general
        match answer:
            case HistoryPage():
                general.has_older = answer.more
                general.add_older(self.entries_of(answer))
                self.older_arrived = self._by_command
            case Error():
                if answer.code == ErrorCode.HISTORY_OFF:
                    general.has_older, self.history_off = False, True
                if self._by_command:
                    self._alerts.append(Answered(GetHistory(), answer))
