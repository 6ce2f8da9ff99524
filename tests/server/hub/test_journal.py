"""The journal on one machine: each change has its time, and its number is reserved before."""

import threading

import pytest
from standing_clock import START_TIME, StandingClock

from tertulia.protocol.messages import ChatMessage, CloseReason, Left, Presence, Status
from tertulia.protocol.names import Name, parse_name
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.nonces import RecentNonces
from tertulia.server.hub.room import Entered, Newcomer, Room
from tertulia.server.hub.session import Route, Session

NEXT_TIME = "2026-11-22T15:04:07.123Z"


class Chat:
    """A journal, and the numbers that it has asked to be reserved."""

    def __init__(self, *, reserves: bool) -> None:
        self.clock = StandingClock()
        self.events = EventLog(threading.Lock(), 1_000_000)
        self.reserved: list[tuple[int, int]] = []  # with the last number in use by then
        room = Room(self.events, RecentNonces(600, 10), shared_addresses=False, max_users=10)
        reserve = self._reserve if reserves else None
        self.journal = Journal(room, self.events, self.clock.wall, reserve)

    def _reserve(self, seq: int) -> None:
        self.reserved.append((seq, self.events.last_seq))

    def enter(self, token: str | None = None) -> Entered:
        name = parse_name("ana")
        assert isinstance(name, Name)
        newcomer = Newcomer(name, "10.0.0.1", token, False, True)
        outcome = self.journal.register(newcomer, Route("", 1), "token", self.clock.s)
        assert isinstance(outcome, Entered)
        return outcome


@pytest.fixture(params=[True, False], ids=["numbers-reserved", "numbers-free"])
def chat(request: pytest.FixtureRequest) -> Chat:
    return Chat(reserves=request.param)


def play(chat: Chat) -> Session:
    """Call every verb once; the last one appends the event with the number 4."""
    session = chat.enter().session
    chat.clock.s += 2
    message = chat.journal.say(session, "hola", "n", chat.clock.s)
    assert message == ChatMessage(seq=2, time=NEXT_TIME, sender="ana", text="hola", nonce="n")
    assert chat.journal.say(session, "hola", "n", chat.clock.s) == 2
    chat.journal.show_status(session, Status.OCUPADO, "user")
    assert chat.journal.release(session, CloseReason.QUIT)
    return session


def test_every_verb_is_applied_at_once_with_the_time_of_the_wall_clock(chat):
    session = play(chat)
    assert (session.since, session.last_active) == (START_TIME, 1_000.0)
    presence = Presence(seq=3, time=NEXT_TIME, name="ana", status=Status.OCUPADO, by="user")
    assert session.own_presence == [presence]
    events = chat.events.read(3, 1_000, lambda event: repr(event).encode())
    assert (
        events.data
        == repr(Left(seq=4, time=NEXT_TIME, name="ana", reason=CloseReason.QUIT)).encode()
    )
    assert not chat.journal.release(session, CloseReason.QUIT)


def test_numbers_are_reserved_before_every_event_for_the_two_of_a_taking_over():
    chat = Chat(reserves=True)
    play(chat)
    assert chat.reserved == [(2, 0), (3, 1), (4, 2), (4, 2), (5, 3)]
    chat.enter()
    old = chat.events.last_seq
    chat.enter(token="token")
    assert chat.reserved[-1] == (old + 2, old)
    assert chat.events.last_seq == old + 2
