"""Keeps a node's requests until their answers arrive, all below one subject.

Every request ends with its answer, its time-out, or the end of the link. Only the link's thread
runs this.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nats.aio.msg import Msg

Done = Callable[[bytes | None], None]
Send = Callable[[str, bytes, str], None]

_STORED = "stored-"


class Inbox:
    """The open requests. `handle_answer` and the event loop call their callbacks."""

    def __init__(self, send: Send, guard: Callable[..., None]) -> None:
        """`guard(step, *arguments)` runs what the loop calls."""
        self.prefix = f"_INBOX.{secrets.token_hex(8)}"
        self._send = send
        self._guard = guard
        self._requests = 0
        self._waiting: dict[str, Done] = {}  # by the last token of the answer's subject

    @property
    def subject(self) -> str:
        """The subject of all answers."""
        return f"{self.prefix}.*"

    def request(self, subject: str, data: bytes, timeout_s: float, done: Done) -> None:
        """Send a request. `done` gets the answer, or None if there is none in time."""
        self._requests += 1
        token = str(self._requests)
        self._waiting[token] = done
        asyncio.get_running_loop().call_later(timeout_s, self._guard, self._give_up, token)
        self._send(subject, data, f"{self.prefix}.{token}")

    async def ask(self, subject: str, data: bytes, timeout_s: float) -> bytes | None:
        """Send a request and return the answer. See `request`."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

        def done(data: bytes | None) -> None:
            if not answer.done():
                answer.set_result(data)

        self.request(subject, data, timeout_s, done)
        return await answer

    def stored_subject(self, applied: int) -> str:
        """Return the subject for an entry's acknowledgement; `applied`: entries applied so far."""
        return f"{self.prefix}.{_STORED}{applied}"

    def handle_answer(self, message: "Msg") -> tuple[int, bytes] | None:
        """Handle an answer; return `applied` and the data if it is an acknowledgement."""
        token = message.subject.rpartition(".")[2]
        is_served = (message.headers or {}).get("Status") != "503"
        if token.startswith(_STORED):
            return int(token.removeprefix(_STORED)), message.data if is_served else b""
        done = self._waiting.pop(token, None)
        if done is not None:
            done(message.data if is_served else None)
        return None

    def give_up(self) -> None:
        """Answer every request with None, because the link ends."""
        for token in list(self._waiting):
            self._guard(self._give_up, token)

    def _give_up(self, token: str) -> None:
        done = self._waiting.pop(token, None)
        if done is not None:
            done(None)
