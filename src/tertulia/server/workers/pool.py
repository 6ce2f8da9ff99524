"""The workers of a server, and the choice of one for each new connection."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator

from tertulia.protocol.messages import ErrorCode
from tertulia.server.hub.session import Route
from tertulia.server.observer import Observer, add_up
from tertulia.server.workers.mail import (
    AcceptedSocket,
    Adopt,
    AdoptConsole,
    Beat,
    Drain,
    Mail,
)
from tertulia.server.workers.mailbox import Mailbox, Mailboxes
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.worker import Worker


class WorkerPool:
    """A fixed number of threads, or one for each session.

    With `takes_turns`, a fixed number of threads is one worker whose threads take turns; otherwise
    each thread is a worker. The main thread calls `start`, `beat` and `drain`, the acceptor calls
    `assign`, and the console's thread `assign_console`. A worker that ends calls `_forget`.
    """

    def __init__(self, shared: Shared, observer: Observer, *, takes_turns: bool) -> None:
        """`observer` is the acceptor's."""
        self._takes_turns = takes_turns
        self._shared = shared
        self._observer = observer
        self._lock = threading.Lock()
        # The workers, and the counts of those that have ended. Both are replaced in one step, so
        # that any thread can read them without the lock.
        self._present: tuple[tuple[Worker, ...], Observer] = (), Observer()
        self.mailboxes = Mailboxes()
        self._numbers = itertools.count(1)
        self._turn: Iterator[Worker] = iter(())
        self._beats: list[Beat] = []  # requested signs of life; only the main thread uses them

    @property
    def _threads(self) -> int | None:
        return self._shared.config.threads

    def start(self) -> None:
        """Start the workers of a fixed pool."""
        if self._threads is not None:
            number, each = (1, self._threads) if self._takes_turns else (self._threads, 1)
            workers = [self._new_worker(each) for _ in range(number)]
            self._turn = itertools.cycle(workers)
            for worker in workers:
                worker.start()

    def assign(self, accepted: list[AcceptedSocket]) -> list[AcceptedSocket]:
        """Give new connections to the workers in turn, or each to a worker of its own.

        Returns the connections for which the system has no thread or descriptor left.
        """
        if self._threads is None:
            return [one for one in accepted if not self._assign_own_worker(one)]
        shares: dict[Worker, list[AcceptedSocket]] = {}
        for one in accepted:
            shares.setdefault(next(self._turn), []).append(one)
        for worker, share in shares.items():
            worker.mailbox.post(Adopt(share))
        return []

    def _assign_own_worker(self, accepted: AcceptedSocket) -> bool:
        return self._start_worker_with(lambda _mailbox: Adopt([accepted]), accepted.address)

    def _start_worker_with(self, first_mail: Callable[[Mailbox], Mail], address: str) -> bool:
        try:
            worker = self._new_worker()
            worker.mailbox.post(first_mail(worker.mailbox))
            try:
                worker.start()
            except RuntimeError:
                self._forget(worker)
                raise
        except (RuntimeError, OSError) as error:
            self._observer.on_no_thread(address, ErrorCode.SERVER_FULL, error)
            return False
        return True

    def assign_console(self, sock: socket.socket, address: str) -> bool:
        """Give a console's socket to a worker; return False if there can be no worker for it."""
        switchboard = self._shared.switchboard
        routes: list[Route] = []

        def adopt(mailbox: Mailbox) -> Mail:
            routes.append(switchboard.connect(mailbox))
            return AdoptConsole(sock, routes[0], address)

        if self._threads is not None:
            mailbox = self.workers[0].mailbox
            is_assigned = mailbox.post(adopt(mailbox))
        else:
            is_assigned = self._start_worker_with(adopt, address)
        if not is_assigned:
            for route in routes:
                switchboard.disconnect(route.number)
        return is_assigned

    def beat(self) -> bool:
        """Ask all workers for a sign of life; return whether all of them answered the last time.

        If one did not, none is asked again, so that no mail piles up.
        """
        if not all(beat.is_answered for beat in self._beats):
            return False
        beats = [(worker, Beat()) for worker in self.workers]
        self._beats = [beat for worker, beat in beats if worker.mailbox.post(beat)]
        return True

    def drain(self, timeout_s: float, how: Drain | None = None) -> bool:
        """Have all workers say goodbye and end; return whether all of them ended in time."""
        workers = self.workers
        for worker in workers:
            worker.mailbox.post(how or Drain())
        give_up_at = time.monotonic() + timeout_s
        return all(worker.join(max(0.0, give_up_at - time.monotonic())) for worker in workers)

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The workers that are running. Any thread."""
        return self._present[0]

    def totals(self) -> Observer:
        """Return the sum of all workers' and the acceptor's counts. Any thread."""
        workers, ended = self._present
        return add_up([ended, self._observer, *(worker.observer for worker in workers)])

    def _new_worker(self, threads: int = 1) -> Worker:
        worker = Worker(
            [f"worker-{next(self._numbers)}" for _ in range(threads)],
            self._shared,
            self.mailboxes.announce,
            self._forget,
            ends_when_idle=self._threads is None,
        )
        with self._lock:
            workers, ended = self._present
            self._present = (*workers, worker), ended
        self.mailboxes.add(worker.mailbox)
        return worker

    def _forget(self, worker: Worker) -> None:
        with self._lock:
            workers, ended = self._present
            left = tuple(one for one in workers if one is not worker)
            self._present = left, add_up([ended, worker.observer])
        self.mailboxes.remove(worker.mailbox)
