"""Stopping and going on as the shell's jobs do: Ctrl-Z, `bg`, `fg`, and a start with `&`.

A program in the background must leave the terminal alone: the kernel would stop it in the middle of
a change of the settings. So it waits, stopped, until it is in the foreground. Main thread only.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

# After the job is continued. Another thread may get a signal that came meanwhile, or the one that
# continues the job: the shell's `kill %1` sends both.
_SIGNALS_COME_WITHIN_S = 0.1


def wait_for_foreground(terminal: int, is_ended: Callable[[], bool] = lambda: False) -> bool:
    """Stop, as often as this is continued in the background; return False if it has to end there.

    Returns at once where there is no shell that could continue it.
    """
    while not _is_in_foreground(terminal):
        time.sleep(_SIGNALS_COME_WITHIN_S)
        if is_ended():
            return False
        if not _is_in_foreground(terminal) and not stop_job(signal.SIGTTOU):
            break
    return not is_ended()


def stop_job(number: signal.Signals = signal.SIGTSTP) -> bool:
    """Stop this job, as Ctrl-Z does; return when it is continued.

    Returns False if nothing was stopped, because there is no shell that could continue it.
    """
    continued: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        continued.append(number)

    before = signal.signal(number, signal.SIG_DFL)
    before_continued = signal.signal(signal.SIGCONT, note)
    try:
        # Everything that the shell started together: `make` waits for this program, for example.
        os.killpg(os.getpgrp(), number)
        time.sleep(_SIGNALS_COME_WITHIN_S)
    finally:
        for changed, handler in ((signal.SIGCONT, before_continued), (number, before)):
            signal.signal(changed, handler)
            signal.siginterrupt(changed, False)  # as an event loop has it
    return bool(continued)


def _is_in_foreground(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the terminal that controls this job
        return True
