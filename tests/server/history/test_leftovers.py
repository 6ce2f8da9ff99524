"""Temporary files are removed at the end, and a file is replaced only by a complete one."""

import stat
from pathlib import Path

import pytest

from tertulia.server.history import leftovers
from tertulia.server.history.leftovers import (
    remove_database,
    removed_at_end,
    replaced_when_complete,
)


def test_what_was_made_is_removed_also_after_an_error() -> None:
    removed: list[str] = []

    def fail() -> None:
        assert len(leftovers._removals) == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), removed_at_end(lambda: "made", removed.append):
        fail()
    assert removed == ["made"]
    assert leftovers._removals == []
    assert not leftovers.uninterrupted.locked()


def test_a_new_file_gets_its_name_at_the_end_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with replaced_when_complete(str(path)) as new:
        Path(new).write_bytes(b"content")
        assert Path(new).parent == tmp_path, "another file system would need a copy"
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_replaced_keeps_its_permissions_and_the_link_to_it(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    with replaced_when_complete(str(link)) as new:
        Path(new).write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_after_an_error_the_old_file_is_as_it_was_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half(new: str) -> None:
        Path(new).write_bytes(b"half")
        Path(f"{new}-journal").write_bytes(b"of SQLite")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replaced_when_complete(str(path)) as new:
        write_half(new)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_in_place() -> None:
    with replaced_when_complete("/dev/null") as new:
        assert new == "/dev/null"


def test_a_database_is_removed_with_the_files_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{path}{suffix}").touch()
    remove_database(path)
    assert list(tmp_path.iterdir()) == []
    remove_database(path)  # without an error
