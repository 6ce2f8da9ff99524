"""Reads the log in its order, with an ordered consumer of our own over JetStream's JSON API.

It is a push consumer without acknowledgements, in the memory of one nats-server, with flow control
and a heartbeat. After any problem (a hole, silence, an error, a new connection) a new one is made,
which begins at the next entry that is wanted. nats-py's own ordered consumer skips entries when it
is slow, and after some losses begins again at entry 1. Only the link's thread runs this.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_HEARTBEAT_S = 0.5
_SILENCE_S = 1.6  # three heartbeats are missing
_OVERDUE_S = 0.4  # after which an entry that the log is known to have is late
_API_TIMEOUT_S = 2.0
_RETRY_S = 0.25
_SINGLY_AFTER_S = 0.1  # for making a consumer, before entries are asked for one by one
_BETWEEN_SINGLE_S = 0.05
_FORGOTTEN_AFTER_S = 30  # after which a nats-server removes a consumer without a listener
_LOOKS = 3  # One proves nothing: a server that has just become leader may lack the last entries.
_BETWEEN_LOOKS_S = 0.3
_NO_STREAM = 10_059  # JetStream's error code


class Entry(NamedTuple):
    """One entry of the log."""

    place: int  # its sequence number in the stream
    time_ms: int  # the stream's own timestamp
    data: bytes


class Counts:
    """Counters of a link since its start. Plain numbers, which any thread may read."""

    __slots__ = ("connects", "consumers", "errors", "holes", "refused", "stalls")

    def __init__(self) -> None:
        self.connects = 0
        self.consumers = 0  # made
        self.holes = 0  # times that an entry came which was not the next one
        self.stalls = 0  # times that nothing came
        self.refused = 0  # proposals that the stream did not accept
        self.errors = 0


class Connection(Protocol):
    """What the consumer needs of a connection."""

    def send(self, subject: str, data: bytes, reply: str = "") -> None: ...
    def subscribe(self, subject: str, handler: Callable[["Msg"], None]) -> None: ...
    def unsubscribe(self, subject: str) -> None: ...


Ask = Callable[[str, bytes, float], Awaitable[bytes | None]]
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Receivers(NamedTuple):
    """The callbacks of the consumer."""

    on_entries: Callable[[list[Entry]], None]
    on_hole: Callable[[int], None]  # with the first entry that exists; reading stops
    # With the last entry that exists (None: no log) and the last one read, which is higher.
    on_short: Callable[[int | None, int], None]


class OrderedConsumer:
    """Reads one stream from the entry that is wanted next."""

    def __init__(
        self, stream: str, inbox: str, receivers: Receivers, ask: Ask, spawn: Spawn, counts: Counts
    ) -> None:
        """`ask` sends a request and waits; `spawn` runs a coroutine. Entries come below `inbox`."""
        self._stream = stream
        self._inbox = inbox
        self._receivers = receivers
        self._ask = ask
        self._spawn = spawn
        self._counts = counts
        self._connection: Connection | None = None
        self._wanted: int | None = None  # the next entry; None: nothing is read
        self._subject = ""  # to which the present consumer delivers; "": there is none
        self._made = 0
        self._silent_s = 0.0
        self._stored = 0  # the last entry that the log is known to have
        self._overdue_s = 0.0  # time in which nothing has come, although the log has more
        self._entries: list[Entry] = []
        self._flow_replies: list[str] = []
        self._is_checking = False
        self._latest_reply = ""

    @property
    def log_end(self) -> int:
        """The highest place that the log is known to have; 0: none is known. Any thread."""
        reply = self._latest_reply
        return max(self._stored, _end_of_log(reply)) if reply else self._stored

    def read_from(self, place: int) -> None:
        """Begin to read at an entry."""
        self._wanted = place
        self._entries.clear()
        self._make()

    def connect(self, connection: Connection) -> None:
        """Read over a new connection."""
        self._connection = connection
        self._subject = ""  # The subscription has ended with the connection before.
        self._make()

    def disconnect(self) -> None:
        """Wait for another connection."""
        self._connection = None

    def expect(self, place: int) -> None:
        """Note that the log has an entry: it was acknowledged."""
        self._stored = max(self._stored, place)

    def age(self, seconds: float) -> None:
        """Add to the time without a message; make a new consumer if that is too long."""
        if self._connection is None or self._wanted is None:
            return
        self._silent_s += seconds
        if self._wanted <= self._stored:
            self._overdue_s += seconds
        if self._silent_s > _SILENCE_S or self._overdue_s > _OVERDUE_S:
            self._counts.stalls += 1
            self._make()

    def hand_on(self) -> None:
        """Hand on the entries that have arrived, then let the server send more."""
        if self._entries:
            entries, self._entries = self._entries, []
            self._receivers.on_entries(entries)
        if self._flow_replies and self._connection is not None:
            for reply in self._flow_replies:
                self._connection.send(reply, b"")
            self._flow_replies.clear()

    def _make(self) -> None:
        """Read with a new consumer from the entry that is wanted next."""
        if self._connection is None or self._wanted is None:
            return
        if self._subject:
            self._connection.unsubscribe(self._subject)
        self._made += 1
        self._counts.consumers += 1
        self._subject = f"{self._inbox}.entries.{self._made}"
        self._silent_s = self._overdue_s = -_API_TIMEOUT_S
        self._flow_replies.clear()
        self._connection.subscribe(self._subject, partial(self._arrive, self._subject))
        self._spawn(self._create(self._subject, self._wanted))
        if not self._is_checking:
            self._is_checking = True
            self._spawn(self._check())

    async def _create(self, subject: str, wanted: int) -> None:
        name = secrets.token_hex(6)
        config = {
            "name": name,
            "deliver_subject": subject,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": wanted,
            "ack_policy": "none",
            "max_deliver": 1,
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "flow_control": True,
            "idle_heartbeat": int(_HEARTBEAT_S * 1e9),
            "inactive_threshold": int(_FORGOTTEN_AFTER_S * 1e9),
        }
        request = json.dumps({"stream_name": self._stream, "config": config}).encode()
        api = f"$JS.API.CONSUMER.CREATE.{self._stream}.{name}"
        asked = asyncio.ensure_future(self._ask(api, request, _API_TIMEOUT_S))
        await asyncio.wait([asked], timeout=_SINGLY_AFTER_S)
        while not asked.done() and self._subject == subject and self._connection is not None:
            await self._read_singly(subject)
        answer = await asked
        if self._subject == subject and (answer is None or "error" in json.loads(answer)):
            self._counts.errors += 1
            self._silent_s = _SILENCE_S - _RETRY_S

    async def _read_singly(self, subject: str) -> None:
        """Ask the stream's leader for the entry that is wanted next.

        Consumers cannot be made while JetStream has no leader; meanwhile the log may go on.
        """
        wanted = self._wanted
        request = json.dumps({"seq": wanted}).encode()
        api = f"$JS.API.STREAM.MSG.GET.{self._stream}"
        answer = await self._ask(api, request, _API_TIMEOUT_S)
        message = None if answer is None else json.loads(answer).get("message")
        if message is None:
            await asyncio.sleep(_BETWEEN_SINGLE_S)
        elif wanted is not None and self._wanted == wanted and self._subject == subject:
            self._wanted += 1
            data = base64.b64decode(message.get("data", ""))
            self._entries.append(Entry(wanted, _milliseconds(message["time"]), data))
            self.hand_on()

    def _arrive(self, subject: str, message: "Msg") -> None:
        """Handle a message that a consumer has delivered."""
        if subject != self._subject or self._wanted is None:
            return  # of an earlier consumer
        self._silent_s = self._overdue_s = 0.0
        status = (message.headers or {}).get("Status")
        if status is not None and not message.data:
            self._handle_status(status, message)
            return
        place, nth, time_ms = _metadata(message.reply)
        self._latest_reply = message.reply
        if place == self._wanted:
            self._wanted += 1
            self._entries.append(Entry(place, time_ms, message.data))
        elif place > self._wanted:
            self._counts.holes += 1
            if nth == 1:
                self._stop_before(place)
            else:
                self._make()

    def _handle_status(self, status: str, message: "Msg") -> None:
        """Handle a status message of the consumer."""
        headers = message.headers or {}
        if status != "100":  # The consumer is gone, or its leader is.
            self._counts.errors += 1
            self._make()
            return
        stalled = message.reply or headers.get("Nats-Consumer-Stalled")
        if stalled:
            self._flow_replies.append(stalled)
        last = headers.get("Nats-Last-Stream")
        if last is None or self._wanted is None or int(last) < self._wanted:
            return
        self._counts.holes += 1
        if headers.get("Nats-Last-Consumer") == "0":
            self._stop_before(int(last) + 1)
        else:
            self._make()

    def _stop_before(self, first: int) -> None:
        """Stop reading: the log no longer has the entry that is wanted."""
        self._wanted = None
        if self._connection is not None:
            self._connection.unsubscribe(self._subject)
        self._subject = ""
        self.hand_on()
        self._receivers.on_hole(first)

    async def _check(self) -> None:
        """Check that everything that was read is still in the log."""
        found: int | None = None
        for look in range(_LOOKS):
            read = (self._wanted or 1) - 1
            answer = await self._ask(f"$JS.API.STREAM.INFO.{self._stream}", b"", _API_TIMEOUT_S)
            found = _last_entry(answer, read)
            if found is not None and found >= read:
                break
            if look == _LOOKS - 1:
                self._receivers.on_short(found, read)
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        self._is_checking = False


def _metadata(reply: str) -> tuple[int, int, int]:
    """Return an entry's place, its number in the consumer and its time in ms, from its reply."""
    tokens = reply.split(".")
    first = 5 if len(tokens) == 9 else 7  # with the domain's name and the account's
    return int(tokens[first]), int(tokens[first + 1]), int(tokens[first + 2]) // 1_000_000


def _milliseconds(time: str) -> int:
    """Return a time of JetStream as whole milliseconds since 1970, cut off as in `_metadata`."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    return whole * 1_000 + int(f"{fraction}000"[:3])


def _end_of_log(reply: str) -> int:
    """Return the place of an entry, and how many were in the log after it, as a sum."""
    tokens = reply.split(".")
    first = 5 if len(tokens) == 9 else 7
    return int(tokens[first]) + int(tokens[first + 3])


def _last_entry(answer: bytes | None, otherwise: int) -> int | None:
    """Return the last entry of a stream, or None if it does not exist."""
    info: dict[str, Any] = {} if answer is None else json.loads(answer)
    if info.get("error", {}).get("err_code") == _NO_STREAM:
        return None
    last: int = info.get("state", {}).get("last_seq", otherwise)
    return last
