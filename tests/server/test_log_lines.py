"""A line of the log: its form, its escapes, and its priority in systemd's journal."""

import io
import os
from pathlib import Path

import pytest

from tertulia.server.log_lines import (
    CRITICAL,
    DEBUG,
    ERROR,
    INFO,
    WARNING,
    for_journal,
    is_journal,
    log_line,
    one_line,
)


def test_the_journal_is_the_stream_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
        assert not is_journal(one)
        found = os.fstat(one.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert (is_journal(one), is_journal(two), is_journal(io.StringIO())) == (True, False, False)


def test_a_closed_stream_is_no_journal(tmp_path: Path) -> None:
    with (tmp_path / "one").open("w") as closed:
        pass
    assert not is_journal(closed)
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, closefd=False) as gone:
        os.close(reading)
        assert not is_journal(gone)


@pytest.mark.parametrize(
    ("level", "priority"), [(DEBUG, 7), (INFO, 6), (WARNING, 4), (ERROR, 3), (CRITICAL, 2)]
)
def test_for_the_journal_each_line_begins_with_its_priority(level: int, priority: int) -> None:
    expected = f"<{priority}>one\n<{priority}>two"
    assert for_journal(level, "one\ntwo") == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("not written error=disk\nimage", r"not written error=disk\nimage"),
        ("a\r\x1b[2J\x85\u2028\u202e\udcffz", r"a\r\x1b[2J\x85\u2028\u202e\udcffz"),
        (r"C:\new /años/日本 x", r"C:\new /años/日本 x"),
        ("/años\n", r"/años\n"),
    ],
)
def test_only_what_cannot_be_printed_is_an_escape(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("now", "stamp"),
    [
        (0.25, "1970-01-01T00:00:00.250Z"),
        (1_795_699_777.0078, "2026-11-26T13:29:37.007Z"),
        (1_795_699_777.9999, "2026-11-26T13:29:37.999Z"),
    ],
)
def test_a_line_has_time_in_utc_level_and_text(now: float, stamp: str) -> None:
    assert log_line(WARNING, "child\ndied", now) == rf"{stamp} WARNING child\ndied"
