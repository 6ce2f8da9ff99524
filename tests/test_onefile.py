"""The client as one file: it runs where nothing is installed, also without what only Unix has."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tertulia.protocol.lines import BadRequest, decode_request, decode_server_message, encode
from tertulia.server.handout.onefile import one_file

OTHER_SYSTEM = Path(__file__).parent / "support/other_system.py"
PROTOCOL = (Path(__file__).parents[1] / "docs/protocol.md").read_text()
WAIT_S = 60


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onefile") / "tertulia.pyz"
    path.write_bytes(one_file())
    return path


@pytest.fixture
def run(pyz: Path, client_environment: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Run the file with a bare Python on a system without Unix."""
    environment = client_environment | {"XDG_STATE_HOME": str(tmp_path)}

    def run(*arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-S", "-I", OTHER_SYSTEM, pyz, *map(str, arguments)]
        return subprocess.run(
            command, input=typed, env=environment, capture_output=True, text=True,
            timeout=WAIT_S, check=False, encoding="utf-8",
        )  # fmt: skip

    return run


def test_a_chat_in_both_ways_and_both_languages(
    run: Callable[..., Any], shared_server: Any, client_environment: dict[str, str]
) -> None:
    port = shared_server.port
    said = run("ana", "127.0.0.1", port, "--source", "127.6.0.1", "-m", "hola ñandú")
    assert (said.returncode, said.stderr.splitlines()[0]) == (
        0, "Hello, ana. You are active (ACTIVO). There is 1 person here.",
    )  # fmt: skip
    assert "ana: hola ñandú" in said.stdout
    lines = "/estado ocupado\n/info luis\n/idioma en\n/users\n/quit\n"
    options = ["--source", "127.6.0.2", "--commands", "--lang", "es", "--tls"]
    typed = run("luis", "127.0.0.1", port, *options, typed=lines)
    assert typed.returncode == 0, typed.stderr
    assert "ahora estás ocupado" in typed.stdout
    assert "Hola, luis." in typed.stderr
    assert "luis (you): busy" in typed.stdout
    settings = Path(client_environment["XDG_CONFIG_HOME"], "tertulia/settings.toml")
    assert 'language = "en"' in settings.read_text()


def test_mistakes_are_told_with_the_command_that_works(run: Callable[..., Any], pyz: Path) -> None:
    usage = run("--lang", "es", "--nada", "ana", "127.0.0.1", "5000")
    assert usage.returncode == 2
    assert usage.stderr == (
        "tertulia: argumentos desconocidos: --nada (consulta tertulia --help)\n"
    )
    spaces = run("Ana", "Maria", "127.0.0.1", "5000")
    assert f"Try: python3 {pyz} Ana_Maria 127.0.0.1 5000" in spaces.stderr
    alone = run("ana")
    assert alone.returncode == 2
    assert "ana SERVER-IP PORT" in alone.stderr


ODD_VALUES = [None, True, -1, 1.0, 1.5, 10**30, "", "x" * 200, [], {}]
ODD_LINES = [
    b"", b"{", b"[]", b"1", b'"x"', b"null", b"{}", b'{"type":1}', b'{"type":"no such"}',
    b'{"type":"say","text":"\\ud800"}', b'{"type":"say","text":NaN}',
    b'{"type":"say","text":"\xff"}',
    b'{"type":"message","seq":1e400,"time":"","from":"a","text":"b"}', b'{"type":"ping","id":1e0}',
    b'{"type":"say","text":"a\x01b"}', b' {"type":"ping"} ', b'{"type":"ping"}{"type":"ping"}',
    b'{"type":"ping","id":1,"id":2}', b'{"type":"say","text":"\\u00f1 \\ud83d\\ude00"}',
]  # fmt: skip


def lines_to_try() -> Iterator[bytes]:
    """Yield every line that docs/protocol.md shows, and each of its fields with odd values."""
    yield from ODD_LINES
    for shown in re.findall(r"^    [CS]: (.*)$", PROTOCOL, re.MULTILINE):
        yield shown.encode()
        content = json.loads(shown)
        for name in content:
            yield json.dumps({key: value for key, value in content.items() if key != name}).encode()
            for odd in ODD_VALUES:
                yield json.dumps(content | {name: odd, "unknown": odd}).encode()


def outcome(line: bytes) -> list[str]:
    """Return what a line is for a client and for a server: a message, unknown, or refused."""
    results = []
    for decode in (decode_server_message, decode_request):
        try:
            message = decode(line)
            results.append(
                "unknown" if message is None else encode(message).decode().replace("e+30", "e30")
            )
        except (ValueError, BadRequest):
            results.append("refused")
    return results


COMPARE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import msgspec
assert msgspec.__file__.startswith(sys.argv[1]), msgspec.__file__
from tertulia.protocol.lines import BadRequest, decode_request, decode_server_message, encode
{outcome}
for line in json.load(sys.stdin):
    print(json.dumps(outcome(bytes.fromhex(line))))
"""


def test_it_reads_and_writes_the_protocol_as_the_installed_client_does(pyz: Path) -> None:
    import inspect

    lines = list(lines_to_try())
    assert len(lines) > 1_000
    code = COMPARE.format(outcome=inspect.getsource(outcome))
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code, pyz],
        input=json.dumps([line.hex() for line in lines]),
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = list(map(json.loads, done.stdout.splitlines()))
    different = [
        (line, expected, given)
        for line, given in zip(lines, found, strict=True)
        if (expected := outcome(line)) != given
    ]
    assert different == []
