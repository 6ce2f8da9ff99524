"""Faults of the machine: too few descriptors, a full or damaged disk, a clock set back."""

import contextlib
import os
import re
import resource
import sys
from pathlib import Path

import pytest
from faults import allowed
from histories import whole_history
from peers import BOTH_THREAD_MODELS, wait_for


def test_300_connections_with_128_descriptors_harm_nobody(start_server, path):
    allowed("prlimit", "--nofile=128:128", "true")
    server = start_server("--history", str(path), within=("prlimit", "--nofile=128:128"))
    ana, luis = server.user("ana"), server.user("luis")
    crowd = [server.peer() for _ in range(300)]
    for number, peer in enumerate(crowd):
        with contextlib.suppress(OSError):  # the server has refused and closed it
            peer.send("register", name=f"u{number}")
    for number in range(50):
        assert ana.ask("say", text=str(number))["type"] == "ok"
        luis.until("message", text=str(number))
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= 128
    for peer in crowd:
        peer.close()
    wait_for(lambda: server.has_room_for("eva"))
    assert len(ana.ask("history", limit=200)["messages"]) == 50


@BOTH_THREAD_MODELS
def test_as_many_users_get_in_as_the_server_says(start_server, path):
    limit = ("prlimit", "--nofile=128:128")
    allowed(*limit, "true")
    server = start_server("--history", str(path), "--lang", "en", within=limit)
    said = re.search(r"There is room for (\d+) users", server.wait_for_log("room for"))
    users = [server.user(f"u{number}") for number in range(int(said[1]))]
    assert len(users) > 16
    assert users[0].ask("say", text="hola")["type"] == "ok"
    newcomer = server.peer()
    newcomer.send("register", name="one-more")
    newcomer.expect_error("server_full")
    assert "fewer users fit than --max-users=1024" in server.log()


class SmallDisk:
    """Give the server a small file system, in a mount namespace that ends with it."""

    def __init__(self, directory):
        self.history = directory / "disk" / "history.db"
        self.history.parent.mkdir()
        mount = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'
        self.within = ("unshare", "-rm", "sh", "-c", mount, str(self.history.parent))
        allowed(*self.within, "true")

    def fill(self, server):
        self._ballast = Path(f"/proc/{server.process.pid}/root{self.history.parent}/ballast")
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass

    def free(self, server):
        self._ballast.unlink()


class SizeLimit:
    """Limit the size of the server's files, and lift the limit again."""

    within = ()

    def __init__(self, directory):
        self.history = directory / "history.db"

    def fill(self, server):
        size = max(f.stat().st_size for f in self.history.parent.iterdir())
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + 20_000, -1))

    def free(self, server):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (-1, -1))


@pytest.mark.parametrize("kind", [SmallDisk, SizeLimit])
def test_with_a_full_disk_the_chat_goes_on_and_recovers(start_server, tmp_path, kind):
    disk = kind(tmp_path)
    server = start_server("--history", str(disk.history), within=disk.within)
    ana, luis = server.user("ana"), server.user("luis")
    answers, stored = [], []

    def speak(text):
        answer = ana.ask("say", text=text)
        heard = luis.until("message", text=text)[-1]
        assert answer["seq"] == heard["seq"]
        answers.append(answer)
        if answer["type"] == "ok":
            stored.append(text)
        return answer

    assert speak("before")["type"] == "ok"
    disk.fill(server)
    for number in range(1_000):
        if speak(f"{number} " + "x" * 15_000)["type"] == "error":
            break
    for number in range(20):
        assert speak(f"full {number} " + "x" * 15_000)["code"] == "unavailable"
        assert ana.ask("direct", to="luis", text="psst")["type"] == "ok"
    disk.free(server)
    wait_for(lambda: speak(f"after {len(answers)}")["type"] == "ok")
    assert [m["text"] for m in whole_history(luis)] == stored
    log = server.wait_for_log("history written again")
    assert log.count("history not written") == 1, log
    assert log.count("history written again") == 1, log
    assert len({answer["seq"] for answer in answers}) == len(answers)


def test_a_file_damaged_while_it_is_in_use_does_not_stop_the_chat(start_server, path):
    server = start_server("--history", str(path))
    ana = server.user("ana")
    for number in range(300):
        ana.send("say", text=f"{number} " + "x" * 1_000)
    assert ana.ask("say", text="end")["type"] == "ok"
    server.stop()
    server = start_server("--history", str(path))
    ana, luis = server.users("ana", "luis")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(os.urandom(size))
    for number in range(20):
        answer = ana.ask("say", text=f"hola {number}")
        assert answer["type"] == "ok" or answer["code"] == "unavailable"
        luis.until("message", text=f"hola {number}")
        assert ana.ask("history")["type"] in ("history", "error")
        assert ana.ask("search", text="hola")["type"] in ("history", "error")
    server.stop()
    server = start_server("--history", str(path))
    assert server.user("ana").ask("say", text="hola")["type"] == "ok"
    assert list(path.parent.glob("history.db.damaged-*"))


SHIFTED_CLOCK = '''
"""Run a program with a clock that is `OFFSET` seconds off, as a file says at that moment."""
import datetime, pathlib, runpy, sys, time
offset, sys.argv = pathlib.Path(sys.argv[1]), sys.argv[2:]
real_time, real_datetime = time.time, datetime.datetime
class Shifted(real_datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=float(offset.read_text()))
time.time = lambda: real_time() + float(offset.read_text())
datetime.datetime = Shifted
sys.path.insert(0, str(pathlib.Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
'''


@pytest.mark.alone("the time is that of the nats-server")
def test_a_clock_set_back_changes_no_order_and_says_nothing_twice(start_server, path, tmp_path):
    offset, program = tmp_path / "offset", tmp_path / "shifted.py"
    offset.write_text("0")
    program.write_text(SHIFTED_CLOCK)

    def set_clock(seconds):
        new = tmp_path / "new-offset"
        new.write_text(str(seconds))
        new.rename(offset)  # atomic, because the server may be reading it

    def start():
        within = (sys.executable, str(program), str(offset))
        return start_server("--history", str(path), "--idle-after", "600", within=within)

    server = start()
    ana, luis = server.user("ana"), server.user("luis")
    seqs = [ana.ask("say", text="now", nonce="n0")["seq"]]
    set_clock(-86_400)
    seqs.append(ana.ask("say", text="yesterday", nonce="n1")["seq"])
    times = [m["time"] for m in luis.ask("history")["messages"]]
    assert times[1] < times[0], "the clock was set back"
    assert ana.ask("say", text="now", nonce="n0")["seq"] == seqs[0]
    assert ana.ask("info", name="luis")["idle"] >= 0
    assert {u["status"] for u in ana.ask("users")["users"]} == {"ACTIVO"}
    server.stop()
    set_clock(-2 * 86_400)
    server = start()
    ana = server.user("ana")
    assert ana.ask("say", text="now", nonce="n0")["seq"] == seqs[0]
    assert ana.ask("say", text="yesterday", nonce="n1")["seq"] == seqs[1]
    seqs.append(ana.ask("say", text="the day before")["seq"])
    messages = whole_history(ana)
    assert [m["seq"] for m in messages] == sorted(seqs)
    assert [m["text"] for m in messages] == ["now", "yesterday", "the day before"]
    assert ana.seq > seqs[1]
