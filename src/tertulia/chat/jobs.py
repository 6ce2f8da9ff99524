"""Requests to the server, one after another: each is answered before the next one is sent.

A direct message whose recipient takes long to confirm it is set aside, so that other requests need
not wait for it. This only keeps the order. The `Chat` sends and receives, and passes the time as a
parameter. Runs in the face's one thread.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.client.errors import wait_before_retry
from tertulia.client.pace import Pace
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Direct,
    Error,
    ErrorCode,
    Quit,
    Request,
    Say,
)
from tertulia.protocol.moderation import BecomeOperator

ANSWER_WITHIN_S = 60.0  # after it the next request is sent; a dead server is noticed earlier
CONFIRMED_WITHIN_S = 1.0  # after it a direct message is set aside
SAID_WITHIN_S = 5.0  # after it the person is told that a message to everyone is still on its way
MAX_SET_ASIDE = 100  # direct messages; at the bound further requests wait


class Origin(Enum):
    """The reason why a request is made."""

    TYPED = auto()  # the person asked for it
    GREETING = auto()  # the first list of users
    REFRESH = auto()  # the state needs the answer
    CATCH_UP = auto()  # to get a missing page of history
    WATCHED = auto()  # to keep something on the screen up to date


class Job(NamedTuple):
    """A request to be carried out."""

    request: Request
    origin: Origin
    is_repeated: bool = False  # it was sent before, on a connection that was lost


class _Sent(NamedTuple):
    job: Job
    request_id: int
    at: float
    is_told: bool = False  # the person was told that it is still on its way


class Jobs:
    """A queue of requests, the one that was sent and not answered yet, and those set aside."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._under_way: _Sent | None = None
        self._aside: dict[int, _Sent] = {}  # by the ids of their requests, in the order of sending
        self._pace = Pace()
        # Recipients that get too many direct messages at once.
        self._busy_until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Return whether every request was carried out, and answered or set aside."""
        return self._under_way is None and not self._waiting and len(self._aside) < MAX_SET_ASIDE

    @property
    def wake_at(self) -> float | None:
        """Return when there is something to do even if no answer comes (monotonic)."""
        sent = self._under_way
        if sent is not None:
            patience_s = SAID_WITHIN_S if self._is_to_tell(sent) else ANSWER_WITHIN_S
            return sent.at + (CONFIRMED_WITHIN_S if self._may_set_aside(sent) else patience_s)
        if not self._waiting:
            return None
        return max(self._pace.next_at, min(not_before for _, not_before in self._candidates()))

    def add(self, request: Request, origin: Origin, *, place: int | None = None) -> None:
        """Add a request after `place` others, or as the last one.

        A message gets a nonce, so that it can be sent again without appearing twice.
        """
        if isinstance(request, Say | Direct) and request.nonce is UNSET:
            request = replace(request, nonce=secrets.token_urlsafe(9))
        job = Job(request, origin)
        self._waiting.insert(len(self._waiting) if place is None else place, job)

    def put_back(self, job: Job) -> None:
        """Put a request that could not be sent back to the front of the queue."""
        self._waiting.appendleft(job)

    def has(self, origin: Origin) -> bool:
        """Return whether a request of this origin is waiting or under way."""
        jobs = [*self._waiting, *([self._under_way.job] if self._under_way else [])]
        return any(job.origin is origin for job in jobs)

    @property
    def has_quit(self) -> bool:
        """Return whether the person leaves when everything else is done."""
        return any(isinstance(job.request, Quit) for job in self._waiting)

    @property
    def unsent(self) -> list[Say | Direct]:
        """Return the messages that were never sent."""
        return _messages(job for job in self._waiting if not job.is_repeated)

    @property
    def unanswered(self) -> list[Say | Direct]:
        """Return the messages that were sent, now or on a lost connection, and not answered."""
        jobs = [sent.job for sent in self._sent]
        return _messages([*jobs, *(job for job in self._waiting if job.is_repeated)])

    def take_back(self) -> list[Say | Direct]:
        """Remove the messages that were never sent, and return them."""
        taken = self.unsent
        self._waiting = deque(
            job
            for job in self._waiting
            if job.is_repeated or not isinstance(job.request, Say | Direct)
        )
        return taken

    def pop_ready(self, now: float) -> Job | None:
        """Remove and return the next request, if it may be sent now."""
        if self._under_way is not None or now < self._pace.next_at:
            return None
        for place, not_before in self._candidates():
            if now >= not_before:
                job = self._waiting[place]
                del self._waiting[place]
                return job
        return None

    def start(self, job: Job, request_id: int, now: float) -> None:
        """Note that a request was sent."""
        self._pace.take_turn(now)
        self._under_way = _Sent(job, request_id, now)

    def finish(self, answer: Answer, now: float) -> Job | None:
        """Return the answered request; one that is refused only for now is queued again."""
        sent = self._remove(answer)
        if sent is None:
            return None
        job, request = sent.job, sent.job.request
        if isinstance(request, BecomeOperator):
            return job  # the person may have mistyped the secret, so only the person tries again
        if isinstance(answer, Error) and answer.code == ErrorCode.RATE_LIMITED:
            self._pace.slow_down(sent.at, now, wait_before_retry(answer))
        elif not isinstance(request, Direct):
            return job
        elif isinstance(answer, Error) and answer.code == ErrorCode.BUSY:
            self._busy_until[request.to] = now + wait_before_retry(answer)
        else:
            self._busy_until.pop(request.to, None)
            return job
        self.put_back(job)
        return None

    def set_aside(self, now: float) -> Direct | None:
        """Set aside a direct message that is still not confirmed; return it, or None."""
        sent = self._under_way
        if sent is None or not self._may_set_aside(sent) or now < sent.at + CONFIRMED_WITHIN_S:
            return None
        self._under_way = None
        self._aside[sent.request_id] = sent
        assert isinstance(sent.job.request, Direct)
        return sent.job.request

    def pop_slow(self, now: float) -> Say | None:
        """Return a message to everyone that is still unanswered after a while; each only once."""
        sent = self._under_way
        if sent is None or not self._is_to_tell(sent) or now < sent.at + SAID_WITHIN_S:
            return None
        self._under_way = sent._replace(is_told=True)
        assert isinstance(sent.job.request, Say)
        return sent.job.request

    def note_shown(self, message: ChatMessage) -> None:
        """Note that a message has come back, so that no text says that it is on its way."""
        sent = self._under_way
        if sent is None or not isinstance(sent.job.request, Say):
            return
        if sent.job.request.nonce == message.nonce:
            self._under_way = sent._replace(is_told=True)

    def give_up_late(self, now: float) -> Job | None:
        """Return a request that was not answered in time; a later answer is ignored."""
        sent = self._under_way
        if sent is None or now < sent.at + ANSWER_WITHIN_S:
            return None
        self._under_way = None
        return sent.job

    def interrupt(self) -> None:
        """Put the unanswered requests back into the queue, because the connection was lost.

        Messages can be sent again, because they have a nonce.
        """
        lost = self._sent
        self._under_way = None
        self._aside.clear()
        self._busy_until.clear()
        for sent in reversed(lost):
            job = sent.job
            if job.origin in (Origin.TYPED, Origin.GREETING):
                self.put_back(job._replace(is_repeated=True))

    @property
    def _sent(self) -> list[_Sent]:
        return [*self._aside.values(), *([self._under_way] if self._under_way else [])]

    def _is_to_tell(self, sent: _Sent) -> bool:
        return isinstance(sent.job.request, Say) and not sent.is_told

    def _may_set_aside(self, sent: _Sent) -> bool:
        return isinstance(sent.job.request, Direct) and len(self._aside) < MAX_SET_ASIDE

    def _candidates(self) -> Iterator[tuple[int, float]]:
        """Yield the places of the requests that may be the next, with the earliest time of each.

        Other requests may overtake a direct message to a busy recipient; the request to leave may
        not.
        """
        for place, job in enumerate(self._waiting):
            if isinstance(job.request, Quit) and place:
                return
            busy = isinstance(job.request, Direct) and self._busy_until.get(job.request.to)
            yield place, busy or 0.0

    def _remove(self, answer: Answer) -> _Sent | None:
        if answer.id is UNSET:
            return None
        sent = self._under_way
        if sent is not None and answer.id == sent.request_id:
            self._under_way = None
            return sent
        return self._aside.pop(answer.id, None)


def _messages(jobs: Iterable[Job]) -> list[Say | Direct]:
    return [job.request for job in jobs if isinstance(job.request, Say | Direct)]
