"""The messages about keeping order: what operators ask for, and what comes of it.

Only an operator may ask; the event that follows goes to everyone. Times are RFC 3339 in UTC.
"""

from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.envelope import MAX_MINUTES as MAX_MINUTES
from tertulia.protocol.envelope import (
    AnswerMessage,
    Count,
    Message,
    Minutes,
    RequestMessage,
    StoredMessage,
)
from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook

SERVER_NAME = "server"  # stands for the person at the console on the machine itself


class BecomeOperator(RequestMessage, tag="operator", kw_only=True, frozen=True):
    """Everyone may ask this: it makes the session an operator's."""

    secret: str


class Kick(RequestMessage, tag="kick", kw_only=True, frozen=True):
    name: str
    reason: str | UnsetType = UNSET


class ImposeBan(RequestMessage, tag="ban", kw_only=True, frozen=True):
    """Bans a name, an IP address or a network. With `check` it only lists who would be kicked."""

    name: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    minutes: Minutes | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    check: bool = False

    def __post_init__(self) -> None:
        _check_target(self.name, self.address)


class LiftBan(RequestMessage, tag="unban", kw_only=True, frozen=True):
    name: str | UnsetType = UNSET
    address: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_target(self.name, self.address)


class ListBans(RequestMessage, tag="bans", kw_only=True, frozen=True):
    pass


class ImposeMute(RequestMessage, tag="mute", kw_only=True, frozen=True):
    name: str
    minutes: Minutes | UnsetType = UNSET


class LiftMute(RequestMessage, tag="unmute", kw_only=True, frozen=True):
    name: str


class SetHush(RequestMessage, tag="hush", kw_only=True, frozen=True):
    on: bool


class SetLock(RequestMessage, tag="lock", kw_only=True, frozen=True):
    on: bool


class PinMessage(RequestMessage, tag="pin", kw_only=True, frozen=True):
    """Pins a message. Without `seq` no message stays pinned."""

    seq: Count | UnsetType = UNSET


class ReleaseName(RequestMessage, tag="release", kw_only=True, frozen=True):
    """Frees a name that is held for a key."""

    name: str


OperatorRequest = (
    Kick
    | ImposeBan
    | LiftBan
    | ListBans
    | ImposeMute
    | LiftMute
    | SetHush
    | SetLock
    | PinMessage
    | ReleaseName
    | CreateHook
    | ListHooks
    | RemoveHook
)


class BanRow(Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """One ban: of a name with its address, of an address, or of a network."""

    name: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    until: str | UnsetType = UNSET
    by: str
    reason: str | UnsetType = UNSET


class BanList(AnswerMessage, tag="bans", kw_only=True, frozen=True):
    bans: list[BanRow]


# --- events ------------------------------------------------------------------------------------


class Role(Message, tag="role", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    operator: bool


class Muted(Message, tag="muted", kw_only=True, frozen=True):
    """A user was muted. Without `until`, this lasts until an operator ends it."""

    seq: int
    time: str
    name: str
    until: str | UnsetType = UNSET
    by: str


class Unmuted(Message, tag="unmuted", kw_only=True, frozen=True):
    seq: int
    time: str
    name: str
    by: str


class Hushed(Message, tag="hushed", kw_only=True, frozen=True):
    seq: int
    time: str
    on: bool
    by: str


class Locked(Message, tag="locked", kw_only=True, frozen=True):
    seq: int
    time: str
    on: bool
    by: str


class Pinned(Message, tag="pinned", kw_only=True, frozen=True):
    """The pinned message has changed. Without `message`, none is pinned any more."""

    seq: int
    time: str
    by: str
    message: StoredMessage | UnsetType = UNSET


def target_of(request: object) -> str:
    """Return the user or thing to which an operator's request applies, for a log."""
    for field in ("name", "address", "on", "seq"):
        value = getattr(request, field, UNSET)
        if value is not UNSET:
            return str(value)
    return ""


def _check_target(name: str | UnsetType, address: str | UnsetType) -> None:
    if (name is UNSET) == (address is UNSET):
        raise ValueError("give either 'name' or 'address'")
