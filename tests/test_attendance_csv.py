"""The attendance as CSV: local times, and nothing that a spreadsheet would work out."""

import csv
import io
import time

import pytest

from tertulia.attendance_csv import csv_lines
from tertulia.protocol.attendance import AttendanceRow

JOINED = "2026-11-22T15:04:05.123Z"


@pytest.fixture(autouse=True)
def madrid(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def table(*rows):
    return list(csv.reader(io.StringIO("".join(csv_lines(rows)), newline="")))


def test_a_line_for_each_session_in_local_time():
    rows = table(
        AttendanceRow(name="José", address="10.0.0.7", joined=JOINED),
        AttendanceRow(name="ana", address="::1", joined=JOINED, left=JOINED, reason="quit"),
    )
    assert rows == [
        ["name", "address", "joined", "left", "reason"],
        ["José", "10.0.0.7", "2026-11-22T16:04:05+01:00", "", ""],
        ["ana", "::1", "2026-11-22T16:04:05+01:00", "2026-11-22T16:04:05+01:00", "quit"],
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(cell):
    row = table(AttendanceRow(name=cell, address=cell, joined=cell, left=cell, reason=cell))[1]
    assert row == [f"'{cell}"] * 5


def test_commas_quotes_and_control_characters_stay_in_their_cell():
    row = AttendanceRow(name='a,"b"', address="\r\n=\t", joined=JOINED)
    assert table(row)[1][:2] == ['a,"b"', "␍␊=␉"]
