"""What nodes tell each other beside the log: letters, which may get lost. Pure.

Whatever needs an answer is sent again until it comes. Sessions are named by the number of their
route on the node that serves them.
"""

import msgspec
from msgspec import Struct

from tertulia.protocol.messages import DirectMessage, Error
from tertulia.server.cluster.commands import UNREADABLE


class Forward(Struct, tag="direct", array_like=True):
    """A direct message for a session of the node that this goes to.

    `number` is that of the message at its sender's node. `receipt` is the one that the receiver got
    it under before its session was taken over; 0: none, as far as is known.
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
    """A direct message has arrived, and when it was sent."""

    number: int
    time: str


class AskArrived(Struct, tag="ask_arrived", array_like=True):
    """Which of these messages, which were accepted, have arrived by now?

    `Confirmed` says it of one that has, and `NotHere` that one is not known here at all.
    """

    numbers: list[int]


class NotHere(Struct, tag="not_here", array_like=True):
    """A direct message that was asked for has to be sent again."""

    number: int


class HandedOver(Struct, tag="queue", array_like=True):
    """What the session that the session `to` has taken over had not confirmed, in order.

    Each row has its receipt and the node and number at its sender's.
    """

    to: int
    last_receipt: int
    rows: list[tuple[int, str, int]]


class Known(Struct, tag="known", array_like=True):
    """A direct message with a nonce has arrived: should it be sent again, it is not new."""

    sender_key: str
    nonce: str
    time: str


class AskLife(Struct, tag="challenge", array_like=True):
    """A session has to show that it is alive."""

    question: int
    session: int


class LifeShown(Struct, tag="challenged", array_like=True):
    """It has, or it has ended, and that has its place in the log."""

    question: int


class AskIdle(Struct, tag="ask_idle", array_like=True):
    """For how long has a user done nothing?"""

    question: int
    session: int


class IdleFor(Struct, tag="idle_for", array_like=True):
    """For so many seconds."""

    question: int
    seconds: float


class SeenThrough(Struct, tag="seen", array_like=True):
    """The user of a session of the node that says this has seen everything up to a number."""

    session: int
    seq: int


class Answer(Struct, tag="answer", array_like=True):
    """An answer that has come late, for a session that has moved to the node."""

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
    """Letters of one node to another one, in order."""

    sender: str
    letters: list[Letter]


_decoder = msgspec.msgpack.Decoder(Envelope)


def pack(envelope: Envelope) -> bytes:
    """Return letters as bytes."""
    return msgspec.msgpack.encode(envelope)


def unpack(data: bytes) -> Envelope | None:
    """Return the letters that were packed; None if these are none."""
    try:
        return _decoder.decode(data)
    except UNREADABLE:
        return None
