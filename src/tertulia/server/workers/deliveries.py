"""Direct messages from a worker's connections to those of the same or of another worker.

The Hub returns a Delivery if the receiver's client gives no receipts. In the sender's worker,
`deliver` holds the sender, and the switchboard posts a Deliver to the receiver's worker. There,
`on_deliver` hands the message over and posts a DeliveryOver. In the sender's worker,
`answer_sender` has the Hub make the answer. If both have the same worker, all of it is done at
once.

If the client gives receipts, the message is Queued in the Hub, and the receiver's worker only has
to send the queue. Only the worker's thread runs this; it never waits.
"""

from msgspec import UNSET

from tertulia.protocol.messages import Answer, Direct, DirectMessage, Error
from tertulia.server.hub.directs import BUSY, DONE, GONE, Delivery, Handover, Queued
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import FINISHING, REGISTERED, Connection, Hold
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.mail import Deliver, DeliveryOver, DirectsWaiting
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.output import Output
from tertulia.server.workers.shared import Shared


class Deliveries:
    """The direct messages of a worker's connections. `mailbox` is the worker's own."""

    def __init__(
        self,
        shared: Shared,
        mailbox: Mailbox,
        connections: Connections,
        output: Output,
        observer: Observer,
    ) -> None:
        self._direct_messages = shared.hub.direct_messages
        self._switchboard = shared.switchboard
        self._busy_bytes = shared.config.private_bytes // 2
        self._mailbox = mailbox
        self._connections = connections
        self._output = output
        self._observer = observer

    def deliver(self, connection: Connection, request: Direct, delivery: Delivery) -> None:
        """Hand a direct message over, or have the receiver's worker do so; answer the sender."""
        route = delivery.receiver.route
        find = self._connections.of_session  # a variable, since calling an attribute takes longer
        receiver = find(route.number)
        if receiver is not None:
            handover = self.hand_over(receiver, delivery.message)
            if handover is DONE and request.id is UNSET and request.nonce is UNSET:
                return  # the sender waits for no answer, and nothing has to be noted
            self.answer_sender(connection, request, delivery, handover)
            return
        connection.hold_for(Hold.DELIVERY)  # answers come in the order of the requests
        mail = Deliver(route.number, delivery, request, connection, self._mailbox)
        if not self._switchboard.post(route, mail):  # it has ended meanwhile
            self._mailbox.post(DeliveryOver(connection, request, delivery, GONE))

    def hand_over(self, receiver: Connection, message: DirectMessage) -> Handover:
        """Put a direct message into the output of a session without receipts."""
        if receiver.state is not REGISTERED or not receiver.session.is_here:  # type: ignore[union-attr]
            return GONE
        out = receiver.out
        if out and len(out) > self._busy_bytes:  # it is usually empty
            return BUSY
        self._output.send(receiver, message)
        return DONE

    def answer_sender(
        self, connection: Connection, request: Direct, delivery: Delivery, handover: Handover
    ) -> None:
        """Answer the sender of a direct message after the hand-over, or pass the message on."""
        session = connection.session
        assert session is not None
        outcome = self._direct_messages.end_delivery(session, request, delivery, handover)
        if outcome is not None and connection.state is REGISTERED:
            if isinstance(outcome, Delivery):
                self.deliver(connection, request, outcome)
            elif isinstance(outcome, Queued):
                self.have_queue_sent(connection, request, outcome)
            else:
                if isinstance(outcome, Error):
                    self._observer.on_refused_request(outcome.code)
                self._output.send(connection, outcome)

    def have_queue_sent(self, connection: Connection, request: Direct, queued: Queued) -> None:
        """Have the receiver's queue sent, which has the message; the answer comes later."""
        if request.id is not UNSET:
            connection.confirmations_due += 1
        if queued.route is None:
            return
        number = queued.route.number
        receiver = self._connections.of_session(number)
        if receiver is not None:
            self._connections.guarded(receiver, self.send_queue)
            return
        # If the session has ended meanwhile, its queue was answered.
        self._switchboard.post(queued.route, DirectsWaiting(number))

    def send_queue(self, connection: Connection) -> None:
        """Send a session its queue of direct messages, unless it cannot take them now."""
        session = connection.session
        if session is None or connection.state is not REGISTERED or connection.blocked:
            return
        messages, replies = self._direct_messages.pop_unsent(session)
        if messages:
            self._output.send_all(connection, messages)
        if replies:
            self._switchboard.send(replies)

    def on_deliver(self, mail: Deliver) -> None:
        """Hand over a direct message from another worker, and report the outcome."""
        receiver = self._connections.of_session(mail.session_number)
        handover = self._connections.guarded(receiver, self.hand_over, mail.delivery.message)
        self.report_handover(mail, handover if isinstance(handover, Handover) else GONE)

    def report_handover(self, mail: Deliver, handover: Handover) -> None:
        """Report the outcome of a direct message to the sender's worker."""
        over = DeliveryOver(mail.sender, mail.request, mail.delivery, handover)
        if not mail.reply_to.post(over):
            # That worker has ended, so the sender's connection is closed and no thread touches it.
            self.answer_sender(mail.sender, mail.request, mail.delivery, handover)

    def on_reply(self, connection: Connection, answer: Answer) -> None:
        """Send an answer that waited for the receiver of a direct message."""
        if answer.id is not UNSET:
            if not connection.confirmations_due:
                return  # the server is shutting down: this client has got its last message
            connection.confirmations_due -= 1
        if connection.state in (REGISTERED, FINISHING):
            if isinstance(answer, Error):
                self._observer.on_refused_request(answer.code)
            self._output.send(connection, answer)
