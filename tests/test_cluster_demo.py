"""`make demo-cluster` shows what it is meant to show, in both languages, and cleans up."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def processes_with(text: str) -> list[str]:
    """Return the command lines of all processes that name something."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # It has ended meanwhile.
            continue
        if text in words:
            found.append(words)
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    ("lang", "lost", "back"),
    [
        ("en", "The connection to the server was lost.", "Reconnected. You are now at "),
        ("es", "Se perdió la conexión con el servidor.", "Conectado de nuevo. Ahora estás en "),
    ],
    ids=["en", "es"],
)
def test_the_demo_shows_a_killed_server_whose_user_goes_on_at_the_other_one(
    lang: str, lost: str, back: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/cluster_demo.py"), "--lang", lang],
        *(), env={**os.environ, "TMPDIR": str(tmp_path)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    first, second = re.findall(r"tertulia-server 5000 --host (\S+) --node lab[12] ", done.stdout)[
        :2
    ]
    killed = re.search(r"^    kill -9 \d+   # lab1$", done.stdout, re.MULTILINE)
    assert killed is not None
    after = done.stdout[killed.end() :]
    assert f"    tertulia ana {first} 5000\n" in done.stdout[: killed.start()]
    assert f"    [ana] {lost}" in after
    assert f"    [ana] {back}{second}:5000." in after
    assert after.count("── ") == 3, "the scenes after it"
    assert list(tmp_path.iterdir()) == []
    assert processes_with(str(tmp_path)) == []
