"""Timestamps as they are written on the wire. Those in UTC sort as texts."""

from datetime import UTC, datetime, timedelta


def rfc3339(moment: datetime) -> str:
    """Return a moment in UTC with milliseconds: 2026-11-22T15:04:05.123Z."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> str | None:
    """Return a time with an offset as `rfc3339` writes it; None if the text is none."""
    try:
        moment = datetime.fromisoformat(text)
        return rfc3339(moment.astimezone(UTC)) if "T" in text and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def later(time: str, seconds: float) -> str:
    """Return the moment so many seconds after another one, or before it if they are negative."""
    return rfc3339(datetime.fromisoformat(time) + timedelta(seconds=seconds))


def seconds_until(time: str, now: str) -> float:
    """Return how many seconds there are from now to a moment; 0.0 if it is over."""
    return max(0.0, (datetime.fromisoformat(time) - datetime.fromisoformat(now)).total_seconds())
