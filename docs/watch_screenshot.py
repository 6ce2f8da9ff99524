"""Draw the pictures of the live view that docs/threads.md shows: a real server, and its crowd.

    .venv/bin/python docs/watch_screenshot.py

It writes docs/watch.en.svg and docs/watch.es.svg, which load nothing from the network.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tertulia.i18n import set_language
from tertulia.watch.app import WatchApp
from tertulia.watch.asking import Asking
from tertulia.watch.rates import Rates

HERE = Path(__file__).parent
CROWD = HERE.parent / "examples" / "crowd.py"
SIZE = (112, 36)
LOOKS = 70
_LISTENING = re.compile(r"listening on \S+ (\d+)")


async def draw(lang: str, directory: Path, port: int) -> str:
    """Watch the server for half a minute, and return the SVG picture of the view."""
    set_language(lang)
    asking, rates = Asking(directory / "tertulia", port), Rates(5000)
    app = WatchApp(lambda: rates.figures(asking.look()), asking.close, 5000, looks_every_s=3_600.0)
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(LOOKS):
            await app.look_once()
            await pilot.pause(0.45)
        picture = app.export_screenshot(title="tertulia-server 5000 --watch")
    # Textual's picture loads its fonts from a web server. The reader's own fonts are good enough.
    return re.sub(r"@font-face\s*\{[^}]*\}", "", picture)


def main() -> None:
    """Draw one picture in each language."""
    os.environ["COLORTERM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    server_command = [
        *(sys.executable, "-m", "tertulia.server.cli", "0", "--host", "127.0.0.1"),
        *("--threads", "4", "--supervise", "--announce", "off"),
    ]
    for lang in ("en", "es"):
        with tempfile.TemporaryDirectory() as directory:
            environment = {**os.environ, "XDG_STATE_HOME": directory}
            history = ("--history", f"{directory}/history.db")
            with subprocess.Popen(
                [*server_command, *history], env=environment,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            ) as server:  # fmt: skip
                assert server.stdout is not None
                listening = _LISTENING.match(server.stdout.readline())
                assert listening is not None
                crowd = [sys.executable, CROWD, listening[1], "100", "50", "6"]
                with subprocess.Popen(crowd, stdout=subprocess.DEVNULL) as talking:
                    picture = asyncio.run(draw(lang, Path(directory), int(listening[1])))
                    talking.kill()
                server.terminate()
        (HERE / f"watch.{lang}.svg").write_text(picture)


if __name__ == "__main__":
    main()
