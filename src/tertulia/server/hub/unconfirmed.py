"""The direct messages that a session has not confirmed yet, with the senders who wait.

Used under the Hub's lock only.
"""

from collections import deque

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tertulia.protocol.messages import DirectMessage
from tertulia.server.hub.session import Session

_MAX_CHAR_BYTES = 6  # of one character in JSON, for example \u0001
_LINE_OVERHEAD_BYTES = 128  # the line of a direct message without its text

NonceKey = tuple[str, object]


class Origin(Struct, frozen=True, array_like=True):
    """A direct message of another node, by its number there."""

    node: str
    number: int


class WaitingSender(Struct, frozen=True):
    """A session that waits for the outcome of its direct message, and the request that sent it."""

    session: Session
    request_id: int | UnsetType


class Unconfirmed(Struct, eq=False):
    """A direct message that its receiver has not confirmed."""

    message: DirectMessage
    receipt: int
    key: NonceKey | None
    senders: list[WaitingSender]
    # On several machines: the nodes that wait for the confirmation; the receipt that the message
    # had on the receiver's earlier node; and its number when it was sent there. 0: none.
    origins: list[Origin] = []
    known_receipt: int = 0
    own_number: int = 0


class Queue:
    """The unconfirmed direct messages of a session, in the order of their receipts."""

    def __init__(self, *, confirms: bool = True) -> None:
        self.confirms = confirms  # whether the session has receipts
        self.bytes = 0  # approximate size of the messages as lines
        self.last_receipt = 0
        self._sent: deque[Unconfirmed] = deque()
        self._unsent: deque[Unconfirmed] = deque()

    def add(
        self, message: DirectMessage, key: NonceKey | None, *senders: WaitingSender
    ) -> Unconfirmed:
        """Put a message at the end, with the next receipt."""
        entry = Unconfirmed(message, 0, key, list(senders))
        self.put(entry, self.last_receipt + 1)
        return entry

    def put(self, entry: Unconfirmed, receipt: int) -> None:
        """Put a message at the end, with a receipt above all others."""
        self.last_receipt = entry.receipt = receipt
        entry.message = replace(entry.message, receipt=receipt)
        self._unsent.append(entry)
        self.bytes += _line_bytes(entry.message)

    def remove(self, entry: Unconfirmed) -> None:
        """Remove a message, which is in the queue."""
        for part in (self._sent, self._unsent):
            if entry in part:
                part.remove(entry)
                self.bytes -= _line_bytes(entry.message)

    def pop_unsent(self) -> list[Unconfirmed]:
        """Return the messages that were not sent yet; they count as sent from now on."""
        entries = list(self._unsent)
        self._sent += self._unsent
        self._unsent.clear()
        return entries

    def send_again(self) -> None:
        """Mark everything that is not confirmed as not sent."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def confirm(self, receipt: int) -> list[Unconfirmed]:
        """Remove and return the sent messages up to a receipt."""
        confirmed = []
        while self._sent and self._sent[0].receipt <= receipt:
            entry = self._sent.popleft()
            self.bytes -= _line_bytes(entry.message)
            confirmed.append(entry)
        return confirmed

    def confirm_all_sent(self) -> list[Unconfirmed]:
        """Remove and return all sent messages."""
        return self.confirm(self.last_receipt)

    @property
    def entries(self) -> list[Unconfirmed]:
        """Everything that is not confirmed."""
        return [*self._sent, *self._unsent]


def _line_bytes(message: DirectMessage) -> int:
    """Return the approximate length of a message's line; JSON escapes some characters."""
    text = message.text
    escaped = sum(map(text.count, '"\\\n\t'))
    nonce_bytes = 0 if message.nonce is UNSET else _MAX_CHAR_BYTES * len(message.nonce)
    return _LINE_OVERHEAD_BYTES + len(text.encode()) + escaped + nonce_bytes
