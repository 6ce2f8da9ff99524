"""Writes times, durations and statuses as text.

Times come from a server and are not trusted: one that is not valid is shown as `--:--`. No I/O;
safe in any thread.
"""

from datetime import date, datetime
from functools import lru_cache

from tertulia.protocol.messages import Status

_NO_TIME = "--:--"
_SHAPES = {Status.ACTIVO: "●", Status.OCUPADO: "◐", Status.INACTIVO: "○"}
_ASCII_SHAPES = {Status.ACTIVO: "(*)", Status.OCUPADO: "(/)", Status.INACTIVO: "( )"}
_ASCII_SIGNS = {"→": "->", "…": "...", "·": "-"}


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
