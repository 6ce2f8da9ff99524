"""What the parent decides, with processes that only note what is done to them and a given clock."""

import itertools
import signal

import pytest

from tertulia.server.supervision.supervisor import _END_WITHIN_S, READY_WITHIN_S, Supervisor

TERM, KILL = signal.SIGTERM, signal.SIGKILL


class Bench:
    """A supervisor and its processes, which have the pids 1, 2, 3, ..."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.logged: list[str] = []
        self.told: list[str] = []
        self.gave_up = False
        self.spawn_error: OSError | None = None
        self._pids = itertools.count(1)
        self.supervisor = Supervisor(self)
        self.now = 1000.0

    def spawn(self, *, waits: bool) -> int:
        if self.spawn_error is not None:
            raise self.spawn_error
        pid = next(self._pids)
        self.done.append(("spawn", pid, waits))
        return pid

    def tell(self, pid: int, word: str) -> None:
        self.done.append((word, pid))

    def kill(self, pid: int, number: signal.Signals) -> None:
        self.done.append((number, pid))

    def log(self, level: int, text: str) -> None:
        self.logged.append(text)

    def print_gave_up(self) -> None:
        self.gave_up = True

    def on_change(self) -> None:
        self.told.append(self.supervisor.status().split()[0])

    # --- what a test does ----------------------------------------------------------------------

    def start(self) -> None:
        self.supervisor.start(self.now)
        self.serves(1)
        self.take()

    def take(self) -> list[tuple[object, ...]]:
        """Return what was done since the last call."""
        done, self.done = self.done, []
        return done

    def serves(self, pid: int) -> None:
        self.supervisor.on_ready(pid, self.now)
        self.supervisor.on_serving(pid, "1.0", self.now)

    def ends(self, pid: int, status: int = 0) -> None:
        self.supervisor.on_exit(pid, status, self.now)

    def pause(self) -> None:
        """Let children die until there is a pause before the next one."""
        for pid in itertools.count(1):
            self.ends(pid, -9)
            if self.supervisor.wake_at is not None:
                self.take()
                return

    def wait(self) -> None:
        """Let the time come for which the supervisor has something to do."""
        assert self.supervisor.wake_at is not None
        self.now = self.supervisor.wake_at
        self.supervisor.on_time(self.now)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.start()
    return bench


# --- deaths --------------------------------------------------------------------------------------


def test_a_child_that_dies_is_replaced_at_once_and_counted(bench: Bench) -> None:
    bench.supervisor.on_alive(1, 7, "")
    bench.now += 60
    bench.ends(1, -9)
    assert bench.take() == [("spawn", 2, False)]
    assert "signal=SIGKILL pid=1 uptime=60.0s users=7" in bench.logged[-1]
    bench.serves(2)
    assert bench.supervisor.restarts == 1
    assert "restarts=1" in bench.logged[-1]
    assert bench.supervisor.end_status is None


def test_the_status_has_what_the_child_said_last(bench: Bench) -> None:
    counters = "restarts=0 upgrades=0"
    assert bench.supervisor.status() == f"serving pid=1 users=0 {counters}"
    assert bench.supervisor.on_alive(1, 7, "")
    assert bench.supervisor.status() == f"serving pid=1 users=7 {counters}"
    bench.supervisor.on_alive(1, 6, "this node does not serve")
    words = "not well (this node does not serve) pid=1 users=6"
    assert bench.supervisor.status() == f"{words} {counters}"
    bench.supervisor.on_alive(1, 6, "")
    assert bench.supervisor.status() == f"serving pid=1 users=6 {counters}"


def test_also_one_that_has_ended_well_without_being_asked(bench: Bench) -> None:
    bench.ends(1, 0)
    assert bench.take() == [("spawn", 2, False)]
    assert "ended without being asked status=0" in bench.logged[-1]


def test_a_child_that_dies_at_every_start_is_given_up(bench: Bench) -> None:
    for pid in range(1, 10):
        bench.ends(pid, -11)
        if not bench.take():
            bench.wait()
            assert bench.take() == [("spawn", pid + 1, False)]
        assert bench.supervisor.end_status is None
    bench.ends(10, -11)
    assert bench.take() == []
    assert bench.supervisor.end_status == 1
    assert bench.gave_up


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_first_child_that_cannot_start_is_the_end_with_its_status(status: int) -> None:
    bench = Bench()
    bench.supervisor.start(bench.now)
    bench.ends(1, status)
    assert bench.supervisor.end_status == status
    assert not bench.logged, "the child has said why"


def test_a_first_child_that_is_killed_is_replaced() -> None:
    bench = Bench()
    bench.supervisor.start(bench.now)
    bench.ends(1, -9)
    assert bench.take()[1:] == [("spawn", 2, False)]


@pytest.mark.parametrize(("status", "says_why"), [(2, False), (1, True)])
def test_a_replacement_that_cannot_start_is_the_end_too(
    bench: Bench, status: int, says_why: bool
) -> None:
    bench.ends(1, -9)
    if says_why:
        bench.supervisor.on_failed(2)
    bench.ends(2, status)
    assert bench.supervisor.end_status == status


def test_a_replacement_that_falls_over_in_its_start_is_tried_again(bench: Bench) -> None:
    bench.ends(1, -9)
    bench.ends(2, 1)  # with a traceback: pip has not written all files yet
    assert bench.take() == [("spawn", 2, False), ("spawn", 3, False)]


def test_a_system_that_gives_no_process_is_asked_again(bench: Bench) -> None:
    bench.spawn_error = OSError(11, "Resource temporarily unavailable")
    bench.ends(1, -9)
    bench.spawn_error = None
    bench.wait()
    assert bench.take() == [("spawn", 2, False)]


# --- upgrades ------------------------------------------------------------------------------------


def test_an_upgrade_goes_from_the_old_child_to_the_new_one_with_no_time_without_either(
    bench: Bench,
) -> None:
    bench.supervisor.upgrade(bench.now)
    assert bench.take() == [("spawn", 2, True)]
    bench.supervisor.on_ready(2, bench.now)
    assert bench.take() == [("hand_over", 1)]
    bench.ends(1)
    assert bench.take() == [("go", 2)]
    bench.supervisor.on_serving(2, "1.1", bench.now)
    assert (bench.supervisor.restarts, bench.supervisor.upgrades) == (0, 1)
    assert "version=1.1" in bench.logged[-1]
    assert bench.told[-2:] == ["upgrading", "serving"]
    assert bench.supervisor.wake_at is None


def test_a_new_child_that_is_not_ready_in_time_is_ended_and_the_old_one_goes_on(
    bench: Bench,
) -> None:
    bench.supervisor.upgrade(bench.now)
    begun, _ = bench.now, bench.take()
    bench.wait()
    assert bench.now == begun + READY_WITHIN_S
    assert bench.take() == [(KILL, 2)]
    assert "not ready in 10 s" in bench.logged[-1]
    bench.ends(2, -9)
    assert bench.take() == []
    assert bench.told[-1] == "serving"
    bench.supervisor.upgrade(bench.now)
    assert bench.take() == [("spawn", 3, True)]


@pytest.mark.parametrize("status", [1, 2, -11])
def test_a_new_child_that_cannot_start_leaves_the_old_one_alone(bench: Bench, status: int) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.supervisor.on_failed(2)
    bench.ends(2, status)
    assert bench.take() == [("spawn", 2, True)]
    assert bench.supervisor.end_status is None
    assert "given up" in bench.logged[-1]
    assert bench.supervisor.wake_at is None
    assert bench.told[-1] == "serving"


def test_if_the_old_child_dies_meanwhile_the_new_one_takes_its_place(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.take()
    bench.ends(1, -9)
    assert bench.take() == []
    bench.supervisor.on_ready(2, bench.now)
    assert bench.take() == [("go", 2)]
    assert (bench.supervisor.restarts, bench.supervisor.upgrades) == (1, 0)


def test_a_promoted_child_that_never_becomes_ready_is_replaced(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.ends(1, -9)
    bench.take()
    bench.wait()
    assert bench.take() == [(KILL, 2)]
    bench.ends(2, -9)
    assert bench.take() == [("spawn", 3, False)]


def test_an_old_child_that_does_not_leave_is_killed(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.now += 5
    asked_at = bench.now
    bench.supervisor.on_ready(2, bench.now)
    bench.take()
    bench.wait()
    assert bench.now == asked_at + _END_WITHIN_S
    assert bench.take() == [(KILL, 1)]
    assert bench.supervisor.wake_at is None, "it is killed once"
    bench.ends(1, -9)
    assert bench.take() == [("go", 2)]


def test_a_new_child_that_dies_after_the_old_one_has_left_is_replaced(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.supervisor.on_ready(2, bench.now)
    bench.ends(2, -9)
    bench.take()
    bench.ends(1)
    assert bench.take() == [("spawn", 3, False)]
    assert bench.supervisor.wake_at is None, "the time to leave was that of the old one"


def test_an_old_child_that_does_not_leave_is_killed_also_if_the_new_one_has_died(
    bench: Bench,
) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.supervisor.on_ready(2, bench.now)
    bench.ends(2, -9)
    bench.take()
    bench.wait()
    assert bench.take() == [(KILL, 1)]
    bench.ends(1, -9)
    assert bench.take() == [("spawn", 3, False)]


def test_a_wish_during_an_upgrade_is_carried_out_after_it(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.supervisor.upgrade(bench.now)
    assert bench.take() == [("spawn", 2, True)]
    bench.supervisor.on_ready(2, bench.now)
    bench.ends(1)
    bench.take()
    bench.supervisor.on_serving(2, "1.0", bench.now)
    assert bench.take() == [("spawn", 3, True)]
    bench.supervisor.on_ready(3, bench.now)
    bench.ends(2)
    bench.take()
    bench.supervisor.on_serving(3, "1.0", bench.now)
    assert bench.take() == [], "once"


@pytest.mark.parametrize("how", ["it ends", "it is too late"])
def test_a_wish_during_an_upgrade_that_fails_is_carried_out_after_it(
    bench: Bench, how: str
) -> None:
    bench.supervisor.upgrade(bench.now)
    bench.supervisor.upgrade(bench.now)
    bench.take()
    if how == "it ends":
        bench.ends(2, 1)
    else:
        bench.wait()
    assert bench.take()[-1] == ("spawn", 3, True)


def test_after_a_pause_one_child_is_started(bench: Bench) -> None:
    bench.pause()
    bench.wait()
    bench.supervisor.on_time(bench.now + 1.0)
    assert [what for what, *_ in bench.take()] == ["spawn"]
    assert bench.supervisor.wake_at is None


def test_a_wish_in_a_pause_ends_the_pause(bench: Bench) -> None:
    bench.pause()
    bench.supervisor.upgrade(bench.now)
    (spawned,) = bench.take()
    assert spawned[0] == "spawn"
    assert bench.supervisor.wake_at is None


# --- the end -------------------------------------------------------------------------------------


def test_an_orderly_end(bench: Bench) -> None:
    bench.supervisor.stop(bench.now)
    bench.supervisor.stop(bench.now + 0.4)  # the shell's, or systemd's
    assert bench.take() == [("stop", 1)]
    assert bench.supervisor.end_status is None
    bench.ends(1, 0)
    assert bench.supervisor.end_status == 0


def test_a_child_that_begins_to_serve_during_a_stop_is_told_again() -> None:
    bench = Bench()
    bench.supervisor.start(bench.now)
    bench.supervisor.stop(bench.now)
    bench.take()
    bench.supervisor.on_serving(1, "1.0", bench.now)
    assert bench.take() == [("stop", 1)]


def test_only_signs_of_life_of_the_child_that_serves_count(bench: Bench) -> None:
    bench.supervisor.upgrade(bench.now)
    assert [bench.supervisor.on_alive(pid, 0, "") for pid in (1, 2, 3)] == [True, False, False]
    bench.supervisor.on_ready(2, bench.now)
    assert [bench.supervisor.on_alive(pid, 0, "") for pid in (1, 2)] == [False, False]
    bench.ends(1)
    bench.supervisor.on_serving(2, "1.0", bench.now)
    assert bench.supervisor.on_alive(2, 0, "")


def test_a_second_wish_ends_all_at_once(bench: Bench) -> None:
    bench.supervisor.stop(bench.now)
    bench.supervisor.stop(bench.now + 0.6)
    assert bench.take() == [("stop", 1), (KILL, 1)]
    bench.ends(1, -9)
    assert bench.supervisor.end_status == 1


def test_an_end_during_a_start_an_upgrade_or_a_pause(bench: Bench) -> None:
    starting = Bench()
    starting.supervisor.start(starting.now)
    starting.supervisor.stop(starting.now)
    assert starting.take()[1:] == [(TERM, 1)]
    starting.ends(1, -15)
    assert starting.supervisor.end_status == 0

    bench.supervisor.upgrade(bench.now)
    bench.take()
    bench.supervisor.stop(bench.now)
    assert bench.take() == [("stop", 1), (TERM, 2)]
    bench.ends(1, 0)
    assert bench.supervisor.end_status is None
    bench.ends(2, -15)
    assert bench.supervisor.end_status == 0

    pausing = Bench()
    pausing.start()
    pausing.pause()
    pausing.supervisor.stop(pausing.now)
    assert pausing.supervisor.end_status == 0
    pausing.wait()
    assert not any(step[0] == "spawn" for step in pausing.take())


def test_a_child_that_dies_in_its_end_or_does_not_end_is_told_by_the_status(bench: Bench) -> None:
    bench.supervisor.stop(bench.now)
    bench.wait()
    assert bench.take() == [("stop", 1), (KILL, 1)]
    bench.ends(1, -9)
    assert bench.supervisor.end_status == 1
    other = Bench()
    other.start()
    other.supervisor.stop(other.now)
    other.ends(1, -11)
    assert other.supervisor.end_status == 1
    assert "signal=SIGSEGV" in other.logged[-1]


def test_no_wish_to_upgrade_counts_after_a_wish_to_stop(bench: Bench) -> None:
    bench.supervisor.stop(bench.now)
    bench.supervisor.upgrade(bench.now)
    assert bench.take() == [("stop", 1)]
