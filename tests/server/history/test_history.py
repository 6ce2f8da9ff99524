"""The history's two threads: acknowledged after the commit, bounded, alive when the disk is not."""

import sqlite3
import threading
from pathlib import Path
from queue import Queue
from time import monotonic

import pytest

from tertulia.protocol.messages import (
    ChatMessage,
    Error,
    ErrorCode,
    GetHistory,
    HistoryPage,
    Ok,
    Register,
    Say,
    Search,
)
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.store import StoreInUse
from tertulia.server.hub.hub import Hub, Registered, Wait
from tertulia.server.hub.session import Receipt

WAIT_S = 20.0


class Home:
    """A worker's stand-in, which keeps what it is told."""

    def __init__(self) -> None:
        self.acknowledged: Queue[tuple[Receipt, bool]] = Queue()

    def acknowledge(self, receipts):
        for row in receipts:
            self.acknowledged.put(row)

    def next(self) -> tuple[int, int, bool]:
        receipt, is_stored = self.acknowledged.get(timeout=WAIT_S)
        return receipt.request_id, receipt.seq, is_stored

    def hand_over(self, session, line, reply): ...
    def challenge(self, session, reply): ...
    def evict(self, session): ...


class Room:
    """A hub with a history, and one user in it."""

    def __init__(self, path: Path, *, start: bool = True, **options) -> None:
        config = Config(port=0, history=str(path), **options)
        self.history = History(path, config)
        self.hub = Hub(config, self.history)
        self.home = Home()
        if start:
            self.history.start()
        outcome = self.hub.register(Register(name="ana"), "10.0.0.1", self.home)
        assert isinstance(outcome, Registered)
        self.session, self.welcome = outcome.session, outcome.welcome

    def say(self, text="hola", request_id=1, **fields):
        return self.hub.say(self.session, Say(id=request_id, text=text, **fields))

    def page(self, request=None) -> HistoryPage | Error:
        answer: Queue[HistoryPage | Error] = Queue()
        self.history.ask(request or GetHistory(limit=200), answer.put, lambda: True)
        return answer.get(timeout=WAIT_S)

    def texts(self, request=None) -> list[str]:
        page = self.page(request)
        assert isinstance(page, HistoryPage), page
        return [message.text for message in page.messages]

    def stop(self) -> None:
        assert self.history.stop(WAIT_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def room(path: Path):
    room = Room(path)
    yield room
    room.stop()


def fill_the_disk(room: Room) -> None:
    pages = room.history._store._db.execute("PRAGMA page_count").fetchone()[0]
    room.history._store._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_message_is_acknowledged_once_it_can_be_read_from_another_connection(room, path):
    assert room.say("hola", 7) is Wait.FOR_DISK
    request_id, seq, is_stored = room.home.next()
    assert (request_id, is_stored) == (7, True)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        assert db.execute("SELECT seq, text FROM message").fetchall() == [(seq, "hola")]
    db.close()


def test_a_page_holds_everything_said_before_it_was_asked_for(room):
    for number in range(1_000):
        room.say(str(number), 0)
    assert room.texts() == [str(number) for number in range(800, 1_000)]


def test_a_search_finds_what_was_said_a_moment_ago(room):
    for number in range(50):
        room.say(f"número {number}")
    assert room.texts(Search(text="numero 42")) == ["número 42"]


def test_while_a_search_waits_for_the_index_others_are_acknowledged(room, monkeypatch):
    caught_up, index = threading.Event(), room.history._store.index

    def index_slowly(count):
        index(count)
        return not caught_up.is_set()

    monkeypatch.setattr(room.history._store, "index", index_slowly)
    room.say("hola", 1)
    answer: Queue[HistoryPage | Error] = Queue()
    room.history.ask(Search(text="hola"), answer.put, lambda: True)
    for request_id in range(1, 5):
        assert room.home.next()[0] == request_id
        room.say("hola de nuevo", request_id + 1)
    assert answer.empty()
    caught_up.set()
    page = answer.get(timeout=WAIT_S)
    assert isinstance(page, HistoryPage)
    assert page.messages[0].text == "hola"


def test_a_search_that_the_index_does_not_get_ready_for_is_refused(room, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.history._SEARCH_WITHIN_S", 0.1)
    monkeypatch.setattr(room.history, "_index_some", lambda: None)
    room.say("hola")
    answer = room.page(Search(id=3, text="hola"))
    assert isinstance(answer, Error)
    assert (answer.id, answer.code) == (3, ErrorCode.UNAVAILABLE)


def test_a_repeated_nonce_is_acknowledged_with_the_number_it_had(room):
    room.say("hola", 1, nonce="n")
    room.say("otra vez", 2, nonce="n")
    first, second = room.home.next(), room.home.next()
    assert first[1:] == second[1:]
    assert room.texts() == ["hola"]


def test_a_nonce_is_known_over_a_restart(path):
    room = Room(path)
    room.say("hola", 1, nonce="n")
    _, seq, _ = room.home.next()
    room.stop()
    room = Room(path)
    room.say("hola", 2, nonce="n")
    assert room.home.next() == (2, seq, True)
    assert room.texts() == ["hola"]
    room.stop()


def test_numbers_go_on_over_a_restart_in_the_same_epoch(path):
    first = Room(path)
    first.say()
    _, seq, _ = first.home.next()
    first.stop()
    second = Room(path)
    assert second.welcome.epoch == first.welcome.epoch
    assert second.welcome.seq > seq
    second.stop()


def test_a_further_block_is_reserved_before_the_first_is_used_up(path):
    room = Room(path, seq_block=100)
    for number in range(100):
        room.say(request_id=number)
        room.home.next()
    db = sqlite3.connect(path)
    (reserved,) = db.execute("SELECT reserved_through FROM numbering").fetchone()
    db.close()
    assert reserved > room.hub.events.last_seq >= 100
    room.stop()


def test_when_no_numbers_can_be_reserved_the_log_says_so_now_and_then(path, caplog):
    room = Room(path, seq_block=100)

    def fail(seq: int) -> int:
        raise sqlite3.OperationalError("disk on fire")

    room.history._store.reserve = fail
    for number in range(400):
        room.say(request_id=number)
        room.home.next()
    complaints = [r for r in caplog.records if "no numbers reserved" in r.message]
    assert 1 <= len(complaints) <= 20
    del room.history._store.reserve
    room.stop()


def test_without_room_nothing_is_said_and_the_speaker_is_told_when_there_is_some(path):
    room = Room(path, start=False, history_queue=10)
    assert [room.say() for _ in range(10)] == [Wait.FOR_DISK] * 10
    before = room.hub.events.last_seq
    assert room.say() is Wait.FOR_ROOM
    assert room.hub.events.last_seq == before
    has_room = threading.Event()
    room.history.when_room(has_room.set)
    assert not has_room.is_set()
    room.history.start()
    assert has_room.wait(WAIT_S)
    assert room.say() is Wait.FOR_DISK
    room.stop()


def test_nobody_overtakes_who_waits_for_room(path):
    room = Room(path, start=False, history_queue=10)
    while room.say() is not Wait.FOR_ROOM:
        pass
    has_room = threading.Event()
    room.history.when_room(has_room.set)
    room.history._freed += 1
    assert room.say() is Wait.FOR_ROOM
    room.history._freed -= 1
    room.history.start()
    assert has_room.wait(WAIT_S)
    assert room.say() is Wait.FOR_DISK
    room.stop()


def test_who_asks_for_room_when_there_is_some_is_called_at_once(room):
    has_room = threading.Event()
    room.history.when_room(has_room.set)
    assert has_room.is_set()


def test_on_a_full_disk_the_chat_goes_on_and_speakers_learn_that_it_is_not_stored(room, caplog):
    room.say("antes", 1)
    room.home.next()
    fill_the_disk(room)
    text = "x" * 16_000
    for number in range(3):
        room.say(text, number, nonce=f"n{number}")
    results = [room.home.next() for _ in range(3)]
    assert [is_stored for _, _, is_stored in results] == [False] * 3
    assert len({seq for _, seq, _ in results}) == 3
    room.say(text, 9, nonce="n0")
    assert room.home.next() == (9, results[0][1], False)
    assert sum("history not written" in record.message for record in caplog.records) == 1
    assert room.texts() == ["antes"]

    room.history._store._db.execute("PRAGMA max_page_count = 1000000")
    room.say("después", 4)
    assert room.home.next()[2] is True
    assert room.texts() == ["antes", "después"]


def test_stopping_writes_what_is_queued(path):
    room = Room(path, start=False)
    for number in range(2_000):
        room.say(str(number))
    room.history.start()
    room.stop()
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM message").fetchone() == (2_000,)
    db.close()


def test_after_a_stop_the_file_alone_holds_everything(path):
    room = Room(path)
    room.say()
    room.home.next()
    asked, may_go_on = threading.Event(), threading.Event()

    def be_slow() -> bool:
        asked.set()
        return may_go_on.wait(WAIT_S)

    room.history.ask(GetHistory(), lambda page: None, be_slow)
    assert asked.wait(WAIT_S)
    stop = threading.Thread(target=room.stop)
    stop.start()
    room.history._writer_thread.join(0.3)  # if it did not wait for the reader, it would have ended
    may_go_on.set()
    stop.join(WAIT_S)
    assert not path.with_name(path.name + "-wal").exists()


def test_old_messages_are_forgotten_when_they_are_too_old(path):
    room = Room(path, start=False)
    old = ChatMessage(seq=1, time="2020-01-01T00:00:00.000Z", sender="ana", text="viejo")
    room.history._store.add([old])
    room.history.start()
    room.stop()
    room = Room(path, keep_days=30)
    room.say("nuevo")
    room.home.next()  # by then the writer has had its first turn of tidying
    assert room.texts() == ["nuevo"]
    room.stop()


def test_however_many_are_too_old_they_are_forgotten_in_one_go(path, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.history._INDEX_STEP", 1)
    room = Room(path, start=False, keep_days=1.0)
    time = "2020-01-01T00:00:00.000Z"
    olds = [ChatMessage(seq=n, time=time, sender="ana", text="viejo") for n in range(1, 6)]
    room.history._store.add(olds)
    room.history.start()
    give_up_at = monotonic() + WAIT_S
    while room.texts():
        assert monotonic() < give_up_at
    room.stop()


def test_a_second_server_on_the_same_file_does_not_start(room, path):
    with pytest.raises(StoreInUse):
        History(path, Config(port=0))


def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(path, caplog):
    path.write_bytes(b"no database" * 1_000)
    room = Room(path)
    assert room.say() is Wait.FOR_DISK
    assert room.home.next()[2] is True
    room.stop()
    [aside] = path.parent.glob("history.db.damaged-*")
    assert aside.read_bytes() == b"no database" * 1_000
    assert "DAMAGED" in caplog.text


def test_what_cannot_be_read_is_unavailable_and_the_reader_lives_on(path):
    room = Room(path, history_query_timeout_s=-1.0)
    for number in range(200):
        room.say(str(number))
    answer = room.page(GetHistory(id=5, limit=200))
    assert isinstance(answer, Error)
    assert (answer.id, answer.code) == (5, ErrorCode.UNAVAILABLE)
    assert len(room.texts(GetHistory(limit=1))) == 1
    room.stop()


def test_without_a_history_a_message_is_acknowledged_at_once():
    hub = Hub(Config(port=0))
    outcome = hub.register(Register(name="ana"), "10.0.0.1", Home())
    assert isinstance(outcome, Registered)
    assert hub.say(outcome.session, Say(id=1, text="hola")) == Ok(id=1, seq=2)


def test_a_reader_that_ends_at_once_does_not_disturb_the_stop(path, monkeypatch):
    room = Room(path)
    interrupt = room.history._reader.interrupt

    def interrupt_late() -> None:
        # If the reader could end before, it would have by then.
        room.history._reader_thread.join(0.3)
        interrupt()

    monkeypatch.setattr(room.history._reader, "interrupt", interrupt_late)
    room.stop()
