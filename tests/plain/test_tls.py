"""The client over TLS from outside: first contact, second contact, another certificate."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client_fixtures import RealServer

Run = Callable[..., Any]
WORDS = r"(?:[a-z]+ ){5}[a-z]+"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(run_client: Run, state: Path) -> Run:
    """Run a client that has a state directory of its own."""

    def run(host: str, port: int, *options: str, **environment: str) -> Any:
        environment = {"XDG_STATE_HOME": str(state)} | environment
        done = run_client("ana", host, port, "-m", "hola", *options, **environment)
        return done.returncode, done.stderr.decode()

    return run


@pytest.fixture
def strict(start_server: Callable[..., RealServer]) -> RealServer:
    return start_server("--tls", "require")


def test_the_first_contact_shows_the_words_and_the_second_one_says_nothing(
    run: Run, strict: RealServer, state: Path
) -> None:
    status, said = run("tls://127.0.0.1", strict.port)
    assert status == 0
    [words] = re.findall(rf"^    ({WORDS})$", said, re.MULTILINE)
    known = state / "tertulia" / "known_servers"
    assert known.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(
        rf"127\.0\.0\.1 {strict.port} sha256:[0-9a-f]{{64}} {words}\n", known.read_text()
    )
    status, said = run("127.0.0.1", strict.port)
    assert (status, "certificate" in said) == (0, False), "no option is needed, it is known"


def test_a_changed_certificate_is_refused_until_the_new_words_are_given(
    run: Run, strict: RealServer, tmp_path: Path
) -> None:
    run("127.0.0.1", strict.port, "--tls")
    strict.stop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
        other = RealServer("--tls", "require", port=strict.port)
    try:
        status, said = run("127.0.0.1", strict.port)
        assert status == 4
        [expected] = re.findall(rf"^    expected: ({WORDS})$", said, re.MULTILINE)
        [shown] = re.findall(rf"^    shown: ({WORDS})$", said, re.MULTILINE)
        assert expected != shown
        assert f"--pin '{shown}'" in said
        assert run("127.0.0.1", strict.port, "--pin", expected)[0] == 4
        status, said = run("127.0.0.1", strict.port, "--pin", shown)
        assert (status, "expected certificate" in said) == (0, True)
        status, said = run("127.0.0.1", strict.port)
        assert (status, "certificate" in said) == (0, False)
    finally:
        other.stop()
        strict.start()


def test_a_server_that_was_known_over_tls_is_never_spoken_to_without_it(
    run: Run, strict: RealServer
) -> None:
    run("127.0.0.1", strict.port, "--tls")
    strict.stop()
    strict.options = ("--tls", "off")
    strict.start()
    status, said = run("127.0.0.1", strict.port)
    assert status == 4
    assert "does not speak TLS any more. Nothing was sent to it." in said
    assert "--no-tls" in said
    assert run("127.0.0.1", strict.port, "--no-tls")[0] == 0


def test_who_comes_without_tls_where_it_is_required_gets_the_command(
    run: Run, strict: RealServer
) -> None:
    status, said = run("127.0.0.1", strict.port, LANGUAGE="es")
    assert status == 4
    assert said.startswith("Este servidor solo habla TLS. Usa: tertulia ana 127.0.0.1 ")
    assert said.endswith(f"{strict.port} --tls\n")


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        ("tls://", (), "no address after tls://"),
        ("tls://127.0.0.1:5000", (), "tls://127.0.0.1 5000"),
        ("tls://127.0.0.1", ("--no-tls",), "contradict each other"),
        ("127.0.0.1", ("--no-tls", "--pin", "x"), "--pin needs TLS"),
        ("127.0.0.1", ("--pin", "my pin"), "a pin is the six words"),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(
    run: Run, host: str, options: tuple[str, ...], words: str
) -> None:
    status, said = run(host, 5000, *options)
    assert (status, words in said) == (2, True), said


def test_an_address_of_version_6_needs_no_brackets_after_tls(
    run: Run, start_server: Callable[..., RealServer]
) -> None:
    server = start_server("--host", "::1", "--tls", "require")
    for host in ("TLS://[::1]/", "tls://::1"):
        assert run(host, server.port)[0] == 0


def test_without_a_home_directory_the_certificate_holds_for_this_run(
    run_client: Run, strict: RealServer
) -> None:
    done = run_client(
        "ana", "127.0.0.1", strict.port, "-m", "x", "--tls",
        XDG_STATE_HOME="/dev/null", HOME="/dev/null",
    )  # fmt: skip
    assert done.returncode == 0
    assert b"could not be kept" in done.stderr
