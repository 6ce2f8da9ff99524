"""A history's file, and both connections to it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tertulia.server.history.reader import MessageReader
from tertulia.server.history.store import MessageStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


@pytest.fixture
def store(path: Path) -> Iterator[MessageStore]:
    store = MessageStore(path, block=1_000)
    yield store
    store.close()


@pytest.fixture
def node(path: Path) -> Iterator[MessageStore]:
    """The file of a cluster's node."""
    store = MessageStore(path, block=1_000, of_cluster=True)
    yield store
    store.close()


@pytest.fixture
def reader(store: MessageStore, path: Path) -> Iterator[MessageReader]:
    with MessageReader(path) as reader:
        yield reader


@pytest.fixture
def reader_of() -> Iterator[Callable[[Path], MessageReader]]:
    """Open readers of any file, until the test ends."""
    with contextlib.ExitStack() as readers:
        yield lambda path: readers.enter_context(MessageReader(path))
