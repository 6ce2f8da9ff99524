"""Texts that explain an error to a person: the cause and one thing to do, in the user's language.

Input is errors; output is text. It contains strings from the network unchanged; a face makes them
safe when it shows them. Pure; safe in any thread.
"""

from math import ceil

from msgspec import UNSET

from tertulia.chat.destination import Destination
from tertulia.chat.display import duration
from tertulia.chat.order_words import name_of_operator, not_operator, speech_refused
from tertulia.chat.seen_words import seen_refused
from tertulia.client.errors import (
    RETRY_AFTER_S,
    End,
    EndReason,
    Refusal,
    RegistrationRefused,
)
from tertulia.i18n import _, ngettext
from tertulia.operator_commands import without_secret
from tertulia.operator_words import refused as order_refused
from tertulia.protocol.attendance import AskSeenBy, ListAttendance
from tertulia.protocol.messages import (
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    Request,
    Say,
    Search,
)
from tertulia.protocol.moderation import SERVER_NAME, OperatorRequest
from tertulia.protocol.names import is_reserved, parse_name
from tertulia.protocol.texts import MAX_TEXT_BYTES

# Codes with the same meaning for every request.
_OF_EVERY_REQUEST = (ErrorCode.NOT_OPERATOR, ErrorCode.RATE_LIMITED)
MAX_SERVER_WORDS = 200  # characters shown of a text that the server wrote


def refused(refusal: Refusal, to: Destination) -> str:
    """Return why the user cannot enter the chat, and what to do."""
    if isinstance(refusal, RegistrationRefused):
        return registration_refused(refusal.error, to)
    if refusal.address is not None:
        to = to.only(refusal.address)
    if refusal.pin is None:
        text = _("The certificate of {host}, port {port}, is not trusted: {detail}.")
        return text.format(host=to.host, port=to.port, detail=refusal.detail)
    if refusal.shown is None:
        lines = [
            _("{host}, port {port}, does not speak TLS any more. Nothing was sent to it."),
            _(
                "Perhaps somebody intercepts the connection, or the server was started with "
                "--tls off."
            ),
            _("If you want to connect without encryption, use: {command}"),
        ]
        command = to.command(tls=False)
    else:
        lines = [
            _("{host}, port {port}, shows another certificate than expected."),
            "    " + _("expected: {expected}"),
            "    " + _("shown: {shown}"),
            _(
                "Nothing was sent to it. Perhaps somebody intercepts the connection, or the "
                "server has a new certificate."
            ),
            _(
                "Ask the person who runs the server for the words that it shows at its start. Only "
                "if they are the ones shown here, use: {command}"
            ),
        ]
        command = to.command(pin=refusal.shown.words)
    return "\n".join(lines).format(
        host=to.host,
        port=to.port,
        expected=_words_of(refusal.pin),
        shown="" if refusal.shown is None else refusal.shown.words,
        command=command,
    )


def _words_of(pin: str) -> str:
    """Return the six words of a pin, which may be hexadecimal digits."""
    from tertulia.tls.fingerprint import Fingerprint  # seldom needed

    return pin if " " in pin else Fingerprint.of_hex(pin).words


def registration_refused(error: Error, to: Destination) -> str:
    """Return why the server refuses to register this user, and what to do."""
    command = program = ""
    match error.code:
        case ErrorCode.NAME_TAKEN:
            text = _("A user called “{name}” is already connected. Try another name: {command}")
            command = to.command_with_another_name()
        case ErrorCode.NAME_HELD:
            from tertulia.program import client_command  # slow to import and seldom needed

            program = client_command()
            text = _("“{name}” is kept for another person. Try another name: {command}")
            text += "\n" + _(
                "If it is your name, bring its key from the computer where you use it: "
                "tertulia --export-key FILE there, then {program} --key FILE here."
            )
            command = to.command_with_another_name()
        case ErrorCode.CODE_REQUIRED | ErrorCode.CODE_WRONG:
            text = code_wanted(error) + "\n" + _("Then use: {command}")
            command = to.command(code=_("CODE"))
        case ErrorCode.TLS_REQUIRED:
            text = _("This server speaks only TLS. Use: {command}")
            command = to.command(tls=True)
        case ErrorCode.RATE_LIMITED:
            text = _("There were too many attempts from this address.")
            text += " " + _try_again_in(error.retry_after or RETRY_AFTER_S)
        case ErrorCode.ADDRESS_TAKEN:
            text = _(
                "Somebody is already connected from this address, and this server accepts "
                "only one user per address. The person who runs it can allow more: "
                "tertulia-server {port} --shared-addresses"
            )
            other = to.command_with_another_source()
            if other is not None:
                text += "\n" + _(
                    "On this computer you can also use another source address: {command}"
                )
                command = other
        case ErrorCode.NAME_INVALID if is_reserved(to.name):
            text = _("“{name}” cannot be a name: the chat uses this word. Try: {command}")
            command = to.command_with_another_name()
        case ErrorCode.MALFORMED if parse_name(to.name) is not None:
            text = _("The server could not take what this program sent: {message}.")
        case ErrorCode.NAME_INVALID | ErrorCode.MALFORMED:
            text = _(
                "“{name}” cannot be a name. A name has 1 to 32 letters, digits, “_”, “-” or “.”, "
                "begins with a letter or a digit, has no spaces, and does not mix Latin, Greek and "
                "Cyrillic letters."
            )
            similar = to.command_with_valid_name()
            if similar is not None:
                text += " " + _("Try: {command}")
                command = similar
        case ErrorCode.BANNED:
            return _banned(error)
        case ErrorCode.LOCKED:
            text = _(
                "Nobody new may come into this chat now. Ask for it to be opened, and then use: "
                "{command}"
            )
            command = to.command()
        case ErrorCode.SERVER_FULL:
            text = _(
                "The server is full. Try again later. The person who runs it can allow more "
                "users: tertulia-server {port} --max-users N"
            )
        case ErrorCode.PROTOCOL_UNSUPPORTED:
            text = _(
                "This program and the server use different versions of the protocol. Install "
                "the same version of tertulia on both computers."
            )
        case _:
            text = _("The server refused your registration: {message}. Try again in a moment.")
    message = error.message[:MAX_SERVER_WORDS]
    name = error.name or to.name  # of the user with this name or a similar one
    return text.format(name=name, port=to.port, command=command, program=program, message=message)


def _banned(error: Error) -> str:
    text = _("You may not come into this chat: {reason}.")
    if not error.text:
        text = _("You may not come into this chat.")
    if error.retry_after:
        text += " " + _("Try again in {time}.")
    else:
        text += " " + _("Only an operator can change that.")
    reason = (error.text or "")[:MAX_SERVER_WORDS]
    return text.format(reason=reason, time=duration(error.retry_after or 0.0))


def code_wanted(error: Error) -> str:
    """Return why the person is asked for a code."""
    if error.code == ErrorCode.CODE_WRONG:
        return _("That is not the code of this chat. Check it, and type it again.")
    return _("This chat asks for a code. Ask the person who runs it.")


def _try_again_in(seconds: float) -> str:
    count = max(1, ceil(seconds))
    text = ngettext("Try again in {count} second.", "Try again in {count} seconds.", count)
    return text.format(count=count)


def request_refused(error: Error, request: Request) -> str:
    """Return why the server, or this program, refused a request."""
    if (
        isinstance(request, OperatorRequest | ListAttendance)
        and error.code not in _OF_EVERY_REQUEST
    ):
        return order_refused(request, error)
    if isinstance(request, AskSeenBy) and (words := seen_refused(error)) is not None:
        return words
    name = error.name or (request.to if isinstance(request, Direct) else "")
    match error.code:
        case ErrorCode.MUTED | ErrorCode.HUSHED:
            return speech_refused(error)
        case ErrorCode.NOT_OPERATOR:
            return not_operator()
        case ErrorCode.OPERATOR_WRONG:
            text = _(
                "That is not, or no longer, the operator's secret of this server: each start makes "
                "a new one, in the file that the server names. /operator asks for it."
            )
        case ErrorCode.RATE_LIMITED:
            text = _("There were too many attempts from this address.")
            text += " " + _try_again_in(error.retry_after or RETRY_AFTER_S)
        case ErrorCode.USER_NOT_CONNECTED if isinstance(request, Direct):
            text = _("Not delivered: nobody called “{name}” is connected.")
        case ErrorCode.UNDELIVERED:
            text = _("Not delivered: “{name}” left before confirming it.")
        case ErrorCode.USER_NOT_CONNECTED:
            text = _("Nobody called “{name}” is connected.")
        case ErrorCode.TEXT_TOO_LONG | ErrorCode.LINE_TOO_LONG:
            text = _("Not sent: a message can have at most {max_text} bytes. Send it in parts.")
        case ErrorCode.TEXT_INVALID | ErrorCode.MALFORMED:
            text = _("Not sent: a message cannot contain control characters. Remove them.")
        case ErrorCode.HISTORY_OFF:
            text = history_off()
        case ErrorCode.UNAVAILABLE if isinstance(request, GetHistory | Search | AskSeenBy):
            text = _("The history cannot be read now. Try again in a moment.")
        case ErrorCode.UNAVAILABLE if isinstance(request, Say):
            text = _("Your message was sent to everyone, but the server could not store it.")
        case _:
            text = _("The server refused the request: {message} ({code}).")
    return text.format(
        name=name[:MAX_SERVER_WORDS],
        max_text=MAX_TEXT_BYTES,
        message=error.message[:MAX_SERVER_WORDS],
        code=str(error.code)[:MAX_SERVER_WORDS],
    )


def history_off() -> str:
    """Return the text for a server that keeps no history."""
    return _("This server keeps no history.")


def messages_missing(refusal: Error | None) -> str:
    """Return the text for a gap that the server has refused to fill.

    Only a server without history that gives the number of a message in the gap is certain that a
    message is missing.
    """
    if refusal is not None and refusal.seq is not UNSET:
        return _("Some messages are missing here.")
    return _("Some messages may be missing here.")


def on_its_way(request: Say | Direct) -> str:
    """Return the text about a message that was not confirmed for a while."""
    if isinstance(request, Direct):
        return _("On its way to {name}: {text}").format(name=request.to, text=request.text)
    return _("On its way to everyone: {text}").format(text=request.text)


def unanswered() -> str:
    """Return the text about a request that the server has not answered."""
    return _("The server did not answer. It may have done what you asked.")


def perhaps_delivered() -> str:
    """Return the text about a direct message that may or may not have arrived."""
    return _("This may not have been delivered: the connection was lost.")


def perhaps_arrived(request: Say | Direct) -> str:
    """Return the text about a message that may or may not have arrived."""
    if isinstance(request, Direct):
        text = _("This may not have been delivered to {name}: {text}")
        return text.format(name=request.to, text=request.text)
    return _("This may not have been sent: {text}").format(text=request.text)


def not_sent(text: str) -> str:
    """Return the text about a message that was never sent."""
    return _("Not sent: {text}").format(text=without_secret(text))


def empty() -> str:
    """Return the text about an empty message."""
    return _("Not sent: the message is empty.")


def dropped(count: int) -> str:
    """Return the text about messages that arrived faster than this program could read them."""
    text = ngettext(
        "{count} direct message or answer was lost because this program did not read it in time.",
        "{count} direct messages or answers were lost because this program did not read them in "
        "time.",
        count,
    )
    return text.format(count=count)


def connection_ended(end: End) -> str:
    """Return why a connection ended that this user did not close."""
    match end.reason:
        case EndReason.SHUTDOWN:
            return _("The server was stopped.")
        case EndReason.CUT_OFF:
            return _("This server has lost contact with the rest of the chat.")
        case EndReason.SILENT:
            return _("The server no longer answers.")
        case EndReason.GARBLED:
            return _(
                "This program did not understand what the server sent. Install the same "
                "version of tertulia on both computers."
            )
        case _ if end.error is not None:
            text = _("The server closed the connection: {message}")
            return text.format(message=end.error.message[:MAX_SERVER_WORDS])
        case _:
            return _("The connection to the server was lost.")


def expelled(end: End, to: Destination) -> str:
    """Return who ended this user's session and why, and what to do."""
    closing = end.closing
    by, reason, wait_s = "", "", 0.0
    if closing is not None:
        by, reason, wait_s = closing.by or "", closing.text or "", closing.retry_after or 0.0
    text = _("You were removed from the chat by {by}: {reason}.")
    if not reason:
        text = _("You were removed from the chat by {by}.")
    if wait_s:
        text += " " + _("You may come back in {time}, with: {command}")
    else:
        text += " " + _("If you are allowed to come back, use: {command}")
    by = name_of_operator(by or SERVER_NAME)
    return text.format(by=by, reason=reason, time=duration(wait_s), command=to.command())


def gave_up(seconds: float, to: Destination) -> str:
    """Return the text about the end of all attempts to connect again, after so many seconds."""
    text = _(
        "There has been no connection for {time}. When the server is running again, use: {command}"
    )
    return text.format(time=duration(seconds), command=to.command())
