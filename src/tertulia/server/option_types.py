"""The values of options: parsers that raise ArgumentTypeError in words for people."""

import argparse
from collections.abc import Callable
from typing import Any

from tertulia.i18n import _


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
