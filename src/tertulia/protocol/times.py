"""How a moment is written on the wire."""

from datetime import datetime


def rfc3339(moment: datetime) -> str:
    """Write a moment in UTC, with milliseconds: 2026-11-22T15:04:05.123Z."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
