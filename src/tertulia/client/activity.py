"""The status and the idle time of a client's user, to restore them on a new connection.

Pure: no I/O, thread or clock. The client holds its lock while it calls this.
"""

from typing import NamedTuple

from msgspec import UNSET

from tertulia.protocol.messages import (
    Answer,
    GetHistory,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Register,
    Request,
    SetStatus,
    Status,
)

# A client sends these requests by itself, so they do not show that the user is active. If the
# person asked for one of them, the session notes that.
_NO_ACTIVITY = Register | Ping | Pong | ListUsers | GetHistory


class Resumption(NamedTuple):
    """The fields with which a returning user registers; a field that is None is not sent."""

    token: str | None = None  # the token of the session to take over
    status: str | None = None  # the status that the user had chosen
    idle_s: float | None = None  # seconds since the user last did something


NEWCOMER = Resumption()  # for a first registration


class Activity:
    """The status that a user chose, and the time at which the user last did something."""

    def __init__(self, registered: Resumption, now: float) -> None:
        self._chosen = Status.ACTIVO if registered.status is None else registered.status
        self._last_active = now - (registered.idle_s or 0.0)
        # The requested statuses, by the ids of the unanswered requests.
        self._requested: dict[int, str] = {}

    def note_request(self, request: Request, request_id: int, now: float) -> None:
        """Note a request that is about to be sent."""
        if isinstance(request, SetStatus):
            self._requested[request_id] = request.status
        if not isinstance(request, _NO_ACTIVITY):
            self._last_active = now

    def note_answer(self, answer: Answer) -> None:
        """Note an answer; an `ok` to a request for a status makes that status the chosen one."""
        status = None if answer.id is UNSET else self._requested.pop(answer.id, None)
        if status is not None and isinstance(answer, Ok):
            self._chosen = status

    def resumption(self, token: str, now: float) -> Resumption:
        """Return the fields to register with at the time `now`."""
        return Resumption(token, self._chosen, max(0.0, now - self._last_active))
