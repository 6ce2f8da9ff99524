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
    Register,
    Say,
    Search,
)
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.mail import PageReady, PageTicket, RoomAgain, Stored
from tertulia.server.history.store import StoreInUse
from tertulia.server.hub.hub import Hub, Registered, Wait
from tertulia.server.hub.session import Receipt, Route

WAIT_S = 20.0
SESSION = 17


class Owner:
    """A worker's stand-in, which keeps the mail that it gets."""

    def __init__(self) -> None:
        self.acknowledged: Queue[tuple[Receipt, bool]] = Queue()
        self.pages: Queue[PageReady] = Queue()
        self.has_room: Queue[int] = Queue()

    def post(self, mail: Stored | PageReady | RoomAgain) -> bool:
        match mail:
            case Stored(rows=rows):
                for row in rows:
                    self.acknowledged.put(row)
            case PageReady():
                self.pages.put(mail)
            case RoomAgain(session=session):
                self.has_room.put(session)
        return True

    def next(self) -> tuple[int, int, bool]:
        receipt, is_stored = self.acknowledged.get(timeout=WAIT_S)
        assert receipt.session == SESSION
        return receipt.request_id, receipt.seq, is_stored


class Chat:
    """A hub with a history, and one user in it."""

    def __init__(self, path: Path, *, start: bool = True, **options) -> None:
        config = Config(port=0, history=str(path), **options)
        self.history = History(path, config)
        self.hub = Hub(config, self.history)
        self.owner = Owner()
        if start:
            self.history.start()
        route = Route("", SESSION)
        outcome = self.hub.register(Register(name="ana"), "10.0.0.1", route)
        assert isinstance(outcome, Registered)
        self.session, self.welcome = outcome.session, outcome.welcome

    def say(self, text="hola", request_id=1, **fields):
        return self.hub.say(self.session, Say(id=request_id, text=text, **fields), self.owner)

    def ask(self, request: GetHistory | Search) -> PageTicket:
        ticket = PageTicket(request, self.owner, SESSION)
        self.history.ask(ticket)
        return ticket

    def page(self, request=None) -> HistoryPage | Error:
        self.ask(request or GetHistory(limit=200))
        ready = self.owner.pages.get(timeout=WAIT_S)
        assert ready.session == SESSION
        return ready.page

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
def chat(path: Path):
    chat = Chat(path)
    yield chat
    chat.stop()


def fill_the_disk(chat: Chat) -> None:
    pages = chat.history._store._db.execute("PRAGMA page_count").fetchone()[0]
    chat.history._store._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_message_is_acknowledged_once_it_can_be_read_from_another_connection(chat, path):
    assert chat.say("hola", 7) is Wait.FOR_DISK
    request_id, seq, is_stored = chat.owner.next()
    assert (request_id, is_stored) == (7, True)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        assert db.execute("SELECT seq, text FROM message").fetchall() == [(seq, "hola")]
    db.close()


def test_a_page_holds_everything_said_before_it_was_asked_for(chat):
    for number in range(1_000):
        chat.say(str(number), 0)
    assert chat.texts() == [str(number) for number in range(800, 1_000)]


def test_a_search_finds_what_was_said_a_moment_ago(chat):
    for number in range(50):
        chat.say(f"número {number}")
    assert chat.texts(Search(text="numero 42")) == ["número 42"]


def test_while_a_search_waits_for_the_index_others_are_acknowledged(chat, monkeypatch):
    caught_up, index = threading.Event(), chat.history._store.index

    def index_slowly(count):
        index(count)
        return not caught_up.is_set()

    monkeypatch.setattr(chat.history._store, "index", index_slowly)
    chat.say("hola", 1)
    chat.ask(Search(text="hola"))
    for request_id in range(1, 5):
        assert chat.owner.next()[0] == request_id
        chat.say("hola de nuevo", request_id + 1)
    assert chat.owner.pages.empty()
    caught_up.set()
    page = chat.owner.pages.get(timeout=WAIT_S).page
    assert isinstance(page, HistoryPage)
    assert page.messages[0].text == "hola"


def test_a_search_that_the_index_does_not_get_ready_for_is_refused(chat, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.history._SEARCH_WITHIN_S", 0.1)
    monkeypatch.setattr(chat.history, "_index_some", lambda: None)
    chat.say("hola")
    answer = chat.page(Search(id=3, text="hola"))
    assert isinstance(answer, Error)
    assert (answer.id, answer.code) == (3, ErrorCode.UNAVAILABLE)


def test_a_repeated_nonce_is_acknowledged_with_the_number_it_had(chat):
    chat.say("hola", 1, nonce="n")
    chat.say("otra vez", 2, nonce="n")
    first, second = chat.owner.next(), chat.owner.next()
    assert first[1:] == second[1:]
    assert chat.texts() == ["hola"]


def test_a_nonce_is_known_over_a_restart(path):
    chat = Chat(path)
    chat.say("hola", 1, nonce="n")
    _, seq, _ = chat.owner.next()
    chat.stop()
    chat = Chat(path)
    chat.say("hola", 2, nonce="n")
    assert chat.owner.next() == (2, seq, True)
    assert chat.texts() == ["hola"]
    chat.stop()


def test_numbers_go_on_over_a_restart_in_the_same_epoch(path):
    first = Chat(path)
    first.say()
    _, seq, _ = first.owner.next()
    first.stop()
    second = Chat(path)
    assert second.welcome.epoch == first.welcome.epoch
    assert second.welcome.seq > seq
    second.stop()


def test_a_further_block_is_reserved_before_the_first_is_used_up(path):
    chat = Chat(path, seq_block=100)
    for number in range(100):
        chat.say(request_id=number)
        chat.owner.next()
    db = sqlite3.connect(path)
    (reserved,) = db.execute("SELECT reserved_through FROM numbering").fetchone()
    db.close()
    assert reserved > chat.hub.events.last_seq >= 100
    chat.stop()


def test_when_no_numbers_can_be_reserved_the_log_says_so_now_and_then(path, caplog):
    chat = Chat(path, seq_block=100)

    def fail(seq: int) -> int:
        raise sqlite3.OperationalError("disk on fire")

    chat.history._store.reserve = fail
    for number in range(400):
        chat.say(request_id=number)
        chat.owner.next()
    complaints = [r for r in caplog.records if "no numbers reserved" in r.message]
    assert 1 <= len(complaints) <= 20
    del chat.history._store.reserve
    chat.stop()


def test_without_room_nothing_is_said_and_the_speaker_is_told_when_there_is_some(path):
    chat = Chat(path, start=False, history_queue=10)
    assert [chat.say() for _ in range(10)] == [Wait.FOR_DISK] * 10
    before = chat.hub.events.last_seq
    assert chat.say() is Wait.FOR_ROOM
    assert chat.hub.events.last_seq == before
    chat.history.when_room(chat.owner, SESSION)
    assert chat.owner.has_room.empty()
    chat.history.start()
    assert chat.owner.has_room.get(timeout=WAIT_S) == SESSION
    assert chat.say() is Wait.FOR_DISK
    chat.stop()


def test_nobody_overtakes_a_speaker_that_waits_for_room(path):
    chat = Chat(path, start=False, history_queue=10)
    while chat.say() is not Wait.FOR_ROOM:
        pass
    chat.history.when_room(chat.owner, SESSION)
    chat.history._freed += 1
    assert chat.say() is Wait.FOR_ROOM
    chat.history._freed -= 1
    chat.history.start()
    assert chat.owner.has_room.get(timeout=WAIT_S) == SESSION
    assert chat.say() is Wait.FOR_DISK
    chat.stop()


def test_a_speaker_that_asks_for_room_when_there_is_some_is_told_at_once(chat):
    chat.history.when_room(chat.owner, SESSION)
    assert chat.owner.has_room.get_nowait() == SESSION


def test_on_a_full_disk_the_chat_goes_on_and_speakers_learn_that_it_is_not_stored(chat, caplog):
    chat.say("antes", 1)
    chat.owner.next()
    fill_the_disk(chat)
    text = "x" * 16_000
    for number in range(3):
        chat.say(text, number, nonce=f"n{number}")
    results = [chat.owner.next() for _ in range(3)]
    assert [is_stored for _, _, is_stored in results] == [False] * 3
    assert len({seq for _, seq, _ in results}) == 3
    chat.say(text, 9, nonce="n0")
    assert chat.owner.next() == (9, results[0][1], False)
    assert sum("history not written" in record.message for record in caplog.records) == 1
    assert chat.texts() == ["antes"]

    chat.history._store._db.execute("PRAGMA max_page_count = 1000000")
    chat.say("después", 4)
    assert chat.owner.next()[2] is True
    assert chat.texts() == ["antes", "después"]


def test_stopping_writes_what_is_queued(path):
    chat = Chat(path, start=False)
    for number in range(2_000):
        chat.say(str(number))
    chat.history.start()
    chat.stop()
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM message").fetchone() == (2_000,)
    db.close()


def test_after_a_stop_the_file_alone_holds_everything(path):
    chat = Chat(path)
    chat.say()
    chat.owner.next()
    reading, may_go_on = threading.Event(), threading.Event()

    class SlowOwner:
        """Holds the reader up while its file is open."""

        def post(self, mail: PageReady) -> bool:
            reading.set()
            return may_go_on.wait(WAIT_S)

    chat.history.ask(PageTicket(GetHistory(), SlowOwner(), SESSION))
    assert reading.wait(WAIT_S)
    stop = threading.Thread(target=chat.stop)
    stop.start()
    chat.history._writer_thread.join(0.3)  # if it did not wait for the reader, it would have ended
    may_go_on.set()
    stop.join(WAIT_S)
    assert not path.with_name(path.name + "-wal").exists()


def test_old_messages_are_forgotten_when_they_are_too_old(path):
    chat = Chat(path, start=False)
    old = ChatMessage(seq=1, time="2020-01-01T00:00:00.000Z", sender="ana", text="viejo")
    chat.history._store.add([old])
    chat.history.start()
    chat.stop()
    chat = Chat(path, keep_days=30)
    chat.say("nuevo")
    chat.owner.next()  # by then the writer has had its first turn of tidying
    assert chat.texts() == ["nuevo"]
    chat.stop()


def test_however_many_are_too_old_they_are_forgotten_in_one_go(path, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.history._INDEX_STEP", 1)
    chat = Chat(path, start=False, keep_days=1.0)
    time = "2020-01-01T00:00:00.000Z"
    olds = [ChatMessage(seq=n, time=time, sender="ana", text="viejo") for n in range(1, 6)]
    chat.history._store.add(olds)
    chat.history.start()
    give_up_at = monotonic() + WAIT_S
    while chat.texts():
        assert monotonic() < give_up_at
    chat.stop()


def test_a_second_server_on_the_same_file_does_not_start(chat, path):
    with pytest.raises(StoreInUse):
        History(path, Config(port=0))


def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(path, caplog):
    path.write_bytes(b"no database" * 1_000)
    chat = Chat(path)
    assert chat.say() is Wait.FOR_DISK
    assert chat.owner.next()[2] is True
    chat.stop()
    [aside] = path.parent.glob("history.db.damaged-*")
    assert aside.read_bytes() == b"no database" * 1_000
    assert "DAMAGED" in caplog.text


def test_a_page_that_cannot_be_read_is_unavailable_and_the_reader_lives_on(path):
    chat = Chat(path, history_query_timeout_s=-1.0)
    for number in range(200):
        chat.say(str(number))
    answer = chat.page(GetHistory(id=5, limit=200))
    assert isinstance(answer, Error)
    assert (answer.id, answer.code) == (5, ErrorCode.UNAVAILABLE)
    assert len(chat.texts(GetHistory(limit=1))) == 1
    chat.stop()


def test_a_cancelled_ticket_is_not_answered(path):
    chat = Chat(path, start=False)
    chat.ask(GetHistory(id=1)).is_cancelled = True
    chat.ask(GetHistory(id=2))
    chat.history.start()
    assert chat.owner.pages.get(timeout=WAIT_S).page.id == 2
    chat.stop()
    assert chat.owner.pages.empty()


def test_a_reader_that_ends_at_once_does_not_disturb_the_stop(path, monkeypatch):
    chat = Chat(path)
    interrupt = chat.history._reader.interrupt

    def interrupt_late() -> None:
        # If the reader could end before, it would have by then.
        chat.history._reader_thread.join(0.3)
        interrupt()

    monkeypatch.setattr(chat.history._reader, "interrupt", interrupt_late)
    chat.stop()
