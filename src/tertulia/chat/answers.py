"""Handles the answers to all requests except messages: updates the state and informs the face.

The `Chat` itself handles the answers to messages, and the missing pages of the history. Runs in the
face's one thread.
"""

from tertulia.chat.face import Face
from tertulia.chat.ignored import Ignored
from tertulia.chat.jobs import Job, Origin
from tertulia.chat.rights import Rights
from tertulia.chat.state import State
from tertulia.chat.status_requests import StatusRequests
from tertulia.client.catchup import CatchUp
from tertulia.protocol.messages import (
    Answer,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    HistoryPage,
    ListUsers,
    Ok,
    Search,
    SetStatus,
    UserList,
)
from tertulia.protocol.moderation import BecomeOperator


class Answers:
    """Passes each answer to the parts of a chat that need it."""

    def __init__(
        self,
        face: Face,
        state: State,
        catch_up: CatchUp,
        ignored: Ignored,
        rights: Rights,
        status_requests: StatusRequests,
    ) -> None:
        self._face = face
        self._state = state
        self._catch_up = catch_up
        self._ignored = ignored
        self._rights = rights
        self._status_requests = status_requests

    def handle(self, job: Job, answer: Answer) -> None:
        """Handle an answer; for a message, only a refusal."""
        if isinstance(job.request, ListUsers):
            self._state.apply(answer)
        match job.request, answer:
            case BecomeOperator(), _:
                if self._rights.note_answer(job, answer):
                    self._face.show_answer(job.request, answer)
            case ListUsers(), Error() if job.origin is not Origin.TYPED:
                self._state.refuse_users()
                self._face.show_answer(job.request, answer)
            case ListUsers(), UserList() if job.origin is not Origin.TYPED:
                if job.origin is Origin.GREETING:
                    self._face.greet(len(answer.users))
            case Direct(), Error(code=ErrorCode.USER_NOT_CONNECTED) if job.is_repeated:
                self._face.show_uncertain_delivery(job.request)
            case SetStatus(), Ok():
                if self._status_requests.note_granted(job):
                    self._face.show_answer(job.request, answer)
            case GetHistory(), HistoryPage():
                self._catch_up.add_older_page(answer)
                self._face.show_answer(job.request, self._ignored.without(answer))
            case Search(), HistoryPage():
                self._face.show_answer(job.request, self._ignored.without(answer))
            case _:
                self._face.show_answer(job.request, answer)
        if isinstance(job.request, SetStatus):
            self._state.answer_status(granted=isinstance(answer, Ok))
