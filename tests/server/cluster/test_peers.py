"""Questions of one node to another: for a sign of life, and for how long a user has been idle.

The clock of these questions is the machine's, so a test moves it. What letters do for direct
messages is in test_directs.py.
"""

from typing import Any

import pytest
from cluster_bench import Mail
from letters_bench import Room

from tertulia.protocol.messages import DirectMessage, Error, GetInfo, Ok, UserInfo
from tertulia.server.cluster import peers as peers_module
from tertulia.server.cluster.letters import (
    AskIdle,
    AskLife,
    Envelope,
    Forward,
    IdleFor,
    LifeShown,
    SeenThrough,
    pack,
)
from tertulia.server.cluster.peers import _MAX_BYTES, _MAX_LETTERS, _parts
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.ordered import Ordered, OrderedRow
from tertulia.server.hub.session import Session
from tertulia.server.workers.mail import Challenge, ChallengeOver, Replies

NEWCOMER: Any = object()  # a connection, which only goes to and fro
ASKED = GetInfo(id=3, name="luis")


class Clock:
    s = 1_000.0

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(peers_module, "time", clock)
    return clock


@pytest.fixture
def room(clock: Clock) -> Room:
    room = Room("a", "b")
    room.join("a", "ana")
    room.join("b", "luis")
    room.carry()
    return room


@pytest.fixture
def luis(room: Room) -> Session:
    """As node a knows him; his own node is b."""
    return room["a"].find("luis")


@pytest.fixture
def worker() -> Mail:
    """The mailbox of the worker that asks."""
    return Mail()


# --- a sign of life ------------------------------------------------------------------------------


def challenge(room: Room, luis: Session, worker: Any) -> bool:
    asked = Challenge(luis.route.number, NEWCOMER, worker)
    return room["a"].switchboard.challenge(luis.route, asked)


def challenged(room: Room) -> list[Challenge]:
    return [mail for mail in room["b"].mail.collect() if isinstance(mail, Challenge)]


def test_a_session_that_is_alive_is_in_the_newcomers_way(room, luis, worker):
    assert challenge(room, luis, worker)
    assert [type(letter) for letter in room.carry()] == [AskLife]
    [asked] = challenged(room)
    assert (asked.session_number, asked.newcomer) == (luis.route.number, None)
    assert worker.collect() == []
    asked.reply_to.post("any word but that it is over")
    assert [type(letter) for letter in room.carry()] == [LifeShown]
    assert worker.collect() == [ChallengeOver(NEWCOMER)]


def test_the_end_of_a_session_is_told_once_it_has_its_place_in_the_log(room, luis, worker):
    challenge(room, luis, worker)
    room.carry()
    [asked] = challenged(room)
    asked.reply_to.post(ChallengeOver(None))
    assert room.carry() == []
    room.settle()
    assert [type(letter) for letter in room.carry()] == [LifeShown]
    assert worker.collect() == [ChallengeOver(NEWCOMER)]


def test_a_session_that_is_not_there_any_more_has_ended(room, luis, worker):
    room["b"].switchboard.disconnect(luis.route.number)
    challenge(room, luis, worker)
    room.carry()
    room.settle()
    room.carry()
    assert worker.collect() == [ChallengeOver(NEWCOMER)]


def test_of_a_silent_node_the_session_counts_as_asked_after_the_time_and_only_once(
    room, luis, worker, clock
):
    challenge(room, luis, worker)
    late, room.air = room.air, []
    clock.s += 4.9
    room.pass_time(4.9)
    assert worker.collect() == []
    clock.s += 0.1
    room.pass_time(0.1)
    assert worker.collect() == [ChallengeOver(NEWCOMER)]
    room.air = late
    room.carry()
    [asked] = challenged(room)
    asked.reply_to.post("alive")
    room.carry()
    assert worker.collect() == []


def test_a_session_of_a_node_that_is_down_cannot_be_asked(room, luis, worker):
    room.peers["a"]._nodes_up = lambda: {"a"}
    assert not challenge(room, luis, worker)
    assert room.air == []


# --- how long a user has been idle ---------------------------------------------------------------


def ask_idle(room: Room, worker: Any) -> UserInfo:
    info = UserInfo(id=3, name="luis", address="10.0.0.2", status="ACTIVO", since="", idle=0)
    room.peers["a"].ask_idle(worker, 17, ASKED, info)
    return info


def idle_told(worker: Mail) -> list[int]:
    rows = [row for mail in worker.collect() if isinstance(mail, Ordered) for row in mail.rows]
    assert all((row.number, row.request) == (17, ASKED) for row in rows)
    return [row.outcome.idle for row in rows]


def test_the_node_of_a_user_says_how_long_that_user_has_been_idle(room, worker, clock):
    room["b"].find("luis").last_active = clock.s - 41.7
    info = ask_idle(room, worker)
    assert [type(letter) for letter in room.carry()] == [AskIdle, IdleFor]
    assert worker.collect() == [
        Ordered([OrderedRow(17, ASKED, UserInfo(**{f: getattr(info, f) for f in FIELDS}, idle=41))])
    ]


FIELDS = ("id", "name", "address", "status", "since")


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), 1e300])
def test_a_number_that_cannot_be_is_no_answer(room, worker, seconds):
    ask_idle(room, worker)
    room.air.clear()
    room.peers["a"].receive(pack(Envelope("b", [IdleFor(1, seconds)])))
    assert idle_told(worker) == [0]


def test_of_a_silent_node_what_is_known_here_is_the_answer_after_a_second(room, worker, clock):
    ask_idle(room, worker)
    room.air.clear()
    clock.s += 0.9
    room.pass_time(0.9)
    assert idle_told(worker) == []
    clock.s += 0.1
    room.pass_time(0.1)
    assert idle_told(worker) == [0]
    room.peers["a"].receive(pack(Envelope("b", [IdleFor(1, 5.0)])))
    assert idle_told(worker) == []


# --- letters -------------------------------------------------------------------------------------


def test_a_report_that_comes_late_takes_nothing_back(room):
    luis = room["a"].find("luis")
    for seq in (5, 3):
        seen = SeenThrough(luis.route.number, seq)
        room.peers["a"].receive(pack(Envelope("b", [seen])))
        assert (luis.seen_mark.latest, luis.seen_mark.counted) == (5, 5)


def test_a_fault_in_a_letter_costs_that_letter_alone(room, worker, caplog, monkeypatch):
    ask_idle(room, worker)
    room.air.clear()
    monkeypatch.setattr(room["a"].hub, "note_seen", lambda *_: 1 / 0)
    seen = SeenThrough(room["b"].find("luis").route.number, 1)
    room.peers["a"].receive(pack(Envelope("b", [seen, IdleFor(1, 7.0)])))
    assert idle_told(worker) == [7]
    assert "fault in a letter of node=b" in caplog.text


def test_what_is_no_letter_is_left_alone(room):
    received = room.peers["a"].letters_received
    room.peers["a"].receive(b"nonsense")
    assert room.peers["a"].letters_received == received


def test_only_refusals_are_sent_after_a_session_that_has_moved(room, luis):
    error = Error(id=5, code="undelivered", message="")
    room["a"].switchboard.send([Reply(luis.route, Ok(id=4)), Reply(luis.route, error)])
    assert len(room.carry()) == 1
    [mail] = [mail for mail in room["b"].mail.collect() if isinstance(mail, Replies)]
    assert mail.rows == [Reply(luis.route, error)]


def test_letters_are_cut_into_messages_that_can_be_carried():
    few = [IdleFor(number, 0.0) for number in range(2 * _MAX_LETTERS + 1)]
    assert [len(part) for part in _parts(few)] == [_MAX_LETTERS, _MAX_LETTERS, 1]
    assert [letter for part in _parts(few) for letter in part] == few
    text = "x" * 16_384
    message = DirectMessage(time="", sender="ana", to="luis", text=text)
    long = [Forward(number, 1, "ana", message) for number in range(40)]
    parts = _parts(long)
    assert [letter for part in parts for letter in part] == long
    assert [len(part) for part in parts] == [7, 7, 7, 7, 7, 5]
    assert max(len(pack(Envelope("a", part))) for part in parts) < _MAX_BYTES


def test_letters_for_one_node_go_together_and_each_is_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Any] = []
    monkeypatch.setattr(room, "call", steps.append)
    sender, receiver = room.peers["a"], room.peers["b"]
    before = sender.letters_sent, receiver.letters_received
    for question in range(3):
        sender.post("b", AskLife(question, 1))
    assert len(steps) == 1
    steps[0]()
    assert len(room.air) == 1
    room.carry()
    counted = sender.letters_sent - before[0], receiver.letters_received - before[1]
    assert counted == (3, 3)
    sender.post("b", AskLife(4, 1))
    assert len(steps) == 2
