"""Texts about events of the chat, for both faces: messages, groups of people and days.

Input is messages of the server; output is text in the user's language. Names in it are safe to
show, but the text of a message is unchanged. No layout, no I/O; safe in any thread.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum, auto

from tertulia.chat.order_words import OrderEvent
from tertulia.chat.speakers import speaker_words
from tertulia.i18n import N_, _, ngettext, pgettext
from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Joined,
    Left,
    Presence,
)
from tertulia.safetext import without_gaps

MAX_NAMES = 4  # the most names in a list of people; the others are only counted

_SOUNDS_LIKE_I = re.compile("h?[ií](?![aeoáéó])")  # Spanish says "e" before it instead of "y"
_WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
    N_("Sunday"),
)  # fmt: skip
_MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"),
    N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip

Event = ChatMessage | DirectMessage | Joined | Left | Presence | OrderEvent


class Movement(Enum):
    """A change of a person while no message came: joined, left, or another status."""

    JOINED = auto()
    CAME_BACK = auto()
    LEFT = auto()
    CAME_AND_WENT = auto()
    CHANGED_STATUS = auto()


def speech(sender: str, text: str, *, hook: bool = False) -> str:
    """Return a message as one text, for reading aloud."""
    return f"{speaker_words(sender, hook=hook)}: {without_gaps(text)}"


def movement_words(people: Mapping[Movement, Sequence[str]], more_changes: int = 0) -> str:
    """Return one line about several people who joined, left or changed status one after another.

    `people` has each person's name as it is shown, possibly with the reason for leaving or the new
    status. `more_changes` is the number of further events that are not in `people`.
    """
    parts = []
    for movement, named in people.items():
        match movement:
            case Movement.JOINED:
                text = ngettext("{people} joined", "{people} joined", len(named))
            case Movement.CAME_BACK:
                text = ngettext("{people} came back", "{people} came back", len(named))
            case Movement.LEFT:
                text = ngettext("{people} left", "{people} left", len(named))
            case Movement.CAME_AND_WENT:
                text = ngettext("{people} joined and left", "{people} joined and left", len(named))
            case _:  # CHANGED_STATUS: the new status is part of each name
                text = "{people}"
        parts.append(text.format(people=people_words(named)))
    if more_changes:
        text = ngettext("{count} more change", "{count} more changes", more_changes)
        parts.append(text.format(count=more_changes))
    return "; ".join(parts)


def people_words(people: Sequence[str]) -> str:
    """Return a list of people in words: the first names, and the number of the others."""
    named = list(people)
    if len(named) > MAX_NAMES + 1:
        count = len(named) - MAX_NAMES
        others = ngettext("{count} other", "{count} others", count).format(count=count)
        named = [*named[:MAX_NAMES], others]
    if len(named) == 1:
        return named[0]
    text = _("{some} and {last}")
    if _SOUNDS_LIKE_I.match(named[-1].casefold()):
        text = pgettext("before the sound of an i", "{some} and {last}")
    return text.format(some=", ".join(named[:-1]), last=named[-1])


def day_words(day: date) -> str:
    """Return a day in words."""
    return _("{weekday}, {month} {day}, {year}").format(
        weekday=_(_WEEKDAYS[day.weekday()]),
        month=_(_MONTHS[day.month - 1]),
        day=day.day,
        year=day.year,
    )
