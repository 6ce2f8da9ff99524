"""What the system says of this process and its threads."""

import os
import threading
import time

import pytest

from tertulia.server import procfs


def test_a_threads_cpu_time_is_that_of_its_own_clock():
    before = time.thread_time()
    measured = procfs.thread_cpu_s(threading.get_native_id())
    assert before <= measured <= time.thread_time()


def test_a_thread_that_waits_is_switched_of_its_own_will_and_waits_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=lock.acquire, daemon=True)
    thread.start()
    assert thread.native_id is not None
    give_up_at = time.monotonic() + 20.0
    # It is only just starting, perhaps.
    while procfs.thread_waits_for(thread.native_id) != "lock":
        assert time.monotonic() < give_up_at
    assert procfs.thread_switches(thread.native_id).voluntary >= 1
    lock.release()
    thread.join()


def test_a_thread_that_has_ended_has_nothing():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    give_up_at = time.monotonic() + 20.0
    # `join` returns when Python is done with the thread; the kernel ends it a little later.
    while procfs.thread_cpu_s(thread.native_id) != 0.0:
        assert time.monotonic() < give_up_at
    while os.path.exists(f"/proc/self/task/{thread.native_id}"):
        assert time.monotonic() < give_up_at
    assert procfs.thread_switches(thread.native_id) == (0, 0)
    assert procfs.thread_waits_for(thread.native_id) == ""


def test_memory_files_and_the_start_of_this_process():
    memory = procfs.process_memory()
    assert 1_000_000 < memory.resident < memory.virtual
    files = procfs.open_files()
    fd = os.open("/", os.O_RDONLY)
    assert procfs.open_files() == files + 1
    os.close(fd)
    assert procfs.max_open_files() >= files
    assert time.time() - 3_600 < procfs.process_started() <= time.time()
    assert sum(procfs.process_switches()) > 0


def test_without_proc_everything_is_nothing(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(
        procfs,
        "os",
        type("NoProc", (), {"open": refuse, "stat": refuse, "O_RDONLY": 0, "O_CLOEXEC": 0}),
    )
    tid = threading.get_native_id()
    assert procfs.thread_switches(tid) == (0, 0)
    assert procfs.thread_waits_for(tid) == ""
    assert procfs.process_memory() == (0, 0)
    assert procfs.open_files() == 0
    assert procfs.process_started() == pytest.approx(time.time(), abs=60)
