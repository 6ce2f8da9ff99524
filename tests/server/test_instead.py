"""What the command does instead of running a server follows from its options."""

import signal
from typing import Any

import pytest

from tertulia.server import instead
from tertulia.server.options import parse_options

SIGNALS = {signal.SIGTERM}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was called in the place of each kind of work, with what."""
    called: list[Any] = []

    def note(name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> int:
            called.append((name, *map(str, arguments), *options.values()))
            return 7

        return call

    for name in ("run_console", "export", "export_attendance", "backup", "restore", "remove_on"):
        monkeypatch.setattr(instead, name, note(name))
    monkeypatch.setattr(instead, "drop_unwritten", note("drop_unwritten"))
    return called


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("5000 --operator", [("run_console", "5000")]),
        ("--history h.db --export out.txt", [("export", "h.db", "out.txt", False)]),
        (
            "--history h.db --export out.txt --with-attendance",
            [("export", "h.db", "out.txt", True)],
        ),
        ("--history h.db --attendance out.csv", [("export_attendance", "h.db", "out.csv")]),
        ("--history h.db --backup b.db", [("backup", "h.db", "b.db")]),
        ("--history h.db --restore b.db", [("restore", "h.db", "b.db")]),
    ],
)
def test_the_options_choose_the_work_and_its_status_is_that_of_the_program(
    called: list[Any], arguments: str, expected: list[Any]
) -> None:
    assert instead.run_instead(parse_options(arguments.split()), SIGNALS) == 7
    assert [one for one in called if one[0] not in ("remove_on", "drop_unwritten")] == expected
    works_on_a_file = "--history" in arguments
    assert (("remove_on", str(SIGNALS)) in called) is works_on_a_file
