"""Everything that other threads post to a worker: a few kinds, matched in `Dispatcher.read_mail`.

Each message names the connection or session that it concerns, so that a fault in carrying it out
costs that connection only.
"""

import socket
from typing import NamedTuple

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import Closing, Direct
from tertulia.server.history.mail import PageReady, RoomAgain, Stored
from tertulia.server.hub.directs import Delivery, Handover, Reply
from tertulia.server.hub.ordered import NodesNamed, Ordered, SendAway, ServesAgain, StandsStill
from tertulia.server.hub.session import Owner, Route
from tertulia.server.workers.access import HeaderRule
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import Opened


class AcceptedSocket(NamedTuple):
    """A socket, which is non-blocking, and the address that it comes from.

    If a header is to come, that is the address of a proxy.
    """

    sock: socket.socket
    address: str
    header: HeaderRule = HeaderRule.NONE


class Adopt(Struct, frozen=True):
    """Take over accepted sockets."""

    sockets: list[AcceptedSocket]


class AdoptConsole(Struct, frozen=True):
    """Take over the socket of a console on this machine, which is an operator's, or of a view."""

    sock: socket.socket
    route: Route
    address: str  # CONSOLE_ADDRESS or VIEW_ADDRESS


class Drain(Struct, frozen=True):
    """Say goodbye to everyone, send what is queued, close, and end."""

    # Seconds after which clients may come back: chosen between these two, so that not all come at
    # one instant.
    retry_after_s: tuple[float, float] = (0.5, 5.0)
    flush_within_s: float | None = None  # for what is queued; None: `flush_timeout_s`
    drain_within_s: float | None = None  # for the client to close; None: `drain_timeout_s`
    cause: str | UnsetType = UNSET  # as in `closing`


class Beat(Struct):
    """A sign of life that is asked for: the worker gives it in its round."""

    is_answered: bool = False


class Deliver(Struct, frozen=True):
    """Put a direct message into a session's output, and answer the sender's worker by Delivered."""

    session: int
    delivery: Delivery
    request: Direct
    sender: Connection
    reply_to: Owner


class Delivered(Struct, frozen=True):
    """What has become of a direct message that was to be put into a session's output."""

    sender: Connection
    request: Direct
    delivery: Delivery
    handover: Handover


class DirectsWaiting(Struct, frozen=True):
    """Send a session what is in its queue of direct messages."""

    session: int


class Replies(Struct, frozen=True):
    """Send sessions of this worker answers that have come late."""

    rows: list[Reply]


class Challenge(Struct, frozen=True):
    """Have a session show that it is alive, and answer the newcomer's worker by ChallengeOver."""

    session: int
    newcomer: Connection | None  # None: it is served by another node
    reply_to: Owner


class ChallengeOver(Struct, frozen=True):
    """The session in a newcomer's way is alive, or has ended."""

    newcomer: Connection | None


class NoticeStored(Struct, frozen=True):
    """What a connection has posted to a hook is on the disk, or could not be written."""

    connection: Connection
    seq: int | UnsetType
    is_stored: bool


class Answered(Struct, frozen=True):
    """What a connection has asked for is ready."""

    connection: Connection
    opened: Opened


class Evict(Struct, frozen=True):
    """Close the connection of a session that has been replaced."""

    session: int


class Expel(Struct, frozen=True):
    """Finish the connection of a session that an operator has ended."""

    session: int
    last_word: Closing


class LookTaken(Struct, frozen=True):
    """The picture of the server that a live view waits for, as a line."""

    session: int
    line: bytes


class GoOnEntering(Struct, frozen=True):
    """Go on with a connection, of whose handshake another thread has computed a step."""

    connection: Connection


Mail = (
    Adopt
    | AdoptConsole
    | Drain
    | Beat
    | Deliver
    | Delivered
    | DirectsWaiting
    | Replies
    | Challenge
    | ChallengeOver
    | Evict
    | Expel
    | NoticeStored
    | GoOnEntering
    | LookTaken
    | Answered
    | Stored
    | PageReady
    | RoomAgain
    | Ordered
    | ServesAgain
    | StandsStill
    | SendAway
    | NodesNamed
)
