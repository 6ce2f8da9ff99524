"""`--fetch-client`: what pip is asked, what is kept, and what a failure leaves. Nothing is sent."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tertulia.server.handout import fetch
from tertulia.server.handout.fetch import fetch_client

Pip = Callable[[list[str]], SimpleNamespace]
WHEEL = "rich-{}-py3-none-any.whl"


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Callable[[Pip], None]:
    """Put a function in the place of pip."""
    return lambda run: monkeypatch.setattr(subprocess, "run", lambda command, **_: run(command))


def downloading(*names: str) -> Pip:
    def run(command: list[str]) -> SimpleNamespace:
        directory = Path(command[command.index("--dest") + 1])
        assert any(word.startswith("msgspec") for word in command)
        assert not any(word.startswith("pytest") for word in command), "no tools"
        assert not any("://" in word for word in command), "pip knows its index"
        for name in names:
            (directory / name).write_bytes(b"x" * 50_000)
        return SimpleNamespace(returncode=0, stderr="")

    return run


def test_the_wheels_are_put_in_place_of_older_ones(
    pip: Callable[[Pip], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "state" / "client"
    pip(downloading(WHEEL.format(1), "x-1-py3-none-any.whl"))
    assert fetch_client(directory) == 0
    pip(downloading(WHEEL.format(2), "x-1-py3-none-any.whl"))
    assert fetch_client(directory) == 0
    assert {each.name for each in directory.iterdir()} == {
        WHEEL.format(2), "x-1-py3-none-any.whl",
    }  # fmt: skip
    out = " ".join(capsys.readouterr().out.split())
    assert f"{directory}: 2 files, 0.1 MB" in out
    assert [each.name for each in directory.parent.iterdir()] == ["client"]


def test_a_failure_says_why_and_changes_nothing(
    pip: Callable[[Pip], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "client"
    pip(downloading(WHEEL.format(1)))
    assert fetch_client(directory) == 0

    def fail(command: list[str]) -> SimpleNamespace:
        downloading(WHEEL.format(2))(command)
        return SimpleNamespace(returncode=1, stderr="WARNING: Retrying\nERROR: No network\nx\n")

    pip(fail)
    assert fetch_client(directory) == 1
    errors = " ".join(capsys.readouterr().err.split())
    assert "pip says: No network Is this computer connected to the internet?" in errors
    assert [each.name for each in directory.iterdir()] == [WHEEL.format(1)]
    assert [each.name for each in tmp_path.iterdir()] == ["client"]


def test_a_place_that_cannot_be_written_and_a_missing_pip_are_told(
    pip: Callable[[Pip], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    assert fetch_client(tmp_path / "file" / "client") == 1
    assert "cannot write to" in capsys.readouterr().err
    assert fetch_client(None) == 1
    assert "XDG_STATE_HOME" in capsys.readouterr().err
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda _name: None)
    assert fetch_client(tmp_path / "client") == 1
    assert "no pip" in capsys.readouterr().err
