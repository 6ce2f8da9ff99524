"""The options that connect to a running server: what is asked for, and what is not clear."""

from typing import Any

import pytest

from tertulia.arguments import Parser
from tertulia.server.report_options import ReportUnclear, add_to, pop_from


def given(*options: str, port: int | None = 5000) -> dict[str, Any]:
    parser = Parser(prog="tertulia-server")
    add_to(parser)
    return vars(parser.parse_args(options)) | {"port": port}


@pytest.mark.parametrize(
    ("options", "report"),
    [
        ([], None),
        (["--watch"], "view"),
        (["--watch", "--json"], "json"),
        (["--status"], "status"),
    ],
)
def test_a_report_on_a_running_server_is_chosen_and_its_options_are_taken_out(
    options: list[str], report: str | None
) -> None:
    parsed = given(*options)
    assert pop_from(parsed) == report
    assert parsed == {"operator": False, "port": 5000}


@pytest.mark.parametrize("port", [None, 0])
def test_without_a_report_the_port_does_not_matter(port: int | None) -> None:
    assert pop_from(given(port=port)) is None


@pytest.mark.parametrize(
    ("options", "port", "words"),
    [
        (["--json"], 5000, "--json needs --watch"),
        (["--json", "--status"], 5000, "--json needs --watch"),
        (["--watch", "--status"], 5000, "choose one: --watch or --status"),
        (["--watch"], 0, "give the port of the server: tertulia-server 5000 --watch"),
        (["--watch"], None, "give the port of the server: tertulia-server 5000 --watch"),
        (["--status"], None, "give the port of the server: tertulia-server 5000 --status"),
    ],
)
def test_a_report_that_is_not_clear_is_refused(
    options: list[str], port: int | None, words: str
) -> None:
    with pytest.raises(ReportUnclear) as unclear:
        pop_from(given(*options, port=port))
    assert str(unclear.value) == words
