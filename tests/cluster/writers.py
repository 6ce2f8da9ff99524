"""Users who write direct messages to each other, while they move from node to node.

Each message is sent again, with its nonce, until it is confirmed or comes back as undelivered.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roamer import Address, Roamer

_UNDER_WAY = 16
_RETRY_S = 0.05
_LATER = ("busy", "rate_limited", "user_not_connected", "unavailable")


@dataclass
class Letters:
    """What one user has written and got."""

    sent: dict[str, str] = field(default_factory=dict)  # the receivers by nonce
    confirmed: set[str] = field(default_factory=set)
    undelivered: set[str] = field(default_factory=set)
    got: Counter[str] = field(default_factory=Counter)  # how often each nonce was shown
    repeated: int = 0  # copies that came once more, and were dropped


def letter_violations(letters: dict[str, Letters]) -> Iterator[str]:
    """Return every broken promise about direct messages."""
    sent = {(to, nonce) for user in letters.values() for nonce, to in user.sent.items()}
    for name, user in letters.items():
        for nonce, to in user.sent.items():
            if nonce in user.confirmed and not letters[to].got[nonce]:
                yield f"{name}: {nonce} was confirmed, and {to} never got it"
            if nonce not in user.confirmed | user.undelivered:
                yield f"{name}: {nonce} was neither confirmed nor undelivered"
        for nonce, times in user.got.items():
            if times > 1:
                yield f"{name} was shown {nonce} {times} times"
            if (name, nonce) not in sent:
                yield f"{name} got {nonce}, which nobody wrote to it"


class Writer(Roamer):
    """A user who writes `count` direct messages to others, and confirms those that it gets."""

    fields: Mapping[str, object] = {"receipts": True}

    def __init__(
        self, name: str, nodes: Sequence[Address], home: int, others: Sequence[str], count: int
    ) -> None:
        super().__init__(name, nodes, home)
        self.letters = Letters()
        self._others = others
        self._numbers = iter(range(count))
        self._left = count
        self._random = random.Random(name)
        self._open: dict[str, float] = {}  # when each nonce is sent next
        self._letter_ids: dict[int, str] = {}
        self._receipts: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether all messages are written, and each has its answer."""
        return not self._left and not self._open

    def _begin_connection(self) -> None:
        self._open = dict.fromkeys(self._open, 0.0)
        self._letter_ids.clear()

    def _talk(self) -> None:
        super()._talk()
        for number in itertools.islice(self._numbers, _UNDER_WAY - len(self._open)):
            nonce = f"{self.seen.name}>{number}"
            self.letters.sent[nonce] = self._random.choice(self._others)
            self._open[nonce] = 0.0
            self._left -= 1
        now = time.monotonic()
        for nonce, due in self._open.items():
            if due <= now:
                self._open[nonce] = float("inf")
                request_id = next(self._next_id)
                self._letter_ids[request_id] = nonce
                to = self.letters.sent[nonce]
                text = {"to": to, "text": f"{nonce} para {to}", "nonce": nonce}
                self._send({"type": "direct", "id": request_id, **text})

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "direct":
                self._read(message)
            case "ok" if message["id"] in self._letter_ids:
                nonce = self._letter_ids.pop(message["id"])
                self.letters.confirmed.add(nonce)
                del self._open[nonce]
            case "error" if message.get("id") in self._letter_ids:
                nonce = self._letter_ids.pop(message["id"])
                if message["code"] == "undelivered":
                    self.letters.undelivered.add(nonce)
                    del self._open[nonce]
                else:
                    assert message["code"] in _LATER, message
                    self._open[nonce] = time.monotonic() + message.get("retry_after", _RETRY_S)
            case "error" if message["code"] == "undelivered":
                pass  # of an earlier connection: this one has sent the message again
            case _:
                super()._take(message)

    def _read(self, message: dict[str, Any]) -> None:
        if message["nonce"] in self.letters.got:  # unconfirmed when a session was taken over
            self.letters.repeated += 1
        else:
            self.letters.got[message["nonce"]] += 1
        self._send({"type": "received", "receipt": message["receipt"]})
