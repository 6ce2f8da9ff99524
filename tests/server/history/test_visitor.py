"""Reading a history from outside leaves everything beside it as it was."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stored_messages import message

from tertulia.server.history import visitor
from tertulia.server.history.store import MessageStore
from tertulia.server.history.visitor import open_as_visitor


def files_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def seqs_read(path: Path) -> list[int]:
    with open_as_visitor(path) as reader:
        return [stored.seq for stored in reader.all_messages()]


@contextlib.contextmanager
def without_rights(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this process believe that it may write nothing; SQLite believes the same of its URI."""
    with monkeypatch.context() as context:
        context.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
        yield


@pytest.fixture
def killed(store: MessageStore, path: Path, tmp_path: Path) -> Path:
    """Return a history whose messages are only in the WAL."""
    store.add([message(1), message(2)])
    (tmp_path / "killed").mkdir()
    for suffix in ("", "-wal", ".lock"):
        shutil.copy(f"{path}{suffix}", tmp_path / "killed" / f"history.db{suffix}")
    return tmp_path / "killed" / "history.db"


@pytest.mark.parametrize("may_write", [True, False])
def test_after_a_stop_and_after_a_kill_no_files_are_left(
    store, path, killed, monkeypatch, may_write
):
    store.close()
    for history in (path, killed):
        before = files_in(history.parent)
        with contextlib.nullcontext() if may_write else without_rights(monkeypatch):
            assert seqs_read(history) == [1, 2]
        assert files_in(history.parent) == before


def test_while_a_server_writes_everything_is_read(store, path, monkeypatch):
    store.add([message(1)])
    with open_as_visitor(path) as reader:
        store.add([message(2)])
        assert [stored.seq for stored in reader.all_messages()] == [1, 2]
    with without_rights(monkeypatch):
        store.add([message(3)])
        assert seqs_read(path) == [1, 2, 3]


def test_a_server_that_starts_meanwhile_is_noticed(store, path, monkeypatch):
    store.add([message(1)])
    store.close()
    with without_rights(monkeypatch), open_as_visitor(path) as reader:
        assert [stored.seq for stored in reader.all_messages()] == [1]
    with (
        pytest.raises(Exception, match="a server has started"),
        without_rights(monkeypatch),
        open_as_visitor(path),
    ):
        again = MessageStore(path, block=10)
    again.close()


def test_a_place_that_is_read_only_is_read(store, path, killed, tmp_path):
    store.close()
    mount = ("unshare", "-rm", "sh", "-c")
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    if subprocess.run([*mount, script, "-", tmp_path, "true"], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    program = Path(sys.executable).with_name("tertulia-server")
    for history in (path, killed):
        export = [program, "--history", history, "--export", "-"]
        done = subprocess.run(
            [*mount, script, "-", tmp_path, *export], capture_output=True, check=False
        )
        assert done.stderr == b""
        assert done.stdout.count(b"\n") == 2


def test_a_wal_that_a_server_has_left_meanwhile_is_not_deleted(tmp_path):
    path = tmp_path / "history.db"
    Path(f"{path}.lock").touch()
    files = [Path(f"{path}-wal"), Path(f"{path}-shm")]
    with visitor._without_traces(path):
        files[0].write_bytes(b"changes")
        files[1].touch()
    assert [file.exists() for file in files] == [True, True]
    for file in files:
        file.unlink()
    with visitor._without_traces(path):
        for file in files:
            file.touch()
    assert [file.exists() for file in files] == [False, False]
