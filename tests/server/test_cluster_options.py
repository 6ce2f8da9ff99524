"""The options that join several machines to one chat: what is read, and what is refused."""

import os
import socket
from pathlib import Path

import pytest

from tertulia.i18n import set_language
from tertulia.server.config import Config
from tertulia.server.options import Options, parse_options

CLUSTER = ("0", "--cluster", "nats://10.0.0.1")


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    file = tmp_path / "nats.creds"
    file.write_text("secret")
    file.chmod(0o600)
    return file


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments)
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.parametrize(
    ("given", "servers"),
    [
        ("nats://a:4223,nats://b,nats://[::1]",
         ["nats://a:4223", "nats://b:4222", "nats://[::1]:4222"]),
        ("tls://a, tls://b/", ["tls://a:4222", "tls://b:4222"]),
    ],
)  # fmt: skip
def test_the_servers_are_read_and_get_the_usual_port(given: str, servers: list[str]) -> None:
    assert parse_options(["0", "--cluster", given]).config.cluster == tuple(servers)


def test_the_servers_may_be_given_one_by_one() -> None:
    config = parse_options(["0", "--cluster", "nats://a", "--cluster", "nats://b,nats://c"]).config
    assert config.cluster == ("nats://a:4222", "nats://b:4222", "nats://c:4222")


@pytest.mark.parametrize("text", ["", "nats://a,", "nats://a\n:4222"])
def test_what_is_no_server_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = refusal(capsys, "0", "--cluster", text)
    assert "argument --cluster: " in words
    assert "is not the address of a nats-server, for example nats://10.0.0.1:4222" in words


def test_port_0_and_a_server_named_twice_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "a port from 1 to 65535" in refusal(capsys, "0", "--cluster", "nats://a:0")
    words = refusal(capsys, "0", "--cluster", "nats://a,nats://A:4222")
    assert "--cluster names nats://a:4222 twice" in words


def test_encrypted_and_plain_connections_are_not_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    words = refusal(capsys, "0", "--cluster", "tls://a,nats://b")
    assert "mixes nats:// and tls://: encrypt all connections, or none" in words


@pytest.mark.parametrize("text", ["nats://ana:hunter2@a:4222", "nats://token@a", "nats://a,b@c"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refusal(capsys, "0", "--cluster", text)
    assert "other users of this computer can read a command line" in words
    assert "--cluster-credentials FILE" in words
    assert text.partition("@")[0] not in words


def test_a_node_has_the_computers_name_and_the_chat_the_usual_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for host, node in (
        ("lab1", "lab1"),
        ("lab1.example.org", "lab1-example-org"),
        ("Máquina_2", "M-quina_2"),
        ("x" * 31 + ".org", "x" * 31),
        ("ñ", "node"),
    ):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        config = parse_options(CLUSTER).config
        assert (config.node, config.chat) == (node, "tertulia")
        assert config.cluster_credentials is None
        assert not config.new_log


def test_names_are_taken_as_they_are_given() -> None:
    name = "Lab_1-" + "x" * 26
    config = parse_options([*CLUSTER, "--node", name, "--chat", "aula-3", "--new-log"]).config
    assert (config.node, config.chat, config.new_log) == (name, "aula-3", True)


@pytest.mark.parametrize(
    ("option", "name"),
    [*(("--node", name) for name in ("", "a.b", "a*", "ñ", "x" * 33, "a\n")), ("--chat", "a.b")],
)
def test_a_name_that_does_not_fit_is_refused(
    option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refusal(capsys, *CLUSTER, option, name)
    assert f"argument {option}: " in words
    assert "use 1 to 32 letters from a to z, digits, - and _" in words


def test_the_file_of_credentials_is_named_and_checked(
    credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = parse_options([*CLUSTER, "--cluster-credentials", str(credentials)])
    assert options.config.cluster_credentials == str(credentials)
    assert options.exposed_credentials is None

    missing = credentials.with_name("none")
    words = refusal(capsys, *CLUSTER, "--cluster-credentials", str(missing))
    assert f"cannot read {missing}: No such file or directory" in words
    words = refusal(capsys, *CLUSTER, "--cluster-credentials", str(credentials.parent))
    assert f"{credentials.parent} is not a file" in words
    os.mkfifo(missing)
    words = refusal(capsys, *CLUSTER, "--cluster-credentials", str(missing))
    assert f"{missing} is not a file" in words
    credentials.write_text("")
    words = refusal(capsys, *CLUSTER, "--cluster-credentials", str(credentials))
    assert f"{credentials} is empty" in words


def test_it_is_noticed_that_others_can_read_the_credentials(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*CLUSTER, "--cluster-credentials", str(credentials)]
    credentials.chmod(0o640)
    assert parse_options(arguments).exposed_credentials == str(credentials)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials.parent))  # of systemd, and closed
    assert parse_options(arguments).exposed_credentials is None


@pytest.mark.parametrize(
    "option", ["--node a", "--chat a", "--new-log", "--cluster-credentials {file}"]
)
def test_what_is_for_several_machines_needs_the_cluster(
    option: str, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refusal(capsys, "0", *option.format(file=credentials).split())
    assert f"{option.split()[0]} is for several machines: it needs --cluster too" in words


def test_a_code_of_each_servers_own_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = refusal(capsys, *CLUSTER, "--code", "auto")
    assert "each server of the cluster would make another code: choose one" in words
    assert parse_options([*CLUSTER, "--code", "tres palabras"]).config.code == "tres palabras"


def test_a_new_log_is_not_begun_at_each_start(capsys: pytest.CaptureFixture[str]) -> None:
    words = refusal(capsys, *CLUSTER, "--new-log", "--supervise")
    assert "with --supervise it would happen again at each start" in words


def test_a_node_may_keep_no_history_of_its_own() -> None:
    assert parse_options([*CLUSTER, "--history", "off"]).config.history is None


def test_a_single_server_knows_nothing_of_a_cluster() -> None:
    assert parse_options(["0"]) == Options(Config(port=0), "info", None, None, None, True)
