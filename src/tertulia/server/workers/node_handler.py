"""Decides, in a cluster, when a request may be carried out, and handles its outcome.

A connection is held from the proposal of its request until the outcome comes back from the common
log. Messages do not hold it, so that many can be under way; another request then waits until they
have their places. So a client's requests take effect in their order. Only the worker's thread runs
this.
"""

from msgspec import UNSET

from tertulia.protocol.messages import (
    CUT_OFF,
    CloseReason,
    Closing,
    Error,
    NodeList,
    Ping,
    Pong,
    Quit,
    Received,
    Register,
    Say,
)
from tertulia.protocol.watching import TakeMeasures
from tertulia.server import refusals
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.ordered import (
    NodesNamed,
    OrderedRow,
)
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.wait import Wait
from tertulia.server.workers.connection import (
    NOT_HELD,
    OPEN_STATES,
    REGISTERED,
    Connection,
    Hold,
)
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.door import AnyRequest, Control
from tertulia.server.workers.handler import Finish, Outcome, RequestHandler, Step
from tertulia.server.workers.input import Input
from tertulia.server.workers.mail import Expel
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.node_input import NodeInput
from tertulia.server.workers.output import Output
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.switchboard import Switchboard

_AT_ONCE = (Ping, Pong, Received, Control, TakeMeasures)  # do not concern other nodes
_TRY_ANOTHER_S = 1.0  # when this node has not been able to serve for too long


class NodeHandler(RequestHandler):
    """Carries out requests, each when its turn comes."""

    def __init__(self, shared: Shared, mailbox: Mailbox) -> None:
        super().__init__(shared, mailbox)
        assert shared.node is not None
        self._node = shared.node
        self._admission = shared.admission

    def handle(self, connection: Connection, request: AnyRequest, now: float) -> Outcome:
        """Carry out one request, or let it wait. See RequestHandler.handle."""
        if not isinstance(request, _AT_ONCE) and not self.has_turn(connection, request, now):
            return Step.WAIT_FOR_TURN
        return super().handle(connection, request, now)

    def register(
        self, connection: Connection, request: Register, *, may_challenge: bool
    ) -> Registered | Conflict | Wait | Error | Finish:
        """Try to give a connection a session, if this node has room. See RequestHandler.register.

        If not, other nodes may have room. Taking over a session needs no room.
        """
        if request.token is UNSET and self._admission.is_full:
            return Finish(CloseReason.REFUSED, refusals.server_full(request.id))
        return super().register(connection, request, may_challenge=may_challenge)

    def has_turn(self, connection: Connection, request: AnyRequest, now: float) -> bool:
        """Return whether a request can be carried out now."""
        if connection.orders_due and not isinstance(request, Say):
            return False
        return self._node.serves(now) or isinstance(request, Quit)


def discard_outcome(row: OrderedRow, hub: Hub, switchboard: Switchboard) -> None:
    """Handle an outcome whose connection has ended. Any thread may call.

    If the connection was registering, its new session is ended. Users whom an operator has expelled
    are still told.
    """
    if isinstance(row.request, Register):
        switchboard.disconnect(row.number)
    outcome = row.outcome
    if isinstance(outcome, Registered):
        hub.release(outcome.session, CloseReason.LOST)
    elif isinstance(outcome, Moderated):
        for expelled in outcome.expelled:
            route = expelled.session.route
            switchboard.post(route, Expel(route.number, expelled.closing))
            switchboard.send(expelled.replies)


class NodeMailHandler:
    """Handles the node's mail for one worker."""

    def __init__(
        self,
        connections: Connections,
        handler: RequestHandler,
        input_: Input,
        output: Output,
        shared: Shared,
    ) -> None:
        self._connections = connections
        self._handler = handler
        self._input = input_
        self._output = output
        self._hub = shared.hub
        self._switchboard = shared.switchboard

    def look_ahead(self, connection: Connection) -> None:
        """Begin to answer the pings of a connection, if it is held for the log."""
        assert isinstance(self._input, NodeInput)
        self._input.look_ahead(connection)

    def name_nodes(self, connection: Connection, mail: NodesNamed) -> None:
        """Tell a client which nodes are up, if it wants to know."""
        if connection.state is REGISTERED and connection.hears_nodes:
            self._output.send(connection, NodeList(nodes=mail.nodes, per_node=mail.per_node))

    def discard_outcomes(self, rows: list[OrderedRow]) -> None:
        """Handle outcomes whose connections have ended."""
        for row in rows:
            discard_outcome(row, self._hub, self._switchboard)

    def handle_outcome(self, row: OrderedRow) -> None:
        """Carry out the outcome of one request of this worker."""
        connection = self._connections.of_session(row.number)
        if connection is None:
            self.discard_outcomes([row])
        else:
            self._connections.guarded(connection, self._on_outcome, row)

    def _on_outcome(self, connection: Connection, row: OrderedRow) -> None:
        request, outcome, session = row.request, row.outcome, connection.session
        if session is None:
            self._on_registered(connection, row)
        elif request is None:
            self._input.send_own_presence(connection, session)
        elif isinstance(request, Say):
            connection.orders_due -= 1
            if outcome is not Wait.FOR_DISK:
                connection.answers_due -= 1
                self._input.act(connection, request, outcome)
            self._input.send_own_presence(connection, session)
            if not connection.orders_due:
                self.try_waiting_request(connection)
        elif connection.hold is Hold.ORDER and connection.state is REGISTERED:
            connection.release_hold()
            outcome = self._handler.note_wait(connection, outcome)
            self._input.act_and_resume(connection, session, request, outcome)
        else:
            self.discard_outcomes([row])

    def _on_registered(self, connection: Connection, row: OrderedRow) -> None:
        route = self._connections.stop_expecting(connection)
        if connection.state not in OPEN_STATES or connection.hold is not Hold.ORDER:
            self.discard_outcomes([row])
            return
        connection.release_hold()
        outcome = self._handler.settle_registration(route, row.outcome)
        self._input.act(connection, row.request, outcome)
        # Others may have sent direct messages since the registration was decided, unannounced.
        self._input.deliveries.send_queue(connection)
        if connection.hold is NOT_HELD:
            self._input.resume(connection)

    def try_waiting_request(self, connection: Connection) -> None:
        """Carry out a waiting request, if its turn has come."""
        if connection.hold is not Hold.TURN or connection.state not in OPEN_STATES:
            return
        if connection.held_request is None and connection.orders_due:
            return
        request = connection.release_hold()
        if request is None:  # the end of its input waited for the turn
            self._input.finish_at_eof(connection)
            return
        outcome = self._handler.handle(connection, request, self._input.now)
        self._input.act(connection, request, outcome)
        if connection.session is not None:
            self._input.send_own_presence(connection, connection.session)
        if connection.hold is NOT_HELD:
            self._input.resume(connection)

    def send_away(self, connection: Connection) -> None:
        """Send a user to another node; the console stays."""
        if connection.session is not None and not connection.session.is_console:
            goodbye = Closing(
                reason=CloseReason.SHUTDOWN, cause=CUT_OFF, retry_after=_TRY_ANOTHER_S
            )
            now = self._input.now
            self._connections.finish(connection, CloseReason.SHUTDOWN, goodbye, now)
