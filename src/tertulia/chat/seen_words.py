"""Texts about who has seen a message, for both faces.

Input is answers of the server; output is text in the user's language. Names are safe to show. No
I/O.
"""

from tertulia.chat.state import OwnMessage
from tertulia.i18n import _
from tertulia.protocol.attendance import SeenBy
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.safetext import visible_in_a_line


def seen_lines(answer: SeenBy) -> list[str]:
    """Return one line each for the users who have seen a message, who have not, and the others."""
    lines = [
        _line(text, names)
        for text, names in (
            (_("Seen ({count}): {names}"), answer.seen),
            (_("Not seen yet ({count}): {names}"), answer.not_seen),
            (
                _("Unknown, because their programs do not report it ({count}): {names}"),
                answer.unknown,
            ),
        )
        if names
    ]
    return lines or [_("Nobody else is here.")]


def _line(text: str, names: list[str]) -> str:
    shown = sorted(map(visible_in_a_line, names), key=str.casefold)
    return text.format(count=len(names), names=", ".join(shown))


def about_words(answer: SeenBy, own: OwnMessage | None) -> str:
    """Return a line about the message that an answer refers to."""
    if own is None or own.seq != answer.seq:
        return _("Message {number}").format(number=answer.seq)
    text = visible_in_a_line(" ".join(own.text.split()))
    return _("Your last message: {text}").format(text=text)


def seen_refused(error: Error) -> str | None:
    """Return why the server does not report who has seen a message; None for other errors."""
    match error.code:
        case ErrorCode.NOT_OPERATOR:
            return _(
                "You can ask this only about your own messages. Operators can ask it about all "
                "messages."
            )
        case ErrorCode.NOT_FOUND:
            return _("There is no message with this number.")
    return None


def nothing_said() -> str:
    """Return the text for a user without a message that others could see."""
    return _("You have not said anything to everyone yet.")


def not_in_general() -> str:
    """Return why it is unknown who has seen a direct message."""
    return _("You can see who has seen a message only for messages to everyone.")
