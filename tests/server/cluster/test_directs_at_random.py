"""Whatever happens to direct messages between nodes, each request is answered, and no `ok` lies.

Users write to each other, confirm, move and leave, while nodes lag behind the log and letters get
lost, in an order that a seed decides. Then everything settles, and nobody may still be waiting.
"""

import random
from typing import Any

import pytest
from letters_bench import Room

from tertulia.protocol.messages import UNSET, Answer, CloseReason, Direct, Ok
from tertulia.server.cluster import letters
from tertulia.server.hub.directs import Queued, Reply
from tertulia.server.hub.session import Route, Session
from tertulia.server.workers.mail import Replies

NAMES = ("ana", "eva", "leo", "sol")
STEPS = 400
SEEDS = [*range(8), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(8, 40))]


class Play(Room):
    """Four users at three nodes."""

    def __init__(self, seed: int, losses: float) -> None:
        super().__init__("a", "b", "c")
        self.random = random.Random(seed)
        self.losses = losses
        self.users: dict[str, tuple[str, Session]] = {}
        self.waiting: dict[tuple[Route, int], str] = {}  # the texts of requests without an answer
        self.gone: set[Route] = set()  # sessions whose clients do not listen any more
        self.answers: dict[str, list[Answer]] = {}  # by the text
        self.seen: set[str] = set()
        self.receipts: dict[str, dict[int, str]] = {}  # what a user has had under each of them
        self.last: dict[str, int] = {}  # the last receipt that a session has had
        self.requests = 0
        self.replies: list[Reply] = []
        for name in "abc":
            self._listen(name)
        for name, node in zip(NAMES, "abca", strict=True):
            self.enter(name, node)

    def _listen(self, node: str) -> None:
        mail, post = self[node].mail, self[node].mail.post

        def note(letter: Any) -> bool:
            if isinstance(letter, Replies):
                self.replies += letter.rows
            return post(letter)

        mail.post = note  # type: ignore[method-assign]

    def enter(self, name: str, node: str, **fields: Any) -> None:
        address = f"10.1.0.{NAMES.index(name)}"
        session = self[node].join(name, address, receipts=True, **fields)
        self.users[name] = node, session
        self.last[name] = 0

    # --- what may happen -----------------------------------------------------------------------

    def step(self) -> None:
        steps = {
            self.write: 8, self.carry_some: 12, self.take_some: 8, self.catch_up: 6,
            self.confirm_some: 6, self.wait: 4, self.write_again: 2, self.move_one: 2,
            self.leave: 0.7,
        }  # fmt: skip
        self.random.choices(list(steps), list(steps.values()))[0]()
        self.collect()

    def write(self) -> None:
        sender, receiver = self.random.choice(NAMES), self.random.choice(NAMES)
        self.ask(sender, f"{sender} {receiver} {self.requests}")

    def write_again(self) -> None:
        if self.waiting:
            text = self.random.choice(list(self.waiting.values()))
            self.ask(text.split()[0], text)

    def ask(self, sender: str, text: str) -> None:
        """Send a message, whose text is its nonce."""
        node, session = self.users[sender]
        self.requests += 1
        request = Direct(id=self.requests, to=text.split()[1], text=text, nonce=text)
        outcome = self[node].hub.direct_messages.accept(session, request)
        if isinstance(outcome, Queued):
            self.waiting[session.route, self.requests] = text
        elif outcome is not None:
            assert isinstance(outcome, Answer)
            self.answers.setdefault(text, []).append(outcome)

    def carry_some(self) -> None:
        for _ in range(self.random.randint(0, len(self.air))):
            to, data = self.air.pop(0)
            if self.random.random() >= self.losses:
                self.peers[to].receive(data)

    def take_some(self) -> None:
        self.receive(self.random.choice(NAMES))

    def receive(self, name: str) -> None:
        node, session = self.users[name]
        for text, receipt in self.take(node, session):
            assert text.split()[1] == name, "nobody else's"
            assert receipt > self.last[name], "in order"
            assert self.receipts.setdefault(name, {}).setdefault(receipt, text) == text
            self.last[name] = receipt
            self.seen.add(text)

    def confirm_some(self) -> None:
        self.acknowledge(self.random.choice(NAMES))

    def acknowledge(self, name: str) -> None:
        node, session = self.users[name]
        if session.is_here and self.last[name]:
            self.confirm(node, session, self.last[name])

    def move_one(self) -> None:
        name, to = self.random.choice(NAMES), self.random.choice("abc")
        node, session = self.users[name]
        self[to].settle()
        self.gone.add(session.route)
        self.enter(name, to, token=self[node].tokens[session.route.number])

    def leave(self) -> None:
        name = self.random.choice(NAMES)
        node, session = self.users[name]
        self[node].hub.release(session, CloseReason.LOST)
        self[node].settle()
        self.gone.add(session.route)
        self.receipts.pop(name, None)
        self.enter(name, self.random.choice("abc"))

    def wait(self) -> None:
        self.pass_time(self.random.choice([0.1, 0.3, 1.0, 3.0]))

    def catch_up(self) -> None:
        self[self.random.choice("abc")].settle()

    # --- what has to come of it ----------------------------------------------------------------

    def collect(self) -> None:
        """Note the answers that have come late."""
        replies, self.replies = self.replies, []
        for reply in replies:
            if reply.answer.id is not UNSET and reply.route not in self.gone:
                text = self.waiting.pop((reply.route, reply.answer.id))  # one answer for each
                self.answers.setdefault(text, []).append(reply.answer)

    def end(self) -> None:
        """Let everything settle."""
        for _ in range(60):
            self.settle()
            self.carry()
            for name in NAMES:
                self.receive(name)
                self.acknowledge(name)
            self.pass_time(0.5)
        self.carry()
        self.collect()

    def check(self) -> None:
        assert [key for key in self.waiting if key[0] not in self.gone] == []
        for text, answers in self.answers.items():
            assert text in self.seen or not any(isinstance(one, Ok) for one in answers)
        self.pass_time(60.0)
        left = [one for one in self.carry() if not isinstance(one, letters.Known)]
        assert left == [], "nothing is on the way any more"


@pytest.mark.parametrize("losses", [0.0, 0.25])
@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_each_request_is_answered_and_what_was_confirmed_was_seen(
    seed: int, losses: float
) -> None:
    play = Play(seed, losses)
    for _ in range(STEPS):
        play.step()
    play.end()
    play.check()
    assert any(isinstance(one, Ok) for answers in play.answers.values() for one in answers)
