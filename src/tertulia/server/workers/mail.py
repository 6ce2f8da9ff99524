"""The kinds of mail that other threads post to a worker, matched in `Dispatcher.read_mail`.

A message about a connection names it, or has the number of its session (as in its `Route`), so
that a fault in carrying it out costs that connection only. `reply_to` is the mailbox of the worker
that waits for an answer.
"""

import socket

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import Closing, Direct, Error
from tertulia.protocol.watching import MeasuresTaken
from tertulia.server.history.mail import PageReady, SpaceAgain, Stored
from tertulia.server.hub.directs import Delivery, Handover, Reply
from tertulia.server.hub.ordered import NodesNamed, Ordered, SendAway, ServesAgain, StandsStill
from tertulia.server.hub.session import Owner, Route
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import Opened


class AcceptedSocket(Struct, frozen=True):
    """A non-blocking socket, and the address of its client.

    If a proxy's header is to come, it is the proxy's address.
    """

    sock: socket.socket
    address: str
    header: HeaderRule = HeaderRule.NONE


class Adopt(Struct, frozen=True):
    """Take over accepted sockets."""

    sockets: list[AcceptedSocket]


class AdoptConsole(Struct, frozen=True):
    """Take over the socket of an operator's console, or of a live view, on this machine."""

    sock: socket.socket
    route: Route
    address: str  # CONSOLE_ADDRESS or VIEW_ADDRESS


class Drain(Struct, frozen=True):
    """Say goodbye to everyone, send what is queued, close, and end."""

    # Clients may come back after a random time between these two, so that not all come at once.
    retry_after_s: tuple[float, float] = (0.5, 5.0)
    flush_within_s: float | None = None  # for what is queued; None: `flush_timeout_s`
    drain_within_s: float | None = None  # for the client to close; None: `drain_timeout_s`
    cause: str | UnsetType = UNSET  # as in the message `closing`


class Beat(Struct):
    """A request for a sign of life, which the worker gives in its round."""

    is_answered: bool = False


class Deliver(Struct, frozen=True):
    """Put a direct message into a session's output; answer with DeliveryOver."""

    session_number: int
    delivery: Delivery
    request: Direct
    sender: Connection
    reply_to: Owner


class DeliveryOver(Struct, frozen=True):
    """The outcome of a Deliver."""

    sender: Connection
    request: Direct
    delivery: Delivery
    handover: Handover


class DirectsWaiting(Struct, frozen=True):
    """Send a session the direct messages in its queue."""

    session_number: int


class Replies(Struct, frozen=True):
    """Send late answers to sessions of this worker."""

    rows: list[Reply]


class Challenge(Struct, frozen=True):
    """Ask a session for a sign of life; answer the newcomer's worker with ChallengeOver."""

    session_number: int
    newcomer: Connection | None  # None: another node serves it
    reply_to: Owner


class ChallengeOver(Struct, frozen=True):
    """The newcomer may try again, for good: the session in its way is alive, or has ended.

    Or nobody can find out, because that session is held for others or cannot be reached.
    """

    newcomer: Connection | None


class NoticeStored(Struct, frozen=True):
    """The notice that a connection has posted to a hook is on the disk, or was not written."""

    connection: Connection
    seq: int | UnsetType
    is_stored: bool


class Answered(Struct, frozen=True):
    """The answer that a connection waits for is ready."""

    connection: Connection
    opened: Opened


class Evict(Struct, frozen=True):
    """Close the connection of a session that has been replaced."""

    session_number: int


class Expel(Struct, frozen=True):
    """Finish the connection of a session that an operator has ended."""

    session_number: int
    last_message: Closing


class MeasuresReady(Struct, frozen=True):
    """The figures that a live view waits for, or the reason why there are none."""

    session_number: int
    answer: MeasuresTaken | Error


class HandshakeStepDone(Struct, frozen=True):
    """Continue with a connection after another thread has computed a step of its handshake."""

    connection: Connection


Mail = (
    Adopt
    | AdoptConsole
    | Drain
    | Beat
    | Deliver
    | DeliveryOver
    | DirectsWaiting
    | Replies
    | Challenge
    | ChallengeOver
    | Evict
    | Expel
    | NoticeStored
    | HandshakeStepDone
    | MeasuresReady
    | Answered
    | Stored
    | PageReady
    | SpaceAgain
    | Ordered
    | ServesAgain
    | StandsStill
    | SendAway
    | NodesNamed
)
