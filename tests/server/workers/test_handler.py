"""From a request to what has to be done about it: what the handler returns, in each case."""

from typing import Any

import pytest
from worker_bench import FakeHistory, WorkerBench

from tertulia.protocol.attendance import AskSeenBy, ListAttendance, MarkSeen, SeenBy
from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.lines import BadRequest
from tertulia.protocol.messages import (
    UNSET,
    CloseReason,
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Quit,
    Received,
    Register,
    Say,
    Search,
    SetStatus,
    UserInfo,
    UserList,
)
from tertulia.protocol.moderation import BecomeOperator
from tertulia.protocol.watching import TakeMeasures
from tertulia.server import refusals
from tertulia.server.hub.directs import Delivery
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.wait import Wait
from tertulia.server.workers.connection import NOT_HELD, Connection
from tertulia.server.workers.door import Control
from tertulia.server.workers.handler import Finish, Step


class Bench(WorkerBench):
    """A handler, and the two kinds of connections that it is asked about."""

    def handle(self, connection: Connection, request: Any) -> Any:
        return self.handler.handle(connection, request, self.clock.s)

    def refuse(self, connection: Connection, code: ErrorCode) -> Any:
        bad = BadRequest(code, "the reason", 9)
        return self.handler.refuse_line(connection, bad, self.clock.s)


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


def make(**options: Any) -> Bench:
    return Bench(**options)


def code(outcome: Any) -> str:
    error = outcome.last_message if isinstance(outcome, Finish) else outcome
    assert isinstance(error, Error)
    return error.code


# --- before welcome ------------------------------------------------------------------------------


def test_a_newcomer_is_registered_with_a_route_to_its_worker(bench):
    outcome = bench.handle(bench.connect(), Register(id=1, name="ana"))
    assert isinstance(outcome, Registered)
    route = outcome.session.route
    assert bench.shared.switchboard.mailbox_of(route) is bench.mailbox


def test_an_address_that_registers_too_often_is_refused_for_now_and_stays_connected():
    bench = make(shared_addresses=False, registration_burst=2.0)
    connection = bench.connect()
    for _ in range(2):
        bench.handle(connection, Register(name="no name"))
    refusal = bench.handle(connection, Register(id=1, name="ana"))
    assert (code(refusal), refusal.id) == (ErrorCode.RATE_LIMITED, 1)
    assert refusal.retry_after == 0.1
    assert isinstance(bench.handle(bench.connect("10.0.0.2"), Register(name="luis")), Registered)
    bench.pass_time(0.1)
    assert isinstance(bench.handle(connection, Register(name="ana")), Registered)


def test_a_refused_newcomer_is_told_and_leaves_no_route(bench):
    bench.join("ana")
    outcome = bench.handle(bench.connect("10.0.0.2"), Register(id=1, name="ana"))
    assert isinstance(outcome, Finish)
    assert (outcome.reason, code(outcome)) == (CloseReason.REFUSED, ErrorCode.NAME_TAKEN)
    assert len(bench.shared.switchboard._mailboxes) == 1


def test_a_conflict_is_returned_and_leaves_no_route(bench):
    ana = bench.join("ana")
    newcomer, request = bench.connect(), Register(name="ana")
    assert bench.handle(newcomer, request) == Conflict(ana.session)
    assert len(bench.shared.switchboard._mailboxes) == 1
    outcome = bench.handler.register(newcomer, request, may_challenge=False)
    assert code(outcome) == ErrorCode.NAME_TAKEN


def test_a_newcomer_with_a_status_that_does_not_exist_may_try_again(bench):
    newcomer = bench.connect()
    refusal = bench.handle(newcomer, Register(id=1, name="ana", status="ASLEEP"))
    assert isinstance(refusal, Error)
    assert (refusal.id, refusal.code) == (1, ErrorCode.STATUS_INVALID)
    assert len(bench.shared.switchboard._mailboxes) == 0
    assert isinstance(bench.handle(newcomer, Register(id=2, name="ana")), Registered)


def test_before_welcome_only_a_sign_of_life_and_the_end_are_answered(bench):
    newcomer = bench.connect()
    assert bench.handle(newcomer, Ping(id=3)) == Pong(id=3)
    assert bench.handle(newcomer, Pong()) is None
    assert bench.handle(newcomer, Quit()) == Finish(CloseReason.QUIT)
    for request in (Say(id=4, text="x"), ListUsers(id=4), GetHistory(id=4)):
        outcome = bench.handle(newcomer, request)
        assert (code(outcome), outcome.id) == (ErrorCode.NOT_REGISTERED, 4)


def test_only_so_many_requests_and_bad_lines_are_read_before_welcome():
    bench = make(max_lines_before_welcome=3)
    newcomer = bench.connect()
    bench.handle(newcomer, Ping())
    bench.refuse(newcomer, ErrorCode.MALFORMED)
    assert bench.handle(newcomer, Ping()) == Pong()
    for outcome in (
        bench.handle(newcomer, Register(name="ana")),
        bench.refuse(newcomer, ErrorCode.MALFORMED),
    ):
        assert isinstance(outcome, Finish)
        assert (outcome.reason, code(outcome)) == (CloseReason.REFUSED, ErrorCode.NOT_REGISTERED)
    bench.close()


@pytest.mark.parametrize("request_", [Control(b"pong"), Control(b"")])
def test_a_request_of_the_doors_own_protocol_is_answered_by_the_door(bench, request_):
    assert bench.handle(bench.connect(), request_) is request_
    assert bench.handle(bench.join("ana"), request_) is request_


# --- the code of the server ----------------------------------------------------------------------


def test_whoever_gives_the_code_comes_in_and_nobody_else():
    bench = make(code="able-baker-cat")
    outcome = bench.handle(bench.connect(), Register(id=1, name="eva"))
    assert isinstance(outcome, Finish)
    assert (outcome.reason, code(outcome)) == (CloseReason.REFUSED, ErrorCode.CODE_REQUIRED)
    outcome = bench.handle(bench.connect(), Register(id=1, name="eva", code="no"))
    assert isinstance(outcome, Finish)
    assert (outcome.reason, code(outcome)) == (CloseReason.REFUSED, ErrorCode.CODE_WRONG)
    outcome = bench.handle(bench.connect(), Register(name="ana", code="able baker cat"))
    assert isinstance(outcome, Registered)
    assert len(bench.shared.switchboard._mailboxes) == 1
    bench.close()


def test_an_address_that_has_guessed_too_often_is_refused_for_now_and_stays_connected():
    bench = make(code="able-baker-cat")
    for _ in range(5):
        bench.handle(bench.connect(), Register(name="ana", code="no"))
    newcomer = bench.connect()
    refusal = bench.handle(newcomer, Register(id=1, name="ana", code="able baker cat"))
    assert isinstance(refusal, Error)
    assert (refusal.code, refusal.id) == (ErrorCode.RATE_LIMITED, 1)
    elsewhere = bench.connect("10.0.0.9")
    right = Register(name="ana", code="able baker cat")
    assert isinstance(bench.handle(elsewhere, right), Registered)
    bench.close()


def test_whoever_registers_too_often_is_not_looked_at_whatever_the_code():
    bench = make(code="able-baker-cat", shared_addresses=False, registration_burst=1.0)
    bench.handle(bench.connect(), Register(name="ana", code="no"))
    refusal = bench.handle(bench.connect(), Register(name="ana", code="no"))
    assert code(refusal) == ErrorCode.RATE_LIMITED
    assert len(bench.shared.entry_code._guesses._wrong_at["10.0.0.1"]) == 1
    bench.close()


# --- the verbs -----------------------------------------------------------------------------------


def test_each_verb_of_the_hub_is_returned_as_it_answers(bench):
    ana = bench.join("ana")
    handle = bench.handle
    assert handle(ana, Say(id=1, text="hola")) == Ok(id=1, seq=2)
    assert handle(ana, Say(text="hola")) is None
    assert isinstance(handle(ana, Direct(to="ana", text="nota")), Delivery)
    assert handle(ana, SetStatus(id=2, status="OCUPADO")) == Ok(id=2)
    assert isinstance(handle(ana, ListUsers()), UserList)
    assert isinstance(handle(ana, GetInfo(name="ana")), UserInfo)
    assert handle(ana, Ping(id=3)) == Pong(id=3)
    assert handle(ana, Pong()) is None
    assert handle(ana, Quit()) == Finish(CloseReason.QUIT)


def test_a_second_registration_is_refused(bench):
    outcome = bench.handle(bench.join("ana"), Register(id=1, name="luis"))
    assert (code(outcome), outcome.id) == (ErrorCode.ALREADY_REGISTERED, 1)


def test_an_answer_of_the_history_is_counted_as_due_and_not_given_now():
    history = FakeHistory()
    bench = make(history=history)
    ana = bench.join("ana")
    assert bench.handle(ana, Say(id=1, text="hola")) is None
    assert (ana.answers_due, ana.orders_due) == (1, 0)
    [(_, receipt)] = history.written
    assert (receipt.owner, receipt.session_number) == (bench.mailbox, ana.session.route.number)
    bench.close()


def test_without_space_in_the_history_it_is_said_later():
    history = FakeHistory()
    bench = make(history=history)
    ana = bench.join("ana")
    history.has_space = False
    assert bench.handle(ana, Say(text="hola")) is Step.WAIT_FOR_SPACE
    assert ana.answers_due == 0
    bench.close()


# --- pages ---------------------------------------------------------------------------------------


def test_without_a_history_there_are_no_pages(bench):
    ana = bench.join("ana")
    for request in (GetHistory(id=1), Search(id=1, text="x")):
        outcome = bench.handle(ana, request)
        assert (code(outcome), outcome.id) == (ErrorCode.HISTORY_OFF, 1)
    assert ana.pages_due == 0


def test_without_a_history_the_refusal_says_which_message_was_the_last(bench):
    ana = bench.join("ana")  # 1
    assert bench.handle(ana, GetHistory(before=2)).seq == 0
    bench.handle(ana, Say(text="hola"))  # 2
    bench.join("luis", "10.0.0.2")  # 3
    assert bench.handle(ana, GetHistory()).seq == 2
    assert bench.handle(ana, GetHistory(after=1, before=4)).seq == 2
    assert bench.handle(ana, GetHistory(after=2, before=4)).seq == 2
    assert bench.handle(ana, GetHistory(before=2)).seq == 0
    assert bench.handle(ana, Search(text="hola")).seq is UNSET


def test_a_page_is_queued_and_it_is_activity():
    bench = make(history=FakeHistory())
    ana = bench.join("ana")
    bench.hub.idle(ana.session)
    assert bench.handle(ana, GetHistory()) is Step.ASK_PAGE
    assert bench.handle(ana, Search(text="hola")) is Step.ASK_PAGE
    assert ana.pages_due == ana.answers_due == 2
    assert ana.session.status is ana.session.chosen
    bench.close()


def test_a_search_for_nothing_is_refused():
    bench = make(history=FakeHistory())
    ana = bench.join("ana")
    outcome = bench.handle(ana, Search(id=1, text=" "))
    assert (code(outcome), outcome.id) == (ErrorCode.TEXT_INVALID, 1)
    assert ana.pages_due == 0
    bench.close()


def test_only_so_many_pages_may_be_under_way():
    bench = make(history=FakeHistory(), max_pages_waiting=2, flood_refusals=3)
    ana = bench.join("ana")
    for _ in range(2):
        assert bench.handle(ana, GetHistory()) is Step.ASK_PAGE
    outcome = bench.handle(ana, GetHistory(id=7))
    assert (code(outcome), outcome.id) == (ErrorCode.RATE_LIMITED, 7)
    assert outcome.retry_after == 1.0
    assert ana.pages_due == 2
    assert ana.rate_limit is not None
    bench.handle(ana, GetHistory(id=7))
    assert bench.shared.rate_limits._in_use["ana"] == (ana.rate_limit, 1)
    flood = bench.handle(ana, GetHistory(id=8))
    assert isinstance(flood, Finish)
    assert flood.reason is CloseReason.FLOOD
    bench.close()


def test_a_page_that_is_being_read_counts_among_those_under_way():
    bench = make(history=FakeHistory(), max_pages_waiting=2)
    ana = bench.join("ana")
    bench.receive(ana, GetHistory(id=1))
    assert ana.ticket is not None
    assert bench.handle(ana, GetHistory(id=2)) is Step.ASK_PAGE
    assert code(bench.handle(ana, GetHistory(id=3))) == ErrorCode.RATE_LIMITED
    bench.close()


def test_the_attendance_is_for_operators():
    bench = make(history=FakeHistory())
    ana = bench.join("ana")
    outcome = bench.handle(ana, ListAttendance(id=3))
    assert (code(outcome), outcome.id) == (ErrorCode.NOT_OPERATOR, 3)
    assert ana.pages_due == 0
    bench.hub.moderator.promote(ana.session, BecomeOperator(secret=""))
    request = ListAttendance(id=4)
    assert bench.handle(ana, request) is Step.ASK_PAGE
    assert list(ana.pages_waiting) == [request]
    bench.close()


def test_the_handler_does_not_measure_the_server_itself(bench):
    ana = bench.join("ana")
    assert bench.handle(ana, TakeMeasures(id=3)) is Step.TAKE_MEASURES
    assert ana.hold is NOT_HELD


def test_only_the_right_secret_makes_an_operator():
    bench = make(operator_secret="s" * 20)
    ana = bench.join("ana")
    assert code(bench.handle(ana, BecomeOperator(secret="t" * 20))) == ErrorCode.OPERATOR_WRONG
    assert not ana.session.is_operator
    assert isinstance(bench.handle(ana, BecomeOperator(id=3, secret="s" * 20)), Ok)
    assert ana.session.is_operator
    bench.close()


def test_where_there_is_no_web_an_operator_is_told_so_who_wants_a_hook():
    bench = make(web=False)
    ana = bench.join("ana")
    request = CreateHook(id=3, name="build")
    assert code(bench.handle(ana, request)) == ErrorCode.NOT_OPERATOR
    bench.hub.moderator.promote(ana.session, BecomeOperator(secret=""))
    refusal = bench.handle(ana, request)
    assert isinstance(refusal, Error)
    assert (refusal.code, refusal.id) == (refusals.hooks_off(request).code, 3)
    bench.close()


def test_a_report_of_what_was_seen_is_free_while_it_says_something_new():
    bench = make()
    ana = bench.join("ana")
    assert bench.handle(ana, MarkSeen(seq=bench.hub.events.last_seq)) is None
    assert ana.free_bytes is None
    assert bench.handle(ana, MarkSeen(seq=1)) is None
    assert ana.free_bytes is not None, "this one said nothing"
    bench.close()


def test_a_receipt_is_free_while_it_confirms_something():
    bench = make()
    ana, luis = bench.join("ana"), bench.join("luis", receipts=True)
    bench.receive(ana, Direct(id=3, to="luis", text="hola"))
    bench.flush()
    [reply] = bench.handle(luis, Received(receipt=1))
    assert (reply.route, reply.answer.id) == (ana.session.route, 3)
    assert luis.free_bytes is None
    assert bench.handle(luis, Received(receipt=1)) is None
    assert luis.free_bytes is not None
    bench.close()


def test_who_has_seen_a_message_is_answered_or_looked_for():
    bench = make(history=FakeHistory())
    ana = bench.join("ana")
    bench.hub.say(ana.session, Say(text="hola"), bench.mailbox)
    seq = bench.hub.events.last_seq
    answer = bench.handle(ana, AskSeenBy(id=3, seq=seq))
    assert isinstance(answer, SeenBy)
    assert (answer.id, answer.seq) == (3, seq)
    old = AskSeenBy(id=4, seq=seq - 1)
    assert bench.handle(ana, old) is Step.FIND_MESSAGE
    page = HistoryPage(id=4, messages=[], more=False)
    outcome = bench.handler.message_found(ana, ana.session, old, page, bench.clock.s)
    assert (code(outcome), outcome.id) == (refusals.no_message(old).code, 4)
    bench.close()


# --- limits --------------------------------------------------------------------------------------


def limited(**options: Any) -> tuple[Bench, Connection]:
    """A session that has used up its burst."""
    bench = make(rate_limit_per_s=1.0, rate_burst_s=2.0, **options)
    ana = bench.join("ana")
    for _ in range(2):
        assert bench.handle(ana, Ping()) == Pong()
    return bench, ana


def test_beyond_the_rate_a_request_is_refused_for_now():
    bench, ana = limited()
    outcome = bench.handle(ana, Say(id=5, text="hola"))
    assert (code(outcome), outcome.id) == (ErrorCode.RATE_LIMITED, 5)
    assert outcome.retry_after == 1.0
    bench.pass_time(1.0)
    assert bench.handle(ana, Say(id=6, text="hola")) == Ok(id=6, seq=2)
    bench.close()


def test_a_sign_of_life_and_the_end_cost_nothing():
    bench, ana = limited()
    assert bench.handle(ana, Pong()) is None
    assert bench.handle(ana, Quit()) == Finish(CloseReason.QUIT)
    bench.close()


def test_a_flood_ends_the_connection_with_its_last_refusal():
    bench, ana = limited(flood_refusals=3)
    for _ in range(2):
        assert code(bench.handle(ana, Ping())) == ErrorCode.RATE_LIMITED
    outcome = bench.handle(ana, Ping(id=9))
    assert isinstance(outcome, Finish)
    assert (outcome.reason, code(outcome)) == (CloseReason.FLOOD, ErrorCode.RATE_LIMITED)
    assert outcome.last_message.id == 9
    bench.close()


def test_without_a_rate_limit_too_many_pages_are_refused_all_the_same():
    bench = make(rate_limit_per_s=None, history=FakeHistory(), max_pages_waiting=1)
    ana = bench.join("ana")
    assert bench.handle(ana, GetHistory(id=1)) is Step.ASK_PAGE
    assert code(bench.handle(ana, GetHistory(id=2))) == ErrorCode.RATE_LIMITED
    assert ana.pages_due == 1
    bench.close()


def test_without_a_rate_limit_nothing_is_counted():
    bench = make(rate_limit_per_s=None)
    ana = bench.join("ana")
    for _ in range(500):
        assert bench.handle(ana, Ping()) == Pong()
    assert ana.rate_limit is None
    bench.close()


def test_an_operators_request_may_wait_for_the_log_for_space_or_for_a_message(bench):
    ana, note_wait = bench.join("ana"), bench.handler.note_wait
    assert note_wait(ana, Wait.FOR_ORDER) is Wait.FOR_ORDER
    assert note_wait(ana, Wait.FOR_SPACE) is Step.WAIT_FOR_SPACE
    assert note_wait(ana, Wait.FOR_MESSAGE) is Step.FIND_MESSAGE
    assert ana.answers_due == 0


# --- lines that are no request -------------------------------------------------------------------


def test_a_malformed_line_is_explained_and_the_last_of_many_ends_the_connection():
    bench = make(max_malformed=3)
    for connection in (bench.connect(), bench.join("ana")):
        for _ in range(2):
            outcome = bench.refuse(connection, ErrorCode.MALFORMED)
            assert (code(outcome), outcome.id) == (ErrorCode.MALFORMED, 9)
            assert outcome.message == "the reason"
        outcome = bench.refuse(connection, ErrorCode.MALFORMED)
        assert isinstance(outcome, Finish)
        assert (outcome.reason, code(outcome)) == (CloseReason.PROTOCOL, ErrorCode.MALFORMED)
    bench.close()


def test_an_unknown_type_is_a_refused_request_and_no_malformed_line():
    bench = make(max_malformed=2)
    ana = bench.join("ana")
    for _ in range(10):
        assert code(bench.refuse(ana, ErrorCode.UNKNOWN_TYPE)) == ErrorCode.UNKNOWN_TYPE
    newcomer = bench.connect()
    outcome = bench.refuse(newcomer, ErrorCode.UNKNOWN_TYPE)
    assert (code(outcome), outcome.id) == (ErrorCode.NOT_REGISTERED, 9)
    assert newcomer.door.malformed_count == ana.door.malformed_count == 0
    bench.close()


def test_an_unknown_type_spends_of_the_rate_and_a_malformed_line_does_not():
    bench, ana = limited()
    assert code(bench.refuse(ana, ErrorCode.MALFORMED)) == ErrorCode.MALFORMED
    outcome = bench.refuse(ana, ErrorCode.UNKNOWN_TYPE)
    assert (code(outcome), outcome.id) == (ErrorCode.RATE_LIMITED, 9)
    bench.close()


def test_however_many_of_its_requests_count_a_connection_takes_its_rate_limit_once():
    bench = make(rate_limit_per_s=100.0)
    ana = bench.join("ana")
    for _ in range(3):
        bench.refuse(ana, ErrorCode.UNKNOWN_TYPE)
        bench.handle(ana, Say(text="x"))
    assert bench.shared.rate_limits._in_use["ana"] == (ana.rate_limit, 1)
    bench.close()


def test_lines_that_are_no_requests_count_as_a_newcomers_only_before_welcome():
    bench = make(rate_limit_per_s=None, max_lines_before_welcome=2)
    ana = bench.join("ana")
    for _ in range(5):
        assert code(bench.refuse(ana, ErrorCode.UNKNOWN_TYPE)) == ErrorCode.UNKNOWN_TYPE
    assert ana.door.requests_tried == 1  # the registration
    bench.close()


def test_without_a_rate_limit_an_unknown_type_spends_nothing():
    bench = make(rate_limit_per_s=None)
    ana = bench.join("ana")
    assert code(bench.refuse(ana, ErrorCode.UNKNOWN_TYPE)) == ErrorCode.UNKNOWN_TYPE
    assert ana.rate_limit is None
    assert bench.handle(ana, Say(text="x", nonce=UNSET)) is None
    bench.close()
