"""The messages about who was here, and who has seen what.

Times are RFC 3339; those that the server sends are in UTC.
"""

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.envelope import AnswerMessage, Count, RequestMessage
from tertulia.protocol.times import parse_time

MAX_ATTENDANCE = 1_000  # sessions in one page


class ListAttendance(RequestMessage, tag="attendance", kw_only=True, frozen=True):
    """Asks for the sessions that began after `since`, and not after `until`."""

    since: str | UnsetType = UNSET
    until: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        for name, time in (("since", self.since), ("until", self.until)):
            if time is not UNSET and parse_time(time) is None:
                raise ValueError(f"'{name}' must be a time such as 2026-11-22T15:04:05Z")


class AttendanceRow(Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """One session. If `left` and `reason` are UNSET, it has not ended."""

    name: str
    address: str
    joined: str
    left: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class AttendancePage(AnswerMessage, tag="attendance", kw_only=True, frozen=True):
    """Sessions in the order in which they began; `more`: there are later ones."""

    sessions: list[AttendanceRow]
    more: bool


class MarkSeen(RequestMessage, tag="seen", kw_only=True, frozen=True):
    """Says that an active screen has shown the person everything up to `seq`; has no answer."""

    seq: Count


class AskSeenBy(RequestMessage, tag="seen_by", kw_only=True, frozen=True):
    """Asks who has seen a message; for its author, and for operators."""

    seq: Count


class SeenBy(AnswerMessage, tag="seen_by", kw_only=True, frozen=True):
    """Names of present users, without the author. `unknown`: their clients do not report it."""

    seq: int
    seen: list[str]
    not_seen: list[str]
    unknown: list[str]
