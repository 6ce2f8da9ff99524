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


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond a few kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
