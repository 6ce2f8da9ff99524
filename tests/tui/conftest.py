"""Fixtures for the tests of the full screen: stopped clocks, one time zone."""

import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for what the tests import from beside themselves

from plain_table import Clock
from textual import _wait

from tertulia.chat import chat
from tertulia.chat.clock import ServerClock
from tertulia.client import reconnect
from tertulia.tui import app, attention, controller

NOW = "2026-11-22T15:04:05.000Z"


@pytest.fixture(autouse=True)
def _end_in_time() -> Iterator[None]:
    """Cancel the alarm that follows an ending signal: the process of the tests goes on."""
    yield
    signal.alarm(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Stop all clocks, in UTC, and paint without a pause."""
    stopped = Clock()
    for module in (app, attention, chat, controller):
        monkeypatch.setattr(module, "time", stopped)
    monkeypatch.setattr(app, "PAINTED_EVERY_S", 0.001)
    monkeypatch.setattr(reconnect, "_jittered", lambda delay_s: delay_s)
    moment = datetime.fromisoformat(NOW)
    monkeypatch.setattr(ServerClock, "_moment", lambda _clock: moment)
    monkeypatch.setattr(
        _wait, "SLEEP_GRANULARITY", 0.002
    )  # the pilot's, to see whether all is idle
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield stopped
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _keep_nothing_for_the_next_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
