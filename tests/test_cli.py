"""The command line: usage, and how each failure ends."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tertulia import cli
from tertulia.chat.settings import Loaded, Settings
from tertulia.client.client import Client
from tertulia.i18n import set_language

Run = Callable[..., Any]
TERTULIA = Path(sys.executable).with_name("tertulia")


@contextlib.contextmanager
def a_closed_port() -> Iterator[int]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["ana", "127.0.0.1"],
        ["ana", "127.0.0.1", "65536"],
        ["ana", "127.0.0.1", "5000", "extra"],
        ["!", "?", "127.0.0.1", "5000"],
        ["ana", "127.0.0.1", "5000", "--lang", "fr"],
        ["ana", "127.0.0.1", "5000", "--no-such-option"],
    ],
)
def test_wrong_usage_is_told_in_both_languages(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    for language, end in (("en", "(see tertulia --help)"), ("es", "(consulta tertulia --help)")):
        set_language(language)
        with pytest.raises(SystemExit) as ended:
            cli._parse(arguments)
        assert ended.value.code == 2
        words = " ".join(capsys.readouterr().err.split())
        assert words.startswith("tertulia: ")
        assert words.endswith(end)
        for english in ("the following", "unrecognized", "invalid", "argument "):
            assert language == "en" or english not in words


def test_wrong_usage_ends_the_program_with_2_and_nothing_on_standard_output(
    run_client: Run,
) -> None:
    done = run_client("ana", "127.0.0.1", LANGUAGE="es")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().endswith("(consulta tertulia --help)\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["Ana", "Maria", "192.168.1.10", "5000"],
        ["Ana", "Maria", "--plain", "192.168.1.10", "5000"],
        ["Ana", "--lang=en", "Maria", "192.168.1.10", "5000"],
    ],
)
def test_a_name_of_two_words_gets_the_command_that_works(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli._parse([*arguments, "--source", "127.0.0.7"])
    assert ended.value.code == 2
    command = "tertulia Ana_Maria 192.168.1.10 5000 --source 127.0.0.7"
    words = " ".join(capsys.readouterr().err.split())
    assert words == f"tertulia: a name has no spaces. Try: {command}"


@pytest.mark.parametrize(
    ("hosts", "first", "others", "tls"),
    [
        ("10.0.0.1", ("10.0.0.1", 5000), [], None),
        ("a,b:5001,[::1]:5002,::2", ("a", 5000), [("b", 5001), ("::1", 5002), ("::2", 5000)], None),
        ("a:5001,a:5001,a", ("a", 5001), [("a", 5000)], None),
        ("tls://a,b/,TLS://[::1]/", ("a", 5000), [("b", 5000), ("::1", 5000)], True),
    ],
)
def test_several_servers_are_one_argument(hosts, first, others, tls) -> None:
    options = cli._parse(["ana", hosts, "5000"])
    assert ((options.host, options.port), list(options.others)) == (first, others)
    assert options.tls is tls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a,,b", "5000"], "“a,,b” is not the address of a server. Write for example 10.0.0.1"),
        (["a:5001", "5000"], "write the port after the address: a 5001"),
        (["[::1]:5001"], "write the port after the address: [::1] 5001"),
        (["http://10.0.0.1:5001/"], "write the port after the address: 10.0.0.1 5001"),
        (["https://a:5001/#client"], "write the port after the address: a 5001"),
        (["tls://10.0.0.1:5001"], "write the port after the address: tls://10.0.0.1 5001"),
        (["a:5001,b:5001"], "the following arguments are required: PORT"),
        (["::1"], "the following arguments are required: PORT"),
        (["a,", "b,", "c", "5000"], "spaces between the addresses. Try: tertulia ana a,b,c 5000"),
    ],
)
def test_what_is_no_address_is_wrong_usage(capsys, arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli._parse(["ana", *arguments])
    assert ended.value.code == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_help_is_in_the_language_asked_for(run_client: Run) -> None:
    assert b"NAME SERVER-IP PORT" in run_client("--help").stdout
    spanish = run_client("--help", "--lang", "es").stdout.decode()
    assert "NOMBRE IP-DEL-SERVIDOR PUERTO" in spanish
    for english in ("usage", "options", "positional", "show", "exit"):
        assert english not in spanish


def test_the_version_is_told(run_client: Run) -> None:
    done = run_client("--version")
    assert (done.returncode, done.stdout.decode().split()[0]) == (0, "tertulia")


def test_no_server_ends_with_3_and_names_the_command_that_starts_one(run_client: Run) -> None:
    with a_closed_port() as port:
        done = run_client("ana", "127.0.0.1", port, "--lang", "es")
    assert done.returncode == 3
    assert done.stdout == b""
    text = done.stderr.decode()
    assert f"Ningún servidor escucha en 127.0.0.1, puerto {port}." in text
    assert f"tertulia-server {port}" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a..b", "5000"], "no computer with the name “a..b”"),
        (["127.0.0.1", "5000", "--source", "203.0.113.9"], "“203.0.113.9” is not an address"),
        (["::1", "5000", "--source", "127.0.0.2"], "::1 cannot be reached"),
    ],
)
def test_other_failures_to_connect_end_with_3_and_their_cause(
    run_client: Run, arguments: list[str], words: str
) -> None:
    done = run_client("ana", *arguments)
    assert done.returncode == 3
    assert words in done.stderr.decode()


def test_what_is_no_tertulia_server_ends_with_3(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    server = scripted_server(lambda peer: peer.send_raw(b"220 ftp.example.org ready\r\n"))
    done = run_client("ana", "127.0.0.1", server.port)
    assert done.returncode == 3
    assert "is not a tertulia server" in done.stderr.decode()


@pytest.mark.parametrize("name", ["a b", "\x1b[31m", b"\xff"])
def test_what_cannot_be_a_name_ends_with_4(
    run_client: Run, shared_server: Any, fresh_address: Callable[[], str], name: str | bytes
) -> None:
    argument = name.decode(errors="surrogateescape") if isinstance(name, bytes) else name
    options = ["--source", fresh_address(), "--", argument]
    done = run_client(*options, "127.0.0.1", shared_server.port)
    assert done.returncode == 4
    assert "cannot be a name" in done.stderr.decode()


def test_a_taken_name_and_a_taken_address_end_with_4_and_a_way_out(
    run_client: Run, shared_server: Any, client_environment: dict[str, str]
) -> None:
    port = shared_server.port
    command = [TERTULIA, "luis", "127.0.0.1", str(port), "--source", "127.7.0.1", "--json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=client_environment,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        assert b'"welcome"' in first.stdout.readline()
        name = run_client("Luis", "127.0.0.1", port, "--source", "127.7.0.2", "--lang", "es")
        address = run_client("eva", "127.0.0.1", port, "--source", "127.7.0.1", "--lang", "es")
        as_json = run_client("luis", "127.0.0.1", port, "--source", "127.7.0.2", "--json")
        first.communicate()
    assert [done.returncode for done in (name, address, as_json)] == [4, 4, 4]
    assert f"tertulia Luis2 127.0.0.1 {port} --source 127.7.0.2" in name.stderr.decode()
    assert f"tertulia-server {port} --shared-addresses" in address.stderr.decode()
    assert b'"code":"name_taken"' in as_json.stdout


def test_the_source_that_a_refusal_suggests_is_free(
    run_client: Run, start_server: Callable[..., Any]
) -> None:
    port = start_server().port
    with contextlib.ExitStack() as others:
        for number in (1, 2, 4):
            client = Client.connect("127.0.0.1", port, f"u{number}", source=f"127.0.0.{number}")
            others.enter_context(client)
        address, name = run_client("ana", "127.0.0.1", port), run_client("u4", "127.0.0.1", port)
        command = address.stderr.decode().split(": ")[-1].split()
        assert command == ["tertulia", "ana", "127.0.0.1", str(port), "--source", "127.0.0.3"]
        assert run_client(*command[1:]).returncode == 0
        command = name.stderr.decode().split(": ")[-1].split()
        assert command == ["tertulia", "u5", "127.0.0.1", str(port), "--source", "127.0.0.3"]
        assert run_client(*command[1:]).returncode == 0


def test_a_host_name_will_do(run_client: Run, start_server: Callable[..., Any]) -> None:
    done = run_client("ana", "localhost", start_server().port)
    assert done.returncode == 0


def test_closed_standard_streams_do_no_harm(
    shared_server: Any, fresh_address: Callable[[], str], client_environment: dict[str, str]
) -> None:
    command = f"'{TERTULIA}' ana 127.0.0.1 {shared_server.port} --source {fresh_address()}"
    for closed in ("<&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            ["/bin/sh", "-c", f"exec {command} {closed}"], env=client_environment, timeout=20,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "plain", "lines"),
    [
        ([], False, False),
        ([], True, True),
        (["--plain"], False, True),
        (["--no-plain"], True, False),
        (["--json"], False, True),
        (["-m", "hola", "--no-plain"], False, True),
        (["--stdin"], False, True),
        (["--wait", "3", "--free-name"], False, False),
    ],
)
def test_the_face_follows_from_the_options_and_the_settings(
    options: list[str], plain: bool, lines: bool
) -> None:
    parsed = cli._parse(["ana", "127.0.0.1", "5000", *options])
    assert cli._wants_lines(parsed, Loaded(Settings(plain=plain))) is lines
