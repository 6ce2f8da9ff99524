"""A worker: it serves the connections it owns, round by round.

In each round it reads bytes and mail, carries out the requests, and at the end sends to each of
its connections. It waits only in epoll. `input.py` deals with bytes, `dispatcher.py` with mail,
deadlines and the results of sending.

A worker may have several threads. One of them has the turn: it alone waits in epoll and touches
the connections. When a handshake of TLS needs half a millisecond of arithmetic, which Python lets
run beside other threads, the thread that has the turn leaves it to the next one and does that.
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
from tertulia.server.workers.mail import GoOnEntering
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.node_input import NodeInput
from tertulia.server.workers.orders import NodeHandler
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import Poller
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog

# Steps of handshakes that the thread with the turn takes in one round, when no other is free.
# Without this bound a flood of them let the others of this worker wait for a second.
MAX_STEPS = 16
_GATHER_S = 0.001  # at most, for reading further messages before the first is sent to everyone


class Worker:
    """One worker. Threads that are not its own use `start`, `join` and `mailbox`."""

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

        It has a thread for each of the `names`. `announce` wakes the other workers, and tells them
        when the news came in; `on_end` is called by one of its threads when the worker ends.
        """
        self.mailbox = Mailbox()
        self.observer = observer = Observer(shared.sparse_log)
        self._events = shared.hub.events
        self._announce = announce
        self._announced_seq = 0
        self._sent_seq = self._events.last_seq  # up to which everything was sent to everyone
        self._ends_when_idle = ends_when_idle
        self._on_end = on_end
        try:
            self._poller = poller = Poller(self.mailbox.fileno())
        except OSError:  # no descriptor is left: give back the one that the mailbox has taken
            self.mailbox.close()
            raise
        self._output = output = Output(self._events, shared.config, observer)
        self._watchdog = watchdog = Watchdog(shared.config)
        self._connections = Connections(shared, poller, output, watchdog, observer)
        handler_class = RequestHandler if shared.serves is None else NodeHandler
        handler = handler_class(shared, self.mailbox)
        self._doorkeeper = doorkeeper = Doorkeeper(
            shared, self.mailbox, self._connections, output, watchdog, poller, observer
        )
        input_class = Input if shared.serves is None else NodeInput
        self._input = input_class(
            shared, self.mailbox, self._connections, handler, output, doorkeeper, poller, observer
        )
        self._dispatcher = Dispatcher(
            shared, self._connections, handler, self._input, output, watchdog, poller, observer
        )
        self._turn = threading.Lock()  # whoever has it may touch everything above
        self._has_ended = False  # read and written by the thread that has the turn
        self._spare = threading.Semaphore(len(names) - 1)  # threads that wait for the turn
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
        """How many threads it has."""
        return len(self._threads)

    @property
    def connections(self) -> Connections:
        """Its connections, for other threads to count only."""
        return self._connections

    @property
    def next_check(self) -> float:
        """When it looks at the deadlines of its connections, by the monotonic clock."""
        return self._watchdog.next_check

    def start(self) -> None:
        """Start the threads; frees its descriptors if that is impossible (RuntimeError)."""
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
        """Wait for the end of all threads; return whether it came."""
        give_up_at = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, give_up_at - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # --- the rest is its threads' own ----------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._turn:
                self._leader = threading.current_thread().name
                self._serve()
                if self._has_ended:
                    return
            while connection := self._doorkeeper.take_step():
                self.mailbox.post(GoOnEntering(connection))
            self._spare.release()

    def _serve(self) -> None:
        """Take round after round, until the end or until a step of a handshake can be taken aside.

        Only the thread that has the turn may call this and what follows.
        """
        while not self._has_ended:
            self.run_round(self._poller.wait(self._time_to_wait()))
            if self._doorkeeper.steps_due:
                if self._spare.acquire(blocking=False):
                    return
                self._take_steps()
            may_end = self._dispatcher.is_draining or self._ends_when_idle
            if may_end and not self._connections:
                self._end()

    def _take_steps(self) -> None:
        for _ in range(MAX_STEPS):
            connection = self._doorkeeper.take_step()
            if connection is None:
                return
            self._dispatcher.read_mail(GoOnEntering(connection))

    def _end(self) -> None:
        self._has_ended = True
        self._on_end(self)
        for mail in self.mailbox.close():
            self._dispatcher.return_mail(mail)
        self._poller.close()

    def run_round(self, ready: list[tuple[int, int]]) -> None:
        """Do everything there is to do, for descriptors that the poller has found ready."""
        dispatcher = self._dispatcher
        self._input.now = self.observer.busy_since = now = time.monotonic()
        # Other workers announce the events that they published before this moment.
        self._announced_seq = self._events.last_seq
        self._input.on_ready(ready)
        self._gather()
        # Only after the events: until here no new connection can have got the descriptor of one
        # that was closed among them.
        for mail in self.mailbox.collect():
            dispatcher.read_mail(mail)
        if now >= self._watchdog.next_check:
            dispatcher.check_deadlines()
        self._announce_news()
        dispatcher.flush()
        if self._announced_seq != self._sent_seq:
            self._note_sent(now)
        self._announce_news()  # of sessions whose connection turned out to be broken
        observer = self.observer
        observer.rounds += 1
        observer.busy_since = 0.0

    def _note_sent(self, round_began: float) -> None:
        """Note how long it took from a message until the last session got it.

        Those of another worker are as old as the round in which that one has read them.
        """
        events, self._sent_seq = self._announced_seq - self._sent_seq, self._announced_seq
        since = self.mailbox.news_since or round_began
        if self._connections:
            self.observer.say_to_last_send.note(time.monotonic() - since, events)

    def _gather(self) -> None:
        """Read the bytes that have arrived meanwhile, if there is something to send to everyone.

        Messages of several users at about the same time then need one `send` to each receiver
        instead of one `send` for each message. Asking the poller costs less than a single `send`.
        """
        give_up_at = self._input.now + _GATHER_S
        while self._events.last_seq != self._announced_seq and time.monotonic() < give_up_at:
            ready = self._poller.wait(0)
            if not ready:
                break
            self._input.on_ready(ready)

    def _time_to_wait(self) -> float:
        """Return how long to sleep: not at all if there is something to do.

        The order matters: mark asleep, then look once more, then wait.
        """
        if not self.mailbox.fall_asleep() or self._output.has_work or self._doorkeeper.steps_due:
            return 0.0
        return max(0.0, self._watchdog.next_check - time.monotonic())

    def _announce_news(self) -> None:
        if self._events.last_seq != self._announced_seq:
            self._announced_seq = self._events.last_seq
            self._announce(self.mailbox, self._input.now)
