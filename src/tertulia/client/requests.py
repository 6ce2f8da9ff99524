"""The requests of a registered user: a method for each, and the line that is sent.

The methods block the thread that calls them; the functions are pure.
"""

from typing import Any, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.client.errors import RequestRefused
from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.lines import MAX_LINE_BYTES, encode
from tertulia.protocol.messages import (
    DEFAULT_PAGE,
    PROTOCOL_VERSION,
    Answer,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Register,
    Request,
    Say,
    Search,
    SetStatus,
    UserInfo,
    UserList,
)
from tertulia.protocol.texts import check_text

AnswerKind = TypeVar("AnswerKind", bound=Answer)


class Verbs:
    """The requests of a registered user; each waits for its answer, in the thread that makes it.

    All of them raise RequestRefused, NoAnswer and ConnectionLost.
    """

    def _ask(self, request: Request, kind: type[AnswerKind]) -> AnswerKind:
        """Send a request, wait for its answer, and return it."""
        raise NotImplementedError

    def say(self, text: str, *, nonce: str | None = None) -> int:
        """Send to the general chat; return the number of the message."""
        answer = self._ask(Say(text=text, nonce=UNSET if nonce is None else nonce), Ok)
        return 0 if answer.seq is UNSET else answer.seq

    def direct(self, to: str, text: str, *, nonce: str | None = None) -> str | None:
        """Send to one user, and wait until that user's program has confirmed the message.

        A program that does not support receipts confirms nothing; then this waits only until the
        message was handed to the user's session. Returns the server's time of the message, if the
        server gave it.
        """
        answer = self._ask(Direct(to=to, text=text, nonce=UNSET if nonce is None else nonce), Ok)
        return None if answer.time is UNSET else answer.time

    def set_status(self, status: str) -> None:
        """Request a status, one of `Status`."""
        self._ask(SetStatus(status=status), Ok)

    def users(self) -> UserList:
        """Request the list of users."""
        return self._ask(ListUsers(), UserList)

    def info(self, name: str) -> UserInfo:
        """Request what the server knows about one user."""
        return self._ask(GetInfo(name=name), UserInfo)

    def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = DEFAULT_PAGE
    ) -> HistoryPage:
        """Request messages of the general chat before or after a number, or the newest ones."""
        return self.page(
            GetHistory(
                before=UNSET if before is None else before,
                after=UNSET if after is None else after,
                limit=limit,
            )
        )

    def search(
        self, text: str, *, before: int | None = None, limit: int = DEFAULT_PAGE
    ) -> HistoryPage:
        """Request messages of the general chat that contain these words."""
        return self.page(Search(text=text, before=UNSET if before is None else before, limit=limit))

    def seen_by(self, seq: int) -> SeenBy:
        """Request the users who saw a message of this user; operators may name any message."""
        return self._ask(AskSeenBy(seq=seq), SeenBy)

    def page(self, request: GetHistory | Search) -> HistoryPage:
        """Request a page of the history, as `history` and `search` do."""
        return self._ask(request, HistoryPage)

    def ping(self) -> None:
        """Wait until the server has handled everything that was sent before."""
        self._ask(Ping(), Pong)


def registration(name: str, **fields: str | float | None) -> Register:
    """Return the request to register a user; a field that is None is not sent."""
    given: dict[str, Any] = {field: value for field, value in fields.items() if value is not None}
    return Register(name=name, protocol=PROTOCOL_VERSION, receipts=True, nodes=True, **given)


def request_line(request: Request, request_id: int) -> bytes:
    """Return the line of a request. Raises RequestRefused if every server would refuse it."""
    if isinstance(request, Say | Direct) and (code := check_text(request.text)):
        raise RequestRefused(Error(code=code, message="not sent"))
    try:
        line = encode(replace(request, id=request_id))
    except UnicodeEncodeError as error:
        refusal = Error(code=ErrorCode.MALFORMED, message=str(error))
        raise RequestRefused(refusal) from error
    if len(line) > MAX_LINE_BYTES:
        raise RequestRefused(Error(code=ErrorCode.LINE_TOO_LONG, message="not sent"))
    return line
