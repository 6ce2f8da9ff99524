"""What the person has had on the screen: when it is reported, and how seldom."""

from chat_table import Table
from plain_table import Clock, said

from tertulia.chat.seen_reports import SeenReports


def test_that_there_will_be_reports_is_told_at_once_and_then_the_newest_at_most_every_2_s() -> None:
    reports = SeenReports(reports=True)
    assert reports.pop_due(100.0) == 0
    assert reports.wake_at is None
    assert reports.note(7)
    assert not reports.note(5)
    assert reports.pop_due(100.5) == 7
    assert reports.note(8)
    assert reports.note(9)
    assert reports.pop_due(102.4) is None
    assert reports.wake_at == 102.5
    assert reports.pop_due(102.5) == 9
    assert reports.pop_due(200.0) is None
    reports.begin()
    assert reports.pop_due(200.0) == 0


def test_a_face_that_cannot_know_reports_nothing() -> None:
    reports = SeenReports(reports=False)
    assert not reports.note(7)
    assert (reports.wake_at, reports.pop_due(100.0)) == (None, None)


def test_each_session_learns_anew_what_was_seen(clock: Clock) -> None:
    table = Table(clock, reports_seen=True)
    table.enter()
    assert table.client.marks == [0]
    table.turn(said(11, "hola"))
    assert table.chat.note_seen()
    assert not table.chat.note_seen()
    table.turn()
    table.turn(said(12, "hola"))
    table.chat.note_seen()
    table.turn()
    assert table.client.marks == [0, 11]
    assert table.chat.wake_at is not None
    clock.now = table.chat.wake_at
    table.turn()
    assert table.client.marks == [0, 11, 12]
    table.lose()
    table.attempt(type(table.client)(12))
    assert table.client.marks == [0]
    assert table.chat.note_seen()
    table.turn()
    assert table.client.marks == [0, 12]
