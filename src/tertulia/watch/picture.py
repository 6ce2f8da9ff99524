"""The path of a message as a picture: the parts of the server, with live figures at each arrow.

Input is figures; output is styled rows. No I/O. Runs on the event loop's thread.
"""

from tertulia.i18n import _
from tertulia.tui.painting.styled_text import Run
from tertulia.watch import numbers
from tertulia.watch.figures import Figures, PathFigures

PICTURE_FROM = 76  # columns; on a narrower screen the arrows are a list
ROWS = 5  # at most
STYLES = ("station", "flow", "idle", "figure", "faint")
_FORK_CELLS = 7  # from the fork behind the Hub to the History
_HISTORY = " History "
_LABELS_FROM = 11  # columns of an arrow with enough room for a word


class _Canvas:
    """Rows of cells, in which later text covers earlier text."""

    def __init__(self, width: int) -> None:
        self._cells = [[(" ", "")] * width for _row in range(ROWS)]
        self._width = width

    def put(self, row: int, column: int, text: str, style: str) -> None:
        for offset, character in enumerate(text):
            if 0 <= column + offset < self._width:
                self._cells[row][column + offset] = (character, style)

    def runs(self) -> list[list[Run]]:
        rows: list[list[Run]] = []
        for cells in self._cells:
            runs: list[Run] = []
            for character, style in cells:
                if runs and runs[-1][1] == style:
                    runs[-1] = (runs[-1][0] + character, style)
                else:
                    runs.append((character, style))
            rows.append(runs)
        return rows


def picture(figures: Figures, width: int, beat: int) -> list[list[Run]]:
    """Return the rows of the picture; `beat` moves the dot on each arrow with traffic."""
    if width < PICTURE_FROM:
        return _listed(figures, width)
    rows = _drawn(figures, width, beat)
    return rows if any(text.strip() for text, _style in rows[0]) else rows[1:]


def _drawn(figures: Figures, width: int, beat: int) -> list[list[Run]]:
    path, room = figures.path, figures.room
    workers = sum(thread.kind == "worker" for thread in figures.threads)
    stations = ["Acceptor", f"Workers ×{workers}", "Hub", "EventLog", _("clients")]
    rates = [path.accepted, path.accepted, path.requests, path.events, path.deliveries]
    labels = [_("connect"), _("handed over"), _("requests"), _("in order"), _("copies")]
    room_for_arrows = width - sum(len(name) + 2 for name in stations)
    canvas, column, fork = _Canvas(width), 0, 0
    for number, (name, rate, label) in enumerate(zip(stations, rates, labels, strict=True)):
        arrow = (number + 1) * room_for_arrows // 5 - number * room_for_arrows // 5
        if arrow >= _LABELS_FROM:
            canvas.put(0, column + (arrow - len(label)) // 2, label, "faint")
        shown = f"{numbers.rate(rate)}/s"
        canvas.put(1, column + max(0, (arrow - len(shown)) // 2), shown, "figure")
        style = "flow" if rate else "idle"
        if name == "EventLog":
            fork = column + 1
            canvas.put(2, column, "━┳" + _arrow(arrow - 2, rate, beat), style)
        else:
            canvas.put(2, column, _arrow(arrow, rate, beat), style)
        column += arrow
        canvas.put(2, column, f" {name} ", "station")
        column += len(name) + 2
    _draw_history(canvas, figures, fork, width, beat)
    if room.slow:
        text = _("{count} do not read").format(count=room.slow)
        canvas.put(3, width - len(text), text, "warning")
    return canvas.runs()


def _draw_history(canvas: _Canvas, figures: Figures, fork: int, width: int, beat: int) -> None:
    path, style = figures.path, "flow" if figures.path.stored else "idle"
    station = fork + _FORK_CELLS
    words = station + len(_HISTORY) + 1
    canvas.put(3, fork, "┃", style)
    canvas.put(4, fork, "┗" + _arrow(_FORK_CELLS - 1, path.stored, beat), style)
    if not figures.room.has_history:
        canvas.put(4, station, _HISTORY, "idle")
        canvas.put(4, words, _("off"), "faint")
        return
    canvas.put(3, fork + 2, f"{numbers.rate(path.stored)}/s", "figure")
    canvas.put(4, station, _HISTORY, "station")
    canvas.put(4, words, _history_words(path, width - words), "faint")


def _history_words(path: PathFigures, room: int) -> str:
    """Return how much waits for the disk, and the age of the last commit, as far as it fits."""
    text = _("queue {count}").format(count=numbers.count(path.history_queue))
    if path.commit_age_s is None:
        return text
    age = numbers.age(path.commit_age_s)
    commit = _("commit {age} ago").format(age=age)
    longer = f"{text} · {commit}"
    return longer if len(longer) <= room else f"{text} · {age}"


def _arrow(length: int, rate: float | None, beat: int) -> str:
    """Return an arrow of `length` cells; a dot moves on it while there is traffic."""
    shaft = ["━"] * max(0, length - 2)
    if rate and shaft:
        shaft[beat % len(shaft)] = "●"
    return "".join(shaft) + "▶ "[: max(0, length)]


def _listed(figures: Figures, width: int) -> list[list[Run]]:
    path = figures.path
    rows = [
        (_("network"), "Acceptor", path.accepted, ""),
        ("Workers", "Hub", path.requests, ""),
        ("Hub", "EventLog", path.events, ""),
        ("EventLog", _("clients"), path.deliveries, numbers.size(path.sent_bytes) + "/s"),
        ("Hub", "History", path.stored, _history_words(path, width - 32)),
    ]
    if not figures.room.has_history:
        rows.pop()
    return [
        [
            (f"{source:>8} ", ""),
            ("━▶ " if rate else "─▶ ", "flow" if rate else "idle"),
            (f"{target:<8}", ""),
            (f"{numbers.rate(rate) + '/s':>9}  ", "figure"),
            (more[: max(0, width - 32)], "faint"),
        ]
        for source, target, rate, more in rows
    ]
