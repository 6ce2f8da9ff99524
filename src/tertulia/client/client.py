"""The library: connect, say, direct, status, users, info, and a stream of events.

    with Client.connect("192.168.1.10", 5000, "ana") as client:
        client.say("hola")
        for event in client.events():
            ...

A request waits for its answer in the thread that makes it; `send`, which the faces use, does not.
Any number of threads may make requests. The connection's own thread receives what comes.
"""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal, Self

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tertulia.client.activity import Activity, Resumption
from tertulia.client.addresses import Address, parse_addresses
from tertulia.client.connection import Connection
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    End,
    EndReason,
    NoAnswer,
    NoConnection,
    RegistrationRefused,
    RequestRefused,
    reason_of,
    wait_before_retry,
)
from tertulia.client.inbox import Dropped, Inbox, Incoming
from tertulia.client.nodes import Nodes, connect_to_one
from tertulia.client.opening import open_stream
from tertulia.client.operating import OperatorVerbs
from tertulia.client.pace import Pace
from tertulia.client.requests import AnswerKind, registration, request_line
from tertulia.protocol.attendance import MarkSeen
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    Answer,
    Closing,
    DirectMessage,
    Error,
    ErrorCode,
    Event,
    GetHistory,
    NodeList,
    Received,
    Register,
    Request,
    Search,
    ServerMessage,
    Welcome,
)

if TYPE_CHECKING:
    from ssl import SSLContext

    from tertulia.client.handshake import Secured

DEFAULT_TIMEOUT_S = 10.0
_CHALLENGE_S = 3.0  # the server may wait so long for another session at the same address
_MAX_PAGES_UNDER_WAY = 4  # a server refuses a fifth
AGAIN_LATER = (ErrorCode.RATE_LIMITED, ErrorCode.BUSY)  # the same request may succeed later

ClientEvent = Event | Dropped


class Client(OperatorVerbs):
    """A registered user's connection to a server; `Client.connect` makes one.

    `welcome` is the server's answer to the registration, and `address` is where the server is.
    """

    welcome: Welcome
    address: Address
    # Only if the server has sent another list since the `welcome`.
    nodes: list[str] | UnsetType = UNSET
    per_node: list[int] | UnsetType = UNSET  # belongs to the same list

    def __init__(
        self,
        sock: socket.socket,
        secured: "Secured | None",
        registered: Resumption,
        timeout: float,
        everything: bool,
        notify: Callable[[], None] | None,
        pace: Pace,
        has_room: Callable[[], bool],
    ) -> None:
        self._timeout = timeout
        self._everything = everything
        self._notify = notify
        self._pace = pace
        self._has_room = has_room
        self._inbox = Inbox()
        self._ids = itertools.count(1)
        # Protects the fields below; never held while waiting.
        self._lock = threading.Lock()
        self._pending: dict[int, _PendingAnswer] = {}
        self._activity = Activity(registered, time.monotonic())
        self._registering: _PendingAnswer | None = None
        self._closing: Closing | None = None
        self._last_error: Error | None = None
        self._ended: End | None = None
        self._receipt = 0  # the receipt of the last direct message in the inbox
        self._confirmed = 0  # the last receipt that was confirmed to the server
        self._over = threading.Event()  # set when the connection has ended
        self._pages = threading.BoundedSemaphore(_MAX_PAGES_UNDER_WAY)
        # The fingerprint of the server's certificate; None without TLS.
        self.fingerprint = None if secured is None else secured.fingerprint
        self._connection = Connection(
            sock, secured, on_message=self._on_message, on_pause=self.confirm, on_end=self._on_end
        )

    @classmethod
    def connect(
        cls,
        host: str | Sequence[str],
        port: int,
        name: str,
        *,
        source: str | None = None,
        token: str | None = None,
        status: str | None = None,
        idle: float | None = None,
        code: str | None = None,
        key: str | None = None,
        tls: "bool | SSLContext" = False,
        pin: str | None = None,
        events: Literal["all", "messages"] = "all",
        timeout: float = DEFAULT_TIMEOUT_S,
        connect_timeout: float | None = None,
        everything: bool = False,
        notify: Callable[[], None] | None = None,
        pace: Pace | None = None,
        has_room: Callable[[], bool] = lambda: True,
    ) -> Self:
        """Connect to a server and register `name`.

        `host` may name several servers of one chat, as a sequence or with commas, each with a port
        of its own if needed: `"a,b:5001,[::1]:5002"`. The first server that answers is used.
        `source` is the local address to connect from. `token` takes over an existing session of the
        same name. `status` and `idle` (seconds) restore the status and the idle time of a returning
        user. `code` is the code that some servers require from everyone. `key` is the secret that
        reserves the name, where the server offers that. `tls` encrypts the connection. It is
        protected against somebody in between only with a `pin` (the fingerprint of the server's
        certificate, as its six words or 64 hexadecimal digits), or with an SSLContext that verifies
        certificates. A `pin` implies `tls`. `timeout`, in seconds, limits the connection, the TLS
        handshake, and each request. If `connect_timeout` is given, it limits the first two instead,
        and, with 3 s more, the registration. With `everything`, `receive` returns all messages, not
        only the events. `notify` is called after each arrival and at the end, in the connection's
        thread, and must not wait. `pace` continues the pace of an earlier connection. While
        `has_room` returns False, direct messages are received but not confirmed; call `confirm`
        later to confirm them.
        Raises NoConnection, CertificateRefused and RegistrationRefused, and ValueError for an
        invalid `pin` or `host`.
        """
        request = registration(
            name, token=token, events=None if events == "all" else events, status=status,
            idle=idle, code=code, key=key,
        )  # fmt: skip

        def connect_to(address: Address, within_s: float | None) -> Client:
            within_s = min(timeout, within_s or connect_timeout or timeout)
            sock, secured = open_stream(*address, source, tls, pin, within_s)
            client = cls(
                sock, secured, Resumption(token, status, idle), timeout, everything, notify,
                pace or Pace(), has_room,
            )  # fmt: skip
            try:
                client.welcome = client._register(request, within_s + _CHALLENGE_S)
            except BaseException:
                client._connection.close(linger_s=0.0)  # there is no answer to wait for
                raise
            client.address = address
            return client

        client = connect_to_one(Nodes(parse_addresses(host, port)), connect_to)
        assert isinstance(client, cls)
        return client

    def events(self) -> Iterator[ClientEvent]:
        """Yield the events as they come, until the connection has ended.

        If the program reads too slowly, the oldest messages are dropped: a `Gap` takes the place of
        the oldest events, and a `Dropped` the place of the oldest direct messages.
        """
        while (incoming := self.receive(None)) is not None:
            if isinstance(incoming.message, ClientEvent):
                yield incoming.message

    def receive(self, timeout: float | None) -> Incoming | None:
        """Return the next message with its line; None after `timeout` seconds, or at the end."""
        incoming = self._inbox.get(timeout)
        if self._confirmed < self._receipt:  # there may be room again
            self.confirm()
        return incoming

    def confirm(self) -> None:
        """Confirm the direct messages received so far, unless there is no room for many more."""
        if self._confirmed == self._receipt or not (self._inbox.has_room and self._has_room()):
            return
        # Also while sending, so that two threads cannot send them in the wrong order.
        with self._lock:
            receipt = self._receipt
            if receipt > self._confirmed:
                self._connection.send(encode(Received(receipt=receipt)))
                self._confirmed = receipt

    def send(self, request: Request) -> int:
        """Send a request without waiting; return its id, which its answer will carry.

        Raises RequestRefused for a request that every server would refuse, and ConnectionLost.
        """
        request_id = self._next_id(None)
        self._send(request, request_id)
        return request_id

    def mark_seen(self, seq: int) -> None:
        """Report that the person has seen everything up to a message on an active screen.

        The server does not answer. Of several reports within 2 s it counts only the last.
        """
        self._connection.send(encode(MarkSeen(seq=seq)))

    def close(self) -> None:
        """End the session. Messages received before that can still be read. Idempotent."""
        self._connection.close()

    @property
    def ended(self) -> End | None:
        """Return how the connection ended; None while it is in use."""
        with self._lock:
            return self._ended

    def resumption(self, now: float) -> Resumption:
        """Return the fields for this user to register again at the time `now` (monotonic)."""
        with self._lock:
            return self._activity.resumption(self.welcome.token, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self._lock:
            state = f"{len(self._pending)} waiting" if self._ended is None else str(self._ended)
        return f"<Client: {state}>"

    def _register(self, request: Register, within_s: float) -> Welcome:
        pending = self._registering = _PendingAnswer()
        self._connection.start()
        try:
            return self._ask_once(request, Welcome, pending, min(within_s, self._timeout))
        except RequestRefused as refusal:
            raise RegistrationRefused(refusal.error) from None
        except ConnectionLost as lost:
            if isinstance(pending.answer, Error):  # it came before the registration was sent
                raise RegistrationRefused(pending.answer) from None
            garbled = lost.end.reason is EndReason.GARBLED
            failure = ConnectFailure.NOT_TERTULIA if garbled else ConnectFailure.NO_ANSWER
            raise NoConnection(failure, lost.end.detail) from lost
        except NoAnswer as silence:
            raise NoConnection(ConnectFailure.NO_ANSWER, str(silence)) from silence

    def _ask(self, request: Request, kind: type[AnswerKind]) -> AnswerKind:
        """Send a request at the pace that the server allows, and wait for its answer.

        If the server refuses it only for now, the request is sent again until the time limit.
        """
        give_up_at: float | None = None
        with self._pages if isinstance(request, GetHistory | Search) else nullcontext():
            while True:
                self._over.wait(self._pace.take_turn(time.monotonic()) - time.monotonic())
                sent_at = time.monotonic()
                give_up_at = give_up_at or sent_at + self._timeout
                try:
                    return self._ask_once(request, kind, _PendingAnswer(), self._timeout)
                except RequestRefused as refusal:
                    wait_s, now = wait_before_retry(refusal.error), time.monotonic()
                    if refusal.code not in AGAIN_LATER or now + wait_s > give_up_at:
                        raise
                    if refusal.code == ErrorCode.RATE_LIMITED:
                        self._pace.slow_down(sent_at, now, wait_s)
                    else:
                        self._over.wait(wait_s)

    def _ask_once(
        self, request: Request, kind: type[AnswerKind], pending: "_PendingAnswer", within_s: float
    ) -> AnswerKind:
        request_id = self._next_id(pending)
        try:
            self._send(request, request_id)
            if not pending.answered.wait(within_s):
                raise NoAnswer(f"nothing within {within_s:g} s")
        finally:
            with self._lock:
                self._pending.pop(request_id, None)
        answer = pending.answer
        if isinstance(answer, kind):
            return answer
        if isinstance(answer, Error):
            raise RequestRefused(answer)
        if answer is not None:
            raise NoAnswer(f"{type(answer).__name__} is no answer to {type(request).__name__}")
        end = self.ended
        assert end is not None
        raise ConnectionLost(end)

    def _send(self, request: Request, request_id: int) -> None:
        line = request_line(request, request_id)
        with self._lock:
            self._activity.note_request(request, request_id, time.monotonic())
        self._connection.send(line)

    def _next_id(self, pending: "_PendingAnswer | None") -> int:
        """Return the id of a new request, whose answer goes to `pending`. Raises ConnectionLost."""
        with self._lock:
            if self._ended is not None:
                raise ConnectionLost(self._ended)
            request_id = next(self._ids)
            if pending is not None:
                self._pending[request_id] = pending
            return request_id

    def _on_message(self, message: ServerMessage | None, line: bytes) -> None:
        """Give a message to the thread that waits for it, or to the inbox. Connection's thread."""
        pending = None
        if isinstance(message, Answer):
            pending = self._pop_pending(message)
            if pending is not None:
                pending.answer = message
        elif isinstance(message, Closing):
            with self._lock:
                self._closing = message
        elif isinstance(message, NodeList):
            self.per_node, self.nodes = message.per_node, message.nodes
        if self._everything or isinstance(message, Event):
            self._inbox.put(Incoming(message, line))
            if isinstance(message, DirectMessage) and message.receipt is not UNSET:
                with self._lock:
                    self._receipt = message.receipt
            if self._notify is not None:
                self._notify()
        if pending is not None:
            pending.answered.set()

    def _pop_pending(self, answer: Answer) -> "_PendingAnswer | None":
        """Return and forget the wait that an answer ends; None if there is none."""
        with self._lock:
            self._activity.note_answer(answer)
            if answer.id is not UNSET:
                pending = self._pending.pop(answer.id, None)
            elif isinstance(answer, Error) and answer.code != ErrorCode.UNDELIVERED:
                # A full server refuses before it has read the registration.
                pending = self._registering
                self._last_error = answer
            else:
                return None
            if pending is self._registering:
                self._registering = None
            return pending

    def _on_end(self, end: End) -> None:
        """Release all waiting threads, because no answer can come any more. Connection's thread."""
        with self._lock:
            self._ended = replace(
                end,
                reason=reason_of(end, self._closing),
                closing=self._closing,
                error=self._last_error,
            )
            all_pending = list(self._pending.values())
            self._pending.clear()
        self._over.set()
        self._inbox.close()
        for pending in all_pending:
            pending.answered.set()
        if self._notify is not None:
            self._notify()


class _PendingAnswer:
    """A thread's wait for an answer; `answered` without an answer means the connection ended."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.answer: Answer | None = None
