"""What the history is asked: pages and searches, read by a thread of their own."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from history_chat import WAIT_S, Chat

from tertulia.protocol.messages import Error, ErrorCode, GetHistory, HistoryPage, Search


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def chat(path: Path) -> Iterator[Chat]:
    chat = Chat(path)
    yield chat
    chat.stop()


def test_a_page_holds_everything_said_before_it_was_asked_for(chat):
    for number in range(1_000):
        chat.say(str(number), 0)
    assert chat.texts() == [str(number) for number in range(800, 1_000)]


def test_a_question_wakes_the_writer_that_sleeps_because_nothing_is_said(chat):
    for _time in range(3):
        assert chat.texts() == []


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
    monkeypatch.setattr(chat.history._upkeep, "_index_some", lambda: None)
    chat.say("hola")
    answer = chat.page(Search(id=3, text="hola"))
    assert isinstance(answer, Error)
    assert (answer.id, answer.code) == (3, ErrorCode.UNAVAILABLE)


def test_further_searches_do_not_put_off_the_refusal_of_the_first(path, monkeypatch):
    chat = Chat(path, start=False)
    monkeypatch.setattr(chat.history._upkeep, "_index_some", lambda: None)
    chat.history.start()
    refuse_at = []
    for _time in range(2):
        chat.ask(Search(text="hola"))
        chat.texts()  # by then the search waits for the index
        refuse_at.append(chat.history._refuse_searches_at)
    assert refuse_at[0] == refuse_at[1] > 0.0
    chat.stop()


def test_a_page_takes_no_room_in_the_queue_and_frees_none(path):
    chat = Chat(path)
    chat.say()
    chat.page()
    chat.stop()
    assert (chat.history._reserved, chat.history._freed) == (2, 2)  # for the session, too


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
