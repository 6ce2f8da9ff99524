"""Texts about the servers on the local network, and the question which one to join.

In announcements by strangers all control characters are made visible. It blocks. Main thread only.
"""

import json
import shlex
import sys
from collections.abc import Sequence

from tertulia.chat.nearby import CannotLook, NearbyServer, find_servers, that_answer
from tertulia.i18n import _, ngettext
from tertulia.mdns import VARIABLE, is_switched_off
from tertulia.program import client_command
from tertulia.safetext import visible_in_a_line
from tertulia.tls.fingerprint import Fingerprint
from tertulia.wrapping import wrapped_for

_MAX_SHOWN = 20


def print_servers(*, as_json: bool) -> int:
    """Print the servers on the local network; return the exit status."""
    servers = _find(_("NAME"))
    if isinstance(servers, int):
        return servers
    if as_json:
        for server in servers:
            fields = {
                "name": server.name,
                "address": server.address,
                "port": server.port,
                "tls": "require" if server.requires_tls else None,
                "fingerprint": server.fingerprint or None,
            }
            sys.stdout.write(json.dumps({k: v for k, v in fields.items() if v is not None}) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _listed(servers, _("NAME"))))
    return 0


def choose_server(name: str, *, has_secret: bool, is_quiet: bool) -> NearbyServer | int:
    """Return the server to join as `name`, or the exit status if there is none.

    If there are several, a person at a terminal chooses. If `has_secret`, the person also confirms
    a single server, because a secret must not be sent to a stranger's server.
    """
    servers = _find(name)
    if isinstance(servers, int):
        return servers
    if len(servers) == 1 and not has_secret:
        if not is_quiet:
            text = _("Found {server}")
            _say(text.format(server=_words_about(servers[0])))
        return servers[0]
    if sys.stdin.isatty() and sys.stderr.isatty():
        return _ask_which(servers)
    count = len(servers)
    text = ngettext(
        "There is {count} server on this network. With a secret, give its address:",
        "There are {count} servers on this network. Give the address of one:",
        count,
    )
    _say(text.format(count=count))
    _say_lines(_listed(servers, name))
    return 2


def _find(name: str) -> list[NearbyServer] | int:
    """Return the servers; if there are none, print what to do and return the exit status."""
    if is_switched_off():
        text = _(
            "tertulia: {variable}=off forbids looking for servers. Give the address: {command}"
        )
        _say(text.format(variable=VARIABLE, command=_command(name)))
        return 2
    try:
        servers = find_servers()
    except CannotLook as problem:
        text = _("tertulia: cannot look for servers ({reason}). Give the address: {command}")
        _say(text.format(reason=problem, command=_command(name)))
        return 3
    if len(servers) > _MAX_SHOWN:  # somebody announces servers that do not exist
        servers = that_answer(servers) or servers
    if not servers:
        _say(
            _(
                "tertulia: no server was found on this network. Start one with tertulia-server "
                "5000, or give its address: {command}. Some networks do not let computers find "
                "each other."
            ).format(command=_command(name))
        )
        return 3
    return servers


def _command(name: str) -> str:
    host, port = _("SERVER-IP"), _("PORT")
    return f"{client_command()} {shlex.quote(name)} {host} {port}"


def _ask_which(servers: Sequence[NearbyServer]) -> NearbyServer | int:
    shown = servers[:_MAX_SHOWN]
    lines = [f"{number:3}  {_words_about(server)}" for number, server in enumerate(shown, 1)]
    _say_lines(lines + _words_about_rest(servers))
    while True:
        sys.stderr.write(_("Which server? Number: "))
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            sys.stderr.write("\n")
            return 2
        answer = answer.strip()
        if answer.isascii() and answer.isdigit() and 1 <= int(answer[:9]) <= len(shown):
            return shown[int(answer) - 1]
        _say(_("Type a number from 1 to {most}, or Ctrl+C to leave.").format(most=len(shown)))


def _listed(servers: Sequence[NearbyServer], name: str) -> list[str]:
    """Return a command that joins each server, and a text about it."""
    lines = []
    for server in servers[:_MAX_SHOWN]:
        tls = " --tls" if server.requires_tls else ""
        command = f"{client_command()} {shlex.quote(name)} {server.address} {server.port}{tls}"
        lines.append(f"{command}   # {visible_in_a_line(server.name)}{_words_of(server)}")
    return lines + _words_about_rest(servers)


def _words_about(server: NearbyServer) -> str:
    text = _("“{name}” at {address}, port {port}")
    name = visible_in_a_line(server.name)
    return text.format(name=name, address=server.address, port=server.port) + _words_of(server)


def _words_of(server: NearbyServer) -> str:
    """Return the words of the announced certificate, to compare them with those of the server."""
    if not server.fingerprint:
        return ""
    return f" ({Fingerprint.of_hex(server.fingerprint).words})"


def _words_about_rest(servers: Sequence[NearbyServer]) -> list[str]:
    rest = len(servers) - _MAX_SHOWN
    if rest <= 0:
        return []
    text = ngettext("and {count} more", "and {count} more", rest)
    return [text.format(count=rest)]


def _say(text: str) -> None:
    sys.stderr.write(wrapped_for(sys.stderr, text) + "\n")


def _say_lines(lines: Sequence[str]) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
