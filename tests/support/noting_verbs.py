"""The requests of a user without a connection: a test gives the answers."""

from collections import deque

from tertulia.client.operating import OperatorVerbs
from tertulia.client.requests import AnswerKind
from tertulia.protocol.messages import Answer, Request


class NotingVerbs(OperatorVerbs):
    """Records each request, and answers it with the next of `answers`."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Request] = []
        self._answers = deque(answers)

    def _ask(self, request: Request, kind: type[AnswerKind]) -> AnswerKind:
        self.sent.append(request)
        answer = self._answers.popleft()
        assert isinstance(answer, kind)
        return answer
