"""The library against a server that does odd things, one script for each."""

import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tertulia.client import connection
from tertulia.client.client import Client
from tertulia.client.errors import (
    ConnectFailure,
    ConnectionLost,
    EndReason,
    NoAnswer,
    NoConnection,
    RegistrationRefused,
    RequestRefused,
)
from tertulia.client.pace import Pace
from tertulia.protocol.messages import (
    ChatMessage,
    Closing,
    DirectMessage,
    Gap,
    Say,
    Status,
    Welcome,
)

StartServer = Callable[[Callable[[Any], None]], Any]
WAIT_S = 20.0


def connect(server: Any, **options: Any) -> Client:
    return Client.connect("127.0.0.1", server.port, "ana", **{"timeout": WAIT_S} | options)


def wait_for_end(client: Client) -> EndReason:
    for _event in client.events():
        pass
    assert client.ended is not None
    return client.ended.reason


# --- registering -------------------------------------------------------------------------------


def test_registering_sends_what_was_asked_for(scripted_server: StartServer) -> None:
    requests = []

    def script(peer: Any) -> None:
        requests.append(peer.welcome(status="OCUPADO", new_field={"a": [1]}))
        requests.append(peer.expect("quit"))

    server = scripted_server(script)
    with connect(server, token="old", events="messages", code="able", key="k" * 32) as client:
        assert client.welcome.status is Status.OCUPADO
        assert client.welcome.token == "secret"
        assert client.ended is None
    server.finish()
    assert requests[0].items() >= {
        "type": "register", "name": "ana", "token": "old", "protocol": 1, "events": "messages",
        "code": "able", "key": "k" * 32,
    }.items()  # fmt: skip
    assert client.ended is not None
    assert client.ended.reason is EndReason.CLOSED


def test_the_last_list_of_nodes_is_known_with_how_many_addresses_each_has(
    scripted_server: StartServer,
) -> None:
    def script(peer: Any) -> None:
        peer.welcome(nodes=["10.0.0.1:5000"])
        peer.send("nodes", nodes=["10.0.0.3:5000"])
        peer.send("nodes", nodes=["10.0.0.1:5000", "10.0.0.9:5000"], per_node=[2])

    with connect(scripted_server(script)) as client:
        wait_for_end(client)
        assert client.welcome.nodes == ["10.0.0.1:5000"]
        assert (client.nodes, client.per_node) == (["10.0.0.1:5000", "10.0.0.9:5000"], [2])


def test_a_user_who_comes_back_registers_with_what_the_lost_client_remembers(
    scripted_server: StartServer,
) -> None:
    registered = []

    def first(peer: Any) -> None:
        registered.append(peer.welcome())
        for answer in ("ok", "error"):
            request = peer.expect("status")
            peer.send(answer, id=request["id"], code="status_invalid", message="no")

    def second(peer: Any) -> None:
        registered.append(peer.welcome(status="INACTIVO"))

    server = scripted_server(first, second)
    lost = connect(server)
    lost.set_status("OCUPADO")
    with pytest.raises(RequestRefused):
        lost.set_status("DORMIDO")
    assert wait_for_end(lost) is EndReason.LOST
    last_active = time.monotonic()
    token, status, idle_s = lost.resumption(last_active + 1_000)
    assert (token, status) == ("secret", "OCUPADO")
    assert idle_s is not None
    back = connect(server, token=token, status=status, idle=idle_s)
    server.finish()
    assert {"status", "idle"}.isdisjoint(registered[0])
    assert registered[1].items() >= {"token": token, "status": status, "idle": idle_s}.items()
    assert back.resumption(last_active)[:2] == ("secret", "OCUPADO")
    assert back.resumption(last_active)[2] > 0.9 * idle_s > 900  # nothing was done on it


@pytest.mark.parametrize("with_id", [True, False])
def test_a_refused_registration_is_an_exception_with_its_code(
    scripted_server: StartServer, with_id: bool
) -> None:
    def script(peer: Any) -> None:
        request = peer.expect("register")
        # A server that is full says so without having read anything.
        fields = {"id": request["id"]} if with_id else {}
        peer.send("error", code="server_full", message="too many", **fields)

    with pytest.raises(RegistrationRefused, match="server_full: too many") as refusal:
        connect(scripted_server(script))
    assert refusal.value.code == "server_full"
    assert refusal.value.error.message == "too many"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", ConnectFailure.NO_ANSWER),
        (b'{"type":"wel', ConnectFailure.NO_ANSWER),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ConnectFailure.NOT_TERTULIA),
        (b'{"type":"welcome","id":1}\n', ConnectFailure.NOT_TERTULIA),
    ],
)
def test_what_is_no_tertulia_server_is_told_apart(
    scripted_server: StartServer, answer: bytes, failure: ConnectFailure
) -> None:
    def script(peer: Any) -> None:
        peer.expect("register")
        peer.send_raw(answer)

    with pytest.raises(NoConnection) as error:
        connect(scripted_server(script))
    assert error.value.failure is failure


def test_a_server_that_never_answers_is_given_up(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER_S", 0.1)
    done = threading.Event()

    def script(peer: Any) -> None:
        peer.expect("register")
        done.wait(WAIT_S)

    with pytest.raises(NoConnection) as error:
        connect(scripted_server(script), timeout=0.1)
    assert error.value.failure is ConnectFailure.NO_ANSWER
    done.set()


def test_a_refusal_that_arrives_before_the_registration_is_sent_is_told(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = connection.Connection.start

    def start_and_wait_for_the_end(self: connection.Connection) -> None:
        start(self)
        self._thread.join(WAIT_S)

    monkeypatch.setattr(connection.Connection, "start", start_and_wait_for_the_end)
    server = scripted_server(lambda peer: peer.send("error", code="server_full", message="full"))
    with pytest.raises(RegistrationRefused) as refusal:
        connect(server)
    assert refusal.value.code == "server_full"


# --- requests ----------------------------------------------------------------------------------


def test_requests_have_their_answers_in_whatever_order_they_come(
    scripted_server: StartServer,
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        requests = [peer.receive() for _number in range(5)]
        for request in reversed(requests):
            peer.send("ok", id=request["id"], seq=int(request["text"]))
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        answers: dict[int, int] = {}

        def say(number: int) -> None:
            answers[number] = client.say(str(number))

        threads = [threading.Thread(target=say, args=(number,)) for number in range(100, 105)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
    assert answers == {number: number for number in range(100, 105)}


def test_a_refused_request_is_an_exception_with_all_it_says(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        for fields in ({"name": "eva"}, {"retry_after": 0.5}, {}):
            request = peer.receive()
            peer.send("error", id=request["id"], code="some_code", message="why", **fields)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        for name, retry_after in (("eva", None), (None, 0.5), (None, None)):
            with pytest.raises(RequestRefused) as refusal:
                client.direct("eva", "hola")
            assert refusal.value.code == "some_code"
            assert (refusal.value.name, refusal.value.retry_after) == (name, retry_after)


def test_what_a_server_could_only_refuse_is_not_sent(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("quit")

    client = connect(scripted_server(script))
    with client, pytest.raises(RequestRefused, match="text_invalid"):
        client.say("a\x1bb")


def test_no_answer_is_an_exception_and_a_late_one_does_no_harm(
    scripted_server: StartServer,
) -> None:
    gave_up = threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        late = peer.expect("users")
        gave_up.wait(WAIT_S)
        peer.send("ok", id=late["id"])
        peer.send("ok", id=999_999)
        request = peer.expect("say")
        peer.send("ok", id=request["id"], seq=11)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        client._timeout = 0.1
        with pytest.raises(NoAnswer):
            client.users()
        assert repr(client) == "<Client: 0 waiting>"
        client._timeout = WAIT_S
        gave_up.set()
        assert client.say("hola") == 11


def test_who_waits_when_the_connection_ends_is_told(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("users")

    client = connect(scripted_server(script))
    with pytest.raises(ConnectionLost) as lost:
        client.users()
    assert lost.value.end.reason is EndReason.LOST
    with pytest.raises(ConnectionLost):
        client.say("hola")
    client.close()


def test_who_waits_for_a_turn_when_the_connection_ends_is_told_at_once(
    scripted_server: StartServer,
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()

    lost: list[ConnectionLost] = []

    def ask() -> None:
        with pytest.raises(ConnectionLost) as caught:
            client.users()
        lost.append(caught.value)

    pace, now = Pace(), time.monotonic()
    pace.slow_down(sent_at=now, now=now, retry_after_s=1_000.0)
    client = connect(scripted_server(script), pace=pace)
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(WAIT_S)
    assert [one.end.reason for one in lost] == [EndReason.LOST]


# --- events ------------------------------------------------------------------------------------


def test_events_come_in_their_order_and_the_unknown_is_left_out(
    scripted_server: StartServer,
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.message(11, "uno")
        peer.send("from_the_future", seq=12, text="?")
        peer.direct("dos")
        peer.send("gap", after=11, through=20)
        peer.message(21, "tres")
        peer.send("closing", reason="shutdown", retry_after=1.5)

    client = connect(scripted_server(script))
    events = list(client.events())
    assert [type(event) for event in events] == [
        ChatMessage, DirectMessage, Gap, ChatMessage, Closing,
    ]  # fmt: skip
    assert client.ended is not None
    assert client.ended.reason is EndReason.SHUTDOWN
    assert client.ended.closing == Closing(reason="shutdown", retry_after=1.5)
    assert list(client.events()) == []


def test_however_the_bytes_are_split_the_events_are_the_same(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.welcome()
        fields = '"seq":11,"time":"","from":"luis","text":"ñ\u2028日"'
        line = f'\r\n\n{{"type":"message",{fields}}}\r\n'.encode()
        for byte in line:
            peer.send_raw(bytes([byte]))
        peer.send_raw(line * 50)

    client = connect(scripted_server(script))
    texts = [event.text for event in client.events() if isinstance(event, ChatMessage)]
    assert texts == ["ñ\u2028日"] * 51


@pytest.mark.parametrize(
    ("last_bytes", "reason"),
    [
        (b"", EndReason.LOST),
        (b'{"type":"mess', EndReason.LOST),
        (b"nonsense\n", EndReason.GARBLED),
        (b'{"type":"message","seq":"?"}\n', EndReason.GARBLED),
        (b'{"type":' + b"[" * 100_000 + b"\n", EndReason.GARBLED),
    ],
)
def test_how_a_connection_ended_can_be_asked(
    scripted_server: StartServer, last_bytes: bytes, reason: EndReason
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.send_raw(last_bytes)

    assert wait_for_end(connect(scripted_server(script))) is reason


def test_a_reset_is_a_lost_connection(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert wait_for_end(connect(scripted_server(script))) is EndReason.LOST


def test_the_error_before_the_end_says_why(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.send("error", code="flood", message="too many requests")

    client = connect(scripted_server(script))
    assert wait_for_end(client) is EndReason.LOST
    assert client.ended is not None
    assert client.ended.error is not None
    assert client.ended.error.code == "flood"


def test_a_line_without_end_is_not_kept_for_ever(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_SERVER_LINE_BYTES", 10_000)

    def script(peer: Any) -> None:
        peer.welcome()
        peer.send_raw(b"x" * 10_000)
        peer.receive()

    assert wait_for_end(connect(scripted_server(script))) is EndReason.GARBLED


# --- life --------------------------------------------------------------------------------------


def test_pings_are_answered_though_nobody_takes_the_events(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        for seq in range(11, 40_011):
            peer.message(seq)
        peer.send("ping", id=7)
        assert peer.expect("pong")["id"] == 7
        peer.send("ping")
        assert "id" not in peer.expect("pong")

    server = scripted_server(script)
    client = connect(server)
    server.finish()
    events = list(client.events())
    gap = events[0]
    assert isinstance(gap, Gap)
    assert gap.after == 10
    sequence = [event.seq for event in events[1:] if isinstance(event, ChatMessage)]
    assert sequence == list(range(gap.through + 1, 40_011))


def test_a_silent_server_is_pinged_and_then_given_up(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PING_AFTER_S", 0.1)
    monkeypatch.setattr(connection, "PONG_WITHIN_S", 2 * WAIT_S)
    pinged, ended = threading.Event(), threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("ping")
        peer.send("pong")
        peer.expect("ping")
        pinged.set()
        ended.wait(WAIT_S)

    client = connect(scripted_server(script))
    assert pinged.wait(WAIT_S)
    assert client.ended is None
    monkeypatch.setattr(connection, "PONG_WITHIN_S", 0.0)
    client._connection.send(b"\n")  # it looks at the time before it sleeps again
    assert wait_for_end(client) is EndReason.SILENT
    ended.set()


def test_closing_lets_the_server_answer_and_keeps_what_came(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("quit")
        peer.message(11, "last words")

    client = connect(scripted_server(script))
    client.close()
    client.close()
    assert [event.text for event in client.events() if isinstance(event, ChatMessage)] == [
        "last words"
    ]
    assert client.ended is not None
    assert client.ended.reason is EndReason.CLOSED
    with pytest.raises(ConnectionLost):
        client.say("too late")


def test_closing_does_not_wait_for_a_server_that_does_not(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER_S", 0.1)
    ended = threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        ended.wait(WAIT_S)

    client = connect(scripted_server(script))
    client.close()
    assert wait_for_end(client) is EndReason.CLOSED
    ended.set()


def test_a_server_that_stops_reading_does_not_stop_the_client(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_OUTBOX_BYTES", 100_000)
    ended = threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        ended.wait(WAIT_S)

    client = connect(scripted_server(script))

    def flood() -> None:
        for _time in range(100_000):
            client.send(Say(text="x" * 16_000))

    with pytest.raises(ConnectionLost) as lost:
        flood()
    assert lost.value.end.detail == "the server has stopped reading"
    ended.set()


# --- for faces ---------------------------------------------------------------------------------


def test_a_face_gets_everything_with_its_line(scripted_server: StartServer) -> None:
    lines: list[bytes] = []

    def script(peer: Any) -> None:
        peer.welcome()
        request = peer.expect("say")
        for line in (b'{"type":"future","a":1}', b'{"type":"ok","id":%d,"seq":11}' % request["id"]):
            lines.append(line)
            peer.send_raw(line + b"\n")

    rung = threading.Event()
    client = connect(scripted_server(script), everything=True, notify=rung.set)
    welcome = client.receive(WAIT_S)
    assert welcome is not None
    assert isinstance(welcome.message, Welcome)
    client.send(Say(text="hola"))
    arrivals = [client.receive(WAIT_S), client.receive(WAIT_S)]
    assert [arrival.line for arrival in arrivals if arrival] == lines
    assert client.receive(None) is None
    assert rung.is_set()


def test_its_repr_tells_its_state_and_no_secret(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("quit")

    client = connect(scripted_server(script))
    assert repr(client) == "<Client: 0 waiting>"
    client.close()
    assert re.match("<Client: .*CLOSED", repr(client))
    assert "secret" not in repr(client)
