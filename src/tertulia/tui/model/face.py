"""The chat as the full screen shows it: what happens, put into conversations.

No widget in here: it keeps what there is to show and tells the app, by callbacks, what needs more
than that. Runs on the event loop's thread.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from tertulia.chat import explain, greetings
from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.client.catchup import chat_message
from tertulia.client.client import Client
from tertulia.client.inbox import Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _
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
    Welcome,
)
from tertulia.tui.model.conversations import Conversations, Delivery, Said, Told

FIRST_PAGE = 100  # messages shown on entering: a tall screen's


class ScreenFace:
    """What the chat tells, kept for the screen.

    `on_answer` gets what is to be shown apart: information on a user, what was found, a refusal.
    `on_call` gets who calls for attention, and what was written.
    """

    def __init__(
        self,
        client: Client,
        reconnector: Reconnector,
        to: Destination,
        *,
        on_answer: Callable[[Request, Answer], None],
        on_call: Callable[[ChatMessage | DirectMessage, bool], None],
    ) -> None:
        self._on_answer = on_answer
        self._on_call = on_call
        self.conversations = Conversations(client.welcome.name)
        self.people_changed = True
        self.history_off = False  # the server has said so
        self.older_came = False  # the page that the person asked for by command
        self._words: Callable[[], str] = str
        self._epoch = client.welcome.epoch
        self._is_caught_up = False
        self._older: GetHistory | None = None  # the page that is under way
        self._by_command = False
        self.chat = Chat(client, reconnector, self, to, first_page=FIRST_PAGE)

    @property
    def last_words(self) -> str:
        """What this program has said last."""
        return self._words()

    # --- what the person does ------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Say something to everyone."""
        self.ask(Say(text=text))

    def direct(self, to: str, text: str) -> None:
        """Send a direct message, which stands in its conversation until it is known to be there."""
        # With a nonce, so that sending it again cannot make it arrive twice.
        request = Direct(to=to, text=text, nonce=secrets.token_urlsafe(9))
        name = self.chat.state.registered_name(to)
        self.conversations.sending(request, name, _now())
        self.ask(request)

    def send_again(self, entry: Said) -> None:
        """Send a direct message again that could not be delivered."""
        assert entry.request is not None
        self.conversations.settle(entry.request, Delivery.SENDING)
        self.ask(entry.request)

    def fetch_older(self, limit: int = MAX_PAGE, *, by_command: bool = False) -> bool:
        """Ask for what was said before the oldest message here; False if there is no more."""
        general = self.conversations.general
        if not general.has_older or general.is_full:
            return False
        if self._older is None and self._is_caught_up:
            before = general.oldest_seq
            self._older = GetHistory(
                before=self.chat.oldest_seq if before is None else before, limit=limit
            )
            self.older_came = self._by_command = False
            self.ask(self._older)
        self._by_command = self._by_command or by_command
        return True

    def found(self, page: HistoryPage) -> list[Said]:
        """Make entries of messages that were found."""
        return [self.conversations.said(chat_message(message)) for message in page.messages]

    def ask(self, request: Request) -> None:
        """Ask the server for something."""
        self.chat.ask(request)
        self.chat.carry_on()

    # --- what the chat tells -------------------------------------------------------------------

    def show_raw(self, incoming: Incoming) -> None:
        """Nothing is shown as it came."""

    def show_message(self, message: ServerMessage) -> None:
        """Put what happened where it belongs."""
        match message:
            case Welcome(epoch=epoch) if epoch != self._epoch:
                # Its history counts in other numbers than the messages that are here.
                self._epoch = epoch
                self.conversations.general.has_older = False
            case ChatMessage():
                calls = self.conversations.heard(message, is_new=self._is_caught_up)
                if self._is_caught_up and message.sender != self.chat.state.name:
                    self._on_call(message, calls)
            case DirectMessage():
                self.conversations.came(message)
                if message.sender != self.chat.state.name:
                    self._on_call(message, True)
            case Joined() | Left() | Presence():
                self.people_changed = True
                if not (isinstance(message, Joined) and message.name == self.chat.state.name):
                    self.conversations.moved(message)
            case UserList():
                self.people_changed = True

    def show_notice(self, words: Callable[[], str]) -> None:
        """Put words of this program into the general chat."""
        self._words = words
        self.conversations.general.add(Told(time=_now(), words=words))
        self.people_changed = True  # it may be that the connection was lost, or is back

    def greet(self, people: int) -> None:
        """Leave it for later: the greeting stands below what was said before."""

    def finish_entering(self) -> None:
        """Say hello, and give the hints."""
        self._is_caught_up = True
        state = self.chat.state
        status, people = state.status, len(state.users)
        self.show_notice(lambda: greetings.greeting(state.name, status, people))
        for number in range(len(greetings.hints())):
            self.show_notice(lambda number=number: greetings.hints()[number])  # type: ignore[misc]

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Put the answer where it belongs, or hand it on."""
        match request, answer:
            case GetHistory(), _ if request is self._older:
                self._older = None
                self._add_older(answer)
            case Direct(), Error():
                self.conversations.settle(
                    request, Delivery.FAILED, lambda: explain.request_refused(answer, request)
                )
            case SetStatus(), Ok():
                self._on_answer(request, answer)
            case _, Ok():
                pass  # what was said comes back as a message
            case _:
                self._on_answer(request, answer)

    def show_no_answer(self, request: Request) -> None:
        """Mark the message of which nobody knows, or say so."""
        if request is self._older:
            self._older = None
        if isinstance(request, Direct):
            self.conversations.settle(request, Delivery.UNKNOWN, explain.unanswered)
        else:
            self.show_notice(explain.unanswered)

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        """Take the mark from a message that has reached the other."""
        self.conversations.settle(request, Delivery.DELIVERED)

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Mark a message of which nobody knows."""
        self.conversations.settle(
            request, Delivery.UNKNOWN, lambda: _("Perhaps not delivered: the connection was lost.")
        )

    def _add_older(self, answer: Answer) -> None:
        general = self.conversations.general
        match answer:
            case HistoryPage():
                general.has_older = answer.more
                general.add_older(self.found(answer))
                self.older_came = self._by_command
            case Error():
                if answer.code == ErrorCode.HISTORY_OFF:
                    general.has_older, self.history_off = False, True
                if self._by_command:
                    self._on_answer(GetHistory(), answer)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
