"""Messages for a history's file, what a page of them holds, and a disk without room for it."""

import contextlib
import resource
from collections.abc import Iterator

from tertulia.protocol.messages import ChatMessage, HistoryPage
from tertulia.server.history.store import MessageStore


def message(
    seq: int, text: str = "hola", time: str = "2026-11-22T15:00:00.000Z", **fields: str
) -> ChatMessage:
    """Make a message of ana's."""
    return ChatMessage(seq=seq, time=time, sender="ana", text=text, **fields)


def seqs(page: HistoryPage) -> tuple[list[int], bool]:
    """Return the numbers in a page, and whether there are more."""
    return [stored.seq for stored in page.messages], page.more


def index_all(store: MessageStore) -> None:
    """Bring the search index up to date, in steps of two messages."""
    while store.index(2):
        pass


def indexed(store: MessageStore) -> int:
    """Return how many rows were ever put into the search index and not removed from it.

    A row that was put into it twice is found only once, but counts as two: the first byte of what
    FTS5 keeps in its row 1.
    """
    found = store._db.execute("SELECT block FROM message_words_data WHERE id = 1").fetchone()
    return found[0][0] if found[0] else 0


@contextlib.contextmanager
def full_disk(max_bytes: int = 8_192) -> Iterator[None]:
    """Let no file grow beyond a few kilobytes: by default too few for SQLite's shared memory."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
