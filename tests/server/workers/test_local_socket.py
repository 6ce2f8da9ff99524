"""The socket in the file system: whose file it is, what it replaces, and what it leaves alone."""

import os
import socket
import stat
from pathlib import Path

import pytest

from tertulia.server.workers.local_socket import LocalSocket, PathProblem, PathUnusable


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)  # the whole path may be longer than a socket's can be
    return "chat.sock"


def opened(path: str, inherited: socket.socket | None = None) -> LocalSocket:
    return LocalSocket(path, 65_536, inherited)


def refused(path: str) -> PathUnusable:
    with pytest.raises(PathUnusable) as caught:
        opened(path)
    return caught.value


def test_its_owner_and_its_group_may_connect(path: str) -> None:
    before = os.umask(0)
    try:
        own = opened(path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        assert os.umask(0) == 0, "the mask of other files has changed"
    finally:
        os.umask(before)
    with own.listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        own.listener.accept()[0].close()


def test_one_that_was_left_behind_is_replaced(path: str) -> None:
    opened(path).listener.close()
    own = opened(path)
    with own.listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


@pytest.mark.parametrize("is_full", [False, True])
def test_one_that_another_program_listens_at_is_left_alone(path: str, is_full: bool) -> None:
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as first:
        other.bind(path)
        other.listen(0)
        if is_full:
            first.connect(path)
        found = os.stat(path).st_ino
        assert refused(path).problem is PathProblem.IN_USE
        assert os.stat(path).st_ino == found


def test_another_kind_of_file_is_left_alone(path: str) -> None:
    Path(path).write_text("hola")
    assert refused(path).problem is PathProblem.NO_SOCKET
    assert Path(path).read_text() == "hola"


def test_what_else_is_wrong_is_told_in_the_systems_words(path: str) -> None:
    error = refused(f"missing/{path}")
    assert (error.problem, error.path) == (PathProblem.OTHER, f"missing/{path}")
    assert error.reason == "No such file or directory"


def test_its_file_is_removed_unless_it_is_another_ones(path: str) -> None:
    own = opened(path)
    os.unlink(path)
    later = opened(path)
    with own.listener, later.listener:
        own.remove()
        assert os.path.exists(path)
        later.remove()
        assert not os.path.exists(path)
        later.remove()  # it is gone already


def test_an_inherited_one_is_used_while_it_has_its_file(path: str) -> None:
    first = opened(path)
    with first.listener:
        taken = opened(path, first.listener)
        assert taken.listener is first.listener
        taken.remove()
        assert not os.path.exists(path)
        another = opened(path, first.listener)
        assert another.listener is not first.listener
        another.listener.close()
