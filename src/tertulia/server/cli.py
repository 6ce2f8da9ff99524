"""`tertulia-server PORT`: from the command line to a running server, and to its orderly end."""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tertulia import __version__
from tertulia.arguments import Parser
from tertulia.i18n import _, language_option, ngettext, set_language
from tertulia.server.config import Config
from tertulia.server.server import Server, addresses_to_join, raise_descriptor_limit

_LOG_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s"

log = logging.getLogger("tertulia.server")


def main(arguments: list[str] | None = None) -> int:
    """Run the server until a signal ends it; return the exit status."""
    # Blocked here, before any thread is there to get them: the main thread waits for them.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        stop_signals.add(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    set_language(language_option(sys.argv[1:] if arguments is None else arguments))
    options = vars(_parser().parse_args(arguments))
    options.pop("lang")
    _start_logging(options.pop("log_level"))
    config = Config(**options)
    users_that_fit = raise_descriptor_limit(config)
    try:
        server = Server(config)
    except OSError as error:
        print(f"tertulia-server: {_why_not_listening(config, error)}", file=sys.stderr)
        return 1
    server.start()
    _print_greeting(config, server.port, users_that_fit)
    signal.sigwait(stop_signals)
    sys.stderr.write(_("Stopping. Once more Ctrl-C stops at once.") + "\n")
    threading.Thread(target=_stop_at_once_on, args=(stop_signals,), daemon=True).start()
    if not server.stop():
        log.error("stop incomplete: some connections were cut off")
    logging.shutdown()
    return 0


def _stop_at_once_on(signals: set[signal.Signals]) -> None:
    signal.sigwait(signals)
    os._exit(1)


# --- what people see ---------------------------------------------------------------------------


def _print_greeting(config: Config, port: int, users_that_fit: int) -> None:
    print(f"listening on {config.host or '0.0.0.0'} {port}", flush=True)
    opened = _("tertulia {version} is open on port {port}. To join:")
    room = ngettext(
        "There is room for one user.", "There is room for {count} users.", users_that_fit
    )
    how_to_stop, name = _("Ctrl-C stops the server."), _("NAME")
    addresses = addresses_to_join(config) or ["127.0.0.1"]
    lines = [
        opened.format(version=__version__, port=port),
        "",
        *(f"    tertulia {name} {address} {port}" for address in addresses),
        "",
        f"{room.format(count=users_that_fit)} {how_to_stop}",
        "",
    ]
    sys.stderr.write("\n".join(lines))  # in one piece: the log is written from other threads
    if users_that_fit < config.max_users:
        log.warning(
            "fewer users fit than --max-users=%d: raise the limit of open files (ulimit -n)",
            config.max_users,
        )


def _why_not_listening(config: Config, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return _("no right to open port {port}: take one from 1024 on, 5000 for example").format(
            port=config.port
        )
    if error.errno == errno.EADDRINUSE:
        return _(
            "port {port} is in use: another server runs there; stop it or take another port"
        ).format(port=config.port)
    reason = error.strerror
    if error.errno is not None and not isinstance(error, socket.gaierror):
        reason = os.strerror(error.errno)  # without what Python adds to it
    return _(
        "cannot listen on {host}: {reason}. Give an address of this machine, or leave --host out"
    ).format(host=config.host or "*", reason=reason or error)


def _start_logging(level: str) -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        format=_LOG_FORMAT,
        datefmt="%Y-%m-%dT%H:%M:%S",
    )


# --- the command line --------------------------------------------------------------------------


def _parser() -> Parser:
    parser = Parser(
        prog="tertulia-server",
        description=_("Serve a chat. Others join with: tertulia NAME SERVER-IP PORT"),
        allow_abbrev=False,
    )
    parser.add_argument(
        "port", metavar=_("PORT"), type=_port, help=_("the port to listen on; 0 takes a free one")
    )
    option = _Options(parser)
    option("--host", metavar=_("ADDRESS"), help=_("listen on this address only (all)"))
    option(
        "--threads",
        type=_or_none(_whole(1), "session"),
        metavar=_("N|session"),
        help=_("worker threads, or one for each session ({default})"),
    )
    option(
        "--idle-after",
        type=_or_none(_seconds, "off"),
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
    parser.add_argument("--lang", choices=("es", "en"), help=_("language (by the locale)"))
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help=_("what is logged (info)"),
    )
    parser.add_argument("--version", action="version", version=f"tertulia {__version__}")

    option = _Options(parser.add_argument_group(_("limits, seldom changed")))
    for flag, text in {
        "--ping-after": _("silence after which a client is asked for life ({default})"),
        "--silence-timeout": _("silence after which a session ends ({default})"),
        "--challenge-timeout": _("for who is in a newcomer's way to show life ({default})"),
        "--register-timeout": _("for a connection to register ({default})"),
        "--write-timeout": _("for a client to take what is sent ({default})"),
    }.items():
        field = flag[2:].replace("-", "_") + "_s"
        option(flag, type=_seconds, field=field, metavar=_("SECONDS"), help=text)
    for flag, text in {
        "--log-bytes": _("the latest events, kept for slow readers ({default})"),
        "--private-bytes": _("answers and direct messages waiting for one user ({default})"),
        "--send-buffer-bytes": _("the kernel's send buffer for a connection ({default})"),
        "--max-unregistered": _("connections beyond --max-users ({default})"),
        "--max-unregistered-per-address": _("of these, from one address ({default})"),
    }.items():
        option(flag, type=_whole(1), metavar="N", help=text)
    return parser


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
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(_("a port is a number from 0 to 65535"))
    return int(text)


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(
                _("'{text}' is not a whole number from {least} on").format(text=text, least=least)
            )
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


def _seconds(text: str) -> float:
    return _positive(text)


def _rate(text: str) -> float:
    return _positive(text.removesuffix("/s"))


def _or_none(parse: Callable[[str], Any], none: str) -> Callable[[str], Any]:
    return lambda text: None if text == none else parse(text)


if __name__ == "__main__":
    sys.exit(main())
