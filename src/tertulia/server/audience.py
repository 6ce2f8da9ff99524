"""A worker's sessions that follow one event log, and the sending of its events to them.

Most are in step: they have got all that the worker has sent, so the worker keeps one cursor for
all of them, and a round costs each of them nothing but its `send`. A session that is new, or whose
socket did not take everything, is behind and has a cursor of its own until it has caught up.

The worker's thread alone touches it.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Gap
from tertulia.server.connection import Connection
from tertulia.server.eventlog import EventLog, Stretch


class Audience:
    """The connections of one worker that follow one event log."""

    def __init__(self, log: EventLog, stretch_bytes: int) -> None:
        self._log = log
        self._stretch_bytes = stretch_bytes
        self._cursor = log.last_seq
        self._in_step: dict[Connection, Callable[[bytes], int]] = {}
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
        if self._in_step.pop(connection, None) is not None:
            self.add(connection, self._cursor)

    def remove(self, connection: Connection) -> None:
        """Send it no more events."""
        self._in_step.pop(connection, None)
        self._behind.pop(connection, None)
        self._blocked.discard(connection)

    def take_rest(self, connection: Connection) -> bytes:
        """Take, for a connection that is about to leave, the events it has not got yet."""
        cursor = self._cursor if connection in self._in_step else connection.cursor
        rest = self._log.take(cursor, self._stretch_bytes)
        return rest.data if isinstance(rest, Stretch) else encode(rest) if rest else b""

    def set_blocked(self, connection: Connection) -> None:
        """Leave a connection alone until `unblock`."""
        if self._in_step.pop(connection, None) is not None:
            connection.cursor = self._cursor
        self._behind.pop(connection, None)
        self._blocked.add(connection)

    def unblock(self, connection: Connection) -> None:
        """Try a connection again in the next round."""
        if connection in self._blocked:
            self._blocked.remove(connection)
            self._behind[connection] = None

    def flush(self, now: float) -> Iterator[tuple[Connection, OSError | None]]:
        """Send every connection what it has not got.

        Yields those that their worker has to care for: broken ones with their error, and blocked
        ones.
        """
        yield from self._flush_in_step(now)
        yield from self._flush_behind(now)

    def _flush_in_step(self, now: float) -> Iterator[tuple[Connection, OSError | None]]:
        stretch = self._log.take(self._cursor, self._stretch_bytes)
        if stretch is None:
            return
        late: list[tuple[Connection, int | OSError]] = []
        if isinstance(stretch, Gap):  # the worker itself was too slow
            late = [(connection, 0) for connection in self._in_step]
        else:
            data, size = stretch.data, len(stretch.data)
            for connection, send in self._in_step.items():
                try:
                    sent = send(data)
                except BlockingIOError:
                    late.append((connection, 0))
                except OSError as error:
                    late.append((connection, error))
                else:
                    if sent != size:
                        late.append((connection, sent))
        cursor = self._cursor
        self._cursor = stretch.through if isinstance(stretch, Gap) else stretch.seqs[-1]
        for connection, sent_or_error in late:
            del self._in_step[connection]
            connection.cursor = cursor
            connection.progress_at = now
            if isinstance(stretch, Gap):
                self._behind[connection] = None
            elif isinstance(sent_or_error, OSError):
                self._blocked.add(connection)
                yield connection, sent_or_error
            else:
                connection.note_sent(stretch, sent_or_error)
                self._blocked.add(connection)
                yield connection, None

    def _flush_behind(self, now: float) -> Iterator[tuple[Connection, OSError | None]]:
        # By cursor, so that those at the same one get the same bytes, and no more than one piece
        # is held at a time however many are slow.
        place, rest = None, None
        for connection in sorted(self._behind, key=attrgetter("cursor")):
            try:
                went_out = connection.push(now)
                if went_out:
                    before = connection.own_events[0][0] if connection.own_events else None
                    if (connection.cursor, before) != place:
                        place = connection.cursor, before
                        rest = self._log.take(connection.cursor, self._stretch_bytes, before)
                    went_out = self._catch_up(connection, rest, now)
            except OSError as error:
                self.set_blocked(connection)
                yield connection, error
                continue
            if not went_out:
                self.set_blocked(connection)
                yield connection, None

    def _catch_up(self, connection: Connection, rest: Stretch | Gap | None, now: float) -> bool:
        own_events = connection.own_events
        if isinstance(rest, Gap):
            connection.out += encode(rest)
            connection.cursor = rest.through
            while own_events and own_events[0][0] <= rest.through:
                own_events.popleft()
            return connection.push(now)
        if rest is not None:
            if not connection.push_stretch(rest, now):
                return False
        elif own_events:
            connection.cursor, line = own_events.popleft()
            connection.out += line
            if not connection.push(now):
                return False
        last_seq = self._log.last_seq
        if not own_events and connection.cursor >= last_seq and self._cursor >= last_seq:
            del self._behind[connection]
            self._in_step[connection] = connection.send
        return True
