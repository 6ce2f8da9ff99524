"""Whose question the reader answers next."""

from tertulia.protocol.messages import GetHistory, Search
from tertulia.server.history.mail import PageTicket
from tertulia.server.history.turns import _PAGES_IN_A_ROW, Questions


def questions(*wanted: tuple[int, str]) -> Questions:
    waiting = Questions()
    for session, text in wanted:
        request = Search(text=text) if text else GetHistory()
        waiting.add(PageTicket(request, None, session))
    return waiting


def order(waiting: Questions) -> list[tuple[int, str]]:
    answered = []
    while waiting:
        ticket = waiting.pop_next()
        answered.append((ticket.session_number, getattr(ticket.request, "text", "")))
    return answered


def test_a_page_comes_before_all_searches():
    waiting = questions((1, "a"), (2, "b"), (3, "c"), (4, ""), (5, ""))
    assert order(waiting) == [(4, ""), (5, ""), (1, "a"), (2, "b"), (3, "c")]


def test_those_who_search_take_turns():
    waiting = questions((1, "a"), (1, "b"), (1, "c"), (2, "d"), (2, "e"), (3, "f"))
    assert order(waiting) == [(1, "a"), (2, "d"), (3, "f"), (1, "b"), (2, "e"), (1, "c")]


def test_pages_do_not_keep_a_search_waiting_for_ever():
    waiting = questions((1, "a"), *[(2, "")] * (3 * _PAGES_IN_A_ROW))
    assert order(waiting).index((1, "a")) == _PAGES_IN_A_ROW


def test_after_each_search_as_many_pages_may_be_answered_again():
    waiting = questions((1, "a"), (1, "b"), *[(2, "")] * (3 * _PAGES_IN_A_ROW))
    answered = order(waiting)
    assert answered.index((1, "a")) == _PAGES_IN_A_ROW
    assert answered.index((1, "b")) == 2 * _PAGES_IN_A_ROW + 1


def test_what_is_cleared_is_not_answered():
    waiting = questions((1, "a"), (2, ""))
    waiting.clear()
    assert not waiting
