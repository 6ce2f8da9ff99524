"""The output of a worker: at the end of a round it sends private messages, then the events.

Most sessions are in step: they have got everything that the worker has sent. The worker keeps one
cursor for all of them, and a round costs one `send` for each. The others are in `behind.py`. There
is one output for each worker, whose thread runs it. It returns what happened to connections.
"""

import contextlib
from collections.abc import Callable, Sequence
from enum import Enum, auto

from msgspec import Struct

from tertulia.protocol.messages import Gap, Presence, ServerMessage
from tertulia.server.config import Config
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.observer import Observer
from tertulia.server.workers.behind import Behind, Late
from tertulia.server.workers.connection import BACKLOG, CLOSED, REGISTERED, Connection
from tertulia.server.workers.door import AnyMessage, Form

_MAX_OWN_PRESENCE = 1_000  # own status changes that a session has not taken; about 100 KiB


class SendResult(Enum):
    """The result of sending to a connection."""

    SENT = auto()  # it has taken everything
    BLOCKED = auto()  # its socket takes no more for now
    BROKEN = auto()  # its socket gave an error
    OVERFLOWING = auto()  # it does not take its private output


class Sent(Struct, frozen=True, gc=False):
    """The result for one connection; `error` is set if it is BROKEN."""

    connection: Connection
    result: SendResult
    error: OSError | None = None


class Output:
    """The output of a worker's connections."""

    def __init__(self, log: EventLog, config: Config, observer: Observer) -> None:
        self._log = log
        self._slice_bytes = config.slice_bytes
        self._private_bytes = config.private_bytes
        self._observer = observer
        self._subscribers: dict[tuple[Form, bool], Subscribers] = {}
        self._followed: dict[Connection, Subscribers] = {}
        self._to_flush: dict[Connection, None] = {}  # they have private output, or have to end
        self._overflowing: list[Connection] = []

    @property
    def has_work(self) -> bool:
        """Whether a flush would have something to send."""
        if self._to_flush:
            return True
        for subscribers in self._subscribers.values():  # noqa: SIM110 (half the time of `any`)
            if subscribers.has_work:
                return True
        return False

    # --- for one connection --------------------------------------------------------------------

    def send(self, connection: Connection, message: AnyMessage) -> None:
        """Queue a private message for a connection.

        A connection for which more than `private_bytes` are queued is OVERFLOWING.
        """
        out = connection.out
        out += connection.door.encode(message)  # a store in `connection` takes longer
        self._to_flush[connection] = None
        if connection.blocked:
            self._check_overflow(connection)

    def send_all(self, connection: Connection, messages: Sequence[ServerMessage]) -> None:
        """Queue several private messages for a connection."""
        connection.out += connection.door.encode_all(messages)
        self._to_flush[connection] = None
        if connection.blocked:
            self._check_overflow(connection)

    def send_large(self, connection: Connection, message: ServerMessage) -> None:
        """Queue an answer that may exceed the usual bound.

        A client gets only one at a time: it is not read while so much waits for it.
        """
        data = connection.door.encode(message)
        connection.out += data
        connection.large_bytes = len(data)
        self._to_flush[connection] = None

    def send_bytes(self, connection: Connection, data: bytes) -> None:
        """Queue bytes that are already in the form of the connection's door."""
        connection.out += data
        self._to_flush[connection] = None
        if connection.blocked:
            self._check_overflow(connection)

    def _check_overflow(self, connection: Connection) -> None:
        waiting = len(connection.out)
        if waiting <= self._private_bytes:
            connection.large_bytes = 0
        elif waiting > self._private_bytes + connection.large_bytes:
            self._overflowing.append(connection)

    # --- events --------------------------------------------------------------------------------

    def follow(self, connection: Connection, cursor: int, *, messages_only: bool) -> None:
        """Send a connection the events after a cursor."""
        key = (connection.door.form, messages_only)
        subscribers = self._subscribers.get(key)
        if subscribers is None:
            subscribers = self._subscribers[key] = Subscribers(
                self._log, key[0], self._slice_bytes, self._observer, messages_only=messages_only
            )
        subscribers.add(connection, cursor)
        self._followed[connection] = subscribers

    def send_own_presence(self, connection: Connection, events: list[Presence]) -> None:
        """Queue a session's own status changes, each in its place among the messages.

        A connection for which 1,000 of them are queued is OVERFLOWING.
        """
        subscribers = self._followed.get(connection)
        if subscribers is not None and subscribers.insert(connection, events) > _MAX_OWN_PRESENCE:
            self._overflowing.append(connection)

    def finish(self, connection: Connection, last_message: ServerMessage | None) -> None:
        """Queue the events that a connection has not got yet, and its last message."""
        subscribers = self._followed.pop(connection, None)
        if subscribers is not None:
            connection.out += subscribers.unsent(connection)
            subscribers.remove(connection)
        if last_message is not None:
            connection.out += connection.door.encode(last_message)
        self._to_flush[connection] = None

    def forget(self, connection: Connection) -> None:
        """Send a connection nothing more."""
        subscribers = self._followed.pop(connection, None)
        if subscribers is not None:
            subscribers.remove(connection)
        self._to_flush.pop(connection, None)

    # --- sending -------------------------------------------------------------------------------

    def unblock(self, connection: Connection) -> None:
        """Continue sending to a connection whose socket accepts data again."""
        connection.blocked = False
        self._to_flush[connection] = None
        subscribers = self._followed.get(connection)
        if subscribers is not None:
            subscribers.unblock(connection)

    def flush_private(self) -> list[Sent]:
        """Send each connection its private messages, as far as its socket takes them.

        Returns the connections for which something may have to be done now. One that is registered
        and whose output is all sent is among them only if its hold or a page has waited for that.
        """
        happened: list[Sent] = []
        if self._overflowing:
            happened += [
                Sent(connection, SendResult.OVERFLOWING) for connection in self._overflowing
            ]
            self._overflowing.clear()
        if not self._to_flush:
            return happened
        to_flush, self._to_flush = self._to_flush, {}
        sent_bytes = 0
        for connection in to_flush:
            if connection.blocked or connection.state is CLOSED:
                continue
            out, send = connection.out, connection.send
            size = len(out)
            try:
                sent = send(out) if size else 0
            except BlockingIOError:
                sent = 0
            except OSError as error:
                happened.append(Sent(connection, SendResult.BROKEN, error))
                continue
            sent_bytes += sent
            if sent != size:
                del out[:sent]
                self._set_blocked(connection)
                happened.append(Sent(connection, SendResult.BLOCKED))
                continue
            out.clear()
            if (
                connection.hold is BACKLOG
                or connection.pages_waiting
                or connection.state is not REGISTERED
            ):
                happened.append(Sent(connection, SendResult.SENT))
        self._observer.sent_bytes += sent_bytes
        return happened

    def flush_events(self) -> list[Sent]:
        """Send the events to everyone; return the connections that did not take all of them."""
        happened: list[Sent] = []
        for subscribers in self._subscribers.values():
            for connection, error in subscribers.flush():
                if error is None:
                    connection.blocked = True
                    happened.append(Sent(connection, SendResult.BLOCKED))
                else:
                    happened.append(Sent(connection, SendResult.BROKEN, error))
        return happened

    def flush_last(self, connection: Connection) -> None:
        """Send as much private output as the socket takes, before the connection is closed."""
        if connection.out and not connection.blocked:
            with contextlib.suppress(OSError):  # it is broken, and is closed in any case
                connection.flush_out()

    def _set_blocked(self, connection: Connection) -> None:
        connection.blocked = True
        subscribers = self._followed.get(connection)
        if subscribers is not None:
            subscribers.set_blocked(connection)


class Subscribers:
    """The connections of one worker that follow the log in one form.

    They get all events, or only the messages and their own status changes.
    """

    def __init__(
        self,
        log: EventLog,
        form: Form,
        slice_bytes: int,
        observer: Observer,
        *,
        messages_only: bool,
    ) -> None:
        self._log = log
        self._encode, self._frame, max_bytes = form
        self._slice_bytes = min(slice_bytes, max_bytes or slice_bytes)
        self._observer = observer
        self._messages_only = messages_only
        self._cursor = log.last_seq
        # The keys are the `send` methods: after a pause, each object that a round touches is a
        # cache miss, so it must touch few.
        self._in_step: dict[Callable[[bytes], int], Connection] = {}
        self._behind = Behind(log, form, self._slice_bytes, observer, messages_only=messages_only)

    def __repr__(self) -> str:
        return f"<Subscribers cursor={self._cursor} in_step={len(self._in_step)} {self._behind}>"

    @property
    def has_work(self) -> bool:
        """Whether a flush would have something to send."""
        return bool(self._behind.ready) or self._log.has_news(self._cursor)

    def add(self, connection: Connection, cursor: int) -> None:
        """Let a connection follow the log from a cursor on."""
        lacks_nothing = self._messages_only and self._log.has_only_people(min(cursor, self._cursor))
        if lacks_nothing and not connection.blocked:
            self._in_step[connection.send] = connection
        else:  # it will be in step once it has caught up
            self._behind.add(connection, cursor)

    def insert(self, connection: Connection, events: list[Presence]) -> int:
        """Send a connection its own status changes, each in its place among the log's events.

        Returns the number of those that it has not taken.
        """
        if self._in_step.pop(connection.send, None) is not None:
            self._behind.add(connection, self._cursor)
        return self._behind.insert(connection, events)

    def remove(self, connection: Connection) -> None:
        """Send a connection nothing more."""
        if self._in_step.pop(connection.send, None) is None:
            self._behind.remove(connection)

    def unsent(self, connection: Connection) -> bytes:
        """Return what a connection has not been sent: about one slice, and a gap for the rest."""
        return self._behind.unsent(connection, self._cursor)

    def set_blocked(self, connection: Connection) -> None:
        """Leave a connection alone until `unblock`."""
        if self._in_step.pop(connection.send, None) is not None:
            self._behind.block(connection, self._cursor)
        else:
            self._behind.set_blocked(connection)

    def unblock(self, connection: Connection) -> None:
        """Try a connection again in the next round."""
        self._behind.unblock(connection)

    def flush(self) -> list[Late]:
        """Send each connection its new events; return those that did not take all of them."""
        late = self._flush_in_step() if self._cursor < self._log.last_seq else []
        if self._behind.ready:
            still_late, caught_up = self._behind.flush(self._cursor)
            late += still_late
            for connection in caught_up:
                self._in_step[connection.send] = connection
        return late

    def _flush_in_step(self) -> list[Late]:
        if not self._in_step:
            self._cursor = self._log.last_seq
            return []
        cursor = self._cursor
        events = self._log.read(
            cursor, self._slice_bytes, self._encode, messages_only=self._messages_only
        )
        if self._frame is not None:
            events = self._behind.framed(events)
        if isinstance(events, Gap):  # the worker itself was too slow
            self._cursor = events.through
            for connection in self._in_step.values():
                self._behind.add(connection, cursor)
            self._in_step.clear()
            return []
        if events is None or not events.data:
            self._cursor = events.through if events else cursor
            return []
        late: list[tuple[Callable[[bytes], int], int, OSError | None]] = []
        data, size = events.data, len(events.data)
        for send in self._in_step:
            try:
                sent = send(data)
            except BlockingIOError:
                late.append((send, 0, None))
            except OSError as error:
                late.append((send, 0, error))
            else:
                if sent != size:
                    late.append((send, sent, None))
        self._cursor = events.through
        observer, in_time = self._observer, len(self._in_step) - len(late)
        observer.deliveries += events.events * in_time
        observer.sent_bytes += size * in_time
        blocked: list[Late] = []
        for send, sent, problem in late:
            connection = self._in_step.pop(send)
            self._behind.note_cut(connection, events, sent, cursor)
            blocked.append((connection, problem))
        return blocked
