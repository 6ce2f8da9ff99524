"""Direct messages: who they are for, which were sent before, and which are not confirmed yet.

A session with receipts confirms the direct messages that it gets. Until then they wait in its
queue, and their senders for an answer. Used under the Hub's lock only.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tertulia.protocol.messages import Answer, Direct, DirectMessage, Error, Ok
from tertulia.server import refusals
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.session import Route, Session

_RETRY_WHILE_UNDER_WAY_S = 0.1
_RETRY_UNCONFIRMED_S = 1.0
_MAX_ASKERS = 8  # requests that wait for the confirmation of one message
_MAX_CHAR_BYTES = 6  # of a character in JSON, as in \u0001
_LINE_OVERHEAD_BYTES = 128  # of a direct message, beside its text

NonceKey = tuple[str, object]


class Delivery(Struct, frozen=True, gc=False):
    """A direct message to be put into the output of a session."""

    receiver: Session
    message: DirectMessage


class Queued(Struct, frozen=True, gc=False):
    """A direct message waits in the queue of the session at `route`; its answer comes later.

    Without a `route` it was sent before, and is still waiting.
    """

    route: Route | None


class Handover(Enum):
    """What has become of a Delivery."""

    DONE = auto()
    GONE = auto()  # the session has ended
    BUSY = auto()  # too much waits for the session already


DONE, GONE, BUSY = Handover  # a lookup in the enum costs more than the comparison


class Reply(Struct, frozen=True, gc=False):
    """An answer that has come late, for the session at `route`."""

    route: Route
    answer: Answer


class _UnderWay(Enum):
    """That a message is being handed over to another worker."""

    UNDER_WAY = auto()


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


class Directs:
    """The direct messages that are under way, and the nonces of recent ones.

    `bytes_until_busy` bounds what may wait for one session.
    """

    def __init__(
        self,
        keep_s: float,
        max_nonces: int,
        bytes_until_busy: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._bytes_until_busy = bytes_until_busy
        self._monotonic = monotonic
        self._queues: dict[Session, Queue] = {}
        # By nonce: the time of a message that has arrived, or how far it is.
        self._nonces: RecentNonces[str | Unconfirmed | _UnderWay] = RecentNonces(keep_s, max_nonces)

    # --- sessions ------------------------------------------------------------------------------

    def enter(self, session: Session, replaced: Session | None, *, confirms: bool) -> None:
        """Begin a session, with what the one that it has replaced had not confirmed."""
        queue = None if replaced is None else self._queues.pop(replaced, None)
        if queue is None:
            if not confirms:
                return
            queue = Queue()
        queue.confirms = confirms
        queue.send_again()
        self._queues[session] = queue

    def leave(self, session: Session) -> list[Reply]:
        """End a session for good; return the news for those whose messages it had not confirmed."""
        queue = self._queues.pop(session, None)
        replies = []
        for entry in () if queue is None else queue.entries:
            if entry.key is not None:
                self._nonces.forget(entry.key)
            for asker in entry.askers:
                sender, request_id = _follow(asker)
                error = refusals.undelivered(request_id, entry.message)
                replies.append(Reply(sender.route, error))
        return replies

    def take_unsent(self, session: Session) -> tuple[list[DirectMessage], list[Reply]]:
        """Return the messages to send to a session now, and the answers that this makes possible.

        There are such answers if a session without receipts has taken over one that had them.
        """
        queue = self._queues.get(session)
        if queue is None:
            return [], []
        messages = [entry.message for entry in queue.take_unsent()]
        if queue.confirms:
            return messages, []
        del self._queues[session]
        return messages, self._settle(queue.confirm_all_sent())

    def confirm(self, session: Session, receipt: int) -> list[Reply] | None:
        """Return the answers for the senders of what a session has confirmed up to a receipt.

        None if there was nothing to confirm.
        """
        queue = self._queues.get(session)
        confirmed = None if queue is None else queue.confirm(receipt)
        return self._settle(confirmed) if confirmed else None

    # --- messages ------------------------------------------------------------------------------

    def find_repeated(self, sender: Session, request: Direct) -> str | Queued | Error | None:
        """Return what has become of a message that was sent before under the same nonce.

        The time of one that has arrived; None if there is no such message.
        """
        known = self._nonces.get((sender.name.key, request.nonce), self._monotonic())
        match known:
            case str():
                return known
            case Unconfirmed():
                # An earlier session of the same user has no use for an answer any more.
                askers = [asker for asker in known.askers if asker.session.is_here]
                if len(askers) >= _MAX_ASKERS:
                    return refusals.rate_limited(request.id, _RETRY_UNCONFIRMED_S)
                known.askers = [*askers, Asker(sender, request.id)]
                return Queued(None)
            case _UnderWay():
                return refusals.rate_limited(request.id, _RETRY_WHILE_UNDER_WAY_S)
        return None

    def send(
        self, sender: Session, request: Direct, receiver: Session, time: str
    ) -> Delivery | Queued | Error:
        """Put a message into its receiver's queue; without receipts there is nothing to wait for.

        Whoever carries a Delivery out calls `end_delivery`.
        """
        queue = self._queues.get(receiver)
        if queue is not None and queue.bytes >= self._bytes_until_busy:
            return refusals.busy(request)
        nonce = request.nonce
        message = DirectMessage(
            time=time,
            sender=sender.name.shown,
            to=receiver.name.shown,
            text=request.text,
            nonce=nonce,
        )
        if queue is None:
            if nonce is not UNSET:
                key = sender.name.key, nonce
                self._nonces.remember(key, _UnderWay.UNDER_WAY, self._monotonic())
            return Delivery(receiver, message)
        asker = Asker(sender, request.id)
        if nonce is UNSET:
            queue.add(message, None, asker)
        else:
            key = sender.name.key, nonce
            self._nonces.remember(key, queue.add(message, key, asker), self._monotonic())
        return Queued(receiver.route)

    def pass_on(
        self, sender: Session, request: Direct, delivery: Delivery
    ) -> Delivery | Queued | None:
        """Send a message to the session that has taken its receiver's over; None without one."""
        receiver, message = latest(delivery.receiver), delivery.message
        if receiver is delivery.receiver or not receiver.is_here:
            return None
        queue = self._queues.get(receiver)
        if queue is None:
            return Delivery(receiver, message)
        key = None if request.nonce is UNSET else (sender.name.key, request.nonce)
        entry = queue.add(message, key, Asker(sender, request.id))
        if key is not None:
            self._nonces.remember(key, entry, self._monotonic())
        return Queued(receiver.route)

    def end_delivery(self, sender: Session, request: Direct, time: str | None) -> None:
        """Note when a message arrived, or that it has not."""
        key = sender.name.key, request.nonce
        if time is None:
            self._nonces.forget(key)
        else:
            self._nonces.remember(key, time, self._monotonic())

    def _settle(self, confirmed: list[Unconfirmed]) -> list[Reply]:
        replies = []
        for entry in confirmed:
            time = entry.message.time
            if entry.key is not None:
                self._nonces.remember(entry.key, time, self._monotonic())
            for asker in entry.askers:
                sender, request_id = _follow(asker)
                if request_id is not UNSET:
                    replies.append(Reply(sender.route, Ok(id=request_id, time=time)))
        return replies


def ok(request: Direct, time: str) -> Ok | None:
    """Answer a direct message that has arrived, if it asked for an answer by having an `id`."""
    return None if request.id is UNSET else Ok(id=request.id, time=time)


def _follow(asker: Asker) -> tuple[Session, int | UnsetType]:
    """Return where an answer goes: to a session that has taken over, without the request's id."""
    session = latest(asker.session)
    return session, asker.request_id if session is asker.session else UNSET


def latest(session: Session) -> Session:
    """Return the session that has taken over, in the end, from a session, or this session."""
    while session.successor is not None:
        session = session.successor
    return session


def _line_bytes(message: DirectMessage) -> int:
    """Return about how long a message is as a line, where JSON writes some characters as two."""
    text = message.text
    escaped = sum(map(text.count, '"\\\n\t'))
    nonce_bytes = 0 if message.nonce is UNSET else _MAX_CHAR_BYTES * len(message.nonce)
    return _LINE_OVERHEAD_BYTES + len(text.encode()) + escaped + nonce_bytes
