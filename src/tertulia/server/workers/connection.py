"""One socket: its state, what has come from it and is not carried out, what is still to go out.

Its worker's thread alone touches it. Nothing here blocks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING

from tertulia.protocol.lines import RequestBuffer
from tertulia.server.hub.eventlog import Stretch
from tertulia.server.hub.session import Session
from tertulia.server.workers.limits import RateLimit

if TYPE_CHECKING:
    from tertulia.server.history.history import PageRequest
    from tertulia.server.workers.audience import Audience


class State(Enum):
    """Where a connection stands in its life."""

    UNREGISTERED = auto()
    REGISTERED = auto()
    FINISHING = auto()  # carries out nothing more; what is queued goes out
    DRAINING = auto()  # has said its last; reads on so that no reset eats it
    CLOSED = auto()


# Looked up once: that costs more than to compare with them.
REGISTERED, DRAINING, CLOSED = State.REGISTERED, State.DRAINING, State.CLOSED
# The usual one first: a state is compared in Python code, unless it is the same.
OPEN_STATES = (State.REGISTERED, State.UNREGISTERED)  # more is carried out
_NEXT_STATES = {
    State.UNREGISTERED: {State.REGISTERED, State.FINISHING, State.CLOSED},
    State.REGISTERED: {State.FINISHING, State.CLOSED},
    State.FINISHING: {State.DRAINING, State.CLOSED},
    State.DRAINING: {State.CLOSED},
    State.CLOSED: set[State](),
}


class Connection:
    """One client's socket, and all that its worker has to remember of it.

    Times are seconds of the monotonic clock.
    """

    __slots__ = (
        "address",
        "audience",
        "backed_up",
        "blocked",
        "challenge_until",
        "challengers",
        "cursor",
        "deadline",
        "eof",
        "fd",
        "held",
        "last_byte_at",
        "line_count",
        "malformed_count",
        "out",
        "own_events",
        "page_under_way",
        "pages_waiting",
        "pending",
        "pinged",
        "progress_at",
        "rate",
        "recv",
        "requests",
        "send",
        "session",
        "sock",
        "state",
        "watched",
    )

    def __init__(self, sock: socket.socket, address: str, now: float) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.recv, self.send = sock.recv, sock.send
        self.address = address
        self.state = State.UNREGISTERED
        self.session: Session | None = None

        self.requests = RequestBuffer()
        self.line_count = 0  # before `welcome`
        self.malformed_count = 0
        self.rate: RateLimit | None = None  # of the requests after `welcome`; from the first on
        self.held = False  # its next lines wait: for another thread's reply, or because
        self.backed_up = False  # it does not take its answers
        self.eof = False  # the client will send no more
        self.last_byte_at = now
        self.pinged = False  # since the last byte
        self.challengers: list[Callable[[], object]] = []
        self.challenge_until = 0.0

        self.out = bytearray()  # private lines, and before them the rest of a line cut in two
        self.audience: Audience | None = None  # that it follows the events with
        self.pending = 0  # answers that will come from the history
        self.pages_waiting: list[PageRequest] = []  # bound: max_pages_waiting
        self.page_under_way = False
        self.cursor = 0  # in the event log, while it is not in step with its worker
        self.own_events: list[tuple[int, bytes]] = []  # to go out among the log's, by seq
        self.blocked = False  # the socket takes no more for now
        self.progress_at = now  # when it last took something, or had nothing to take

        self.watched = 0  # the epoll mask it is registered with
        self.deadline = inf  # when the watchdog has to look at it, at the latest

    def __repr__(self) -> str:
        name = self.session.name.shown if self.session else "-"
        return f"<Connection {name} {self.address} {self.state.name} out={len(self.out)}>"

    def enter(self, state: State) -> None:
        """Go over into another state; a step that does not exist is a KeyError."""
        if state not in _NEXT_STATES[self.state]:
            raise KeyError(f"{self.state.name} -> {state.name}")
        self.state = state

    def push(self) -> bool:
        """Send what is queued; tell whether all of it went out. Raises OSError."""
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

    def push_stretch(self, stretch: Stretch) -> bool:
        """Send events; tell whether all of them went out. Raises OSError."""
        try:
            sent = self.send(stretch.data) if stretch.data else 0
        except BlockingIOError:
            return False
        self.note_sent(stretch, sent)
        return sent == len(stretch.data)

    def note_sent(self, stretch: Stretch, sent: int) -> None:
        """Move the cursor past the events that went out.

        The rest of one that was cut in two is kept, to go out before anything else.
        """
        if sent == len(stretch.data):
            self.cursor = stretch.through
            return
        complete = stretch.data.count(b"\n", 0, sent)
        if sent and stretch.data[sent - 1] != 0x0A:
            self.out += stretch.data[sent : stretch.data.index(b"\n", sent) + 1]
            complete += 1
        if complete:
            self.cursor = stretch.seqs[complete - 1]
