"""The general chat without holes and doubles: live events and pages of history, put in order.

Pure: events and pages in; out come the events to show and the request for the next missing page.
Live events wait while a page is missing, because the messages of the page come before them.
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

_MAX_WAITING = 10_000  # live events; at the bound they are dropped and fetched as history instead


class CatchUp:
    """What was shown of the general chat, and what is missing.

    With `first_page` above 0 the newest page, of so many messages, is missing at first, and again
    when another server, or another history, answers on a new connection. With 0 only the newest
    message is then asked for: a Gap says that others have said something.
    """

    def __init__(self, welcome: Welcome, first_page: int) -> None:
        self._first_page = first_page
        self._epoch = welcome.epoch
        self._shown_seq = welcome.seq  # events up to here were shown, or are in a missing page
        self._seen_seq = welcome.seq  # the highest number that this server has named
        self._joined_seq = welcome.seq + 1  # of this user's own `joined`
        self._own_count = 0  # of the events in a missing page, the user's own `joined` and `left`
        self._is_renumbered = False  # and what was missed then is not known yet
        self._last_message: ChatMessage | None = None  # that was shown
        self.oldest_seq = welcome.seq + 1  # no event before it was shown
        self._waiting: deque[NumberedEvent] = deque()
        self._nonces = Recent()
        self._request = self._newest(welcome, first_page)

    @property
    def request(self) -> GetHistory | None:
        """The request for the next missing page; None if no page is missing."""
        return self._request

    def resume(self, welcome: Welcome) -> bool:
        """Continue on a new connection: what happened since the lost one is missing.

        Returns whether the numbers from before mean nothing any more: in another epoch, and when
        they went back because an old copy of the history was put in the place of the newer one.
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
        """Add an event that came live; return what to show now."""
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
        """Add the page that answers `request`; return what to show now."""
        if request is not self._request:  # more is missing by now; the next request has it all
            return []
        looked_back = self._looks_back
        self._forget_request()
        messages = [chat_message(message) for message in page.messages]
        if looked_back:
            missed = messages and not self._has_shown(messages[-1])
            return [*([_all_before(request)] if missed else []), *self._show_waiting()]
        if messages:
            self.oldest_seq = min(self.oldest_seq, messages[0].seq)
        if request.after is UNSET:  # the first page: older than everything shown
            return [*filter(self._remember, messages), *self._show_waiting()]
        shown = self._show(self._with_waiting(messages))
        if page.more and messages:
            assert request.before is not UNSET
            self._request = self._after_shown(request.before)
            return [*shown]
        return [*shown, *self._show_waiting()]

    def give_up(self, request: GetHistory, error: Error) -> list[NumberedEvent | Gap]:
        """Go on without the page that was refused; return what to show now.

        A Gap stands where messages stay missing. A server without history says in its refusal
        whether there were any, so that others coming and going leaves no gap.
        """
        if request is not self._request:
            return []
        assert request.before is not UNSET
        after, through = 0 if request.after is UNSET else request.after, request.before - 1
        leaves_gap = True
        if error.code == ErrorCode.HISTORY_OFF:
            leaves_gap = self._misses_messages(request, error)
            self._shown_seq = max(self._shown_seq, through)  # it never comes
        self._forget_request()
        gap = [Gap(after=after, through=through)] if leaves_gap else []
        return [*gap, *self._show_waiting()]

    def _misses_messages(self, request: GetHistory, refusal: Error) -> bool:
        """Return whether a server without history has, or may have, messages in a missing page."""
        if request.after is UNSET:
            # What was said before a user came is not missing. What was said since the server
            # was started again is, if the user was here before.
            return self._is_renumbered and refusal.seq is not UNSET and refusal.seq > 0
        if refusal.seq is not UNSET:
            return refusal.seq > request.after
        # An older server. Without a history its numbers have no holes.
        assert request.before is not UNSET
        return request.before - 1 - request.after > self._own_count

    def add_older_page(self, page: HistoryPage) -> None:
        """Note a page of older messages that the person asked for and that is shown."""
        if page.messages:
            self.oldest_seq = min(self.oldest_seq, page.messages[0].seq)

    def _forget_request(self) -> None:
        self._request = None
        self._own_count = 0

    def _newest(self, welcome: Welcome, limit: int) -> GetHistory | None:
        return GetHistory(before=welcome.seq + 1, limit=limit) if limit else None

    @property
    def _looks_back(self) -> bool:
        """Whether the newest message is asked for, only to find out whether some were missed."""
        return not self._first_page and self._request is not None and self._request.after is UNSET

    def _has_shown(self, newest: ChatMessage) -> bool:
        """Return whether a message, which may have another number now, was the last one shown."""
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
        """Note a message; return False for one that was repeated under its nonce."""
        self._last_message = message
        return message.nonce is UNSET or self._nonces.is_new((message.sender, message.nonce))


def _all_before(request: GetHistory) -> Gap:
    assert request.before is not UNSET
    return Gap(after=0, through=request.before - 1)


def _what_was_said(message: ChatMessage) -> tuple[str, str, str]:
    return message.time, message.sender, message.text


def chat_message(stored: StoredMessage) -> ChatMessage:
    """Return the event that a stored message was when it was said."""
    return ChatMessage(**asdict(stored))
