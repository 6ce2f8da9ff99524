"""The history of a cluster's node: a copy of what all nodes keep, with the gaps in it.

The log decides what is written, so nothing is refused. Rows that the log no longer has are a gap,
which is filled from another node. What cannot be written here counts as stored if another node has
it. The threads are those of the history.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from tertulia.protocol.messages import ChatMessage, Error
from tertulia.protocol.times import rfc3339
from tertulia.server.config import Config
from tertulia.server.history.answerer import refuse
from tertulia.server.history.gaps import (
    Gap,
    Gaps,
    changes_between,
    gaps_of,
    is_whole,
    touches,
    united,
    without,
)
from tertulia.server.history.history import History
from tertulia.server.history.mail import (
    GetRows,
    KeptTicket,
    Page,
    PageReady,
    PageRequest,
    PageTicket,
    Rows,
    RowsTicket,
)
from tertulia.server.history.tables import SaidBefore
from tertulia.server.history.work import Confirm, Keep, NodeWork, Write
from tertulia.server.hub.records import (
    Change,
    HookMessage,
    MissingMessages,
    MissingVisits,
    Place,
    Record,
    Visit,
    place_of,
)
from tertulia.server.hub.session import Receipt

log = logging.getLogger("tertulia.server")

OnOwnPage = Callable[[Page | Error, bool], None]  # the page, and whether nothing is missing in it


class NodeHistory(History):
    """The history of a node. Methods to be called before `start` raise sqlite3.Error."""

    def __init__(self, path: Path, config: Config, check_time_s: float | None = None) -> None:
        """Open the file. See History."""
        super().__init__(path, config, check_time_s)
        rows = self._store.records(Place)
        # The place after which the log is to be applied.
        self.place = next((row for row in rows if row.place), None)
        # In an earlier run this file was to begin a log, and it is not known whether it has.
        self.beginning = next((row for row in rows if not row.place), None)
        if self.place and self.beginning and self.place.log == self.beginning.log:
            self.beginning = None
        # The latest number in the file when it was opened; 0 if it has no messages and no visits.
        self.last_stored = self._store.last_stored()
        # Replaced as a whole: before `start` by the caller, later by the writer's thread.
        self._missing_messages = gaps_of(self._store.records(MissingMessages))
        self._missing_visits = gaps_of(self._store.records(MissingVisits))
        # Since the disk failed, the number before the first visit that will not be tried again.
        self._visits_lost_after: int | None = None
        self._waiting_rows = 0  # answers of peers that wait for the writer; under the lock
        # Asks other nodes for a page that may need rows which are missing here. Any thread. Set
        # before the start.
        self.ask_elsewhere: Callable[[PageTicket], None] | None = None
        # Acknowledges what could not be written here, once it is known whether a peer has it. The
        # writer's thread. Set before the start.
        self.acknowledge_elsewhere: Callable[[list[Receipt]], None] | None = None

    # --- before the start ----------------------------------------------------------------------

    def adopt(self, epoch: str, seq: int) -> None:
        """Continue the numbering of the cluster: numbers up to `seq` are in use.

        Call it before `start`. It also raises OSError.
        """
        self._store.adopt(epoch, seq)
        self.numbering = self._store.numbering
        self._reserved_through = self.numbering.reserved_through
        self._reserve_at = self._reserved_through - self._config.seq_block // 2

    def end_visits(self) -> None:
        """Give an end to the visits of an earlier run, when this file begins the chat.

        No other node knows their ends. Call it before `start`.
        """
        self._store.end_visits()

    def note_beginning(self, chat: str, log: str, name: str) -> None:
        """Note, until it has a place there, that this file is to begin a log, under a secret name.

        `log` is when the stream was made. Call it before `start`.
        """
        row = Place(key="beginning", chat=chat, log=log, place=0, state=name.encode())
        self._store.add([], [row])

    def replace_records(self, records: Sequence[Record], lost_at: str) -> None:
        """Replace the records in the file with those of another node, all or none.

        Visits are added. Visits in the file without an end that are not among the new ones get the
        end `lost_at` (RFC 3339) and the reason `lost`, until another node sends their true end.
        Call it before `start`.
        """
        self._store.replace_records(records, lost_at)
        self._missing_visits = gaps_of(self._store.records(MissingVisits))

    def nonces_at(self, moment: datetime, seq: int) -> list[SaidBefore]:
        """Return the nonces that all nodes knew at `moment`, when `seq` was the last number.

        The oldest is first. Call it before `start`.
        """
        since = moment - timedelta(seconds=self._config.nonce_keep_s)
        return self._store.nonces_of_log(rfc3339(since), seq, self._config.max_nonces)

    def note_missing(self, after: int, through: int) -> None:
        """Note that the rows with these numbers have not been applied. Call it before `start`."""
        gap = Gap(after, through)
        self._note(united(self._missing_messages, gap), united(self._missing_visits, gap))

    def _note(self, messages: Gaps, visits: Gaps) -> None:
        self._store.add([], self._changes_to(messages, visits))
        self._missing_messages, self._missing_visits = messages, visits

    def _changes_to(self, messages: Gaps, visits: Gaps) -> list[Change]:
        return [
            *changes_between(MissingMessages, self._missing_messages, messages),
            *changes_between(MissingVisits, self._missing_visits, visits),
        ]

    # --- for the Hub ---------------------------------------------------------------------------

    def reserve_space(self) -> bool:
        """Reserve a place in the queue, even a full one: an entry of the log cannot be refused.

        The reader of the log has to slow down according to `queued`.
        """
        self._reserved += 1
        return True

    def save_place(self, place: Place) -> None:
        """Save a place in the log, not before everything that was handed in earlier."""
        self.keep([place])

    # --- for any thread ------------------------------------------------------------------------

    @property
    def opening_problem(self) -> Exception | None:
        """Why the file is not open yet: the disk was full when this node started."""
        return self._store.problem

    @property
    def missing(self) -> list[GetRows]:
        """The ranges to ask other nodes for: messages before visits, the latest first."""
        return [
            *(_request("messages", gap) for gap in reversed(self._missing_messages)),
            *(_request("visits", gap) for gap in reversed(self._missing_visits)),
        ]

    @property
    def takes_rows(self) -> bool:
        """Whether rows of another node can be added now: none wait, and the disk works."""
        return not self._waiting_rows and not self._is_failing

    def add_missing(self, rows: Rows) -> None:
        """Store rows of another node, and note that they are not missing any more.

        That node must have had everything up to the latest missing number.
        """
        with self._lock:
            self._waiting_rows += 1
            self._queue.append(NodeWork((), None, rows))
            self._work.notify()

    def ask(self, ticket: PageTicket) -> None:
        """Have a page read, here or at another node. See History."""
        is_incomplete = self.opening_problem is not None or self.lacks(ticket.request)
        if self.ask_elsewhere is not None and is_incomplete:
            self.ask_elsewhere(ticket)
        else:
            super().ask(ticket)

    def ask_own(self, request: PageRequest, done: OnOwnPage) -> None:
        """Read a page of this file, whatever is missing; `done` is called on another thread."""
        super().ask(PageTicket(request, _OwnPage(self, request, done), 0))

    def lacks(self, request: PageRequest) -> bool:
        """Return whether the answer to a request may need rows that are missing."""
        return touches(self._missing_messages, self._missing_visits, request)

    @property
    def gaps(self) -> tuple[Gaps, Gaps]:
        """What is missing now, of messages and of visits."""
        return self._missing_messages, self._missing_visits

    def ask_rows(self, ticket: RowsTicket) -> None:
        """Read rows for a peer once all before is stored, and post RowsReady to the owner."""
        with self._lock:
            self._queue.append(NodeWork((), None, ticket))
            self._work.notify()

    def ask_kept(self, ticket: KeptTicket) -> None:
        """Find out, for another node, which of the messages handed in so far are stored."""
        with self._lock:
            self._queue.append(NodeWork((), None, ticket))
            self._work.notify()

    # --- the writer's thread -------------------------------------------------------------------

    def _process_group(self, group: list[Write | Keep | Confirm | PageTicket]) -> None:
        for_node = [item.what for item in group if isinstance(item, NodeWork)]
        if for_node:
            group = [item for item in group if not isinstance(item, NodeWork)]
        for what in for_node:
            if isinstance(what, Rows):
                self._fill(what)
        super()._process_group(group)
        tickets = [what for what in for_node if isinstance(what, RowsTicket)]
        # Another node must not take rows as complete that could not be written.
        if self._is_failing:
            for ticket in tickets:
                refuse(ticket)
        else:
            self._forward(tickets)
        for what in for_node:
            if isinstance(what, KeptTicket):
                kept = [number for number in what.numbers if self._has(number)]
                what.done(kept, not self._is_failing)

    def _on_unstored(self, receipts: list[Receipt]) -> None:
        if self.acknowledge_elsewhere is None:
            super()._on_unstored(receipts)
        else:
            self.acknowledge_elsewhere(receipts)

    def _commit(self, messages: list[ChatMessage], changes: list[Change]) -> bool:
        if super()._commit(messages, changes):
            self._visits_lost_after = None
            return True
        if messages:  # Messages are in the log, and on other nodes. Only changes are tried again.
            numbers = [message.seq for message in messages]
            lost = united(self._missing_messages, Gap(min(numbers) - 1, max(numbers)))
            self._keep_gaps(lost, self._missing_visits)
        return False

    def _on_lost(self, change: Change) -> None:
        if isinstance(change, Visit):  # Other nodes have it. One range keeps the gaps few.
            if self._visits_lost_after is None:
                self._visits_lost_after = change.key - 1
            after = min(self._visits_lost_after, change.key - 1)
            lost = united(self._missing_visits, Gap(after, change.key))
            self._keep_gaps(self._missing_messages, lost)

    def _keep_gaps(self, messages: Gaps, visits: Gaps) -> None:
        """Change the gaps, and have that written when the disk works again."""
        for change in self._changes_to(messages, visits):
            self._unwritten.pop(place_of(change), None)  # the newest is dropped last
            self._unwritten[place_of(change)] = change
        self._missing_messages, self._missing_visits = messages, visits

    def _fill(self, rows: Rows) -> None:
        filled = Gap(rows.after, rows.through)
        messages, visits = self._missing_messages, self._missing_visits
        if rows.of == "messages":
            messages = without(messages, filled)
        else:
            visits = without(visits, filled)
        hooks = [HookMessage(key=message.seq) for message in rows.messages if message.hook]
        try:
            self._store.fill(rows, [*hooks, *self._changes_to(messages, visits)])
        except sqlite3.Error as error:
            log.warning("history: rows of a peer not written error=%s path=%s", error, self.path)
        else:
            self._missing_messages, self._missing_visits = messages, visits
            self._upkeep.unindexed += len(rows.messages)
        finally:
            with self._lock:
                self._waiting_rows -= 1


def _request(of: Literal["messages", "visits"], gap: Gap) -> GetRows:
    return GetRows(of=of, after=gap.after, through=gap.through)


class _OwnPage:
    """Waits for a page of this node's file. The gaps may change while it is read."""

    def __init__(self, history: NodeHistory, request: PageRequest, done: OnOwnPage) -> None:
        self._history = history
        self._request = request
        self._done = done
        self._missing = history.gaps

    def post(self, mail: PageReady) -> bool:
        page = mail.page
        self._done(
            page,
            not isinstance(page, Error)
            and is_whole(*self._missing, self._request, page)
            and is_whole(*self._history.gaps, self._request, page),
        )
        return True
