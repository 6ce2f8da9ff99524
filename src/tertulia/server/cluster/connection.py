"""A connection to one nats-server, made with nats-py. When it has ended, the link makes a new one.

nats-py's own reconnection is not used. Before it connects again, it waits until the old socket has
taken the unsent data, and waits for ever if the server has stopped reading. After some errors, such
as a changed password, it gives up for good. Only the link's thread runs this.
"""

import asyncio
import contextlib
import logging
import os
import re
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from tertulia.i18n import _
from tertulia.server.cluster import unusable
from tertulia.server.cluster.addresses import Address
from tertulia.server.cluster.credentials import Credentials
from tertulia.server.cluster.unusable import OLDEST_SERVER, ClusterUnusable

log = logging.getLogger("tertulia.server")
logging.getLogger("nats").setLevel(logging.CRITICAL)  # This module gets all its errors.

_CONNECT_S = 1.0  # for each step: TCP, greeting, TLS
_OPEN_S = 3.0  # for all of them
_PING_S = 1.0
_DEAD_S = 2.5  # without a sign of life, although pings were sent
_DRAIN_S = 1.0  # for unsent data at the end
_CLOSE_S = 0.1  # nats-py may wait for ever for a socket whose TLS handshake has failed
_NEVER_S = 1_000_000
_WRONG_NAME = (62, 64)  # OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH
_MAX_UNSENT_BYTES = 16 << 20  # Messages beyond it are dropped; their senders send them again.

Handler = Callable[[Msg], None]
Arrived = Callable[[Handler, Msg], None]


class _Client(Client):
    """nats-py's client, in which every error but a denied permission ends the connection."""

    def __init__(
        self,
        needs_tls: bool,
        trust: Callable[[], ssl.SSLContext],
        on_end: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._needs_tls = needs_tls
        self._trust = trust
        self._on_end = on_end

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """The authorities that TLS trusts. nats-py reads this when the server wants TLS."""
        return self._trust()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Stop if TLS is required and the server has none, before credentials are sent."""
        if initial_connection and self._needs_tls:
            if not (info.get("tls_required") or info.get("tls_available")):
                raise errors.SecureConnWantedError
            info["tls_required"] = True

    async def _process_err(self, err_msg: str) -> None:
        error = errors.Error(err_msg.strip("'"))
        await (self._error_cb(error) if _is_denial(err_msg) else self._process_op_err(error))

    async def _process_op_err(self, e: Exception) -> None:
        self._on_end(e)

    def abort(self) -> None:
        """End the connection at once, and drop what is not sent yet."""
        self._pending.clear()
        self._pending_data_size = 0
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()


class Connection:
    """A connection from `open` to `close`. `ended` is set when it can no longer be used."""

    def __init__(
        self,
        address: Address,
        trust: Callable[[], ssl.SSLContext],
        on_arrival: Arrived,
        on_error: Callable[[], None],
    ) -> None:
        """`on_arrival` gets each message with the handler of its subscription."""
        self.address = address
        self.ended = asyncio.Event()
        self.why_ended = ""
        self.denial = ""  # the last subject that the server did not permit
        self._on_arrival = on_arrival
        self._on_error = on_error
        self._last_error: Exception | None = None
        self._client = _Client(address.has_tls, trust, self._note_end)
        self._unsent: deque[tuple[int, Callable[[], Awaitable[None]]]] = deque()
        self._unsent_bytes = 0
        self._wake = asyncio.Event()
        self._subscriptions: dict[str, Subscription] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._pongs = 0
        self._signs_of_life = 0
        self._silent_s = 0.0

    async def open(self, name: str, credentials: Credentials) -> None:
        """Connect. Raises NotReachable, or another ClusterUnusable if waiting would not help."""
        shown: dict[str, Any] = {}
        if credentials.key is not None:
            jwt = (credentials.jwt or "").encode()
            shown = {"user_jwt_cb": lambda: jwt, "signature_cb": credentials.sign}
        elif credentials.token is not None:
            shown = {"token": credentials.token}
        elif credentials.user is not None:
            shown = {"user": credentials.user, "password": credentials.password}
        is_open = False
        try:
            await asyncio.wait_for(
                self._client.connect(
                    [self.address.url], name=name, allow_reconnect=False, max_reconnect_attempts=1,
                    reconnect_time_wait=0, connect_timeout=_CONNECT_S,  # type: ignore[arg-type]
                    ping_interval=_NEVER_S, error_cb=self._note, **shown,
                ),
                _OPEN_S,
            )  # fmt: skip
            if not self._client.is_connected:
                raise errors.Error("nats: no answer")
            self._check_version()
            is_open = True
        except (OSError, errors.Error) as error:
            cause = self._last_error if isinstance(error, errors.NoServersError) else error
            raise _why_not_open(self.address, cause or error) from error
        finally:
            if not is_open:  # Also if the link ends during the attempt.
                self._client.abort()
                await self._close()
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._ping())]

    def _check_version(self) -> None:
        version = str(self._client._server_info.get("version", "?"))
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        if numbers < OLDEST_SERVER:
            raise unusable.too_old(str(self.address), version)

    @property
    def has_jetstream(self) -> bool:
        """Whether this server keeps streams. If it does not, others of its cluster may."""
        return bool(self._client._server_info.get("jetstream"))

    def send(self, subject: str, data: bytes, reply: str = "") -> None:
        """Queue a message to be sent; drop it if too much already waits."""
        if self._unsent_bytes + len(data) > _MAX_UNSENT_BYTES:
            self._on_error()
            return
        self._queue(len(data), partial(self._client.publish, subject, data, reply))

    def subscribe(self, subject: str, handler: Handler) -> None:
        """Subscribe to a subject, after what was queued before."""
        self._queue(0, partial(self._subscribe, subject, handler))

    def unsubscribe(self, subject: str) -> None:
        """End a subscription. Messages that were already received may still be handed on."""
        self._queue(0, partial(self._unsubscribe, subject))

    async def round_trip(self) -> None:
        """Wait until the server has received what is queued, or the connection has ended."""
        passed = asyncio.Event()

        async def pass_by() -> None:
            passed.set()

        self._queue(0, pass_by)
        await passed.wait()
        await self._client.rtt(_NEVER_S)

    def age(self, seconds: float) -> None:
        """Add to the time since the last message; end the connection if that is too long."""
        signs_of_life = self._client.stats["in_msgs"] + self._pongs
        if signs_of_life != self._signs_of_life:
            self._signs_of_life, self._silent_s = signs_of_life, 0.0
            return
        self._silent_s += seconds
        if self._silent_s > _DEAD_S:
            self._note_end(errors.StaleConnectionError())

    async def close(self, *, at_once: bool = True) -> None:
        """End the connection, and first send what is queued unless `at_once`."""
        if not at_once:
            with contextlib.suppress(TimeoutError, OSError, errors.Error):
                await asyncio.wait_for(self.round_trip(), _DRAIN_S)
        self._unsent.clear()
        while pending := [task for task in self._tasks if not task.done()]:
            for task in pending:
                task.cancel()  # Repeated, because nats-py sometimes swallows it.
            await asyncio.sleep(0)
        self._client.abort()
        await self._close()

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError, OSError, errors.Error):
            await asyncio.wait_for(self._client.close(), _CLOSE_S)

    def _note_end(self, error: Exception) -> None:
        if not self.ended.is_set():
            self.why_ended = str(error)
            self.ended.set()

    async def _note(self, error: Exception) -> None:
        self._last_error = error
        if _is_denial(str(error)) and str(error) != self.denial:
            self.denial = str(error)
            log.warning("nats server=%s refuses: %s", self.address, error)
        self._on_error()

    def _queue(self, size: int, step: Callable[[], Awaitable[None]]) -> None:
        self._unsent.append((size, step))
        self._unsent_bytes += size
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._unsent:
                size, step = self._unsent.popleft()
                self._unsent_bytes -= size
                try:
                    await step()
                except (OSError, errors.Error) as error:
                    await self._note(error)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_S)
            try:
                # Not `flush`, which succeeds at once when nothing reads any more.
                await self._client.rtt(_NEVER_S)
            except (OSError, errors.Error) as error:
                self._note_end(error)
                return
            self._pongs += 1

    async def _subscribe(self, subject: str, handler: Handler) -> None:
        async def arrive(message: Msg) -> None:
            self._on_arrival(handler, message)

        # No limit, because nats-py drops messages beyond it. Little can wait here: the link's
        # thread reads the socket only when it has nothing else to do.
        subscription = await self._client.subscribe(
            subject, cb=arrive, pending_msgs_limit=0, pending_bytes_limit=0
        )
        self._subscriptions[subject] = subscription

    async def _unsubscribe(self, subject: str) -> None:
        subscription = self._subscriptions.pop(subject, None)
        if subscription is not None:
            await subscription.unsubscribe()


def _is_denial(text: str) -> bool:
    return "permissions violation" in text.lower()


def _why_not_open(address: Address, error: Exception) -> ClusterUnusable:
    server = str(address)
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _WRONG_NAME:
        return unusable.of_another_name(server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return unusable.not_trusted(server, error.verify_message)
    if isinstance(error, errors.SecureConnWantedError):
        return unusable.without_tls(server)
    text = str(error).lower()
    if "authorization" in text or "authentication" in text:
        return unusable.not_let_in(server)
    if isinstance(error, TimeoutError):
        reason = _("no answer")
    else:
        # asyncio adds the address, or several errors for the addresses of one name.
        number = re.search(r"\[Errno (\d+)\]", str(error))
        reason = os.strerror(int(number[1])) if number else str(error).removeprefix("nats: ")
    return unusable.not_reachable(f"{server}: {reason}")
