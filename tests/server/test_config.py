"""The settings of a server that depend on the machine and on Python."""

import os
import sys

import pytest

from tertulia.server.config import Config, has_interpreter_lock, usual_threads


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The cores on which this process may run."""
    cores = {0, 1, 2, 3}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cores)
    return cores


def set_lock(monkeypatch: pytest.MonkeyPatch, *, enabled: bool) -> None:
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)


def test_a_python_that_says_nothing_about_its_lock_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(sys, "_is_gil_enabled", raising=False)
    assert has_interpreter_lock()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_python_may_say_that_it_has_no_lock(
    monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    set_lock(monkeypatch, enabled=enabled)
    assert has_interpreter_lock() is enabled


def test_under_the_lock_two_threads_serve_or_one_on_a_single_core(
    monkeypatch: pytest.MonkeyPatch, cores: set[int]
) -> None:
    set_lock(monkeypatch, enabled=True)
    assert (usual_threads(), Config(port=0).threads) == (2, 2)
    cores -= {1, 2, 3}
    assert usual_threads() == 1


def test_without_the_lock_every_core_has_a_thread(
    monkeypatch: pytest.MonkeyPatch, cores: set[int]
) -> None:
    set_lock(monkeypatch, enabled=False)
    assert usual_threads() == 4
