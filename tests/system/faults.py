"""What tests of faults share."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from peers import WAIT_S

SMALL = 4096  # bytes of a socket's buffer; the kernel doubles them


def allowed(*command):
    """Skip the test where a command that it needs is missing or not permitted."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    tried = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
    if tried.returncode:
        pytest.skip(f"{command[0]} is not permitted here: {tried.stderr.decode().strip()}")


def slow_peer(server, name, **fields):
    """Register a user with a small receive buffer, so that the server soon notices its slowness."""
    peer = server.peer(receive_buffer=SMALL)
    peer.register(name, **fields)
    return peer


def cpu_seconds(server):
    """Return how long the server has computed, which does not depend on what else runs here."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def threads_of(server):
    """Return how many threads the server has."""
    return len(os.listdir(f"/proc/{server.process.pid}/task"))
