"""Runs one node of a cluster: it gets the common state, follows the log, and comes up.

The main thread calls `start`, `begin_to_stop` and `stop`. The callbacks of the link's thread apply
entries, propose commands and give signs of life.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from msgspec import UNSET, UnsetType

from tertulia.i18n import _
from tertulia.protocol.measures import ClusterMeasures, Problem
from tertulia.protocol.messages import CloseReason
from tertulia.server.cluster import snapshot as snapshots
from tertulia.server.cluster.bootstrap import (
    Bootstrap,
    another_process,
    differs,
    lost_log,
    nothing_comes,
    signals_blocked,
    update_me,
)
from tertulia.server.cluster.collector import NodeCollector
from tertulia.server.cluster.commands import FormatTooNew, NodeLeave, SignOfLife
from tertulia.server.cluster.executor import Executor
from tertulia.server.cluster.fetcher import Fetcher
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.inbox import Done
from tertulia.server.cluster.kept_elsewhere import KeptElsewhere
from tertulia.server.cluster.link import Link
from tertulia.server.cluster.pauses import Pauses
from tertulia.server.cluster.peer_history import HistoryResponder, NodeContext
from tertulia.server.cluster.peers import Peers
from tertulia.server.cluster.proposer import Proposer
from tertulia.server.cluster.relay import PageRelay
from tertulia.server.cluster.replica import Diverged, Entry, Replica
from tertulia.server.cluster.stream import all_subject, node_subject
from tertulia.server.cluster.transfer import StateSender
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.mail import Pages
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.ordered import NodesNamed, SendAway, ServesAgain, StandsStill
from tertulia.server.workers.mail import Mail
from tertulia.server.workers.switchboard import Switchboard

log = logging.getLogger("tertulia.server")

SERVES_FOR_S = 5.0  # after sending the latest batch that has come back; then requests are held
# After this time without a batch coming back, a `ping` is answered before held requests.
_STANDS_STILL_S = 1.0
_SIGN_OF_LIFE_S = 1.0
_ENOUGH_QUEUED = 512  # commands; they are signs of life, too, so no other is added
_SAVE_EVERY_S = 5.0  # save the place in the log, if it has changed
_SAVE_AT_LEAST_EVERY_S = 60.0
_RESEND_AFTER_S = 0.5
_MAX_UNWRITTEN = 20_000  # rows that wait for the history's writer; beyond that the node lags
_LAG_STEP_S = 0.01
# Longest wait for the history; then the link's thread first handles its connection again.
_MAX_LAG_S = 1.0
_NO_PROGRESS_S = 30.0  # while catching up with the log; then the start fails
_OFFER_AFTER_S = 3.0  # without a new entry, in a log whose beginning is incomplete


class Node:
    """This node. Its workers use `hub`."""

    def __init__(
        self,
        config: Config,
        history: NodeHistory | None,
        addresses: Callable[[], list[str]],
        fail: Callable[[str], None],
        begin_anew: Callable[[], None],
    ) -> None:
        """`addresses` returns the addresses at which clients find this node.

        `fail` ends the program; `begin_anew` has this node replaced by a new one, which fetches the
        state of another node.
        """
        self._config = config
        self._history = history
        self._fail = fail
        self._begin_anew = begin_anew
        self.has_fallen_behind = False  # so far that the log no longer has the next entry
        self.hub = NodeHub(config, history, self._log_time, time.monotonic)
        self.link = Link(
            *(config.cluster, config.chat, config.node, config.cluster_credentials),
            on_entries=self._on_entries,
            on_tick=self._on_tick,
            on_log_lost=self._on_log_lost,
            on_hole=self._on_hole,
        )
        self.proposer = Proposer(
            *(config.node, addresses, self._publish, self.link.call, time.monotonic)
        )
        self._bootstrap = bootstrap = Bootstrap(config, history, self.hub, self.link, fail)
        self.replica = bootstrap.replica = Replica(self.hub, self.proposer, bootstrap.on_genesis)
        self.hub.nodes, self.hub.per_node = self.addresses, self.per_node
        self._sender = StateSender(config.node, self._packed_state)
        context = NodeContext(
            log=lambda: bootstrap.log,
            place=lambda: self.replica.place,
            seq=lambda: self.hub.events.last_seq,
            up=lambda: sorted(self.others()),
            are_all_up=self._are_all_up,
            ask=self._ask,
            call=self.link.call,
        )
        self._responder = HistoryResponder(history, context)
        self._fetcher = None if history is None else Fetcher(history, context)
        relay = PageRelay(history, context, self.hub.events)
        self.pages: Pages = relay if history is None else history  # for the workers
        if history is not None:
            history.ask_elsewhere = relay.ask
            history.acknowledge_elsewhere = KeptElsewhere(context).acknowledge
        self._first_sent = 0.0
        self._is_caught_up = False
        self._pauses = Pauses(config.node)
        self._alive_at = self._saved_at = 0.0
        self._saved_place = self._saved_seq = 0
        self._named: list[str] = []  # the addresses of the nodes, as clients know them
        self._post: Callable[[Mail], None] = _nobody
        self._wake: Callable[[float], None] = _nobody

    def attach(
        self,
        switchboard: Switchboard,
        post_to_all: Callable[[Mail], None],
        wake_all: Callable[[float], None],
    ) -> None:
        """Set the workers' parts. Before `start`."""
        self._post, self._wake = post_to_all, wake_all
        self.replica.executor = executor = Executor(self.hub, switchboard)
        self.peers = Peers(
            *(self._config.chat, self._config.node, self.hub, self.link, self.proposer),
            *(switchboard, executor.session_at, lambda: set(self.replica.nodes.up())),
            self._config.challenge_timeout_s,
        )
        self.hub.attach(self.proposer, switchboard.mailbox_of)
        self._collector = NodeCollector(
            *(self._config, self._history, self.hub, self.link, self.proposer),
            *(self._bootstrap, self._sender, self.peers),
        )

    # --- the start, on the main thread ---------------------------------------------------------

    def start(self) -> None:
        """Connect, get the common state, and come up.

        Starts the history. Raises ClusterUnusable, OSError or sqlite3.Error.
        """
        config, link = self._config, self.link
        with signals_blocked():
            link.start()
        self._bootstrap.check_alone()
        if config.new_log:
            link.delete_stream()
        stream = link.open_stream()
        self._bootstrap.find_state(stream)
        link.serve(node_subject(config.chat, config.node, "hello"), lambda _data, reply: reply(b""))
        link.serve(self._subject("letters"), lambda data, _reply: self.peers.receive(data))
        link.consume_from(self.replica.place + 1)
        self._catch_up(stream.last)
        self._is_caught_up = True
        self._wait_until(lambda: self.proposer.incarnation > 0)
        self._named = self.addresses()  # clients that come from now on read them in `welcome`
        for verb in (all_subject(config.chat, "state"), self._subject("state")):
            link.serve(verb, self._answer_state)
        for verb, answer in self._responder.verbs.items():
            link.serve(self._subject(verb), answer)
        log.info("node serves node=%s others=%s", config.node, ",".join(self.others()) or "-")

    def _catch_up(self, last: int) -> None:
        """Wait until everything that was in the log is applied, and the log has begun."""
        progress, since = -1, time.monotonic()
        while self.replica.place < last or not self._bootstrap.begun.is_set():
            if self.replica.place > progress:
                progress, since = self.replica.place, time.monotonic()
            if self._bootstrap.problem is not None:
                raise self._bootstrap.problem
            self.link.check_permissions()
            still_s = time.monotonic() - since
            if still_s > _NO_PROGRESS_S:
                raise ClusterUnusable(nothing_comes())
            if still_s > _OFFER_AFTER_S and self.replica.place >= last:
                self._bootstrap.offer_log()
            time.sleep(0.005)

    def _wait_until(self, is_done: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + _NO_PROGRESS_S
        while not is_done():
            self.link.check_permissions()
            if time.monotonic() > give_up_at:
                raise ClusterUnusable(nothing_comes())
            time.sleep(0.005)

    # --- the link's thread ---------------------------------------------------------------------

    def _log_time(self) -> float:
        return self.replica.log_time() if hasattr(self, "replica") else 0.0

    def _publish(self, data: bytes) -> None:
        self.link.propose(data, self.replica.place)

    def _on_entries(self, entries: Sequence[Entry]) -> None:
        replica, proposer = self.replica, self.proposer
        self.hub.activity.executing, self.hub.applied_at = threading.get_ident(), time.monotonic()
        try:
            for entry in entries:
                if entry.place > replica.place:
                    replica.apply(entry)
        except FormatTooNew:
            self._fail(update_me())
        except Diverged as diverged:
            self._fail(differs(str(diverged), replica.place))
        finally:  # elsewhere, this thread does not change the common state
            self.hub.activity.executing = None
        own = replica.nodes.by_name.get(self._config.node)
        if proposer.incarnation and own is not None and own.incarnation != proposer.incarnation:
            if own.is_up:
                self._fail(another_process(self._config.node))
            self._give_up_incarnation()
        proposer.send_queued()
        self._note_serving()
        assert replica.executor is not None
        replica.executor.post_outcomes()
        self._wake(time.monotonic())
        self._wait_for_history()

    def _wait_for_history(self) -> None:
        """Read no faster than the disk writes: the node lags behind, but loses nothing."""
        give_up_at = time.monotonic() + _MAX_LAG_S
        while self._history is not None and self._history.queued[0] > _MAX_UNWRITTEN:
            if time.monotonic() > give_up_at:
                return
            time.sleep(_LAG_STEP_S)

    def _give_up_incarnation(self) -> None:
        """Come up again, since the other nodes have released the users of this one."""
        if self.hub.is_stopping:
            self.proposer.give_up_incarnation()
            return
        log.warning("node was declared dead, comes up again node=%s", self._config.node)
        assert self.replica.executor is not None
        self.replica.executor.report_lost(self.proposer.give_up_incarnation())

    def _note_serving(self) -> None:
        """Work out until when this node serves, and let held requests continue."""
        now = time.monotonic()
        until = self.proposer.synced_at + SERVES_FOR_S if self.proposer.incarnation else 0.0
        self.hub.serve_until(until)
        if self.hub.serves_again(now):
            self._post(ServesAgain())
        stands_still = now >= until or now - self.proposer.waits_since(now) >= _STANDS_STILL_S
        if self.hub.note_stillness(stands_still=stands_still):
            self._post(StandsStill())
        if not self.hub.is_stopping and self._pauses.note(now < until, now):
            self.hub.hurry_directs()

    def _on_tick(self) -> None:
        now = time.monotonic()
        if self._bootstrap.first_entries and now - self._first_sent >= _RESEND_AFTER_S:
            self._first_sent = now
            for entry in self._bootstrap.first_entries:
                self._publish(entry)
        if self._bootstrap.begun.is_set() and not self._saved_place:
            self._save_place()
        if not self._is_caught_up:
            return
        if not self.hub.is_stopping or self.proposer.incarnation:
            self.proposer.tick()
        is_due = self.proposer.incarnation and now - self._alive_at >= _SIGN_OF_LIFE_S
        if is_due and self.proposer.queued < _ENOUGH_QUEUED:
            self._alive_at = now
            self.proposer.submit(SignOfLife(*self.replica.latest_digest()))
        self._note_serving()
        if self._pauses.send_away(now):
            self._post(SendAway())
        self._name_nodes()
        is_news = self.hub.events.last_seq != self._saved_seq
        if now - self._saved_at >= (_SAVE_EVERY_S if is_news else _SAVE_AT_LEAST_EVERY_S):
            self._save_place()
        self._sender.tidy()
        self.peers.tick()
        self._responder.tick()
        if self._fetcher is not None and self.proposer.incarnation:
            self._fetcher.tick()

    def _name_nodes(self) -> None:
        """Tell this node's clients which nodes are up, if that has changed."""
        nodes = self.addresses()
        if self.proposer.incarnation and nodes != self._named:
            self._named = nodes
            self._post(NodesNamed(nodes, self.per_node()))

    def _are_all_up(self) -> bool:
        return all(node.is_up for node in self.replica.nodes.by_name.values())

    def _ask(self, node: str, verb: str, data: bytes, timeout_s: float, done: Done) -> None:
        self.link.request(node_subject(self._config.chat, node, verb), data, timeout_s, done)

    def _save_place(self) -> None:
        if self._history is not None and self.replica.place != self._saved_place:
            self._saved_at, self._saved_seq = time.monotonic(), self.hub.events.last_seq
            self._saved_place = self.replica.place
            self.hub.save(self._bootstrap.place())

    def _packed_state(self) -> bytes | None:
        return snapshots.pack(self.replica.snapshot())

    def _answer_state(self, question: bytes, reply: Callable[[bytes], None]) -> None:
        answer = self._sender.answer(question)
        if answer is not None:
            reply(answer)

    def _on_log_lost(self, words: str) -> None:
        self._fail(lost_log(words, self.replica.place))

    def _on_hole(self, first: int) -> None:
        """Begin anew: the log no longer has the next entry, so the state comes from elsewhere."""
        place = self.replica.place
        if self._named:  # it has come up
            log.warning(
                "node fell behind, begins anew node=%s log_begins=%d place=%d",
                *(self._config.node, first, place),
            )
            self.has_fallen_behind = True
            self._begin_anew()
            return
        self._fail(
            _("the log begins at {first}, and {place} entries were applied: start again").format(
                first=first, place=place
            )
        )

    # --- any thread ----------------------------------------------------------------------------

    def others(self) -> dict[str, list[str]]:
        """Return the other nodes that are up, with their addresses for clients."""
        up = self.replica.nodes.up()
        return {name: node.addresses for name, node in up.items() if name != self._config.node}

    def measure(self) -> ClusterMeasures:
        """Return the figures of this moment."""
        return self._collector.measure()

    def problem(self) -> Problem | None:
        """Return why this node does not serve; None if it serves."""
        return self._collector.problem()

    def addresses(self) -> list[str]:
        """Return the addresses, for clients, of the nodes that are up; this one is first."""
        return [address for addresses in self._by_node() for address in addresses]

    def per_node(self) -> list[int] | UnsetType:
        """Return how many of `addresses` each node has; UNSET if each has one."""
        counts = [len(addresses) for addresses in self._by_node()]
        return counts if max(counts, default=0) > 1 else UNSET

    def _by_node(self) -> list[list[str]]:
        own = self.replica.nodes.up().get(self._config.node)
        found = [[] if own is None else own.addresses, *self.others().values()]
        return [addresses for addresses in found if addresses]

    def known_addresses(self) -> list[str]:
        """Return the addresses, for clients, of all nodes, also of those that are down."""
        known = list(self.replica.nodes.by_name.values())
        return [
            *self.proposer.addresses,
            *(address for node in known for address in node.addresses),
        ]

    def _subject(self, verb: str) -> str:
        return node_subject(self._config.chat, self._config.node, verb)

    # --- the end, on the main thread -----------------------------------------------------------

    def begin_to_stop(self) -> None:
        """Allow users who are sent away to take their sessions to another node."""
        self.hub.is_stopping = True

    def stop(self, timeout_s: float) -> bool:
        """Leave the chat, and end the link; return whether that was done in time."""
        give_up_at = time.monotonic() + timeout_s
        if not self.has_fallen_behind:  # otherwise it cannot read its own NodeLeave
            self.proposer.submit(NodeLeave(CloseReason.SHUTDOWN))
            while self.proposer.incarnation and time.monotonic() < give_up_at - 0.5:
                time.sleep(0.005)
        self.link.call(self._save_place)
        return self.link.stop(max(0.2, give_up_at - time.monotonic()))


def _nobody(_what: object) -> None:
    """Ignore a call; used until the workers are known."""
