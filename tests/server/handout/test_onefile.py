"""The archive with the client: what is in it, and what it does with an old Python."""

import importlib.util
import io
import sys
import zipfile

import pytest

import tertulia.onefile
from tertulia.server.handout import onefile
from tertulia.server.handout.onefile import one_file


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(one_file()))


def run_main(archive: zipfile.ZipFile) -> object:
    """Run the archive's main module, and return its exit status."""
    with pytest.raises(SystemExit) as exited:
        exec(archive.read("__main__.py"), {})
    return exited.value.code


def test_it_has_the_plain_client_and_nothing_compiled(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    parts = {name.split("/")[1] for name in names if name.startswith("tertulia/")}
    assert {"chat", "client", "plain", "protocol", "standin", "tls", "locale"} <= parts
    assert {"words.txt", "words.LICENSE.txt", "cli.py", "onefile.py"} <= parts
    assert not {"server", "tui", "web", "watch"} & parts
    assert not [name for name in names if name.endswith((".so", ".pyc", ".pyd"))]


def test_of_the_translations_it_has_only_the_compiled_ones(archive: zipfile.ZipFile) -> None:
    names = [name for name in archive.namelist() if name.startswith("tertulia/locale/")]
    assert names == ["tertulia/locale/es/LC_MESSAGES/tertulia.mo"]


def test_a_file_with_more_behind_its_ending_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "tertulia/cli.py",
        "tertulia/cli.py~",
        "tertulia/locale/es.mo",
        "tertulia/locale/es.mo~",
    ]
    monkeypatch.setattr(onefile, "package_files", lambda: [(name, b"") for name in names])
    found = zipfile.ZipFile(io.BytesIO(one_file())).namelist()
    assert [name for name in found if name in names] == names[::2]


def test_it_has_its_packages_and_a_stand_in_for_the_compiled_one(archive: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops == {"__main__.py", "msgspec", "platformdirs", "tertulia", "tomlkit"}
    modules = [name for name in archive.namelist() if name.startswith("msgspec/")]
    assert modules == ["msgspec/__init__.py", "msgspec/json.py", "msgspec/structs.py"]
    for name in modules:
        assert b"from tertulia.standin" in archive.read(name)


def test_the_same_files_give_the_same_small_archive_that_a_shell_can_start() -> None:
    body = one_file()
    assert body == one_file()
    assert body.startswith(b"#!/usr/bin/env python3\n")
    assert len(body) < 600_000


@pytest.mark.parametrize("missing", ["platformdirs", "tomlkit"])
def test_without_one_of_its_packages_there_is_no_archive(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find_spec(name)
    )
    with pytest.raises(ImportError, match=f"^{missing} is missing$"):
        one_file()


def test_it_ends_as_the_client_does(
    archive: zipfile.ZipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tertulia.onefile, "main", lambda: 3)
    assert run_main(archive) == 3


def test_an_old_python_is_told_in_both_languages_what_is_needed(
    archive: zipfile.ZipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    assert run_main(archive) == (
        "tertulia needs Python 3.11 or later. / tertulia necesita Python 3.11 o posterior."
    )
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    monkeypatch.setattr(tertulia.onefile, "main", lambda: 0)
    assert run_main(archive) == 0
