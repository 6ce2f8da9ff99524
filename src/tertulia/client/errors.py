"""What can go wrong between a program and a server, as exceptions with codes.

No words for people in here: `explain.py` has them, in the user's language.
"""

from enum import Enum, auto

from msgspec import UNSET, Struct

from tertulia.protocol.messages import Closing, Error

RETRY_AFTER_S = 1.0  # when a server asks to wait and does not say how long
MAX_RETRY_AFTER_S = 60.0  # whatever it says


class ConnectFailure(Enum):
    """Why there is no connection."""

    REFUSED = auto()
    UNREACHABLE = auto()
    TIMED_OUT = auto()
    UNKNOWN_HOST = auto()
    SOURCE = auto()  # the address to connect from is none of this machine
    NO_ANSWER = auto()  # connected, but `register` stayed without an answer
    NOT_TERTULIA = auto()
    OTHER = auto()


class EndReason(Enum):
    """How a connection ended."""

    CLOSED = auto()  # by this client
    SHUTDOWN = auto()  # the server said `closing`
    LOST = auto()
    SILENT = auto()  # nothing was heard, not even the answer to a `ping`
    GARBLED = auto()  # what came was no message


class End(Struct, frozen=True):
    """How a connection ended; `detail` is for a log, `error` is the last one that said why."""

    reason: EndReason
    detail: str = ""
    closing: Closing | None = None
    error: Error | None = None


class ChatError(Exception):
    """Whatever this library raises."""


class NoConnection(ChatError):
    """There is no connection, or nobody at its end that answers as a server does."""

    def __init__(self, failure: ConnectFailure, detail: str = "") -> None:
        super().__init__(f"{failure.name.lower()}: {detail}" if detail else failure.name.lower())
        self.failure = failure
        self.detail = detail


class ConnectionLost(ChatError):
    """The connection has ended; `end` says how."""

    def __init__(self, end: End) -> None:
        super().__init__(f"{end.reason.name.lower()}: {end.detail}")
        self.end = end


class NoAnswer(ChatError):
    """The answer to a request did not come in time; the request may have been carried out."""


class _Refused(ChatError):
    def __init__(self, error: Error) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error

    @property
    def code(self) -> str:
        """The code of the error, one of `ErrorCode` unless the server is newer."""
        return self.error.code


class RegistrationRefused(_Refused):
    """The server does not let this user in."""


class RequestRefused(_Refused):
    """The server, or a check before anything was sent, refuses a request."""

    @property
    def name(self) -> str | None:
        """The user it is about, if any."""
        return None if self.error.name is UNSET else self.error.name

    @property
    def retry_after(self) -> float | None:
        """The seconds to wait before trying again, if that helps."""
        return None if self.error.retry_after is UNSET else self.error.retry_after


def wait_before_retry(error: Error) -> float:
    """Tell for how many seconds to wait before a request that came too fast is sent again."""
    return min(max(error.retry_after or RETRY_AFTER_S, 0.0), MAX_RETRY_AFTER_S)
