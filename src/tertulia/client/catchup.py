"""The general chat without holes and doubles: live events and pages of history, put in order.

Pure: messages in, messages to show out, and the request that is to be sent next. While a page is
awaited live events are kept back, for what the page brings comes before them.
"""

from collections import OrderedDict, deque

from msgspec import UNSET
from msgspec.structs import asdict

from tertulia.protocol.messages import (
    MAX_PAGE,
    ChatMessage,
    Gap,
    GetHistory,
    HistoryPage,
    NumberedEvent,
    StoredMessage,
    Welcome,
)

_MAX_KEPT_BACK = 10_000  # at the bound they are let go, and fetched from the history instead
_MAX_NONCES = 10_000


class CatchUp:
    """What has been shown of the general chat, and what is missing.

    On entering that is the newest page, of `first_page` messages.
    """

    def __init__(self, welcome: Welcome, first_page: int) -> None:
        self._first_page = first_page
        self._epoch = welcome.epoch
        self._shown_seq = welcome.seq  # everything up to here has been shown, or is being fetched
        self.oldest_seq = welcome.seq + 1  # nothing before it has been shown
        self._kept_back: deque[NumberedEvent] = deque()
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._request = self._newest(welcome)

    @property
    def request(self) -> GetHistory | None:
        """Give the page that is needed next; None if nothing is missing."""
        return self._request

    def reconnected(self, welcome: Welcome) -> None:
        """Begin to fill the hole that a lost connection has left."""
        self._kept_back.clear()
        if welcome.epoch != self._epoch:  # another numbering: what was shown is not known there
            self._epoch = welcome.epoch
            self._shown_seq, self.oldest_seq = welcome.seq, welcome.seq + 1
            self._request = self._newest(welcome)
        elif welcome.seq > self._shown_seq:
            self._request = self._after_shown(welcome.seq + 1)

    def take(self, event: NumberedEvent | Gap) -> list[NumberedEvent]:
        """Take what came live; return what can be shown now."""
        if isinstance(event, Gap):
            self._request = self._after_shown(event.through + 1)
            return []
        if self._request is None:
            return self._show([event])
        self._kept_back.append(event)
        if len(self._kept_back) > _MAX_KEPT_BACK:
            self._request = self._after_shown(event.seq + 1)
            self._kept_back.clear()
        return []

    def page(self, request: GetHistory, page: HistoryPage) -> list[NumberedEvent]:
        """Take the page that `request` has brought; return what can be shown now."""
        if request is not self._request:  # more is missing by now, and will be asked for
            return []
        self._request = None
        messages = [stored_as_said(message) for message in page.messages]
        if messages:
            self.oldest_seq = min(self.oldest_seq, messages[0].seq)
        if request.after is UNSET:  # the first page, of what was said before
            return [*filter(self._remember, messages), *self._let_go()]
        shown = self._show(messages)
        if page.more and messages:
            assert request.before is not UNSET
            self._request = self._after_shown(request.before)
            return shown
        return shown + self._let_go()

    def older(self, page: HistoryPage) -> list[ChatMessage]:
        """Take a page of older messages that the person asked for."""
        if page.messages:
            self.oldest_seq = min(self.oldest_seq, page.messages[0].seq)
        return [stored_as_said(message) for message in page.messages]

    def give_up(self, request: GetHistory) -> list[NumberedEvent]:
        """Go on without the page that `request` has not brought; return what can be shown now."""
        if request is not self._request:
            return []
        self._request = None
        return self._let_go()

    def _newest(self, welcome: Welcome) -> GetHistory | None:
        return (
            GetHistory(before=welcome.seq + 1, limit=self._first_page) if self._first_page else None
        )

    def _after_shown(self, before: int) -> GetHistory:
        return GetHistory(after=self._shown_seq, before=before, limit=MAX_PAGE)

    def _let_go(self) -> list[NumberedEvent]:
        kept_back = list(self._kept_back)
        self._kept_back.clear()
        return self._show(kept_back)

    def _show(self, events: list[ChatMessage] | list[NumberedEvent]) -> list[NumberedEvent]:
        shown: list[NumberedEvent] = []
        for event in events:
            if event.seq <= self._shown_seq:
                continue
            self._shown_seq = event.seq
            if not isinstance(event, ChatMessage) or self._remember(event):
                shown.append(event)
        return shown

    def _remember(self, message: ChatMessage) -> bool:
        """Note a message's nonce; False if it was there before: the same message, said again."""
        if message.nonce is UNSET:
            return True
        key = message.sender, message.nonce
        if key in self._nonces:
            return False
        self._nonces[key] = None
        if len(self._nonces) > _MAX_NONCES:
            self._nonces.popitem(last=False)
        return True


def stored_as_said(message: StoredMessage) -> ChatMessage:
    """Make of a message in a page what it was when it was said."""
    return ChatMessage(**asdict(message))
