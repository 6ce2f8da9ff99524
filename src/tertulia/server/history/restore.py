"""`tertulia-server PORT --restore FILE`: replaces the present history with a copy.

The present one is set aside, with all files that belong to it, and never deleted.
"""

import contextlib
import errno
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tertulia.i18n import _
from tertulia.server.history.aside import set_aside
from tertulia.server.history.checks import (
    SqliteTooOld,
    StoreDamaged,
    StoreOfAnotherVersion,
    check_file,
    check_library,
    check_pages,
    connect_to_read,
    is_damage,
)
from tertulia.server.history.leftovers import remove_database, removed_at_end, uninterrupted
from tertulia.server.history.lockfile import LockFile, StoreInUse
from tertulia.server.history.visitor import open_as_visitor
from tertulia.wrapping import wrapped_for


def restore(history: Path, copy: Path, clock: Callable[[], float] = time.time) -> int:
    """Replace the history with a copy, and print that; return the exit status.

    The restored history has a new epoch, because the messages after the copy are missing from it.
    """
    history = history.absolute()
    try:
        aside = _restore(history, copy.absolute(), clock)
    except StoreInUse:
        return _fail(_("a server writes the history {history}: stop it first"), history, copy)
    except StoreOfAnotherVersion:
        return _fail(_("{file} is not a history that this version can read"), history, copy)
    except StoreDamaged as error:
        return _fail(_("{file} is damaged: {reason}"), history, copy, error)
    except SqliteTooOld as error:
        text = _("the history needs SQLite 3.34 or later, and this Python has {reason}")
        return _fail(text, history, copy, error)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, OSError) and error.filename is not None:
            reason = f"{error.filename}: {reason}"
        return _fail(_("cannot restore {history}: {reason}"), history, copy, reason)
    _print(_("{file} is now the history {history}.").format(file=copy, history=history))
    if aside is not None:
        _print(_("The one before is kept as {file}.").format(file=aside))
    return 0


def _print(text: str) -> None:
    """Print a text, also one with a file name that the terminal's encoding cannot represent."""
    encoding = sys.stdout.encoding
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _fail(text: str, history: Path, copy: Path, reason: object = "") -> int:
    text = text.format(history=history, file=copy, reason=reason)
    print(wrapped_for(sys.stderr, f"tertulia-server: {text}"), file=sys.stderr)
    return 1


def _restore(history: Path, copy: Path, clock: Callable[[], float]) -> Path | None:
    check_library()
    with open(copy, "rb"):  # raises OSError; SQLite does not say why it cannot open a file
        pass
    if history.exists() and os.path.samefile(history, copy):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(copy))
    history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_file = LockFile(history)
    new = history.with_name(f"{history.name}.new")
    try:
        _check_copy(copy)
        with removed_at_end(lambda: _create(new), remove_database):
            with open_as_visitor(copy) as reader:
                reader.copy_to(str(new))
            if os.geteuid() == 0:
                _give_to_owner(history, str(new), lock_file.path)
            _sync(new)
            with uninterrupted:
                has_old = any(os.path.exists(f"{history}{suffix}") for suffix in ("", "-wal"))
                aside = set_aside(history, "before-restore", clock) if has_old else None
                os.rename(new, history)
            _sync(history.parent)
    finally:
        lock_file.close()
    return aside


def _create(new: Path) -> Path:
    """Create a file that only its owner may read; replace one left by a killed program."""
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return new


def _give_to_owner(history: Path, *files: str) -> None:
    """Give files to the owner of the history, or of its directory if there is no history yet.

    Root may be restoring the history of a service, which runs as another user.
    """
    owner = (history if history.exists() else history.parent).stat()
    for file in files:
        os.chown(file, owner.st_uid, owner.st_gid)


def _check_copy(copy: Path) -> None:
    """Check the whole copy. Raises StoreOfAnotherVersion, StoreDamaged, OSError, sqlite3.Error."""
    check_file(copy)
    with contextlib.closing(connect_to_read(copy)) as db:
        try:
            check_pages(db, threading.TIMEOUT_MAX)
            if db.execute("SELECT count(*) FROM numbering").fetchone()[0] != 1:
                raise StoreOfAnotherVersion(str(copy))
        except sqlite3.Error as error:
            if is_damage(error):
                raise StoreDamaged(str(error)) from error
            if "no such table" in str(error):  # an empty file, or half a history
                raise StoreOfAnotherVersion(str(copy)) from error
            raise


def _sync(path: Path) -> None:
    """Wait until a file, or what a folder contains, is on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
