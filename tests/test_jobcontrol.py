"""Where there is no terminal, or no shell, nothing is waited for and nothing is stopped."""

import os
import signal
from types import SimpleNamespace

import pytest

from tertulia import jobcontrol
from tertulia.jobcontrol import stop_job, wait_for_foreground


def test_what_is_not_the_terminal_of_this_job_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    assert wait_for_foreground(reader)
    assert not wait_for_foreground(reader, lambda: True)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("in_foreground", "can_stop", "ended_after", "is_here", "stops"),
    [
        ([False] * 4 + [True], True, 9, True, 2),  # continued in the background, then in front
        ([False, True, True], True, 9, True, 0),
        ([False, False], False, 9, True, 1),
        ([False], True, 0, False, 0),
        ([False] * 3, True, 1, False, 1),
    ],
)
def test_in_the_background_it_stops_until_it_is_in_front_or_must_end(
    monkeypatch: pytest.MonkeyPatch,
    in_foreground: list[bool],
    can_stop: bool,
    ended_after: int,
    is_here: bool,
    stops: int,
) -> None:
    stopped: list[signal.Signals] = []

    def stop(number: signal.Signals) -> bool:
        stopped.append(number)
        return can_stop

    answers = iter(in_foreground)
    monkeypatch.setattr(jobcontrol, "time", SimpleNamespace(sleep=lambda _seconds: None))
    monkeypatch.setattr(jobcontrol, "_is_in_foreground", lambda _terminal: next(answers))
    monkeypatch.setattr(jobcontrol, "stop_job", stop)
    assert wait_for_foreground(0, lambda: len(stopped) >= ended_after) is is_here
    assert stopped == [signal.SIGTTOU] * stops


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
