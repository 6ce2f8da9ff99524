"""The options that join several machines to one chat, and the checks of how they combine."""

import argparse
import os
import re
import socket
import stat
from typing import Any, NamedTuple

from tertulia.i18n import _
from tertulia.server.cluster.addresses import Address, parse_address
from tertulia.server.config import AUTOMATIC_CODE, Config
from tertulia.server.log_lines import one_line
from tertulia.server.option_types import is_open_to_others

_MOST_NAME_CHARS = 32
_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{_MOST_NAME_CHARS}}}")


class ClusterUnclear(Exception):
    """The options contradict each other, or one is missing; the text says what to do."""


class CredentialsFile(NamedTuple):
    """The file with the credentials for the nats-servers."""

    path: str
    is_exposed: bool  # others than its owner may read it, or replace it


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options to the command line."""
    group = parser.add_argument_group(_("several machines, one chat"))
    group.add_argument(
        "--cluster",
        action="extend",
        type=_servers,
        metavar="URL[,URL…]",
        help=_(
            "share the chat with the other servers that use these nats-servers, for example "
            "nats://10.0.0.1,nats://10.0.0.2,nats://10.0.0.3; tls:// for encryption"
        ),
    )
    group.add_argument(
        "--node",
        type=_name,
        metavar=_("NAME"),
        help=_("name of this server among the others (default: the name of this computer)"),
    )
    group.add_argument(
        "--chat",
        type=_name,
        metavar=_("NAME"),
        help=_("name of the chat, if the same nats-servers have several ({default})").format(
            default=Config(port=0).chat
        ),
    )
    group.add_argument(
        "--cluster-credentials",
        type=_credentials_file,
        metavar=_("FILE"),
        help=_("file with this server's credentials for the nats-servers"),
    )
    group.add_argument(
        "--new-log",
        action="store_true",
        help=_(
            "begin again with the history of this server, after the log at the nats-servers was "
            "lost; for one start, on one server"
        ),
    )


def take_from(given: dict[str, Any], *, is_supervised: bool) -> CredentialsFile | None:
    """Turn what was given into fields of the Config; return the file of credentials.

    Raises ClusterUnclear.
    """
    credentials: CredentialsFile | None = given["cluster_credentials"]
    if given["cluster"] is None:
        for option in ("node", "chat", "cluster_credentials", "new_log"):
            if given[option]:
                text = _("{option} is for several machines: it needs --cluster too")
                raise ClusterUnclear(text.format(option="--" + option.replace("_", "-")))
        for option in ("cluster", "node", "chat", "cluster_credentials"):
            del given[option]
        return None
    servers: list[Address] = given["cluster"]
    _check_servers(servers)
    given["cluster"] = tuple(server.url for server in servers)
    if given["code"] == AUTOMATIC_CODE:
        raise ClusterUnclear(
            _(
                "with --code auto each server of the cluster would make another code: choose one, "
                "and give it to all of them with --code CODE"
            )
        )
    if given["new_log"] and is_supervised:
        raise ClusterUnclear(
            _(
                "--new-log is for one start: with --supervise it would happen again at each start; "
                "leave out one of them"
            )
        )
    given["node"] = given["node"] or name_of_computer()
    given["chat"] = given["chat"] or Config(port=0).chat
    given["cluster_credentials"] = None if credentials is None else credentials.path
    return credentials


def name_of_computer() -> str:
    """Return the name of this computer as one that a node can have."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname())
    return name[:_MOST_NAME_CHARS].strip("-") or "node"


def _check_servers(servers: list[Address]) -> None:
    for server in servers:
        if servers.count(server) > 1:
            raise ClusterUnclear(_("--cluster names {server} twice").format(server=server.url))
    if len({server.has_tls for server in servers}) > 1:
        raise ClusterUnclear(
            _("--cluster mixes nats:// and tls://: encrypt all connections, or none")
        )


def _servers(text: str) -> list[Address]:
    return [_server(part.strip()) for part in text.split(",")]


def _server(text: str) -> Address:
    if "@" in text:  # This message does not repeat the text, because logs would keep the password.
        raise argparse.ArgumentTypeError(
            _(
                "leave out the user and the password: other users of this computer can read a "
                "command line. Write them into a file, and give it with --cluster-credentials FILE"
            )
        )
    try:
        address = parse_address(text)
    except ValueError:
        message = _(
            "'{text}' is not the address of a nats-server, for example nats://10.0.0.1:4222 or "
            "tls://nats1.example:4222"
        )
        raise argparse.ArgumentTypeError(message.format(text=one_line(text))) from None
    if address.port == 0:
        raise argparse.ArgumentTypeError(_("a nats-server has a port from 1 to 65535"))
    return address


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        message = _(
            "'{text}' cannot be the name: use 1 to {most} letters from a to z, digits, - and _"
        )
        raise argparse.ArgumentTypeError(message.format(text=one_line(text), most=_MOST_NAME_CHARS))
    return text


def _credentials_file(path: str) -> CredentialsFile:
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # A pipe could not be read again after a lost link.
            text = _("{path} is not a file").format(path=path)
            raise argparse.ArgumentTypeError(text)
        with open(path, "rb") as file:
            is_empty = not file.read(1)
    except OSError as error:
        text = _("cannot read {path}: {reason}").format(path=path, reason=error.strerror)
        raise argparse.ArgumentTypeError(text) from None
    if is_empty:
        raise argparse.ArgumentTypeError(_("{path} is empty").format(path=path))
    return CredentialsFile(path, is_open_to_others(path, found))
