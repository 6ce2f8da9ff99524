"""Parsers for the values of options. They raise ArgumentTypeError with a text for people."""

import argparse
import os
import stat
from collections.abc import Callable
from typing import Any, NamedTuple

from tertulia.i18n import _

_LEAST_SECRET_CHARS = 16
_MOST_SECRET_CHARS = 1_024


class SecretFile(NamedTuple):
    """A secret, and the file that it was read from."""

    secret: str
    path: str
    is_exposed: bool  # others than its owner may read it, or replace it


def secret_file(path: str) -> SecretFile:
    """Read the secret of the operator from a file."""
    try:
        with open(path, encoding="utf-8") as file:
            is_exposed = is_open_to_others(path, os.fstat(file.fileno()))
            secret = file.read(4 * _MOST_SECRET_CHARS).strip()
    except OSError as error:
        text = _("cannot read {path}: {reason}").format(path=path, reason=error.strerror)
        raise argparse.ArgumentTypeError(text) from None
    except UnicodeDecodeError:
        is_exposed, secret = False, "\0"
    problem = None
    if not secret:
        problem = _("{path} is empty: put a secret of at least {least} characters into it")
    elif not secret.isprintable() or len(secret) > _MOST_SECRET_CHARS:
        problem = _("{path} has to contain one line with a secret, and nothing else")
    elif len(secret) < _LEAST_SECRET_CHARS:
        problem = _("the secret in {path} is too short: it needs at least {least} characters")
    if problem is not None:
        text = problem.format(path=path, least=_LEAST_SECRET_CHARS)
        raise argparse.ArgumentTypeError(text)
    return SecretFile(secret, path, is_exposed)


def is_open_to_others(path: str, found: os.stat_result) -> bool:
    """Return whether others than its owner may read this file, or replace what is in it.

    The files of systemd's LoadCredential= look as if a group could read them, but their directory
    is closed.
    """
    if os.path.dirname(os.path.abspath(path)) == os.environ.get("CREDENTIALS_DIRECTORY"):
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & 0o077)


def port_number(text: str) -> int:
    """Parse a port."""
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65_535:
        raise argparse.ArgumentTypeError(_("a port is a number from 0 to 65535"))
    return int(text)


def whole_number(least: int, most: int = 2**30) -> Callable[[str], int]:
    """Return a parser of whole numbers in this range."""

    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= 10
        if not is_number or not least <= int(text) <= most:
            message = _("'{text}' is not a whole number from {least} to {most}")
            raise argparse.ArgumentTypeError(message.format(text=text, least=least, most=most))
        return int(text)

    return parse


def positive_number(text: str) -> float:
    """Parse a number greater than 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(
            _("'{text}' is not a number greater than 0").format(text=text)
        )
    return number


def days(text: str) -> float:
    """Parse a number of days."""
    return min(positive_number(text), 36_500.0)  # A century, which every date can go back.


def rate(text: str) -> float:
    """Parse a number for each second."""
    return positive_number(text.removesuffix("/s"))


def or_none(parse: Callable[[str], Any], none: str) -> Callable[[str], Any]:
    """Return a parser that also takes the word `none`, and returns None for it."""
    return lambda text: None if text == none else parse(text)
