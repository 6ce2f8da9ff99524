"""Sends direct messages between nodes. The sender's node keeps each one until it is confirmed.

It keeps a queue for each receiving session of another node, and sends a message again until that
node answers that the message is in the session's own queue. When a session moves to another node,
each sender's node sends its unconfirmed messages there, and the node that served the session before
sends their order and their receipts. Used under the Hub's lock only.
"""

from collections import OrderedDict, deque
from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.messages import Direct, DirectMessage
from tertulia.server.cluster.exchange import Exchange
from tertulia.server.cluster.gathering import Gathering
from tertulia.server.cluster.letters import (
    Accepted,
    AskArrived,
    Confirmed,
    Forward,
    HandedOver,
    Known,
    NotHere,
)
from tertulia.server.cluster.on_the_way import OnTheWay, Sent
from tertulia.server.hub.directs import (
    Delivery,
    DirectQueues,
    Queued,
    Reply,
    latest,
)
from tertulia.server.hub.session import Session
from tertulia.server.hub.unconfirmed import Origin, Queue, Unconfirmed

_GATHER_S = 1.0  # for a session's former node to send the order of unconfirmed messages
_KEEP_EARLY_S = 2.0  # letters for sessions that are not here yet; messages are sent again
_MAX_EARLY = 10_000  # such letters
_MAX_REMEMBERED = 65_536  # confirmed messages of other nodes; the oldest is forgotten


class NodeDirectQueues(DirectQueues):
    """The direct messages of one node's sessions, and those that it sends to other nodes."""

    node: str
    exchange: Exchange

    def __init__(
        self,
        keep_s: float,
        max_nonces: int,
        bytes_until_busy: int,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(keep_s, max_nonces, bytes_until_busy, monotonic)
        self._on_the_way = OnTheWay()
        # Messages of other nodes that are in a queue here, or the time at which they arrived.
        self._accepted: OrderedDict[Origin, Unconfirmed | str] = OrderedDict()
        self._gathering: dict[Session, Gathering] = {}
        # Letters for sessions that are not here yet, because another node is ahead in the log, and
        # the time until which each is kept.
        self._early: deque[tuple[float, str, Forward | HandedOver]] = deque(maxlen=_MAX_EARLY)

    @property
    def on_the_way(self) -> int:
        """Number of unconfirmed messages to other nodes. Any thread, without the lock."""
        return len(self._on_the_way)

    # --- from this node to others --------------------------------------------------------------

    def accept(
        self, sender: Session, request: Direct, receiver: Session, time: str
    ) -> Delivery | Queued | None:
        """Put a message into its receiver's queue, or on its way to the receiver's node."""
        gathering = self._gathering.get(receiver)
        if gathering is None and self.exchange.is_own(receiver):
            return super().accept(sender, request, receiver, time)
        if gathering is not None:
            # A queue for the next call only, which puts the message into it as an entry.
            self._queues[receiver] = Queue()
        else:
            self._queues.setdefault(receiver, Queue())
        outcome = super().accept(sender, request, receiver, time)
        if gathering is not None:
            for entry in self._queues.pop(receiver).entries:
                gathering.add(entry)
        elif isinstance(outcome, Queued):
            for entry in self._queues[receiver].pop_unsent():
                self._put_on_the_way(entry, receiver, sender.name.key)
        return Queued(None) if isinstance(outcome, Queued) else outcome

    def pass_on(
        self, sender: Session, request: Direct, delivery: Delivery
    ) -> Delivery | Queued | None:
        """Send a message to the session that has replaced its receiver's, on any node."""
        receiver = latest(delivery.receiver)
        if receiver is delivery.receiver or not receiver.is_here:
            return None
        if self.exchange.is_own(receiver) and receiver not in self._gathering:
            return super().pass_on(sender, request, delivery)
        return self.accept(sender, request, receiver, delivery.message.time)

    def end_delivery(self, sender: Session, request: Direct, time: str | None) -> None:
        """Note when a message arrived, or that it did not; its sender may have moved."""
        super().end_delivery(sender, request, time)
        if time is not None:
            self.exchange.tell_all(Known(sender.name.key, str(request.nonce), time))

    def _put_on_the_way(self, entry: Unconfirmed, receiver: Session, sender_key: str) -> Sent:
        sent = self._on_the_way.add(entry, receiver, sender_key)
        if not self._on_the_way.waits(sent):
            self._transmit(sent)
        return sent

    def _transmit(self, sent: Sent) -> None:
        self._on_the_way.note_sent(sent, self._monotonic())
        message = replace(sent.entry.message, receipt=UNSET)
        to, known = sent.session.route, sent.entry.known_receipt
        self.exchange.post(
            to.node, Forward(sent.number, to.number, sent.sender_key, message, known)
        )

    def on_accepted(self, letter: Accepted) -> None:
        """Note that a message is in its receiver's queue; `receipt` is 0 if it has none yet."""
        sent = self._on_the_way.numbered(letter.number)
        if sent is not None:
            self._on_the_way.note_accepted(sent, self._monotonic())
            sent.entry.known_receipt = letter.receipt or sent.entry.known_receipt

    def on_confirmed(self, letter: Confirmed) -> list[Reply]:
        """Return the answers for the senders of a message that has arrived."""
        sent = self._on_the_way.numbered(letter.number)
        if sent is None:
            return []
        queue = self._queues.get(sent.session)
        if queue is not None:
            queue.remove(sent.entry)
        return self._note_confirmed([sent.entry])

    def on_not_here(self, letter: NotHere) -> None:
        """Send again a message that its receiver's node does not know."""
        sent = self._on_the_way.numbered(letter.number)
        if sent is not None:
            self._transmit(sent)

    def hurry(self) -> None:
        """Send unaccepted messages at once, since this node can reach the others again."""
        now = self._monotonic()
        self._on_the_way.hurry(now)
        for sent in self._on_the_way.to_send_again(now):
            self._transmit(sent)

    def tick(self) -> None:
        """Repeat messages and questions that may be lost; end waits that are over."""
        now = self._monotonic()
        for sent in self._on_the_way.to_send_again(now):
            self._transmit(sent)
        for node, numbers in self._on_the_way.to_ask_for(now).items():
            self.exchange.post(node, AskArrived(numbers))
        for gathering in list(self._gathering.values()):
            if now >= gathering.until:
                self._end_gathering(gathering)
        while self._early and now >= self._early[0][0]:
            self._early.popleft()

    # --- from other nodes to this one ----------------------------------------------------------

    def on_forward(self, node: str, letter: Forward, receiver: Session | None) -> None:
        """Put a message of another node into its receiver's queue, once."""
        origin = Origin(node, letter.number)
        known = self._accepted.get(origin)
        if isinstance(known, str):
            self.exchange.post(node, Confirmed(letter.number, known))
            return
        if known is not None:
            self.exchange.post(node, Accepted(letter.number, known.receipt))
            return
        if receiver is None:
            self._keep_early(node, letter)
            return
        message, key = letter.message, None
        if message.nonce is not UNSET:
            key = letter.sender_key, message.nonce
            before = self._nonces.get(key, self._monotonic())
            if isinstance(before, str):
                self._remember(origin, before)
                self.exchange.post(node, Confirmed(letter.number, before))
                return
            if isinstance(before, Unconfirmed):
                before.origins.append(origin)
                self._remember(origin, before)
                self.exchange.post(node, Accepted(letter.number, before.receipt))
                return
        entry = Unconfirmed(message, 0, key, [], [origin])
        if key is not None:
            self._nonces.remember(key, entry, self._monotonic())
        self._remember(origin, entry)
        gathering = self._gathering.get(receiver)
        if gathering is not None:
            gathering.add(entry, letter.receipt)
            return
        queue = self._queues.get(receiver)
        if queue is None:  # a session without receipts: what was sent counts as confirmed
            queue = self._queues[receiver] = Queue(confirms=False)
        queue.put(entry, queue.last_receipt + 1)
        self.exchange.post(node, Accepted(letter.number, entry.receipt))
        self.exchange.wake(receiver)

    def on_ask_arrived(self, node: str, letter: AskArrived) -> None:
        """Answer a node's question about messages that it has sent to this one."""
        for number in letter.numbers:
            known = self._accepted.get(Origin(node, number))
            if isinstance(known, str):
                self.exchange.post(node, Confirmed(number, known))
            elif known is None:
                self.exchange.post(node, NotHere(number))

    def _remember(self, origin: Origin, what: Unconfirmed | str) -> None:
        self._accepted[origin] = what
        if len(self._accepted) > _MAX_REMEMBERED:
            self._accepted.popitem(last=False)

    def on_known(self, letter: Known) -> None:
        """Remember a message that has arrived at another node."""
        key = letter.sender_key, letter.nonce
        if not isinstance(self._nonces.get(key, self._monotonic()), Unconfirmed):
            self._nonces.remember(key, letter.time, self._monotonic())

    def _note_confirmed(self, confirmed: list[Unconfirmed]) -> list[Reply]:
        for entry in confirmed:
            time = entry.message.time
            sent = self._on_the_way.remove(entry)
            for origin in entry.origins:
                self._remember(origin, time)
                self.exchange.post(origin.node, Confirmed(origin.number, time))
            if entry.key is not None and sent is None:
                self.exchange.tell_all(Known(entry.key[0], str(entry.key[1]), time))
        return super()._note_confirmed(confirmed)

    # --- sessions that end or move -------------------------------------------------------------

    def end_session(self, session: Session) -> list[Reply]:
        """End a session for good. See DirectQueues.end_session."""
        gathering = self._gathering.pop(session, None)
        if gathering is not None:
            self._queues[session] = gathering.finish(self.node)
        queue = self._queues.get(session)
        for entry in () if queue is None else queue.entries:
            self._on_the_way.remove(entry)
            for origin in entry.origins:
                self._accepted.pop(origin, None)
        return super().end_session(session)

    def begin_session(self, session: Session, replaced: Session | None, *, confirms: bool) -> None:
        """Begin a session of any node, with the messages that its predecessor has not confirmed."""
        is_own = self.exchange.is_own(session)
        if replaced is None:
            if is_own:
                super().begin_session(session, None, confirms=confirms)
        elif is_own and self.exchange.is_own(replaced):
            if replaced in self._gathering:
                self._end_gathering(self._gathering[replaced])
            super().begin_session(session, replaced, confirms=confirms)
        elif is_own:
            self._begin_gathering(session, replaced, confirms=confirms)
        else:
            self._move_elsewhere(session, replaced)
        if is_own:
            self._handle_early(session)

    def _keep_early(self, node: str, letter: Forward | HandedOver) -> None:
        self._early.append((self._monotonic() + _KEEP_EARLY_S, node, letter))

    def _handle_early(self, session: Session) -> None:
        early, self._early = self._early, deque(maxlen=_MAX_EARLY)
        for until, node, letter in early:
            if letter.to != session.route.number:
                self._early.append((until, node, letter))
            elif isinstance(letter, Forward):
                self.on_forward(node, letter, session)
            else:
                self.on_handed_over(letter, session)

    def pop_unsent(self, session: Session) -> tuple[list[DirectMessage], list[Reply]]:
        """Return the messages to send to a session now. See DirectQueues.pop_unsent."""
        messages, replies = super().pop_unsent(session)
        if session not in self._queues:  # it has no receipts
            messages = [replace(message, receipt=UNSET) for message in messages]
        return messages, replies

    def _begin_gathering(self, session: Session, replaced: Session, *, confirms: bool) -> None:
        """Wait for the messages that other nodes have for a session that comes from one of them."""
        wait_s = _GATHER_S if self.exchange.is_up(replaced.route.node) else _GATHER_S / 2
        gathering = Gathering(session, self._monotonic() + wait_s, confirms=confirms)
        self._gathering[session] = gathering
        queue = self._queues.pop(replaced, None)
        for entry in () if queue is None else queue.entries:
            sent = self._on_the_way.remove(entry)
            entry.own_number = 0 if sent is None else sent.number
            gathering.add(entry, entry.known_receipt)

    def on_handed_over(self, letter: HandedOver, session: Session | None) -> None:
        """Note the order and the receipts of the messages that a session had not confirmed.

        The messages themselves come from the nodes of their senders.
        """
        if session is None:
            self._keep_early("", letter)
            return
        gathering = self._gathering.get(session)
        if gathering is not None:
            gathering.put_in_order(letter, self._monotonic() + _GATHER_S / 4)

    def _end_gathering(self, gathering: Gathering) -> None:
        """Make the gathered messages the session's queue, and have them sent."""
        del self._gathering[gathering.session]
        queue = self._queues[gathering.session] = gathering.finish(self.node)
        for entry in queue.entries:
            for origin in entry.origins:
                self.exchange.post(origin.node, Accepted(origin.number, entry.receipt))
        self.exchange.wake(gathering.session)

    def _move_elsewhere(self, session: Session, replaced: Session) -> None:
        """Send a session's unconfirmed messages to the node that serves its successor."""
        if replaced in self._gathering:
            self._end_gathering(self._gathering[replaced])
        queue = self._queues.pop(replaced, None)
        was_own = self.exchange.is_own(replaced)
        entries = [] if queue is None else queue.entries
        rows: list[tuple[int, str, int]] = []
        moved = Queue()
        for entry in entries:
            for origin in entry.origins:
                self._accepted.pop(origin, None)
                rows.append((entry.receipt, origin.node, origin.number))
            entry.origins.clear()
            if not entry.senders:  # its sender's node sends it
                self._forget(entry)
                continue
            if was_own:
                entry.known_receipt = entry.receipt
            moved.put(entry, moved.last_receipt + 1)
            sent = self._on_the_way.find(entry)
            if sent is None:
                sent = self._put_on_the_way(entry, session, _sender_key(entry))
                rows.append((entry.known_receipt, self.node, sent.number))
            else:
                self._on_the_way.redirect(sent, session)
                self._transmit(sent)
        moved.pop_unsent()
        if moved.entries:
            self._queues[session] = moved
        if was_own:
            last = 0 if queue is None else queue.last_receipt
            self.exchange.post(session.route.node, HandedOver(session.route.number, last, rows))

    def _forget(self, entry: Unconfirmed) -> None:
        """Forget a message that has moved: if it comes again, it is new."""
        if entry.key is not None and self._nonces.get(entry.key, self._monotonic()) is entry:
            self._nonces.forget(entry.key)


def _sender_key(entry: Unconfirmed) -> str:
    return entry.senders[0].session.name.key
