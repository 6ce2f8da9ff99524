"""Accepting, refusing, lingering, and what happens without descriptors; the clock is a number."""

import errno
import functools
import ipaddress
import os
import select
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from standing_clock import StandingClock
from worker_bench import FakeSocket

from tertulia.protocol.messages import ErrorCode
from tertulia.server.config import Config
from tertulia.server.doors.entrance import Offer, refusal_when_full
from tertulia.server.doors.http import Site
from tertulia.server.observer import ADDRESS_DENIED, Observer
from tertulia.server.workers import acceptor as acceptor_module
from tertulia.server.workers.acceptor import Acceptor, listen, plain_address
from tertulia.server.workers.access import Access
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.mail import AcceptedSocket
from tertulia.server.workers.turned_away import TurnedAway

WAIT_S = 20.0
NO_MORE = BlockingIOError()
LISTENER = 3
WAITS_MS = 251.0  # for the first bytes of a refused client


class NewSocket(FakeSocket):
    """A socket that has just been accepted."""

    is_blocking = True

    def setblocking(self, flag: bool) -> None:
        self.is_blocking = flag

    def say(self, data: bytes) -> None:
        self.incoming.append(data)


def accepted(sock: Any) -> AcceptedSocket:
    """Return what the pool gets of a socket."""
    return AcceptedSocket(sock, "10.0.0.1")


class FakeListener:
    """A listening socket: what `accept` returns, or raises, one after the other."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.is_closed = False

    def fileno(self) -> int:
        return LISTENER

    def accept(self) -> tuple[NewSocket, tuple[str, int]]:
        outcome = self.waiting.pop(0) if self.waiting else NO_MORE
        if isinstance(outcome, OSError):
            raise outcome
        return outcome, ("::ffff:10.0.0.1", 4_000)

    def close(self) -> None:
        self.is_closed = True


class FakePool:
    """A pool that notes what it gets, and gives back what it is told to."""

    def __init__(self) -> None:
        self.assigned: list[list[AcceptedSocket]] = []
        self.gives_back = False

    def assign(self, accepted: list[AcceptedSocket]) -> list[AcceptedSocket]:
        self.assigned.append(accepted)
        return accepted if self.gives_back else []


class FakePoll:
    """A poll that does, one after the other, what the test has planned, and then finds the stop."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self.watches_listener = False
        self.watched: set[int] = set()  # descriptors of refused clients, and the one for the stop
        self.seen: list[tuple[float | None, bool]] = []  # timeouts, and whether it would accept

    def register(self, subject: object, mask: int) -> None:
        if isinstance(subject, FakeListener):
            self.watches_listener = mask == select.POLLIN
        elif isinstance(subject, int):
            self.watched.add(subject)

    def unregister(self, fd: int) -> None:
        self.watched.remove(fd)

    def poll(self, timeout_ms: float | None) -> list[tuple[int, int]]:
        self.seen.append((timeout_ms, self.watches_listener))
        if not self._bench.plan:
            return [(self._bench.acceptor._stop_fd, select.POLLIN)]
        return self._bench.plan.pop(0)(timeout_ms)


def turned_away() -> TurnedAway:
    return TurnedAway(functools.partial(refusal_when_full, Offer(Site({}, ()))))


class Bench:
    """An acceptor over a fake listener, a fake pool and a clock that stands."""

    def __init__(self, **options: Any) -> None:
        config = Config(port=0, shared_addresses=True, **options)
        self.clock = StandingClock()
        self.listener, self.pool = FakeListener(), FakePool()
        self.admission, self.observer = Admission(config), Observer()
        listener: Any = self.listener
        pool: Any = self.pool
        self.acceptor = Acceptor(
            [listener], pool, Access(config), self.admission, self.observer, turned_away()
        )
        self.plan: list[Callable[[float | None], list[tuple[int, int]]]] = []
        self.poll = FakePoll(self)

    def come(self, count: int = 1) -> list[NewSocket]:
        """Let so many connections wait to be accepted."""
        socks = [NewSocket() for _ in range(count)]
        self.listener.waiting += socks
        return socks

    def accept(self, count: int = 1) -> list[NewSocket]:
        socks = self.come(count)
        self.acceptor._accept_all(self.listener)
        return socks

    def pass_time(self, timeout_ms: float | None) -> list[tuple[int, int]]:
        """Find nothing until the time is over."""
        assert timeout_ms is not None
        self.clock.s += timeout_ms / 1_000
        return []

    def find_ready(self, timeout_ms: float | None) -> list[tuple[int, int]]:
        """Find a connection at once."""
        return [(LISTENER, select.POLLIN)]

    def run(self) -> list[tuple[float | None, bool]]:
        """Carry out the plan, and stop."""
        self.acceptor._run()
        return self.poll.seen


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(**options: int) -> Bench:
        bench = Bench(**options)
        benches.append(bench)
        clock, poll = bench.clock, bench.poll
        monkeypatch.setattr(acceptor_module, "time", SimpleNamespace(monotonic=clock.monotonic))
        fake = SimpleNamespace(poll=lambda: poll, POLLIN=select.POLLIN)
        monkeypatch.setattr(acceptor_module, "select", fake)
        return bench

    yield make
    for bench in benches:
        if not bench.listener.is_closed:
            bench.plan.clear()
            bench.acceptor._run()


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


@pytest.fixture
def full(make: Callable[..., Bench]) -> Bench:
    """An acceptor that refuses everyone."""
    bench = make(max_users=1, max_unregistered=1)
    assert bench.admission.admit("x")
    assert bench.admission.admit("x")
    return bench


# --- accepting -----------------------------------------------------------------------------------


def test_all_that_wait_are_accepted_and_handed_over_together(bench):
    socks = bench.accept(3)
    assert bench.pool.assigned == [[accepted(sock) for sock in socks]]
    assert not any(sock.is_blocking for sock in socks)
    assert bench.admission._open == 3


def test_between_two_looks_at_whether_to_stop_only_so_many_are_accepted(bench):
    bench.accept(100)
    assert len(bench.pool.assigned[0]) == 64
    assert len(bench.listener.waiting) == 36


def test_a_connection_that_broke_before_it_was_accepted_does_not_keep_the_next_ones(bench):
    bench.listener.waiting.append(ConnectionAbortedError())
    [sock] = bench.accept(1)
    assert bench.pool.assigned == [[accepted(sock)]]


# --- refusing and lingering ----------------------------------------------------------------------


def test_a_refused_connection_that_says_nothing_is_told_and_kept_open_for_a_moment(full):
    [sock] = full.accept()
    assert full.pool.assigned == [[]]
    assert full.observer.refused == {ErrorCode.SERVER_FULL: 1}
    assert full.admission._open == 2
    seen: list[tuple[bool, bool, bool]] = []

    def look(timeout_ms: float | None) -> list[tuple[int, int]]:
        seen.append((b"server_full" in sock.sent, sock.is_shut_down, sock.is_closed))
        return full.pass_time(timeout_ms)

    full.plan = [look, look]
    assert full.run() == [(WAITS_MS, True), (1_001.0, True), (None, True)]
    assert seen == [(False, False, False), (True, True, False)]
    assert sock.is_closed


@pytest.mark.parametrize(
    ("first", "answer"),
    [(b"GET / HTTP/1.1\r\n", b"HTTP/1.1 503 "), (b'{"type":"reg', b'{"type":"error"')],
)
def test_a_refused_client_is_answered_in_its_own_form_once_it_has_said_something(
    full, first, answer
):
    [sock] = full.accept()
    sock.say(first)
    full.plan = [lambda _timeout_ms: [(sock.fileno(), select.POLLIN)], full.pass_time]
    assert full.run() == [(WAITS_MS, True), (1_001.0, True), (None, True)]
    assert bytes(sock.sent).startswith(answer)


def test_a_refused_client_is_not_watched_any_more_once_it_has_its_answer(full):
    """Whatever else it sends, or the end of its socket, would be found ready again and again."""
    [sock] = full.accept()
    watched: list[bool] = []

    def look(timeout_ms: float | None) -> list[tuple[int, int]]:
        watched.append(sock.fileno() in full.poll.watched)
        return full.pass_time(timeout_ms)

    full.plan = [look, look]
    full.run()
    assert watched == [True, False]


def test_refused_sockets_linger_each_for_its_own_moment(full):
    [early] = full.accept()
    full.clock.s += 0.2
    [late] = full.accept()
    closed: list[tuple[bool, bool]] = []

    def look(timeout_ms: float | None) -> list[tuple[int, int]]:
        closed.append((early.is_closed, late.is_closed))
        return full.pass_time(timeout_ms)

    full.plan = [look] * 4
    full.run()
    assert closed == [(False, False), (False, False), (False, False), (True, False)]
    assert late.is_closed


def test_only_so_many_refused_sockets_linger_and_further_ones_are_closed_at_once(full):
    socks = [full.accept()[0] for _ in range(70)]
    assert [sock.is_closed for sock in socks] == [False] * 64 + [True] * 6
    assert all(b"server_full" in sock.sent for sock in socks[64:])


def test_a_connection_that_no_worker_can_take_is_refused_and_counted_out(bench):
    bench.pool.gives_back = True
    [sock] = bench.accept()
    assert not sock.is_closed
    assert bench.admission._open == 0
    assert bench.admission._unregistered == {}
    bench.plan = [bench.pass_time]
    bench.run()
    assert b"server_full" in sock.sent


def test_a_refused_client_that_is_gone_already_is_closed_all_the_same(full):
    [sock] = full.come()
    sock.error = BrokenPipeError()
    full.acceptor._accept_all(full.listener)
    full.plan = [full.pass_time]
    full.run()
    assert sock.is_closed


# --- without descriptors -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_without_a_descriptor_one_is_refused_with_the_spare_one_and_accepting_pauses(bench, number):
    bench.listener.waiting.append(OSError(number, "no more"))
    refused, later = bench.come(2)
    spare = bench.acceptor._spare
    bench.acceptor._accept_all(bench.listener)
    assert b"server_full" in refused.sent
    assert refused.is_closed
    assert bench.listener.waiting == [later]
    assert spare.closed
    assert not bench.acceptor._spare.closed
    bench.plan = [bench.pass_time, bench.find_ready]
    assert bench.run() == [(pytest.approx(101.0), False), (None, True), (None, True)]
    assert bench.pool.assigned == [[], [accepted(later)]]


def test_a_pause_ends_in_time_though_a_refused_client_lingers_longer(full):
    full.accept()
    full.clock.s += 0.2
    full.listener.waiting.append(OSError(errno.EMFILE, "no more"))
    full.acceptor._accept_all(full.listener)
    full.plan = [full.pass_time, full.pass_time]
    waits = [(pytest.approx(51.0), False), (pytest.approx(50.0, abs=2.0), False), (None, True)]
    assert full.run()[:2] == waits[:2]


def test_what_was_accepted_before_the_descriptors_ran_out_is_handed_over(bench):
    [sock] = bench.come()
    bench.listener.waiting.append(OSError(errno.EMFILE, "no more"))
    bench.acceptor._accept_all(bench.listener)
    assert bench.pool.assigned == [[accepted(sock)]]


def test_a_client_that_is_gone_when_the_spare_descriptor_is_free_does_no_harm(bench):
    bench.listener.waiting += [OSError(errno.EMFILE, "no more"), ConnectionAbortedError()]
    bench.acceptor._accept_all(bench.listener)
    assert not bench.acceptor._spare.closed
    assert bench.run() == [(pytest.approx(101.0), False)]


def test_a_spare_descriptor_that_cannot_be_had_is_tried_again_the_next_time(
    bench, monkeypatch, caplog
):
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "no more")

    bench.listener.waiting.append(OSError(errno.EMFILE, "no more"))
    with monkeypatch.context() as without_descriptors:
        without_descriptors.setattr(acceptor_module.os, "open", refuse)
        bench.acceptor._accept_all(bench.listener)
    assert "no spare descriptor" in caplog.text
    bench.listener.waiting.append(OSError(errno.EMFILE, "no more"))
    [refused] = bench.come()
    bench.acceptor._accept_all(bench.listener)
    assert refused.is_closed
    assert not bench.acceptor._spare.closed


# --- stopping, and the real thing ----------------------------------------------------------------


def test_at_a_stop_everything_is_closed_and_nobody_accepted(full):
    [lingering] = full.accept()
    [waiting] = full.come()
    assert full.run() == [(WAITS_MS, True)]
    assert full.listener.is_closed
    assert lingering.is_closed
    assert full.acceptor._spare.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(full.acceptor._stop_fd)
    assert full.listener.waiting == [waiting]


def test_a_stop_comes_before_those_who_wait_at_the_same_moment(bench):
    [waiting] = bench.come()
    stop = bench.acceptor._stop_fd
    bench.plan = [lambda _timeout_ms: [(LISTENER, select.POLLIN), (stop, select.POLLIN)]]
    assert len(bench.run()) == 1
    assert bench.listener.waiting == [waiting]


def test_a_host_that_cannot_be_a_name_is_one_that_is_not_known():
    with pytest.raises(socket.gaierror, match="Name or service not known"):
        listen(Config(port=0, host="192.168..10"))


def test_the_thread_accepts_over_the_network_until_it_is_stopped():
    listener = listen(Config(port=0, host="127.0.0.1"))
    port = listener.getsockname()[1]
    admission = Admission(Config(port=0, max_users=1, max_unregistered=1))
    pool: Any = FakePool()
    access = Access(Config(port=0))
    acceptor = Acceptor([listener], pool, access, admission, Observer(), turned_away())
    acceptor.start()
    assert admission.admit("x")
    assert admission.admit("x")
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as refused:
        refused.send(b'{"type":"ping"}\n')
        assert b"server_full" in refused.recv(1_000)
        assert refused.recv(1_000) == b""
    acceptor.stop(WAIT_S)
    assert listener.fileno() == -1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), WAIT_S)


@pytest.mark.parametrize("has_dualstack", [True, False])
def test_without_a_host_all_addresses_are_listened_on(monkeypatch, has_dualstack):
    has_dualstack = has_dualstack and socket.has_dualstack_ipv6()
    monkeypatch.setattr(acceptor_module.socket, "has_dualstack_ipv6", lambda: has_dualstack)
    with listen(Config(port=0, send_buffer_bytes=32_768)) as listener:
        family = socket.AF_INET6 if has_dualstack else socket.AF_INET
        assert listener.family == family
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 65_536
        assert not listener.getblocking()


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("::ffff:1:2", "::ffff:1:2"),
    ],
)
def test_an_ipv4_address_is_written_as_what_it_is(address, plain):
    assert plain_address(address) == plain


def test_a_connection_from_an_address_that_is_not_allowed_is_closed_and_counted(make):
    denied = ipaddress.ip_network("10.0.0.0/8")
    bench = make(deny=(denied,))
    (sock,) = bench.accept()
    assert sock.is_closed
    assert bench.pool.assigned == [[]]
    assert bench.observer.refused == {ADDRESS_DENIED: 1}
    assert bench.admission._open == 0
