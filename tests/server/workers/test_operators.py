"""Operators in a worker: what waits for the disk, whose session ends, and consoles."""

from typing import Any

import pytest
from worker_bench import FakeHistory, FakeSocket, WorkerBench, socket_of

from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.messages import (
    CloseReason,
    Closing,
    Direct,
    Error,
    ErrorCode,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Say,
    StoredMessage,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    Kick,
    PinMessage,
    SetHush,
)
from tertulia.server.history.mail import PageReady, SpaceAgain, Stored
from tertulia.server.workers.connection import NOT_HELD, Connection, Hold, State
from tertulia.server.workers.connections import CONSOLE_ADDRESS
from tertulia.server.workers.mail import AdoptConsole, Drain, Expel

PINNED = StoredMessage(seq=700, time="2026-11-22T15:00:00.000Z", sender="eva", text="hola")


class Bench(WorkerBench):
    """An operator, ana, and a user, luis."""

    history: FakeHistory

    def __init__(self, **options: Any) -> None:
        if "beside" not in options:
            self.history = options["history"] = FakeHistory()
        super().__init__(**options)
        self.ana, self.luis = self.join("ana"), self.join("luis")
        self.hub.moderator.promote(self.ana.session, BecomeOperator(secret=""))
        self.heard(self.ana)
        self.heard(self.luis)

    def number(self, connection: Connection) -> int:
        return connection.session.route.number

    def console(self) -> Connection:
        sock: Any = FakeSocket()
        assert self.admission.admit_console()
        route = self.shared.switchboard.connect(self.mailbox)
        self.dispatcher.read_mail(AdoptConsole(sock, route, CONSOLE_ADDRESS))
        return self.connections.at(sock.fileno())


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


def test_a_wrong_secret_is_logged_with_its_address(bench, caplog):
    bench.receive(bench.luis, BecomeOperator(id=1, secret="friend"))
    [refusal] = bench.heard(bench.luis)
    assert refusal.code == ErrorCode.OPERATOR_WRONG
    address = bench.luis.address
    assert caplog.messages == [f"wrong operator secret address={address} not_logged=0"]


def test_what_an_operator_decides_is_answered_once_it_is_stored(bench):
    bench.receive(bench.ana, SetHush(id=1, on=True), Ping(id=2))
    assert bench.kinds(bench.ana) == ["Pong", "Hushed"]
    (_changes, receipt) = bench.history.kept[-1]
    bench.dispatcher.read_mail(Stored([(receipt, True)]))
    assert bench.heard(bench.ana) == [Ok(id=1)]
    bench.receive(bench.ana, SetHush(id=3, on=False))
    bench.heard(bench.ana)
    bench.dispatcher.read_mail(Stored([(bench.history.kept[-1][1], False)]))
    (error,) = bench.heard(bench.ana)
    assert (error.id, error.code, str(error.seq)) == (3, "unavailable", "UNSET")
    assert bench.ana.answers_due == 0


@pytest.mark.parametrize("web", [True, False])
def test_hooks_are_made_only_where_something_can_come_through_them(web):
    bench = Bench(web=web)
    bench.receive(bench.ana, CreateHook(id=1, name="ci"), SetHush(id=2, on=True))
    kept = [receipt.request_id for _changes, receipt in bench.history.kept if receipt]
    assert kept == ([1, 2] if web else [2])
    refused = [message for message in bench.heard(bench.ana) if isinstance(message, Error)]
    assert [(error.id, error.code) for error in refused] == ([] if web else [(1, "not_found")])
    bench.close()


def test_no_number_below_the_first_one_is_looked_for(bench):
    bench.receive(bench.ana, PinMessage(id=5, seq=0))
    (ticket,) = bench.history.tickets
    assert (ticket.request.after, ticket.request.before) == (0, 1)


def test_without_space_it_waits_and_so_do_the_requests_behind_it(bench):
    bench.history.has_space = False
    bench.receive(bench.ana, ImposeBan(id=1, name="luis"), Ping(id=2))
    assert bench.ana.hold is Hold.SPACE
    assert bench.heard(bench.ana) == []
    assert bench.luis.session.is_here
    bench.history.has_space = True
    bench.dispatcher.read_mail(SpaceAgain(bench.number(bench.ana)))
    assert bench.ana.hold is NOT_HELD
    assert not bench.luis.session.is_here
    assert bench.kinds(bench.ana) == ["Pong", "Left"]


def test_an_operator_who_is_kicked_while_waiting_decides_nothing(bench):
    bench.history.has_space = False
    bench.receive(bench.ana, SetHush(id=1, on=True))
    bench.hub.moderator.promote(bench.luis.session, BecomeOperator(secret=""))
    bench.receive(bench.luis, Kick(name="ana"))
    bench.read_mail()
    bench.history.has_space = True
    bench.dispatcher.read_mail(SpaceAgain(bench.number(bench.ana)))
    assert "Hushed" not in bench.kinds(bench.luis)


@pytest.mark.parametrize("answer", ["found", "nothing", "unreadable"])
def test_an_older_message_is_looked_for_while_the_connection_waits(bench, answer):
    bench.receive(bench.ana, PinMessage(id=5, seq=700), Ping(id=6))
    (ticket,) = bench.history.tickets
    assert (ticket.is_for_held, ticket.request.after, ticket.request.before) == (True, 699, 701)
    assert bench.ana.hold is Hold.MESSAGE
    assert bench.heard(bench.ana) == []
    page = HistoryPage(id=5, messages=[PINNED] if answer == "found" else [], more=False)
    if answer == "unreadable":
        page = Error(id=5, code="unavailable", message="x")
    bench.dispatcher.read_mail(PageReady(bench.number(bench.ana), page, is_for_held=True))
    assert bench.ana.hold is NOT_HELD
    heard = bench.heard(bench.ana)
    if answer == "found":
        assert [type(each).__name__ for each in heard] == ["Pong", "Pinned"]
        assert heard[1].message == PINNED
    else:
        assert heard[0].code == {"nothing": "not_found", "unreadable": "unavailable"}[answer]
        assert heard[1].id == 6
    assert bench.ana.answers_due == (answer == "found")


def test_a_kick_reaches_a_session_of_another_worker(bench):
    beside = WorkerBench(beside=bench)
    eva = beside.join("eva")
    bench.receive(bench.ana, Kick(id=1, name="eva", reason="spam"))
    (mail,) = beside.read_mail()
    assert mail == Expel(eva.session.route.number, mail.last_message)
    heard = beside.heard(eva)
    assert heard[-1] == Closing(reason="kicked", by="ana", text="spam")
    assert eva.state is State.DRAINING
    assert bench.observer.left["kicked"] == 1
    assert bench.kinds(bench.ana)[0] == "Ok"
    assert bench.ana.answers_due == 0
    beside.close()


def test_operators_can_kick_themselves(bench):
    bench.receive(bench.ana, Kick(id=1, name="ana"), Say(text="not said any more"))
    bench.read_mail()
    assert bench.kinds(bench.ana) == ["Ok", "Left", "Closing"]
    assert bench.kinds(bench.luis) == ["Left"]


def test_whoever_wrote_to_a_kicked_user_learns_that_it_was_not_confirmed(bench):
    eva = bench.join("eva", receipts=True)
    bench.receive(bench.luis, Direct(id=9, to="eva", text="hola"))
    bench.heard(eva)
    bench.receive(bench.ana, Kick(name="eva"))
    bench.read_mail()
    assert [m.code for m in bench.heard(bench.luis) if isinstance(m, Error)] == ["undelivered"]


def test_a_user_who_is_held_or_reads_nothing_is_ended_too(bench):
    bench.history.has_space = False
    bench.receive(bench.luis, Say(text="hola"))
    assert bench.luis.hold is Hold.SPACE
    bench.fill(bench.luis)
    bench.receive(bench.ana, Kick(name="luis"))
    bench.read_mail()
    assert bench.luis.state is State.FINISHING
    bench.dispatcher.read_mail(SpaceAgain(bench.number(bench.luis)))
    bench.empty(bench.luis)
    assert bench.kinds(bench.luis)[-2:] == ["Left", "Closing"]


# --- consoles ------------------------------------------------------------------------------------


def test_a_console_has_its_session_at_once_and_is_on_no_list(bench):
    console = bench.console()
    assert console.deadline == bench.clock.s
    bench.receive(console, ListUsers(id=1), Kick(id=2, name="luis"))
    bench.read_mail()
    users, done = bench.heard(console)
    assert [row.name for row in users.users] == ["ana", "luis"]
    assert done == Ok(id=2)
    assert bench.heard(bench.ana)[-1].by == "server"
    assert len(bench.hub._registry) == 1


def test_the_beginning_and_the_end_of_a_console_are_logged(bench, caplog):
    caplog.set_level("INFO")
    console = bench.console()
    bench.connections.close(console, CloseReason.LOST)
    assert caplog.messages == ["console opened", "console closed"]


def test_the_end_of_a_console_is_told_to_nobody_and_makes_room(bench):
    consoles = [bench.console() for _ in range(8)]
    assert not bench.admission.admit_console()
    for console in consoles:
        socket_of(console).incoming.append(b"")
        bench.ready(console, 1)
        bench.flush()
    assert bench.heard(bench.ana) == []
    assert all(socket_of(console).is_closed for console in consoles)
    assert bench.console() is not None


def test_a_console_gets_goodbye_at_the_end_and_none_begins_after_it(bench):
    console = bench.console()
    bench.dispatcher.read_mail(Drain())
    assert bench.kinds(console) == ["Closing"]
    assert bench.kinds(bench.console()) == ["Closing"], "one that comes meanwhile"
    sock: Any = FakeSocket()
    route = bench.shared.switchboard.connect(bench.mailbox)
    bench.dispatcher.return_mail(AdoptConsole(sock, route, CONSOLE_ADDRESS))
    assert sock.is_closed
    assert bench.shared.switchboard.mailbox_of(route) is None


def test_no_rate_limit_holds_for_a_console():
    bench = Bench(rate_limit_per_s=1.0)
    console = bench.console()
    bench.receive(console, *(ListUsers(id=n) for n in range(100)))
    assert bench.kinds(console) == ["UserList"] * 100
    bench.close()
