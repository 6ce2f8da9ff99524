"""The interface of a door, which turns a client's bytes into requests, and messages into bytes.

A door has no socket and no clock. It has the state of one connection's protocol, and only that
connection's worker touches it. The doors are in `server/doors/`: `NativeDoor`, `WebSocketDoor` and
`HookDoor`, and before one of them is chosen, `OpenEntrance`.
"""

import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import (
    CloseReason,
    Error,
    ErrorCode,
    Ping,
    Request,
    ServerMessage,
)
from tertulia.protocol.watching import MeasuresTaken, TakeMeasures
from tertulia.server.hub.eventlog import Encode
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.proxy_header import ProxyHeaderReader
from tertulia.tls.channel import TlsChannel


class Form(NamedTuple):
    """How events are encoded for a connection. Connections with the same form share the bytes.

    `encode` makes the bytes of an event, once for all forms with the same function. `frame` joins
    several events into one piece that must not be cut; without it they are sent as they are.
    `max_slice_bytes` bounds such a piece.
    """

    encode: Encode
    frame: Callable[[bytes], bytes] | None = None
    max_slice_bytes: int | None = None


class Control(Struct, frozen=True):
    """A request of the door's own protocol, with its answer; it counts for the rate limit."""

    answer: bytes
    id: UnsetType = UNSET


class HookPost(Struct, frozen=True):
    """What a program has posted to a hook: a text, or the fault in it."""

    secret: str
    text: str
    problem: Error | None = None
    id: UnsetType = UNSET


AnyRequest = Request | Control | HookPost | TakeMeasures
AnyMessage = ServerMessage | MeasuresTaken


class Violation(Exception):
    """The client has violated the door's own protocol; its connection has to end."""


class Door(Protocol):
    """The protocol of one connection."""

    @property
    def kind(self) -> str:
        """Its name in the metrics: native, web or hook; entrance while the protocol is unknown."""

    decoded: list[Request]  # requests to carry out; the next one is the last in the list
    has_more: bool  # `next_request` may have something once `decoded` is empty
    is_at_eof: bool  # the client sends no more
    requests_tried: int  # before `welcome`
    malformed_count: int
    empty_bytes: int  # of input without a request; the worker resets it to 0

    @property
    def free_bytes(self) -> int:
        """How many bytes may be fed while `has_more` is true."""

    @property
    def in_mid_line(self) -> bool:
        """Whether a request has begun and not ended, after `next_request` has returned None."""

    @property
    def form(self) -> Form:
        """How the events of the log are encoded."""

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network, and decode them, perhaps only at `next_request`."""

    def feed_eof(self) -> None:
        """Note that the client sends no more."""

    def next_request(self) -> Request | Control | HookPost | TakeMeasures | None:
        """Return the next request; None if there is none yet.

        Raises BadRequest, LineTooLong and Violation.
        """

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be fed before a request is taken."""

    def pop_pings(self) -> Sequence[Ping | Control]:
        """Remove and return every complete ping; everything else stays, in order."""

    def encode(self, message: AnyMessage, /) -> bytes:
        """Return the bytes of a message."""

    def encode_all(self, messages: Sequence[ServerMessage], /) -> bytes:
        """Return the bytes of several messages, one after the other."""

    def goodbye(self, reason: CloseReason) -> bytes:
        """Return the door's own last bytes for a connection, sent after the last message."""

    def close(self) -> None:
        """Free what would wait for garbage collection. The door is not used afterwards."""


class Source(Protocol):
    """The rest of an answer that is too long to be queued; read piece by piece."""

    def next_piece(self) -> bytes:
        """Return the next piece; b"" at the end. Raises OSError if it cannot be read any more."""


class Asker(Protocol):
    """Gives an answer to a connection that waits for it. Any thread may answer, once."""

    def answer(self, opened: "Opened") -> None:
        """Give the answer to the connection's worker."""


class Later(Protocol):
    """An answer that another thread has to prepare. The worker holds the connection."""

    def ask(self, asker: Asker) -> None:
        """Begin to prepare the answer, which goes to the asker, perhaps before this returns."""


class Opened(Struct, frozen=True):
    """The protocol that a connection speaks, and how it continues.

    `answer` is sent as it is, followed by the pieces of `source`. The connection continues with
    `door` and the bytes of `rest`; without a door it ends. With `tls` it continues with TLS, whose
    first bytes are `rest`; the protocol inside TLS has to be found out next. With `later` it waits.
    """

    answer: bytes = b""
    source: Source | None = None
    later: Later | None = None
    door: Door | None = None
    rest: bytes = b""
    tls: ssl.SSLContext | None = None
    refused: ErrorCode | None = None  # what to log, if `answer` is a refusal


class Entrance:
    """The door of a connection until its first bytes show which protocol it speaks.

    Every connection has one for a moment, so the usual values are attributes of the class.
    """

    kind = "entrance"
    is_full = False

    tls: TlsChannel | None = None  # if the bytes came in TLS; set by the worker
    proxy: ProxyHeaderReader | None = None  # until the header of a proxy has come
    # The client's address, for answers that depend on it; None: a proxy has not named it.
    client_address: str | None = None
    is_local = False  # whether it came over the local socket, where nobody else can listen
    # Whether its end is not logged: that of a proxy which only checks that the server is alive.
    is_quiet = False

    def expect_header(self, rule: HeaderRule) -> None:
        """Note that the header of a proxy comes first, or may come first."""
        self.proxy = ProxyHeaderReader(is_required=rule is HeaderRule.REQUIRED)
        self.is_local = rule is HeaderRule.OPTIONAL
        self.is_quiet = True

    def open_native(self, first: bytes) -> Door | None:
        """Return the door for a connection with these first bytes, if they make it obvious.

        Otherwise `open` has to take them in. OpenEntrance in doors/entrance.py does both.
        """
        raise NotImplementedError

    def open(self, data: bytes) -> Opened | None:
        """Take in bytes from the network; return None if they do not show the protocol yet."""
        raise NotImplementedError

    def pop_pings(self) -> list[Ping | Control]:
        """Return nothing: there are no requests yet."""
        return []

    def refuse_as(self, first: bytes, error: Error) -> bytes:
        """Return a refusal in the protocol of a connection with these first bytes."""
        raise NotImplementedError
