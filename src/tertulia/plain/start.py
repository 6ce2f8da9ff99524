"""Starts the plain face: connects, chats on a terminal or on pipes, and returns the exit status.

Main thread only; it blocks until the end.
"""

import importlib.util
import os
import signal
import sys
from contextlib import closing
from functools import partial

from tertulia.chat import explain, unreachable
from tertulia.chat.choices import Choices
from tertulia.chat.credentials import Credentials, asks_for_code
from tertulia.chat.destination import Destination
from tertulia.chat.entering import Entrance
from tertulia.chat.exit_status import (
    EXIT_FINE,
    EXIT_NO_CONNECTION,
    EXIT_NOT_ALL_SAID,
    EXIT_REFUSED,
)
from tertulia.chat.ignored import Ignored
from tertulia.chat.keyring import server_names
from tertulia.chat.settings import Loaded
from tertulia.chat.trust import Trust
from tertulia.client.client import Client
from tertulia.client.errors import CertificateRefused, NoConnection, RegistrationRefused
from tertulia.i18n import _
from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output, is_unread
from tertulia.plain.script import Script
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.lines import encode

# Read from stdin; longer than any message, so that a longer text is refused.
MAX_MESSAGE_BYTES = 64 * 1024


def run(
    to: Destination,
    credentials: Credentials,
    trust: Trust,
    loaded: Loaded,
    script: Script,
    *,
    wait_s: float,
    takes_free_name: bool,
) -> int:
    """Connect, chat until the end, and return the exit status."""
    output = Output(sys.stdout, sys.stderr, json=script.json, quiet=script.quiet)
    on_terminal = script.messages is None and sys.stdin.isatty() and sys.stdout.isatty()
    if loaded.problem:
        output.add_notice(loaded.problem)
    messages = _messages(script, output)
    if on_terminal:
        if hasattr(os, "tcgetpgrp"):  # jobs of a shell, which Windows does not have
            from tertulia.jobcontrol import wait_for_foreground

            wait_for_foreground(sys.stdin.fileno())
        text = _("Connecting to {host}, port {port}…")
        if trust.uses_tls:
            text = _("Connecting to {host}, port {port}, over TLS…")
        output.add_notice(text.format(host=to.hosts.replace(",", ", "), port=to.port))
        output.flush()
    with closing(Wakeup()) as wakeup:
        entrance = Entrance(
            to, wakeup.wake, credentials, trust, wait_s=wait_s, takes_free_name=takes_free_name
        )
        asks = on_terminal and not script.json
        client = _enter(entrance, output, script, asks=asks)
        if isinstance(client, int):
            return client
        if introduction := entrance.whereabouts.introduction():
            output.add_notice(introduction)
        name = client.welcome.name
        ignored = Ignored(name, server_names(to.addresses))
        if ignored.problem:
            output.add_notice(ignored.problem)
        face = PlainFace(
            client,
            output,
            entrance.to,
            entrance.reconnector(),
            Choices(loaded.settings),
            script,
            on_terminal=on_terminal,
            has_editor=_has_line_editor(),
            operator_secret=credentials.operator_secret,
            ignored=ignored,
            whereabouts=entrance.whereabouts,
        )
        try:
            if on_terminal and _has_line_editor():
                ended_by, status = _chat_on_terminal(face, output, wakeup)
            else:
                ended_by, status = _chat_on_pipes(face, output, wakeup, script, messages)
        finally:
            face.chat.close()
    if ended_by is not None:
        # So the parent process can see that a signal ended the program.
        signal.signal(ended_by, signal.SIG_DFL)
        signal.raise_signal(ended_by)
    return status


def _enter(entrance: Entrance, output: Output, script: Script, *, asks: bool) -> Client | int:
    """Return the connected client, or the exit status if there is none.

    If it `asks`, the person types the code that the server requires.
    """
    try:
        return _enter_with_code(entrance, output) if asks else entrance.enter()
    except NoConnection as failure:
        output.add_error(unreachable.no_connection(failure, entrance.to))
        return EXIT_NO_CONNECTION
    except (RegistrationRefused, CertificateRefused) as refusal:
        if script.json and isinstance(refusal, RegistrationRefused):
            output.add_json(encode(refusal.error)[:-1])
        output.add_error(explain.refused(refusal, entrance.to))
        return EXIT_REFUSED
    finally:
        output.flush()


def _enter_with_code(entrance: Entrance, output: Output) -> Client:
    """Connect, and ask the person for the code while the server refuses the present one.

    Raises the errors of Entrance.enter.
    """
    while True:
        try:
            return entrance.enter()
        except RegistrationRefused as refusal:
            if not asks_for_code(refusal.error):
                raise
            output.add_notice(explain.code_wanted(refusal.error))
            output.flush()
            code = _ask_for_code()
            if code is None:
                raise
            entrance.credentials.code = code


def _ask_for_code() -> str | None:
    """Return the code that the person types; None at the end of the input.

    It is shown, because it is not a personal password: everyone in the room knows it.
    """
    try:
        while not (typed := input(_("Code") + ": ").strip()):
            pass
    except EOFError:
        print()
        return None
    return typed


def _messages(script: Script, output: Output) -> list[str]:
    """Return the messages of the command line; the one from stdin is read here."""
    texts = script.messages or ()
    if None in texts and sys.stdin.isatty():
        output.add_notice(_("Type the message, and end it with Enter and Ctrl+D."))
        output.flush()
    return [_all_of_stdin() if text is None else text for text in texts]


def _all_of_stdin() -> str:
    """Return stdin until its end, without the last newlines, as a shell does it."""
    data = b""
    while len(data) <= MAX_MESSAGE_BYTES and (read := os.read(sys.stdin.fileno(), 65_536)):
        data += read
    text = data.decode(sys.stdin.encoding, errors="replace")
    return text.replace("\r\n", "\n").rstrip("\n")


def _has_line_editor() -> bool:
    """Return whether this system can edit a line while messages arrive."""
    return all(importlib.util.find_spec(name) for name in ("termios", "wcwidth"))


def _chat_on_terminal(
    face: PlainFace, output: Output, wakeup: Wakeup
) -> tuple[signal.Signals | None, int]:
    """Chat until the end; return the signal that ended it, or None, and the exit status."""
    from tertulia.plain import terminal  # not needed for pipes, and slow to import

    try:
        ended_by = terminal.run(face, output, wakeup)
    except KeyboardInterrupt:
        ended_by = signal.SIGINT
    status = face.finish()
    output.flush()
    return ended_by, status


def _chat_on_pipes(
    face: PlainFace, output: Output, wakeup: Wakeup, script: Script, messages: list[str]
) -> tuple[signal.Signals | None, int]:
    """Carry out the script; return the signal that ended it, or None, and the exit status."""
    from tertulia.plain import piped

    lines: piped.Lines
    if script.messages is not None:
        lines = piped.GivenLines(messages)
        carry_out: piped.CarryOut = partial(face.say, to=script.to)
    else:
        lines = piped.input_lines(sys.stdin, wakeup)
        typed = script.commands or sys.stdin.isatty()
        carry_out = face.submit if typed else piped.say_each(face, output)
    ended_by = None
    try:
        piped.run(face, output, wakeup, lines, carry_out)
    except KeyboardInterrupt:
        ended_by = signal.SIGINT
    except OSError as error:
        if not is_unread(error):
            raise
    all_tried = lines.used_up
    status = face.finish(piped.lines_left(lines))
    output.finish()
    return ended_by, EXIT_NOT_ALL_SAID if status == EXIT_FINE and not all_tried else status
