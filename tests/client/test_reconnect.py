"""Attempts to connect anew: when, how often, and what ends them."""

import queue
import threading
from collections.abc import Callable

import pytest

from tertulia.client import reconnect
from tertulia.client.activity import Resumption
from tertulia.client.addresses import Address
from tertulia.client.client import Client
from tertulia.client.errors import (
    ConnectFailure,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
)
from tertulia.client.nodes import Nodes
from tertulia.client.reconnect import FIRST_DELAY_S, MAX_DELAY_S, STEADY_S, Reconnector
from tertulia.protocol.messages import Closing, Error, ErrorCode, Status

WAIT_S = 20.0
LOST = End(EndReason.LOST)


class StubClient(Client):
    """A connection without a socket."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()

    def __repr__(self) -> str:
        return "<StubClient>"


class Table:
    """A reconnector, the time, and attempts whose outcomes the test chooses."""

    def __init__(self, *, waits_for_others: bool = False, nodes: Nodes | None = None) -> None:
        self.now = 1_000.0
        self.shown: list[Resumption] = []
        self.outcomes: queue.Queue[Client | Exception] = queue.Queue()
        self._rung = threading.Semaphore(0)
        self.reconnector = Reconnector(
            self._connect, self._rung.release, waits_for_others=waits_for_others, nodes=nodes
        )

    def _connect(self, resumption: Resumption) -> Client:
        self.shown.append(resumption)
        outcome = self.outcomes.get(timeout=WAIT_S)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def wait_s(self) -> float:
        assert self.reconnector.wake_at is not None
        return self.reconnector.wake_at - self.now

    def wait_for_the_bell(self) -> None:
        assert self._rung.acquire(timeout=WAIT_S), "the bell was not rung"

    def begin(self) -> None:
        """Begin the planned attempt, at its time and not before."""
        assert self.reconnector.wake_at is not None
        self.now = self.reconnector.wake_at - 0.001
        attempts = len(self.shown)
        assert self.reconnector.poll(self.now) is None
        assert len(self.shown) == attempts
        self.now += 0.001
        assert self.reconnector.poll(self.now) is None
        assert self.reconnector.wake_at is None

    def attempt(self, outcome: Client | Exception) -> Client | None:
        self.begin()
        self.outcomes.put(outcome)
        self.wait_for_the_bell()
        return self.reconnector.poll(self.now)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Say how far delays are spread, from -1 to 1."""

    def set_spread(part: float) -> None:
        class Chance:
            @staticmethod
            def uniform(low: float, high: float) -> float:
                return low + (high - low) * (part + 1) / 2

        monkeypatch.setattr(reconnect, "random", Chance)

    return set_spread


def before(token: str) -> Callable[[float], Resumption]:
    """Return what a user registers with who was busy, and last did something at 990."""
    return lambda now: Resumption(token, Status.OCUPADO, now - 990.0)


def refusal(code: str, **fields: float) -> RegistrationRefused:
    return RegistrationRefused(Error(code=code, message="no", **fields))


def no_connection() -> NoConnection:
    return NoConnection(ConnectFailure.REFUSED)


def test_every_attempt_shows_the_token_the_status_and_the_idle_time_of_that_moment(
    table: Table,
) -> None:
    table.reconnector.begin(LOST, before("secret"), table.now)
    table.attempt(no_connection())
    first_at = table.now
    table.attempt(no_connection())
    assert table.now > first_at
    assert table.shown == [
        Resumption("secret", Status.OCUPADO, first_at - 990.0),
        Resumption("secret", Status.OCUPADO, table.now - 990.0),
    ]


def test_a_client_that_has_come_is_returned_once_and_is_not_closed(table: Table) -> None:
    table.reconnector.begin(LOST, before("secret"), table.now)
    client = StubClient()
    assert table.attempt(client) is client
    assert table.reconnector.wake_at is None
    assert table.reconnector.poll(table.now) is None
    assert not client.closed.is_set()


def test_attempts_come_later_and_later_up_to_a_bound(
    table: Table, spread: Callable[[float], None]
) -> None:
    spread(0)
    table.reconnector.begin(LOST, before("t"), table.now)
    waits = []
    for _time in range(8):
        waits.append(table.wait_s)
        assert table.attempt(no_connection()) is None
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30])


def test_the_next_loss_begins_with_a_short_wait_again(
    table: Table, spread: Callable[[float], None]
) -> None:
    spread(0)
    table.reconnector.begin(LOST, before("one"), table.now)
    table.attempt(no_connection())
    table.attempt(no_connection())
    table.attempt(StubClient())
    table.reconnector.begin(LOST, before("two"), table.now)
    assert table.wait_s == pytest.approx(FIRST_DELAY_S)
    table.attempt(StubClient())
    assert [shown.token for shown in table.shown] == ["one", "one", "one", "two"]


def test_not_all_clients_come_back_at_one_instant(
    table: Table, spread: Callable[[float], None]
) -> None:
    waits = []
    for part in (-1.0, 1.0):
        spread(part)
        table.reconnector.begin(LOST, before("t"), table.now)
        waits.append(table.wait_s)
    assert waits[1] > 2 * waits[0] > 0


def test_a_server_that_closes_says_when_to_come_back(table: Table) -> None:
    closing = Closing(reason="shutdown", retry_after=3.5)
    table.reconnector.begin(End(EndReason.SHUTDOWN, closing=closing), before("t"), table.now)
    assert table.wait_s == pytest.approx(3.5)


@pytest.mark.parametrize("retry_after", [1e9, float("inf"), -1e9])
def test_a_server_cannot_send_its_clients_away_for_ever(table: Table, retry_after: float) -> None:
    closing = Closing(reason="shutdown", retry_after=retry_after)
    table.reconnector.begin(End(EndReason.SHUTDOWN, closing=closing), before("t"), table.now)
    assert 0 <= table.wait_s <= 1.5 * MAX_DELAY_S


@pytest.mark.parametrize("code", [ErrorCode.NAME_TAKEN, ErrorCode.ADDRESS_TAKEN])
def test_whoever_waits_for_others_tries_again_later_and_later(
    code: str, spread: Callable[[float], None]
) -> None:
    spread(0)
    table = Table(waits_for_others=True)
    table.reconnector.begin(LOST, before("t"), table.now)
    waits = []
    for _time in range(7):
        waits.append(table.wait_s)
        assert table.attempt(refusal(code)) is None
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30])
    with pytest.raises(RegistrationRefused):
        table.attempt(refusal(ErrorCode.NAME_INVALID))


@pytest.mark.parametrize(
    "code",
    [
        ErrorCode.NAME_TAKEN,
        ErrorCode.NAME_HELD,
        ErrorCode.ADDRESS_TAKEN,
        ErrorCode.CODE_REQUIRED,
        ErrorCode.CODE_WRONG,
        ErrorCode.PROTOCOL_UNSUPPORTED,
    ],
)
def test_a_refusal_that_will_not_change_by_itself_is_raised(table: Table, code: str) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    with pytest.raises(RegistrationRefused) as raised:
        table.attempt(refusal(code))
    assert raised.value.code == code


@pytest.mark.parametrize(
    "failure",
    [
        no_connection(),
        NoConnection(ConnectFailure.NO_ANSWER),
        refusal(ErrorCode.SERVER_FULL),
        refusal(ErrorCode.REGISTER_TIMEOUT),
        refusal(ErrorCode.RATE_LIMITED),
        refusal(ErrorCode.UNAVAILABLE),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(table: Table, failure: Exception) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    assert table.attempt(failure) is None
    client = StubClient()
    assert table.attempt(client) is client


@pytest.mark.parametrize(("asked_s", "wait_s"), [(287.5, 287.5), (0.1, 2), (1e9, 600)])
def test_who_came_too_often_waits_as_long_as_the_server_asks(
    table: Table, spread: Callable[[float], None], asked_s: float, wait_s: float
) -> None:
    spread(0)
    table.reconnector.begin(LOST, before("t"), table.now)
    table.attempt(refusal(ErrorCode.RATE_LIMITED, retry_after=asked_s))
    assert table.wait_s == pytest.approx(wait_s)


def test_an_attempt_that_fails_in_another_way_is_not_the_last(table: Table) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    assert table.attempt(OSError(24, "Too many open files")) is None
    client = StubClient()
    assert table.attempt(client) is client


def test_one_attempt_at_a_time(table: Table) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    table.begin()
    table.now += 1_000
    assert table.reconnector.poll(table.now) is None
    client = StubClient()
    table.outcomes.put(client)
    table.wait_for_the_bell()
    assert table.reconnector.poll(table.now) is client
    assert len(table.shown) == 1


def test_closing_while_an_attempt_is_under_way_closes_its_connection(table: Table) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    table.begin()
    table.reconnector.close()
    client = StubClient()
    table.outcomes.put(client)
    assert client.closed.wait(WAIT_S)


def test_closing_before_a_connection_was_taken_closes_it(table: Table) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    table.begin()
    client = StubClient()
    table.outcomes.put(client)
    table.wait_for_the_bell()
    table.reconnector.close()
    assert client.closed.is_set()


def test_after_closing_nothing_is_tried(table: Table) -> None:
    table.reconnector.begin(LOST, before("t"), table.now)
    table.reconnector.close()
    table.reconnector.close()
    table.now += 1_000
    assert table.reconnector.poll(table.now) is None
    assert table.shown == []


# --- several nodes --------------------------------------------------------------------------------


def table_of(*hosts: str) -> Table:
    """A table at the first of several nodes; an attempt of the test goes to no node by itself."""
    addresses = [Address(host, 5000) for host in hosts]
    nodes = Nodes(addresses)
    nodes.enter(addresses[0], [str(address) for address in addresses])
    return Table(nodes=nodes)


def test_another_node_is_tried_at_once(spread: Callable[[float], None]) -> None:
    spread(0)
    table = table_of("a", "b")
    table.reconnector.begin(LOST, before("t"), table.now)
    assert table.wait_s == 0


def test_a_single_node_is_waited_for() -> None:
    table = table_of("a")
    table.reconnector.begin(LOST, before("t"), table.now)
    assert table.wait_s > 0


def test_after_a_round_the_wait_is_as_on_a_single_server(spread: Callable[[float], None]) -> None:
    spread(0)
    table = table_of("a", "b")
    closing = Closing(reason="shutdown", retry_after=3.5)
    waits = []
    for end in (End(EndReason.SHUTDOWN, closing=closing), LOST):
        table.reconnector.begin(end, before("t"), table.now)
        for _time in range(3):
            waits.append(table.wait_s)
            assert table.attempt(no_connection()) is None
    assert waits == pytest.approx([0, 3.5, 2, 0, 1, 2])


def test_nodes_that_let_in_and_close_at_once_are_tried_only_once(
    spread: Callable[[float], None],
) -> None:
    spread(0)
    table = table_of("a", "b")
    table.reconnector.begin(LOST, before("t"), table.now)
    waits = []
    for lasted_s in (0, STEADY_S):
        client = StubClient()
        assert table.attempt(client) is client
        table.reconnector.nodes.enter(Address("b", 5000), ["b:5000", "a:5000"])
        table.now += lasted_s
        table.reconnector.begin(LOST, before("t"), table.now)
        waits.append(table.wait_s)
    assert waits == pytest.approx([FIRST_DELAY_S, 0])


def test_a_delay_that_was_not_needed_is_not_kept_for_the_next_loss(
    spread: Callable[[float], None],
) -> None:
    spread(0)
    table = table_of("a", "b")
    closing = Closing(reason="shutdown", retry_after=25.0)
    table.reconnector.begin(End(EndReason.SHUTDOWN, closing=closing), before("t"), table.now)
    table.attempt(StubClient())
    table.reconnector.nodes.enter(Address("b", 5000), ["b:5000", "a:5000"])
    table.reconnector.begin(LOST, before("t"), table.now)
    assert table.wait_s == FIRST_DELAY_S
    table.attempt(no_connection())
    assert table.wait_s == 2 * FIRST_DELAY_S
