"""Deadlines: registration, life, idleness, a reader that takes nothing, the end of a connection.

One for each worker, in whose thread it runs. A connection's `deadline` is the earliest moment at
which something could be due; what is due is worked out then. So a byte that comes in costs no
timer, and a look at all connections is a loop of comparisons.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING

from tertulia.protocol.messages import CloseReason, Ping, Status
from tertulia.server import refusals
from tertulia.server.workers.connection import CLOSED, Connection, State

if TYPE_CHECKING:
    from tertulia.server.config import Config
    from tertulia.server.hub.hub import Hub
    from tertulia.server.hub.session import Session
    from tertulia.server.workers.worker import Worker

log = logging.getLogger("tertulia.server")

_MIN_CHECK_INTERVAL_S = 0.1  # a look at 10,000 connections takes a millisecond


class Watchdog:
    """Sees to it that no connection of a worker lasts longer than it may without doing its part."""

    def __init__(self, worker: Worker, hub: Hub, config: Config) -> None:
        self._worker = worker
        self._hub = hub
        self._config = config
        self.next_check = inf  # when `check` is to be called, at the latest
        self._no_check_before = 0.0

    def look_at(self, connection: Connection, when: float) -> None:
        """Look at a connection then, if not before."""
        if when < connection.deadline:
            self.end_by(connection, when)

    def end_by(self, connection: Connection, when: float) -> None:
        """Look at a connection then, and close it if it has nothing more to carry out."""
        connection.deadline = when
        # However many come in, they are looked at together: one by one, each look at all of them
        # would cost the square of their number.
        self.next_check = min(self.next_check, max(when, self._no_check_before))

    def check(self, connections: Iterable[Connection]) -> None:
        """Do what is due."""
        now = self._worker.now
        soonest = inf
        for connection in list(connections):
            if connection.deadline <= now:
                self._worker.guarded(self._on_deadline, connection)
            if connection.deadline < soonest and connection.state is not CLOSED:
                soonest = connection.deadline
        self._no_check_before = now + _MIN_CHECK_INTERVAL_S
        self.next_check = max(soonest, self._no_check_before)

    def challenge(self, connection: Connection, reply: Callable[[], object]) -> None:
        """Ping a connection that is in a newcomer's way; it ends if it stays silent.

        The worker replies as soon as either is known.
        """
        if connection.held and not connection.backed_up:  # not read for now: no sign of death
            reply()
            return
        if not connection.challengers:
            connection.challenge_until = self._worker.now + self._config.challenge_timeout_s
            self._worker.output.tell(connection, Ping())
            self.look_at(connection, connection.challenge_until)
        connection.challengers.append(reply)

    def _on_deadline(self, connection: Connection) -> None:
        if connection.state is State.UNREGISTERED:
            error = refusals.register_timeout(self._config.register_timeout_s)
            log.info("refused address=%s code=%s", connection.address, error.code)
            self._worker.finish(connection, CloseReason.REFUSED, error)
        elif connection.session is None or connection.state is not State.REGISTERED:
            self._worker.close(connection)
        else:
            self._check_life(connection, connection.session)

    def _check_life(self, connection: Connection, session: Session) -> None:
        config, now = self._config, self._worker.now
        if connection.held:
            connection.last_byte_at = now  # it may well be sending: nobody reads it
        silence_s = now - connection.last_byte_at
        if connection.blocked and now - connection.progress_at >= config.write_timeout_s:
            self._worker.close(connection, CloseReason.SLOW)
            return
        if silence_s >= config.silence_timeout_s or (
            connection.challengers and now >= connection.challenge_until
        ):
            self._worker.close(connection, CloseReason.TIMEOUT)
            return
        if silence_s >= config.ping_after_s and not connection.pinged:
            connection.pinged = True
            self._worker.output.tell(connection, Ping())
        if config.idle_after_s is not None and now - session.last_active >= config.idle_after_s:
            self._hub.idle(session)
            self._worker.output.tell_own_events(connection, session)
        connection.deadline = self._next_deadline(connection, session)

    def _next_deadline(self, connection: Connection, session: Session) -> float:
        config, now = self._config, self._worker.now
        # A pinged or an idle connection may come to life any moment, and be due anew from then.
        ping_from = now if connection.pinged else connection.last_byte_at
        deadline = min(
            ping_from + config.ping_after_s, connection.last_byte_at + config.silence_timeout_s
        )
        if config.idle_after_s is not None:
            is_idle = session.status is Status.INACTIVO
            deadline = min(
                deadline, (now if is_idle else session.last_active) + config.idle_after_s
            )
        if connection.blocked:
            deadline = min(deadline, connection.progress_at + config.write_timeout_s)
        if connection.challengers:
            deadline = min(deadline, connection.challenge_until)
        return deadline
