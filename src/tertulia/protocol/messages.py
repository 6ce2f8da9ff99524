"""Every message of the native protocol, version 1: the whole vocabulary.

Requests go from the client to the server, all others from the server to the client. A field that
is `UNSET` does not travel; a field that the receiver does not know is ignored.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

PROTOCOL_VERSION = 1
MAX_INT = 2**53 - 1  # the largest integer that every JSON reader keeps exact
DEFAULT_PAGE = 50  # messages in a page of history
MAX_PAGE = 200

Count = Annotated[int, Meta(ge=0, le=MAX_INT)]
Nonce = Annotated[str, Meta(min_length=1, max_length=64)]
Seconds = Annotated[float, Meta(ge=0, le=MAX_INT)]
Limit = Annotated[int, Meta(ge=1)]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22,128}\Z")]


class Status(StrEnum):
    """What a user shows to the others; the server owns it."""

    ACTIVO = "ACTIVO"
    OCUPADO = "OCUPADO"
    INACTIVO = "INACTIVO"


class CloseReason(StrEnum):
    """Why a connection ended. `left` carries it, but for the last two: nobody has left then."""

    QUIT = "quit"
    LOST = "lost"
    TIMEOUT = "timeout"
    SLOW = "slow"
    FLOOD = "flood"
    PROTOCOL = "protocol"
    KICKED = "kicked"
    REPLACED = "replaced"
    SHUTDOWN = "shutdown"
    REFUSED = "refused"


class ErrorCode(StrEnum):
    """The codes of `error`, for programs."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    LINE_TOO_LONG = "line_too_long"
    NOT_REGISTERED = "not_registered"
    ALREADY_REGISTERED = "already_registered"
    NAME_INVALID = "name_invalid"
    NAME_TAKEN = "name_taken"
    ADDRESS_TAKEN = "address_taken"
    SERVER_FULL = "server_full"
    PROTOCOL_UNSUPPORTED = "protocol_unsupported"
    REGISTER_TIMEOUT = "register_timeout"
    TEXT_INVALID = "text_invalid"
    TEXT_TOO_LONG = "text_too_long"
    STATUS_INVALID = "status_invalid"
    USER_NOT_CONNECTED = "user_not_connected"
    RATE_LIMITED = "rate_limited"
    HISTORY_OFF = "history_off"
    UNAVAILABLE = "unavailable"
    UNDELIVERED = "undelivered"
    BUSY = "busy"
    CODE_REQUIRED = "code_required"
    CODE_WRONG = "code_wrong"
    NAME_HELD = "name_held"


class _Message(Struct, tag_field="type", kw_only=True, frozen=True, gc=False, omit_defaults=True):
    pass


class _Request(_Message, kw_only=True, frozen=True):
    id: Count | UnsetType = UNSET


class _Answer(_Message, kw_only=True, frozen=True):
    id: Count | UnsetType = UNSET


class Ping(_Request, tag="ping", kw_only=True, frozen=True):
    """Asks whether the other side is alive. Both sides may send it."""


class Pong(_Request, tag="pong", kw_only=True, frozen=True):
    """Answers a ping, with its `id`."""


# --- from the client ---------------------------------------------------------------------------


class Register(_Request, tag="register", kw_only=True, frozen=True):
    """`status` is what the user had chosen, `idle` the seconds since the user did something.

    With `receipts` the client confirms the direct messages that it gets, by `received`. `code` is
    that of the chat, `key` a secret of this client's own for this server.
    """

    name: str
    token: str | UnsetType = UNSET
    protocol: int | UnsetType = UNSET
    events: Literal["all", "messages"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    idle: Seconds | UnsetType = UNSET
    receipts: bool = False
    code: str | UnsetType = UNSET
    key: Key | UnsetType = UNSET


class Say(_Request, tag="say", kw_only=True, frozen=True):
    text: str
    nonce: Nonce | UnsetType = UNSET


class Direct(_Request, tag="direct", kw_only=True, frozen=True):
    to: str
    text: str
    nonce: Nonce | UnsetType = UNSET


class Received(_Request, tag="received", kw_only=True, frozen=True):
    """Confirms all direct messages up to this receipt; has no answer."""

    receipt: Count


class SetStatus(_Request, tag="status", kw_only=True, frozen=True):
    status: str


class ListUsers(_Request, tag="users", kw_only=True, frozen=True):
    pass


class GetInfo(_Request, tag="info", kw_only=True, frozen=True):
    name: str


class GetHistory(_Request, tag="history", kw_only=True, frozen=True):
    before: Count | UnsetType = UNSET
    after: Count | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE


class Search(_Request, tag="search", kw_only=True, frozen=True):
    text: str
    before: Count | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE


class Quit(_Request, tag="quit", kw_only=True, frozen=True):
    pass


Request = (
    Register
    | Say
    | Direct
    | Received
    | SetStatus
    | ListUsers
    | GetInfo
    | GetHistory
    | Search
    | Ping
    | Pong
    | Quit
)


# --- from the server: answers to one client ----------------------------------------------------


class Welcome(_Answer, tag="welcome", kw_only=True, frozen=True):
    name: str
    address: str
    status: Status
    seq: int
    token: str
    epoch: str
    server: str
    protocol: int
    idle_after: float
    max_text: int


class User(Struct, kw_only=True, frozen=True, gc=False):
    """A row of the list of users."""

    name: str
    status: Status


class UserList(_Answer, tag="users", kw_only=True, frozen=True):
    seq: int
    users: list[User]


class UserInfo(_Answer, tag="info", kw_only=True, frozen=True):
    """`idle` in seconds, `since` and every `time` RFC 3339 in UTC."""

    name: str
    address: str
    status: Status
    since: str
    idle: int


class StoredMessage(Struct, kw_only=True, frozen=True, gc=False):
    """A message of the general chat, as a page of history has it."""

    seq: int
    time: str
    sender: str = field(name="from")
    text: str
    nonce: str | UnsetType = UNSET


class HistoryPage(_Answer, tag="history", kw_only=True, frozen=True):
    messages: list[StoredMessage]
    more: bool


class Ok(_Answer, tag="ok", kw_only=True, frozen=True):
    """To a `say` with its `seq`, to a `direct` with its `time`."""

    seq: int | UnsetType = UNSET
    time: str | UnsetType = UNSET


class Error(_Answer, tag="error", kw_only=True, frozen=True):
    """`message` is English, for a person with `nc`. Clients have their own words for `code`."""

    code: str
    message: str
    name: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    nonce: str | UnsetType = UNSET


# --- from the server: events -------------------------------------------------------------------


class ChatMessage(_Message, tag="message", kw_only=True, frozen=True):
    seq: int
    time: str
    sender: str = field(name="from")
    text: str
    nonce: str | UnsetType = UNSET


class Joined(_Message, tag="joined", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    status: Status


class Left(_Message, tag="left", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    reason: str


class Presence(_Message, tag="presence", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    status: Status
    by: Literal["user", "server"]


class DirectMessage(_Message, tag="direct", kw_only=True, frozen=True):
    """`receipt` is the number to confirm it by, for a client with receipts."""

    time: str
    sender: str = field(name="from")
    to: str
    text: str
    nonce: str | UnsetType = UNSET
    receipt: int | UnsetType = UNSET


class Gap(_Message, tag="gap", kw_only=True, frozen=True):
    """The live events in (after, through] were left out for this client."""

    after: int
    through: int


class Closing(_Message, tag="closing", kw_only=True, frozen=True):
    reason: str
    retry_after: float


NumberedEvent = ChatMessage | Joined | Left | Presence
Event = NumberedEvent | DirectMessage | Gap | Closing
Answer = Welcome | UserList | UserInfo | HistoryPage | Ok | Error | Pong
ServerMessage = Event | Answer | Ping
