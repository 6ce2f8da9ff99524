"""A Hub with a clock that stands, and the keeper of messages that it may have."""

from standing_clock import StandingClock

from tertulia.protocol.lines import encode
from tertulia.protocol.messages import ChatMessage, Error, Register, Say
from tertulia.server.config import Config
from tertulia.server.hub.directs import Delivery, Handover
from tertulia.server.hub.eventlog import Slice
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.keeper import Numbering
from tertulia.server.hub.records import Change, Record, Visit
from tertulia.server.hub.session import Receipt, Route, Session


class Owner:
    """A worker's stand-in: nothing is posted to it here."""

    def post(self, mail: object) -> bool:
        raise AssertionError(mail)


class Keeper:
    """A history's stand-in, which notes what it has to keep."""

    numbering = Numbering("epoch", 5_000, 6_000)

    def __init__(self) -> None:
        self.room = 100
        self.written: list[tuple[ChatMessage, Receipt]] = []
        self.confirmed: list[Receipt] = []
        self.rows: list[Record] = []  # of an earlier run
        self.kept: list[tuple[list[Change], Receipt | None]] = []  # but for the attendance
        self.visits: list[Visit] = []
        self.reserved: list[int] = []

    def nonces(self, now: object) -> list[tuple[int, str, str, str]]:
        return [(4_900, "2026-11-22T15:00:00.000Z", "ana", "kept")]

    def records(self, kind):
        return [row for row in self.rows if type(row) is kind]

    def keep(self, changes, receipt=None) -> None:
        assert changes or receipt is not None  # otherwise there is nothing to do
        self.visits += [change for change in changes if isinstance(change, Visit)]
        others = [change for change in changes if not isinstance(change, Visit)]
        if others or receipt is not None:
            self.kept.append((others, receipt))

    def reserve_space(self) -> bool:
        self.room -= 1
        return self.room >= 0

    def write(self, message: ChatMessage, receipt: Receipt) -> None:
        self.written.append((message, receipt))

    def acknowledge(self, receipt: Receipt) -> None:
        self.confirmed.append(receipt)

    def reserve_soon(self, seq: int) -> None:
        self.reserved.append(seq)


class Chat:
    """A hub with a clock of its own, and shorthands."""

    def __init__(self, keeper: Keeper | None = None, **options) -> None:
        self.clock = StandingClock()
        self.owner = Owner()
        self.joined = 0
        self.keeper = keeper
        self.hub = Hub(
            Config(port=0, **options),
            keeper,
            monotonic=self.clock.monotonic,
            wall=self.clock.wall,
        )
        self.directs = self.hub.direct_messages

    def register(self, name, address="10.0.0.1", *, may_challenge=False, **fields):
        self.joined += 1
        request = Register(id=1, name=name, **fields)
        route = Route("", self.joined)
        return self.hub.register(request, address, route, may_challenge=may_challenge)

    def join(self, name, address=None, **fields) -> Session:
        outcome = self.register(name, address or f"10.0.1.{self.joined}", **fields)
        assert isinstance(outcome, Registered), outcome
        return outcome.session

    def say(self, session, text="hola", **fields):
        return self.hub.say(session, Say(text=text, **fields), self.owner)

    def hand_over(self, session, request, handover=Handover.DONE):
        """Send a direct message, and say what became of its delivery."""
        delivery = self.directs.accept(session, request)
        assert isinstance(delivery, Delivery), delivery
        return self.directs.end_delivery(session, request, delivery, handover)

    def events(self) -> list:
        """All events that there have been."""
        kept = []

        def keep(event) -> bytes:
            kept.append(event)
            return encode(event)

        first = 0 if self.keeper is None else self.keeper.numbering.last_seq
        events = self.hub.events.read(first, 10_000_000, keep)
        assert events is None or isinstance(events, Slice)
        assert [event.seq for event in kept] == [first + n for n in range(1, len(kept) + 1)]
        return kept


def code(outcome) -> str | None:
    return outcome.code if isinstance(outcome, Error) else None
