"""A few figures over the last minute, and their graph.

No I/O. Runs on the event loop's thread.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tertulia.i18n import N_
from tertulia.watch import numbers
from tertulia.watch.figures import Figures

SAMPLES = 120  # a minute, twice a second
_LEVELS = " ▁▂▃▄▅▆▇█"


class Series(NamedTuple):
    """One figure that the graph can show; `title` is a msgid.

    `least` is the lowest value for the upper end of the scale.
    """

    title: str
    value: Callable[[Figures], float | None]
    shown: Callable[[float | None], str]
    least: float = 1.0


SERIES = (
    Series(N_("events/s"), lambda now: now.path.events, numbers.rate),
    Series(N_("deliveries/s"), lambda now: now.path.deliveries, numbers.rate),
    Series(N_("CPU"), lambda now: now.cpu, numbers.share, 0.01),
    Series(N_("context switches/s"), lambda now: now.switches, numbers.rate),
    Series(N_("bytes sent/s"), lambda now: now.path.sent_bytes, numbers.size),
)


class Minute:
    """The samples of the last minute, of all series. While there is no server, there is a gap."""

    def __init__(self) -> None:
        self._samples: deque[Figures | None] = deque(maxlen=SAMPLES)

    def add(self, figures: Figures | None) -> None:
        """Add the present figures; None adds a gap."""
        self._samples.append(figures)

    def values(self, series: Series) -> list[float | None]:
        """Return the samples of a series, the newest last."""
        return [None if now is None else series.value(now) for now in self._samples]


def columns(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return one value for each column, the newest in the last; each is the highest of its samples.

    The highest value is used so that a short burst stays visible on a narrow screen.
    """
    padded = [None] * (SAMPLES - len(values)) + list(values[-SAMPLES:])
    found: list[float | None] = []
    for column in range(width):
        first, end = column * SAMPLES // width, (column + 1) * SAMPLES // width
        known = [value for value in padded[first : max(end, first + 1)] if value is not None]
        found.append(max(known, default=None))
    return found


def graph(
    values: Sequence[float | None], width: int, height: int, least: float = 1.0
) -> tuple[list[str], float]:
    """Return the rows of a graph, the highest first, and the value at its upper edge."""
    if width <= 0 or height <= 0:
        return [], 0.0
    points = columns(values, width)
    top = _round_up(max((point for point in points if point is not None), default=0.0), least)
    steps = len(_LEVELS) - 1
    rows = []
    for row in range(height - 1, -1, -1):
        line = ""
        for point in points:
            level = 0 if point is None else round(point / top * height * steps) - row * steps
            if row == 0 and point is not None:
                level = max(1, level)  # the value is zero, but it is known
            line += _LEVELS[max(0, min(steps, level))]
        rows.append(line)
    return rows, top


def _round_up(value: float, step: float) -> float:
    """Return a round number that is not less, so that the scale seldom changes."""
    while True:
        for factor in (1, 2, 5):
            if value <= step * factor:
                return step * factor
        step *= 10
