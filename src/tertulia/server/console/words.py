"""Texts about users and messages for the console, in the operator's language.

Pure functions. Users' texts are made safe to show.
"""

from collections.abc import Sequence

from tertulia.graphemes import most_columns
from tertulia.i18n import _
from tertulia.operator_words import local_time
from tertulia.protocol.messages import HistoryPage, StoredMessage, User, UserInfo
from tertulia.safetext import visible_in_a_line


def people(users: Sequence[User]) -> list[str]:
    """Return a line for each user."""
    if not users:
        return [_("Nobody is here.")]
    widths = [most_columns(user.name) for user in users]
    lines = []
    for user, width in zip(users, widths, strict=True):
        marks = [
            *([_("operator")] if user.operator else []),
            *([_("may not speak")] if user.muted else []),
        ]
        name = user.name + " " * (max(widths) - width)
        lines.append(f"{name}  {user.status}  {', '.join(marks)}".rstrip())
    return lines


def about(info: UserInfo) -> str:
    """Return the line about one user."""
    text = _("{name}: {address}, {status}, here since {since}")
    since = local_time(info.since)
    return text.format(name=info.name, address=info.address, status=info.status, since=since)


def messages(page: HistoryPage) -> list[str]:
    """Return a line for each message, with the number by which it can be pinned."""
    return [_message(message) for message in page.messages] or [_("There are no messages.")]


def _message(message: StoredMessage) -> str:
    time = local_time(message.time)
    return visible_in_a_line(f"{message.seq}  {time}  {message.sender}: {message.text}")
