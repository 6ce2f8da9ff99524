"""The direct messages that a session has not confirmed yet, and who waits for that.

Used under the Hub's lock only.
"""

from collections import deque

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tertulia.protocol.messages import DirectMessage
from tertulia.server.hub.session import Session

_MAX_CHAR_BYTES = 6  # of a character in JSON, as in \u0001
_LINE_OVERHEAD_BYTES = 128  # of a direct message, beside its text

NonceKey = tuple[str, object]


class Origin(Struct, frozen=True, array_like=True):
    """A direct message of another node, by its number there."""

    node: str
    number: int


class Asker(Struct, frozen=True):
    """Who has to learn, in answer to which request, what becomes of a direct message."""

    session: Session
    request_id: int | UnsetType


class Unconfirmed(Struct, eq=False):
    """A direct message that its receiver has not confirmed."""

    message: DirectMessage
    receipt: int
    key: NonceKey | None
    askers: list[Asker]
    # On several machines: where others wait for the confirmation; the receipt that the receiver had
    # it under on another node; and the number that it was sent there with. 0: none.
    origins: list[Origin] = []
    known_receipt: int = 0
    own_number: int = 0


class Queue:
    """The unconfirmed direct messages of a session, in the order of their receipts."""

    def __init__(self, *, confirms: bool = True) -> None:
        self.confirms = confirms  # the session has receipts
        self.bytes = 0  # about, of the messages as lines
        self.last_receipt = 0
        self._sent: deque[Unconfirmed] = deque()
        self._unsent: deque[Unconfirmed] = deque()

    def add(self, message: DirectMessage, key: NonceKey | None, *askers: Asker) -> Unconfirmed:
        """Put a message at the end, with the next receipt."""
        entry = Unconfirmed(message, 0, key, list(askers))
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

    def take_unsent(self) -> list[Unconfirmed]:
        """Return what the session was not sent yet; it counts as sent from now on."""
        entries = list(self._unsent)
        self._sent += self._unsent
        self._unsent.clear()
        return entries

    def send_again(self) -> None:
        """Let everything that is not confirmed count as not sent."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def confirm(self, receipt: int) -> list[Unconfirmed]:
        """Remove and return what was sent, up to a receipt."""
        confirmed = []
        while self._sent and self._sent[0].receipt <= receipt:
            entry = self._sent.popleft()
            self.bytes -= _line_bytes(entry.message)
            confirmed.append(entry)
        return confirmed

    def confirm_all_sent(self) -> list[Unconfirmed]:
        """Remove and return what was sent."""
        return self.confirm(self.last_receipt)

    @property
    def entries(self) -> list[Unconfirmed]:
        """Everything that is not confirmed."""
        return [*self._sent, *self._unsent]


def _line_bytes(message: DirectMessage) -> int:
    """Return about how long a message is as a line, where JSON writes some characters as two."""
    text = message.text
    escaped = sum(map(text.count, '"\\\n\t'))
    nonce_bytes = 0 if message.nonce is UNSET else _MAX_CHAR_BYTES * len(message.nonce)
    return _LINE_OVERHEAD_BYTES + len(text.encode()) + escaped + nonce_bytes
