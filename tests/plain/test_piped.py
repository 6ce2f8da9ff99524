"""The plain face on pipes: what programs and screen readers get."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.client.client import Client
from tertulia.plain import piped
from tertulia.plain.piped import MAX_LINE_BYTES, GivenLines, InputLines, lines_left, say_each
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.messages import ChatMessage, DirectMessage

Run = Callable[..., Any]
Address = Callable[[], str]
TERTULIA = Path(sys.executable).with_name("tertulia")
WAIT_S = 20.0


@pytest.fixture
def listener(shared_server: Any, fresh_address: Address) -> Iterator[Client]:
    with Client.connect(
        "127.0.0.1", shared_server.port, "listener", source=fresh_address(), timeout=WAIT_S
    ) as client:
        yield client


@pytest.fixture
def chat(run_client: Run, shared_server: Any, fresh_address: Address) -> Run:
    """Run a client on the shared server with some input."""

    def run(name: str, stdin: str | bytes, *options: str, **environment: str) -> Any:
        return run_client(
            name, "127.0.0.1", shared_server.port, "--source", fresh_address(), *options,
            stdin=stdin, **environment,
        )  # fmt: skip

    return run


@contextlib.contextmanager
def running(
    environment: dict[str, str], port: int, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run a client whose input stays open."""
    process = subprocess.Popen(
        [TERTULIA, arguments[0], "127.0.0.1", str(port), *arguments[1:]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def without_times(text: bytes | str) -> list[str]:
    text = text.decode() if isinstance(text, bytes) else text
    time = r"^\[(\d{4}-\d\d-\d\d )?\d\d:\d\d\] "  # with the date, unless it is today's
    return [re.sub(time, "", line) for line in text.splitlines()]


def heard(client: Client) -> list[str]:
    client.ping()
    texts = []
    while (incoming := client.receive(0)) is not None:
        if isinstance(incoming.message, ChatMessage | DirectMessage):
            texts.append(incoming.message.text)
    return texts


def test_a_line_is_said_and_answered_before_the_end(chat: Run, listener: Client) -> None:
    done = chat("ci", "build ok\n")
    assert done.returncode == 0
    assert heard(listener) == ["build ok"]
    assert without_times(done.stdout) == ["ci: build ok"]
    words = done.stderr.decode().splitlines()
    assert words[0] == "Hello, ci. You are active (ACTIVO). There are 2 people here."
    assert re.fullmatch(r"You were here for \d+ s\. Messages: 1 sent, 0 received\.", words[-1])


def test_the_words_are_spanish_for_who_wants_them(chat: Run) -> None:
    done = chat("ci", "hola\n/usuarios\n", "--commands", LANGUAGE="", LANG="es_GT.UTF-8")
    assert done.stderr.decode().startswith("Hola, ci. Estás activo. Hay 1 persona.\n")
    assert without_times(done.stdout) == ["ci: hola", "ci (tú): activo"]


@pytest.mark.parametrize("stdin", ["hola", "hola\r\n", "\n\n hola\n/quit\nnot said\n"])
def test_however_the_input_ends_all_before_it_is_said(
    chat: Run, listener: Client, stdin: str
) -> None:
    assert chat("ci", stdin, "--commands").returncode == 0
    assert [text.strip() for text in heard(listener)] == ["hola"]


def test_more_lines_than_the_server_takes_at_once_are_all_said(
    run_client: Run, start_server: Callable[..., Any]
) -> None:
    port = start_server("--rate-limit", "50/s").port
    lines = [f"line {number}" for number in range(230)]
    done = run_client("ci", "127.0.0.1", port, stdin="\n".join(lines))
    assert done.returncode == 0
    assert without_times(done.stdout) == [f"ci: {line}" for line in lines]


def test_commands_are_carried_out_and_their_results_are_data(chat: Run, listener: Client) -> None:
    stdin = "/users\n/info listener\n/status busy\n@listener psst\n/msg nobody hello\n"
    done = chat("ci", stdin, "--commands")
    assert done.returncode == 6
    lines = without_times(done.stdout)
    assert lines[:2] == ["ci (you): active (ACTIVO)", "listener: active (ACTIVO)"]
    assert re.fullmatch(
        r"listener: active \(ACTIVO\), address 127\.9\.\d+\.1, "
        r"here since \d\d:\d\d, idle for \d+ s",
        lines[2],
    )
    assert lines[3:] == ["you are now busy (OCUPADO)", "you to listener: psst"]
    assert "Not delivered: nobody called “nobody” is connected." in done.stderr.decode()
    assert heard(listener) == ["psst"]


def test_an_error_is_told_and_the_next_line_is_carried_out(chat: Run, listener: Client) -> None:
    stdin = b"/nonsense\n/quit now\na\x1b[31mb\n" + b"x" * 20_000 + b"\n\xff\xfe\nfine\n"
    done = chat("ci", stdin, "--commands")
    assert done.returncode == 6
    words = done.stderr.decode()
    assert "There is no command /nonsense." in words
    assert "That command takes nothing after it." in words
    assert "Not sent: a message cannot contain control characters" in words
    assert "Not sent: a message can have at most 16384 bytes." in words
    assert heard(listener) == ["\ufffd\ufffd", "fine"]


def test_help_is_words(chat: Run) -> None:
    done = chat("ci", "/ayuda\n", "--commands")
    assert done.stdout == b""
    assert "/status, /estado STATUS" in done.stderr.decode()


def test_what_happens_meanwhile_is_written_at_once(
    shared_server: Any, fresh_address: Address, client_environment: dict[str, str], listener: Client
) -> None:
    source = fresh_address()
    with running(client_environment, shared_server.port, "ci", "--source", source) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "Hello, ci." in process.stderr.readline()
        lines = []
        listener.say("one\n[12:00] ci: two")
        lines += [process.stdout.readline(), process.stdout.readline()]
        listener.direct("ci", "psst")
        lines.append(process.stdout.readline())
        listener.set_status("OCUPADO")
        lines.append(process.stdout.readline())
        assert without_times("".join(lines)) == [
            "listener: one",
            "      | [12:00] ci: two",
            "listener to you: psst",
            "listener is now busy (OCUPADO)",
        ]
        rest, _words = process.communicate("", timeout=WAIT_S)
        assert rest == ""
        assert process.returncode == 0


def test_json_is_the_servers_messages_without_the_token(chat: Run, listener: Client) -> None:
    stdin = "hola ñ\n/users\n@listener psst\n"
    done = chat("ci", stdin, "--commands", "--json", LANG="C", LC_ALL="C")
    messages = [json.loads(line) for line in done.stdout.decode().splitlines()]
    by_type: dict[str, Any] = {message["type"]: message for message in messages}
    assert [message["type"] for message in messages if message["type"] != "ok"] == [
        "welcome", "joined", "users", "message", "users",
    ]  # fmt: skip
    assert list(by_type["welcome"])[:3] == ["type", "id", "name"]
    assert "token" not in by_type["welcome"]
    assert by_type["message"]["text"] == "hola ñ"
    assert [message["type"] for message in messages].count("ok") == 2


def test_json_lines_are_as_they_came_but_steer_no_terminal(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    line = '{"type":"future", "seq":1,"text":"a\u202eb\x9bc\x7f"}'

    def script(peer: Any) -> None:
        peer.welcome()
        peer.send_raw(line.encode() + b"\n")
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[{"name": "ana", "status": "ACTIVO"}])
        peer.expect("quit")

    done = run_client("ana", "127.0.0.1", scripted_server(script).port, "--json")
    assert '{"type":"future", "seq":1,"text":"a\\u202eb\\u009bc\\u007f"}' in done.stdout.decode()


def test_nothing_that_a_server_sends_steers_the_terminal(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\u202eevil\r\x7f"

    def script(peer: Any) -> None:
        peer.welcome(name="ana\x1b[2J")
        peer.message(11, evil, sender=evil)
        peer.direct(evil, sender=f"x\n{evil}")
        peer.send("left", seq=12, time=evil, name=evil, reason=evil)
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=12, users=[{"name": evil, "status": "ACTIVO"}])
        listed = peer.expect("users")
        peer.send("error", id=listed["id"], code=evil, message=evil)
        info = peer.expect("info")
        peer.send(
            "info", id=info["id"], name=evil, address=evil, status="ACTIVO", since=evil, idle=1
        )
        peer.expect("quit")

    port = scripted_server(script).port
    done = run_client("ana", "127.0.0.1", port, "--commands", stdin="/users\n/info x\n")
    assert done.returncode == 6
    written = done.stdout.decode() + done.stderr.decode()
    assert written.count("␛") >= 8
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", written)


def test_a_gap_is_filled_and_the_list_asked_for_again(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    ana, eva = {"name": "ana", "status": "ACTIVO"}, {"name": "eva", "status": "ACTIVO"}

    def script(peer: Any) -> None:
        peer.welcome()
        users = peer.expect("users")
        peer.send("users", id=users["id"], seq=10, users=[ana])
        typed = peer.expect("say")
        peer.send("gap", after=10, through=500)
        peer.message(501, "after")
        peer.send("ok", id=typed["id"], seq=502)
        missing = peer.expect("history")
        assert (missing["after"], missing["before"]) == (10, 501)
        said = {"seq": 300, "time": "2026-11-22T15:04:05.123Z", "from": "luis", "text": "missed"}
        peer.send("history", id=missing["id"], messages=[said], more=False)
        for _time in range(2):  # for itself, and for the person
            listed = peer.expect("users")
            peer.send("users", id=listed["id"], seq=502, users=[ana, eva])
        peer.expect("quit")

    port = scripted_server(script).port
    done = run_client("ana", "127.0.0.1", port, "--commands", stdin="hola\n/users\n")
    assert without_times(done.stdout) == [
        "luis: missed", "luis: after", "ana (you): active (ACTIVO)", "eva: active (ACTIVO)",
    ]  # fmt: skip
    assert "missing" not in done.stderr.decode()


@pytest.mark.parametrize(
    ("closing", "words"),
    [
        (True, "The server was stopped."),
        (False, "The connection to the server was lost."),
    ],
)
def test_the_end_of_the_server_ends_with_5_when_none_comes_in_its_place(
    run_impatient_client: Run, scripted_server: Callable[..., Any], closing: bool, words: str
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.expect("users")
        peer.message(11, "last words")
        if closing:
            peer.send("closing", reason="shutdown", retry_after=0.1)

    port = scripted_server(script).port
    done = run_impatient_client("ana", "127.0.0.1", port, stdin="never said\n")
    assert done.returncode == 5
    assert without_times(done.stdout) == ["luis: last words"]
    told = done.stderr.decode().splitlines()
    assert told[:2] == [words, "Reconnecting automatically…"]
    again = (
        r"There has been no connection for \d+ s\. When the server is running again, use: "
        rf"tertulia ana 127\.0\.0\.1 {port}"
    )
    assert re.fullmatch(again, told[2])
    assert told[3] == "Not sent: never said"
    assert told[4].startswith("You were here for ")


def test_what_is_not_understood_ends_with_5_at_once(
    run_client: Run, scripted_server: Callable[..., Any]
) -> None:
    def script(peer: Any) -> None:
        peer.welcome()
        peer.send_raw(b"HTTP/1.1 400 Bad Request\r\n")

    done = run_client("ana", "127.0.0.1", scripted_server(script).port)
    assert done.returncode == 5
    assert done.stderr.decode().startswith("This program did not understand what the server sent.")


def test_a_reader_that_has_had_enough_ends_the_client_quietly(
    shared_server: Any, fresh_address: Address, client_environment: dict[str, str]
) -> None:
    command = [TERTULIA, "ci", "127.0.0.1", str(shared_server.port), "--source", fresh_address()]
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            command, input=b"hola\n" * 5, stdout=write_end, stderr=subprocess.PIPE,
            env=client_environment, timeout=WAIT_S, check=False,
        )  # fmt: skip
    finally:
        os.close(write_end)
    assert done.returncode == 6
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_ctrl_c_leaves_in_order(
    shared_server: Any, fresh_address: Address, client_environment: dict[str, str], listener: Client
) -> None:
    source = fresh_address()
    with running(client_environment, shared_server.port, "ci", "--source", source) as process:
        assert process.stderr is not None
        assert "Hello, ci." in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _data, words = process.communicate(timeout=WAIT_S)
    assert process.returncode == -signal.SIGINT
    assert words.startswith("You were here for ")
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({"PYTHONIOENCODING": "ascii"}, 0),
        # Read as Latin-1, the bytes of the first line are control characters, among others.
        ({"PYTHONIOENCODING": "latin-1"}, 6),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, 0),
    ],
)
def test_a_poor_encoding_gets_poor_signs_and_no_crash(
    chat: Run, environment: dict[str, str], status: int
) -> None:
    done = chat("ci", "日本 ñ\n@ci psst\n/users\n", "--commands", **environment)
    assert done.returncode == status
    assert b"ci (you): active (ACTIVO)" in done.stdout
    assert b"you to ci: psst" in done.stdout


def test_lines_are_cut_however_they_are_read() -> None:
    lines = InputLines(-1, "utf-8")
    cut = []
    for byte in "uno\n\ndós\r\n tres".encode():
        lines.feed(bytes([byte]))
        while (line := lines.next_line()) is not None:
            cut.append(line)
    lines.feed(b"")
    assert [*cut, lines.next_line(), lines.next_line()] == ["uno", "", "dós", " tres", None]


def test_of_a_line_without_end_only_the_beginning_is_kept() -> None:
    lines = InputLines(-1, "utf-8")
    cut = []
    for _time in range(10):
        lines.feed(b"x" * MAX_LINE_BYTES)
        while (line := lines.next_line()) is not None:
            cut.append(line)
    lines.feed(b"x\nnext\n")
    assert [len(line) for line in cut] == [MAX_LINE_BYTES]
    assert lines.next_line() == "next"


def test_what_comes_after_the_end_of_the_lines_is_forgotten() -> None:
    lines = InputLines(7, "utf-8")
    lines.feed(b"uno\ndos\n")
    assert (lines.next_line(), lines.file, lines.used_up) == ("uno", 7, False)
    lines.end()
    assert (lines.next_line(), lines.file, lines.used_up) == (None, None, True)


def test_texts_of_the_command_line_are_lines_one_by_one() -> None:
    lines = GivenLines(["uno", "dos\ntres"])
    assert (lines.next_line(), lines.used_up) == ("uno", False)
    assert (lines.next_line(), lines.used_up, lines.next_line()) == ("dos\ntres", True, None)
    left = GivenLines(["uno", "dos"])
    assert list(lines_left(left)) == ["uno", "dos"]
    left = GivenLines(["uno"])
    left.end()
    assert left.used_up


def test_only_the_first_line_that_looks_like_a_command_is_explained() -> None:
    said: list[str] = []
    notices: list[str] = []
    face: Any = SimpleNamespace(say=said.append)
    output: Any = SimpleNamespace(add_notice=notices.append)
    carry_out = say_each(face, output)
    for line in ("hola ", "  ", " /users", "@luis psst"):
        carry_out(line)
    assert said == ["hola", " /users", "@luis psst"]
    assert [notice.partition(" was")[0] for notice in notices] == ["“/users”"]


def test_the_lines_that_are_left_are_those_that_can_be_read_without_waiting() -> None:
    reading, writing = os.pipe()
    lines = InputLines(reading, "utf-8")
    os.write(writing, b"uno\ndos")
    assert list(lines_left(lines)) == ["uno"]
    os.close(writing)
    assert (list(lines_left(lines)), lines.used_up) == (["dos"], True)
    os.close(reading)
    reading, writing = os.pipe()
    lines = InputLines(reading, "utf-8")
    os.write(writing, b"uno\ndos")
    os.close(writing)
    assert (list(lines_left(lines)), lines.used_up) == (["uno", "dos"], True)
    os.close(reading)


def test_where_only_sockets_can_be_waited_for_a_thread_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(piped.select, "poll")
    reading, writing = os.pipe()
    with contextlib.closing(Wakeup()) as wakeup, open(reading, encoding="utf-8") as stream:
        lines = piped.input_lines(stream, wakeup)
        os.write(writing, "uno\ndós".encode())
        os.close(writing)
        found = []
        while not lines.used_up:
            select.select([wakeup.fileno()], [], [], WAIT_S)
            wakeup.clear()
            found += iter(lines.next_line, None)
    assert found == ["uno", "dós"]


# --- the pace, and direct messages that are not confirmed ----------------------------------------


def test_lines_that_come_faster_than_the_server_allows_are_all_said_after_one_refusal(
    run_client: Run, start_server: Run
) -> None:
    # Slow enough for a busy machine: 8 lines at once, and then one every 500 ms.
    server = start_server("--rate-limit", "2", "--history", "off")
    lines = [f"line {number}" for number in range(12)]
    done = run_client("ana", "127.0.0.1", server.port, "--json", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert [m["text"] for m in got if m["type"] == "message"] == lines
    assert len([m for m in got if m["type"] == "error"]) == 1


def test_a_message_that_is_not_confirmed_is_on_its_way_and_holds_up_nobody(
    pipe_in: Run, start_server: Run
) -> None:
    server = start_server("--shared-addresses")
    luis, ana = pipe_in("luis", server.port), pipe_in("ana", server.port)
    for user in (luis, ana):
        user.see_words("Hello, ")
    luis.stop()
    ana.type("@luis psst", "hola")
    ana.see("ana: hola")
    ana.see_words("On its way to luis: psst")
    assert not any("psst" in line for line in ana.data)
    luis.process.send_signal(signal.SIGCONT)
    luis.see("ana to you: psst")
    ana.see("you to luis: psst")
    assert ana.leave() == 0


def test_a_message_to_somebody_who_dies_comes_back(pipe_in: Run, start_server: Run) -> None:
    server = start_server("--shared-addresses")
    luis, ana = pipe_in("luis", server.port), pipe_in("ana", server.port)
    for user in (luis, ana):
        user.see_words("Hello, ")
    luis.stop()
    ana.type("@luis psst")
    ana.see_words("On its way to luis: psst")
    luis.process.kill()
    ana.see_words("Not delivered: “luis” left before confirming it.")
    assert ana.leave() == 6
