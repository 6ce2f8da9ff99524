"""The chat as lines of text: what the plain face writes for each thing that happens.

Messages in, text out, in the user's language; what users wrote stands in it as it came. No I/O.
"""

import re

from tertulia.chat.display import (
    Glyphs,
    date_and_time,
    duration,
    visible_in_a_line,
)
from tertulia.chat.explain import left_reason
from tertulia.i18n import _
from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Joined,
    Left,
    Presence,
    ServerMessage,
    Status,
    User,
    UserInfo,
)

# So that no line within a text looks like one of another user, and none is pushed off the screen.
_INDENT = "|".rjust(len("[12:34]")) + " "
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")


class Transcript:
    """Write what happens for one user to read."""

    def __init__(self, own_name: str, glyphs: Glyphs) -> None:
        self._own_name = own_name
        self._glyphs = glyphs

    def event(self, message: ServerMessage) -> str | None:
        """Write an event; None for what is no event to be shown."""
        match message:
            case ChatMessage():
                return _stamped(message.time, f"{_name(message.sender)}: {_text(message.text)}")
            case DirectMessage():
                return self._direct(message)
            case Joined() if message.name != self._own_name:
                text = _("* {name} joined").format(name=_name(message.name))
                return _stamped(message.time, text)
            case Left():
                return self._left(message)
            case Presence():
                return self._presence(message)
            case _:
                return None

    def users(self, users: list[User]) -> list[str]:
        """Write who is here, a line each."""
        rows = [
            (self._glyphs.status(user.status), _name(user.name), user.name == self._own_name)
            for user in users
        ]
        width = max((len(self._glyphs.status(status)) for status in Status), default=0)
        you = " " + _("(you)")
        return [f"{status:<{width}}  {name}{you if own else ''}" for status, name, own in rows]

    def info(self, info: UserInfo) -> str:
        """Write what the server knows of one user."""
        text = _("{name}: {status}, address {address}, here since {time}, idle for {idle}")
        return text.format(
            name=_name(info.name),
            status=self._glyphs.status(info.status),
            address=_name(info.address),
            time=date_and_time(info.since),
            idle=duration(info.idle),
        )

    def prompt(self, status: Status | None, asked: Status | None) -> str:
        """Write the prompt: the own name and status, and the status that is not yet confirmed.

        None is a status that nobody knows, for there is no connection.
        """
        coming = f" {self._glyphs['→']} {asked}{self._glyphs['…']}" if asked is not None else ""
        shown = "?" if status is None else self._glyphs.status(status)
        return f"{_name(self._own_name)} {shown}{coming}> "

    def _direct(self, message: DirectMessage) -> str:
        if message.sender == self._own_name:
            who, name = _("you {arrow} {name}"), message.to
        else:
            who, name = _("{name} {arrow} you"), message.sender
        who = who.format(name=_name(name), arrow=self._glyphs["→"])
        return _stamped(message.time, f"{who}: {_text(message.text)}")

    def _left(self, message: Left) -> str:
        reason = left_reason(message.reason)
        text = _("* {name} left: {reason}") if reason else _("* {name} left")
        text = text.format(name=_name(message.name), reason=visible_in_a_line(reason))
        return _stamped(message.time, text)

    def _presence(self, message: Presence) -> str:
        idle = message.by == "server" and message.status is Status.INACTIVO
        if message.name == self._own_name:
            text = _("* you are {status} (idle)") if idle else _("* you are {status}")
        elif idle:
            text = _("* {name} is {status} (idle)")
        else:
            text = _("* {name} is {status}")
        status = self._glyphs.status(message.status)
        return _stamped(message.time, text.format(name=_name(message.name), status=status))


def _stamped(time: str, text: str) -> str:
    return f"[{date_and_time(time)}] {text}"


def _name(name: str) -> str:
    return visible_in_a_line(name)


def _text(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", text).replace("\n", "\n" + _INDENT)
