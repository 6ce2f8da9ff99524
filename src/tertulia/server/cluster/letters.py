"""Letters: the messages that nodes send each other outside the log. They may get lost. Pure.

Forward and AskArrived are sent again until they are answered; AskLife and AskIdle are given up
after a time. Sessions are named by the number of their route on the node that serves them.
"""

import msgspec
from msgspec import Struct

from tertulia.protocol.messages import DirectMessage, Error
from tertulia.server.cluster.commands import UNREADABLE


class Forward(Struct, tag="direct", array_like=True):
    """A direct message for a session of the receiving node.

    `number` is the message's number at its sender's node. `receipt` is the one that it had before
    the receiver's session was taken over; 0: none is known.
    """

    number: int
    to: int
    sender_key: str
    message: DirectMessage
    receipt: int = 0


class Accepted(Struct, tag="accepted", array_like=True):
    """A direct message is in its receiver's queue, under a receipt."""

    number: int
    receipt: int


class Confirmed(Struct, tag="confirmed", array_like=True):
    """A direct message has arrived; `time` is when it was sent."""

    number: int
    time: str


class AskArrived(Struct, tag="ask_arrived", array_like=True):
    """Asks which of these accepted messages have arrived.

    Each one is answered by `Confirmed` if it has, by `NotHere` if it is unknown here.
    """

    numbers: list[int]


class NotHere(Struct, tag="not_here", array_like=True):
    """A direct message that was asked for is unknown here, and has to be sent again."""

    number: int


class HandedOver(Struct, tag="queue", array_like=True):
    """The messages that the predecessor of the session `to` had not confirmed, in order.

    Each row has the receipt of a message, its sender's node, and its number there.
    """

    to: int
    last_receipt: int
    rows: list[tuple[int, str, int]]


class Known(Struct, tag="known", array_like=True):
    """A direct message with a nonce has arrived. If it is sent again, it is not new."""

    sender_key: str
    nonce: str
    time: str


class AskLife(Struct, tag="challenge", array_like=True):
    """Asks a session for a sign of life."""

    question: int
    session: int


class LifeShown(Struct, tag="challenged", array_like=True):
    """Answers AskLife: the session is alive, or its end has its place in the log."""

    question: int


class AskIdle(Struct, tag="ask_idle", array_like=True):
    """Asks how long a user has been idle."""

    question: int
    session: int


class IdleFor(Struct, tag="idle_for", array_like=True):
    """Answers AskIdle."""

    question: int
    seconds: float


class SeenThrough(Struct, tag="seen", array_like=True):
    """The user of a session of the sending node has seen everything up to a number."""

    session: int
    seq: int


class Answer(Struct, tag="answer", array_like=True):
    """A late answer for a session that has moved to the receiving node."""

    to: int
    error: Error


Letter = (
    Forward
    | Accepted
    | Confirmed
    | AskArrived
    | NotHere
    | HandedOver
    | Known
    | AskLife
    | LifeShown
    | AskIdle
    | IdleFor
    | SeenThrough
    | Answer
)


class Envelope(Struct, array_like=True):
    """Letters of one node to another, in order."""

    sender: str
    letters: list[Letter]


_decoder = msgspec.msgpack.Decoder(Envelope)


def pack(envelope: Envelope) -> bytes:
    """Return letters as bytes."""
    return msgspec.msgpack.encode(envelope)


def unpack(data: bytes) -> Envelope | None:
    """Return the letters in a message of a node; None if it cannot be read."""
    try:
        return _decoder.decode(data)
    except UNREADABLE:
        return None
