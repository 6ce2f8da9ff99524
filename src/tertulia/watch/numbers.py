"""Numbers in a few cells: rates, shares, sizes and times.

They have a decimal point and no thousands separator, in both languages. Pure functions.
"""

UNKNOWN = "?"
_SIZES = ("B", "kB", "MB", "GB", "TB")


def rate(value: float | None) -> str:
    """Return a number per second in at most five cells."""
    if value is None:
        return UNKNOWN
    if value < 9.95 and round(value, 1) != round(value):
        return f"{value:.1f}"
    return count(round(value))


def count(value: int | None) -> str:
    """Return a number in at most five cells."""
    if value is None:
        return UNKNOWN
    if value < 10_000:
        return str(value)
    for unit in ("k", "M"):
        value_in_unit = value / 1_000 if unit == "k" else value / 1_000_000
        if value_in_unit < 999.5:
            return (
                f"{value_in_unit:.1f}{unit}"
                if value_in_unit < 99.95
                else (f"{value_in_unit:.0f}{unit}")
            )
    return f"{value / 1e9:.0f}G"


def share(value: float | None) -> str:
    """Return a share of one processor in per cent."""
    if value is None:
        return UNKNOWN
    percent = value * 100
    return f"{percent:.1f} %" if percent < 99.95 else f"{percent:.0f} %"


def size(value: float | None) -> str:
    """Return a number of bytes."""
    if value is None:
        return UNKNOWN
    for unit in _SIZES:
        if value < 999.5 or unit == _SIZES[-1]:
            break
        value /= 1_000
    digits = 0 if unit == "B" or value >= 99.95 else 1
    return f"{value:.{digits}f} {unit}"


def span(seconds: float | None) -> str:
    """Return a duration as days, hours, minutes and seconds."""
    if seconds is None:
        return UNKNOWN
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour}:{minute:02}:{second:02}" if days or hour else f"{minute}:{second:02}"
    return f"{days} d {clock}" if days else clock


def age(seconds: float | None) -> str:
    """Return how long ago something happened."""
    if seconds is None:
        return UNKNOWN
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return span(seconds)
