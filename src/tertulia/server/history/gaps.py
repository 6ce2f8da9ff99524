"""Gaps: ranges of numbers whose rows a cluster's node has never had in its file. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import MAX_INT, GetHistory, HistoryPage, Search
from tertulia.server.history.mail import Page, PageRequest
from tertulia.server.hub.records import Change, MissingMessages, MissingVisits, Removed


class Gap(NamedTuple):
    """The numbers above `after`, up to `through`."""

    after: int
    through: int


Gaps = tuple[Gap, ...]  # in ascending order, with numbers between them


def united(gaps: Gaps, new: Gap) -> Gaps:
    """Return the gaps with another one, which may overlap with them."""
    after, through = new
    apart = []
    for gap in gaps:
        if gap.through < after or through < gap.after:
            apart.append(gap)
        else:
            after, through = min(after, gap.after), max(through, gap.through)
    return tuple(sorted([*apart, Gap(after, through)])) if after < through else gaps


def without(gaps: Gaps, filled: Gap) -> Gaps:
    """Return what is left of the gaps when a range is filled."""
    if filled.after >= filled.through:
        return gaps
    left = []
    for gap in gaps:
        left.append(Gap(gap.after, min(gap.through, filled.after)))
        left.append(Gap(max(gap.after, filled.through), gap.through))
    return tuple(gap for gap in left if gap.after < gap.through)


def first_whole(gaps: Gaps, wanted: Gap) -> Gap | None:
    """Return the first of the wanted ranges without a gap; None if there is none."""
    after, through = wanted
    for gap in gaps:
        if gap.through <= after or gap.after >= through:
            continue
        if gap.after > after:
            through = gap.after
            break
        after = gap.through
    return Gap(after, through) if after < through else None


def touches(messages: Gaps, visits: Gaps, request: PageRequest) -> bool:
    """Return whether the answer to a request may need rows that are in a gap."""
    if isinstance(request, ListAttendance):
        return bool(visits)
    return _overlaps(messages, _wanted(request))


def is_whole(messages: Gaps, visits: Gaps, request: PageRequest, page: Page) -> bool:
    """Return whether no row of a page is in a gap.

    A page with `more` covers only the numbers from one end of the request to its last message.
    """
    if not touches(messages, visits, request):
        return True
    if isinstance(request, ListAttendance) or not isinstance(page, HistoryPage):
        return False
    if not page.more or not page.messages:
        return False
    after, through = _wanted(request)
    if isinstance(request, GetHistory) and request.after is not UNSET:
        through = page.messages[-1].seq
    else:
        after = page.messages[0].seq - 1
    return not _overlaps(messages, Gap(after, through))


def _wanted(request: GetHistory | Search) -> Gap:
    """Return the range of numbers that a request asks for."""
    after = -1
    if isinstance(request, GetHistory) and request.after is not UNSET:
        after = request.after
    before = request.before if request.before is not UNSET else MAX_INT
    return Gap(after, before - 1)


def _overlaps(gaps: Gaps, wanted: Gap) -> bool:
    return any(max(gap.after, wanted.after) < min(gap.through, wanted.through) for gap in gaps)


def changes_between(
    kind: type[MissingMessages] | type[MissingVisits], old: Gaps, new: Gaps
) -> list[Change]:
    """Return the changes to the file's rows of gaps."""
    kept = {gap.after for gap in new}
    removed = [Removed(kind, gap.after) for gap in old if gap.after not in kept]
    put = [kind(key=gap.after, through=gap.through) for gap in new if gap not in old]
    return [*removed, *put]


def gaps_of(rows: Iterable[MissingMessages | MissingVisits]) -> Gaps:
    """Return the gaps from the file's rows, which are in ascending order."""
    return tuple(Gap(row.key, row.through) for row in rows)
