"""A session over several connections: what happened, told once, and what is missing afterwards."""

import threading
from math import inf
from typing import Any

import pytest
from msgspec import UNSET
from plain_table import LOST, StubClient, said

from tertulia.client.activity import Resumption
from tertulia.client.addresses import Address
from tertulia.client.client import Client
from tertulia.client.errors import ConnectFailure, End, EndReason, NoConnection, RegistrationRefused
from tertulia.client.nodes import Nodes
from tertulia.client.reconnect import STEADY_S, Reconnector
from tertulia.client.session import Expelled, GaveUp, Lost, Refused, Resumed, Session, SessionState
from tertulia.protocol.messages import MAX_PAGE, Closing, Error, GetHistory, Status

WAIT_S = 20.0
HERE = Address("10.0.0.1", 5000)


class Desk:
    """A session, the time, and the outcome of the next attempt to connect."""

    def __init__(
        self,
        first_page: int = 0,
        client: StubClient | None = None,
        gives_up_after_s: float = inf,
    ) -> None:
        self.now = 1_000.0
        self.client = StubClient(10) if client is None else client
        self.outcome: Client | Exception = NoConnection(ConnectFailure.REFUSED)
        self.shown: list[Resumption] = []
        self._notified = threading.Semaphore(0)
        self.nodes = Nodes([HERE])
        self.nodes.enter(HERE, UNSET)
        reconnector = Reconnector(self._connect, self._notified.release, nodes=self.nodes)
        self.session = Session(self.client, reconnector, first_page, gives_up_after_s)

    def _connect(self, resumption: Resumption) -> Client:
        self.shown.append(resumption)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def lose(self, end: End = LOST) -> None:
        self.client.end = end
        assert self.session.advance(self.now) == Lost(end)

    def attempt(self, outcome: Client | Exception, noticed_at: float | None = None) -> Any:
        """Make the planned attempt; return the change that it brings."""
        self.outcome = outcome
        assert self.session.wake_at is not None
        self.now = self.session.wake_at
        assert self.session.advance(self.now) is None
        assert self._notified.acquire(timeout=WAIT_S)
        return self.session.advance(self.now if noticed_at is None else noticed_at)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_while_the_connection_lives_nothing_changes(desk: Desk) -> None:
    assert desk.session.advance(desk.now) is None
    assert desk.session.state is SessionState.CONNECTED
    assert desk.session.lost_at is None
    assert desk.session.wake_at is None


def test_a_loss_is_told_once_with_its_time(desk: Desk) -> None:
    desk.lose()
    lost_at = desk.now
    desk.now += 0.01
    assert desk.session.advance(desk.now) is None
    assert desk.session.state is SessionState.RECONNECTING
    assert desk.session.lost_at == lost_at
    assert desk.session.wake_at is not None
    assert desk.shown == []


def test_the_end_decides_when_the_first_attempt_begins(desk: Desk) -> None:
    closing = Closing(reason="shutdown", retry_after=3.5)
    desk.lose(End(EndReason.SHUTDOWN, closing=closing))
    assert desk.session.wake_at == desk.now + 3.5


def test_an_end_by_an_operator_is_for_good(desk: Desk) -> None:
    closing = Closing(reason="kicked", by="eva", retry_after=3.5)
    end = End(EndReason.KICKED, closing=closing)
    desk.client.end = end
    assert desk.session.advance(desk.now) == Expelled(end)
    assert desk.session.state is SessionState.KICKED
    assert desk.session.advance(desk.now) is None
    assert desk.session.wake_at is None
    assert desk.shown == []


def test_another_connection_shows_what_the_last_one_remembers(desk: Desk) -> None:
    for _time in range(2):
        desk.lose()
        another = StubClient(20)
        assert desk.attempt(another) == Resumed(another, is_renumbered=False)
        assert desk.session.client is another
        assert desk.session.state is SessionState.CONNECTED
        assert desk.session.lost_at is None
        assert desk.session.advance(desk.now) is None
        desk.client = another
    assert desk.shown == [Resumption("t", Status.ACTIVO, 0.0)] * 2


def test_the_nodes_that_were_named_last_are_tried_after_a_loss() -> None:
    desk = Desk()
    desk.lose()
    assert desk.session.wake_at != desk.now, "there is no other node"
    desk.attempt(StubClient(20))
    desk.client = desk.session.client
    desk.nodes.enter(HERE, [str(HERE)])
    desk.client.nodes = [str(HERE), "10.0.0.2:5000"]
    desk.now += STEADY_S
    desk.lose()
    assert desk.session.wake_at == desk.now
    assert [str(address) for address in desk.nodes.next_round()] == ["10.0.0.2:5000"]


def test_after_a_loss_one_address_of_each_node_is_tried_before_the_second_of_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.shuffle", lambda _addresses: None)
    desk = Desk()
    desk.client.nodes = [str(HERE), "lab-a:1", "lab-a:2", "lab-b:1"]
    desk.client.per_node = [1, 2, 1]
    desk.lose()
    assert [str(address) for address in desk.nodes.next_round()] == [
        "lab-a:1",
        "lab-b:1",
        "lab-a:2",
    ]


class IdleClient(StubClient):
    """A client that has sent nothing that shows activity for a minute."""

    def resumption(self, _now: float) -> Resumption:
        return Resumption("t", Status.ACTIVO, 60.0)


def test_what_the_person_asked_for_is_activity_also_without_a_connection() -> None:
    desk = Desk(client=IdleClient())
    desk.lose()
    desk.attempt(NoConnection(ConnectFailure.REFUSED))
    desk.session.note_activity(desk.now)
    active_at = desk.now
    desk.attempt(StubClient(20))
    assert desk.shown == [
        Resumption("t", Status.ACTIVO, 60.0),
        Resumption("t", Status.ACTIVO, desk.now - active_at),
    ]


@pytest.mark.parametrize(("seq", "epoch"), [(3, "e"), (30, "another")])
def test_another_numbering_is_named(desk: Desk, seq: int, epoch: str) -> None:
    other = StubClient(seq, epoch=epoch)
    desk.lose()
    assert desk.attempt(other) == Resumed(other, is_renumbered=True)


def test_what_happened_meanwhile_is_missing_afterwards(desk: Desk) -> None:
    desk.session.catch_up.add_live(said(11, "seen"))
    desk.lose()
    assert desk.session.catch_up.request is None
    desk.attempt(StubClient(20))
    assert desk.session.catch_up.request == GetHistory(after=11, before=21, limit=MAX_PAGE)


def test_the_first_page_is_missing_at_first_if_there_is_to_be_one() -> None:
    assert Desk(0).session.catch_up.request is None
    assert Desk(20).session.catch_up.request == GetHistory(before=11, limit=20)


def test_a_failed_attempt_changes_nothing_but_the_time_of_the_next(desk: Desk) -> None:
    desk.lose()
    assert desk.attempt(NoConnection(ConnectFailure.REFUSED)) is None
    assert desk.session.state is SessionState.RECONNECTING
    assert desk.session.wake_at is not None
    assert desk.session.wake_at > desk.now


def test_a_refusal_for_good_is_told_once_and_nothing_is_tried_any_more(desk: Desk) -> None:
    desk.lose()
    refusal = RegistrationRefused(Error(code="name_taken", message="no"))
    assert desk.attempt(refusal) == Refused(refusal)
    assert desk.session.state is SessionState.REFUSED
    assert desk.session.advance(desk.now + 1_000) is None
    assert len(desk.shown) == 1


def test_a_session_gives_up_once_when_its_user_has_waited_long_enough() -> None:
    desk = Desk(gives_up_after_s=60.0)
    lost_at = desk.now
    desk.lose()
    assert desk.session.gives_up_at == lost_at + 60.0
    assert desk.attempt(NoConnection(ConnectFailure.REFUSED)) is None
    assert desk.session.advance(lost_at + 60.0) == GaveUp(60.0)
    assert desk.session.state is SessionState.GIVEN_UP
    assert desk.session.advance(lost_at + 1_000.0) is None


def test_a_connection_that_was_made_in_time_is_taken_even_if_it_is_noticed_late() -> None:
    desk = Desk(gives_up_after_s=60.0)
    late_s = desk.now + 61.0
    desk.lose()
    assert isinstance(desk.attempt(StubClient(10), noticed_at=late_s), Resumed)


def test_closing_ends_the_connection(desk: Desk) -> None:
    desk.session.close()
    desk.session.close()
    assert desk.client.ended == End(EndReason.CLOSED)


def test_closing_while_there_is_no_connection_ends_the_attempts(desk: Desk) -> None:
    desk.lose()
    desk.session.close()
    assert desk.session.advance(desk.now + 1_000) is None
    assert desk.shown == []
