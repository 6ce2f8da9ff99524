"""A user who moves: says numbered messages, notes everything, and goes on to another node.

One thread each. It behaves as a good client: it tries the other nodes at once with its token, says
again what has no answer, with the same nonce, and asks for the messages that it has missed.
"""

import contextlib
import itertools
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from crosscheck import Observed, Visit
from peers import fresh_address

_ANSWER_S = 6.0  # without an answer to a registration: try another node
_PATIENCE_S = 30.0  # without a word on a connection; while a node waits for the log, it says none
_PING_S = 1.5  # of silence
_RETRY_S = 0.05
_WINDOW = 64  # messages without an answer
_LIST_EVERY_S = 0.7
_EVENTS = frozenset(("message", "joined", "left", "presence"))
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

Address = tuple[str, int]


class Gone(ConnectionError):
    """This connection is of no use any more."""


class Roamer:
    """One user. `rate` messages a second; `home` is where it goes first."""

    fields: Mapping[str, object] = {}  # further ones of a registration

    def __init__(
        self,
        name: str,
        nodes: Sequence[Address],
        home: int,
        *,
        rate: float = 0.0,
        roams: bool = True,
    ) -> None:
        self.seen = Observed(name)
        self.patience_s = _PATIENCE_S
        self.source = fresh_address()
        order = [*nodes[home:], *nodes[:home]] if roams else [nodes[home]]
        self._nodes = itertools.cycle(order)
        self.rate = rate
        self._token = ""
        self._epoch = ""
        self._last = 0  # the highest number that has been seen
        self._counter = itertools.count()
        self._unanswered: dict[str, int | None] = {}  # ids by nonce; None: to be said again
        self._ids: dict[int, str] = {}  # nonces by id
        self._next_id = itertools.count(1)
        # The bounds of what was missed. The first is asked for, on the next connection once more.
        self._missed: deque[tuple[int, int]] = deque()
        self._socket = socket.socket()
        self._rest = b""
        self._say_at = self._list_at = 0.0
        self._is_quiet = self._is_over = False
        self.ok_times: list[tuple[float, float]] = []  # when an ok came, and how long it took
        self.sent_at: dict[str, float] = {}
        self.lost_at: list[float] = []  # when a connection ended
        self.back_at: list[float] = []  # when a node had taken this user in
        self.refusals: list[str] = []  # codes of registrations
        self.failure: Exception | None = None
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Connect, and begin to talk."""
        self._thread.start()

    def be_quiet(self) -> None:
        """Say nothing new."""
        self._is_quiet = True

    def speak(self, rate: float) -> None:
        """Go on at another rate."""
        self.rate, self._is_quiet = rate, False

    @property
    def is_settled(self) -> bool:
        """Whether everything said has an answer, and nothing missed is being asked for."""
        return not self._unanswered and not self._missed and self.is_in

    @property
    def is_in(self) -> bool:
        """Whether a node has this user now."""
        return len(self.back_at) > len(self.lost_at)

    @property
    def last(self) -> int:
        """The highest number that this user has seen."""
        return self._last

    @property
    def node(self) -> str:
        """The address of the node that this user is or was at."""
        return self.seen.visits[-1].node if self.seen.visits else ""

    def end(self) -> None:
        """Leave the chat."""
        self._is_over = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the user does not end"
        if self.failure is not None:
            raise self.failure

    def longest_away(self) -> float:
        """Return the longest time without a connection to a node."""
        return max(
            (back - lost for lost, back in zip(self.lost_at, self.back_at[1:], strict=False)),
            default=0.0,
        )

    def longest_without_ok(self) -> float:
        """Return the longest time between two answers `ok` to messages."""
        times = [when for when, _ in self.ok_times]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)

    # --- this thread alone ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_over:
                try:
                    self._connect(next(self._nodes))
                    self._converse()
                except OSError:
                    if self.is_in:
                        self.lost_at.append(time.monotonic())
                    else:
                        time.sleep(_RETRY_S)
                finally:
                    self._socket.close()
        except Exception as error:  # noqa: BLE001 - `end` raises it
            self.failure = error

    def _connect(self, address: Address) -> None:
        self._socket.close()
        self._socket = socket.socket()
        self._rest = b""
        for nonce in self._unanswered:
            self._unanswered[nonce] = None
        self._ids.clear()
        self._begin_connection()
        self._socket.settimeout(_ANSWER_S)
        if address[0].startswith("127."):
            self._socket.bind((self.source, 0))
        self._socket.connect(address)
        token = {"token": self._token} if self._token else {}
        self._send({"type": "register", "id": 0, "name": self.seen.name, **self.fields, **token})
        messages: list[dict[str, Any]] = []
        while not messages:
            messages = self._receive(_ANSWER_S)
        answer, *rest = messages
        if answer["type"] != "welcome":
            self.refusals.append(answer.get("code", answer["type"]))
            raise Gone(answer)
        self._token = answer["token"]
        if self._epoch not in ("", answer["epoch"]):
            self._last = answer["seq"]
            self._missed.clear()
        self._epoch = answer["epoch"]
        visit = Visit(f"{address[0]}:{address[1]}", answer["seq"], answer["epoch"])
        if self.seen.visits and self._last < answer["seq"]:
            self._missed.append((self._last, answer["seq"]))
        self.seen.visits.append(visit)
        self._last = max(self._last, answer["seq"])
        self.back_at.append(time.monotonic())
        self._ask_missed()
        for message in rest:
            self._take(message)

    def _begin_connection(self) -> None:
        """Forget what belongs to the connection before."""

    def _converse(self) -> None:
        heard_at = pinged_at = time.monotonic()
        while not self._is_over:
            self._talk()
            messages = self._receive(0.02)
            now = time.monotonic()
            if messages:
                heard_at = now
            elif now - heard_at > self.patience_s:
                raise Gone("silence")
            elif now - max(heard_at, pinged_at) > _PING_S:
                pinged_at = now
                self._send({"type": "ping", "id": next(self._next_id)})
            for message in messages:
                self._take(message)
            if now >= self._list_at:
                self._list_at = now + _LIST_EVERY_S
                self._send({"type": "users", "id": next(self._next_id)})
        with contextlib.suppress(OSError):
            self._send({"type": "quit"})

    def _talk(self) -> None:
        now = time.monotonic()
        for nonce, request_id in list(self._unanswered.items()):
            if request_id is None:
                self._say(nonce)
        while (
            self.rate
            and not self._is_quiet
            and self._say_at <= now
            and len(self._unanswered) < _WINDOW
        ):
            nonce = f"{self.seen.name}-{next(self._counter)}"
            self.seen.said[nonce] = f"{nonce} dice algo"
            self.sent_at[nonce] = now
            self._say(nonce)
            self._say_at = max(self._say_at, now - 0.5) + 1.0 / self.rate

    def _say(self, nonce: str) -> None:
        request_id = self._unanswered[nonce] = next(self._next_id)
        self._ids[request_id] = nonce
        text = self.seen.said[nonce]
        self._send({"type": "say", "id": request_id, "text": text, "nonce": nonce})

    def _ask_missed(self) -> None:
        if self._missed:
            after, through = self._missed[0]
            bounds = {"after": after, "before": through + 1, "limit": 200}
            self._send({"type": "history", "id": next(self._next_id), **bounds})

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case kind if kind in _EVENTS:
                self.seen.visits[-1].events.append(message)
                self._last = max(self._last, message["seq"])
            case "ok" if message["id"] in self._ids:
                nonce = self._ids.pop(message["id"])
                del self._unanswered[nonce]
                self.seen.acknowledged[nonce] = message["seq"]
                now = time.monotonic()
                self.ok_times.append((now, now - self.sent_at[nonce]))
            case "error" if message.get("id") in self._ids:
                self._unanswered[self._ids.pop(message["id"])] = None  # say it again
                time.sleep(_RETRY_S)
            case "error" if self._missed:
                time.sleep(_RETRY_S)
                self._ask_missed()
            case "users":
                people = {row["name"]: row["status"] for row in message["users"]}
                self.seen.lists.append((message["seq"], people))
            case "history" if self._missed:
                self.seen.pages += message["messages"]
                _after, through = self._missed.popleft()
                if message["more"]:
                    self._missed.appendleft((message["messages"][-1]["seq"], through))
                self._ask_missed()
            case "gap":
                numbers = range(message["after"] + 1, message["through"] + 1)
                self.seen.visits[-1].gaps.update(numbers)
            case "ping":
                self._send({"type": "pong"})
            case "pong":
                pass  # it was a word
            case "closing":
                raise Gone("closing")
            case other:
                raise AssertionError(f"{other}: {message}")

    def _send(self, request: dict[str, Any]) -> None:
        self._socket.sendall(_encode(request) + b"\n")

    def _receive(self, timeout_s: float) -> list[dict[str, Any]]:
        if not select.select([self._socket], [], [], timeout_s)[0]:
            if timeout_s == _ANSWER_S:
                raise Gone("no answer")
            return []
        data = self._socket.recv(262_144)
        if not data:
            raise Gone("the end")
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [_decode(line) for line in lines if line]
