"""The log on stderr: the thread that logs formats the line, and another thread writes it.

A pipe whose reader has stopped, or a slow terminal, thus delays no worker.

A thousand users who join at once log a thousand lines, so each difference from the standard library
has its figure beside it: how much more CPU time a registration takes without it. This was measured
with `benchmarks/bench.py connect-1000` (48 µs in all; medians of two times ten runs in turns).
"""

import contextlib
import logging
import queue
import sys
import threading
import time
from logging.handlers import QueueHandler, QueueListener
from typing import Any, TextIO

from tertulia.server.log_lines import LEVEL_NAMES, for_journal, is_journal, one_line

_MAX_QUEUED_LINES = 10_000  # At this bound further lines are dropped and counted.
_MAX_LINES_PER_WRITE = 1_000  # Writing each line alone: 4 % more.
_GATHER_S = 0.02  # Between a line and the write, so that more can come. Without: 40 % more.


class _Record(logging.LogRecord):
    """A record with only the attributes that a line shows.

    The standard record also finds out module, thread and process: 7 % more.
    """

    exc_text = stack_info = None

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        *_: object,
    ) -> None:
        self.created = now = time.time()
        self.msecs = int(now % 1 * 1_000)
        self.name, self.levelno = name, level
        self.levelname = LEVEL_NAMES.get(level) or str(level)
        self.msg, self.args, self.exc_info = str(msg), args, exc_info


class _LineFormatter(logging.Formatter):
    """Formats a record as time (UTC), level and message; a traceback follows on lines of its own.

    The date and time are formatted once a second; with the standard formatter: 10 % more. Any
    thread may call.
    """

    def __init__(self, to_journal: bool) -> None:
        super().__init__()
        self._to_journal = to_journal
        self._formatted = -1, ""  # the last second; replaced, so that no lock is needed

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a newline at its end."""
        second, moment = self._formatted
        if second != int(record.created):
            second = int(record.created)
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._formatted = second, moment
        message = record.msg % record.args if record.args else record.msg
        if not message.isprintable():
            message = one_line(message)
        line = f"{moment}.{record.msecs:03.0f}Z {record.levelname} {message}"
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return for_journal(record.levelno, line) if self._to_journal else line


class LineHandler(QueueHandler):
    """Formats each record and queues the line; never waits.

    Not a `queue.Queue`, which has a bound of its own: 10 % more.
    """

    def __init__(self, lines: queue.SimpleQueue[Any], *, to_journal: bool = False) -> None:
        super().__init__(lines)
        self.formatter = formatter = _LineFormatter(to_journal)
        self._line_of = formatter.format
        self._lines = lines
        self._lock = threading.Lock()
        self._dropped = 0  # lines; changed under the lock

    def handle(self, record: logging.LogRecord) -> bool:
        """Queue the line of a record.

        The standard handler asks filters, and locks what needs no lock: 5 % more. An exception is
        not caught, because a log call with wrong arguments is a fault in our code.
        """
        self.enqueue(self._line_of(record))
        return True

    def enqueue(self, record: logging.LogRecord | str) -> None:
        """Queue a line, after one that counts the lines dropped before it; drop it at the bound."""
        if self._lines.qsize() >= _MAX_QUEUED_LINES:
            self._count_dropped()
            return
        if self._dropped:
            self._log_dropped()
        self._lines.put(record)

    def _count_dropped(self) -> None:
        with self._lock:
            self._dropped += 1

    def _log_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        if dropped:  # otherwise another thread has logged the number
            message = f"log lines dropped={dropped}"
            fields = {"msg": message, "levelno": logging.WARNING, "levelname": "WARNING"}
            self._lines.put(self.format(logging.makeLogRecord(fields)))


class LogWriter(QueueListener):
    """The thread that writes the queued lines.

    A stream that is closed or broken loses the lines, but stops neither this thread nor the server.
    """

    def __init__(self, stream: TextIO) -> None:
        # Lines, and QueueListener's sentinel. Bound: LineHandler's; `write_text` adds a few texts.
        self.lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        super().__init__(self.lines)
        self._stream = stream
        self._has_ended = threading.Event()
        self._gathered: list[str] = []  # bound: _MAX_LINES_PER_WRITE

    def write_text(self, text: str) -> None:
        """Queue a text for the person at the terminal; it appears between the lines of the log."""
        self.lines.put(text)

    def stop_within(self, timeout_s: float) -> bool:
        """Write everything that is queued and end the thread; return whether that was in time."""
        self.enqueue_sentinel()
        return self._has_ended.wait(timeout_s)

    # --- called by the thread of QueueListener -------------------------------------------------

    def dequeue(self, block: bool) -> Any:
        """Return the next line; write the gathered lines before waiting for it."""
        if self.lines.empty():
            # QueueListener offers no other public way to name its thread.
            threading.current_thread().name = "log"
            self._write()
            line = self.lines.get(block)
            time.sleep(_GATHER_S)
        else:
            if len(self._gathered) >= _MAX_LINES_PER_WRITE:
                self._write()
            line = self.lines.get(block)
        if not isinstance(line, str):  # QueueListener's sentinel, after which its thread ends
            self._write()
            self._has_ended.set()
        return line

    def handle(self, record: logging.LogRecord | str) -> None:
        """Gather a line."""
        self._gathered.append(f"{record}\n")

    def _write(self) -> None:
        """Write the gathered lines in one piece, so that no other program's text comes between."""
        if not self._gathered:
            return
        with contextlib.suppress(OSError, ValueError):
            self._stream.write("".join(self._gathered))
            self._stream.flush()
        self._gathered.clear()


def start_logging(level: str) -> LogWriter:
    """Begin to write this program's log to stderr, from this level upwards."""
    logging._srcfile = None  # Documented: do not look for the caller, which no line shows.
    logging.setLogRecordFactory(_Record)
    writer = LogWriter(sys.stderr)
    writer.start()
    handler = LineHandler(writer.lines, to_journal=is_journal(sys.stderr))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return writer
