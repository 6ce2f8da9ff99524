"""The server's command line: what each option sets, and which history is meant."""

import os
import sys
from pathlib import Path

import pytest

from tertulia.i18n import set_language
from tertulia.server.config import Config
from tertulia.server.options import Options, parse_options


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty state directory, and have the texts in English."""
    set_language("en")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = tmp_path / "tertulia"
    directory.mkdir()
    return directory


def config(*arguments: str) -> Config:
    return parse_options(["0", *arguments]).config


def test_without_options_everything_is_the_default():
    assert parse_options(["0"]) == Options(Config(port=0), "info", None, None, None, True)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("--host 127.0.0.1", "host", "127.0.0.1"),
        ("--threads 4", "threads", 4),
        ("--threads session", "threads", None),
        ("--idle-after 1.5", "idle_after_s", 1.5),
        ("--idle-after off", "idle_after_s", None),
        ("--shared-addresses", "shared_addresses", True),
        ("--web off", "web", False),
        ("--web on", "web", True),
        ("--announce off", "announce", False),
        ("--announce on", "announce", True),
        ("--name chat.example --name chat", "names", ("chat.example", "chat")),
        ("--max-users 7", "max_users", 7),
        ("--rate-limit 5", "rate_limit_per_s", 5.0),
        ("--rate-limit 5/s", "rate_limit_per_s", 5.0),
        ("--rate-limit off", "rate_limit_per_s", None),
        ("--history /tmp/h.db", "history", "/tmp/h.db"),
        ("--history off", "history", None),
        ("--keep 30", "keep_days", 30.0),
        ("--keep 1e8", "keep_days", 36_500.0),
        ("--keep all", "keep_days", None),
        ("--ping-after 1", "ping_after_s", 1.0),
        ("--silence-timeout 60", "silence_timeout_s", 60.0),
        ("--challenge-timeout 3.5", "challenge_timeout_s", 3.5),
        ("--register-timeout 4", "register_timeout_s", 4.0),
        ("--write-timeout 5", "write_timeout_s", 5.0),
        ("--log-bytes 6", "log_bytes", 6),
        ("--private-bytes 7", "private_bytes", 7),
        ("--send-buffer-bytes 8", "send_buffer_bytes", 8),
        ("--max-unregistered 9", "max_unregistered", 9),
        ("--max-unregistered-per-address 10", "max_unregistered_per_address", 10),
    ],
)
def test_an_option_sets_its_field_and_no_other(arguments, field, value):
    assert config(*arguments.split()) == Config(port=0, **{field: value})


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("", "the port is missing"),
        ("-1", "a port is a number from 0 to 65535"),
        ("65536", "a port is a number from 0 to 65535"),
        ("٥٠٠٠", "a port is a number from 0 to 65535"),
        ("000001", "a port is a number from 0 to 65535"),
        ("0 --threads 0", "'0' is not a whole number from 1 to 1024"),
        ("0 --threads 1025", "'1025' is not a whole number from 1 to 1024"),
        ("0 --max-users 1.5", "'1.5' is not a whole number"),
        ("0 --max-users 99999999999", "'99999999999' is not a whole number"),
        ("0 --idle-after 0", "'0' is not a number greater than 0"),
        ("0 --idle-after nan", "'nan' is not a number greater than 0"),
        ("0 --idle-after inf", "'inf' is not a number greater than 0"),
        ("0 --keep soon", "'soon' is not a number greater than 0"),
        ("0 --rate-limit /s", "'' is not a number greater than 0"),
        ("0 --max-users 0", "'0' is not a whole number"),
        ("0 --rate-limit fast", "'fast' is not a number greater than 0"),
        ("0 --log-level loud", "--log-level"),
        ("0 --max-user 5", "--max-user"),
        ("0 --certificate a", "--certificate and --key belong together"),
        ("0 --key a", "--certificate and --key belong together"),
        ("0 --certificate a --key b --tls off", "--certificate needs TLS"),
        ("0 --restore a", "which history to use"),
        ("0 --history :memory:", "--history takes the name of a file, or off"),
        ("5000 --json", "--json needs --watch"),
        (
            "0 --silence-timeout 20",
            "--silence-timeout 20 is too short for --ping-after 30: "
            "choose at least --silence-timeout 30.5, or at most --ping-after 19.5",
        ),
        ("0 --ping-after 45", "at least --silence-timeout 45.5, or at most --ping-after 44.5"),
        ("0 --ping-after 0.3 --silence-timeout 0.7", "or at most --ping-after 0.2 "),
        ("0 --silence-timeout 0.4", "choose at least --silence-timeout 30.5 (see"),
        (
            "0 --challenge-timeout 25",
            "--register-timeout 20 is too short for --challenge-timeout 25: "
            "choose at least --register-timeout 25.5, or at most --challenge-timeout 19.5",
        ),
        ("0 --challenge-timeout 20", "at least --register-timeout 20.5"),
        ("0 --register-timeout 2", "at least --register-timeout 3.5, or at most --chall"),
        ("0 --register-timeout 0.3", "choose at least --register-timeout 3.5 (see"),
    ],
)
def test_a_wrong_command_line_is_status_2_and_one_line(arguments, problem, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments.split())
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert problem in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "--silence-timeout 30.5",
        "--silence-timeout 20 --ping-after 19.5",
        "--silence-timeout 0.7 --ping-after 0.2",
        "--silence-timeout 123456.7 --ping-after 123456.2",
        "--challenge-timeout 19.5",
        "--register-timeout 25.5 --challenge-timeout 25",
        "--register-timeout 2 --challenge-timeout 1.5",
    ],
)
def test_the_numbers_that_a_refusal_names_are_accepted(arguments):
    flag, number, *_ = arguments.split()
    field = flag[2:].replace("-", "_") + "_s"
    assert getattr(config(*arguments.split()), field) == float(number)


def test_help_shows_the_defaults_that_the_config_has(capsys):
    with pytest.raises(SystemExit):
        parse_options(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "connected users (1024)" in text
    assert "after which its session ends (45)" in text
    assert "bytes of recent events kept for slow clients (8388608)" in text


def test_in_the_journal_a_usage_error_is_an_error(monkeypatch, capfd):
    found = os.fstat(sys.stderr.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    with pytest.raises(SystemExit):
        parse_options(["5000", "--hots", "10.0.0.1"])
    assert capfd.readouterr().err == (
        "<3>tertulia-server: unrecognized arguments: --hots 10.0.0.1 (see tertulia-server --help)\n"
    )


def test_a_port_has_a_history_of_its_own_and_a_free_port_none(state):
    assert parse_options(["5000"]).config.history == str(state / "history-5000.db")
    assert parse_options(["0"]).config.history is None


@pytest.mark.parametrize("option", ["--export", "--backup"])
def test_instead_of_serving_the_history_is_written_elsewhere(state, option):
    parsed = parse_options(["5000", option, "to"])
    assert parsed.config.history == str(state / "history-5000.db")
    assert (parsed.export_to, parsed.backup_to) == {
        "--export": ("to", None),
        "--backup": (None, "to"),
    }[option]
    assert parse_options([option, "to", "--history", "h.db"]).config.history == "h.db"


def test_networks_are_read_and_may_be_repeated():
    config = parse_options(["0", "--allow", "10.0.0.7", "--allow", "fd00::/8"]).config
    assert [str(network) for network in config.allow] == ["10.0.0.7/32", "fd00::/8"]
    assert config.deny == config.proxy_from == ()


def test_metrics_that_are_off_are_for_nobody(capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(["0", "--metrics", "off", "--metrics", "10.0.0.7"])
    assert ended.value.code == 2
    assert "--metrics off cannot go together with an address" in capsys.readouterr().err


@pytest.mark.parametrize("instead", [["--backup", "b.db"], ["--export", "-"], ["--operator"]])
def test_only_a_server_can_be_supervised(instead, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(["5000", "--supervise", *instead])
    assert ended.value.code == 2
    assert "--supervise" in capsys.readouterr().err
