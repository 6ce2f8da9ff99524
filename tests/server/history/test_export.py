"""Exports and backups: which files they write, and which they leave alone."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest
from stored_messages import message, seqs

from tertulia.protocol.messages import GetHistory
from tertulia.server.history.export import backup, export, export_attendance
from tertulia.server.history.reader import MessageReader
from tertulia.server.hub.records import MissingMessages, Visit

TIME = "2026-11-22T15:00:00.000Z"


@pytest.fixture
def history(store, path: Path) -> Path:
    """Make a history with two messages, and a session between them."""
    came = Visit(key=2, name="luis", address="10.0.0.7", joined=TIME, ended=None, reason=None)
    store.add([message(1), message(3)], [came])
    return path


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
@pytest.mark.parametrize("write", [export, export_attendance])
def test_no_file_of_the_history_is_overwritten_even_through_a_link(
    history, tmp_path, suffix, write, capsys
):
    own = Path(f"{history}{suffix}")
    before = own.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(own)
    assert write(history, str(link)) == 1
    assert own.read_bytes() == before
    assert str(link) in capsys.readouterr().err


def test_sessions_are_between_the_messages_only_if_they_are_wanted(history, tmp_path):
    to = tmp_path / "chat.jsonl"
    assert export(history, str(to)) == 0
    assert to.read_bytes().count(b"\n") == 2
    assert export(history, str(to), with_attendance=True) == 0
    lines = to.read_text().splitlines()
    assert ["luis" in line for line in lines] == [False, True, False]


def test_a_backup_is_not_written_over_another_file_but_over_an_empty_one(history, tmp_path):
    to = tmp_path / "backup.db"
    to.write_bytes(b"x")
    assert backup(history, str(to)) == 1
    assert to.read_bytes() == b"x"
    to.write_bytes(b"")
    assert backup(history, str(to)) == 0
    with MessageReader(to) as reader:
        assert seqs(reader.page(GetHistory()))[0] == [1, 3]


def test_what_a_node_lacks_is_said_and_the_rest_is_written(history, store, tmp_path, capsys):
    to = tmp_path / "chat.jsonl"
    assert export(history, str(to)) == 0
    assert capsys.readouterr().err == ""
    store.add([], [MissingMessages(key=0, through=1)])
    assert export(history, str(to)) == 0
    assert "lacks some messages" in " ".join(capsys.readouterr().err.split())
    assert to.read_bytes().count(b"\n") == 2


def test_where_there_is_no_history_none_is_made(tmp_path, capsys):
    missing, to = tmp_path / "missing.db", tmp_path / "chat.jsonl"
    assert export(missing, str(to)) == 1
    assert f"there is no history {missing}" in " ".join(capsys.readouterr().err.split())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("write", [export, export_attendance, backup])
def test_why_a_history_cannot_be_read_is_said(tmp_path, write, capsys):
    to = tmp_path / "out"
    damaged, foreign = tmp_path / "damaged.db", tmp_path / "foreign.db"
    damaged.write_bytes(b"this is not a database" * 100)
    with contextlib.closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE song (title)")

    def reason_for(history: Path) -> str:
        assert write(history, str(to)) == 1
        assert not to.exists()
        return " ".join(capsys.readouterr().err.split())

    assert reason_for(tmp_path) == (
        f"tertulia-server: cannot read the history {tmp_path}: Is a directory"
    )
    assert reason_for(damaged) == f"tertulia-server: {damaged} is damaged: file is not a database"
    assert reason_for(foreign) == (
        f"tertulia-server: {foreign} is not a history that this version can read"
    )
