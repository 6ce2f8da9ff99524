"""Which file is the history's, and the options that work on it instead of serving."""

import pwd
from pathlib import Path

import pytest

from tertulia.arguments import Parser
from tertulia.server.history_options import (
    HistoryUnclear,
    add_single_task_options,
    add_storage_options,
    history_file,
)

UNCLEAR = "it is not clear which history to use: give its PORT or --history FILE"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty state directory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = tmp_path / "tertulia"
    directory.mkdir()
    return directory


def parser() -> Parser:
    parser = Parser(prog="tertulia-server")
    add_storage_options(parser)
    add_single_task_options(parser)
    return parser


def problem(given: str | None, port: int | None, *, needs_history: bool = False) -> str:
    with pytest.raises(HistoryUnclear) as unclear:
        history_file(given, port, needs_history)
    return str(unclear.value)


def test_a_server_has_a_history_for_its_port_unless_another_one_is_named(state: Path) -> None:
    assert history_file(None, 5000, needs_history=False) == str(state / "history-5000.db")
    assert history_file("h.db", 5000, needs_history=False) == "h.db"
    assert history_file("off", 5000, needs_history=False) is None


def test_a_server_on_a_free_port_has_a_history_only_if_it_is_named() -> None:
    assert history_file(None, 0, needs_history=False) is None
    assert history_file("h.db", 0, needs_history=False) == "h.db"


def test_a_history_that_is_a_link_is_the_file_it_leads_to(state: Path) -> None:
    (state / "history-5000.db").symlink_to("elsewhere.db")
    elsewhere = str(state / "elsewhere.db")

    assert history_file(str(state / "history-5000.db"), 0, needs_history=False) == elsewhere
    assert history_file(None, 5000, needs_history=False) == elsewhere
    assert history_file(None, None, needs_history=True) == elsewhere


def test_a_server_needs_a_port() -> None:
    assert problem("h.db", None) == "the port is missing: use for example tertulia-server 5000"


@pytest.mark.parametrize("given", ["", ":memory:"])
def test_a_history_is_a_file(given: str) -> None:
    assert problem(given, 5000) == "--history takes the name of a file, or off"


def test_without_a_port_the_only_history_is_meant(state: Path) -> None:
    (state / "history-5001.db").touch()
    (state / "history-5001.db-wal").touch()
    assert history_file(None, None, needs_history=True) == str(state / "history-5001.db")
    assert history_file("h.db", None, needs_history=True) == "h.db"


@pytest.mark.parametrize("files", [[], ["history-1.db", "history-2.db"]])
def test_without_a_port_it_must_be_clear_which_history_is_meant(
    state: Path, files: list[str]
) -> None:
    for name in files:
        (state / name).touch()
    assert problem(None, None, needs_history=True) == UNCLEAR


@pytest.mark.parametrize(("given", "port"), [(None, 0), ("off", 5000)])
def test_what_works_on_a_history_needs_one(state: Path, given: str | None, port: int) -> None:
    (state / "history-5000.db").touch()
    assert problem(given, port, needs_history=True) == UNCLEAR


# --- a user without a home directory -------------------------------------------------------------


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", no_entry)


def test_without_a_home_directory_a_named_history_and_none_work(homeless: None) -> None:
    assert history_file("h.db", 5000, needs_history=False) == "h.db"
    assert history_file("off", 5000, needs_history=False) is None
    assert history_file(None, 0, needs_history=False) is None


@pytest.mark.parametrize(("port", "needs_history"), [(5000, False), (None, True)])
def test_without_a_home_directory_the_default_history_says_what_to_set(
    homeless: None, port: int | None, needs_history: bool
) -> None:
    assert problem(None, port, needs_history=needs_history) == (
        "there is no home directory: set XDG_STATE_HOME, or choose --history FILE or off"
    )


# --- the help, and the command line --------------------------------------------------------------


def test_the_help_names_the_directory_even_if_a_percent_sign_is_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "100%"))
    assert f"{tmp_path}/100%/tertulia" in "".join(parser().format_help().split())


def test_without_a_home_directory_the_help_names_the_variable(homeless: None) -> None:
    assert "history-PORT.db in $XDG_STATE_HOME/tertulia" in " ".join(parser().format_help().split())


@pytest.mark.parametrize(
    "first", [["--export", "a"], ["--attendance", "a"], ["--backup", "a"], ["--fetch-client"]]
)
def test_only_one_thing_is_done_instead_of_serving(
    first: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*first, "--restore", "b"])
    assert "--restore: not allowed with argument " + first[0] in capsys.readouterr().err


@pytest.mark.parametrize(("text", "keep_days"), [("30", 30.0), ("all", None)])
def test_messages_are_kept_for_days_or_for_good(text: str, keep_days: float | None) -> None:
    assert parser().parse_args(["--keep", text]).keep_days == keep_days
