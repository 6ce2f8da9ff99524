"""The text at the server's start: how others join, how to stop it, and what it keeps."""

import shlex
from collections.abc import Sequence
from urllib.parse import quote

from tertulia.i18n import _, ngettext
from tertulia.program import client_command
from tertulia.server.addresses import JoinAddress
from tertulia.server.config import Config
from tertulia.server.qr import qr_lines
from tertulia.version import __version__


def greeting(
    config: Config, port: int, addresses: Sequence[JoinAddress] | None, *, shows_qr: bool
) -> str:
    """Return the text that says how to join, how to stop, and where the history is."""
    opened = _("tertulia {version} is running on port {port}. To join:")
    room = ngettext(
        "There is room for one user.", "There is room for {count} users.", config.max_users
    )
    kept = (
        _("The general chat is kept in {path}")
        if config.history
        else _("The general chat is not kept.")
    )
    how_to_stop = _("Press Ctrl+C to stop the server.")
    in_browsers = _("in any browser")
    # A link cannot name the interface of an address with a scope.
    to_open = [each for each in addresses or () if config.web and "%" not in each.address][:1]
    if addresses is None:  # the system refuses to name them
        addresses = [JoinAddress(_("SERVER-IP"), "")]
    lines = [
        opened.format(version=__version__, port=port),
        "",
        *(
            f"    {_link(each, port, config.code)}   # {_where(each, in_browsers)}"
            for each in to_open
        ),
        *(f"    {_line_to_type(each, port, config.code)}" for each in addresses),
        "",
        *_words_about_code(config.code),
        f"{room.format(count=config.max_users)} {how_to_stop}",
        kept.format(path=config.history),
    ]
    for each in to_open:
        if shows_qr and not each.is_this_computer:
            lines += ["", *qr_lines(_link(each, port, config.code))]
    return "\n".join(lines)


def _words_about_code(code: str | None) -> list[str]:
    if code is None:
        return []
    return [
        _("The code to come in: {code}").format(code=code),
        _("The code travels unencrypted: whoever can listen on this network can read it."),
    ]


def _link(to: JoinAddress, port: int, code: str | None) -> str:
    """Return the link for browsers, which keep the fragment with the code to themselves."""
    host = f"[{to.address}]" if ":" in to.address else to.address
    fragment = "" if code is None else f"#code={quote(code, safe='')}"
    return f"http://{host}:{port}/{fragment}"


def _line_to_type(to: JoinAddress, port: int, code: str | None) -> str:
    """Return the command that joins, with the interface as a comment of the shell."""
    name = _("NAME")
    line = f"{client_command()} {name} {to.address} {port}"
    if code is not None:
        line += f" --code {shlex.quote(code)}"
    where = _where(to, to.interface)
    return f"{line}   # {where}" if where else line


def _where(to: JoinAddress, otherwise: str) -> str:
    return _("only from this computer") if to.is_this_computer else otherwise
