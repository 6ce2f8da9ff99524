"""Any text from the network made safe to show on a terminal, and the shapes of the statuses.

Nothing that a server sends is trusted: what steers a terminal or reorders what is read is shown as
a visible mark. No state, no I/O; any thread.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from tertulia.protocol.messages import Status

# C0 without \t and \n, DEL, C1; marks, embeddings, overrides and isolates of direction; the line
# and paragraph separators; unpaired surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff\ud800-\udfff]"
)
_PICTURES = 0x2400  # the block where U+2400 + n shows control character n
_SHAPES = {Status.ACTIVO: "●", Status.OCUPADO: "◐", Status.INACTIVO: "○"}
_ASCII_SHAPES = {Status.ACTIVO: "(*)", Status.OCUPADO: "(/)", Status.INACTIVO: "( )"}
_ASCII_SIGNS = {"→": "->", "…": "...", "·": "-"}


def visible(text: str) -> str:
    """Show what would steer a terminal as a mark; newlines and tabs stay."""
    return _UNSAFE.sub(_mark, text)


def visible_in_a_line(text: str) -> str:
    """Show a text that has to stay on one line, like a name."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def visible_json(line: bytes) -> bytes:
    r"""Write what would steer a terminal as `\uXXXX`: the JSON text means the same."""
    text = line.decode(errors="replace")  # fields that nobody decoded may hold anything
    return _UNSAFE.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", text).encode()


def _mark(unsafe: re.Match[str]) -> str:
    code = ord(unsafe[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


class Glyphs:
    """The few signs of a face that not every terminal's encoding has."""

    def __init__(self, encoding: str) -> None:
        try:
            "".join([*_SHAPES.values(), *_ASCII_SIGNS]).encode(encoding)
            self._ascii = False
        except UnicodeEncodeError:
            self._ascii = True

    def status(self, status: Status) -> str:
        """Show a status as shape and word."""
        return f"{(_ASCII_SHAPES if self._ascii else _SHAPES)[status]} {status}"

    def __getitem__(self, sign: str) -> str:
        return _ASCII_SIGNS[sign] if self._ascii else sign


def clock_time(time: str) -> str:
    """Show a time of the server as HH:MM of this place."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%H:%M")
    except (ValueError, OverflowError, OSError):
        return "--:--"


def local_day(time: str) -> date | None:
    """Tell on which day of this place a time of the server is; None if it is no time."""
    return _day_of_minute(time[:16] + "Z" if time.endswith("Z") else time)


@lru_cache(maxsize=64)
def _day_of_minute(time: str) -> date | None:
    try:
        return datetime.fromisoformat(time).astimezone().date()
    except (ValueError, OverflowError, OSError):
        return None


def date_and_time(time: str) -> str:
    """Show a time of the server as HH:MM of this place, with the date unless it is today's."""
    try:
        moment = datetime.fromisoformat(time).astimezone()
    except (ValueError, OverflowError, OSError):
        return "--:--"
    return moment.strftime("%H:%M" if moment.date() == _today() else "%Y-%m-%d %H:%M")


def _today() -> date:
    return datetime.now().astimezone().date()


def duration(seconds: float) -> str:
    """Show a length of time with its two largest units; the units are the same in both languages.

    `duration(7500)` is `2 h 5 min`.
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
