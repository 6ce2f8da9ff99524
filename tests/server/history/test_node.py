"""The history of a cluster's node: its place in the log, and nothing refused."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Self

import pytest
from history_chat import SESSION, WAIT_S, Owner
from stored_messages import full_disk, message

from tertulia.i18n import set_language
from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import GetHistory, HistoryPage, Search
from tertulia.server.config import Config
from tertulia.server.history.export import export
from tertulia.server.history.history import History
from tertulia.server.history.mail import (
    GetRows,
    KeptTicket,
    PageTicket,
    Rows,
    RowsReady,
    RowsTicket,
)
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.records import Ban, HookMessage, Place, Visit
from tertulia.server.hub.session import Receipt

NOW, LATER = "2026-11-22T15:00:00.000Z", "2026-11-22T15:30:00.000Z"


class Node:
    """A node's history, and the worker that waits for it."""

    def __init__(self, path: Path, *, start: bool = True, **options) -> None:
        config = Config(port=0, history=str(path), cluster=("nats://127.0.0.1:1",), **options)
        self.history = NodeHistory(path, config)
        self.owner = Owner()
        self.is_started = False
        if start:
            self.start()

    def start(self) -> None:
        self.history.start()
        self.is_started = True

    def say(self, seq: int, text: str = "hola") -> None:
        assert self.history.reserve_space()
        receipt = Receipt(self.owner, SESSION, seq, seq)
        self.history.write(message(seq, text), receipt)

    def acknowledged(self) -> tuple[int, bool]:
        _, seq, is_stored = self.owner.next()
        return seq, is_stored

    def texts(self) -> list[str]:
        return [message.text for message in self.page(GetHistory(limit=200)).messages]

    def page(self, request: GetHistory | Search) -> HistoryPage:
        self.history.ask(PageTicket(request, self.owner, SESSION))
        return self.owner.pages.get(timeout=WAIT_S).page

    def rows(self, of: str, after: int, through: int) -> Rows | None:
        """Ask as a peer does."""
        peer = Peer()
        self.history.ask_rows(RowsTicket(GetRows(of=of, after=after, through=through), peer))
        return peer.mail.get(timeout=WAIT_S).rows

    def kept(self, *numbers: int) -> tuple[list[int], bool]:
        """Ask as a peer does."""
        answers: Queue[tuple[list[int], bool]] = Queue()
        ticket = KeptTicket(list(numbers), lambda *answer: answers.put(answer))
        self.history.ask_kept(ticket)
        return answers.get(timeout=WAIT_S)

    def fill_from(self, peer: Self) -> None:
        """Fetch from a peer whatever is missing."""
        while missing := self.history.missing:
            rows = peer.rows(missing[0].of, missing[0].after, missing[0].through)
            assert rows is not None
            self.history.add_missing(rows)
            self.page(GetHistory())  # comes when the rows are written

    def stop(self) -> None:
        if self.is_started:
            assert self.history.stop(WAIT_S)
        else:
            self.history._store.close()


def found(path: Path) -> NodeHistory:
    """Return what a node finds in its file when it starts."""
    node = Node(path, start=False)
    node.stop()
    return node.history


class Peer:
    """Waits for rows."""

    def __init__(self) -> None:
        self.mail: Queue[RowsReady] = Queue()

    def post(self, mail: RowsReady) -> bool:
        self.mail.put(mail)
        return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def node(path: Path) -> Iterator[Node]:
    node = Node(path)
    yield node
    node.stop()


def place(number: int) -> Place:
    return Place(chat="tertulia", log="log1", place=number, state=str(number).encode())


def test_a_message_written_again_is_acknowledged_like_any_other(node):
    for _ in range(2):
        node.say(1)
        assert node.acknowledged() == (1, True)
    assert node.texts() == ["hola"]


def test_a_message_of_another_node_needs_no_acknowledgement(node):
    assert node.history.reserve_space()
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
    node.start()
    node.stop()
    again = Node(path)
    assert again.history.place == place(3)
    again.stop()


def test_a_place_is_never_in_the_file_before_what_was_handed_in_before_it(path, monkeypatch):
    node = Node(path, start=False)
    groups: Queue[tuple[list[int], list[int]]] = Queue()
    add = node.history._store.add

    def note(messages, changes):
        groups.put(([each.seq for each in messages], [place.place for place in changes]))
        add(messages, changes)

    monkeypatch.setattr(node.history._store, "add", note)
    for number in range(1, 1_201):
        node.say(number)
        if number % 300 == 0:
            node.history.save_place(place(number))
    node.start()
    node.stop()
    written = 0
    while not groups.empty():
        seqs, saved = groups.get()
        written = max(seqs, default=written)
        assert max(saved, default=0) <= written
    assert found(path).place == place(1_200)


def test_an_empty_file_is_known_from_one_with_messages_or_visits(path):
    for _ in range(2):  # A second opening reserves more numbers.
        node = Node(path)
        assert node.history.last_stored == 0
        node.stop()
    node = Node(path)
    node.say(7)
    node.stop()
    node = Node(path)
    assert node.history.last_stored == 7
    node.history.keep([visit(9)])
    node.stop()
    assert found(path).last_stored == 9


def test_a_node_refuses_nothing_because_of_its_queue(path):
    node = Node(path, start=False, history_queue=2)
    for number in range(1, 6):
        node.say(number)
    assert node.history.queued == (5, 0)
    node.start()
    assert [node.acknowledged() for _ in range(5)] == [(seq, True) for seq in range(1, 6)]
    node.stop()


def test_a_node_goes_on_with_the_numbering_and_the_records_of_its_cluster(path):
    node = Node(path, start=False, seq_block=1_000)
    ban = Ban(key="name:luis", operator="ana", time=NOW)
    node.history.adopt("e2", 70_000)
    node.history.replace_records([ban], NOW)
    assert node.history.numbering == ("e2", 70_000, 71_000)
    assert node.history.records(Ban) == [ban]
    node.start()
    node.history.reserve_soon(70_501)
    node.say(70_501)
    assert node.acknowledged() == (70_501, True)
    node.stop()
    with sqlite3.connect(path) as db:
        numbers = db.execute("SELECT epoch, reserved_through FROM numbering").fetchone()
    db.close()
    assert numbers == ("e2", 71_501)


# --- what is missing -----------------------------------------------------------------------------


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Node]:
    """A node that has everything: messages 1 to 9, of which one came through a hook, and visits."""
    peer = Node(tmp_path / "peer.db")
    for seq in range(1, 10):
        peer.say(seq, f"hola {seq}")
    peer.history.keep([HookMessage(key=4), visit(2, ended=LATER, reason="quit"), visit(6)])
    yield peer
    peer.stop()


def visit(key: int, **fields: str) -> Visit:
    return Visit(key=key, name="eva", address="10.0.0.1", joined=NOW, **fields)


def everything_in(path: Path) -> list[list[tuple]]:
    with sqlite3.connect(path) as db:
        tables = ("message", "visit", "hook_message", "missing_messages", "missing_visits")
        found = [db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    db.close()
    return found


def test_a_fresh_node_fills_its_gap_from_a_peer_and_has_everything_then(peer, path):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.history.replace_records([visit(6)], LATER)
    node.start()
    node.say(10, "hola 10")
    peer.say(10, "hola 10")
    assert node.history.lacks(GetHistory())
    assert node.history.lacks(ListAttendance())
    assert [message.seq for message in node.page(Search(text="hola")).messages] == [10]
    node.fill_from(peer)
    assert not node.history.lacks(GetHistory())
    assert not node.history.lacks(ListAttendance())
    found = node.page(Search(text="hola")).messages
    assert [message.seq for message in found] == list(range(1, 11))
    assert found == peer.page(Search(text="hola")).messages
    node.stop()
    assert everything_in(path) == everything_in(peer.history.path)


@pytest.fixture
def small_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.history.reader._MAX_ROWS", 2)


@pytest.mark.usefixtures("small_answers")
def test_a_gap_is_filled_in_parts_and_what_is_left_of_it_outlives_a_restart(path, peer):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.start()
    node.history.add_missing(peer.rows("messages", 0, 9))
    node.history.add_missing(peer.rows("messages", 6, 9))
    node.history.add_missing(peer.rows("visits", 0, 9))
    node.stop()
    node = Node(path)
    assert node.history.missing == [
        GetRows(of="messages", after=8, through=9),
        GetRows(of="messages", after=2, through=6),
        GetRows(of="visits", after=6, through=9),
    ]
    assert node.texts() == ["hola 1", "hola 2", "hola 7", "hola 8"]
    node.fill_from(peer)
    assert len(node.texts()) == 9
    node.stop()
    assert everything_in(path) == everything_in(peer.history.path)


def test_a_peer_answers_with_what_it_has_itself(path, peer):
    node = Node(path, start=False)
    node.history.note_missing(0, 5)
    node.start()
    for seq in range(6, 9):
        node.say(seq)
    rows = node.rows("messages", 0, 8)
    assert (rows.after, rows.through) == (5, 8)
    assert [message.seq for message in rows.messages] == [6, 7, 8]
    assert node.rows("messages", 1, 5) is None
    node.fill_from(peer)
    assert (node.rows("messages", 1, 5).after, node.rows("messages", 1, 5).through) == (1, 5)
    node.stop()


def test_an_answer_is_no_longer_than_a_message_of_the_cluster_may_be(node):
    for seq in range(1, 6):
        node.say(seq, "ñ" * 100_000)  # 200,000 bytes
    rows = node.rows("messages", 0, 9)
    assert [message.seq for message in rows.messages] == [1, 2]
    assert rows.through == 2
    assert node.rows("messages", 4, 9).through == 9


def test_an_answer_that_finds_nothing_closes_the_gap_all_the_same(path, peer):
    node = Node(path, start=False)
    node.history.note_missing(20, 30)
    node.start()
    node.fill_from(peer)
    assert node.texts() == []
    node.stop()
    assert found(path).missing == []


def test_a_message_that_was_applied_meanwhile_is_not_written_twice(path, peer):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.start()
    node.say(9, "hola 9")
    assert len(node.page(Search(text="hola")).messages) == 1
    node.fill_from(peer)
    assert len(node.page(Search(text="hola")).messages) == 9
    node.stop()


def test_an_end_that_was_applied_meanwhile_stays(path, peer):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.start()
    rows = peer.rows("visits", 0, 9)
    assert rows.visits[-1] == visit(6), "it is here as far as the peer knows"
    node.history.keep([visit(6, ended=LATER, reason="quit")])
    node.history.add_missing(rows)
    node.stop()
    node = Node(path, start=False)
    assert node.history.records(Visit) == [
        visit(2, ended=LATER, reason="quit"),
        visit(6, ended=LATER, reason="quit"),
    ]
    node.stop()


def test_a_peer_knows_how_a_visit_ended_that_was_lost_here(path, peer):
    node = Node(path)
    node.history.keep([visit(2), visit(6)])
    node.stop()
    node = Node(path, start=False)
    node.history.replace_records([visit(6)], NOW)
    assert node.history.records(Visit) == [visit(2, ended=NOW, reason="lost"), visit(6)]
    assert node.history.missing == [GetRows(of="visits", after=1, through=2)]
    node.start()
    node.fill_from(peer)
    node.stop()
    again = Node(path, start=False)
    assert again.history.records(Visit) == [visit(2, ended=LATER, reason="quit"), visit(6)]
    assert again.history.missing == []
    again.stop()


def test_without_the_cluster_nothing_is_missing_any_more(path):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.start()
    node.stop()
    History(path, Config(port=0, history=str(path)))._store.close()
    assert found(path).missing == []


# --- a disk that takes nothing -------------------------------------------------------------------


def fail(*_: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_what_could_not_be_written_is_missing_and_the_place_goes_no_further_without_it(path, peer):
    node = Node(path)
    node.say(1, "hola 1")
    assert node.acknowledged() == (1, True)
    add, node.history._store.add = node.history._store.add, fail
    node.say(2, "hola 2")
    node.history.save_place(place(2))
    assert node.acknowledged() == (2, False)
    assert node.rows("messages", 0, 2) is None, "a peer would take that for everything"
    assert node.history.lacks(GetHistory())
    assert not node.history.takes_rows
    node.history._store.add = add
    node.say(3, "hola 3")
    assert node.acknowledged() == (3, True)
    node.stop()
    node = Node(path)
    assert node.history.place == place(2)
    assert node.history.missing == [GetRows(of="messages", after=1, through=2)]
    node.fill_from(peer)
    assert node.texts() == ["hola 1", "hola 2", "hola 3"]
    node.stop()


def test_what_could_not_be_written_is_acknowledged_by_whoever_asks_the_peers(path):
    node = Node(path, start=False)
    asked: Queue[list[Receipt]] = Queue()
    node.history.acknowledge_elsewhere = asked.put
    node.start()
    node.say(1)
    assert node.acknowledged() == (1, True)
    add, node.history._store.add = node.history._store.add, fail
    node.say(2)
    (said,) = asked.get(timeout=WAIT_S)
    node.history.reserve_space()
    node.history.keep([visit(3)], Receipt(node.owner, SESSION, 9))
    (kept,) = asked.get(timeout=WAIT_S)
    assert (said.seq, kept.request_id) == (2, 9)
    node.history.reserve_space()
    node.history.acknowledge(said)  # the message comes again, under its nonce
    assert asked.get(timeout=WAIT_S) == [said]
    assert node.history.queued[0] == 0, "whoever waits takes no room"
    node.history._store.add = add
    node.say(4)
    assert node.acknowledged() == (4, True), "and nothing else before it"
    node.stop()


def test_a_peer_is_told_what_is_in_the_file(path, peer):
    assert peer.kept(9, 1, 12) == ([9, 1], True)
    node = Node(path)
    node.say(1)
    assert node.acknowledged() == (1, True)
    add, node.history._store.add = node.history._store.add, fail
    node.say(2)
    assert node.kept(1, 2) == ([1], False), "what was stored before the disk was full is kept"
    node.history._store.add = add
    node.say(3)
    assert node.kept(1, 2, 3) == ([1, 3], True)
    node.fill_from(peer)
    assert node.kept(1, 2, 3) == ([1, 2, 3], True)
    node.stop()


def test_a_peer_is_not_told_that_a_file_keeps_what_was_removed(path):
    node = Node(path)
    node.say(1)
    assert node.acknowledged() == (1, True)
    path.unlink()
    assert node.kept(1) == ([], False)
    node.stop()


def test_a_node_on_a_full_disk_knows_its_place_and_writes_again_when_there_is_room(path):
    node = Node(path)
    node.history.keep([visit(1)])
    node.say(2)
    node.history.save_place(place(2))
    node.stop()
    epoch = node.history.numbering.epoch
    with full_disk():
        node = Node(path, start=False)
        assert node.history.place == place(2)
        assert node.history._store.problem is not None
        assert node.history.last_stored
        node.history.adopt(epoch, 2)
        assert node.history.numbering[:2] == (epoch, 2)
    node.start()
    node.say(3)
    assert node.acknowledged() == (3, True)
    assert node.history.missing == []
    node.stop()
    node = Node(path, start=False)
    assert node.history.place == place(2)
    assert node.history.records(Visit) == [visit(1)]
    node.stop()


def test_a_node_that_cannot_open_its_file_has_pages_read_elsewhere(path):
    node = Node(path)
    node.say(1)
    node.stop()
    asked: list[PageTicket] = []
    with full_disk():
        node = Node(path, start=False)
        node.history.ask_elsewhere = asked.append
        ticket = PageTicket(GetHistory(), node.owner, SESSION)
        node.history.ask(ticket)
        assert asked == [ticket]
    node.start()
    node.say(2)
    assert node.acknowledged() == (2, True)
    assert node.texts() == ["hola", "hola"]
    assert asked == [ticket]
    node.stop()


def test_a_file_that_was_to_begin_a_log_is_known_until_it_has_a_place(path):
    assert found(path).beginning is None
    node = Node(path, start=False)
    node.history.note_beginning("tertulia", "log1", "secret")
    node.stop()
    for _ in range(2):  # it stays until there is a place
        again = found(path)
        assert again.place is None
        noted = again.beginning
        assert (noted.chat, noted.log, noted.state) == ("tertulia", "log1", b"secret")
    node = Node(path)
    node.history.save_place(place(1))
    node.stop()
    again = found(path)
    assert (again.place, again.beginning) == (place(1), None)


def test_a_file_that_is_to_begin_another_log_has_its_place_in_the_earlier_one_still(path):
    node = Node(path)
    node.history.save_place(place(7))
    node.stop()
    node = Node(path, start=False)
    node.history.note_beginning("tertulia", "log9", "secret")
    node.stop()
    again = found(path)
    assert again.place == place(7)
    assert (again.beginning.log, again.beginning.state) == ("log9", b"secret")


def test_rows_of_a_peer_that_cannot_be_written_are_missing_still(path, peer, monkeypatch):
    node = Node(path, start=False)
    node.history.note_missing(0, 9)
    node.start()
    missing = node.history.missing
    with monkeypatch.context() as broken:
        broken.setattr(node.history._store, "fill", fail)
        node.history.add_missing(peer.rows("messages", 0, 9))
        assert node.texts() == []
    assert node.history.missing == missing
    assert node.history.takes_rows
    node.fill_from(peer)
    assert len(node.texts()) == 9
    node.stop()


def test_an_export_says_that_something_is_missing_in_the_file(path, tmp_path, capsys):
    set_language("en")
    node = Node(path)
    node.say(1)
    node.stop()
    assert export(path, str(tmp_path / "whole.jsonl")) == 0
    assert capsys.readouterr().err == ""
    node = Node(path, start=False)
    node.history.note_missing(1, 5)
    node.stop()
    assert export(path, str(tmp_path / "export.jsonl")) == 0
    assert "lacks some messages" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "export.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_sessions_of_a_server_that_was_killed_end_if_its_history_begins_a_chat(path):
    node = Node(path, start=False)
    node.history.keep([Visit(key=3, name="ana", address="10.0.0.1", joined=NOW)])
    node.start()
    node.stop()
    node = Node(path, start=False)
    node.history.end_visits()
    node.history.replace_records([], LATER)
    assert node.history.missing == []
    node.start()
    (row,) = node.page(ListAttendance()).sessions
    assert (row.left, row.reason) == (NOW, "lost")
    node.stop()
