"""Stops a process until SIGCONT."""

import os
import signal
import time
from pathlib import Path

_STOPPED_S = 30.0  # generous: it takes less than a millisecond, more on a busy machine


def suspend(pid: int) -> None:
    """Send SIGSTOP; return once all threads have stopped, as some go on for a moment."""
    os.kill(pid, signal.SIGSTOP)
    give_up_at = time.monotonic() + _STOPPED_S
    while not all(_has_stopped(task) for task in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < give_up_at, f"process {pid} does not stop"
        time.sleep(0.001)


def _has_stopped(task: Path) -> bool:
    _number_and_name, _, fields = (task / "stat").read_text().rpartition(")")
    return fields.split()[0] == "T"
