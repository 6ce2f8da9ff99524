"""The file that keeps other servers away from a history, and its note of the numbering."""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.protocol.messages import MAX_INT
from tertulia.server.history.lockfile import LockFile, Note, StoreInUse


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def lock_file(history: Path) -> Iterator[LockFile]:
    lock_file = LockFile(history)
    yield lock_file
    lock_file.close()


def note_in(history: Path, content: bytes) -> Note:
    """Return the note of a lock file with this content."""
    Path(f"{history}.lock").write_bytes(content)
    lock_file = LockFile(history)
    lock_file.close()
    return lock_file.note


def open_descriptors(path: str) -> int:
    """Return how many descriptors of a file this process has."""
    file, found = os.stat(path), 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            found += os.path.samestat(os.fstat(int(fd)), file)
        except OSError:  # the descriptor with which the directory was read
            continue
    return found


# --- the lock ------------------------------------------------------------------------------------


def test_a_second_server_is_refused_with_the_historys_name_and_keeps_no_descriptor(
    lock_file, history
):
    with pytest.raises(StoreInUse, match=f"^{history}$"):
        LockFile(history)
    assert open_descriptors(lock_file.path) == 1


def test_where_files_cannot_be_locked_no_descriptor_is_left(history, monkeypatch):
    def fail(_fd: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match="No locks available"):
        LockFile(history)
    assert open_descriptors(f"{history}.lock") == 0


def test_once_the_lock_is_given_up_another_server_gets_it(lock_file, history):
    lock_file.close()
    other = LockFile(history)
    lock_file.close()
    with pytest.raises(StoreInUse):
        LockFile(history)
    other.close()


def test_a_file_that_was_created_here_can_be_deleted_and_no_other(lock_file, history):
    lock_file.close()
    other = LockFile(history)
    other.forget()
    other.close()
    assert os.path.exists(lock_file.path)
    lock_file.forget()
    assert not os.path.exists(lock_file.path)
    lock_file.forget()  # somebody else has deleted it


# --- the note ------------------------------------------------------------------------------------


def test_a_new_file_has_no_note(lock_file):
    assert lock_file.note == Note(0, 0, "")


def test_a_note_is_on_the_disk_when_writing_it_returns(lock_file, history, monkeypatch):
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.pread(fd, 100, 0)))
    lock_file.write(Note(7, 5, "epoch"))
    assert [line.split() for line in synced] == [[b"%020d" % 7, b"%020d" % 5, b"epoch"]]
    assert lock_file.note == Note(7, 5, "epoch")
    lock_file.close()
    again = LockFile(history)
    assert again.note == Note(7, 5, "epoch")
    again.close()


def test_a_note_takes_the_place_of_the_earlier_one(lock_file, history):
    lock_file.write(Note(MAX_INT, MAX_INT, "0123456789abcdef"))
    lock_file.write(Note(7, 5, "epoch"))
    assert len(Path(lock_file.path).read_bytes()) == 59
    lock_file.close()
    again = LockFile(history)
    assert again.note == Note(7, 5, "epoch")
    again.close()


def test_a_note_of_an_earlier_version_has_only_a_number(history):
    assert note_in(history, b"%020d\n" % 7_000) == Note(7_000, 0, "")


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"\n", Note(0, 0, "")),
        (b"-7 5 epoch\n", Note(0, 0, "")),
        ("٧ 5 epoch\n".encode(), Note(0, 0, "")),
        (b"%d 5 epoch\n" % (MAX_INT + 1), Note(0, 0, "")),
        (b"%d 5 epoch\n" % MAX_INT, Note(MAX_INT, 5, "epoch")),
        (b"7 x epoch\n", Note(7, 0, "")),
        (b"7 %d epoch\n" % (MAX_INT + 1), Note(7, 0, "")),
        (b"7 5\n", Note(7, 0, "")),
        (b"7 5 epoch more\n", Note(7, 0, "")),
    ],
)
def test_what_cannot_be_a_note_counts_for_nothing(history, content, note):
    assert note_in(history, content) == note


def test_a_note_without_room_is_an_error_with_the_name_of_the_file(lock_file, monkeypatch):
    lock_file.write(Note(1, 1, "e1"))

    def fail(_fd: int, _data: bytes, _offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        lock_file.write(Note(2, 2, "e1"))
    assert raised.value.filename == lock_file.path
    assert lock_file.note == Note(1, 1, "e1")
