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
from tertulia.protocol.messages import (
    Direct,
    DirectMessage,
    Ping,
    Pong,
    Received,
    Register,
    Request,
    Say,
)
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


def left_out(beginning: str) -> str:
    """Return the paragraph below the list that such a sentence announces."""
    page = (SOURCE.parents[1] / "ARCHITECTURE.md").read_text()
    below = page.partition(f"\n{beginning}")[2].partition("\n\n")[2].partition("\n\n")[2]
    return below.partition("\n\n")[0]


def files_in(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_/]+\.py)`", text))


SAID = written("A `say`")
SENT = written("A direct message to a user whom another worker serves")
CHALLENGED = written("A registration from an address at which there is a session")
SAY, DIRECT, CHALLENGE = way(SAID), way(SENT), way(CHALLENGED)
NOT_SAID, NOT_SENT, NOT_CHALLENGED = (
    left_out(beginning)
    for beginning in (
        "A `say`",
        "A direct message to a user whom another worker serves",
        "A registration from an address at which there is a session",
    )
)
# The variants, below the lists.
STORED = way(written("With a history, which"))
CONFIRMED = way(written("The terminal client and the page give receipts"))
SILENT = way(written("If the session stays silent"))
NOT_SILENT = left_out("If the session stays silent")
# How many files a newcomer to the code may have to open, and how often to go from one to another.
BOUNDS = [
    (SAID, NOT_SAID, 7, 28),
    (SENT, NOT_SENT, 6, 32),
    (CHALLENGED, NOT_CHALLENGED, 8, 59),
]


class Bench(WorkerBench):
    """A worker that does whole rounds."""

    def __init__(self, beside: "Bench | None" = None) -> None:
        super().__init__(beside=beside, shared_addresses=False)
        self.connections._new_door = functools.partial(OpenEntrance, Offer())
        self.dispatcher._wait = self._wait
        self._ready: list[tuple[int, int]] = []

    def round(self, connection: Connection | None = None, *requests: Request) -> None:
        """Do a round, in which requests have come from a connection."""
        if connection is not None:
            socket_of(connection).incoming.append(b"".join(map(encode, requests)))
            self._ready = [(connection.fd, READABLE)]
        self.dispatcher.run_round()

    def _wait(self, _timeout_s: float) -> list[tuple[int, int]]:
        ready, self._ready = self._ready, []
        return ready


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


def missed(way: list[Place], called: list[Place]) -> Place | None:
    """Return the first place of the way that the calls do not come to, in its order."""
    calls = iter(called)
    return next((place for place in way if place not in calls), None)


def not_told(way: list[Place], beside: str, called: list[Place]) -> set[str]:
    """Return the files that ran, are not on the way, and are not said to be left out."""
    return {place.file for place in called} - {place.file for place in way} - files_in(beside)


def not_run(beside: str, called: list[Place]) -> set[str]:
    """Return the files that are said to be left out, and did not run."""
    return files_in(beside.partition("A reader who")[0]) - {place.file for place in called}


@pytest.fixture
def benches(monkeypatch):
    first = Bench()
    second = Bench(beside=first)
    monkeypatch.setattr(dispatcher, "time", SimpleNamespace(monotonic=first.clock.monotonic))
    yield first, second
    first.close()
    second.close()


@pytest.mark.parametrize("places", [SAY, DIRECT, CHALLENGE], ids=["say", "direct", "challenge"])
def test_a_way_leads_from_the_round_to_the_output(places: list[Place]) -> None:
    assert len(places) > 10
    assert places[0].file.endswith("dispatcher.py")
    assert places[-1].file.endswith(("output.py", "eventlog.py"))


@pytest.mark.parametrize(
    "places",
    [SAY, STORED, DIRECT, CONFIRMED, CHALLENGE, SILENT],
    ids=["say", "stored", "direct", "confirmed", "challenge", "silent"],
)
def test_every_place_on_a_way_exists(places: list[Place]) -> None:
    assert len(places) > 4
    for file, method in places:
        attrgetter(method)(import_module(f"tertulia.{file[:-3].replace('/', '.')}"))


@pytest.mark.parametrize(
    ("text", "beside", "most_files", "most_changes"), BOUNDS, ids=["say", "direct", "challenge"]
)
def test_a_way_is_read_in_as_few_files_as_is_said(
    text: str, beside: str, most_files: int, most_changes: int
) -> None:
    files = len(files_in(text))
    changes = sum(one.file != another.file for one, another in itertools.pairwise(way(text)))
    assert f"These are {files} files, with {changes} changes of file." in beside
    assert files <= most_files
    assert changes <= most_changes
    assert not files_in(text) & files_in(beside.partition("A reader who")[0])


def test_the_way_to_a_silent_session_is_read_in_as_few_files_as_is_said() -> None:
    places = [*way(CHALLENGED.partition("\n11. ")[0]), *SILENT]
    files = len({place.file for place in places})
    changes = sum(one.file != another.file for one, another in itertools.pairwise(places))
    assert (
        f"steps 1 to 10 of the list above, these are {files} files, with {changes} " in NOT_SILENT
    )


def test_a_say_goes_its_way(benches) -> None:
    bench, _ = benches
    ana, luis = bench.join("ana", "10.0.0.1"), bench.join("luis", "10.0.0.2")
    called = calls_of(lambda: bench.round(ana, Say(id=1, text="hola")))
    assert missed(SAY, called) is None
    assert not_told(SAY, NOT_SAID, called) == set()
    assert not_run(NOT_SAID, called) == set()
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

    called = calls_of(send)
    assert missed(DIRECT, called) is None
    assert not_told(DIRECT, NOT_SAID + NOT_SENT, called) == set()
    assert not_run(NOT_SENT, called) == set()
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

    called = calls_of(come)
    assert missed(CHALLENGE, called) is None
    assert not_told(CHALLENGE, NOT_SAID + NOT_CHALLENGED, called) == set()
    assert not_run(NOT_CHALLENGED, called) == set()
    assert [type(message) for message in there.heard(ana)] == [Ping]
    assert here.kinds(newcomer) == ["Error"]


def test_the_news_reach_another_worker_in_its_own_round(benches) -> None:
    here, there = benches
    ana, luis = here.join("ana", "10.0.0.1"), there.join("luis", "10.0.0.2")
    here.round(ana, Say(id=1, text="hola"))
    assert there.output.has_work
    called = calls_of(there.round)
    assert missed([Place("server/workers/output.py", "Output.flush_events")], called) is None
    assert there.kinds(luis) == ["ChatMessage"]


def test_a_direct_message_that_is_confirmed_goes_its_way(benches) -> None:
    here, there = benches
    ana, luis = here.join("ana", "10.0.0.1"), there.join("luis", "10.0.0.2", receipts=True)
    here.heard(ana)

    def send() -> None:
        here.round(ana, Direct(id=1, to="luis", text="hola"))
        there.round()
        (message,) = there.heard(luis)
        assert isinstance(message, DirectMessage)
        there.round(luis, Received(receipt=message.receipt))
        here.round()

    called = calls_of(send)
    assert missed(CONFIRMED, called) is None
    assert here.kinds(ana) == ["Ok"]


def test_a_newcomer_gets_the_name_of_a_session_that_stays_silent(benches) -> None:
    here, there = benches
    ana, newcomer = there.join("ana", "10.0.0.1"), here.connect("10.0.0.1")
    here.round(newcomer, Register(id=1, name="ana"))
    there.round()
    there.clock.s += here.shared.config.challenge_timeout_s

    def stay_silent() -> None:
        there.round()
        here.round()

    called = calls_of(stay_silent)
    assert missed(SILENT, called) is None
    assert ana.is_closed
    assert here.kinds(newcomer) == ["Welcome", "Joined"]
