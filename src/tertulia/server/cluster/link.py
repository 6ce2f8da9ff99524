"""Connects a node to the nats-servers. It knows subjects and bytes, but not the chat.

The thread "link" runs nats-py in an asyncio event loop of its own, and calls all callbacks. After
the loss of a connection it tries for ever to connect to any of the servers. Messages that are sent
while there is no connection are dropped; their senders have to send them again.
"""

import asyncio
import contextlib
import logging
import queue
import random
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tertulia.i18n import _
from tertulia.server.cluster import stream, unusable
from tertulia.server.cluster.addresses import parse_address
from tertulia.server.cluster.consumer import Counts, Entry, OrderedConsumer, Receivers
from tertulia.server.cluster.credentials import Credentials, read_credentials
from tertulia.server.cluster.inbox import Done, Inbox
from tertulia.server.cluster.unusable import ClusterUnusable, NotReachable

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from tertulia.server.cluster.connection import Connection
    from tertulia.server.cluster.connector import Connector

__all__ = ["ClusterUnusable", "Entry", "Link"]

log = logging.getLogger("tertulia.server")

_CONNECT_S = 8.0  # to connect to any of the servers at the start
# Between attempts to connect. A random part of up to the same length is added, so that the nodes do
# not connect at the same moment.
_AGAIN_S = 0.1
# One tick adds at most this to a silence: a thread that did not run could not read either.
_MAX_STEP_S = 0.5
_MIB = 1 << 20
MAX_LOG_BYTES = 1_024 * _MIB  # size of the stream, reserved on the disks of the nats-servers

Reply = Callable[[bytes], None]


class Link:
    """One node's connection to the nats-servers, from `start` to `stop`."""

    def __init__(
        self,
        servers: Sequence[str],
        chat: str,
        node: str,
        credentials: str | None,
        *,
        on_entries: Callable[[list[Entry]], None],
        on_tick: Callable[[], None],
        on_log_lost: Callable[[str], None],
        on_hole: Callable[[int], None],
        tick_s: float = 0.1,
        max_bytes: int = MAX_LOG_BYTES,
    ) -> None:
        """Keep the callbacks, all of which are called on the link's thread.

        `credentials` is the path of a file, see credentials.py. TLS trusts the authorities of the
        system, or those in the file that the environment variable SSL_CERT_FILE names.
        `on_hole(first)`: the log begins after the entry that is wanted; nothing is read until
        `consume_from` is called again. `on_log_lost(words)`, at most once: the log has lost
        entries. `on_tick` is called about every `tick_s`, connected or not.
        """
        self.stats = Counts()
        self._servers = servers
        self._chat = chat
        self._name = f"tertulia {chat} {node}"
        self._credentials_path = credentials
        self._connector: Connector
        self._on_tick, self._on_log_lost = on_tick, on_log_lost
        self._tick_s = tick_s
        self._max_bytes = max_bytes
        self._is_lost = False
        self._log_subject = stream.log_subject(chat)
        self._inbox = Inbox(self._send, self._guard)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._consumer = OrderedConsumer(
            stream.stream_name(chat),
            self._inbox.prefix,
            Receivers(partial(self._guard, on_entries), on_hole, self._note_short),
            self._inbox.ask,
            self._spawn,
            self.stats,
        )
        # Guarded by the lock. Bounded, because callers wait for the answers to their requests.
        self._steps: list[Callable[[], None]] = []
        self._is_step_due = False  # guarded by the lock
        self._lock = threading.Lock()
        self._arrived: deque[tuple[Callable[[Msg], None], Msg]] = deque()
        self._served: dict[str, Callable[[Msg], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._started: queue.SimpleQueue[ClusterUnusable | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._stop_requested = asyncio.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    # Any thread.

    def start(self) -> None:
        """Connect, within some seconds. Raises ClusterUnusable."""
        addresses = [parse_address(url) for url in self._servers]
        path = self._credentials_path
        credentials = Credentials() if path is None else read_credentials(path)
        try:
            from tertulia.server.cluster.connector import Connector
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "nats":
                raise
            raise unusable.not_installed() from None
        self._connector = Connector(
            addresses, self._name, credentials, self._arrive, self._note_error
        )
        self._thread.start()
        problem = self._started.get()
        if problem is not None:
            self.stop(1.0)
            raise problem

    def open_stream(self) -> stream.StreamState:
        """Find the chat's log, or make one; blocks. Raises ClusterUnusable."""
        state = stream.open_stream(self._chat, len(self._servers), self._max_bytes, self._ask_api)
        self.check_permissions()  # A refusal of an earlier subscription has arrived by now, too.
        return state

    def delete_stream(self) -> None:
        """Remove the chat's log, if there is one; blocks. Raises ClusterUnusable."""
        stream.delete_stream(self._chat, self._ask_api)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now. Any thread."""
        return self._connection is not None

    @property
    def log_end(self) -> int:
        """The highest place in the log that this node knows of. Any thread."""
        return self._consumer.log_end

    def check_permissions(self) -> None:
        """Raise ClusterUnusable if the server has refused a permission so far. Any thread.

        Without the permission to publish to the log, proposals vanish without an answer.
        """
        connection = self._connection
        if connection is not None and connection.denial:
            raise unusable.not_permitted(connection.denial)

    def consume_from(self, place: int) -> None:
        """Begin to read the log at an entry. Any thread."""
        self.call(partial(self._consumer.read_from, place))

    def call(self, step: Callable[[], None]) -> None:
        """Run a step on the link's thread, after earlier steps. Any thread."""
        with self._lock:
            self._steps.append(step)
            if self._is_step_due or self._loop is None:
                return
            self._is_step_due = True
        with contextlib.suppress(RuntimeError):  # The link has ended.
            self._loop.call_soon_threadsafe(self._run_steps)

    def publish(self, subject: str, data: bytes) -> None:
        """Send a message; it is dropped while there is no connection. Any thread."""
        self.call(partial(self._send, subject, data))

    def request(self, subject: str, data: bytes, timeout_s: float, done: Done) -> None:
        """Send a request; its answer is passed to `done` on the link's thread. Any thread.

        `done` gets None after the time-out, without a connection, and if nobody serves the subject.
        """
        self.call(partial(self._request, subject, data, timeout_s, done))

    def ask(self, subject: str, data: bytes, timeout_s: float) -> bytes | None:
        """Send a request and wait for the answer (see `request`). Never on the link's thread."""
        assert threading.current_thread() is not self._thread, "it would wait for itself"
        if not self._thread.is_alive():
            return None
        answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.request(subject, data, timeout_s, answers.put)
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=timeout_s + 1.0)
        return None  # The link has ended, or its thread does not get to run.

    def serve(self, subject: str, handler: Callable[[bytes, Reply], None]) -> None:
        """Answer requests: `handler` is called on the link's thread. Any thread.

        `reply` may be called later, by any thread, and does nothing if nobody waits for it.
        """
        self.call(partial(self._serve, subject, handler))

    def stop(self, timeout_s: float) -> bool:
        """Send what is queued, and end; return whether that was done in time. Idempotent."""
        self._stopping.set()
        self.call(self._stop_requested.set)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # The link's thread.

    def propose(self, data: bytes, applied: int) -> None:
        """Publish an entry to the log. `applied` is the last entry that this node has applied.

        An acknowledgement with a place that is not above it proves that the log has lost entries.
        """
        self._send(self._log_subject, data, self._inbox.stored_subject(applied))

    def _run(self) -> None:
        logging.getLogger("asyncio").setLevel(logging.ERROR)
        asyncio.run(self._main())
        if self._fault is not None:
            raise self._fault  # This ends the program, as a fault in any thread of the server does.

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._note_error_of_library)
        with self._lock:
            self._loop = loop
            self._is_step_due = True
        self._run_steps()
        ticking = asyncio.create_task(self._tick())
        connecting = asyncio.create_task(self._stay_connected())
        await self._stop_requested.wait()
        ticking.cancel()
        connecting.cancel()
        if self._connection is not None:
            await self._connection.close(at_once=False)
        self._inbox.give_up()

    def _note_error_of_library(self, _loop: object, context: dict[str, Any]) -> None:
        self.stats.errors += 1
        log.debug("link error=%s", context.get("exception") or context.get("message"))

    def _guard(self, step: Callable[..., None], *args: object) -> None:
        """Run a callback. An exception ends the link, since the node's state is then unknown."""
        try:
            step(*args)
        except Exception as error:
            self._fault = self._fault or error
            self._stop_requested.set()
            raise

    def _run_steps(self) -> None:
        with self._lock:
            self._is_step_due = False
            steps, self._steps = self._steps, []
        for step in steps:
            self._guard(step)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(self._tick_s)
            now = loop.time()
            step_s, last = min(now - last, _MAX_STEP_S), now
            if self._connection is not None:
                self._connection.age(step_s)
                self._consumer.age(step_s)
            self._guard(self._on_tick)

    async def _stay_connected(self) -> None:
        has_started = False
        deadline = asyncio.get_running_loop().time() + _CONNECT_S
        said = ""
        while True:
            try:
                connection = await self._connector.connect()
            except ClusterUnusable as error:
                is_late = asyncio.get_running_loop().time() > deadline
                if not has_started and (is_late or not isinstance(error, NotReachable)):
                    self._started.put(error)
                    return
                if has_started and str(error) != said:
                    said = str(error)
                    log.warning("nats not connected: %s", error)
                await asyncio.sleep(_AGAIN_S * (1 + random.random()))
                continue
            said = ""
            self._start_using(connection)
            if not has_started:
                has_started = True
                self._started.put(None)
            await connection.ended.wait()
            self._stop_using(connection)
            await connection.close()

    def _start_using(self, connection: "Connection") -> None:
        log.info("nats connected server=%s", connection.address)
        self.stats.connects += 1
        self._connection = connection
        connection.subscribe(self._inbox.subject, self._handle_answer)
        for subject, handler in self._served.items():
            connection.subscribe(subject, handler)
        self._consumer.connect(connection)

    def _stop_using(self, connection: "Connection") -> None:
        reason = connection.why_ended
        log.warning("nats connection lost server=%s reason=%s", connection.address, reason)
        self._connection = None
        self._arrived.clear()
        self._consumer.disconnect()

    def _arrive(self, handler: Callable[["Msg"], None], message: "Msg") -> None:
        """Collect the messages of one turn of the loop, so that entries are handed on together."""
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._guard, self._handle_arrived)
        self._arrived.append((handler, message))

    def _handle_arrived(self) -> None:
        arrived = list(self._arrived)
        self._arrived.clear()
        for handler, message in arrived:
            handler(message)
        self._consumer.hand_on()

    def _send(self, subject: str, data: bytes, reply: str = "") -> None:
        if self._connection is not None:
            self._connection.send(subject, data, reply)

    def _request(self, subject: str, data: bytes, timeout_s: float, done: Done) -> None:
        if self._connection is None or self._stop_requested.is_set():
            done(None)
            return
        self._inbox.request(subject, data, timeout_s, done)

    def _handle_answer(self, message: "Msg") -> None:
        acknowledgement = self._inbox.handle_answer(message)
        if acknowledgement is None:
            return
        applied, data = acknowledgement
        place = stream.acknowledged_place(data)
        if place is None:
            self.stats.refused += 1
        elif place <= applied:
            self._lose_log(
                _("a new entry was stored at {place}, although {applied} were applied").format(
                    place=place, applied=applied
                )
            )
        else:
            self._consumer.expect(place)

    def _note_short(self, last: int | None, applied: int) -> None:
        if last is None:
            words = _("the log does not exist any more")
        else:
            words = _("the log ends at {last}, although {applied} entries were applied").format(
                last=last, applied=applied
            )
        self._guard(self._lose_log, words)

    def _lose_log(self, words: str) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._on_log_lost(words)

    def _serve(self, subject: str, handler: Callable[[bytes, Reply], None]) -> None:
        def handle(message: "Msg") -> None:
            handler(message.data, partial(self._reply, message.reply))

        self._served[subject] = handle
        if self._connection is not None:
            self._connection.subscribe(subject, handle)

    def _reply(self, subject: str, data: bytes) -> None:
        if subject:
            self.publish(subject, data)

    def _note_error(self) -> None:
        self.stats.errors += 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ask_api(self, subject: str, data: bytes, timeout_s: float) -> bytes | None:
        """Send a request to JetStream. Raises ClusterUnusable if that is not permitted."""
        answer = self.ask(subject, data, timeout_s)
        if answer is None:
            self.check_permissions()
            connection = self._connection
            if connection is not None and not connection.has_jetstream:
                raise unusable.without_jetstream()
        return answer
