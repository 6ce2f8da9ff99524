"""The crowd of docs/threads.md talks, listens, and says how long that took."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

CROWD = Path(__file__).parents[1] / "examples" / "crowd.py"


def test_the_crowd_talks_and_says_how_long_messages_took(persistent_server: Any) -> None:
    command = [sys.executable, CROWD, str(persistent_server.port), "3", "20", "1", "1.5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    line = r"said (\d+)/s, heard (\d+)/s, half within [\d.]+ ms, 99 % within [\d.]+ ms\n"
    found = re.fullmatch(line, done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) > 0
    assert int(found[2]) > int(found[1])


def test_without_a_server_it_says_so() -> None:
    command = [sys.executable, CROWD, "1", "1", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("crowd.py: ")
