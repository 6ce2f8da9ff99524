"""Writing to a standard stream: everything to a reader, and no wait for one that has stopped."""

import os
import threading

import pytest

from tertulia.server.streams import write_within

WAIT_S = 20.0
MUCH = "x" * 300_000 + "\n"  # more than a pipe holds


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as reader, open(writing, "w", encoding="utf-8") as stream:
        yield reader, stream


def test_a_reader_gets_all_of_it(pipe):
    reader, stream = pipe
    got = []
    thread = threading.Thread(target=lambda: got.append(reader.readline()))
    thread.start()
    write_within(WAIT_S, stream, MUCH)
    thread.join(WAIT_S)
    assert got == [MUCH]


def test_what_a_reader_that_has_stopped_leaves_is_dropped(pipe):
    reader, stream = pipe
    write_within(0.01, stream, MUCH)
    stream.close()
    read = reader.read()
    assert 0 < len(read) < len(MUCH)


def test_a_reader_that_has_gone_is_no_error(pipe):
    reader, stream = pipe
    reader.close()
    write_within(WAIT_S, stream, MUCH)


def test_what_the_encoding_does_not_have_is_written_as_an_escape():
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "w", encoding="ascii") as stream:
        write_within(WAIT_S, stream, "año \udcff\n")
        assert reader.readline() == rb"a\xf1o \udcff" + b"\n"
