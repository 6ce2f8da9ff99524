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
