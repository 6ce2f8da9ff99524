"""Servers and clients that find each other, in networks of the test's own: nothing leaves them.

A router stands between a local network, where the servers are, and another network.
"""

import contextlib
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PROGRAM, STOP_S, WAIT_S

TERTULIA = PROGRAM.with_name("tertulia")
SERVER, OUTSIDE = "10.77.0.2", "198.51.100.2"
QUESTION = (
    struct.pack("!6H", 1, 0, 1, 0, 0, 0)
    + b"\x09_tertulia\x04_tcp\x05local\x00"
    + struct.pack("!2H", 12, 0x8001)
)
# Asks by a packet to the server's own address, and prints how many bytes come back in time.
ASK = f"""
import socket, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(float(sys.argv[1]))
asking.sendto({QUESTION!r}, ({SERVER!r}, 5353))
try:
    print(len(asking.recv(9000)))
except TimeoutError:
    print(0)
"""


class Namespaces:
    """A router, the computer of the servers, and one outside; each is a process that sleeps."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.router = self._hold("unshare", "--map-root-user", "--net")
        self.servers = self._hold(*self._inside(self.router), "unshare", "--net")
        self.outside = self._hold(*self._inside(self.router), "unshare", "--net")
        self.run(
            self.router,
            f"""
            ip link set lo up
            ip link add lan0 type veth peer name lan1 netns {self.servers}
            ip addr add 10.77.0.1/24 dev lan0
            ip link set lan0 up
            ip link add wan0 type veth peer name wan1 netns {self.outside}
            ip addr add 198.51.100.1/24 dev wan0
            ip link set wan0 up
            echo 1 > /proc/sys/net/ipv4/ip_forward
            """,
        )
        self._join(self.servers, "lan1", SERVER, "10.77.0.1")
        self._join(self.outside, "wan1", OUTSIDE, "198.51.100.1")

    def _hold(self, *command: str) -> int:
        holder = subprocess.Popen([*command, "sh", "-c", "echo; exec sleep 600"], stdout=-1)
        self._stack.enter_context(holder)
        self._stack.callback(holder.kill)
        assert holder.stdout is not None
        if not holder.stdout.readline():
            pytest.skip("this user may not make networks")
        return holder.pid

    def _join(self, place: int, interface: str, address: str, router: str) -> None:
        self.run(
            place,
            f"""
            ip link set lo up
            ip addr add {address}/24 dev {interface}
            ip link set {interface} up
            ip route add default via {router}
            until ip link show {interface} | grep -q "state UP"; do sleep 0.02; done
            """,
        )

    def _inside(self, place: int) -> list[str]:
        inside = ["nsenter", "--target", str(place), "--user", "--net"]
        return [*inside, "--preserve-credentials"]

    def run(self, place: int, script: str) -> None:
        command = [*self._inside(place), "sh", "-ec", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            pytest.skip(f"this user may not make networks: {done.stderr}")

    def start(self, place: int, *command: str | Path, **streams: int) -> subprocess.Popen[bytes]:
        environment = os.environ | {"TERTULIA_MDNS": "", "LANGUAGE": "en"}
        process = subprocess.Popen([*self._inside(place), *command], env=environment, **streams)  # type: ignore[call-overload]
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def serve(self, log: Path, *options: str) -> subprocess.Popen[bytes]:
        with log.open("wb") as stderr:
            return self.start(self.servers, PROGRAM, *options, stdout=-1, stderr=stderr.fileno())

    def client(self, *arguments: str, status: int) -> tuple[str, str]:
        """Run a client in the local network until it ends so; return its output and errors.

        On a busy machine an answer may come too late for the first one.
        """
        give_up_at = time.monotonic() + WAIT_S
        while True:
            process = self.start(self.router, TERTULIA, *arguments, stdin=-3, stdout=-1, stderr=-1)
            out, errors = process.communicate(timeout=WAIT_S)
            if process.returncode == status:
                return out.decode(), errors.decode()
            assert time.monotonic() < give_up_at, (process.returncode, out, errors)


@pytest.fixture(scope="module")
def networks() -> Iterator[Namespaces]:
    with contextlib.ExitStack() as stack:
        try:
            yield Namespaces(stack)
        except FileNotFoundError as missing:
            pytest.skip(f"there is no {missing.filename} here")


def wait_for(log: Path, words: str) -> None:
    give_up_at = time.monotonic() + WAIT_S
    while words not in log.read_text():
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.02)


def test_servers_are_found_joined_chosen_and_gone(networks: Namespaces, tmp_path: Path) -> None:
    log = tmp_path / "first.log"
    first = networks.serve(log, "5000", "--tls", "off")
    wait_for(log, "INFO announced")

    out, errors = networks.client("ana", "-m", "hola", "--plain", status=0)
    assert re.search(rf"Found “.+” at {re.escape(SERVER)}, port 5000\n", errors)
    assert "ana: hola" in out

    asked = [networks.start(place, sys.executable, "-c", ASK, str(within_s), stdout=-1)
             for place, within_s in [(networks.router, WAIT_S), (networks.outside, 1)]]  # fmt: skip
    answered = [int(process.communicate(timeout=WAIT_S)[0]) for process in asked]
    assert answered[0] > 0, "a neighbour gets an answer"
    assert answered[1] == 0, "nobody in another network gets one"

    networks.serve(tmp_path / "hidden.log", "5001", "--announce", "off")
    log = tmp_path / "second.log"
    networks.serve(log, "5002")
    wait_for(log, "INFO announced")
    out, errors = networks.client("ana", status=2)
    assert out == ""
    assert f"tertulia ana {SERVER} 5000   # " in errors
    assert f"tertulia ana {SERVER} 5002   # " in errors

    first.terminate()
    assert first.wait(STOP_S) == 0
    out, _ = networks.client("--find", "--json", status=0)
    found = json.loads(out)
    assert (found["address"], found["port"]) == (SERVER, 5002)
    assert "fingerprint" in found


def test_without_a_server_and_without_a_network_the_search_ends(networks: Namespaces) -> None:
    process = networks.start(networks.outside, TERTULIA, "ana", stdin=-3, stdout=-1, stderr=-1)
    out, errors = process.communicate(timeout=WAIT_S)
    assert (process.returncode, out) == (3, b"")
    assert b"tertulia-server 5000" in errors
    networks.run(networks.outside, "ip link set wan1 down")
    process = networks.start(networks.outside, TERTULIA, "ana", stdin=-3, stdout=-1, stderr=-1)
    _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 3
    assert b"this computer is in no network" in errors
    # For a test that comes later.
    networks.run(networks.outside, "ip link set wan1 up; ip route add default via 198.51.100.1")
