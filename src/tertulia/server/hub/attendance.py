"""Who is here since when, as rows for the attendance. Pure state, no clock.

A part of the Room. It remembers only those who are here: whoever keeps the rows knows the others.
Used under the Hub's lock only.
"""

from msgspec.structs import replace

from tertulia.protocol.messages import CloseReason
from tertulia.server.hub.records import Change, Visit
from tertulia.server.hub.session import Session


class Attendance:
    """The rows of those who are here, and the changes that are not stored yet."""

    def __init__(self) -> None:
        self._here: dict[str, Visit] = {}  # by the names' keys
        self._changes: list[Change] = []

    def resume(self, session: Session, seq: int) -> Visit:
        """Go on with a session that began elsewhere, and return its row."""
        visit = self._here[session.name.key] = _visit_of(session, seq)
        return visit

    def joined_seq(self, session: Session) -> int:
        """Return the number of the `joined` of a session that is here."""
        return self._here[session.name.key].key

    def begin(self, session: Session, seq: int) -> None:
        """Note a new session; `seq` is the number of its `joined`."""
        visit = self._here[session.name.key] = _visit_of(session, seq)
        self._changes.append(visit)

    def end(self, session: Session, reason: CloseReason, time: str) -> None:
        """Note the end of a session."""
        visit = self._here.pop(session.name.key)
        self._changes.append(replace(visit, ended=time, reason=str(reason)))

    def pop_changes(self) -> list[Change]:
        """Return the changes since the last call."""
        changes, self._changes = self._changes, []
        return changes


def _visit_of(session: Session, seq: int) -> Visit:
    return Visit(key=seq, name=session.name.shown, address=session.address, joined=session.since)
