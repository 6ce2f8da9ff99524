"""Asks the other nodes whether they have stored what this node could not write to its disk.

All nodes apply the same log, so nothing is lost if one node has it in its file; then it is
acknowledged. If no node has it, it counts as not stored: all disks may be full, and the log keeps
only its latest entries. Only the link's thread runs this, except `acknowledge`.
"""

from functools import partial

from msgspec import UNSET, Struct

from tertulia.server.cluster.peer_history import KEPT, KeptQuestion, NodeContext, kept_answer, pack
from tertulia.server.history.mail import post_stored
from tertulia.server.hub.session import Receipt

_TIMEOUT_S = 3.0  # for one question; a node may first have to apply the entries that it is about
_MAX_ASKED = 1_000  # receipts, in one round
_MAX_WAITING = 10_000  # receipts; further ones are acknowledged at once as not stored


class _Round(Struct, eq=False):
    """One question to all nodes, and the receipts that no answer has covered yet."""

    receipts: list[Receipt]
    unanswered: int


class KeptElsewhere:
    """Asks in rounds: receipts that come during a round are asked about in the next one."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._waiting: list[Receipt] = []
        self._is_asking = False

    def acknowledge(self, receipts: list[Receipt]) -> None:
        """Acknowledge receipts, as stored or not, once other nodes have answered. Any thread."""
        self._context.call(partial(self._add, receipts))

    def _add(self, receipts: list[Receipt]) -> None:
        if len(self._waiting) + len(receipts) > _MAX_WAITING:
            post_stored(receipts, are_stored=False)
            return
        self._waiting += receipts
        if not self._is_asking:
            self._begin_round()

    def _begin_round(self) -> None:
        receipts, self._waiting = self._waiting[:_MAX_ASKED], self._waiting[_MAX_ASKED:]
        nodes = self._context.up()
        self._is_asking = bool(receipts and nodes)
        if not nodes:
            post_stored([*receipts, *self._waiting], are_stored=False)
            self._waiting = []
        if not self._is_asking:
            return
        numbers = sorted({receipt.seq for receipt in receipts if receipt.seq is not UNSET})
        question = pack(KeptQuestion(self._context.log(), self._context.place(), numbers))
        asked = _Round(receipts, len(nodes))
        for node in nodes:
            self._context.ask(node, KEPT, question, _TIMEOUT_S, partial(self._on_answer, asked))

    def _on_answer(self, asked: _Round, data: bytes | None) -> None:
        asked.unanswered -= 1
        if not asked.receipts:
            return  # Earlier answers covered all, and a new round has begun.
        answer = kept_answer(data)
        if answer is not None:
            kept = {*answer.numbers, *([UNSET] if answer.has_records else [])}
            post_stored([one for one in asked.receipts if one.seq in kept], are_stored=True)
            asked.receipts = [one for one in asked.receipts if one.seq not in kept]
        if not asked.unanswered:
            post_stored(asked.receipts, are_stored=False)
            asked.receipts = []
        if not asked.receipts:
            self._begin_round()
