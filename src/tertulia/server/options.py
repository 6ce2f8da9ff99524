"""The command line of `tertulia-server`: its options, and the checks of their values."""

import functools
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from tertulia.arguments import Parser
from tertulia.i18n import _
from tertulia.server import cluster_options, entry_options, history_options, report_options
from tertulia.server.config import Config
from tertulia.server.log_lines import for_journal, is_journal
from tertulia.server.option_types import (
    or_none,
    port_number,
    positive_number,
    rate,
    whole_number,
)
from tertulia.server.report_options import Report
from tertulia.version import __version__

_DEFAULTS = Config(port=0)
_MARGIN_S = 0.5  # for a client to answer a ping, or to register; the watchdog looks every 0.1 s


class Options(NamedTuple):
    """The parsed command line.

    With `export_to`, `attendance_to`, `backup_to` or `restore_from` no server starts, and
    `config.history` is not None.
    """

    config: Config
    log_level: str
    export_to: str | None  # the file to write the history to, as JSON lines; "-": stdout
    backup_to: str | None  # the file to copy the history to
    restore_from: str | None  # the copy to put in the place of the history
    shows_qr: bool  # on a terminal, a QR code of the link for browsers
    opens_console: bool = False  # of the server that runs on the port; no server starts
    exposed_secret: str | None = None  # the file of the operator's secret, if others can read it
    attendance_to: str | None = None  # the file to write the attendance to, as CSV; "-": stdout
    exports_attendance: bool = False  # in the export, too
    report: Report | None = None  # about the server that runs on the port; no server starts
    fetches_client: bool = False  # downloads the packages of the client; no server starts
    exposed_credentials: str | None = None  # the file for the nats-servers, if others can read it

    @property
    def runs_server(self) -> bool:
        """Whether a server is to run, and nothing else is to be done."""
        files = self.export_to, self.attendance_to, self.backup_to, self.restore_from
        others = self.opens_console, self.report, self.fetches_client
        return not any(others) and all(file is None for file in files)


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Parse the command line, without the program's name.

    Raises SystemExit for a wrong one, and for `--help` and `--version`.
    """
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    given.pop("lang")  # i18n.language_option found it before, because the parser's texts need it.
    # The parent has looked for it on the command line, and has started this process.
    is_supervised = given.pop("supervise")
    log_level, shows_qr = given.pop("log_level"), given.pop("qr") == "auto"
    for switch in ("web", "announce"):
        given[switch] = given.pop(switch) == "on"
    given["names"] = tuple(given.pop("names"))
    for networks in ("allow", "deny", "proxy_from"):
        given[networks] = tuple(given.pop(networks) or ())
    metrics = given["metrics"] = entry_options.networks_of_metrics(given.pop("metrics"))
    export_to, backup_to = given.pop("export"), given.pop("backup")
    restore_from, attendance_to = given.pop("restore"), given.pop("attendance")
    exports_attendance = given.pop("with_attendance")
    opens_console, secret = given.pop("operator"), given["operator_secret"]
    fetches_client = given.pop("fetch_client")
    if fetches_client:
        given["port"], given["history"] = given["port"] or 0, "off"
    given["operator_secret"] = None if secret is None else secret.secret
    exposed = secret.path if secret is not None and secret.is_exposed else None
    needs_history = any(
        file is not None for file in (export_to, attendance_to, backup_to, restore_from)
    )
    try:
        report = report_options.pop_from(given)
        if is_supervised and (needs_history or opens_console or report or fetches_client):
            raise _UsageError(_("--supervise is for starting a server: leave it out here"))
        if exports_attendance and export_to is None:
            raise _UsageError(_("--with-attendance needs --export FILE"))
        if opens_console and not given["port"]:
            raise _UsageError(_("give the port of the server: tertulia-server 5000 --operator"))
        if metrics is None:
            raise _UsageError(_("--metrics off cannot go together with an address"))
        _check_times(given)
        _check_certificate(given)
        credentials = cluster_options.take_from(given, is_supervised=is_supervised)
        given["history"] = history_options.history_file(
            given["history"], given["port"], needs_history
        )
    except (
        _UsageError,
        cluster_options.ClusterUnclear,
        history_options.HistoryUnclear,
        report_options.ReportUnclear,
    ) as error:
        parser.error(str(error))
    given["port"] = given["port"] or 0
    config = Config(**given)
    return Options(
        *(config, log_level, export_to, backup_to, restore_from, shows_qr, opens_console, exposed),
        *(attendance_to, exports_attendance, report, fetches_client),
        credentials.path if credentials is not None and credentials.is_exposed else None,
    )


class _Parser(Parser):
    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Print the message, to systemd's journal as an error, and exit."""
        if message is not None and is_journal(sys.stderr):
            message = for_journal(logging.ERROR, message.rstrip("\n")) + "\n"
        super().exit(status, message)


def _parser() -> Parser:
    parser = _Parser(
        prog="tertulia-server",
        usage=_(
            "tertulia-server PORT [options]\n"
            "       tertulia-server PORT --operator|--watch|--status\n"
            "       tertulia-server [PORT] --export|--attendance|--backup|--restore FILE"
        ),
        description=_("Start a chat server. Others join with: tertulia NAME SERVER-IP PORT"),
        allow_abbrev=False,
    )
    parser.add_argument(
        "port",
        metavar=_("PORT"),
        type=port_number,
        nargs="?",
        help=_("the port to listen on; 0 chooses a free one"),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"tertulia {__version__}",
        help=_("show the version and exit"),
    )
    parser.add_argument(
        "--lang",
        choices=("es", "en"),
        help=_("language: Spanish or English (default: that of the system)"),
    )
    option = functools.partial(_add_config_option, parser.add_argument)
    option("--host", metavar=_("ADDRESS"), help=_("listen only on this address (default: all)"))
    parser.add_argument(
        "--shared-addresses",
        action="store_true",
        help=_("allow several users from one address"),
    )
    option(
        "--max-users",
        type=whole_number(1),
        metavar="N",
        help=_("maximum number of connected users ({default})"),
    )
    option(
        "--rate-limit",
        type=or_none(rate, "off"),
        field="rate_limit_per_s",
        metavar=_("N/s|off"),
        help=_("maximum number of requests per second from each user ({default})"),
    )
    option(
        "--idle-after",
        type=or_none(positive_number, "off"),
        field="idle_after_s",
        metavar=_("SECONDS|off"),
        help=_("seconds without activity after which a user becomes INACTIVO ({default})"),
    )
    parser.add_argument(
        "--supervise",
        action="store_true",
        help=_("start the server again if it dies, and upgrade it on SIGHUP"),
    )
    option(
        "--threads",
        type=or_none(whole_number(1, 1_024), "session"),
        metavar=_("N|session"),
        help=_("number of worker threads, or one for each session ({default})"),
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help=_("lowest level to log (info)"),
    )
    _add_access_options(parser)
    entry_options.add_to(parser)
    history_options.add_storage_options(parser)
    cluster_options.add_to(parser)
    report_options.add_to(parser)
    history_options.add_single_task_options(parser)
    limits = parser.add_argument_group(_("limits that you seldom need to change"))
    option = functools.partial(_add_config_option, limits.add_argument)
    for flag, text in {
        "--ping-after": _(
            "seconds without a byte from a client after which the server sends it a ping "
            "({default})"
        ),
        "--silence-timeout": _(
            "seconds without a byte from a client after which its session ends ({default})"
        ),
        "--challenge-timeout": _(
            "seconds an existing session has to answer a ping before a newcomer from its "
            "address may replace it ({default})"
        ),
        "--register-timeout": _(
            "seconds within which a new connection has to register ({default})"
        ),
        "--write-timeout": _(
            "seconds that a client may go without accepting data before its connection is closed "
            "({default})"
        ),
    }.items():
        field = _field_of_time(flag)
        option(flag, type=positive_number, field=field, metavar=_("SECONDS"), help=text)
    for flag, text in {
        "--log-bytes": _("bytes of recent events kept for slow clients ({default})"),
        "--private-bytes": _(
            "maximum number of bytes of answers waiting for one user; direct messages may use half "
            "of it ({default})"
        ),
        "--send-buffer-bytes": _(
            "bytes of the kernel's send buffer for each connection ({default})"
        ),
        "--max-unregistered": _(
            "maximum number of unregistered connections, in addition to --max-users ({default})"
        ),
        "--max-unregistered-per-address": _(
            "maximum number of unregistered connections from one address ({default})"
        ),
    }.items():
        option(flag, type=whole_number(1), metavar="N", help=text)
    return parser


def _add_access_options(parser: Parser) -> None:
    group = parser.add_argument_group(_("how people find the server"))
    group.add_argument(
        "--web",
        choices=("on", "off"),
        default="on",
        help=_("whether browsers on the network can join, on the same port (on)"),
    )
    group.add_argument(
        "--name",
        action="append",
        default=[],
        dest="names",
        metavar="HOST",
        help=_("a name of this computer that browsers may use, besides addresses and local names"),
    )
    group.add_argument(
        "--announce",
        choices=("on", "off"),
        default="on",
        help=_("whether clients on the local network find the server without its address (on)"),
    )
    group.add_argument(
        "--qr",
        choices=("auto", "off"),
        default="auto",
        help=_("whether a terminal shows the QR code of the link for browsers (auto)"),
    )


def _add_config_option(
    add_argument: Callable[..., object],
    flag: str,
    *,
    help: str,
    field: str = "",
    **kwargs: Any,
) -> None:
    """Add an option for a field of the Config, by default for the field with the flag's name."""
    field = field or flag[2:].replace("-", "_")
    default = getattr(_DEFAULTS, field)
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    add_argument(flag, dest=field, default=default, help=help.format(default=shown), **kwargs)


class _UsageError(Exception):
    """The options contradict each other, or one is missing."""


def _check_times(given: dict[str, Any]) -> None:
    """Raise _UsageError if a time is over before what has to happen in it can end.

    A client's session would end before the client can answer a ping, or a newcomer would be thrown
    out before the challenge of the session in its way is over.
    """
    for whole, part in (
        ("--silence-timeout", "--ping-after"),
        ("--register-timeout", "--challenge-timeout"),
    ):
        whole_s, part_s = given[_field_of_time(whole)], given[_field_of_time(part)]
        if whole_s - part_s >= _MARGIN_S - 1e-6:
            continue
        text = _("{whole} {whole_s} is too short for {part} {part_s}: {remedy}")
        most_s = whole_s - _MARGIN_S
        if most_s > 0:
            remedy = _("choose at least {whole} {least_s}, or at most {part} {most_s}")
        else:
            remedy = _("choose at least {whole} {least_s}")
        remedy = remedy.format(
            whole=whole, least_s=_shown(part_s + _MARGIN_S), part=part, most_s=_shown(most_s)
        )
        raise _UsageError(
            text.format(
                whole=whole,
                whole_s=_shown(whole_s),
                part=part,
                part_s=_shown(part_s),
                remedy=remedy,
            )
        )


def _check_certificate(given: dict[str, Any]) -> None:
    """Raise _UsageError if certificate and key do not go together, or nobody would see them."""
    if (given["certificate"] is None) != (given["key"] is None):
        raise _UsageError(_("--certificate and --key belong together: give both files"))
    if given["certificate"] is not None and given["tls"] == "off":
        raise _UsageError(_("--certificate needs TLS: leave out --tls off"))


def _field_of_time(flag: str) -> str:
    return flag[2:].replace("-", "_") + "_s"


def _shown(number: float) -> str:
    return f"{number:.10g}"
