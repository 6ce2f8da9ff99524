"""Exchanges letters with the other nodes, outside the log.

Any thread may post letters; those for one node are sent together. The link's thread reads those
that come, and calls `tick`. Lock order: Hub, then this.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tertulia.protocol.messages import Error, GetInfo, UserInfo
from tertulia.server.cluster.commands import Nothing
from tertulia.server.cluster.hub import NodeHub
from tertulia.server.cluster.letters import (
    Accepted,
    Answer,
    AskArrived,
    AskIdle,
    AskLife,
    Confirmed,
    Envelope,
    Forward,
    HandedOver,
    IdleFor,
    Known,
    Letter,
    LifeShown,
    NotHere,
    SeenThrough,
    pack,
    unpack,
)
from tertulia.server.cluster.link import Link
from tertulia.server.cluster.proposer import Proposer, Ticket
from tertulia.server.cluster.stream import node_subject
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.ordered import Ordered, OrderedRow
from tertulia.server.hub.session import Owner, Route, Session
from tertulia.server.workers.mail import Challenge, ChallengeOver, DirectsWaiting, Replies
from tertulia.server.workers.switchboard import Switchboard

log = logging.getLogger("tertulia.server")

_MAX_LETTERS = 200  # in one message
_MAX_BYTES = 512 * 1024  # approximately, of one message; NATS has a limit of 1 MiB
_IDLE_WITHIN_S = 1.0
_MAX_IDLE_S = 1e9  # a larger number is not a valid answer
_CHALLENGE_MARGIN_S = 2.0


class _IdleAsked(NamedTuple):
    owner: Owner
    number: int
    request: GetInfo
    info: UserInfo
    until: float


class _LifeAsked(NamedTuple):
    challenge: Challenge
    until: float


class _Questioner:
    """Stands in for a worker of another node that challenges a session of this one."""

    def __init__(self, peers: "Peers", node: str, question: int) -> None:
        self._peers = peers
        self._node = node
        self._question = question

    def post(self, mail: Any) -> bool:
        """Report to the other node: a session's end once that has come back from the log."""
        if isinstance(mail, ChallengeOver):
            self._peers.proposer.submit(Nothing(), Ticket(self, 0, None))
        else:
            self._peers.post(self._node, LifeShown(self._question))
        return True


class Peers:
    """Sends this node's letters, and keeps its questions until they are answered."""

    def __init__(
        self,
        chat: str,
        node: str,
        hub: NodeHub,
        link: Link,
        proposer: Proposer,
        switchboard: Switchboard,
        session_at: Callable[[Route], Session | None],
        nodes_up: Callable[[], set[str]],
        challenge_s: float,
    ) -> None:
        """`challenge_s`: seconds that a challenged session has to show that it is alive."""
        self._chat = chat
        self._node = node
        self._hub = hub
        self._link = link
        self.proposer = proposer
        self._switchboard = switchboard
        self._session_at = session_at
        self._nodes_up = nodes_up
        self._challenge_s = challenge_s
        self._lock = threading.Lock()
        self._outbox: dict[str, list[Letter]] = {}
        self._is_flush_due = False
        self._questions = itertools.count(1)
        self._idle_asked: dict[int, _IdleAsked] = {}
        self._life_asked: dict[int, _LifeAsked] = {}
        self.letters_sent = self.letters_received = 0
        hub.meet(self)
        switchboard.other_nodes = self

    # --- for the parts of this node ------------------------------------------------------------

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served by this node."""
        return session.route.node == self._node

    def is_up(self, node: str) -> bool:
        """Return whether a node is up."""
        return node in self._nodes_up()

    def post(self, node: str, letter: Letter) -> None:
        """Send a letter to a node. Any thread; under the Hub's lock too."""
        with self._lock:
            self._outbox.setdefault(node, []).append(letter)
            if self._is_flush_due:
                return
            self._is_flush_due = True
        self._link.call(self._flush)

    def tell_all(self, letter: Letter) -> None:
        """Send a letter to every other node that is up."""
        for node in self._nodes_up():
            if node != self._node:
                self.post(node, letter)

    def _flush(self) -> None:
        with self._lock:
            self._is_flush_due = False
            outbox, self._outbox = self._outbox, {}
        for node, letters in outbox.items():
            subject = node_subject(self._chat, node, "letters")
            for part in _parts(letters):
                self.letters_sent += len(part)
                self._link.publish(subject, pack(Envelope(self._node, part)))

    def wake(self, session: Session) -> None:
        """Have a session of this node sent the direct messages that wait for it."""
        self._switchboard.post(session.route, DirectsWaiting(session.route.number))

    def send_replies(self, node: str, replies: list[Reply]) -> None:
        """Send sessions of another node the refusals among their late answers."""
        for reply in replies:
            if isinstance(reply.answer, Error):
                self.post(node, Answer(reply.route.number, reply.answer))

    def challenge(self, node: str, challenge: Challenge) -> bool:
        """Ask a session of another node for a sign of life."""
        if not self.is_up(node):
            return False
        question = next(self._questions)
        until = time.monotonic() + self._challenge_s + _CHALLENGE_MARGIN_S
        with self._lock:
            self._life_asked[question] = _LifeAsked(challenge, until)
        self.post(node, AskLife(question, challenge.session_number))
        return True

    def ask_idle(self, owner: Owner, number: int, request: GetInfo, info: UserInfo) -> None:
        """Ask a user's node how long the user has been idle, to answer a request."""
        question = next(self._questions)
        session = self._hub.find(info.name)
        until = time.monotonic() + _IDLE_WITHIN_S
        with self._lock:
            self._idle_asked[question] = _IdleAsked(owner, number, request, info, until)
        if session is not None:
            self.post(session.route.node, AskIdle(question, session.route.number))

    # --- the link's thread ---------------------------------------------------------------------

    def tick(self) -> None:
        """Give up questions without an answer; have lost direct messages sent again."""
        now = time.monotonic()
        with self._lock:
            late_idle = [q for q, asked in self._idle_asked.items() if now >= asked.until]
            late_life = [q for q, asked in self._life_asked.items() if now >= asked.until]
        for question in late_idle:
            self._on_idle(IdleFor(question, -1.0))
        for question in late_life:
            self._on_life_shown(LifeShown(question))
        with self._hub.lock:
            self._hub.directs.tick()

    def receive(self, data: bytes) -> None:
        """Handle letters of another node. An exception is logged, and its letter is dropped."""
        envelope = unpack(data)
        if envelope is None:
            return
        self.letters_received += len(envelope.letters)
        replies: list[Reply] = []
        for letter in envelope.letters:
            try:
                replies += self._read(envelope.sender, letter)
            except Exception:
                log.exception("fault in a letter of node=%s", envelope.sender)
        if replies:
            self._switchboard.send(replies)

    def _read(self, sender: str, letter: Letter) -> list[Reply]:
        directs = self._hub.directs
        match letter:
            case Forward():
                with self._hub.lock:
                    directs.on_forward(sender, letter, self._own(letter.to))
            case Accepted():
                with self._hub.lock:
                    directs.on_accepted(letter)
            case Confirmed():
                with self._hub.lock:
                    return directs.on_confirmed(letter)
            case AskArrived():
                with self._hub.lock:
                    directs.on_ask_arrived(sender, letter)
            case NotHere():
                with self._hub.lock:
                    directs.on_not_here(letter)
            case HandedOver():
                with self._hub.lock:
                    directs.on_handed_over(letter, self._own(letter.to))
            case Known():
                with self._hub.lock:
                    directs.on_known(letter)
            case AskLife():
                self._on_ask_life(sender, letter)
            case LifeShown():
                self._on_life_shown(letter)
            case AskIdle():
                session = self._own(letter.session)
                if session is not None:
                    seconds = time.monotonic() - session.last_active
                    self.post(sender, IdleFor(letter.question, seconds))
            case IdleFor():
                self._on_idle(letter)
            case SeenThrough():
                session = self._session_at(Route(sender, letter.session))
                if session is not None:
                    self._hub.note_seen(session, letter.seq)
            case Answer():
                self._on_answer(letter)
        return []

    def _own(self, number: int) -> Session | None:
        return self._session_at(Route(self._node, number))

    def _on_ask_life(self, sender: str, letter: AskLife) -> None:
        questioner = _Questioner(self, sender, letter.question)
        challenge = Challenge(letter.session, None, questioner)
        if not self._switchboard.post(Route(self._node, letter.session), challenge):
            questioner.post(ChallengeOver(None))

    def _on_life_shown(self, letter: LifeShown) -> None:
        with self._lock:
            asked = self._life_asked.pop(letter.question, None)
        if asked is not None:
            asked.challenge.reply_to.post(ChallengeOver(asked.challenge.newcomer))

    def _on_idle(self, letter: IdleFor) -> None:
        with self._lock:
            asked = self._idle_asked.pop(letter.question, None)
        if asked is None:
            return
        info = asked.info
        if 0.0 <= letter.seconds <= _MAX_IDLE_S:
            info = UserInfo(
                id=info.id,
                name=info.name,
                address=info.address,
                status=info.status,
                since=info.since,
                idle=int(letter.seconds),
            )
        asked.owner.post(Ordered([OrderedRow(asked.number, asked.request, info)]))

    def _on_answer(self, letter: Answer) -> None:
        route = Route(self._node, letter.to)
        self._switchboard.post(route, Replies([Reply(route, letter.error)]))


def _parts(letters: list[Letter]) -> list[list[Letter]]:
    """Split letters into messages that NATS can carry."""
    parts: list[list[Letter]] = [[]]
    size = 0
    for letter in letters:
        own = 256 + (4 * len(letter.message.text) if isinstance(letter, Forward) else 0)
        own += 64 * len(letter.rows) if isinstance(letter, HandedOver) else 0
        own += 9 * len(letter.numbers) if isinstance(letter, AskArrived) else 0
        if parts[-1] and (size + own > _MAX_BYTES or len(parts[-1]) >= _MAX_LETTERS):
            parts.append([])
            size = 0
        parts[-1].append(letter)
        size += own
    return parts
