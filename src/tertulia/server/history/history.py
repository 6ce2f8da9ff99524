"""The history: one thread that writes the general chat to disk in groups, and one that reads it.

Other threads queue work and get mail; none of them waits for the disk. A question for the reader
(answerer.py) goes through the writer's queue first, so that the answer contains all messages
before it.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import UNSET, UnsetType

from tertulia.protocol.messages import ChatMessage, Search
from tertulia.protocol.times import rfc3339
from tertulia.server.config import Config
from tertulia.server.history.answerer import Answerer, refuse
from tertulia.server.history.aside import set_aside
from tertulia.server.history.checks import StoreDamaged
from tertulia.server.history.mail import PageTicket, RowsTicket, SpaceAgain, Stored, post_stored
from tertulia.server.history.store import MessageStore
from tertulia.server.history.upkeep import Upkeep
from tertulia.server.history.vitals import Vitals
from tertulia.server.history.work import Confirm, Keep, Write
from tertulia.server.hub.records import Change, Record, Row, place_of
from tertulia.server.hub.session import Owner, Receipt

log = logging.getLogger("tertulia.server")

_MAX_GROUP = 500  # messages and questions taken from the queue for one commit
# A commit itself costs as much as writing 40 messages. So after a group of this size the writer
# waits a moment for more before the next commit; a single message never waits.
_BUSY_GROUP = 16
_GATHER_S = 0.005
_MAX_UNWRITTEN = 20_000  # rows; beyond that the oldest change is lost, until the row changes again
_READER_END_S = 2.0  # for an interrupted query to end
_SEARCH_WITHIN_S = 10.0  # how long a search waits for the index in a very busy room


class History:
    """The messages of the general chat, and other records, on disk; the Hub's Keeper.

    `reserve_space`, `write`, `keep`, `acknowledge` and `reserve_soon` are called under the Hub's
    lock, `ask` and `when_space` by any thread.
    """

    def __init__(self, path: Path, config: Config, check_time_s: float | None = None) -> None:
        """Open the file; see MessageStore for `check_time_s`.

        Raises SqliteTooOld, StoreInUse, StoreOfAnotherVersion, OSError or sqlite3.Error.
        """
        self.path = path
        self._config = config
        self._store = _open_store(path, config, check_time_s)
        self._answerer = Answerer(path, config.history_query_timeout_s)
        if self._store.foreign_wal is not None:
            log.warning("history had a WAL of another file moved_to=%s", self._store.foreign_wal)
        if self._store.went_back:
            log.warning("history older than the numbers given out: new epoch path=%s", path)
        self.numbering = self._store.numbering
        self._reserved_through = self.numbering.reserved_through

        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._queue: deque[Write | Keep | Confirm | PageTicket] = deque()
        self._sleeping = False  # the writer may be waiting, so the next item has to wake it
        # How many places in the queue were reserved and freed since the start. At most
        # `history_queue` are in use; at that bound connections that speak are held.
        self._reserved = 0
        self._freed = 0
        self._reserve_from: int | None = None
        self._reserve_at = self._reserved_through - config.seq_block // 2
        self._space_waiters: list[tuple[Owner, SpaceAgain]] = []  # bound: one for each connection
        self._stopping = False

        # From here on, only the writer's thread writes; any thread may read.
        self._is_failing = self._store.problem is not None
        if self._is_failing:
            log.error("history not written error=%s path=%s", self._store.problem, path)
        self._is_displaced = False  # the file was removed or replaced
        self.vitals = Vitals(self._store.problem)
        # Changes that could not be written, by their rows: tried again with the next group.
        self._unwritten: dict[tuple[type[Record], str | int], Change] = {}
        self._last_group = 0  # size of the last group
        self._upkeep = Upkeep(self._store, path, config.keep_days)
        self._searches: list[PageTicket] = []  # wait for the index; bound: one for each connection
        self._refuse_searches_at = 0.0
        self._writer_thread = threading.Thread(
            target=self._write_all, name="history-writer", daemon=True
        )

    def start(self) -> None:
        """Start both threads."""
        self._answerer.start()
        self._writer_thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what is queued and close the file; return whether that was done in time."""
        with self._lock:
            self._stopping = True
            self._work.notify()
        self._answerer.stop()
        give_up_at = time.monotonic() + timeout_s
        self._writer_thread.join(timeout_s)
        has_read_all = self._answerer.join(max(0.0, give_up_at - time.monotonic()))
        return has_read_all and not self._writer_thread.is_alive()

    def nonces(self, now: datetime) -> list[tuple[int, str, str, str]]:
        """Return seq, time, sender and nonce of recent messages. Call it before `start`.

        After sqlite3.Error the server must not start: it would say messages a second time.
        """
        since = now - timedelta(seconds=self._config.nonce_keep_s)
        return self._store.nonces_since(rfc3339(since), self._config.max_nonces)

    def records(self, kind: type[Row]) -> list[Row]:
        """Return the rows of a kind from earlier runs. Call it before `start`.

        After sqlite3.Error the server must not start: it would let banned users in.
        """
        return self._store.records(kind)

    # --- for the Hub ---------------------------------------------------------------------------

    def reserve_space(self) -> bool:
        """Reserve a place in the queue for one message, before it gets a number."""
        # The Hub's lock is enough: the writer may free a place meanwhile, which does no harm.
        if self._is_full():
            return False
        self._reserved += 1
        return True

    def write(self, message: ChatMessage, receipt: Receipt | None) -> None:
        """Store a message for which space was reserved, then acknowledge it if somebody waits."""
        self._enqueue(Write(message, receipt))

    def keep(self, changes: Sequence[Change], receipt: Receipt | None = None) -> None:
        """Store changes of the records, then acknowledge them. See Keeper.keep."""
        if receipt is None:
            self._reserved += 1
        self._enqueue(Keep(changes, receipt))

    def acknowledge(self, receipt: Receipt) -> None:
        """Acknowledge an earlier message once it is stored; this uses up the space reserved."""
        self._enqueue(Confirm(receipt))

    def _enqueue(self, item: Write | Keep | Confirm) -> None:
        with self._lock:
            self._queue.append(item)
            if self._sleeping:
                self._sleeping = False
                self._work.notify()

    def reserve_soon(self, seq: int) -> None:
        """Make sure that there are reserved numbers beyond this one, half a block ahead."""
        if seq > self._reserve_at:
            # After a failure, it is tried again halfway to the end, and then at intervals.
            left = self._reserved_through - seq
            self._reserve_at = seq + (left if left > 1 else self._config.seq_block) // 2
            with self._lock:
                self._reserve_from = seq
                self._work.notify()

    # --- for the workers -----------------------------------------------------------------------

    def when_space(self, owner: Owner, session_number: int) -> None:
        """Post SpaceAgain to `owner` once the queue has space; at once if there is."""
        mail = SpaceAgain(session_number)
        with self._lock:
            if self._is_full():
                self._space_waiters.append((owner, mail))
                return
        owner.post(mail)

    def _is_full(self) -> bool:
        """Return whether there is no space, or others are already waiting for it."""
        return self._reserved - self._freed >= self._config.history_queue or bool(
            self._space_waiters
        )

    def ask(self, ticket: PageTicket) -> None:
        """Read a page once all earlier messages are stored, and post PageReady to its owner.

        A cancelled ticket, whose client is gone, is not answered.
        """
        with self._lock:
            self._queue.append(ticket)
            self._work.notify()

    @property
    def queued(self) -> tuple[int, int]:
        """Number of messages waiting for the writer, and of questions for the reader. Unlocked."""
        return self._reserved - self._freed, len(self._answerer)

    # --- the writer's thread -------------------------------------------------------------------

    def _write_all(self) -> None:
        wait_s = 0.0
        while True:
            with self._lock:
                if not self._queue and self._reserve_from is None and not self._stopping:
                    self._sleeping = True
                    self._work.wait(wait_s)
                elif self._last_group >= _BUSY_GROUP and not self._stopping:
                    self._work.wait(_GATHER_S)
                group = [self._queue.popleft() for _ in range(min(_MAX_GROUP, len(self._queue)))]
                reserve_from, self._reserve_from = self._reserve_from, None
                if not group and reserve_from is None and self._stopping:
                    break
            self.vitals.busy_since = time.monotonic()
            if reserve_from is not None:
                self._reserve(reserve_from)
            if group:
                self._process_group(group)
            self._last_group = len(group)
            wait_s = self._tidy(is_idle=not group)
            self.vitals.busy_since = 0.0
        # Closing the last connection moves the WAL into the file, which a reader may not do.
        self._answerer.join(_READER_END_S)
        self._store.close()

    def _look_for_file(self) -> None:
        self._is_displaced = not self._store.is_in_place()
        if self._is_displaced and not self._is_failing:
            log.error(
                "history not written error=the file was removed or replaced path=%s", self.path
            )
            self._is_failing = True
            self.vitals.problem = "the file was removed or replaced"

    def _tidy(self, *, is_idle: bool) -> float:
        """Do a small part of the upkeep; return the seconds until the next part."""
        if is_idle:
            self._look_for_file()
        upkeep, is_writable = self._upkeep, not self._is_failing
        upkeep.index(is_idle=is_idle, is_asked=bool(self._searches), is_writable=is_writable)
        if self._searches and not upkeep.unindexed:
            self._forward(self._searches)
            self._searches = []
        elif self._searches and time.monotonic() >= self._refuse_searches_at:
            for ticket in self._searches:
                refuse(ticket)
            self._searches = []
        upkeep.forget(is_writable=is_writable)
        return upkeep.wait_s(is_idle=is_idle or bool(self._searches), is_writable=is_writable)

    def _process_group(self, group: list[Write | Keep | Confirm | PageTicket]) -> None:
        written = [item.message for item in group if isinstance(item, Write)]
        changes = [change for item in group if isinstance(item, Keep) for change in item.changes]
        has_news = bool(written or changes)
        is_stored = not has_news or self._commit(written, changes)
        if not has_news or not is_stored:  # A commit that succeeded has looked for the file itself.
            self._look_for_file()
        stored: dict[Owner, list[tuple[Receipt, bool]]] = {}
        unstored: list[Receipt] = []
        tickets: list[PageTicket] = []
        for item in group:
            if isinstance(item, PageTicket):
                tickets.append(item)
            elif item.receipt is not None:
                has_it = self._has(item.receipt.seq) if isinstance(item, Confirm) else is_stored
                if has_it:
                    stored.setdefault(item.receipt.owner, []).append((item.receipt, True))
                else:
                    unstored.append(item.receipt)
        for owner, rows in stored.items():
            owner.post(Stored(rows))
        if unstored:
            self._on_unstored(unstored)
        searches = [ticket for ticket in tickets if isinstance(ticket.request, Search)]
        if searches and not self._searches:
            self._refuse_searches_at = time.monotonic() + _SEARCH_WITHIN_S
        self._searches += searches
        self._forward([ticket for ticket in tickets if not isinstance(ticket.request, Search)])
        with self._lock:
            self._freed += len(group) - len(tickets)
            waiters: list[tuple[Owner, SpaceAgain]] = []
            if self._reserved - self._freed <= self._config.history_queue // 2:
                waiters, self._space_waiters = self._space_waiters, []
        for owner, mail in waiters:
            owner.post(mail)

    def _forward(self, tickets: Sequence[PageTicket | RowsTicket]) -> None:
        if self._is_displaced:
            for ticket in tickets:
                refuse(ticket)
        elif tickets:
            self._answerer.add(tickets)

    def _on_unstored(self, receipts: list[Receipt]) -> None:
        post_stored(receipts, are_stored=False)

    def _has(self, seq: int | UnsetType) -> bool:
        assert seq is not UNSET
        try:
            return self._store.has(seq)
        except sqlite3.Error as error:
            if not self._is_failing:
                log.warning("history not read error=%s path=%s", error, self.path)
            return False

    def _commit(self, messages: list[ChatMessage], changes: list[Change]) -> bool:
        """Write messages and changes of the records; return whether they are on the disk."""
        unwritten = self._unwritten
        if unwritten:
            for change in changes:  # the last change of a row is the last to be written, too
                unwritten.pop(place_of(change), None)
            changes = [*unwritten.values(), *changes]
        began = time.monotonic()
        try:
            self._store.add(messages, changes)
        except sqlite3.Error as error:
            self.vitals.on_failed(error)
            if not self._is_failing:  # logged once, not for each message
                log.error("history not written error=%s path=%s", error, self.path)
            self._is_failing = True
            unwritten.update((place_of(change), change) for change in changes)
            while len(unwritten) > _MAX_UNWRITTEN:
                self._on_lost(unwritten.pop(next(iter(unwritten))))
            return False
        unwritten.clear()
        self.vitals.on_stored(len(messages), began)
        if self._is_failing:
            log.warning("history written again path=%s", self.path)
        self._is_failing = self._is_displaced = False
        self._upkeep.unindexed += len(messages)
        return True

    def _on_lost(self, change: Change) -> None:
        """Take note of a change that will not be tried again."""

    def _reserve(self, seq: int) -> None:
        try:
            self._reserved_through = self._store.reserve(seq)
            self._reserve_at = self._reserved_through - self._config.seq_block // 2
        except (sqlite3.Error, OSError) as error:
            log.error("history: no numbers reserved error=%s path=%s", error, self.path)


def _open_store(path: Path, config: Config, check_time_s: float | None) -> MessageStore:
    block, of_cluster = config.seq_block, bool(config.cluster)
    try:
        return MessageStore(path, block, check_time_s, of_cluster=of_cluster)
    except StoreDamaged as damage:
        aside = set_aside(path, "damaged")
        log.error("history DAMAGED, begun anew error=%s moved_to=%s", damage, aside)
        return MessageStore(path, block, of_cluster=of_cluster)
