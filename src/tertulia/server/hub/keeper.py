"""The interface through which the Hub keeps messages and records on disk."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from tertulia.protocol.messages import ChatMessage
from tertulia.server.hub.records import Change, Row
from tertulia.server.hub.session import Receipt


class Numbering(NamedTuple):
    """Which event numbers are free: those above `last_seq`, up to `reserved_through`."""

    epoch: str
    last_seq: int
    reserved_through: int


class Keeper(Protocol):
    """Keeps messages and records on disk.

    `numbering`, `nonces` and `records` are read at the start, and may wait for the disk. Everything
    else is called under the Hub's lock and never waits.
    """

    @property
    def numbering(self) -> Numbering:
        """The epoch, and the numbers that are already in use."""

    def nonces(self, now: datetime) -> list[tuple[int, str, str, str]]:
        """Return seq, time, sender and nonce of recent messages, the oldest first."""

    def records(self, kind: type[Row]) -> list[Row]:
        """Return the records of a kind from earlier runs. To be called before everything else."""

    def reserve_space(self) -> bool:
        """Reserve a place in the queue for one message or change; False if it is full."""

    def write(self, message: ChatMessage, receipt: Receipt | None) -> None:
        """Store a message in its reserved space, then acknowledge it to its receipt's owner."""

    def keep(self, changes: Sequence[Change], receipt: Receipt | None = None) -> None:
        """Store changes of the records, all or none, then acknowledge them if somebody waits.

        Changes with a receipt need space that was reserved. Those without a receipt take it
        themselves, even beyond the bound of the queue: they are about sessions, which are bounded.
        """

    def acknowledge(self, receipt: Receipt) -> None:
        """Acknowledge an earlier message once it is stored; this uses up the space reserved."""

    def reserve_soon(self, seq: int) -> None:
        """Make sure that there are reserved numbers beyond this one."""
