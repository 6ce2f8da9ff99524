"""The journal of one user of the soak: what it has said and seen, as a file of JSON lines.

The user writes it while it runs and reads it again after a SIGKILL; the checker reads it at the
end. An incomplete last line is dropped: the user asks for that event, or says that message, again.
"""

import hashlib
import json
import os
from typing import NamedTuple, Self


class Seen(NamedTuple):
    """A message of the general chat, as a user has received it."""

    seq: int
    nonce: str | None
    sender: str
    digest: str  # of the text, to save memory

    @classmethod
    def of(cls, message: dict) -> Self:
        """Convert a message from the wire or from an export."""
        digest = hashlib.blake2b(message["text"].encode(), digest_size=8).hexdigest()
        return cls(message["seq"], message.get("nonce"), message["from"], digest)


class Journal:
    """What a user remembers. Opening a journal reads its file."""

    def __init__(self, path: str) -> None:
        self.first_seq: int | None = None  # from the first `welcome`
        self.last_seq: int | None = None
        self.epochs: set[str] = set()
        self.sent: dict[str, None] = {}
        self.acknowledgements: dict[str, int] = {}
        self.unstored: dict[str, int] = {}
        self.seen: list[Seen] = []
        self.events: list[tuple[int, str]] = []
        self.gaps: list[tuple[int, int]] = []
        self.directs: dict[str, str] = {}  # the receivers, by nonce
        self.confirmed: set[str] = set()  # nonces of direct messages that have arrived
        self.undelivered: set[str] = set()
        self.got: list[str] = []  # nonces of direct messages to this user
        self._unwritten: list[bytes] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with open(path, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n") and line != b"\n":
                    self._apply(*json.loads(line))
                elif line != b"\n":
                    os.ftruncate(self._fd, os.fstat(self._fd).st_size - len(line))

    @property
    def unanswered(self) -> list[str]:
        """Nonces of messages without an answer, neither `ok` nor `unavailable`."""
        return [n for n in self.sent if n not in self.acknowledgements and n not in self.unstored]

    @property
    def unsettled(self) -> list[str]:
        """Nonces of direct messages that were neither confirmed nor came back."""
        return [n for n in self.directs if n not in self.confirmed and n not in self.undelivered]

    def flush(self) -> None:
        """Write all entries to the file, where they survive the end of this process."""
        if self._unwritten:
            data, self._unwritten = b"".join(self._unwritten), []
            while data:
                data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Write all entries and close the file."""
        self.flush()
        os.close(self._fd)

    def welcome(self, epoch: str, seq: int) -> None:
        """Record the beginning of a session."""
        self._record("welcome", epoch, seq)

    def say(self, nonce: str) -> None:
        """Record a message before it is said."""
        self._record("say", nonce)
        self.flush()

    def acknowledged(self, nonce: str, seq: int) -> None:
        """Record an `ok`."""
        self._record("ok", nonce, seq)

    def not_stored(self, nonce: str, seq: int) -> None:
        """Record that a message was said but not stored."""
        self._record("unstored", nonce, seq)

    def send_direct(self, nonce: str, to: str) -> None:
        """Record a direct message before it is sent."""
        self._record("direct", nonce, to)
        self.flush()

    def direct_confirmed(self, nonce: str) -> None:
        """Record that a direct message was confirmed."""
        self._record("confirmed", nonce)

    def direct_undelivered(self, nonce: str) -> None:
        """Record that a direct message came back."""
        self._record("undelivered", nonce)

    def get_direct(self, nonce: str) -> None:
        """Record a direct message to this user, before it is confirmed."""
        self._record("got", nonce)
        self.flush()

    def see(self, seen: Seen) -> None:
        """Record a received message."""
        self._record("seen", *seen)

    def event(self, seq: int, description: str) -> None:
        """Record an event that is no message."""
        self._record("event", seq, description)

    def gap(self, after: int, through: int) -> None:
        """Record a `gap`."""
        self._record("gap", after, through)

    def _record(self, *entry: object) -> None:
        self._unwritten.append(json.dumps(entry).encode() + b"\n")
        self._apply(*entry)

    def _apply(self, kind: str, *values) -> None:
        match kind:
            case "welcome":
                epoch, seq = values
                self.epochs.add(epoch)
                if self.first_seq is None:
                    self.first_seq = self.last_seq = seq
            case "say":
                self.sent[values[0]] = None
            case "ok":
                self.acknowledgements[values[0]] = values[1]
            case "unstored":
                self.unstored[values[0]] = values[1]
            case "seen":
                self.seen.append(Seen(*values))
                self.last_seq = values[0]
            case "event":
                self.events.append(values)
                self.last_seq = values[0]
            case "direct":
                self.directs[values[0]] = values[1]
            case "confirmed":
                self.confirmed.add(values[0])
            case "undelivered":
                self.undelivered.add(values[0])
            case "got":
                self.got.append(values[0])
            case "gap":
                self.gaps.append(values)
