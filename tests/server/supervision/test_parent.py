"""What the parent does at signals, messages and failures. See also system/test_supervise.py."""

import os
import signal
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.server.supervision import parent as parent_module
from tertulia.server.supervision.channel import Channel, Message, open_channel
from tertulia.server.supervision.hangup import Hangups
from tertulia.server.supervision.parent import Parent


def test_a_terminal_that_closes_after_it_was_checked_causes_no_upgrade() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    requests: list[str] = []
    closings = iter((False, True))

    def has_gone() -> bool:
        gone = next(closings)
        if not gone:  # It closes now, and its signal comes.
            os.write(writing, bytes((signal.SIGHUP,)))
        return gone

    parent: Any = object.__new__(Parent)
    parent._signals, parent._ignores_hangup, parent._hangups = reading, False, Hangups()
    parent._terminal = SimpleNamespace(has_gone=has_gone)
    parent._supervisor = SimpleNamespace(
        stop=lambda _now: requests.append("stop"), upgrade=lambda _now: requests.append("upgrade")
    )
    try:
        parent._on_signals()
        parent._on_signals()
    finally:
        os.close(reading)
        os.close(writing)
    assert requests == ["stop"]


def new_parent(**parts: Any) -> Any:
    """Return a parent that has only these parts."""
    parent: Any = object.__new__(Parent)
    for name, part in parts.items():
        setattr(parent, f"_{name}", part)
    return parent


def test_a_listening_socket_that_a_child_has_replaced_is_closed() -> None:
    old, new = socket.socket(), socket.socket()
    parent = new_parent(sockets={"local": old}, kept={})
    parent._on_message(7, Message("keep", {}, {"local": new}))
    with new:
        assert parent._sockets == {"local": new}
        assert old.fileno() == -1


def test_what_a_child_has_sent_is_read_before_its_end_is_handled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    ours, theirs = open_channel()
    child = Channel(theirs)
    child.send("ready")
    child.send("failed")
    child.close()
    ended = iter([(7, 0), (0, 0)])
    monkeypatch.setattr(os, "waitpid", lambda *_: next(ended))
    supervisor = SimpleNamespace(
        on_ready=lambda _pid, _now: heard.append("ready"),
        on_failed=lambda _pid: heard.append("failed"),
        on_exit=lambda _pid, _status, _now: heard.append("exit"),
    )
    parent = new_parent(channels={7: ours}, supervisor=supervisor)
    parent._reap()
    assert heard == ["ready", "failed", "exit"]
    assert (parent._channels, ours.fileno()) == ({}, -1)


def test_while_no_child_serves_the_watchdog_is_answered_once_in_its_time() -> None:
    answers: list[None] = []
    parent = new_parent(
        supervisor=SimpleNamespace(is_serving=False),
        notifier=SimpleNamespace(tell_alive=lambda: answers.append(None)),
        answered_at=float("-inf"),
        beat_s=1_000_000.0,
    )
    parent._answer_for_child()
    parent._answer_for_child()
    assert len(answers) == 1


def test_the_channel_of_a_child_that_cannot_be_started_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = open_channel()

    def refuse(*_: object, **_options: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr(parent_module, "open_channel", lambda: (ours, theirs))
    monkeypatch.setattr(os, "posix_spawn", refuse)
    with pytest.raises(BlockingIOError):
        new_parent().spawn(waits=False)
    assert (ours.fileno(), theirs.fileno()) == (-1, -1)


def test_values_of_a_later_child_are_kept_beside_those_of_an_earlier_one() -> None:
    parent = new_parent(sockets={}, kept={"epoch": "1"})
    parent._on_message(7, Message("keep", {"code": "2"}, {}))
    assert parent._kept == {"epoch": "1", "code": "2"}


def test_only_the_first_child_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(parent_module, "write_within", lambda *args: written.append(args[-1]))
    supervisor = SimpleNamespace(on_serving=lambda *_: None)
    parent = new_parent(supervisor=supervisor, has_announced=False)
    for pid, port in ((7, 5000), (8, 5001)):
        fields = {"announcement": f"port {port}\n", "version": "1.0"}
        parent._on_message(pid, Message("serving", fields, {}))
    assert written == ["port 5000\n"]


@pytest.mark.parametrize(
    ("watchdog_s", "is_serving", "wait_ms"),
    [(3.0, False, 1_501.0), (3.0, True, None), (None, False, None)],
)
def test_the_parent_wakes_for_the_watchdog_only_while_no_child_serves(
    watchdog_s: float | None, is_serving: bool, wait_ms: float | None
) -> None:
    parent = new_parent(
        supervisor=SimpleNamespace(is_serving=is_serving, wake_at=None),
        notifier=SimpleNamespace(watchdog_s=watchdog_s),
        beat_s=1.5,
    )
    assert parent._time_to_wait_ms() == wait_ms


@pytest.mark.parametrize(
    ("watchdog_us", "beat_s"), [("3000000", 1.5), ("60000000", 5.0), ("", 5.0)]
)
def test_a_sign_of_life_comes_twice_in_the_watchdogs_time(
    monkeypatch: pytest.MonkeyPatch, watchdog_us: str, beat_s: float
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    monkeypatch.setenv("WATCHDOG_USEC", watchdog_us)
    monkeypatch.setenv("WATCHDOG_PID", "")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    wake_ups: list[int] = []
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda fd, **_: wake_ups.append(fd))
    monkeypatch.setattr(parent_module, "Terminal", SimpleNamespace)
    parent = Parent()
    for descriptor in (parent._signals, *wake_ups):
        os.close(descriptor)
    parent._notifier.close()
    assert parent._beat_s == beat_s
