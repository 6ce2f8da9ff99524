"""How the parent reads its signals. Everything else is tested in system/test_supervise.py."""

import os
import signal
from types import SimpleNamespace
from typing import Any

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
