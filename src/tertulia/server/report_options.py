"""The options that connect to a running server instead of starting one."""

import argparse
from typing import Any, Literal

from tertulia.i18n import _

Report = Literal["view", "json", "status"]


class ReportUnclear(Exception):
    """The options contradict each other, or one is missing; the text says which."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options to the command line."""
    group = parser.add_argument_group(_("for the server that already runs on PORT"))
    group.add_argument(
        "--operator",
        action="store_true",
        help=_("open its console, to keep order: remove, ban and mute people, pin a message"),
    )
    group.add_argument(
        "--watch",
        action="store_true",
        help=_("show its processes, threads and messages on the full screen, twice a second"),
    )
    group.add_argument(
        "--json",
        action="store_true",
        help=_("with --watch: print one snapshot as JSON and exit (1: no server runs there)"),
    )
    group.add_argument(
        "--status",
        action="store_true",
        help=_("print its state in one line, and exit (1: no server runs there)"),
    )


def pop_from(given: dict[str, Any]) -> Report | None:
    """Remove these options from the parsed ones; return what to do. Raises ReportUnclear."""
    watches, as_json, status = given.pop("watch"), given.pop("json"), given.pop("status")
    if as_json and not watches:
        raise ReportUnclear(_("--json needs --watch"))
    if watches and status:
        raise ReportUnclear(_("choose one: --watch or --status"))
    report: Report | None = (
        "status" if status else "json" if as_json else "view" if watches else None
    )
    if report is not None and not given["port"]:
        option = "--status" if status else "--watch"
        text = _("give the port of the server: tertulia-server 5000 {option}")
        raise ReportUnclear(text.format(option=option))
    return report
