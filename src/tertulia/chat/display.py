"""Makes text from the network safe for a terminal; writes times, durations and statuses as text.

No text from a server is trusted: a character that would control the terminal or reorder the text is
replaced by a visible mark. No I/O; safe in any thread.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from tertulia.protocol.messages import Status
from tertulia.protocol.texts import CONTROL_CHARACTERS

# For use inside [...] of a regular expression: the characters that set, embed, override or isolate
# the direction of a text.
DIRECTION_CHARACTERS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
# The line and paragraph separators, and spaces without a width.
_UNSAFE = re.compile(rf"[{CONTROL_CHARACTERS}{DIRECTION_CHARACTERS}\u2028\u2029\u200b\u2060\ufeff]")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")
_NO_TIME = "--:--"
_PICTURES = 0x2400  # the block where U+2400 + n is the picture of control character n
_SHAPES = {Status.ACTIVO: "●", Status.OCUPADO: "◐", Status.INACTIVO: "○"}
_ASCII_SHAPES = {Status.ACTIVO: "(*)", Status.OCUPADO: "(/)", Status.INACTIVO: "( )"}
_ASCII_SIGNS = {"→": "->", "…": "...", "·": "-"}


def visible(text: str) -> str:
    """Replace every character that would control a terminal by a mark; keep newlines and tabs."""
    return _UNSAFE.sub(_mark, text)


def visible_in_a_line(text: str) -> str:
    """Replace newlines and tabs too, in a text that has to stay on one line, such as a name."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def without_gaps(text: str) -> str:
    """Return a text in which several blank lines are one, so that they cannot hide anything."""
    return _BLANK_LINES.sub("\n\n", text) if "\n" in text else text


def visible_json(line: bytes) -> bytes:
    r"""Escape every unsafe character of a JSON text as `\uXXXX`, an equal text in JSON."""
    text = line.decode(errors="replace")  # fields that were not decoded may contain invalid UTF-8
    return _UNSAFE.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", text).encode()


def _mark(unsafe: re.Match[str]) -> str:
    code = ord(unsafe[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


class Glyphs:
    """The special characters that some terminal encodings lack, each with a substitute in ASCII."""

    def __init__(self, encoding: str) -> None:
        try:
            "".join([*_SHAPES.values(), *_ASCII_SIGNS]).encode(encoding)
            self._ascii = False
        except UnicodeEncodeError:
            self._ascii = True

    def status(self, status: Status) -> str:
        """Return a status as a shape and a word."""
        return f"{(_ASCII_SHAPES if self._ascii else _SHAPES)[status]} {status}"

    def __getitem__(self, sign: str) -> str:
        return _ASCII_SIGNS[sign] if self._ascii else sign


def clock_time(time: str) -> str:
    """Return a time of the server as local HH:MM, or `--:--` if it is not a valid time."""
    moment = _local_moment(time)
    return _NO_TIME if moment is None else moment.strftime("%H:%M")


def date_and_time(time: str, today: date) -> str:
    """Return a time of the server as local HH:MM, with its date unless that is `today`."""
    moment = _local_moment(time)
    if moment is None:
        return _NO_TIME
    return moment.strftime("%H:%M" if moment.date() == today else "%Y-%m-%d %H:%M")


def local_day(time: str) -> date | None:
    """Return the local day of a time of the server, or None if it is not a valid time."""
    return _day_of_minute(time[:16] + "Z" if time.endswith("Z") else time)


@lru_cache(maxsize=64)
def _day_of_minute(time: str) -> date | None:
    moment = _local_moment(time)
    return None if moment is None else moment.date()


def _local_moment(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `duration(7500)` is `2 h 5 min`.

    The abbreviations of the units are the same in English and in Spanish.
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(hours, 24)
    return f"{days} d {rest} h" if rest else f"{days} d"
