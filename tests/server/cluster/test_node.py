"""How a node starts, keeps up with the log and ends: whole, but for NATS, threads and workers."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from queue import Queue
from typing import Any

import msgspec
import pytest
from cluster_bench import Log, Mail
from logged_node import LoggedNode
from msgspec import UNSET

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.measures import ProblemKind
from tertulia.protocol.messages import (
    CloseReason,
    Error,
    GetHistory,
    Register,
    Say,
    SetStatus,
    Status,
)
from tertulia.server.cluster import letters
from tertulia.server.cluster.commands import (
    PYTHON,
    Active,
    Genesis,
    NodeLeave,
    NodeUp,
    Nothing,
    Part,
    SignOfLife,
    pack,
)
from tertulia.server.cluster.genesis import rules_of
from tertulia.server.cluster.peer_history import (
    KeptAnswer,
    KeptQuestion,
    PageAnswer,
    PageQuestion,
    Verdict,
    kept_answer,
)
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.mail import PageReady, PageTicket
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.ordered import NodesNamed, SendAway, ServesAgain, StandsStill
from tertulia.server.hub.records import Place
from tertulia.server.hub.session import Receipt, Route, Session
from tertulia.server.workers.mail import Challenge, ChallengeOver

WAIT_S = 20.0
OWN, OTHER = "10.0.0.1:5000", "10.0.0.2:5000"
Make = Callable[..., LoggedNode]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda *args, **options: LoggedNode(monkeypatch, *args, **options)


@pytest.fixture
def lab(make: Make) -> LoggedNode:
    """A node that has begun a log and come up."""
    lab = make()
    lab.node.start()
    lab.turn()
    lab.posts.clear()
    return lab


def log_of_others(*, parts: int = 0, seq: int = 0) -> Log:
    """Return the log of a chat that the node "b" has begun."""
    log = Log()
    rules = rules_of(Config(port=0))
    log.put(pack("b", 0, 0, [Genesis("log", "epoch", seq, rules, parts)]))
    if not parts:
        log.put(pack("b", 0, 0, [NodeUp("b0", 1, [OTHER], PYTHON)]))
        log.put(b"of another program")
    return log


class NotedHistory(NodeHistory):
    """A history that notes the saved places; its writer is as far behind as a test says."""

    def __init__(self, path: Path, config: Config) -> None:
        super().__init__(path, config)
        self.saved: list[int] = []
        self.waiting = 0
        self.problem: Exception | None = None  # of the disk

    @property
    def queued(self) -> tuple[int, int]:
        return self.waiting, 0

    def adopt(self, epoch: str, seq: int) -> None:
        if self.problem is not None:
            raise self.problem
        super().adopt(epoch, seq)

    def save_place(self, place: Place) -> None:
        self.saved.append(place.place)
        super().save_place(place)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[NotedHistory]:
    history = NotedHistory(tmp_path / "h.db", Config(port=0))
    yield history
    if history.problem is not None:
        history.start()
    assert history.stop(WAIT_S)


def join(lab: LoggedNode, name: str = "ana") -> tuple[Session, Mail]:
    """Register a user; return the session, and the mailbox of its worker."""
    mail: Any = Mail()
    route = lab.switchboard.connect(mail)
    lab.node.hub.register(Register(name=name, id=1), "10.1.0.1", route)
    lab.link.bring_back()
    (outcome,) = mail.outcomes()
    assert isinstance(outcome, Registered)
    return outcome.session, mail


def declare_dead(lab: LoggedNode) -> None:
    """Let this node be silent until "b" has released its users."""
    lab.other_comes_up(OTHER)
    lab.link.takes_entries = False
    for number in range(1, 9):
        lab.other(SignOfLife(0, b""), number=number, after_ms=1_500)
    lab.link.bring_back()


# --- the start -----------------------------------------------------------------------------------


def test_a_node_begins_an_empty_log_comes_up_and_answers_the_others(make: Make) -> None:
    lab = make()
    lab.node.start()
    assert [type(command) for command in lab.link.proposed[:2]] == [Genesis, NodeUp]
    assert lab.link.applied[:2] == [0, 1], "as far as it was each time"
    assert lab.node.proposer.incarnation == 2
    assert set(lab.link.served) == {
        "all.state",
        *(f"node.a.{verb}" for verb in ("hello", "letters", "state", "rows", "page", "kept")),
    }
    assert lab.node.addresses() == [OWN]
    lab.turn()
    assert lab.posted(NodesNamed) == [], "clients have read them in `welcome`"
    assert lab.failed == []


def test_a_node_says_that_it_is_there(lab: LoggedNode) -> None:
    answers: list[bytes] = []
    lab.link.served["node.a.hello"](b"", answers.append)
    assert answers == [b""]


def test_a_node_does_not_start_beside_a_process_of_its_name(make: Make) -> None:
    lab = make()
    lab.link.answers["hello"] = b""
    with pytest.raises(ClusterUnusable, match="another process is already node a"):
        lab.node.start()


@pytest.mark.parametrize("new_log", [False, True])
def test_a_log_is_removed_only_on_request(make: Make, *, new_log: bool) -> None:
    lab = make(log_of_others(), new_log=new_log)
    lab.node.start()
    assert lab.link.is_deleted is new_log
    assert lab.link.count(Genesis) == int(new_log)


def test_a_node_comes_up_only_when_it_has_read_the_whole_log(make: Make) -> None:
    lab = make(log_of_others())
    lab.link.at_a_time = 1
    lab.node.start()
    assert isinstance(lab.link.proposed[0], NodeUp)
    assert lab.link.applied[0] == 3
    assert lab.node.others() == {"b": [OTHER]}


def test_a_log_may_be_slow_but_not_stand_still_while_a_node_starts(make: Make) -> None:
    lab = make(log_of_others())
    lab.link.at_a_time, lab.pace_s = 1, 30.0
    lab.node.start()
    assert lab.node.proposer.incarnation == 4
    lab = make(log_of_others())
    lab.link.at_a_time, lab.pace_s = 0, 0.5
    with pytest.raises(ClusterUnusable, match="do not bring back what this node sends"):
        lab.node.start()
    assert lab.s == 1_030.5


def test_a_node_that_cannot_come_up_gives_up_after_a_while(make: Make) -> None:
    lab = make(log_of_others())
    lab.link.takes_entries, lab.pace_s = False, 0.5
    with pytest.raises(ClusterUnusable, match="do not bring back what this node sends"):
        lab.node.start()
    assert lab.s == 1_031.0, "it took 0.5 s to read the log"


def test_a_permission_that_is_lacking_ends_the_start_at_once(make: Make) -> None:
    lab = make(log_of_others())
    lab.link.at_a_time = 0
    lab.link.denied = ClusterUnusable("not permitted")
    with pytest.raises(ClusterUnusable, match="not permitted"):
        lab.node.start()
    lab = make(log_of_others())

    def refuse(_data: bytes, _applied: int) -> None:
        lab.link.denied = ClusterUnusable("not permitted")

    lab.link.propose = refuse  # type: ignore[method-assign]
    with pytest.raises(ClusterUnusable, match="not permitted"):
        lab.node.start()


def test_a_history_that_cannot_be_written_ends_the_start(make: Make, history: NotedHistory) -> None:
    lab = make(log_of_others(), history)
    history.problem = OSError("no space left")
    with pytest.raises(OSError, match="no space left"):
        lab.node.start()


def test_first_entries_are_sent_again_until_they_come_back(make: Make) -> None:
    lab = make()
    lab.link.takes_entries, lab.pace_s = False, 0.25

    def look() -> None:
        lab.link.takes_entries = lab.s >= 1_000.75

    lab.while_asleep = look
    lab.node.start()
    assert lab.link.count(Genesis) == 2, "after 0.25 and 0.75 s"
    assert lab.s == 1_001.0


def start_beside_a_beginning(make: Make, completed_s: float, history: Any = None) -> LoggedNode:
    """Start a node in a log of which another one completes the beginning after a while."""
    lab = make(log_of_others(parts=1), history)
    lab.pace_s = 0.5

    def complete() -> None:
        if lab.s == 1_000.0 + completed_s:
            lab.log.put(pack("b", 0, 0, [Part("log", 0, [])]))

    lab.while_asleep = complete
    lab.node.start()
    return lab


def test_a_log_whose_beginning_stays_incomplete_is_begun_again_after_3_s(make: Make) -> None:
    # It reads the entry after 0.5 s, is patient for 3 s, and sends its own with the next tick.
    assert start_beside_a_beginning(make, 4.0).link.count(Genesis) == 0
    assert start_beside_a_beginning(make, 4.5).link.count(Genesis) == 1


def test_a_node_has_no_place_to_save_before_the_log_has_begun(
    make: Make, history: NotedHistory
) -> None:
    start_beside_a_beginning(make, 2.0, history)
    assert history.saved == [2]


def test_a_log_that_is_not_read_to_its_end_is_not_begun_again(make: Make) -> None:
    lab = make(log_of_others())
    lab.link.at_a_time, lab.pace_s = 0, 0.5

    def read() -> None:
        lab.link.at_a_time = 0 if lab.s < 1_010.0 else 9

    lab.while_asleep = read
    lab.node.start()
    assert lab.link.count(Genesis) == 0


# --- entries -------------------------------------------------------------------------------------


def test_entries_that_come_twice_count_once(lab: LoggedNode) -> None:
    lab.link.on_entries(lab.log.entries)
    lab.turn()
    assert lab.node.replica.place == len(lab.log.entries)


def test_an_entry_of_a_later_version_ends_the_node(lab: LoggedNode) -> None:
    lab.log.put(msgspec.msgpack.encode([9, "b", 0, 0, []]))
    lab.turn()
    assert lab.failed == [
        "the chat's nodes run a later version than this one: update tertulia here"
    ]
    assert lab.node.hub.activity.executing is None


def test_a_node_whose_state_differs_from_that_of_another_one_ends(lab: LoggedNode) -> None:
    lab.other_comes_up(OTHER)
    for number in range(1, 9):
        lab.other(SignOfLife(0, b""), number=number, after_ms=1_500)
        lab.turn(1.0)
    place, digest = lab.node.replica.latest_digest()
    assert SignOfLife(place, digest) in lab.link.proposed
    lab.other(SignOfLife(place, digest), number=9)
    lab.turn()
    assert lab.failed == []
    lab.other(SignOfLife(place, b"another"), number=10)
    last = len(lab.log.entries)
    lab.link.bring_back()
    (words,) = lab.failed
    assert words.startswith(
        f"this node and b have come to different states by entry {last}: that is a fault"
    )


def test_only_what_comes_from_the_log_changes_the_common_state(lab: LoggedNode) -> None:
    session, mail = join(lab)
    lab.s += 120.0
    lab.node.hub.idle(session)
    lab.link.bring_back()
    assert session.status is Status.INACTIVO
    lab.node.hub.say(session, Say(text="hola"), mail)
    assert session.status is Status.INACTIVO
    lab.link.bring_back()
    assert session.status is Status.ACTIVO
    assert lab.link.count(Active) == 0, "the message does it"
    assert lab.node.hub.activity.executing is None


def test_the_time_of_the_chat_goes_on_after_an_entry(lab: LoggedNode) -> None:
    lab.turn(3.0)
    now = lab.node.hub.direct_messages.stamps.now()
    assert datetime.fromisoformat(now).timestamp() == lab.log.time_ms / 1_000
    lab.s += 0.25
    later = lab.node.hub.direct_messages.stamps.now()
    assert datetime.fromisoformat(later).timestamp() == lab.log.time_ms / 1_000 + 0.25


def test_workers_are_woken_by_entries(lab: LoggedNode) -> None:
    lab.woken.clear()
    lab.s += 0.5
    lab.other(Nothing())
    lab.link.bring_back()
    assert lab.woken == [lab.s]


def test_commands_that_wait_are_sent_when_batches_have_come_back(lab: LoggedNode) -> None:
    for _ in range(9):
        lab.node.proposer.submit(Nothing())
    assert lab.node.proposer.queued == 1, "8 batches are under way"
    lab.link.bring_back()
    assert lab.node.proposer.queued == 0


def test_a_node_reads_no_faster_than_its_disk_writes(make: Make, history: NotedHistory) -> None:
    lab = make(history=history)
    lab.node.start()

    def bring(waiting: int, after_s: float = 0.0) -> float:
        """Return how long an entry keeps the node, if the writer has caught up after a while."""
        history.waiting, begin = waiting, lab.s
        if after_s:
            lab.while_asleep = lambda: setattr(
                history, "waiting", 20_000 if lab.s - begin > after_s else waiting
            )
        lab.other(Nothing())
        lab.link.is_in_turn = True
        lab.link.bring_back()
        lab.link.is_in_turn = False
        return lab.s - begin

    assert bring(20_000) == 0.0
    assert bring(20_001) == pytest.approx(1.01), "then it looks after its connection"
    assert bring(30_000, after_s=0.5) == pytest.approx(0.51)


# --- a node that another one is, or that was declared dead ---------------------------------------


def test_an_earlier_run_of_the_node_is_not_another_process(make: Make) -> None:
    log = log_of_others()
    log.put(pack("a", 0, 0, [NodeUp("earlier", 1, [OWN], PYTHON)]))
    lab = make(log)
    lab.node.start()
    assert lab.failed == []
    assert lab.node.proposer.incarnation == 5


def test_a_process_that_takes_the_name_of_the_node_ends_it(lab: LoggedNode) -> None:
    lab.log.put(pack("a", 0, 0, [NodeUp("another", 1, [OWN], PYTHON)]))
    lab.link.bring_back()
    assert lab.failed == [
        "another process is already node a of this chat: stop it, or give this one another name "
        "with --node"
    ]


def test_a_node_that_was_declared_dead_comes_up_again(
    lab: LoggedNode, caplog: pytest.LogCaptureFixture
) -> None:
    session, mail = join(lab)
    lab.link.takes_entries = False
    lab.node.hub.set_status(session, SetStatus(status=Status.OCUPADO, id=5))
    declare_dead(lab)
    assert not session.is_here
    (refusal,) = mail.outcomes()
    assert (refusal.code, refusal.id) == ("unavailable", 5)
    assert "node was declared dead, comes up again node=a" in caplog.text
    assert lab.node.proposer.incarnation == 0
    assert not lab.node.hub.serves(lab.s)
    lab.posts.clear()
    lab.lag(1.0)
    assert lab.node.proposer.queued == 0, "no sign of life"
    assert lab.node.addresses() == [OTHER]
    assert lab.posted(NodesNamed) == [], "its clients know better"
    lab.link.takes_entries = True
    lab.lag(0.5)
    lab.turn()
    assert lab.node.proposer.incarnation == len(lab.log.entries)
    assert lab.failed == []


def test_a_node_that_stops_does_not_come_up_again(
    lab: LoggedNode, caplog: pytest.LogCaptureFixture
) -> None:
    lab.turn(0.5)
    lab.node.begin_to_stop()
    declare_dead(lab)
    assert lab.node.proposer.incarnation == 0
    lab.lag(60.0)
    lab.lag(60.0)
    assert lab.link.count(NodeUp) == 1
    assert "declared dead" not in caplog.text
    assert "does not serve" not in caplog.text


def test_a_node_that_stops_still_sends_again_what_has_not_come_back(lab: LoggedNode) -> None:
    lab.node.begin_to_stop()
    lab.link.takes_entries = False
    lab.node.proposer.submit(Nothing())
    lab.lag(0.5)
    assert lab.link.count(Nothing) == 2


# --- whether the node serves ---------------------------------------------------------------------


def test_a_node_serves_for_5_s_after_it_sent_what_has_come_back(lab: LoggedNode) -> None:
    lab.turn(1.0)
    hub = lab.node.hub
    assert hub.serves(lab.s + 4.75)
    assert not hub.serves(lab.s + 5.0)


def test_held_requests_go_on_as_soon_as_the_log_does(lab: LoggedNode) -> None:
    lab.lag(6.0)
    assert not lab.node.hub.serves(lab.s)
    problem = lab.node.problem()
    assert problem is not None
    assert problem.kind is ProblemKind.STANDSTILL
    lab.lag()
    assert lab.posted(ServesAgain) == []
    lab.link.bring_back()
    assert lab.posted(ServesAgain) == [ServesAgain()]
    assert lab.node.hub.serves(lab.s)


def test_a_log_that_brings_nothing_back_for_1_s_stands_still(lab: LoggedNode) -> None:
    lab.lag(1.0)  # sends a sign of life
    lab.lag(0.75)
    assert lab.posted(StandsStill) == []
    lab.lag(0.25)
    assert lab.posted(StandsStill) == [StandsStill()]
    lab.lag(0.25)
    assert lab.posted(StandsStill) == []


def test_a_node_that_has_sent_nothing_for_5_s_stands_still(lab: LoggedNode) -> None:
    lab.turn(1.0)
    lab.lag(5.0)
    assert lab.posted(StandsStill) == [StandsStill()]


def test_direct_messages_are_sent_at_once_when_a_node_serves_again(
    lab: LoggedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried: list[float] = []
    monkeypatch.setattr(lab.node.hub, "hurry_directs", lambda: hurried.append(lab.s))
    lab.lag(6.0)
    assert hurried == []
    lab.turn()
    lab.turn()
    assert hurried == [lab.s]


def test_users_are_sent_away_once_after_30_s(lab: LoggedNode) -> None:
    lab.lag(5.0)
    lab.lag(29.75)
    assert lab.posted(SendAway) == []
    lab.lag(0.25)
    assert lab.posted(SendAway) == [SendAway()]
    lab.lag(60.0)
    assert lab.posted(SendAway) == []


# --- what a node does from time to time ----------------------------------------------------------


def test_a_node_gives_a_sign_of_life_every_second(lab: LoggedNode) -> None:
    before = lab.link.count(SignOfLife)
    for _ in range(8):
        lab.turn(0.25)
    assert lab.link.count(SignOfLife) - before == 2


@pytest.mark.parametrize(("waiting", "afterwards"), [(511, 512), (512, 512)])
def test_commands_that_wait_are_signs_of_life_enough(
    lab: LoggedNode, waiting: int, afterwards: int
) -> None:
    for _ in range(8 + waiting):
        lab.node.proposer.submit(Nothing())
    lab.lag(1.0)
    assert lab.node.proposer.queued == afterwards


def test_clients_learn_which_nodes_are_up_when_that_changes(lab: LoggedNode) -> None:
    lab.other_comes_up(OTHER)
    lab.lag()
    lab.lag()
    assert lab.posted(NodesNamed) == [NodesNamed([OWN, OTHER])]
    lab.other(NodeLeave(), number=1)
    lab.turn()
    lab.lag()
    assert lab.posted(NodesNamed) == [NodesNamed([OWN])]
    lab.other_comes_up(OTHER, "[fd00::2]:5000", boot="b2")
    lab.lag()
    assert lab.posted(NodesNamed) == [NodesNamed([OWN, OTHER, "[fd00::2]:5000"], [1, 2])]


def test_a_node_without_addresses_is_not_named_to_clients(make: Make) -> None:
    lab = make(addresses=[OWN, "[fd00::1]:5000"])
    lab.node.start()
    lab.other_comes_up()
    assert lab.node.addresses() == [OWN, "[fd00::1]:5000"]
    assert lab.node.per_node() == [2]


def test_a_node_may_have_no_addresses_for_clients(make: Make) -> None:
    lab = make(addresses=[])
    lab.node.start()
    assert lab.node.addresses() == []
    assert lab.node.per_node() is UNSET


def test_own_addresses_are_known_before_the_node_is_up(make: Make) -> None:
    assert make().node.known_addresses() == [OWN]


def test_addresses_of_nodes_that_are_down_stay_known(lab: LoggedNode) -> None:
    lab.other_comes_up(OTHER)
    lab.other(NodeLeave(), number=1)
    lab.turn()
    assert lab.node.others() == {}
    assert set(lab.node.known_addresses()) == {OWN, OTHER}


def test_a_node_saves_its_place_every_5_s_if_the_chat_goes_on(
    make: Make, history: NotedHistory
) -> None:
    lab = make(log_of_others(), history)
    lab.link.at_a_time = 1
    lab.node.start()
    assert history.saved == [1], "as soon as the log has begun"
    lab.turn(60.0)
    del history.saved[:]
    join(lab)
    lab.turn(4.75)
    assert history.saved == []
    place = lab.node.replica.place
    lab.turn(0.25)
    assert history.saved == [place]
    lab.turn(5.0)
    lab.turn(5.0)
    assert history.saved == [place], "nobody has done anything since"


def test_a_node_saves_its_place_every_60_s_if_nothing_happens(
    make: Make, history: NotedHistory
) -> None:
    lab = make(log_of_others(), history)
    lab.node.start()
    lab.turn(60.0)
    del history.saved[:]
    for _ in range(59):
        lab.turn(1.0)
    lab.turn(0.75)
    assert history.saved == []
    lab.lag(0.25)
    assert history.saved == [lab.node.replica.place]
    lab.lag(60.0)
    assert len(history.saved) == 1, "the place is the same"


# --- what other nodes have -----------------------------------------------------------------------


@pytest.mark.parametrize("all_are_up", [True, False])
def test_a_page_with_holes_is_asked_for_only_if_no_node_is_down(
    lab: LoggedNode, *, all_are_up: bool
) -> None:
    join(lab)
    lab.other_comes_up(OTHER)
    if not all_are_up:
        lab.log.put(pack("c", 0, 0, [NodeUp("c1", 1, [], PYTHON)]))
        lab.log.put(pack("c", len(lab.log.entries), 1, [NodeLeave()]))
        lab.turn()
    mail: Any = Mail()
    lab.node.pages.ask(PageTicket(GetHistory(), mail, 7))
    question, done = lab.link.questions.pop()
    assert lab.link.asked == [("b", "page")]
    asked = msgspec.msgpack.decode(question, type=PageQuestion)
    assert (asked.log, asked.seq) == ("2026-11-22T15:00:00Z", lab.node.hub.events.last_seq)
    assert asked.seq > 0
    done(msgspec.msgpack.encode(PageAnswer(Verdict.LACKS)))
    if all_are_up:
        question, _ = lab.link.questions.pop()
        assert msgspec.msgpack.decode(question, type=PageQuestion).as_it_is
    else:
        (ready,) = mail.mails
        assert isinstance(ready, PageReady)
        assert isinstance(ready.page, Error)


def test_a_node_asks_for_what_its_history_lacks_once_it_is_up(
    make: Make, history: NotedHistory
) -> None:
    lab = make(log_of_others(seq=40), history)
    lab.link.takes_entries = False

    def look() -> None:
        assert lab.link.asked == []
        lab.link.takes_entries = lab.s > 1_000.2

    lab.while_asleep = look
    lab.node.start()
    lab.turn()
    assert lab.link.asked == [("b", "rows")]
    assert lab.node.pages is history
    mail: Any = Mail()
    history.ask(PageTicket(ListAttendance(), mail, 7))
    assert lab.link.asked[1:] == [("b", "page")]
    assert history.acknowledge_elsewhere is not None
    history.acknowledge_elsewhere([Receipt(mail, 7, 1, 41)])
    assert lab.link.asked[2:] == [("b", "kept")]
    question, _ = lab.link.questions.pop()
    asked = msgspec.msgpack.decode(question, type=KeptQuestion)
    assert asked.place == lab.node.replica.place


def test_a_node_gives_its_state_to_nodes_that_start(lab: LoggedNode, make: Make) -> None:
    answers: list[bytes] = []
    lab.link.served["all.state"](b"no question", answers.append)
    assert answers == []
    lab.log.entries[0] = lab.log.entries[0]._replace(data=b"")  # a replay would find no beginning
    fresh = make(lab.log)
    for subject in ("all.state", "node.a.state"):
        answers.clear()
        lab.link.served[subject](msgspec.msgpack.encode([]), answers.append)
        fresh.link.answers["state"] = answers[0]
    fresh.node.start()
    assert fresh.node.replica.epoch == lab.node.replica.epoch
    assert fresh.link.applied[0] == 3
    assert fresh.link.first_place == 4


def test_a_state_that_nobody_fetches_any_more_is_forgotten(lab: LoggedNode) -> None:
    answers: list[bytes] = []
    answer = lab.link.served["node.a.state"]
    answer(msgspec.msgpack.encode([]), answers.append)
    rest = msgspec.msgpack.encode([msgspec.msgpack.decode(answers[0])[1], 0])
    answer(rest, answers.append)
    assert len(answers) == 2
    lab.lag(31.0)
    answer(rest, answers.append)
    assert len(answers) == 2


def test_a_question_about_what_comes_later_is_answered_when_it_has_come(
    make: Make, history: NotedHistory
) -> None:
    lab = make(history=history)
    lab.node.start()
    answers: Queue[bytes] = Queue()
    question = KeptQuestion("2026-11-22T15:00:00Z", lab.node.replica.place + 1, [])
    lab.link.served["node.a.kept"](msgspec.msgpack.encode(question), answers.put)
    lab.turn()
    lab.lag()
    assert kept_answer(answers.get(timeout=WAIT_S)) == KeptAnswer([], has_records=True)


def test_letters_of_other_nodes_are_read_and_questions_to_them_given_up(lab: LoggedNode) -> None:
    lab.other_comes_up(OTHER)
    letter = letters.pack(letters.Envelope("b", [letters.LifeShown(1)]))
    lab.link.served["node.a.letters"](letter, pytest.fail)
    assert lab.node.measure().letters_received == 1
    mail: Any = Mail()
    assert lab.switchboard.challenge(Route("b", 7), Challenge(7, None, mail))
    lab.lag(10.0)
    assert mail.collect() == [ChallengeOver(None)]


# --- a log that has lost entries -----------------------------------------------------------------


def test_a_log_that_has_lost_entries_ends_the_node(lab: LoggedNode) -> None:
    lab.link.on_log_lost("it ends at 1")
    assert lab.failed == [
        "the common log has lost entries (it ends at 1; this node has applied 3): stop all "
        "nodes, then start the one that has applied the most with --new-log, then the others "
        "without it"
    ]


def test_a_node_that_has_fallen_behind_begins_anew(lab: LoggedNode) -> None:
    assert not lab.node.has_fallen_behind
    lab.link.on_hole(9)
    assert lab.begun_anew == 1
    assert lab.node.has_fallen_behind
    assert lab.failed == []


def test_a_log_that_loses_its_beginning_during_a_start_ends_the_node(make: Make) -> None:
    lab = make()
    lab.link.on_hole(9)
    assert lab.failed == ["the log begins at 9, and 0 entries were applied: start again"]
    assert lab.begun_anew == 0
    assert not lab.node.has_fallen_behind


# --- the end -------------------------------------------------------------------------------------


def test_a_node_leaves_the_chat_when_it_stops(make: Make, history: NotedHistory) -> None:
    lab = make(history=history)
    lab.node.start()
    lab.node.begin_to_stop()
    assert lab.node.hub.is_stopping
    begin = lab.s
    assert lab.node.stop(3.0)
    assert NodeLeave(CloseReason.SHUTDOWN) in lab.link.proposed
    assert lab.node.others() == {}
    assert lab.node.addresses() == []
    assert lab.s - begin < 0.1
    assert lab.link.stopped_within_s == pytest.approx(3.0 - (lab.s - begin))
    assert history.saved[-1] == lab.node.replica.place


def test_a_node_that_cannot_leave_keeps_time_for_its_link(lab: LoggedNode) -> None:
    lab.link.takes_entries, lab.pace_s = False, 0.25
    lab.node.stop(3.0)
    assert lab.link.stopped_within_s == 0.5
    lab.node.stop(0.1)
    assert lab.link.stopped_within_s == 0.2


def test_a_node_that_has_fallen_behind_does_not_wait_for_its_end_to_come_back(
    lab: LoggedNode,
) -> None:
    lab.link.on_hole(9)
    lab.node.stop(3.0)
    assert lab.link.count(NodeLeave) == 0
    assert lab.link.stopped_within_s == 3.0
