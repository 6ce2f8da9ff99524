"""The command `tertulia NAME SERVER-IP PORT`: parse the command line, choose a face and run it.

It imports a face only when it is chosen, because every imported module costs the person time.
"""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tertulia.arguments import Parser
from tertulia.i18n import LANGUAGES, _, language_option, set_language
from tertulia.version import __version__
from tertulia.wrapping import wrapped_for

if TYPE_CHECKING:
    from tertulia.chat.settings import Loaded

_NOBODY_READS = {errno.EPIPE, errno.EIO}  # a closed pipe, or a terminal that has hung up


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client; return the exit status.

    0 success, 2 wrong usage, 3 no connection, 4 registration refused, 5 connection lost.
    """
    _open_closed_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    loaded = _load_settings(language_option(arguments))
    options = _parse(arguments)
    try:
        from tertulia.chat.destination import Destination

        to = Destination(options.name, options.host, options.port, options.source)
        if not (options.plain or options.json) and _has_screen():
            from tertulia.tui import start as screen

            return screen.run(to, loaded)
        from tertulia.plain import start

        return start.run(to, loaded, json=options.json)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        return 128 + signal.SIGINT
    except OSError as error:
        status = 0 if error.errno in _NOBODY_READS else 1
        if status:
            words = wrapped_for(sys.stderr, f"tertulia: {error.strerror or error}")
            sys.stderr.write(words + "\n")
        # The buffers are flushed at the exit, which must not fail a second time.
        devnull = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                os.dup2(devnull, stream.fileno())
        return status


def _load_settings(chosen_language: str | None) -> "Loaded":
    """Load the settings, and set the language: the one of the command line counts first."""
    from tertulia.chat import settings

    set_language(chosen_language)
    loaded = settings.load()
    if chosen_language is None and loaded.settings.language != "auto":
        set_language(loaded.settings.language)
        if loaded.problem:
            loaded = settings.load()  # to say in that language what is wrong
    return loaded


def _has_screen() -> bool:
    """Return whether there is a terminal with cursor control and UTF-8."""
    return (
        sys.stdin.isatty()
        and sys.stdout.isatty()
        and sys.stderr.isatty()  # the screen is drawn there
        and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
        and sys.stdout.encoding.lower().replace("-", "") == "utf8"
    )


def _open_closed_streams() -> None:
    """Open /dev/null for each closed standard stream, before a socket gets its descriptor."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (open until the end)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Raises SystemExit for a wrong one, and for `--help`."""
    parser = _parser()
    options, surplus = parser.parse_known_args(arguments)
    words = [options.name, options.host, options.port, *surplus]
    if surplus and not any(word.startswith("-") for word in words) and _is_port(words[-1]):
        *names, host, port = words
        command = _command_without_spaces(" ".join(names), host, int(port), options.source)
        if command is not None:
            parser.suggest(_("a name has no spaces. Try: {command}").format(command=command))
        parser.error(_("a name has no spaces"))
    if surplus:
        parser.error(_("unrecognized arguments: %s") % " ".join(surplus))
    if not _is_port(options.port):
        text = _("“{port}” is not a port: a port is a number from 1 to 65535")
        parser.error(text.format(port=options.port))
    options.port = int(options.port)
    return options


def _command_without_spaces(name: str, host: str, port: int, source: str | None) -> str | None:
    from tertulia.chat.destination import Destination

    return Destination(name, host, port, source).command_with_valid_name()


def _parser() -> Parser:
    parser = Parser(
        prog="tertulia",
        description=_("Chat with the people who share your network."),
        epilog=_(
            "Exit status: 0 success, 2 wrong usage, 3 no connection, 4 registration "
            "refused, 5 connection lost."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar=_("NAME"), help=_("the name that the others will see"))
    parser.add_argument(
        "host", metavar=_("SERVER-IP"), help=_("the server's IP address or host name")
    )
    parser.add_argument("port", metavar=_("PORT"), help=_("the server's port"))
    parser.add_argument(
        "--source",
        metavar=_("ADDRESS"),
        help=_("connect from this address of this computer, for example 127.0.0.2"),
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help=_("show the chat line by line, without drawing on the screen"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print the server's messages as JSON lines")
    )
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        help=_("language: Spanish or English (default: that of the system)"),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"tertulia {__version__}",
        help=_("show the version and exit"),
    )
    return parser


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535


if __name__ == "__main__":
    sys.exit(main())
