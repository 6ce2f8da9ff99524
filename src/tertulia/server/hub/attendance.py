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

    def begin(self, session: Session, seq: int) -> None:
        """Note a new session; `seq` is the number of its `joined`."""
        visit = Visit(
            key=seq, name=session.name.shown, address=session.address, joined=session.since
        )
        self._here[session.name.key] = visit
        self._changes.append(visit)

    def end(self, session: Session, reason: CloseReason, time: str) -> None:
        """Note the end of a session."""
        visit = self._here.pop(session.name.key)
        self._changes.append(replace(visit, ended=time, reason=str(reason)))

    def pop_changes(self) -> list[Change]:
        """Return the changes since the last call."""
        changes, self._changes = self._changes, []
        return changes
