"""The journal on one machine: each change has its time, and its number is reserved before."""

import threading
from datetime import UTC, datetime

import hub_chat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standing_clock import START_TIME, StandingClock

from tertulia.protocol.messages import BecomeOperator, CloseReason, ListUsers, SetStatus
from tertulia.protocol.moderation import (
    ImposeBan,
    ImposeMute,
    Kick,
    LiftMute,
    PinMessage,
    SetHush,
    SetLock,
)
from tertulia.protocol.times import rfc3339
from tertulia.server.hub.eventlog import EventLog
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.journal import Journal, Stamps
from tertulia.server.hub.records import Hook

NEXT_TIME = "2026-11-22T15:04:07.123Z"
SECONDS = st.floats(-5.0, 5.0) | st.floats(-1e9, 4e9)


@given(st.lists(SECONDS, min_size=1, max_size=20))
def test_stamps_follow_the_clock_wherever_it_goes(clock: list[float]) -> None:
    moments = iter(clock)
    stamps = Stamps(lambda: next(moments))
    for seconds in clock:
        second, ms = divmod(int(seconds * 1_000), 1_000)
        expected = datetime.fromtimestamp(second, UTC).replace(microsecond=ms * 1_000)
        assert stamps.now() == rfc3339(expected)


def test_only_what_has_changed_since_the_last_stamp_is_formatted(monkeypatch) -> None:
    asked: list[datetime] = []

    def noted(moment: datetime) -> str:
        asked.append(moment)
        return rfc3339(moment)

    monkeypatch.setattr("tertulia.server.hub.journal.rfc3339", noted)
    moments = iter([7.001, 7.001, 7.002, 8.0])
    stamps = Stamps(lambda: next(moments))
    first, same, later, last = (stamps.now() for _ in range(4))
    assert same is first
    assert [moment.second for moment in asked] == [7, 8], "a second is formatted once"
    assert (later, last) == ("1970-01-01T00:00:07.002Z", "1970-01-01T00:00:08.000Z")


@pytest.mark.parametrize("reserves", [True, False])
def test_a_change_has_the_time_of_the_wall_clock_and_room_for_the_events_of_a_taking_over(reserves):
    clock, reserved = StandingClock(), []
    events = EventLog(threading.Lock(), 1_000_000, last_seq=7)
    journal = Journal(events, clock.wall, reserved.append if reserves else None)
    assert journal.stamp() == START_TIME
    clock.s += 2
    assert journal.stamp(40) == NEXT_TIME
    assert reserved == ([9, 47] if reserves else [])


class Keeper(hub_chat.Keeper):
    """Compares, when it is asked for numbers, with those in use by then."""

    def __init__(self) -> None:
        super().__init__()
        self.through = self.numbering.last_seq
        self.rows = [Hook(key=hash_of("secret"), name="build", operator="ana", time=START_TIME)]

    def reserve_soon(self, seq: int) -> None:
        self.through = max(self.through, seq)


def test_no_verb_of_the_chat_appends_an_event_that_has_no_reserved_number():
    chat = hub_chat.Chat(keeper := Keeper())
    hub, moderator = chat.hub, chat.hub.moderator
    append, seen = hub.events.append, []

    def checked(event) -> None:
        assert event.seq <= keeper.through
        assert event.time == chat.hub._time()
        seen.append(type(event).__name__)
        append(event)

    def join(name, address=None, **fields):
        keeper.through = hub.events.last_seq  # nothing is left over from the verb before
        return chat.join(name, address, **fields)

    def verb(step, *arguments) -> None:
        keeper.through = before = hub.events.last_seq
        step(*arguments)
        assert hub.events.last_seq > before

    def order(request) -> None:
        verb(moderator.carry_out, ana, request, chat.owner)

    hub.events.append = checked
    ana, old = join("ana"), join("luis")
    chat.clock.s += 2
    join("luis", token=old.token)
    verb(moderator.promote, ana, BecomeOperator(secret="x"))
    verb(chat.say, ana)
    said = hub.events.last_seq
    verb(hub.notices.say, "secret", "build ok", chat.owner)
    verb(hub.set_status, ana, SetStatus(status="OCUPADO"))
    verb(hub.idle, ana)
    verb(hub.users, ana, ListUsers())  # shows the chosen status again
    for name in ("uno", "dos", "tres"):
        user = join(name, "10.0.8.1")
        order(ImposeMute(name=name))
        verb(hub.release, user, CloseReason.QUIT)
    join("cuatro", "10.0.8.1")
    for request in (
        LiftMute(name="cuatro"),
        *(SetHush(on=True), SetLock(on=True), SetLock(on=False)),
        *(PinMessage(seq=said), PinMessage()),
        Kick(name="luis"),
    ):
        order(request)
    many = [join(f"user{number}", f"10.0.9.{number}") for number in range(5)]
    order(ImposeBan(address="10.0.9.0/24"))
    assert not any(user.is_here for user in many)
    verb(hub.release, ana, CloseReason.QUIT)
    assert set(seen) == {
        *("Joined", "Left", "Presence", "ChatMessage", "Role"),
        *("Muted", "Unmuted", "Hushed", "Locked", "Pinned"),
    }
    assert seen.count("Unmuted") == 3
