"""A worker's sessions that are not in step: each has a cursor of its own until it has caught up.

They are new, or their socket did not take everything, or their own status changes have to be put
in the right places. Only the worker's thread uses this.
"""

from operator import itemgetter

from tertulia.protocol.messages import Gap, Presence
from tertulia.server.hub.eventlog import EventLog, Slice
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.door import Form

Late = tuple[Connection, OSError | None]  # a blocked connection, or a broken one with its error


class Behind:
    """The connections that follow the log in one form, each from its own cursor.

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
        self._encode, self._frame, _ = form
        self._slice_bytes = slice_bytes
        self._observer = observer
        self._messages_only = messages_only
        self.ready: dict[Connection, int] = {}  # with their cursors, tried in the next round
        self._blocked: dict[Connection, int] = {}  # tried once their sockets take more
        # Own status changes that still have to be sent. Few sessions have any, and not for long.
        self._own_presence: dict[Connection, list[Presence]] = {}

    def __repr__(self) -> str:
        return f"<Behind ready={len(self.ready)} blocked={len(self._blocked)}>"

    def add(self, connection: Connection, cursor: int) -> None:
        """Let a connection follow the log from a cursor on."""
        (self._blocked if connection.blocked else self.ready)[connection] = cursor

    def insert(self, connection: Connection, events: list[Presence]) -> int:
        """Send a connection its own status changes; return how many of them it has not taken.

        The connection also has to be added with `add`.
        """
        waiting = self._own_presence.setdefault(connection, [])
        waiting += events
        return len(waiting)

    def remove(self, connection: Connection) -> None:
        """Send a connection nothing more."""
        self.ready.pop(connection, None)
        self._blocked.pop(connection, None)
        self._own_presence.pop(connection, None)

    def set_blocked(self, connection: Connection) -> None:
        """Leave a connection alone until `unblock`."""
        if connection in self.ready:
            self._blocked[connection] = self.ready.pop(connection)

    def block(self, connection: Connection, cursor: int) -> None:
        """Leave a connection alone until `unblock`; then it continues from a cursor."""
        self._blocked[connection] = cursor

    def unblock(self, connection: Connection) -> None:
        """Try a connection again in the next round."""
        if connection in self._blocked:
            self.ready[connection] = self._blocked.pop(connection)

    def unsent(self, connection: Connection, in_step: int) -> bytes:
        """Return what a connection has not been sent: about one slice, and a gap for the rest.

        `in_step` is the cursor that counts if it has none of its own.
        """
        own = list(self._own_presence.get(connection, ()))
        cursor = self.ready.get(connection, self._blocked.get(connection, in_step))
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
                data += self._encode_one(event)
                cursor = event.seq
            else:
                return bytes(data)
        rest = self._read(cursor)
        if isinstance(rest, Gap) or (rest is not None and rest.data):
            data += self._gap(Gap(after=cursor, through=self._log.last_seq))
        return bytes(data)

    def flush(self, in_step: int) -> tuple[list[Late], list[Connection]]:
        """Send each connection the events after its cursor.

        Returns the connections that could not take all of it, and those that have everything up to
        `in_step`, the end of the log. The latter do not need a cursor of their own any more.
        """
        late: list[Late] = []
        caught_up: list[Connection] = []
        # In the order of their cursors: connections at the same one get the same bytes object, and
        # only one slice is held at a time, however many connections are slow.
        place, events = None, None
        for connection, cursor in sorted(self.ready.items(), key=itemgetter(1)):
            own = self._own_presence.get(connection)
            before = own[0].seq if own else None
            try:
                is_through = self._flush_private(connection)
                if is_through:
                    if (cursor, before) != place:
                        place = cursor, before
                        events = self._read(cursor, before)
                    is_through = self._send(connection, cursor, events, own)
            except OSError as error:
                late.append((connection, error))
            else:
                if not is_through:
                    late.append((connection, None))
                elif not own and self.ready[connection] >= self._log.last_seq <= in_step:
                    if own is not None:
                        del self._own_presence[connection]
                    del self.ready[connection]
                    caught_up.append(connection)
        for connection, _ in late:
            self.set_blocked(connection)
        return late, caught_up

    def _send(
        self,
        connection: Connection,
        cursor: int,
        events: Slice | Gap | None,
        own: list[Presence] | None,
    ) -> bool:
        """Send a connection the events after its cursor; return whether all of it went out."""
        if isinstance(events, Gap):
            connection.out += self._gap(events)
            self.ready[connection] = events.through
            if own:  # those up to the end of the gap are a part of it
                own[:] = [event for event in own if event.seq > events.through]
            return self._flush_private(connection)
        if events is not None:
            try:
                sent = connection.send(events.data) if events.data else 0
            except BlockingIOError:
                return False
            self._note_sent(events, sent)
            if sent != len(events.data):
                rest, self.ready[connection] = events.after(sent, cursor)
                connection.out += rest
                return False
            cursor = events.through
        elif own:
            event = own.pop(0)
            connection.out += self._encode_one(event)
            cursor = event.seq
        self.ready[connection] = cursor
        return self._flush_private(connection)

    def _read(self, cursor: int, before: int | None = None) -> Slice | Gap | None:
        events = self._log.read(
            cursor,
            self._slice_bytes,
            self._encode,
            messages_only=self._messages_only,
            before=before,
        )
        return self.framed(events)

    def framed(self, events: Slice | Gap | None) -> Slice | Gap | None:
        """Return the bytes of a slice in this form."""
        if self._frame is not None and isinstance(events, Slice) and events.data:
            framed = self._frame(events.data)
            return Slice(framed, (framed,), (events.through,), events.through, events.events)
        return events

    def _encode_one(self, event: Presence | Gap) -> bytes:
        data = self._encode(event)
        return data if self._frame is None else self._frame(data)

    def _gap(self, gap: Gap) -> bytes:
        self._observer.on_gap()
        return self._encode_one(gap)

    def _flush_private(self, connection: Connection) -> bool:
        """Send a connection's private output; return whether all of it went out."""
        size = len(connection.out)
        if not size:
            return True
        is_through = connection.flush_out()
        self._observer.sent_bytes += size - len(connection.out)
        return is_through

    def note_cut(self, connection: Connection, events: Slice, sent: int, cursor: int) -> None:
        """Note that a connection in step has taken part of a slice; the rest waits for it.

        `cursor` is the one before the slice.
        """
        self._note_sent(events, sent)
        rest, self._blocked[connection] = events.after(sent, cursor)
        connection.out += rest

    def _note_sent(self, events: Slice, sent: int) -> None:
        """Count the events of a slice that a connection has taken, including one that was cut."""
        self._observer.sent_bytes += sent
        if sent == len(events.data) or len(events.pieces) == 1:
            self._observer.deliveries += events.events if sent else 0
            return
        for piece in events.pieces:
            if sent <= 0:
                break
            sent -= len(piece)
            self._observer.deliveries += 1
