"""Refuses banned newcomers without a command in the log.

Another node may have lifted the ban a moment ago. So a newcomer waits until this node knows all
that was decided before: until a batch that it has sent since then has come back. It sends at least
one each second. A newcomer who is no longer banned then registers as usual.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from tertulia.server.cluster.commands import Enter
from tertulia.server.cluster.proposer import Ticket
from tertulia.server.hub.moderation import Moderation
from tertulia.server.hub.records import Ban


class Decided(NamedTuple):
    """A newcomer whose wait is over, and the ban if it still applies."""

    command: Enter
    ticket: Ticket
    ban: Ban | None


class BannedNewcomers:
    """The banned newcomers of one node. There are never more of them than connections."""

    def __init__(
        self, lock: threading.Lock, moderation: Moderation, monotonic: Callable[[], float]
    ) -> None:
        """`lock` is the Hub's."""
        self._lock = lock
        self._moderation = moderation
        self._monotonic = monotonic
        self._waiting: deque[tuple[float, Enter, Ticket]] = deque()  # each with its time

    def hold_if_banned(self, command: Enter, ticket: Ticket) -> bool:
        """Hold a newcomer if a ban applies; return False if none does. Any thread."""
        with self._lock:
            if self._ban_on(command) is None:
                return False
            self._waiting.append((self._monotonic(), command, ticket))
            return True

    def decide(self, known_at: float) -> list[Decided]:
        """Return the newcomers whose wait is over, to be refused (with a ban) or admitted.

        This node has applied everything that was decided before `known_at` (monotonic clock). The
        link's thread.
        """
        decided: list[Decided] = []
        if not self._waiting:  # nearly always; this runs after each entry of the log
            return decided
        with self._lock:
            while self._waiting and self._waiting[0][0] < known_at:
                _since, command, ticket = self._waiting.popleft()
                decided.append(Decided(command, ticket, self._ban_on(command)))
        return decided

    def _ban_on(self, command: Enter) -> Ban | None:
        """Return the ban that applies. Only entries of the log remove bans that are over."""
        bans, newcomer = self._moderation.bans, command.newcomer
        return bans.longest(newcomer.name.key, newcomer.address) if len(bans) else None
