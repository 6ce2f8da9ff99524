"""The options that say who may come in, and who keeps order."""

import argparse

from tertulia.i18n import _
from tertulia.protocol.codes import MAX_CODE_CHARS, fold_code
from tertulia.server.option_types import days, secret_file


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options, each for the field of the Config with its name."""
    group = parser.add_argument_group(_("who may come in"))
    group.add_argument(
        "--code",
        type=_code,
        metavar=_("CODE|auto"),
        help=_("let in only those who give this code; auto: three words, shown at the start"),
    )
    group.add_argument(
        "--hold-names",
        type=days,
        dest="hold_names_days",
        metavar=_("DAYS"),
        help=_("hold each name for whoever used it first, until so many days after the last visit"),
    )
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
    order = parser.add_argument_group(_("keeping order"))
    order.add_argument(
        "--operator",
        action="store_true",
        help=_("open the console of the server that runs on PORT, and start none"),
    )
    order.add_argument(
        "--operator-secret",
        type=secret_file,
        metavar=_("FILE"),
        help=_("file with the secret that makes an operator (default: a new one at each start)"),
    )


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
