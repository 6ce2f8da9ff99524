"""A user's session over several connections: whether it is lost, resumed, or has missing pages.

It decides and returns what happened. It reads no clock and never waits. One thread calls `advance`:
at once when `notify` of the connection or of an attempt is called, otherwise at `wake_at`.
"""

from enum import Enum, auto
from math import inf
from typing import NamedTuple

from msgspec import UNSET

from tertulia.client.activity import Resumption
from tertulia.client.catchup import CatchUp
from tertulia.client.client import Client
from tertulia.client.errors import (
    CertificateRefused,
    End,
    EndReason,
    Refusal,
    RegistrationRefused,
)
from tertulia.client.recent import RecentDirects
from tertulia.client.reconnect import Reconnector


class SessionState(Enum):
    """The state of a session's connection. CONNECTED and RECONNECTING alternate."""

    CONNECTED = auto()
    RECONNECTING = auto()
    REFUSED = auto()  # final
    KICKED = auto()  # final
    GIVEN_UP = auto()  # final


class Lost(NamedTuple):
    """The connection has ended; attempts to make another one begin."""

    end: End


class Expelled(NamedTuple):
    """An operator has ended the session; no attempts follow."""

    end: End


class Resumed(NamedTuple):
    """Another connection has taken the place of the lost one."""

    client: Client
    is_renumbered: bool  # the numbers of the events from before mean nothing any more


class Refused(NamedTuple):
    """The server does not register this user again, or is another one; no attempts follow."""

    refusal: Refusal


class GaveUp(NamedTuple):
    """No connection was made in the time that the user wanted to wait; no attempts follow."""

    waited_s: float


class Session:
    """A registered user's presence.

    `catch_up` orders the general chat and names missing pages. `directs` recognises direct messages
    that have come before. If `first_page` is above 0, that many messages from before the user came
    are missing at first.
    """

    def __init__(
        self,
        client: Client,
        reconnector: Reconnector,
        first_page: int,
        gives_up_after_s: float = inf,
    ) -> None:
        self.client = client  # the current connection, or the last one
        self.catch_up = CatchUp(client.welcome, first_page)
        self.directs = RecentDirects()
        self.state = SessionState.CONNECTED
        self.lost_at: float | None = None  # None while connected
        self._active_at = -inf  # when the person last requested something
        self._reconnector = reconnector
        self._gives_up_after_s = gives_up_after_s

    @property
    def wake_at(self) -> float | None:
        """Return the time at which the next attempt to connect begins; None if none is planned."""
        return self._reconnector.wake_at

    @property
    def gives_up_at(self) -> float | None:
        """Return when the attempts to connect end for good; None if they have no end."""
        if self.lost_at is None or self._gives_up_after_s == inf:
            return None
        return self.lost_at + self._gives_up_after_s

    def advance(self, now: float) -> Lost | Expelled | Resumed | Refused | GaveUp | None:
        """Notice the end of the connection, begin a due attempt, take over its connection, give up.

        Returns the change of state, if there is one; call again until it returns None. Before each
        call, the caller reads the remaining messages of an ended connection.
        """
        if self.state is SessionState.CONNECTED:
            end = self.client.ended
            if end is None:
                return None
            if end.reason is EndReason.KICKED:
                self.state = SessionState.KICKED
                return Expelled(end)
            self.state = SessionState.RECONNECTING
            self.lost_at = now
            nodes, told = self._reconnector.nodes, self.client.nodes
            if nodes is not None and told is not UNSET:
                nodes.learn(told, self.client.per_node)
            self._reconnector.begin(end, self._resumption, now)
            return Lost(end)
        if self.state is not SessionState.RECONNECTING:
            return None
        try:
            client = self._reconnector.poll(now)
        except (RegistrationRefused, CertificateRefused) as refusal:
            self.state = SessionState.REFUSED
            return Refused(refusal)
        if client is None:
            assert self.lost_at is not None
            if now < self.lost_at + self._gives_up_after_s:
                return None
            self.state = SessionState.GIVEN_UP
            return GaveUp(now - self.lost_at)
        self.client = client
        is_renumbered = self.catch_up.resume(client.welcome)
        self.state = SessionState.CONNECTED
        self.lost_at = None
        return Resumed(client, is_renumbered)

    def note_activity(self, now: float) -> None:
        """Note that the person has requested something.

        A client also sends some requests by itself, so it cannot know which ones the person made.
        """
        self._active_at = now

    def _resumption(self, now: float) -> Resumption:
        resumption = self.client.resumption(now)
        if resumption.idle_s is None:
            return resumption
        return resumption._replace(idle_s=min(resumption.idle_s, now - self._active_at))

    def close(self) -> None:
        """End the connection, or the attempts to make one. Idempotent."""
        self._reconnector.close()
        self.client.close()
