"""Gives the person who runs the server an operator's rights: a console, and a secret in a file.

Both are in the state directory and belong to one run: the file is replaced at the next start, and
removed at an orderly stop. A server without such a directory, or with a full disk, starts without
them. Only the main thread runs this.
"""

import contextlib
import logging
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tertulia.i18n import _
from tertulia.operator_commands import OPERATOR_WORDS, word_in_own_language
from tertulia.program import server_command
from tertulia.server.addresses import JoinAddress
from tertulia.server.config import Config
from tertulia.server.console.place import PlaceTaken
from tertulia.server.greeting import line_to_type, link_to, linkable
from tertulia.server.server import Server
from tertulia.state_directory import state_directory, write_private

log = logging.getLogger("tertulia.server")


class Access(NamedTuple):
    """The ways to act as an operator that this server offers."""

    has_console: bool
    file: Path | None


def grant_access(server: Server, config: Config, addresses: Sequence[JoinAddress] | None) -> Access:
    """Open the console and write the file; log what is not possible. Before `Server.start`."""
    directory = state_directory()
    if directory is None:
        log.warning("no console and no file with the operator's secret: set XDG_STATE_HOME")
        return Access(has_console=False, file=None)
    has_console = True
    try:
        server.open_console(directory)
    except PlaceTaken as error:
        log.warning(
            "another server of this user has the console and the operator's file of this "
            "port path=%s",
            error,
        )
        return Access(has_console=False, file=None)
    except OSError as error:
        log.warning("no console error=%s path=%s", error.strerror, directory)
        has_console = False
    file = directory / f"operator-{server.port}.txt"
    try:
        write_private(file, _text(config, server.port, addresses).encode())
    except OSError as error:
        log.warning("operator's secret not written error=%s path=%s", error.strerror, file)
        return Access(has_console, None)
    return Access(has_console, file)


def withdraw_access(access: Access) -> None:
    """Remove the file. The next start writes a new one."""
    if access.file is not None:
        with contextlib.suppress(OSError):
            os.unlink(access.file)


def greeting_lines(
    access: Access,
    config: Config,
    port: int,
    addresses: Sequence[JoinAddress] | None,
    *,
    is_terminal: bool,
) -> list[str]:
    """Return the lines for the greeting. They show the secret only on a terminal."""
    command = f"{server_command()} {port} --operator"
    state_home = os.environ.get("XDG_STATE_HOME")
    if state_home and not is_terminal:  # the user who reads a service's log has another
        command = f"XDG_STATE_HOME={shlex.quote(state_home)} {command}"
    if access.has_console and access.file is not None:
        text = _("To keep order, type {command} on this computer, or see {path}")
    elif access.has_console:
        text = _("To keep order, type {command} on this computer")
    elif access.file is not None:
        text = _("To keep order, see {path}")
    else:
        text = _("The file for operators could not be written.")
    lines = [text.format(command=command, path=access.file)]
    if is_terminal:
        only_for_you = _("only for you")
        secrets = _links(config, port, addresses) or [str(config.operator_secret)]
        lines += [f"    {line}   # {only_for_you}" for line in secrets]
    return lines


def _text(config: Config, port: int, addresses: Sequence[JoinAddress] | None) -> str:
    """Return the contents of the file."""
    opened = _(
        "Anyone who has this secret can keep order in the chat on port {port}: keep it secret."
    )
    to = next(iter(addresses or ()), JoinAddress(_("SERVER-IP"), ""))
    then = _("then type {command} and paste the secret: {secret}")
    lines = [
        opened.format(port=port),
        "",
        *(f"    {line}" for line in _links(config, port, addresses)),
        f"    {line_to_type(config, to, port, '')}",
        "        "
        + then.format(command=word_in_own_language(OPERATOR_WORDS), secret=config.operator_secret),
        "",
    ]
    return "\n".join(lines)


def _links(config: Config, port: int, addresses: Sequence[JoinAddress] | None) -> list[str]:
    """Return the link that makes the person who opens it an operator; none without the page."""
    return [
        link_to(config, each, port, config.operator_secret) for each in linkable(config, addresses)
    ]
