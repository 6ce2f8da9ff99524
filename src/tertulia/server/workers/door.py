"""What a worker asks of a door: the protocol that a client speaks, from bytes to requests and back.

A door has no socket and no clock. It holds what belongs to the stream of one connection, whose
worker alone touches it.
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
from tertulia.protocol.watching import TakeMeasures
from tertulia.server.hub.eventlog import Encode
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.proxy_header import ProxyHeaderReader
from tertulia.tls.channel import TlsChannel


class Form(NamedTuple):
    """How events travel. Connections with the same form share the bytes.

    `encode` makes the bytes of an event, once for all forms with the same function. `frame` then
    makes one piece, which must not be cut, of those of several events; None: they travel as they
    are. `max_slice_bytes` bounds such a piece.
    """

    encode: Encode
    frame: Callable[[bytes], bytes] | None = None
    max_slice_bytes: int | None = None


class Control(Struct, frozen=True):
    """A request of the door's own protocol, with its answer; it spends from the rate limit."""

    answer: bytes
    id: UnsetType = UNSET


class HookPost(Struct, frozen=True):
    """What a program has posted to a hook: a text, or what is wrong with it."""

    secret: str
    text: str
    problem: Error | None = None
    id: UnsetType = UNSET


AnyRequest = Request | Control | HookPost | TakeMeasures


class Violation(Exception):
    """The client has broken the door's own protocol: its connection has to end."""


class Door(Protocol):
    """One connection's side of a protocol."""

    @property
    def kind(self) -> str:
        """Its name in the metrics: native, web, hook, or entrance while that is not known."""

    ready: list[Request]  # decoded requests; the next one is the last in the list
    has_more: bool  # `next_request` may have something once `ready` is empty
    is_at_eof: bool  # the client sends no more
    requests_tried: int  # before `welcome`
    malformed_count: int
    empty_bytes: int  # of input that holds no request; the worker sets it back to 0

    @property
    def room(self) -> int:
        """How many bytes may be fed while `has_more`."""

    @property
    def in_mid_line(self) -> bool:
        """Whether, once `next_request` has returned None, a request has begun and not ended."""

    @property
    def form(self) -> Form:
        """How the events of the log travel."""

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network."""

    def feed_eof(self) -> None:
        """Note that the client sends no more."""

    def next_request(self) -> Request | Control | HookPost | TakeMeasures | None:
        """Return the next request; None if there is none yet.

        Raises BadRequest, LineTooLong and Violation.
        """

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be fed before a request is taken."""

    def take_pings(self) -> Sequence[Ping | Control]:
        """Take out every whole ping; what else there is stays, in its order."""

    def encode(self, message: ServerMessage, /) -> bytes:
        """Return a message as it travels."""

    def encode_all(self, messages: Sequence[ServerMessage], /) -> bytes:
        """Return several messages as they travel, one after the other."""

    def goodbye(self, reason: CloseReason) -> bytes:
        """Return the door's own last bytes for a connection that ends, after the last message."""

    def close(self) -> None:
        """Free what would stay until the next collection of garbage; nothing is asked after it."""


class Source(Protocol):
    """The rest of an answer that is too long to be queued: it is read as the client takes it."""

    def next_piece(self) -> bytes:
        """Return the next piece; b"" at the end. Raises OSError if it cannot be read any more."""


class Asker(Protocol):
    """A connection that waits for what it turned out to speak. Any thread may answer, once."""

    def answer(self, opened: "Opened") -> None:
        """Let the connection's worker know."""


class Later(Protocol):
    """An answer that another thread has to prepare. The worker holds the connection."""

    def ask(self, asker: Asker) -> None:
        """Begin to prepare the answer. The asker gets it, perhaps before this returns."""


class Opened(Struct, frozen=True):
    """What a connection turned out to speak.

    `answer` is to be sent as it is, and then the pieces of `source`. The connection goes on with
    `door` and the bytes of `rest`; without a door it ends. With `tls` it goes on with TLS, whose
    first bytes are `rest`, and what is inside has to be found out next. With `later` it waits.
    """

    answer: bytes = b""
    source: Source | None = None
    later: Later | None = None
    door: Door | None = None
    rest: bytes = b""
    tls: ssl.SSLContext | None = None
    refused: ErrorCode | None = None  # what to log, if `answer` is a refusal


class Entrance:
    """The door of a connection until its first bytes have told what it speaks.

    Every connection has one for a moment, so what is usual is said by the class, once for all.
    """

    kind = "entrance"
    is_full = False

    tls: TlsChannel | None = None  # in which the bytes have come; set by the worker
    proxy: ProxyHeaderReader | None = None  # until the header of a proxy has come
    # The client's address, for what is not for everyone; None: a proxy has not named it.
    asker: str | None = None
    is_local = False  # it has come over the local socket, where nobody else can listen
    # Its end is not logged: of a proxy that only looks whether the server lives.
    is_quiet = False

    def expect_header(self, rule: HeaderRule) -> None:
        """Note that the header of a proxy comes first, or may come first."""
        self.proxy = ProxyHeaderReader(is_required=rule is HeaderRule.REQUIRED)
        self.is_local = rule is HeaderRule.OPTIONAL
        self.is_quiet = True

    def open_native(self, first: bytes) -> Door | None:
        """Return the door for what has begun with these bytes, if that is plain to see.

        Else `open` takes them in.
        """
        raise NotImplementedError

    def open(self, data: bytes) -> Opened | None:
        """Take in bytes from the network; None if they do not tell it yet."""
        raise NotImplementedError

    def take_pings(self) -> list[Ping | Control]:
        """Return nothing: requests come after it."""
        return []

    def refuse_as(self, first: bytes, error: Error) -> bytes:
        """Return a refusal in the form of what a connection speaks that has begun so."""
        raise NotImplementedError
