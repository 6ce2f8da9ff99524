"""A client that makes a new connection when one is lost: for bots that run for days.

The keeper's thread makes the new connection, takes over the session with its token, and fetches the
missed messages. `events` yields every message of the general chat once and in order. A request is
repeated until it is answered; a repeated message has the same nonce, so that it is said once.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tertulia.client.activity import NEWCOMER, Resumption
from tertulia.client.addresses import Address, parse_addresses
from tertulia.client.client import AGAIN_LATER, DEFAULT_TIMEOUT_S, Client, ClientEvent
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    Kicked,
    NoAnswer,
    NoConnection,
    RequestRefused,
    wait_before_retry,
)
from tertulia.client.inbox import Dropped, Inbox, Incoming
from tertulia.client.nodes import Nodes, connect_to_one
from tertulia.client.pace import Pace
from tertulia.client.reconnect import Connect, Reconnector
from tertulia.client.session import Expelled, Refused, Resumed, Session
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import (
    DirectMessage,
    ErrorCode,
    Gap,
    NumberedEvent,
    UserInfo,
    UserList,
)

if TYPE_CHECKING:
    from ssl import SSLContext

DEFAULT_WITHIN_S = 60.0  # for a request, over all the connections that it takes

_Result = TypeVar("_Result")


class PersistentClient:
    """A registered user whose connection is made again whenever it is lost.

    `connect` accepts what `Client.connect` accepts. Any thread may call any method.
    """

    def __init__(
        self,
        connect: Connect,
        timeout: float,
        registration: Resumption = NEWCOMER,
        inbox: Inbox | None = None,
        nodes: Nodes | None = None,
    ) -> None:
        self._timeout = timeout
        # Set when an attempt has an outcome, or this client was closed.
        self._wake = threading.Event()
        self._inbox = inbox or Inbox()
        self._changed = threading.Condition()  # protects the three fields below
        self._client = connect(registration)
        self._closed = False
        self._failure: Exception | None = None  # why this client cannot connect again
        reconnector = Reconnector(connect, self._wake.set, waits_for_others=True, nodes=nodes)
        # Only the keeper's thread uses the session.
        self._session = Session(self._client, reconnector, first_page=0)
        self._keeper = threading.Thread(target=self._keep, name="tertulia-keeper", daemon=True)
        self._keeper.start()

    @classmethod
    def connect(
        cls,
        host: str | Sequence[str],
        port: int,
        name: str,
        *,
        token: str | None = None,
        status: str | None = None,
        idle: float | None = None,
        tls: "bool | SSLContext" = False,
        pin: str | None = None,
        operator_secret: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
        **options: Any,
    ) -> Self:
        """Connect and register. Only this first time it raises NoConnection.

        If several servers are one chat, the client tries the other ones immediately after a lost
        connection, including those that only a `welcome` has named. With `tls=True` and without a
        `pin`, it accepts from each server only the certificate of the first connection. A `pin`
        holds for all servers. With `operator_secret` each session becomes an operator's. Also
        raises RegistrationRefused and CertificateRefused, and RequestRefused for a wrong secret.
        """

        pace, inbox = Pace(), Inbox()
        nodes = Nodes(parse_addresses(host, port))
        pins: dict[Address, str] = {}  # of the certificates seen so far

        def connect(resumption: Resumption) -> Client:
            def connect_to(address: Address, within_s: float | None) -> Client:
                client = Client.connect(
                    *address, name,
                    token=resumption.token, status=resumption.status, idle=resumption.idle_s,
                    tls=tls, pin=pin or pins.get(address), timeout=timeout,
                    connect_timeout=within_s,
                    pace=pace, has_room=lambda: inbox.has_room, **options,
                )  # fmt: skip
                if tls is True and client.fingerprint is not None:
                    pins[address] = client.fingerprint.hex
                if operator_secret is not None and not client.welcome.operator:
                    _become_operator(client, operator_secret)
                return client

            return connect_to_one(nodes, connect_to)

        return cls(connect, timeout, Resumption(token, status, idle), inbox, nodes)

    @property
    def current(self) -> Client:
        """Return the current connection, or the last one, for requests that are made only once."""
        with self._changed:
            return self._client

    def say(self, text: str, *, within_s: float = DEFAULT_WITHIN_S) -> int:
        """Send to the general chat, once, over as many connections as it takes.

        Returns the number of the message. Raises RequestRefused; Kicked if an operator has ended
        the session; RegistrationRefused if the server does not register this user again; NoAnswer
        if no answer came within `within_s` seconds, so that it is unknown whether the request was
        carried out.
        """
        nonce = secrets.token_urlsafe(9)
        return self._ask(lambda client: client.say(text, nonce=nonce), within_s)

    def direct(self, to: str, text: str, *, within_s: float = DEFAULT_WITHIN_S) -> str | None:
        """Send to one user, as `Client.direct` does.

        A message that was not acknowledged is sent again, as in `say`. If the server was restarted
        in between, another kind of client may show it twice. Raises the errors of `say`;
        RequestRefused with `undelivered` if the other user's session ended without confirming the
        message.
        """
        nonce = secrets.token_urlsafe(9)
        return self._ask(lambda client: client.direct(to, text, nonce=nonce), within_s)

    def set_status(self, status: str, *, within_s: float = DEFAULT_WITHIN_S) -> None:
        """Request a status, one of `Status`; new connections keep it. Raises as `say` does."""
        self._ask(lambda client: client.set_status(status), within_s)

    def users(self, *, within_s: float = DEFAULT_WITHIN_S) -> UserList:
        """Request the list of users. Raises as `say` does."""
        return self._ask(lambda client: client.users(), within_s)

    def info(self, name: str, *, within_s: float = DEFAULT_WITHIN_S) -> UserInfo:
        """Request what the server knows about one user. Raises as `say` does."""
        return self._ask(lambda client: client.info(name), within_s)

    def events(self) -> Iterator[ClientEvent]:
        """Yield the events as they come, until this client is closed.

        Raises Kicked after the last event if an operator has ended the session, RegistrationRefused
        if the server will never register this user again, and CertificateRefused if another server
        has taken its place. It waits without limit for a server that is down or full, and for a
        name or an address that another user has.
        """
        while (incoming := self._inbox.get(None)) is not None:
            self.current.confirm()  # there may be room again
            if isinstance(incoming.message, ClientEvent):
                yield incoming.message
        with self._changed:
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """End the session. Idempotent."""
        with self._changed:
            self._closed = True
            client = self._client
            self._changed.notify_all()
        self._wake.set()
        client.close()
        self._keeper.join(self._timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _ask(self, make: Callable[[Client], _Result], within_s: float) -> _Result:
        """Repeat a request, over any number of connections, until it is answered."""
        give_up_at = time.monotonic() + within_s
        client: Client | None = None
        while True:
            client = self._wait_for_another(client, give_up_at)
            while True:
                try:
                    return make(client)
                except RequestRefused as refusal:
                    if refusal.code not in AGAIN_LATER or time.monotonic() >= give_up_at:
                        raise
                    self._pause(wait_before_retry(refusal.error))
                except NoAnswer:
                    if time.monotonic() >= give_up_at:
                        raise
                except ConnectionLost:
                    break

    def _wait_for_another(self, lost: Client | None, give_up_at: float) -> Client:
        """Wait for a connection other than the lost one, and return it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._client is not lost or self._closed or self._failure is not None,
                max(0.0, give_up_at - time.monotonic()),
            )
            if self._failure is not None:
                raise self._failure
            if self._client is lost:
                raise NoAnswer("no connection in time")
            return self._client

    def _pause(self, seconds: float) -> bool:
        """Wait until the time is over or this client is closed; return whether it was closed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, seconds)

    # --- the keeper's thread -------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            connected = True
            while connected:
                for event in self._session.client.events():
                    self._receive(event)
                connected = self._reconnect()
                if connected:
                    self._fetch_missing()
        except Exception as failure:  # noqa: BLE001 (the methods and events() raise it)
            with self._changed:
                self._failure = failure
                self._changed.notify_all()
        finally:
            self._session.close()
            self._inbox.close()

    def _receive(self, event: ClientEvent) -> None:
        if isinstance(event, DirectMessage) and not self._session.directs.is_new_direct(event):
            return
        if not isinstance(event, NumberedEvent | Gap):
            self._publish([event])
            return
        self._publish(self._session.catch_up.add_live(event))
        if isinstance(event, Gap):
            self._fetch_missing()

    def _publish(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            # The inbox measures an event by its line.
            line = b"" if isinstance(event, Dropped) else encode(event)
            self._inbox.put(Incoming(event, line))

    def _fetch_missing(self) -> None:
        """Fetch the missing pages; a Gap stands in the place of one that the server refuses."""
        catch_up, client = self._session.catch_up, self._session.client
        while (request := catch_up.request) is not None:
            try:
                self._publish(catch_up.add_page(request, client.page(request)))
            except RequestRefused as refusal:
                if refusal.code != ErrorCode.RATE_LIMITED:
                    self._publish(catch_up.give_up(request, refusal.error))
                elif self._pause(wait_before_retry(refusal.error)):
                    return
            except NoAnswer:
                continue  # a live event must not be shown before the page
            except ConnectionLost:
                return  # it is requested again on the next connection

    def _reconnect(self) -> bool:
        """Wait for another connection; return False if this client was closed.

        Raises RegistrationRefused and Kicked if it can never connect again.
        """
        while True:
            self._wake.clear()
            with self._changed:
                if self._closed:
                    return False
            change = self._session.advance(time.monotonic())
            match change:
                case Resumed(client=client):
                    with self._changed:
                        self._client = client
                        self._changed.notify_all()
                        return not self._closed
                case Expelled(end):
                    raise Kicked(end)
                case Refused(refusal):
                    raise refusal
                case None:
                    wake_at = self._session.wake_at
                    self._wake.wait(
                        None if wake_at is None else max(0.0, wake_at - time.monotonic())
                    )


def _become_operator(client: Client, secret: str) -> None:
    """Make a new session an operator's, or close it. Raises NoConnection and RequestRefused."""
    try:
        client.become_operator(secret)
    except RequestRefused:
        client.close()
        raise
    except (ConnectionLost, NoAnswer) as lost:
        client.close()
        raise NoConnection(ConnectFailure.NO_ANSWER, str(lost)) from lost
