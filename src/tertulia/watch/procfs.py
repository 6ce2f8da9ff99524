"""What the system tells this user of another process of theirs: the server's parent.

What it does not tell is None.
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


def process(pid: int) -> Process | None:
    """Return what is known of a process; None if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
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
