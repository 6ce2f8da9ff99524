"""Works out which ban or mute an operator asks for, or wants to lift.

Nothing is changed here. Used under the Hub's lock only; the time is a parameter.
"""

from msgspec import UNSET

from tertulia.protocol.messages import Error, ErrorCode
from tertulia.protocol.moderation import ImposeBan, ImposeMute, Kick, LiftBan, LiftMute
from tertulia.protocol.names import Name, parse_name
from tertulia.protocol.networks import Network, parse_network, shown_network
from tertulia.protocol.texts import check_text
from tertulia.protocol.times import later
from tertulia.server import refusals
from tertulia.server.hub.records import Ban, Mute
from tertulia.server.hub.registry import sessions_at
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Session

MAX_REASON_CHARS = 200
_LOCAL_PROXIES = ("127.0.0.1", "::1")  # the address of all users behind a proxy on this machine


class Targets:
    """Finds names and addresses of users who are connected, have just left, or are banned."""

    def __init__(self, room: Room, *, shared_addresses: bool) -> None:
        self._registry = room.registry
        self._moderation = room.moderation
        self._shared_addresses = shared_addresses

    def new_ban(self, session: Session, request: ImposeBan, now: str) -> Ban | Error:
        """Return the ban that an operator asks for."""
        name, address = None, None
        if request.address is not UNSET:
            network = parse_network(request.address)
            if network is None:
                return refusals.address_invalid(request, request.address)
            key, address = _address_key(network), shown_network(network)
        else:
            assert request.name is not UNSET, "one of them is given"
            found = self._find(request.name, now)
            if found is None:
                return refusals.not_connected(request, request.name)
            name, last_address = found
            key = _name_key(name)
            address = self._address_to_hold(name, last_address, self._moderation.bans.get(key))
        return Ban(
            key=key,
            name=None if name is None else name.shown,
            address=address,
            until=None if request.minutes is UNSET else later(now, 60 * request.minutes),
            operator=session.name.shown,
            reason=None if request.reason is UNSET else request.reason,
            time=now,
        )

    def new_mute(self, session: Session, request: ImposeMute, now: str) -> Mute | Error:
        """Return the mute that an operator asks for.

        It has to be for a user who is connected, has just left, or is muted already.
        """
        found = self._find(request.name, now)
        before = None if found is None else self._moderation.mutes.get(found[0].key)
        if found is None or (found[1] is None and before is None):
            return refusals.not_connected(request, request.name)
        name, last_address = found
        return Mute(
            key=name.key,
            name=name.shown,
            address=self._address_to_hold(name, last_address, before),
            until=None if request.minutes is UNSET else later(now, 60 * request.minutes),
            operator=session.name.shown,
            time=now,
        )

    def bans_meant(self, request: LiftBan) -> list[Ban] | Error:
        """Return the bans to lift: of a name, or all of an address or network."""
        bans = self._moderation.bans
        if request.name is not UNSET:
            name = parse_name(request.name)
            ban = None if name is None else bans.get(_name_key(name))
            return refusals.not_banned(request, request.name) if ban is None else [ban]
        assert request.address is not UNSET, "one of them is given"
        network = parse_network(request.address)
        if network is None:
            return refusals.address_invalid(request, request.address)
        shown = shown_network(network)
        fitting = bans.fitting("", str(network.network_address))
        found = [ban for ban in fitting if ban.address == shown]
        if not found:
            return refusals.not_banned(request, shown, fitting[0].address if fitting else None)
        return found

    def mutes_meant(self, request: LiftMute) -> list[Mute]:
        """Return the mutes to lift: of a name, or of the address that its user comes from."""
        name, user = parse_name(request.name), self._registry.find(request.name)
        if name is None:
            return []
        return self._moderation.mutes.fitting(name.key, "" if user is None else user.address)

    def _find(self, spelling: str, now: str) -> tuple[Name, str | None] | None:
        """Return the shown form of a name, and its user's address if that is known.

        None for a text that cannot be a name.
        """
        user = self._registry.find(spelling)
        if user is not None:
            return user.name, user.address
        name = parse_name(spelling)
        if name is None:
            return None
        departure = self._moderation.departure(name.key, now)
        return (name, None) if departure is None else (departure.name, departure.address)

    def _address_to_hold(
        self, name: Name, address: str | None, before: Ban | Mute | None
    ) -> str | None:
        """Return the address that the ban or mute also covers; None if others share it."""
        if address is None:
            return None if before is None else before.address
        network = parse_network(address)
        if network is None or (self._shared_addresses and address in _LOCAL_PROXIES):
            return None
        neighbours = sessions_at(network, self._registry)
        is_shared = any(session.name.key != name.key for session in neighbours)
        return None if is_shared else shown_network(network)


def check_reason(request: Kick | ImposeBan) -> Error | None:
    """Return the refusal of a reason that is not a short text."""
    reason = request.reason
    if reason is UNSET:
        return None
    problem = check_text(reason)
    if problem is None and len(reason) > MAX_REASON_CHARS:
        problem = ErrorCode.TEXT_TOO_LONG
    return None if problem is None else refusals.reason_refused(request, problem, MAX_REASON_CHARS)


def _name_key(name: Name) -> str:
    return f"name:{name.key}"


def _address_key(network: Network) -> str:
    return f"address:{shown_network(network)}"
