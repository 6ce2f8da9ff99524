"""The log: whole lines in order, a bound, and no wait for a reader that has stopped."""

import io
import logging
import os
import queue
import threading

import pytest

from tertulia.server.logs import LineHandler, LogWriter


def record(text: str, **fields) -> logging.LogRecord:
    level = {"levelname": "INFO", "levelno": logging.INFO}
    return logging.makeLogRecord({"msg": text, **level, **fields})


class Stream(io.StringIO):
    """Keeps what is written and in which pieces; the first write can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.writers: list[str] = []  # the name of the thread that wrote each piece
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.pieces.append(text)
        self.writers.append(threading.current_thread().name)
        return super().write(text)


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def writer(stream):
    return LogWriter(stream)


@pytest.fixture
def lines():
    return queue.SimpleQueue()


@pytest.fixture
def handler(lines):
    return LineHandler(lines)


@pytest.fixture
def pipe():
    read_end, write_end = os.pipe()
    with open(read_end, encoding="utf-8") as reader, open(write_end, "w", encoding="utf-8") as out:
        yield reader, out


# --- a line --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "msecs", "stamp"),
    [
        (0.25, 250, "1970-01-01T00:00:00.250Z"),
        (1_795_699_777.007, 7, "2026-11-26T13:29:37.007Z"),
        (1_795_699_777.999, 999, "2026-11-26T13:29:37.999Z"),
    ],
)
def test_a_line_has_time_in_utc_level_and_message(handler, created, msecs, stamp):
    assert handler.format(record("hola", created=created, msecs=msecs)) == f"{stamp} INFO hola"


def test_each_second_has_its_own_time(handler):
    times = [handler.format(record("x", created=s, msecs=0))[:19] for s in (59, 60, 60, 59)]
    assert [time[-5:] for time in times] == ["00:59", "01:00", "01:00", "00:59"]


def test_a_traceback_follows_its_line(handler):
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        info = (type(error), error, error.__traceback__)
    line, *traceback = handler.format(record("failed", exc_info=info)).splitlines()
    assert line.endswith(" INFO failed")
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ZeroDivisionError: division by zero"


def test_one_event_is_one_line(handler):
    line = handler.format(record("error=%s", args=("disk\nimage",)))
    assert line.endswith(r"Z INFO error=disk\nimage")


def test_for_the_journal_a_line_and_its_traceback_have_their_priority(lines):
    handler = LineHandler(lines, to_journal=True)
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        info = (type(error), error, error.__traceback__)
    fields = {"levelname": "ERROR", "levelno": logging.ERROR}
    text = handler.format(record("hola", **fields, exc_info=info)).splitlines()
    assert len(text) > 2
    assert all(line.startswith("<3>") for line in text)
    assert text[0].endswith("Z ERROR hola")


def test_a_line_says_how_things_were_when_it_was_logged(handler, lines):
    names = ["ana"]
    handler.handle(record("names=%s", args=(names,)))
    names.append("luis")
    assert lines.get_nowait().endswith("names=['ana']")


def test_a_log_call_with_wrong_arguments_fails_where_it_is_made(handler):
    with pytest.raises(TypeError):
        handler.handle(record("%d", args=("no number",)))


# --- the bound -----------------------------------------------------------------------------------


def test_at_the_bound_lines_are_dropped_and_counted(handler, lines):
    for number in range(10_003):
        handler.handle(record(f"line {number}"))
    assert lines.qsize() == 10_000
    assert [lines.get_nowait() for _ in range(10_000)][-1].endswith(" INFO line 9999")
    handler.handle(record("next"))
    handler.handle(record("and the next"))
    told = [lines.get_nowait().split("Z ")[1] for _ in range(3)]
    assert told == ["WARNING log lines dropped=3", "INFO next", "INFO and the next"]
    assert lines.empty()


# --- writing -------------------------------------------------------------------------------------


def test_lines_and_words_for_the_person_are_written_in_order(stream, writer):
    handler = LineHandler(writer.lines)
    writer.start()
    for number in range(100):
        handler.handle(record(f"line {number}"))
        writer.write_text(f"words {number}\nand more")
    assert writer.stop_within(20)
    written = [line.split("Z INFO ")[-1] for line in stream.getvalue().splitlines()]
    assert written[:3] == ["line 0", "words 0", "and more"]
    assert written[::3] == [f"line {number}" for number in range(100)]
    assert written[1::3] == [f"words {number}" for number in range(100)]


def test_the_thread_that_writes_is_named_log(stream, writer):
    writer.start()
    writer.write_text("words")
    assert writer.stop_within(20)
    assert stream.writers == ["log"]


def test_lines_that_wait_are_written_together_a_thousand_at_a_time(stream, writer):
    for number in range(2_500):
        writer.write_text(str(number))
    writer.start()
    assert writer.stop_within(20)
    assert [piece.count("\n") for piece in stream.pieces] == [1_000, 1_000, 500]
    assert all(piece.endswith("\n") for piece in stream.pieces)
    assert stream.getvalue().split() == [str(number) for number in range(2_500)]


def test_a_pipe_that_nobody_reads_delays_nobody_and_its_lines_come_later(pipe):
    reader, out = pipe
    writer = LogWriter(out)
    handler = LineHandler(writer.lines)
    writer.start()
    for _ in range(30_000):
        handler.handle(record("x" * 80))
    writer.write_text("end")
    assert not writer.stop_within(0.1)
    written = list(iter(reader.readline, "end\n"))
    assert 10_000 <= len(written) < 30_000
    assert writer.stop_within(20)


@pytest.mark.parametrize("error", [BrokenPipeError("nobody reads"), ValueError("closed")])
def test_a_write_that_fails_loses_its_lines_and_no_others(stream, writer, error):
    stream.error = error
    for number in range(1_001):
        writer.write_text(str(number))
    writer.start()
    assert writer.stop_within(20)
    assert stream.getvalue() == "1000\n"
