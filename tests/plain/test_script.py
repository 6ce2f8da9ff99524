"""What scripts get: the exit status of what was not said, messages as arguments, a name in turn."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tertulia.client.client import Client
from tertulia.protocol.messages import ChatMessage, DirectMessage

Run = Callable[..., Any]
WAIT_S = 20.0
TERTULIA = Path(sys.executable).with_name("tertulia")


@pytest.fixture
def luis(shared_server: Any, fresh_address: Run) -> Iterator[Client]:
    with Client.connect(
        "127.0.0.1", shared_server.port, "luis", source=fresh_address(), timeout=WAIT_S
    ) as client:
        yield client


@pytest.fixture
def ci(run_client: Run, shared_server: Any, fresh_address: Run) -> Run:
    """Run a client as a script does, to its end."""

    def run(*options: str, stdin: str | bytes = "", **environment: str) -> Any:
        to = ("ci", "127.0.0.1", shared_server.port, "--source", fresh_address())
        return run_client(*to, *options, stdin=stdin, **environment)

    return run


def heard(client: Client) -> list[str]:
    client.ping()
    texts = []
    while (incoming := client.receive(0)) is not None:
        if isinstance(incoming.message, ChatMessage | DirectMessage):
            texts.append(incoming.message.text)
    return texts


def refusals(done: Any) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [line for line in lines if line["type"] == "refused"]
    assert all(line["message"] in done.stderr.decode() for line in refused)
    return [(line["line"], line["code"]) for line in refused]


# --- lines of a pipe -----------------------------------------------------------------------------


def test_in_a_pipe_every_line_is_a_text(ci: Run, luis: Client) -> None:
    done = ci(stdin="/quit\n@luis psst\n\n  //x  \n/users\n")
    assert done.returncode == 0
    assert heard(luis) == ["/quit", "@luis psst", "  //x", "/users"]
    told = [line for line in done.stderr.decode().splitlines() if "--commands" in line]
    assert told == ["“/quit” was sent to everyone as a text. With --commands it is a command."]


def test_what_was_refused_by_anybody_gives_6_and_a_json_line_each(ci: Run, luis: Client) -> None:
    lines = [
        "one",
        "/nonsense",
        "@nobody psst",
        "/info nobody",
        "a\x1bb",
        "x" * 20_000,
        "@luis",
        "two",
    ]
    done = ci("--commands", "--json", stdin="\n".join(lines))
    assert done.returncode == 6
    assert heard(luis) == ["one", "two"]
    assert refusals(done) == [
        ("/nonsense", "command_invalid"),
        ("@nobody psst", "user_not_connected"),
        ("/info nobody", "user_not_connected"),
        ("a\x1bb", "text_invalid"),
        ("x" * 20_000, "text_too_long"),
        ("@luis", "command_invalid"),
    ]


def test_a_message_that_comes_back_gives_6(pipe_in: Run, start_server: Run) -> None:
    server = start_server("--shared-addresses")
    luis = Client.connect("127.0.0.1", server.port, "luis", timeout=WAIT_S, has_room=lambda: False)
    ana = pipe_in("ana", server.port, "--json")
    ana.type("@luis psst", "hola")
    ana.see_words("On its way to luis: psst")
    luis.close()
    assert ana.leave() == 6
    refused = [json.loads(line) for line in ana.data if '"refused"' in line]
    assert [(line["line"], line["code"]) for line in refused] == [("@luis psst", "undelivered")]


def test_the_end_of_the_input_and_quit_wait_until_a_message_is_confirmed(
    pipe_in: Run, start_server: Run
) -> None:
    server = start_server("--shared-addresses")
    room: list[bool] = []
    with Client.connect(
        "127.0.0.1", server.port, "luis", timeout=WAIT_S, has_room=lambda: bool(room)
    ) as luis:
        ana = pipe_in("ana", server.port)
        ana.type("@luis psst", "/quit", "never said")
        ana.see_words("On its way to luis: psst")
        room.append(True)
        luis.confirm()
        assert ana.process.wait(WAIT_S) == 0
        assert heard(luis) == ["psst"]


def test_what_is_said_and_not_stored_was_said(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[{"name": "ana", "status": "ACTIVO"}])
        said = peer.expect("say")
        peer.send("error", id=said["id"], code="unavailable", message="disk full", seq=11)
        peer.expect("quit")

    done = run_client("ana", "127.0.0.1", scripted_server(script).port, "-m", "hola", "--quiet")
    assert done.returncode == 0
    assert done.stderr.decode() == (
        "Your message was sent to everyone, but the server could not store it.\n"
    )


def test_lines_that_had_no_turn_are_told_and_only_the_first_of_many(
    run_impatient_client: Run, scripted_server: Callable[..., Any]
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("users")

    port = scripted_server(script).port
    stdin = "\n".join(f"line {number}" for number in range(100))
    done = run_impatient_client("ana", "127.0.0.1", port, "--json", stdin=stdin)
    assert done.returncode == 5
    words = done.stderr.decode().splitlines()
    assert words[-7:-1] == [
        *(f"Not sent: line {number}" for number in range(5)), "95 more lines were not sent.",
    ]  # fmt: skip
    refused = [json.loads(line) for line in done.stdout.splitlines() if b'"refused"' in line]
    assert [(line["line"], line["code"]) for line in refused] == [
        (f"line {number}", "not_sent") for number in range(100)
    ]


# --- messages as arguments, and one from standard input ------------------------------------------


def test_messages_of_the_command_line_are_said_in_their_order(ci: Run, luis: Client) -> None:
    done = ci("-m", "/quit", "-m", "@luis a\n\tb", "--message=-x", "-m", "--json", stdin="not read")
    assert done.returncode == 0
    assert heard(luis) == ["/quit", "@luis a\n\tb", "-x", "--json"]


def test_messages_can_go_to_one_user(ci: Run, luis: Client) -> None:
    assert ci("-m", "/quit", "-m", "psst", "--to", "LUIS").returncode == 0
    assert heard(luis) == ["/quit", "psst"]
    done = ci("-m", "psst", "--to", "nobody", "--json")
    assert done.returncode == 6
    assert refusals(done) == [("psst", "user_not_connected")]


@pytest.mark.parametrize("options", [["--stdin"], ["-m", "-"], ["-m", "-", "--to", "luis"]])
def test_all_of_standard_input_is_one_message(ci: Run, luis: Client, options: list[str]) -> None:
    done = ci(*options, stdin="/quit\r\n\n\t@luis \n\n")
    assert done.returncode == 0
    assert heard(luis) == ["/quit\n\n\t@luis "]


def test_standard_input_has_its_place_among_the_messages(ci: Run, luis: Client) -> None:
    assert ci("-m", "first", "--stdin", "-m", "last", stdin="second").returncode == 0
    assert heard(luis) == ["first", "second", "last"]


@pytest.mark.parametrize(
    ("options", "stdin", "code"),
    [
        (["-m", ""], "", "text_invalid"),
        (["--stdin"], " \n\n", "text_invalid"),
        (["--stdin"], "\x1b[31mred", "text_invalid"),
        (["--stdin"], "x" * 1_000_000, "text_too_long"),
    ],
)
def test_a_message_that_cannot_be_said_gives_6(
    ci: Run, luis: Client, options: list[str], stdin: str, code: str
) -> None:
    done = ci(*options, "-m", "also", "--json", stdin=stdin)
    assert done.returncode == 6
    assert [refused for _line, refused in refusals(done)] == [code]
    assert heard(luis) == ["also"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "luis"], "--to needs a message: -m TEXT or --stdin"),
        (["--commands", "--stdin"], "--commands is for the lines of a pipe"),
        (["--stdin", "-m", "-"], "standard input can be only one message"),
        (["-m", "build", "ok"], "put a text that has spaces between quotation marks"),
        (["-m"], "expected one argument"),
        (["--wait", "soon"], "give a number of seconds, for example 60"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_said(
    ci: Run, luis: Client, options: list[str], words: str
) -> None:
    done = ci(*options, stdin="hola")
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert heard(luis) == []


def test_quiet_leaves_only_errors(ci: Run, luis: Client) -> None:
    assert ci("--quiet", "-m", "hola").stderr == b""
    assert ci("--quiet", stdin="/users\nhola\n").stderr == b""
    done = ci("--quiet", "-m", "psst", "--to", "nobody")
    assert done.stderr == "Not delivered: nobody called “nobody” is connected.\n".encode()
    done = ci("--quiet", "--commands", "--lang", "es", stdin="/nada de eso\n/ayuda\n")
    assert done.stderr.decode().startswith("No existe el comando /nada.")
    assert done.stderr.count(b"\n") == 1


def test_quiet_tells_why_a_connection_was_given_up(
    run_impatient_client: Run, scripted_server: Callable[..., Any]
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("users")

    port = scripted_server(script).port
    done = run_impatient_client("ana", "127.0.0.1", port, "--quiet", "--json", "-m", "hola")
    assert done.returncode == 5
    told = done.stderr.decode().splitlines()
    assert [line.split(":")[0] for line in told][1:] == ["Not sent"]
    assert told[0].startswith("There has been no connection for ")
    assert refusals(done) == [("hola", "not_sent")]


# --- one name for several jobs -------------------------------------------------------------------


def jobs(environment: dict[str, str], port: int, *options: str) -> list[int]:
    """Run three clients at once under one name; return their exit statuses."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [TERTULIA, "ci", "127.0.0.1", str(port), "-m", f"job {number}", *options],
                    env=environment, stdout=subprocess.DEVNULL,
                )
            )
            for number in range(3)
        ]  # fmt: skip
        return [job.wait(WAIT_S) for job in started]


@pytest.mark.parametrize("server_options", [[], ["--shared-addresses"]])
def test_jobs_under_one_name_wait_for_each_other(
    start_server: Run, client_environment: dict[str, str], server_options: list[str]
) -> None:
    port = start_server(*server_options).port
    with Client.connect("127.0.0.1", port, "luis", source="127.0.0.2", timeout=WAIT_S) as luis:
        assert jobs(client_environment, port, "--wait", "60") == [0, 0, 0]
        assert sorted(heard(luis)) == ["job 0", "job 1", "job 2"]


def test_who_waits_in_vain_is_refused_in_the_end(run_client: Run, start_server: Run) -> None:
    port = start_server().port
    with Client.connect("127.0.0.1", port, "ci", source="127.0.0.2", timeout=WAIT_S):
        done = run_client("ci", "127.0.0.1", port, "--wait", "0.2")
        assert done.returncode == 4
        assert "A user called “ci” is already connected." in done.stderr.decode()


def test_each_job_gets_a_free_name(start_server: Run, client_environment: dict[str, str]) -> None:
    port = start_server("--shared-addresses").port
    with Client.connect("127.0.0.1", port, "luis", timeout=WAIT_S) as luis:
        with Client.connect("127.0.0.1", port, "CI", timeout=WAIT_S):
            assert jobs(client_environment, port, "--free-name") == [0, 0, 0]
        luis.ping()
        senders, texts = set(), []
        while (incoming := luis.receive(0)) is not None:
            if isinstance(incoming.message, ChatMessage):
                senders.add(incoming.message.sender)
                texts.append(incoming.message.text)
        assert sorted(texts) == ["job 0", "job 1", "job 2"]
        assert senders <= {"ci-2", "ci-3", "ci-4"}
        assert "ci-2" in senders
