"""The system's data about processes of this user: the server's parent, and its threads.

If the server has hundreds of threads, it measures only the first ones itself: the others are read
here, which costs the server nothing. Unknown values are None, or "". It reads /proc; any thread.
"""

import os
import time
from typing import NamedTuple


class Process(NamedTuple):
    """One process. CPU time is in seconds."""

    cpu_s: float
    memory_bytes: int
    threads: int
    uptime_s: float


class Thread(NamedTuple):
    """One thread of another process: its context switches, and the reason why it waits."""

    voluntary: int
    involuntary: int
    waits_for: str  # one of the values in ThreadMeasures


# The reasons for waiting, by the beginning of the name of the waiting kernel function.
_WAITS = {
    **dict.fromkeys(("do_epoll_wait", "ep_poll"), "epoll"),
    **dict.fromkeys(("poll_schedule", "do_sys_poll", "do_poll", "do_select"), "poll"),
    **dict.fromkeys(("futex",), "lock"),
    **dict.fromkeys(("hrtimer_nanosleep", "do_nanosleep"), "sleep"),
    **dict.fromkeys(("do_sigtimedwait",), "signal"),
}


def thread(pid: int, tid: int) -> Thread | None:
    """Return the data of a thread of a process; None if it has ended, or is not accessible."""
    directory = f"/proc/{pid}/task/{tid}"
    _, found, last = _read(f"{directory}/status").rpartition("\nvoluntary_ctxt_switches:")
    voluntary, _, involuntary = last.partition("nonvoluntary_ctxt_switches:")
    if not found:
        return None
    state = _read(f"{directory}/stat").rpartition(")")[2].strip()[:1]
    return Thread(int(voluntary), int(involuntary), _waits_for(state, directory))


def _waits_for(state: str, directory: str) -> str:
    if state in ("R", "D"):
        return "running" if state == "R" else "disk"
    place = _read(f"{directory}/wchan")
    return next((what for start, what in _WAITS.items() if place.startswith(start)), "")


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 8_192).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)


def process(pid: int) -> Process | None:
    """Return the data of a process; None if it has ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 22:
        return None
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    since_boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return Process(
        cpu_s=(int(fields[11]) + int(fields[12])) / ticks,
        memory_bytes=int(fields[21]) * page,
        threads=int(fields[17]),
        uptime_s=max(0.0, since_boot_s - int(fields[19]) / ticks),
    )
