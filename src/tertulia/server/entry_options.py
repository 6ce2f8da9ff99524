"""The options that decide which users may join, and which of them may become operators."""

import argparse
import os

from tertulia.i18n import _
from tertulia.protocol.codes import MAX_CODE_CHARS, fold_code
from tertulia.protocol.networks import LOOPBACK, Network, parse_network
from tertulia.server.option_types import days, or_none, secret_file
from tertulia.server.workers.local_socket import MAX_PATH_BYTES


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options, each for the field of the Config with its name."""
    group = parser.add_argument_group(_("who may come in, and who keeps order"))
    group.add_argument(
        "--code",
        type=_code,
        metavar=_("CODE|auto"),
        help=_("let in only people who give this code; auto: three words, shown at the start"),
    )
    group.add_argument(
        "--hold-names",
        type=days,
        dest="hold_names_days",
        metavar=_("DAYS"),
        help=_(
            "hold each name for the first person who uses it, until this many days after that "
            "person's last visit"
        ),
    )
    group.add_argument(
        "--operator-secret",
        type=secret_file,
        metavar=_("FILE"),
        help=_(
            "file with the secret that makes a user an operator (default: a new secret at each "
            "start)"
        ),
    )
    for flag, text in {
        "--allow": _("let in only users from this address or network; can be repeated"),
        "--deny": _("let in nobody from this address or network, even if allowed; can be repeated"),
        "--proxy-from": _(
            "take the users' addresses from the PROXY headers of proxies at this address or "
            "network; can be repeated"
        ),
    }.items():
        group.add_argument(flag, action="append", type=_network, metavar="CIDR", help=text)
    group.add_argument(
        "--unix",
        type=_socket_path,
        metavar=_("PATH"),
        help=_("also listen at this socket in the file system, for a proxy on this computer"),
    )
    group.add_argument(
        "--metrics",
        action="append",
        type=or_none(_network, "off"),
        metavar="CIDR|off",
        help=_(
            "let programs at this address or network read /metrics and /healthz (default: only "
            "programs on this computer); can be repeated"
        ),
    )
    _add_encryption(parser)


def _add_encryption(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(_("encryption"))
    group.add_argument(
        "--tls",
        choices=("auto", "require", "off"),
        default="auto",
        help=_(
            "encryption on the same port: for clients that want it, for all, or not at all (auto)"
        ),
    )
    group.add_argument(
        "--certificate",
        metavar=_("FILE"),
        help=_("use this certificate, with its chain, instead of one that the server makes"),
    )
    group.add_argument(
        "--key", metavar=_("FILE"), help=_("the private key of --certificate, without a password")
    )


def networks_of_metrics(given: list[Network | None] | None) -> tuple[Network, ...] | None:
    """Return the networks that may read the metrics; None if the values contradict each other."""
    if given is None:
        return LOOPBACK
    networks = tuple(network for network in given if network is not None)
    return None if networks and None in given else networks


def _network(text: str) -> Network:
    network = parse_network(text)
    if network is None:
        message = _("'{text}' is not an address or a network, for example 192.168.1.0/24")
        raise argparse.ArgumentTypeError(message.format(text=text))
    address = parse_network(text.partition("/")[0])
    if address is None or address.network_address != network.network_address:
        message = _("'{text}' names an address in a network: for the whole network write {network}")
        raise argparse.ArgumentTypeError(message.format(text=text, network=network))
    return network


def _socket_path(text: str) -> str:
    if not text or "\0" in text or len(os.fsencode(text)) > MAX_PATH_BYTES:
        message = _("the path of a socket has 1 to {most} bytes")
        raise argparse.ArgumentTypeError(message.format(most=MAX_PATH_BYTES))
    return text


def _code(text: str) -> str:
    code = " ".join(text.split())
    if not code.isprintable():
        raise argparse.ArgumentTypeError(_("a code cannot contain control characters"))
    if not fold_code(code):
        raise argparse.ArgumentTypeError(_("a code needs at least one letter or digit"))
    if len(code) > MAX_CODE_CHARS:
        message = _("a code can have at most {most} characters")
        raise argparse.ArgumentTypeError(message.format(most=MAX_CODE_CHARS))
    return code
