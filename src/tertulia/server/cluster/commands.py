"""Defines the entries of the common log: batches of commands, as MessagePack. Pure.

A command holds everything that a node needs to carry it out; only the node that has proposed it
knows who waits for the outcome. Sessions are named by the number of their route on that node.
"""

import sys

import msgspec
from msgspec import Struct

from tertulia.protocol.messages import CloseReason, Status, StoredMessage
from tertulia.protocol.moderation import OperatorRequest
from tertulia.server.hub.room import Newcomer
from tertulia.server.hub.room_state import KnownNonce, PackedRow

FORMAT = 1  # version of this format; a node stops at an entry with a higher one
PYTHON = ".".join(map(str, sys.version_info[:2]))
MAX_COMMANDS = 512  # of a batch
MAX_BYTES = 192 * 1024  # of a batch, approximately: the last command may exceed it
_SMALL_BYTES = 128  # of a command without its text


# Errors of decoding what another program has written; its texts may be invalid UTF-8.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Enter(Struct, tag="enter", array_like=True, gc=False):
    """A registration. It holds only the hashes of tokens."""

    number: int
    newcomer: Newcomer
    token: str
    idle_s: float


class Leave(Struct, tag="leave", array_like=True, gc=False):
    """The end of a session."""

    number: int
    reason: CloseReason


class SayText(Struct, tag="say", array_like=True, gc=False):
    """A message for the general chat."""

    number: int
    text: str
    nonce: str | None = None


class ShowStatus(Struct, tag="status", array_like=True, gc=False):
    """A status that the user has chosen."""

    number: int
    status: Status


class Idle(Struct, tag="idle", array_like=True, gc=False):
    """A user has done nothing for too long."""

    number: int


class Active(Struct, tag="active", array_like=True, gc=False):
    """An idle user has done something that is not a command."""

    number: int


class Promote(Struct, tag="promote", array_like=True, gc=False):
    """A user has given the operators' secret."""

    number: int


class Operate(Struct, tag="operate", array_like=True, gc=False):
    """An operator's request, from a session or from the console of a node."""

    number: int
    is_console: bool
    request: OperatorRequest
    message: StoredMessage | None = None  # to be pinned
    secret_hash: str = ""  # hash of the secret of a new hook


class Post(Struct, tag="post", array_like=True, gc=False):
    """A text that a program has posted to a hook."""

    secret_hash: str
    text: str


class SignOfLife(Struct, tag="beat", array_like=True, gc=False):
    """A sign of life of a node, with the digest of its state at a place in the log."""

    place: int
    digest: bytes


class Nothing(Struct, tag="nothing", array_like=True, gc=False):
    """Changes nothing. When it comes back, everything proposed before it has its place."""


class NodeLeave(Struct, tag="gone", array_like=True, gc=False):
    """An orderly stop: the users that the node still has are removed at once.

    Earlier versions neither write nor read the reason. Only attendance shows it, which is not part
    of the common state.
    """

    reason: CloseReason = CloseReason.LOST


class Rules(Struct, array_like=True, frozen=True):
    """The options that shape the common state. They belong to the chat, not to one node."""

    shared_addresses: bool
    max_users: int
    hold_names_days: float | None
    nonce_keep_s: float
    max_nonces: int
    silent_after_s: float  # by the log's own time, before a node counts as dead


class Genesis(Struct, tag="genesis", array_like=True):
    """The beginning of a log: the chat's numbers go on above `seq`.

    As many entries as `parts` says follow, with rows that exist already. Then nodes can come up.
    """

    log: str  # a name that no other log has
    epoch: str
    seq: int
    rules: Rules
    parts: int = 0


class Part(Struct, tag="part", array_like=True):
    """Rows that were there before the log began."""

    log: str
    index: int
    rows: list[PackedRow]
    nonces: list[KnownNonce] = []


class NodeUp(Struct, tag="up", array_like=True):
    """A node begins an incarnation, whose number is the place of this entry."""

    boot: str  # a name for this start, which no other start has
    format: int
    addresses: list[str]  # for clients: as in `welcome.nodes`
    # Version of Python: another one may know other letters, and write addresses in another form.
    python: str = ""


Command = (
    Enter
    | Leave
    | SayText
    | ShowStatus
    | Idle
    | Active
    | Promote
    | Operate
    | Post
    | SignOfLife
    | Nothing
    | NodeLeave
    | Genesis
    | Part
    | NodeUp
)


class Batch(Struct, array_like=True):
    """An entry of the log.

    `incarnation` and `number` are 0 for a Genesis, its Parts and a NodeUp, which come alone.
    """

    format: int
    node: str
    incarnation: int
    number: int
    commands: list[Command]


class _Head(Struct, array_like=True):
    format: int


class FormatTooNew(Exception):
    """The log has an entry of a later version of this program."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)
_head_decoder = msgspec.msgpack.Decoder(_Head)


def pack(node: str, incarnation: int, number: int, commands: list[Command]) -> bytes:
    """Return a batch as an entry."""
    return _encoder.encode(Batch(FORMAT, node, incarnation, number, commands))


def unpack(data: bytes) -> Batch | None:
    """Return the batch in an entry; None if it is not a batch, which every node ignores.

    Raises FormatTooNew.
    """
    try:
        head = _head_decoder.decode(data)
        if head.format > FORMAT:
            raise FormatTooNew
        batch = _decoder.decode(data)
    except UNREADABLE:
        return None
    return batch if batch.commands else None


def size_of(command: Command) -> int:
    """Return the approximate number of bytes of a command."""
    if isinstance(command, SayText | Post):
        return _SMALL_BYTES + len(command.text.encode())
    if isinstance(command, Enter | Operate):  # may hold a message, or an unchecked reason
        return len(_encoder.encode(command))
    return _SMALL_BYTES
