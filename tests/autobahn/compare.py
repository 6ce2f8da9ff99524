"""Run Autobahn's WebSocket suite against the door and against the library, and compare.

Nothing of the suite is here: `--wstest` is its program. The status is 1 if the door does worse than
the library in any case.

    python tests/autobahn/compare.py --wstest ~/autobahn/bin/wstest --cases '6.*' '7.*'
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
LIBRARY, DOOR, USUAL = "library", "door", "door with its usual limits"
WORST_LAST = ("OK", "INFORMATIONAL", "UNIMPLEMENTED", "NON-STRICT", "FAILED")
Results = dict[str, dict[str, dict[str, str]]]


@contextlib.contextmanager
def echo_server(folder: Path, program: str, *options: str) -> Iterator[int]:
    """Start a program beside this one, with its files in the folder; give its port."""
    command = [sys.executable, str(HERE / program), *options]
    env = os.environ | {"XDG_STATE_HOME": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def run(wstest: str, cases: list[str], ports: dict[str, int], tls: bool, folder: Path) -> Results:
    """Let the suite try all servers; return what it has found."""
    scheme = "wss" if tls else "ws"
    spec = {
        "outdir": str(folder),
        "servers": [
            {"agent": name, "url": f"{scheme if name != LIBRARY else 'ws'}://127.0.0.1:{port}/ws"}
            for name, port in ports.items()
        ],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [wstest, "--mode", "fuzzingclient", "--spec", str(folder / "spec.json")]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return json.loads((folder / "index.json").read_text())  # type: ignore[no-any-return]


def grade(result: dict[str, str]) -> int:
    """Return how bad a result is; what is not in the list is as bad as can be."""
    grades = (result["behavior"], result["behaviorClose"])
    return max(WORST_LAST.index(one) if one in WORST_LAST else 9 for one in grades)


def shown(result: dict[str, str]) -> str:
    """Return a result in words."""
    code = result.get("remoteCloseCode")
    return f"{result['behavior']} (close: {result['behaviorClose']}, code {code})"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the door with its library.")
    parser.add_argument("--wstest", required=True, help="the program of autobahntestsuite")
    parser.add_argument("--cases", nargs="+", default=["*"])
    parser.add_argument("--threads", default="2", help="of the server: a number, or: session")
    parser.add_argument("--tls", action="store_true", help="reach the door over TLS")
    parser.add_argument("--reports", type=Path, help="where to leave the suite's own reports")
    args = parser.parse_args()
    door = ["--threads", args.threads, *(["--tls"] if args.tls else [])]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = {
            LIBRARY: ("echo_library.py",),
            DOOR: ("echo_door.py", *door),
            USUAL: ("echo_door.py", *door, "--usual-limits"),
        }
        ports = {
            name: stack.enter_context(echo_server(folder, *program))
            for name, program in programs.items()
        }
        reports = (args.reports or folder / "reports").resolve()
        reports.mkdir(parents=True, exist_ok=True)
        results = run(args.wstest, args.cases, ports, args.tls, reports)
    for name in ports:
        counts = Counter(result["behavior"] for result in results[name].values())
        print(f"{name}:", ", ".join(f"{count} {what}" for what, count in counts.most_common()))
    print("\nNot OK, or not as the library:")
    worse = []
    for case in sorted(results[DOOR], key=lambda case: [int(part) for part in case.split(".")]):
        found, expected = results[DOOR][case], results[LIBRARY][case]
        if grade(found) != grade(expected) or grade(found) > WORST_LAST.index("UNIMPLEMENTED"):
            print(f"  {case}: {shown(found)}; library: {shown(expected)}")
        if grade(found) > grade(expected):
            worse.append(case)
    print("\nRefused because of the usual limits:", end=" ")
    usual = results[USUAL]
    print(", ".join(c for c in results[DOOR] if grade(usual[c]) > grade(results[DOOR][c])))
    print("\nWorse than the library:", ", ".join(worse) or "nothing")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
