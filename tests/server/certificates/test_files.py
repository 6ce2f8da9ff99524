"""Secret files: saved once for all servers of a user, or in memory where that is impossible."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tertulia.i18n import set_language
from tertulia.server.certificates.files import SecretFiles


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    set_language("en")
    return tmp_path / "tertulia" / "tls"


@pytest.fixture
def files(directory: Path) -> SecretFiles:
    return SecretFiles(directory)


def refuse_links(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the system refuse hard links for a reason."""

    def refuse(*_paths: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


def test_a_file_that_does_not_exist_is_no_problem(files: SecretFiles) -> None:
    assert files.read("a.pem") is None
    assert files.problem == ""


def test_a_created_file_can_be_read_by_its_owner_alone(files: SecretFiles, directory: Path) -> None:
    assert files.create("a.pem", b"one") == b"one"
    assert SecretFiles(directory).read("a.pem") == b"one"
    assert os.listdir(directory) == ["a.pem"], "no unfinished file is left"
    assert stat.S_IMODE((directory / "a.pem").stat().st_mode) == 0o600
    assert files.problem == ""


def test_the_first_server_that_creates_a_file_wins(files: SecretFiles, directory: Path) -> None:
    SecretFiles(directory).create("a.pem", b"first")
    assert files.create("a.pem", b"second") == b"first"
    assert files.read("a.pem") == b"first"
    assert os.listdir(directory) == ["a.pem"]


def test_replacing_overwrites_the_file(files: SecretFiles, directory: Path) -> None:
    files.replace("a.pem", b"one")
    files.replace("a.pem", b"two")
    assert SecretFiles(directory).read("a.pem") == b"two"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700])
def test_a_file_with_too_many_permissions_is_corrected(
    files: SecretFiles, directory: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    files.create("a.pem", b"one")
    (directory / "a.pem").chmod(mode)
    assert files.read("a.pem") == b"one"
    assert stat.S_IMODE((directory / "a.pem").stat().st_mode) == 0o600
    assert "readable by others, corrected" in caplog.text


def test_a_file_without_too_many_permissions_is_left_alone(
    files: SecretFiles, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files.create("a.pem", b"one")
    (directory / "a.pem").chmod(0o400)
    assert files.read("a.pem") == b"one"
    assert stat.S_IMODE((directory / "a.pem").stat().st_mode) == 0o400
    assert caplog.text == ""


def test_a_file_that_cannot_be_read_is_a_problem_and_new_files_stay_in_memory(
    files: SecretFiles, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "a.pem").mkdir(parents=True)
    assert files.read("a.pem") is None
    assert files.problem == "Is a directory"
    assert "certificate not kept" in caplog.text
    assert files.create("b.pem", b"one") == b"one"
    assert files.read("b.pem") == b"one"
    files.replace("b.pem", b"two")
    assert files.read("b.pem") == b"two"
    assert os.listdir(directory) == ["a.pem"]


def test_where_the_directory_is_a_file_everything_stays_in_memory(directory: Path) -> None:
    directory.parent.mkdir()
    directory.write_text("")
    for save in (SecretFiles.create, SecretFiles.replace):
        files = SecretFiles(directory)
        save(files, "a.pem", b"one")
        assert files.read("a.pem") == b"one"
        assert files.problem != ""


def test_a_file_that_exists_but_cannot_be_read_is_created_in_memory(
    files: SecretFiles, directory: Path
) -> None:
    (directory / "a.pem").mkdir(parents=True)
    assert files.create("a.pem", b"one") == b"one"
    assert files.read("a.pem") == b"one"
    assert files.problem == "Is a directory"


def test_without_a_directory_everything_stays_in_memory() -> None:
    set_language("en")
    files = SecretFiles(None)
    assert files.problem == "there is no home directory"
    assert files.read("a.pem") is None
    assert files.create("a.pem", b"one") == b"one"
    files.replace("b.pem", b"two")
    files.set_aside("c.pem")
    assert (files.read("a.pem"), files.read("b.pem")) == (b"one", b"two")
    assert files.problem == "there is no home directory"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_hard_links_the_file_is_renamed(
    files: SecretFiles, directory: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse_links(monkeypatch, number)
    assert files.create("a.pem", b"one") == b"one"
    assert (directory / "a.pem").read_bytes() == b"one"
    assert os.listdir(directory) == ["a.pem"]
    assert files.problem == ""


def test_where_there_is_no_space_the_file_stays_in_memory_and_nothing_on_the_disk(
    files: SecretFiles, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_links(monkeypatch, errno.ENOSPC)
    assert files.create("a.pem", b"one") == b"one"
    assert files.read("a.pem") == b"one"
    assert os.listdir(directory) == []
    assert files.problem == "No space left on device"


def test_an_error_of_the_system_without_a_text_is_shown_as_it_is(
    files: SecretFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_paths: object) -> None:
        raise OSError("odd")

    monkeypatch.setattr(os, "link", fail)
    files.create("a.pem", b"one")
    assert files.problem == "odd"


def test_a_file_that_is_set_aside_keeps_its_content_under_another_name(
    files: SecretFiles, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files.create("a.pem", b"damaged")
    files.set_aside("a.pem")
    [aside] = directory.iterdir()
    assert aside.name.startswith("a.pem.damaged-")
    assert aside.read_bytes() == b"damaged"
    assert aside.name in caplog.text
    assert files.read("a.pem") is None
    assert files.problem == ""


def test_a_file_that_cannot_be_set_aside_is_a_problem(
    files: SecretFiles, caplog: pytest.LogCaptureFixture
) -> None:
    files.set_aside("a.pem")
    assert files.problem == "No such file or directory"
    assert "renamed" not in caplog.text


def test_only_the_file_in_memory_is_set_aside_if_there_is_one(
    files: SecretFiles, directory: Path
) -> None:
    (directory / "a.pem").mkdir(parents=True)
    files.create("a.pem", b"in memory")
    files.set_aside("a.pem")
    assert os.listdir(directory) == ["a.pem"]
