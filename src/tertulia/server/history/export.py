"""`tertulia-server --export FILE`, `--attendance FILE` and `--backup FILE`.

They also work while a server writes the history, and contain everything stored before they began.
They leave no other files behind, and need no permission to write in the history's directory. The
file gets its name only when it is complete, so there is none after an error or a fatal signal.
"""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tertulia.attendance_csv import csv_lines
from tertulia.i18n import _
from tertulia.protocol.lines import encode_exported
from tertulia.server.history.arrivals import in_order
from tertulia.server.history.checks import (
    SqliteTooOld,
    StoreOfAnotherVersion,
    check_library,
    is_damage,
)
from tertulia.server.history.leftovers import replaced_when_complete
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.visitor import open_as_visitor
from tertulia.server.history.visits import attendance_row
from tertulia.wrapping import wrapped_for

_STDOUT = "-"


def export(history: Path, to: str, *, with_attendance: bool = False) -> int:
    """Write every message as a JSON line to a file, or to stdout for "-"; return the exit status.

    With `with_attendance`, arrivals and departures are in their places between them. Only one page
    of messages at a time is in memory, and the history is not locked while stdout blocks.
    """

    def lines(reader: MessageReader) -> Iterator[bytes]:
        if with_attendance:
            yield from map(encode_exported, in_order(reader.all_messages(), reader.all_visits()))
        else:
            yield from map(encode_exported, reader.all_messages())

    return _write_lines(history, to, lines)


def export_attendance(history: Path, to: str) -> int:
    """Write the attendance as CSV to a file, or to stdout for "-"; return the exit status."""

    def lines(reader: MessageReader) -> Iterator[bytes]:
        for line in csv_lines(map(attendance_row, reader.all_visits())):
            yield line.encode()

    return _write_lines(history, to, lines)


def _write_lines(
    history: Path, to: str, lines_of: Callable[[MessageReader], Iterator[bytes]]
) -> int:
    def write(reader: MessageReader) -> None:
        lines = lines_of(reader)
        if to == _STDOUT:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.flush()
        else:
            with replaced_when_complete(to) as new, open(new, "wb") as file:
                file.writelines(lines)

    return _write_elsewhere(history, to, write)


def backup(history: Path, to: str) -> int:
    """Copy the history to a new file, which a server can use; return the exit status."""
    if os.path.exists(to) and os.path.getsize(to):
        return _fail(_("{file} already exists: choose a file that does not exist yet"), history, to)

    def write(reader: MessageReader) -> None:
        with replaced_when_complete(to) as new:
            reader.copy_to(new)

    return _write_elsewhere(history, to, write)


def _write_elsewhere(history: Path, to: str, write: Callable[[MessageReader], None]) -> int:
    try:
        check_library()
        if not history.exists():
            return _fail(
                _("there is no history {history}: choose another with --history FILE"), history, to
            )
        try:
            with open(history, "rb"):  # SQLite does not say why it cannot open a file
                pass
        except OSError as error:
            text = _("cannot read the history {history}: {reason}")
            return _fail(text, history, to, error.strerror)
        _check_that_it_is_another_file(history, to)
        with open_as_visitor(history) as reader:
            is_whole = not reader.lacks_rows()
            write(reader)
        if not is_whole:
            text = _(
                "the history {history} lacks some messages, which other servers of the chat have: "
                "do this on one of those"
            )
            _print(text, history, to)
    except BrokenPipeError:  # The reader, for example `head`, has ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SqliteTooOld as error:
        text = _("the history needs SQLite 3.34 or later, and this Python has {reason}")
        return _fail(text, history, to, error)
    except StoreOfAnotherVersion:
        text = _("{file} is not a history that this version can read")
        return _fail(text, history, str(history))
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and is_damage(error):
            return _fail(_("{file} is damaged: {reason}"), history, str(history), error)
        reason = getattr(error, "strerror", None) or error
        return _fail(
            _("cannot write the history {history} to {file}: {reason}"), history, to, reason
        )
    return 0


def _fail(text: str, history: Path, to: str, reason: object = "") -> int:
    _print(text, history, to, reason)
    return 1


def _print(text: str, history: Path, to: str, reason: object = "") -> None:
    text = text.format(history=history, file=to, reason=reason)
    print(wrapped_for(sys.stderr, f"tertulia-server: {text}"), file=sys.stderr)


def _check_that_it_is_another_file(history: Path, to: str) -> None:
    """Raise OSError if `to` is one of the history's own files, also through a link."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        own_file = f"{history}{suffix}"
        if os.path.exists(own_file) and os.path.exists(to) and os.path.samefile(own_file, to):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), to)
