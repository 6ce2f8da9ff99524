"""The requests of an operator: a method for each. See docs/protocol.md, "Keeping order".

They block the thread that calls them.
"""

from collections.abc import Iterator

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tertulia.client.requests import Verbs
from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.hooks import (
    CreateHook,
    HookCreated,
    HookList,
    HookRow,
    ListHooks,
    RemoveHook,
)
from tertulia.protocol.messages import Ok, UserList
from tertulia.protocol.moderation import (
    BanList,
    BanRow,
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    ListBans,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)


class OperatorVerbs(Verbs):
    """The requests of an operator; each waits for its answer and raises the same errors as others.

    The server refuses a user who is not an operator with `not_operator`.
    """

    def become_operator(self, secret: str) -> None:
        """Make this user an operator; the server refuses a wrong secret with `operator_wrong`."""
        self._ask(BecomeOperator(secret=secret), Ok)

    def kick(self, name: str, *, reason: str | None = None) -> None:
        """End the session of a user, who may come back."""
        self._ask(Kick(name=name, reason=_or_unset(reason)), Ok)

    def ban(
        self,
        name: str | None = None,
        *,
        address: str | None = None,
        minutes: float | None = None,
        reason: str | None = None,
    ) -> None:
        """Ban a name together with its address, or an address, or a network.

        Without `minutes` the ban has no end. Raises ValueError unless exactly one of name and
        address is given.
        """
        ban = ImposeBan(
            name=_or_unset(name),
            address=_or_unset(address),
            minutes=UNSET if minutes is None else float(minutes),
            reason=_or_unset(reason),
        )
        self._ask(ban, Ok)

    def fits(self, name: str | None = None, *, address: str | None = None) -> UserList:
        """Return the users whose sessions such a ban would end; nothing is changed."""
        ban = ImposeBan(name=_or_unset(name), address=_or_unset(address), check=True)
        return self._ask(ban, UserList)

    def unban(self, name: str | None = None, *, address: str | None = None) -> None:
        """Lift the ban of a name, or all bans of exactly this address."""
        self._ask(LiftBan(name=_or_unset(name), address=_or_unset(address)), Ok)

    def bans(self) -> list[BanRow]:
        """Request the list of bans."""
        return self._ask(ListBans(), BanList).bans

    def mute(self, name: str, *, minutes: float | None = None) -> None:
        """Forbid a user to write in the general chat; without `minutes` it has no end."""
        self._ask(ImposeMute(name=name, minutes=UNSET if minutes is None else float(minutes)), Ok)

    def unmute(self, name: str) -> None:
        """Allow a user to write again."""
        self._ask(LiftMute(name=name), Ok)

    def hush(self, on: bool = True) -> None:
        """Allow only operators to write in the general chat, or everyone again."""
        self._ask(SetHush(on=on), Ok)

    def lock(self, on: bool = True) -> None:
        """Close the chat for new users, or open it again."""
        self._ask(SetLock(on=on), Ok)

    def pin(self, seq: int | None = None) -> None:
        """Pin the message with this number for everyone; None removes the pinned message."""
        self._ask(PinMessage(seq=UNSET if seq is None else seq), Ok)

    def release(self, name: str) -> None:
        """Make a name available again that is reserved for an absent user."""
        self._ask(ReleaseName(name=name), Ok)

    def attendance(
        self, *, since: str | None = None, until: str | None = None
    ) -> Iterator[AttendanceRow]:
        """Yield the sessions in the order in which they began, requesting page after page.

        They began after `since` and not after `until`, which are times in RFC 3339.
        """
        request = ListAttendance(since=_or_unset(since), until=_or_unset(until))
        while True:
            page = self._ask(request, AttendancePage)
            yield from page.sessions
            if not page.more or not page.sessions:
                return
            request = replace(request, since=page.sessions[-1].joined)

    def create_hook(self, name: str) -> HookCreated:
        """Create a secret address, shown only here, through which programs write as `name`."""
        return self._ask(CreateHook(name=name), HookCreated)

    def hooks(self) -> list[HookRow]:
        """Request the list of hooks, without their secrets."""
        return self._ask(ListHooks(), HookList).hooks

    def remove_hook(self, name: str) -> None:
        """Remove the hook of this name."""
        self._ask(RemoveHook(name=name), Ok)


def _or_unset(text: str | None) -> str | UnsetType:
    return UNSET if text is None else text
