"""Gives a starting node the common state: from its own file, another node, or the log.

The main thread runs this before the node comes up. The link's thread calls `on_genesis`, when
it has read the first entries of the log, and `place`, also later.
"""

import contextlib
import secrets
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from tertulia.i18n import _
from tertulia.protocol.names import parse_name
from tertulia.protocol.times import rfc3339
from tertulia.server.cluster import snapshot as snapshots
from tertulia.server.cluster.commands import Genesis, Rules, pack
from tertulia.server.cluster.genesis import check_rules, make_first_entries, rules_of
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.link import Link
from tertulia.server.cluster.replica import Replica
from tertulia.server.cluster.snapshot import Snapshot
from tertulia.server.cluster.stream import StreamState, all_subject, node_subject
from tertulia.server.cluster.transfer import fetch
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import Config
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.records import Place, Records, no_records
from tertulia.server.hub.room_state import KnownNonce, RoomState


class Bootstrap:
    """Brings one node to the common state.

    `begun` is set once the Hub and the history have that state. Until then, `first_entries`, if
    there are any, have to be published again and again.
    """

    def __init__(
        self,
        config: Config,
        history: NodeHistory | None,
        hub: NodeHub,
        link: Link,
        fail: Callable[[str], None],
    ) -> None:
        """`fail(text)` ends the program with an error."""
        self._config = config
        self._history = history
        self._hub = hub
        self._link = link
        self._fail = fail
        self._rules = rules_of(config)
        self.replica: Replica
        self.log = ""  # when the stream was made, as the name of the log
        self.first_entries: list[bytes] = []
        self._own_log = ""  # the name of a log that this node begins
        self.begun = threading.Event()
        self.problem: Exception | None = None  # why `on_genesis` has failed
        self.states_fetched = 0  # from other nodes, since the start

    def check_alone(self) -> None:
        """Raise ClusterUnusable if another process is this node, or a log to remove is in use.

        Also raises OSError or sqlite3.Error, if the disk is full and a log would have to begin.
        """
        config = self._config
        if self._link.ask(node_subject(config.chat, config.node, "hello"), b"", 1.0) is not None:
            raise ClusterUnusable(another_process(config.node))
        if config.new_log and self._fetch_state() is not None:
            raise ClusterUnusable(
                _("--new-log would take the chat away from the nodes that serve it: stop them")
            )
        if config.new_log:
            self._check_disk()

    def find_state(self, stream: StreamState) -> None:
        """Begin with the state in this node's file, with another node's state, or at entry 1."""
        config, history = self._config, self._history
        self.log = stream.created
        place = None if history is None else history.place
        if config.new_log or (place is not None and place.chat != config.chat):
            place = None
        own = None
        if place is not None and place.log == self.log:
            if place.place > stream.last:
                raise ClusterUnusable(lost_log(_("the log ends before it"), place.place))
            if place.place + 1 >= stream.first:
                own = snapshots.unpack(place.state)
        elif place is not None and not stream.messages:
            raise ClusterUnusable(lost_log(_("the log is gone"), place.place))
        if own is not None and not self._lacks_nonces(own):
            self._resume_own(own)
            return
        is_begun_here = self._was_beginning(stream)
        data = None if is_begun_here or not stream.messages else self._fetch_state()
        if data is not None:
            other = snapshots.unpack(data)
            if other is None:
                raise ClusterUnusable(update_me())
            self._resume_other(other)
        elif own is not None:
            self._resume_own(own)
        elif stream.first > 1:
            raise ClusterUnusable(
                _(
                    "the log does not reach back to its beginning, and no other node answers: "
                    "first start a node that was running recently, or begin a new log with "
                    "--new-log"
                )
            )
        elif not stream.messages:
            self.first_entries = self._new_log()

    def _was_beginning(self, stream: StreamState) -> bool:
        """Return whether this node may have begun the log when it ended, before it had a place.

        If so, the log has to be read from its beginning: only then is it known whose it is.
        """
        config, beginning = self._config, None if self._history is None else self._history.beginning
        if beginning is None or config.new_log or stream.first > 1:
            return False
        if (beginning.chat, beginning.log) != (config.chat, self.log):
            return False
        self._own_log = beginning.state.decode()
        return True

    def _lacks_nonces(self, own: Snapshot) -> bool:
        """Return whether other nodes may know nonces that this node's file does not have.

        A state that was saved while rows were missing contains its nonces. An earlier one does not,
        and rows are missing if the disk failed after it was saved.
        """
        missing = [] if self._history is None else self._history.missing
        return not own.room.nonces and any(one.of == "messages" for one in missing)

    def offer_log(self) -> None:
        """Begin the log, since no node has completed it; the first complete beginning counts."""
        if not self.first_entries and not self.begun.is_set():
            self.first_entries = self._new_log()

    def _fetch_state(self) -> bytes | None:
        def ask(node: str, question: bytes, timeout_s: float) -> bytes | None:
            chat = self._config.chat
            subject = node_subject(chat, node, "state") if node else all_subject(chat, "state")
            return self._link.ask(subject, question, timeout_s)

        return fetch(ask)

    def _check_disk(self) -> None:
        """Raise an error if this node could not write that it has begun a log."""
        if self._history is not None and self._history.opening_problem is not None:
            raise self._history.opening_problem

    def _new_log(self) -> list[bytes]:
        self._check_disk()
        history = self._history
        records: Records = no_records
        epoch, seq = secrets.token_hex(8), 0
        if history is not None:
            epoch = history.numbering.epoch if not self._config.new_log else epoch
            seq, records = history.numbering.last_seq, history.records
        moment = datetime.now(UTC)
        nonces = [] if history is None else known_nonces(history.nonces_at(moment, seq))
        now = rfc3339(moment)
        self._own_log = secrets.token_hex(8)
        if history is not None:
            # If this node ends before it has a place, the log must not seem to be of others.
            history.note_beginning(self._config.chat, self.log, self._own_log)
        entries = make_first_entries(self._own_log, epoch, seq, self._rules, records, now, nonces)
        return [pack(self._config.node, 0, 0, commands) for commands in entries]

    def _resume_own(self, own: Snapshot) -> None:
        history = self._history
        assert history is not None
        moment = datetime.fromtimestamp(own.nodes.time_ms / 1_000, UTC)
        if not own.room.nonces:
            own.room.nonces = known_nonces(history.nonces_at(moment, own.seq))
        self._check(own.rules)
        self.replica.resume(own)
        self._hub.resume(own.epoch, own.seq, own.room)
        self._start_with(own.epoch, own.seq)

    def _resume_other(self, other: Snapshot) -> None:
        self._check(other.rules)
        self._check_history(other.seq)
        self.replica.resume(other)
        self.states_fetched += 1
        self._adopt(other.epoch, other.seq, other.room, misses=True)

    def on_genesis(self, genesis: Genesis, state: RoomState) -> None:
        """Begin with the first entries of the log, which are complete. The link's thread."""
        is_own = genesis.log == self._own_log
        try:
            self._check(genesis.rules)
            if not is_own:
                self._check_history(genesis.seq)
        except ClusterUnusable as error:
            self._fail(str(error))
            return
        self.first_entries = []
        try:
            self._adopt(genesis.epoch, genesis.seq, state, misses=not is_own)
        except (OSError, sqlite3.Error) as error:  # handled like a history that cannot be opened
            self.problem = error

    def _check(self, rules: Rules) -> None:
        check_rules(self._rules, rules)

    def _check_history(self, seq: int) -> None:
        """Raise ClusterUnusable if the history has messages that are not those of the chat.

        A chat that has begun again, with a new log, goes on above all numbers that were given out,
        unless it was begun from a node that did not know the latest ones.
        """
        history = self._history
        if history is None or not history.last_stored:
            return
        place = history.place
        if place is None or place.chat != self._config.chat:
            text = _(
                "the history {path} has messages that are not in the chat of these nodes: give "
                "this node another file with --history FILE"
            )
        elif place.log != self.log and history.last_stored > seq:
            text = _(
                "the history {path} has later messages than the chat of these nodes: to go on with "
                "them, stop all nodes and start this one with --new-log; to go on without them, "
                "give this node another file with --history FILE"
            )
        else:
            return
        raise ClusterUnusable(text.format(path=history.path))

    def _adopt(self, epoch: str, seq: int, state: RoomState, *, misses: bool) -> None:
        """Begin with a state that is not this node's own; its file may lack earlier rows."""
        visits = self._hub.resume(epoch, seq, state)
        history = self._history
        if history is not None:
            own = None if history.place is None else snapshots.unpack(history.place.state)
            lost_at = rfc3339(datetime.fromtimestamp(self.replica.log_time(), UTC))
            history.adopt(epoch, seq)
            # Before the place is saved: after a crash in between, they would not be fetched.
            if misses:
                history.note_missing(0 if own is None else own.seq, seq)
            else:
                history.end_visits()
            history.replace_records([*state.all_records(), *visits, self.place()], lost_at)
        self._start_with(epoch, seq)

    def place(self) -> Place:
        """Return where this node is in the log, and its state there."""
        # If rows are missing in the file, so are their nonces: then the state has to contain them.
        misses = self._history is not None and bool(self._history.missing)
        state = snapshots.pack(self.replica.snapshot(with_nonces=misses), with_nonces=misses)
        chat, place = self._config.chat, self.replica.place
        return Place(chat=chat, log=self.log, place=place, state=state)

    def _start_with(self, epoch: str, seq: int) -> None:
        assert self.replica.executor is not None
        self.replica.executor.resume()
        if self._history is not None:
            with signals_blocked():
                self._history.start()
            self._history.reserve_soon(seq)
        self.begun.set()


def known_nonces(
    rows: Iterable[tuple[int, str, str, str]],
) -> list[KnownNonce]:
    """Return the nonces of messages in the form that RoomState has."""
    found = []
    for number, said_at, sender, nonce in rows:
        name = parse_name(sender)
        if name is not None:
            said_ms = round(datetime.fromisoformat(said_at).timestamp() * 1_000)
            found.append((name.key, nonce, said_ms / 1_000, number))
    return found


def another_process(node: str) -> str:
    """Return the error for two processes with the same node name."""
    return _(
        "another process is already node {node} of this chat: stop it, or give this one "
        "another name with --node"
    ).format(node=node)


def lost_log(what: str, place: int) -> str:
    """Return the error for a log that has lost entries."""
    return _(
        "the common log has lost entries ({what}; this node has applied {place}): stop all "
        "nodes, then start the one that has applied the most with --new-log, then the others "
        "without it"
    ).format(what=what, place=place)


def update_me() -> str:
    """Return the error for a version that is too old for the chat."""
    return _("the chat's nodes run a later version than this one: update tertulia here")


def differs(node: str, place: int) -> str:
    """Return the error for two nodes with different states at the same place."""
    return _(
        "this node and {node} have come to different states by entry {place}: that is a fault in "
        "tertulia; stop all nodes, then start one with --new-log, then the others without it"
    ).format(node=node, place=place)


def nothing_comes() -> str:
    """Return the error for a log that makes no progress during a start."""
    return _(
        "the nats-servers do not bring back what this node sends: check that most of them are "
        "running, and read their logs"
    )


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block signals in the threads that are started meanwhile; another thread handles them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
