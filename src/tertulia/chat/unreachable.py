"""Texts that explain why a server cannot be used: the cause and what to do about it.

Input is errors; output is text in the user's language, as in `explain.py`. Pure; safe in any
thread.
"""

from tertulia.chat.destination import Destination
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    NoNode,
    RegistrationRefused,
)
from tertulia.i18n import _
from tertulia.protocol.messages import ErrorCode

MAX_SERVER_WORDS = 200  # characters shown of a text that the server wrote


def no_connection(error: NoConnection, to: Destination) -> str:
    """Return why there is no connection, and what to do."""
    if isinstance(error, NoNode):
        return _none_of(error)
    command = ""
    match error.failure:
        case ConnectFailure.REFUSED:
            text = _(
                "No server is listening at {host}, port {port}. Check that it is running "
                "there: tertulia-server {port}"
            )
        case ConnectFailure.UNREACHABLE:
            text = _(
                "{host} cannot be reached. Check the address, and make sure that both "
                "computers are on the same network."
            )
        case ConnectFailure.TIMED_OUT:
            text = _(
                "{host} does not answer. Check the address, and make sure that no firewall "
                "blocks port {port} there."
            )
        case ConnectFailure.UNKNOWN_HOST:
            text = _(
                "There is no computer with the name “{host}”. Check the name, or use the IP "
                "address of the server."
            )
        case ConnectFailure.SOURCE:
            text = _(
                "“{source}” is not an address of this computer. Choose one of those that the "
                "command “ip address” shows, or leave out --source."
            )
        case ConnectFailure.NO_ANSWER:
            text = _(
                "The server at {host}, port {port}, accepted the connection but does not "
                "answer. Try again in a moment. If that does not help, ask the person who runs "
                "it whether it lets in this computer."
            )
        case ConnectFailure.NOT_TERTULIA:
            text = _(
                "The program that answers at {host}, port {port}, is not a tertulia server. "
                "Ask the person who runs the server for the right port."
            )
        case ConnectFailure.NO_TLS:
            text = _(
                "The server at {host}, port {port}, does not speak TLS. Without encryption: "
                "{command}"
            )
            command = to.command(tls=False)
        case _:
            text = _("No connection to {host}, port {port}: {detail}. Check the address.")
    return text.format(
        host=to.host, port=to.port, source=to.source, detail=error.detail, command=command
    )


def _none_of(error: NoNode) -> str:
    """Return why none of several servers can be used, one line for each."""
    lines = [_("None of the servers of this chat can be used now:")]
    lines += [f"    {address}: {_trouble(failure)}" for address, failure in error.failures]
    lines.append(_("Check the addresses, and that the server is running at one of them."))
    return "\n".join(lines)


def _trouble(failure: Exception) -> str:
    """Return a short reason why a server cannot be used."""
    if isinstance(failure, CertificateRefused):
        if failure.pin is not None and failure.shown is None:
            return _("does not speak TLS any more; nothing was sent to it")
        return _("shows another certificate than expected; nothing was sent to it")
    if isinstance(failure, RegistrationRefused):
        if failure.code == ErrorCode.TLS_REQUIRED:
            return _("speaks only TLS; use --tls")
        return failure.error.message[:MAX_SERVER_WORDS]
    match failure.failure if isinstance(failure, NoConnection) else None:
        case ConnectFailure.REFUSED:
            return _("no server is listening there")
        case ConnectFailure.UNREACHABLE:
            return _("cannot be reached from this computer")
        case ConnectFailure.TIMED_OUT | ConnectFailure.NO_ANSWER:
            return _("does not answer")
        case ConnectFailure.UNKNOWN_HOST:
            return _("there is no computer with this name")
        case ConnectFailure.SOURCE:
            return _("the address after --source is not one of this computer")
        case ConnectFailure.NOT_TERTULIA:
            return _("another program answers there")
        case ConnectFailure.NO_TLS:
            return _("does not speak TLS")
        case _:
            return failure.detail if isinstance(failure, NoConnection) else str(failure)


def passed_over(refusal: CertificateRefused) -> str:
    """Return a text about a server that was skipped in favour of another one."""
    return f"{refusal.address}: {_trouble(refusal)}."
