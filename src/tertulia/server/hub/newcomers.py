"""From a `register` to a newcomer, and from a new session to its `welcome`. Pure."""

import hashlib

from msgspec import UNSET, UnsetType

from tertulia.protocol.messages import PROTOCOL_VERSION, Error, Register, Status, Welcome
from tertulia.protocol.names import parse_name
from tertulia.protocol.texts import MAX_TEXT_BYTES
from tertulia.server import refusals
from tertulia.server.hub.moderation import Moderation
from tertulia.server.hub.room import Entered, Newcomer
from tertulia.version import __version__


def newcomer_of(
    request: Register, address: str, idle_after_s: float | None, *, may_challenge: bool
) -> Newcomer | Error:
    """Check what a registration says, and return its values worked out."""
    if request.protocol not in (UNSET, PROTOCOL_VERSION):
        return refusals.protocol_unsupported(request)
    name = parse_name(request.name)
    if name is None:
        return refusals.name_invalid(request)
    try:
        chosen = Status.ACTIVO if request.status is UNSET else Status(request.status)
    except ValueError:
        return refusals.status_invalid(request)
    is_idle = idle_after_s is not None and idle_seconds(request) >= idle_after_s
    return Newcomer(
        name,
        address,
        None if request.token is UNSET else request.token,
        may_challenge,
        request.events == "messages",
        Status.INACTIVO if is_idle else chosen,
        chosen,
        None if request.key is UNSET else hashlib.sha256(request.key.encode()).hexdigest(),
    )


def idle_seconds(request: Register) -> float:
    """Return for how long the user has done nothing."""
    return 0.0 if request.idle is UNSET else request.idle


def welcome_of(
    request: Register,
    entered: Entered,
    moderation: Moderation,
    epoch: str,
    idle_after_s: float,
    nodes: list[str] | UnsetType,
) -> Welcome:
    """Return the `welcome` of a new session, true at its beginning."""
    session = entered.session
    return Welcome(
        id=request.id,
        name=session.name.shown,
        address=session.address,
        status=session.status,
        seq=entered.seq,
        token=session.token,
        epoch=epoch,
        server=f"tertulia {__version__}",
        protocol=PROTOCOL_VERSION,
        idle_after=idle_after_s,
        max_text=MAX_TEXT_BYTES,
        hushed=moderation.is_hushed,
        locked=moderation.is_locked,
        operator=session.is_operator,
        pinned=moderation.pinned,
        nodes=nodes,
    )
