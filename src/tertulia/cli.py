"""The command `tertulia NAME SERVER-IP PORT`: parses the command line, and runs a face.

It imports a face only after it was chosen, because every imported module makes the start slower.
Main thread only.
"""

import argparse
import importlib.util
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from tertulia.arguments import Parser
from tertulia.i18n import _, language_option, set_language
from tertulia.options import STDIN, client_parser, is_port
from tertulia.wrapping import wrapped_for

if TYPE_CHECKING:
    from tertulia.chat.destination import Destination
    from tertulia.chat.keyring import Keyring
    from tertulia.chat.settings import Loaded


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

        if options.find or (options.host is None and options.name is not None):
            status = _use_nearby_server(options)
            if status is not None:
                return status
        to = None
        if options.name is not None:
            to = Destination(
                options.name, options.host, options.port, options.source, options.code,
                options.tls, options.pin, options.others,
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


def _use_nearby_server(options: argparse.Namespace) -> int | None:
    """Write the address of a server on this network into `options`, or return a status."""
    from tertulia.plain.nearby import choose_server, print_servers

    if options.find:
        return print_servers(as_json=options.json)
    code = options.code or os.environ.get("TERTULIA_CODE")
    has_secret = bool(code or options.operator_secret)
    found = choose_server(options.name, has_secret=has_secret, is_quiet=options.quiet)
    if isinstance(found, int):
        return found
    options.host, options.port = found.address, found.port
    if found.requires_tls and options.tls is None:
        options.tls = True
    return None


def _wants_lines(options: argparse.Namespace, loaded: "Loaded") -> bool:
    """Return whether the user wants the line-by-line face, even if the terminal could do more."""
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
    """Load the settings, and set the language; the command line's language has priority."""
    from tertulia.chat import settings

    set_language(chosen_language)
    loaded = settings.load()
    if chosen_language is None and loaded.settings.language != "auto":
        set_language(loaded.settings.language)
        if loaded.problem:
            loaded = settings.load()  # again, for error messages in that language
    return loaded


def _has_screen() -> bool:
    """Return whether there is a terminal with cursor control and UTF-8."""
    return (
        sys.stdin.isatty()
        and sys.stdout.isatty()
        and sys.stderr.isatty()  # the screen is drawn on stderr
        and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
        and sys.stdout.encoding.lower().replace("-", "") == "utf8"
        # The one-file client does not have it.
        and importlib.util.find_spec("tertulia.tui") is not None
    )


def _open_closed_streams() -> None:
    """Open /dev/null for each closed standard stream, before a socket gets its descriptor."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (open until the end)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Raises SystemExit for an error, and for `--help`."""
    moves_keys = any(
        word == option or word.startswith(f"{option}=")
        for word in arguments
        for option in ("--key", "--export-key")
    )
    joined = _with_joined_messages(arguments)
    parser = client_parser(needs_server=False)
    options, surplus = parser.parse_known_intermixed_args(joined)
    if options.host is not None and options.port is None and not surplus:
        _refuse_port_in_address(parser, options.host)
    if surplus or options.host is not None:  # otherwise the server on this network is used
        parser = client_parser(needs_server=not moves_keys)
        options, surplus = parser.parse_known_args(joined)
    if moves_keys and not surplus and (options.name, options.host, options.port) == (None,) * 3:
        return options
    has_server = options.host is not None
    if options.find and has_server:
        parser.error(_("--find takes no address"))
    is_whole = options.name is not None and has_server is (options.port is not None)
    if moves_keys and not (is_whole and has_server):
        parser.error(_("give NAME SERVER-IP PORT, or none of the three"))
    if not is_whole and not options.find:
        parser.error(_("give NAME SERVER-IP PORT, or only NAME for the server on this network"))
    if surplus:
        _refuse_surplus(parser, options, surplus)
    if options.message is None and options.to is not None:
        parser.error(_("--to needs a message: -m TEXT or --stdin"))
    if options.message is not None and options.commands:
        parser.error(_("--commands is for the lines of a pipe, not for -m or --stdin"))
    if options.message is not None and options.message.count(STDIN) > 1:
        parser.error(_("standard input can be only one message: give --stdin or -m - once"))
    if has_server and not is_port(options.port):
        text = _("“{port}” is not a port: a port is a number from 1 to 65535")
        parser.error(text.format(port=options.port))
    options.others = ()
    if has_server:
        options.port = int(options.port)
        _read_servers(parser, options)
    _use_pin(parser, options)
    _read_operator_secret(parser, options)
    return options


def _refuse_port_in_address(parser: Parser, host: str) -> None:
    """End with an explanation if `host` is an address with its port, perhaps a browser's link."""
    address = r"(?:tls://)?(?:\[[^\]]+\]|[^:/\[\],]+)"
    link = re.fullmatch(rf"(?:https?://)?({address}):([0-9]{{1,5}})(?:/.*)?", host)
    if link is not None:
        text = _("write the port after the address: {address} {port}")
        parser.error(text.format(address=link[1], port=link[2]))


def _read_servers(parser: Parser, options: argparse.Namespace) -> None:
    """Split the servers, and write the first one into `host` and `port`; `tls://` is for all."""
    from tertulia.client.addresses import parse_address, parse_addresses

    hosts = []
    for text in options.host.split(","):
        host = text.strip().rstrip("/")
        if host.lower().startswith("tls:"):
            host = host[len("tls:") :].lstrip("/")
            if not host:
                parser.error(_("there is no address after tls://"))
            if options.tls is False:
                parser.error(_("tls:// and --no-tls contradict each other"))
            options.tls = True
        hosts.append(host)
    try:
        addresses = parse_addresses(hosts, options.port)
        has_port = parse_address(hosts[0], 0).port != 0
    except ValueError:
        text = _(
            "“{address}” is not the address of a server. Write for example 10.0.0.1, and several "
            "with commas: 10.0.0.1,lab2:5001,[fd00::3]:5001"
        )
        parser.error(text.format(address=options.host))
    if len(hosts) == 1 and has_port:
        text = _("write the port after the address: {address} {port}")
        address = options.host.rstrip("/").rpartition(":")[0]
        parser.error(text.format(address=address, port=addresses[0].port))
    (options.host, options.port), *others = addresses
    options.others = tuple(others)


def _use_pin(parser: Parser, options: argparse.Namespace) -> None:
    """Write the value of `--pin` into `options`."""
    if options.pin is None:
        return
    if options.tls is False:
        parser.error(_("--pin needs TLS: leave out --no-tls"))
    from tertulia.tls.fingerprint import normal_pin

    try:
        options.pin = normal_pin(options.pin)
    except ValueError:
        parser.error(_("a pin is the six words that the server shows, or 64 hexadecimal digits"))
    options.tls = True


def _read_operator_secret(parser: Parser, options: argparse.Namespace) -> None:
    """Replace the file's name by the secret in it; without a file use the environment's secret.

    The secret itself is not an option, because every user of a computer can see command lines.
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
    """Join each `-m` to its text; otherwise argparse refuses a text that begins with a dash."""
    joined: list[str] = []
    for argument in arguments:
        if joined[-1:] in (["-m"], ["--message"]):
            joined[-1] = f"--message={argument}"
        else:
            joined.append(argument)
    return joined


def _refuse_surplus(parser: Parser, options: argparse.Namespace, surplus: list[str]) -> NoReturn:
    """End with an explanation if there are more words than a name, a host and a port."""
    words = [options.name, options.host, options.port, *surplus]
    if not any(word.startswith("-") for word in words):
        *names, host, port = words
        if is_port(port) and "," in "".join(word[-1:] for word in words):
            _refuse_spaces_between_addresses(parser, words)
        if is_port(port):
            command = _command_without_spaces(" ".join(names), host, int(port), options)
            if command is not None:
                parser.suggest(_("a name has no spaces. Try: {command}").format(command=command))
            parser.error(_("a name has no spaces"))
        if options.message is not None:
            parser.error(_("put a text that has spaces between quotation marks"))
    parser.error(_("unrecognized arguments: %s") % " ".join(surplus))


def _refuse_spaces_between_addresses(parser: Parser, words: Sequence[str]) -> NoReturn:
    from tertulia.program import client_command

    first = next(place for place, word in enumerate(words) if word.endswith(","))
    command = [client_command(), *words[:first], "".join(words[first:-1]), words[-1]]
    text = _("write no spaces between the addresses. Try: {command}")
    parser.suggest(text.format(command=" ".join(command)))


def _command_without_spaces(
    name: str, host: str, port: int, options: argparse.Namespace
) -> str | None:
    from tertulia.chat.destination import Destination

    to = Destination(name, host, port, options.source, options.code, options.tls, options.pin)
    return to.command_with_valid_name()


if __name__ == "__main__":
    sys.exit(main())
