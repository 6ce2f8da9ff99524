"""The deadlines of connections: registration, signs of life, idleness, blocked output, the end.

A connection's `deadline` is the earliest moment at which something could be due; what is due is
worked out only then. So a byte that comes in sets no timer, and checking all connections is a
loop of comparisons. The watchdog returns what is due and does nothing itself.

There is one for each worker, whose thread runs it. Times are seconds of the monotonic clock.
"""

from collections.abc import Iterable
from enum import Enum, auto
from math import inf

from tertulia.server.config import Config
from tertulia.server.hub.session import Session
from tertulia.server.workers.connection import NOT_HELD, REGISTERED, UNREGISTERED, Connection

_MIN_CHECK_INTERVAL_S = 0.1  # checking 10,000 connections takes a millisecond


class Due(Enum):
    """What has to happen to a connection now."""

    REGISTER_TIMEOUT = auto()
    HANDSHAKE_TIMEOUT = auto()
    SLOW = auto()  # its socket has taken nothing for too long
    SILENT = auto()  # no byte for too long, or no answer to a challenge
    EXPIRED = auto()  # the time to finish or to drain is over
    UNREAD = auto()  # it was challenged, but is held for others, so nobody reads its answer
    PING = auto()
    IDLE = auto()


class Watchdog:
    """Finds the connections of a worker for which something is due."""

    def __init__(self, config: Config) -> None:
        self._config = config
        # For a new session nothing can be due before so many seconds of silence.
        self._first_due_s = min(
            config.ping_after_s, inf if config.idle_after_s is None else config.idle_after_s
        )
        self.next_check = inf  # when `check` has to be called
        self._no_check_before = 0.0

    def check_by(self, connection: Connection, when: float) -> None:
        """Check a connection at a moment, or at an earlier one if that was planned."""
        if when < connection.deadline:
            self.set_deadline(connection, when)

    def set_deadline(self, connection: Connection, when: float) -> None:
        """Check a connection at a moment, whatever was planned."""
        connection.deadline = when
        # Never sooner: many that come in together are checked together. One check of all for each
        # of them would cost the square of their number.
        if when < self.next_check:
            self.next_check = max(when, self._no_check_before)

    def watch_session(self, connection: Connection, session: Session, now: float) -> None:
        """Begin to watch a connection that has just got its session."""
        if session.last_active >= now and not connection.blocked:  # as for nearly all
            deadline = connection.last_byte_at + self._first_due_s
        else:
            deadline = self._next_deadline(connection, session, now, becomes_idle=False)
        self.set_deadline(connection, deadline)

    def watch_challenged(self, connection: Connection, now: float) -> None:
        """Start the time in which a challenged connection has to give a sign of life."""
        connection.challenge_until = now + self._config.challenge_timeout_s
        self.check_by(connection, connection.challenge_until)

    def watch_blocked(self, connection: Connection, now: float) -> None:
        """Start the time in which a connection whose socket is full has to take something."""
        connection.progress_at = now
        self.check_by(connection, now + self._config.write_timeout_s)

    def check(self, connections: Iterable[Connection], now: float) -> list[tuple[Connection, Due]]:
        """Return the connections for which something is due, and plan the next check."""
        due: list[tuple[Connection, Due]] = []
        soonest = inf
        for connection in connections:
            if connection.deadline <= now:
                due += [(connection, what) for what in self._due(connection, now)]
            if connection.deadline < soonest:
                soonest = connection.deadline
        self._no_check_before = now + _MIN_CHECK_INTERVAL_S
        self.next_check = max(soonest, self._no_check_before)
        return due

    def _due(self, connection: Connection, now: float) -> list[Due]:
        end = self._end_due(connection, now)
        if end is None and connection.state is UNREGISTERED:  # its handshake was over in time
            connection.deadline = connection.register_by
            return []
        if end is not None:
            # The caller closes it, or sets a deadline for its last message.
            connection.deadline = inf
            return [end]
        session, config = connection.session, self._config
        assert session is not None
        due: list[Due] = []
        if now >= connection.challenge_until:
            connection.challenge_until = inf
            due.append(Due.UNREAD)  # it waits for others: else `_end_due` has returned SILENT
        silence_s = now - connection.last_byte_at
        if silence_s >= config.ping_after_s and connection.answer_by == inf:
            connection.answer_by = now + config.silence_timeout_s - config.ping_after_s
            due.append(Due.PING)
        if config.idle_after_s is not None and now - session.last_active >= config.idle_after_s:
            due.append(Due.IDLE)
        connection.deadline = self._next_deadline(
            connection, session, now, becomes_idle=Due.IDLE in due
        )
        return due

    def _end_due(self, connection: Connection, now: float) -> Due | None:
        """Return the reason to end a connection now, if there is one."""
        if connection.state is UNREGISTERED:
            if connection.is_shaking_hands:
                return Due.HANDSHAKE_TIMEOUT
            return Due.REGISTER_TIMEOUT if now >= connection.register_by else None
        if connection.state is not REGISTERED:
            return Due.EXPIRED
        if connection.hold is not NOT_HELD:
            # It may be sending, but nobody reads it now.
            connection.last_byte_at, connection.answer_by = now, inf
        if connection.blocked and now - connection.progress_at >= self._config.write_timeout_s:
            return Due.SLOW
        # The length of the silence does not count: after a pause of the whole server, no ping was
        # sent yet.
        if now >= connection.answer_by:
            return Due.SILENT
        if now >= connection.challenge_until and not connection.waits_for_others:
            return Due.SILENT
        return None

    def _next_deadline(
        self, connection: Connection, session: Session, now: float, *, becomes_idle: bool
    ) -> float:
        config = self._config
        # A pinged or idle connection may become active at any moment, and is due again later.
        ping_from = connection.last_byte_at if connection.answer_by == inf else now
        deadline = min(
            ping_from + config.ping_after_s, connection.answer_by, connection.challenge_until
        )
        if config.idle_after_s is not None:
            idle_from = now if becomes_idle else session.last_active
            deadline = min(deadline, idle_from + config.idle_after_s)
        if connection.blocked:
            deadline = min(deadline, connection.progress_at + config.write_timeout_s)
        return deadline
