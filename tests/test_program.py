"""The command to type, however the program was started."""

import os
import sys

import pytest

from tertulia.program import client_command


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the commands in a folder of the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("tertulia", "tertulia-server"):
        (folder / name).touch(0o755)
    return folder


def test_the_command_of_the_current_folder_has_its_folder_too(installed, monkeypatch):
    monkeypatch.chdir(installed)
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(sys, "argv", ["./tertulia-server"])
    assert client_command() == "./tertulia"


@pytest.mark.parametrize("path", [True, False])
def test_the_command_is_as_it_works_in_the_shell(installed, monkeypatch, path):
    monkeypatch.setenv("PATH", f"/usr/bin:{installed}" if path else "/usr/bin")
    monkeypatch.setattr(sys, "argv", ["my venv/bin/tertulia-server"])
    assert client_command() == ("tertulia" if path else "'my venv/bin/tertulia'")
    monkeypatch.setattr(sys, "argv", [str(installed / "tertulia-server")])
    assert client_command() == ("tertulia" if path else f"'{installed}/tertulia'")


def test_the_command_is_not_another_one_of_the_same_name(installed, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "tertulia").touch(0o755)
    monkeypatch.setenv("PATH", str(other))
    monkeypatch.setattr(sys, "argv", ["my venv/bin/tertulia-server"])
    assert client_command() == "'my venv/bin/tertulia'"


def test_a_link_on_the_path_to_the_command_is_the_command(installed, tmp_path, monkeypatch):
    links = tmp_path / "links"
    links.mkdir()
    os.symlink(installed / "tertulia", links / "tertulia")
    monkeypatch.setenv("PATH", str(links))
    monkeypatch.setattr(sys, "argv", [str(installed / "tertulia-server")])
    assert client_command() == "tertulia"


def test_started_as_a_module_the_command_is_beside_python(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "cli.py")])
    monkeypatch.setattr(sys, "executable", str(installed / "python"))
    assert client_command() == f"'{installed}/tertulia'"
