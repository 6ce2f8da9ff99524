"""Fetches from other nodes the rows that this node's history lacks, in the background.

It asks one question at a time, at most one at each tick, and none while many rows wait to be
written, so that it does not slow a busy chat. Only the link's thread runs this.
"""

import logging
import time
from functools import partial

from tertulia.server.cluster.peer_history import (
    ROWS,
    NodeContext,
    RowsQuestion,
    pack,
    rows_answer,
)
from tertulia.server.history.mail import GetRows
from tertulia.server.history.node import NodeHistory

log = logging.getLogger("tertulia.server")

_TIMEOUT_S = 5.0  # for one question
_NOBODY_S = 5.0  # before the next question, if no node had anything
_BUSY_ROWS = 2_000  # rows of the chat that wait for the writer; then nothing is fetched


class Fetcher:
    """Asks the other nodes, one after the other, until nothing is missing."""

    def __init__(self, history: NodeHistory, context: NodeContext) -> None:
        self._history = history
        self._context = context
        self._is_asking = False
        self._turn = 0  # chooses the node and the range of numbers for the next question
        self._in_vain = 0  # questions since the last useful answer
        self._pause_until = 0.0
        self._began_at: float | None = None  # None: nothing is missing
        self._has_warned = False  # that no node has the rest
        self._messages = self._visits = 0  # rows fetched since `_began_at`

    def tick(self) -> None:
        """Ask for missing rows, if there are any and the history is not busy."""
        history = self._history
        if self._is_asking or not history.takes_rows:
            return
        missing = history.missing
        if not missing:
            self._note_end()
            return
        now = time.monotonic()
        if now < self._pause_until or history.queued[0] > _BUSY_ROWS:
            return
        nodes = self._context.up()
        if not nodes:
            return
        self._note_beginning(missing, now)
        if self._in_vain >= len(nodes) * len(missing):
            self._in_vain = 0
            self._pause_until = now + _NOBODY_S
            if not self._has_warned:
                self._has_warned = True
                log.warning("history incomplete: no node that is up has the rest; asking again")
            return
        node = nodes[self._turn % len(nodes)]
        wanted = missing[self._turn // len(nodes) % len(missing)]
        self._is_asking = True
        question = pack(RowsQuestion(self._context.log(), wanted))
        self._context.ask(node, ROWS, question, _TIMEOUT_S, partial(self._on_answer, wanted))

    def _on_answer(self, wanted: GetRows, data: bytes | None) -> None:
        self._is_asking = False
        answer = rows_answer(data)
        rows = None if answer is None else answer.rows
        if rows is None or rows.of != wanted.of:
            self._turn += 1
            self._in_vain += 1
            return
        self._in_vain = 0
        self._messages += len(rows.messages)
        self._visits += len(rows.visits)
        self._history.add_missing(rows)

    def _note_beginning(self, missing: list[GetRows], now: float) -> None:
        if self._began_at is None:
            self._began_at = now
            numbers = sum(one.through - one.after for one in missing if one.of == "messages")
            log.info("history incomplete, asks the other nodes numbers=%d", numbers)

    def _note_end(self) -> None:
        if self._began_at is not None:
            seconds = time.monotonic() - self._began_at
            log.info(
                "history complete messages=%d visits=%d seconds=%.1f",
                self._messages, self._visits, seconds,
            )  # fmt: skip
            self._began_at, self._has_warned = None, False
            self._messages = self._visits = self._turn = self._in_vain = 0
