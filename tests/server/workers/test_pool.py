"""The workers: a fixed number of them, or one for each session, and none to be had."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from standing_clock import StandingClock

from tertulia.server.config import Config
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.hub import Hub
from tertulia.server.observer import Observer
from tertulia.server.workers import pool as pool_module
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.mail import AcceptedSocket, Adopt, AdoptConsole, Drain
from tertulia.server.workers.pool import WorkerPool
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.worker import Worker

WAIT_S = 20.0


class Bench:
    """A pool, and the far ends of what it serves."""

    def __init__(self, threads: int | None, *, takes_turns: bool = False) -> None:
        config = Config(port=0, threads=threads, shared_addresses=True)
        hub, self.admission = Hub(config), Admission(config)
        self.observer = Observer()
        shared = Shared(config, hub, None, self.admission, NativeDoor)
        self.pool = WorkerPool(shared, self.observer, takes_turns=takes_turns)
        self.socks: list[socket.socket] = []  # that no worker closes

    def accept(self) -> tuple[AcceptedSocket, socket.socket]:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.settimeout(WAIT_S)
        self.socks.append(far)
        assert self.admission.admit("10.0.0.1")
        return AcceptedSocket(near, "10.0.0.1"), far

    def join(self, *names: str) -> list[socket.socket]:
        accepted, fars = zip(*[self.accept() for _ in names], strict=True)
        assert self.pool.assign(list(accepted)) == []
        for name, far in zip(names, fars, strict=True):
            send(far, type="register", name=name)
            read_until(far, b'"welcome"')
        return list(fars)

    def workers(self) -> list[Worker]:
        return list(self.pool.workers)

    def accept_in_vain(self) -> AcceptedSocket:
        accepted, _ = self.accept()
        self.socks.append(accepted.sock)
        return accepted

    def close(self) -> None:
        for sock in self.socks:
            sock.close()
        assert self.pool.drain(WAIT_S)
        for worker in self.workers():  # those that were never started
            worker.mailbox.close()
            worker._poller.close()


def send(far: socket.socket, **message: object) -> None:
    far.send(json.dumps(message).encode() + b"\n")


def read_until(far: socket.socket, part: bytes) -> None:
    got = b""
    while part not in got:
        data = far.recv(65_536)
        assert data, got
        got += data


@pytest.fixture
def fixed() -> Iterator[Bench]:
    bench = Bench(threads=2)
    bench.pool.start()
    yield bench
    bench.close()


@pytest.fixture
def per_session() -> Iterator[Bench]:
    bench = Bench(threads=None)
    bench.pool.start()
    yield bench
    bench.close()


def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


# --- a fixed number ------------------------------------------------------------------------------


def test_where_threads_have_to_take_turns_they_are_one_worker():
    bench = Bench(threads=3, takes_turns=True)
    bench.pool.start()
    bench.join("ana", "luis", "eva")
    (worker,) = bench.workers()
    names = ["worker-1", "worker-2", "worker-3"]
    assert [thread.name for thread in worker._threads] == names
    assert all(thread.is_alive() for thread in worker._threads)
    bench.close()
    assert not any(thread.is_alive() for thread in worker._threads)


def test_a_worker_that_does_no_round_is_not_asked_again_and_is_no_sign_of_life():
    bench = Bench(threads=2)
    workers = [bench.pool._new_worker() for _ in range(2)]
    assert bench.pool.beat(), "nobody was asked before"
    mail = [worker.mailbox.collect() for worker in workers]
    mail[0][0].is_answered = True
    assert not bench.pool.beat()
    assert [worker.mailbox.collect() for worker in workers] == [[], []]
    mail[1][0].is_answered = True
    assert bench.pool.beat()
    assert all(worker.mailbox.collect() for worker in workers)
    for worker in workers:
        bench.pool._forget(worker)
        worker.mailbox.close()
        worker._poller.close()


def test_a_worker_that_has_ended_meanwhile_is_asked_for_no_sign_of_life():
    bench = Bench(threads=2)
    ended, other = bench.pool._new_worker(), bench.pool._new_worker()
    ended.mailbox.close()
    assert bench.pool.beat()
    [beat] = other.mailbox.collect()
    beat.is_answered = True
    assert bench.pool.beat()
    bench.pool._forget(ended)
    ended._poller.close()
    bench.pool._forget(other)
    other.mailbox.close()
    other._poller.close()


def test_all_workers_have_one_time_to_end(monkeypatch):
    bench, clock, waits = Bench(threads=2), StandingClock(), []
    monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=clock.monotonic))

    def join(timeout_s: float) -> bool:
        waits.append(timeout_s)
        clock.s += 1.0
        return len(waits) < 4

    mailbox = SimpleNamespace(post=lambda mail: posted.append(mail))
    posted: list[Any] = []
    worker: Any = SimpleNamespace(join=join, mailbox=mailbox)
    bench.pool._present = (worker,) * 4, Observer()
    assert not bench.pool.drain(2.5)
    assert waits == [2.5, 1.5, 0.5, 0.0]
    assert posted == [Drain()] * 4
    how = Drain(flush_within_s=1.0)
    bench.pool.drain(0.0, how)
    assert posted[4:] == [how] * 4


def test_a_console_goes_to_the_first_worker_with_a_route_to_it():
    bench = Bench(threads=2)
    first, second = bench.pool._new_worker(), bench.pool._new_worker()
    sock: Any = object()
    assert bench.pool.assign_console(sock, "console")
    [mail] = first.mailbox.collect()
    assert isinstance(mail, AdoptConsole)
    assert (mail.sock, mail.address) == (sock, "console")
    assert bench.pool._shared.switchboard.mailbox_of(mail.route) is first.mailbox
    assert second.mailbox.collect() == []
    first.mailbox.close()
    assert not bench.pool.assign_console(sock, "console")
    assert list(bench.pool._shared.switchboard._mailboxes) == [mail.route.number]
    second.mailbox.close()
    for worker in (first, second):
        worker._poller.close()


def test_connections_go_to_the_workers_in_turn_and_each_worker_gets_its_share_at_once():
    bench = Bench(threads=2)
    workers = [bench.pool._new_worker() for _ in range(2)]
    bench.pool._turn = iter([workers[0], workers[1], workers[0]])
    accepted = [bench.accept_in_vain() for _ in range(3)]
    assert bench.pool.assign(accepted) == []
    assert workers[0].mailbox.collect() == [Adopt([accepted[0], accepted[2]])]
    assert workers[1].mailbox.collect() == [Adopt([accepted[1]])]
    for worker in workers:
        bench.pool._forget(worker)
        worker.mailbox.close()
        worker._poller.close()
    bench.close()


def test_the_turn_goes_round(fixed):
    fars = fixed.join("ana", "luis", "bea", "leo")
    counts = sorted(len(worker._connections) for worker in fixed.workers())
    assert counts == [2, 2]
    assert [worker.threads for worker in fixed.workers()] == [1, 1]
    assert len(fars) == 4


@pytest.mark.parametrize("threads", [2, None])
def test_what_is_said_in_one_worker_is_heard_in_all(threads):
    bench = Bench(threads)
    bench.pool.start()
    fars = bench.join("ana", "luis", "bea")
    assert len(bench.workers()) == (threads or 3)
    send(fars[0], type="say", text="hola a todos")
    for far in fars:
        read_until(far, b"hola a todos")
    bench.close()


def test_an_announcement_wakes_every_sleeper_but_the_one_that_makes_it():
    bench = Bench(threads=None)
    workers = [bench.pool._new_worker() for _ in range(3)]
    for worker in workers:
        worker.mailbox.fall_asleep()
    bench.pool.mailboxes.announce(workers[0].mailbox, 1.0)
    fds = [worker.mailbox.fileno() for worker in workers]
    assert select.select(fds, [], [], 0)[0] == fds[1:]
    bench.pool._forget(workers[1])
    for worker in workers[1:]:
        worker.mailbox.clear_wake_up()
        worker.mailbox.fall_asleep()
    bench.pool.mailboxes.announce(workers[0].mailbox, 1.0)
    assert select.select(fds, [], [], 0)[0] == fds[2:]
    for worker in workers:
        bench.pool._forget(worker)
        worker.mailbox.close()
        worker._poller.close()
    bench.close()


def test_a_drained_pool_has_said_goodbye_and_ended(fixed):
    [far] = fixed.join("ana")
    workers = fixed.workers()
    drained: list[bool] = []
    drain = threading.Thread(target=lambda: drained.append(fixed.pool.drain(WAIT_S)))
    drain.start()
    read_until(far, b'"closing"')
    far.close()
    drain.join(WAIT_S)
    assert drained == [True]
    assert fixed.workers() == []
    assert not any(worker.mailbox.post(Drain()) for worker in workers)


def test_a_drain_that_takes_too_long_is_reported(fixed):
    fixed.join("ana")  # who reads nothing, for which a connection has a second
    assert not fixed.pool.drain(0.0)


# --- one for each session ------------------------------------------------------------------------


def test_each_connection_has_a_worker_of_its_own_that_ends_with_it(per_session):
    assert per_session.workers() == []
    [ana] = per_session.join("ana")
    [first] = per_session.workers()
    per_session.join("luis")
    assert len(per_session.workers()) == 2
    send(ana, type="quit")
    while ana.recv(65_536):
        pass
    ana.close()
    assert first.join(WAIT_S)
    [second] = per_session.workers()
    assert second is not first
    assert per_session.pool.mailboxes._all == (second.mailbox,)


def test_what_a_worker_has_counted_outlives_it(per_session):
    [ana] = per_session.join("ana")
    [first] = per_session.workers()
    per_session.join("luis")
    send(ana, type="quit")
    while ana.recv(65_536):
        pass
    ana.close()
    assert first.join(WAIT_S)
    totals = per_session.pool.totals()
    assert (totals.accepted, totals.joined, totals.left["quit"]) == (2, 2, 1)


def test_a_console_has_a_worker_of_its_own(per_session):
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(WAIT_S)
    per_session.socks.append(far)
    assert per_session.admission.admit_console()
    assert per_session.pool.assign_console(near, "console")
    send(far, type="ping", id=3)
    read_until(far, b'"pong"')
    [worker] = per_session.workers()
    far.shutdown(socket.SHUT_WR)
    assert worker.join(WAIT_S)
    assert per_session.admission._consoles == 0


def test_a_console_that_gets_no_thread_is_given_back(per_session, monkeypatch):
    no_thread(monkeypatch)
    sock: Any = object()
    assert not per_session.pool.assign_console(sock, "console")
    monkeypatch.undo()
    assert per_session.pool._shared.switchboard._mailboxes == {}
    assert per_session.workers() == []
    assert per_session.pool.mailboxes._all == ()


def test_a_connection_that_gets_no_thread_is_given_back(per_session, monkeypatch, caplog):
    accepted = per_session.accept_in_vain()
    far = per_session.socks[0]
    no_thread(monkeypatch)
    assert per_session.pool.assign([accepted]) == [accepted]
    monkeypatch.undo()
    assert per_session.workers() == []
    assert per_session.pool.mailboxes._all == ()
    assert per_session.observer.refused == {"server_full": 1}
    assert "can't start new thread" in caplog.text
    assert accepted.sock.send(b"x") == 1  # it is still open
    assert far.recv(1) == b"x"


def test_a_connection_for_which_there_is_no_descriptor_is_given_back(per_session, monkeypatch):
    first, second = per_session.accept_in_vain(), per_session.accept_in_vain()

    def refuse(*_: Any, **__: Any) -> Worker:
        raise OSError("too many open files")

    monkeypatch.setattr(pool_module, "Worker", refuse)
    assert per_session.pool.assign([first, second]) == [first, second]
    assert per_session.observer.refused == {"server_full": 2}
