"""Reads figures of this process and its threads: CPU time, context switches, memory, files.

Any thread may call; nothing here takes a lock or waits for a disk. A value that the system does not
report is 0 or "".
"""

import os
import resource
import time
from typing import NamedTuple

_PAGE_BYTES = resource.getpagesize()
# The clock of a thread's CPU time, by its TID: clockid_t as Linux lays it out. Unlike
# `pthread_getcpuclockid` it is safe for a thread that has ended.
_THREAD_CLOCK = 6

# What a system call waits for, by its number on a machine.
_WAITS = {
    "x86_64": {
        "epoll": (232, 281, 441),
        "poll": (7, 23, 270, 271),
        "socket": (45, 47),
        "lock": (202,),
        "disk": (0, 1, 17, 18, 19, 20, 74, 75, 162, 277),
        "signal": (128,),
        "sleep": (35, 230),
    },
    "aarch64": {
        "epoll": (22, 441),
        "poll": (72, 73),
        "socket": (207, 212),
        "lock": (98,),
        "disk": (63, 64, 65, 66, 67, 68, 81, 82, 83, 84),
        "signal": (137,),
        "sleep": (101, 115),
    },
}
_WAITS_BY_CALL = {
    str(call): waits_for
    for waits_for, calls in _WAITS.get(os.uname().machine, {}).items()
    for call in calls
}


class Switches(NamedTuple):
    """Context switches: the thread waited for something, or its time was over."""

    voluntary: int = 0
    involuntary: int = 0


class Memory(NamedTuple):
    """The memory of this process, in bytes."""

    virtual: int = 0
    resident: int = 0


def thread_cpu_s(tid: int) -> float:
    """Return the CPU time of a thread of this process."""
    try:
        return time.clock_gettime((~tid << 3) | _THREAD_CLOCK)
    except OSError:  # it has ended
        return 0.0


def thread_switches(tid: int) -> Switches:
    """Return the context switches of a thread of this process."""
    status = _read(f"/proc/self/task/{tid}/status")
    # They are the last two lines.
    _, found, last = status.rpartition("\nvoluntary_ctxt_switches:")
    if not found:
        return Switches()
    voluntary, _, involuntary = last.partition("nonvoluntary_ctxt_switches:")
    return Switches(int(voluntary), int(involuntary))


def thread_waits_for(tid: int) -> str:
    """Return what a thread of this process waits for now. See ThreadMeasures.waits_for."""
    call = _read(f"/proc/self/task/{tid}/syscall").partition(" ")[0].strip()
    return call if call == "running" else _WAITS_BY_CALL.get(call, "")


def process_switches() -> Switches:
    """Return the context switches of this process, with those of ended threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Switches(usage.ru_nvcsw, usage.ru_nivcsw)


def process_memory() -> Memory:
    """Return the memory of this process."""
    pages = _read("/proc/self/statm").split()
    if len(pages) < 2:
        return Memory()
    return Memory(int(pages[0]) * _PAGE_BYTES, int(pages[1]) * _PAGE_BYTES)


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    try:
        # Since Linux 6.2 this is their number; listing thousands would take a millisecond.
        return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def max_open_files() -> int:
    """Return how many files and sockets this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def process_started() -> float:
    """Return when this process has started, in seconds since 1970."""
    fields = _read("/proc/self/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return time.time()
    since_boot_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a third of the time of `open`
    except OSError:  # the thread has ended, or the system does not tell
        return ""
    try:
        return os.read(fd, 8_192).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
