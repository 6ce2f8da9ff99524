"""Sessions that want messages alone get their own status changes too, each in its place."""

from collections.abc import Iterator

import pytest
from worker_bench import WorkerBench, socket_of

from tertulia.protocol.messages import (
    ChatMessage,
    CloseReason,
    Direct,
    Gap,
    Presence,
    Say,
    SetStatus,
)
from tertulia.server.workers.connection import Connection, State


class Bench(WorkerBench):
    """A bot that wants messages alone, and a user who talks."""

    def __init__(self, **options: float) -> None:
        super().__init__(rate_limit_per_s=None, **options)
        self.bot = self.join("bot", events="messages")
        self.ana = self.join("ana")

    def change(self, status: str = "OCUPADO") -> None:
        self.receive(self.bot, SetStatus(status=status))

    def say(self, text: str = "hola", who: Connection | None = None) -> None:
        self.receive(who or self.ana, Say(text=text))

    def story(self) -> list[str]:
        """Return what the bot has heard, in short."""
        shown = []
        for message in self.heard(self.bot):
            match message:
                case ChatMessage(text=text):
                    shown.append(text)
                case Presence(status=status, name="bot"):
                    shown.append(status)
                case Gap():
                    shown.append("gap")
                case _:
                    raise AssertionError(message)
        return shown


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_it_comes_among_the_messages_where_it_happened(bench):
    bench.say("one")
    bench.change("OCUPADO")
    bench.receive(bench.ana, SetStatus(status="OCUPADO"))
    bench.say("two")
    bench.change("ACTIVO")
    bench.change("INACTIVO")
    bench.say("three")
    assert bench.story() == ["one", "OCUPADO", "two", "ACTIVO", "INACTIVO", "three"]


def test_the_bot_is_in_step_again_afterwards(bench):
    bench.change()
    assert bench.story() == ["OCUPADO"]
    bench.receive(bench.ana, SetStatus(status="OCUPADO"))
    assert bench.story() == []
    bench.say("one")
    assert bench.story() == ["one"]


def test_it_comes_after_others_events_that_the_bot_is_not_sent(bench):
    for status in ("OCUPADO", "ACTIVO"):
        bench.receive(bench.ana, SetStatus(status=status))
    bench.change()
    assert bench.story() == ["OCUPADO"]


@pytest.mark.parametrize("room", range(0, 400, 7))
def test_wherever_the_socket_is_full_the_order_stays(bench, room):
    socket_of(bench.bot).room = room
    bench.say("one")
    bench.change("OCUPADO")
    bench.flush()
    bench.say("two")
    bench.change("ACTIVO")
    bench.flush()
    if bench.bot.blocked:
        bench.empty(bench.bot)
    bench.flush()
    assert bench.story() == ["one", "OCUPADO", "two", "ACTIVO"]


def test_a_change_that_a_request_causes_comes_before_what_the_request_says(bench):
    bench.hub.idle(bench.bot.session)
    bench.input.send_own_presence(bench.bot, bench.bot.session)
    bench.say("hola", who=bench.bot)
    assert bench.story() == ["INACTIVO", "ACTIVO", "hola"]


def test_a_gap_stands_for_the_changes_that_lie_in_it():
    bench = Bench(log_bytes=1_000)
    bench.fill(bench.bot)
    bench.change("OCUPADO")
    for _ in range(50):
        bench.say()
        bench.flush()
    bench.empty(bench.bot)
    assert bench.story() == ["gap"]
    bench.change("ACTIVO")
    bench.say("afterwards")
    assert bench.story() == ["ACTIVO", "afterwards"]
    assert bench.observer.gaps == 1
    bench.close()


def test_a_bot_that_does_not_take_a_thousand_of_them_is_slow(bench):
    bench.fill(bench.bot)
    for number in range(1_000):
        bench.change(("OCUPADO", "ACTIVO")[number % 2])
    bench.flush()
    assert bench.bot.state is State.REGISTERED
    bench.change("OCUPADO")
    bench.flush()
    assert bench.bot.state is State.CLOSED
    assert bench.observer.left == {CloseReason.SLOW: 1}


def test_what_is_left_of_them_goes_out_before_the_end(bench):
    bench.change("OCUPADO")
    bench.connections.finish(bench.bot, CloseReason.QUIT, None, bench.clock.s)
    assert bench.story() == ["OCUPADO"]


def test_at_the_end_they_come_in_their_places(bench):
    bench.say("one")
    bench.change("OCUPADO")
    bench.say("two")
    bench.connections.finish(bench.bot, CloseReason.QUIT, None, bench.clock.s)
    assert bench.story() == ["one", "OCUPADO", "two"]


def test_a_gap_at_the_end_stands_for_those_that_lie_in_it():
    bench = Bench(log_bytes=1_000)
    bench.fill(bench.bot)
    bench.change("OCUPADO")
    for _ in range(50):
        bench.say()
        bench.flush()
    bench.connections.finish(bench.bot, CloseReason.QUIT, None, bench.clock.s)
    bench.empty(bench.bot)
    assert bench.story() == ["gap"]
    bench.close()


def test_a_direct_message_from_oneself_is_activity_that_is_shown(bench):
    bench.hub.idle(bench.bot.session)
    bench.input.send_own_presence(bench.bot, bench.bot.session)
    bench.receive(bench.bot, Direct(to="ana", text="x"))
    assert bench.story() == ["INACTIVO", "ACTIVO"]
    assert bench.kinds(bench.ana) == ["DirectMessage", "Presence", "Presence"]
