"""Sends the events of the log to those sessions of one worker that read the same events.

Most sessions are in step: they have got all that the worker has sent, so the worker keeps one
cursor for all of them, and a round costs each of them nothing but its `send`. A session that is
new, or whose socket did not take everything, is behind and has a cursor of its own until it has
caught up. Only the worker's thread uses this.
"""

from collections.abc import Callable
from operator import itemgetter

from tertulia.protocol.messages import Gap, Presence
from tertulia.server.hub.eventlog import EventLog, Slice
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import Form

Late = tuple[Connection, OSError | None]  # a blocked connection, or a broken one with its error


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
        # The keys are the `send` methods: after a pause, every further object that a round touches
        # is a cache miss.
        self._in_step: dict[Callable[[bytes], int], Connection] = {}
        self._behind: dict[Connection, int] = {}  # with their cursors, tried in the next round
        self._blocked: dict[Connection, int] = {}  # tried once their sockets take more
        # Own status changes that still have to be sent. Few sessions have any, and not for long.
        self._own_presence: dict[Connection, list[Presence]] = {}

    def __repr__(self) -> str:
        return (
            f"<Subscribers cursor={self._cursor} in_step={len(self._in_step)} "
            f"behind={len(self._behind)} blocked={len(self._blocked)}>"
        )

    @property
    def has_work(self) -> bool:
        """Whether a flush would have something to send."""
        return bool(self._behind) or self._log.has_news(self._cursor)

    def add(self, connection: Connection, cursor: int) -> None:
        """Let a connection follow the log from a cursor on."""
        if connection.blocked:
            self._blocked[connection] = cursor
        elif self._messages_only and self._log.has_only_people(min(cursor, self._cursor)):
            self._in_step[connection.send] = connection  # the others have nothing that it has not
        else:
            self._behind[connection] = cursor

    def insert(self, connection: Connection, events: list[Presence]) -> int:
        """Send a connection its own status changes, each in its place among the log's events.

        Returns how many of them it has not taken.
        """
        waiting = self._own_presence.setdefault(connection, [])
        waiting += events
        if self._in_step.pop(connection.send, None) is not None:
            self._behind[connection] = self._cursor
        return len(waiting)

    def remove(self, connection: Connection) -> None:
        """Send a connection nothing more."""
        self._in_step.pop(connection.send, None)
        self._behind.pop(connection, None)
        self._blocked.pop(connection, None)
        self._own_presence.pop(connection, None)

    def unsent(self, connection: Connection) -> bytes:
        """Return what a connection has not got yet: about one slice, and a gap for the rest."""
        own = list(self._own_presence.get(connection, ()))
        cursor = self._behind.get(connection, self._blocked.get(connection))
        cursor = self._cursor if cursor is None else cursor
        if not own and self._messages_only and self._log.has_only_people(cursor):
            return b""
        data = bytearray()
        while len(data) < self._slice_bytes:
            events = self._read(cursor, own[0].seq if own else None)
            if isinstance(events, Gap):
                data += self._gap(events)
                cursor = events.through
                own = [event for event in own if event.seq > cursor]
            elif events is not None:
                data += events.data
                cursor = events.through
            elif own:
                event = own.pop(0)
                data += self._one(event)
                cursor = event.seq
            else:
                return bytes(data)
        rest = self._read(cursor)
        if isinstance(rest, Gap) or (rest is not None and rest.data):
            data += self._gap(Gap(after=cursor, through=self._log.last_seq))
        return bytes(data)

    def set_blocked(self, connection: Connection) -> None:
        """Leave a connection alone until `unblock`."""
        if self._in_step.pop(connection.send, None) is not None:
            self._blocked[connection] = self._cursor
        elif connection in self._behind:
            self._blocked[connection] = self._behind.pop(connection)

    def unblock(self, connection: Connection) -> None:
        """Try a connection again in the next round."""
        if connection in self._blocked:
            self._behind[connection] = self._blocked.pop(connection)

    def flush(self) -> list[Late]:
        """Send each connection its new events; return those that could not take them all."""
        late = self._flush_in_step() if self._cursor < self._log.last_seq else []
        if self._behind:
            late += self._flush_behind()
        return late

    def _read(self, cursor: int, before: int | None = None) -> Slice | Gap | None:
        events = self._log.read(
            cursor,
            self._slice_bytes,
            self._encode,
            messages_only=self._messages_only,
            before=before,
        )
        if self._frame is not None and isinstance(events, Slice) and events.data:
            framed = self._frame(events.data)
            return Slice(framed, (framed,), (events.through,), events.through, events.events)
        return events

    def _one(self, event: Presence | Gap) -> bytes:
        data = self._encode(event)
        return data if self._frame is None else self._frame(data)

    def _gap(self, gap: Gap) -> bytes:
        self._observer.on_gap()
        return self._one(gap)

    def _push(self, connection: Connection) -> bool:
        """Send what is for a connection alone; return whether all of it went out."""
        size = len(connection.out)
        if not size:
            return True
        is_through = connection.push()
        self._observer.sent_bytes += size - len(connection.out)
        return is_through

    def _note_sent(self, events: Slice, sent: int) -> None:
        """Count what one connection has taken of a slice; a piece that was cut counts."""
        self._observer.sent_bytes += sent
        if sent == len(events.data) or len(events.pieces) == 1:
            self._observer.deliveries += events.events if sent else 0
            return
        for piece in events.pieces:
            if sent <= 0:
                break
            sent -= len(piece)
            self._observer.deliveries += 1

    def _flush_in_step(self) -> list[Late]:
        if not self._in_step:
            self._cursor = self._log.last_seq
            return []
        cursor = self._cursor
        events = self._read(cursor)
        if isinstance(events, Gap):  # the worker itself was too slow
            self._cursor = events.through
            self._behind |= dict.fromkeys(self._in_step.values(), cursor)
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
            self._note_sent(events, sent)
            rest, self._blocked[connection] = events.after(sent, cursor)
            connection.out += rest
            blocked.append((connection, problem))
        return blocked

    def _flush_behind(self) -> list[Late]:
        late: list[Late] = []
        # In the order of their cursors: connections at the same one get the same bytes object, and
        # only one slice is held at a time, however many connections are slow.
        place, events = None, None
        for connection, cursor in sorted(self._behind.items(), key=itemgetter(1)):
            own = self._own_presence.get(connection)
            before = own[0].seq if own else None
            try:
                is_through = self._push(connection)
                if is_through:
                    if (cursor, before) != place:
                        place = cursor, before
                        events = self._read(cursor, before)
                    is_through = self._catch_up(connection, cursor, events, own)
            except OSError as error:
                late.append((connection, error))
            else:
                if not is_through:
                    late.append((connection, None))
        for connection, _ in late:
            self.set_blocked(connection)
        return late

    def _catch_up(
        self,
        connection: Connection,
        cursor: int,
        events: Slice | Gap | None,
        own: list[Presence] | None,
    ) -> bool:
        """Send a connection what follows its cursor; return whether all of it went out."""
        if isinstance(events, Gap):
            connection.out += self._gap(events)
            self._behind[connection] = events.through
            if own:
                own[:] = [
                    event for event in own if event.seq > events.through
                ]  # the others lie in it
            return self._push(connection)
        if events is not None:
            try:
                sent = connection.send(events.data) if events.data else 0
            except BlockingIOError:
                return False
            self._note_sent(events, sent)
            if sent != len(events.data):
                rest, self._behind[connection] = events.after(sent, cursor)
                connection.out += rest
                return False
            cursor = events.through
        elif own:
            event = own.pop(0)
            connection.out += self._one(event)
            cursor = event.seq
            if not self._push(connection):
                self._behind[connection] = cursor
                return False
        last_seq = self._log.last_seq
        if not own and cursor >= last_seq and self._cursor >= last_seq:
            if own is not None:
                del self._own_presence[connection]
            del self._behind[connection]
            self._in_step[connection.send] = connection
        else:
            self._behind[connection] = cursor
        return True
