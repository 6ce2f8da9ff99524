"""The results of operators' requests."""

from collections.abc import Sequence

from msgspec import Struct

from tertulia.protocol.hooks import HookCreated, HookList
from tertulia.protocol.messages import Closing, Error, Ok, UserList
from tertulia.protocol.moderation import BanList
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.session import Session
from tertulia.server.hub.wait import Wait


class Expelled(Struct, frozen=True, gc=False):
    """A session that an operator has ended: its last message, and the answers for others."""

    session: Session
    closing: Closing
    replies: list[Reply]


class Moderated(Struct, frozen=True, gc=False):
    """The result of an operator's request. Wait.FOR_DISK: it is answered once it is stored."""

    answer: Ok | HookCreated | Wait | None
    expelled: Sequence[Expelled] = ()


Outcome = Moderated | BanList | HookList | UserList | Ok | Wait | Error | None
