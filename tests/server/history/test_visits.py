"""The attendance in the file: pages without holes or doubles, ends, and what is deleted."""

import pytest
from msgspec import UNSET
from stored_messages import message

from tertulia.protocol.attendance import MAX_ATTENDANCE, ListAttendance
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.records import Visit


def at(second: int) -> str:
    return f"2026-11-22T15:{second // 60:02}:{second % 60:02}.000Z"


def visit(key: int, second: int, **fields: str) -> Visit:
    return Visit(key=key, name=f"u{key}", address="10.0.0.7", joined=at(second), **fields)


def all_pages(reader, **fields: str) -> list[list[str]]:
    pages = []
    while True:
        page = reader.attendance(ListAttendance(**fields))
        pages.append([row.name for row in page.sessions])
        if not page.more:
            return pages
        fields["since"] = page.sessions[-1].joined


@pytest.mark.parametrize("at_once", [1, 2, 7, 300, 999, 1_000, 1_001, 2_600])
def test_pages_lose_and_double_no_session_however_many_begin_at_once(store, reader, at_once):
    count = 2_600
    store.add([], [visit(key, key // at_once) for key in range(count)])
    pages = all_pages(reader)
    assert [name for page in pages for name in page] == [f"u{key}" for key in range(count)]
    assert max(map(len, pages)) <= max(MAX_ATTENDANCE, at_once)


def test_a_page_has_those_who_began_after_since_and_not_after_until(store, reader):
    store.add([], [visit(key, key) for key in range(6)])
    assert all_pages(reader, since=at(1), until=at(3)) == [["u2", "u3"]]
    assert all_pages(reader, since="2026-11-22T16:00:03+01:00") == [["u4", "u5"]]
    assert all_pages(reader, until="2026-11-22T15:00:00Z") == [["u0"]]


def test_only_who_is_still_here_has_no_end(store, reader):
    store.add([], [visit(1, 1), visit(2, 2, ended=at(9), reason="quit")])
    here, gone = reader.attendance(ListAttendance(id=4)).sessions
    assert (here.left, here.reason) == (UNSET, UNSET)
    assert (gone.left, gone.reason) == (at(9), "quit")


def test_sessions_of_a_killed_server_end_at_the_last_time_that_the_file_knows(store, path):
    rows = [visit(1, 1, ended=at(4), reason="quit"), visit(2, 3), visit(7, 60)]
    store.add([message(5, time=at(30))], rows)
    store.close()
    again = MessageStore(path, block=10)
    ends = [(row.ended, row.reason) for row in again.records(Visit)]
    assert ends == [(at(4), "quit"), (at(60), "lost"), (at(60), "lost")]
    again.close()


@pytest.mark.parametrize(
    ("said", "joined", "ended"), [(90, 60, 70), (50, 90, 70), (50, 60, 90)], ids=str
)
def test_the_last_time_in_the_file_is_that_of_a_message_or_of_any_session(
    store, path, said, joined, ended
):
    rows = [visit(1, 1, ended=at(ended), reason="quit"), visit(2, 3), visit(7, joined)]
    store.add([message(5, time=at(said))], rows)
    store.close()
    again = MessageStore(path, block=10)
    assert [row.ended for row in again.records(Visit)] == [at(ended), at(90), at(90)]
    again.close()


def test_a_session_that_ended_at_the_limit_is_kept(store):
    rows = [visit(1, 1, ended=at(49), reason="quit"), visit(2, 1, ended=at(50), reason="quit")]
    store.add([], rows)
    store.forget(at(50), after=0, count=10)
    assert store.records(Visit) == rows[1:]


def test_after_the_last_page_there_is_no_more_even_if_all_began_at_once(store, reader):
    store.add([], [visit(key, 0) for key in range(MAX_ATTENDANCE + 1)])
    page = reader.attendance(ListAttendance())
    assert (len(page.sessions), page.more) == (MAX_ATTENDANCE + 1, False)


def test_what_keep_does_not_keep_is_deleted_with_the_sessions_of_that_time(store):
    gone = [visit(key, key, ended=at(50), reason="quit") for key in range(20)]
    kept = [visit(100, 1, ended=at(600), reason="quit"), visit(101, 2), visit(102, 590)]
    store.add([message(500, time=at(1)), message(501, time=at(600))], gone + kept)
    position: int | None = 0
    while position is not None:
        _deleted, position = store.forget(at(300), after=position, count=3)
    assert store.records(Visit) == kept
