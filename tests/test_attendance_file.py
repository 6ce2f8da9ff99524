"""The attendance in a file: a new one, complete or not there, and clear words if that fails."""

import errno
import os

import pytest

from tertulia.attendance_file import AttendanceFile
from tertulia.i18n import set_language
from tertulia.operator_commands import BadCommand
from tertulia.protocol.attendance import AttendanceRow

ROW = AttendanceRow(name="ana", address="10.0.0.7", joined="x", left="y", reason="quit")


def refusal(path):
    with pytest.raises(BadCommand) as caught:
        AttendanceFile(str(path))
    return str(caught.value)


def test_a_new_file_for_this_user_alone_also_in_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = AttendanceFile("~/today.csv")
    file.add([ROW])
    file.add([ROW])
    file.close()
    assert file.path == str(tmp_path / "today.csv")
    line = "ana,10.0.0.7,x,y,quit\n"
    assert (tmp_path / "today.csv").read_text() == "name,address,joined,left,reason\n" + 2 * line
    assert os.stat(file.path).st_mode & 0o777 == 0o600


def test_nothing_is_overwritten_and_each_failure_says_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.csv").write_text("precious")
    path = tmp_path / "old.csv"
    assert refusal("old.csv") == (f"{path} already exists: choose a file that does not exist yet")
    assert path.read_text() == "precious"
    assert refusal("no/new.csv") == (
        f"cannot write {tmp_path}/no/new.csv: there is no folder {tmp_path}/no"
    )
    assert refusal("old.csv/new.csv").endswith(f"{path} is not a folder")
    assert refusal(f"{'x' * 300}.csv").endswith("the name is too long")
    monkeypatch.setattr(os, "open", lambda *_args: denied())
    set_language("es")
    assert refusal("new.csv").endswith(f"no tienes permiso para escribir en {tmp_path}")


def denied():
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_file_that_cannot_be_completed_is_gone(tmp_path):
    file = AttendanceFile(str(tmp_path / "today.csv"))
    file._file.close()
    file._file = open("/dev/full", "w")  # noqa: SIM115
    file.add([ROW])
    with pytest.raises(BadCommand, match="the disk is full"):
        file.close()
    assert os.listdir(tmp_path) == []
