"""A client confirms direct messages, sends again what was refused for now, and keeps the pace."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from standing_clock import StandingClock

from tertulia.client import client as client_module
from tertulia.client import persistent, reconnect
from tertulia.client.client import Client
from tertulia.client.errors import EndReason, RequestRefused
from tertulia.client.inbox import Inbox
from tertulia.client.pace import Pace
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import DirectMessage

StartServer = Callable[..., Any]
WAIT_S = 20.0
TIME = "2026-11-22T15:04:05.123Z"


def connect(server: Any, **options: Any) -> Client:
    return Client.connect("127.0.0.1", server.port, "ana", **{"timeout": WAIT_S} | options)


def send_direct(peer: Any, receipt: int, text: str = "hola") -> None:
    peer.send("direct", time=TIME, **{"from": "luis"}, to="ana", text=text, receipt=receipt)


def confirmed(peer: Any) -> int:
    """Return the receipt of the last confirmation that the client has sent."""
    receipt = 0
    for ping in (1, 2):  # a confirmation comes after the answer to what came together with it
        peer.send("ping", id=ping)
        while (request := peer.receive())["type"] == "received":
            receipt = request["receipt"]
        assert request == {"type": "pong", "id": ping}
    return receipt


# --- confirming ----------------------------------------------------------------------------------


def test_what_is_in_the_inbox_is_confirmed(scripted_server: StartServer) -> None:
    done = threading.Event()

    def script(peer: Any) -> None:
        assert peer.welcome()["receipts"] is True
        for number in (1, 2, 3):
            send_direct(peer, number)
        assert confirmed(peer) == 3
        peer.direct("without a receipt")
        assert confirmed(peer) == 0
        done.set()
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        directs = client.events()
        for _number in range(4):
            assert isinstance(next(directs), DirectMessage)
        assert done.wait(WAIT_S)


def test_without_room_nothing_is_confirmed_until_there_is_room_again(
    scripted_server: StartServer,
) -> None:
    has_room, is_read = threading.Event(), threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        send_direct(peer, 1)
        assert confirmed(peer) == 0
        send_direct(peer, 2)
        assert confirmed(peer) == 0
        has_room.set()
        is_read.wait(WAIT_S)
        assert peer.expect("received")["receipt"] == 2
        peer.expect("quit")

    client = connect(scripted_server(script), has_room=has_room.is_set)
    with client:
        assert has_room.wait(WAIT_S)
        assert client.receive(WAIT_S) is not None
        is_read.set()


def test_two_threads_that_confirm_send_it_in_order(scripted_server: StartServer) -> None:
    is_sending, may_send = threading.Event(), threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        send_direct(peer, 1)
        assert is_sending.wait(WAIT_S)
        send_direct(peer, 2)
        assert [peer.expect("received")["receipt"] for _number in range(2)] == [1, 2]
        peer.expect("quit")

    with connect(scripted_server(script), has_room=lambda: False) as client:
        client_send = client._connection.send

        def send_later(data: bytes) -> None:
            if not is_sending.is_set():
                is_sending.set()
                may_send.wait(WAIT_S)
            client_send(data)

        assert client.receive(WAIT_S) is not None
        client._connection.send = send_later  # type: ignore[method-assign]
        client._has_room = lambda: True
        first = threading.Thread(target=client.confirm)
        first.start()
        assert client._inbox.get(WAIT_S) is not None  # the second message has come
        second = threading.Thread(target=client.confirm)
        second.start()
        second.join(0.2)  # it would have sent by now, did it not have to wait for the first
        may_send.set()
        first.join(WAIT_S)
        second.join(WAIT_S)
        give_up_at = time.monotonic() + WAIT_S
        while (
            client._receipt != 2
        ):  # the client's own thread may note that after `second` has looked
            assert time.monotonic() < give_up_at
        client.confirm()


def test_a_full_inbox_confirms_nothing_and_drops_nothing(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "Inbox", lambda: Inbox(10_000, 10_000))
    is_full, is_read = threading.Event(), threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        last = 0
        for number in range(1, 13):  # of some 600 bytes
            send_direct(peer, number)
            last = max(last, confirmed(peer))
        assert 5 <= last <= 9
        is_full.set()
        is_read.wait(WAIT_S)
        assert peer.expect("received")["receipt"] == 12
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        assert is_full.wait(WAIT_S)
        directs = [client.receive(WAIT_S) for _number in range(12)]
        assert all(incoming and isinstance(incoming.message, DirectMessage) for incoming in directs)
        is_read.set()


def test_what_a_successor_gets_again_is_given_once(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnect, "_jittered", lambda _delay_s: 0.01)
    done = threading.Event()

    def first(peer: Any) -> None:
        peer.welcome()
        send_direct(peer, 1, "one")
        send_direct(peer, 2, "two")
        assert confirmed(peer) == 2

    def second(peer: Any) -> None:
        peer.welcome()
        send_direct(peer, 2, "two")  # it had not got the confirmation
        send_direct(peer, 3, "three")
        assert confirmed(peer) == 3
        done.set()
        peer.expect("quit")

    server = scripted_server(first, second)
    with PersistentClient.connect("127.0.0.1", server.port, "ana") as client:
        texts = []
        for event in client.events():
            assert isinstance(event, DirectMessage)
            texts.append(event.text)
            if event.text == "three":
                break
        assert done.wait(WAIT_S)
    assert texts == ["one", "two", "three"]


def test_a_bot_that_does_not_read_confirms_only_what_it_has_room_for(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistent, "Inbox", lambda: Inbox(10_000, 10_000))
    sent: queue.Queue[int] = queue.Queue()
    is_read, is_confirmed = threading.Event(), threading.Event()

    def script(peer: Any) -> None:
        peer.welcome()
        last = number = 0
        while number - last < 4:
            number += 1
            assert number < 100
            send_direct(peer, number)
            time.sleep(0.02)  # it may go from one inbox to the other, or may be late
            last = max(last, confirmed(peer))
        sent.put(number)
        is_read.wait(WAIT_S)
        while peer.expect("received")["receipt"] < number:
            pass  # what was only late
        is_confirmed.set()
        peer.expect("quit")

    server = scripted_server(script)
    with PersistentClient.connect("127.0.0.1", server.port, "ana") as client:
        number = sent.get(timeout=WAIT_S)
        events = client.events()
        for _number in range(number):
            assert isinstance(next(events), DirectMessage)
        is_read.set()
        assert is_confirmed.wait(WAIT_S)


# --- sending -------------------------------------------------------------------------------------


def test_the_time_of_a_direct_message_is_the_servers(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.send("ok", id=peer.expect("direct")["id"], time=TIME)
        peer.send("ok", id=peer.expect("direct")["id"])
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        assert client.direct("luis", "hola") == TIME
        assert client.direct("luis", "hola") is None  # an older server


def test_a_busy_receiver_is_waited_for(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        first = peer.expect("direct")
        peer.send("error", id=first["id"], code="busy", message="", name="luis", retry_after=0.05)
        second = peer.expect("direct")
        assert (second["text"], second["nonce"]) == (first["text"], first["nonce"])
        peer.send("ok", id=second["id"], time=TIME)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        assert client.direct("luis", "hola", nonce="n") == TIME


def test_a_receiver_that_stays_busy_is_an_exception(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    monkeypatch.setattr(client_module, "time", clock)

    def script(peer: Any) -> None:
        peer.welcome()
        for _number in range(4):
            request = peer.expect("direct")
            clock.s += WAIT_S * 0.3
            peer.send("error", id=request["id"], code="busy", message="", retry_after=0.001)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        with pytest.raises(RequestRefused) as refusal:
            client.direct("luis", "hola")
        assert refusal.value.code == "busy"


def test_what_came_back_is_an_exception_and_without_its_id_no_reason_of_the_end(
    scripted_server: StartServer,
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        lost = {"code": "undelivered", "message": "", "name": "luis", "nonce": "n"}
        peer.send("error", id=peer.expect("direct")["id"], **lost)
        peer.send("error", **lost)

    client = connect(scripted_server(script))
    with pytest.raises(RequestRefused) as refusal:
        client.direct("luis", "hola", nonce="n")
    assert (refusal.value.code, refusal.value.name) == ("undelivered", "luis")
    for _event in client.events():
        pass
    assert client.ended is not None
    assert (client.ended.reason, client.ended.error) == (EndReason.LOST, None)


# --- the pace ------------------------------------------------------------------------------------


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits that the server has asked for."""
    noted: list[float] = []
    slow_down = Pace.slow_down

    def note(pace: Pace, sent_at: float, now: float, retry_after_s: float) -> None:
        noted.append(retry_after_s)
        slow_down(pace, sent_at, now, retry_after_s)

    monkeypatch.setattr(Pace, "slow_down", note)
    return noted


@pytest.fixture
def paced_server(start_server: Callable[..., Any]) -> Any:
    return start_server("--rate-limit", "10", "--history", "off")


@pytest.mark.parametrize("kind", [Client, PersistentClient])
def test_a_bot_is_refused_once_and_then_keeps_the_pace(
    paced_server: Any, refusals: list[float], kind: type[Client | PersistentClient]
) -> None:
    with kind.connect("127.0.0.1", paced_server.port, "ana") as client:
        numbers = [client.say(str(number)) for number in range(60)]
    assert numbers == sorted(numbers)
    assert len(refusals) == 1


def test_several_threads_keep_the_pace_together(paced_server: Any, refusals: list[float]) -> None:
    numbers: list[int] = []
    with Client.connect("127.0.0.1", paced_server.port, "ana") as client:

        def say() -> None:
            numbers.extend(client.say(str(number)) for number in range(8))

        threads = [threading.Thread(target=say) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(numbers)) == 64
    assert len(refusals) <= len(threads)  # what was under way together


def test_the_pace_is_kept_on_the_next_connection(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[float] = []
    take_turn = Pace.take_turn

    def note(pace: Pace, now: float) -> float:
        turns.append(take_turn(pace, now))
        return turns[-1]

    monkeypatch.setattr(Pace, "take_turn", note)

    def first(peer: Any) -> None:
        peer.welcome()
        request = peer.expect("say")
        peer.send("error", id=request["id"], code="rate_limited", message="", retry_after=0.2)
        peer.expect("say")

    def second(peer: Any) -> None:
        peer.welcome()
        for number in range(3):
            peer.send("ok", id=peer.expect("say")["id"], seq=number)
        peer.expect("quit")

    with PersistentClient.connect(
        "127.0.0.1", scripted_server(first, second).port, "ana"
    ) as client:
        for _number in range(3):
            client.say("hola")
    assert turns[-1] - turns[-3] >= 0.4


def test_pages_wait_for_one_another(scripted_server: StartServer) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        requests = [peer.expect("history") for _number in range(4)]
        peer.send("ping", id=5)
        assert peer.receive() == {"type": "pong", "id": 5}  # and not a fifth request
        peer.send("history", id=requests[0]["id"], messages=[], more=False)
        requests.append(peer.expect("history"))
        for request in requests[1:]:
            peer.send("history", id=request["id"], messages=[], more=False)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        threads = [threading.Thread(target=client.history) for _number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_a_server_that_never_stops_refusing_is_given_up(
    scripted_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    monkeypatch.setattr(client_module, "time", clock)

    def script(peer: Any) -> None:
        peer.welcome()
        for _number in range(4):
            request = peer.expect("say")
            clock.s += WAIT_S * 0.3
            peer.send("error", id=request["id"], code="rate_limited", message="", retry_after=0.001)
        peer.expect("quit")

    with connect(scripted_server(script)) as client:
        with pytest.raises(RequestRefused) as refusal:
            client.say("hola")
        assert refusal.value.code == "rate_limited"
