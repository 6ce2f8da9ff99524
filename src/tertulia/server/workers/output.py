"""What a worker sends: private lines first, then everyone's events, at the end of each round.

One for each worker, in whose thread it runs.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import CloseReason, ServerMessage
from tertulia.server.workers.audience import Audience
from tertulia.server.workers.connection import CLOSED, REGISTERED, Connection

if TYPE_CHECKING:
    from tertulia.server.config import Config
    from tertulia.server.hub.hub import Hub
    from tertulia.server.hub.session import Session
    from tertulia.server.workers.worker import Worker

_MAX_OWN_EVENTS = 1_000  # some 100 KiB


class Output:
    """The output of a worker's connections."""

    def __init__(self, worker: Worker, hub: Hub, config: Config) -> None:
        self._worker = worker
        self._private_bytes = config.private_bytes
        self._all_events = Audience(hub.events, config.stretch_bytes, messages_only=False)
        self._messages = Audience(hub.events, config.stretch_bytes, messages_only=True)
        self._to_push: dict[Connection, None] = {}  # have private lines, or have said their last
        self._overflowing: list[Connection] = []  # would not take their private lines

    @property
    def has_work(self) -> bool:
        """Tell whether a flush would have something to send."""
        return bool(self._to_push) or self._all_events.has_work or self._messages.has_work

    # --- private lines -------------------------------------------------------------------------

    def tell(self, connection: Connection, message: ServerMessage) -> None:
        """Queue a message for one connection alone."""
        self.tell_line(connection, encode(message))

    def tell_line(self, connection: Connection, line: bytes) -> None:
        """Queue an encoded message for one connection alone.

        With more than `private_bytes` of them that it does not take it is closed, as `slow`.
        """
        connection.out += line
        self._to_push[connection] = None
        if connection.blocked and len(connection.out) > self._private_bytes:
            self._overflowing.append(connection)

    # --- events --------------------------------------------------------------------------------

    def follow(self, connection: Connection, session: Session, cursor: int) -> None:
        """Send a connection the events from a cursor on."""
        connection.audience = self._messages if session.messages_only else self._all_events
        connection.audience.add(connection, cursor)
        if connection.blocked:
            connection.audience.set_blocked(connection)

    def tell_own_events(self, connection: Connection, session: Session) -> None:
        """Queue the events that the Hub has left for this session alone, in their places.

        Who does not take them is closed, as `slow`.
        """
        while session.own_events:
            seq, line = session.own_events.pop(0)
            if connection.audience is not None:
                connection.audience.insert(connection, seq, line)
        if len(connection.own_events) > _MAX_OWN_EVENTS:
            self._overflowing.append(connection)

    def unfollow(self, connection: Connection) -> None:
        """Send a connection no further events."""
        if connection.audience is not None:
            connection.audience.remove(connection)
            connection.audience = None

    def finish(self, connection: Connection, last_word: ServerMessage | None) -> None:
        """Queue for a connection what it has not got yet, and a last word."""
        if connection.audience is not None:
            connection.out += connection.audience.take_rest(connection)
            connection.out += b"".join(line for _seq, line in connection.own_events)
            self.unfollow(connection)
        if last_word is not None:
            connection.out += encode(last_word)
        self._to_push[connection] = None

    def forget(self, connection: Connection) -> None:
        """Send a connection nothing more."""
        self.unfollow(connection)
        self._to_push.pop(connection, None)

    # --- sending -------------------------------------------------------------------------------

    def unblock(self, connection: Connection) -> None:
        """Go on with a connection whose socket takes something again."""
        connection.blocked = False
        self._to_push[connection] = None
        if connection.audience is not None:
            connection.audience.unblock(connection)

    def flush(self) -> None:
        """Send every connection what there is for it."""
        while self._overflowing:
            self._worker.close(self._overflowing.pop(), CloseReason.SLOW)
        while self._to_push:
            to_push, self._to_push = self._to_push, {}
            for connection in to_push:
                if not connection.blocked and connection.state is not CLOSED:
                    self._push(connection)
        for audience in (self._all_events, self._messages):
            for connection, error in audience.flush():
                if error is None:
                    self._worker.on_blocked(connection)
                else:
                    self._worker.on_broken(connection, error)

    def push_rest(self, connection: Connection) -> None:
        """Send a connection that is about to be closed what it takes of what is queued for it."""
        if connection.out and not connection.blocked:
            with contextlib.suppress(OSError):  # it is broken, and is closed in any case
                connection.push()

    def _push(self, connection: Connection) -> None:
        try:
            went_out = not connection.out or connection.push()
        except OSError as error:
            self._worker.on_broken(connection, error)
            return
        if not went_out:
            if connection.audience is not None:
                connection.audience.set_blocked(connection)
            self._worker.on_blocked(connection)
        elif connection.backed_up or connection.pages_waiting or connection.state is not REGISTERED:
            self._worker.on_sent(connection)
