"""Clients, networks, disks, clocks and the server itself break; and yet nothing is lost."""

import contextlib
import itertools
import os
import random
import re
import resource
import select
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

WAIT_S = 30.0
SMALL = 4096  # bytes of a socket's buffer; the kernel doubles them
SOAK = Path(__file__).parents[1] / "soak" / "soak.py"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


def allowed(*command):
    """Skip the test where a command that it needs is missing or not allowed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    tried = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
    if tried.returncode:
        pytest.skip(f"{command[0]} is not allowed here: {tried.stderr.decode().strip()}")


def whole_history(peer):
    page = peer.ask("history", limit=200, after=0)
    messages = page["messages"]
    while page["more"]:
        page = peer.ask("history", limit=200, after=messages[-1]["seq"])
        messages += page["messages"]
    return messages


def slow_peer(server, name):
    peer = server.peer(receive_buffer=SMALL)
    peer.register(name)
    return peer


# --- the server is killed ------------------------------------------------------------------------


def test_a_server_killed_under_load_loses_doubles_and_mixes_up_nothing():
    """A few seconds of what `make soak` does for minutes."""
    sizes = ("--seconds", "6", "--kills", "3", "--talkers", "3", "--listeners", "2")
    done = subprocess.run(
        [sys.executable, SOAK, *sizes], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"server killed 3", done.stdout)


# --- clients break -------------------------------------------------------------------------------


@pytest.fixture
def client(program):
    """Run the real client for a user, as a process to be killed and stopped."""
    with contextlib.ExitStack() as processes:

        def start(server, name, source):
            command = [program.with_name("tertulia"), name, "127.0.0.1", str(server.port)]
            process = subprocess.Popen(
                [*command, "--source", source, "--plain"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield start


def test_a_client_that_is_killed_is_gone_at_once_and_its_place_free(start_server, client):
    server = start_server()
    ana = server.user("ana")
    for number in range(5):
        process = client(server, "luis", "127.5.0.1")
        ana.until("joined", name="luis")
        process.kill()
        assert ana.until("left", name="luis")[-1]["reason"] in ("quit", "lost")
        assert ana.ask("direct", to="luis", text=str(number))["code"] == "user_not_connected"
    server.user("luis", "127.5.0.1")


def test_a_stopped_client_is_ended_when_it_stays_silent_and_not_when_it_wakes_up(
    start_server, client
):
    server = start_server("--ping-after", "1", "--silence-timeout", "4")
    ana = server.user("ana")
    process = client(server, "luis", "127.5.0.1")
    wait_for(lambda: ana.ask("info", name="luis")["type"] == "info")
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # the passing of time, of less than is allowed, is what this is about
    process.send_signal(signal.SIGCONT)
    assert ana.ask("info", name="luis")["type"] == "info"
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: ana.ask("info", name="luis")["type"] == "error")
    assert ana.until("left", name="luis")[-1]["reason"] == "timeout"


def wait_for(condition, timeout_s=WAIT_S):
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)


def test_a_client_behind_a_cable_that_was_pulled_is_ended(start_server):
    """Two network namespaces and a cable; then the client's side sends into a black hole."""
    allowed("unshare", "-Urn", "sh", "-c", "ip link add name a type veth peer name b")
    allowed("nsenter", "--version")
    server = start_server(
        *("--ping-after", "0.5", "--silence-timeout", "2"),
        within=("unshare", "-Urn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
    )

    def inside(pid, *command):
        return ["nsenter", "-t", str(pid), "-U", "-n", "--preserve-credentials", *command]

    def do(pid, script):
        subprocess.run(inside(pid, "sh", "-ec", script), check=True, timeout=WAIT_S)

    here = server.process.pid
    netcat = f"exec 3<>/dev/tcp/$0/{server.port}; cat <&3 & cat >&3; kill %1"
    with contextlib.ExitStack() as processes:

        def run(command):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            process = subprocess.Popen(command, bufsize=0, **pipes)  # 0: `select` sees all there is
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        far = run(inside(here, "unshare", "-n", "cat"))
        wait_for(lambda: network_of(far.pid) not in (network_of(here), network_of(os.getpid())))
        do(here, f"ip link add name near type veth peer name far netns {far.pid}")
        do(here, "ip addr add 10.9.0.1/24 dev near; ip link set near up")
        do(far.pid, "ip addr add 10.9.0.2/24 dev far; ip link set far up")
        ana = run(inside(here, "bash", "-c", netcat, "127.0.0.1"))
        luis = run(inside(far.pid, "bash", "-c", netcat, "10.9.0.1"))
        say(ana, '{"type":"register","name":"ana"}')
        wait_for_line(ana, '"welcome"')
        say(luis, '{"type":"register","name":"luis"}')
        wait_for_line(luis, '"welcome"')
        wait_for_line(ana, '"joined".*"luis"')
        do(far.pid, "ip route add blackhole 10.9.0.1/32")
        wait_for_line(ana, '"left".*"luis".*"timeout"')
        say(ana, '{"type":"info","name":"luis"}')
        wait_for_line(ana, '"user_not_connected"')


def network_of(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def say(process, line):
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()


def wait_for_line(process, pattern):
    """Read up to a line that matches; answer pings meanwhile, as a client does."""
    give_up_at = time.monotonic() + WAIT_S
    while select.select([process.stdout], [], [], max(0.0, give_up_at - time.monotonic()))[0]:
        line = process.stdout.readline().decode()
        assert line, f"it was closed before {pattern}"
        if '"ping"' in line:
            say(process, '{"type":"pong"}')
        if re.search(pattern, line):
            return
    raise AssertionError(f"waited for {pattern} in vain")


def test_clients_that_send_a_byte_at_a_time_delay_nobody(start_server, together):
    server = start_server()
    ana, luis = server.users("ana", "luis")
    dribblers = [server.peer() for _ in range(20)]
    for number, peer in enumerate(dribblers):
        peer.line = (
            f'{{"type":"register","name":"d{number}"}}\n{{"type":"say","text":"{number}"}}\n'
        )
    all_said = threading.Event()

    def dribble():
        for position in range(max(len(peer.line) for peer in dribblers)):
            for peer in dribblers:
                peer.send_raw(peer.line[position : position + 1].encode())
            all_said.wait(0.001)
        all_said.set()

    def talk():
        while not all_said.is_set():
            start = time.monotonic()
            ana.send("say", text="hola")
            luis.until("message", text="hola", **{"from": "ana"})
            assert time.monotonic() - start < 5.0

    together(dribble, talk)
    for number, peer in enumerate(dribblers):
        peer.until("message", text=str(number), **{"from": f"d{number}"})


# --- 100 stopped readers -------------------------------------------------------------------------


def test_a_hundred_stopped_readers_do_not_slow_the_others_down(start_server, path):
    """The p99 from saying to hearing, with them and without, turn by turn, as a ratio."""
    server = start_server("--write-timeout", "600", "--history", str(path))
    talkers = server.users(*(f"talker{n}" for n in range(5)))
    latencies(talkers, 50)  # until everything is warm
    ratios = []
    for turn in range(5):
        alone = latencies(talkers, 250)
        stopped = [server.peer(receive_buffer=SMALL) for _ in range(100)]
        for number, peer in enumerate(stopped):
            peer.send("register", name=f"stopped{turn}.{number}", events="messages")
            peer.expect("welcome")
        server.sync(*talkers)
        together = latencies(talkers, 250)
        ratios.append(p99(together) / p99(alone))
        for peer in stopped:
            peer.reset()
        server.sync(*talkers)
    ratio = statistics.median(ratios)
    print(f"p99 with 100 stopped readers / without: {ratio:.2f} of {ratios}")
    assert ratio < 3.0, ratios


def latencies(talkers, rounds):
    """Let all speak at once, again and again; tell how long each took to hear itself."""
    line = b'{"type":"say","text":"' + b"x" * 500 + b'"}\n'
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        for peer in talkers:
            peer.send_raw(line)
        for peer in talkers:
            heard = 0
            while heard < len(talkers):
                heard += peer.next()["type"] == "message"
            taken.append(time.perf_counter() - start)
    return taken


def p99(values):
    return statistics.quantiles(values, n=100)[-1]


# --- gaps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("events", ["all", "messages"])
def test_what_a_gap_leaves_out_is_in_the_history_and_nothing_comes_twice(
    start_server, path, events
):
    server = start_server(
        *("--log-bytes", "65536", "--send-buffer-bytes", str(SMALL), "--history", str(path))
    )
    ana = server.user("ana")
    slow = server.peer(receive_buffer=SMALL)
    slow.register("slow", events=events)
    said = []
    for number in range(400):
        ana.send("say", text=f"{number} " + "x" * (number * 37 % 4000))
        ana.send("status", status=("OCUPADO", "ACTIVO")[number % 2])
        said += [m for m in ana.until("presence") if m["type"] == "message"]
    ana.send("say", text="end")
    seen, gaps, message = [], 0, slow.next()
    while message.get("text") != "end":
        if message["type"] == "message":
            seen.append(message)
        elif message["type"] == "gap":
            gaps += 1
            after, page = message["after"], {"more": True}
            while page["more"]:
                page = slow.ask("history", after=after, before=message["through"] + 1, limit=50)
                seen += [{"type": "message", **m} for m in page["messages"]]
                after = page["messages"][-1]["seq"] if page["messages"] else after
            if any(m["text"] == "end" for m in seen):
                seen.pop()
                break
        message = slow.next()
    assert gaps
    assert seen == said


def test_whoever_comes_back_gets_what_was_said_meanwhile_and_nothing_twice(start_server, path):
    server = start_server("--history", str(path))
    ana = server.user("ana")
    enough = threading.Event()

    def talk():
        for number in itertools.count():
            ana.send("say", text=str(number))
            ana.until("message", text=str(number))
            if enough.is_set():
                return

    def come_and_go():
        peer = server.user("luis", "127.6.0.1", events="messages")
        first_seq, seen = peer.seq, []
        for _ in range(20):
            seen += [peer.next() for _ in range(20)]
            known = seen[-1]["seq"]
            peer.reset()
            peer = server.peer("127.6.0.1")
            welcome = peer.register("luis", events="messages")
            while known < welcome["seq"]:
                page = peer.ask("history", after=known, before=welcome["seq"] + 1)
                seen += [{"type": "message", **m} for m in page["messages"]]
                known = page["messages"][-1]["seq"] if page["more"] else welcome["seq"]
        return first_seq, [m["seq"] for m in seen]

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        first_seq, seen = come_and_go()
    finally:
        enough.set()
        talking.join(WAIT_S)
    told = [m["seq"] for m in whole_history(ana)]
    assert seen == [seq for seq in told if first_seq < seq <= seen[-1]]


# --- descriptors, disk, clock --------------------------------------------------------------------


def test_300_connections_with_128_descriptors_harm_nobody(start_server, path):
    allowed("prlimit", "--nofile=128:128", "true")
    server = start_server("--history", str(path), within=("prlimit", "--nofile=128:128"))
    ana, luis = server.user("ana"), server.user("luis")
    crowd = [server.peer() for _ in range(300)]
    for number, peer in enumerate(crowd):
        with contextlib.suppress(OSError):  # refused and closed already
            peer.send("register", name=f"u{number}")
    for number in range(50):
        assert ana.ask("say", text=str(number))["type"] == "ok"
        luis.until("message", text=str(number))
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= 128
    for peer in crowd:
        peer.close()

    def gets_in():
        peer = server.peer()
        with contextlib.suppress(ConnectionError):
            peer.send("register", name="eva")
            answer = peer.next()
            return answer is not None and answer["type"] == "welcome"
        return False

    wait_for(gets_in)
    assert len(ana.ask("history", limit=200)["messages"]) == 50


class SmallDisk:
    """A file system of its own, in a mount namespace that ends with the server."""

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
    """A limit of the size of files, lifted again."""

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
        return real_datetime.now(tz) + datetime.timedelta(seconds=float(offset.read_text()))
time.time = lambda: real_time() + float(offset.read_text())
datetime.datetime = Shifted
sys.path.insert(0, str(pathlib.Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
'''


def test_a_clock_set_back_changes_no_order_and_says_nothing_twice(start_server, path, tmp_path):
    offset, program = tmp_path / "offset", tmp_path / "shifted.py"
    offset.write_text("0")
    program.write_text(SHIFTED_CLOCK)

    def set_clock(seconds):
        new = tmp_path / "new-offset"
        new.write_text(str(seconds))
        new.rename(offset)  # at once, for whoever reads it meanwhile

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


# --- the orderly stop ----------------------------------------------------------------------------


@pytest.mark.parametrize("threads", ["2", "session"])
def test_a_stop_with_stopped_clients_is_in_time_and_stores_everything(
    start_server, path, client, threads
):
    server = start_server(
        *("--history", str(path), "--send-buffer-bytes", str(SMALL), "--threads", threads)
    )
    ana = server.user("ana")
    processes = [client(server, f"p{n}", f"127.7.0.{2 + n}") for n in range(3)]
    for number, process in enumerate(processes):
        wait_for(lambda name=f"p{number}": ana.ask("info", name=name)["type"] == "info")
        process.send_signal(signal.SIGSTOP)
    for number in range(5):
        slow_peer(server, f"stopped{number}")
    for number in range(300):
        ana.send("say", text=f"{number} " + "x" * 5_000, id=number)
    ana.until_id(10)
    server.signal()
    acknowledged = {m["seq"] for m in ana.rest() if m["type"] == "ok"}
    assert server.wait() == 0
    server = start_server("--history", str(path))
    assert acknowledged <= {m["seq"] for m in whole_history(server.user("ana"))}


# --- bad input -----------------------------------------------------------------------------------

NO_NAMES = [
    *("", " ", "an a", "@ana", "ana@casa", "ana:", "a/b", "#ana", "*", ">ana", "-ana", ".ana"),
    *("еvan", "paраl", "αna", "a\u200bna", "\u200dana", "ana\u2060", "\ufeffana", "a\u00adna"),
    *("a\u034fna", "\u3164", "\u115fa", "\u2800", "a\ufe0f", "\U000e0061na", "\U0010fffe"),
    *("a" * 33, "a" * 60_000, "a\u0301\u0301\u0301\u0301", "\u0301a", "a" + "\u0301" * 10_000),
    *("a\nb", "a\tb", "\x1b[31mana", "\x00", "a\x7f", "a\x9b", "\u202eana", "a\u2066b", "😀", "½"),
]
TWINS_OF_ANA = ["Ana", "ANA", "ＡＮＡ", "aｎa", "ａｎａ", "ana"]
NO_TEXTS = [
    *("", " ", "\n\t", "\u3000\u2003", "\x1b[2J", "\x1b]52;c;aG9sYQ==\x07", "a\x9b31m", "\x85"),
    *("a\x00b", "\x7f", "a\rb", "x" * 16_385, "ñ" * 8_193, "a" + "\u0301" * 10_000),
]
TEXTS = [
    *("\u202ehola\u202c", "a\u2066b\u2069", "a" + "\u0301" * 8_000, "[red]x[/red]", "</script>"),
    *("%s%n{0}", "'; DROP TABLE message; --", "a\u2028b", "\ufffe", "\U0010ffff", "x" * 16_384),
]
NO_LINES = [
    b'{"type":"say","text":"\\ud800","id":1}',
    b'{"type":"register","name":"\\udfff\\ud800"}',
    b'{"type":"say","text":"\xed\xa0\x80"}',
    b'{"type":"say","text":"\xc0\x80"}',
    b'\xff\xfe{\x00"\x00',
    b"\xef\xbb\xbf" + b'{"type":"ping"}',
    *(
        b'{"type":"ping","x":' + pair[:1] * n + pair[1:] * n + b"}"
        for n in (99, 5_000, 32_000)
        for pair in (b"[]",)
    ),
    b'{"type":"ping","x":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    b"[" * 65_000,
    b'{"a":' * 13_000,
    *(
        b'{"type":"ping","id":' + n + b"}"
        for n in (b"9" * 60_000, b"1e400", b"-0", b"1E0", b"0x1", b"01")
    ),
    b'{"type":"history","limit":' + b"9" * 5_000 + b"}",
    b'{"type":"history","before":1e308,"after":-1e308}',
    *(b'{"type":"ping","x":' + n + b"}" for n in (b"NaN", b"Infinity", b"-Infinity", b"1e999999")),
    b'{"type":"ping","type":"say","text":"x","text":5}',
    b'{"type":"quit","type":"ping","id":1,"id":2}',
    b'{"type":"say","text":"a","text":"b","type":"nope"}',
    b"{" + b'"a":1,' * 9_000 + b'"type":"ping"}',
    b'{"type":"' + b"\\u0061" * 10_000 + b'"}',
    b'{"type":null}',
    b'{"type":"ping"}{"type":"ping"}',
    b'{"type":"ping",}',
    b"{'type':'ping'}",
    b'{"type":"say","text":"' + b"\\" * 60_001 + b'"}',
    b"GET / HTTP/1.1\r\nHost: tertulia\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    b"\n" * 60_000,
    b"\r" * 60_000,
    b"\x00" * 60_000,
    b"x" * 200_000,
]


def threads_of(server):
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def memory_of(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


class Sweep:
    """Something bad at a time, and after each the question whether the server is well."""

    def __init__(self, server):
        self._server = server
        self.ana = server.user("ana")
        self._numbers = iter(range(10**6))
        self._threads = threads_of(server)

    def send(self, line):
        """Send bytes as somebody unknown, and as a user."""
        for name in (None, "bad"):
            peer = self._server.peer()
            with contextlib.suppress(OSError):  # closed on us: good
                if name:
                    peer.register(name)
                peer.send_raw(line + b"\n")
                peer.half_close()
                peer.wait_for_end()
            peer.close()
            self.check(line)

    def check(self, what):
        """See to it that a fresh client registers and is answered, and that no thread has died."""
        start = time.monotonic()
        fresh = self._server.peer()
        fresh.register(f"fresh{next(self._numbers)}", events="messages")
        assert fresh.ask("users")["type"] == "users"
        assert time.monotonic() - start < 5.0, f"1 s, on a machine that has time: {what[:80]!r}"
        fresh.close()
        assert threads_of(self._server) == self._threads, what[:80]
        self.ana.roundtrip()


def test_no_bad_input_harms_the_server_or_another_client(start_server, path):
    server = start_server("--history", str(path))
    sweep = Sweep(server)
    for line in NO_LINES[:10]:  # until everything is warm
        sweep.send(line)
    before = memory_of(server)
    for name in NO_NAMES:
        peer = server.peer()
        peer.send("register", name=name, id=1)
        peer.expect_error("name_invalid", id=1)
        peer.expect_end()
        assert sweep.ana.ask("direct", to=name, text="hola")["code"] == "user_not_connected"
        assert sweep.ana.ask("info", name=name)["code"] == "user_not_connected"
        sweep.check(name)
    for name in TWINS_OF_ANA:
        peer = server.peer()
        peer.send("register", name=name)
        peer.expect_error("name_taken")
        assert sweep.ana.ask("info", name=name)["name"] == "ana"
        sweep.check(name)
    luis = server.user("luis")
    for text in NO_TEXTS:
        for request in ({"type": "say"}, {"type": "direct", "to": "luis"}):
            answer = sweep.ana.ask(request.pop("type"), text=text, **request)
            assert answer["code"] in ("text_invalid", "text_too_long"), ascii(text[:20])
        sweep.ana.ask("search", text=text)
        sweep.check(text)
    for text in TEXTS:
        assert sweep.ana.ask("say", text=text)["type"] == "ok"
        assert luis.until("message")[-1]["text"] == text
        sweep.ana.ask("search", text=text)
        sweep.check(text)
    for line in NO_LINES:
        sweep.send(line)
    assert memory_of(server) - before < 20 * 1024 * 1024
    assert [m["text"] for m in whole_history(sweep.ana) if m["from"] == "ana"] == TEXTS
    assert "fault" not in server.log()


def test_no_scrambled_conversation_harms_the_server(start_server, path):
    server = start_server("--history", str(path))
    sweep, dice = Sweep(server), random.Random(4)
    good = [
        b'{"type":"say","text":"hola","nonce":"n","id":1}\n',
        b'{"type":"direct","to":"ana","text":"hola","id":2}\n',
        b'{"type":"status","status":"OCUPADO","id":3}\n',
        b'{"type":"history","before":5,"after":1,"limit":2,"id":4}\n',
        b'{"type":"search","text":"hola","id":5}\n{"type":"users"}\n{"type":"quit"}\n',
        b'{"type":"register","name":"luis","token":"x","protocol":1,"events":"all"}\n',
    ]
    before = memory_of(server)
    for _ in range(60):
        lines = bytearray(b"".join(dice.choices(good, k=10)))
        for _ in range(dice.randrange(1, 20)):
            start = dice.randrange(len(lines))
            match dice.randrange(4):
                case 0:
                    lines[start] = dice.randrange(256)
                case 1:
                    del lines[start : start + dice.randrange(20)]
                case 2:
                    lines[start:start] = dice.randbytes(dice.randrange(8))
                case 3:
                    lines[start:start] = lines[start : start + dice.randrange(200)]
        sweep.send(bytes(lines))
    assert memory_of(server) - before < 20 * 1024 * 1024
    assert "fault" not in server.log()
