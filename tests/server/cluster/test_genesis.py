"""The first entries of a log, and rules that differ from those of the chat."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tertulia.i18n import set_language
from tertulia.server.cluster import genesis
from tertulia.server.cluster.commands import Command, Genesis, Part, Rules
from tertulia.server.cluster.genesis import (
    check_rules,
    make_first_entries,
    max_users_of_chat,
    rules_of,
)
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.hub.records import Ban, HeldName, Hook, Insider, Mute, Pin, Switch, no_records
from tertulia.server.hub.room_state import KnownNonce, pack_row

NOW, BEFORE = "2026-11-22T15:00:00.000Z", "2026-11-21T15:00:00.000Z"
RULES = Rules(False, 1_000, None, 600.0, 100, 10.0)
NONCE: KnownNonce = ("ana", "n1", 1_795_000_000.25, 5)


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


def first_entries(*rows: Any, nonces: int = 0) -> list[list[Command]]:
    """Return the first entries of a log for a node that has kept these rows."""

    def records(kind: type) -> list[Any]:
        return [row for row in rows if type(row) is kind]

    return make_first_entries("log", "epoch", 40, RULES, records, NOW, [NONCE] * nonces)


def insider(name: str, ended: str | None = None) -> Insider:
    return Insider(key=name, name=name, ended=ended)


def test_a_log_without_records_begins_with_one_entry() -> None:
    assert first_entries() == [[Genesis("log", "epoch", 40, RULES, 0)]]
    assert make_first_entries("log", "epoch", 40, RULES, no_records, NOW) == first_entries()


def test_all_kinds_of_records_are_taken_over() -> None:
    rows = [
        Ban(key="name:eva", name="eva", operator="ana", time=BEFORE),
        Mute(key="luis", name="luis", operator="ana", time=BEFORE),
        Switch(key="locked", operator="ana", time=BEFORE),
        Pin(seq=7, sent=BEFORE, sender="ana", text="hola", operator="ana", time=BEFORE),
        Hook(key="hash", name="backup", operator="ana", time=BEFORE),
        insider("eva", BEFORE),
        HeldName(key="eva", name="eva", key_hash="of her key", ended=BEFORE),
    ]
    (begin,), (part,) = first_entries(*reversed(rows))
    assert begin == Genesis("log", "epoch", 40, RULES, 1)
    assert part == Part("log", 0, [pack_row(row) for row in rows])


def test_visits_that_are_open_end_now() -> None:
    name = HeldName(key="ana", name="ana", key_hash="of her key")
    _, (part,) = first_entries(insider("ana"), insider("eva", BEFORE), name)
    assert isinstance(part, Part)
    assert part.rows == [
        pack_row(insider("ana", NOW)),
        pack_row(insider("eva", BEFORE)),
        pack_row(replace(name, ended=NOW)),
    ]


@pytest.mark.parametrize(("more_bytes", "rows_of_parts"), [(0, [2, 2, 1]), (1, [3, 2])])
def test_a_part_is_full_when_its_rows_have_so_many_bytes(
    monkeypatch: pytest.MonkeyPatch, more_bytes: int, rows_of_parts: list[int]
) -> None:
    row_bytes = len(msgspec.msgpack.encode(pack_row(insider("a", NOW))))
    monkeypatch.setattr(genesis, "_PART_BYTES", 2 * row_bytes + more_bytes)
    (begin,), *parts = first_entries(*[insider(name, NOW) for name in "abcde"])
    assert isinstance(begin, Genesis)
    assert begin.parts == len(rows_of_parts)
    assert [(part.index, len(part.rows)) for (part,) in parts if isinstance(part, Part)] == list(
        enumerate(rows_of_parts)
    )


def test_nonces_follow_the_rows_2000_in_a_part() -> None:
    (begin,), *parts = first_entries(insider("ana"), nonces=4_001)
    assert isinstance(begin, Genesis)
    assert begin.parts == 4
    found = [part for (part,) in parts if isinstance(part, Part)]
    assert [part.index for part in found] == [0, 1, 2, 3]
    assert [len(part.rows) for part in found] == [1, 0, 0, 0]
    assert [len(part.nonces) for part in found] == [0, 2_000, 2_000, 1]
    assert found[3].nonces == [NONCE]


# --- rules ---------------------------------------------------------------------------------------


def test_the_chat_has_room_for_the_users_of_one_node_unless_more_is_said() -> None:
    assert max_users_of_chat(Config(port=0, max_users=7)) == 7
    assert max_users_of_chat(Config(port=0, max_users=7, max_users_of_chat=20)) == 20


def test_the_rules_come_from_the_options() -> None:
    config = Config(
        port=0, shared_addresses=True, max_users_of_chat=20, hold_names_days=3.5, max_nonces=9
    )
    assert rules_of(config) == Rules(True, 20, 3.5, 600.0, 9, 10.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"shared_addresses": True},
            "the chat was begun with --shared-addresses (switched off), and this node was given "
            "(switched on): use the same value on all nodes",
        ),
        (
            {"max_users": 1},
            "the chat was begun with --max-users 1000, and this node was given 1: use the same "
            "value on all nodes",
        ),
        (
            {"hold_names_days": 3.5},
            "the chat was begun with --hold-names (switched off), and this node was given 3.5: "
            "use the same value on all nodes",
        ),
    ],
)
def test_other_rules_than_those_of_the_chat_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ClusterUnusable) as caught:
        check_rules(replace(RULES, **given), RULES)
    assert str(caught.value) == words


def test_rules_that_no_option_sets_may_differ() -> None:
    check_rules(RULES, replace(RULES, nonce_keep_s=1.0, max_nonces=1, silent_after_s=1.0))
