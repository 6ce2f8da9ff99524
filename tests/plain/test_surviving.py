"""Client processes that live on while their server is killed and started again."""

import contextlib
import json
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from piped_user import PipedUser
from suspended import suspend
from terminal_user import TerminalUser

from tertulia.client.client import Client

pytestmark = pytest.mark.long

WAIT_S = 20.0
TIME = "2026-11-22T15:04:05.123Z"
PipeIn = Callable[..., PipedUser]


@contextlib.contextmanager
def library_user(port: int, name: str = "luis") -> Iterator[Client]:
    with Client.connect("127.0.0.1", port, name, timeout=WAIT_S) as client:
        yield client


@contextlib.contextmanager
def stopped(user: PipedUser) -> Iterator[None]:
    """Let a client notice nothing for a while."""
    user.stop()
    yield
    user.process.send_signal(signal.SIGCONT)


def list_users(peer: Any, seq: int) -> None:
    """Answer the next request of a client, for the list of users."""
    users = peer.expect("users")
    peer.send("users", id=users["id"], seq=seq, users=[{"name": "ana", "status": "ACTIVO"}])


def test_everything_is_shown_once_and_in_order_over_the_deaths_of_the_server(
    pipe_in: PipeIn, persistent_server: Any
) -> None:
    ana = pipe_in("ana", persistent_server.port)
    luis = pipe_in("luis", persistent_server.port)
    luis.see_words("Hello, luis.")
    lines = []
    for life in range(3):
        said = [f"life {life} line {number}" for number in range(15)]
        lines += said
        ana.type(*said)
        luis.see(f"ana: {said[2]}")  # the others are under way, or wait
        persistent_server.kill()
        persistent_server.start()
    for user in (ana, luis):
        user.see(f"ana: {lines[-1]}")
        assert user.chat == [f"ana: {line}" for line in lines]
        assert user.leave() == 0
    assert ana.words[-1].endswith(f"Messages: {len(lines)} sent, 0 received.")
    assert luis.words[-1].endswith(f"Messages: 0 sent, {len(lines)} received.")
    with library_user(persistent_server.port) as client:
        assert [message.text for message in client.history().messages] == lines


def test_what_a_frozen_server_has_not_read_is_said_to_the_next_one(
    pipe_in: PipeIn, persistent_server: Any
) -> None:
    ana = pipe_in("ana", persistent_server.port)
    ana.see_words("Hello, ana.")
    suspend(persistent_server.process.pid)
    ana.type("under way", "waits", "/quit")
    persistent_server.kill()
    persistent_server.start()
    assert ana.process.wait(WAIT_S) == 0
    ana.close()
    assert ana.chat == ["ana: under way", "ana: waits"]


@pytest.mark.parametrize("stored", [True, False])
def test_what_was_delivered_but_not_acknowledged_is_shown_once(
    pipe_in: PipeIn, scripted_server: Callable[..., Any], stored: bool
) -> None:
    said: dict[str, Any] = {}

    def first(peer: Any) -> None:
        assert "token" not in peer.welcome(token="mine")
        list_users(peer, 10)
        said.update(peer.expect("say"), seq=11, time=TIME)
        peer.send("message", **message(11))

    def message(seq: int) -> dict[str, Any]:
        return {"seq": seq, "time": TIME, "from": "ana"} | {
            field: said[field] for field in ("text", "nonce")
        }

    def second(peer: Any) -> None:
        assert peer.welcome(seq=20)["token"] == "mine"
        missing = peer.expect("history")
        assert (missing["after"], missing["before"]) == (11, 21)
        peer.send("history", id=missing["id"], messages=[], more=False)
        list_users(peer, 20)
        again = peer.expect("say")
        assert (again["text"], again["nonce"]) == (said["text"], said["nonce"])
        if not stored:  # then it is said under another number
            peer.send("message", **message(22))
        peer.send("ok", id=again["id"], seq=11 if stored else 22)
        peer.expect("quit")

    ana = pipe_in("ana", scripted_server(first, second).port)
    ana.type("hola")
    ana.see("ana: hola")
    assert ana.leave() == 0
    assert ana.chat == ["ana: hola"]
    assert ana.words[-1].endswith("Messages: 1 sent, 0 received.")


def test_a_direct_message_that_was_under_way_is_sent_again_with_its_nonce(
    pipe_in: PipeIn, scripted_server: Callable[..., Any]
) -> None:
    directs = []

    def first(peer: Any) -> None:
        peer.welcome()
        list_users(peer, 10)
        directs.append(peer.expect("direct"))

    def second(peer: Any) -> None:
        peer.welcome()
        list_users(peer, 10)
        directs.append(peer.expect("direct"))
        peer.send("ok", id=directs[1]["id"], time="2026-11-22T15:04:05.123Z")
        peer.expect("quit")

    ana = pipe_in("ana", scripted_server(first, second).port)
    ana.type("@luis psst")
    ana.see("you to luis: psst")
    assert ana.leave() == 0
    assert directs[0]["nonce"] == directs[1]["nonce"]


def test_what_was_said_while_the_client_was_away_is_shown_in_its_place(
    pipe_in: PipeIn, persistent_server: Any
) -> None:
    ana = pipe_in("ana", persistent_server.port)
    machine = pipe_in("machine", persistent_server.port, "--json")
    for user in (ana, machine):
        user.see_words("Hello, ")
    ana.type("before")
    machine.wait_until(lambda: any('"text":"before"' in line for line in machine.data))
    with library_user(persistent_server.port) as luis:
        assert luis.history().messages  # a page comes once all is stored: else it is said again
    with stopped(ana), stopped(machine):
        persistent_server.kill()
        persistent_server.start()
        with library_user(persistent_server.port) as luis:
            for number in range(3):
                luis.say(f"missed {number}")
    for user in (ana, machine):
        user.see_words("Reconnected.")
    ana.type("after")
    ana.see("ana: after")
    assert ana.chat == ["ana: before", *(f"luis: missed {n}" for n in range(3)), "ana: after"]
    machine.wait_until(lambda: any('"text":"after"' in line for line in machine.data))
    for user in (ana, machine):
        assert user.leave() == 0
    messages = [json.loads(line) for line in machine.data]
    assert not [message for message in messages if "token" in message]
    [page] = [message for message in messages if message["type"] == "history"]
    assert [message["text"] for message in page["messages"]] == [f"missed {n}" for n in range(3)]
    live = [message["text"] for message in messages if message["type"] == "message"]
    assert live == ["before", "after"]


def test_the_chosen_status_is_kept(pipe_in: PipeIn, persistent_server: Any) -> None:
    ana = pipe_in("ana", persistent_server.port)
    ana.type("/status busy")
    ana.see("you are now busy (OCUPADO)")
    persistent_server.kill()
    persistent_server.start()
    ana.type("/users")
    ana.see("ana (you): busy (OCUPADO)")
    with library_user(persistent_server.port) as luis:
        assert luis.info("ana").status == "OCUPADO"
    assert ana.leave() == 0


def test_another_server_on_the_port_is_a_chat_of_its_own(
    pipe_in: PipeIn, persistent_server: Any, tmp_path: Any
) -> None:
    ana = pipe_in("ana", persistent_server.port)
    ana.see_words("Hello, ana.")
    with library_user(persistent_server.port) as luis:
        for number in range(20):
            luis.say(f"old {number}")
    ana.see("luis: old 19")
    persistent_server.kill()
    persistent_server.options = ("--history", str(tmp_path / "other.db"), "--shared-addresses")
    persistent_server.start()
    ana.see_words("Reconnected.")
    ana.type("new")
    ana.see("ana: new")
    ana.type("/history")
    ana.see_words("No messages found.")
    assert ana.chat == [*(f"luis: old {number}" for number in range(20)), "ana: new"]
    assert ana.leave() == 0


def test_who_finds_the_own_name_taken_ends_with_4(pipe_in: PipeIn, persistent_server: Any) -> None:
    ana = pipe_in("ana", persistent_server.port)
    ana.see_words("Hello, ana.")
    with contextlib.ExitStack() as other:
        with stopped(ana):
            persistent_server.kill()
            persistent_server.start()
            other.enter_context(library_user(persistent_server.port, "ana"))
        assert ana.process.wait(WAIT_S) == 4
    ana.see_words("A user called “ana” is already connected. Try another name: tertulia ana2 ")


def test_the_history_is_shown_and_searched(pipe_in: PipeIn, persistent_server: Any) -> None:
    with library_user(persistent_server.port) as luis:
        for number in range(8):
            luis.say(f"line {number}" + (" con pan" if number in (2, 5) else ""))
    ana = pipe_in("ana", persistent_server.port)
    ana.type("/history 5", "/historial", "/buscar PAN", "/search nothing", "/history zero", "hola")
    ana.see("ana: hola")
    assert ana.leave() == 6, "/history zero is no command"
    texts = [f"luis: line {number}" for number in range(8)]
    texts[2] += " con pan"
    texts[5] += " con pan"
    assert ana.chat == [*texts[3:], *texts[:3], texts[2], texts[5], "ana: hola"]
    assert ana.words[1:4] == [
        "There are older messages.",
        "No messages found.",
        "Give a number of messages from 1 to 200, for example: /history 50",
    ]


def test_json_has_the_pages_as_they_came(pipe_in: PipeIn, persistent_server: Any) -> None:
    with library_user(persistent_server.port) as luis:
        luis.say("pan")
    ana = pipe_in("ana", persistent_server.port, "--json")
    ana.type("/history 5", "/buscar pan")
    assert ana.leave() == 0
    pages = [json.loads(line) for line in ana.data if json.loads(line)["type"] == "history"]
    assert [[said["text"] for said in page["messages"]] for page in pages] == [["pan"], ["pan"]]


@pytest.fixture
def at_terminal(
    hasty_program: list[str],
    client_environment: dict[str, str],
    new_screen: Callable[..., Any],
    persistent_server: Any,
) -> Iterator[TerminalUser]:
    """Sit down at a terminal, where somebody has spoken before."""
    with library_user(persistent_server.port) as luis:
        for number in range(25):
            luis.say(f"line {number}")
    command = [*hasty_program, "--plain", "ana", "127.0.0.1", str(persistent_server.port)]
    user = TerminalUser(command, client_environment, new_screen(100))
    yield user
    user.close()


def chat_on(user: TerminalUser) -> list[str]:
    found = (re.match(r"(?:earlier: )?\[[^]]*\] (\S+: .*)", line) for line in user.screen.above)
    return [line[1] for line in found if line]


def test_who_sits_down_sees_the_last_messages_and_then_the_hints(
    at_terminal: TerminalUser,
) -> None:
    at_terminal.see("/help shows all commands, and /quit leaves the chat.")
    assert chat_on(at_terminal) == [f"luis: line {number}" for number in range(5, 25)]
    assert at_terminal.screen.above[1].startswith("Hello, ana.")
    at_terminal.type("/history\r")
    at_terminal.see("luis: line 4")
    assert chat_on(at_terminal)[20:] == [f"luis: line {number}" for number in range(5)]


def test_a_terminal_shows_that_it_is_away_and_keeps_what_is_typed(
    at_terminal: TerminalUser, persistent_server: Any
) -> None:
    at_terminal.see("/help shows all commands, and /quit leaves the chat.")
    at_terminal.type("half typed")
    at_terminal.see_row("ana> half typed")
    persistent_server.kill()
    at_terminal.see_row("ana, no connection> half typed")
    at_terminal.see("Reconnecting automatically…")
    at_terminal.type(", then whole\r")
    at_terminal.see_row("ana, no connection>")
    at_terminal.type("and another")
    at_terminal.see_row("ana, no connection> and another")
    persistent_server.start()
    at_terminal.see("ana: half typed, then whole")
    at_terminal.see_row("ana> and another")
    assert "Reconnected." in at_terminal.screen.above
    at_terminal.type("\r")
    at_terminal.see("ana: and another")
    assert chat_on(at_terminal)[20:] == ["ana: half typed, then whole", "ana: and another"]
    at_terminal.type("\x04")
    assert at_terminal.wait_for_exit() == 0


def test_who_leaves_while_the_server_is_away_gets_the_terminal_back(
    at_terminal: TerminalUser, persistent_server: Any
) -> None:
    at_terminal.see("/help shows all commands, and /quit leaves the chat.")
    persistent_server.stop()
    at_terminal.see_row("ana, no connection>")
    at_terminal.see("The server was stopped.")
    at_terminal.type("half\x15\x04")
    assert at_terminal.wait_for_exit() == 0
    assert at_terminal.current_settings() == at_terminal.settings
