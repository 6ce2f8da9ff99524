"""The operator's console on the server's machine, and the file with the secret."""

import os
import pty
import re
import select
import signal
import socket
import stat
import subprocess
from pathlib import Path

from client_fixtures import free_port
from operators import SECRET, refused
from peers import BOTH_THREAD_MODELS, PROGRAM, WAIT_S, wait_for

STATE = Path(os.environ["XDG_STATE_HOME"], "tertulia")


@BOTH_THREAD_MODELS
def test_whoever_runs_the_server_keeps_order_unseen_in_both_languages(
    start_server, console, tmp_path
):
    server = start_server("--history", str(tmp_path / "history.db"), "--max-users", "3")
    luis, eva, leo = server.user("luis"), server.user("eva"), server.user("leo")
    seq = luis.ask("say", text="a las 8\x09en punto")["seq"]
    done = console(
        server,
        "# a comment, and an empty line",
        "",
        "/users",
        "/info luis",
        "/historial 5",
        f"/fijar {seq}",
        "/silencio",
        "/HUSH off",
        "/cerrar-sala sí",
        "/silenciar @luis 2h",
        "/kick eva too loud",
        f"/vetar {leo.source} 30 spam",
        "bans",
        "/perdonar " + leo.source,
        "/devolver luis",
        "/vetos",
        "/salir",
        "/users",
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:3] == ["luis  ACTIVO", "eva   ACTIVO", "leo   ACTIVO"]
    assert lines[3].startswith(f"luis: {luis.source}, ACTIVO, here since 20")
    assert re.fullmatch(rf"{seq}  \S+ \S+  luis: a las 8␉en punto", lines[4])
    assert lines[5:11] == [
        "The message is pinned.",
        "Only operators may speak in the general chat now.",
        "Everyone may speak in the general chat again.",
        "Nobody new may come in now.",
        "luis may not speak for 2 hours. /unmute luis lifts that.",
        "eva is no longer in the chat.",
    ]
    assert lines[11] == "This ends the session of 1 person: leo"
    assert lines[12].startswith(f"{leo.source} may not come in for 30 minutes.")
    assert re.fullmatch(rf"{leo.source}  until \S+ \S+  by the console  spam", lines[13])
    assert lines[14:] == [
        f"{leo.source} may come in again.",
        "luis may speak again.",
        "Nobody is banned.",
    ]
    assert eva.rest()[-1] == {
        "type": "closing",
        "reason": "kicked",
        "by": "server",
        "text": "too loud",
    }
    seen = [event["type"] for event in luis.until("unmuted")]
    assert seen.count("joined") == 2, "of eva and leo: nobody sees the console"
    assert seen[-8:] == [
        *("pinned", "hushed", "hushed", "locked", "muted", "left", "left", "unmuted")
    ]
    assert refused(server, "stranger")["code"] == "locked"


def test_what_cannot_be_done_is_said_and_the_rest_is_done(start_server, console):
    server = start_server("--rate-limit", "1")
    done = console(
        server,
        "/kick nobody",
        "/mute",
        "/ban 10.0.0.300/8",
        "/unban luis",
        "/pin 77",
        "/liberar luis",
        "/pin x",
        "/hush perhaps",
        "/mute luis forever",
        "/ban luis 0",
        "/cry",
        "/silenciarr luis",
        "/users now",
        "/history",
        "kick " + "x" * 60_000,
        "\x1b[2J\x00ñ",
        *["/ban ana"] * 60,
        "/bans",
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 16
    for words in (
        "nobody is not here.",
        "Give a name: /mute NAME",
        "That is not an address or a network.",
        "There is no such ban. /bans shows all.",
        "There is no message with this number.",
        "The name luis is not held.",
        "Give the number of a message: /pin 1042, or /pin none",
        "After /hush, type nothing or on",
        "/mute luis 10",
        "for example 30, 2h or 7d",
        "There is no command /cry. /help shows all commands.",
        "There is no command /silenciarr. Did you mean /mute?",
        "/users takes nothing after it.",
        "This server keeps no messages.",
    ):
        assert words in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout.endswith("\nana  by the console\n")


def test_the_console_speaks_spanish(start_server, console):
    done = console(start_server(), "/vetar ana 1440 spam", "/ayuda", "/kick x", lang="es")
    assert "ana no puede entrar durante 1 día. /perdonar ana lo levanta." in done.stdout
    assert "/cerrar-sala, /lock [sí|no]" in done.stdout
    assert "x no está aquí." in done.stderr


def test_a_full_server_lets_its_operator_in_but_not_any_number(start_server, console):
    server = start_server("--max-users", "1", "--max-unregistered", "1")
    server.user("luis")
    server.peer()
    assert console(server, "/users").stdout == "luis  ACTIVO\n"
    open_ones = []
    for _ in range(8):
        console_socket = connect(server)
        console_socket.sendall(b'{"type":"users","id":1}\n')
        assert console_socket.recv(1_000).startswith(b'{"type":"users","id":1')
        open_ones.append(console_socket)
    turned_away = console(server, "/users")
    assert turned_away.returncode == 1
    assert "too many consoles" in turned_away.stderr
    for console_socket in open_ones:
        console_socket.close()
    wait_for(lambda: console(server, "/users").returncode == 0, "room for a console")


def connect(server) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(WAIT_S)
    sock.connect(str(STATE / f"operator-{server.port}.sock"))
    return sock


def test_a_console_does_not_speak_and_breaks_nothing(start_server):
    server = start_server()
    luis = server.user("luis")
    with connect(server) as sock:
        file = sock.makefile("rb")
        for line, answer in (
            (b'{"type":"say","id":1,"text":"x"}', b'"code":"not_registered"'),
            (b'{"type":"direct","id":1,"to":"luis","text":"x"}', b'"code":"not_registered"'),
            (b'{"type":"status","id":1,"status":"OCUPADO"}', b'"code":"not_registered"'),
            (b'{"type":"register","id":1,"name":"x"}', b'"code":"already_registered"'),
            (b'{"type":"operator","id":1,"secret":"x"}', b'"code":"operator_wrong"'),
            (b"garbage", b'"code":"malformed"'),
            (b'{"type":"hush","on":true,"id":1}', b'{"type":"ok","id":1}'),
        ):
            sock.sendall(line + b"\n")
            assert answer in file.readline()
        sock.sendall(b"\x00" * 70_000)
        assert b"line_too_long" in file.readline()
    assert luis.until("hushed")[-1]["by"] == "server"
    assert luis.ask("users")["users"] == [{"name": "luis", "status": "ACTIVO"}]


def test_without_a_server_the_console_says_so(run, start_server):
    server = start_server()
    server.stop()
    done = run(server.port, "--operator")
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"no server of this user runs on port {server.port}".encode() in done.stderr
    for arguments in (("--operator",), ("0", "--operator")):
        done = run(*arguments)
        assert done.returncode == 2
        assert b"tertulia-server 5000 --operator" in done.stderr


def test_the_console_ends_with_the_server(start_server):
    server = start_server()
    process = subprocess.Popen(
        [PROGRAM, str(server.port), "--operator", "--lang", "en"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(b"users\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"Nobody is here.\n"
    server.signal()
    assert server.wait() == 0
    assert process.wait(WAIT_S) == 1
    assert process.stderr.read() == b"tertulia-server: the server has stopped\n"
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def test_on_a_terminal_it_asks_before_it_acts_on_several(start_server):
    server = start_server()
    luis, eva = server.user("luis", "127.99.0.1"), server.user("eva", "127.99.0.2")
    master, slave = pty.openpty()
    command = [PROGRAM, str(server.port), "--operator", "--lang", "en"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""

    def see(text):
        nonlocal seen
        while text.encode() not in seen:
            assert select.select([master], [], [], WAIT_S)[0], seen
            seen += os.read(master, 10_000)
        seen = seen.partition(text.encode())[2]

    def type_line(text):
        os.write(master, f"{text}\n".encode())

    see("nobody sees you here")
    see("> ")
    type_line("/ban 127.99.0.0/16")
    see("the sessions of 2 people: luis, eva")
    see("Go on? [y/N] ")
    type_line("")
    see("> ")
    type_line("/bans")
    see("Nobody is banned.")
    type_line("/ban 127.99.0.0/16")
    see("Go on? [y/N] ")
    type_line("y")
    see("127.99.0.0/16 may not come in.")
    assert luis.rest()[-1]["reason"] == eva.rest()[-1]["reason"] == "kicked"
    type_line("/kick nobody")
    see("nobody is not here.")
    type_line("/quit")
    assert process.wait(WAIT_S) == 0
    os.close(master)


# --- the files -----------------------------------------------------------------------------------


def test_the_secret_is_in_a_file_for_the_server_s_user_alone(start_server):
    server = start_server()
    file, sock = STATE / f"operator-{server.port}.txt", STATE / f"operator-{server.port}.sock"
    for path in (file, sock):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = file.read_text()
    secret = re.search(r"#operator=([A-Za-z0-9_-]{32})$", text, re.MULTILINE)[1]
    assert text.count(secret) == 2
    log = server.wait_for_log(str(file))
    assert secret not in log
    ana = server.user("ana")
    assert ana.ask("operator", secret=secret)["type"] == "ok"
    server.stop()
    assert not file.exists()
    assert not sock.exists()


def test_the_files_of_a_killed_server_are_replaced(start_server, console):
    port = free_port()
    server = start_server("--history", "off", port=port)
    server.signal(signal.SIGKILL)
    server.process.wait()
    file, sock = STATE / f"operator-{port}.txt", STATE / f"operator-{port}.sock"
    old = file.read_text()
    assert sock.exists()
    assert console(server, "/users").returncode == 1
    command = [PROGRAM, str(port), "--history", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline().startswith(b"listening")
        assert console(server, "/users").stdout == "Nobody is here.\n"
        assert file.read_text() != old
        process.terminate()
    assert not sock.exists()


def test_a_second_server_leaves_the_console_of_the_first_alone(start_server, console):
    server = start_server("--host", "127.0.0.1")
    text = (STATE / f"operator-{server.port}.txt").read_text()
    command = [PROGRAM, str(server.port), "--host", "127.0.0.2", "--history", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"listening")
        process.terminate()
        assert b"another server of this user has the console" in process.stderr.read()
    server.user("luis")
    assert console(server, "/users").stdout == "luis  ACTIVO\n"
    assert (STATE / f"operator-{server.port}.txt").read_text() == text


def test_a_fixed_secret_is_read_from_its_file(start_server, run, tmp_path, secret_file):
    server = start_server("--operator-secret", str(secret_file))
    assert server.user("ana").ask("operator", secret=SECRET)["type"] == "ok"
    assert f"#operator={SECRET}" in (STATE / f"operator-{server.port}.txt").read_text()
    exposed = tmp_path / "exposed"
    exposed.write_text(SECRET)
    exposed.chmod(0o644)
    start_server("--operator-secret", str(exposed)).wait_for_log(
        f"others can read the operator's secret.* path={exposed}"
    )
    for content, words in (
        (b"", b"is empty"),
        (b" \n", b"is empty"),
        (b"short", b"too short"),
        (b"two lines with\na secret", b"one line"),
        (b"\xff" * 20, b"one line"),
        (b"x" * 2_000, b"one line"),
        (None, b"No such file"),
    ):
        bad = tmp_path / "bad"
        bad.unlink(missing_ok=True)
        if content is not None:
            bad.write_bytes(content)
        done = run("0", "--operator-secret", bad)
        assert done.returncode == 2
        assert words in done.stderr
        assert str(bad).encode() in done.stderr
    assert run("0", "--operator-secret", tmp_path).returncode == 2


def test_a_server_starts_without_a_state_directory(run, start_server, monkeypatch, tmp_path):
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    server = start_server()
    log = server.wait_for_log("The file for operators could not be written")
    assert "no console error=" in log
    assert server.user("luis").name == "luis"
