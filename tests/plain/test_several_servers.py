"""The program and a chat of several servers: from a lost one to the next, and none that answers."""

from collections.abc import Callable
from typing import Any

import pytest
from piped_user import PipedUser


@pytest.mark.parametrize(
    ("closing", "words"),
    [
        ({}, "The server was stopped."),
        ({"cause": "cut_off"}, "This server has lost contact with the rest of the chat."),
    ],
)
def test_the_user_goes_on_at_the_next_server_at_once(
    pipe_in: Callable[..., PipedUser],
    scripted_server: Callable[..., Any],
    closing: dict[str, str],
    words: str,
) -> None:
    nodes: list[str] = []

    def first(peer: Any) -> None:
        peer.welcome(nodes=nodes)
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[{"name": "ana", "status": "ACTIVO"}])
        assert peer.expect("say")["text"] == "one"
        peer.send("closing", reason="shutdown", retry_after=600.0, **closing)

    def second(peer: Any) -> None:
        assert peer.welcome(nodes=nodes[::-1], seq=11)["token"] == "secret"
        said = []
        while (request := peer.receive())["type"] != "quit":
            match request["type"]:
                case "say":
                    said.append(request["text"])
                    peer.send("ok", id=request["id"], seq=11 + len(said))
                case "users":
                    peer.send("users", id=request["id"], seq=12, users=[])
                case "history":
                    peer.send("history", id=request["id"], messages=[], more=False)
        assert said == ["one", "two"]

    nodes += [f"127.0.0.1:{scripted_server(script).port}" for script in (first, second)]
    ana = pipe_in("ana", int(nodes[0].rpartition(":")[2]))
    ana.see_words(f"This chat has several servers. You are at {nodes[0]}.")
    ana.type("one")
    ana.see_words(f"Reconnected. You are now at {nodes[1]}.")
    assert ana.words[-3:-1] == [words, "Trying the other servers of this chat…"]
    ana.type("two")
    assert ana.leave() == 0


def test_the_first_server_that_answers_is_taken_and_if_none_does_all_are_named(
    run_client: Callable[..., Any], shared_server: Any, fresh_address: Callable[[], str]
) -> None:
    there = f"127.0.0.1:{shared_server.port}"
    options = ("--source", fresh_address(), "-m", "hola")
    assert run_client("eva", f"127.0.0.1:1,{there}", 2, *options).returncode == 0
    done = run_client("eva", "127.0.0.1,[::1]:1", 2, "-m", "hola", LANGUAGE="es")
    assert done.returncode == 3
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "Ahora no se puede usar ninguno de los servidores de este chat:"
    assert lines[1].startswith("    127.0.0.1:2: ")
    assert lines[2].startswith("    [::1]:1: ")
