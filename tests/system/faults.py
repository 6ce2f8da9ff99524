"""What tests of faults share: a way to break, or to wait for, something."""

import shutil
import subprocess
import time

import pytest

WAIT_S = 30.0
SMALL = 4096  # bytes of a socket's buffer; the kernel doubles them


def allowed(*command):
    """Skip the test where a command that it needs is missing or not allowed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    tried = subprocess.run(command, capture_output=True, timeout=WAIT_S, check=False)
    if tried.returncode:
        pytest.skip(f"{command[0]} is not allowed here: {tried.stderr.decode().strip()}")


def slow_peer(server, name):
    peer = server.peer(receive_buffer=SMALL)
    peer.register(name)
    return peer


def wait_for(condition, timeout_s=WAIT_S):
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)
