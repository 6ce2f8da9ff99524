"""The statuses that the user requests, and the one to request again after a reconnection.

No I/O. Runs in the face's one thread, like the chat.
"""

from tertulia.chat.jobs import Job, Origin
from tertulia.chat.state import State
from tertulia.protocol.messages import SetStatus, Status, Welcome


class StatusRequests:
    """The last request for a status, and the last one that was granted."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._granted: Status | None = None
        self._when_asked = state.status  # the status at the time of the last request

    def note_sent(self, request: SetStatus) -> None:
        """Note that a status was requested."""
        self._when_asked = self._state.status
        self._state.ask_status(Status(request.status))

    def note_granted(self, job: Job) -> bool:
        """Note that a request was granted; return whether the face must show that.

        The server announces a new status to everyone, and therefore also to this user.
        """
        assert isinstance(job.request, SetStatus)
        self._granted = Status(job.request.status)
        return job.origin is Origin.TYPED and self._granted == self._when_asked

    def to_ask_again(self, welcome: Welcome) -> SetStatus | None:
        """Return the status request to send on a new connection, or None.

        An older server ignores the status in a registration. For an idle user nothing is requested:
        a request would count as activity, and the user should stay INACTIVO.
        """
        if welcome.status is Status.ACTIVO and self._granted not in (None, Status.ACTIVO):
            return SetStatus(status=str(self._granted))
        return None
