"""A hub with a history, and one user who says and asks something in it."""

from pathlib import Path
from queue import Queue

from tertulia.protocol.messages import (
    Error,
    GetHistory,
    HistoryPage,
    Register,
    Say,
    Search,
)
from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.mail import PageReady, PageTicket, SpaceAgain, Stored
from tertulia.server.hub.hub import Hub, Registered
from tertulia.server.hub.session import Receipt, Route

WAIT_S = 20.0
SESSION = 17


class Owner:
    """A worker's stand-in, which keeps the mail that it gets."""

    def __init__(self) -> None:
        self.acknowledged: Queue[tuple[Receipt, bool]] = Queue()
        self.pages: Queue[PageReady] = Queue()
        self.has_space: Queue[int] = Queue()

    def post(self, mail: Stored | PageReady | SpaceAgain) -> bool:
        match mail:
            case Stored(rows=rows):
                for row in rows:
                    self.acknowledged.put(row)
            case PageReady():
                self.pages.put(mail)
            case SpaceAgain(session_number=session):
                self.has_space.put(session)
        return True

    def next(self) -> tuple[int, int, bool]:
        receipt, is_stored = self.acknowledged.get(timeout=WAIT_S)
        assert receipt.session_number == SESSION
        return receipt.request_id, receipt.seq, is_stored


class Chat:
    """A hub with a history, and one user in it."""

    def __init__(self, path: Path, *, start: bool = True, **options) -> None:
        config = Config(port=0, history=str(path), **options)
        self.history = History(path, config)
        self.hub = Hub(config, self.history)
        self.owner = Owner()
        if start:
            self.history.start()
        route = Route("", SESSION)
        outcome = self.hub.register(Register(name="ana"), "10.0.0.1", route)
        assert isinstance(outcome, Registered)
        self.session, self.welcome = outcome.session, outcome.welcome

    def say(self, text="hola", request_id=1, **fields):
        return self.hub.say(self.session, Say(id=request_id, text=text, **fields), self.owner)

    def ask(self, request: GetHistory | Search) -> PageTicket:
        ticket = PageTicket(request, self.owner, SESSION)
        self.history.ask(ticket)
        return ticket

    def page(self, request=None) -> HistoryPage | Error:
        self.ask(request or GetHistory(limit=200))
        ready = self.owner.pages.get(timeout=WAIT_S)
        assert ready.session_number == SESSION
        return ready.page

    def texts(self, request=None) -> list[str]:
        page = self.page(request)
        assert isinstance(page, HistoryPage), page
        return [message.text for message in page.messages]

    def stop(self) -> None:
        assert self.history.stop(WAIT_S)
