"""A client that outlives its connection: for bots that are to run for days.

When the connection is lost a thread of its own makes another, takes the session over with its token
and fills the hole from the history: `events` gives every message of the general chat once and in
order, and `say` repeats what was not acknowledged, under its nonce, so that it is said once.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

from tertulia.client.catchup import CatchUp
from tertulia.client.client import DEFAULT_TIMEOUT_S, Client, ClientEvent
from tertulia.client.errors import (
    ConnectionLost,
    NoAnswer,
    RegistrationRefused,
    RequestRefused,
    wait_before_retry,
)
from tertulia.client.inbox import Dropped, Inbox, Incoming
from tertulia.client.reconnect import Reconnector
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import ErrorCode, Gap, NumberedEvent


class PersistentClient:
    """A registered user who comes back.

    `connect` takes what `Client.connect` takes. Any thread may call.
    """

    def __init__(self, connect: Callable[[str | None], Client], timeout: float) -> None:
        self._timeout = timeout
        self._wake = threading.Event()
        self._reconnector = Reconnector(connect, self._wake.set)
        self._changed = threading.Condition()  # over what follows
        self._client = connect(None)
        self._closed = False
        self._refused: RegistrationRefused | None = None
        self._catch_up = CatchUp(self._client.welcome, 0)  # the keeper's own
        self._inbox = Inbox()
        self._keeper = threading.Thread(target=self._keep, name="tertulia-keeper", daemon=True)
        self._keeper.start()

    @classmethod
    def connect(
        cls, host: str, port: int, name: str, *, timeout: float = DEFAULT_TIMEOUT_S, **options: Any
    ) -> Self:
        """Connect and register; raises NoConnection and RegistrationRefused, the first time."""

        def connect(token: str | None) -> Client:
            return Client.connect(host, port, name, token=token, timeout=timeout, **options)

        return cls(connect, timeout)

    @property
    def current(self) -> Client:
        """The connection there is now, or was last: for all that need not be repeated."""
        with self._changed:
            return self._client

    def say(self, text: str, *, within_s: float = 60.0) -> int:
        """Send to the general chat, once, over as many connections as it takes.

        Returns the number of the message. Raises RequestRefused; RegistrationRefused if there is
        no way back; NoAnswer if it was not acknowledged in time, which leaves open whether it was
        said.
        """
        nonce = secrets.token_urlsafe(9)
        give_up_at = time.monotonic() + within_s
        client: Client | None = None
        while True:
            client = self._other_than(client, give_up_at)
            while True:
                try:
                    return client.say(text, nonce=nonce)
                except RequestRefused as refusal:
                    if refusal.code != ErrorCode.RATE_LIMITED or time.monotonic() >= give_up_at:
                        raise
                    time.sleep(wait_before_retry(refusal.error))
                except NoAnswer:
                    if time.monotonic() >= give_up_at:
                        raise
                except ConnectionLost:
                    break

    def events(self) -> Iterator[ClientEvent]:
        """Give the events as they come, until this client is closed or there is no way back."""
        while (incoming := self._inbox.take(None)) is not None:
            if isinstance(incoming.message, ClientEvent):
                yield incoming.message

    def close(self) -> None:
        """End the session. Idempotent."""
        with self._changed:
            self._closed = True
            client = self._client
            self._changed.notify_all()
        self._wake.set()
        self._reconnector.close()
        client.close()
        self._keeper.join(self._timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _other_than(self, lost: Client | None, give_up_at: float) -> Client:
        """Wait for a connection that is not the one that was lost."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._client is not lost or self._closed or self._refused is not None,
                max(0.0, give_up_at - time.monotonic()),
            )
            if self._refused is not None:
                raise self._refused
            if self._client is lost:
                raise NoAnswer("no connection in time")
            return self._client

    # --- the keeper's thread -------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            while True:
                for event in self._client.events():
                    self._take(event)
                client = self._connect_anew()
                if client is None:
                    return
                self._catch_up.reconnected(client.welcome)
                with self._changed:
                    self._client = client
                    closed = self._closed
                    self._changed.notify_all()
                if closed:
                    client.close()
                    return
                self._fill()
        finally:
            self._inbox.close()

    def _take(self, event: ClientEvent) -> None:
        if not isinstance(event, NumberedEvent | Gap):
            self._put(event)
            return
        self._give(self._catch_up.take(event))
        if isinstance(event, Gap):
            self._fill()

    def _give(self, events: list[NumberedEvent]) -> None:
        for event in events:
            self._put(event)

    def _put(self, event: ClientEvent) -> None:
        # The inbox measures by the line.
        self._inbox.put(Incoming(event, b"" if isinstance(event, Dropped) else encode(event)))

    def _fill(self) -> None:
        """Fetch what is missing; what cannot be had is announced by a Gap."""
        while (request := self._catch_up.request) is not None:
            try:
                self._give(self._catch_up.page(request, self._client.page(request)))
            except RequestRefused as refusal:
                if refusal.code == ErrorCode.RATE_LIMITED:
                    time.sleep(wait_before_retry(refusal.error))
                    continue
                after, before = request.after, request.before
                assert isinstance(after, int)
                assert isinstance(before, int)
                self._put(Gap(after=after, through=before - 1))
                self._give(self._catch_up.give_up(request))
            except NoAnswer:
                continue  # nothing of what comes live can be given before
            except ConnectionLost:
                return  # the next connection asks again

    def _connect_anew(self) -> Client | None:
        """Wait for another connection; None if there will be none."""
        ended = self._client.ended
        if self._closed or ended is None:
            return None
        self._reconnector.lost(ended, self._client.welcome.token)
        while not self._closed:
            self._wake.clear()
            try:
                client = self._reconnector.carry_on()
            except RegistrationRefused as refusal:
                with self._changed:
                    self._refused = refusal
                    self._changed.notify_all()
                return None
            if client is not None:
                return client
            wake_at = self._reconnector.wake_at
            self._wake.wait(None if wake_at is None else max(0.0, wake_at - time.monotonic()))
        return None
