"""The library and a real server: what users do with each other."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from tertulia.client.client import Client, ClientEvent
from tertulia.client.errors import EndReason, RegistrationRefused, RequestRefused
from tertulia.client.persistent import PersistentClient
from tertulia.protocol.messages import (
    ChatMessage,
    Closing,
    DirectMessage,
    Joined,
    Left,
    Presence,
    Status,
)
from tertulia.protocol.moderation import Pinned

WAIT_S = 20.0

Join = Callable[..., Client]


@pytest.fixture
def join(shared_server: Any, fresh_address: Callable[[], str]) -> Any:
    clients: list[Client] = []

    def connect(name: str, **options: Any) -> Client:
        source = options.pop("source", None) or fresh_address()
        client = Client.connect(
            "127.0.0.1", shared_server.port, name, source=source, timeout=WAIT_S, **options
        )
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def next_event(client: Client, kind: type[ClientEvent]) -> Any:
    """Take events until one of a kind comes."""
    while True:
        incoming = client.receive(WAIT_S)
        assert incoming is not None, f"no {kind.__name__} came"
        if isinstance(incoming.message, kind):
            return incoming.message


def test_what_one_says_all_hear_and_the_number_is_the_same(join: Join) -> None:
    ana, luis = join("ana"), join("luis")
    seq = ana.say("hola ñ 日本 👩‍💻\n\ttwo lines")
    for client in (ana, luis):
        message = next_event(client, ChatMessage)
        assert (message.seq, message.sender) == (seq, "ana")
        assert message.text == "hola ñ 日本 👩‍💻\n\ttwo lines"


def test_the_same_nonce_is_the_same_message(join: Join) -> None:
    ana = join("ana")
    assert ana.say("once", nonce="n1") == ana.say("once", nonce="n1")


def test_a_direct_message_reaches_one_user_alone(join: Join) -> None:
    ana, luis, eva = join("ana"), join("luis"), join("eva")
    ana.direct("LUIS", "psst")
    direct = next_event(luis, DirectMessage)
    assert (direct.sender, direct.to, direct.text) == ("ana", "luis", "psst")
    eva.ping()
    eva.close()
    assert not [event for event in eva.events() if isinstance(event, DirectMessage)]


def test_a_status_is_seen_by_all_and_listed(join: Join) -> None:
    ana, luis = join("ana"), join("luis")
    luis.set_status(Status.OCUPADO)
    presence = next_event(ana, Presence)
    assert (presence.name, presence.status, presence.by) == ("luis", "OCUPADO", "user")
    listed = {user.name: user.status for user in ana.users().users}
    assert listed == {"ana": "ACTIVO", "luis": "OCUPADO"}
    assert ana.info("luis").status is Status.OCUPADO
    with pytest.raises(RequestRefused) as refusal:
        luis.set_status("DORMIDO")
    assert refusal.value.code == "status_invalid"


def test_comings_and_goings_are_told(join: Join) -> None:
    ana = join("ana")
    luis = join("luis")
    assert next_event(ana, Joined).name == "ana"
    assert next_event(ana, Joined).name == "luis"
    luis.close()
    left = next_event(ana, Left)
    assert (left.name, left.reason) == ("luis", "quit")
    with pytest.raises(RequestRefused) as refusal:
        ana.direct("luis", "gone?")
    assert (refusal.value.code, refusal.value.name) == ("user_not_connected", "luis")


def test_what_is_taken_is_refused_with_its_code(join: Join) -> None:
    join("ana", source="127.8.0.1")
    for name, source, code in (
        ("Ana", "127.8.0.2", "name_taken"),
        ("eva", "127.8.0.1", "address_taken"),
        ("ana", "127.8.0.1", "name_taken"),
        ("a b", "127.8.0.2", "name_invalid"),
    ):
        with pytest.raises(RegistrationRefused) as refusal:
            join(name, source=source)
        assert refusal.value.code == code


def test_a_token_takes_the_session_over(join: Join) -> None:
    old = join("ana")
    new = join("ana", token=old.welcome.token)
    assert new.ended is None
    for _event in old.events():
        pass
    assert old.ended is not None
    assert old.ended.reason is EndReason.LOST


def test_who_wants_messages_alone_gets_no_others(join: Join) -> None:
    bot = join("bot", events="messages")
    ana = join("ana")
    ana.say("hola")
    ana.close()
    bot.ping()
    bot.close()
    assert [type(event) for event in bot.events()] == [ChatMessage]


def test_operators_keep_order(start_server: Any, tmp_path: Path) -> None:
    secret = "a-secret-of-the-operator"
    (tmp_path / "secret").write_text(secret)
    history = ("--history", str(tmp_path / "history.db"))
    server = start_server("--operator-secret", str(tmp_path / "secret"), *history)

    def join(name: str, last: int) -> Client:
        source = f"127.8.0.{last}"
        return Client.connect("127.0.0.1", server.port, name, source=source, timeout=WAIT_S)

    with join("ana", 1) as ana, join("luis", 2) as luis, join("eva", 3) as eva:
        seq = luis.say("a las 8")
        eva.mark_seen(seq)
        eva.ping()
        seen = luis.seen_by(seq)
        assert (seen.seen, seen.not_seen, seen.unknown) == (["eva"], [], ["ana"])
        with pytest.raises(RequestRefused, match="not_operator"):
            eva.seen_by(seq)
        for request in (luis.bans, lambda: luis.kick("eva")):
            with pytest.raises(RequestRefused, match="not_operator"):
                request()
        with pytest.raises(RequestRefused, match="operator_wrong"):
            ana.become_operator("not-the-secret")
        ana.become_operator(secret)
        ana.mute("luis", minutes=10)
        with pytest.raises(RequestRefused, match="muted"):
            luis.say("no")
        rows = {row.name: (row.operator, row.muted) for row in luis.users().users}
        assert rows == {"ana": (True, False), "eva": (False, False), "luis": (False, True)}
        ana.unmute("luis")
        ana.hush()
        with pytest.raises(RequestRefused, match="hushed"):
            luis.say("no")
        ana.hush(False)
        ana.lock()
        with pytest.raises(RegistrationRefused, match="locked"):
            join("zoe", 4)
        ana.lock(False)
        ana.pin(seq)
        pinned = next_event(eva, Pinned).message
        assert pinned.text == "a las 8"
        ana.pin()
        fitting = ana.fits(address="127.8.0.2/31").users
        assert {user.name for user in fitting} == {"eva", "luis"}
        ana.ban(address="127.8.0.3/32", minutes=30, reason="spam")
        assert [(row.address, row.by) for row in ana.bans()] == [("127.8.0.3", "ana")]
        ana.unban(address="127.8.0.3")
        with pytest.raises(RequestRefused, match="not_found"):
            ana.release("luis")
        assert ana.create_hook("build").path.startswith("/hook/")
        assert [(row.name, row.by) for row in ana.hooks()] == [("build", "ana")]
        ana.remove_hook("build")
        assert ana.hooks() == []
        here = [(row.name, row.left) for row in ana.attendance()]
        assert here[:2] == [("ana", UNSET), ("luis", UNSET)]
        assert list(ana.attendance(until="2000-01-01T00:00:00Z")) == []
        ana.kick("luis", reason="ten lines a second")
        for kicked, text in ((luis, "ten lines a second"), (eva, "spam")):
            while kicked.receive(WAIT_S) is not None:
                pass
            end = kicked.ended
            assert end is not None
            assert end.reason is EndReason.KICKED
            assert end.closing is not None
            assert (end.closing.by, end.closing.text) == ("ana", text)


def test_an_operator_of_many_connections_is_one_on_each(start_server: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-secret-of-the-operator")
    server = start_server("--operator-secret", str(tmp_path / "secret"))

    def join(secret: str) -> PersistentClient:
        return PersistentClient.connect(
            "127.0.0.1", server.port, "ana", operator_secret=secret, timeout=WAIT_S
        )

    with pytest.raises(RequestRefused, match="operator_wrong"):
        join("not-the-secret-of-it")
    with join("a-secret-of-the-operator") as ana:
        server.kill()
        server.start()
        ana.say("here again")
        assert ana.current.bans() == []


def test_many_threads_can_speak_at_once(join: Join) -> None:
    ana = join("ana")
    numbers: list[int] = []

    def speak() -> None:
        numbers.extend(ana.say("hola") for _time in range(5))

    threads = [threading.Thread(target=speak) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(set(numbers)) == 30


def test_a_server_that_stops_says_so(
    start_server: Callable[..., Any], fresh_address: Callable[[], str]
) -> None:
    server = start_server()
    ana = Client.connect("127.0.0.1", server.port, "ana", source=fresh_address())
    server.process.terminate()
    assert isinstance(list(ana.events())[-1], Closing)
    assert ana.ended is not None
    assert ana.ended.reason is EndReason.SHUTDOWN
