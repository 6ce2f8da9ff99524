"""Direct messages: finds receivers, recognises repeated messages, and keeps unconfirmed ones.

A session with receipts confirms the direct messages that it gets. Until then they wait in its
queue, and their senders wait for an answer. Any thread may call the verbs in `DirectMessages`; the
rest is used under the Hub's lock only.
"""

import threading
from collections.abc import Callable
from enum import Enum, auto

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.messages import Answer, Direct, DirectMessage, Error, Ok, Received
from tertulia.protocol.texts import check_text
from tertulia.server import refusals
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.journal import Stamps
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.registry import Registry
from tertulia.server.hub.session import Route, Session
from tertulia.server.hub.unconfirmed import Queue, Unconfirmed, WaitingSender

_RETRY_WHILE_UNDER_WAY_S = 0.1
_RETRY_UNCONFIRMED_S = 1.0
_MAX_WAITING_SENDERS = 8  # requests that wait for the confirmation of one message


class Delivery(Struct, frozen=True, gc=False):
    """A direct message to be put into the output of a session."""

    receiver: Session
    message: DirectMessage


class Queued(Struct, frozen=True, gc=False):
    """A direct message waits in the queue of the session at `route`; its answer comes later.

    Without a `route` it is a repeated message, and the first one is still waiting.
    """

    route: Route | None


class Handover(Enum):
    """The outcome of a Delivery."""

    DONE = auto()
    GONE = auto()  # the session has ended
    BUSY = auto()  # too much waits for the session already


DONE, GONE, BUSY = Handover  # aliases: an enum lookup costs more than the comparison


class Reply(Struct, frozen=True, gc=False):
    """A late answer for the session at `route`."""

    route: Route
    answer: Answer


class _UnderWay(Enum):
    """Marks a message that is being handed over to another worker."""

    UNDER_WAY = auto()


class DirectQueues:
    """The direct messages that are under way, and the nonces of recent ones.

    `bytes_until_busy` bounds the messages that wait for one session.
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
        # By nonce: the time at which a message arrived, or its state until then.
        self._nonces: RecentNonces[str | Unconfirmed | _UnderWay] = RecentNonces(keep_s, max_nonces)

    # --- sessions ------------------------------------------------------------------------------

    def begin_session(self, session: Session, replaced: Session | None, *, confirms: bool) -> None:
        """Begin a session, with what the session that it replaces has not confirmed."""
        queue = None if replaced is None else self._queues.pop(replaced, None)
        if queue is None:
            if not confirms:
                return
            queue = Queue()
        queue.confirms = confirms
        queue.send_again()
        self._queues[session] = queue

    def end_session(self, session: Session) -> list[Reply]:
        """End a session for good; return the answers for the senders of unconfirmed messages."""
        queue = self._queues.pop(session, None)
        replies = []
        for entry in () if queue is None else queue.entries:
            if entry.key is not None:
                self._nonces.forget(entry.key)
            for waiting in entry.senders:
                sender, request_id = _follow(waiting)
                error = refusals.undelivered(request_id, entry.message)
                replies.append(Reply(sender.route, error))
        return replies

    def pop_unsent(self, session: Session) -> tuple[list[DirectMessage], list[Reply]]:
        """Return the messages to send to a session now, and answers to their senders.

        There are such answers if a session without receipts has taken over one with receipts.
        """
        queue = self._queues.get(session)
        if queue is None:
            return [], []
        messages = [entry.message for entry in queue.pop_unsent()]
        if queue.confirms:
            return messages, []
        del self._queues[session]
        return messages, self._note_confirmed(queue.confirm_all_sent())

    def confirm(self, session: Session, receipt: int) -> list[Reply] | None:
        """Return the answers for senders, after a session has confirmed messages up to a receipt.

        None if there was nothing to confirm.
        """
        queue = self._queues.get(session)
        confirmed = None if queue is None else queue.confirm(receipt)
        return self._note_confirmed(confirmed) if confirmed else None

    # --- messages ------------------------------------------------------------------------------

    def find_repeated(self, sender: Session, request: Direct) -> str | Queued | Error | None:
        """Return the state of an earlier message with the same nonce.

        It is a time if that message has arrived; None if there is no such message.
        """
        known = self._nonces.get((sender.name.key, request.nonce), self._monotonic())
        match known:
            case str():
                return known
            case Unconfirmed():
                # Earlier sessions of the same user do not need an answer any more.
                senders = [waiting for waiting in known.senders if waiting.session.is_here]
                if len(senders) >= _MAX_WAITING_SENDERS:
                    return refusals.rate_limited(request.id, _RETRY_UNCONFIRMED_S)
                known.senders = [*senders, WaitingSender(sender, request.id)]
                return Queued(None)
            case _UnderWay():
                return refusals.rate_limited(request.id, _RETRY_WHILE_UNDER_WAY_S)
        return None

    def accept(
        self, sender: Session, request: Direct, receiver: Session, time: str
    ) -> Delivery | Queued | None:
        """Put a message into its receiver's queue; return a Delivery if that has no receipts.

        The caller carries a Delivery out, and then calls `end_delivery`. None: the queue is full.
        """
        queue = self._queues.get(receiver)
        if queue is not None and queue.bytes >= self._bytes_until_busy:
            return None
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
        waiting = WaitingSender(sender, request.id)
        if nonce is UNSET:
            queue.add(message, None, waiting)
        else:
            key = sender.name.key, nonce
            self._nonces.remember(key, queue.add(message, key, waiting), self._monotonic())
        return Queued(receiver.route)

    def pass_on(
        self, sender: Session, request: Direct, delivery: Delivery
    ) -> Delivery | Queued | None:
        """Send a message to the successor of its receiver's session; None if there is none."""
        receiver, message = latest(delivery.receiver), delivery.message
        if receiver is delivery.receiver or not receiver.is_here:
            return None
        queue = self._queues.get(receiver)
        if queue is None:
            return Delivery(receiver, message)
        key = None if request.nonce is UNSET else (sender.name.key, request.nonce)
        entry = queue.add(message, key, WaitingSender(sender, request.id))
        if key is not None:
            self._nonces.remember(key, entry, self._monotonic())
        return Queued(receiver.route)

    def end_delivery(self, sender: Session, request: Direct, time: str | None) -> None:
        """Note when a message arrived, or that it did not."""
        key = sender.name.key, request.nonce
        if time is None:
            self._nonces.forget(key)
        else:
            self._nonces.remember(key, time, self._monotonic())

    def _note_confirmed(self, confirmed: list[Unconfirmed]) -> list[Reply]:
        replies = []
        for entry in confirmed:
            time = entry.message.time
            if entry.key is not None:
                self._nonces.remember(entry.key, time, self._monotonic())
            for waiting in entry.senders:
                sender, request_id = _follow(waiting)
                if request_id is not UNSET:
                    replies.append(Reply(sender.route, Ok(id=request_id, time=time)))
        return replies


class DirectMessages:
    """The verbs of the Hub about direct messages. Any thread may call."""

    def __init__(
        self,
        lock: threading.Lock,
        registry: Registry,
        direct_queues: DirectQueues,
        stamps: Stamps,
        activity: Activity,
    ) -> None:
        """`stamps` and `activity` (for accepted requests) are used under the lock."""
        self._lock = lock
        self._registry = registry
        self._direct_queues = direct_queues
        self.stamps = stamps
        self._note_activity = activity.note
        self.accepted = 0  # number of messages accepted since the start

    def accept(self, session: Session, request: Direct) -> Delivery | Queued | Ok | Error | None:
        """Accept a direct message for its receiver, or refuse it; None if there is nothing to do.

        It sends nothing. If the receiver has no receipts, the sender's worker carries the Delivery
        out (workers/deliveries.py), and then calls `end_delivery`. The answer to a Queued message
        is returned later by `confirm`, or by `Hub.release`.
        """
        problem = check_text(request.text)
        if problem is not None:
            return refusals.text_refused(request, problem)
        with self._lock:
            if not session.is_here:
                return refusals.no_name(request) if session.is_console else None
            if request.nonce is not UNSET:
                found = self._direct_queues.find_repeated(session, request)
                if isinstance(found, Error):
                    return found
                if found is not None:
                    self._note_activity(session)
                    return ok(request, found) if isinstance(found, str) else found
            receiver = self._registry.find(request.to)
            if receiver is None:
                return refusals.not_connected(request, request.to)
            outcome = self._direct_queues.accept(session, request, receiver, self.stamps.now())
            if outcome is None:
                return refusals.busy(request)
            self.accepted += 1
            self._note_activity(session)
            return outcome

    def end_delivery(
        self, session: Session, request: Direct, delivery: Delivery, handover: Handover
    ) -> Delivery | Queued | Ok | Error | None:
        """Return the answer after the outcome of a Delivery, or the message's next step.

        If the receiver's session was taken over meanwhile, its successor gets the message.
        """
        time = delivery.message.time if handover is DONE else None
        if handover is GONE and session.is_here:
            with self._lock:
                passed_on = self._direct_queues.pass_on(session, request, delivery)
            if passed_on is not None:
                return passed_on
        if request.nonce is not UNSET:
            with self._lock:
                self._direct_queues.end_delivery(session, request, time)
        if time is not None:
            return ok(request, time)
        if handover is BUSY:
            return refusals.busy(request)
        return refusals.not_connected(request, request.to)

    def pop_unsent(self, session: Session) -> tuple[list[DirectMessage], list[Reply]]:
        """Return the direct messages to send to a session now. See DirectQueues.pop_unsent."""
        with self._lock:
            return self._direct_queues.pop_unsent(session)

    def confirm(self, session: Session, request: Received) -> list[Reply] | None:
        """Return the answers for the senders of the direct messages that a session confirms.

        None if there was nothing to confirm.
        """
        with self._lock:
            return self._direct_queues.confirm(session, request.receipt)


def ok(request: Direct, time: str) -> Ok | None:
    """Return the answer to a direct message that has arrived; None if it has no `id`."""
    return None if request.id is UNSET else Ok(id=request.id, time=time)


def _follow(waiting: WaitingSender) -> tuple[Session, int | UnsetType]:
    """Return the latest session of a waiting sender, and the id of its request.

    Another session than that of the request waits for no answer: then there is no id.
    """
    session = latest(waiting.session)
    return session, waiting.request_id if session is waiting.session else UNSET


def latest(session: Session) -> Session:
    """Return the latest successor of a session; the session itself if it has none."""
    while session.successor is not None:
        session = session.successor
    return session
