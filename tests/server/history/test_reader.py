"""Reading the file of the general chat: pages, search, everything, a copy of it."""

import os
import sqlite3
from types import SimpleNamespace

import pytest
from standing_clock import StandingClock
from stored_messages import index_all, message, seqs

from tertulia.protocol.messages import GetHistory, Search
from tertulia.server.history import reader as reader_module
from tertulia.server.history.mail import GetRows
from tertulia.server.history.reader import MessageReader
from tertulia.server.history.store import MessageStore

# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def ten(store: MessageStore, reader: MessageReader) -> MessageReader:
    store.add([message(seq * 10) for seq in range(1, 11)])
    return reader


@pytest.mark.parametrize(
    ("request_", "expected", "more"),
    [
        (GetHistory(limit=3), [80, 90, 100], True),
        (GetHistory(limit=10), list(range(10, 101, 10)), False),
        (GetHistory(before=80, limit=3), [50, 60, 70], True),
        (GetHistory(before=30, limit=3), [10, 20], False),
        (GetHistory(before=10, limit=3), [], False),
        (GetHistory(after=20, limit=3), [30, 40, 50], True),
        (GetHistory(after=75, limit=3), [80, 90, 100], False),
        (GetHistory(after=100), [], False),
        (GetHistory(after=20, before=60, limit=2), [30, 40], True),
        (GetHistory(after=20, before=60, limit=3), [30, 40, 50], False),
        (GetHistory(after=60, before=20), [], False),
    ],
)
def test_a_page_of_history_is_what_was_asked_for_in_ascending_order(ten, request_, expected, more):
    assert seqs(ten.page(request_)) == (expected, more)


def test_a_page_has_at_most_200_messages(store, reader):
    store.add([message(seq) for seq in range(1, 302)])
    assert seqs(reader.page(GetHistory(limit=10_000)))[0] == list(range(102, 302))


def test_a_page_has_at_most_256_kib_of_text_but_at_least_one_message(store, reader):
    store.add([message(seq, "ñ" * 8_192) for seq in range(1, 41)])
    page = reader.page(GetHistory(after=0, limit=200))
    assert seqs(page) == (list(range(1, 17)), True)
    page = reader.page(GetHistory(limit=200))
    assert seqs(page) == (list(range(25, 41)), True)
    store.add([message(41, "x" * 300_000)])
    assert seqs(reader.page(GetHistory(limit=200))) == ([41], True)


def test_what_was_written_is_read_as_it_was(store, reader):
    said = message(7, "ñandú \u2028 \U0001f600\n\t<b>", nonce="n-1")
    store.add([said])
    [got] = reader.page(GetHistory(id=3)).messages
    assert (got.seq, got.time, got.sender, got.text, got.nonce) == (
        said.seq,
        said.time,
        said.sender,
        said.text,
        said.nonce,
    )


# --- search --------------------------------------------------------------------------------------


def test_search_finds_messages_that_hold_all_the_words(store, reader):
    store.add(
        [
            message(1, "la reunión es mañana"),
            message(2, "mañana no hay reunión"),
            message(3, "mañana llueve"),
            message(4, "REUNION"),
        ]
    )
    index_all(store)
    assert seqs(reader.page(Search(text="reunión mañana")))[0] == [1, 2]
    assert seqs(reader.page(Search(text="reunion")))[0] == [1, 2, 4]
    assert seqs(reader.page(Search(text="reunion", before=4)))[0] == [1, 2]
    assert seqs(reader.page(Search(text="mañana", limit=2))) == ([2, 3], True)


def test_a_search_finds_words_of_every_script_however_they_are_typed(store, reader):
    store.add([message(1, "el niño llegó"), message(2, "हिन्दी में"), message(3, "Ελληνικά")])
    index_all(store)
    assert seqs(reader.page(Search(text="nin\u0303o")))[0] == [1]
    assert seqs(reader.page(Search(text="हिन्दी")))[0] == [2]
    assert seqs(reader.page(Search(text="ΕΛΛΗΝΙΚΆ")))[0] == [3]
    assert seqs(reader.page(Search(text="niño " * 10_000)))[0] == [1]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("明日は東京都に行きます", "東京"),
        ("ฉันกินข้าวแล้ว", "กินข้าว"),
        ("¡Qué acción!", "que ACCIÓN"),
        ("e-mail: ana@example.org", "ana@example"),
    ],
)
def test_a_word_within_a_text_of_any_script_is_found(store, reader, text, query):
    store.add([message(1, text), message(2, "京東 ana not example")])
    index_all(store)
    assert seqs(reader.page(Search(text=query)))[0] == [1]


@pytest.mark.parametrize("text", ['"', "a OR b", "text:x", "-", "*", "NEAR(a b)", "(", "'; DROP"])
def test_what_is_searched_is_words_and_no_query_language(store, reader, text):
    store.add([message(1, "a"), message(2, "b")])
    index_all(store)
    assert seqs(reader.page(Search(text=text)))[0] in ([], [1], [2])


def test_what_came_after_the_index_was_made_is_found_once_it_is_brought_up_to_date(store, reader):
    store.add([message(1, "uno")])
    index_all(store)
    store.add([message(2, "uno")])
    assert seqs(reader.page(Search(text="uno")))[0] == [1]
    index_all(store)
    assert seqs(reader.page(Search(text="uno")))[0] == [1, 2]


def test_gaps_and_rows_are_read_from_one_state_of_the_file(store, reader, monkeypatch):
    store.add([message(1)])
    read_gaps = reader_module.first_whole

    def another_writes_after_the_gaps_were_read(*arguments):
        store.add([message(2)])
        return read_gaps(*arguments)

    monkeypatch.setattr(reader_module, "first_whole", another_writes_after_the_gaps_were_read)
    rows = reader.rows(GetRows(of="messages", after=0, through=5))
    assert [stored.seq for stored in rows.messages] == [1]
    assert [stored.seq for stored in reader.all_messages()] == [1, 2]


def test_a_message_that_moves_to_the_new_index_during_a_search_is_found_once(
    store, reader, monkeypatch
):
    store.add([message(1, "uno")])
    read_state = reader_module.reindexing

    def another_indexes_meanwhile(db):
        state = read_state(db)
        index_all(store)
        return state

    monkeypatch.setattr(reader_module, "reindexing", another_indexes_meanwhile)
    assert seqs(reader.page(Search(text="uno")))[0] == []
    assert seqs(reader.page(Search(text="uno")))[0] == [1]


# --- the file ------------------------------------------------------------------------------------


def test_the_reader_can_write_nothing(store, path):
    with MessageReader(path) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection().execute("DELETE FROM message")


def test_a_query_that_takes_too_long_is_interrupted(store, path):
    store.add([message(seq) for seq in range(1, 1_000)])
    with (
        MessageReader(path) as reader,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        reader.page(GetHistory(limit=200), time_limit_s=-1)


def test_the_time_limit_of_one_query_is_not_that_of_the_next(store, reader, monkeypatch):
    clock = StandingClock()
    monkeypatch.setattr(reader_module, "time", SimpleNamespace(monotonic=clock.monotonic))
    store.add([message(seq) for seq in range(1, 1_000)])
    reader.page(GetHistory(), time_limit_s=1.0)
    clock.s += 100.0
    assert len(list(reader.all_messages())) == 999


def test_everything_is_read_one_message_at_a_time(store, reader):
    store.add([message(seq) for seq in (1, 5, 9)])
    messages = reader.all_messages()
    assert next(messages).seq == 1
    assert [later.seq for later in messages] == [5, 9]


def test_whoever_reads_everything_slowly_holds_nothing_up(store, reader, path):
    store.add([message(seq, "x" * 1_000) for seq in range(1, 1_001)])
    messages = reader.all_messages()
    first = next(messages)
    for start in range(1_001, 20_001, 100):
        store.add([message(seq, "x" * 1_000) for seq in range(start, start + 100)])
    assert os.path.getsize(f"{path}-wal") < 8 * 1024 * 1024
    assert [first.seq, *(later.seq for later in messages)] == list(range(1, 1_001))


def test_a_wal_that_grew_is_cut_back(store, reader, path):
    db = reader._connection()
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM message").fetchone()
    store.add([message(seq, "x" * 16_000) for seq in range(1, 2_001)])
    assert os.path.getsize(f"{path}-wal") > 16 * 1024 * 1024
    db.execute("COMMIT")
    for seq in (2_001, 2_002):
        store.add([message(seq)])
    assert os.path.getsize(f"{path}-wal") <= 16 * 1024 * 1024


def test_a_copy_holds_every_message_under_an_epoch_of_its_own(store, reader, tmp_path):
    store.add([message(seq, "uno") for seq in range(1, 101)])
    index_all(store)
    reader.copy_to(str(tmp_path / "copy.db"))
    copied = MessageStore(tmp_path / "copy.db", block=10)
    assert copied.numbering.epoch != store.numbering.epoch
    assert copied.numbering.last_seq == store.numbering.reserved_through
    copied.close()
    with MessageReader(tmp_path / "copy.db") as copy:
        assert list(copy.all_messages()) == list(reader.all_messages())
        assert copy.page(Search(text="uno")) == reader.page(Search(text="uno"))


def test_there_is_no_copy_over_another_file(store, reader, tmp_path):
    (tmp_path / "copy.db").write_bytes(b"another file")
    with pytest.raises(sqlite3.Error):
        reader.copy_to(str(tmp_path / "copy.db"))
    assert (tmp_path / "copy.db").read_bytes() == b"another file"
