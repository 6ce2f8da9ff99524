"""The small panes: what they show in which width, and what they leave out."""

import msgspec
import pytest
from seen import figures

from tertulia.i18n import set_language
from tertulia.watch.figures import PathFigures, ProcessFigures, RoomFigures
from tertulia.watch.minute import SERIES, Minute
from tertulia.watch.panels import STYLES, last_minute, processes, room

EVENTS, CPU = SERIES[0], SERIES[2]


def texts(rows):
    return ["".join(text for text, _style in row) for row in rows]


def room_rows(width=40, *, path=None, **more):
    """Return the pane of the users, of a server that is not busy."""
    quiet = RoomFigures(log_bytes=8_100_000, has_history=False)
    changed = {"room": msgspec.structs.replace(quiet, **more)}
    if path is not None:
        changed["path"] = path
    return room(figures(**changed), width)


def test_wide_processes_are_a_table_with_a_row_for_each_and_one_for_the_restarts():
    assert texts(processes(figures(parent=True), 42)) == [
        "           PID          up     CPU   memory threads",
        "parent    4700 1 d 2:29:13   0.1 %  21.3 MB       1",
        "child     4711     1:12:33  38.2 %  58.3 MB      10",
        "restarts of the child: 2",
    ]


def test_a_server_without_a_parent_has_no_restarts():
    rows = processes(figures(), 42)
    assert [row[:6].strip() for row in texts(rows)] == ["", "server"]
    assert [row[0][1] for row in rows] == ["faint", "label"]


def test_narrow_processes_have_two_short_rows_for_each():
    assert texts(processes(figures(parent=True), 41)) == [
        "parent 4700  1 d 2:29:13",
        "  0.1 %  21.3 MB  ↻ 2",
        "child 4711  1:12:33",
        "  38.2 %  58.3 MB",
    ]


def test_a_parent_that_never_restarted_its_child_shows_zero():
    seen = figures(processes=[ProcessFigures("parent", 7, restarts=0)])
    assert texts(processes(seen, 41))[1] == "  ?  ?  ↻ 0"
    assert texts(processes(seen, 42))[-1] == "restarts of the child: 0"


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_titles_of_the_processes_stand_above_their_columns(lang):
    set_language(lang)
    server = msgspec.structs.replace(figures().processes[0], pid=4_194_304)
    heading, row = texts(processes(figures(processes=[server]), 51))
    assert len(row) == len(heading) <= 51
    assert row.split()[1] == "4194304"


def test_the_last_minute_shows_the_newest_value_and_the_top_of_the_scale():
    minute = Minute()
    minute.add(figures(path=PathFigures(events=30.0)))
    minute.add(figures(path=PathFigures(events=3.0)))
    rows = last_minute(minute, EVENTS, 60, 3)
    assert texts(rows)[0] == "3 events/s".ljust(54) + "top 50"
    assert len(rows) == 3
    assert {style for row in rows[1:] for _text, style in row} == {"graph"}
    assert [row.strip() for row in texts(rows)[1:]] == ["▂", "█"]


def test_the_scale_is_left_out_where_it_has_no_room():
    minute = Minute()
    minute.add(figures(path=PathFigures(events=3.0)))
    assert texts(last_minute(minute, EVENTS, 16, 3))[0] == "3 events/s top 5"
    assert texts(last_minute(minute, EVENTS, 15, 3))[0] == "3 events/s"


def test_before_the_first_look_the_last_minute_is_unknown_and_the_scale_has_its_least_end():
    assert texts(last_minute(Minute(), CPU, 20, 2)) == ["? CPU      top 1.0 %", " " * 20]


@pytest.mark.parametrize("height", [0, 1, 2])
def test_a_low_graph_has_one_row_below_its_heading(height):
    assert len(last_minute(Minute(), EVENTS, 20, height)) == 2


def test_the_users_are_counted_by_status_with_their_names_if_there_is_room():
    statuses = {"ACTIVO": 80, "INACTIVO": 8}
    assert texts(room_rows(34, statuses=statuses))[0] == "● 80 ACTIVO ◐ 0 OCUPADO ○ 8 INACTIVO = 88"
    assert texts(room_rows(33, statuses=statuses))[0] == "● 80 ◐ 0 ○ 8 = 88"


def test_the_doors_stand_closer_together_where_there_is_little_room():
    doors = {"native": 70, "tls": 12}
    assert texts(room_rows(26, doors=doors))[1] == "native 70  web 0  tls 12"
    assert texts(room_rows(25, doors=doors))[1] == "native 70 web 0 tls 12"


def test_doors_for_programs_are_shown_only_if_somebody_is_there():
    doors = {"native": 70, "hook": 2, "console": 0, "entrance": 1}
    assert texts(room_rows(doors=doors))[-1] == "hook 2  entrance 1"
    assert texts(room_rows(doors={"native": 70, "console": 0}))[-1] == "History off"


@pytest.mark.parametrize(("slow", "style"), [(4, "warning"), (0, "figure"), (None, "figure")])
def test_slow_connections_are_a_warning(slow, style):
    rows = room_rows(unregistered=3, slow=slow)
    shown = "?" if slow is None else slow
    assert texts(rows)[2] == f"not in yet 3  slow {shown}"
    assert rows[2][-1][1] == style


def test_the_bytes_of_the_log_are_compared_with_their_limit_if_there_is_one():
    assert texts(room_rows(log_most_bytes=8_388_608))[3] == "EventLog 8.1 MB / 8.4 MB"
    assert texts(room_rows(log_most_bytes=None))[3] == "EventLog 8.1 MB"


def test_a_history_shows_its_size_and_the_age_of_its_last_commit_if_there_was_one():
    kept = {"has_history": True, "history_bytes": 12_400_000}
    fresh = room_rows(path=PathFigures(commit_age_s=0.0), **kept)
    assert texts(fresh)[4:] == ["History 12.4 MB", "commit 0.0 s ago"]
    assert texts(room_rows(path=PathFigures(commit_age_s=None), **kept))[4:] == ["History 12.4 MB"]


def test_every_style_of_the_panes_has_a_colour():
    seen, minute = figures(parent=True), Minute()
    minute.add(seen)
    rows = [*processes(seen, 40), *processes(seen, 60), *last_minute(minute, EVENTS, 30, 5)]
    rows += room(seen, 40)
    assert {style for row in rows for _text, style in row} - {""} == set(STYLES)
