"""Newcomers whom a ban fits, as this node knows it: refused without a place in the log.

The ban may have been lifted elsewhere a moment ago. So they wait until the node knows everything
that was decided before they came: until a batch has come back that it sent after that, and it sends
one at least each second. Whom no ban fits any more then registers as everyone does.
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
    """A newcomer who has waited, and the ban, if there still is one."""

    command: Enter
    ticket: Ticket
    ban: Ban | None


class BannedNewcomers:
    """Those of one node. There are no more of them than connections."""

    def __init__(
        self, lock: threading.Lock, moderation: Moderation, monotonic: Callable[[], float]
    ) -> None:
        """`lock` is the Hub's."""
        self._lock = lock
        self._moderation = moderation
        self._monotonic = monotonic
        self._waiting: deque[tuple[float, Enter, Ticket]] = deque()  # since when

    def take(self, command: Enter, ticket: Ticket) -> bool:
        """Let a newcomer wait whom a ban fits; False if none does. Any thread."""
        with self._lock:
            if self._ban_on(command) is None:
                return False
            self._waiting.append((self._monotonic(), command, ticket))
            return True

    def decide(self, known_at: float) -> list[Decided]:
        """Return whom to refuse, and whom to let register.

        What was decided before `known_at`, by the monotonic clock, has been carried out here.
        """
        decided: list[Decided] = []
        if not self._waiting:  # as nearly always: after each entry of the log
            return decided
        with self._lock:
            while self._waiting and self._waiting[0][0] < known_at:
                _since, command, ticket = self._waiting.popleft()
                decided.append(Decided(command, ticket, self._ban_on(command)))
        return decided

    def _ban_on(self, command: Enter) -> Ban | None:
        """Return a ban without letting go of those that are over: the log's entries do that."""
        bans, newcomer = self._moderation.bans, command.newcomer
        return bans.longest(newcomer.name.key, newcomer.address) if len(bans) else None
