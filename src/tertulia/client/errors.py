"""The errors between a program and a server, as exceptions with codes.

There are no texts for people here: `chat/explain.py` has them, in the user's language.
"""

from enum import Enum, auto
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from tertulia.protocol.messages import CUT_OFF, CloseReason, Closing, Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tertulia.client.addresses import Address
    from tertulia.tls.fingerprint import Fingerprint

RETRY_AFTER_S = 1.0  # the wait if the server asks for one without its length
MAX_RETRY_AFTER_S = 60.0  # the longest wait, even if the server asks for more


class ConnectFailure(Enum):
    """The reason why a connection could not be made."""

    REFUSED = auto()
    UNREACHABLE = auto()
    TIMED_OUT = auto()
    UNKNOWN_HOST = auto()
    SOURCE = auto()  # this machine does not have the requested source address
    NO_ANSWER = auto()  # connected, but `register` got no answer
    NOT_TERTULIA = auto()
    NO_TLS = auto()  # TLS is required, and the server does not use it
    OTHER = auto()


class EndReason(Enum):
    """The reason why a connection ended."""

    CLOSED = auto()  # by this client
    SHUTDOWN = auto()  # the server said `closing`
    CUT_OFF = auto()  # the server runs, but has lost contact with the other servers of the chat
    KICKED = auto()  # by an operator; the client must not reconnect
    LOST = auto()
    SILENT = auto()  # the server did not even answer a `ping`
    GARBLED = auto()  # the server sent something that is not a message


class End(Struct, frozen=True):
    """How a connection ended. `detail` is for a log; `error` is the last error without an id."""

    reason: EndReason
    detail: str = ""
    closing: Closing | None = None
    error: Error | None = None


def reason_of(end: End, closing: Closing | None) -> EndReason:
    """Return why a connection ended, using the `closing` message of the server if there was one."""
    if closing is None or end.reason is EndReason.CLOSED:
        return end.reason
    if closing.reason == CloseReason.KICKED:
        return EndReason.KICKED
    if end.reason is not EndReason.LOST:
        return end.reason
    return EndReason.CUT_OFF if closing.cause == CUT_OFF else EndReason.SHUTDOWN


class ChatError(Exception):
    """The base class of the exceptions of this library."""


class NoConnection(ChatError):
    """No connection could be made, or the other side is not a tertulia server."""

    def __init__(self, failure: ConnectFailure, detail: str = "") -> None:
        super().__init__(f"{failure.name.lower()}: {detail}" if detail else failure.name.lower())
        self.failure = failure
        self.detail = detail


class NoNode(NoConnection):
    """None of several servers can be used; `failures` has each address and its error."""

    def __init__(self, failures: "Sequence[tuple[Address, Exception]]") -> None:
        kinds = {getattr(failure, "failure", ConnectFailure.OTHER) for _, failure in failures}
        failure = kinds.pop() if len(kinds) == 1 else ConnectFailure.OTHER
        super().__init__(failure, "; ".join(f"{where}: {why}" for where, why in failures))
        self.failures = tuple(failures)


class CertificateRefused(ChatError):
    """The server's certificate is missing or not the expected one; nothing was sent to the server.

    `pin` is the expected fingerprint, as hexadecimal digits or six words. `shown` is the
    fingerprint of the server's certificate. It is None if the server does not use TLS, or if the
    certificate was signed by an unexpected authority. `address` is the server's address if several
    were tried.
    """

    address: "Address | None" = None

    def __init__(self, pin: str | None, shown: "Fingerprint | None", detail: str) -> None:
        super().__init__(detail)
        self.pin = pin
        self.shown = shown
        self.detail = detail


class ConnectionLost(ChatError):
    """The connection has ended; `end` has the reason."""

    def __init__(self, end: End) -> None:
        super().__init__(f"{end.reason.name.lower()}: {end.detail}")
        self.end = end


class Kicked(ConnectionLost):
    """An operator has ended the session; the client does not reconnect."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        closing = end.closing
        self.by = None if closing is None or closing.by is UNSET else closing.by
        self.reason = None if closing is None or closing.text is UNSET else closing.text

    def __str__(self) -> str:
        words = f"kicked by {self.by}" if self.by is not None else "kicked by the server"
        return f"{words}: {self.reason}" if self.reason else words


class NoAnswer(ChatError):
    """No answer came in time; the server may still have carried out the request."""


class _Refused(ChatError):
    def __init__(self, error: Error) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error

    @property
    def code(self) -> str:
        """Return the code of the error: one of `ErrorCode`, unless the server is newer."""
        return self.error.code


class RegistrationRefused(_Refused):
    """The server refuses to register this user."""


Refusal = RegistrationRefused | CertificateRefused  # the client does not try again


class RequestRefused(_Refused):
    """The server refuses a request, or this library refuses to send it."""

    @property
    def name(self) -> str | None:
        """Return the user to whom the refusal refers, if any."""
        return None if self.error.name is UNSET else self.error.name

    @property
    def retry_after(self) -> float | None:
        """Return the seconds to wait before another attempt; None if waiting does not help."""
        return None if self.error.retry_after is UNSET else self.error.retry_after


def wait_before_retry(error: Error) -> float:
    """Return how many seconds to wait before sending a rate-limited request again."""
    return min(max(error.retry_after or RETRY_AFTER_S, 0.0), MAX_RETRY_AFTER_S)
