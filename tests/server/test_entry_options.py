"""The options for who may come in: which texts are codes, networks and paths of sockets."""

import argparse

import pytest

from tertulia.arguments import Parser
from tertulia.protocol.networks import LOOPBACK, parse_network
from tertulia.server.entry_options import add_to, networks_of_metrics


def parse(*arguments: str) -> argparse.Namespace:
    parser = Parser(prog="tertulia-server")
    add_to(parser)
    return parser.parse_args(arguments)


def problem(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parse(*arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_code_is_kept_as_it_was_given_but_for_its_blanks() -> None:
    assert parse("--code", "  Mañana  a las 8 ").code == "Mañana a las 8"
    assert parse("--code", "auto").code == "auto"
    assert parse("--code", "x" * 128).code == "x" * 128
    assert parse().code is None


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("", "at least one letter or digit"),
        (" - ", "at least one letter or digit"),
        ("x" * 129, "at most 128 characters"),
        ("a\x1b[2Jb", "control characters"),
        ("a\udcffb", "control characters"),
    ],
)
def test_what_nobody_could_type_is_no_code(
    code: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint in problem(capsys, "--code", code)


def test_networks_are_read_and_may_be_repeated() -> None:
    given = parse("--allow", "10.0.0.7", "--allow", "fd00::/8", "--deny", "10.0.0.0/28")
    assert given.allow == [parse_network("10.0.0.7/32"), parse_network("fd00::/8")]
    assert given.deny == [parse_network("10.0.0.0/28")]
    assert given.proxy_from is None


@pytest.mark.parametrize(
    ("option", "text", "complaint"),
    [
        ("--allow", "", "'' is not an address or a network, for example 192.168.1.0/24"),
        ("--allow", "aula", "'aula' is not an address or a network"),
        ("--allow", "192.168.1.0/33", "is not an address or a network"),
        ("--allow", "192.168.1.10/24", "for the whole network write 192.168.1.0/24"),
        ("--allow", "fd00::1/64", "for the whole network write fd00::/64"),
        ("--deny", "aula", "'aula' is not an address or a network"),
        ("--proxy-from", "aula", "'aula' is not an address or a network"),
        ("--metrics", "aula", "'aula' is not an address or a network"),
    ],
)
def test_what_is_no_network_is_a_usage_error(
    option: str, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = problem(capsys, option, text)
    assert complaint in words
    assert option in words


def test_metrics_are_for_this_computer_unless_others_are_given() -> None:
    assert networks_of_metrics(parse().metrics) == LOOPBACK
    given = parse("--metrics", "10.0.0.0/8", "--metrics", "::1").metrics
    assert networks_of_metrics(given) == (parse_network("10.0.0.0/8"), parse_network("::1"))


def test_metrics_that_are_off_are_for_nobody_and_not_for_one_address_either() -> None:
    assert networks_of_metrics(parse("--metrics", "off", "--metrics", "off").metrics) == ()
    assert networks_of_metrics(parse("--metrics", "off", "--metrics", "::1").metrics) is None


def test_a_socket_has_a_path_that_is_not_too_long() -> None:
    assert parse("--unix", "x" * 107).unix == "x" * 107


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 108, "ñ" * 54])
def test_a_path_that_no_socket_can_have_is_refused(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "1 to 107 bytes" in problem(capsys, "--unix", path)
