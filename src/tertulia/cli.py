"""The command `tertulia NAME SERVER-IP PORT`: parse the command line, choose a face and run it.

It imports a face only when it is chosen, because every imported module costs the person time.
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from tertulia.arguments import Parser
from tertulia.i18n import LANGUAGES, _, language_option, set_language
from tertulia.version import __version__
from tertulia.wrapping import wrapped_for

if TYPE_CHECKING:
    from tertulia.chat.destination import Destination
    from tertulia.chat.keyring import Keyring
    from tertulia.chat.settings import Loaded

STDIN = "-"  # as a message: all of standard input


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the client; return the exit status.

    0 success, 2 wrong usage, 3 no connection, 4 registration or certificate refused, 5 connection
    lost or ended by an operator, 6 some lines were not sent or not delivered.
    """
    _open_closed_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    loaded = _load_settings(language_option(arguments))
    options = _parse(arguments)
    try:
        from tertulia.chat.credentials import Credentials
        from tertulia.chat.destination import Destination
        from tertulia.chat.keyring import Keyring
        from tertulia.chat.known_servers import KnownServers
        from tertulia.chat.trust import Trust

        to = None
        if options.name is not None:
            to = Destination(
                options.name, options.host, options.port, options.source, options.code,
                options.tls, options.pin,
            )  # fmt: skip
        keyring = Keyring()
        if options.export_key is not None or options.key is not None:
            status = _move_keys(keyring, options, to)
            if status or options.export_key is not None:
                return status
        if to is None:
            return 0
        credentials = Credentials(to, keyring, os.environ.get("TERTULIA_CODE"))
        credentials.operator_secret = options.operator_secret
        trust = Trust(to, KnownServers())
        problems = [loaded.problem, credentials.problem, trust.problem]
        loaded = type(loaded)(loaded.settings, "\n".join(filter(None, problems)))
        entering = {"wait_s": options.wait, "takes_free_name": options.free_name}
        if not _wants_lines(options, loaded) and _has_screen():
            from tertulia.tui import start as screen

            return screen.run(to, credentials, trust, loaded, **entering)
        from tertulia.plain import start
        from tertulia.plain.script import Script

        messages = None
        if options.message is not None:
            messages = tuple(None if text == STDIN else text for text in options.message)
        script = Script(messages, options.to, options.commands, options.json, options.quiet)
        return start.run(to, credentials, trust, loaded, script, **entering)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        return 128 + signal.SIGINT
    except OSError as error:
        from tertulia.plain.output import is_unread, write_nowhere

        status = 0 if is_unread(error) else 1
        if status:
            words = wrapped_for(sys.stderr, f"tertulia: {error.strerror or error}")
            sys.stderr.write(words + "\n")
        write_nowhere(sys.stdout, sys.stderr)
        return status


def _wants_lines(options: argparse.Namespace, loaded: "Loaded") -> bool:
    """Return whether the line-by-line face is asked for, whatever the terminal can do."""
    plain = loaded.settings.plain if options.plain is None else options.plain
    return plain or options.json or options.message is not None


def _move_keys(keyring: "Keyring", options: argparse.Namespace, to: "Destination | None") -> int:
    """Export or import keys; return the exit status."""
    from tertulia.chat.moving_keys import KeyFileError, export_keys, import_keys

    try:
        if options.export_key is not None:
            done = export_keys(keyring, options.export_key, to)
        else:
            done = import_keys(keyring, options.key, to)
    except KeyFileError as error:
        sys.stderr.write(wrapped_for(sys.stderr, f"tertulia: {error}") + "\n")
        return 1
    if not options.quiet:
        sys.stderr.write(wrapped_for(sys.stderr, done) + "\n")
    return 0


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
    moves_keys = any(
        word == option or word.startswith(f"{option}=")
        for word in arguments
        for option in ("--key", "--export-key")
    )
    parser = _parser(needs_server=not moves_keys)
    options, surplus = parser.parse_known_args(_with_joined_messages(arguments))
    if moves_keys and not surplus and (options.name, options.host, options.port) == (None,) * 3:
        return options
    if None in (options.name, options.host, options.port):
        parser.error(_("give NAME SERVER-IP PORT, or none of the three"))
    if surplus:
        _refuse_surplus(parser, options, surplus)
    if options.message is None and options.to is not None:
        parser.error(_("--to needs a message: -m TEXT or --stdin"))
    if options.message is not None and options.commands:
        parser.error(_("--commands is for the lines of a pipe, not for -m or --stdin"))
    if options.message is not None and options.message.count(STDIN) > 1:
        parser.error(_("standard input can be only one message: give --stdin or -m - once"))
    if not _is_port(options.port):
        text = _("“{port}” is not a port: a port is a number from 1 to 65535")
        parser.error(text.format(port=options.port))
    options.port = int(options.port)
    _use_tls(parser, options)
    _read_operator_secret(parser, options)
    return options


def _use_tls(parser: Parser, options: argparse.Namespace) -> None:
    """Take what `tls://`, `--tls` and `--pin` say into the options."""
    scheme, separator, host = options.host.rpartition("://")
    if separator and scheme.lower() == "tls":
        host = host.rstrip("/")
        bracketed = re.fullmatch(r"\[([^\]]+)\]", host)
        options.host = bracketed[1] if bracketed else host
        if not bracketed and host.count(":") == 1:
            name, _colon, port = host.partition(":")
            text = _("write the port after the address: tls://{host} {port}")
            parser.error(text.format(host=name, port=port or options.port))
        if not options.host:
            parser.error(_("there is no address after tls://"))
        if options.tls is False:
            parser.error(_("tls:// and --no-tls contradict each other"))
        options.tls = True
    if options.pin is None:
        return
    if options.tls is False:
        parser.error(_("--pin needs TLS: leave out --no-tls"))
    from tertulia.tls.fingerprint import normal_pin

    try:
        options.pin = normal_pin(options.pin)
    except ValueError:
        parser.error(_("a pin has six words of the server's start, or 64 hexadecimal digits"))
    options.tls = True


def _read_operator_secret(parser: Parser, options: argparse.Namespace) -> None:
    """Put the secret itself in the place of the file's name; without one that of the environment.

    The secret is no option, because every user of a computer can see the command lines.
    """
    if options.operator_secret is None:
        options.operator_secret = os.environ.get("TERTULIA_OPERATOR") or None
        return
    try:
        with open(options.operator_secret, encoding="utf-8", errors="replace") as file:
            secret = file.readline().strip()
    except OSError as error:
        text = _("the operator's secret cannot be read from {file}: {reason}")
        parser.error(text.format(file=options.operator_secret, reason=error.strerror))
    if not secret:
        text = _("the first line of {file} has no secret")
        parser.error(text.format(file=options.operator_secret))
    options.operator_secret = secret


def _with_joined_messages(arguments: Sequence[str]) -> list[str]:
    """Join each `-m` to its text, which argparse would not take if it begins with a dash."""
    joined: list[str] = []
    for argument in arguments:
        if joined[-1:] in (["-m"], ["--message"]):
            joined[-1] = f"--message={argument}"
        else:
            joined.append(argument)
    return joined


def _refuse_surplus(parser: Parser, options: argparse.Namespace, surplus: list[str]) -> NoReturn:
    """End with what is wrong when there are more words than a name, a host and a port."""
    words = [options.name, options.host, options.port, *surplus]
    if not any(word.startswith("-") for word in words):
        *names, host, port = words
        if _is_port(port):
            command = _command_without_spaces(" ".join(names), host, int(port), options)
            if command is not None:
                parser.suggest(_("a name has no spaces. Try: {command}").format(command=command))
            parser.error(_("a name has no spaces"))
        if options.message is not None:
            parser.error(_("put a text that has spaces between quotation marks"))
    parser.error(_("unrecognized arguments: %s") % " ".join(surplus))


def _command_without_spaces(
    name: str, host: str, port: int, options: argparse.Namespace
) -> str | None:
    from tertulia.chat.destination import Destination

    to = Destination(name, host, port, options.source, options.code, options.tls, options.pin)
    return to.command_with_valid_name()


def _parser(*, needs_server: bool = True) -> Parser:
    parser = Parser(
        prog="tertulia",
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
        help=_("the server's IP address or host name"),
    )
    parser.add_argument("port", nargs=number, metavar=_("PORT"), help=_("the server's port"))
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
        help=_("keep trying for so long if the name or address is in use or the server is full"),
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
        help=_("in a pipe, take a line that begins with “/” or “@” as a command, not as a text"),
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


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535


if __name__ == "__main__":
    sys.exit(main())
