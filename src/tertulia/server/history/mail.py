"""Mail between the history's threads and the workers: questions and their answers."""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from msgspec import Struct

from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import Error, GetHistory, HistoryPage, Search, StoredMessage
from tertulia.server.hub.records import Visit
from tertulia.server.hub.session import Owner, Receipt

PageRequest = GetHistory | Search | ListAttendance
Page = HistoryPage | AttendancePage


class PageTicket(Struct, eq=False):
    """A page that a session has asked for."""

    request: PageRequest
    owner: Owner
    session_number: int
    is_for_held: bool = False  # whether it looks for one message, for a held request
    is_cancelled: bool = False  # written by the owner alone


class Pages(Protocol):
    """Answers requests for pages."""

    def ask(self, ticket: PageTicket, /) -> None:
        """Have a page found, and PageReady posted to its owner. Any thread."""


class PageReady(Struct, frozen=True):
    """The answer to a PageTicket."""

    session_number: int
    page: Page | Error
    is_for_held: bool = False


class GetRows(Struct, frozen=True, kw_only=True):
    """Ask for the rows above a number, up to another one, which a peer's file lacks."""

    of: Literal["messages", "visits"]
    after: int
    through: int


class Rows(Struct, frozen=True, kw_only=True):
    """All rows above a number, up to another one: as many as were asked for, or fewer."""

    of: Literal["messages", "visits"]
    after: int
    through: int
    messages: list[StoredMessage] = []
    visits: list[Visit] = []


class RowsTicket(Struct, eq=False):
    """Rows that a peer has asked for."""

    request: GetRows
    owner: Owner
    is_cancelled: bool = False  # written by the owner alone


class RowsReady(Struct, frozen=True):
    """The answer to a RowsTicket; None if they cannot be read now, or are missing here, too."""

    request: GetRows
    rows: Rows | None


class KeptTicket(Struct, eq=False):
    """Another node's question whether this file has messages, and everything else so far."""

    numbers: list[int]
    done: Callable[[list[int], bool], None]  # gets those it has, and whether it has all else


class Stored(Struct, frozen=True):
    """Messages that are on the disk (True), or could not be written."""

    rows: list[tuple[Receipt, bool]]


def post_stored(receipts: Iterable[Receipt], *, are_stored: bool) -> None:
    """Tell the owners of receipts whether their messages are stored. Any thread."""
    rows: dict[Owner, list[tuple[Receipt, bool]]] = {}
    for receipt in receipts:
        rows.setdefault(receipt.owner, []).append((receipt, are_stored))
    for owner, told in rows.items():
        owner.post(Stored(told))


class SpaceAgain(Struct, frozen=True):
    """The history's queue has space again: the session's held request can be tried again."""

    session_number: int
