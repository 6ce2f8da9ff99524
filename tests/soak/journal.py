"""What one user of the soak has said and seen: a file of JSON lines that outlives its process.

The user writes it as it goes; the checker reads it in the end. A line that a SIGKILL has cut off
is as if it had never been written: what it told is asked for again, or said again.
"""

import hashlib
import json
import os
from typing import NamedTuple, Self


class Seen(NamedTuple):
    """A message of the general chat, as somebody has got it."""

    seq: int
    nonce: str | None
    sender: str
    digest: str  # of the text: a soak has too many to hold

    @classmethod
    def of(cls, message: dict) -> Self:
        """Note a message as it travels, or as it is exported."""
        digest = hashlib.blake2b(message["text"].encode(), digest_size=8).hexdigest()
        return cls(message["seq"], message.get("nonce"), message["from"], digest)


class Journal:
    """A user's memory; opening it reads what is in the file."""

    def __init__(self, path: str) -> None:
        self.first_seq: int | None = None  # of the first `welcome`
        self.last_seq: int | None = None
        self.epochs: set[str] = set()
        self.sent: dict[str, None] = {}
        self.acknowledgements: dict[str, int] = {}
        self.unstored: dict[str, int] = {}
        self.seen: list[Seen] = []
        self.events: list[tuple[int, str]] = []
        self.gaps: list[tuple[int, int]] = []
        self._unwritten: list[bytes] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with open(path, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n") and line != b"\n":
                    self._take(*json.loads(line))
                elif line != b"\n":
                    os.ftruncate(self._fd, os.fstat(self._fd).st_size - len(line))

    @property
    def unanswered(self) -> list[str]:
        """The nonces of what was said and neither acknowledged nor known not to be stored."""
        return [n for n in self.sent if n not in self.acknowledgements and n not in self.unstored]

    def flush(self) -> None:
        """Hand everything to the system, which keeps it whatever becomes of this process."""
        if self._unwritten:
            data, self._unwritten = b"".join(self._unwritten), []
            while data:
                data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Write the rest and close the file."""
        self.flush()
        os.close(self._fd)

    def welcome(self, epoch: str, seq: int) -> None:
        """Note the beginning of a session."""
        self._note("welcome", epoch, seq)

    def say(self, nonce: str) -> None:
        """Note what is about to be said."""
        self._note("say", nonce)
        self.flush()

    def acknowledged(self, nonce: str, seq: int) -> None:
        """Note an `ok`."""
        self._note("ok", nonce, seq)

    def not_stored(self, nonce: str, seq: int) -> None:
        """Note that a message was said, and not stored."""
        self._note("unstored", nonce, seq)

    def see(self, seen: Seen) -> None:
        """Note a message."""
        self._note("seen", *seen)

    def event(self, seq: int, description: str) -> None:
        """Note an event that is no message."""
        self._note("event", seq, description)

    def gap(self, after: int, through: int) -> None:
        """Note that events were left out."""
        self._note("gap", after, through)

    def _note(self, *entry: object) -> None:
        self._unwritten.append(json.dumps(entry).encode() + b"\n")
        self._take(*entry)

    def _take(self, kind: str, *values) -> None:
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
            case "gap":
                self.gaps.append(values)
