"""What the history answers, also for connections that are gone, and a fault in each answer."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from dispatcher_bench import NOBODY, PAGE, Bench
from worker_bench import socket_of

from tertulia.protocol.hooks import HookCreated
from tertulia.protocol.messages import (
    UNSET,
    CloseReason,
    Error,
    ErrorCode,
    GetHistory,
    Ok,
    Ping,
    Say,
)
from tertulia.server.history.mail import PageReady, SpaceAgain, Stored
from tertulia.server.hub.session import Receipt
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- Stored --------------------------------------------------------------------------------------


def stored(bench: Bench, connection: Connection, request_id: Any, *, ok: bool = True) -> Any:
    connection.answers_due += 1
    return Receipt(bench.mailbox, bench.number(connection), request_id, 7), ok


def test_messages_on_the_disk_are_acknowledged_together(bench):
    users = ((bench.ana, 1), (bench.luis, 2), (bench.ana, 3), (bench.ana, UNSET))
    bench.read(Stored([stored(bench, *one) for one in users]))
    assert bench.heard(bench.ana) == [Ok(id=1, seq=7), Ok(id=3, seq=7)]
    assert bench.heard(bench.luis) == [Ok(id=2, seq=7)]
    assert bench.ana.answers_due == bench.luis.answers_due == 0


def test_an_answer_of_its_own_keeps_its_place_among_the_others(bench):
    made = HookCreated(id=2, name="build", secret="a-secret", path="/hook/a-secret")
    first, second, third = (stored(bench, bench.ana, number) for number in (1, 2, 3))
    second = (msgspec.structs.replace(second[0], answer=made), True)
    bench.read(Stored([first, second, third]))
    assert bench.heard(bench.ana) == [Ok(id=1, seq=7), made, Ok(id=3, seq=7)]


def test_a_message_that_is_not_on_the_disk_is_told_of_in_any_case(bench):
    bench.read(Stored([stored(bench, bench.ana, one, ok=False) for one in (1, UNSET)]))
    errors = bench.heard(bench.ana)
    assert [(error.id, error.code, error.seq) for error in errors] == [
        (1, ErrorCode.UNAVAILABLE, 7),
        (UNSET, ErrorCode.UNAVAILABLE, 7),
    ]
    assert bench.observer.refused_requests == {ErrorCode.UNAVAILABLE: 2}


def test_an_acknowledgement_for_a_session_that_is_gone_is_nobodys(bench):
    gone = (Receipt(bench.mailbox, NOBODY, 1, 7), True)
    bench.read(Stored([gone, stored(bench, bench.ana, 2)]))
    assert bench.heard(bench.ana) == [Ok(id=2, seq=7)]


@pytest.mark.parametrize("request_id", [1, UNSET])
def test_a_finished_session_still_gets_its_acknowledgement_and_then_ends(bench, request_id):
    row = stored(bench, bench.ana, request_id)
    bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.flush()
    assert bench.ana.state is State.FINISHING
    bench.read(Stored([row]))
    assert bench.heard(bench.ana) == ([] if request_id is UNSET else [Ok(id=1, seq=7)])
    assert bench.ana.state is State.DRAINING


def test_a_fault_in_an_acknowledgement_costs_that_connection(bench):
    rows = [stored(bench, bench.ana, 1), stored(bench, bench.luis, 2)]
    bench.break_encoding(bench.ana)
    bench.read(Stored(rows))
    assert Ok(id=2, seq=7) in bench.heard(bench.luis)
    bench.assert_only_lost(bench.ana)


# --- PageReady and SpaceAgain ---------------------------------------------------------------------


def test_a_page_is_sent_and_the_next_one_asked_for(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2))
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    assert len(bench.history.tickets) == 1
    assert bench.heard(bench.ana) == [PAGE]
    assert [ticket.request.id for ticket in bench.history.tickets] == [1, 2]
    assert bench.ana.answers_due == 1


def test_a_page_that_cannot_be_read_counts_as_a_refused_request(bench):
    bench.receive(bench.ana, GetHistory(id=1))
    refusal = Error(id=1, code=ErrorCode.UNAVAILABLE, message="not now")
    bench.read(PageReady(bench.number(bench.ana), refusal))
    assert bench.heard(bench.ana) == [refusal]
    assert bench.observer.refused_requests == {ErrorCode.UNAVAILABLE: 1}


def test_the_next_page_waits_until_the_client_has_taken_the_one_before(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2))
    socket_of(bench.ana).room = 5
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    bench.flush()
    assert len(bench.history.tickets) == 1
    bench.empty(bench.ana)
    bench.flush()
    assert len(bench.history.tickets) == 2


def test_a_finished_session_gets_all_its_pages_before_it_ends(bench):
    bench.receive(bench.ana, GetHistory(id=1), GetHistory(id=2), b'{"type":"quit"}\n')
    for _ in range(2):
        bench.flush()
        assert bench.ana.state is State.FINISHING
        bench.read(PageReady(bench.number(bench.ana), PAGE))
    assert bench.heard(bench.ana) == [PAGE, PAGE]
    assert bench.ana.state is State.DRAINING


def test_a_page_for_a_session_that_is_gone_is_nobodys(bench):
    bench.read(PageReady(NOBODY, PAGE))


def test_a_fault_in_a_page_costs_that_connection(bench):
    bench.break_encoding(bench.ana)
    bench.read(PageReady(bench.number(bench.ana), PAGE))
    bench.assert_only_lost(bench.ana)


def test_what_had_to_wait_for_space_is_said_and_the_requests_behind_it_follow(bench):
    bench.history.has_space = False
    bench.receive(bench.ana, Say(id=1, text="hola"), Ping(id=2))
    bench.read(SpaceAgain(bench.number(bench.ana)))  # somebody else was quicker
    assert bench.ana.hold is Hold.SPACE
    assert len(bench.history.waiters) == 2
    assert bench.heard(bench.ana) == []
    bench.history.has_space = True
    bench.read(SpaceAgain(bench.number(bench.ana)))
    assert bench.ana.hold is NOT_HELD
    assert [message.text for message, _ in bench.history.written] == ["hola"]
    assert bench.kinds(bench.ana) == ["Pong", "ChatMessage"]


def test_an_idle_bot_that_says_it_later_is_told_of_its_own_return():
    bench = Bench()
    bot = bench.join("bot", events="messages")
    bench.hub.idle(bot.session)
    bench.input.send_own_presence(bot, bot.session)
    bench.history.has_space = False
    bench.receive(bot, Say(text="hola"))
    assert bench.kinds(bot) == ["Presence"]
    bench.history.has_space = True
    bench.read(SpaceAgain(bench.number(bot)))
    assert bench.kinds(bot) == ["Presence", "ChatMessage"]
    bench.close()


def test_room_for_a_session_that_has_ended_is_nobodys(bench):
    bench.history.has_space = False
    bench.receive(bench.ana, Say(id=1, text="hola"))
    bench.connections.finish(bench.ana, CloseReason.QUIT, None, bench.clock.s)
    bench.history.has_space = True
    bench.read(SpaceAgain(bench.number(bench.ana)))
    bench.read(SpaceAgain(NOBODY))
    assert bench.history.written == []


def test_a_fault_in_saying_it_later_costs_that_connection(bench, monkeypatch):
    bench.history.has_space = False
    bench.receive(bench.ana, Say(id=1, text="hola"))
    monkeypatch.setattr(bench.handler, "say", lambda *_: 1 / 0)
    bench.read(SpaceAgain(bench.number(bench.ana)))
    bench.assert_only_lost(bench.ana)
