"""The log on stderr, written by a thread of its own.

So that a pipe whose reader has stopped reading, or a slow terminal, holds up no worker.
"""

import contextlib
import logging
import queue
import sys
import threading
import time
from typing import TextIO

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"
_MAX_WAITING = 10_000  # lines; at the bound further ones are dropped, and counted
_MAX_AT_ONCE = 1_000  # lines in one write
_GATHER_S = 0.02


class LogThread(logging.Handler):
    """A log handler that only queues, and the thread that writes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        formatter = logging.Formatter(_FORMAT, _TIME_FORMAT)
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self._stream = stream
        self._queue: queue.Queue[logging.LogRecord | str | None] = queue.Queue(_MAX_WAITING)
        self._dropped = 0  # counted under the handler's lock
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line. Any thread; called under the handler's lock."""
        record.msg, record.args = record.getMessage(), None  # as things are now
        try:
            if self._dropped:
                message = f"log lines dropped={self._dropped}"
                fields = {"msg": message, "levelno": logging.WARNING, "levelname": "WARNING"}
                self._queue.put_nowait(logging.makeLogRecord(fields))
                self._dropped = 0
            self._queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def say(self, text: str) -> None:
        """Queue words for the person at the terminal, between the lines of the log."""
        with contextlib.suppress(queue.Full):  # then nobody reads
            self._queue.put_nowait(text)

    def stop(self, timeout_s: float) -> bool:
        """Write what is queued and end; tell whether it was done in time."""
        give_up_at = time.monotonic() + timeout_s
        try:
            self._queue.put(None, timeout=timeout_s)
        except queue.Full:
            return False
        self._thread.join(max(0.0, give_up_at - time.monotonic()))
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
        return (entry if isinstance(entry, str) else self.format(entry)) + "\n"


def start_logging(level: str) -> LogThread:
    """Write this program's log to stderr from a level on."""
    # No line tells them, and finding out is half of what a line costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = LogThread(sys.stderr)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return handler
