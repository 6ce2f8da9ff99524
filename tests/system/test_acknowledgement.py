"""An `ok` promises that the message is on the disk; no other user waits for the disk.

To stop a message between its delivery and its commit, a test takes SQLite's write lock. Until the
test releases the lock, the server can deliver messages but not store them.
"""

import re
import threading

import pytest
from faults import allowed
from histories import exported, kill, locked
from peers import IN_CLUSTER_TOO, NOT_OVER_TLS, WAIT_S


def test_ok_comes_after_the_commit_and_the_message_without_waiting_for_it(start, path):
    ana, luis = start().users("ana", "luis")
    with locked(path):
        ana.send("say", text="hola", id=7)
        message = luis.until("message", text="hola")[-1]
        assert all(m["type"] != "ok" for m in ana.roundtrip())
    assert ana.until_id(7)[-1] == {"type": "ok", "id": 7, "seq": message["seq"]}


@pytest.mark.alone("the log is forced to the disks of nats-servers, and a node's file is not")
@NOT_OVER_TLS
def test_before_an_ok_the_message_is_synced_to_the_disk(start_server, path, tmp_path):
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,fsync,recvfrom,sendto"
    strace = ("strace", "-D", "-f", "-y", "-s", "300", "-e", calls, "-o", str(trace))
    allowed(*strace, "true")
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
    """Shorten a line of strace: s (a say was read), d (synced to the disk), k (an ok was sent)."""
    if "recvfrom" in line and r"\"say\"" in line:
        return "s"
    if re.search(r"f(data)?sync\(.*-wal.*= 0|f(data)?sync resumed.*= 0", line):
        return "d"
    if "sendto" in line and r"\"type\":\"ok\"" in line:
        return "k"
    return ""


@pytest.mark.parametrize("last", ["quit", "eof"])
def test_a_user_who_leaves_right_after_a_message_still_gets_its_ok(start, path, last):
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


@pytest.mark.alone("what has its place in the log waits for no disk")
def test_a_slow_disk_makes_speakers_wait_and_nobody_else(start, path):
    """While 10,000 messages wait for the disk, the server reads no further one and refuses none."""
    server = start()
    ana, luis, eva = server.users("ana", "luis", "eva")
    count = 12_000
    lines = b"".join(b'{"type":"say","text":"hola","id":%d}\n' % n for n in range(count))
    talking = threading.Thread(target=ana.send_raw, args=(lines,))
    ana.ask("history")  # answered when all earlier messages are stored
    with locked(path):
        talking.start()
        for _ in range(10_000):
            luis.expect("message", text="hola")
        assert eva.ask("direct", to="luis", text="psst")["type"] == "ok"
        luis.expect("direct", text="psst")
        assert len(luis.ask("users")["users"]) == 3
        assert luis.roundtrip() == [], "another message was read"
    answers = []
    while len(answers) < count:
        if (message := ana.next())["type"] != "message":
            answers.append(message)
    talking.join(WAIT_S)
    assert sorted(answer["id"] for answer in answers) == list(range(count))
    for _ in range(count - 10_000):
        luis.expect("message", text="hola")
    # On a slow machine the server may have stopped waiting for the lock.
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


@IN_CLUSTER_TOO
@pytest.mark.parametrize("last", ["quit", "eof"])
def test_a_user_who_leaves_after_many_messages_gets_every_ok(start, last):
    ana = start().user("ana")
    ana.send_all(*({"type": "say", "text": "x" * 200, "id": n} for n in range(500)))
    ana.send("quit") if last == "quit" else ana.half_close()
    assert [m["id"] for m in ana.rest() if m["type"] == "ok"] == list(range(500))


def test_a_user_who_has_left_is_kept_for_three_seconds_at_most(start, path):
    ana, luis = start().users("ana", "luis")
    with locked(path):
        ana.send("say", text="hola", id=7)
        ana.send("quit")
        luis.until("left", name="ana")
        # After five seconds it would get `unavailable`.
        assert all(m["type"] not in ("ok", "error") for m in ana.rest())


def test_a_message_without_an_id_is_stored_too(start, run, path):
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
