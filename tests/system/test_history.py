"""The history of a real server: pages, searches, promises about the disk, one owner for a file.

To catch a message between its delivery and its commit, a test takes SQLite's write lock itself:
until it is given back the server can deliver, and store nothing.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

WAIT_S = 30.0
ANSWER_S = 3.0  # for an `ok` that waits for the disk while its client has gone
PAGE_BYTES = 256 * 1024


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


@pytest.fixture
def start(start_server, path):
    """Start servers, one after another, with the same history."""
    return lambda *options: start_server("--history", str(path), *options)


@pytest.fixture
def run(program):
    """Run the command to its end; what it prints is kept."""

    def run(*arguments, **options):
        return subprocess.run(
            [program, *map(str, arguments)],
            capture_output=True,
            timeout=WAIT_S,
            check=False,
            **options,
        )

    return run


@contextlib.contextmanager
def locked(path):
    """Keep the server from committing. It waits for 5 s, then holds the disk to be unavailable."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def kill(server):
    server.signal(signal.SIGKILL)
    server.process.wait()


def say_all(peer, texts):
    """Say all of them and give the numbers they were acknowledged with."""
    peer.send_all(
        *({"type": "say", "text": text, "id": number} for number, text in enumerate(texts))
    )
    acknowledged = {}
    while len(acknowledged) < len(texts):
        message = peer.next()
        if message["type"] == "ok":
            acknowledged[message["id"]] = message["seq"]
    return [acknowledged[number] for number in range(len(texts))]


def texts_of(page):
    assert page["type"] == "history", page
    return [message["text"] for message in page["messages"]]


def seqs_of(page):
    assert page["type"] == "history", page
    return [message["seq"] for message in page["messages"]]


def exported(run, path):
    """Give the whole history, by the command."""
    done = run("--history", path, "--export", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- pages ---------------------------------------------------------------------------------------


def test_a_page_is_what_was_asked_for(start):
    ana = start().user("ana")
    seqs = say_all(ana, [f"m{number}" for number in range(250)])
    for request, expected, more in [
        ({}, seqs[-50:], True),
        ({"limit": 1}, seqs[-1:], True),
        ({"limit": 200}, seqs[-200:], True),
        ({"limit": 201}, seqs[-200:], True),
        ({"limit": 2**53}, seqs[-200:], True),
        ({"before": seqs[100], "limit": 10}, seqs[90:100], True),
        ({"before": seqs[5]}, seqs[:5], False),
        ({"before": 2**53 - 1, "limit": 1}, seqs[-1:], True),
        ({"before": 0}, [], False),
        ({"after": seqs[0], "limit": 10}, seqs[1:11], True),
        ({"after": seqs[239]}, seqs[240:], False),
        ({"after": 0, "limit": 3}, seqs[:3], True),
        ({"after": 2**53 - 1}, [], False),
        ({"after": seqs[10], "before": seqs[20], "limit": 5}, seqs[11:16], True),
        ({"after": seqs[10], "before": seqs[20]}, seqs[11:20], False),
        ({"after": seqs[20], "before": seqs[10]}, [], False),
    ]:
        page = ana.ask("history", **request)
        assert (seqs_of(page), page["more"]) == (expected, more), request


def test_a_page_that_cannot_be_is_malformed(start):
    ana = start().user("ana")
    for wrong in [{"limit": 0}, {"limit": -1}, {"limit": 1.5}, {"before": -1}, {"after": "1"}]:
        assert ana.ask("history", **wrong)["code"] == "malformed", wrong


def test_a_page_holds_the_messages_as_they_were_delivered(start):
    ana = start().user("ana")
    texts = ["hola", "¿qué?\n\ttal", '"\\', "\u2028 \u202e 👩\u200d🚀 \U0010ffff", "x" * 16_384]
    for text in texts:
        ana.send("say", text=text, nonce=f"nonce of {text[:9]}")
    ana.send("say", text="without a nonce")
    live = [m for m in ana.until("message", text="without a nonce") if m.pop("type") == "message"]
    assert ana.ask("history")["messages"] == live
    assert [m["text"] for m in live] == [*texts, "without a nonce"]
    assert "nonce" not in live[-1]


def test_a_page_holds_at_most_256_kib_of_text(start):
    ana = start().user("ana")
    seqs = say_all(ana, ["ñ" * 8_192] * 40)
    page = ana.ask("history", limit=200)
    assert (seqs_of(page), page["more"]) == (seqs[-PAGE_BYTES // 16_384 :], True)
    forwards = ana.ask("history", limit=200, after=0)
    assert (seqs_of(forwards), forwards["more"]) == (seqs[: PAGE_BYTES // 16_384], True)
    collected = seqs_of(page)
    while page["more"]:
        page = ana.ask("history", limit=200, before=collected[0])
        collected = seqs_of(page) + collected
    assert collected == seqs


def test_a_fifth_page_under_way_is_refused(start):
    ana = start().user("ana")
    ana.ask("say", text="hola")
    kinds = ["history", "search", "history", "search", "history"]
    ana.send_all(*({"type": kind, "text": "hola", "id": n} for n, kind in enumerate(kinds)))
    answers = {}
    while len(answers) < len(kinds):
        if "id" in (message := ana.next()):
            answers[message["id"]] = message
    assert [answers[n]["type"] for n in range(4)] == ["history"] * 4
    assert answers[4]["code"] == "rate_limited"
    assert answers[4]["retry_after"] > 0
    assert texts_of(ana.ask("history")) == ["hola"]


def test_a_page_asked_for_right_after_a_message_holds_it(start):
    ana = start().user("ana")
    for number in range(50):
        ana.send_all(
            {"type": "say", "text": str(number)},
            {"type": "history", "limit": 1},
            {"type": "search", "text": str(number), "limit": 1},
        )
        for _ in range(2):
            assert texts_of(ana.until("history")[-1]) == [str(number)]


@pytest.mark.parametrize("last", ["quit", "eof"])
def test_whoever_asks_for_pages_and_goes_gets_them(start, last):
    ana = start().user("ana")
    say_all(ana, ["x" * 16_000] * 20)
    kinds = ["history", "search", "history", "history"]
    ana.send_all(*({"type": kind, "text": "nada", "id": n} for n, kind in enumerate(kinds)))
    ana.send("quit") if last == "quit" else ana.half_close()
    assert sorted(m["id"] for m in ana.rest() if m["type"] == "history") == [0, 1, 2, 3]


# --- searching -----------------------------------------------------------------------------------


def test_search_finds_messages_that_hold_all_the_words(start):
    ana = start().user("ana")
    say_all(ana, ["El niño come", "NIÑO y perro", "la niñez", "perro OR gato", "un\nperro\tmás"])
    for text, expected in [
        ("niño", ["El niño come", "NIÑO y perro"]),
        ("nino", ["El niño come", "NIÑO y perro"]),
        ("NIÑO", ["El niño come", "NIÑO y perro"]),
        ("nin\u0303o", ["El niño come", "NIÑO y perro"]),  # as some systems type it
        ("perro niño", ["NIÑO y perro"]),
        ("más perro", ["un\nperro\tmás"]),
        ("mas", ["un\nperro\tmás"]),
        ("elefante", []),
    ]:
        assert texts_of(ana.ask("search", text=text)) == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("perro OR elefante", []),
        ("perro NOT gato", []),
        ("NEAR(perro gato)", []),
        ("perr*", []),
        ("text:perro", []),
        ("^perro", ["perro OR gato"]),
        ('"perro', ["perro OR gato"]),
        ("perro' -- ;", ["perro OR gato"]),
        ("perro gato OR", ["perro OR gato"]),
        ("(((", []),
        ("*", []),
        ("_", []),
        ("perro " * 2_000, ["perro OR gato"]),
        ("x" * 16_384, []),
    ],
)
def test_search_knows_words_and_no_query_language(start, text, expected):
    server = start()
    ana = server.user("ana")
    ana.ask("say", text="perro OR gato")
    assert texts_of(ana.ask("search", text=text)) == expected
    assert "WARNING" not in server.log()


def test_what_could_not_be_said_cannot_be_searched_for(start):
    server = start()
    ana = server.user("ana")
    ana.ask("say", text="perro gato")
    for text in ("", " ", "\0", "perro\0gato", "perro\x1b", "x" * 16_385):
        answer = ana.ask("search", text=text)
        assert answer.get("code") in ("text_invalid", "text_too_long"), (text[:9], answer)
    assert "WARNING" not in server.log()


def test_a_search_is_paged_backwards(start):
    ana = start().user("ana")
    seqs = say_all(ana, [f"palabra {number}" if number % 2 else "nada" for number in range(300)])
    with_word = seqs[1::2]
    page = ana.ask("search", text="palabra")
    assert (seqs_of(page), page["more"]) == (with_word[-50:], True)
    page = ana.ask("search", text="palabra", before=with_word[100], limit=60)
    assert (seqs_of(page), page["more"]) == (with_word[40:100], True)
    page = ana.ask("search", text="palabra", before=with_word[40], limit=200)
    assert (seqs_of(page), page["more"]) == (with_word[:40], False)
    assert ana.ask("search", text="palabra", limit=0)["code"] == "malformed"


def test_an_enormous_search_keeps_nobody_else_waiting(start):
    server = start()
    ana, luis = server.users("ana", "luis")
    say_all(ana, ["x " * 50 + str(number) for number in range(5_000)])
    assert texts_of(luis.ask("search", text="4321")), "the index is made"
    for number in range(4):
        ana.send("search", text="x " * 32_000, id=number)
    ana.roundtrip()
    asked = time.monotonic()
    assert len(texts_of(luis.ask("history"))) == 50
    assert time.monotonic() - asked < 4.0, "one query has 2 s, and one user's four stand behind"


# --- acknowledgement -----------------------------------------------------------------------------


def test_ok_comes_after_the_commit_and_the_message_without_waiting_for_it(start, path):
    ana, luis = start().users("ana", "luis")
    with locked(path):
        ana.send("say", text="hola", id=7)
        message = luis.until("message", text="hola")[-1]
        assert all(m["type"] != "ok" for m in ana.roundtrip())
    assert ana.until_id(7)[-1] == {"type": "ok", "id": 7, "seq": message["seq"]}


def test_before_an_ok_goes_out_the_disk_has_been_told(start_server, path, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here")
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,fsync,recvfrom,sendto"
    strace = ("strace", "-D", "-f", "-y", "-s", "300", "-e", calls, "-o", str(trace))
    tried = subprocess.run([*strace, "true"], capture_output=True, timeout=WAIT_S, check=False)
    if tried.returncode:
        pytest.skip(f"strace is not allowed here: {tried.stderr.decode().strip()}")
    server = start_server("--history", str(path), within=strace)
    ana = server.user("ana")
    for number in range(20):
        ana.send("say", text=f"message {number}", id=number)
        ana.until_id(number)
    ana.close()
    server.stop()
    events = "".join(_event(line) for line in trace.read_text().splitlines())
    said = re.findall(r"s[^sk]*k", events)
    assert len(said) == 20, events
    assert all("d" in between for between in said), events


def _event(line):
    """Shorten a line of strace: s(ay read), d(isk told, and done), (o)k sent."""
    if "recvfrom" in line and r"\"say\"" in line:
        return "s"
    if re.search(r"f(data)?sync\(.*-wal.*= 0|f(data)?sync resumed.*= 0", line):
        return "d"
    if "sendto" in line and r"\"type\":\"ok\"" in line:
        return "k"
    return ""


@pytest.mark.parametrize("last", ["quit", "eof"])
def test_whoever_goes_right_after_speaking_still_gets_its_ok(start, path, last):
    ana, luis = start().users("ana", "luis")
    with locked(path):
        ana.send("say", text="last words", id=7)
        if last == "quit":
            ana.send("quit")
        else:
            ana.half_close()
        seq = luis.until("message", text="last words")[-1]["seq"]
        luis.until("left", name="ana", reason="quit")
    assert {"type": "ok", "id": 7, "seq": seq} in ana.rest()


def test_a_slow_disk_makes_speakers_wait_and_nobody_else(start, path):
    """Behind 10,000 messages on their way to the disk no further one is read; none is refused."""
    server = start()
    ana, luis, eva = server.users("ana", "luis", "eva")
    count = 12_000
    lines = b"".join(b'{"type":"say","text":"hola","id":%d}\n' % n for n in range(count))
    talking = threading.Thread(target=ana.send_raw, args=(lines,))
    ana.ask("history")  # by then what was said so far takes no room any more
    with locked(path):
        talking.start()
        for _ in range(10_000):
            luis.expect("message", text="hola")
        assert eva.ask("direct", to="luis", text="psst")["type"] == "ok"
        luis.expect("direct", text="psst")
        assert len(luis.ask("users")["users"]) == 3
        assert luis.roundtrip() == [], "not one more is said"
    answers = []
    while len(answers) < count:
        if (message := ana.next())["type"] != "message":
            answers.append(message)
    talking.join(WAIT_S)
    assert sorted(answer["id"] for answer in answers) == list(range(count))
    for _ in range(count - 10_000):
        luis.expect("message", text="hola")
    # On a slow machine the lock may have lasted longer than the server waits for the disk.
    assert all(a["type"] == "ok" or a["code"] == "unavailable" for a in answers)


def test_a_disk_that_hangs_does_not_hold_up_the_end(start, path):
    server = start()
    ana = server.user("ana")
    with locked(path):
        ana.send_all(*({"type": "say", "text": str(n), "id": n} for n in range(2_000)))
        ana.until("message")
        server.signal()
        assert server.wait() == 0
    assert all(message["type"] != "ok" for message in ana.rest())


@pytest.mark.parametrize("last", ["quit", "eof"])
def test_whoever_says_much_and_goes_gets_every_ok(start, last):
    ana = start().user("ana")
    ana.send_all(*({"type": "say", "text": "x" * 200, "id": n} for n in range(500)))
    ana.send("quit") if last == "quit" else ana.half_close()
    assert [m["id"] for m in ana.rest() if m["type"] == "ok"] == list(range(500))


def test_whoever_has_gone_is_not_waited_for_longer_than_three_seconds(start, path):
    ana, luis = start().users("ana", "luis")
    with locked(path):
        ana.send("say", text="hola", id=7)
        ana.send("quit")
        luis.until("left", name="ana")
        start_of_wait = time.monotonic()
        assert all(m["type"] != "ok" for m in ana.rest())
        assert time.monotonic() - start_of_wait < ANSWER_S + 1.5


def test_what_is_said_without_an_id_is_stored_too(start, run, path):
    server = start()
    ana = server.user("ana")
    ana.send_all(*({"type": "say", "text": str(n)} for n in range(1_000)))
    assert ana.ask("say", text="end")["type"] == "ok"
    kill(server)
    assert [m["text"] for m in exported(run, path)] == [*map(str, range(1_000)), "end"]


def test_a_stop_right_after_many_messages_loses_none_that_is_acknowledged(start, run, path):
    server = start()
    ana = server.user("ana")
    ana.send_all(*({"type": "say", "text": str(n), "id": n} for n in range(3_000)))
    ana.until_id(100)
    server.signal()
    acknowledged = {m["seq"]: str(m["id"]) for m in ana.rest() if m["type"] == "ok"}
    assert server.wait() == 0
    stored = {m["seq"]: m["text"] for m in exported(run, path)}
    assert acknowledged.items() <= stored.items()


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
        ana.send("status", status="OCUPADO")  # a number that is seen and not stored
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


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_message_resent_after_a_restart_is_not_said_again(start, end):
    server = start()
    ana = server.user("ana")
    seq = ana.ask("say", text="hola", nonce="n")["seq"]
    kill(server) if end == "kill" else server.stop()
    server = start()
    ana, luis = server.users("Ana", "luis")
    assert ana.ask("say", text="hola", nonce="n")["seq"] == seq
    assert server.sync(luis, ana) == [[], []]
    assert luis.ask("say", text="hola", nonce="n")["seq"] > seq, "another user's nonce is another"
    assert texts_of(ana.ask("history")).count("hola") == 2


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


# --- where it is, and whose ----------------------------------------------------------------------


def test_without_a_file_there_is_no_history(start_server):
    for options in [(), ("--history", "off")]:
        ana = start_server(*options).user("ana")
        assert ana.ask("history")["code"] == "history_off"
        assert ana.ask("search", text="hola")["code"] == "history_off"
        assert ana.ask("say", text="hola")["type"] == "ok"


def test_with_a_port_the_file_is_in_the_state_directory(program, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
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


@pytest.mark.parametrize("place", ["a directory", "no/right", "a file/below"])
def test_a_place_where_no_file_can_be_is_one_clear_line(run, tmp_path, place):
    (tmp_path / "a directory").mkdir()
    (tmp_path / "a file").write_text("")
    where = "/proc/history.db" if place == "no/right" else tmp_path / place
    done = run(0, "--history", where, "--lang", "en")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
    assert str(where) in done.stderr.decode()


def test_after_keep_days_messages_are_forgotten(start, path):
    server = start()
    say_all(server.user("ana"), [f"viejo perro {n}" for n in range(5_000)] + ["nuevo perro"])
    server.stop()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE message SET time = '2020-01-01T00:00:00.000Z' WHERE text LIKE 'viejo%'")
        db.commit()
    server = start("--keep", "1")
    luis = server.user("luis")
    give_up_at = time.monotonic() + WAIT_S
    while texts_of(luis.ask("history")) != ["nuevo perro"]:
        assert time.monotonic() < give_up_at, "they are still there"
    assert texts_of(luis.ask("search", text="perro")) == ["nuevo perro"]


# --- damage --------------------------------------------------------------------------------------


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


# --- backup and export ---------------------------------------------------------------------------


def test_a_backup_is_a_history_with_numbers_of_its_own(start_server, start, run, path, tmp_path):
    """Clients may have seen the numbers that the first one gives after the backup."""
    server = start()
    ana = server.peer()
    epoch = ana.register("ana")["epoch"]
    say_all(ana, [f"m{number}" for number in range(100)])
    messages = ana.ask("history", limit=200)["messages"]
    copy = tmp_path / "copy.db"
    done = run("--history", path, "--backup", copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert ana.ask("say", text="after the backup")["type"] == "ok"
    assert exported(run, copy) == messages
    luis = start_server("--history", str(copy)).peer()
    assert luis.register("luis")["epoch"] != epoch
    assert luis.ask("history", limit=200)["messages"] == messages
    assert texts_of(luis.ask("search", text="m42")) == ["m42"]
    again = run("--history", path, "--backup", copy)
    assert again.returncode == 1, "there is a file already"
    assert exported(run, path)[:-1] == messages


def test_an_export_holds_every_message_as_it_was_delivered(start, run, path, tmp_path):
    server = start()
    ana = server.user("ana")
    say_all(ana, ["hola", "¿qué?\n\ttal", "x\u2028"] + [f"m{n}" for n in range(500)])
    ana.ask("say", text="with nonce", nonce="n")
    page = ana.ask("history", limit=200)
    messages = page["messages"]
    while page["more"]:
        page = ana.ask("history", limit=200, before=messages[0]["seq"])
        messages = page["messages"] + messages
    while_it_runs = exported(run, path)
    assert while_it_runs == messages
    kill(server)
    assert exported(run, path) == messages
    to = tmp_path / "export.jsonl"
    done = run("--history", path, "--export", to)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [json.loads(line) for line in to.read_bytes().splitlines()] == messages
    assert stat.S_IMODE(to.stat().st_mode) == 0o600


@pytest.mark.parametrize("way", ["itself", "symlink", "hard link"])
def test_an_export_does_not_write_over_the_history(start, run, path, tmp_path, way):
    server = start()
    server.user("ana").ask("say", text="hola")
    server.stop()
    to = path
    if way != "itself":
        to = tmp_path / "link"
        to.symlink_to(path) if way == "symlink" else to.hardlink_to(path)
    done = run("--history", path, "--export", to, "--lang", "en")
    assert [m["text"] for m in exported(run, path)] == ["hola"]
    assert done.returncode == 1
    assert done.stderr.decode().count("\n") == 1


def test_an_export_that_cannot_be_is_one_clear_line(run, path, tmp_path):
    not_ours = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(not_ours)) as db:
        db.execute("CREATE TABLE something (x)")
    (tmp_path / "garbage.db").write_bytes(b"garbage " * 1000)
    for history, to in [
        (path, "-"),
        (not_ours, "-"),
        (tmp_path / "garbage.db", "-"),
        (tmp_path, "-"),
    ]:
        done = run("--history", history, "--export", to)
        assert (done.returncode, done.stdout) == (1, b""), history
        assert done.stderr.decode().count("\n") == 1, done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()
    assert not path.exists()


def test_an_export_into_a_pipe_that_closes_is_no_fault(start, program, path):
    server = start()
    say_all(server.user("ana"), ["x" * 1000] * 500)
    command = [program, "--history", str(path), "--export", "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert json.loads(process.stdout.readline())["text"] == "x" * 1000
        process.stdout.close()
        problem = process.stderr.read().decode()
        process.wait(WAIT_S)
    assert "Traceback" not in problem
    assert "Exception" not in problem


def test_an_export_of_much_takes_no_more_memory_than_one_of_little(start, program, path, tmp_path):
    server = start()
    seq = say_all(server.user("ana"), [f"m{n}" for n in range(10)])[-1]
    server.stop()
    of_ten = peak_memory(program, path, tmp_path / "ten.jsonl")
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = (
            (seq + n, "2026-11-22T15:04:05.123Z", "ana", f"{n} " + "x" * 200, None)
            for n in range(1, 200_001)
        )
        db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)
        db.commit()
    of_many = peak_memory(program, path, tmp_path / "many.jsonl")
    with (tmp_path / "many.jsonl").open("rb") as lines:
        assert sum(1 for _ in lines) == 200_010
    assert of_many - of_ten < 16 * 1024 * 1024, "it held 50 MB of messages"


def peak_memory(program, history, to):
    """Export, and tell how many bytes of memory it took at its height."""
    command = [program, "--history", str(history), "--export", str(to)]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024
