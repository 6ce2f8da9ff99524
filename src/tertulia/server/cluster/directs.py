"""Direct messages between nodes. Their sender's node keeps them until they are confirmed.

It has a queue for each session of another node that it has messages for, and sends what is in there
to that node, again and again, until it hears that the message is in the session's own queue. What a
session has not confirmed when another node takes it over is sent there once more by each sender's
node; the node that served it says in which order and under which receipts it had been. Used under
the Hub's lock only.
"""

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from msgspec import UNSET, Struct
from msgspec.structs import replace

from tertulia.protocol.messages import Direct, DirectMessage, Error
from tertulia.server.cluster.letters import (
    Accepted,
    Confirmed,
    Forward,
    HandedOver,
    Known,
    Letter,
)
from tertulia.server.hub.directs import (
    Delivery,
    Directs,
    Origin,
    Queue,
    Queued,
    Reply,
    Unconfirmed,
)
from tertulia.server.hub.session import Session

_SEND_AGAIN_S = 1.0  # what a node has not accepted
_GATHER_S = 1.0  # for the node that served a session to say what it had not confirmed
_MAX_EARLY = 10_000  # letters
_MAX_REMEMBERED = 65_536  # messages of other nodes that have arrived; the oldest is forgotten

Post = Callable[[str, Letter], None]  # to a node
Wake = Callable[[Session], None]  # has a session of this node sent what waits for it


class _Sent(Struct):
    """A message on its way to another node."""

    number: int
    session: Session
    entry: Unconfirmed
    sender_key: str
    sent_at: float
    is_accepted: bool = False


class _Gathering(Struct):
    """A session that was taken over from another node, whose messages come from all sides."""

    session: Session
    until: float
    queue: Queue
    rows: list[tuple[int, Unconfirmed]] = []  # with the receipts of before
    order: HandedOver | None = None


class Places(Protocol):
    """Where sessions are served."""

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served by this node."""

    def is_up(self, node: str) -> bool:
        """Return whether a node is up."""


class NodeDirects(Directs):
    """The direct messages of one node's sessions, and those that it has to bring to others."""

    node: str
    post: Post
    tell_all: Callable[[Letter], None]  # every other node that is up
    wake: Wake
    places: Places

    def __init__(
        self,
        keep_s: float,
        max_nonces: int,
        bytes_until_busy: int,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(keep_s, max_nonces, bytes_until_busy, monotonic)
        # So that a number of an earlier run is not taken for one of this run.
        self._next_number = secrets.randbits(48) << 8
        self._on_the_way: dict[int, _Sent] = {}
        self._numbers: dict[Unconfirmed, int] = {}
        # Messages of other nodes that are, or were, in a queue here; the time of those that have
        # arrived.
        self._taken: OrderedDict[Origin, Unconfirmed | str] = OrderedDict()
        self._gathering: dict[Session, _Gathering] = {}
        # For sessions that are not here yet: another node is ahead in the log.
        self._early: deque[tuple[str, Forward | HandedOver]] = deque(maxlen=_MAX_EARLY)

    # --- from this node to others --------------------------------------------------------------

    def send(
        self, sender: Session, request: Direct, receiver: Session, time: str
    ) -> Delivery | Queued | Error:
        """Put a message into its receiver's queue, or on its way to the receiver's node."""
        if self.places.is_own(receiver):
            return super().send(sender, request, receiver, time)
        self._queues.setdefault(receiver, Queue())
        outcome = super().send(sender, request, receiver, time)
        if not isinstance(outcome, Queued):
            return outcome
        for entry in self._queues[receiver].take_unsent():
            self._put_on_the_way(entry, receiver, sender.name.key)
        return Queued(None)

    def _put_on_the_way(self, entry: Unconfirmed, receiver: Session, sender_key: str) -> None:
        self._next_number += 1
        sent = _Sent(self._next_number, receiver, entry, sender_key, 0.0)
        self._on_the_way[sent.number] = sent
        self._numbers[entry] = sent.number
        self._transmit(sent)

    def _transmit(self, sent: _Sent) -> None:
        sent.sent_at, sent.is_accepted = self._monotonic(), False
        message = replace(sent.entry.message, receipt=UNSET)
        to = sent.session.route
        known = sent.entry.known_receipt
        self.post(to.node, Forward(sent.number, to.session, sent.sender_key, message, known))

    def on_accepted(self, letter: Accepted) -> None:
        """Note that a message is in its receiver's queue."""
        sent = self._on_the_way.get(letter.number)
        if sent is not None:
            sent.is_accepted, sent.entry.known_receipt = True, letter.receipt

    def on_confirmed(self, letter: Confirmed) -> list[Reply]:
        """Return the answers for those who wait for a message that has arrived."""
        sent = self._on_the_way.get(letter.number)
        if sent is None:
            return []
        queue = self._queues.get(sent.session)
        if queue is not None:
            queue.remove(sent.entry)
        return self._settle([sent.entry])

    def tick(self) -> None:
        """Send again what was not accepted; go on with sessions that nobody else knows."""
        now = self._monotonic()
        for sent in list(self._on_the_way.values()):
            if not sent.is_accepted and now - sent.sent_at >= _SEND_AGAIN_S:
                self._transmit(sent)
        for gathering in list(self._gathering.values()):
            if now >= gathering.until:
                self._end_gathering(gathering)

    # --- from other nodes to this one ----------------------------------------------------------

    def on_forward(self, node: str, letter: Forward, receiver: Session | None) -> None:
        """Take a message of another node into the queue of its receiver, once."""
        origin = Origin(node, letter.number)
        known = self._taken.get(origin)
        if isinstance(known, str):
            self.post(node, Confirmed(letter.number, known))
            return
        if known is not None:
            self.post(node, Accepted(letter.number, known.receipt))
            return
        if receiver is None:
            self._early.append((node, letter))
            return
        message, key = letter.message, None
        if message.nonce is not UNSET:
            key = letter.sender_key, message.nonce
            before = self._nonces.get(key, self._monotonic())
            if isinstance(before, str):
                self._remember(origin, before)
                self.post(node, Confirmed(letter.number, before))
                return
            if isinstance(before, Unconfirmed):
                before.origins.append(origin)
                self._remember(origin, before)
                self.post(node, Accepted(letter.number, before.receipt))
                return
        entry = Unconfirmed(message, 0, key, [], [origin])
        if key is not None:
            self._nonces.remember(key, entry, self._monotonic())
        self._remember(origin, entry)
        gathering = self._gathering.get(receiver)
        if gathering is not None:
            gathering.rows.append((letter.receipt, entry))
            return
        queue = self._queues.get(receiver)
        if queue is None:  # a session without receipts: what was sent counts as confirmed
            queue = self._queues[receiver] = Queue(confirms=False)
        queue.put(entry, queue.last_receipt + 1)
        self.post(node, Accepted(letter.number, entry.receipt))
        self.wake(receiver)

    def _remember(self, origin: Origin, what: Unconfirmed | str) -> None:
        self._taken[origin] = what
        if len(self._taken) > _MAX_REMEMBERED:
            self._taken.popitem(last=False)

    def on_known(self, letter: Known) -> None:
        """Remember a message that has arrived at another node."""
        key = letter.sender_key, letter.nonce
        if not isinstance(self._nonces.get(key, self._monotonic()), Unconfirmed):
            self._nonces.remember(key, letter.time, self._monotonic())

    def _settle(self, confirmed: list[Unconfirmed]) -> list[Reply]:
        for entry in confirmed:
            time = entry.message.time
            number = self._numbers.pop(entry, None)
            if number is not None:
                self._on_the_way.pop(number, None)
            for origin in entry.origins:
                self._remember(origin, time)
                self.post(origin.node, Confirmed(origin.number, time))
            if entry.key is not None and number is None:
                self.tell_all(Known(entry.key[0], str(entry.key[1]), time))
        return super()._settle(confirmed)

    # --- sessions that end or move -------------------------------------------------------------

    def leave(self, session: Session) -> list[Reply]:
        """End a session for good. See Directs.leave."""
        gathering = self._gathering.pop(session, None)
        if gathering is not None:
            self._queues[session] = gathering.queue
            for _, entry in gathering.rows:
                gathering.queue.put(entry, gathering.queue.last_receipt + 1)
        queue = self._queues.get(session)
        for entry in () if queue is None else queue.entries:
            number = self._numbers.pop(entry, None)
            if number is not None:
                self._on_the_way.pop(number, None)
            for origin in entry.origins:
                self._taken.pop(origin, None)
        return super().leave(session)

    def enter(self, session: Session, replaced: Session | None, *, confirms: bool) -> None:
        """Begin a session, wherever it is served, with what was not confirmed before."""
        is_own = self.places.is_own(session)
        if replaced is None:
            if is_own:
                super().enter(session, None, confirms=confirms)
        elif is_own and self.places.is_own(replaced):
            if replaced in self._gathering:
                self._end_gathering(self._gathering[replaced])
            super().enter(session, replaced, confirms=confirms)
        elif is_own:
            self._begin_gathering(session, replaced, confirms=confirms)
        else:
            self._let_go(session, replaced)
        if is_own:
            self._take_early(session)

    def _take_early(self, session: Session) -> None:
        early, self._early = self._early, deque(maxlen=_MAX_EARLY)
        for node, letter in early:
            if letter.to != session.route.session:
                self._early.append((node, letter))
            elif isinstance(letter, Forward):
                self.on_forward(node, letter, session)
            else:
                self.on_handed_over(letter, session)

    def take_unsent(self, session: Session) -> tuple[list[DirectMessage], list[Reply]]:
        """Return the messages to send to a session now. See Directs.take_unsent."""
        messages, replies = super().take_unsent(session)
        if session not in self._queues:  # it has no receipts
            messages = [replace(message, receipt=UNSET) for message in messages]
        return messages, replies

    def _begin_gathering(self, session: Session, replaced: Session, *, confirms: bool) -> None:
        """Wait for what other nodes have for a session that comes from one of them."""
        wait_s = _GATHER_S if self.places.is_up(replaced.route.node) else _GATHER_S / 2
        gathering = _Gathering(session, self._monotonic() + wait_s, Queue(confirms=confirms))
        self._gathering[session] = gathering
        queue = self._queues.pop(replaced, None)
        for entry in () if queue is None else queue.entries:
            number = self._numbers.pop(entry)
            del self._on_the_way[number]
            entry.own_number = number
            gathering.rows.append((entry.known_receipt, entry))

    def on_handed_over(self, letter: HandedOver, session: Session | None) -> None:
        """Learn in which order a session had what it had not confirmed, and under which receipts.

        The messages themselves come from the nodes of their senders.
        """
        if session is None:
            self._early.append(("", letter))
            return
        gathering = self._gathering.get(session)
        if gathering is not None:
            gathering.order = letter
            gathering.until = self._monotonic() + _GATHER_S / 4

    def _end_gathering(self, gathering: _Gathering) -> None:
        """Let a session have what has been gathered: with the receipts of before, as far as known.

        Of those without one, each comes after all others.
        """
        del self._gathering[gathering.session]
        known: dict[tuple[str, int], int] = {}
        if gathering.order is not None:
            known = {(node, number): receipt for receipt, node, number in gathering.order.rows}
        rows = []
        for receipt, entry in gathering.rows:
            places = [(origin.node, origin.number) for origin in entry.origins]
            places.append((self.node, entry.own_number))
            rows.append((max([receipt, *(known.get(place, 0) for place in places)]), entry))
        rows.sort(key=lambda row: row[0] or float("inf"))
        queue = self._queues[gathering.session] = gathering.queue
        for receipt, entry in rows:
            queue.put(entry, max(receipt, queue.last_receipt + 1))
            for origin in entry.origins:
                self.post(origin.node, Accepted(origin.number, entry.receipt))
        if gathering.order is not None:
            queue.last_receipt = max(queue.last_receipt, gathering.order.last_receipt)
        self.wake(gathering.session)

    def _let_go(self, session: Session, replaced: Session) -> None:
        """Send what a session had not confirmed after it, to the node that serves it now."""
        if replaced in self._gathering:
            self._end_gathering(self._gathering[replaced])
        queue = self._queues.pop(replaced, None)
        was_own = self.places.is_own(replaced)
        entries = [] if queue is None else queue.entries
        rows: list[tuple[int, str, int]] = []
        moved = Queue()
        for entry in entries:
            for origin in entry.origins:
                self._taken.pop(origin, None)
                rows.append((entry.receipt, origin.node, origin.number))
            entry.origins.clear()
            if not entry.askers:
                continue
            if was_own:
                entry.known_receipt = entry.receipt
            moved.put(entry, moved.last_receipt + 1)
            number = self._numbers.get(entry)
            if number is None:
                self._put_on_the_way(entry, session, _sender_key(entry))
                rows.append((entry.known_receipt, self.node, self._numbers[entry]))
            else:
                sent = self._on_the_way[number]
                sent.session = session
                self._transmit(sent)
        moved.take_unsent()
        if moved.entries:
            self._queues[session] = moved
        if was_own:
            last = 0 if queue is None else queue.last_receipt
            self.post(session.route.node, HandedOver(session.route.session, last, rows))


def _sender_key(entry: Unconfirmed) -> str:
    return entry.askers[0].session.name.key
