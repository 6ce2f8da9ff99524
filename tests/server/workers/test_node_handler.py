"""On several machines: outcomes that come back from the log, and whose turn it is.

A real node without NATS decides; its log takes in what was proposed when a test lets it.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from cluster_bench import BenchNode
from node_bench import NodeBench
from worker_bench import FakeSocket, socket_of

from tertulia.protocol.messages import (
    CloseReason,
    Closing,
    Direct,
    Error,
    ErrorCode,
    Left,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Quit,
    Register,
    Say,
    SetStatus,
    Welcome,
)
from tertulia.protocol.moderation import BecomeOperator, Kick
from tertulia.protocol.watching import TakeMeasures
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.ordered import NodesNamed, SendAway, ServesAgain
from tertulia.server.workers.connection import Hold, State
from tertulia.server.workers.handler import Step
from tertulia.server.workers.mail import AdoptConsole, Drain
from tertulia.server.workers.poller import READABLE


@pytest.fixture
def bench() -> Iterator[NodeBench]:
    bench = NodeBench()
    yield bench
    bench.close()


# --- registering ---------------------------------------------------------------------------------


def test_a_registration_waits_for_its_place(bench: NodeBench) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana", id=1), Say(text="hola"))
    assert (bench.kinds(ana), ana.hold) == ([], Hold.ORDER)
    bench.settle()
    welcome, *others = bench.heard(ana)
    assert isinstance(welcome, Welcome)
    assert [type(one).__name__ for one in others] == ["Joined", "ChatMessage"]
    assert bench.far.users() == ["ana"]


def test_nobody_waits_for_the_registration_of_a_connection_that_has_ended(
    bench: NodeBench,
) -> None:
    routes, ana = bench.routes(), bench.connect()
    bench.receive(ana, Register(name="ana", id=1))
    assert ana.route is not None
    number = ana.route.number
    assert bench.connections.of_session(number) is ana
    bench.connections.close(ana, CloseReason.LOST)
    assert bench.connections.of_session(number) is None
    bench.settle()
    assert (bench.far.users(), bench.routes()) == ([], routes)


def test_a_refusal_ends_the_connection_and_leaves_no_route(bench: NodeBench) -> None:
    bench.enter("ana")
    routes, late = bench.routes(), bench.connect("10.0.0.9")
    bench.receive(late, Register(name="ana", id=1))
    bench.settle()
    (error,) = bench.heard(late)
    assert isinstance(error, Error)
    assert error.code == ErrorCode.NAME_TAKEN
    assert bench.routes() == routes


def test_a_node_that_has_no_room_lets_in_only_who_has_a_session(bench: NodeBench) -> None:
    bench.admission._max_users = 2
    ana = bench.enter("ana")
    bench.far.register("eva", "10.0.0.6")
    bench.far.settle()
    token = bench.far.mail.outcomes()[0].welcome.token
    bench.near.follow()
    luis = bench.enter("luis")
    late = bench.connect("10.0.0.9")
    bench.receive(late, Register(name="gabi", id=1))
    (error,) = bench.heard(late)
    assert isinstance(error, Error)
    assert error.code == ErrorCode.SERVER_FULL
    assert bench.near.air == []
    bench.enter("eva", "10.0.0.7", token=token)
    bench.receive(late, b"")
    bench.receive(luis, b"")
    bench.settle()
    assert bench.admission.is_full, "ana and eva"
    bench.receive(ana, b"")
    bench.settle()
    assert not bench.admission.is_full


def test_the_end_of_a_connection_that_registers_is_read_when_that_is_decided(
    bench: NodeBench,
) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana", id=1))
    bench.receive(ana, b"")
    bench.settle()
    bench.ready(ana, READABLE)
    bench.settle()
    bench.receive(ana)
    assert bench.near.users() == bench.far.users() == []
    assert [type(one).__name__ for one in bench.far.events()] == ["Joined", "Left"]


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_connection_that_ends_while_it_registers_leaves_neither_session_nor_route(
    bench: NodeBench, *, is_closed: bool
) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana", id=1))
    bench.connections.finish(ana, CloseReason.REFUSED, None, bench.clock.s)
    bench.flush()
    if is_closed:
        bench.receive(ana, b"")
        assert socket_of(ana).is_closed
    bench.settle()
    bench.flush()
    assert bench.near.users() == bench.far.users() == []
    assert bench.routes() == 0
    assert bench.observer.faults == 0
    assert socket_of(ana).sent == b""
    assert socket_of(ana).is_closed == is_closed
    _joined, left = bench.far.events()
    assert isinstance(left, Left)
    assert left.reason == CloseReason.LOST


def test_a_worker_that_ends_before_the_outcome_leaves_neither_session_nor_route(
    bench: NodeBench,
) -> None:
    """As with a thread for each session: its mailbox is closed then."""
    one = NodeBench(beside=bench)
    ana = one.connect()
    one.receive(ana, Register(name="ana", id=1))
    one.connections.finish(ana, CloseReason.REFUSED, None, one.clock.s)
    one.close()
    bench.settle()
    assert bench.near.users() == bench.far.users() == []
    assert bench.routes() == 0


def test_an_outcome_that_a_worker_does_not_read_any_more_is_given_back(bench: NodeBench) -> None:
    ana = bench.connect()
    bench.receive(ana, Register(name="ana", id=1))
    bench.connections.finish(ana, CloseReason.REFUSED, None, bench.clock.s)
    bench.chat.settle()
    for mail in bench.mailbox.collect():
        bench.dispatcher.return_mail(mail)
    bench.chat.settle()
    assert bench.near.users() == []
    assert bench.routes() == 0


def test_a_session_is_taken_over_from_another_node(bench: NodeBench) -> None:
    bench.far.join("ana", "10.0.0.5")
    token = ""
    for row in [bench.far.register("eva", "10.0.0.6")]:
        assert row
    bench.far.settle()
    (eva,) = bench.far.mail.outcomes()
    token = eva.welcome.token
    bench.far.mail.collect()
    bench.near.follow()
    here = bench.enter("eva", "10.0.0.7", token=token)
    assert here.session is not None
    assert bench.far.find("eva").route.node == "a"
    evicted = [type(mail).__name__ for mail in bench.far.mail.collect()]
    assert "Evict" in evicted


# --- turns ---------------------------------------------------------------------------------------


def test_messages_are_under_way_together_and_a_quit_waits_for_their_places(
    bench: NodeBench,
) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    requests = [Say(text=text, id=number) for number, text in enumerate(("uno", "dos", "tres"))]
    bench.receive(ana, *requests, Quit())
    assert bench.near.proposer.commands == 5
    assert (bench.kinds(ana), ana.hold) == ([], Hold.TURN)
    bench.settle()
    said = bench.texts(ana)
    assert [one for one in said if one != "Ok"] == ["uno", "dos", "tres"]
    assert socket_of(ana).is_shut_down
    assert said.count("Ok") == 3
    assert bench.texts(luis) == ["uno", "dos", "tres", "Left"]
    bench.settle()
    assert bench.far.users() == ["luis"]


def test_the_end_of_the_input_waits_for_the_places_of_the_messages_too(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(ana, Say(text="uno"), Say(text="dos"))
    bench.receive(ana, b"")
    assert not socket_of(ana).is_closed
    bench.settle()
    assert bench.texts(luis) == ["uno", "dos", "Left"]
    assert bench.observer.faults == 0
    assert bench.observer.left == {CloseReason.QUIT: 1}


def test_requests_take_effect_in_their_order(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(
        ana,
        *(Say(text="uno"), SetStatus(status="OCUPADO", id=2), Say(text="dos"), Say(text="tres")),
    )
    assert ana.hold is Hold.TURN
    bench.chat.settle()
    bench.read_mail()
    assert ana.hold is Hold.ORDER, "the status has its turn, and the messages wait"
    bench.settle()
    assert bench.texts(luis) == ["uno", "Presence", "dos", "tres"]
    assert [one for one in bench.heard(ana) if isinstance(one, Ok)] == [Ok(id=2)]


def test_requests_behind_one_that_waited_for_its_turn_follow_it(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="uno"), ListUsers(id=2), Say(text="dos"))
    assert ana.hold is Hold.TURN
    bench.settle()
    assert sorted(bench.texts(ana)) == ["UserList", "dos", "uno"]


def test_once_all_its_messages_have_their_places_a_request_waits_for_no_turn(
    bench: NodeBench,
) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="uno"), Say(text="dos"))
    bench.settle()
    bench.receive(ana, SetStatus(status="OCUPADO", id=2))
    assert ana.hold is Hold.ORDER


def test_a_request_that_takes_no_place_in_the_order_is_answered_at_once(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="uno"), Ping(id=7))
    assert bench.heard(ana) == [Pong(id=7)]


def test_a_node_that_does_not_serve_holds_all_but_a_ping(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.near.hub.serve_until(0.0)
    bench.receive(ana, Ping(id=1), Say(text="uno"), Ping(id=2))
    assert bench.heard(ana) == [Pong(id=1), Pong(id=2)]
    assert bench.near.air == []
    bench.near.hub.serve_until(inf)
    bench.dispatcher.read_mail(ServesAgain())
    assert bench.heard(ana) == []
    bench.settle()
    assert bench.texts(ana) == ["uno"]


def test_a_message_that_waited_for_its_node_does_not_wait_for_the_message_before_it(
    bench: NodeBench,
) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="uno"))
    bench.near.hub.serve_until(0.0)
    bench.receive(ana, Say(text="dos"))
    assert (ana.hold, ana.orders_due) == (Hold.TURN, 1)
    bench.near.hub.serve_until(inf)
    bench.dispatcher.read_mail(ServesAgain())
    assert (ana.hold, ana.orders_due) == (Hold.NOTHING, 2)
    bench.settle()
    assert bench.texts(ana) == ["uno", "dos"]


def test_whoever_quits_may_do_that_at_a_node_that_does_not_serve(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.near.hub.serve_until(0.0)
    bench.receive(ana, Quit())
    bench.flush()
    assert socket_of(ana).is_shut_down


def test_a_newcomer_waits_at_a_node_that_does_not_serve(bench: NodeBench) -> None:
    bench.near.hub.serve_until(0.0)
    ana = bench.connect()
    bench.receive(ana, Register(name="ana"))
    assert ana.hold is Hold.TURN
    bench.near.hub.serve_until(inf)
    bench.dispatcher.read_mail(ServesAgain())
    bench.settle()
    assert bench.kinds(ana) == ["Welcome", "Joined"]


def test_users_are_sent_to_another_node_when_this_one_has_not_served_for_long(
    bench: NodeBench,
) -> None:
    ana, stranger = bench.enter("ana"), bench.connect("10.0.0.9")
    bench.dispatcher.read_mail(SendAway())
    (closing,) = bench.heard(ana)
    assert isinstance(closing, Closing)
    assert (closing.reason, closing.cause, closing.retry_after) == ("shutdown", "cut_off", 1.0)
    assert bench.heard(stranger) == []
    assert (stranger.state, bench.observer.faults) == (State.UNREGISTERED, 0)


def test_a_client_that_is_saying_goodbye_is_not_told_which_nodes_are_up(bench: NodeBench) -> None:
    ana, luis = bench.enter("ana", nodes=True), bench.enter("luis", nodes=True)
    bench.connections.finish(ana, CloseReason.QUIT, None, bench.clock.s)
    bench.dispatcher.read_mail(NodesNamed(["a", "b"]))
    assert "NodeList" not in bench.kinds(ana)
    assert "NodeList" in bench.kinds(luis)


def test_those_who_are_sent_away_and_do_not_come_again_are_lost(bench: NodeBench) -> None:
    """Not gone with a server that ends: then whoever writes to them would hear nothing."""
    bench.enter("ana")
    bench.dispatcher.read_mail(SendAway())
    bench.settle()
    assert bench.far.users() == []
    assert [one.reason for one in bench.far.events() if isinstance(one, Left)] == ["lost"]


def test_a_session_ends_once_though_its_connection_does_so_before_the_log_has_it(
    bench: NodeBench,
) -> None:
    ana = bench.enter("ana")
    commands = bench.near.proposer.commands
    bench.receive(ana, Quit())
    bench.flush()
    bench.receive(ana, b"")
    assert socket_of(ana).is_closed
    bench.settle()
    assert bench.observer.left == {CloseReason.QUIT: 1}
    assert bench.near.proposer.commands == commands + 1


# --- outcomes for nobody -------------------------------------------------------------------------


@pytest.mark.parametrize("is_closed", [False, True])
def test_whom_an_operator_kicks_before_going_away_is_expelled_all_the_same(
    bench: NodeBench, *, is_closed: bool
) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(ana, BecomeOperator(secret="s" * 20))
    bench.settle()
    bench.heard(luis)
    bench.receive(ana, Kick(name="luis", reason="ruido"))
    bench.connections.finish(ana, CloseReason.LOST, None, bench.clock.s)
    bench.flush()
    if is_closed:
        bench.receive(ana, b"")
    assert socket_of(ana).is_closed == is_closed
    bench.settle()
    closing = [one for one in bench.heard(luis) if isinstance(one, Closing)]
    assert [(one.reason, one.by) for one in closing] == [("kicked", "ana")]
    bench.settle()
    assert bench.far.users() == []
    bench.receive(luis, b"")
    assert bench.routes() == (0 if is_closed else 1)


def test_who_waits_for_one_whom_an_operator_kicks_before_going_away_is_answered(
    bench: NodeBench,
) -> None:
    ana, eva = bench.enter("ana"), bench.enter("eva")
    bench.enter("luis", receipts=True)
    bench.receive(ana, BecomeOperator(secret="s" * 20))
    bench.settle()
    bench.receive(eva, Direct(to="luis", text="hola", id=7))
    bench.settle()
    bench.heard(eva)
    bench.receive(ana, Kick(name="luis"))
    bench.connections.close(ana, CloseReason.LOST)
    bench.settle()
    (error,) = [one for one in bench.heard(eva) if isinstance(one, Error)]
    assert error.id == 7


def test_an_outcome_for_a_connection_that_is_already_saying_goodbye_changes_nothing_for_others(
    bench: NodeBench,
) -> None:
    ana, luis = bench.enter("ana"), bench.enter("luis")
    bench.receive(ana, BecomeOperator(secret="s" * 20))
    bench.settle()
    bench.receive(ana, Kick(name="luis"))
    bench.near.hub.is_stopping = True
    socket_of(luis).sent.clear()
    bench.dispatcher.read_mail(Drain((1.0, 1.0), 5.0))
    bench.settle()
    assert bench.near.users() == ["ana"]
    assert "Closing" in bench.kinds(luis)


def test_what_is_lost_with_an_incarnation_is_answered(bench: NodeBench) -> None:
    ana, late = bench.enter("ana"), bench.connect("10.0.0.9")
    bench.receive(ana, Say(text="uno", id=5))
    bench.receive(late, Register(name="luis", id=1))
    bench.near.air.clear()  # nothing of it reaches the log before the node counts as dead
    bury(bench.far)
    lost(bench.near)
    bench.read_mail()
    kinds = bench.kinds(ana)
    assert kinds[-1] == "Closing", "its session has ended elsewhere"
    (error,) = bench.heard(late)
    assert isinstance(error, Error)
    assert (error.code, error.retry_after) == (ErrorCode.UNAVAILABLE, 0.5)
    assert bench.near.users() == []
    bench.receive(ana, b"")
    assert bench.routes() == 0


def bury(other: BenchNode) -> None:
    """Let the log run on with the signs of life of another node alone."""
    for _ in range(11):
        other.give_life()
        other.land(after_ms=1_000)
        other.follow()


def lost(node: BenchNode) -> None:
    """Follow the log, and answer those whose commands are lost."""
    tickets = node.follow()
    assert node.replica.executor is not None
    node.replica.executor.report_lost(tickets)


# --- own presence --------------------------------------------------------------------------------


def test_a_session_for_messages_alone_hears_of_its_own_status_in_its_place(
    bench: NodeBench,
) -> None:
    bot, ana = bench.enter("bot", events="messages"), bench.enter("ana")
    bench.heard(bot)
    bench.receive(ana, Say(text="uno"))
    bench.receive(bot, SetStatus(status="OCUPADO", id=3))
    bench.receive(ana, Say(text="dos"))
    bench.settle()
    assert sorted(bench.texts(bot)) == sorted(["uno", "Presence", "Ok", "dos"])
    assert bot.session is not None
    bench.pass_time(120.0)
    bench.near.hub.serve_until(inf)
    bench.near.hub.idle(bot.session)
    bench.settle()
    assert bench.texts(bot) == ["Presence"]


def test_a_direct_message_that_comes_before_the_welcome_is_sent_after_it(bench: NodeBench) -> None:
    eva, ana = bench.enter("eva"), bench.connect("10.0.0.9")
    bench.receive(ana, Register(name="ana", receipts=True, id=1))
    bench.chat.settle()  # everyone may write to ana, and her worker does not know yet
    bench.receive(eva, Direct(id=2, to="ana", text="por fin"))
    assert bench.heard(ana) == []
    bench.settle()
    assert bench.texts(ana) == ["Welcome", "por fin", "Joined"]


def test_the_end_of_the_input_waits_for_the_messages_although_the_node_serves_again(
    bench: NodeBench,
) -> None:
    ana = bench.enter("ana")
    bench.receive(ana, Say(text="hola", id=1))
    bench.receive(ana, b"")
    bench.dispatcher.read_mail(ServesAgain())
    assert bench.heard(ana) == []
    bench.settle()
    assert bench.texts(ana) == ["Ok", "hola"]


def test_the_console_sees_figures_of_a_node_that_does_not_serve(bench: NodeBench) -> None:
    ana = bench.enter("ana")
    bench.near.hub.serve_until(0.0)
    assert bench.handler.handle(ana, TakeMeasures(id=1), bench.clock.s) is Step.TAKE_MEASURES


def test_the_console_stays_when_the_users_are_sent_to_another_node(bench: NodeBench) -> None:
    sock: Any = FakeSocket()
    bench.shared.new_console_door = NativeDoor
    assert bench.admission.admit_console()
    route = bench.shared.switchboard.connect(bench.mailbox)
    bench.dispatcher.read_mail(AdoptConsole(sock, route, "console"))
    console = bench.connections.of_session(route.number)
    assert console is not None
    bench.dispatcher.read_mail(SendAway())
    assert bench.heard(console) == []
    assert console.state is State.REGISTERED


def test_an_idle_bot_hears_of_its_return_before_the_message_by_which_it_returns(
    bench: NodeBench,
) -> None:
    bot = bench.enter("bot", events="messages")
    assert bot.session is not None
    bench.pass_time(120.0)
    bench.near.hub.serve_until(inf)
    bench.near.hub.idle(bot.session)
    bench.settle()
    assert bench.texts(bot) == ["Presence"]
    bench.receive(bot, Say(text="uno"))
    bench.settle()
    assert bench.texts(bot) == ["Presence", "uno"]
