"""Break a cluster in every way that is known, and check what its users saw and its nodes stored.

Prints a line for each scenario; the exit status is 1 if a promise was broken.

    python tests/cluster/soak.py [SCENARIO …] [--times N]
"""

import argparse
import contextlib
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE.parent / "system", HERE.parent / "support"):
    sys.path.insert(0, str(folder))

from namespaces import namespace  # noqa: E402
from nats_servers import nats_servers  # noqa: E402
from scenarios import LONG, NAMESPACES, QUICK, Figures, Scenario  # noqa: E402
from scene import scene  # noqa: E402

_MAX_SHOWN = 10
_WIDTH = 26


def run(scenario: Scenario, root: Path, chat: str) -> tuple[str, list[str]]:
    """Run one scenario on nats-servers of its own; return its line, and what was broken."""
    began = time.monotonic()
    (root / "nats").mkdir(parents=True)
    figures: Figures = {}
    said = 0
    try:
        with contextlib.ExitStack() as stack:
            own = stack.enter_context(namespace()) if scenario in NAMESPACES else None
            host = own.nats if own else None
            nats = stack.enter_context(nats_servers(root / "nats", 3, host=host))
            cluster = stack.enter_context(scene(root, nats, chat, within=own))
            figures = scenario(cluster)
            problems = cluster.check()
            said = cluster.said()
    except Exception:  # noqa: BLE001 - the other scenarios go on
        problems = [traceback.format_exc()]
    shown = ", ".join(f"{what}: {value}" for what, value in figures.items())
    took = time.monotonic() - began
    return f"{scenario.__name__:{_WIDTH}} {took:5.0f} s {said:6} said  {shown}", problems


def main() -> int:
    """Run the scenarios that were asked for."""
    known = {scenario.__name__: scenario for scenario in (*QUICK, *LONG)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(known))
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files of all scenarios")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenarios) - set(known):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    broken = 0
    with tempfile.TemporaryDirectory(prefix="tertulia-soak-") as folder:
        root = arguments.keep or Path(folder)
        for turn in range(arguments.times):
            for name in arguments.scenarios or known:
                line, problems = run(known[name], root / f"{name}-{turn}", f"soak{turn}")
                broken += bool(problems)
                print(line, f"BROKEN {len(problems)}" if problems else "", flush=True)
                for problem in problems[:_MAX_SHOWN]:
                    print("   !", problem, flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
