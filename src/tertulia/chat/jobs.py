"""What is to be asked of the server, one request after the other, each answered before the next.

The clock is told: the `Chat` sends and receives.
"""

import secrets
from collections import deque
from enum import Enum, auto
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.client.errors import wait_before_retry
from tertulia.protocol.messages import Answer, Direct, Error, ErrorCode, Quit, Request, Say

ANSWER_WITHIN_S = 60.0  # then the next has its turn; a dead server is found out before


class Origin(Enum):
    """Where a request comes from."""

    TYPED = auto()
    GREETING = auto()  # the first list of users
    REFRESH = auto()  # what only the state needs
    CATCH_UP = auto()  # a page of history that is missing


class Job(NamedTuple):
    """A request that is to be carried out."""

    request: Request
    origin: Origin


class Jobs:
    """A queue of requests, and the one that is under way."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._under_way: Job | None = None
        self._request_id = -1
        self._give_up_at = 0.0
        self._not_before = 0.0  # the server has asked to wait until then

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Tell whether everything was carried out and answered."""
        return self._under_way is None and not self._waiting

    @property
    def wake_at(self) -> float | None:
        """Tell when there is something to do even if nothing comes (monotonic)."""
        if self._under_way is not None:
            return self._give_up_at
        return self._not_before if self._waiting else None

    def add(self, request: Request, origin: Origin, *, place: int | None = None) -> None:
        """Have a request carried out, after `place` others, or as the last of all.

        What is said gets a nonce, so that it can be said again.
        """
        if isinstance(request, Say) and request.nonce is UNSET:
            request = replace(request, nonce=secrets.token_urlsafe(9))
        job = Job(request, origin)
        self._waiting.insert(len(self._waiting) if place is None else place, job)

    def has(self, origin: Origin) -> bool:
        """Tell whether there is a request of an origin, waiting or under way."""
        jobs = [*self._waiting, *([self._under_way] if self._under_way else [])]
        return any(job.origin is origin for job in jobs)

    @property
    def has_quit(self) -> bool:
        """Tell whether the person wants to leave once all else is done."""
        return any(isinstance(job.request, Quit) for job in self._waiting)

    @property
    def unsent(self) -> list[Say | Direct]:
        """List what was to be said and has not had its turn."""
        return [job.request for job in self._waiting if isinstance(job.request, Say | Direct)]

    @property
    def is_saying(self) -> bool:
        """Tell whether something that is said is under way."""
        return self._under_way is not None and isinstance(self._under_way.request, Say | Direct)

    def next(self, now: float) -> Job | None:
        """Take the next request, if it may be sent now."""
        if self._under_way is not None or not self._waiting or now < self._not_before:
            return None
        return self._waiting.popleft()

    def sent(self, job: Job, request_id: int, now: float) -> None:
        """Note that a request is under way."""
        self._under_way, self._request_id = job, request_id
        self._give_up_at = now + ANSWER_WITHIN_S

    def answered(self, answer: Answer, now: float) -> Job | None:
        """Find the request that an answer is to; one that has to wait is kept for later."""
        job = self._under_way
        if job is None or answer.id != self._request_id:
            return None
        self._under_way = None
        if isinstance(answer, Error) and answer.code == ErrorCode.RATE_LIMITED:
            self._not_before = now + wait_before_retry(answer)
            self._waiting.appendleft(job)
            return None
        return job

    def late(self, now: float) -> Job | None:
        """Give up a request that was not answered in time."""
        if self._under_way is None or now < self._give_up_at:
            return None
        job, self._under_way = self._under_way, None
        return job

    def interrupted(self) -> Direct | None:
        """Put back what was under way when the connection was lost.

        A direct message is returned instead: it cannot be said whether it has arrived.
        """
        job, self._under_way = self._under_way, None
        if job is not None and isinstance(job.request, Direct):
            return job.request
        if job is not None and job.origin in (Origin.TYPED, Origin.GREETING):
            self._waiting.appendleft(job)
        self._not_before = 0.0
        return None
