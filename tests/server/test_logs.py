"""The log: whole lines in order, and nobody waits for who does not read it."""

import logging
import os
import threading

import pytest

from tertulia.server.logs import LogThread


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelname": "INFO", "levelno": logging.INFO})


@pytest.fixture
def pipe():
    read_end, write_end = os.pipe()
    with open(read_end, encoding="utf-8") as reader, open(write_end, "w", encoding="utf-8") as out:
        yield reader, out


def test_lines_are_written_in_order_and_with_their_time(pipe):
    reader, out = pipe
    log = LogThread(out)
    for number in range(100):
        log.handle(record(f"line {number}"))
    assert log.stop(20)
    out.close()
    lines = reader.read().splitlines()
    assert [line.split("Z INFO ")[1] for line in lines] == [f"line {n}" for n in range(100)]


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_what_is_dropped_is_counted(pipe):
    reader, out = pipe
    log = LogThread(out)
    for _ in range(30_000):
        log.handle(record("x" * 80))
    assert not log.stop(0.1)
    got: list[str] = []
    reading = threading.Thread(target=lambda: got.extend(reader))
    reading.start()
    while not log.stop(20):
        pass
    log.handle(record("end"))
    out.close()
    reading.join(20)
    assert 10_000 <= len(got) < 30_000


def test_after_dropping_it_says_how_many(pipe):
    reader, out = pipe
    log = LogThread(out)
    log._dropped = 7
    log.handle(record("next"))
    assert log.stop(20)
    out.close()
    assert [line.split("Z ")[1] for line in reader] == [
        "WARNING log lines dropped=7\n",
        "INFO next\n",
    ]
