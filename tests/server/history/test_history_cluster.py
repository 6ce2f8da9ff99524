"""The history of a cluster's node: its place in the log, and nothing refused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from history_chat import SESSION, WAIT_S, Owner
from stored_messages import message

from tertulia.protocol.messages import GetHistory
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.mail import PageTicket
from tertulia.server.history.replica import Place
from tertulia.server.hub.records import Ban
from tertulia.server.hub.session import Receipt

NOW = "2026-11-22T15:00:00.000Z"


class Node:
    """A node's history, and the worker that waits for it."""

    def __init__(self, path: Path, *, start: bool = True, **options) -> None:
        config = Config(port=0, history=str(path), cluster=("nats://127.0.0.1:1",), **options)
        self.history = History(path, config)
        self.owner = Owner()
        if start:
            self.history.start()

    def say(self, seq: int, text: str = "hola") -> None:
        assert self.history.take_room()
        receipt = Receipt(self.owner, SESSION, seq, seq)
        self.history.write(message(seq, text), receipt)

    def acknowledged(self) -> tuple[int, bool]:
        _, seq, is_stored = self.owner.next()
        return seq, is_stored

    def texts(self) -> list[str]:
        self.history.ask(PageTicket(GetHistory(limit=200), self.owner, SESSION))
        return [each.text for each in self.owner.pages.get(timeout=WAIT_S).page.messages]

    def stop(self) -> None:
        assert self.history.stop(WAIT_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def node(path: Path) -> Iterator[Node]:
    node = Node(path)
    yield node
    node.stop()


def place(number: int) -> Place:
    return Place("tertulia", "log1", number, str(number).encode())


def test_a_message_written_again_is_acknowledged_like_any_other(node):
    for _ in range(2):
        node.say(1)
        assert node.acknowledged() == (1, True)
    assert node.texts() == ["hola"]


def test_a_message_of_another_node_needs_no_acknowledgement(node):
    assert node.history.take_room()
    node.history.write(message(1), None)
    node.say(2)
    assert node.acknowledged() == (2, True)
    assert node.texts() == ["hola", "hola"]
    assert node.history.queued == (0, 0)


def test_the_place_saved_last_is_there_after_a_restart(path):
    node = Node(path, start=False)
    for number in range(1, 4):
        node.say(number)
        node.history.save_place(place(number))
    node.history.start()
    node.stop()
    again = Node(path)
    assert again.history.place == place(3)
    again.stop()


def test_a_place_is_never_in_the_file_before_what_was_handed_in_before_it(path, monkeypatch):
    node = Node(path, start=False)
    groups: Queue[tuple[list[int], int | None]] = Queue()
    add = node.history._store.add

    def note(messages, changes, place):
        groups.put(([each.seq for each in messages], place and place.place))
        add(messages, changes, place)

    monkeypatch.setattr(node.history._store, "add", note)
    for number in range(1, 1_201):
        node.say(number)
        if number % 300 == 0:
            node.history.save_place(place(number))
    node.history.start()
    node.stop()
    written = 0
    while not groups.empty():
        seqs, saved = groups.get()
        written = max(seqs, default=written)
        assert saved is None or saved <= written
    assert Node(path).history.place == place(1_200)


def test_a_node_refuses_nothing_because_of_its_queue(path):
    node = Node(path, start=False, history_queue=2)
    for number in range(1, 6):
        node.say(number)
    assert node.history.queued == (5, 0)
    node.history.start()
    assert [node.acknowledged() for _ in range(5)] == [(seq, True) for seq in range(1, 6)]
    node.stop()


def test_a_node_goes_on_with_the_numbering_and_the_records_of_its_cluster(path):
    node = Node(path, start=False, seq_block=1_000)
    ban = Ban(key="name:luis", operator="ana", time=NOW)
    node.history.adopt("e2", 70_000)
    node.history.replace_records([ban], NOW)
    assert node.history.numbering == ("e2", 70_000, 71_000)
    assert node.history.records(Ban) == [ban]
    node.history.start()
    node.history.reserve_soon(70_501)
    node.say(70_501)
    assert node.acknowledged() == (70_501, True)
    node.stop()
    with sqlite3.connect(path) as db:
        numbers = db.execute("SELECT epoch, reserved_through FROM numbering").fetchone()
    db.close()
    assert numbers == ("e2", 71_501)
