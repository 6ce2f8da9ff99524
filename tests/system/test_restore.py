"""A history put back from a copy: by `--restore`, or by hand."""

import os
import shutil
import sqlite3
import stat

import pytest
from histories import exported, kill, say_all, texts_of

pytestmark = pytest.mark.long


def files_of(path):
    return {file.name: file.read_bytes() for file in path.parent.glob("history.db*")}


@pytest.fixture
def killed(start, run, path, tmp_path):
    """Make a backup of two messages, say a third, and kill the server."""
    server = start()
    ana = server.peer()
    epoch = ana.register("ana")["epoch"]
    say_all(ana, ["uno", "dos"])
    backup = tmp_path / "copies" / "backup.db"
    backup.parent.mkdir()
    assert run("--history", path, "--backup", backup).returncode == 0
    ana.ask("say", text="tres " + "x" * 10_000)
    kill(server)
    return backup, epoch


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
def test_restore_puts_a_backup_in_place_and_keeps_what_was_there(start, run, path, killed):
    backup, epoch = killed
    before = backup.read_bytes()
    done = run("--lang", "en", "--history", path, "--restore", backup)
    assert (done.returncode, done.stderr) == (0, b"")
    [aside] = [
        file
        for file in path.parent.glob("*.before-restore-*")
        if not file.name.endswith(("-wal", "-shm"))
    ]
    assert done.stdout.decode() == (
        f"{backup} is now the history {path}.\nThe one before is kept as {aside}.\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert backup.read_bytes() == before
    assert len(exported(run, aside)) == 3
    ana = start().peer()
    assert ana.register("ana")["epoch"] != epoch
    assert texts_of(ana.ask("history")) == ["uno", "dos"]
    assert texts_of(ana.ask("search", text="dos")) == ["dos"]


def test_restore_works_where_no_history_is_yet(run, killed, tmp_path):
    backup, _ = killed
    done = run("--history", tmp_path / "new" / "h.db", "--restore", backup, "--lang", "en")
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 1)
    assert [m["text"] for m in exported(run, tmp_path / "new" / "h.db")] == ["uno", "dos"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_restores_the_history_of_a_service_for_the_service_s_user(run, path, killed, tmp_path):
    backup, _ = killed
    new = tmp_path / "new" / "h.db"
    new.parent.mkdir()
    os.chown(new.parent, 4_001, 4_001)
    for file in path.parent.glob("history.db*"):
        os.chown(file, 4_002, 4_002)
    for history, owner in ((new, 4_001), (path, 4_002)):
        assert run("--history", history, "--restore", backup).returncode == 0
        owners = {file.name: file.stat().st_uid for file in history.parent.glob("*.db*")}
        assert set(owners.values()) == {owner}, owners


def test_restore_of_what_is_no_sound_history_changes_nothing(run, path, killed, tmp_path):
    backup, _ = killed
    content = backup.read_bytes()
    damaged, other, empty = (backup.with_name(name) for name in ("damaged", "other", "empty"))
    damaged.write_bytes(content[:4_096] + b"\xff" * 4_096 + content[8_192:])
    empty.write_bytes(b"")
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE photos (x)")
    db.close()
    before = files_of(path)
    for copy in (damaged, other, empty, tmp_path / "missing", tmp_path, path):
        done = run("--history", path, "--restore", copy)
        assert (done.returncode, done.stdout) == (1, b""), copy
        assert str(copy) in done.stderr.decode()
        assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
        assert files_of(path) == before


def test_restore_is_refused_while_a_server_runs(start, run, path, killed):
    backup, _ = killed
    ana = start().user("ana")
    done = run("--lang", "en", "--history", path, "--restore", backup)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "stop it first" in done.stderr.decode()
    assert ana.ask("say", text="cuatro")["type"] == "ok"


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
def test_a_backup_copied_over_the_file_of_a_killed_server_is_what_the_chat_goes_on_with(
    start, path, killed
):
    backup, _ = killed
    shutil.copy(backup, path)
    server = start()
    ana = server.user("ana")
    assert texts_of(ana.ask("history")) == ["uno", "dos"]
    server.wait_for_log(r" WARNING history had a WAL of another file moved_to=")
    assert list(path.parent.glob("history.db.foreign-*-wal"))
    assert not list(path.parent.glob("*damaged*"))
