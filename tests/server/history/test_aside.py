"""Files that are set aside keep their content under names that nothing else has."""

from pathlib import Path

from tertulia.server.history.aside import set_aside, set_wal_aside


def test_a_file_is_moved_with_those_that_belong_to_it_and_overwrites_nothing(tmp_path):
    path = tmp_path / "history.db"
    path.write_bytes(b"damaged")
    Path(f"{path}-wal").write_bytes(b"wal")
    Path(f"{path}-shm").write_bytes(b"index")
    aside = set_aside(path, "damaged", clock=lambda: 1_000.0)
    assert aside.name == "history.db.damaged-1000"
    assert aside.read_bytes() == b"damaged"
    assert Path(f"{aside}-wal").read_bytes() == b"wal"
    assert Path(f"{aside}-shm").read_bytes() == b"index"
    path.write_bytes(b"damaged again")
    again = set_aside(path, "damaged", clock=lambda: 1_000.0)
    assert (aside.read_bytes(), again.read_bytes()) == (b"damaged", b"damaged again")
    assert list(tmp_path.glob("history.db")) == []


def test_a_wal_alone_is_moved_and_the_file_stays(tmp_path):
    path = tmp_path / "history.db"
    for suffix, content in (("", b"file"), ("-wal", b"wal"), ("-shm", b"index")):
        Path(f"{path}{suffix}").write_bytes(content)
    moved = set_wal_aside(path, clock=lambda: 1_000.0)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "history.db": b"file",
        moved.name: b"wal",
    }


def test_a_second_wal_of_the_same_second_does_not_replace_the_first(tmp_path):
    path = tmp_path / "history.db"
    moved = []
    for content in (b"first", b"second"):
        Path(f"{path}-wal").write_bytes(content)
        moved.append(set_wal_aside(path, clock=lambda: 1_000.0))
    assert [file.read_bytes() for file in moved] == [b"first", b"second"]
