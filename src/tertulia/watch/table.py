"""The threads as a table: its columns, its order, and its rows.

No I/O. Runs on the event loop's thread.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tertulia.i18n import N_, _
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.widgets.rowlist import Row
from tertulia.watch import numbers, words
from tertulia.watch.figures import ThreadFigures, Waiting

STYLES = ("name", "faint", "figure", *(what.name.lower() for what in Waiting))
_NAME_CELLS = 14
_MIN_ROLE_CELLS, _MAX_ROLE_CELLS = 24, 30
_FIRST = ("main", "acceptor", "worker")  # in the order in which they handle a message


class Column(NamedTuple):
    """A column of figures; `title` is a msgid. It is shown if the table has the width `least`."""

    title: str
    cells: int
    least: int
    shown: Callable[[ThreadFigures], str]


COLUMNS = (
    Column("TID", 7, 84, lambda thread: str(thread.tid)),
    Column("CPU", 7, 0, lambda thread: numbers.share(thread.cpu)),
    Column(N_("vol/s"), 5, 0, lambda thread: numbers.rate(thread.voluntary)),
    Column(N_("inv/s"), 5, 0, lambda thread: numbers.rate(thread.involuntary)),
    Column(N_("conn"), 4, 0, lambda thread: _own(thread.connections)),
    Column(N_("req/s"), 5, 66, lambda thread: _own_rate(thread.requests)),
    Column(N_("ev/s"), 5, 72, lambda thread: _own_rate(thread.events)),
    Column(N_("queue"), 5, 0, lambda thread: _own(thread.queue)),
)


class Order(NamedTuple):
    """An order of the table; `title` is a msgid. Rows with the largest key come first."""

    title: str
    key: Callable[[ThreadFigures], float]


ORDERS = (
    Order(N_("by kind"), lambda _thread: 0.0),
    Order(N_("by CPU"), lambda thread: thread.cpu or 0.0),
    Order(
        N_("by context switches"),
        lambda thread: (thread.voluntary or 0.0) + (thread.involuntary or 0.0),
    ),
    Order(N_("by connections"), lambda thread: thread.connections or 0),
    Order(N_("by requests"), lambda thread: thread.requests or 0.0),
    Order(N_("by queue"), lambda thread: thread.queue or 0),
)


def ordered(threads: Sequence[ThreadFigures], order: Order) -> list[ThreadFigures]:
    """Return the threads in an order; equal ones are sorted by kind and number."""
    return sorted(threads, key=lambda thread: (-order.key(thread), *_by_kind(thread)))


def _by_kind(thread: ThreadFigures) -> tuple[int, str, int]:
    kind = thread.kind
    place = _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
    number = thread.name.rpartition("-")[2]
    return place, kind, int(number) if number.isdecimal() else 0


def columns_in(width: int) -> list[Column]:
    """Return the columns that fit into a table of this width."""
    return [column for column in COLUMNS if width >= column.least]


def heading(width: int) -> list[Run]:
    """Return the line above the rows."""
    cells = [_("thread").ljust(_NAME_CELLS), _("waits for").ljust(_waiting_cells())]
    if role_cells := _role_cells(width):
        cells.insert(1, _("what for").ljust(role_cells))
    cells += [_(column.title).rjust(column.cells) for column in columns_in(width)]
    return [(" ".join(cells), "faint")]


def rows(threads: Sequence[ThreadFigures], width: int) -> list[Row]:
    """Return a row for each thread."""
    columns, role_cells, waiting_cells = columns_in(width), _role_cells(width), _waiting_cells()
    found = []
    for thread in threads:
        runs: list[Run] = [(f"{thread.name[:_NAME_CELLS]:<{_NAME_CELLS}} ", "name")]
        if role_cells:
            role = words.role(thread.kind)[:role_cells]
            runs.append((f"{role:<{role_cells}} ", "faint"))
        waiting = thread.waiting
        runs.append((f"{words.waiting(waiting):<{waiting_cells}}", waiting.name.lower()))
        figures = (f" {column.shown(thread):>{column.cells}}" for column in columns)
        runs.append(("".join(figures), "figure"))
        found.append(Row(str(thread.tid), runs))
    return found


def _waiting_cells() -> int:
    names = [words.waiting(what) for what in Waiting]
    return max(map(len, [*names, _("waits for")]))


def _role_cells(width: int) -> int:
    taken = _NAME_CELLS + 1 + _waiting_cells() + 1
    taken += sum(column.cells + 1 for column in columns_in(width))
    free = width - taken - 1
    return min(free, _MAX_ROLE_CELLS) if free >= _MIN_ROLE_CELLS else 0


def _own(value: int | None) -> str:
    """Return a count; an empty text for a thread without this figure."""
    return "" if value is None else numbers.count(value)


def _own_rate(value: float | None) -> str:
    return "" if value is None else numbers.rate(value)
