"""Faults of processes and networks: killed servers, clients that die, stop, lag or come back."""

import contextlib
import itertools
import os
import re
import select
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from faults import SMALL, allowed, slow_peer
from histories import whole_history
from peers import WAIT_S, wait_for

pytestmark = pytest.mark.long

SOAK = Path(__file__).parents[1] / "soak" / "soak.py"


# --- the server is killed ------------------------------------------------------------------------


def test_a_server_killed_under_load_loses_doubles_and_mixes_up_nothing():
    """Run `make soak` for a few seconds instead of minutes."""
    sizes = ("--seconds", "6", "--kills", "3", "--talkers", "3", "--listeners", "2")
    done = subprocess.run(
        [sys.executable, SOAK, *sizes], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"server killed 3", done.stdout)


# --- clients break -------------------------------------------------------------------------------


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
    time.sleep(1.5)  # a silence shorter than the timeout
    process.send_signal(signal.SIGCONT)
    assert ana.ask("info", name="luis")["type"] == "info"
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: ana.ask("info", name="luis")["type"] == "error")
    assert ana.until("left", name="luis")[-1]["reason"] == "timeout"


@pytest.mark.alone("a network namespace of its own has no nats-server")
def test_a_client_behind_a_cable_that_was_pulled_is_ended(start_server):
    """Connect two network namespaces, then let the client's side drop what it sends."""
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
    """Read up to a line that matches, and answer pings."""
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
    """Compare the p99 latency of messages with and without them, in alternation."""
    # Each message would wake a hundred threads, one for each stopped reader.
    server = start_server("--threads", "2", "--write-timeout", "600", "--history", str(path))
    talkers = server.users(*(f"talker{n}" for n in range(5)))
    latencies(talkers, 50)  # to warm up
    ratios = []
    # What else runs on the machine may spoil some turns, but not most of fifteen.
    while len(ratios) < 5 or (statistics.median(ratios) >= 3.0 and len(ratios) < 15):
        alone = latencies(talkers, 250)
        stopped = [server.peer(receive_buffer=SMALL) for _ in range(100)]
        for number, peer in enumerate(stopped):
            peer.send("register", name=f"stopped{len(ratios)}.{number}", events="messages")
            peer.expect("welcome")
        server.sync(*talkers)
        beside_stopped = latencies(talkers, 250)
        ratios.append(p99(beside_stopped) / p99(alone))
        for peer in stopped:
            peer.reset()
        server.sync(*talkers)
    ratio = statistics.median(ratios)
    print(f"p99 with 100 stopped readers / without: {ratio:.2f} of {ratios}")
    assert ratio < 3.0, ratios


def latencies(talkers, rounds):
    """Let all speak at once in each round; return how long each took to receive all messages."""
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
    slow = slow_peer(server, "slow", events=events)
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


def test_a_user_who_comes_back_gets_every_missed_message_once(start_server, path):
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
