"""What the system tells of a process and its threads, read from a directory like /proc."""

import os
import threading
import time
from pathlib import Path

import pytest

from tertulia.watch.procfs import Process, Thread, process, thread

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
STATUS = "Name:\tworker-1\nvoluntary_ctxt_switches:\t20\nnonvoluntary_ctxt_switches:\t3\n"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory in the place of /proc, 1,000 seconds after the computer started."""
    open_really = os.open

    def open_here(path: str, flags: int) -> int:
        return open_really(f"{tmp_path}{path}", flags)

    monkeypatch.setattr(os, "open", open_here)
    monkeypatch.setattr(time, "clock_gettime", lambda _clock: 1_000.0)
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


def write_thread(proc: Path, *, status: str = STATUS, state: str = "S", wchan: str = "") -> Thread:
    """Write the files of thread 8 of process 7, and return what is read from them."""
    directory = proc / "7/task/8"
    directory.mkdir(parents=True)
    (directory / "status").write_text(status)
    (directory / "stat").write_text(f"8 (a ) R (b) {state} 1 7")
    (directory / "wchan").write_text(wchan)
    found = thread(7, 8)
    assert found is not None
    return found


def write_process(proc: Path, *fields: int) -> None:
    """Write the line of process 7, whose name has a bracket and a part of a letter."""
    (proc / "7").mkdir()
    line = " ".join(map(str, fields))
    (proc / "7/stat").write_bytes(b"7 (a) tertul\xc3) S " + line.encode())


def fields(*, started_at_s: float) -> list[int]:
    """Return the fields behind the state: 2.5 s of CPU time, 4 threads and 100 pages of memory."""
    found = [0] * 49
    found[10], found[11], found[16], found[20] = 2 * TICKS, TICKS // 2, 4, 100
    found[18] = int(started_at_s * TICKS)
    return found


def test_a_process_has_cpu_time_memory_threads_and_an_age(proc: Path) -> None:
    write_process(proc, *fields(started_at_s=900.0))
    assert process(7) == Process(2.5, 100 * PAGE, 4, 100.0)


def test_a_process_that_seems_to_start_later_than_now_has_no_negative_age(proc: Path) -> None:
    write_process(proc, *fields(started_at_s=1_000.5))
    found = process(7)
    assert found is not None
    assert found.uptime_s == 0.0


def test_a_process_that_has_ended_or_is_described_in_part_is_unknown(proc: Path) -> None:
    assert process(7) is None
    write_process(proc, *fields(started_at_s=0.0)[:20])
    assert process(7) is None
    (proc / "7/stat").unlink()
    (proc / "7/stat").mkdir()  # reading fails, although opening does not
    assert process(7) is None


def test_files_that_were_read_are_closed(proc: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    write_thread(proc)
    (proc / "7/stat").mkdir()
    process(7)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_thread_has_the_context_switches_of_both_kinds(proc: Path) -> None:
    assert write_thread(proc) == Thread(20, 3, "")


def test_a_thread_that_has_ended_or_is_described_in_part_is_unknown(proc: Path) -> None:
    assert thread(7, 8) is None
    (proc / "7/task/8").mkdir(parents=True)
    (proc / "7/task/8/status").write_text("Name:\tworker-1\n")
    assert thread(7, 8) is None


@pytest.mark.parametrize(
    ("state", "wchan", "waits_for"),
    [
        ("R", "", "running"),
        ("R", "futex_wait_queue", "running"),
        ("D", "folio_wait_bit", "disk"),
        ("S", "ep_poll", "epoll"),
        ("S", "poll_schedule_timeout.constprop.0", "poll"),
        ("S", "futex_wait_queue", "lock"),
        ("S", "hrtimer_nanosleep", "sleep"),
        ("S", "do_sigtimedwait.isra.0", "signal"),
        ("S", "0", ""),
        ("S", "old_futex", ""),
    ],
)
def test_a_thread_waits_for_what_its_state_or_the_function_of_the_kernel_tells(
    proc: Path, state: str, wchan: str, waits_for: str
) -> None:
    assert write_thread(proc, state=state, wchan=wchan).waits_for == waits_for


def test_a_thread_of_this_process_is_seen_as_the_system_has_it() -> None:
    ended = threading.Event()
    waits = threading.Thread(target=ended.wait, daemon=True)
    waits.start()
    seen = thread(os.getpid(), waits.native_id or 0)
    ended.set()
    waits.join()
    assert seen is not None
    assert seen.waits_for in ("lock", "running", "")
    assert thread(os.getpid(), 2**22 + 1) is None


def test_the_system_tells_of_a_process_that_runs_and_nothing_of_one_that_does_not() -> None:
    own = process(os.getpid())
    assert own is not None
    assert own.threads >= 1
    assert own.memory_bytes > 1_000_000
    assert process(2**22 + 1) is None
