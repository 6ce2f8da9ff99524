"""Passes live views' requests for figures from the workers to the console's thread.

That thread measures the server, so that no worker's round gets longer.
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import NamedTuple

from msgspec import UnsetType

from tertulia.protocol.measures import Measures
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.protocol.watching import MeasuresTaken
from tertulia.server.config import Config
from tertulia.server.hub.session import Owner
from tertulia.server.workers.mail import MeasuresReady

log = logging.getLogger("tertulia.server")


class MeasureRequest(NamedTuple):
    """A request for figures, and the owner that gets them as MeasuresReady."""

    id: int | UnsetType
    owner: Owner
    session_number: int


class MeasureRequests:
    """The requests that wait. Any thread may call `ask`, the console's thread the rest.

    Bound: one for each console, which is held until it has its answer. `measure` is set before
    the server starts.
    """

    measure: Callable[[], Measures]

    def __init__(self, config: Config) -> None:
        self._model = "session" if config.threads is None else str(config.threads)
        self._lock = threading.Lock()
        self._wanted: list[MeasureRequest] = []
        self._eventfd = -1  # until there is a thread that answers

    def open(self) -> int:
        """Return a descriptor that becomes readable when a request waits."""
        self._eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return self._eventfd

    def close(self) -> None:
        """Accept no more requests. The server is ending; those that wait get its goodbye."""
        with self._lock:
            os.close(self._eventfd)
            self._eventfd = -1

    def ask(self, request: MeasureRequest) -> None:
        """Queue a request."""
        with self._lock:
            self._wanted.append(request)
            if self._eventfd >= 0:
                os.eventfd_write(self._eventfd, 1)

    def answer_all(self) -> None:
        """Measure the server, and post the figures to everyone who waits."""
        with self._lock:
            os.eventfd_read(self._eventfd)
            wanted, self._wanted = self._wanted, []
        for request in wanted:
            request.owner.post(MeasuresReady(request.session_number, self._answer(request)))

    def _answer(self, request: MeasureRequest) -> MeasuresTaken | Error:
        try:
            measures = self.measure()
        except Exception:
            log.exception("measuring failed")  # a fault here must not end the server
            reason = "the server could not measure itself: its log says why"
            return Error(id=request.id, code=ErrorCode.UNAVAILABLE, message=reason)
        return MeasuresTaken(id=request.id, model=self._model, measures=measures)
