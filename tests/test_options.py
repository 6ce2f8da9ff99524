"""The client's command line: which words are needed, and what the values of options can be."""

import pytest

from tertulia.options import client_parser, is_port

SERVER = ["ana", "10.0.0.1", "5000"]


def problem(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        client_parser().parse_args(arguments)
    assert ended.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_name_an_address_and_a_port_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    given = client_parser().parse_args(SERVER)
    assert [given.name, given.host, given.port] == SERVER
    assert "SERVER-IP, PORT" in problem(capsys, "ana")


def test_for_other_tasks_they_are_not_needed() -> None:
    given = client_parser(needs_server=False).parse_args(["--find"])
    assert (given.name, given.host, given.port, given.find) == (None, None, None, True)


@pytest.mark.parametrize(
    ("text", "wait_s"), [("0", 0.0), ("1.5", 1.5), ("60", 60.0), ("999999.9", 999_999.9)]
)
def test_a_wait_is_a_number_of_seconds(text: str, wait_s: float) -> None:
    assert client_parser().parse_args([*SERVER, "--wait", text]).wait == wait_s


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.", ".5", "1e3", "inf", "٥", "1000000", "1 "])
def test_no_other_text_is_a_wait(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = problem(capsys, *SERVER, f"--wait={text}")
    assert "give a number of seconds, for example 60" in words


@pytest.mark.parametrize("text", ["1", "5000", "65535", "00080"])
def test_a_port_is_a_number_of_five_digits_at_most(text: str) -> None:
    assert is_port(text)


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "-1", "+1", "5000x", "50 0", "٥", "²", "000001", "9" * 5_000]
)
def test_no_other_text_is_a_port(text: str) -> None:
    assert not is_port(text)


def test_messages_and_standard_input_keep_their_order() -> None:
    given = client_parser().parse_args([*SERVER, "-m", "one", "--stdin", "--message", "two"])
    assert given.message == ["one", "-", "two"]
    assert client_parser().parse_args(SERVER).message is None


@pytest.mark.parametrize("name", ["tls", "plain"])
def test_what_is_not_said_is_left_to_the_settings(name: str) -> None:
    options: tuple[list[str], ...] = ([], [f"--{name}"], [f"--no-{name}"])
    values = [vars(client_parser().parse_args([*SERVER, *given]))[name] for given in options]
    assert values == [None, True, False]


def test_an_option_is_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unrecognized arguments: --free" in problem(capsys, *SERVER, "--free")
