"""Who gets to the console, what it says to whom it does not take, and when its file goes."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tertulia.protocol.lines import decode_server_message
from tertulia.protocol.messages import Error
from tertulia.server.config import Config
from tertulia.server.console import listener as listener_module
from tertulia.server.console.listener import ConsoleListener
from tertulia.server.console.place import connect_to_console, listen_for_consoles
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.connections import CONSOLE_ADDRESS, VIEW_ADDRESS
from tertulia.server.workers.measure_requests import MeasureRequests

WAIT_S = 20.0
CONFIG = Config(port=0)


class Pool:
    """Takes consoles as a pool of workers, unless it is full."""

    def __init__(self) -> None:
        self.is_full = False
        self.taken: list[str] = []

    def assign_console(self, sock: socket.socket, address: str) -> bool:
        if self.is_full:
            return False
        self.taken.append(address)
        assert not sock.getblocking()
        sock.send(b"welcome\n")
        sock.close()
        return True


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operator.sock"


@pytest.fixture
def admission() -> Admission:
    return Admission(CONFIG)


@pytest.fixture
def console(pool: Any, path: Path, admission: Admission) -> Iterator[ConsoleListener]:
    console = ConsoleListener(
        path, listen_for_consoles(path), pool, admission, MeasureRequests(CONFIG)
    )
    console.start()
    yield console
    if console._thread.is_alive():
        console.stop(WAIT_S)
    assert not console._thread.is_alive()


def answer(path: Path, *, as_view: bool = False) -> bytes:
    """Return all that one who connects is told."""
    with connect_to_console(path, as_view=as_view) as sock:
        sock.settimeout(WAIT_S)
        return b"".join(iter(lambda: sock.recv(4_096), b""))


def refusal(path: Path) -> str:
    error = decode_server_message(answer(path)[:-1])
    assert isinstance(error, Error)
    return error.message


@pytest.mark.usefixtures("console")
def test_consoles_and_views_are_told_apart(path: Path, pool: Pool) -> None:
    assert answer(path) == answer(path, as_view=True) == b"welcome\n"
    assert pool.taken == [CONSOLE_ADDRESS, VIEW_ADDRESS]


@pytest.mark.usefixtures("console")
def test_of_too_many_consoles_the_last_one_is_told_so(path: Path, admission: Admission) -> None:
    while admission.admit_console():
        pass
    assert "too many consoles" in refusal(path)
    admission.count_console_closed()
    assert answer(path) == b"welcome\n"


@pytest.mark.usefixtures("console")
def test_a_console_for_which_there_is_no_worker_does_not_count(
    path: Path, pool: Pool, admission: Admission
) -> None:
    pool.is_full = True
    for _ in range(100):  # more than may be open at a time
        assert "no room for a console" in refusal(path)
    pool.is_full = False
    assert answer(path) == b"welcome\n"


@pytest.mark.usefixtures("console")
def test_other_users_are_refused(
    path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener_module, "is_allowed", lambda _sock: False)
    assert "only the server's own user and root" in refusal(path)
    assert pool.taken == []
    assert "console refused" in caplog.text


@pytest.mark.parametrize("keep_path", [False, True])
def test_its_file_goes_with_it_unless_another_process_goes_on_there(
    console: ConsoleListener, path: Path, keep_path: bool
) -> None:
    console.stop(WAIT_S, keep_path=keep_path)
    assert path.exists() is keep_path


def test_a_file_that_is_another_servers_stays(console: ConsoleListener, path: Path) -> None:
    path.unlink()
    with listen_for_consoles(path):
        console.stop(WAIT_S)
        assert path.exists()


def test_a_file_that_is_gone_is_no_error(
    console: ConsoleListener, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.unlink(path)
    console.stop(WAIT_S)
    assert caplog.text == ""
