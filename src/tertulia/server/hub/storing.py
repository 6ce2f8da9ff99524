"""Has the changes of the Room stored, for the parts of the Hub. Used under the Hub's lock only."""

from msgspec import UNSET

from tertulia.protocol.hooks import HookCreated
from tertulia.protocol.messages import Ok
from tertulia.protocol.moderation import OperatorRequest
from tertulia.server.hub.keeper import Keeper
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Owner, Receipt, Session
from tertulia.server.hub.wait import Wait


class Storing:
    """Passes the changes of the Room on to the keeper, if there is one. It never waits."""

    def __init__(self, room: Room, keeper: Keeper | None) -> None:
        self._room = room
        self._keeper = keeper

    @property
    def has_keeper(self) -> bool:
        """Whether anything is stored at all."""
        return self._keeper is not None

    def reserve_space(self) -> bool:
        """Reserve a place for one request's changes; return False if the queue is full."""
        return self._keeper is None or self._keeper.reserve_space()

    def store_changes(self) -> None:
        """Have changes stored for which nobody waits."""
        if self._room.changes:
            changes = self._room.pop_changes()
            if self._keeper is not None:
                self._keeper.keep(changes)

    def store_request(
        self,
        session: Session,
        request: OperatorRequest,
        owner: Owner,
        answer: HookCreated | None = None,
    ) -> Ok | HookCreated | Wait | None:
        """Have a request's changes stored; return the answer, or Wait.FOR_DISK.

        In the second case the keeper acknowledges them to `owner`.
        """
        changes = self._room.pop_changes()
        if self._keeper is None:
            return answer or (None if request.id is UNSET else Ok(id=request.id))
        receipt = Receipt(owner, session.route.number, request.id, answer=answer)
        self._keeper.keep(changes, receipt)
        return Wait.FOR_DISK
