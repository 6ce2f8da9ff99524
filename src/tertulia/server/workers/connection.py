"""One client's socket: its state, what its next requests wait for, and its unsent output.

Only its worker's thread touches it, apart from the arithmetic of a TLS handshake (doorkeeper.py).
Nothing here blocks.
"""

import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf

from tertulia.server.history.mail import PageRequest, PageTicket
from tertulia.server.hub.session import Owner, Route, Session
from tertulia.server.workers.door import AnyRequest, Door, Source
from tertulia.server.workers.rate_limit import RateLimit, TokenBucket
from tertulia.tls.channel import TlsChannel


class State(Enum):
    """The stage of a connection's life."""

    UNREGISTERED = auto()
    REGISTERED = auto()
    FINISHING = auto()  # no more requests are carried out; what is queued is sent
    # Everything was sent. It is read until the client closes: a reset would destroy the last bytes.
    DRAINING = auto()
    CLOSED = auto()


class Hold(Enum):
    """What a connection's next requests wait for. No thread waits, and the socket is not read.

    There is one exception: on several machines, pings are read while the common log stands still.
    """

    NOTHING = auto()
    HANDSHAKE = auto()  # the next step of its handshake
    CHALLENGE = auto()  # whether the session in its way is alive
    DELIVERY = auto()  # whether another worker could deliver a direct message
    SPACE = auto()  # space in the history's queue
    MESSAGE = auto()  # a message that the history looks for
    ANSWER = auto()  # an answer that another thread prepares
    NOTICE = auto()  # the storing of a notice that was posted to a hook
    ORDER = auto()  # on several machines: the outcome of the request before them
    TURN = auto()  # on several machines: the messages before them, or this node to serve again
    MEASURES = auto()  # figures of the running server
    BACKLOG = auto()  # the client, which has to take the queued answers


# Aliases: an enum lookup costs more than the comparison.
UNREGISTERED, REGISTERED, FINISHING = State.UNREGISTERED, State.REGISTERED, State.FINISHING
DRAINING, CLOSED = State.DRAINING, State.CLOSED
# The usual state is first: comparing with another one takes longer.
OPEN_STATES = (REGISTERED, UNREGISTERED)  # requests are carried out
_NEXT_STATES: dict[State, tuple[State, ...]] = {
    UNREGISTERED: (REGISTERED, FINISHING, CLOSED),
    REGISTERED: (FINISHING, CLOSED),
    FINISHING: (DRAINING, CLOSED),
    DRAINING: (CLOSED,),
    CLOSED: (),
}
NOT_HELD, BACKLOG = Hold.NOTHING, Hold.BACKLOG
HELD_BY_THE_LOG = (Hold.ORDER, Hold.TURN)


@dataclass(slots=True, eq=False)  # not a Struct, whose fields take three times as long to set
class Connection:
    """One client's socket, and everything that its worker remembers about it.

    Times are seconds of the monotonic clock.
    """

    sock: socket.socket
    address: str
    door: Door
    last_byte_at: float
    fd: int = -1
    recv: Callable[..., bytes] = socket.socket.recv  # the socket's own, or that of `tls`
    send: Callable[..., int] = socket.socket.send
    tls: TlsChannel | None = None  # over the socket, if the client speaks TLS
    state: State = UNREGISTERED
    session: Session | None = None
    hears_nodes: bool = False  # whether this client wants to know which nodes are up
    route: Route | None = None  # of the future session, while its registration waits

    hold: Hold = NOT_HELD
    held_request: AnyRequest | None = None  # tried again when the hold ends
    looks_ahead: bool = False  # while it is held, it is read for pings
    rate_limit: RateLimit | None = None  # created at the first request that counts
    free_bytes: TokenBucket | None = None  # created at the first byte that counts
    answers_due: int = 0  # number of answers that the history still owes
    orders_due: int = 0  # number of messages whose place in the common order is not known yet
    confirmations_due: int = 0  # number of answers that receivers of direct messages still owe
    ticket: PageTicket | None = None  # of the page that is being read
    pages_waiting: deque[PageRequest] | None = None  # bound: max_pages_waiting

    goodbye: bytes = b""  # the door's last bytes, for a connection that is finishing
    # The rest of a cut piece, then data for this client alone.
    out: bytearray = field(default_factory=bytearray)
    source: Source | None = None  # what has to go out after that
    large_bytes: int = 0  # size of a large answer that is, or was, in `out`
    blocked: bool = False  # the socket takes no more for now

    answer_by: float = inf  # when the answer to a ping is due, if one was sent since
    progress_at: float = 0.0  # when the socket, which is blocked now, last took something
    # Newcomers, with their owners, that wait for a sign of life of this connection.
    challengers: "list[tuple[Connection | None, Owner]] | None" = None
    challenge_until: float = inf
    register_by: float = inf  # when its time to register ends, while it is unregistered
    deadline: float = inf  # when the watchdog has to look at it, at the latest

    def __post_init__(self) -> None:
        """Look up the methods for input and output once, instead of for each piece."""
        sock = self.sock
        self.fd, self.recv, self.send = sock.fileno(), sock.recv, sock.send

    def __repr__(self) -> str:
        name = self.session.name.shown if self.session else "-"
        return f"<Connection {name} {self.address} {self.state.name} out={len(self.out)}>"

    def change_state(self, state: State) -> None:
        """Change the state. Raises KeyError for a transition that does not exist."""
        if state not in _NEXT_STATES[self.state]:
            raise KeyError(f"{self.state.name} -> {state.name}")
        self.state = state

    # --- TLS -----------------------------------------------------------------------------------

    def start_tls(self, context: ssl.SSLContext, first: bytes) -> TlsChannel:
        """Put TLS over the socket, from which its first bytes were read. A handshake begins."""
        self.tls = TlsChannel(self.sock, context, server_side=True, first=first)
        self.recv, self.send = self.tls.recv_for_step, self.tls.send
        return self.tls

    @property
    def is_shaking_hands(self) -> bool:
        """Whether TLS has begun and cannot carry anything yet."""
        return self.tls is not None and not self.tls.is_open

    def flush_tls(self) -> bool:
        """Send the bytes of TLS itself; return whether all of them went out. Raises OSError."""
        return self.tls is None or self.tls.flush()

    def shutdown(self) -> None:
        """Tell the client that no more will be sent. Raises OSError."""
        if self.tls is not None:
            self.tls.shutdown()
        else:
            self.sock.shutdown(socket.SHUT_WR)

    # --- input ---------------------------------------------------------------------------------

    @property
    def is_read(self) -> bool:
        """Whether the worker waits for bytes from this client."""
        if self.hold is NOT_HELD:
            return not self.door.is_at_eof
        door = self.door
        return self.looks_ahead and not (self.blocked or door.is_at_eof or door.is_full)

    @property
    def waits_for_others(self) -> bool:
        """Whether the hold is due to others. The client's silence means nothing then."""
        return self.hold not in (Hold.NOTHING, Hold.BACKLOG)

    def hold_for(self, hold: Hold, request: AnyRequest | None = None) -> None:
        """Let the next requests wait. The poller's mask changes at the next event."""
        self.hold, self.held_request = hold, request

    def release_hold(self) -> AnyRequest | None:
        """End the hold; return the request that was held."""
        request, self.held_request = self.held_request, None
        self.hold = NOT_HELD
        self.looks_ahead = False
        return request

    def add_challenger(self, newcomer: "Connection | None", mailbox: Owner) -> None:
        """Remember a newcomer that waits for a sign of life, and its worker's mailbox."""
        if self.challengers is None:
            self.challengers = []
        self.challengers.append((newcomer, mailbox))

    def pop_challengers(self) -> list[tuple["Connection | None", Owner]]:
        """Return the newcomers that wait for a sign of life, and forget them."""
        challengers, self.challengers = self.challengers, None
        self.challenge_until = inf
        return challengers or []

    # --- pages of the history, one at a time ---------------------------------------------------

    @property
    def pages_due(self) -> int:
        """Number of requested pages that have not come yet."""
        return len(self.pages_waiting or ()) + (self.ticket is not None)

    def queue_page(self, request: PageRequest) -> None:
        """Remember a page to request from the history."""
        if self.pages_waiting is None:
            self.pages_waiting = deque()
        self.pages_waiting.append(request)
        self.answers_due += 1

    def next_page(self) -> PageRequest | None:
        """Return the page to request now.

        One at a time, and only when the client has taken everything: a page can be large.
        """
        if self.pages_waiting and self.ticket is None and not self.blocked and not self.is_closed:
            return self.pages_waiting.popleft()
        return None

    # --- output --------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether the socket is closed."""
        return self.state is CLOSED

    def flush_out(self) -> bool:
        """Send what is queued; return whether all of it went out. Raises OSError."""
        out = self.out
        try:
            sent = self.send(out)
        except BlockingIOError:
            return False
        if sent == len(out):
            out.clear()
            return True
        del out[:sent]
        return False
