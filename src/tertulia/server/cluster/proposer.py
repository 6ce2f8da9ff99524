"""Puts this node's commands into the log: in order, in numbered batches, each exactly once.

Commands that come while batches are under way form the next batch. A batch that does not come back
is published again with the same number, which is always safe: a number counts only once.
Any thread may call `submit` and read the numbers; only the link's thread calls the other methods.
"""

import secrets
import threading
from collections import deque
from collections.abc import Callable

from msgspec import UNSET, Struct, UnsetType

from tertulia.server.cluster.commands import (
    FORMAT,
    MAX_BYTES,
    MAX_COMMANDS,
    PYTHON,
    Command,
    NodeUp,
    pack,
    size_of,
)
from tertulia.server.hub.session import Owner

_RESEND_AFTER_S = 0.5
_MAX_UNDER_WAY = 8  # batches
MAX_QUEUED = 10_000  # commands; beyond that connections are held


class Ticket(Struct, gc=False):
    """The owner who waits for a command's outcome, and details that are not in the log."""

    owner: Owner
    number: int  # of the route of the connection that waits
    request: object  # the request, as it came in
    request_id: int | UnsetType = UNSET
    secret: str = ""  # the token of a new session, or the secret of a new hook


class _UnderWay(Struct):
    number: int
    data: bytes
    tickets: list[Ticket | None]
    first_sent: float
    last_sent: float


class Proposer:
    """The commands that wait to be sent, and those under way. Times are monotonic."""

    def __init__(
        self,
        node: str,
        addresses: Callable[[], list[str]],
        publish: Callable[[bytes], None],
        call: Callable[[Callable[[], None]], None],
        monotonic: Callable[[], float],
    ) -> None:
        """`publish` sends an entry, which may get lost; `call` runs a step on the link's thread."""
        self._node = node
        self._find_addresses = addresses
        self.addresses = addresses()  # of this node, for clients
        self._publish = publish
        self._call = call
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._queue: deque[tuple[Command, Ticket | None]] = deque()
        self._is_pumping = False  # whether a step that empties the queue is due
        self._under_way: deque[_UnderWay] = deque()
        self._number = 0
        self.incarnation = 0  # 0 until our NodeUp has come back
        self._boot = secrets.token_hex(8)
        self._up_first_sent = self._up_sent = 0.0  # 0.0: not yet
        self.synced_at = 0.0  # when the latest of our batches to come back was first sent
        self.resent = self.batches = self.commands = 0
        self.commands_under_way = 0

    def __len__(self) -> int:
        return len(self._queue) + sum(len(one.tickets) for one in self._under_way)

    @property
    def queued(self) -> int:
        """Number of commands that wait to be sent. Any thread, without the lock."""
        return len(self._queue)

    @property
    def batches_under_way(self) -> int:
        """Number of batches that have not come back. Any thread, without the lock."""
        return len(self._under_way)

    def waits_since(self, now: float) -> float:
        """Return when the oldest batch that has not come back was first sent; `now` if all have."""
        return self._under_way[0].first_sent if self._under_way else now

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queue a command. Any thread; under the Hub's lock too."""
        with self._lock:
            self._queue.append((command, ticket))
            if self._is_pumping:
                return
            self._is_pumping = True
        self._call(self._pump)

    def _pump(self) -> None:
        with self._lock:
            self._is_pumping = False
        if not self.incarnation:
            return
        while self._queue and len(self._under_way) < _MAX_UNDER_WAY:
            commands: list[Command] = []
            tickets: list[Ticket | None] = []
            size = 0
            with self._lock:
                while self._queue and len(commands) < MAX_COMMANDS and size < MAX_BYTES:
                    command, ticket = self._queue.popleft()
                    commands.append(command)
                    tickets.append(ticket)
                    size += size_of(command)
            self._number += 1
            data = pack(self._node, self.incarnation, self._number, commands)
            now = self._monotonic()
            self._under_way.append(_UnderWay(self._number, data, tickets, now, now))
            self.batches += 1
            self.commands += len(commands)
            self.commands_under_way += len(commands)
            self._publish(data)

    def came_back(self, number: int) -> list[Ticket | None]:
        """Return the tickets of one of our batches, which is being applied."""
        batch = self._under_way.popleft()
        assert batch.number == number, "batches come back in order"
        self.synced_at = batch.first_sent
        self.commands_under_way -= len(batch.tickets)
        return batch.tickets

    def send_queued(self) -> None:
        """Send the commands that wait, after batches have come back."""
        self._pump()

    # --- incarnations --------------------------------------------------------------------------

    def is_own_boot(self, up: NodeUp) -> bool:
        """Return whether a NodeUp is the one that this node waits for."""
        return up.boot == self._boot and not self.incarnation

    def begin_incarnation(self, incarnation: int) -> None:
        """Go on as an incarnation: our NodeUp has come back."""
        self.incarnation = incarnation
        self.synced_at = self._up_first_sent
        self._number = 0

    def give_up_incarnation(self) -> list[Ticket]:
        """Give up an incarnation that was declared dead; return the tickets of the lost commands.

        The next NodeUp is sent by `tick`.
        """
        with self._lock:
            lost = [ticket for _, ticket in self._queue]
            self._queue.clear()
        lost = [ticket for batch in self._under_way for ticket in batch.tickets] + lost
        self._under_way.clear()
        self.commands_under_way = 0
        self.incarnation, self._boot = 0, secrets.token_hex(8)
        self._up_first_sent = self._up_sent = 0.0
        return [ticket for ticket in lost if ticket is not None]

    def tick(self) -> None:
        """Publish overdue batches again; publish a NodeUp if this node is not up."""
        now = self._monotonic()
        if not self.incarnation:
            if now - self._up_sent >= _RESEND_AFTER_S:
                self._up_sent = now
                self._up_first_sent = self._up_first_sent or now
                # The network may be new. If the system names no address, the last ones remain
                # valid.
                self.addresses = self._find_addresses() or self.addresses
                up = NodeUp(self._boot, FORMAT, self.addresses, PYTHON)
                self._publish(pack(self._node, 0, 0, [up]))
            return
        if self._under_way and now - self._under_way[0].last_sent >= _RESEND_AFTER_S:
            for batch in self._under_way:
                batch.last_sent = now
                self.resent += 1
                self._publish(batch.data)
