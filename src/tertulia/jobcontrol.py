"""Stops and continues the program like a job of a shell: Ctrl-Z, `bg`, `fg`, start with `&`.

A program in the background must leave the terminal alone: the kernel would stop it in the middle of
a change of the settings. So it waits, stopped, until it is in the foreground. Main thread only.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

# After the job was continued. Another thread may get a signal that came meanwhile, or the one that
# continues the job: the shell's `kill %1` sends both.
_SIGNALS_COME_WITHIN_S = 0.1


def wait_for_foreground(terminal: int, is_ended: Callable[[], bool] = lambda: False) -> bool:
    """Stop until the program is in the foreground; return False if it must end before that.

    It stops again if it is continued in the background. Returns at once if there is no shell that
    could continue it.
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
        # This includes all processes that the shell started together, such as a `make` that waits
        # for this program.
        os.killpg(os.getpgrp(), number)
        time.sleep(_SIGNALS_COME_WITHIN_S)
    finally:
        for changed, handler in ((signal.SIGCONT, before_continued), (number, before)):
            signal.signal(changed, handler)
            signal.siginterrupt(changed, False)  # as an event loop sets it
    return bool(continued)


def _is_in_foreground(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the controlling terminal of this job
        return True
