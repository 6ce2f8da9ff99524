"""The ways of a message and of a newcomer through the server, as ARCHITECTURE.md describes them."""

import functools
import itertools
import re
import sys
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
from worker_bench import WorkerBench, socket_of

import tertulia
from tertulia.protocol.lines import encode
from tertulia.protocol.messages import Direct, Ping, Pong, Register, Request, Say
from tertulia.server.doors.entrance import Offer, OpenEntrance
from tertulia.server.workers import dispatcher
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.poller import READABLE

SOURCE = Path(tertulia.__file__).parent


class Place(NamedTuple):
    file: str
    method: str


def written(beginning: str) -> str:
    """Return the list in ARCHITECTURE.md that such a sentence announces."""
    page = (SOURCE.parents[1] / "ARCHITECTURE.md").read_text()
    return page.partition(f"\n{beginning}")[2].partition("\n\n")[2].partition("\n\n")[0]


def way(text: str) -> list[Place]:
    """Return the places of a list."""
    found: list[Place] = []
    for file, method, another in re.findall(
        r"`([a-z_/]+\.py)`\s+`(\w+\.\w+)`|`([A-Z]\w+\.\w+)`", text
    ):
        found.append(Place(file or found[-1].file, method or another))
    return found


SAID = written("A `say`")
SENT = written("A direct message to a user whom another worker serves")
CHALLENGED = written("A registration from an address at which there is a session")
SAY, DIRECT, CHALLENGE = way(SAID), way(SENT), way(CHALLENGED)
# How many files a newcomer to the code may have to open, and how often to go from one to another.
BOUNDS = [(SAID, 7, 28), (SENT, 6, 32), (CHALLENGED, 8, 59)]


class Bench(WorkerBench):
    """A worker that does whole rounds."""

    def __init__(self, beside: "Bench | None" = None) -> None:
        super().__init__(beside=beside, shared_addresses=False)
        self.connections._new_door = functools.partial(OpenEntrance, Offer())
        self.dispatcher._wait = lambda _timeout_s: []

    def round(self, connection: Connection | None = None, *requests: Request) -> None:
        """Do a round, in which requests have come from a connection."""
        if connection is None:
            self.dispatcher.run_round([])
            return
        socket_of(connection).incoming.append(b"".join(map(encode, requests)))
        self.dispatcher.run_round([(connection.fd, READABLE)])


def calls_of(step: Callable[[], None]) -> list[Place]:
    """Return every function of ours that is called in a step."""
    called: list[Place] = []

    def note_call(frame: FrameType, event: str, _argument: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(SOURCE):
            name = file.relative_to(SOURCE).as_posix()
            called.append(Place(name, frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note_call)
    try:
        step()
    finally:
        sys.setprofile(before)
    return called


def missed(way: list[Place], step: Callable[[], None]) -> Place | None:
    """Return the first place that a step does not come to, in the order of the way."""
    calls = iter(calls_of(step))
    return next((place for place in way if place not in calls), None)


@pytest.fixture
def benches(monkeypatch):
    first = Bench()
    second = Bench(beside=first)
    monkeypatch.setattr(dispatcher, "time", SimpleNamespace(monotonic=first.clock.monotonic))
    yield first, second
    first.close()
    second.close()


@pytest.mark.parametrize("places", [SAY, DIRECT, CHALLENGE], ids=["say", "direct", "challenge"])
def test_every_place_on_a_way_exists(places: list[Place]) -> None:
    assert len(places) > 10
    assert places[0].file.endswith("dispatcher.py")
    assert places[-1].file.endswith(("output.py", "eventlog.py"))
    for file, method in places:
        attrgetter(method)(import_module(f"tertulia.{file[:-3].replace('/', '.')}"))


@pytest.mark.parametrize(("text", "files", "changes"), BOUNDS, ids=["say", "direct", "challenge"])
def test_a_way_is_read_in_few_files(text: str, files: int, changes: int) -> None:
    assert len(set(re.findall(r"`([a-z_/]+\.py)`", text))) <= files
    steps = itertools.pairwise(way(text))
    assert sum(one.file != another.file for one, another in steps) <= changes


def test_a_say_goes_its_way(benches) -> None:
    bench, _ = benches
    ana, luis = bench.join("ana", "10.0.0.1"), bench.join("luis", "10.0.0.2")
    assert missed(SAY, lambda: bench.round(ana, Say(id=1, text="hola"))) is None
    assert bench.kinds(ana) == ["Ok", "ChatMessage"]
    assert bench.kinds(luis) == ["ChatMessage"]


def test_a_direct_message_goes_its_way_across_workers(benches) -> None:
    here, there = benches
    ana, luis = here.join("ana", "10.0.0.1"), there.join("luis", "10.0.0.2")
    here.heard(ana)

    def send() -> None:
        here.round(ana, Direct(id=1, to="luis", text="hola"))
        there.round()
        here.round()

    assert missed(DIRECT, send) is None
    assert here.kinds(ana) == ["Ok"]
    assert there.kinds(luis) == ["DirectMessage"]


def test_a_registration_that_is_challenged_goes_its_way(benches) -> None:
    here, there = benches
    ana, newcomer = there.join("ana", "10.0.0.1"), here.connect("10.0.0.1")

    def come() -> None:
        here.round(newcomer, Register(id=1, name="ana"))
        there.round()
        there.round(ana, Pong())
        here.round()

    assert missed(CHALLENGE, come) is None
    assert [type(message) for message in there.heard(ana)] == [Ping]
    assert here.kinds(newcomer) == ["Error"]
