"""The child's end: what the parent hands over, and what each side says when."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tertulia.server.supervision.channel import Channel, open_channel
from tertulia.server.supervision.link import ParentGone, ParentLink, link_to_parent
from tertulia.version import __version__

WAIT_S = 20.0


class Ends:
    """A parent's channel, and the child's link that has got its greeting."""

    def __init__(self) -> None:
        self.parent, theirs = open_channel()
        self._theirs = Channel(theirs)

    def greet(self, *, waits: bool = False, **sockets: socket.socket) -> ParentLink:
        self.parent.send(
            "hello", sockets, kept={"code": "ñ"}, is_first=True, beat_s=2.5, is_watched=False,
            pid=7, started_at=1.5, waits=waits, restarts=1, upgrades=2,
        )  # fmt: skip
        return ParentLink(self._theirs)

    def close(self) -> None:
        self.parent.close()
        self._theirs.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


def test_a_child_knows_what_the_parent_has_handed_over(ends: Ends) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = ends.greet(tcp=listener)
        assert link.sockets["tcp"].getsockname() == listener.getsockname()
    assert (link.kept, link.is_first, link.is_watched) == ({"code": "ñ"}, True, False)
    assert (link.beat_s, link.pid, link.started_at) == (2.5, 7, 1.5)
    assert (link.restarts, link.upgrades) == (1, 2)
    link.close()
    assert link.sockets["tcp"].fileno() == -1
    link.close()


def test_a_child_whose_parent_has_gone_does_not_begin(ends: Ends) -> None:
    ends.parent.close()
    with pytest.raises(ParentGone):
        ParentLink(ends._theirs)


def test_a_child_says_how_far_it_is(ends: Ends) -> None:
    link = ends.greet()
    link.tell_log_level(30)
    link.wait_for_turn()
    link.tell_serving("port 5000")
    link.tell_alive(3, "disk full")
    link.tell_failed()
    told = [ends.parent.receive() for _ in range(5)]
    assert [(message.kind, message.fields) for message in told if message] == [
        ("log_level", {"lowest": 30}),
        ("ready", {}),
        ("serving", {"announcement": "port 5000", "version": __version__}),
        ("alive", {"users": 3, "problem": "disk full"}),
        ("failed", {}),
    ]


def test_only_what_there_is_to_keep_is_given_to_the_parent(ends: Ends) -> None:
    link = ends.greet()
    link.keep({})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link.keep({"tcp": listener}, code="abc")
    kept = ends.parent.receive()
    assert kept is not None
    assert (kept.kind, kept.fields, list(kept.sockets)) == ("keep", {"code": "abc"}, ["tcp"])
    kept.sockets["tcp"].close()


def test_the_next_child_waits_for_its_turn_and_learns_how_many_there_were(ends: Ends) -> None:
    link = ends.greet(waits=True)
    ends.parent.send("go", restarts=1, upgrades=3)
    link.wait_for_turn()
    assert (link.restarts, link.upgrades) == (1, 3)
    ends.parent.close()
    with pytest.raises(ParentGone):
        link.wait_for_turn()


def test_the_words_of_the_parent_are_heard_until_it_is_gone(ends: Ends) -> None:
    link = ends.greet()
    words, over = [], threading.Event()

    def on_message(word: str) -> None:
        words.append(word)
        if word == "gone":
            over.set()

    link.listen(on_message)
    ends.parent.send("stop")
    ends.parent.close()
    assert over.wait(WAIT_S)
    assert words == ["stop", "gone"]


def test_a_server_without_a_parent_has_no_link() -> None:
    assert link_to_parent() is None
