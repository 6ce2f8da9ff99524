"""The options for keeping the history, and for working on its file instead of serving."""

import argparse
import os

from tertulia.i18n import _
from tertulia.server.option_types import days, or_none
from tertulia.state_directory import state_directory


class HistoryUnclear(Exception):
    """It is not clear which file is the history's; the text says what to do."""


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide what a server keeps."""
    group = parser.add_argument_group(_("what is kept"))
    group.add_argument(
        "--history",
        metavar=_("FILE|off"),
        help=_("file that keeps the general chat (history-PORT.db in {directory})").format(
            directory=str(state_directory() or "$XDG_STATE_HOME/tertulia").replace("%", "%%")
        ),
    )
    group.add_argument(
        "--keep",
        type=or_none(days, "all"),
        dest="keep_days",
        metavar=_("DAYS|all"),
        help=_("how many days to keep messages (all)"),
    )


def add_single_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that do one thing and start no server."""
    group = parser.add_argument_group(_("doing only this, without starting a server"))
    instead = group.add_mutually_exclusive_group()
    instead.add_argument(
        "--export",
        metavar=_("FILE"),
        help=_("write the history to FILE (-: standard output) as JSON lines and exit"),
    )
    group.add_argument(
        "--with-attendance",
        action="store_true",
        help=_("with --export: also write who joined and who left, between the messages"),
    )
    instead.add_argument(
        "--attendance",
        metavar=_("FILE.csv"),
        help=_("write who was here, from when to when, to FILE.csv (-: standard output) and exit"),
    )
    instead.add_argument(
        "--backup",
        metavar=_("FILE"),
        help=_("copy the history to FILE, even while a server is using it, and exit"),
    )
    instead.add_argument(
        "--restore",
        metavar=_("FILE"),
        help=_("replace the history with the backup FILE, keep the old one beside it, and exit"),
    )
    instead.add_argument(
        "--fetch-client",
        action="store_true",
        help=_("download what the client needs, so that the server hands it out, and exit"),
    )


def history_file(given: str | None, port: int | None, needs_history: bool) -> str | None:
    """Return the path of the history, or None for no history. Raises HistoryUnclear.

    A link is followed: the files beside the history (WAL, lock) are beside the file itself.
    """
    named = _named_file(given, port, needs_history)
    return os.path.realpath(named) if named is not None and os.path.islink(named) else named


def _named_file(given: str | None, port: int | None, needs_history: bool) -> str | None:
    if port is None and not needs_history:
        raise HistoryUnclear(_("the port is missing: use for example tertulia-server 5000"))
    if given == "off" or (given is None and port == 0):
        if needs_history:
            raise HistoryUnclear(
                _("it is not clear which history to use: give its PORT or --history FILE")
            )
        return None
    if given in ("", ":memory:"):
        raise HistoryUnclear(_("--history takes the name of a file, or off"))
    if given is not None:
        return given
    directory = state_directory()
    if directory is None:
        raise HistoryUnclear(
            _("there is no home directory: set XDG_STATE_HOME, or choose --history FILE or off")
        )
    if port is not None:
        return str(directory / f"history-{port}.db")
    found = sorted(directory.glob("history-*.db"))
    if len(found) != 1:
        raise HistoryUnclear(
            _("it is not clear which history to use: give its PORT or --history FILE")
        )
    return str(found[0])
