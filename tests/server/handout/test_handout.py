"""The files are made ready once, by a thread, and anew when others were downloaded."""

import os
import threading
from pathlib import Path

import pytest

from tertulia.server.handout import handout
from tertulia.server.handout.handout import Handout

WAIT_S = 60


class Waiting:
    def __init__(self) -> None:
        self._event = threading.Event()

    def files_ready(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(WAIT_S)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often the wheel is made."""
    times: list[int] = []

    def make() -> tuple[str, bytes]:
        times.append(1)
        return "tertulia-1-py3-none-any.whl", b"wheel"

    def fail() -> bytes:
        raise ImportError("a package is missing")

    monkeypatch.setattr(handout, "own_wheel", make)
    monkeypatch.setattr(handout, "one_file", fail)
    return times


def test_all_who_wait_are_told_and_the_files_are_made_once(made: list[int], tmp_path: Path) -> None:
    files = Handout(tmp_path / "client")
    assert files.ready() is None
    waiting = [Waiting() for _ in range(5)]
    for each in waiting:
        files.make_ready(each)
    for each in waiting:
        each.wait()
    assert list(files.ready() or ()) == ["tertulia-1-py3-none-any.whl"]
    assert len(made) <= 5


def test_downloaded_files_are_noticed(made: list[int], tmp_path: Path) -> None:
    files = Handout(tmp_path)
    waiting = Waiting()
    files.make_ready(waiting)
    waiting.wait()
    assert files.ready() is not None
    (tmp_path / "rich-1-py3-none-any.whl").write_bytes(b"rich")
    os.utime(tmp_path, ns=(1, 1))
    assert files.ready() is None, "they have to be made ready anew"
    assert list(files.latest()) == ["tertulia-1-py3-none-any.whl"]
    waiting = Waiting()
    files.make_ready(waiting)
    waiting.wait()
    assert "rich-1-py3-none-any.whl" in (files.ready() or {})


def test_a_fault_is_logged_and_nobody_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> tuple[str, bytes]:
        raise ValueError("broken")

    monkeypatch.setattr(handout, "own_wheel", fail)
    files, waiting = Handout(None), Waiting()
    files.make_ready(waiting)
    waiting.wait()
    assert files.ready() == {}
    assert "nothing to hand out" in caplog.text


class Counting(Waiting):
    """Counts how often it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def files_ready(self) -> None:
        self.told += 1
        super().files_ready()


def test_who_was_told_once_is_not_told_again(made: list[int]) -> None:
    files, first, second = Handout(None), Counting(), Counting()
    for waiting in (first, second):
        files.make_ready(waiting)
        waiting.wait()
    assert (first.told, second.told) == (1, 1)


def test_without_a_thread_the_next_attempt_tells_only_those_who_wait_then(
    made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    files, refused, served = Handout(None), Counting(), Counting()
    with monkeypatch.context() as no_threads:
        no_threads.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            files.make_ready(refused)
    files.make_ready(served)
    served.wait()
    assert (refused.told, served.told) == (0, 1)


def test_what_is_downloaded_while_the_files_are_read_is_noticed(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = handout.wheels_in

    def find_while_one_comes(directory: Path) -> list[handout.HandedFile]:
        found = find(directory)
        (tmp_path / "rich-1-py3-none-any.whl").write_bytes(b"rich")
        os.utime(tmp_path, ns=(1, 1))
        return found

    monkeypatch.setattr(handout, "wheels_in", find_while_one_comes)
    files, waiting = Handout(tmp_path), Waiting()
    files.make_ready(waiting)
    waiting.wait()
    assert files.ready() is None, "they have to be read again"
