"""What operators have decided is there after every kind of end of the server."""

import contextlib
import signal

import pytest
from faults import allowed
from operators import SECRET, error_of, operator, refused
from peers import BOTH_THREAD_MODELS, IN_CLUSTER_TOO


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
def test_what_was_decided_survives_kill_9(start, secret_file):
    options = ("--operator-secret", str(secret_file))
    server = start(*options)
    luis, ana = server.user("luis"), operator(server)
    seq = luis.ask("say", text="a las 8")["seq"]
    for kind, fields in (
        ("pin", {"seq": seq}),
        ("mute", {"name": "luis", "minutes": 10}),
        ("ban", {"name": "eva", "reason": "spam"}),
        ("ban", {"address": "127.88.0.0/16", "minutes": 10}),
        ("hush", {"on": True}),
        ("lock", {"on": True}),
    ):
        assert ana.ask(kind, **fields)["type"] == "ok"
    server.signal(signal.SIGKILL)
    server.process.wait()
    server = start(*options)
    assert refused(server, "eva")["text"] == "spam"
    assert refused(server, "leo", "127.88.1.1")["code"] == "banned"
    assert refused(server, "leo")["code"] == "locked"
    again = server.peer()
    welcome = again.register("luis")
    assert (welcome["hushed"], welcome["locked"]) == (True, True)
    assert welcome["pinned"]["text"] == "a las 8"
    assert again.ask("say", text="hola")["code"] == "muted"
    ana = server.user("ana")
    assert error_of(ana, "bans") == "not_operator"
    assert ana.ask("operator", secret=SECRET)["type"] == "ok"
    assert len(ana.ask("bans")["bans"]) == 2
    assert ana.ask("pin", seq=seq)["type"] == "ok"  # out of the history: the log is new
    assert ana.until("pinned")[-1]["message"]["text"] == "a las 8"
    assert ana.ask("lock", on=False)["type"] == "ok"
    server.signal(signal.SIGKILL)
    server.process.wait()
    server = start(*options)
    assert "locked" not in server.peer().register("leo")


def test_without_a_history_order_is_kept_in_memory(start_server, secret_file):
    server = start_server("--operator-secret", str(secret_file))
    luis, ana = server.user("luis"), operator(server)
    seq = luis.ask("say", text="hola")["seq"]
    assert ana.ask("pin", seq=seq)["type"] == "ok"
    assert error_of(ana, "pin", seq=seq + 1_000) == "not_found"
    assert ana.ask("ban", name="luis")["type"] == "ok"
    with contextlib.suppress(ConnectionError):
        luis.rest()
    assert refused(server, "luis")["code"] == "banned"


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_what_was_decided_holds_after_a_start_on_a_full_disk(
    start, start_server, path, secret_file, end
):
    """After kill -9 it is only in the WAL, which SQLite cannot open as usual then."""
    prlimit = ("prlimit", "--fsize=16384:unlimited")
    allowed(*prlimit, "true")
    options = ("--operator-secret", str(secret_file))
    server = start(*options)
    luis, ana = server.user("luis"), operator(server)
    secret = ana.ask("hook", name="build")["secret"]
    assert ana.ask("ban", name="eva")["type"] == "ok"
    assert ana.ask("mute", name="luis")["type"] == "ok"
    for number in range(30):
        assert ana.ask("say", text=f"{number} " + "x" * 2_000)["type"] == "ok"
    if end == "stopped":
        server.stop()
    else:
        server.signal(signal.SIGKILL)
        server.process.wait()
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    luis.close()
    server = start_server("--history", str(path), *options, within=prlimit)
    assert refused(server, "eva")["code"] == "banned"
    assert refused(server, "build")["code"] == "name_held"
    assert server.user("luis").ask("say", text="hola")["code"] == "muted"
    assert secret not in server.wait_for_log("history not written")
    server.signal(signal.SIGKILL)
    server.process.wait()
    server = start(*options)
    assert len(operator(server).ask("history", limit=200)["messages"]) == 30
    assert refused(server, "eva")["code"] == "banned"
