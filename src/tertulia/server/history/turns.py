"""The order of the reader's answers: pages come first, and sessions that search take turns."""

from collections import deque

from tertulia.protocol.messages import Search
from tertulia.server.history.mail import PageTicket, RowsTicket

_PAGES_IN_A_ROW = 32  # while a search waits; a page takes milliseconds, a search up to seconds


class Questions:
    """Questions that wait for the reader; a lock of the caller guards it.

    Bound: `max_pages_waiting` for each session, which the worker enforces.
    """

    def __init__(self) -> None:
        self._pages: deque[PageTicket | RowsTicket] = deque()
        # By session; the session whose turn is next is first.
        self._searches: dict[int, deque[PageTicket]] = {}
        self._pages_in_a_row = 0

    def __bool__(self) -> bool:
        return bool(self._pages or self._searches)

    def __len__(self) -> int:
        return len(self._pages) + sum(map(len, list(self._searches.values())))

    def add(self, ticket: PageTicket | RowsTicket) -> None:
        """Put a question behind those of its kind."""
        if isinstance(ticket, PageTicket) and isinstance(ticket.request, Search):
            self._searches.setdefault(ticket.session_number, deque()).append(ticket)
        else:
            self._pages.append(ticket)

    def pop_next(self) -> PageTicket | RowsTicket:
        """Remove and return the question to be answered next; there must be one."""
        if self._pages and (not self._searches or self._pages_in_a_row < _PAGES_IN_A_ROW):
            self._pages_in_a_row += 1
            return self._pages.popleft()
        self._pages_in_a_row = 0
        session = next(iter(self._searches))
        waiting = self._searches.pop(session)
        ticket = waiting.popleft()
        if waiting:
            self._searches[session] = waiting  # behind all others
        return ticket

    def clear(self) -> None:
        """Drop all questions."""
        self._pages.clear()
        self._searches.clear()
