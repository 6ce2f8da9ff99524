"""The history's two threads: acknowledged after the commit, bounded, alive when the disk is not."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from history_chat import SESSION, WAIT_S, Chat
from msgspec import UNSET
from stored_messages import full_disk

from tertulia.protocol.messages import ChatMessage, Error, GetHistory, Search
from tertulia.protocol.times import rfc3339
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.history.mail import PageReady, PageTicket
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.records import Ban, Removed
from tertulia.server.hub.session import Receipt
from tertulia.server.hub.wait import Wait


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def chat(path: Path) -> Iterator[Chat]:
    chat = Chat(path)
    yield chat
    chat.stop()


def ago(**time: float) -> str:
    return rfc3339(datetime.now(UTC) - timedelta(**time))


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


def test_an_index_of_an_earlier_version_is_replaced_in_the_background(path):
    store = MessageStore(path, block=10)
    store.add([ChatMessage(seq=1, time=ago(days=1), sender="ana", text="acción")])
    db = store._db
    db.execute(
        "CREATE VIRTUAL TABLE message_index USING fts5(text, content='message', content_rowid=seq)"
    )
    db.execute("INSERT INTO message_index (rowid, text) VALUES (1, 'acción')")
    db.execute("UPDATE numbering SET indexed_through = 1")
    store.close()
    chat = Chat(path)
    give_up_at = monotonic() + WAIT_S
    while chat.history._upkeep._has_old_index:
        assert chat.texts(Search(text="accion")) == ["acción"]
        assert monotonic() < give_up_at
    assert chat.texts(Search(text="accion")) == ["acción"]
    chat.stop()


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


def test_without_space_nothing_is_said_and_the_speaker_is_told_when_there_is_some(path):
    chat = Chat(path, start=False, history_queue=10)
    assert [chat.say() for _ in range(9)] == [Wait.FOR_DISK] * 9  # and the row of the session
    before = chat.hub.events.last_seq
    assert chat.say() is Wait.FOR_SPACE
    assert chat.hub.events.last_seq == before
    chat.history.when_space(chat.owner, SESSION)
    assert chat.owner.has_space.empty()
    chat.history.start()
    assert chat.owner.has_space.get(timeout=WAIT_S) == SESSION
    assert chat.say() is Wait.FOR_DISK
    chat.stop()


def test_also_with_space_for_one_message_alone_the_speaker_is_told(path):
    chat = Chat(path, start=False, history_queue=1)
    assert chat.say() is Wait.FOR_SPACE  # the row of the session has taken it
    chat.history.when_space(chat.owner, SESSION)
    chat.history.start()
    assert chat.owner.has_space.get(timeout=WAIT_S) == SESSION
    chat.stop()


def test_nobody_overtakes_a_speaker_that_waits_for_space(path):
    chat = Chat(path, start=False, history_queue=10)
    while chat.say() is not Wait.FOR_SPACE:
        pass
    chat.history.when_space(chat.owner, SESSION)
    chat.history._freed += 1
    assert chat.say() is Wait.FOR_SPACE
    chat.history._freed -= 1
    chat.history.start()
    assert chat.owner.has_space.get(timeout=WAIT_S) == SESSION
    assert chat.say() is Wait.FOR_DISK
    chat.stop()


def test_a_speaker_that_asks_for_space_when_there_is_some_is_told_at_once(chat):
    chat.history.when_space(chat.owner, SESSION)
    assert chat.owner.has_space.get_nowait() == SESSION


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


def test_after_a_start_on_a_full_disk_what_was_stored_before_is_acknowledged_again(path, caplog):
    chat = Chat(path)
    chat.say("x" * 16_000, 1, nonce="before")
    seq = chat.owner.next()[1]
    chat.stop()
    with full_disk():
        chat = Chat(path)
        for request_id in (2, 4):
            assert isinstance(chat.page(), Error)
            chat.say("x" * 16_000, request_id, nonce="before")
            assert chat.owner.next() == (request_id, seq, True)
            chat.say("y", request_id + 1, nonce="now")
            assert not chat.owner.next()[2]
        chat.stop()
    texts = [record.getMessage().split(" error=")[0] for record in caplog.records]
    assert texts == ["history not written", "history not read"]


def test_each_failure_to_write_is_logged_once_and_so_is_its_end(chat, caplog, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk on fire")

    for _time in range(2):
        monkeypatch.setattr(chat.history._store, "add", fail)
        for _message in range(2):
            chat.say()
            assert not chat.owner.next()[2]
        monkeypatch.undo()
        chat.say()
        assert chat.owner.next()[2]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"] * 2


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
    old = ChatMessage(seq=1, time=ago(days=31), sender="ana", text="viejo")
    new = ChatMessage(seq=2, time=ago(days=1), sender="ana", text="de ayer")
    chat.history._store.add([old, new])
    chat.history.start()
    chat.stop()
    chat = Chat(path, keep_days=30)
    chat.say("nuevo")
    chat.owner.next()  # by then the writer has had its first turn of tidying
    assert chat.texts() == ["de ayer", "nuevo"]
    chat.stop()


def test_however_many_are_too_old_they_are_forgotten_in_one_go(path, monkeypatch):
    monkeypatch.setattr("tertulia.server.history.cleanup._STEP", 1)
    chat = Chat(path, start=False, keep_days=1.0)
    olds = [ChatMessage(seq=n, time=ago(days=3), sender="ana", text="viejo") for n in range(1, 6)]
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


# --- records beside the messages -----------------------------------------------------------------


def ban(key: str, operator: str = "ana") -> Ban:
    return Ban(key=key, name=key, operator=operator, time="2026-11-22T15:00:00.000Z")


def keep(chat: Chat, *changes, request_id: int = 1) -> None:
    assert chat.history.reserve_space()
    chat.history.keep(changes, Receipt(chat.owner, SESSION, request_id))


def kept_at(path: Path) -> list[Ban]:
    chat = Chat(path, start=False)
    found = chat.history.records(Ban)
    chat.history.start()
    chat.stop()
    return found


def test_records_are_acknowledged_once_they_are_stored_in_one_order_with_the_messages(path):
    chat = Chat(path, start=False)
    chat.say("hola", 1)
    keep(chat, ban("luis"), ban("eva"), request_id=2)
    keep(chat, Removed(Ban, "eva"), request_id=3)
    chat.history.start()
    answers = [chat.owner.next() for _ in range(3)]
    assert [(request_id, done) for request_id, _seq, done in answers] == [
        (1, True),
        (2, True),
        (3, True),
    ]
    assert answers[1][1] is UNSET
    chat.stop()
    assert kept_at(path) == [ban("luis")]


def test_records_that_nobody_waits_for_take_a_place_of_their_own(path):
    chat = Chat(path, start=False, history_queue=2)
    for number in range(3):
        chat.history.keep([ban(f"b{number}")])
    assert not chat.history.reserve_space()
    chat.history.start()
    chat.page()
    assert chat.history.reserve_space()
    chat.stop()
    assert len(kept_at(path)) == 3


def test_records_that_could_not_be_written_are_written_with_the_next_group(path, monkeypatch):
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk on fire")

    chat = Chat(path)
    monkeypatch.setattr(chat.history._store, "add", fail)
    keep(chat, ban("luis"), ban("eva"))
    assert not chat.owner.next()[2]
    keep(chat, ban("luis", "leo"))
    assert not chat.owner.next()[2]
    monkeypatch.undo()
    keep(chat, Removed(Ban, "eva"))
    assert chat.owner.next()[2]
    chat.stop()
    assert kept_at(path) == [ban("luis", "leo")]
