"""What is installed is whole, and the service unit survives a start that fails."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "packaging/tertulia.service"
INSTANCE = ROOT / "packaging/tertulia@.service"
UNITS = sorted(
    path
    for path in (ROOT / "packaging").iterdir()
    if path.suffix in (".service", ".socket", ".timer")
)


def test_the_wheel_holds_every_file_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    wheel = tmp_path / buildapi.build_wheel(str(tmp_path))
    source = ROOT / "src"
    page = {
        str(path.relative_to(source))
        for path in (source / "tertulia/web").rglob("*")
        if path.is_file()
    }
    assert {"tertulia/web/index.html", "tertulia/web/commands.json"} < page
    assert page <= set(zipfile.ZipFile(wheel).namelist())


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def dependencies(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return {re.split("[<=>]", name)[0].lower().replace("_", "-") for name in wanted}


def test_who_only_chats_installs_no_tools_and_the_tools_come_with_the_same_versions() -> None:
    use, dev = pinned("use.lock"), pinned("dev.lock")
    assert dependencies("setup", "cluster") <= use.keys()
    assert not (dependencies("dev") - dependencies("setup")) & use.keys()
    assert dependencies("setup", "cluster", "dev") <= dev.keys()
    assert use.items() <= dev.items()


def recipe(*arguments: str) -> str:
    """Return what make would do in a clean checkout, also while `make test` runs this."""
    own = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments],
        cwd=ROOT, env=own, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("target", ["setup", "demo", "serve", "join"])
def test_the_chat_is_set_up_without_the_tools(target: str) -> None:
    commands = recipe(target)
    assert "-r requirements/use.lock" in commands
    assert "dev.lock" not in commands


@pytest.mark.parametrize("target", ["setup-dev", "test", "test-web", "check", "format", "messages"])
def test_work_on_the_code_is_set_up_with_the_tools(target: str) -> None:
    assert "-r requirements/dev.lock" in recipe(target)


@pytest.mark.parametrize("value", ["Ana Maria", "O'Hara; true", '"', "a\\b *"])
def test_make_gives_each_value_to_the_program_as_one_word(value: str) -> None:
    named = {"NAME": value, "HOST": f"h{value}", "PORT": f"p{value}"}
    last = recipe("join", *(f"{name}={text}" for name, text in named.items())).splitlines()[-1]
    assert shlex.split(last)[1:] == list(named.values())


def settings(path: Path = UNIT) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not name.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("path", [UNIT, INSTANCE], ids=lambda path: path.name)
def test_a_start_that_fails_is_tried_again_until_it_succeeds(path: Path) -> None:
    """At boot the address may come late (status 1), or systemd has no room for a folder (238)."""
    unit = settings(path)
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert int(unit["RestartSec"][0]) >= 1
    assert unit["RestartPreventExitStatus"] == ["2"], "the status of a usage error, and no other"
    assert unit["Wants"] == ["network-online.target"]
    assert unit["After"] == ["network-online.target", "nats-server.service"]
    assert "Requires" not in unit, "a computer without a nats-server has no such unit"


def test_a_nats_server_is_shut_in_and_started_again_as_the_service_is() -> None:
    service, nats = settings(), settings(ROOT / "packaging/nats-server.service")
    own = {"After", "Description", "ExecStart", "User", "StateDirectory", "StateDirectoryMode"}
    not_there = {"Type", "KillMode", "WatchdogSec", "RestartPreventExitStatus", "DynamicUser"}
    same = {name for name in service | nats if service.get(name) == nats.get(name)}
    different = (service | nats).keys() - same
    assert different == own | not_there | {
        *("Environment", "ExecReload", "TimeoutStopSec")
    }  # fmt: skip
    page = (ROOT / "docs/operations.md").read_text()
    program, _flag, conf = nats["ExecStart"][0].split()
    assert f"    runuser -u {nats['User'][0]} -- {program} -t -c {conf}\n" in page
    assert nats["ExecReload"] == [f"{program} -t -c {conf}", *service["ExecReload"]]
    text = (ROOT / "packaging/nats.conf").read_text()
    assert f'store_dir: "/var/lib/{nats["StateDirectory"][0]}"' in text


def test_the_page_for_operators_names_the_places_of_the_unit() -> None:
    unit = settings()
    program, port, _supervise = unit["ExecStart"][0].split()
    history = f"/var/lib/{unit['StateDirectory'][0]}/history-{port}.db"
    page = (ROOT / "docs/operations.md").read_text()
    for command in ("--backup chat.db", "--restore chat.db"):
        assert f"    {program} --history {history} {command}\n" in page
    assert unit["Environment"] == ["XDG_STATE_HOME=%S"]


def test_an_instance_differs_from_the_single_service_in_its_names_alone() -> None:
    single, instance = settings(), settings(INSTANCE)
    own = {"Description", "ExecStart", "Environment", "EnvironmentFile", "StateDirectory"}
    assert {name for name in single | instance if single.get(name) != instance.get(name)} == own
    assert instance["Environment"] == ["PORT=%i", "XDG_STATE_HOME=%S/tertulia-%i"]
    assert instance["StateDirectory"] == ["tertulia-%i"]


def test_the_backups_read_the_histories_where_the_services_keep_them() -> None:
    for suffix, name, port in (("", "tertulia", "5000"), ("@", "tertulia-%i/tertulia", "%i")):
        unit = settings(ROOT / f"packaging/tertulia-backup{suffix}.service")
        assert unit["Environment"] == [f"PORT={port}"]
        file = "$${HISTORY:-/var/lib/" + name + "/history-$PORT.db}"  # $$: the shell expands it
        assert f'--history "{file}" --backup ' in unit["ExecStart"][0]
        assert (ROOT / f"packaging/tertulia-backup{suffix}.timer").exists()


@pytest.mark.parametrize("suffix", ["", "@"])
def test_a_backup_is_shut_in_as_the_service_is(suffix: str) -> None:
    service, backup = settings(), settings(ROOT / f"packaging/tertulia-backup{suffix}.service")
    names = list(service)
    sandbox = set(names[names.index("NoNewPrivileges") : names.index("WantedBy")])
    assert "ProtectSystem" in sandbox
    assert {name for name in sandbox if service[name] != backup.get(name)} == {
        "CapabilityBoundingSet",  # it is root, and reads the files of the service's user
        "RestrictAddressFamilies",
        "SystemCallFilter",  # with it, systemd kills SQLite, which as root sets owners
    }
    assert backup["CapabilityBoundingSet"] == ["CAP_DAC_READ_SEARCH"]
    assert backup["SystemCallFilter"] == ["@system-service"]
    assert backup["ReadWritePaths"] == ["/var/backups"]
    assert backup["PrivateNetwork"] == ["yes"]


def test_the_socket_unit_has_the_port_of_the_service() -> None:
    socket = settings(ROOT / "packaging/tertulia.socket")
    assert settings()["ExecStart"][0].split()[1] == socket["ListenStream"][0]
    # Else those who wait have a service that ends with a usage error started again and again.
    assert socket["FlushPending"] == ["yes"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = re.sub("/opt/[a-z]+/bin/[a-z-]+", "/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text)
    result = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()],
        *(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    names = {path.name for path in UNITS}
    assert [line for line in result.stderr.splitlines() if any(n in line for n in names)] == []
