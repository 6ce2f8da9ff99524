"""What a worker asks of a door: the protocol that a client speaks, from bytes to requests and back.

A door has no socket and no clock. It holds what belongs to the stream of one connection, whose
worker alone touches it.
"""

from collections.abc import Sequence
from typing import Protocol

from tertulia.protocol.messages import Request, ServerMessage
from tertulia.server.hub.eventlog import Encode


class Door(Protocol):
    """One connection's side of a protocol."""

    ready: list[Request]  # decoded requests; the next one is the last in the list
    has_more: bool  # `next_request` may have something once `ready` is empty
    is_at_eof: bool  # the client sends no more
    requests_tried: int  # before `welcome`
    malformed_count: int
    empty_bytes: int  # of input that holds no request; the worker sets it back to 0

    @property
    def room(self) -> int:
        """How many bytes may be fed while `has_more`."""

    @property
    def in_mid_line(self) -> bool:
        """Whether, once `next_request` has returned None, a request has begun and not ended."""

    @property
    def encode_event(self) -> Encode:
        """How an event of the log becomes bytes. Doors with the same function share the bytes."""

    def feed(self, data: bytes) -> None:
        """Take in bytes from the network."""

    def feed_eof(self) -> None:
        """Note that the client sends no more."""

    def next_request(self) -> Request | None:
        """Return the next request; None if there is none yet. Raises BadRequest, LineTooLong."""

    def encode(self, message: ServerMessage, /) -> bytes:
        """Return a message as it travels."""

    def encode_all(self, messages: Sequence[ServerMessage], /) -> bytes:
        """Return several messages as they travel, one after the other."""
