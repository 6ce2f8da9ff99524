"""This node's copy of the common state: it applies every entry of the log, in order.

The effect of an entry depends only on the entries before it, never on a clock, a random number or
an option of this node. After the start, only the link's thread applies entries. Any thread may read
the log's time and which nodes are up.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from tertulia.protocol.messages import CloseReason
from tertulia.server.cluster.commands import (
    FORMAT,
    PYTHON,
    Batch,
    Genesis,
    NodeLeave,
    NodeUp,
    Part,
    Rules,
    SignOfLife,
    unpack,
)
from tertulia.server.cluster.executor import Executor
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.membership import Nodes, Verdict
from tertulia.server.cluster.proposer import Proposer
from tertulia.server.cluster.snapshot import Snapshot, digest
from tertulia.server.hub.room_state import RoomState

log = logging.getLogger("tertulia.server")

_DIGEST_EVERY_MS = 10_000  # by the log's time
_MAX_DIGESTS = 64


class Entry(Protocol):
    """An entry of the log, with its place and its time, in ms since 1970."""

    @property
    def place(self) -> int:
        """Its number; there are no holes."""

    @property
    def time_ms(self) -> int:
        """When the log accepted it."""

    @property
    def data(self) -> bytes:
        """Its bytes: a packed batch, or something of another program."""


class Diverged(Exception):
    """This node and another one have come to different states at the same place."""


class Replica:
    """Applies entries to the Hub. `place` is the place of the last one applied."""

    def __init__(
        self, hub: NodeHub, proposer: Proposer, on_genesis: Callable[[Genesis, RoomState], None]
    ) -> None:
        """`on_genesis` is called once the beginning of the log is complete; it starts the Hub."""
        self._hub = hub
        self._proposer = proposer
        self._on_genesis = on_genesis
        self.executor: Executor | None = None  # set when the workers can be reached
        self.place = 0
        self.nodes = Nodes()
        self.rules: Rules | None = None  # None: the log has not begun
        self.epoch = ""
        self._digest_slot = 0
        self._digests: OrderedDict[int, bytes] = OrderedDict()
        # Incomplete beginnings, by the logs' names: a node may end while it begins a log.
        self._beginnings: dict[str, tuple[Genesis, dict[int, Part]]] = {}
        # Batches that did not count, and entries that are no batches.
        self.ignored = {verdict: 0 for verdict in Verdict if verdict is not Verdict.COUNTS}
        self.unreadable = 0
        self.digests_compared = self.diverged = 0

    def log_time(self) -> float:
        """Return the time of the log, in seconds since 1970."""
        return self.nodes.time_ms / 1_000

    def latest_digest(self) -> tuple[int, bytes]:
        """Return the place of the latest digest (0: there is none yet) and the digest."""
        return next(reversed(self._digests.items()), (0, b""))

    # --- snapshots -----------------------------------------------------------------------------

    def snapshot(self, *, with_nonces: bool = True) -> Snapshot:
        """Return the state after the last applied entry, in a log that has begun."""
        assert self.rules is not None
        hub = self._hub
        return Snapshot(
            *(FORMAT, self.place, self.epoch, hub.events.last_seq, self.rules),
            *(self.nodes, hub.room.state(with_nonces=with_nonces), self._digest_slot),
        )

    def resume(self, snapshot: Snapshot) -> None:
        """Go on after the entry at which a snapshot was taken. The caller starts the Hub."""
        self.place, self.nodes = snapshot.place, snapshot.nodes
        self.epoch, self.rules = snapshot.epoch, snapshot.rules
        self._digest_slot = snapshot.digest_slot

    # --- entries -------------------------------------------------------------------------------

    def apply(self, entry: Entry) -> None:
        """Apply the next entry. Raises FormatTooNew or Diverged."""
        assert entry.place == self.place + 1, (entry.place, self.place)
        batch = unpack(entry.data)
        self.nodes.advance(entry.time_ms)
        self.place = entry.place
        if self.rules is not None:
            self._hub.expire()
        if batch is None:
            self.unreadable += 1
            return
        self._apply(batch)
        if self.rules is not None:
            for name in self.nodes.silent(self.rules.silent_after_s):
                log.warning("node silent, released its users node=%s place=%d", name, self.place)
                self._end_node(name)

    def _apply(self, batch: Batch) -> None:
        match batch.commands[0]:
            case Genesis() as genesis:
                if self.rules is None:
                    self._beginnings.setdefault(genesis.log, (genesis, {}))
                    self._begin_if_complete(genesis.log)
            case Part() as part:
                if self.rules is None and part.log in self._beginnings:
                    self._beginnings[part.log][1][part.index] = part
                    self._begin_if_complete(part.log)
            case NodeUp() as up:
                if self.rules is not None:
                    self._begin_node(batch.node, up)
            case _:
                if self.rules is not None:
                    self._apply_commands(batch)

    def _begin_if_complete(self, log_name: str) -> None:
        genesis, parts = self._beginnings[log_name]
        if len(parts) < genesis.parts:
            return
        ordered = [part for _, part in sorted(parts.items())]
        rows = [row for part in ordered for row in part.rows]
        nonces = [nonce for part in ordered for nonce in part.nonces]
        self.rules, self.epoch = genesis.rules, genesis.epoch
        self._beginnings = {}
        self._on_genesis(genesis, RoomState(rows=rows, nonces=nonces))

    def _begin_node(self, name: str, up: NodeUp) -> None:
        if not self.nodes.note_up(name, self.place, up):
            return
        log.info("node up node=%s place=%d addresses=%s", name, self.place, ",".join(up.addresses))
        if up.python not in ("", PYTHON):
            text = "node runs another Python node=%s python=%s own=%s: run the same on all nodes"
            log.warning(text, name, up.python, PYTHON)
        self._drop_users(name)
        if name == self._hub.node and self._proposer.is_own_boot(up):
            self._proposer.begin_incarnation(self.place)

    def _apply_commands(self, batch: Batch) -> None:
        verdict = self.nodes.judge(batch)
        if verdict is not Verdict.COUNTS:
            self.ignored[verdict] += 1
            return
        executor = self.executor
        assert executor is not None
        tickets = None
        if batch.node == self._hub.node and batch.incarnation == self._proposer.incarnation:
            tickets = self._proposer.came_back(batch.number)
        for index, command in enumerate(batch.commands):
            if isinstance(command, SignOfLife):
                self._note_life(batch.node, command)
            elif isinstance(command, NodeLeave):
                text = "node down node=%s place=%d reason=%s"
                log.info(text, batch.node, self.place, command.reason)
                self._end_node(batch.node, command.reason)
                return  # its sessions have ended, and nothing would end new ones
            else:
                executor.apply(batch.node, command, tickets[index] if tickets else None)

    def _end_node(self, name: str, recorded: CloseReason = CloseReason.LOST) -> None:
        self.nodes.note_down(name)
        self._drop_users(name, recorded)

    def _drop_users(self, name: str, recorded: CloseReason = CloseReason.LOST) -> None:
        assert self.executor is not None
        self.executor.drop(name, recorded)

    def _note_life(self, node: str, life: SignOfLife) -> None:
        own = self._digests.get(life.place)
        if own is not None:
            self.digests_compared += 1
            if own != life.digest:
                self.diverged += 1
                raise Diverged(node)
        slot = self.nodes.age_ms // _DIGEST_EVERY_MS
        if slot > self._digest_slot:
            self._digest_slot = slot
            self._digests[self.place] = digest(self.snapshot(with_nonces=False))
            if len(self._digests) > _MAX_DIGESTS:
                self._digests.popitem(last=False)
