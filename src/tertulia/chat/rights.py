"""Keeps the operator's secret while the program runs, to become an operator again later.

It is kept only in memory. Runs in the face's one thread, like the chat.
"""

from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.state import State
from tertulia.protocol.messages import Answer, Error, ErrorCode, Ok, Welcome
from tertulia.protocol.moderation import BecomeOperator


class Rights:
    """The secret that the server has accepted, or that is about to be sent to it."""

    def __init__(self, secret: str | None, jobs: Jobs, state: State) -> None:
        self._secret = secret
        self._state = state
        self._jobs = jobs

    def ask_again(self, welcome: Welcome) -> None:
        """Become an operator on a new connection, if the secret is known and it is necessary."""
        if self._secret is not None and not welcome.operator:
            self._jobs.add(BecomeOperator(secret=self._secret), Origin.REFRESH, place=0)

    def note_answer(self, job: Job, answer: Answer) -> bool:
        """Remember a correct secret, forget a wrong one; return whether to show the answer."""
        assert isinstance(job.request, BecomeOperator)
        if isinstance(answer, Ok):
            self._secret = job.request.secret
            self._state.is_operator = True  # the event comes later
        elif isinstance(answer, Error) and answer.code == ErrorCode.OPERATOR_WRONG:
            self._secret = None
        return job.origin is Origin.TYPED or isinstance(answer, Error)
