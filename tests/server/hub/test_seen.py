"""Who has seen which message: reports, and who may ask."""

import pytest
from hub_chat import Chat, Keeper, code

from tertulia.protocol.attendance import AskSeenBy, MarkSeen
from tertulia.protocol.messages import CloseReason, StoredMessage
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.hub.session import Route
from tertulia.server.hub.wait import Wait


@pytest.fixture
def chat():
    return Chat()


def report(chat, session, seq):
    return chat.hub.seen.note(session, MarkSeen(seq=seq), chat.clock.s)


def ask(chat, session, seq):
    return chat.hub.seen.ask(session, AskSeenBy(id=3, seq=seq), chat.clock.s)


def lists(answer):
    assert answer.id == 3
    return answer.seen, answer.not_seen, answer.unknown


def say(chat, session):
    return chat.say(session, id=1).seq


def test_the_author_learns_who_has_seen_a_message_who_not_and_of_whom_nobody_knows(chat):
    ana, luis, eva, _ci = (chat.join(name) for name in ("ana", "luis", "eva", "ci"))
    assert report(chat, eva, chat.hub.events.last_seq)
    seq = say(chat, ana)
    assert report(chat, luis, seq)
    assert lists(ask(chat, ana, seq)) == (["luis"], ["eva"], ["ci"])
    chat.hub.release(luis, CloseReason.QUIT)
    assert lists(ask(chat, ana, seq)) == ([], ["eva"], ["ci"])


def test_others_than_the_author_and_operators_are_refused(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    seq = say(chat, ana)
    active = luis.last_active
    chat.clock.s += 5
    assert code(ask(chat, luis, seq)) == "not_operator"
    assert luis.last_active == active, "what is refused is no activity"
    chat.hub.moderator.promote(luis, BecomeOperator(secret=""))
    chat.clock.s += 5
    assert lists(ask(chat, luis, seq)) == ([], [], ["luis"])
    assert luis.last_active == chat.clock.s
    console = chat.hub.moderator.open_console(Route("", 99))
    assert lists(ask(chat, console, seq)) == ([], [], ["luis"])


def test_what_is_no_message_was_seen_by_nobody(chat):
    ana = chat.join("ana")
    for seq in (0, chat.hub.events.last_seq, chat.hub.events.last_seq + 1):
        assert code(ask(chat, ana, seq)) == "not_found"


def test_a_message_that_is_no_longer_in_the_log_is_looked_for():
    chat = Chat(Keeper())
    ana, luis = chat.join("ana"), chat.join("luis")
    assert ask(chat, ana, 4_000) is Wait.FOR_MESSAGE
    request = AskSeenBy(id=3, seq=4_000)
    found = StoredMessage(seq=4_000, time="", sender="Ana", text="")
    report(chat, luis, 4_000)
    assert lists(chat.hub.seen.found(ana, request, found, chat.clock.s)) == (["luis"], [], [])
    assert code(chat.hub.seen.found(ana, request, None, chat.clock.s)) == "not_found"
    assert code(chat.hub.seen.found(luis, request, found, chat.clock.s)) == "not_operator"


def test_one_report_in_two_seconds_counts_and_the_last_one_is_not_lost(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    first, second = say(chat, ana), say(chat, ana)
    assert report(chat, luis, first)
    chat.clock.s += 1.9
    assert not report(chat, luis, second)
    assert lists(ask(chat, ana, second)) == ([], ["luis"], [])
    chat.clock.s += 0.2
    assert lists(ask(chat, ana, second)) == (["luis"], [], [])
    chat.clock.s += 10
    assert not report(chat, luis, second), "it says nothing new"
    assert not report(chat, luis, first)
    assert lists(ask(chat, ana, second)) == (["luis"], [], [])


def test_two_seconds_later_the_next_report_counts_and_an_older_one_takes_nothing_back(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    first, second, third = (say(chat, ana) for _ in range(3))
    assert report(chat, luis, first)
    assert not report(chat, luis, second)
    assert not report(chat, luis, first)
    chat.clock.s += 2
    assert lists(ask(chat, ana, second)) == (["luis"], [], [])
    chat.clock.s += 2
    assert report(chat, luis, third)


def test_nobody_has_seen_what_has_not_been_said(chat):
    ana, luis = chat.join("ana"), chat.join("luis")
    report(chat, luis, 2**53 - 1)
    assert lists(ask(chat, ana, say(chat, ana))) == ([], ["luis"], [])


def test_a_take_over_keeps_what_was_seen_and_a_new_session_knows_nothing(chat):
    ana, luis = chat.join("ana"), chat.join("luis", "10.0.0.9")
    seq = say(chat, ana)
    report(chat, luis, seq)
    again = chat.join("luis", "10.0.0.9", token=luis.token)
    assert lists(ask(chat, ana, seq)) == (["luis"], [], [])
    chat.hub.release(again, CloseReason.QUIT)
    chat.join("luis", "10.0.0.9")
    assert lists(ask(chat, ana, seq)) == ([], [], ["luis"])


def test_a_report_is_no_activity(chat):
    ana = chat.join("ana")
    chat.hub.idle(ana)
    chat.clock.s += 60
    report(chat, ana, 1)
    assert ana.status == "INACTIVO"
