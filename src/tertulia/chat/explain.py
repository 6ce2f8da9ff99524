"""What went wrong, in words for a person: the cause and one thing to do, in the user's language.

Errors in, text out. The texts hold what came from the network as it came: the faces make it
visible when they show it.
"""

import re

from msgspec import Struct

from tertulia.chat.display import duration
from tertulia.client.errors import ConnectFailure, End, EndReason, NoConnection
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import (
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    Request,
    Say,
    Search,
    Status,
)
from tertulia.protocol.names import MAX_NAME_CHARS, parse_name
from tertulia.protocol.texts import MAX_TEXT_BYTES

MAX_SERVER_WORDS = 200  # characters of what a server says in its own words


class Destination(Struct, frozen=True):
    """Who wanted to go where: what stood on the command line."""

    name: str
    host: str
    port: int
    source: str | None = None

    def command(self, *, name: str | None = None, source: str | None = None) -> str:
        """Write the command line that goes there, with another name or source."""
        source = source or self.source
        command = f"tertulia {name or self.name} {self.host} {self.port}"
        return command if source is None else f"{command} --source {source}"


def no_connection(error: NoConnection, to: Destination) -> str:
    """Explain why there is no connection."""
    match error.failure:
        case ConnectFailure.REFUSED:
            text = _(
                "Nobody listens at {host}, port {port}. Check that the server is running there: "
                "tertulia-server {port}"
            )
        case ConnectFailure.UNREACHABLE:
            text = _(
                "There is no way from here to {host}. Check the address, and that both computers "
                "are on the same network."
            )
        case ConnectFailure.TIMED_OUT:
            text = _(
                "{host} does not answer. Check the address, and that no firewall there closes "
                "port {port}."
            )
        case ConnectFailure.UNKNOWN_HOST:
            text = _(
                "There is no computer with the name “{host}”. Check it, or use the IP address of "
                "the server."
            )
        case ConnectFailure.SOURCE:
            text = _(
                "“{source}” is not an address of this computer. Choose one that “ip address” "
                "shows, or leave --source out."
            )
        case ConnectFailure.NO_ANSWER:
            text = _(
                "The server at {host}, port {port}, took the connection but does not answer. "
                "Try again in a moment."
            )
        case ConnectFailure.NOT_TERTULIA:
            text = _(
                "What answers at {host}, port {port}, is not a tertulia server. Check the port "
                "with whoever runs the server."
            )
        case _:
            text = _("No connection to {host}, port {port}: {detail}. Check the address.")
    return text.format(host=to.host, port=to.port, source=to.source, detail=error.detail)


def registration_refused(error: Error, to: Destination) -> str:
    """Explain why the server does not let this user in."""
    command = ""
    match error.code:
        case ErrorCode.NAME_TAKEN:
            text = _("There is already a user “{name}” connected. Try another name: {command}")
            command = to.command(name=_another_name(to.name))
        case ErrorCode.ADDRESS_TAKEN:
            text = _(
                "Somebody is already connected from this address, and this server takes one user "
                "per address. Whoever runs it can allow more: "
                "tertulia-server {port} --shared-addresses"
            )
            other = _another_loopback_address(to)
            if other is not None:
                text += "\n" + _("On the same computer, use another source: {command}")
                command = to.command(source=other)
        case ErrorCode.NAME_INVALID | ErrorCode.MALFORMED:
            text = _(
                "“{name}” cannot be a name. A name has 1 to 32 letters, digits, “_”, “-” or “.”, "
                "begins with a letter or a digit, has no spaces, and does not mix Latin, Greek and "
                "Cyrillic letters."
            )
            similar = _similar_valid_name(to.name)
            if similar is not None:
                text += " " + _("Try: {command}")
                command = to.command(name=similar)
        case ErrorCode.SERVER_FULL:
            text = _(
                "The server is full. Try again later; whoever runs it can let in more users: "
                "tertulia-server {port} --max-users N"
            )
        case ErrorCode.PROTOCOL_UNSUPPORTED:
            text = _(
                "This program and the server speak different versions of the protocol. Install "
                "the same version of tertulia on both."
            )
        case _:
            text = _("The server does not let you in: {message}. Try again in a moment.")
    message = error.message[:MAX_SERVER_WORDS]
    return text.format(name=to.name, port=to.port, command=command, message=message)


def request_refused(error: Error, request: Request) -> str:
    """Explain why a request was not carried out."""
    name = error.name or (request.to if isinstance(request, Direct) else "")
    match error.code:
        case ErrorCode.USER_NOT_CONNECTED if isinstance(request, Direct):
            text = _("Not delivered: nobody called “{name}” is connected.")
        case ErrorCode.USER_NOT_CONNECTED:
            text = _("Nobody called “{name}” is connected.")
        case ErrorCode.TEXT_TOO_LONG | ErrorCode.LINE_TOO_LONG:
            text = _("Not sent: a message has at most {max_text} bytes. Send it in parts.")
        case ErrorCode.TEXT_INVALID | ErrorCode.MALFORMED:
            text = _("Not sent: the text has control characters, which a message cannot have.")
        case ErrorCode.HISTORY_OFF:
            text = history_off()
        case ErrorCode.UNAVAILABLE if isinstance(request, GetHistory | Search):
            text = _("The history cannot be read now. Try again in a moment.")
        case ErrorCode.UNAVAILABLE if isinstance(request, Say):
            text = _("Said, but the server could not store it.")
        case _:
            text = _("The server refuses that: {message} ({code}).")
    return text.format(
        name=name[:MAX_SERVER_WORDS],
        max_text=MAX_TEXT_BYTES,
        message=error.message[:MAX_SERVER_WORDS],
        code=str(error.code)[:MAX_SERVER_WORDS],
    )


def history_off() -> str:
    """Say that there is nothing to look up."""
    return _("This server keeps no history.")


def unanswered() -> str:
    """Say that the server has not answered a request."""
    return _("No answer from the server; it may have been carried out.")


def connection_ended(end: End) -> str:
    """Explain how a connection ended that this user did not end."""
    match end.reason:
        case EndReason.SHUTDOWN:
            return _("The server has been stopped.")
        case EndReason.SILENT:
            return _("The server does not answer any more.")
        case EndReason.GARBLED:
            return _(
                "What came from the server could not be understood. Install the same version of "
                "tertulia on both."
            )
        case _ if end.error is not None:
            text = _("The server closed the connection: {message}")
            return text.format(message=end.error.message[:MAX_SERVER_WORDS])
        case _:
            return _("The connection to the server was lost.")


def gave_up(seconds: float, to: Destination) -> str:
    """Say that there is no new connection."""
    text = _("No connection for {time}. Once the server runs again: {command}")
    return text.format(time=duration(seconds), command=to.command())


def left_reason(reason: str) -> str:
    """Say why somebody is gone; nothing for who just left."""
    match reason:
        case "quit":
            return ""
        case "lost":
            return _("connection lost")
        case "timeout":
            return _("no longer answered")
        case "slow":
            return _("connection too slow")
        case "flood":
            return _("too many messages at once")
        case "protocol":
            return _("faulty program")
        case "kicked":
            return _("removed by the operator")
        case "replaced":
            return _("came back over another connection")
        case _:
            return reason


def greeting(name: str, status: Status, people: int) -> str:
    """Say hello to who has entered."""
    hello = _("Hello, {name}. You are {status}.").format(name=name, status=status)
    here = ngettext("There is {count} person here.", "There are {count} people here.", people)
    return f"{hello} {here.format(count=people)}"


def farewell(seconds: float, said: int, heard: int) -> str:
    """Sum up a stay in one line."""
    text = _("You were here for {time}. Messages: {said} sent, {heard} received.")
    return text.format(time=duration(seconds), said=said, heard=heard)


def _another_name(name: str) -> str:
    """Count up: luis, luis2, luis3."""
    stem = name.rstrip("0123456789")
    number = name[len(stem) :]
    if not stem or len(number) > 4:
        stem, number = name, ""
    suffix = str(int(number) + 1 if number else 2)
    return stem[: MAX_NAME_CHARS - len(suffix)] + suffix


def _similar_valid_name(name: str) -> str | None:
    similar = re.sub(r"[^\w.-]+", "_", name).strip("_.-")[:MAX_NAME_CHARS]
    return similar if parse_name(similar) is not None else None


def _another_loopback_address(to: Destination) -> str | None:
    used = to.source or "127.0.0.1"
    if to.host != "localhost" and not to.host.startswith("127."):
        return None
    found = re.fullmatch(r"(127\.\d+\.\d+\.)(\d+)", used)
    return f"{found[1]}{int(found[2]) % 254 + 1}" if found else None
