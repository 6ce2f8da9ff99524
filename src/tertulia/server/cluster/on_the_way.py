"""Direct messages on their way to other nodes, and when to send them or ask for them again. Pure.

A message that is not accepted is sent again, and the wait doubles each time. The confirmation of an
accepted one may get lost, so the receiver's node is asked. Used under the Hub's lock only; `now` is
by the monotonic clock.
"""

import heapq
import secrets
from collections import OrderedDict

from msgspec import Struct

from tertulia.server.hub.session import Session
from tertulia.server.hub.unconfirmed import Unconfirmed

_SEND_AGAIN_S = 1.0  # at first
_SEND_AGAIN_AT_MOST_S = 8.0
_ASK_AGAIN_S = 5.0
_MAX_AT_ONCE = 200  # messages in one call; the others follow in the next one


class Sent(Struct, eq=False):
    """A message on its way to the node of its receiver's session."""

    number: int
    session: Session
    entry: Unconfirmed
    sender_key: str
    wait_s: float = _SEND_AGAIN_S  # before it is sent again


class OnTheWay:
    """The messages by number. Numbers differ from those of earlier runs of this node."""

    def __init__(self) -> None:
        self._next_number = secrets.randbits(48) << 8
        self._by_number: dict[int, Sent] = {}
        self._by_entry: dict[Unconfirmed, Sent] = {}
        self._latest: dict[Session, Sent] = {}  # the last message for each session
        # When to send each message again that is not accepted; the heap may have outdated times.
        self._due_at: dict[int, float] = {}
        self._due: list[tuple[float, int]] = []
        # When each accepted message was last asked for; the oldest is first.
        self._asked_at: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, entry: Unconfirmed, session: Session, sender_key: str) -> Sent:
        """Give a message a number.

        If the message before it for the same session was sent twice in vain, it is sent after that
        one, so that both arrive in their order. Otherwise the caller sends it at once.
        """
        self._next_number += 1
        sent = Sent(self._next_number, session, entry, sender_key)
        self._by_number[sent.number] = self._by_entry[entry] = sent
        before = self._latest.get(session)
        self._latest[session] = sent
        if before is not None and before.wait_s > 2 * _SEND_AGAIN_S:
            sent.wait_s = before.wait_s
            self._put_due(sent, self._due_at[before.number])
        return sent

    def waits(self, sent: Sent) -> bool:
        """Return whether a message waits to be sent, or to be sent again."""
        return sent.number in self._due_at

    def remove(self, entry: Unconfirmed) -> Sent | None:
        """Forget a message; return its Sent, or None if it is not on its way."""
        sent = self._by_entry.pop(entry, None)
        if sent is not None:
            del self._by_number[sent.number]
            self._due_at.pop(sent.number, None)
            self._asked_at.pop(sent.number, None)
            self._forget_latest(sent)
        return sent

    def _forget_latest(self, sent: Sent) -> None:
        if self._latest.get(sent.session) is sent:
            del self._latest[sent.session]

    def numbered(self, number: int) -> Sent | None:
        """Return the message with a number, if it is on its way."""
        return self._by_number.get(number)

    def find(self, entry: Unconfirmed) -> Sent | None:
        """Return how a message is on its way; None if it is not."""
        return self._by_entry.get(entry)

    def note_sent(self, sent: Sent, now: float) -> None:
        """Wait for the message to be accepted."""
        self._asked_at.pop(sent.number, None)
        self._put_due(sent, now + sent.wait_s)
        sent.wait_s = min(2 * sent.wait_s, _SEND_AGAIN_AT_MOST_S)

    def _put_due(self, sent: Sent, when: float) -> None:
        self._due_at[sent.number] = when
        heapq.heappush(self._due, (when, sent.number))

    def note_accepted(self, sent: Sent, now: float) -> None:
        """Wait for its receiver to confirm the message."""
        if self._due_at.pop(sent.number, None) is not None:
            self._asked_at[sent.number] = now
            sent.wait_s = _SEND_AGAIN_S

    def redirect(self, sent: Sent, session: Session) -> None:
        """Note that another session is to get the message. The caller sends it."""
        self._forget_latest(sent)
        self._latest[session] = sent
        sent.session, sent.wait_s = session, _SEND_AGAIN_S

    def hurry(self, now: float) -> None:
        """Make all unaccepted messages due now, because the other nodes can be reached again."""
        for number in self._due_at:
            self._by_number[number].wait_s = _SEND_AGAIN_S
        self._due = [(now, number) for number in sorted(self._due_at)]  # sorted, so it is a heap
        self._due_at = dict.fromkeys(self._due_at, now)

    def to_send_again(self, now: float) -> list[Sent]:
        """Return messages that were not accepted in time. The caller sends them."""
        found: list[Sent] = []
        while self._due and self._due[0][0] <= now and len(found) < _MAX_AT_ONCE:
            when, number = heapq.heappop(self._due)
            if self._due_at.get(number) == when:
                found.append(self._by_number[number])
        return found

    def to_ask_for(self, now: float) -> dict[str, list[int]]:
        """Return, by their receivers' nodes, the numbers of messages to ask for."""
        wanted: dict[str, list[int]] = {}
        for sent in self._oldest(now - _ASK_AGAIN_S):
            self._asked_at[sent.number] = now
            self._asked_at.move_to_end(sent.number)
            wanted.setdefault(sent.session.route.node, []).append(sent.number)
        return wanted

    def _oldest(self, before: float) -> list[Sent]:
        found: list[Sent] = []
        for number, asked_at in self._asked_at.items():
            if asked_at > before or len(found) == _MAX_AT_ONCE:
                break
            found.append(self._by_number[number])
        return found
