"""Direct messages on their way to other nodes, and when to send or to ask again. Pure.

A message that was not accepted is sent again. For one that was, its confirmation may have got lost:
the receiver's node is asked. Used under the Hub's lock only; `now` is by the monotonic clock.
"""

import secrets
from collections import OrderedDict

from msgspec import Struct

from tertulia.server.hub.session import Session
from tertulia.server.hub.unconfirmed import Unconfirmed

_SEND_AGAIN_S = 1.0
_ASK_AGAIN_S = 5.0
_MAX_AT_ONCE = 200  # messages, in one look: what there is more comes in the next


class Sent(Struct, eq=False):
    """A message on its way to the node of its receiver's session."""

    number: int
    session: Session
    entry: Unconfirmed
    sender_key: str


class OnTheWay:
    """The messages by their numbers, which no earlier run of this node has given."""

    def __init__(self) -> None:
        self._next_number = secrets.randbits(48) << 8
        self._by_number: dict[int, Sent] = {}
        self._by_entry: dict[Unconfirmed, Sent] = {}
        # When they were sent, and those that are accepted asked for, last; the oldest is first.
        self._sent_at: OrderedDict[int, float] = OrderedDict()
        self._asked_at: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, entry: Unconfirmed, session: Session, sender_key: str) -> Sent:
        """Give a message a number."""
        self._next_number += 1
        sent = Sent(self._next_number, session, entry, sender_key)
        self._by_number[sent.number] = self._by_entry[entry] = sent
        return sent

    def remove(self, entry: Unconfirmed) -> Sent | None:
        """Forget a message, if it is on its way; return what it was."""
        sent = self._by_entry.pop(entry, None)
        if sent is not None:
            del self._by_number[sent.number]
            self._sent_at.pop(sent.number, None)
            self._asked_at.pop(sent.number, None)
        return sent

    def numbered(self, number: int) -> Sent | None:
        """Return the message with a number."""
        return self._by_number.get(number)

    def of(self, entry: Unconfirmed) -> Sent | None:
        """Return how a message is on its way; None if it is not."""
        return self._by_entry.get(entry)

    def note_sent(self, sent: Sent, now: float) -> None:
        """Wait for the message to be accepted."""
        self._asked_at.pop(sent.number, None)
        self._sent_at[sent.number] = now
        self._sent_at.move_to_end(sent.number)

    def note_accepted(self, sent: Sent, now: float) -> None:
        """Wait for its receiver to confirm the message."""
        if self._sent_at.pop(sent.number, None) is not None:
            self._asked_at[sent.number] = now

    def to_send_again(self, now: float) -> list[Sent]:
        """Return messages that nobody has accepted in time. The caller sends them."""
        return self._oldest(self._sent_at, now - _SEND_AGAIN_S)

    def to_ask_for(self, now: float) -> dict[str, list[int]]:
        """Return, by their receivers' nodes, the numbers of messages to ask for."""
        wanted: dict[str, list[int]] = {}
        for sent in self._oldest(self._asked_at, now - _ASK_AGAIN_S):
            self._asked_at[sent.number] = now
            self._asked_at.move_to_end(sent.number)
            wanted.setdefault(sent.session.route.node, []).append(sent.number)
        return wanted

    def _oldest(self, times: OrderedDict[int, float], before: float) -> list[Sent]:
        found: list[Sent] = []
        for number, time in times.items():
            if time > before or len(found) == _MAX_AT_ONCE:
                break
            found.append(self._by_number[number])
        return found
