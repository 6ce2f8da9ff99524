"""A full screen for a test, without a terminal or a network, with its user and its server."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict
from plain_table import LOST, Clock, StubClient
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from tertulia.chat.destination import Destination
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.activity import Resumption
from tertulia.client.client import Client
from tertulia.client.errors import ConnectFailure, End, NoConnection
from tertulia.client.nodes import Nodes
from tertulia.client.reconnect import Attempt, Reconnector
from tertulia.protocol.attendance import AskSeenBy, SeenBy
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    HistoryPage,
    Joined,
    Left,
    ListUsers,
    Ok,
    Presence,
    Request,
    Say,
    Search,
    ServerMessage,
    SetStatus,
    Status,
    StoredMessage,
    User,
    UserInfo,
    UserList,
)
from tertulia.protocol.moderation import BanList, BanRow, ImposeBan, ListBans
from tertulia.tui.app import ChatApp
from tertulia.tui.connecting import Connecting
from tertulia.tui.ending import Ending
from tertulia.tui.loopbell import LoopBell
from tertulia.tui.model.chatmodel import ChatModel
from tertulia.tui.model.conversations import Conversation
from tertulia.tui.model.timeline import Said
from tertulia.tui.widgets.panes import Pane

WAIT_S = 20.0  # for what has to come, on a slow machine too
WIDE, USUAL, SMALL = SIZES = ((120, 36), (80, 24), (60, 20))
DAY, CLOCK = "2026-11-22", "15:04:05.000"
PEOPLE = {"ana": Status.ACTIVO, "luis": Status.OCUPADO, "José": Status.ACTIVO}


class SeenClient(StubClient):
    """A client whose server answers at once, except to the kinds of requests in `held`."""

    def __init__(self, table: "ChatTable", **options: Any) -> None:
        super().__init__(table.seq, **options)
        self.table = table
        self.held: set[type[Request]] = set()

    @property
    def has_arrivals(self) -> bool:
        return bool(self._arrivals)

    def send(self, request: Request) -> int:
        request_id = super().send(request)
        if type(request) not in self.held:
            self.answer(request_id)
        return request_id

    def answer(self, request_id: int) -> None:
        for message in self.table.answers(self.sent[request_id - 1], request_id):
            self.arrive(message)

    def arrive(self, message: Any) -> None:
        super().arrive(message)
        self.table.bell.ring()

    def sent_of(self, kind: type[Request]) -> list[Any]:
        return [request for request in self.sent if isinstance(request, kind)]


class ScriptedAttempt(Attempt):
    """A first attempt whose outcome the test sets."""

    given_up = False

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__(self._never, ring)

    def _never(self) -> Client:
        raise NotImplementedError

    def come_to(self, outcome: Client | Exception) -> None:
        self._outcome = outcome
        self._notify()

    def give_up(self) -> None:
        self.given_up = True
        super().give_up()


class ChatTable:
    """The screen of ana, with methods for what she does and what the server sends."""

    app: ChatApp
    pilot: Pilot[Ending]

    def __init__(
        self,
        clock: Clock,
        *,
        people: dict[str, Status] | None = None,
        history: Sequence[ChatMessage] | None = (),
        connected: bool = True,
        name: str = "ana",
        nodes: Nodes | None = None,
        **options: Any,
    ) -> None:
        self.clock = clock
        self.people = dict(PEOPLE if people is None else people)
        self.history = None if history is None else list(history)
        self.seq = 10 + len(self.history or ())
        self.refusals: dict[type[Request], Error] = {}
        self.bell = LoopBell()
        self.attempt = ScriptedAttempt(self.bell.ring)
        self.client = SeenClient(self)
        self.outcome: Client | Exception = NoConnection(ConnectFailure.REFUSED)
        self.reconnector = Reconnector(self._connect, self.bell.ring, nodes=nodes)
        self.rings = 0
        self.seen: list[str] = []  # those who have seen every message
        self.code: str | None = None  # typed into the dialog
        self.introduction = ""  # of a server that is met for the first time
        self._connected = connected
        self._options = options
        self._to = Destination(name, "192.168.1.10", 5000)

    def _attempt_with(self, code: str) -> ScriptedAttempt:
        self.code = code
        self.attempt = ScriptedAttempt(self.bell.ring)
        return self.attempt

    def _connect(self, _resumption: Resumption) -> Client:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def run(
        self,
        scenario: Callable[["ChatTable"], Awaitable[None]],
        size: tuple[int, int] = WIDE,
    ) -> None:
        """Run the app, and the scenario in it."""

        async def main() -> None:
            connecting = Connecting(
                self._to, self.attempt, self.reconnector, self.bell, self._attempt_with,
                Whereabouts(self._to, self.reconnector.nodes, lambda: self.introduction),
            )  # fmt: skip
            self.app = ChatApp(connecting, **self._options)
            self.app.bell = self._ring  # type: ignore[method-assign]
            async with self.app.run_test(size=size) as self.pilot:
                if self._connected:
                    await self.connect()
                await scenario(self)

        asyncio.run(main())

    def _ring(self) -> None:
        self.rings += 1

    # --- what the server does ------------------------------------------------------------------

    def answers(self, request: Request, request_id: int) -> list[ServerMessage]:
        """Return what a friendly server sends when it gets a request."""
        refusal = self.refusals.get(type(request))
        if refusal is not None:
            return [Error(**asdict(refusal) | {"id": request_id})]
        match request:
            case AskSeenBy(seq=seq):
                others = [name for name in self.people if name != self._to.name]
                not_seen = [name for name in others if name not in self.seen]
                return [
                    SeenBy(id=request_id, seq=seq, seen=self.seen, not_seen=not_seen, unknown=[])
                ]
            case ListBans():
                return [BanList(id=request_id, bans=[BanRow(name="eva", by="ana")])]
            case ListUsers() | ImposeBan(check=True):
                users = [User(name=name, status=status) for name, status in self.people.items()]
                return [UserList(id=request_id, seq=self.seq, users=users)]
            case GetHistory() | Search() if self.history is None:
                code = ErrorCode.HISTORY_OFF
                return [Error(id=request_id, code=code, message="no history")]
            case GetHistory() | Search():
                return [self._page(request, request_id)]
            case GetInfo(name=name) if name not in self.people:
                code = ErrorCode.USER_NOT_CONNECTED
                return [Error(id=request_id, code=code, message="nobody", name=name)]
            case Direct(to=name) if name.casefold() not in map(str.casefold, self.people):
                code = ErrorCode.USER_NOT_CONNECTED
                return [Error(id=request_id, code=code, message="nobody", name=name)]
            case GetInfo(name=name):
                since = f"{DAY}T09:00:00Z"
                return [
                    UserInfo(
                        id=request_id, name=name, address="192.168.1.21",
                        status=self.people[name], since=since, idle=75,
                    )
                ]  # fmt: skip
            case SetStatus(status=status):
                return [self.presence("ana", Status(status)), Ok(id=request_id)]
            case Say(text=text, nonce=nonce):
                return [self.said(text, "ana", nonce=nonce), Ok(id=request_id, seq=self.seq)]
        return [Ok(id=request_id)]

    def _page(self, request: GetHistory | Search, request_id: int) -> HistoryPage:
        found = self.history or []
        if request.before is not UNSET:
            found = [message for message in found if message.seq < request.before]
        if isinstance(request, Search):
            found = [message for message in found if request.text in message.text]
        elif request.after is not UNSET:
            found = [message for message in found if message.seq > request.after]
        kept = found[-request.limit :]
        stored = [StoredMessage(**asdict(message)) for message in kept]
        return HistoryPage(id=request_id, messages=stored, more=len(kept) < len(found))

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def said(self, text: str, sender: str = "luis", time: str = "", **fields: Any) -> ChatMessage:
        message = ChatMessage(
            seq=self._next(), time=time or f"{DAY}T{CLOCK}Z", sender=sender, text=text, **fields
        )
        if self.history is not None:
            self.history.append(message)
        return message

    def joined(self, name: str) -> Joined:
        self.people[name] = Status.ACTIVO
        time = f"{DAY}T{CLOCK}Z"
        return Joined(seq=self._next(), time=time, name=name, status=Status.ACTIVO)

    def left(self, name: str, reason: str = "quit") -> Left:
        self.people.pop(name, None)
        return Left(seq=self._next(), time=f"{DAY}T{CLOCK}Z", name=name, reason=reason)

    def presence(self, name: str, status: Status) -> Presence:
        self.people[name] = status
        time = f"{DAY}T{CLOCK}Z"
        return Presence(seq=self._next(), time=time, name=name, status=status, by="user")

    async def hear(self, *messages: ServerMessage) -> None:
        """Let messages arrive, and wait until the screen shows them."""
        for message in messages:
            self.client.arrive(message)
        await self.settle()

    async def connect(self) -> None:
        """Let the first attempt succeed."""
        self.attempt.come_to(self.client)
        await self.until(lambda: self.app.model is not None)
        await self.settle()

    async def lose(self, end: End = LOST) -> None:
        """Lose the connection."""
        self.client.end = end
        self.bell.ring()
        await self.until(lambda: not self.model.chat.connected)
        await self.settle()

    async def come_back(self, **options: Any) -> None:
        """Let the planned attempt succeed."""
        self.client = SeenClient(self, **options)
        self.outcome = self.client
        assert self.reconnector.wake_at is not None
        self.clock.now = self.reconnector.wake_at
        self.bell.ring()
        await self.until(lambda: self.model.chat.connected)
        await self.settle()

    # --- what the person does ------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        await self.app._press_keys(keys)  # as the pilot does, which then waits a second time
        await self.settle()

    async def enter(self, text: str) -> None:
        """Type a line, and press Enter."""
        self.composer.insert(text)
        await self.press("enter")

    async def clear(self) -> None:
        """Close all dialogs, and open the general chat with an empty composer."""
        await self.press("escape", "escape")
        self.app.controller.navigation.open("")
        self.composer.load("")
        await self.press("ctrl+end")

    async def click(self, widget: str | Widget, offset: tuple[int, int] = (1, 0)) -> None:
        assert await self.pilot.click(widget, offset=offset), f"{widget} is not there"
        await self.settle()

    async def click_on(self, text: str) -> None:
        """Click on the first letter of a text, wherever it stands."""
        for y, row in enumerate(self.rows):
            before, found, _ = row.partition(text)
            if found:
                return await self.click_at(cell_len(before), y)
        raise AssertionError(f"{text!r} is not on the screen:\n{self.shown}")

    async def click_at(self, x: int, y: int, times: int = 1) -> None:
        # A click that is not on a widget is one on the screen, for whoever looks at the event.
        widget, region = self.app.get_widget_at(x, y)
        await self.pilot.click(widget, offset=(x - region.x, y - region.y), times=times)
        await self.settle()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"it has not come:\n{self.shown}"
            await asyncio.sleep(0.002)

    async def settle(self) -> None:
        """Wait until everything that has arrived is received and shown."""
        await self.pilot._wait_for_screen()
        await self.until(lambda: not self.client.has_arrivals and not self.bell._rung)
        await self.pilot.pause()
        await self.until(lambda: not self.client.has_arrivals and not self.bell._rung)

    # --- what there is to see ------------------------------------------------------------------

    @property
    def model(self) -> ChatModel:
        assert self.app.model is not None
        return self.app.model

    @property
    def current(self) -> Conversation:
        """Return the open conversation."""
        return self.app.controller.current

    @property
    def composer(self) -> Any:
        return self.app.main.composer

    @property
    def log(self) -> Any:
        return self.app.main.log_view

    @property
    def strips(self) -> list[Strip]:
        """Return the rows of the screen, in their styles."""
        return self.app.screen._compositor.render_strips()

    @property
    def rows(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips]

    @property
    def shown(self) -> str:
        return "\n".join(self.rows) + "\n"

    @property
    def hint(self) -> str:
        hint = self.app.main.query_one("#hint")
        return str(hint.render()) if hint.display else ""

    def item(self, selector: str) -> str:
        widget = self.app.main.query_one(selector)
        return str(widget.render()) if widget.display else ""

    def title(self, selector: str) -> str:
        """Return the title in the border of a pane."""
        return self.app.main.query_one(selector, Pane).title

    @property
    def texts(self) -> list[str]:
        """Return the texts of the messages in the open conversation."""
        return [entry.text for entry in self.current.entries if isinstance(entry, Said)]

    def direct(self, text: str, sender: str = "luis", **fields: Any) -> DirectMessage:
        time = f"{DAY}T{CLOCK}Z"
        return DirectMessage(time=time, sender=sender, to="ana", text=text, **fields)
