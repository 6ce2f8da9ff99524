"""The bots of the examples and of docs/library.md, with a server that is started again."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from library_page import programs_of_the_page

from tertulia import ChatMessage, Client, DirectMessage, Joined, PersistentClient, RequestRefused

ECHO_BOT = Path(__file__).parents[1] / "examples" / "echo_bot.py"
WAIT_S = 20.0


@pytest.fixture
def start_bot() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    bots: list[subprocess.Popen[bytes]] = []

    def start(program: Path, port: int) -> "subprocess.Popen[bytes]":
        bots.append(subprocess.Popen([sys.executable, program, "127.0.0.1", str(port)]))
        return bots[-1]

    yield start
    for bot in bots:
        bot.kill()
        bot.wait(WAIT_S)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    assert programs_of_the_page(tmp_path) == ["die_bot.py", "count_bot.py"]
    return tmp_path


def see(client: Any, kind: type, **fields: str) -> Any:
    """Wait for an event of a kind."""
    for event in client.events():
        if isinstance(event, kind) and all(
            getattr(event, name) == value for name, value in fields.items()
        ):
            return event
    pytest.fail("the connection has ended")


def ask(client: PersistentClient, bot: str, text: str) -> str:
    """Write to a bot, once it is there, and return its answer."""
    while True:
        try:
            client.direct(bot, text)
        except RequestRefused:  # it has not come back yet
            continue
        answer: str = see(client, DirectMessage, sender=bot).text
        return answer


def test_the_echo_bot_outlives_a_restart_of_its_server(
    start_bot: Callable[..., Any], persistent_server: Any
) -> None:
    with PersistentClient.connect("127.0.0.1", persistent_server.port, "ana") as ana:
        bot = start_bot(ECHO_BOT, persistent_server.port)
        see(ana, Joined, name="echo")
        assert ask(ana, "echo", "¿hay alguien?") == "¿hay alguien?"
        persistent_server.kill()
        persistent_server.start()
        assert ask(ana, "echo", "¿y ahora?") == "¿y ahora?"
        assert bot.poll() is None


def test_the_bot_on_one_connection_ends_with_it(
    start_bot: Callable[..., Any], start_server: Callable[..., Any], page: Path
) -> None:
    server = start_server("--shared-addresses")
    with Client.connect("127.0.0.1", server.port, "ana", timeout=WAIT_S) as ana:
        bot = start_bot(page / "die_bot.py", server.port)
        see(ana, ChatMessage, text="write !die")
        ana.say("!die")
        sides = {f"ana: {number}" for number in range(1, 7)}
        assert see(ana, ChatMessage, sender="die").text in sides
        server.stop()
        assert bot.wait(WAIT_S) == 0


def test_the_persistent_bot_counts_over_a_restart(
    start_bot: Callable[..., Any], persistent_server: Any, page: Path
) -> None:
    with PersistentClient.connect("127.0.0.1", persistent_server.port, "ana") as ana:
        start_bot(page / "count_bot.py", persistent_server.port)
        see(ana, Joined, name="count")
        ana.say("one")
        assert ask(ana, "count", "?") == "you have said 1"
        persistent_server.kill()
        persistent_server.start()
        ana.say("two")
        assert ask(ana, "count", "?") == "you have said 2"
