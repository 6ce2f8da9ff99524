"""From a `register` to a newcomer: what can be checked without knowing who is here. Pure."""

import hashlib

from msgspec import UNSET

from tertulia.protocol.messages import PROTOCOL_VERSION, Error, Register, Status
from tertulia.protocol.names import parse_name
from tertulia.server import refusals
from tertulia.server.hub.room import Newcomer


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
