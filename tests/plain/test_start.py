"""The start of the plain face: where it reads and writes, what it asks for, how it ends."""

import contextlib
import errno
import importlib.util
import io
import json
import os
import pty
import select
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from client_fixtures import ScriptedPeer, ScriptedServer

from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.exit_status import (
    EXIT_FINE,
    EXIT_LOST,
    EXIT_NO_CONNECTION,
    EXIT_NOT_ALL_SAID,
    EXIT_REFUSED,
)
from tertulia.chat.ignored import Ignored
from tertulia.chat.keyring import server_names
from tertulia.chat.settings import Loaded, Settings
from tertulia.chat.trust import Expected, Trust
from tertulia.client.addresses import Address
from tertulia.client.errors import CertificateRefused
from tertulia.plain import start
from tertulia.plain.script import Script

NOWHERE = Destination("ana", "127.0.0.1", 1)  # nobody listens there
Serve = Callable[..., ScriptedServer]


class Shown(io.StringIO):
    """An output, and what happens when a text is written."""

    encoding = "utf-8"

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal
        self._reactions: list[tuple[str, Callable[[], object]]] = []
        self._file = os.open(os.devnull, os.O_WRONLY)

    def isatty(self) -> bool:
        return self._is_terminal

    def fileno(self) -> int:
        return self._file

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._reactions and self._reactions[0][0] in text:
            self._reactions.pop(0)[1]()
        return written

    def react(self, text: str, reaction: Callable[[], object]) -> None:
        """Call `reaction` once when `text` is written, after the earlier reactions."""
        self._reactions.append((text, reaction))

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()


class Person:
    """The person or the program that has started the client, with its three streams."""

    def __init__(self, *, keyboard: bool, screen: bool) -> None:
        self._input, stdin = pty.openpty() if keyboard else os.pipe()[::-1]
        self.stdin = os.fdopen(stdin, encoding="utf-8")
        self.stdout = Shown(is_terminal=screen)
        self.stderr = Shown(is_terminal=screen)
        self._is_open = True

    def type(self, data: str | bytes) -> None:
        os.write(self._input, data.encode() if isinstance(data, str) else data)

    def end_input(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._input)

    def close(self) -> None:
        self.end_input()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()

    def run(
        self,
        to: Destination,
        script: Script | None = None,
        *,
        trust: Trust | None = None,
        settings: Settings | None = None,
        problem: str = "",
        operator_secret: str | None = None,
    ) -> int:
        credentials = Credentials(to)
        credentials.operator_secret = operator_secret
        loaded = Loaded(settings or Settings(), problem)
        with pytest.MonkeyPatch.context() as patch:
            for name in ("stdin", "stdout", "stderr"):
                patch.setattr(sys, name, getattr(self, name))
            return start.run(
                to, credentials, trust or Trust(to), loaded, script or Script(),
                wait_s=0.0, takes_free_name=False,
            )  # fmt: skip

    @property
    def words(self) -> list[str]:
        """The texts for the person."""
        return self.stderr.getvalue().splitlines()


@pytest.fixture
def sit() -> Iterator[Callable[..., Person]]:
    with contextlib.ExitStack() as people:

        def sit(*, keyboard: bool, screen: bool) -> Person:
            person = Person(keyboard=keyboard, screen=screen)
            return people.enter_context(contextlib.closing(person))

        yield sit


@pytest.fixture
def ana(sit: Callable[..., Person]) -> Person:
    """A person at a terminal."""
    return sit(keyboard=True, screen=True)


@pytest.fixture
def job(sit: Callable[..., Person]) -> Person:
    """A program that uses the client on pipes."""
    return sit(keyboard=False, screen=False)


class Served:
    """A server that carries out everything, and notes the requests."""

    def __init__(self, serve: Serve) -> None:
        self.requests: list[dict[str, Any]] = []
        self.to = at(serve(self.play))

    @property
    def said(self) -> list[str]:
        return [asked["text"] for asked in self.requests if asked["type"] in ("say", "direct")]

    def play(self, peer: ScriptedPeer) -> None:
        peer.welcome()
        while (request := peer.receive()) is not None:
            self.requests.append(request)
            match request["type"]:
                case "quit":
                    return
                case "users":
                    users = [{"name": "ana", "status": "ACTIVO"}]
                    peer.send("users", id=request["id"], seq=10, users=users)
                case "history":
                    peer.send("history", id=request["id"], messages=[], more=False)
                case "say":
                    peer.message(11, request["text"], sender="ana")
                    peer.send("ok", id=request["id"], seq=11)
                case _:
                    peer.send("ok", id=request["id"])


@pytest.fixture
def server(scripted_server: Serve) -> Served:
    return Served(scripted_server)


@pytest.fixture
def fatal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, object]]]:
    """The signals with which the program ends itself, and how they are handled then."""
    sent: list[tuple[int, object]] = []
    monkeypatch.setattr(
        signal, "raise_signal", lambda number: sent.append((number, signal.getsignal(number)))
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield sent
    for number, handler in before.items():
        signal.signal(number, handler)


def at(server: ScriptedServer) -> Destination:
    return Destination("ana", "127.0.0.1", server.port)


def refusing(code: str) -> Callable[[ScriptedPeer], None]:
    def play(peer: ScriptedPeer) -> None:
        request = peer.expect("register")
        peer.send("error", id=request["id"], code=code, message="no", name="ana")

    return play


def press_ctrl_c() -> NoReturn:
    raise KeyboardInterrupt


def fail_to_write(number: int) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


# --- which lines are carried out -----------------------------------------------------------------


def test_the_lines_of_a_pipe_are_said_to_everyone(job: Person, server: Served) -> None:
    job.type("/users\nhola\n")
    job.end_input()
    assert job.run(server.to) == EXIT_FINE
    assert server.said == ["/users", "hola"]


def test_with_commands_the_lines_of_a_pipe_are_carried_out(job: Person, server: Served) -> None:
    job.type("/users\n")
    job.end_input()
    assert job.run(server.to, Script(commands=True)) == EXIT_FINE
    assert (server.said, job.stdout.getvalue()) == ([], "ana (you): active (ACTIVO)\n")


def test_at_a_terminal_a_line_is_edited_and_carried_out(ana: Person, server: Served) -> None:
    ana.stderr.react("ana> ", lambda: ana.type("/quit\n"))
    assert ana.run(server.to) == EXIT_FINE
    assert ana.words[0] == f"Connecting to 127.0.0.1, port {server.to.port}…"
    assert "You were here for " in ana.words[-1]
    assert [asked["limit"] for asked in server.requests if asked["type"] == "history"] == [20]


@pytest.mark.parametrize("missing", ["termios", "wcwidth"])
def test_at_a_terminal_without_a_line_editor_the_system_edits_the_lines(
    ana: Person, server: Served, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    ana.type("/help\n/quit\n")
    assert ana.run(server.to) == EXIT_FINE
    assert ana.words[0] == f"Connecting to 127.0.0.1, port {server.to.port}…"
    assert "ana> " not in ana.stderr.getvalue()
    assert not any(line.startswith("Tab: ") for line in ana.words)


def test_lines_that_a_person_types_are_commands_even_if_the_chat_goes_into_a_pipe(
    sit: Callable[..., Person], server: Served
) -> None:
    ana = sit(keyboard=True, screen=False)
    ana.type("/quit\n")
    assert ana.run(server.to) == EXIT_FINE
    assert ana.words[0].startswith("Hello, ana.")


def test_lines_of_a_pipe_are_texts_even_if_a_person_watches(
    sit: Callable[..., Person], server: Served
) -> None:
    job = sit(keyboard=False, screen=True)
    job.type("/users\n")
    job.end_input()
    assert job.run(server.to) == EXIT_FINE
    assert job.words[0].startswith("Hello, ana.")
    assert server.said == ["/users"]


# --- messages of the command line ----------------------------------------------------------------


def test_messages_of_the_command_line_are_said_instead_of_the_lines(
    ana: Person, server: Served
) -> None:
    ana.type("\x04\x04")
    assert ana.run(server.to, Script(("one", "two"))) == EXIT_FINE
    assert server.said == ["one", "two"]
    assert ana.words[0].startswith("Hello, ana.")


def test_messages_can_be_for_one_user(job: Person, server: Served) -> None:
    assert job.run(server.to, Script(("psst",), to="luis")) == EXIT_FINE
    assert [asked["to"] for asked in server.requests if asked["type"] == "direct"] == ["luis"]


def test_all_of_a_pipe_is_a_message_without_the_last_newlines(job: Person, server: Served) -> None:
    job.type(b"/quit\r\n\n ma\xf1ana \n\n")
    job.end_input()
    assert job.run(server.to, Script(("first", None))) == EXIT_FINE
    assert server.said == ["first", "/quit\n\n ma\ufffdana "]
    assert job.words[0].startswith("Hello, ana.")


def test_a_person_is_told_how_to_end_the_message(ana: Person, server: Served) -> None:
    unread: list[Any] = []
    ana.type("hola\n\x04")
    ana.stderr.react(
        "Type the message", lambda: unread.append(select.select([ana.stdin], [], [], 0)[0])
    )
    assert ana.run(server.to, Script((None,))) == EXIT_FINE
    assert ana.words[0] == "Type the message, and end it with Enter and Ctrl+D."
    assert unread == [[ana.stdin]]
    assert server.said == ["hola"]


def test_of_an_input_that_is_too_long_for_a_message_the_rest_is_not_read(
    job: Person, server: Served, tmp_path: Path
) -> None:
    long = tmp_path / "long"
    long.write_bytes(b"x" * 1_000_000)
    job.stdin.close()
    with long.open(encoding="utf-8") as job.stdin:
        assert job.run(server.to, Script((None,))) == EXIT_NOT_ALL_SAID
        assert os.lseek(job.stdin.fileno(), 0, os.SEEK_CUR) == 2 * start.MAX_MESSAGE_BYTES
    assert server.said == []


# --- before the chat -----------------------------------------------------------------------------


def test_a_problem_with_the_settings_comes_first(job: Person, server: Served) -> None:
    job.end_input()
    job.run(server.to, problem="The settings are wrong.")
    assert job.words[0] == "The settings are wrong."
    assert job.words[1].startswith("Hello, ana.")


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (NOWHERE, "Connecting to 127.0.0.1, port 1…"),
        (
            Destination("ana", "127.0.0.1", 1, others=(Address("127.0.0.1", 2),)),
            "Connecting to 127.0.0.1, 127.0.0.1:2, port 1…",
        ),
        (
            Destination("ana", "127.0.0.1", 1, tls=True),
            "Connecting to 127.0.0.1, port 1, over TLS…",
        ),
    ],
)
def test_a_person_is_told_which_servers_are_tried(ana: Person, to: Destination, words: str) -> None:
    assert ana.run(to) == EXIT_NO_CONNECTION
    assert ana.words[0] == words


def test_a_program_is_told_only_that_there_is_no_connection(job: Person) -> None:
    assert job.run(NOWHERE) == EXIT_NO_CONNECTION
    assert len(job.words) == 1
    assert "127.0.0.1" in job.words[0]


def test_at_a_terminal_a_job_in_the_background_waits_until_it_is_in_the_foreground(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, str]] = []

    def note(file: int) -> int:
        asked.append((file, ana.stderr.getvalue()))
        return os.getpgrp()

    monkeypatch.setattr(os, "tcgetpgrp", note)
    ana.run(NOWHERE)
    assert asked == [(ana.stdin.fileno(), "")]


def test_a_system_without_jobs_needs_no_foreground(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "tcgetpgrp")
    assert ana.run(NOWHERE) == EXIT_NO_CONNECTION


# --- refusals, and the code ----------------------------------------------------------------------


def test_a_refusal_is_explained(job: Person, scripted_server: Serve) -> None:
    assert job.run(at(scripted_server(refusing("name_taken")))) == EXIT_REFUSED
    assert job.words[0].startswith("A user called “ana” is already connected.")
    assert job.stdout.getvalue() == ""


def test_with_json_a_refusal_is_also_data(job: Person, scripted_server: Serve) -> None:
    to = at(scripted_server(refusing("name_taken")))
    assert job.run(to, Script(json=True)) == EXIT_REFUSED
    [line] = job.stdout.getvalue().splitlines()
    assert json.loads(line)["code"] == "name_taken"
    assert job.words[0].startswith("A user called “ana” is already connected.")


class Distrust(Trust):
    def expect(self, address: Address) -> Expected:
        raise CertificateRefused(None, None, "unknown authority")


def test_a_refused_certificate_is_no_message_of_the_server(job: Person) -> None:
    status = job.run(NOWHERE, Script(json=True), trust=Distrust(NOWHERE))
    assert (status, job.stdout.getvalue()) == (EXIT_REFUSED, "")
    assert job.words != []


def test_a_person_is_asked_for_the_code_until_it_is_right(
    ana: Person, scripted_server: Serve
) -> None:
    codes = []

    def accept(peer: ScriptedPeer) -> None:
        codes.append(peer.welcome()["code"])
        peer.receive()
        peer.send_raw(b"the end\n")

    to = at(scripted_server(refusing("code_required"), refusing("code_wrong"), accept))
    read: list[str] = []

    def answer(line: str) -> None:
        read.append(" ".join(ana.stderr.getvalue().split()))
        ana.type(line)

    for line in ("able\n", " \n", " baker \n"):
        ana.stdout.react("Code: ", partial(answer, line))
    assert ana.run(to) == EXIT_LOST
    assert codes == ["baker"]
    assert "This chat asks for a code." in read[0]
    assert ["That is not the code of this chat." in words for words in read] == [False, True, True]


def test_the_end_of_the_input_instead_of_a_code_is_a_refusal(
    ana: Person, scripted_server: Serve
) -> None:
    ana.stdout.react("Code: ", lambda: ana.type("\x04"))
    assert ana.run(at(scripted_server(refusing("code_required")))) == EXIT_REFUSED
    assert ana.stdout.getvalue() == "Code: \n"


@pytest.mark.parametrize(
    ("at_terminal", "options", "code"),
    [
        (False, {}, "code_required"),  # nobody is there
        (True, {"json": True}, "code_required"),
        (True, {"messages": ("hola",)}, "code_required"),
        (True, {}, "name_taken"),  # a code would not help
    ],
)
def test_otherwise_nobody_is_asked_for_a_code(
    sit: Callable[..., Person],
    scripted_server: Serve,
    at_terminal: bool,
    options: dict[str, Any],
    code: str,
) -> None:
    person = sit(keyboard=at_terminal, screen=at_terminal)
    if at_terminal:
        person.type("\x04")
    else:
        person.end_input()
    assert person.run(at(scripted_server(refusing(code))), Script(**options)) == EXIT_REFUSED
    assert "Code: " not in person.stdout.getvalue()


# --- what the chat is given ----------------------------------------------------------------------


def test_a_new_server_is_introduced(
    job: Person, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = Trust(server.to)
    monkeypatch.setattr(trust, "introduction", lambda: "This server is new.")
    job.end_input()
    job.run(server.to, trust=trust)
    assert job.words[0] == "This server is new."


def test_the_messages_of_ignored_people_are_not_shown(
    job: Person, scripted_server: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(peer: ScriptedPeer) -> None:
        peer.welcome()
        peer.message(11, "hola", sender="luis")
        peer.message(12, "buenas", sender="eva")
        peer.receive()
        peer.send_raw(b"the end\n")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    to = at(scripted_server(play))
    Ignored("ana", server_names(to.addresses)).add("luis")
    assert job.run(to) == EXIT_LOST
    assert [line.partition("] ")[2] for line in job.stdout.getvalue().splitlines()] == [
        "eva: buenas"
    ]


def test_a_list_of_ignored_people_that_cannot_be_read_is_told(
    job: Person, server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "tertulia").mkdir()
    (tmp_path / "tertulia" / "ignored.json").write_text("{")
    job.end_input()
    assert job.run(server.to) == EXIT_FINE
    assert job.words[0].startswith("The list of people you ignore could not be read from ")


def test_the_person_learns_at_which_server_of_the_chat_the_client_is(
    job: Person, server: Served
) -> None:
    there = Address("127.0.0.1", server.to.port)
    job.end_input()
    job.run(Destination("ana", "127.0.0.1", 1, others=(there,)))
    assert job.words[1] == f"This chat has several servers. You are at {there}."


def test_the_secret_makes_the_person_an_operator(job: Person, server: Served) -> None:
    job.end_input()
    job.run(server.to, operator_secret="open sesame")
    assert [asked["secret"] for asked in server.requests if asked["type"] == "operator"] == [
        "open sesame"
    ]


# --- the end -------------------------------------------------------------------------------------


def test_ctrl_c_ends_the_script_in_order_and_the_program_by_the_signal(
    job: Person, server: Served, fatal: list[tuple[int, object]]
) -> None:
    job.stderr.react("Hello, ana.", press_ctrl_c)
    job.run(server.to)
    assert fatal == [(signal.SIGINT, signal.SIG_DFL)]
    assert job.words[-1].startswith("You were here for ")


def test_ctrl_c_before_the_keyboard_is_read_ends_the_program_by_the_signal(
    ana: Person, server: Served, fatal: list[tuple[int, object]]
) -> None:
    ana.stderr.react("ana> ", press_ctrl_c)
    ana.run(server.to)
    assert fatal == [(signal.SIGINT, signal.SIG_DFL)]
    assert "You were here for " in ana.words[-1]


def test_a_signal_at_a_terminal_ends_the_program_by_the_same_signal(
    ana: Person, server: Served, fatal: list[tuple[int, object]]
) -> None:
    ana.stderr.react("ana> ", lambda: os.kill(os.getpid(), signal.SIGTERM))
    ana.run(server.to)
    assert fatal == [(signal.SIGTERM, signal.SIG_DFL)]
    assert "You were here for " in ana.words[-1]


def test_a_reader_that_has_gone_ends_the_chat_and_not_everything_was_said(
    job: Person, server: Served
) -> None:
    job.type("hola\n")
    job.stdout.react("ana: hola", fail_to_write(errno.EPIPE))
    assert job.run(server.to) == EXIT_NOT_ALL_SAID
    assert server.said == ["hola"]


def test_a_reader_that_has_gone_does_not_matter_if_the_server_confirms_all(
    job: Person, server: Served
) -> None:
    job.stdout.react("ana: hola", fail_to_write(errno.EPIPE))
    assert job.run(server.to, Script(("hola",))) == EXIT_FINE


def test_a_message_that_is_not_confirmed_when_the_reader_has_gone_is_not_said(
    job: Person, scripted_server: Serve
) -> None:
    def play(peer: ScriptedPeer) -> None:
        peer.welcome()
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[])
        peer.expect("say")
        peer.message(11)

    job.stdout.react("luis: hola", fail_to_write(errno.EPIPE))
    assert job.run(at(scripted_server(play)), Script(("one",))) == EXIT_NOT_ALL_SAID


def test_a_reader_that_has_gone_before_the_farewell_does_not_matter(
    job: Person, server: Served
) -> None:
    job.stderr.react("You were here for ", fail_to_write(errno.EPIPE))
    assert job.run(server.to, Script(("hola",))) == EXIT_FINE


def test_a_full_disk_is_an_error_and_the_server_hears_that_the_user_leaves(
    job: Person, server: Served
) -> None:
    job.stderr.react("Hello, ana.", fail_to_write(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left on device"):
        job.run(server.to)


def test_lines_that_are_left_at_the_end_of_the_connection_are_told(
    job: Person, scripted_server: Serve
) -> None:
    def play(peer: ScriptedPeer) -> None:
        peer.welcome()
        peer.expect("users")
        peer.send_raw(b"the end\n")

    job.type("hola\n")
    assert job.run(at(scripted_server(play))) == EXIT_LOST
    assert "Not sent: hola" in job.words
