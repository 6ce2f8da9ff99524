"""Coming in to a chat that asks for a code, or that holds names: with a real server."""

import re

import pytest
from client_fixtures import RealServer

from tertulia import Client, RegistrationRefused

CODE = "able-baker-cat"


@pytest.fixture
def state(tmp_path):
    """Return the environment of a user who has not been anywhere yet."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture(scope="module")
def port():
    """Start a server with a code. Wrong ones count, so each test has an address of its own."""
    server = RealServer("--code", CODE, "--history", "off")
    yield server.port
    server.stop()


@pytest.fixture
def to(port, fresh_address):
    return ["127.0.0.1", port, "--source", fresh_address()]


def test_without_a_terminal_a_missing_code_ends_with_4_and_says_what_to_type(run_client, to, state):
    done = run_client("ana", *to, **state)
    assert done.returncode == 4
    words = done.stderr.decode()
    assert "This chat asks for a code. Ask the person who runs it." in words
    assert re.search(r"Then use: tertulia ana 127\.0\.0\.1 \d+ --source \S+ --code CODE", words)


def test_a_wrong_code_is_explained_in_spanish_too(run_client, to, state):
    done = run_client("ana", *to, "--code", "no", "--lang", "es", **state)
    assert done.returncode == 4
    assert "Ese no es el código de este chat." in done.stderr.decode()
    assert "--code CÓDIGO" in done.stderr.decode()


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["--code", "Able Baker Cat"], {}),
        ([], {"TERTULIA_CODE": CODE}),
        (["--code", CODE], {"TERTULIA_CODE": "another"}),
    ],
)
def test_a_code_comes_from_the_command_line_or_the_environment_and_is_remembered(
    run_client, to, state, options, environment
):
    done = run_client("ana", *to, *options, stdin="hi\n", **state, **environment)
    assert done.returncode == 0, done.stderr
    assert run_client("ana", *to, stdin="hi\n", **state).returncode == 0


def test_a_remembered_code_is_for_its_server_alone(run_client, to, state):
    run_client("ana", *to, "--code", CODE, **state)
    other = ["localhost", *to[1:]]
    assert run_client("ana", *other, **state).returncode == 4


def test_a_code_of_bytes_that_are_no_text_is_wrong(run_client, to, state):
    code = b"\xff\xfe".decode(errors="surrogateescape")
    done = run_client("ana", *to, "--code", code, **state)
    assert done.returncode == 4
    assert "not the code" in done.stderr.decode()


def test_after_too_many_wrong_codes_it_says_how_long_to_wait(run_client, to, state):
    host, port, _, source = to
    for _ in range(5):
        with pytest.raises(RegistrationRefused):
            Client.connect(host, port, "ana", source=source, code="no")
    done = run_client("ana", *to, "--code", CODE, **state)
    assert done.returncode == 4
    assert "There were too many attempts from this address. Try again in " in done.stderr.decode()


@pytest.mark.parametrize(
    ("lang", "wanted", "wrong", "inside"),
    [
        ("en", "asks for a code", "That is not the code", "and /quit leaves the chat."),
        ("es", "pide un código", "Ese no es el código", "y /salir sale del chat."),
    ],
)
def test_on_a_terminal_the_person_is_asked_until_the_code_is_right(
    sit_down, to, state, lang, wanted, wrong, inside
):
    prompt = {"en": "Code:", "es": "Código:"}[lang]
    ana = sit_down("ana", *to, "--lang", lang, **state)
    ana.see_row(prompt)
    assert wanted in "\n".join(ana.screen.above)
    ana.type("able baker cut\n")
    ana.wait_until(lambda: wrong in "\n".join(ana.screen.above) and ana.screen.text == prompt)
    ana.type("\nAble Baker Cat\n")
    ana.see(inside)
    ana.type("/quit\n")
    assert ana.wait_for_exit() == 0
    again = sit_down("ana", *to, "--lang", lang, **state)
    again.see(inside)


def test_the_end_of_the_input_instead_of_a_code_ends_with_4(sit_down, to, state):
    ana = sit_down("ana", *to, **state)
    ana.see_row("Code:")
    ana.type("\x04")
    assert ana.wait_for_exit() == 4


def test_a_held_name_is_for_its_key_which_moves_to_another_computer(
    run_client, start_server, tmp_path
):
    port = start_server("--shared-addresses", "--hold-names", "30").port
    here, there = ({"XDG_STATE_HOME": str(tmp_path / place)} for place in ("here", "there"))
    assert run_client("ana", "127.0.0.1", port, stdin="hi\n", **here).returncode == 0
    refused = run_client("Ana", "127.0.0.1", port, **there)
    assert refused.returncode == 4
    assert "“Ana” is kept for another person." in refused.stderr.decode()
    assert "--export-key" in refused.stderr.decode()

    file = tmp_path / "key"
    assert run_client("--export-key", file, **here).returncode == 0
    moved = run_client("--key", file, "ana", "127.0.0.1", port, stdin="hi\n", **there)
    assert moved.returncode == 0, moved.stderr
    assert run_client("ana", "127.0.0.1", port, stdin="hi\n", **there).returncode == 0
    assert run_client("ana", "127.0.0.1", port, stdin="hi\n", **here).returncode == 0


def test_keys_that_cannot_be_moved_end_with_1_and_a_reason(run_client, tmp_path, state):
    done = run_client("--key", tmp_path / "none", **state)
    assert done.returncode == 1
    assert "cannot be read: No such file" in done.stderr.decode()
    assert run_client("--export-key", "-", **state).returncode == 1


def test_half_a_server_is_wrong_usage(run_client, tmp_path, state):
    done = run_client("--export-key", tmp_path / "key", "127.0.0.1", "5000", **state)
    assert done.returncode == 2
    assert "give NAME SERVER-IP PORT, or none of the three" in done.stderr.decode()


def test_a_damaged_keyring_is_said_and_no_obstacle(run_client, to, tmp_path):
    keyring = tmp_path / "tertulia" / "keyring.json"
    keyring.parent.mkdir()
    keyring.write_text("{")
    done = run_client("ana", *to, "--code", CODE, stdin="hi\n", XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 0
    assert str(keyring) in done.stderr.decode()
