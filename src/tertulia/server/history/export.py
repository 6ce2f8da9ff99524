"""`tertulia-server --export FILE` and `--backup FILE`: the history as JSON lines, or as a copy.

Both also work while a server writes the history, and contain everything stored before they began.
They leave no other files behind, and need no right to write where the history is. The file gets its
name when it is complete: after an error, or a signal that ends the program, there is none.
"""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from tertulia.i18n import _
from tertulia.protocol.lines import encode_stored
from tertulia.server.history.checks import SqliteTooOld, check_library
from tertulia.server.history.leftovers import replaced_when_complete
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.visitor import open_as_visitor
from tertulia.wrapping import wrapped_for

_STDOUT = "-"


def export(history: Path, to: str) -> int:
    """Write every message as a JSON line to a file, or to stdout for "-"; return the exit status.

    Only one page of messages at a time is in memory, and none of the history is locked while the
    reader of stdout takes its time.
    """

    def write(reader: MessageReader) -> None:
        lines = (encode_stored(message) for message in reader.all_messages())
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
        _check_that_it_is_another_file(history, to)
        with open_as_visitor(history) as reader:
            write(reader)
    except BrokenPipeError:  # The reader, for example `head`, has ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SqliteTooOld as error:
        text = _("the history needs SQLite 3.34 or later, and this Python has {reason}")
        return _fail(text, history, to, error)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        return _fail(
            _("cannot write the history {history} to {file}: {reason}"), history, to, reason
        )
    return 0


def _fail(text: str, history: Path, to: str, reason: object = "") -> int:
    text = text.format(history=history, file=to, reason=reason)
    print(wrapped_for(sys.stderr, f"tertulia-server: {text}"), file=sys.stderr)
    return 1


def _check_that_it_is_another_file(history: Path, to: str) -> None:
    """Raise OSError if `to` is one of the history's own files, also through a link."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        own_file = f"{history}{suffix}"
        if os.path.exists(own_file) and os.path.exists(to) and os.path.samefile(own_file, to):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), to)
