"""The code that the server makes by itself."""

import stat

import pytest

from tertulia.server.automatic_code import automatic_code
from tertulia.words import word_list


@pytest.fixture
def directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tertulia"


def test_it_has_three_words(directory):
    words = automatic_code(5000).split("-")
    assert len(words) == 3
    assert set(words) <= set(word_list())


def test_it_is_the_same_after_a_restart_and_differs_from_port_to_port(directory):
    code = automatic_code(5000)
    assert automatic_code(5000) == code
    assert automatic_code(5001) != code
    assert stat.S_IMODE((directory / "code-5000").stat().st_mode) == 0o600


def test_without_a_port_of_its_own_a_server_makes_a_new_one_each_time(directory):
    assert automatic_code(0) != automatic_code(0)
    assert not directory.exists()


def test_who_removes_the_file_gets_a_new_one(directory):
    code = automatic_code(5000)
    (directory / "code-5000").unlink()
    assert automatic_code(5000) != code


@pytest.mark.parametrize("content", [b"", b" - \n", b"\xff\xfe"])
def test_a_file_without_a_code_is_replaced(directory, content):
    directory.mkdir()
    (directory / "code-5000").write_bytes(content)
    code = automatic_code(5000)
    assert len(code.split("-")) == 3
    assert automatic_code(5000) == code


def test_a_code_that_cannot_be_kept_holds_for_this_run_and_is_logged(directory, caplog):
    directory.write_bytes(b"a file where the directory should be")
    assert len(automatic_code(5000).split("-")) == 3
    assert "code not kept" in caplog.text
