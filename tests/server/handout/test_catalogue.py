"""The files that are handed out: which ones, and that a piece is of the file that was announced."""

import hashlib
import os
from pathlib import Path

import pytest

from tertulia.server.handout.catalogue import in_memory, wheels_in

WHEEL = "msgspec-0.22.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"


def test_only_wheels_that_are_files_are_handed_out(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"abc")
    for name in ("secret.txt", ".x-1-py3-none-any.whl", "a b-1-py3-none-any.whl", "x.whl"):
        (tmp_path / name).write_bytes(b"no")
    (tmp_path / "link-1-py3-none-any.whl").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "fifo-1-py3-none-any.whl")
    (tmp_path / "directory-1-py3-none-any.whl").mkdir()
    (file,) = wheels_in(tmp_path)
    assert (file.name, file.size) == (WHEEL, 3)
    assert file.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert wheels_in(tmp_path / "missing") == []


def test_a_piece_is_read_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"0123456789")
    (file,) = wheels_in(tmp_path)
    for each in (file, in_memory(WHEEL, b"0123456789")):
        assert [each.read(offset, 4) for offset in (0, 4, 8, 12)] == [b"0123", b"4567", b"89", b""]


def test_a_file_that_has_changed_is_not_read_further(tmp_path: Path) -> None:
    path = tmp_path / WHEEL
    path.write_bytes(b"0123456789")
    (file,) = wheels_in(tmp_path)
    path.write_bytes(b"abcdefghij!")
    with pytest.raises(OSError, match="has changed"):
        file.read(0, 4)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        file.read(0, 4)
