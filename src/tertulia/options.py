"""The command line of `tertulia`: its options, and the form of their values.

It uses no network or disk. Main thread only.
"""

import argparse
import re

from tertulia.arguments import Parser
from tertulia.i18n import LANGUAGES, _
from tertulia.version import __version__

STDIN = "-"  # as a message: all of standard input


def client_parser(*, needs_server: bool = True) -> Parser:
    """Return the parser; without `needs_server` the name and the address are optional."""
    parser = Parser(
        prog="tertulia",
        usage=_(
            "tertulia NAME SERVER-IP PORT [options]\n"
            "       tertulia NAME [options]\n"
            "       tertulia --find [--json]"
        ),
        description=_("Chat with the people who share your network."),
        epilog=_(
            "Exit status: 0 success, 2 wrong usage, 3 no connection, 4 registration or "
            "certificate refused, 5 connection lost or ended by an operator, 6 some lines were not "
            "sent or not delivered."
        ),
        allow_abbrev=False,
    )
    number = None if needs_server else "?"
    parser.add_argument(
        "name", nargs=number, metavar=_("NAME"), help=_("the name that the others will see")
    )
    parser.add_argument(
        "host",
        nargs=number,
        metavar=_("SERVER-IP"),
        help=_(
            "the server's IP address or host name (default: the server on this network); if the "
            "chat has several servers, write commas between them, for example 10.0.0.1,lab2:5001"
        ),
    )
    parser.add_argument("port", nargs=number, metavar=_("PORT"), help=_("the server's port"))
    parser.add_argument(
        "--find",
        action="store_true",
        help=_("list the servers on this network, and exit"),
    )
    parser.add_argument(
        "--source",
        metavar=_("ADDRESS"),
        help=_("connect from this address of this computer, for example 127.0.0.2"),
    )
    parser.add_argument(
        "--plain",
        action=argparse.BooleanOptionalAction,
        help=_("show the chat line by line, without drawing on the screen"),
    )
    parser.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        help=_("encrypt the connection, as tls://SERVER-IP does (default: as the last time)"),
    )
    parser.add_argument(
        "--pin",
        metavar=_("WORDS"),
        help=_("accept only the server whose certificate has these six words"),
    )
    parser.add_argument(
        "--code",
        metavar=_("CODE"),
        help=_("the code that the server asks for (default: $TERTULIA_CODE, or the last one)"),
    )
    parser.add_argument(
        "--key",
        metavar=_("FILE"),
        help=_("use the key in FILE from now on, so that the names held for it are yours"),
    )
    parser.add_argument(
        "--export-key",
        metavar=_("FILE"),
        help=_("write the key for the server, or all keys, to FILE for another computer, and exit"),
    )
    parser.add_argument(
        "--operator-secret",
        metavar=_("FILE"),
        help=_("keep order in the chat, with the secret in FILE (default: $TERTULIA_OPERATOR)"),
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
    parser.add_argument(
        "--wait",
        metavar=_("SECONDS"),
        type=_seconds,
        default=0.0,
        help=_(
            "how long to keep trying if the name or the address is in use or the server is full"
        ),
    )
    parser.add_argument(
        "--free-name",
        action="store_true",
        help=_("if the name is taken, use the next free one: NAME-2, NAME-3 and so on"),
    )
    _add_script_options(parser)
    return parser


def _add_script_options(parser: Parser) -> None:
    option = parser.add_argument_group(_("for scripts")).add_argument
    option(
        "-m",
        "--message",
        action="append",
        metavar=_("TEXT"),
        help=_("send this to everyone, and leave; can be repeated; “-” is the same as --stdin"),
    )
    option(
        "--stdin",
        action="append_const",
        dest="message",
        const=STDIN,
        help=_("send all of standard input as one message, and leave"),
    )
    option("--to", metavar=_("NAME"), help=_("send the messages only to this user"))
    option(
        "--commands",
        action="store_true",
        help=_("in a pipe, treat a line that begins with “/” or “@” as a command, not as a text"),
    )
    option(
        "--json",
        action="store_true",
        help=_("print the server's messages, and refused lines, as JSON lines"),
    )
    option("--quiet", action="store_true", help=_("print only errors to standard error"))


def _seconds(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text):
        return float(text)
    raise argparse.ArgumentTypeError(_("give a number of seconds, for example 60"))


def is_port(text: str) -> bool:
    """Return whether a text is a valid port number."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535
