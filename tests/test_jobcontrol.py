"""Where there is no terminal, or no shell, nothing is waited for and nothing is stopped."""

import os
import signal

from tertulia.jobcontrol import stop_job, wait_for_foreground


def test_what_is_not_the_terminal_of_this_job_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    assert wait_for_foreground(reader)
    assert not wait_for_foreground(reader, lambda: True)
    os.close(reader)
    os.close(writer)


def test_without_a_shell_nothing_is_stopped_and_the_handlers_are_as_before() -> None:
    child = os.fork()
    if child == 0:
        os.setsid()  # no process of another group could continue this one
        before = [signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)]
        stopped = stop_job()
        after = [signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)]
        os._exit(3 if not stopped and before == after else 4)
    _pid, status = os.waitpid(child, os.WUNTRACED)
    assert os.waitstatus_to_exitcode(status) == 3
