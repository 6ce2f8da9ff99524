"""Puts live events and pages of history in order, so that nothing is missing or shown twice.

Pure: it is given events and pages, and returns the events to show and the request for the next
missing page. Live events wait while a page is missing, because the messages of the page come before
them.
"""

from collections import deque
from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import asdict

from tertulia.client.recent import Recent
from tertulia.protocol.messages import (
    MAX_PAGE,
    ChatMessage,
    Error,
    ErrorCode,
    Gap,
    GetHistory,
    HistoryPage,
    NumberedEvent,
    StoredMessage,
    Welcome,
)

_MAX_WAITING = 10_000  # live events; more than these are dropped, and fetched as history instead


class CatchUp:
    """The part of the general chat that was shown, and the part that is missing.

    If `first_page` is above 0, the newest page with that many messages is missing at first. It is
    missing again when a new connection leads to another server or another history. If `first_page`
    is 0, only the newest message is requested after such a change, and a Gap shows that others have
    said something meanwhile.
    """

    def __init__(self, welcome: Welcome, first_page: int) -> None:
        self._first_page = first_page
        self._epoch = welcome.epoch
        self._shown_seq = welcome.seq  # events up to here were shown, or are in a missing page
        self._seen_seq = welcome.seq  # the highest number that this server has named
        self._joined_seq = welcome.seq + 1  # the number of this user's own `joined`
        # How many of the events in a missing page are this user's own `joined` and `left`.
        self._own_count = 0
        self._is_renumbered = False  # and it is not known yet which messages were missed
        self._last_message: ChatMessage | None = None  # the last one that was shown
        self.oldest_seq = welcome.seq + 1  # no event before it was shown
        self._waiting: deque[NumberedEvent] = deque()
        self._nonces = Recent()
        self._request = self._newest(welcome, first_page)

    @property
    def request(self) -> GetHistory | None:
        """Return the request for the next missing page; None if no page is missing."""
        return self._request

    def resume(self, welcome: Welcome) -> bool:
        """Continue on a new connection: the events since the lost connection are missing.

        Returns whether the numbers of earlier events are no longer valid. That is so in another
        epoch, and when the numbers went back because an old copy of the history replaced the newer
        one.
        """
        self._waiting.clear()
        is_renumbered = welcome.epoch != self._epoch or welcome.seq < self._seen_seq
        begins_anew = is_renumbered or self._looks_back
        own_count = self._own_count + 1 + (self._joined_seq > self._shown_seq)
        self._epoch, self._seen_seq = welcome.epoch, welcome.seq
        self._joined_seq, self._is_renumbered = welcome.seq + 1, begins_anew
        if begins_anew:
            self._shown_seq, self.oldest_seq = welcome.seq, welcome.seq + 1
            self._request = self._newest(welcome, self._first_page or 1)
        elif welcome.seq > self._shown_seq:
            self._request = self._after_shown(welcome.seq + 1)
            self._own_count = own_count
        return is_renumbered

    def add_live(self, event: NumberedEvent | Gap) -> list[NumberedEvent]:
        """Add an event that came live; return the events to show now."""
        if isinstance(event, Gap):
            self._seen_seq = event.through
            self._request = self._after_shown(event.through + 1)
            return []
        self._seen_seq = event.seq
        if self._request is None:
            return self._show([event])
        self._waiting.append(event)
        if len(self._waiting) > _MAX_WAITING:
            self._request = self._after_shown(event.seq + 1)
            self._waiting.clear()
        return []

    def add_page(self, request: GetHistory, page: HistoryPage) -> list[NumberedEvent | Gap]:
        """Add the page that answers `request`; return the events to show now."""
        # More is missing by now, and the next request covers all of it.
        if request is not self._request:
            return []
        looked_back = self._looks_back
        self._forget_request()
        messages = [chat_message(message) for message in page.messages]
        if looked_back:
            missed = messages and not self._has_shown(messages[-1])
            return [*([_all_before(request)] if missed else []), *self._show_waiting()]
        if messages:
            self.oldest_seq = min(self.oldest_seq, messages[0].seq)
        if request.after is UNSET:  # the first page: all of it is older than everything shown
            return [*filter(self._remember, messages), *self._show_waiting()]
        shown = self._show(self._with_waiting(messages))
        if page.more and messages:
            assert request.before is not UNSET
            self._request = self._after_shown(request.before)
            return [*shown]
        return [*shown, *self._show_waiting()]

    def give_up(self, request: GetHistory, error: Error) -> list[NumberedEvent | Gap]:
        """Continue without a page that the server refused; return the events to show now.

        A Gap stands in the place of messages that stay missing. A server without history says in
        its refusal whether there were any messages. So there is no gap if users only came and went.
        """
        if request is not self._request:
            return []
        assert request.before is not UNSET
        after, through = 0 if request.after is UNSET else request.after, request.before - 1
        leaves_gap = True
        if error.code == ErrorCode.HISTORY_OFF:
            leaves_gap = self._misses_messages(request, error)
            self._shown_seq = max(self._shown_seq, through)  # these events will never come
        self._forget_request()
        gap = [Gap(after=after, through=through)] if leaves_gap else []
        return [*gap, *self._show_waiting()]

    def _misses_messages(self, request: GetHistory, refusal: Error) -> bool:
        """Return whether a server without history has, or may have, messages in a missing page."""
        if request.after is UNSET:
            # Messages from before a user came are not missing. Messages since the restart of the
            # server are missing if the user was here before it.
            return self._is_renumbered and refusal.seq is not UNSET and refusal.seq > 0
        if refusal.seq is not UNSET:
            return refusal.seq > request.after
        # An older server does not give `seq` here. Without a history its numbers have no holes.
        assert request.before is not UNSET
        return request.before - 1 - request.after > self._own_count

    def add_older_page(self, page: HistoryPage) -> None:
        """Note a page of older messages that the person requested and that is shown."""
        if page.messages:
            self.oldest_seq = min(self.oldest_seq, page.messages[0].seq)

    def _forget_request(self) -> None:
        self._request = None
        self._own_count = 0

    def _newest(self, welcome: Welcome, limit: int) -> GetHistory | None:
        return GetHistory(before=welcome.seq + 1, limit=limit) if limit else None

    @property
    def _looks_back(self) -> bool:
        """Return whether the newest message is requested only to learn if messages were missed."""
        return not self._first_page and self._request is not None and self._request.after is UNSET

    def _has_shown(self, newest: ChatMessage) -> bool:
        """Return whether `newest`, which may have a new number, is the last message shown."""
        last = self._last_message
        return last is not None and _what_was_said(last) == _what_was_said(newest)

    def _after_shown(self, before: int) -> GetHistory:
        return GetHistory(after=self._shown_seq, before=before, limit=MAX_PAGE)

    def _with_waiting(self, messages: list[ChatMessage]) -> list[NumberedEvent]:
        """Return messages of a page, with the live events that came between two gaps."""
        merged: list[NumberedEvent] = []
        for message in messages:
            while self._waiting and self._waiting[0].seq < message.seq:
                merged.append(self._waiting.popleft())
            merged.append(message)
        return merged

    def _show_waiting(self) -> list[NumberedEvent]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return self._show(waiting)

    def _show(self, events: Sequence[NumberedEvent]) -> list[NumberedEvent]:
        shown: list[NumberedEvent] = []
        for event in events:
            if event.seq <= self._shown_seq:
                continue
            self._shown_seq = event.seq
            if not isinstance(event, ChatMessage) or self._remember(event):
                shown.append(event)
        return shown

    def _remember(self, message: ChatMessage) -> bool:
        """Note a message; return False if it is a repetition, with a nonce that came before."""
        self._last_message = message
        return message.nonce is UNSET or self._nonces.is_new((message.sender, message.nonce))


def _all_before(request: GetHistory) -> Gap:
    assert request.before is not UNSET
    return Gap(after=0, through=request.before - 1)


def _what_was_said(message: ChatMessage) -> tuple[str, str, str]:
    return message.time, message.sender, message.text


def chat_message(stored: StoredMessage) -> ChatMessage:
    """Return the live event that a stored message was when it was sent."""
    return ChatMessage(**asdict(stored))
