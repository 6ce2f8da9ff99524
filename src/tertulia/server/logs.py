"""The log on stderr, written by a thread of its own.

So that a pipe whose reader has stopped reading, or a slow terminal, holds up no worker.
"""

import contextlib
import logging
import queue
import sys
import threading
import time
from typing import Any, TextIO

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
_FORMATTER = logging.Formatter()  # of tracebacks
_MAX_WAITING = 10_000  # lines; at the bound further ones are dropped, and counted
_MAX_AT_ONCE = 1_000  # lines in one write
_GATHER_S = 0.02


class _Line(logging.LogRecord):
    """A record of what a line tells: to find out the rest is most of what a record costs."""

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
        self.name, self.levelno, self.levelname = name, level, logging.getLevelName(level)
        self.msg, self.args = str(msg), args
        self.exc_info, self.exc_text, self.stack_info = exc_info, None, None


class LogThread(logging.Handler):
    """A log handler that only queues, and the thread that writes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        # Bound: _MAX_WAITING lines, and a few words of the main thread's.
        self._queue: queue.SimpleQueue[logging.LogRecord | str | None] = queue.SimpleQueue()
        self._dropped = 0  # counted under the handler's lock
        self._second, self._stamp = -1, ""  # how the last second was written
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line. Any thread; called under the handler's lock."""
        if self._queue.qsize() >= _MAX_WAITING:
            self._dropped += 1
            return
        record.msg, record.args = record.getMessage(), None  # as things are now
        if self._dropped:
            message = f"log lines dropped={self._dropped}"
            fields = {"msg": message, "levelno": logging.WARNING, "levelname": "WARNING"}
            self._queue.put(logging.makeLogRecord(fields))
            self._dropped = 0
        self._queue.put(record)

    def say(self, text: str) -> None:
        """Queue words for the person at the terminal, between the lines of the log."""
        self._queue.put(text)

    def stop(self, timeout_s: float) -> bool:
        """Write what is queued and end; tell whether it was done in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _write_all(self) -> None:
        entries: list[logging.LogRecord | str | None] = []
        while None not in entries:
            entries = [self._queue.get()]
            # One wake-up and one write for all that happens together: where many come and go, a
            # write for each would take the workers' time.
            time.sleep(_GATHER_S)
            with contextlib.suppress(queue.Empty):
                while len(entries) < _MAX_AT_ONCE and entries[-1] is not None:
                    entries.append(self._queue.get_nowait())
            lines = [self._as_line(entry) for entry in entries if entry is not None]
            # A stream that is closed or broken is nothing to stop serving for.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write("".join(lines))
                self._stream.flush()

    def _as_line(self, entry: logging.LogRecord | str) -> str:
        if isinstance(entry, str):
            return f"{entry}\n"
        second = int(entry.created)
        if second != self._second:  # once for all that happens in it
            self._second = second
            self._stamp = time.strftime(_TIME_FORMAT, time.gmtime(second))
        text = f"{self._stamp}.{entry.msecs:03.0f}Z {entry.levelname} {entry.getMessage()}\n"
        if entry.exc_info:
            text += f"{_FORMATTER.formatException(entry.exc_info)}\n"
        return text


def start_logging(level: str) -> LogThread:
    """Write this program's log to stderr from a level on."""
    # No line tells them, and finding out is half of what a line costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.setLogRecordFactory(_Line)
    handler = LogThread(sys.stderr)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return handler
