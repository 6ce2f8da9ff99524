"""Every message of the native protocol, version 1; those about keeping order are in moderation.py.

Requests go from the client to the server, all others from the server to the client.
"""

from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from tertulia.protocol.attendance import (
    AskSeenBy,
    AttendancePage,
    ListAttendance,
    MarkSeen,
    SeenBy,
)
from tertulia.protocol.envelope import DEFAULT_PAGE as DEFAULT_PAGE
from tertulia.protocol.envelope import MAX_INT as MAX_INT
from tertulia.protocol.envelope import (
    AnswerMessage,
    Count,
    Key,
    Limit,
    Message,
    Nonce,
    RequestMessage,
    Seconds,
)
from tertulia.protocol.envelope import StoredMessage as StoredMessage
from tertulia.protocol.hooks import CreateHook, HookCreated, HookList, ListHooks, RemoveHook
from tertulia.protocol.moderation import (
    BanList,
    BecomeOperator,
    Hushed,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    Locked,
    Muted,
    PinMessage,
    Pinned,
    ReleaseName,
    Role,
    SetHush,
    SetLock,
    Unmuted,
)

PROTOCOL_VERSION = 1
MAX_PAGE = 200
CUT_OFF = "cut_off"  # a cause of `closing`


class Status(StrEnum):
    """What a user shows to the others; the server owns it."""

    ACTIVO = "ACTIVO"
    OCUPADO = "OCUPADO"
    INACTIVO = "INACTIVO"


class CloseReason(StrEnum):
    """Why a connection ended. `left` has all except the last two: with those, nobody has left."""

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
    TLS_REQUIRED = "tls_required"
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
    BANNED = "banned"
    LOCKED = "locked"
    NOT_OPERATOR = "not_operator"
    OPERATOR_WRONG = "operator_wrong"
    MUTED = "muted"
    HUSHED = "hushed"
    ADDRESS_INVALID = "address_invalid"
    NOT_FOUND = "not_found"


class Ping(RequestMessage, tag="ping", kw_only=True, frozen=True):
    """Asks the other side for a sign of life. Both sides may send it."""


class Pong(RequestMessage, tag="pong", kw_only=True, frozen=True):
    """Answers a ping, with its `id`."""


# --- from the client ---------------------------------------------------------------------------


class Register(RequestMessage, tag="register", kw_only=True, frozen=True):
    """`status` is what the user had chosen, `idle` the seconds since the user did something.

    With `receipts` the client confirms the direct messages that it gets, by `received`; with
    `nodes` it wants to know when the servers of the chat change. `code` is that of the chat, `key`
    a secret of this client's own for this server.
    """

    name: str
    token: str | UnsetType = UNSET
    protocol: int | UnsetType = UNSET
    events: Literal["all", "messages"] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    idle: Seconds | UnsetType = UNSET
    receipts: bool = False
    nodes: bool = False
    code: str | UnsetType = UNSET
    key: Key | UnsetType = UNSET


class Say(RequestMessage, tag="say", kw_only=True, frozen=True):
    text: str
    nonce: Nonce | UnsetType = UNSET


class Direct(RequestMessage, tag="direct", kw_only=True, frozen=True):
    to: str
    text: str
    nonce: Nonce | UnsetType = UNSET


class Received(RequestMessage, tag="received", kw_only=True, frozen=True):
    """Confirms all direct messages up to this receipt; has no answer."""

    receipt: Count


class SetStatus(RequestMessage, tag="status", kw_only=True, frozen=True):
    status: str


class ListUsers(RequestMessage, tag="users", kw_only=True, frozen=True):
    pass


class GetInfo(RequestMessage, tag="info", kw_only=True, frozen=True):
    name: str


class GetHistory(RequestMessage, tag="history", kw_only=True, frozen=True):
    before: Count | UnsetType = UNSET
    after: Count | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE


class Search(RequestMessage, tag="search", kw_only=True, frozen=True):
    text: str
    before: Count | UnsetType = UNSET
    limit: Limit = DEFAULT_PAGE


class Quit(RequestMessage, tag="quit", kw_only=True, frozen=True):
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
    | BecomeOperator
    | Kick
    | ImposeBan
    | LiftBan
    | ListBans
    | ImposeMute
    | LiftMute
    | ReleaseName
    | SetHush
    | SetLock
    | PinMessage
    | ListAttendance
    | MarkSeen
    | AskSeenBy
    | CreateHook
    | ListHooks
    | RemoveHook
)


# --- from the server: answers to one client ----------------------------------------------------


class Welcome(AnswerMessage, tag="welcome", kw_only=True, frozen=True):
    """`nodes` are the addresses of all servers of the chat, this one first; UNSET if alone.

    `per_node` says how many of them each server has; UNSET if each has one.
    """

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
    hushed: bool = False
    locked: bool = False
    operator: bool = False
    pinned: StoredMessage | UnsetType = UNSET
    nodes: list[str] | UnsetType = UNSET
    per_node: list[int] | UnsetType = UNSET


class User(Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """One row of the list of users."""

    name: str
    status: Status
    operator: bool = False
    muted: bool = False


class UserList(AnswerMessage, tag="users", kw_only=True, frozen=True):
    seq: int
    users: list[User]


class UserInfo(AnswerMessage, tag="info", kw_only=True, frozen=True):
    """`idle` in seconds, `since` and every `time` RFC 3339 in UTC."""

    name: str
    address: str
    status: Status
    since: str
    idle: int


class HistoryPage(AnswerMessage, tag="history", kw_only=True, frozen=True):
    messages: list[StoredMessage]
    more: bool


class Ok(AnswerMessage, tag="ok", kw_only=True, frozen=True):
    """Success. The answer to a `say` has its `seq`, the answer to a `direct` its `time`."""

    seq: int | UnsetType = UNSET
    time: str | UnsetType = UNSET


class Error(AnswerMessage, tag="error", kw_only=True, frozen=True):
    """`message` is English, for a person with `nc`. Clients have their own words for `code`."""

    code: str
    message: str
    name: str | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    nonce: str | UnsetType = UNSET
    text: str | UnsetType = UNSET  # the reason of an operator


# --- from the server: events -------------------------------------------------------------------


class ChatMessage(Message, tag="message", kw_only=True, frozen=True):
    """A message of the general chat. `hook` is the name of the hook, if a program has sent it."""

    seq: int
    time: str
    sender: str = field(name="from")
    text: str
    nonce: str | UnsetType = UNSET
    hook: bool = False


class Joined(Message, tag="joined", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    status: Status
    operator: bool = False


class Left(Message, tag="left", kw_only=True, frozen=True):
    """A session has ended. `by` and `text`: which operator ended it, and why."""

    seq: int
    time: str
    name: str
    reason: str
    by: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class Presence(Message, tag="presence", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    status: Status
    by: Literal["user", "server"]


class DirectMessage(Message, tag="direct", kw_only=True, frozen=True):
    """`receipt` is the number to confirm it by, for a client with receipts."""

    time: str
    sender: str = field(name="from")
    to: str
    text: str
    nonce: str | UnsetType = UNSET
    receipt: int | UnsetType = UNSET


class Gap(Message, tag="gap", kw_only=True, frozen=True):
    """The live events in (after, through] were left out for this client."""

    after: int
    through: int


class Closing(Message, tag="closing", kw_only=True, frozen=True):
    """`by` and `text` are as in `left`. Without `retry_after` it is no use to come back.

    `cause` is CUT_OFF at a node that goes on, and has lost the others; its reason is `shutdown`.
    """

    reason: str
    cause: str | UnsetType = UNSET
    retry_after: float | UnsetType = UNSET
    by: str | UnsetType = UNSET
    text: str | UnsetType = UNSET


class NodeList(Message, tag="nodes", kw_only=True, frozen=True):
    """The servers of the chat, as in `welcome`. It is sent when they have changed."""

    nodes: list[str]
    per_node: list[int] | UnsetType = UNSET


NumberedEvent = (
    ChatMessage | Joined | Left | Presence | Role | Muted | Unmuted | Hushed | Locked | Pinned
)
Event = NumberedEvent | DirectMessage | Gap | Closing
Answer = (
    Welcome
    | UserList
    | UserInfo
    | HistoryPage
    | BanList
    | AttendancePage
    | SeenBy
    | HookCreated
    | HookList
    | Ok
    | Error
    | Pong
)
ServerMessage = Event | Answer | Ping | NodeList
