"""The plain face on a terminal: a real pty, and a screen to look at what was written."""

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from terminal_user import BACKGROUND_SCRIPT, COLUMNS, TerminalUser

from tertulia.client.client import Client
from tertulia.protocol.messages import ChatMessage, DirectMessage

TERTULIA = Path(sys.executable).with_name("tertulia")
WAIT_S = 20.0


@pytest.fixture
def ana(
    sit_down: Callable[..., TerminalUser], shared_server: Any, fresh_address: Callable[[], str]
) -> TerminalUser:
    user = sit_down("ana", "127.0.0.1", shared_server.port, "--source", fresh_address())
    user.see("/help shows all commands, and /quit leaves the chat.")
    user.see_row("ana>")
    return user


@pytest.fixture
def command_line(shared_server: Any, fresh_address: Callable[[], str]) -> str:
    """The client's command, for a shell."""
    return f"{TERTULIA} ana 127.0.0.1 {shared_server.port} --source {fresh_address()}"


@pytest.fixture
def in_a_shell(
    client_environment: dict[str, str], new_screen: Callable[..., Any]
) -> Iterator[Callable[..., TerminalUser]]:
    """Return a function that starts a shell with such a script on a terminal."""
    with contextlib.ExitStack() as users:

        def start(script: str, option: str = "-c") -> TerminalUser:
            user = TerminalUser(["/bin/sh", option, script], client_environment, new_screen())
            return users.enter_context(contextlib.closing(user))

        yield start


@pytest.fixture
def luis(shared_server: Any, fresh_address: Callable[[], str]) -> Iterator[Client]:
    with Client.connect(
        "127.0.0.1", shared_server.port, "luis", source=fresh_address(), timeout=WAIT_S
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["ana", "127.0.0.1", "x"],
            ["tertulia: “x” is not a port: a port is", "a number from 1 to 65535 (see tertulia",
             "--help)"],
        ),
        (
            ["ana", "a..b", "5000"],
            ["Connecting to a..b, port 5000…", "There is no computer with the name",
             "“a..b”. Check the name, or use the IP", "address of the server."],
        ),
    ],
)  # fmt: skip
def test_a_sentence_for_a_narrow_terminal_is_broken_between_words(
    sit_down: Callable[..., TerminalUser], arguments: list[str], lines: list[str]
) -> None:
    user = sit_down(*arguments, columns=40)
    assert user.wait_for_exit() in (2, 3)
    assert user.screen.above == lines


def test_a_newcomer_is_greeted_and_told_how_to_leave(ana: TerminalUser) -> None:
    assert ana.screen.above[0].startswith("Connecting to 127.0.0.1, port ")
    assert ana.screen.above[1] == "Hello, ana. You are active (ACTIVO). There is 1 person here."


def test_a_half_typed_line_survives_what_comes_in(luis: Client, ana: TerminalUser) -> None:
    ana.type("half 日本 typed\x1b[D\x1b[D")
    ana.see_row("ana> half 日本 typed")
    luis.say("hola ana")
    ana.see("luis: hola ana")
    ana.see_row("ana> half 日本 typed")
    assert ana.screen.cursor == len("ana> half 日本 typ") + 2
    luis.direct("ana", "psst")
    ana.see("luis to you: psst")
    ana.type("X\r")
    ana.see("ana: half 日本 typXed")
    ana.see_row("ana>")


def test_what_is_said_stands_there_once(ana: TerminalUser) -> None:
    ana.type("hola\r")
    ana.see("ana: hola")
    ana.type("/users\r")
    ana.see("ana (you): active (ACTIVO)")
    assert len([line for line in ana.screen.above if "hola" in line]) == 1
    assert "ana> /users" in ana.screen.above


def test_the_prompt_shows_the_status_that_the_server_has(
    sit_down: Callable[..., TerminalUser], scripted_server: Callable[..., Any]
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[{"name": "ana", "status": "ACTIVO"}])
        page = peer.expect("history")
        peer.send("error", id=page["id"], code="history_off", message="no history")
        peer.expect("status")
        assert peer.receive()["type"] == "quit"  # the answer never comes

    user = sit_down("ana", "127.0.0.1", scripted_server(script).port)
    user.see("There is 1 person here.")
    user.type("/status busy\r")
    user.see_row("ana, asking for busy>")
    user.type("\x04\x04")
    assert user.wait_for_exit() == 0


def test_a_status_is_confirmed_and_shown(ana: TerminalUser) -> None:
    ana.type("/estado ocu\t\r")
    ana.see("you are now busy (OCUPADO)")
    ana.see_row("ana, busy>")


def test_tab_completes_who_spoke_last(luis: Client, ana: TerminalUser) -> None:
    luis.say("hola")
    ana.see("luis: hola")
    ana.type("@\tpsst\r")
    ana.see("you to luis: psst")


def test_ctrl_c_clears_the_line_then_says_how_to_leave_and_ctrl_d_leaves(
    ana: TerminalUser,
) -> None:
    ana.type("oops\x03")
    ana.see_row("ana>")
    ana.type("\x03")
    ana.see("To leave, type /quit or press Ctrl+D.")
    ana.type("\x04")
    assert ana.wait_for_exit() == 0
    ana.see("Messages: 0 sent, 0 received.")
    assert ana.current_settings() == ana.settings


@pytest.mark.parametrize("word", ["/salir", "/quit"])
def test_quitting_gives_the_terminal_back(ana: TerminalUser, word: str) -> None:
    assert ana.current_settings() != ana.settings
    ana.type(f"{word}\r")
    assert ana.wait_for_exit() == 0
    assert ana.current_settings() == ana.settings


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back_and_ends_as_one(
    ana: TerminalUser, signum: signal.Signals
) -> None:
    ana.process.send_signal(signum)
    assert ana.wait_for_exit() == -signum
    assert ana.current_settings() == ana.settings
    ana.see("Messages: 0 sent, 0 received.")


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(
    in_a_shell: Callable[..., TerminalUser], command_line: str
) -> None:
    # A shell with job control, because the kernel stops nobody whom nobody could continue.
    user = in_a_shell(f"{command_line} --plain; echo stopped; read line; fg; echo $?", "-mc")
    user.see_row("ana>")
    user.type("half")
    user.see_row("ana> half")
    user.type("\x1a")
    user.see("stopped")
    assert user.current_settings() == user.settings
    user.type("go on\r")
    user.see_row("ana> half")
    user.type("!\r")
    user.see("ana: half!")
    user.type("\x04")
    assert user.wait_for_exit() == 0
    assert user.screen.above[-1] == "0"


def test_in_the_background_it_waits_and_can_be_ended(
    in_a_shell: Callable[..., TerminalUser], command_line: str
) -> None:
    user = in_a_shell(BACKGROUND_SCRIPT.format(f"{command_line} --plain"), "-mc")
    user.type("in front\r")
    user.see_row("ana>")
    user.type("half")
    user.see_row("ana> half")
    user.type("\x1a")
    user.see("stopped")
    assert user.current_settings() == user.settings
    user.type("in front\r")
    user.see_row("ana> half")
    user.type("\x1a")
    user.see("ended 143")


def test_a_stop_and_a_continuation_from_outside_are_survived(ana: TerminalUser) -> None:
    ana.type("half")
    ana.see_row("ana> half")
    ana.process.send_signal(signal.SIGSTOP)
    _pid, status = os.waitpid(ana.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    termios.tcsetattr(ana._slave, termios.TCSANOW, ana.settings)  # as a shell does
    ana.process.send_signal(signal.SIGCONT)
    ana.wait_until(lambda: ana.current_settings() != ana.settings)
    ana.type("!\r")
    ana.see("ana: half!")


def test_a_terminal_that_hangs_up_ends_the_client(ana: TerminalUser) -> None:
    ana.hang_up()
    assert ana.process.wait(WAIT_S) in (0, -signal.SIGHUP)


def test_a_burst_of_lines_is_said_in_its_order(
    sit_down: Callable[..., TerminalUser],
    start_server: Callable[..., Any],
) -> None:
    server = start_server("--rate-limit", "20/s")
    user = sit_down("ana", "127.0.0.1", server.port)
    user.see("/quit leaves the chat.")
    for number in range(60):
        user.type(f"line {number}")
        user.see_row(f"ana> line {number}")
        user.type("\r")
        user.see_row("ana>")
    user.see("ana: line 59")
    said = [line.partition("ana: ")[2] for line in user.screen.above if "ana: line" in line]
    assert said == [f"line {number}" for number in range(60)]


def test_a_paste_is_one_message_and_nothing_in_it_a_command(
    luis: Client, ana: TerminalUser
) -> None:
    pasted = "\tone\r\r/quit\r@luis two\rlast"
    ana.type(pasted)
    ana.see("5 lines pasted: Enter sends them as one message to everyone, Ctrl+C takes them back.")
    ana.see_row("ana, line 5> last")
    ana.type("\r")
    ana.see("| last")
    luis.ping()
    heard = []
    while (incoming := luis.receive(0)) is not None:
        if isinstance(incoming.message, ChatMessage | DirectMessage):
            heard.append(incoming.message.text)
    assert heard == [pasted.replace("\r", "\n")]
    ana.type(pasted)
    ana.see_row("ana, line 5> last")
    ana.type("\x03")
    ana.see("5 lines were taken back. The arrow up brings them back into the line.")
    ana.see_row("ana>")
    ana.type("\x1b[A")
    ana.see_row("ana, line 5> last")


def test_several_lines_are_typed_one_below_the_other(luis: Client, ana: TerminalUser) -> None:
    ana.type("@luis one\x1b\r")
    ana.see("ana> @luis one")
    ana.see_row("ana, line 2>")
    ana.type("two")
    ana.see_row("ana, line 2> two")
    ana.type("\r")
    ana.see("you to luis: one")
    ana.see("      | two")
    ana.see_row("ana>")


def test_a_mention_and_a_direct_message_ring_the_bell_once_for_a_burst(
    luis: Client, ana: TerminalUser
) -> None:
    luis.say("hola a todos")
    ana.see("luis: hola a todos")
    assert ana.screen.bells == 0
    luis.say("¿estás, Ana?")
    luis.direct("ana", "psst")
    ana.see("luis to you: psst")
    ana.wait_until(lambda: bool(ana.screen.bells))
    assert ana.screen.bells == 1


def test_another_width_is_noticed(ana: TerminalUser) -> None:
    ana.type("x" * 70)
    ana.see_row("ana> " + "x" * 70)
    ana.resize(40)
    ana.wait_until(lambda: bool(ana.screen.cursor < 40))
    ana.resize(COLUMNS)
    ana.see_row("ana> " + "x" * 70)


def test_a_poor_terminal_gets_poor_signs(
    sit_down: Callable[..., TerminalUser], shared_server: Any, fresh_address: Callable[[], str]
) -> None:
    user = sit_down(
        "ana", "127.0.0.1", shared_server.port, "--source", fresh_address(),
        LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", TERM="dumb",
    )  # fmt: skip
    user.see_row("ana>")
    user.type("ñandú\r")
    user.see("ana: ??and??")


def test_json_on_a_terminal_keeps_the_line_being_typed_too(
    sit_down: Callable[..., TerminalUser],
    shared_server: Any,
    fresh_address: Callable[[], str],
    luis: Client,
) -> None:
    address = fresh_address()
    user = sit_down(
        "ana", "127.0.0.1", shared_server.port, "--source", address, "--json", columns=400
    )
    user.type("half")
    user.see_row("ana> half")
    luis.say("hola")
    user.see('"from":"luis","text":"hola"}')
    user.see_row("ana> half")


def test_words_go_to_a_file_if_stderr_is_one(
    in_a_shell: Callable[..., TerminalUser], command_line: str, tmp_path: Path
) -> None:
    words = tmp_path / "words"
    user = in_a_shell(f"exec {command_line} 2>{words}")
    user.see_row("ana>")
    user.type("hola\r")
    user.see("ana: hola")
    user.type("\x04")
    assert user.wait_for_exit() == 0
    assert words.read_text().startswith("Connecting to")


def test_the_settings_choose_the_plain_face(
    client_environment: dict[str, str],
    new_screen: Callable[..., Any],
    shared_server: Any,
    fresh_address: Callable[[], str],
    tmp_path: Path,
) -> None:
    (tmp_path / "tertulia").mkdir()
    (tmp_path / "tertulia" / "settings.toml").write_text("plain = true\n")
    environment = client_environment | {"XDG_CONFIG_HOME": str(tmp_path)}
    address = ["127.0.0.1", str(shared_server.port), "--source", fresh_address()]
    command = [str(TERTULIA), "ana", *address]
    with contextlib.closing(TerminalUser(command, environment, new_screen())) as user:
        user.see_row("ana>")
        user.type("\x04")
        assert user.wait_for_exit() == 0
