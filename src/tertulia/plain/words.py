"""Texts about the chat for listening: no symbol replaces a word.

Input is messages of the server; output is text in the user's language. Names are safe to show; the
text of a message is unchanged. No layout, no I/O. Main thread only.
"""

from datetime import date

from tertulia.chat.display import date_and_time, duration
from tertulia.chat.event_words import Event, speech
from tertulia.chat.order_words import left_words, order_words
from tertulia.i18n import N_, _
from tertulia.protocol.messages import (
    ChatMessage,
    DirectMessage,
    Joined,
    Left,
    Presence,
    Status,
    UserInfo,
)
from tertulia.safetext import visible_in_a_line

_STATUSES = {
    Status.ACTIVO: N_("active"),
    Status.OCUPADO: N_("busy"),
    Status.INACTIVO: N_("away"),
}


def short_status(status: Status) -> str:
    """Return a status in the user's language."""
    return _(_STATUSES[status])


def status_words(status: Status) -> str:
    """Return a status in the user's language, followed by the server's word if that differs."""
    word = short_status(status)
    return word if word.casefold() == status.casefold() else f"{word} ({status})"


def event_words(event: Event, own_name: str, today: date) -> str:
    """Return a text about an event for the user `own_name`."""
    match event:
        case ChatMessage():
            return speech(event.sender, event.text, hook=event.hook)
        case DirectMessage():
            return _direct_words(event, own_name)
        case Joined():
            return _("{name} joined").format(name=visible_in_a_line(event.name))
        case Left():
            reason = left_words(event)
            text = _("{name} left: {reason}") if reason else _("{name} left")
            return text.format(name=visible_in_a_line(event.name), reason=reason)
        case Presence():
            return _presence_words(event, own_name)
        case _:
            return order_words(event, own_name, today)


def user_words(info: UserInfo, today: date) -> str:
    """Return a sentence with the server's information about a user."""
    text = _("{name}: {status}, address {address}, here since {time}, idle for {idle}")
    return text.format(
        name=visible_in_a_line(info.name),
        status=status_words(info.status),
        address=visible_in_a_line(info.address),
        time=date_and_time(info.since, today),
        idle=duration(info.idle),
    )


def _direct_words(message: DirectMessage, own_name: str) -> str:
    if message.sender == own_name:
        text, name = _("you to {name}"), message.to
    else:
        text, name = _("{name} to you"), message.sender
    return speech(text.format(name=name), message.text)


def _presence_words(event: Presence, own_name: str) -> str:
    idle = event.by == "server" and event.status is Status.INACTIVO
    if event.name == own_name:
        text = _("you are now {status}, idle") if idle else _("you are now {status}")
    else:
        text = _("{name} is now {status}, idle") if idle else _("{name} is now {status}")
    return text.format(name=visible_in_a_line(event.name), status=status_words(event.status))
