"""Files that only their user may read."""

import os
import stat
from pathlib import Path

import platformdirs
import pytest

from tertulia.state_directory import state_directory, write_private


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_directory() == tmp_path / "tertulia"


def test_a_user_without_a_home_directory_has_none(monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert state_directory() is None


def test_a_home_directory_that_was_not_found_is_none(monkeypatch):
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: Path("~/.local/state"))
    assert state_directory() is None


def test_only_the_owner_can_read_what_is_written(tmp_path):
    path = tmp_path / "new" / "secret"
    old_mask = os.umask(0)
    try:
        write_private(path, b"one")
    finally:
        os.umask(old_mask)
    assert (path.read_bytes(), mode(path), mode(path.parent)) == (b"one", 0o600, 0o700)


def test_a_file_that_others_could_read_is_replaced_by_a_private_one(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_it_replaces_the_old_file(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor):
        done.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    def note_replace(*paths):
        done.append("replaced")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    write_private(tmp_path / "secret", b"new")
    assert done == [len(b"new"), "replaced"]


def test_an_attempt_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    path.write_bytes(b"old")

    def fail(*_paths):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
