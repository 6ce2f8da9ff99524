"""The workers, and which of them a new connection goes to."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator

from tertulia.server.config import Config
from tertulia.server.hub.hub import Hub
from tertulia.server.workers.limits import Admission
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.worker import Arrival, Worker

log = logging.getLogger("tertulia.server")


class WorkerPool:
    """A fixed number of workers, or one for each session.

    Any thread may call; `start`, `assign` and `drain` are the acceptor's and the main thread's.
    """

    def __init__(self, config: Config, hub: Hub, admission: Admission) -> None:
        self._config = config
        self._hub = hub
        self._admission = admission
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._mailboxes: tuple[Mailbox, ...] = ()
        self._numbers = itertools.count(1)
        self._turn: Iterator[Worker] = iter(())

    def start(self) -> None:
        """Start the workers of a fixed pool."""
        if self._config.threads is not None:
            workers = [self._new_worker() for _ in range(self._config.threads)]
            self._turn = itertools.cycle(workers)
            for worker in workers:
                worker.start()

    def assign(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Give new connections to the workers in turn, or each to one of its own.

        Returns those for whom the system gives no further thread or descriptor.
        """
        if self._config.threads is None:
            return [arrival for arrival in arrivals if not self._assign_own_worker(arrival)]
        shares: dict[Worker, list[Arrival]] = {}
        for arrival in arrivals:
            shares.setdefault(next(self._turn), []).append(arrival)
        for worker, share in shares.items():
            worker.adopt(share)
        return []

    def _assign_own_worker(self, arrival: Arrival) -> bool:
        try:
            worker = self._new_worker()
            worker.adopt([arrival])
            try:
                worker.start()
            except RuntimeError:
                self._forget(worker)
                raise
        except (RuntimeError, OSError) as error:
            log.warning("refused address=%s code=server_full error=%s", arrival[1], error)
            return False
        return True

    def drain(self, timeout_s: float) -> bool:
        """Have all workers say goodbye and end; tell whether they did in time."""
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            worker.drain()
        give_up_at = time.monotonic() + timeout_s
        return all(worker.join(max(0.0, give_up_at - time.monotonic())) for worker in workers)

    def _new_worker(self) -> Worker:
        worker = Worker(
            f"worker-{next(self._numbers)}",
            self._config,
            self._hub,
            self._admission,
            self._announce,
            self._forget,
            ends_when_idle=self._config.threads is None,
        )
        with self._lock:
            self._workers.add(worker)
            self._mailboxes = (*self._mailboxes, worker.mailbox)
        return worker

    def _announce(self, publisher: Mailbox) -> None:
        """Wake those workers that sleep: there is something new in the event log."""
        for mailbox in self._mailboxes:
            if mailbox is not publisher:
                mailbox.nudge()

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
            self._mailboxes = tuple(box for box in self._mailboxes if box is not worker.mailbox)
