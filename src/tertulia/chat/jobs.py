"""Requests to the server, one after another: each is answered before the next one is sent.

It only keeps the order. The `Chat` sends and receives, and passes the time.
"""

import secrets
from collections import deque
from enum import Enum, auto
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.client.errors import wait_before_retry
from tertulia.protocol.messages import Answer, Direct, Error, ErrorCode, Quit, Request, Say

ANSWER_WITHIN_S = 60.0  # then the next has its turn; a dead server is noticed earlier


class Origin(Enum):
    """Why a request is made."""

    TYPED = auto()  # the person asked for it
    GREETING = auto()  # the first list of users
    REFRESH = auto()  # the state needs the answer
    CATCH_UP = auto()  # a page of history that is missing


class Job(NamedTuple):
    """A request to be carried out."""

    request: Request
    origin: Origin


class Jobs:
    """A queue of requests, and the one that was sent and is not answered yet."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._under_way: Job | None = None
        self._request_id = -1
        self._give_up_at = 0.0
        self._not_before = 0.0  # the server asked to wait until then

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether every request was carried out and answered."""
        return self._under_way is None and not self._waiting

    @property
    def wake_at(self) -> float | None:
        """When there is something to do although no answer comes (monotonic)."""
        if self._under_way is not None:
            return self._give_up_at
        return self._not_before if self._waiting else None

    def add(self, request: Request, origin: Origin, *, place: int | None = None) -> None:
        """Add a request after `place` others, or as the last one.

        A `Say` gets a nonce, so that it can be repeated without being said twice.
        """
        if isinstance(request, Say) and request.nonce is UNSET:
            request = replace(request, nonce=secrets.token_urlsafe(9))
        job = Job(request, origin)
        self._waiting.insert(len(self._waiting) if place is None else place, job)

    def has(self, origin: Origin) -> bool:
        """Return whether a request of this origin is waiting or under way."""
        jobs = [*self._waiting, *([self._under_way] if self._under_way else [])]
        return any(job.origin is origin for job in jobs)

    @property
    def has_quit(self) -> bool:
        """Whether the person leaves when everything else is done."""
        return any(isinstance(job.request, Quit) for job in self._waiting)

    @property
    def unsent(self) -> list[Say | Direct]:
        """The messages that were not sent yet."""
        return [job.request for job in self._waiting if isinstance(job.request, Say | Direct)]

    @property
    def is_saying(self) -> bool:
        """Whether a message is under way."""
        return self._under_way is not None and isinstance(self._under_way.request, Say | Direct)

    def pop_ready(self, now: float) -> Job | None:
        """Remove and return the next request, if it may be sent now."""
        if self._under_way is not None or not self._waiting or now < self._not_before:
            return None
        return self._waiting.popleft()

    def start(self, job: Job, request_id: int, now: float) -> None:
        """Note that a request was sent."""
        self._under_way, self._request_id = job, request_id
        self._give_up_at = now + ANSWER_WITHIN_S

    def finish(self, answer: Answer, now: float) -> Job | None:
        """Return the request that is answered; one that is rate-limited goes back to the queue."""
        job = self._under_way
        if job is None or answer.id != self._request_id:
            return None
        self._under_way = None
        if isinstance(answer, Error) and answer.code == ErrorCode.RATE_LIMITED:
            self._not_before = now + wait_before_retry(answer)
            self._waiting.appendleft(job)
            return None
        return job

    def give_up_late(self, now: float) -> Job | None:
        """Return the request that was not answered in time, if any; an answer is now ignored."""
        if self._under_way is None or now < self._give_up_at:
            return None
        job, self._under_way = self._under_way, None
        return job

    def interrupt(self) -> Direct | None:
        """Put the request under way back into the queue, because the connection was lost.

        A direct message is returned instead, since nobody knows whether it was delivered.
        """
        job, self._under_way = self._under_way, None
        if job is not None and isinstance(job.request, Direct):
            return job.request
        if job is not None and job.origin in (Origin.TYPED, Origin.GREETING):
            self._waiting.appendleft(job)
        self._not_before = 0.0
        return None
