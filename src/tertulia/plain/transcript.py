"""The chat as lines of text: what the plain face writes for events, users and the prompt.

Messages of the server in, lines in the user's language out. The text of a message is as it came.
No I/O.
"""

from collections.abc import Callable
from datetime import date

from tertulia.chat.display import Glyphs, date_and_time, visible_in_a_line
from tertulia.chat.event_words import Event, event_words, user_words
from tertulia.i18n import _
from tertulia.protocol.messages import Joined, ServerMessage, Status, User, UserInfo

# Begins the further lines of a message, so that none of them looks like a message of another user.
_INDENT = "|".rjust(len("[12:34]")) + " "


class Transcript:
    """Write what happens for one user to read."""

    def __init__(self, own_name: str, glyphs: Glyphs, today: Callable[[], date]) -> None:
        """`today` returns the day by the server's clock."""
        self._own_name = own_name
        self._glyphs = glyphs
        self._today = today

    def event(self, message: ServerMessage) -> str | None:
        """Return an event with its time; None if the message is no event to show."""
        if not isinstance(message, Event):
            return None
        if isinstance(message, Joined) and message.name == self._own_name:
            return None  # the greeting says it
        words = event_words(message, self._own_name, self._glyphs)
        time = date_and_time(message.time, self._today())
        return f"[{time}] " + words.replace("\n", "\n" + _INDENT)

    def users(self, users: list[User]) -> list[str]:
        """Return a line for each user: status and name in columns."""
        width = max(len(self._glyphs.status(status)) for status in Status)
        lines = []
        for user in users:
            line = f"{self._glyphs.status(user.status):<{width}}  {visible_in_a_line(user.name)}"
            if user.name == self._own_name:
                line += " " + _("(you)")
            lines.append(line)
        return lines

    def info(self, info: UserInfo) -> str:
        """Return in one line what the server knows of a user."""
        return user_words(info, self._glyphs, self._today())

    def prompt(self, status: Status | None, asked: Status | None) -> str:
        """Return the prompt: own name, status, and the status that is not confirmed yet.

        The status is None while there is no connection.
        """
        coming = f" {self._glyphs['→']} {asked}{self._glyphs['…']}" if asked is not None else ""
        shown = "?" if status is None else self._glyphs.status(status)
        return f"{visible_in_a_line(self._own_name)} {shown}{coming}> "
