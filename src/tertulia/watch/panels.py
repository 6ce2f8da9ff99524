"""The small panes: processes, the last minute, and present users.

Input is figures; output is styled rows. No I/O. Runs on the event loop's thread.
"""

from tertulia.i18n import _
from tertulia.protocol.messages import Status
from tertulia.tui.painting.styled_text import Run
from tertulia.watch import numbers, words
from tertulia.watch.figures import Figures, ProcessFigures
from tertulia.watch.minute import Minute, Series, graph

STYLES = (
    *("label", "figure", "faint", "warning", "graph"),
    *(f"status-{status.lower()}" for status in Status),
)
_STATUS_SIGNS = {Status.ACTIVO: "●", Status.OCUPADO: "◐", Status.INACTIVO: "○"}
_WIDE_PROCESSES_FROM = 42  # columns
_WIDE_ROOM_FROM = 26
_DOORS = ("native", "web", "tls")
_OTHER_DOORS = ("hook", "console", "entrance")  # shown in the last row, if there are any

Rows = list[list[Run]]


def processes(figures: Figures, width: int) -> Rows:
    """Return a table of the processes: a row for each, or a few short ones for each."""
    if width < _WIDE_PROCESSES_FROM:
        return [row for process in figures.processes for row in _in_two_rows(process)]
    titles = ("", "PID", _("up"), "CPU", _("memory"), _("threads"))
    names = [words.process(process.role) for process in figures.processes]
    cells = (max([7, *(len(name) + 1 for name in names)]), 7, 11, 7, 8, 0)
    heading = "".join(
        f"{title:<{width_}}" if not number else f"{title:>{width_}} "
        for number, (title, width_) in enumerate(zip(titles, cells, strict=True))
    )
    rows: Rows = [[(heading.rstrip(), "faint")]]
    for name, process in zip(names, figures.processes, strict=True):
        values = (
            str(process.pid),
            numbers.span(process.uptime_s),
            numbers.share(process.cpu),
            numbers.size(process.memory_bytes),
            numbers.count(process.threads),
        )
        cells_of_values = (*cells[1:-1], len(_("threads")))
        line = "".join(
            f"{value:>{width_}} " for value, width_ in zip(values, cells_of_values, strict=True)
        )
        rows.append([(f"{name:<{cells[0]}}", "label"), (line.rstrip(), "figure")])
    rows += [[(text, "faint")] for text in _restarts(figures)]
    return rows


def _in_two_rows(process: ProcessFigures) -> Rows:
    name = f"{words.process(process.role)} "
    first = f"{process.pid}  {numbers.span(process.uptime_s)}"
    second = f"{numbers.share(process.cpu)}  {numbers.size(process.memory_bytes)}"
    if process.restarts is not None:
        second += f"  ↻ {process.restarts}"
    return [[(name, "label"), (first, "figure")], [("  ", ""), (second, "figure")]]


def _restarts(figures: Figures) -> list[str]:
    text = _("restarts of the child: {count}")
    known = [process.restarts for process in figures.processes if process.restarts is not None]
    return [text.format(count=count) for count in known]


def last_minute(minute: Minute, series: Series, width: int, height: int) -> Rows:
    """Return the graph of one series, with its scale in the first row."""
    values = minute.values(series)
    now = values[-1] if values else None
    lines, top = graph(values, width, max(1, height - 1), series.least)
    shown, most = series.shown(now), series.shown(top)
    head: list[Run] = [(f"{shown} ", "figure"), (_(series.title), "faint")]
    scale = _("top {figure}").format(figure=most)
    gap = width - sum(len(text) for text, _style in head) - len(scale)
    if gap > 0:
        head += [(" " * gap + scale, "faint")]
    return [head, *([(line, "graph")] for line in lines)]


def room(figures: Figures, width: int) -> Rows:
    """Return the present users and connections, and the data waiting in memory and on disk."""
    here = figures.room
    statuses: list[Run] = []
    for status in Status:
        count = numbers.count(here.statuses.get(status, 0))
        style = f"status-{status.lower()}"
        statuses += [(f"{_STATUS_SIGNS[status]} ", style), (f"{count} ", "figure")]
        if width >= 34:
            statuses.append((f"{status} ", "faint"))
    statuses.append((f"= {numbers.count(sum(here.statuses.values()))}", "faint"))
    rows: Rows = [statuses]
    gap = "  " if width >= _WIDE_ROOM_FROM else " "
    rows.append(_pairs([(name, numbers.count(here.doors.get(name, 0))) for name in _DOORS], gap))
    waiting = _pairs([(_("not in yet"), numbers.count(here.unregistered))])
    words_for_slow, slow = _("slow"), "warning" if here.slow else "figure"
    rows.append([*waiting, (f"  {words_for_slow} ", "faint"), (numbers.count(here.slow), slow)])
    kept = numbers.size(here.log_bytes)
    if here.log_most_bytes is not None:
        kept += " / " + numbers.size(here.log_most_bytes)
    rows.append([("EventLog ", "faint"), (kept, "figure")])
    if here.has_history:
        rows.append([("History ", "faint"), (numbers.size(here.history_bytes), "figure")])
        age = figures.path.commit_age_s
        if age is not None:
            rows.append([(_("commit {age} ago").format(age=numbers.age(age)), "faint")])
    else:
        rows.append([("History ", "faint"), (_("off"), "figure")])
    others = [(name, here.doors[name]) for name in _OTHER_DOORS if here.doors.get(name)]
    if others:
        rows.append(_pairs([(name, numbers.count(count)) for name, count in others]))
    return rows


def _pairs(pairs: list[tuple[str, str]], gap: str = "  ") -> list[Run]:
    runs: list[Run] = []
    for number, (name, value) in enumerate(pairs):
        runs += [((gap if number else "") + f"{name} ", "faint"), (value, "figure")]
    return runs
