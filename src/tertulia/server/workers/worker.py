"""A worker: the threads that serve the connections it owns, round by round.

What happens in a round is in `dispatcher.py`.

A worker may have several threads. Only the one that has the turn waits in epoll and touches the
connections: the parts of a worker call it the worker's thread. A TLS handshake needs half a
millisecond of arithmetic, for which Python releases the interpreter lock; the thread with the turn
passes the turn on and computes that.
"""

import threading
import time
from collections.abc import Callable, Sequence

from tertulia.server.observer import Observer
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.dispatcher import Dispatcher
from tertulia.server.workers.doorkeeper import Doorkeeper
from tertulia.server.workers.handler import RequestHandler
from tertulia.server.workers.input import Input
from tertulia.server.workers.mail import HandshakeStepDone
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.node_handler import NodeHandler
from tertulia.server.workers.node_input import NodeInput
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog

# Steps of handshakes that the thread with the turn takes in one round, if no other thread is free.
# Without this bound, a flood of them would delay the worker's other connections by a second.
MAX_STEPS = 16


class Worker:
    """One worker. Other threads use only `start`, `join`, `mailbox` and the properties."""

    def __init__(
        self,
        names: Sequence[str],
        shared: Shared,
        announce: Callable[[Mailbox, float], None],
        on_end: Callable[["Worker"], None],
        *,
        ends_when_idle: bool,
    ) -> None:
        """Create the worker's parts. Raises OSError if there are no descriptors.

        It has a thread for each of the `names`. `announce` wakes the other workers, and gives them
        the time when events came in; one of its threads calls `on_end` when the worker ends.
        """
        self.mailbox = Mailbox()
        self.observer = observer = Observer(shared.sparse_log)
        self._ends_when_idle = ends_when_idle
        self._on_end = on_end
        try:
            self._poller = poller = Poller(self.mailbox.fileno())
        except OSError:  # no descriptor is left: free the mailbox's one
            self.mailbox.close()
            raise
        self._output = output = Output(shared.hub.events, shared.config, observer)
        self._watchdog = watchdog = Watchdog(shared.config)
        self._connections = Connections(shared, poller, output, watchdog, observer)
        handler_class = RequestHandler if shared.node is None else NodeHandler
        handler = handler_class(shared, self.mailbox)
        self._doorkeeper = doorkeeper = Doorkeeper(
            shared, self.mailbox, self._connections, output, watchdog, poller, observer
        )
        input_class = Input if shared.node is None else NodeInput
        self._input = input_class(
            shared, self.mailbox, self._connections, handler, output, doorkeeper, poller, observer
        )
        self._dispatcher = Dispatcher(
            *(
                shared,
                self._connections,
                handler,
                self._input,
                output,
                doorkeeper,
                watchdog,
                poller,
            ),
            *(observer, self.mailbox, announce),
        )
        self._turn = threading.Lock()  # the thread that has it may touch everything above
        self._has_ended = False  # read and written by the thread that has the turn
        # counts the threads that wait for the turn
        self._spare = threading.Semaphore(len(names) - 1)
        self._leader = names[0]  # the thread that has the turn, or has had it last
        self._threads = [
            threading.Thread(target=self._run, name=name, daemon=True) for name in names
        ]

    def __repr__(self) -> str:
        return f"<Worker {self._leader} connections={len(self._connections)}>"

    @property
    def name(self) -> str:
        """The name of the thread that has the turn, or has had it last."""
        return self._leader

    @property
    def threads(self) -> int:
        """The number of its threads."""
        return len(self._threads)

    @property
    def connections(self) -> Connections:
        """Its connections. Other threads may only count them."""
        return self._connections

    @property
    def next_check(self) -> float:
        """When it checks the deadlines of its connections next, by the monotonic clock."""
        return self._watchdog.next_check

    def start(self) -> None:
        """Start the threads. If that fails, frees the descriptors and raises RuntimeError."""
        with self._turn:
            try:
                for thread in self._threads:
                    thread.start()
            except RuntimeError:
                self._has_ended = True
                self.mailbox.close()
                self._poller.close()
                raise

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of all threads; return whether they ended in time."""
        give_up_at = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, give_up_at - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # --- the rest is for its own threads ----------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._turn:
                self._leader = threading.current_thread().name
                self._serve()
                if self._has_ended:
                    return
            while connection := self._doorkeeper.compute_step():
                self.mailbox.post(HandshakeStepDone(connection))
            self._spare.release()

    def _serve(self) -> None:
        """Run rounds until the end, or until a step of a handshake can be done without the turn.

        Only the thread that has the turn may call this and the methods below.
        """
        while not self._has_ended:
            self._dispatcher.run_round()
            if self._doorkeeper.steps_due:
                if self._spare.acquire(blocking=False):
                    return
                self._compute_steps()
            may_end = self._dispatcher.is_draining or self._ends_when_idle
            if may_end and not self._connections:
                self._finish()

    def _compute_steps(self) -> None:
        for _ in range(MAX_STEPS):
            connection = self._doorkeeper.compute_step()
            if connection is None:
                return
            self._dispatcher.read_mail(HandshakeStepDone(connection))

    def _finish(self) -> None:
        self._has_ended = True
        self._on_end(self)
        for mail in self.mailbox.close():
            self._dispatcher.return_mail(mail)
        self._poller.close()
