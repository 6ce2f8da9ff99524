"""The text at the server's start: how others join, how to stop it, and what it keeps."""

import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from tertulia.i18n import _, ngettext
from tertulia.program import client_command
from tertulia.server.addresses import JoinAddress
from tertulia.server.certificates.certificate import Certificate
from tertulia.server.config import Config
from tertulia.server.qr import qr_lines
from tertulia.version import __version__


def greeting(
    config: Config,
    port: int,
    addresses: Sequence[JoinAddress] | None,
    *,
    shows_qr: bool,
    has_terminal: bool = True,
    certificate: Certificate | None = None,
    about_order: Sequence[str] = (),
    other_nodes: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return the text that says how to join, how to stop, and what is kept where.

    `about_order` are the lines for operators. In a cluster, `other_nodes` are the nodes that are
    up, with their addresses. Without a terminal nobody can press Ctrl+C, so the text does not
    mention it: a service manager stops the server.
    """
    opened = _("tertulia {version} is running on port {port}. To join:")
    room = ngettext(
        "There is room for one user.", "There is room for {count} users.", config.max_users
    )
    kept = (
        _("The general chat is kept in {path}")
        if config.history
        else _("The general chat is not kept.")
    )
    how_to_stop = " " + _("Press Ctrl+C to stop the server.") if has_terminal else ""
    in_browsers = _("in any browser")
    to_open = linkable(config, addresses)
    if addresses is None:  # the system refuses to name them
        addresses = [JoinAddress(_("SERVER-IP"), "")]
    lines = [
        opened.format(version=__version__, port=port),
        "",
        *(f"    {link_to(config, each, port)}   # {_where(each, in_browsers)}" for each in to_open),
        *(f"    {line_to_type(config, each, port)}" for each in addresses),
        *(f"    {line}" for line in _shortcuts(config, addresses, to_open, port)),
        "",
        *_words_about_nodes(config, other_nodes),
        *_words_about_proxies(config),
        *_words_about_code(config),
        f"{room.format(count=config.max_users)}{how_to_stop}",
        kept.format(path=config.history),
        *_words_about_certificate(certificate),
        *about_order,
    ]
    for each in to_open:
        if shows_qr and not each.is_this_computer:
            lines += ["", *qr_lines(link_to(config, each, port))]
    return "\n".join(lines)


def _shortcuts(
    config: Config, addresses: Sequence[JoinAddress], to_open: Sequence[JoinAddress], port: int
) -> list[str]:
    """Return the command without an address, and the link to the client."""
    lines = []
    if config.announce and any(not each.is_this_computer for each in addresses):
        name, comment = _("NAME"), _("without the address, on this network")
        lines.append(f"{client_command()} {name}   # {comment}")
    comment = _("to get this command, also as one file")
    plain = msgspec.structs.replace(config, code=None)  # the page needs none
    lines += [f"{link_to(plain, each, port)}client   # {comment}" for each in to_open]
    return lines


def _words_about_nodes(config: Config, others: Mapping[str, Sequence[str]] | None) -> list[str]:
    if others is None:
        return []
    own = _("This is the node {node} of the chat {chat}.").format(
        node=config.node, chat=config.chat
    )
    if not others:
        return [own, _("No other node is up.")]
    shown = [
        f"{name} ({', '.join(addresses)})" if addresses else name
        for name, addresses in sorted(others.items())
    ]
    return [own, _("Also up: {nodes}").format(nodes=", ".join(shown))]


def _words_about_proxies(config: Config) -> list[str]:
    if config.unix is None:
        return []
    return [_("A proxy on this computer can also connect to {path}").format(path=config.unix)]


def _words_about_code(config: Config) -> list[str]:
    if config.code is None:
        return []
    lines = [_("The code to come in: {code}").format(code=config.code)]
    if config.tls == "auto":
        text = _("Without TLS the code travels unencrypted: others on this network can read it.")
        lines.append(text)
    elif config.tls == "off":
        text = _("The code travels unencrypted: anyone who can listen on this network can read it.")
        lines.append(text)
    return lines


def _words_about_certificate(certificate: Certificate | None) -> list[str]:
    if certificate is None:
        return []
    lines = [_("TLS certificate: {words}").format(words=certificate.current.fingerprint.words)]
    if certificate.problem:
        text = _(
            "It could not be saved ({reason}): the next start will make another one, which "
            "clients will refuse."
        )
        lines.append(text.format(reason=certificate.problem))
    return lines


def linkable(config: Config, addresses: Sequence[JoinAddress] | None) -> Sequence[JoinAddress]:
    """Return the address for a link, if there can be one.

    A link cannot name the interface of an address with a scope.
    """
    return [each for each in addresses or () if config.web and "%" not in each.address][:1]


def link_to(config: Config, to: JoinAddress, port: int, operator_secret: str | None = None) -> str:
    """Return the link for browsers, which keep the fragment with the secrets to themselves.

    It uses TLS only if that is required: a browser would warn of a certificate that it does not
    know.
    """
    scheme = "https" if config.tls == "require" else "http"
    host = f"[{to.address}]" if ":" in to.address else to.address
    fields = {"code": config.code, "operator": operator_secret}
    given = [f"{name}={quote(value, safe='')}" for name, value in fields.items() if value]
    return f"{scheme}://{host}:{port}/" + ("#" + "&".join(given) if given else "")


def line_to_type(config: Config, to: JoinAddress, port: int, comment: str | None = None) -> str:
    """Return the command that joins, with the interface or another comment after it."""
    name = _("NAME")
    line = f"{client_command()} {name} {to.address} {port}"
    if config.tls == "require":
        line += " --tls"
    if config.code is not None:
        line += f" --code {shlex.quote(config.code)}"
    where = _where(to, to.interface) if comment is None else comment
    return f"{line}   # {where}" if where else line


def _where(to: JoinAddress, otherwise: str) -> str:
    return _("only from this computer") if to.is_this_computer else otherwise
