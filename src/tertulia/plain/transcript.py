"""The chat as lines of text: events, users and the prompt for the plain face.

Input is messages of the server; output is lines in the user's language. The text of a message is
unchanged. No I/O. Main thread only.
"""

from collections.abc import Callable
from datetime import date

from tertulia.chat.display import clock_time, local_day
from tertulia.chat.event_words import Event, day_words
from tertulia.i18n import _
from tertulia.plain.words import event_words, short_status, status_words, user_words
from tertulia.protocol.messages import ChatMessage, Joined, ServerMessage, Status, User, UserInfo
from tertulia.safetext import visible_in_a_line

# It begins the further lines of a message, so that none looks like another user's message.
_INDENT = "|".rjust(len("[12:34]")) + " "


class Transcript:
    """Makes the lines for one user, to read or to listen to."""

    def __init__(self, own_name: str, today: Callable[[], date]) -> None:
        """Begin without a day; `today` returns the day by the server's clock."""
        self._own_name = own_name
        self._today = today
        self._day: date | None = None  # the day of the last event; None if nothing was written

    def event(
        self, message: ServerMessage, *, is_old: bool = False, numbered: bool = False
    ) -> list[str]:
        """Return an event with its time; if it is of another day, that day comes first.

        The list is empty if the message is not shown. `is_old` marks an event from before the user
        came. A `numbered` message begins with its number, by which it can be pinned.
        """
        if not isinstance(message, Event):
            return []
        if isinstance(message, Joined) and message.name == self._own_name:
            return []  # the greeting already contains it
        line = f"[{clock_time(message.time)}] {event_words(message, self._own_name, self._today())}"
        if numbered and isinstance(message, ChatMessage):
            line = f"{message.seq} {line}"
        if is_old:
            line = _("earlier: {line}").format(line=line)
        return [*self._day_line(message.time), line.replace("\n", "\n" + _INDENT)]

    def users(self, users: list[User]) -> list[str]:
        """Return a line for each user: name and status."""
        lines = []
        for user in users:
            name = visible_in_a_line(user.name)
            if user.name == self._own_name:
                name += " " + _("(you)")
            marks = [
                *([_("operator")] if user.operator else []),
                *([_("may not speak")] if user.muted else []),
            ]
            lines.append(f"{name}: {', '.join([status_words(user.status), *marks])}")
        return lines

    def info(self, info: UserInfo) -> str:
        """Return a line with the server's information about a user."""
        return user_words(info, self._today())

    def prompt(
        self,
        status: Status | None,
        asked: Status | None,
        line_number: int = 1,
        *,
        may_speak: bool = True,
    ) -> str:
        """Return the prompt: the user's name, and everything that is unusual now.

        `status` is None while there is no connection; `asked` is a requested status that is not
        confirmed yet. `may_speak` is about the general chat.
        """
        notes = []
        if status is None:
            notes.append(_("no connection"))
        elif asked is not None:
            notes.append(_("asking for {status}").format(status=short_status(asked)))
        elif status is not Status.ACTIVO:
            notes.append(short_status(status))
        if status is not None and not may_speak:
            notes.append(_("you may not speak"))
        if line_number > 1:
            notes.append(_("line {number}").format(number=line_number))
        return ", ".join([visible_in_a_line(self._own_name), *notes]) + "> "

    def _day_line(self, time: str) -> list[str]:
        day = local_day(time)
        before, self._day = self._day, day or self._day
        if day is None or day == (before or self._today()):
            return []
        return [day_words(day)]
