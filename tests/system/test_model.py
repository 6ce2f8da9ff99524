"""The whole server against a small model of its users, their statuses and their messages.

Hypothesis invents conversations. After each step every user must have received exactly the events
of the model, with the same numbers and in the same order.
"""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from peers import BOTH_THREAD_MODELS

pytestmark = pytest.mark.long

EVENTS = ("message", "joined", "left", "presence")
STATUSES = ("ACTIVO", "OCUPADO", "INACTIVO")
SPELLINGS = {"ana": ("ana", "Ana", "ＡＮＡ"), "josé": ("josé", "JOSE\u0301"), "李": ("李",)}
ADDRESSES = ("127.8.0.1", "127.8.0.2", "127.8.0.3", "127.8.0.4")
TEXTS = st.text("añ\n\u202e🚀'\\\"", min_size=1).filter(str.strip)

names = st.sampled_from(sorted(SPELLINGS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(SPELLINGS[name]))
)


class User:
    """A connected user: what the model knows, and what the user's connection has received."""

    def __init__(self, peer, shown, events_before):
        self.peer = peer
        self.shown = shown  # the registered spelling of the name
        self.status = "ACTIVO"
        self.events_before = events_before  # how many events happened before the user joined
        self.seen = []
        self.directs = []  # received direct messages
        self.expected_directs = []

    def keep(self, messages):
        self.seen += [m for m in messages if m["type"] in EVENTS]
        self.directs += [(m["from"], m["text"]) for m in messages if m["type"] == "direct"]
        others = [m for m in messages if m["type"] not in (*EVENTS, "direct")]
        assert not others, f"unasked for: {others}"

    def ask(self, kind, **fields):
        """Return the answer to a request, and keep the messages that came before it."""
        self.peer.send(kind, id=7, **fields)
        *before, answer = self.peer.until_id(7)
        self.keep(before)
        return answer


class Chat(RuleBasedStateMachine):
    """The steps that users can take, and the expected effect of each."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.users = {}  # by the key of SPELLINGS
        self.events = []  # all events that the model expects
        self.observer = self.welcome("observer", "observer", server.peer())

    def teardown(self):
        self.server.part()

    # --- the model -----------------------------------------------------------------------------

    def welcome(self, name, spelling, peer, **fields):
        """Register a user whose name and address are free."""
        peer.send("register", name=spelling, id=1, **fields)
        peer.token = peer.expect("welcome", id=1, address=peer.source)["token"]
        self.users[name] = User(peer, spelling_in_nfc(spelling), len(self.events))
        return self.expect("joined", self.users[name])

    def expect(self, kind, user, **fields):
        """Add an event that every user must receive."""
        who = {"from" if kind == "message" else "name": user.shown}
        fields = fields if kind in ("message", "left") else {"status": user.status, **fields}
        self.events.append({"type": kind, **who, **fields})
        return user

    def gone(self, name, reason):
        """Remove a user, and wait until the server has done the same."""
        user = self.users.pop(name)
        self.observer.keep(self.observer.peer.until("left", name=user.shown))
        return self.expect("left", user, reason=reason)

    def someone(self, data):
        return data.draw(st.sampled_from(sorted(set(self.users) - {"observer"})), "who")

    def there_is_someone(self):
        return len(self.users) > 1

    def at(self, address):
        return next((u for u in self.users.values() if u.peer.source == address), None)

    # --- joining -------------------------------------------------------------------------------

    @rule(
        name=names,
        address=st.sampled_from(ADDRESSES),
        token=st.sampled_from([{}, {"token": "a wrong one"}]),
    )
    def register(self, name, address, token):
        name, spelling = name
        namesake, neighbour = self.users.get(name), self.at(address)
        peer = self.server.peer(address)
        if namesake is None and neighbour is None:
            self.welcome(name, spelling, peer, **token)
            return
        peer.send("register", name=spelling, id=1, **token)
        obstacle = namesake or neighbour
        if obstacle is neighbour:  # the server challenges it, and it answers
            obstacle.peer.answers_pings = False
            obstacle.peer.expect("ping")
            obstacle.peer.send("pong")
            obstacle.peer.answers_pings = True
        peer.expect_error("name_taken" if namesake else "address_taken", id=1)
        peer.expect_end()

    @precondition(there_is_someone)
    @rule(data=st.data(), address=st.sampled_from(ADDRESSES))
    def take_over(self, data, address):
        name = self.someone(data)
        old, neighbour = self.users[name], self.at(address)
        peer = self.server.peer(address)
        peer.send("register", name=old.shown, token=old.peer.token, id=1)
        if neighbour not in (None, old):
            peer.expect_error("address_taken", id=1)
            peer.expect_end()
            return
        peer.token = peer.expect("welcome", id=1, status=old.status)["token"]
        self.expect("left", old, reason="replaced")
        user = self.users[name] = User(peer, old.shown, len(self.events))
        user.status = old.status
        self.expect("joined", user)
        old.peer.wait_for_end()

    # --- leaving -------------------------------------------------------------------------------

    @precondition(there_is_someone)
    @rule(data=st.data(), how=st.sampled_from(["quit", "closed", "reset", "cut off"]))
    def go(self, data, how):
        name = self.someone(data)
        peer = self.users[name].peer
        match how:
            case "quit":
                peer.send("quit")
            case "closed":
                peer.half_close()
            case "reset":
                peer.reset()
            case "cut off":
                peer.send_raw(b'{"type":"say","text":"hol')
                peer.half_close()
        self.gone(name, "quit" if how in ("quit", "closed") else "lost")

    # --- talking ---------------------------------------------------------------------------------

    @precondition(there_is_someone)
    @rule(data=st.data(), text=TEXTS)
    def say(self, data, text):
        user = self.users[self.someone(data)]
        answer = user.ask("say", text=text)
        self.expect("message", user, text=text)
        assert answer["type"] == "ok"

    @precondition(there_is_someone)
    @rule(data=st.data(), text=TEXTS)
    def say_twice_with_one_nonce(self, data, text):
        user = self.users[self.someone(data)]
        nonce = f"{len(self.events)} {user.peer.token}"
        first = user.ask("say", text=text, nonce=nonce)
        assert user.ask("say", text=text, nonce=nonce) == first
        self.expect("message", user, text=text, nonce=nonce)

    @precondition(there_is_someone)
    @rule(data=st.data(), to=names, text=TEXTS)
    def direct(self, data, to, text):
        sender, receiver = self.users[self.someone(data)], self.users.get(to[0])
        answer = sender.ask("direct", to=to[1], text=text)
        if receiver is None:
            assert (answer["code"], answer["name"]) == ("user_not_connected", to[1])
        else:
            assert (answer["type"], answer["id"]) == ("ok", 7)
            receiver.expected_directs.append((sender.shown, text))

    @precondition(there_is_someone)
    @rule(data=st.data(), wrong=st.sampled_from([{"text": " "}, {"text": "\x1b"}, {"text": 5}, {}]))
    def say_what_cannot_be_said(self, data, wrong):
        assert self.users[self.someone(data)].ask("say", **wrong)["type"] == "error"

    # --- statuses and lists ----------------------------------------------------------------------

    @precondition(there_is_someone)
    @rule(data=st.data(), status=st.sampled_from(STATUSES))
    def set_status(self, data, status):
        user = self.users[self.someone(data)]
        assert user.ask("status", status=status)["type"] == "ok"
        if user.status != status:
            user.status = status
            self.expect("presence", user, by="user")

    @precondition(there_is_someone)
    @rule(data=st.data())
    def list_users(self, data):
        listed = self.users[self.someone(data)].ask("users")["users"]
        known = [{"name": u.shown, "status": u.status} for u in self.users.values()]
        assert sorted(map(str, listed)) == sorted(map(str, known))

    @precondition(there_is_someone)
    @rule(data=st.data(), name=names)
    def info(self, data, name):
        answer = self.users[self.someone(data)].ask("info", name=name[1])
        user = self.users.get(name[0])
        if user is None:
            assert (answer["code"], answer["name"]) == ("user_not_connected", name[1])
        else:
            expected = {"name": user.shown, "address": user.peer.source, "status": user.status}
            assert expected.items() <= answer.items()

    # --- what every user has received ----------------------------------------------------------

    @invariant()
    def everyone_has_seen_the_same(self):
        users = [self.observer, *(u for u in self.users.values() if u is not self.observer)]
        for user, messages in zip(users, self.server.sync(*(u.peer for u in users)), strict=True):
            user.keep(messages)
        told = [
            {k: v for k, v in m.items() if k not in ("seq", "time")} for m in self.observer.seen
        ]
        assert told == self.events
        seqs = [event["seq"] for event in self.observer.seen]
        assert all(before < seq for before, seq in pairwise(seqs))
        for user in users:
            assert user.seen == self.observer.seen[user.events_before :]
            assert user.directs == user.expected_directs


def spelling_in_nfc(spelling):
    """Return a name as the server shows it, in NFC."""
    return spelling.replace("E\u0301", "É")


@BOTH_THREAD_MODELS
def test_the_server_does_what_the_model_says(start, path):
    # A slow machine must not end a challenged session.
    server = start("--challenge-timeout", "60", "--register-timeout", "120")
    run_state_machine_as_test(
        lambda: Chat(server),
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
