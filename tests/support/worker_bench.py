"""The parts of one worker, put together without its thread, its epoll or a network."""

import itertools
import os
from collections import deque
from collections.abc import Sequence
from typing import Any

from standing_clock import StandingClock

from tertulia.protocol.lines import decode_server_message, encode
from tertulia.protocol.messages import ChatMessage, CloseReason, Register, Request, ServerMessage
from tertulia.server.config import Config
from tertulia.server.doors.native import NativeDoor
from tertulia.server.history.mail import PageTicket
from tertulia.server.hub.hub import Hub
from tertulia.server.hub.keeper import Numbering
from tertulia.server.hub.records import Change, Row
from tertulia.server.hub.session import Owner, Receipt
from tertulia.server.observer import Observer
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.dispatcher import Dispatcher
from tertulia.server.workers.doorkeeper import Doorkeeper
from tertulia.server.workers.handler import RequestHandler
from tertulia.server.workers.input import Input
from tertulia.server.workers.mail import AcceptedSocket, Adopt, HandshakeStepDone, Mail
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.node_handler import NodeHandler
from tertulia.server.workers.node_input import NodeInput
from tertulia.server.workers.output import Output
from tertulia.server.workers.poller import READABLE, WRITABLE, Poller
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.watchdog import Watchdog

_numbers = itertools.count(1_000_000)  # no descriptor of this process is that large


class FakeSocket:
    """A socket without a network: it takes `room` bytes, and gives what a test has put in."""

    def __init__(self, room: int = 10_000_000) -> None:
        self._fd = next(_numbers)
        self.room = room
        self.error: OSError | None = None
        self.sent = bytearray()
        self.incoming: deque[bytes] = deque()
        self.is_shut_down = False
        self.is_closed = False

    def fileno(self) -> int:
        return self._fd

    def send(self, data: bytes) -> int:
        assert not self.is_closed
        if self.error is not None:
            raise self.error
        if not self.room:
            raise BlockingIOError
        size = min(len(data), self.room)
        self.room -= size
        self.sent += data[:size]
        return size

    def recv(self, size: int) -> bytes:
        assert not self.is_closed
        if self.error is not None:
            raise self.error
        if not self.incoming:
            raise BlockingIOError
        data = self.incoming.popleft()
        if len(data) > size:
            self.incoming.appendleft(data[size:])
        return data[:size]

    def shutdown(self, how: int) -> None:
        if self.error is not None:
            raise self.error
        self.is_shut_down = True

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True


class FakeEpoll:
    """An epoll that finds nothing ready, and is as strict as the kernel's."""

    def __init__(self) -> None:
        self.masks: dict[int, int] = {}

    def register(self, fd: int, mask: int) -> None:
        assert fd not in self.masks
        self.masks[fd] = mask

    def modify(self, fd: int, mask: int) -> None:
        assert fd in self.masks
        self.masks[fd] = mask

    def unregister(self, fd: int) -> None:
        del self.masks[fd]

    def close(self) -> None: ...


class FakeHistory:
    """A history that notes what it is asked for; the test answers."""

    numbering = Numbering("epoch", 0, 1_000_000)

    def __init__(self) -> None:
        self.has_space = True
        self.written: list[tuple[ChatMessage, Receipt]] = []
        self.kept: list[tuple[list[Change], Receipt | None]] = []
        self.tickets: list[PageTicket] = []
        self.waiters: list[tuple[Owner, int]] = []

    def nonces(self, now: object) -> list[tuple[int, str, str, str]]:
        return []

    def records(self, kind: type[Row]) -> list[Row]:
        return []

    def keep(self, changes: Sequence[Change], receipt: Receipt | None = None) -> None:
        self.kept.append((list(changes), receipt))

    def reserve_space(self) -> bool:
        return self.has_space

    def write(self, message: ChatMessage, receipt: Receipt) -> None:
        self.written.append((message, receipt))

    def acknowledge(self, receipt: Receipt) -> None: ...

    def reserve_soon(self, seq: int) -> None: ...

    def ask(self, ticket: PageTicket) -> None:
        self.tickets.append(ticket)

    def when_space(self, owner: Owner, session: int) -> None:
        self.waiters.append((owner, session))


class PartingDoor(NativeDoor):
    """A door that has last bytes of its own."""

    def goodbye(self, reason: CloseReason) -> bytes:
        return f"bye {reason}\n".encode()


class WorkerBench:
    """One worker's parts. A second one of the same server gets the first as `beside`."""

    def __init__(
        self,
        *,
        beside: "WorkerBench | None" = None,
        history: FakeHistory | None = None,
        **options: Any,
    ) -> None:
        if beside is None:
            self.clock = clock = StandingClock()
            config = Config(port=0, **({"shared_addresses": True} | options))
            hub = Hub(config, history, monotonic=clock.monotonic, wall=clock.wall)
            shared: Any = Shared(config, hub, history, Admission(config), NativeDoor)
        else:
            self.clock, shared = beside.clock, beside.shared
        self.shared: Shared = shared
        self.hub, self.admission = shared.hub, shared.admission
        self.observer = observer = Observer()
        self.takes_steps = True  # of handshakes, as soon as they are due
        self.mailbox = Mailbox()
        self.poller = poller = Poller(self.mailbox.fileno())
        poller.close()
        self.epoll: Any = FakeEpoll()
        poller._epoll = self.epoll
        self.output = output = Output(self.hub.events, shared.config, observer)
        self.watchdog = watchdog = Watchdog(shared.config)
        self.connections = Connections(shared, poller, output, watchdog, observer)
        handler_class = RequestHandler if shared.node is None else NodeHandler
        self.handler = handler = handler_class(shared, self.mailbox)
        self.doorkeeper = doorkeeper = Doorkeeper(
            shared, self.mailbox, self.connections, output, watchdog, poller, observer
        )
        input_class = Input if shared.node is None else NodeInput
        self.input = input_class(
            shared, self.mailbox, self.connections, handler, output, doorkeeper, poller, observer
        )
        self.dispatcher = Dispatcher(
            *(shared, self.connections, handler, self.input, output, doorkeeper, watchdog, poller),
            *(observer, self.mailbox, lambda _mailbox, _since: None),
        )
        self.pass_time(0.0)

    def pass_time(self, seconds: float) -> None:
        """Begin another round, so much later."""
        self.clock.s += seconds
        self.input.now = self.clock.s

    # --- connections ---------------------------------------------------------------------------

    def connect(self, address: str = "10.0.0.1") -> Connection:
        """Adopt a new connection."""
        sock: Any = FakeSocket()
        assert self.admission.admit(address)
        self.dispatcher.read_mail(Adopt([AcceptedSocket(sock, address)]))
        connection = self.connections.at(sock.fileno())
        assert connection is not None
        return connection

    def join(self, name: str, address: str = "10.0.0.1", **fields: Any) -> Connection:
        """Adopt a connection and register it; everyone has heard of it."""
        connection = self.connect(address)
        self.receive(connection, Register(name=name, **fields))
        self.flush()
        for one in self.connections:
            socket_of(one).sent.clear()
        assert connection.session is not None, connection
        return connection

    def fill(self, connection: Connection) -> None:
        """Let the client take nothing more, and the worker find that out."""
        socket_of(connection).room = 0
        connection.out += b"\n"  # an empty line, which means nothing
        self.output.unblock(connection)
        self.flush()
        assert connection.blocked

    def empty(self, connection: Connection, room: int = 10_000_000) -> None:
        """Let the client accept more data, and the poller report it."""
        socket_of(connection).room = room
        self.ready(connection, WRITABLE)

    # --- what happens in a round ---------------------------------------------------------------

    def receive(self, connection: Connection, *requests: Request | bytes) -> None:
        """Read requests, or bytes, that have come together from a client."""
        data = b"".join(r if isinstance(r, bytes) else encode(r) for r in requests)
        socket_of(connection).incoming.append(data)
        self.ready(connection, READABLE)

    def ready(self, connection: Connection, mask: int) -> None:
        """Serve one connection that the poller has found ready."""
        self.input.on_ready([(connection.fd, mask)])
        if self.takes_steps:
            self.compute_steps()

    def compute_steps(self) -> None:
        """Take all steps of handshakes that are due."""
        while connection := self.doorkeeper.compute_step():
            self.dispatcher.read_mail(HandshakeStepDone(connection))

    def read_mail(self) -> list[Mail]:
        """Read all mail; return it."""
        mails = self.mailbox.collect()
        for mail in mails:
            self.dispatcher.read_mail(mail)
        return mails

    def flush(self) -> None:
        """Send everyone all that there is."""
        self.dispatcher.flush()
        for _ in range(1_000):
            if not self.output.has_work:
                return
            self.dispatcher.flush()
        raise AssertionError("there is no end to the output")

    def heard(self, connection: Connection) -> list[ServerMessage]:
        """Return what a client got since the last time, after sending all that there is."""
        self.flush()
        data = bytes(socket_of(connection).sent)
        socket_of(connection).sent.clear()
        messages = [decode_server_message(line) for line in data.splitlines() if line]
        assert all(messages)
        return messages  # type: ignore[return-value]

    def kinds(self, connection: Connection) -> list[str]:
        """Return the types of what a client got since the last time."""
        return [type(message).__name__ for message in self.heard(connection)]

    def watched(self, connection: Connection) -> int:
        """Return what the poller waits for on a connection; the kernel forgets a closed socket."""
        return 0 if socket_of(connection).is_closed else self.epoll.masks.get(connection.fd, 0)

    def close(self) -> None:
        """Free the descriptor."""
        os.fstat(self.mailbox.fileno())
        self.mailbox.close()


def socket_of(connection: Connection) -> FakeSocket:
    """Return the far end of a connection."""
    sock: Any = connection.sock
    return sock
