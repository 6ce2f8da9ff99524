"""The client that outlives its connection, against a server that is killed and started again."""

import contextlib
import itertools
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from client_fixtures import free_port
from msgspec.structs import replace

from tertulia.client import persistent as module
from tertulia.client import reconnect
from tertulia.client.activity import Resumption
from tertulia.client.client import Client
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    End,
    EndReason,
    Kicked,
    NoAnswer,
    NoConnection,
    RegistrationRefused,
    RequestRefused,
)
from tertulia.client.inbox import Inbox
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Closing,
    Direct,
    Error,
    Gap,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    NumberedEvent,
    Ok,
    Request,
    Say,
    Search,
    SetStatus,
    Status,
    StoredMessage,
    User,
    UserInfo,
    UserList,
    Welcome,
)
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.history.store import MessageStore

LOST = End(EndReason.LOST)
PROGRAM = Path(sys.executable).with_name("tertulia-server")


class Phoenix:
    """A server on one port and one history, through all its lives."""

    def __init__(self, history: Path) -> None:
        self.port = free_port()
        self._history = history
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        options = ["--host", "127.0.0.1", "--rate-limit", "off", "--history", str(self._history)]
        self.process = subprocess.Popen(
            [PROGRAM, str(self.port), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        assert re.match(rb"listening on", self.process.stdout.readline())

    def begin_another_history(self, text: str) -> None:
        """Put another one in the place of the history, which has one message."""
        for path in self._history.parent.glob(f"{self._history.name}*"):
            path.unlink()
        store = MessageStore(self._history, block=100)
        store.add([spoken(1, text)])
        store.close()

    def end(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            assert self.process.stdout is not None
            self.process.send_signal(number)
            self.process.wait(20)
            self.process.stdout.close()
            self.process = None


class Script(Client):
    """A connection whose events and pages are chosen by a test; it lives until it is closed."""

    def __init__(self, *events: NumberedEvent | Gap, seq: int = 10, lost: bool = False) -> None:
        self.welcome = Welcome(
            name="bot", address="127.0.0.1", status=Status.ACTIVO, seq=seq, token=f"t{seq}",
            epoch="e", server="s", protocol=1, idle_after=120, max_text=16384,
        )  # fmt: skip
        self.failures: list[Exception] = []  # of the next pages
        self.requests: list[Request] = []  # all but those for pages
        self.answers: list[Answer | Exception] = []  # to them; without one, the connection is lost
        self.asked = threading.Event()
        self.all_given = threading.Event()
        self._end = LOST if lost else None
        self._events = events
        self.closed = threading.Event()

    @property
    def ended(self) -> End | None:
        return self._end

    def confirm(self) -> None: ...

    def resumption(self, _now: float) -> Resumption:
        return Resumption(self.welcome.token, Status.ACTIVO, 0.0)

    def events(self) -> Iterator[NumberedEvent | Gap]:
        yield from self._events
        self.all_given.set()
        if self._end is None:
            self.closed.wait(20)

    def page(self, request: GetHistory | Search) -> HistoryPage:
        self.asked.set()
        if self.failures:
            raise self.failures.pop(0)
        assert isinstance(request, GetHistory)
        assert isinstance(request.after, int)
        stored = StoredMessage(seq=request.after + 1, time="t", sender="luis", text="missed")
        return HistoryPage(messages=[stored], more=False)

    def _ask(self, request: Request, _kind: type[Any], _pending: Any = None) -> Any:
        self.requests.append(request)
        if not self.answers:
            self._end = LOST
            self.closed.set()
            raise ConnectionLost(LOST)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed.set()

    def __repr__(self) -> str:
        return "<Script>"


def spoken(seq: int, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time="t", sender="luis", text=text)


def refusal(code: str, **fields: float) -> Error:
    return Error(code=code, message="no", **fields)


class Connections:
    """The connections that a client gets one after another, and the tokens that it shows."""

    def __init__(self, *outcomes: Script | Exception) -> None:
        self._outcomes = list(outcomes)
        self.tokens: list[str | None] = []

    def connect(self, resumption: Resumption) -> Client:
        self.tokens.append(resumption.token)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def persistent(*outcomes: Script | Exception) -> PersistentClient:
    return PersistentClient(Connections(*outcomes).connect, timeout=20)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attempts to connect begin without a delay."""
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_lost_connection_is_made_again_and_what_was_missed_comes_in_its_place() -> None:
    connections = Connections(Script(spoken(11), lost=True), Script(spoken(14), seq=13))
    with PersistentClient(connections.connect, timeout=20) as bot:
        events = bot.events()
        assert [next(events), next(events), next(events)] == [
            spoken(11), spoken(12, "missed"), spoken(14),
        ]  # fmt: skip
        assert connections.tokens == [None, "t10"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "no_way_back",
    [RegistrationRefused(refusal("protocol_unsupported")), TypeError("a fault of the program")],
    ids=repr,
)
def test_when_there_is_no_way_back_events_and_requests_raise_the_reason(
    no_way_back: Exception,
) -> None:
    with persistent(Script(spoken(11), lost=True), no_way_back) as bot:
        for _time in range(2):
            events = []
            with pytest.raises(type(no_way_back)) as raised:
                events.extend(bot.events())
            assert raised.value is no_way_back
        with pytest.raises(type(no_way_back)):
            bot.say("hola")


@pytest.mark.usefixtures("at_once")
def test_an_end_by_an_operator_is_for_good() -> None:
    end = End(EndReason.KICKED, closing=Closing(reason="kicked", by="eva", text="spam"))
    script = Script(spoken(11))
    bot = persistent(script)
    assert script.all_given.wait(20)
    script._end = end
    script.closed.set()
    with pytest.raises(Kicked) as raised:
        for _event in bot.events():
            pass
    assert (raised.value.by, raised.value.reason, raised.value.end) == ("eva", "spam", end)
    assert str(raised.value) == "kicked by eva: spam"
    with pytest.raises(Kicked):
        bot.say("hola")
    bot.close()


@pytest.mark.usefixtures("at_once")
def test_a_name_or_an_address_that_somebody_else_has_is_waited_for() -> None:
    taken = [RegistrationRefused(refusal(code)) for code in ("name_taken", "address_taken")]
    with persistent(Script(lost=True), *taken * 3, Script(spoken(11))) as bot:
        assert next(bot.events()) == spoken(11)


LISTED = UserList(seq=11, users=[User(name="bot", status=Status.ACTIVO)])
ANA = UserInfo(name="ana", address="127.0.0.2", status=Status.OCUPADO, since="t", idle=3)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("make", "kind", "answer", "result"),
    [
        (lambda bot: bot.say("hola"), Say, Ok(seq=11), 11),
        (lambda bot: bot.direct("ana", "hola"), Direct, Ok(), None),
        (lambda bot: bot.set_status("OCUPADO"), SetStatus, Ok(), None),
        (lambda bot: bot.users(), ListUsers, LISTED, LISTED),
        (lambda bot: bot.info("ana"), GetInfo, ANA, ANA),
    ],
    ids=["say", "direct", "set_status", "users", "info"],
)
def test_a_request_is_made_again_until_it_is_answered(
    make: Callable[[PersistentClient], Any], kind: type[Request], answer: Answer, result: Any
) -> None:
    first, second = Script(), Script()
    too_fast = RequestRefused(refusal("rate_limited", retry_after=0.001))
    second.answers = [too_fast, NoAnswer("it takes its time"), answer]
    with persistent(first, second) as bot:
        assert make(bot) == result
    [request] = first.requests
    assert isinstance(request, kind)
    assert second.requests == [request] * 3  # with its nonce, if it has one
    assert not isinstance(request, Say | Direct) or request.nonce


@pytest.mark.parametrize(
    "make",
    [
        lambda bot: bot.direct("ana", "hola", within_s=0.0),
        lambda bot: bot.set_status("OCUPADO", within_s=0.0),
        lambda bot: bot.users(within_s=0.0),
        lambda bot: bot.info("ana", within_s=0.0),
    ],
    ids=["direct", "set_status", "users", "info"],
)
@pytest.mark.parametrize(
    "failure",
    [
        RequestRefused(refusal("user_not_connected")),
        RequestRefused(refusal("busy", retry_after=0.001)),
        RequestRefused(refusal("rate_limited", retry_after=0.001)),
        NoAnswer("nothing within 10 s"),
    ],
    ids=["refused", "busy", "too fast", "no answer"],
)
def test_a_refused_request_is_not_made_again_nor_one_for_which_there_is_no_time(
    make: Callable[[PersistentClient], Any], failure: Exception
) -> None:
    script = Script()
    script.answers = [failure]
    with persistent(script) as bot:
        with pytest.raises(type(failure)):
            make(bot)
        assert len(script.requests) == 1


def test_a_page_that_the_server_refuses_leaves_a_gap() -> None:
    script = Script(Gap(after=10, through=11), spoken(12))
    script.failures = [RequestRefused(refusal("history_off"))]
    with persistent(script) as bot:
        events = bot.events()
        assert [next(events), next(events)] == [Gap(after=10, through=11), spoken(12)]


def test_a_page_that_was_requested_too_fast_is_requested_again() -> None:
    script = Script(Gap(after=10, through=11), spoken(12))
    script.failures = [RequestRefused(refusal("rate_limited", retry_after=0.001))] * 2
    with persistent(script) as bot:
        events = bot.events()
        assert [next(events), next(events)] == [spoken(11, "missed"), spoken(12)]


def test_closing_does_not_wait_until_a_page_may_be_requested_again() -> None:
    script = Script(Gap(after=10, through=11))
    script.failures = [RequestRefused(refusal("rate_limited", retry_after=60.0))]
    bot = persistent(script)
    assert script.asked.wait(20)
    bot.close()
    assert not bot._keeper.is_alive()


def test_closing_while_there_is_no_connection_ends_the_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 600.0)
    bot = persistent(Script(lost=True))
    bot.close()
    assert not bot._keeper.is_alive()
    assert list(bot.events()) == []


def test_a_page_that_is_not_answered_in_time_is_asked_for_again() -> None:
    script = Script(Gap(after=10, through=11), spoken(12))
    script.failures = [NoAnswer("it takes its time")] * 2
    with persistent(script) as bot:
        events = bot.events()
        assert [next(events), next(events)] == [spoken(11, "missed"), spoken(12)]


def test_who_does_not_read_holds_no_more_than_the_inbox_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "Inbox", lambda: Inbox(max_numbered_bytes=50_000))
    script = Script(*(spoken(seq, "x" * 10_000) for seq in range(11, 31)))
    with persistent(script) as bot:
        assert script.all_given.wait(20)
        assert next(bot.events()) == Gap(after=10, through=26)


@pytest.mark.usefixtures("at_once")
def test_closing_while_an_attempt_is_under_way_closes_its_connection() -> None:
    lost, late = Script(lost=True), Script(seq=13)
    connecting, go_on = threading.Event(), threading.Event()

    def connect(resumption: Resumption) -> Client:
        if resumption.token is None:
            return lost
        connecting.set()
        assert go_on.wait(20)
        return late

    bot = PersistentClient(connect, timeout=20)
    assert connecting.wait(20)
    bot.close()
    go_on.set()
    assert late.closed.wait(20)


class StrictEvent(threading.Event):
    """An event for which nobody may wait twice without clearing it in between."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)  # one for each time that somebody waits
        self._was_waited_for = False

    def clear(self) -> None:
        self._was_waited_for = False
        super().clear()

    def wait(self, timeout: float | None = None) -> bool:
        assert not self._was_waited_for, "it would never wait again"
        self.waits.release()
        is_set = super().wait(timeout)
        self._was_waited_for = is_set
        return is_set


@pytest.mark.usefixtures("at_once")
def test_between_two_attempts_the_thread_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [NoConnection(ConnectFailure.REFUSED), Script(spoken(11))]
    events: list[StrictEvent] = []

    def make_event() -> StrictEvent:
        events.append(StrictEvent())
        return events[-1]

    def connect(resumption: Resumption) -> Client:
        if resumption.token is None:
            return lost
        assert events[0].waits.acquire(timeout=20)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    lost = Script(lost=True)
    threads = SimpleNamespace(
        Event=make_event, Condition=threading.Condition, Thread=threading.Thread
    )
    monkeypatch.setattr(module, "threading", threads)
    with PersistentClient(connect, timeout=20) as bot:
        assert next(bot.events()) == spoken(11)


@pytest.mark.parametrize("is_operator", [False, True])
def test_the_secret_is_sent_only_to_a_server_that_does_not_count_the_user_as_an_operator(
    monkeypatch: pytest.MonkeyPatch, is_operator: bool
) -> None:
    script = Script()
    script.welcome = replace(script.welcome, operator=is_operator)
    script.answers = [Ok()]
    monkeypatch.setattr(Client, "connect", lambda *_arguments, **_options: script)
    with PersistentClient.connect("127.0.0.1", 1, "bot", operator_secret="open sesame"):
        assert script.requests == ([] if is_operator else [BecomeOperator(secret="open sesame")])


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (RequestRefused(refusal("operator_wrong")), RequestRefused),
        (NoAnswer("nothing within 10 s"), NoConnection),
        (ConnectionLost(LOST), NoConnection),
    ],
    ids=["wrong", "no answer", "lost"],
)
def test_a_first_session_that_does_not_become_an_operators_is_closed(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, raised: type[Exception]
) -> None:
    script = Script()
    script.answers = [failure]
    monkeypatch.setattr(Client, "connect", lambda *_arguments, **_options: script)
    with pytest.raises(raised):
        PersistentClient.connect("127.0.0.1", 1, "bot", operator_secret="open sesame")
    assert script.closed.is_set()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phoenix]:
    monkeypatch.setattr(reconnect, "FIRST_DELAY_S", 0.05)
    phoenix = Phoenix(tmp_path / "history.db")
    yield phoenix
    phoenix.end()


def texts(client: PersistentClient, last: str) -> list[str]:
    found = []
    for event in client.events():
        if isinstance(event, ChatMessage):
            found.append(event.text)
            if event.text == last:
                return found
    raise AssertionError(f"ended before {last!r}: {found}")


def test_everything_is_said_once_and_heard_once_over_the_deaths_of_the_server(
    server: Phoenix,
) -> None:
    with (
        PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana,
        PersistentClient.connect("127.0.0.1", server.port, "luis", source="127.0.0.3") as luis,
    ):
        said: list[str] = []
        stop = threading.Event()

        def talk() -> None:
            for number in itertools.count():
                if stop.is_set():
                    break
                ana.say(str(number))
                said.append(str(number))
            ana.say("end")

        talking = threading.Thread(target=talk)
        talking.start()
        for _ in range(3):
            before = len(said)
            while len(said) < before + 50:
                assert talking.is_alive()
            server.end()
            server.start()
        stop.set()
        talking.join(60)
        assert texts(luis, "end") == [*said, "end"]
        assert texts(ana, "end") == [*said, "end"]


def test_what_was_said_while_it_was_away_is_fetched(server: Phoenix) -> None:
    with PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana:
        ana.say("before")
        assert texts(ana, "before") == ["before"]
        away = ana.current
        with Client.connect("127.0.0.1", server.port, "luis", source="127.0.0.3") as luis:
            # As if the cable had been pulled: the socket ends, and the server takes the next one.
            with contextlib.suppress(OSError):
                away._connection._sock.shutdown(socket.SHUT_RDWR)
            for number in range(450):
                luis.say(str(number))
            luis.say("after")
        assert texts(ana, "after") == [*(str(number) for number in range(450)), "after"]


def test_where_another_history_goes_on_it_is_told_that_it_may_have_missed_something(
    server: Phoenix,
) -> None:
    with PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana:
        ana.say("before")
        assert texts(ana, "before") == ["before"]
        server.end(signal.SIGTERM)
        server.begin_another_history("said meanwhile")
        server.start()
        ana.say("after")
        came = itertools.takewhile(
            lambda event: not (isinstance(event, ChatMessage) and event.text == "after"),
            ana.events(),
        )
        (gap,) = [event for event in came if isinstance(event, Gap | ChatMessage)]
        assert isinstance(gap, Gap)
        assert gap.after == 0 < gap.through


def test_while_somebody_else_has_the_name_it_waits_and_then_goes_on(
    server: Phoenix, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2") as ana:
        may_return = threading.Event()
        connect = ana._session._reconnector._connect

        refused = threading.Event()

        def connect_later(resumption: Resumption) -> Client:
            assert may_return.wait(20)
            try:
                return connect(resumption)
            except RegistrationRefused:
                refused.set()
                raise

        monkeypatch.setattr(ana._session._reconnector, "_connect", connect_later)
        server.end()
        server.start()
        with Client.connect("127.0.0.1", server.port, "ana", source="127.0.0.4"):
            may_return.set()
            assert refused.wait(20)
            with pytest.raises(NoAnswer):
                ana.say("not yet", within_s=0.0)
        ana.say("hola", within_s=20)
        assert texts(ana, "hola") == ["hola"]


def test_a_closed_one_ends_its_events(server: Phoenix) -> None:
    client = PersistentClient.connect("127.0.0.1", server.port, "ana", source="127.0.0.2")
    client.say("hola")
    client.close()
    client.close()
    assert [e.text for e in client.events() if isinstance(e, ChatMessage)] in ([], ["hola"])
