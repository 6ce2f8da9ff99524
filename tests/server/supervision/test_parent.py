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
