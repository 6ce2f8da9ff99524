"""What is installed is whole, and the service unit survives a start that fails."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging/tertulia.service"


def test_the_wheel_holds_every_file_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    wheel = tmp_path / buildapi.build_wheel(str(tmp_path))
    page = {f"tertulia/web/{path.name}" for path in (ROOT / "src/tertulia/web").iterdir()}
    assert {"tertulia/web/index.html", "tertulia/web/commands.json"} < page
    assert page <= set(zipfile.ZipFile(wheel).namelist())


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not name.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_a_start_that_fails_is_tried_again_until_it_succeeds() -> None:
    """At boot the address may come late, or the disk may be full: both give status 1."""
    unit = settings()
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert int(unit["RestartSec"][0]) >= 1
    assert unit["RestartPreventExitStatus"] == ["2"], "the status of a usage error, and no other"
    assert unit["After"] == unit["Wants"] == ["network-online.target"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert "/opt/tertulia/bin/tertulia-server" in text
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/tertulia/bin/tertulia-server", "/bin/true"))
    result = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in result.stderr.splitlines() if UNIT.name in line]
    assert complaints == []
