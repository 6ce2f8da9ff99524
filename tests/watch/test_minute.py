"""The graph shows the last minute, its highest moments too, and where nobody looked."""

from seen import figures

from tertulia.watch.figures import PathFigures
from tertulia.watch.minute import SAMPLES, SERIES, Minute, columns, graph

EVENTS = SERIES[0]


def test_only_the_last_minute_is_kept_and_a_moment_without_a_server_is_a_hole():
    minute = Minute()
    for number in range(SAMPLES):
        minute.add(figures(path=PathFigures(events=float(number))))
    minute.add(None)
    values = minute.values(EVENTS)
    assert len(values) == SAMPLES
    assert values[:2] == [1.0, 2.0]
    assert values[-2:] == [SAMPLES - 1.0, None]


def test_every_series_has_a_value_where_everything_is_known():
    minute = Minute()
    minute.add(figures())
    shown = [series.shown(minute.values(series)[-1]) for series in SERIES]
    assert shown == ["100", "10.0k", "34.1 %", "1128", "1.3 MB"]


def test_a_short_burst_does_not_vanish_in_a_narrow_graph():
    values = [0.0] * SAMPLES
    values[7] = 50.0
    assert columns(values, 10) == [50.0, *[0.0] * 9]


def test_the_newest_sample_is_at_the_right_and_what_was_not_seen_is_empty():
    assert columns([1.0, 2.0], 60)[-2:] == [None, 2.0]
    assert columns([1.0, 2.0], SAMPLES)[-3:] == [None, 1.0, 2.0]
    many = [float(number) for number in range(SAMPLES + 5)]
    assert columns(many, SAMPLES) == many[5:]
    assert columns([1.0] * SAMPLES, 200) == [1.0] * 200, "without holes"


def test_the_scale_is_round_and_fits_everything():
    rows, top = graph([0.0] * 118 + [30.0, 60.0], SAMPLES, 2)
    assert top == 100
    assert [row[-3:] for row in rows] == ["  ▂", "▁▅█"]
    assert [graph([value], 1, 1)[1] for value in (1.0, 1.1, 5.0, 5.1)] == [1, 2, 5, 10]
    assert graph([], 3, 1, 0.01) == (["   "], 0.01)
    assert graph([5.0], 0, 3) == ([], 0.0)
