"""A worker's round, taken step by step over socket pairs, and its thread from start to end."""

import errno
import json
import os
import select
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from standing_clock import StandingClock

from tertulia.protocol.messages import Register, Say
from tertulia.server.config import Config
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.session import Route
from tertulia.server.workers import dispatcher as dispatcher_module
from tertulia.server.workers import worker as worker_module
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.mail import (
    AcceptedSocket,
    Adopt,
    Challenge,
    ChallengeOver,
    Drain,
    Evict,
    HandshakeStepDone,
    Mail,
)
from tertulia.server.workers.poller import READABLE
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.worker import MAX_STEPS, Worker

WAIT_S = 20.0


class Owner:
    """Another worker's mailbox, which keeps its mail."""

    def __init__(self) -> None:
        self.mail: list[object] = []

    def post(self, mail: object) -> bool:
        self.mail.append(mail)
        return True


class Bench:
    """A worker, and a far end for each of its users."""

    def __init__(self, *, ends_when_idle: bool = False, threads: int = 1) -> None:
        config = Config(port=0, shared_addresses=True)
        self.clock = StandingClock()
        self.hub = Hub(config, monotonic=self.clock.monotonic, wall=self.clock.wall)
        self.admission = Admission(config)
        self.announced: list[int] = []  # the last number at each announcement
        self.ended: list[Worker] = []
        shared = Shared(config, self.hub, None, self.admission, NativeDoor)
        self.worker = Worker(
            [f"worker-{number}" for number in range(threads)],
            shared,
            self.announce,
            self.ended.append,
            ends_when_idle=ends_when_idle,
        )
        self.near: dict[str, socket.socket] = {}
        self.far: dict[str, socket.socket] = {}

    def announce(self, mailbox: object, _since: float) -> None:
        assert mailbox is self.worker.mailbox
        self.announced.append(self.hub.events.last_seq)

    def connect(self, name: str) -> None:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.settimeout(WAIT_S)
        self.near[name], self.far[name] = near, far
        assert self.admission.admit("10.0.0.1")
        self.worker.mailbox.post(Adopt([AcceptedSocket(near, "10.0.0.1")]))

    def join(self, name: str) -> None:
        """Register a user; everyone has heard of it."""
        self.connect(name)
        self.round()
        self.say(name, type="register", name=name)
        self.round(name)
        self.round()
        for one in self.far:
            self.heard(one)
        self.announced.clear()

    def say(self, who: str, /, **message: object) -> None:
        self.far[who].send(json.dumps(message).encode() + b"\n")

    def round(self, *ready: str) -> None:
        """Do a round in which the poller has found these users readable."""
        self.run_round([(self.near[name].fileno(), READABLE) for name in ready])

    def run_round(self, ready: list[tuple[int, int]]) -> None:
        """Do a round in which the poller has found these descriptors ready."""
        dispatcher = self.worker._dispatcher
        wait = dispatcher._wait

        def wait_once(_timeout_s: float) -> list[tuple[int, int]]:
            dispatcher._wait = wait
            return ready

        dispatcher._wait = wait_once
        dispatcher.run_round()

    def speak_elsewhere(self) -> None:
        """Publish a message as another worker does."""
        outcome = self.hub.register(Register(name="bea"), "10.0.0.9", Route("elsewhere", 1))
        assert isinstance(outcome, Registered)
        self.hub.say(outcome.session, Say(text="hola"), Owner())

    def heard(self, name: str) -> list[str]:
        self.far[name].setblocking(False)
        try:
            return [json.loads(line)["type"] for line in self.far[name].recv(65_536).splitlines()]
        except BlockingIOError:
            return []

    def close(self) -> None:
        for sock in (*self.near.values(), *self.far.values()):
            sock.close()
        self.worker.mailbox.close()
        self.worker._poller.close()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench()
    clock = SimpleNamespace(monotonic=bench.clock.monotonic)
    monkeypatch.setattr(worker_module, "time", clock)
    monkeypatch.setattr(dispatcher_module, "time", clock)
    yield bench
    bench.close()


# --- the round -----------------------------------------------------------------------------------


def test_what_others_say_meanwhile_goes_out_in_the_same_round(bench):
    bench.join("ana")
    bench.join("luis")
    bench.say("ana", type="say", text="hola")
    bench.say("luis", type="say", text="buenas")
    bench.round("ana")
    assert bench.heard("ana") == bench.heard("luis") == ["message", "message"]
    assert len(bench.announced) == 1


def test_a_round_without_an_event_takes_in_nothing_more(bench):
    bench.join("ana")
    bench.join("luis")
    bench.say("ana", type="ping")
    bench.say("luis", type="say", text="later")
    bench.round("ana")
    assert bench.heard("ana") == ["pong"]
    assert bench.heard("luis") == []


def test_for_what_may_arrive_meanwhile_it_does_not_wait(bench, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(bench.worker._dispatcher, "_wait", lambda s: waits.append(s) or [])
    bench.join("ana")
    assert set(waits) == {0}


def test_what_is_taken_in_meanwhile_is_bounded_in_time(bench, monkeypatch):
    bench.join("ana")
    bench.join("luis")
    bench.say("ana", type="say", text="hola")
    bench.say("luis", type="say", text="later")
    # for the wait, at the beginning of the round, while reading more, after sending
    times = iter([1_000.0, 1_000.0, 1_000.002, 1_000.003])
    monkeypatch.setattr(dispatcher_module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    bench.round("ana")
    assert bench.heard("luis") == ["message"]


def test_a_round_is_noted_while_it_lasts_and_counted_at_its_end(bench):
    bench.join("ana")
    rounds = bench.worker.observer.rounds
    during = []
    bench.worker._dispatcher._announce = lambda _mailbox, since: during.append(
        (since, bench.worker.observer.busy_since)
    )
    bench.say("ana", type="say", text="hola")
    bench.round("ana")
    [(since, busy_since)] = during
    assert since == busy_since > 0.0
    assert bench.worker.observer.busy_since == 0.0
    assert bench.worker.observer.rounds == rounds + 1


def test_how_long_it_took_to_everyone_is_noted_for_each_event_from_when_it_came_in(
    bench, monkeypatch
):
    bench.join("ana")
    seconds_so_far = bench.worker.observer.say_to_last_send.sum_s
    events_so_far = sum(bench.worker.observer.say_to_last_send.counts)
    clock = SimpleNamespace(monotonic=lambda: 1_000.0)
    monkeypatch.setattr(dispatcher_module, "time", clock)
    bench.say("ana", type="say", text="1")
    bench.say("ana", type="say", text="2")
    bench.worker.mailbox.nudge(990.0)  # another worker has read something then
    bench.round("ana")
    bench.round()  # without news there is nothing to note
    latencies = bench.worker.observer.say_to_last_send.latencies
    assert sum(latencies.counts) - events_so_far == 2
    assert latencies.sum_s - seconds_so_far == pytest.approx(20.0)


def test_the_time_of_a_workers_own_message_begins_with_its_round(bench, monkeypatch):
    bench.join("ana")
    before = bench.worker.observer.say_to_last_send.latencies.sum_s
    monkeypatch.setattr(dispatcher_module, "time", SimpleNamespace(monotonic=lambda: 1_000.0))
    bench.say("ana", type="say", text="1")
    bench.round("ana")
    assert bench.worker.observer.say_to_last_send.latencies.sum_s == before


def test_a_worker_that_has_nobody_to_send_to_notes_no_time(bench):
    bench.speak_elsewhere()
    bench.round()
    assert sum(bench.worker.observer.say_to_last_send.counts) == 0
    bench.connect("ana")
    bench.round()
    assert sum(bench.worker.observer.say_to_last_send.counts) == 0, "that was before she came"


def test_mail_is_read_after_what_the_sockets_have_brought(bench):
    bench.join("ana")
    bench.join("luis")
    bench.say("ana", type="say", text="hola")
    bench.worker.mailbox.post(Evict(1))
    bench.round("ana")
    assert bench.heard("luis") == ["message", "left"]


def test_mail_is_read_before_the_deadlines(bench):
    bench.join("ana")
    bench.clock.s += 30.0
    bench.round()
    assert bench.heard("ana") == ["ping"]
    bench.clock.s += 15.0
    bench.worker.mailbox.post(Drain())
    bench.round()
    assert bench.heard("ana") == ["closing"], "else it would have been closed without a word"


def test_what_mail_has_led_to_is_announced_before_it_is_sent(bench):
    bench.join("ana")
    bench.join("luis")
    sent_by_then: list[list[str]] = []
    bench.worker._dispatcher._announce = lambda _mailbox, _since: sent_by_then.append(
        bench.heard("luis")
    )
    bench.worker.mailbox.post(Evict(1))
    bench.round()
    assert sent_by_then == [[]]
    assert bench.heard("luis") == ["left"]


def test_what_a_deadline_has_led_to_is_announced_before_it_is_sent(bench):
    bench.join("ana")
    bench.join("luis")
    bench.clock.s += 30.0
    bench.round()
    assert (bench.heard("ana"), bench.heard("luis")) == (["ping"], ["ping"])
    bench.say("luis", type="pong")
    bench.round("luis")
    sent_by_then: list[list[str]] = []
    bench.worker._dispatcher._announce = lambda _mailbox, _since: sent_by_then.append(
        bench.heard("luis")
    )
    bench.clock.s += 15.0
    bench.round()
    assert sent_by_then == [[]]
    assert bench.heard("luis") == ["left"]


def test_a_wake_up_is_taken_back_so_that_it_wakes_no_second_round(bench):
    bench.worker.mailbox.fall_asleep()
    bench.worker.mailbox.nudge(0.0)
    fd = bench.worker.mailbox.fileno()
    bench.run_round([(fd, READABLE)])
    assert select.select([fd], [], [], 0)[0] == []


def test_a_descriptor_that_was_closed_in_the_same_round_is_passed_over(bench):
    bench.join("ana")
    bench.far["ana"].close()
    bench.round("ana", "ana")
    assert "connections=0" in repr(bench.worker)


def test_all_that_happens_in_a_round_has_the_time_of_its_beginning(bench):
    bench.join("ana")
    bench.clock.s += 30.0
    bench.round()
    assert bench.heard("ana") == ["ping"]
    bench.clock.s += 14.0
    bench.say("ana", type="pong")
    bench.round("ana")
    bench.clock.s += 29.0
    bench.round()
    assert bench.heard("ana") == []


def test_deadlines_are_looked_at_only_when_one_may_be_over(bench, monkeypatch):
    bench.join("ana")
    bench.clock.s += 1.0
    bench.round()  # plans the next look
    checks: list[float] = []
    dispatcher = bench.worker._dispatcher
    monkeypatch.setattr(dispatcher, "check_deadlines", lambda: checks.append(bench.clock.s))
    bench.clock.s += 10.0
    bench.round()
    assert checks == []
    bench.clock.s += 19.0
    bench.round()
    assert checks == [bench.clock.s]


# --- announcements -------------------------------------------------------------------------------


def test_what_was_said_is_announced_once_before_it_is_sent(bench):
    bench.join("ana")
    sent_by_then: list[list[str]] = []
    bench.worker._dispatcher._announce = lambda _mailbox, _since: sent_by_then.append(
        bench.heard("ana")
    )
    bench.say("ana", type="say", text="hola")
    bench.round("ana")
    assert sent_by_then == [[]]
    assert bench.heard("ana") == ["message"]


def test_a_round_without_news_announces_nothing(bench):
    bench.join("ana")
    bench.say("ana", type="ping")
    bench.round("ana")
    assert bench.announced == []


def test_what_others_have_published_they_announce_themselves(bench):
    bench.join("ana")
    bench.speak_elsewhere()
    bench.round()
    assert bench.heard("ana") == ["joined", "message"]
    assert bench.announced == []


def test_a_session_that_turns_out_to_be_broken_while_sending_is_announced_too(bench):
    bench.join("ana")
    bench.join("luis")
    bench.near["luis"].shutdown(socket.SHUT_WR)  # every send fails, and nothing is readable
    bench.say("ana", type="say", text="hola")
    said = bench.hub.events.last_seq + 1
    bench.round("ana")
    assert bench.announced == [said, said + 1]
    bench.round()
    assert bench.heard("ana") == ["message", "left"]


# --- sleeping ------------------------------------------------------------------------------------


def test_with_nothing_to_do_it_sleeps_until_the_next_deadline(bench):
    assert bench.worker._dispatcher._time_to_wait() == 3_600.0
    bench.join("ana")
    bench.clock.s += 1.0
    bench.round()
    bench.worker._dispatcher.check_deadlines()  # that of its registration counts no more
    assert bench.worker._dispatcher._time_to_wait() == pytest.approx(29.0)
    bench.clock.s += 100.0
    assert bench.worker._dispatcher._time_to_wait() == 0.0


def test_with_mail_it_does_not_sleep(bench):
    bench.worker.mailbox.post(Drain())
    assert bench.worker._dispatcher._time_to_wait() == 0.0


def test_with_something_to_send_it_does_not_sleep(bench):
    bench.join("ana")
    bench.speak_elsewhere()
    assert bench.worker._dispatcher._time_to_wait() == 0.0


def test_an_event_published_while_it_falls_asleep_is_not_slept_over(bench, monkeypatch):
    bench.join("ana")
    fall_asleep = bench.worker.mailbox.fall_asleep

    def fall_asleep_too_late() -> bool:
        # Before it is marked asleep nobody wakes it: it has to look after that.
        bench.speak_elsewhere()
        return fall_asleep()

    monkeypatch.setattr(bench.worker.mailbox, "fall_asleep", fall_asleep_too_late)
    assert bench.worker._dispatcher._time_to_wait() == 0.0


# --- the thread ----------------------------------------------------------------------------------


def read_until(sock: socket.socket, kind: bytes) -> None:
    got = b""
    while b'"type":"%s"' % kind not in got:
        data = sock.recv(65_536)
        assert data, got
        got += data


def assert_ended(bench: Bench) -> None:
    assert bench.worker.join(WAIT_S)
    assert bench.ended == [bench.worker]
    assert not bench.worker.mailbox.post(Drain())
    assert bench.worker._poller._epoll.closed


def test_a_worker_serves_until_it_is_drained_and_its_connections_are_closed():
    bench = Bench()
    bench.worker.start()
    assert not bench.worker.join(0.0)
    bench.connect("ana")
    far = bench.far["ana"]
    bench.say("ana", type="register", name="ana")
    read_until(far, b"joined")
    bench.worker.mailbox.post(Drain())
    read_until(far, b"closing")
    far.close()
    assert_ended(bench)


def test_of_several_threads_one_serves_while_another_computes_a_handshake(monkeypatch):
    bench, may_go_on = Bench(threads=2), threading.Event()
    steps, taken = bench.worker._doorkeeper.steps_due, []

    def compute_step() -> None:
        if not steps:
            return
        steps.popleft()
        taken.append(threading.current_thread())
        assert may_go_on.wait(WAIT_S)

    monkeypatch.setattr(bench.worker._doorkeeper, "compute_step", compute_step)
    steps.append(None)  # type: ignore[arg-type]
    bench.worker.start()
    bench.connect("ana")
    bench.say("ana", type="register", name="ana")
    read_until(bench.far["ana"], b"joined")  # from the other thread
    assert len(taken) == 1
    bench.worker.mailbox.post(Drain())
    bench.far["ana"].close()
    assert not bench.worker.join(0.1)
    may_go_on.set()
    assert_ended(bench)


def test_a_thread_that_has_computed_a_step_takes_the_place_of_one_that_waits(monkeypatch):
    bench = Bench(threads=2)
    worker = bench.worker
    step: Any = SimpleNamespace(fd=-1)
    steps = [step, step]
    monkeypatch.setattr(worker._doorkeeper, "compute_step", lambda: steps.pop() if steps else None)

    def serve() -> None:
        turns.append(worker._spare.acquire(blocking=False))
        worker._has_ended = len(turns) == 3

    turns: list[bool] = []
    monkeypatch.setattr(worker, "_serve", serve)
    worker._run()
    assert turns == [True, True, True]
    assert worker.mailbox.collect() == [HandshakeStepDone(step)] * 2
    bench.close()


def test_a_worker_is_named_after_the_thread_that_has_the_turn(monkeypatch):
    bench = Bench(threads=2)
    names = [bench.worker.name]

    def serve() -> None:
        names.append(bench.worker.name)
        bench.worker._has_ended = True

    monkeypatch.setattr(bench.worker, "_serve", serve)
    thread = threading.Thread(target=bench.worker._run, name="worker-1")
    thread.start()
    thread.join(WAIT_S)
    assert names == ["worker-0", "worker-1"]
    bench.close()


def test_all_threads_have_one_time_to_end(bench, monkeypatch):
    waits: list[float] = []

    def join(timeout_s: float) -> None:
        waits.append(timeout_s)
        bench.clock.s += 1.0

    thread = SimpleNamespace(join=join, is_alive=lambda: False)
    monkeypatch.setattr(bench.worker, "_threads", [thread] * 4)
    assert bench.worker.join(2.5)
    assert waits == [2.5, 1.5, 0.5, 0.0]
    thread.is_alive = lambda: True
    assert not bench.worker.join(0.0)


def test_with_no_other_thread_it_takes_only_so_many_steps_of_handshakes_in_a_round(monkeypatch):
    bench, step = Bench(), SimpleNamespace(fd=-1)
    rounds: list[int] = []
    read: list[Mail] = []
    doorkeeper = bench.worker._doorkeeper
    doorkeeper.steps_due.extend([step] * 40)  # type: ignore[arg-type]
    monkeypatch.setattr(
        doorkeeper,
        "compute_step",
        lambda: doorkeeper.steps_due.popleft() if doorkeeper.steps_due else None,
    )
    monkeypatch.setattr(bench.worker._dispatcher, "read_mail", read.append)

    def run_round() -> None:
        rounds.append(len(doorkeeper.steps_due))
        if len(doorkeeper.steps_due) < MAX_STEPS:
            bench.worker._dispatcher.is_draining = True

    monkeypatch.setattr(bench.worker._dispatcher, "run_round", run_round)
    bench.worker.start()
    assert_ended(bench)
    assert rounds == [40, 40 - MAX_STEPS, 40 - 2 * MAX_STEPS]
    assert read == [HandshakeStepDone(step)] * 40  # type: ignore[arg-type]


def test_a_worker_of_one_session_ends_with_it():
    bench = Bench(ends_when_idle=True)
    bench.connect("ana")
    bench.worker.start()
    bench.say("ana", type="quit")
    assert bench.far["ana"].recv(100) == b""
    bench.far["ana"].close()
    assert_ended(bench)


def test_mail_that_comes_while_a_worker_ends_is_answered():
    bench, owner = Bench(), Owner()
    newcomer: Any = object()
    challenge = Challenge(1, newcomer, owner)
    bench.worker._on_end = lambda worker: (
        bench.ended.append(worker) or worker.mailbox.post(challenge)
    )
    bench.worker.mailbox.post(Drain())
    bench.worker.start()
    assert_ended(bench)
    assert owner.mail == [ChallengeOver(newcomer)]


def test_a_worker_for_which_there_is_no_thread_frees_its_descriptors(monkeypatch):
    bench = Bench()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError):
        bench.worker.start()
    assert not bench.worker.mailbox.post(Drain())
    assert bench.worker._poller._epoll.closed
    with pytest.raises(OSError, match=f"Errno {errno.EBADF}"):
        select.select([bench.worker.mailbox.fileno()], [], [], 0)


def test_if_there_is_no_thread_for_a_later_one_the_earlier_one_ends_quietly(monkeypatch):
    bench, start, faults = Bench(threads=2), threading.Thread.start, []

    def refuse_the_second(thread: threading.Thread) -> None:
        if thread is bench.worker._threads[1]:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    monkeypatch.setattr(threading, "excepthook", faults.append)
    with pytest.raises(RuntimeError):
        bench.worker.start()
    first = bench.worker._threads[0]
    first.join(WAIT_S)
    assert not first.is_alive()
    assert faults == []


def test_a_worker_without_a_descriptor_for_its_epoll_gives_back_that_of_its_mailbox(monkeypatch):
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(worker_module, "Poller", none_left)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="too many"):
        Bench()
    assert len(os.listdir("/proc/self/fd")) == before
