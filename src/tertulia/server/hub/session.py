"""One registered user's presence, and how others reach it."""

from typing import Any, Protocol

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.hooks import HookCreated
from tertulia.protocol.messages import Presence, Status
from tertulia.protocol.names import Name


class Route(Struct, frozen=True, gc=False):
    """Where a session is served: a value that another thread, or another node, can hold."""

    node: str
    number: int  # of the session, unique on its node; in a cluster, over its restarts too


class SeenMark(Struct, eq=False):
    """The event up to which a user has seen everything."""

    counted: int = -1
    latest: int = -1  # the latest report, which counts from `counts_again_at` on
    counts_again_at: float = 0.0  # seconds of the monotonic clock


class Session(Struct, eq=False, kw_only=True):
    """One registered user's presence.

    The first group of fields is the Room's: it changes only by the Room's verbs, under the Hub's
    lock. `last_active` and `own_presence` are written under that lock too, on behalf of the worker
    that serves the session.
    """

    name: Name
    address: str
    token: str
    route: Route
    since: str  # RFC 3339
    status: Status  # as shown to everyone
    chosen: Status  # chosen by the user; differs from `status` while the user is idle
    is_here: bool = False  # in the Registry
    is_operator: bool = False
    is_silenced: bool = False  # may not speak; Moderation knows whether that is over
    is_console: bool = False  # on the machine itself: an operator who is never in the Registry
    successor: "Session | None" = None  # the session that has taken this one over
    joined_seq: int = 0  # the number of its `joined`

    last_active: float  # seconds of the monotonic clock
    # The session began INACTIVO. Until its user does something, requests for the list of users or
    # for pages come from the client itself, and do not count as activity.
    is_catching_up: bool = False
    # Own status changes of a session that asked for messages only; None: it did not. There is no
    # list until the first change: thousands of empty ones would take room.
    own_presence: list[Presence] | tuple[()] | None = None
    seen_mark: SeenMark | None = None  # None: its client has never reported what was seen

    @property
    def may_act(self) -> bool:
        """Whether requests of this session are still carried out."""
        return self.is_here or self.is_console


class Owner(Protocol):
    """The mailbox of a thread that waits for another thread's answer."""

    def post(self, mail: Any, /) -> bool:
        """Hand over a message; return False if the thread has ended. Any thread; never waits."""


class Receipt(Struct, frozen=True):
    """The request to answer when a message or a record is stored, and the owner to tell."""

    owner: Owner
    session_number: int
    request_id: int | UnsetType
    seq: int | UnsetType = UNSET  # the number of a message
    answer: HookCreated | None = None  # None: `ok`, if the request had an id
