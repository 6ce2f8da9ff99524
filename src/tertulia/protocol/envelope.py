"""What every message of the protocol is made of: its envelope, and the types of its fields.

A field that is `UNSET` does not travel; a field that the receiver does not know is ignored.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

MAX_INT = 2**53 - 1  # the largest integer that every JSON reader keeps exact
MAX_MINUTES = 52_560_000  # a century
DEFAULT_PAGE = 50  # messages in a page of history

Count = Annotated[int, Meta(ge=0, le=MAX_INT)]
Nonce = Annotated[str, Meta(min_length=1, max_length=64)]
Seconds = Annotated[float, Meta(ge=0, le=MAX_INT)]
Limit = Annotated[int, Meta(ge=1)]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22,128}\Z")]
Minutes = Annotated[float, Meta(gt=0, le=MAX_MINUTES)]


class Message(Struct, tag_field="type", kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """The base of every message."""


class RequestMessage(Message, kw_only=True, frozen=True):
    """A request of a client. If it has an `id`, the answer has the same one."""

    id: Count | UnsetType = UNSET


class AnswerMessage(Message, kw_only=True, frozen=True):
    """An answer of the server to one client."""

    id: Count | UnsetType = UNSET


class StoredMessage(Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """A message of the general chat, as a page of history has it."""

    seq: int
    time: str
    sender: str = field(name="from")
    text: str
    nonce: str | UnsetType = UNSET
    hook: bool = False
