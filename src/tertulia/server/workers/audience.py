"""A worker's sessions that want the same events of the log, and the sending of these to them.

Most are in step: they have got all that the worker has sent, so the worker keeps one cursor for
all of them, and a round costs each of them nothing but its `send`. A session that is new, or whose
socket did not take everything, is behind and has a cursor of its own until it has caught up.

The worker's thread alone touches it.
"""

from collections.abc import Callable
from operator import attrgetter

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Gap
from tertulia.server.hub.eventlog import EventLog, Stretch
from tertulia.server.workers.connection import Connection


class Audience:
    """The connections of one worker that follow the log: all of it, or its messages alone."""

    def __init__(self, log: EventLog, stretch_bytes: int, *, messages_only: bool) -> None:
        self._log = log
        self._stretch_bytes = stretch_bytes
        self._messages_only = messages_only
        self._cursor = log.last_seq
        # By what sends to them: after a pause each thing more that a round touches is a cache miss.
        self._in_step: dict[Callable[[bytes], int], Connection] = {}
        self._behind: dict[Connection, None] = {}  # to be tried in the next round
        self._blocked: set[Connection] = set()  # to be tried once their sockets take more

    def __repr__(self) -> str:
        return (
            f"<Audience cursor={self._cursor} in_step={len(self._in_step)} "
            f"behind={len(self._behind)} blocked={len(self._blocked)}>"
        )

    @property
    def has_work(self) -> bool:
        """Tell whether a round would have something to send."""
        return bool(self._behind) or self._log.has_news(self._cursor)

    def add(self, connection: Connection, cursor: int) -> None:
        """Let a connection follow the log from a cursor on."""
        connection.cursor = cursor
        self._behind[connection] = None

    def insert(self, connection: Connection, seq: int, line: bytes) -> None:
        """Send a connection an event for it alone, in its place among the log's."""
        connection.own_events.append((seq, line))
        if self._in_step.pop(connection.send, None) is not None:
            self.add(connection, self._cursor)

    def remove(self, connection: Connection) -> None:
        """Send it no more events."""
        self._in_step.pop(connection.send, None)
        self._behind.pop(connection, None)
        self._blocked.discard(connection)

    def take_rest(self, connection: Connection) -> bytes:
        """Take, for a connection that is about to leave, the events it has not got yet."""
        cursor = self._cursor if connection.send in self._in_step else connection.cursor
        rest = self._take(cursor)
        return rest.data if isinstance(rest, Stretch) else encode(rest) if rest else b""

    def set_blocked(self, connection: Connection) -> None:
        """Leave a connection alone until `unblock`."""
        if self._in_step.pop(connection.send, None) is not None:
            connection.cursor = self._cursor
        self._behind.pop(connection, None)
        self._blocked.add(connection)

    def unblock(self, connection: Connection) -> None:
        """Try a connection again in the next round."""
        if connection in self._blocked:
            self._blocked.remove(connection)
            self._behind[connection] = None

    def flush(self) -> list[tuple[Connection, OSError | None]]:
        """Send every connection what it has not got.

        Returns those that their worker has to care for: broken ones with their error, and blocked
        ones.
        """
        late = self._flush_in_step() if self._cursor < self._log.last_seq else []
        if self._behind:
            late += self._flush_behind()
        return late

    def _take(self, cursor: int, before: int | None = None) -> Stretch | Gap | None:
        return self._log.take(
            cursor, self._stretch_bytes, messages_only=self._messages_only, before=before
        )

    def _flush_in_step(self) -> list[tuple[Connection, OSError | None]]:
        if not self._in_step:
            self._cursor = self._log.last_seq
            return []
        stretch = self._take(self._cursor)
        cursor = self._cursor
        if isinstance(stretch, Gap):  # the worker itself was too slow
            self._cursor = stretch.through
            for connection in self._in_step.values():
                self.add(connection, cursor)
            self._in_step.clear()
            return []
        if stretch is None or not stretch.data:
            self._cursor = stretch.through if stretch else cursor
            return []
        late: list[tuple[Callable[[bytes], int], int, OSError | None]] = []
        data, size = stretch.data, len(stretch.data)
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
        self._cursor = stretch.through
        to_care_for: list[tuple[Connection, OSError | None]] = []
        for send, sent, problem in late:
            connection = self._in_step.pop(send)
            connection.cursor = cursor
            connection.note_sent(stretch, sent)
            self._blocked.add(connection)
            to_care_for.append((connection, problem))
        return to_care_for

    def _flush_behind(self) -> list[tuple[Connection, OSError | None]]:
        late: list[tuple[Connection, OSError | None]] = []
        # By cursor, so that those at the same one get the same bytes, and no more than one piece
        # is held at a time however many are slow.
        place, rest = None, None
        for connection in sorted(self._behind, key=attrgetter("cursor")):
            try:
                went_out = not connection.out or connection.push()
                if went_out:
                    before = connection.own_events[0][0] if connection.own_events else None
                    if (connection.cursor, before) != place:
                        place = connection.cursor, before
                        rest = self._take(connection.cursor, before)
                    went_out = self._catch_up(connection, rest)
            except OSError as error:
                late.append((connection, error))
            else:
                if not went_out:
                    late.append((connection, None))
        for connection, _ in late:
            self.set_blocked(connection)
        return late

    def _catch_up(self, connection: Connection, rest: Stretch | Gap | None) -> bool:
        own_events = connection.own_events
        if isinstance(rest, Gap):
            connection.out += encode(rest)
            connection.cursor = rest.through
            while own_events and own_events[0][0] <= rest.through:
                del own_events[0]
            return connection.push()
        if rest is not None:
            if not connection.push_stretch(rest):
                return False
        elif own_events:
            connection.cursor, line = own_events.pop(0)
            connection.out += line
            if not connection.push():
                return False
        last_seq = self._log.last_seq
        if not own_events and connection.cursor >= last_seq and self._cursor >= last_seq:
            del self._behind[connection]
            self._in_step[connection.send] = connection
        return True
