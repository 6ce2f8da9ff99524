"""Which history fits to a chat that other nodes serve: decided before anything is written."""

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from stored_messages import message

from tertulia.i18n import set_language
from tertulia.server.cluster import snapshot as snapshots
from tertulia.server.cluster.bootstrap import Bootstrap, known_nonces
from tertulia.server.cluster.commands import FORMAT, Genesis, unpack
from tertulia.server.cluster.genesis import rules_of
from tertulia.server.cluster.membership import Nodes
from tertulia.server.cluster.snapshot import Snapshot
from tertulia.server.cluster.stream import StreamState
from tertulia.server.cluster.transfer import StateSender
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.mail import GetRows
from tertulia.server.history.node import NodeHistory
from tertulia.server.history.store import MessageStore
from tertulia.server.hub.keeper import Numbering
from tertulia.server.hub.records import Place, no_records
from tertulia.server.hub.room_state import RoomState

CONFIG = Config(port=0, cluster=("nats://a:4222",), node="lab2")
WAIT_S = 20.0
LOG, ANOTHER_LOG = "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"
STREAM = StreamState(first=1, last=90, messages=90, replicas=3, max_bytes=1 << 30, created=LOG)


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


@pytest.fixture
def arrive(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return a function that lets a node arrive and returns from which number it goes on.

    The node has messages up to `last` and is at `place`; the others' chat is at number `seq`.
    """
    opened: list[tuple[NodeHistory, Bootstrap]] = []

    def arrive(last: int, place: Place | None, seq: int) -> int:
        store = MessageStore(tmp_path / "h.db", block=1_000, of_cluster=True)
        store.add([message(number) for number in range(1, last + 1)], [place] if place else [])
        store.close()
        history = NodeHistory(tmp_path / "h.db", CONFIG)
        state = Snapshot(FORMAT, 80, "epoch", seq, rules_of(CONFIG), Nodes(), RoomState(), 0)
        other = StateSender("lab1", lambda: snapshots.pack(state))
        link: Any = SimpleNamespace(
            ask=lambda _subject, question, _timeout_s: other.answer(question)
        )
        hub: Any = SimpleNamespace(resume=lambda *_: [])
        bootstrap = Bootstrap(CONFIG, history, hub, link, pytest.fail)
        executor = SimpleNamespace(resume=lambda: None)
        replica: Any = SimpleNamespace(
            resume=lambda _: None, log_time=lambda: 0.0, executor=executor,
            snapshot=lambda *, with_nonces: state, place=state.place,
        )  # fmt: skip
        bootstrap.replica = replica
        opened.append((history, bootstrap))
        bootstrap.find_state(STREAM)
        return history.numbering.last_seq

    yield arrive
    for history, bootstrap in opened:
        if not bootstrap.begun.is_set():
            history.start()
        assert history.stop(WAIT_S)


def place(*, chat: str = "tertulia", log: str = LOG) -> Place:
    """Return a place whose state cannot be read, as that of another version."""
    return Place(chat=chat, log=log, place=50, state=b"")


def test_an_empty_history_fits_to_every_chat(arrive: Callable[..., int]) -> None:
    assert arrive(0, None, 40) == 40


def test_a_node_that_dies_at_once_goes_on_from_the_state_that_it_found(
    arrive: Callable[..., int], tmp_path: Path
) -> None:
    arrive(0, None, 40)
    with contextlib.closing(sqlite3.connect(tmp_path / "h.db")) as db:
        assert db.execute("SELECT chat, log, place FROM place").fetchall() == [
            ("tertulia", LOG, 80)
        ]
        assert db.execute("SELECT * FROM missing_messages").fetchall() == [(0, 40)]


@pytest.mark.parametrize("seq", [3, 5, 40])
def test_a_node_of_this_log_goes_on_whatever_the_other_one_has(
    arrive: Callable[..., int], seq: int
) -> None:
    assert arrive(5, place(), seq) == seq


def test_a_node_of_an_earlier_log_goes_on_above_its_numbers(arrive: Callable[..., int]) -> None:
    assert arrive(5, place(log=ANOTHER_LOG), 5) == 5


def test_a_node_that_knows_more_than_the_chat_is_asked_for(arrive: Callable[..., int]) -> None:
    with pytest.raises(ClusterUnusable, match=r"later messages than the chat .* with --new-log"):
        arrive(5, place(log=ANOTHER_LOG), 4)


@pytest.mark.parametrize("before", [None, place(chat="aula")])
def test_messages_of_another_chat_are_not_mixed_with_this_one(
    arrive: Callable[..., int], before: Place | None
) -> None:
    with pytest.raises(ClusterUnusable, match="that are not in the chat of these nodes"):
        arrive(5, before, 40)


# --- from where a node goes on -------------------------------------------------------------------


class Start:
    """A node that starts: what the log and the others have, and what it did."""

    def __init__(self, **options: Any) -> None:
        self.config = Config(port=0, cluster=("nats://a:4222",), node="lab2", **options)
        self.answers: dict[str, bytes | None] = {}
        self.began: list[tuple[str, int]] = []
        self.failed: list[str] = []
        self.history: Any = None
        hub: Any = SimpleNamespace(resume=lambda epoch, seq, _: self.began.append((epoch, seq)))
        link: Any = SimpleNamespace(ask=self._ask)
        self.link, self.hub = link, hub

    def _ask(self, subject: str, question: bytes, _timeout_s: float) -> bytes | None:
        verb = subject.rsplit(".", 1)[1]
        if verb == "state" and "state" in self.answers:
            return self.other.answer(question)
        return self.answers.get(verb)

    def others_have(self, seq: int, **rules: Any) -> None:
        state = replace(state_at(80, seq), rules=replace(rules_of(self.config), **rules))
        self.others_answer(snapshots.pack(state))

    def others_answer(self, data: bytes) -> None:
        self.answers["state"] = b""
        self.other = StateSender("lab1", lambda: data)

    def bootstrap(self) -> Bootstrap:
        bootstrap = Bootstrap(self.config, self.history, self.hub, self.link, self.failed.append)
        executor = SimpleNamespace(resume=lambda: None)
        replica: Any = SimpleNamespace(
            resume=lambda _: None, log_time=lambda: 0.0, executor=executor, place=0
        )
        bootstrap.replica = replica
        return bootstrap

    def find(self, stream: StreamState = STREAM) -> Bootstrap:
        bootstrap = self.bootstrap()
        bootstrap.find_state(stream)
        return bootstrap

    def fails(self, words: str, stream: StreamState = STREAM) -> None:
        with pytest.raises(ClusterUnusable, match=words):
            self.find(stream)


def state_at(place: int, seq: int, **room: Any) -> Snapshot:
    rules = rules_of(CONFIG)
    return Snapshot(FORMAT, place, "epoch", seq, rules, Nodes(), RoomState(**room), 0)


class FakeHistory:
    """A history that is at a place, and has these nonces and gaps."""

    path = "h.db"

    def __init__(self, own: Snapshot, *, log: str = LOG, chat: str = "tertulia") -> None:
        state = snapshots.pack(own)
        self.place: Place | None = Place(chat=chat, log=log, place=own.place, state=state)
        self.missing: list[Any] = []
        self.known: list[tuple[int, str, str, str]] = []
        self.opening_problem: Exception | None = None
        self.beginning: Place | None = None
        self.missing_noted: list[tuple[int, int]] = []
        self.reserved: list[int] = []
        self.last_stored = own.seq
        self.numbering = Numbering(own.epoch, own.seq, 1_000)
        self.records = no_records
        self.is_started = False

    def nonces_at(self, _moment: object, _seq: int) -> list[tuple[int, str, str, str]]:
        return self.known

    def start(self) -> None:
        self.is_started = True

    def reserve_soon(self, seq: int) -> None:
        self.reserved.append(seq)

    def adopt(self, epoch: str, seq: int) -> None: ...

    def note_missing(self, after: int, through: int) -> None:
        self.missing_noted.append((after, through))

    def note_beginning(self, chat: str, log: str, name: str) -> None:
        self.beginning = Place(chat=chat, log=log, place=0, state=name.encode())

    def end_visits(self) -> None: ...

    def replace_records(self, records: Any, lost_at: str) -> None: ...


@pytest.fixture
def start() -> Start:
    return Start()


def test_a_node_goes_on_from_its_own_file_if_the_log_reaches_its_place(start: Start) -> None:
    start.history = FakeHistory(state_at(80, 7))
    start.others_have(99)
    bootstrap = start.find(STREAM._replace(first=81))
    assert bootstrap.begun.is_set()
    assert start.began == [("epoch", 7)]
    assert start.history.is_started


def test_a_node_asks_another_one_if_the_log_does_not_reach_its_place(start: Start) -> None:
    start.history = FakeHistory(state_at(60, 7))
    start.others_have(99)
    bootstrap = start.bootstrap()
    bootstrap.place = lambda: place()  # type: ignore[method-assign]
    bootstrap._adopt = (  # type: ignore[method-assign]
        lambda epoch, seq, _state, *, misses: start.began.append((epoch, seq + misses))
    )
    bootstrap.find_state(STREAM._replace(first=62))
    assert start.began == [("epoch", 100)]


def test_a_node_that_goes_on_from_another_one_lacks_what_came_after_its_own_place(
    start: Start,
) -> None:
    start.history = FakeHistory(state_at(60, 7))
    start.others_have(99)
    start.hub.resume = lambda *_: []
    bootstrap = start.bootstrap()
    bootstrap.place = place
    bootstrap.find_state(STREAM._replace(first=62))
    assert start.history.missing_noted == [(7, 99)]
    assert start.history.reserved == [99]


@pytest.mark.parametrize(("has_others", "seq"), [(True, 99), (False, 7)])
def test_a_node_whose_file_lacks_nonces_goes_on_from_another_one_if_there_is_one(
    start: Start, *, has_others: bool, seq: int
) -> None:
    start.history = FakeHistory(state_at(80, 7))
    start.history.missing = [GetRows(of="messages", after=3, through=5)]
    if has_others:
        start.others_have(99)
    bootstrap = start.bootstrap()
    bootstrap._adopt = (  # type: ignore[method-assign]
        lambda epoch, seq, _state, *, misses: start.began.append((epoch, seq))
    )
    bootstrap.find_state(STREAM)
    assert start.began == [("epoch", seq)]


def test_a_log_begins_with_the_nonces_of_the_own_file(start: Start) -> None:
    start.history = FakeHistory(state_at(80, 7))
    time = "2026-11-18T10:00:00.250Z"
    start.history.known = [(5, time, "ana", "n0"), (6, time, "José", "n1")]
    said_s = datetime.fromisoformat(time).timestamp()
    expected = [("ana", "n0", said_s, 5), ("jose", "n1", said_s, 6)]
    assert known_nonces(start.history.known) == expected
    start.history.place = None
    bootstrap = start.find(STREAM._replace(first=0, last=0, messages=0))
    parts = [unpack(entry) for entry in bootstrap.first_entries[1:]]
    assert [part.commands[0].nonces for part in parts if part is not None] == [expected]


def test_a_fresh_node_replays_a_log_that_nobody_else_serves(start: Start) -> None:
    bootstrap = start.find()
    assert start.began == []
    assert bootstrap.first_entries == []


def test_a_node_begins_an_empty_log(start: Start) -> None:
    bootstrap = start.find(STREAM._replace(first=0, last=0, messages=0))
    (entry,) = bootstrap.first_entries
    batch = unpack(entry)
    assert batch is not None
    assert isinstance(batch.commands[0], Genesis)


def test_a_log_that_somebody_has_begun_and_not_ended_is_begun_again(start: Start) -> None:
    bootstrap = start.find()
    bootstrap.offer_log()
    offered = list(bootstrap.first_entries)
    assert len(offered) == 1
    bootstrap.offer_log()
    assert bootstrap.first_entries == offered, "the same one"
    bootstrap.begun.set()
    bootstrap.first_entries = []
    bootstrap.offer_log()
    assert bootstrap.first_entries == []


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (STREAM._replace(last=40), r"the log ends before it; this node has applied 50.* --new-log"),
        (
            STREAM._replace(created=ANOTHER_LOG, first=0, last=0, messages=0),
            r"the log is gone; this node has applied 50.* --new-log",
        ),
    ],
)
def test_a_log_that_has_lost_entries_is_told(start: Start, stream: StreamState, words: str) -> None:
    start.history = FakeHistory(state_at(50, 7))
    start.fails(words, stream)


def test_a_log_without_its_beginning_needs_another_node(start: Start) -> None:
    start.fails(
        "does not reach back to its beginning, and no other node answers: first start a node",
        STREAM._replace(first=2),
    )


@pytest.mark.parametrize("data", [b"", b"\xc1", snapshots.pack(replace(state_at(1, 1), format=9))])
def test_a_state_of_another_version_is_told(start: Start, data: bytes) -> None:
    start.others_answer(data)
    start.fails("run a later version than this one: update tertulia here")


def test_other_rules_than_those_of_the_chat_are_told() -> None:
    start = Start(max_users=7)
    start.others_have(9, max_users=1_000)
    start.fails("begun with --max-users 1000, and this node was given 7")
    genesis = Genesis("x", "epoch", 0, rules_of(Config(port=0, max_users=1_000)))
    start.bootstrap().on_genesis(genesis, RoomState())
    assert len(start.failed) == 1
    assert start.began == []


def test_a_process_with_the_same_name_is_told(start: Start) -> None:
    start.answers["hello"] = b""
    with pytest.raises(ClusterUnusable, match="another process is already node lab2"):
        start.bootstrap().check_alone()


def test_a_new_log_is_not_begun_while_others_serve_the_chat() -> None:
    start = Start(new_log=True)
    start.bootstrap().check_alone()
    start.others_have(9)
    with pytest.raises(ClusterUnusable, match="would take the chat away from the nodes"):
        start.bootstrap().check_alone()


def test_a_new_log_has_another_epoch_and_begins_though_there_was_a_place() -> None:
    start = Start(new_log=True)
    history: Any = FakeHistory(state_at(50, 7), log=ANOTHER_LOG)
    history.numbering = Numbering("old epoch", 700, 800)
    history.records = no_records
    start.history = history
    bootstrap = start.find(STREAM._replace(first=0, last=0, messages=0))
    batch = unpack(bootstrap.first_entries[0])
    assert batch is not None
    genesis = batch.commands[0]
    assert isinstance(genesis, Genesis)
    assert genesis.seq == 700
    assert genesis.epoch != "old epoch"


def test_a_history_that_cannot_be_written_is_a_problem_of_the_start(start: Start) -> None:
    start.history = FakeHistory(state_at(50, 7))
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(_epoch: str, _seq: int) -> None:
        raise full

    start.history.adopt = fail
    bootstrap = start.bootstrap()
    bootstrap.on_genesis(Genesis("x", "epoch", 9, rules_of(start.config)), RoomState())
    assert bootstrap.problem is full
    assert not bootstrap.begun.is_set()


@pytest.mark.parametrize("begins", ["in a stream without entries", "in one without an end"])
def test_no_log_is_begun_while_the_history_cannot_be_written(start: Start, begins: str) -> None:
    start.history = FakeHistory(state_at(80, 7))
    start.history.place = None
    start.history.opening_problem = full = OSError(errno.ENOSPC, "No space left on device")
    bootstrap = start.bootstrap()

    def begin() -> None:
        if begins == "in a stream without entries":
            bootstrap.find_state(STREAM._replace(first=0, last=0, messages=0))
        else:
            bootstrap.find_state(STREAM)
            bootstrap.offer_log()

    with pytest.raises(OSError, match="No space left") as raised:
        begin()
    assert raised.value is full
    assert bootstrap.first_entries == []


def test_a_log_is_not_removed_while_the_history_cannot_be_written() -> None:
    start = Start(new_log=True)
    start.history = FakeHistory(state_at(50, 7))
    start.bootstrap().check_alone()
    start.history.opening_problem = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        start.bootstrap().check_alone()


# --- a node that ended when it was beginning a log -----------------------------------------------


def genesis_of(bootstrap: Bootstrap) -> Genesis:
    batch = unpack(bootstrap.first_entries[0])
    assert batch is not None
    genesis = batch.commands[0]
    assert isinstance(genesis, Genesis)
    return genesis


def begun_by(start: Start) -> Genesis:
    """Let a node with messages begin a log, and end before it has a place."""
    start.history = FakeHistory(state_at(80, 7))
    start.history.place = None
    return genesis_of(start.find(STREAM._replace(first=0, last=0, messages=0)))


def goes_on_with(start: Start, bootstrap: Bootstrap, genesis: Genesis) -> None:
    """Let a node read the beginning of its log."""
    bootstrap.place = lambda: place()  # type: ignore[method-assign]
    start.hub.resume = lambda *_: []
    bootstrap.on_genesis(genesis, RoomState())


@pytest.mark.parametrize("has_others", [True, False])
def test_a_node_that_ended_before_it_had_a_place_goes_on_with_the_log_that_it_began(
    start: Start, *, has_others: bool
) -> None:
    genesis = begun_by(start)
    if has_others:
        start.others_have(99)
    bootstrap = start.find()
    assert bootstrap.first_entries == []
    assert not bootstrap.begun.is_set(), "it reads the log from its beginning"
    goes_on_with(start, bootstrap, genesis)
    assert (start.failed, bootstrap.problem) == ([], None)
    assert bootstrap.begun.is_set()
    assert start.history.missing_noted == [], "it has everything up to there"


def test_a_log_that_others_have_begun_meanwhile_does_not_fit_to_messages(start: Start) -> None:
    genesis = begun_by(start)
    bootstrap = start.find()
    goes_on_with(start, bootstrap, replace(genesis, log="another"))
    (text,) = start.failed
    assert "that are not in the chat of these nodes" in text
    assert not bootstrap.begun.is_set()


@pytest.mark.parametrize(
    ("stream", "options"),
    [
        (STREAM._replace(created=ANOTHER_LOG), {}),
        (STREAM._replace(first=2), {}),
        (STREAM, {"chat": "aula"}),
        (STREAM, {"new_log": True}),
    ],
    ids=["another log", "without its beginning", "another chat", "a new one"],
)
def test_a_log_that_the_node_cannot_have_begun_is_that_of_others(
    start: Start, stream: StreamState, options: dict[str, Any]
) -> None:
    begun_by(start)
    start.config = Config(port=0, cluster=("nats://a:4222",), node="lab2", **options)
    start.others_have(99)
    start.fails("that are not in the chat of these nodes", stream)


def test_a_node_that_ended_before_its_new_log_had_a_place_lacks_nothing() -> None:
    start = Start(new_log=True)
    start.history = FakeHistory(state_at(50, 7), log=ANOTHER_LOG)
    start.history.numbering = Numbering("old epoch", 700, 800)
    before = start.history.place
    genesis = genesis_of(start.find(STREAM._replace(first=0, last=0, messages=0)))
    assert start.history.place == before, "the others of its log may begin one meanwhile"
    start.config = Config(port=0, cluster=("nats://a:4222",), node="lab2")
    goes_on_with(start, start.find(), genesis)
    assert start.failed == []
    assert start.history.missing_noted == []


def test_a_node_lacks_what_others_had_that_have_begun_the_log_meanwhile() -> None:
    start = Start(new_log=True)
    start.history = FakeHistory(state_at(50, 7), log=ANOTHER_LOG)
    genesis = genesis_of(start.find(STREAM._replace(first=0, last=0, messages=0)))
    start.config = Config(port=0, cluster=("nats://a:4222",), node="lab2")
    goes_on_with(start, start.find(), replace(genesis, log="another", seq=90))
    assert start.failed == []
    assert start.history.missing_noted == [(7, 90)]
