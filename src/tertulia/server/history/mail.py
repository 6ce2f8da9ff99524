"""What the history's threads post to the worker that waits for them, and what it asks with."""

from msgspec import Struct

from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import Error, GetHistory, HistoryPage, Search
from tertulia.server.hub.session import Owner, Receipt

PageRequest = GetHistory | Search | ListAttendance
Page = HistoryPage | AttendancePage


class PageTicket(Struct, eq=False):
    """A page that a session has asked for."""

    request: PageRequest
    owner: Owner
    session: int
    is_for_held: bool = False  # it looks for one message, for the request that is held
    is_cancelled: bool = False  # written by the owner alone


class PageReady(Struct, frozen=True):
    """The answer to a PageTicket."""

    session: int
    page: Page | Error
    is_for_held: bool = False


class Stored(Struct, frozen=True):
    """Messages that are on the disk (True), or could not be written."""

    rows: list[tuple[Receipt, bool]]


class RoomAgain(Struct, frozen=True):
    """There is room in the history's queue: the session may say again what it wanted to say."""

    session: int
