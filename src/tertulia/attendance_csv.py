"""The attendance as CSV, for spreadsheets: the same lines for all programs, and for the page.

Pure. Times are local, with their offset from UTC. No cell can become a formula.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import UNSET, UnsetType

from tertulia.protocol.attendance import AttendanceRow
from tertulia.safetext import visible_in_a_line

_COLUMNS = ("name", "address", "joined", "left", "reason")
# A spreadsheet calculates a cell that begins with one of these, perhaps after blanks. After an
# apostrophe it is text.
_FORMULA = ("=", "+", "-", "@")


def csv_lines(rows: Iterable[AttendanceRow]) -> Iterator[str]:
    """Yield the header and a line for each session, with their newlines."""
    yield csv_header()
    yield from map(csv_line, rows)


def csv_header() -> str:
    """Return the names of the columns, with a newline."""
    return _line(_COLUMNS)


def csv_line(row: AttendanceRow) -> str:
    """Return a session, with a newline."""
    reason = "" if row.reason is UNSET else row.reason
    return _line((row.name, row.address, _local(row.joined), _local(row.left), reason))


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_as_text, cells))
    return line.getvalue()


def _as_text(cell: str) -> str:
    cell = visible_in_a_line(cell)
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell


def _local(time: str | UnsetType) -> str:
    if time is UNSET:
        return ""
    try:
        return datetime.fromisoformat(time).astimezone().isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return time
