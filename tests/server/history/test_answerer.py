"""The reader's thread: what it answers, what it passes over, and how it ends."""

import sqlite3
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
from stored_messages import message

from tertulia.protocol.attendance import AttendancePage, ListAttendance
from tertulia.protocol.messages import Error, ErrorCode, GetHistory, HistoryPage, Search
from tertulia.server.history.answerer import Answerer, refuse
from tertulia.server.history.mail import GetRows, PageReady, PageTicket, RowsReady, RowsTicket
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.records import Visit

WAIT_S = 20.0
NOW = "2026-11-22T15:00:00.000Z"
ROWS = GetRows(of="messages", after=0, through=2)


class Owner:
    """A worker's stand-in, which keeps the mail that it gets."""

    def __init__(self) -> None:
        self._mail: Queue[Any] = Queue()

    def post(self, mail: object) -> bool:
        self._mail.put(mail)
        return True

    def next(self) -> Any:
        return self._mail.get(timeout=WAIT_S)

    def has_mail(self) -> bool:
        return not self._mail.empty()


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def answerer(store, path) -> Iterator[Answerer]:
    """A reader of a file with three messages, whose thread does not run yet."""
    store.add([message(seq) for seq in (1, 2, 3)])
    answerer = Answerer(path, 2.0)
    yield answerer
    if answerer._thread.is_alive():
        answerer.stop()
        assert answerer.join(WAIT_S)


def test_a_page_goes_to_the_session_that_asked_for_it(answerer, owner):
    answerer.start()
    answerer.add([PageTicket(GetHistory(id=5), owner, 17, is_for_held=True)])
    ready = owner.next()
    assert isinstance(ready, PageReady)
    assert (ready.session_number, ready.is_for_held) == (17, True)
    assert isinstance(ready.page, HistoryPage)
    assert (ready.page.id, [each.seq for each in ready.page.messages]) == (5, [1, 2, 3])


def test_the_attendance_is_a_page_of_its_own_kind(answerer, owner):
    answerer.start()
    answerer.add([PageTicket(ListAttendance(id=6), owner, 17)])
    assert isinstance(owner.next().page, AttendancePage)


def test_rows_go_to_the_peer_that_asked_for_them(answerer, owner):
    answerer.start()
    answerer.add([RowsTicket(ROWS, owner)])
    ready = owner.next()
    assert isinstance(ready, RowsReady)
    assert (ready.request, [each.seq for each in ready.rows.messages]) == (ROWS, [1, 2])


def test_questions_wait_until_the_thread_runs_and_cancelled_ones_are_passed_over(answerer, owner):
    cancelled = PageTicket(GetHistory(id=1), owner, 17)
    answerer.add([cancelled, PageTicket(GetHistory(id=2), owner, 17)])
    assert len(answerer) == 2
    cancelled.is_cancelled = True
    answerer.start()
    assert owner.next().page.id == 2
    assert len(answerer) == 0
    assert not owner.has_mail()


def test_a_question_that_comes_later_wakes_the_thread(answerer, owner):
    answerer.start()
    for request_id in range(3):
        answerer.add([PageTicket(GetHistory(id=request_id), owner, 17)])
        assert owner.next().page.id == request_id


def test_what_cannot_be_read_is_refused_and_the_thread_goes_on(tmp_path, owner, caplog):
    path = tmp_path / "history.db"
    answerer = Answerer(path, 2.0)
    answerer.start()
    answerer.add([PageTicket(ListAttendance(id=7), owner, 17), RowsTicket(ROWS, owner)])
    refused, rows = owner.next(), owner.next()
    assert isinstance(refused.page, Error)
    assert (refused.page.code, refused.page.id) == (ErrorCode.UNAVAILABLE, 7)
    assert rows == RowsReady(ROWS, None)
    line = f"history not read error=unable to open database file path={path}"
    assert [record.getMessage() for record in caplog.records] == [line]
    MessageStore(path, block=1_000).close()
    answerer.add([PageTicket(GetHistory(id=8), owner, 17)])
    assert owner.next().page == HistoryPage(id=8, messages=[], more=False)
    answerer.stop()
    assert answerer.join(WAIT_S)


def test_a_problem_is_logged_again_when_it_is_another_one_or_comes_back(
    answerer, owner, caplog, monkeypatch
):
    def fail(problem: str) -> None:
        raise sqlite3.OperationalError(problem)

    answerer.start()
    for problem in ("disk on fire", "disk on fire", "interrupted", "", "interrupted"):
        with monkeypatch.context() as broken:
            if problem:
                broken.setattr(answerer._reader, "page", lambda *_, why=problem: fail(why))
                broken.setattr(answerer._reader, "rows", lambda *_, why=problem: fail(why))
            for question in (PageTicket(GetHistory(), owner, 17), RowsTicket(ROWS, owner)):
                answerer.add([question])
                owner.next()
    problems = [record.getMessage().split()[3:-1] for record in caplog.records]
    assert problems == [["error=disk", "on", "fire"], ["error=interrupted"], ["error=interrupted"]]


def test_a_question_that_takes_longer_than_the_limit_is_refused(store, path, owner):
    visits = [Visit(key=key, name="ana", address="10.0.0.1", joined=NOW) for key in range(200)]
    store.add([message(seq) for seq in range(200)], visits)
    answerer = Answerer(path, -1.0)
    answerer.start()
    for request in (GetHistory(limit=200), ListAttendance()):
        answerer.add([PageTicket(request, owner, 17)])
        assert owner.next().page.code == ErrorCode.UNAVAILABLE
    request = GetRows(of="messages", after=0, through=200)
    answerer.add([RowsTicket(request, owner)])
    assert owner.next() == RowsReady(request, None)
    answerer.stop()
    assert answerer.join(WAIT_S)


def test_a_stop_drops_the_questions_that_wait_and_closes_the_file(answerer, owner):
    db = answerer._reader._connection()
    answerer.add([PageTicket(GetHistory(), owner, 17)])
    answerer.stop()
    answerer.start()
    assert answerer.join(WAIT_S)
    assert not owner.has_mail()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_a_stop_wakes_the_thread_that_waits_for_questions(answerer, owner):
    answerer.start()
    answerer.add([PageTicket(GetHistory(), owner, 17)])
    owner.next()
    assert not answerer.join(0.0)
    answerer.stop()
    assert answerer.join(WAIT_S)


def test_a_stop_ends_the_query_under_way(answerer, owner, monkeypatch):
    db, is_reading = answerer._reader._connection(), threading.Event()
    db.create_function("note", 0, is_reading.set)
    rows = "WITH RECURSIVE row(n) AS (SELECT note() UNION ALL SELECT note() FROM row)"
    endless = f"{rows} SELECT count(*) FROM row"
    monkeypatch.setattr(answerer._reader, "page", lambda *_: db.execute(endless).fetchall())
    answerer.start()
    answerer.add([PageTicket(GetHistory(), owner, 17)])
    assert is_reading.wait(WAIT_S)
    answerer.stop()
    assert answerer.join(WAIT_S)


def test_a_reader_that_ends_at_once_does_not_disturb_the_stop(answerer, monkeypatch):
    interrupt = answerer._reader.interrupt

    def interrupt_late() -> None:
        # If the reader could end before, it would have by then.
        answerer.join(0.3)
        interrupt()

    monkeypatch.setattr(answerer._reader, "interrupt", interrupt_late)
    answerer._reader._connection()
    answerer.start()
    answerer.stop()
    assert answerer.join(WAIT_S)


def test_a_question_that_cannot_be_asked_now_is_refused(owner):
    refuse(PageTicket(Search(id=3, text="hola"), owner, 17, is_for_held=True))
    ready = owner.next()
    assert (ready.session_number, ready.is_for_held) == (17, True)
    assert (ready.page.code, ready.page.id) == (ErrorCode.UNAVAILABLE, 3)
    refuse(RowsTicket(ROWS, owner))
    assert owner.next() == RowsReady(ROWS, None)
