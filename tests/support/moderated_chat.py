"""A chat with an operator and a user, and what is left of it after a crash."""

from hub_chat import Chat, Keeper

from tertulia.protocol.moderation import BanList, BecomeOperator, ListBans
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.records import Removed
from tertulia.server.hub.session import Session


class Room(Chat):
    """A chat with an operator, ana, and a user, luis."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.ana = self.join("ana", "10.0.0.1")
        self.hub.moderator.promote(self.ana, BecomeOperator(secret=""))
        self.luis = self.join("Luis", "10.0.0.7")

    def do(self, request, by: Session | None = None):
        return self.hub.moderator.carry_out(by or self.ana, request, self.owner)

    def done(self, request, by: Session | None = None) -> Moderated:
        outcome = self.do(request, by)
        assert isinstance(outcome, Moderated), outcome
        return outcome

    def bans(self) -> list:
        outcome = self.do(ListBans())
        assert isinstance(outcome, BanList)
        return outcome.bans

    def last(self):
        return self.events()[-1]

    def enter(self, name: str, address: str, **fields):
        outcome = self.register(name, address, **fields)
        return outcome.welcome if isinstance(outcome, Registered) else outcome


def restarted(keeper: Keeper, **options) -> Room:
    """Begin again with what a keeper has kept, as after kill -9."""
    rows = {}
    for changes, _receipt in keeper.kept:
        for change in changes:
            if isinstance(change, Removed):
                rows.pop((change.kind, change.key), None)
            else:
                rows[type(change), change.key] = change
    again = Keeper()
    again.rows = list(rows.values())
    room = Chat(again, **options)
    room.__class__ = Room
    return room
