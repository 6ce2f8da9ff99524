"""The file of a history: restarts, its place, its permissions, and damage to it."""

import contextlib
import os
import re
import resource
import sqlite3
import stat
import subprocess

import pytest
from client_fixtures import free_port
from faults import allowed
from histories import kill, locked, say_all, texts_of
from peers import WAIT_S, wait_for

pytestmark = pytest.mark.long

# --- restarts ------------------------------------------------------------------------------------


def test_numbers_go_on_over_every_kind_of_end(start):
    last_seq, epochs, said = 0, set(), []
    for end in ("stop", "kill", "kill", "stop", "stop"):
        server = start()
        ana, luis = server.peer(), server.peer()
        welcome = ana.register("ana")
        assert last_seq <= welcome["seq"]
        epochs.add(welcome["epoch"])
        joined = luis.register("luis")["seq"] + 1
        assert joined > last_seq
        seq = ana.ask("say", text=f"before {end}")["seq"]
        assert seq > joined
        said.append((seq, f"before {end}"))
        page = luis.ask("history")
        assert [(m["seq"], m["text"]) for m in page["messages"]] == said
        ana.send("status", status="OCUPADO")  # its number is visible to users but not stored
        last_seq = luis.until("presence", name="ana")[-1]["seq"]
        if end == "kill":
            kill(server)
        else:
            server.stop()
    assert len(epochs) == 1


def test_another_history_is_another_epoch(start_server, tmp_path):
    files = [("--history", str(tmp_path / name)) for name in ("a.db", "b.db")]
    welcomes = [start_server(*options).peer().register("ana") for options in files]
    welcomes += [start_server().peer().register("ana") for _ in range(2)]
    assert len({welcome["epoch"] for welcome in welcomes}) == 4


def test_a_message_resent_after_a_restart_is_not_said_again(start):
    server = start()
    ana = server.user("ana")
    seq = ana.ask("say", text="hola", nonce="n")["seq"]
    kill(server)
    server = start()
    ana, luis = server.users("Ana", "luis")
    assert ana.ask("say", text="hola", nonce="n")["seq"] == seq
    assert server.sync(luis, ana) == [[], []]
    assert luis.ask("say", text="hola", nonce="n")["seq"] > seq, "another user's nonce is another"
    assert texts_of(ana.ask("history")).count("hola") == 2


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
def test_a_message_whose_commit_was_cut_off_may_come_again_and_carries_its_nonce(start, path):
    server = start()
    ana, luis = server.users("ana", "luis")
    with locked(path):
        ana.send("say", text="hola", nonce="n", id=7)
        first = luis.until("message", text="hola")[-1]
        kill(server)
    assert all(m["type"] != "ok" for m in ana.rest())
    server = start()
    ana, luis = server.users("ana", "luis")
    assert "hola" not in texts_of(luis.ask("history", limit=1))
    seq = ana.ask("say", text="hola", nonce="n")["seq"]
    second = luis.until("message", text="hola")[-1]
    assert (second["seq"], second["nonce"]) == (seq, first["nonce"])
    assert seq > first["seq"]
    assert texts_of(luis.ask("history")).count("hola") == 1


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
def test_a_history_put_back_from_an_old_copy_is_another_epoch(start, path):
    start().stop()
    copy = path.read_bytes()
    server = start()
    first = server.peer().register("ana")
    server.stop()
    path.write_bytes(copy)
    server = start()
    ana = server.peer()
    welcome = ana.register("ana")
    assert welcome["epoch"] != first["epoch"]
    assert ana.ask("say", text="hola")["seq"] > first["seq"]
    server.wait_for_log(r" WARNING history older than the numbers given out")


# --- place and permissions ----------------------------------------------------------------------


def test_without_a_file_there_is_no_history(start_server):
    for options in [(), ("--history", "off")]:
        ana = start_server(*options).user("ana")
        assert ana.ask("history")["code"] == "history_off"
        assert ana.ask("search", text="hola")["code"] == "history_off"
        assert ana.ask("say", text="hola")["type"] == "ok"


def test_with_a_port_the_file_is_in_the_state_directory(program, tmp_path):
    port = free_port()
    state = tmp_path / "state"
    process = subprocess.Popen(
        [program, str(port), "--host", "127.0.0.1"],
        env=os.environ | {"XDG_STATE_HOME": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout.readline().decode() == f"listening on 127.0.0.1 {port}\n"
        process.terminate()
        assert process.wait(WAIT_S) == 0
    assert (state / "tertulia" / f"history-{port}.db").is_file()


def test_nobody_else_may_read_it(start, path):
    before = os.umask(0)
    try:
        start().user("ana").ask("say", text="hola")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("history*")}
    assert path.name in modes
    assert set(modes.values()) == {0o600}, modes


def test_a_second_server_on_the_same_file_does_not_start(start, run, path):
    ana = start().user("ana")
    done = run(0, "--history", path, "--lang", "en")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().count("\n") == 1
    assert "another server" in done.stderr.decode()
    assert str(path) in done.stderr.decode()
    assert ana.ask("say", text="hola")["type"] == "ok"


NAMES = [
    b"caf\xe9.db",
    "ñandú 李.db".encode(),
    b"a%20b?mode=memory#x.db",
    b"file:x.db",
    b"two\nlines",
]


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_file_works_in_any_locale(program, start_server, tmp_path, name, locale):
    folder = os.fsencode(tmp_path)
    path, copy = os.path.join(folder, name), os.path.join(folder, b"copy of " + name)
    within = ("env", f"LC_ALL={locale}", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0")

    def run(*arguments):
        command = [*within, program, "--history", *arguments]
        done = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    server = start_server("--history", os.fsdecode(path), within=within)
    ana = server.user("ana")
    assert ana.ask("say", text="hola")["type"] == "ok"
    assert texts_of(ana.ask("history")) == ["hola"]
    run(path, "--backup", copy)
    server.stop()
    assert run(path, "--restore", copy).count(b"\n") >= 2
    assert b'"text":"hola"' in run(path, "--export", "-")
    names = {file for file in os.listdir(folder) if b".log" not in file}
    aside = {file for file in names if b".before-restore-" in file}
    assert names - aside == {name, name + b".lock", b"copy of " + name}
    assert len(aside) == 1
    for file in names:
        assert stat.S_IMODE(os.stat(os.path.join(folder, file)).st_mode) == 0o600


def test_a_history_in_memory_is_refused(run, tmp_path):
    done = run(0, "--history", ":memory:", "--lang", "en", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "--history takes the name of a file, or off" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".lock", "-wal"])
def test_an_error_names_the_file_at_fault(run, path, suffix):
    at_fault = path.with_name(f"{path.name}{suffix}")
    at_fault.mkdir()
    done = run(0, "--history", path, "--lang", "en")
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"{at_fault}: Is a directory" in done.stderr.decode()


@pytest.mark.parametrize("place", ["a directory", "no/right", "a file/below"])
def test_an_impossible_path_is_one_clear_line(run, tmp_path, place):
    (tmp_path / "a directory").mkdir()
    (tmp_path / "a file").write_text("")
    where = "/proc/history.db" if place == "no/right" else tmp_path / place
    done = run(0, "--history", where, "--lang", "en")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
    assert str(where) in done.stderr.decode()


def test_a_file_of_another_version_is_one_clear_line_and_left_alone(run, path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 77")
    before = path.read_bytes()
    done = run(0, "--history", path, "--lang", "en")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
    assert f"cannot read the history {path}" in done.stderr.decode()
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [
        (path.name, before)
    ]


def test_after_keep_days_messages_are_forgotten(start, path):
    server = start()
    say_all(server.user("ana"), [f"viejo perro {n}" for n in range(5_000)] + ["nuevo perro"])
    server.stop()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE message SET time = '2020-01-01T00:00:00.000Z' WHERE text LIKE 'viejo%'")
        db.commit()
    server = start("--keep", "1")
    luis = server.user("luis")
    wait_for(lambda: texts_of(luis.ask("history")) == ["nuevo perro"])
    assert texts_of(luis.ask("search", text="perro")) == ["nuevo perro"]
    server.wait_for_log(r" INFO history shortened deleted=5000 before=")


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(start, path):
    first = start()
    epoch = first.peer().register("ana")["epoch"]
    first.stop()
    damaged = bytearray(path.read_bytes())
    damaged[1000:] = os.urandom(len(damaged) - 1000)
    path.write_bytes(damaged)
    server = start()
    ana = server.peer()
    assert ana.register("ana")["epoch"] != epoch
    assert ana.ask("say", text="hola")["type"] == "ok"
    assert texts_of(ana.ask("history")) == ["hola"]
    [aside] = path.parent.glob("history.db.damaged-*")
    assert aside.read_bytes() == damaged
    server.wait_for_log(r" ERROR history DAMAGED.*" + re.escape(str(aside)))


def test_damage_that_comes_again_and_again_deletes_nothing(start, path):
    contents = [f"damage {number} ".encode() * 500 for number in range(4)]
    for content in contents:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.write_bytes(content)
        kill(start())
    found = {aside.read_bytes() for aside in path.parent.glob("history.db.damaged-*")}
    assert set(contents) <= found


def test_garbage_in_the_lock_file_is_no_reason_not_to_start(start, path):
    server = start()
    seq = server.user("ana").ask("say", text="hola")["seq"]
    kill(server)
    for garbage in (b"hola\n", b"\0" * 21, b"-5", b"\xff" * 100):
        path.with_name(f"{path.name}.lock").write_bytes(garbage)
        server = start()
        ana = server.user("ana")
        before, seq = seq, ana.ask("say", text="hola")["seq"]
        assert seq > before
        kill(server)


# --- removed or replaced -------------------------------------------------------------------------


@pytest.mark.alone("what a file lacks comes back from the log, and the epoch stays")
@pytest.mark.parametrize("how", ["removed", "replaced", "overwritten"])
def test_a_history_removed_or_replaced_while_the_server_runs_is_noticed(start, run, path, how):
    server = start()
    ana, luis = server.users("ana", "luis")
    assert ana.ask("say", text="uno", nonce="n")["type"] == "ok"
    copy = path.with_name("copy.db")
    assert run("--history", path, "--backup", copy).returncode == 0
    content = copy.read_bytes()
    match how:
        case "removed":
            path.unlink()
        case "replaced":
            copy.rename(path)
        case "overwritten":
            path.write_bytes(content)
    for text in ("dos", "tres"):
        assert ana.ask("say", text=text)["code"] == "unavailable"
        luis.until("message", text=text)
    assert ana.ask("say", text="uno", nonce="n")["code"] == "unavailable"
    assert luis.ask("history")["code"] == "unavailable"
    assert luis.ask("search", text="uno")["code"] == "unavailable"
    server.stop()
    assert server.log().count("removed or replaced") == 1
    assert server.log().count("WARNING") == 0
    if how != "removed":
        assert path.read_bytes() == content
        assert texts_of(start().user("eva").ask("history"))[-1] == "uno"


# --- a full disk ---------------------------------------------------------------------------------


@pytest.mark.alone("a node has to write its place in the log before it serves")
@pytest.mark.parametrize("end", ["new", "stopped", "killed"])
def test_on_a_full_disk_the_chat_starts_and_stores_again_when_there_is_room(
    start, start_server, path, end
):
    prlimit = ("prlimit", "--fsize=16384:unlimited")
    allowed(*prlimit, "true")
    seq, before = 0, []
    if end != "new":
        first = start()
        before = [f"{n} " + "x" * 500 for n in range(100)]
        seq = say_all(first.user("ana"), before)[-1]
        first.stop() if end == "stopped" else kill(first)
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    server = start_server("--history", str(path), within=prlimit)
    ana, luis = server.users("ana", "luis")
    said = ana.ask("say", text="hola")
    assert said["code"] == "unavailable"
    assert said["seq"] > seq
    luis.until("message", text="hola")
    no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, no_limit)
    assert ana.ask("say", text="de nuevo")["seq"] > said["seq"]
    assert texts_of(luis.ask("history", limit=200)) == [*before, "de nuevo"]
    assert texts_of(luis.ask("search", text="nuevo")) == ["de nuevo"]
    server.wait_for_log("WARNING history written again")
    log = server.log()
    assert log.count("history not written") == 1
    assert "DAMAGED" not in log
    kill(server)
    luis = start().user("luis")
    assert texts_of(luis.ask("history", limit=200)) == [*before, "de nuevo"]
