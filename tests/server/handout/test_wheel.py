"""The wheel that the server makes of its own files."""

import base64
import csv
import hashlib
import io
import zipfile
from importlib import metadata

import pytest
from flit_core import buildapi

from tertulia.server.handout.wheel import NotInstalled, own_wheel
from tertulia.version import __version__


@pytest.fixture(scope="module")
def wheel() -> tuple[str, bytes]:
    return own_wheel()


def test_the_same_files_give_the_same_wheel(wheel: tuple[str, bytes]) -> None:
    assert wheel[0] == f"tertulia-{__version__}-py3-none-any.whl"
    assert own_wheel() == wheel


def test_it_has_what_a_build_has(
    wheel: tuple[str, bytes], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(__file__.partition("/tests/")[0])
    built = zipfile.ZipFile(f"{tmp_path}/{buildapi.build_wheel(str(tmp_path))}")
    made = zipfile.ZipFile(io.BytesIO(wheel[1]))
    assert set(made.namelist()) == set(built.namelist())
    for name in made.namelist():
        if not name.endswith(("/RECORD", "/WHEEL", "/METADATA", ".mo")):
            assert made.read(name) == built.read(name), name


def test_its_record_is_right(wheel: tuple[str, bytes]) -> None:
    archive = zipfile.ZipFile(io.BytesIO(wheel[1]))
    record = archive.read(f"tertulia-{__version__}.dist-info/RECORD").decode()
    rows = {name: (digest, size) for name, digest, size in csv.reader(record.splitlines())}
    assert rows.keys() == set(archive.namelist())
    for name, (digest, size) in rows.items():
        if not name.endswith("/RECORD"):
            body = archive.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={expected}", str(len(body)))


def test_what_no_installer_knows_has_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_name: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", find_nothing)
    with pytest.raises(NotInstalled):
        own_wheel()
