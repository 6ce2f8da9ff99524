"""Fixtures for the tests of the live view."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import _wait

sys.path.insert(0, str(Path(__file__).parent))  # for what the tests import from beside themselves

from tertulia.i18n import set_language


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")
    signal.alarm(0)


@pytest.fixture(autouse=True)
def _look_often_whether_all_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.002)
