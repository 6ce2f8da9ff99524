"""Asks the other nodes whether they keep what this node's disk does not take.

What was said has its place in the log, which all nodes apply. So a full disk here loses nothing, as
long as a node has it in its file: it is acknowledged then. If no node says so, it counts as not
stored: all disks may be full, and the log itself does not reach back for ever. The link's thread
runs this, except where it says otherwise.
"""

from functools import partial

from msgspec import UNSET, Struct

from tertulia.server.cluster.peer_history import KEPT, KeptQuestion, Surroundings, kept_answer, pack
from tertulia.server.history.mail import acknowledge
from tertulia.server.hub.session import Receipt

_TIMEOUT_S = 3.0  # of a question; a node may first have to apply what it is asked about
_MAX_ASKED = 1_000  # receipts, in one round
_MAX_WAITING = 10_000  # receipts; those beyond are told at once that nothing is stored


class _Round(Struct, eq=False):
    """One question to all nodes, and who still waits for an answer that helps."""

    receipts: list[Receipt]
    unanswered: int


class KeptElsewhere:
    """One round after the other: what comes meanwhile is asked about in the next one."""

    def __init__(self, here: Surroundings) -> None:
        self._here = here
        self._waiting: list[Receipt] = []
        self._is_asking = False

    def acknowledge(self, receipts: list[Receipt]) -> None:
        """Acknowledge these, once it is known whether another node keeps it all. Any thread."""
        self._here.call(partial(self._add, receipts))

    def _add(self, receipts: list[Receipt]) -> None:
        if len(self._waiting) + len(receipts) > _MAX_WAITING:
            acknowledge(receipts, are_stored=False)
            return
        self._waiting += receipts
        if not self._is_asking:
            self._begin()

    def _begin(self) -> None:
        receipts, self._waiting = self._waiting[:_MAX_ASKED], self._waiting[_MAX_ASKED:]
        nodes = self._here.up()
        self._is_asking = bool(receipts and nodes)
        if not nodes:
            acknowledge([*receipts, *self._waiting], are_stored=False)
            self._waiting = []
        if not self._is_asking:
            return
        numbers = sorted({receipt.seq for receipt in receipts if receipt.seq is not UNSET})
        question = pack(KeptQuestion(self._here.log(), self._here.place(), numbers))
        asked = _Round(receipts, len(nodes))
        for node in nodes:
            self._here.ask(node, KEPT, question, _TIMEOUT_S, partial(self._on_answer, asked))

    def _on_answer(self, asked: _Round, data: bytes | None) -> None:
        asked.unanswered -= 1
        if not asked.receipts:
            return  # Another node has answered for all, and a new round has begun.
        answer = kept_answer(data)
        if answer is not None:
            kept = {*answer.numbers, *([UNSET] if answer.has_records else [])}
            acknowledge([one for one in asked.receipts if one.seq in kept], are_stored=True)
            asked.receipts = [one for one in asked.receipts if one.seq not in kept]
        if not asked.unanswered:
            acknowledge(asked.receipts, are_stored=False)
            asked.receipts = []
        if not asked.receipts:
            self._begin()
