"""The state with which the chat begins when the server starts: a stored one, or a new one."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tertulia.server.hub.keeper import Keeper
from tertulia.server.hub.records import Records, no_records


class Start(NamedTuple):
    """The epoch and the numbers of the chat, its records, and its recent nonces."""

    epoch: str
    last_seq: int
    records: Records = no_records
    nonces: Sequence[tuple[int, str, str, str]] = ()  # see Keeper.nonces


def start_from(keeper: Keeper | None, moment: datetime) -> Start:
    """Return the state that an earlier run has kept, or that of a new chat without a keeper."""
    if keeper is None:
        return Start(secrets.token_hex(8), 0)
    epoch, last_seq, _ = keeper.numbering
    return Start(epoch, last_seq, keeper.records, keeper.nonces(moment))
