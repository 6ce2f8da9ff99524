"""The file of a cluster's node: what is applied again changes nothing, and the place is true."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from stored_messages import index_all, indexed, message, seqs

from tertulia.protocol.messages import ChatMessage, Search
from tertulia.server.history.checks import StoreOfAnotherVersion
from tertulia.server.history.mail import Rows
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.restore import restore
from tertulia.server.history.store import MessageStore
from tertulia.server.history.tables import read_on_full_disk, read_records
from tertulia.server.hub.records import (
    Ban,
    Change,
    HeldName,
    Hook,
    HookMessage,
    Insider,
    Mute,
    Pin,
    Place,
    Removed,
    Switch,
    Visit,
)

NOW, LATER = "2026-11-22T15:00:00.000Z", "2026-11-22T15:30:00.000Z"


def place(number: int) -> Place:
    return Place(chat="tertulia", log="log1", place=number, state=f"\x00{number}".encode())


PLACE = place(7)


@pytest.fixture
def reader(node: MessageStore, path: Path) -> Iterator[MessageReader]:
    with MessageReader(path) as reader:
        yield reader


def opened_again(node: MessageStore, *, of_cluster: bool = True) -> MessageStore:
    node.close()
    return MessageStore(node._path, block=1_000, of_cluster=of_cluster)


def index_of(store: MessageStore) -> list[tuple]:
    """Return every word of the search index, and where it is."""
    db = store._db
    db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, message_words, instance)")
    try:
        return db.execute("SELECT * FROM words ORDER BY term, doc, offset").fetchall()
    finally:
        db.execute("DROP TABLE words")


def everything_in(store: MessageStore) -> dict[str, list[tuple]]:
    tables = ("message", "ban", "visit", "hook_message", "place")
    rows = {table: store._db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    return rows | {"index": index_of(store), "indexed": [(indexed(store),)]}


# --- written again -------------------------------------------------------------------------------


def test_a_message_that_is_written_again_is_ignored(node, reader):
    node.add([message(1, "hola"), message(3, "adiós")])
    index_all(node)
    node.add([message(1, "hola"), message(3, "adiós"), message(4, "hola")])
    index_all(node)
    assert seqs(reader.page(Search(text="hola"))) == ([1, 4], False)
    assert [(word, seq) for word, seq, *_ in index_of(node)] == [
        ("adios", 3),
        ("hola", 1),
        ("hola", 4),
    ]
    assert indexed(node) == 3


def test_the_end_of_a_visit_is_not_taken_back_by_a_node_that_did_not_know_it(node):
    here = Visit(key=1, name="ana", address="10.0.0.7", joined=NOW, ended=None, reason=None)
    gone = replace(here, ended=LATER, reason="quit")
    node.add([], [gone])
    for known in (here, gone):
        node.fill(Rows(of="visits", after=0, through=1, visits=[known]), [])
        assert node.records(Visit) == [gone]


def test_without_a_cluster_a_number_that_is_given_twice_is_still_an_error(store):
    store.add([message(1)])
    with pytest.raises(sqlite3.IntegrityError):
        store.add([message(1)])


def test_a_message_that_comes_after_its_neighbours_were_indexed_is_found(node, reader):
    node.add([message(1, "uno"), message(5, "cinco")])
    index_all(node)
    node.add([message(3, "tres"), message(5, "cinco")])
    assert seqs(reader.page(Search(text="tres"))) == ([3], False)
    index_all(node)
    assert [word for word, *_ in index_of(node)] == ["cinco", "tres", "uno"]


def test_a_message_that_was_forgotten_and_written_again_can_be_forgotten_again(node, reader):
    old = message(1, "vieja", time="2026-01-01T00:00:00.000Z")
    for _ in range(2):
        node.add([old, message(2, "nueva")])
        index_all(node)
        assert seqs(reader.page(Search(text="vieja"))) == ([1], False)
        node.forget(NOW, after=0, count=10)
    assert [word for word, *_ in index_of(node)] == ["nueva"]


def test_the_last_indexed_message_can_be_forgotten_and_written_again(node, reader):
    last = message(1, "vieja", time="2026-01-01T00:00:00.000Z")
    node.add([last])
    index_all(node)
    node.forget(NOW, after=0, count=10)
    assert index_of(node) == []
    node.add([last])
    assert seqs(reader.page(Search(text="vieja"))) == ([1], False)


@pytest.mark.parametrize(("late", "moved"), [(3, 0), (5, 0), (3, 2), (5, 2)])
def test_a_late_message_among_those_of_an_old_index_is_found_before_and_after_it_moves(
    node, reader, late, moved
):
    node.add([message(1, "uno"), message(4, "cuatro")])
    db = node._db
    db.execute(
        "CREATE VIRTUAL TABLE message_index USING fts5(text, content='message', content_rowid=seq)"
    )
    db.execute("INSERT INTO message_index (rowid, text) VALUES (1, 'uno'), (4, 'cuatro')")
    db.execute("UPDATE numbering SET indexed_through = 5")  # the last one is not here any more
    node = opened_again(node)
    if moved:
        node.replace_old_index(moved)
    node.add([message(late, "tarde")])
    assert seqs(reader.page(Search(text="tarde"))) == ([late], False)
    while node.replace_old_index(1):
        assert seqs(reader.page(Search(text="tarde"))) == ([late], False)
    assert seqs(reader.page(Search(text="tarde"))) == ([late], False)
    assert [word for word, *_ in index_of(node)] == ["cuatro", "tarde", "uno"]
    assert indexed(node) == 3, "none of them twice"
    node.close()


def written(number: int, kind: str) -> tuple[list[ChatMessage], list[Change]]:
    """Return what a node hands in for the entry of the log with this number."""
    messages, changes = [], []
    match kind:
        case "say":
            messages = [message(number, f"palabra{number} hola", nonce=f"n{number}")]
        case "hook":
            messages, changes = [message(number, hook=True)], [HookMessage(key=number)]
        case "come":
            changes = [Visit(key=number, name="eva", address="10.0.0.1", joined=NOW)]
        case "go":
            changes = [
                Visit(
                    key=number // 2,
                    name="eva",
                    address="10.0.0.1",
                    joined=NOW,
                    ended=LATER,
                    reason="quit",
                )
            ]
        case "ban":
            changes = [Ban(key=f"k{number % 3}", operator=str(number), time=NOW)]
        case "unban":
            changes = [Removed(Ban, f"k{number % 3}")]
    return messages, [*changes, place(number)]


@pytest.fixture
def two_nodes(tmp_path: Path) -> Iterator[list[MessageStore]]:
    nodes = [
        MessageStore(tmp_path / f"{number}.db", block=10, of_cluster=True) for number in range(2)
    ]
    yield nodes
    for node in nodes:
        node.close()


def empty(store: MessageStore) -> None:
    """Delete everything: to open a file for each example takes too long."""
    store._db.executescript(
        "PRAGMA synchronous = OFF; DELETE FROM message; DELETE FROM ban; DELETE FROM visit; "
        "DELETE FROM hook_message; DELETE FROM place; UPDATE numbering SET indexed_through = 0; "
        "INSERT INTO message_words (message_words) VALUES ('delete-all')"
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(["say", "say", "hook", "come", "go", "ban", "unban", "beat"])),
    data=st.data(),
)
def test_entries_applied_again_from_any_earlier_place_leave_the_file_as_it_was(
    two_nodes, kinds, data
):
    entries = [written(number, kind) for number, kind in enumerate(kinds, start=1)]

    def apply(store: MessageStore, first: int, last: int) -> None:
        """Write these entries in groups, and index now and then."""
        while first < last:
            end = min(last, first + data.draw(st.integers(1, 4), "group"))
            group = entries[first:end]
            store.add(
                [message for messages, _ in group for message in messages],
                [change for _, changes in group for change in changes],
            )
            if data.draw(st.booleans(), "index"):
                store.index(2)
            first = end

    once, again = two_nodes
    empty(once)
    empty(again)
    apply(once, 0, len(entries))
    crash = data.draw(st.integers(0, len(entries)), "crash")
    apply(again, 0, crash)
    apply(again, data.draw(st.integers(0, crash), "place"), len(entries))
    for store in two_nodes:
        index_all(store)
    assert everything_in(again) == everything_in(once)


# --- the place -----------------------------------------------------------------------------------


def test_the_latest_place_is_there_when_the_file_is_opened_again(node):
    assert node.records(Place) == []
    node.add([message(1)], [place(6)])
    node.add([], [PLACE])
    node = opened_again(node)
    assert node.records(Place) == [PLACE]
    node.close()


def test_a_place_is_written_with_what_is_before_it_or_not_at_all(node):
    wrong = Visit(key=1, name=None, address="", joined=NOW)
    with pytest.raises(sqlite3.IntegrityError):
        node.add([message(1)], [wrong, PLACE])
    node = opened_again(node)
    assert node.records(Place) == []
    assert not node.has(1)
    node.close()


def test_a_restored_copy_has_the_place_of_its_time(node, path, reader, tmp_path):
    node.add([message(1)], [PLACE])
    reader.copy_to(str(tmp_path / "copy.db"))
    node.add([message(2)], [place(8)])
    node.close()
    assert restore(path, tmp_path / "copy.db") == 0
    node = MessageStore(path, block=1_000, of_cluster=True)
    assert node.records(Place) == [PLACE]
    assert not node.has(2)
    node.close()


def test_a_file_that_is_used_without_the_cluster_has_no_place_any_more(node):
    node.add([message(1)], [PLACE])
    alone = opened_again(node, of_cluster=False)
    node = opened_again(alone)
    assert node.records(Place) == []
    assert node.has(1)
    node.close()


def test_on_a_full_disk_the_place_is_read_too(node, path):
    node.add([], [PLACE])
    node.close()
    assert read_on_full_disk(path, "place", lambda db: read_records(db, Place)) == [PLACE]


def test_a_table_of_places_of_another_program_is_left_alone(node, path):
    node._db.execute("ALTER TABLE place ADD COLUMN colour TEXT")
    with pytest.raises(StoreOfAnotherVersion):
        opened_again(node)


# --- the records ---------------------------------------------------------------------------------


def visit(key: int, **fields: str) -> Visit:
    return Visit(key=key, name="eva", address="10.0.0.1", joined=NOW, **fields)


def test_the_records_of_another_node_take_the_place_of_all_others(node):
    stays = HookMessage(key=3)
    node.add(
        [],
        [
            Ban(key="name:luis", operator="ana", time=NOW),
            Mute(key="eva", name="Eva", operator="ana", time=NOW),
            Switch(key="hushed", operator="server", time=NOW),
            Pin(seq=7, sent=NOW, sender="ana", text="a las 8", operator="ana", time=NOW),
            Insider(key="luis", name="Luis"),
            HeldName(key="ana", name="ana", key_hash="0f"),
            Hook(key="0f", name="build", operator="ana", time=NOW),
            stays,
        ],
    )
    new = Ban(key="name:leo", operator="ana", time=LATER)
    node.replace_records([new], LATER)
    assert node.records(Ban) == [new]
    for kind in (Mute, Switch, Pin, Insider, HeldName, Hook):
        assert node.records(kind) == []
    assert node.records(HookMessage) == [stays]


def test_visits_are_added_and_those_that_nobody_has_any_more_get_an_end(node):
    ended = visit(1, ended=NOW, reason="quit")
    node.add([], [ended, visit(2), visit(3), visit(4)])
    gone = visit(3, ended=LATER, reason="kicked")
    node.replace_records([visit(2), gone, visit(9)], LATER)
    lost = visit(4, ended=LATER, reason="lost")
    assert node.records(Visit) == [ended, visit(2), gone, lost, visit(9)]


def test_a_visit_does_not_end_before_it_began(node):
    begun = replace(visit(1), joined=LATER)
    node.add([], [begun])
    node.replace_records([], NOW)
    assert node.records(Visit) == [replace(begun, ended=LATER, reason="lost")]


def test_records_are_replaced_all_or_none(node):
    old = Ban(key="name:luis", operator="ana", time=NOW)
    node.add([], [old])
    with pytest.raises(sqlite3.IntegrityError):
        node.replace_records([Ban(key="x", operator=None, time=NOW)], LATER)
    assert node.records(Ban) == [old]


def test_users_may_be_here_on_other_nodes_when_a_node_opens_its_file(node):
    node.add([], [visit(1)])
    node = opened_again(node)
    assert node.records(Visit) == [visit(1)]
    alone = opened_again(node, of_cluster=False)
    assert alone.records(Visit) == [visit(1, ended=NOW, reason="lost")]
    alone.close()
