"""Texts for both faces about moderation: who may write or enter, and why somebody has left.

Input is messages of the server; output is text in the user's language. Names and texts are safe to
show. No layout, no I/O; safe in any thread.
"""

from datetime import date

from msgspec import UNSET

from tertulia.chat.commands import help_word
from tertulia.chat.display import date_and_time, duration
from tertulia.chat.speakers import speaker_words
from tertulia.chat.state import State
from tertulia.i18n import _
from tertulia.operator_commands import OPERATOR_WORDS, word_in_own_language
from tertulia.operator_words import reason_words
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Left
from tertulia.protocol.moderation import (
    SERVER_NAME,
    Hushed,
    Locked,
    Muted,
    Pinned,
    Role,
    Unmuted,
)
from tertulia.safetext import visible_in_a_line

OrderEvent = Role | Muted | Unmuted | Hushed | Locked | Pinned


def order_words(event: OrderEvent, own_name: str, today: date) -> str:
    """Return a text about an operator's action, for the user `own_name`."""
    is_own = not isinstance(event, Hushed | Locked | Pinned) and event.name == own_name
    match event:
        case Role(operator=True):
            text = _("you are an operator now") if is_own else _("{name} is an operator now")
        case Role():
            text = _("you are no longer an operator")
            if not is_own:
                text = _("{name} is no longer an operator")
        case Muted():
            return _muted_words(event, today, is_own=is_own)
        case Unmuted():
            text = _("{by}: you may speak again") if is_own else _("{by}: {name} may speak again")
        case Hushed(on=True):
            text = _("{by}: only operators may speak in the general chat now")
        case Hushed():
            text = _("{by}: everyone may speak in the general chat again")
        case Locked(on=True):
            text = _("{by}: nobody new may come in now")
        case Locked():
            text = _("{by}: everyone may come in again")
        case Pinned(message=message) if message is not UNSET:
            return _("{by} pinned a message: {message}").format(
                by=name_of_operator(event.by), message=pinned_words(message)
            )
        case _:
            text = _("{by} took the pinned message down")
    return text.format(
        name="" if isinstance(event, Hushed | Locked | Pinned) else visible_in_a_line(event.name),
        by="" if isinstance(event, Role) else name_of_operator(event.by),
    )


def _muted_words(event: Muted, today: date, *, is_own: bool) -> str:
    if event.until:
        text = _("{by}: {name} may not speak until {time}")
        if is_own:
            text = _("{by}: you may not speak until {time}, but you can write to one person")
    else:
        text = _("{by}: {name} may not speak any more")
        if is_own:
            text = _("{by}: you may not speak any more, but you can write to one person")
    return text.format(
        by=name_of_operator(event.by),
        name=visible_in_a_line(event.name),
        time=date_and_time(event.until or "", today),
    )


def name_of_operator(by: str) -> str:
    """Return the name of the operator who did something."""
    if by == SERVER_NAME:
        return _("the person who runs the server")
    return visible_in_a_line(by)


def pinned_words(message: StoredMessage) -> str:
    """Return a pinned message in one line."""
    text = " ".join(message.text.split())
    return f"{speaker_words(message.sender, hook=message.hook)}: {visible_in_a_line(text)}"


def left_words(event: Left) -> str:
    """Return why a user has left; an empty text if the user simply left."""
    if event.reason == CloseReason.KICKED:
        words = _("removed by {by}: {reason}") if event.text else _("removed by {by}")
        by, text = name_of_operator(event.by or SERVER_NAME), event.text or ""
        return words.format(by=by, reason=visible_in_a_line(text))
    return reason_words(visible_in_a_line(event.reason))


def silence_words(state: State, today: date) -> str:
    """Return why this user may not write in the general chat; an empty text if that is allowed."""
    if state.may_speak:
        return ""
    if not state.is_muted(state.name):
        return _("Only operators may speak now")
    until = state.mutes.until(state.name)
    if until is None:
        return _("You may not speak now")
    return _("You may not speak until {time}").format(time=date_and_time(until, today))


def standing_words(state: State, today: date) -> list[str]:
    """Return the present rules, one line each: who may write and enter, and the pinned message."""
    lines = [silence_words(state, today)]
    if state.is_hushed and not lines[0]:
        lines.append(_("Only operators may speak now"))
    if state.is_locked:
        lines.append(_("Nobody new may come in now"))
    if state.pinned is not None:
        text = _("Pinned: {message}")
        lines.append(text.format(message=pinned_words(state.pinned)))
    return [line for line in lines if line]


def speech_refused(error: Error) -> str:
    """Return why a message to everyone was refused, and what is possible instead."""
    if error.code == ErrorCode.HUSHED:
        text = _("Not sent: only operators may speak now.")
    elif error.retry_after:
        text = _("Not sent: an operator has silenced you for {time} more.")
        text = text.format(time=duration(error.retry_after))
    else:
        text = _("Not sent: an operator has silenced you.")
    return text + " " + _("You can still read, and write to one person: @NAME TEXT")


def not_operator() -> str:
    """Return why a user may not moderate, and what to do."""
    text = _("Only an operator can do that. To be one, type {command}: it asks for the secret.")
    return text.format(command=word_in_own_language(OPERATOR_WORDS))


def order_is_yours() -> str:
    """Return the instructions for a user who has become an operator."""
    return _("You keep order now. {help} shows the commands for that.").format(help=help_word())


def no_secret() -> str:
    """Return how to give the secret if the program cannot ask for it."""
    return _(
        "Nobody can be asked for the secret here. Give it in $TERTULIA_OPERATOR, or in a file with "
        "--operator-secret FILE."
    )


def nothing_to_pin() -> str:
    """Return why no message can be pinned."""
    return _("There is no message here that could be pinned.")
