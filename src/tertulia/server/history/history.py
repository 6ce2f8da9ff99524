"""The history: a thread that writes the general chat to disk in groups, and one that reads it.

Other threads give them work and get replies; nobody waits for the disk. What is asked of the
reader goes through the writer's queue first, so that it finds everything said before.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from tertulia.protocol import messages
from tertulia.protocol.messages import ChatMessage, Error, HistoryPage, Search
from tertulia.protocol.times import rfc3339
from tertulia.server import refusals
from tertulia.server.config import Config
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.store import MessageStore, StoreDamaged, set_aside
from tertulia.server.hub.session import Receipt

log = logging.getLogger("tertulia.server")

_GROUP = 500  # messages and questions taken from the queue at once, for one commit
_BUSY_GROUP = 16  # after so many the next group is gathered for a while: a commit costs as much as
_GATHER_S = 0.005  # 40 messages in it. A lone message never waits
_READER_END_S = 2.0  # for a query that was interrupted
_INDEX_STEP = 2_000  # messages brought into the search index between two looks at the queue
_INDEX_BACKLOG = 200_000  # so many, a second's work, are not left for a quiet moment
_SEARCH_WITHIN_S = 10.0  # for the index, in a room that says more than can be indexed
_QUIET_S = 0.5  # without anything to write: a quiet moment
_FORGET_EVERY_S = 3_600.0

PageRequest = messages.GetHistory | messages.Search
PageReply = Callable[[HistoryPage | Error], object]


class _Write(Struct):
    message: ChatMessage
    receipt: Receipt


class _Confirm(Struct):
    """Acknowledge a message written before."""

    receipt: Receipt


class _Ask(Struct):
    request: PageRequest
    reply: PageReply
    is_wanted: Callable[[], bool]


class History:
    """The messages of the general chat, on disk.

    `take_room`, `write`, `confirm` and `reserve_soon` are called under the Hub's lock; `ask` and
    `when_room` by any thread.
    """

    def __init__(self, path: Path, config: Config) -> None:
        """Open the file.

        Raises StoreInUse, StoreOfAnotherVersion, OSError, and sqlite3.Error for a full disk.
        """
        self.path = path
        self._config = config
        self._store = _open_store(path, config.seq_block)
        self._reader = MessageReader(path)
        self.numbering = self._store.numbering
        self._reserved_through = self.numbering.reserved_through

        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._queue: deque[_Write | _Confirm | _Ask] = deque()
        self._sleeping = False  # the writer, who has nothing to do
        self._taken = 0  # places in the queue that were taken ...
        self._freed = 0  # ... and free again. Bound: history_queue; at it speakers are not read
        self._reserve_from: int | None = None
        self._reserve_at = self._reserved_through - config.seq_block // 2
        self._room_waiters: list[Callable[[], object]] = []  # bound: a connection waits once
        self._questions: deque[_Ask] = deque()  # bound: one for each connection
        self._asked = threading.Condition(self._lock)
        self._stopping = False

        self._is_failing = False  # this and what follows is the writer's own
        self._last_group = 0  # messages and questions that were taken together
        self._unindexed = 1  # messages, at the most; what an earlier run left is not counted
        self._searches: list[_Ask] = []  # wait for the index; bound: one for each connection
        self._refuse_searches_at = 0.0
        self._forget_at = time.monotonic()
        self._writer_thread = threading.Thread(
            target=self._write_all, name="history-writer", daemon=True
        )
        self._reader_thread = threading.Thread(
            target=self._answer_all, name="history-reader", daemon=True
        )

    def start(self) -> None:
        """Start both threads."""
        self._reader_thread.start()
        self._writer_thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what is queued and close the file; tell whether it was done in time."""
        with self._lock:
            self._stopping = True
            self._questions.clear()  # who asked is gone
            self._reader.interrupt()  # under the lock: the reader has to take it before it closes
            self._work.notify()
            self._asked.notify()
        give_up_at = time.monotonic() + timeout_s
        for thread in (self._writer_thread, self._reader_thread):
            thread.join(max(0.0, give_up_at - time.monotonic()))
        return not (self._writer_thread.is_alive() or self._reader_thread.is_alive())

    def nonces(self, now: datetime) -> list[tuple[int, str, str, str]]:
        """List seq, time, sender and nonce of what was said lately. Before `start`."""
        since = now - timedelta(seconds=self._config.nonce_keep_s)
        return self._store.nonces_since(rfc3339(since), self._config.max_nonces)

    # --- for the Hub ---------------------------------------------------------------------------

    def take_room(self) -> bool:
        """Take a place in the queue for one message, before it gets a number."""
        # The Hub's lock is enough: that the writer frees some meanwhile does no harm.
        if self._is_full():
            return False
        self._taken += 1
        return True

    def write(self, message: ChatMessage, receipt: Receipt) -> None:
        """Store a message for which there is room, then acknowledge it."""
        self._hand_in(_Write(message, receipt))

    def confirm(self, receipt: Receipt) -> None:
        """Acknowledge a message that was written before, once it is stored; takes its room too."""
        self._hand_in(_Confirm(receipt))

    def _hand_in(self, item: _Write | _Confirm) -> None:
        with self._lock:
            self._queue.append(item)
            if self._sleeping:
                self._sleeping = False
                self._work.notify()

    def reserve_soon(self, seq: int) -> None:
        """See to it that there are numbers beyond this one; half a block ahead is soon enough."""
        if seq > self._reserve_at:
            # Should it fail: again halfway to the end, and once that is reached now and then.
            left = self._reserved_through - seq
            self._reserve_at = seq + (left if left > 1 else self._config.seq_block) // 2
            with self._lock:
                self._reserve_from = seq
                self._work.notify()

    # --- for the workers -----------------------------------------------------------------------

    def when_room(self, call: Callable[[], object]) -> None:
        """Make a call, in any thread, once there is room in the queue."""
        with self._lock:
            if self._is_full():
                self._room_waiters.append(call)
                return
        call()

    def _is_full(self) -> bool:
        """Tell whether there is no room, or others wait for it already: nobody overtakes them."""
        return self._taken - self._freed >= self._config.history_queue or bool(self._room_waiters)

    def ask(self, request: PageRequest, reply: PageReply, is_wanted: Callable[[], bool]) -> None:
        """Read a page, once everything said before is stored; reply in another thread.

        Not if it is no longer wanted by then: so nobody waits for what was asked by who is gone.
        """
        with self._lock:
            self._queue.append(_Ask(request, reply, is_wanted))
            self._work.notify()

    # --- the writer's thread -------------------------------------------------------------------

    def _write_all(self) -> None:
        wait_s = 0.0
        while True:
            with self._lock:
                if not self._queue and self._reserve_from is None and not self._stopping:
                    self._sleeping = True
                    self._work.wait(wait_s)
                    self._sleeping = False
                elif self._last_group >= _BUSY_GROUP and not self._stopping:
                    self._work.wait(_GATHER_S)
                group = [self._queue.popleft() for _ in range(min(_GROUP, len(self._queue)))]
                reserve_from, self._reserve_from = self._reserve_from, None
                if not group and reserve_from is None and self._stopping:
                    break
            if reserve_from is not None:
                self._reserve(reserve_from)
            if group:
                self._carry_out(group)
            self._last_group = len(group)
            self._tidy(is_idle=not group)
            wait_s = max(0.0, self._forget_at - time.monotonic())
            if self._unindexed:
                wait_s = _QUIET_S if group and not self._searches else 0.0
        # The last one to close the file takes what is in the WAL into it, but no reader may.
        self._reader_thread.join(_READER_END_S)
        self._store.close()

    def _tidy(self, *, is_idle: bool) -> None:
        """Do a little of what can wait."""
        if self._unindexed and (is_idle or self._searches or self._unindexed > _INDEX_BACKLOG):
            self._index_some()
        if self._searches and not self._unindexed:
            self._pass_on(self._searches)
            self._searches = []
        elif self._searches and time.monotonic() >= self._refuse_searches_at:
            for ask in self._searches:
                ask.reply(refusals.not_read(ask.request))
            self._searches = []
        if time.monotonic() >= self._forget_at:
            self._forget_some()

    def _carry_out(self, group: list[_Write | _Confirm | _Ask]) -> None:
        written = [item.message for item in group if isinstance(item, _Write)]
        is_stored = not written or self._commit(written)
        acknowledged: dict[object, list[tuple[Receipt, bool]]] = {}
        for item in group:
            if isinstance(item, _Ask):
                continue
            if isinstance(item, _Confirm):
                row = (item.receipt, self._has(item.receipt.seq))
            else:
                row = (item.receipt, is_stored)
            acknowledged.setdefault(item.receipt.session.home, []).append(row)
        for rows in acknowledged.values():
            rows[0][0].session.home.acknowledge(rows)
        asks = [item for item in group if isinstance(item, _Ask)]
        searches = [ask for ask in asks if isinstance(ask.request, Search)]
        if searches and not self._searches:
            self._refuse_searches_at = time.monotonic() + _SEARCH_WITHIN_S
        self._searches += searches
        self._pass_on([ask for ask in asks if not isinstance(ask.request, Search)])
        with self._lock:
            self._freed += len(group) - len(asks)
            waiters: list[Callable[[], object]] = []
            if self._taken - self._freed <= self._config.history_queue // 2:
                waiters, self._room_waiters = self._room_waiters, []
        for call in waiters:
            call()

    def _pass_on(self, asks: list[_Ask]) -> None:
        if asks:
            with self._lock:
                self._questions.extend(asks)
                self._asked.notify()

    def _has(self, seq: int) -> bool:
        try:
            return self._store.has(seq)
        except sqlite3.Error as error:
            log.warning("history not read error=%s path=%s", error, self.path)
            return False

    def _commit(self, group: list[ChatMessage]) -> bool:
        """Write messages; tell whether they are on the disk."""
        try:
            self._store.add(group)
        except sqlite3.Error as error:
            if not self._is_failing:  # once, not for each message
                log.error("history not written error=%s path=%s", error, self.path)
            self._is_failing = True
            return False
        if self._is_failing:
            log.warning("history written again path=%s", self.path)
        self._is_failing = False
        self._unindexed += len(group)
        return True

    def _reserve(self, seq: int) -> None:
        try:
            self._reserved_through = self._store.reserve(seq)
            self._reserve_at = self._reserved_through - self._config.seq_block // 2
        except (sqlite3.Error, OSError) as error:
            log.error("history: no numbers reserved error=%s path=%s", error, self.path)

    def _index_some(self) -> None:
        try:
            if not self._store.index(_INDEX_STEP):
                self._unindexed = 0
        except sqlite3.Error as error:  # a search finds less, until more is said and it works
            log.warning("history not indexed error=%s path=%s", error, self.path)
            self._unindexed = 0

    def _forget_some(self) -> None:
        self._forget_at = time.monotonic() + _FORGET_EVERY_S
        if self._config.keep_days is None:
            return
        oldest = rfc3339(datetime.now(UTC) - timedelta(days=self._config.keep_days))
        try:
            if self._store.forget(oldest, _INDEX_STEP):
                self._forget_at = 0.0  # there may be more
        except sqlite3.Error as error:
            log.warning("history not shortened error=%s path=%s", error, self.path)

    # --- the reader's thread -------------------------------------------------------------------

    def _answer_all(self) -> None:
        while True:
            with self._lock:
                while not self._questions and not self._stopping:
                    self._asked.wait()
                if self._stopping:
                    break
                question = self._questions.popleft()
            if question.is_wanted():
                question.reply(self._answer(question.request))
        self._reader.close()

    def _answer(self, request: PageRequest) -> HistoryPage | Error:
        try:
            return self._reader.page(request, self._config.history_query_timeout_s)
        except sqlite3.Error as error:
            log.warning("history not read error=%s path=%s", error, self.path)
            return refusals.not_read(request)


def _open_store(path: Path, block: int) -> MessageStore:
    try:
        return MessageStore(path, block)
    except StoreDamaged as damage:
        aside = set_aside(path)
        log.error("history DAMAGED, begun anew error=%s moved_to=%s", damage, aside)
        return MessageStore(path, block)
