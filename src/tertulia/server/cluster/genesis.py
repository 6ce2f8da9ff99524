"""Makes the first entries of a log from one node's records, and compares nodes' rules. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tertulia.i18n import _
from tertulia.server.cluster.commands import Command, Genesis, Part, Rules
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.hub.records import (
    Ban,
    HeldName,
    Hook,
    Insider,
    Mute,
    Pin,
    Record,
    Records,
    Switch,
)
from tertulia.server.hub.room_state import KnownNonce, PackedRow, pack_row

SILENT_AFTER_S = 10.0  # by the log's time; then a node counts as dead
_PART_BYTES = 256 * 1024
_PART_NONCES = 2_000  # of less than 300 bytes each

# The options that must be the same on all nodes of a chat, by the fields of Rules.
_OPTIONS = {
    "shared_addresses": "--shared-addresses",
    "max_users": "--max-users",
    "hold_names_days": "--hold-names",
}


def max_users_of_chat(config: Config) -> int:
    """Return the greatest number of users on all nodes together."""
    return config.max_users_of_chat or config.max_users


def rules_of(config: Config) -> Rules:
    """Return the rules that a node would begin a chat with."""
    return Rules(
        *(config.shared_addresses, max_users_of_chat(config), config.hold_names_days),
        *(config.nonce_keep_s, config.max_nonces, SILENT_AFTER_S),
    )


def make_first_entries(
    log: str,
    epoch: str,
    seq: int,
    rules: Rules,
    records: Records,
    time: str,
    nonces: Sequence[KnownNonce] = (),
) -> list[list[Command]]:
    """Return the first entries of a log, as commands: the Genesis, then its Parts.

    `time` (RFC 3339) becomes the end of visits that the records leave open. Because of the nonces,
    a client can repeat a message that the old log may already have had.
    """
    rows: list[Record] = [*records(Ban), *records(Mute), *records(Switch), *records(Pin)]
    rows += records(Hook)
    rows += [replace(one, ended=one.ended or time) for one in records(Insider)]
    rows += [replace(one, ended=one.ended or time) for one in records(HeldName)]
    parts: list[Command] = [
        Part(log, index, part) for index, part in enumerate(_parts(map(pack_row, rows)))
    ]
    for first in range(0, len(nonces), _PART_NONCES):
        some = list(nonces[first : first + _PART_NONCES])
        parts.append(Part(log, len(parts), [], some))
    return [[Genesis(log, epoch, seq, rules, len(parts))], *([part] for part in parts)]


def _parts(rows: Any) -> list[list[PackedRow]]:
    parts: list[list[PackedRow]] = []
    size = _PART_BYTES
    for row in rows:
        if size >= _PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += len(msgspec.msgpack.encode(row))
    return parts


def check_rules(given: Rules, chat: Rules) -> None:
    """Raise ClusterUnusable if a node was given rules that differ from those of the chat."""
    for field, option in _OPTIONS.items():
        own, common = getattr(given, field), getattr(chat, field)
        if own != common:
            raise ClusterUnusable(
                _(
                    "the chat was begun with {option} {common}, and this node was given {own}: "
                    "use the same value on all nodes"
                ).format(option=option, common=_shown(common), own=_shown(own))
            )


def _shown(value: bool | float | None) -> str:
    words: dict[Any, Callable[[], str]] = {
        True: lambda: _("(switched on)"),
        False: lambda: _("(switched off)"),
        None: lambda: _("(switched off)"),
    }
    if value is None or isinstance(value, bool):
        return words[value]()
    return f"{value:g}"
