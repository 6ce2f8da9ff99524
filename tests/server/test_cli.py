"""The command `tertulia-server`: what runs, with which arguments, and in which language."""

import os
import sys
from collections.abc import Sequence

import pytest

from tertulia.i18n import language
from tertulia.server import cli, serving
from tertulia.server.supervision import parent
from tertulia.server.supervision.channel import CHANNEL_VARIABLE

SERVED, SUPERVISED = 2, 3


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[str] | None, str]]:
    """What ran, with the language: the arguments of a server, or None for the parent."""
    ran: list[tuple[Sequence[str] | None, str]] = []

    def serve(arguments: Sequence[str]) -> int:
        ran.append((arguments, language()))
        return SERVED

    def supervise() -> int:
        ran.append((None, language()))
        return SUPERVISED

    monkeypatch.setattr(serving, "run", serve)
    monkeypatch.setattr(parent, "supervise", supervise)
    monkeypatch.delenv(CHANNEL_VARIABLE, raising=False)
    return ran


def test_a_server_runs_in_the_chosen_language(
    ran: list[tuple[Sequence[str] | None, str]],
) -> None:
    arguments = ["5000", "--lang", "es"]
    assert cli.main(arguments) == SERVED
    assert ran == [(arguments, "es")]


def test_with_supervise_a_parent_runs_in_the_chosen_language(
    ran: list[tuple[Sequence[str] | None, str]],
) -> None:
    assert cli.main(["5000", "--supervise", "--lang", "es"]) == SUPERVISED
    assert ran == [(None, "es")]


def test_the_arguments_are_those_of_the_process_unless_others_are_given(
    ran: list[tuple[Sequence[str] | None, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["tertulia-server", "5000", "--lang", "en"])
    cli.main()
    cli.main([])
    assert [arguments for arguments, _ in ran] == [["5000", "--lang", "en"], []]


def test_a_child_of_the_parent_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHANNEL_VARIABLE, "3")
    assert cli.main(["5000", "--supervise"]) == SERVED


@pytest.mark.parametrize("arguments", [["5000"], ["5000", "--", "--supervise"]])
def test_without_the_option_nothing_is_supervised(arguments: list[str]) -> None:
    assert not cli.is_to_supervise(arguments)


def test_a_closed_stream_is_replaced_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    cli.main([])
    assert sys.stdin.read() == ""
    os.close(sys.stdin.fileno())
