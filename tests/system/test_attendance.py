"""Who was here, seen from outside: over the wire, from the machine, after every kind of end."""

import csv
import json
import re
import signal
from datetime import UTC, datetime

import pytest
from operators import SECRET, error_of, operator
from peers import BOTH_THREAD_MODELS, WAIT_S, wait_for

from tertulia.protocol.times import rfc3339


@pytest.fixture
def order(secret_file):
    return ("--operator-secret", str(secret_file))


def rows(peer, **fields):
    answer = peer.ask("attendance", **fields)
    assert answer["type"] == "attendance", answer
    return answer["sessions"]


def table(run, path, *options):
    done = run("--history", path, "--attendance", "-", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    return list(csv.DictReader(done.stdout.decode().splitlines()))


@BOTH_THREAD_MODELS
def test_operators_see_who_came_and_went_from_where_and_why(start, order):
    server = start(*order)
    luis, eva, ana = server.user("luis"), server.user("eva"), operator(server)
    assert error_of(luis, "attendance") == "not_operator"
    luis.send("quit")
    luis.wait_for_end()
    ana.until("left", name="luis")
    eva.reset()
    ana.until("left", name="eva")
    assert ana.ask("kick", name=server.user("leo").name)["type"] == "ok"
    found = {row["name"]: row for row in rows(ana)}
    assert [row["name"] for row in rows(ana)] == ["luis", "eva", "ana", "leo"]
    assert {name: row.get("reason") for name, row in found.items()} == {
        "luis": "quit",
        "eva": "lost",
        "ana": None,
        "leo": "kicked",
    }
    assert found["luis"]["address"] == luis.source
    assert found["luis"]["left"] >= found["luis"]["joined"]
    assert "left" not in found["ana"]
    later = rows(ana, since=found["eva"]["joined"])
    assert "eva" not in [row["name"] for row in later]
    assert rows(ana, until="2001-01-01T00:00:00Z") == []
    for bad in ("yesterday", 5, "2026-11-22"):
        assert error_of(ana, "attendance", since=bad) == "malformed"


def test_sessions_of_a_killed_server_have_an_end_and_others_go_on(start, order, run, path):
    server = start(*order)
    ana = operator(server)
    luis = server.user("luis")
    said = ana.ask("say", text="hola")["seq"]
    assert rows(ana)[1]["name"] == "luis"  # they are on the disk
    server.signal(signal.SIGKILL)
    server.process.wait()
    assert [row["left"] for row in table(run, path)] == ["", ""]  # nobody knows yet
    server = start(*order)
    ana = operator(server)
    first, second, now = rows(ana)
    for row in (first, second):
        assert row["reason"] == "lost"
        assert row["left"] >= row["joined"]
    assert (now["name"], now.get("left")) == ("ana", None)
    messages = ana.ask("history")["messages"]
    assert first["left"] >= next(m["time"] for m in messages if m["seq"] == said)
    luis.close()
    server.signal()
    ana.wait_for_end()
    server.stop()
    assert [row["reason"] for row in table(run, path)] == ["lost", "lost", "shutdown"]


def test_the_attendance_is_a_table_for_spreadsheets(start, order, run, path, tmp_path):
    server = start(*order)
    ana = server.user("ana")
    server.user("José").send("quit")
    ana.until("left", name="José")
    to = tmp_path / "today.csv"
    done = run("--history", path, "--attendance", to)  # while the server runs
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert to.stat().st_mode & 0o077 == 0
    with to.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines == table(run, path)
    assert [(line["name"], line["reason"]) for line in lines] == [("ana", ""), ("José", "quit")]
    assert lines[0]["left"] == ""
    joined = datetime.fromisoformat(lines[1]["joined"])
    assert joined.utcoffset() == joined.astimezone().utcoffset()
    assert abs((datetime.now().astimezone() - joined).total_seconds()) < WAIT_S
    ana.send("quit")
    ana.wait_for_end()
    server.stop()
    assert table(run, path)[0]["reason"] == "quit"


def test_an_export_with_attendance_has_who_came_and_went_in_their_places(start, run, path):
    server = start()
    ana = server.user("ana")
    ana.ask("say", text="hola")
    luis = server.user("luis")
    ana.ask("say", text="hola luis")
    luis.send("quit")
    left = ana.until("left", name="luis")[-1]
    wait_for(lambda: rfc3339(datetime.now(UTC)) > left["time"], "the next millisecond")
    ana.ask("say", text="adiós luis")
    done = run("--history", path, "--export", "-", "--with-attendance")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    order = [line.get("type", "") + line.get("name", "") + line.get("text", "") for line in lines]
    assert order == ["joinedana", "hola", "joinedluis", "hola luis", "leftluis", "adiós luis"]
    assert lines[4]["address"] == luis.source
    assert lines[4]["reason"] == "quit"
    plain = run("--history", path, "--export", "-").stdout.splitlines()
    assert [json.loads(line)["text"] for line in plain] == ["hola", "hola luis", "adiós luis"]
    alone = run("--history", path, "--with-attendance", "--lang", "en")
    assert alone.returncode == 2
    assert "--with-attendance needs --export" in alone.stderr.decode()


def test_without_a_history_there_is_no_attendance(start_server, order):
    assert error_of(operator(start_server(*order)), "attendance") == "history_off"


@pytest.mark.parametrize(("lang", "word"), [("es", "/asistencia"), ("en", "/attendance")])
def test_the_console_shows_the_attendance_or_writes_it_to_a_file(
    start, console, tmp_path, lang, word
):
    server = start()
    luis = server.user("luis")
    ana = server.user("ana")
    luis.send("quit")
    ana.until("left", name="luis")
    file = tmp_path / "today.csv"
    lines = (word, f"{word} {file}", f"{word} {file}", f"{word} history.db", "/help")
    done = console(server, *lines, lang=lang)
    shown = done.stdout.splitlines()
    assert shown[0].startswith(f"luis  {luis.source}  ")
    assert re.search(r" (a|to) \d{4}-\d\d-\d\d \d\d:\d\d$", shown[0])  # and simply left
    assert shown[1].startswith(f"ana  {ana.source}  ")
    assert str(file) in shown[2]
    refused = done.stderr.splitlines()
    assert len(refused) == 2
    assert str(file) in refused[0]
    assert ".csv" in refused[1]
    assert done.returncode == 1
    with file.open(newline="") as csv_file:
        assert [line["name"] for line in csv.DictReader(csv_file)] == ["luis", "ana"]
    assert any(word in line for line in shown[3:])
    assert SECRET not in done.stdout


def test_more_than_a_thousand_sessions_come_in_pages_that_miss_none(start, order):
    server = start(*order, "--shared-addresses")
    ana = operator(server)
    for number in range(1_005):
        peer = server.peer()
        peer.register(f"u{number}")
        peer.close()
    ana.until("left", name="u1004")
    first = ana.ask("attendance")
    assert first["more"] is True
    second = ana.ask("attendance", since=first["sessions"][-1]["joined"])
    assert second["more"] is False
    names = [row["name"] for page in (first, second) for row in page["sessions"]]
    assert names == ["ana", *(f"u{number}" for number in range(1_005))]
