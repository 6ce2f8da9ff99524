"""The reader's thread: it answers questions from the file, one after the other.

The writer hands them over once all earlier messages are stored. Answers are posted as mail.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import Error
from tertulia.server import refusals
from tertulia.server.history.mail import (
    GetRows,
    Page,
    PageReady,
    PageTicket,
    Rows,
    RowsReady,
    RowsTicket,
)
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.turns import Questions

log = logging.getLogger("tertulia.server")


class Answerer:
    """The thread, its connection to the file, and the questions that wait for it."""

    def __init__(self, path: Path, time_limit_s: float) -> None:
        """A question that takes longer than the time limit is refused."""
        self._path = path
        self._time_limit_s = time_limit_s
        self._reader = MessageReader(path)
        self._lock = threading.Lock()
        self._asked = threading.Condition(self._lock)
        self._questions = Questions()
        self._stopping = False
        self._problem = ""  # of the latest question; only the thread uses it
        self._thread = threading.Thread(target=self._answer_all, name="history-reader", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Interrupt the question under way, drop the others, and close the file. Any thread."""
        with self._lock:
            self._stopping = True
            self._reader.interrupt()  # under the lock: the thread has to take it before it closes
            self._asked.notify()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread; return whether it ended in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def add(self, tickets: Iterable[PageTicket | RowsTicket]) -> None:
        """Put questions behind those that wait. Any thread."""
        with self._lock:
            for ticket in tickets:
                self._questions.add(ticket)
            self._asked.notify()

    def __len__(self) -> int:
        """Return the number of questions that wait. Unlocked."""
        return len(self._questions)

    def _answer_all(self) -> None:
        while True:
            with self._lock:
                while not self._questions and not self._stopping:
                    self._asked.wait()
                if self._stopping:
                    break
                question = self._questions.pop_next()
            if question.is_cancelled:
                continue
            if isinstance(question, RowsTicket):
                rows = self._read_rows(question.request)
                question.owner.post(RowsReady(question.request, rows))
            else:
                _answer(question, self._read(question))
        self._reader.close()

    def _read(self, ticket: PageTicket) -> Page | Error:
        request = ticket.request
        page: Page
        try:
            if isinstance(request, ListAttendance):
                page = self._reader.attendance(request, self._time_limit_s)
            else:
                page = self._reader.page(request, self._time_limit_s)
        except sqlite3.Error as error:
            self._note_problem(str(error))
            return refusals.not_read(request)
        self._note_problem("")
        return page

    def _read_rows(self, request: GetRows) -> Rows | None:
        try:
            rows = self._reader.rows(request, self._time_limit_s)
        except sqlite3.Error as error:
            self._note_problem(str(error))
            return None
        self._note_problem("")
        return rows

    def _note_problem(self, problem: str) -> None:
        """Log a problem, but not for each question that meets the same one; "": there is none."""
        if problem and problem != self._problem:
            log.warning("history not read error=%s path=%s", problem, self._path)
        self._problem = problem


def refuse(ticket: PageTicket | RowsTicket) -> None:
    """Answer that the question cannot be answered now. Any thread."""
    if isinstance(ticket, RowsTicket):
        ticket.owner.post(RowsReady(ticket.request, None))
    else:
        _answer(ticket, refusals.not_read(ticket.request))


def _answer(ticket: PageTicket, page: Page | Error) -> None:
    ticket.owner.post(PageReady(ticket.session_number, page, ticket.is_for_held))
