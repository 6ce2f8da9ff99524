"""The command line of `tertulia-server`: what can be asked for, and what is wrong with it."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from tertulia.arguments import Parser
from tertulia.i18n import _
from tertulia.server.config import Config
from tertulia.version import __version__


class Options(NamedTuple):
    """What was asked for."""

    config: Config
    log_level: str
    export_to: str | None  # write the history there, as JSON lines, instead of serving
    backup_to: str | None  # or a copy of it


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Read the command line; a bad one, `--help` and `--version` end the program."""
    parser = _parser()
    asked = vars(parser.parse_args(arguments))
    asked.pop("lang")  # was found before, for the parser's own words
    log_level = asked.pop("log_level")
    export_to, backup_to = asked.pop("export"), asked.pop("backup")
    try:
        asked["history"] = _history_file(asked["history"], asked["port"], export_to or backup_to)
    except _UsageError as error:
        parser.error(str(error))
    asked["port"] = asked["port"] or 0
    return Options(Config(**asked), log_level, export_to, backup_to)


def _parser() -> Parser:
    parser = Parser(
        prog="tertulia-server",
        description=_("Serve a chat. Others join with: tertulia NAME SERVER-IP PORT"),
        allow_abbrev=False,
    )
    parser.add_argument(
        "port",
        metavar=_("PORT"),
        type=_port,
        nargs="?",
        help=_("the port to listen on; 0 takes a free one"),
    )
    option = _Options(parser)
    option("--host", metavar=_("ADDRESS"), help=_("listen on this address only (all)"))
    option(
        "--threads",
        type=_or_none(_whole(1, 1_024), "session"),
        metavar=_("N|session"),
        help=_("worker threads, or one for each session ({default})"),
    )
    option(
        "--idle-after",
        type=_or_none(_positive, "off"),
        field="idle_after_s",
        metavar=_("SECONDS|off"),
        help=_("without activity a user becomes INACTIVO ({default})"),
    )
    parser.add_argument(
        "--shared-addresses",
        action="store_true",
        help=_("allow several users from one address"),
    )
    option("--max-users", type=_whole(1), metavar="N", help=_("connected users ({default})"))
    option(
        "--rate-limit",
        type=_or_none(_rate, "off"),
        field="rate_limit_per_s",
        metavar=_("N/s|off"),
        help=_("requests of one user in a second ({default})"),
    )
    parser.add_argument(
        "--history",
        metavar=_("FILE|off"),
        help=_("where the general chat is kept (history-PORT.db in {directory})").format(
            directory=str(_state_directory()).replace("%", "%%")
        ),
    )
    option(
        "--keep",
        type=_or_none(_days, "all"),
        field="keep_days",
        metavar=_("DAYS|all"),
        help=_("how long the history is kept (all)"),
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--export",
        metavar=_("FILE"),
        help=_("write the history to FILE as JSON lines (- is the screen), and end"),
    )
    instead.add_argument(
        "--backup",
        metavar=_("FILE"),
        help=_("copy the history to FILE, while a server may be writing it, and end"),
    )
    parser.add_argument("--lang", choices=("es", "en"), help=_("language (by the locale)"))
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help=_("what is logged (info)"),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"tertulia {__version__}",
        help=_("show the version and exit"),
    )

    option = _Options(parser.add_argument_group(_("limits, seldom changed")))
    for flag, text in {
        "--ping-after": _("silence after which a client is asked for life ({default})"),
        "--silence-timeout": _("silence after which a session ends ({default})"),
        "--challenge-timeout": _("for who is in a newcomer's way to show life ({default})"),
        "--register-timeout": _("for a connection to register ({default})"),
        "--write-timeout": _("for a client to take what is sent ({default})"),
    }.items():
        field = flag[2:].replace("-", "_") + "_s"
        option(flag, type=_positive, field=field, metavar=_("SECONDS"), help=text)
    for flag, text in {
        "--log-bytes": _("the latest events, kept for slow readers ({default})"),
        "--private-bytes": _("answers and direct messages waiting for one user ({default})"),
        "--send-buffer-bytes": _("the kernel's send buffer for a connection ({default})"),
        "--max-unregistered": _("connections beyond --max-users ({default})"),
        "--max-unregistered-per-address": _("of these, from one address ({default})"),
    }.items():
        option(flag, type=_whole(1), metavar="N", help=text)
    return parser


class _UsageError(Exception):
    """What argparse itself cannot find wrong."""


def _state_directory() -> Path:
    return platformdirs.user_state_path("tertulia", appauthor=False)


def _history_file(asked: str | None, port: int | None, write_to: str | None) -> str | None:
    """Find the file of the history; None without one. Raises _UsageError."""
    if port is None and write_to is None:
        raise _UsageError(_("which PORT? For example: tertulia-server 5000"))
    if asked == "off" or (asked is None and port == 0):
        if write_to is not None:
            raise _UsageError(_("which history? Name its PORT, or --history FILE"))
        return None
    if asked is not None:
        return asked
    if port is not None:
        return str(_state_directory() / f"history-{port}.db")
    found = sorted(_state_directory().glob("history-*.db"))
    if len(found) != 1:
        raise _UsageError(_("which history? Name its PORT, or --history FILE"))
    return str(found[0])


class _Options:
    """Adds options for fields of the Config, with its defaults."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._defaults = Config(port=0)

    def __call__(self, flag: str, *, help: str, field: str = "", **kwargs: Any) -> None:
        field = field or flag[2:].replace("-", "_")
        default = getattr(self._defaults, field)
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        self._group.add_argument(
            flag, dest=field, default=default, help=help.format(default=shown), **kwargs
        )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65_535:
        raise argparse.ArgumentTypeError(_("a port is a number from 0 to 65535"))
    return int(text)


def _whole(least: int, most: int = 2**30) -> Callable[[str], int]:
    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= 10
        if not is_number or not least <= int(text) <= most:
            message = _("'{text}' is not a whole number from {least} to {most}")
            raise argparse.ArgumentTypeError(message.format(text=text, least=least, most=most))
        return int(text)

    return parse


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(_("'{text}' is not a number above 0").format(text=text))
    return number


def _days(text: str) -> float:
    return min(_positive(text), 36_500.0)  # a century is as good as all


def _rate(text: str) -> float:
    return _positive(text.removesuffix("/s"))


def _or_none(parse: Callable[[str], Any], none: str) -> Callable[[str], Any]:
    return lambda text: None if text == none else parse(text)
