"""Keeps track of who has seen which message, from clients' reports, and answers questions about it.

It is a part of the Hub, which passes in its lock and its parts. Any thread may call. There is at
most one mark for each session. Nothing is stored on disk.
"""

import threading

from tertulia.protocol.attendance import AskSeenBy, MarkSeen, SeenBy
from tertulia.protocol.messages import Error, StoredMessage
from tertulia.protocol.names import parse_name
from tertulia.server import refusals
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.registry import Registry
from tertulia.server.hub.session import SeenMark, Session
from tertulia.server.hub.wait import Wait

_COUNTS_EVERY_S = 2.0  # at most one report of a session counts in this time


class Seen:
    """The marks of the connected users. `now` is in seconds of the monotonic clock."""

    def __init__(
        self,
        lock: threading.Lock,
        registry: Registry,
        events: EventLog,
        activity: Activity,
        *,
        has_history: bool,
    ) -> None:
        """`activity` is told of each question that is not refused, under the lock."""
        self._lock = lock
        self._registry = registry
        self._events = events
        self._activity = activity
        self.has_history = has_history

    def note(self, session: Session, request: MarkSeen, now: float) -> bool:
        """Note a report; return whether it counts now.

        A report that comes too soon after another one counts later.
        """
        with self._lock:
            mark = session.seen_mark
            if mark is None:
                mark = session.seen_mark = SeenMark()
            mark.latest = max(mark.latest, min(request.seq, self._events.last_seq))
            return _count(mark, now)

    def ask(self, session: Session, request: AskSeenBy, now: float) -> SeenBy | Error | Wait | None:
        """Return who has seen a message; None if there is nothing to answer.

        With Wait.FOR_MESSAGE, find the message in the history and call `found`.
        """
        with self._lock:
            if not session.may_act:
                return None
            message = self._events.message(request.seq)
            if message is None:
                return Wait.FOR_MESSAGE if self.has_history else refusals.no_message(request)
            return self._answer(session, request, message.sender, now)

    def found(
        self, session: Session, request: AskSeenBy, message: StoredMessage | None, now: float
    ) -> SeenBy | Error | None:
        """Answer a question about a message for which the history has looked."""
        if message is None:
            return refusals.no_message(request)
        with self._lock:
            if not session.may_act:
                return None
            return self._answer(session, request, message.sender, now)

    def _answer(
        self, session: Session, request: AskSeenBy, author: str, now: float
    ) -> SeenBy | Error:
        name = parse_name(author)
        author_key = "" if name is None else name.key
        if not session.is_operator and session.name.key != author_key:
            return refusals.not_author(request)
        self._activity.note_reading(session)
        seen: list[str] = []
        not_seen: list[str] = []
        unknown: list[str] = []
        for user in self._registry:
            mark = user.seen_mark
            if user.name.key == author_key:
                continue
            if mark is None:
                unknown.append(user.name.shown)
                continue
            _count(mark, now)
            (seen if mark.counted >= request.seq else not_seen).append(user.name.shown)
        return SeenBy(id=request.id, seq=request.seq, seen=seen, not_seen=not_seen, unknown=unknown)


def _count(mark: SeenMark, now: float) -> bool:
    """Let the latest report count, if it is higher and the last one counted long enough ago."""
    if mark.latest <= mark.counted or now < mark.counts_again_at:
        return False
    mark.counted = mark.latest
    mark.counts_again_at = now + _COUNTS_EVERY_S
    return True
