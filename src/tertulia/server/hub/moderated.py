"""What the requests of operators lead to."""

from collections.abc import Sequence

from msgspec import Struct

from tertulia.protocol.hooks import HookCreated, HookList
from tertulia.protocol.messages import Closing, Error, Ok, UserList
from tertulia.protocol.moderation import BanList
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.session import Session
from tertulia.server.hub.wait import Wait


class Expelled(Struct, frozen=True, gc=False):
    """A session that an operator has ended: its last word, and the news for others."""

    session: Session
    closing: Closing
    replies: list[Reply]


class Moderated(Struct, frozen=True, gc=False):
    """What an operator's request has led to. Wait.FOR_DISK: the answer comes once it is kept."""

    answer: Ok | HookCreated | Wait | None
    expelled: Sequence[Expelled] = ()


Outcome = Moderated | BanList | HookList | UserList | Ok | Wait | Error | None
